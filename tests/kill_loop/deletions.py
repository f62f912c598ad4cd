"""Deletions on their date, killed under way: once, not early, each with its one record (I5).

It needs the build whose clock the admin listener moves. That clock is the machine's again after each restart.
"""

import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from keystead import BINARIES, binary

from checks import Wrong, every, tell
from client import Client, Ledger, Unanswered
from model import Call
from records import Records
from server import NoStart, Target, was_killed

VARIABLE = "KEYSTEAD_TEST_CLOCK_BINARY"
CYCLES = 10
WINDOW_DAYS = 7
HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
DUE_KEYS = 6
# The job looks once a second.
LOOK_SECONDS = 1.3
GONE_SECONDS_MAX = 30


@dataclass
class Stage:
    """A server with a clock that moves, and the keys that it was told to delete."""

    server: Target
    records: Records
    ledger: Ledger
    client: Client = None
    ahead: timedelta = timedelta(0)
    kept: set = field(default_factory=set)
    gone: set = field(default_factory=set)

    def begin(self):
        """A new life, at the machine's time."""
        self.server.begin()
        self.ahead = timedelta(0)
        self.client = Client(self.server.port, *self.server.root_credentials(), ledger=self.ledger,
                             clock=lambda: datetime.now(timezone.utc) + self.ahead)

    def advance(self, seconds):
        """Moves the time."""
        self.server.advance(seconds)
        self.ahead += timedelta(seconds=seconds)

    def present(self):
        """All keys that are listed."""
        return {entry["KeyId"] for entry in every(self.client, "ListKeys", "Keys", 1000)}


def check_killed(findings, rng, folder):
    """Some cycles in which the job is killed while it deletes; returns how many kills that were."""
    if VARIABLE not in os.environ and not BINARIES[VARIABLE].is_file():
        print(f"deletions: not killed, for there is no build with the test clock ({VARIABLE})")
        return 0
    folder.mkdir()
    ledger = Ledger(folder / "acknowledgements.jsonl")
    program = shutil.copy(binary(VARIABLE), folder / "keystead")
    server = Target(folder / "data", folder / "server.log", program=program)
    stage = Stage(server, Records(folder / "data" / "journal", ledger), ledger)
    try:
        stage.begin()
        for number in range(1, CYCLES + 1):
            findings.cycle = f"deletions {number}"
            cycle(findings, rng, stage)
            if findings.failed:
                break
        code = server.stop()
        findings.check("I9", code == 0, f"the server ended with {code}")
    except (NoStart, Unanswered, Wrong, AssertionError, OSError) as failure:
        findings.fail("I5", f"{type(failure).__name__}: {failure}")
    finally:
        server.kill_if_running()
    errors = server.take_errors()
    findings.check("I6", not errors, f"the server logged errors: {errors[:5]}")
    ledger.close()
    print(f"deletions: {len(stage.gone)} keys deleted on their date in {CYCLES} killed cycles", flush=True)
    return CYCLES


def cycle(findings, rng, stage):
    """Keys due in seven days; an hour before, nothing happens; then the job is killed while it deletes them."""
    due = make_keys(stage)
    stage.advance(WINDOW_DAYS * DAY_SECONDS - HOUR_SECONDS)
    time.sleep(LOOK_SECONDS)
    judge(findings, stage, due, is_over=False, may_be_gone=False)
    stage.advance(2 * HOUR_SECONDS)
    kill_job(findings, rng, stage, due)

    stage.begin()
    judge(findings, stage, due, is_over=False)
    stage.advance(WINDOW_DAYS * DAY_SECONDS + HOUR_SECONDS)
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while due & stage.present() and time.monotonic() < deadline:
        time.sleep(0.05)
    # The record follows the deletion by a moment.
    time.sleep(0.2)
    judge(findings, stage, due, is_over=True)
    stage.gone |= due
    # The next cycle begins at the machine's time.
    kill(findings, stage)
    stage.begin()


def make_keys(stage):
    """Some keys due in seven days, one later, one whose deletion is called off, one that stays."""
    key_ids = [tell(stage.client, "CreateKey")["KeyMetadata"]["KeyId"] for _ in range(DUE_KEYS + 3)]
    due, (later, cancelled, _) = key_ids[:DUE_KEYS], key_ids[DUE_KEYS:]
    for key_id in [*due, cancelled]:
        tell(stage.client, "ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=WINDOW_DAYS)
    tell(stage.client, "ScheduleKeyDeletion", KeyId=later, PendingWindowInDays=WINDOW_DAYS + 13)
    tell(stage.client, "CancelKeyDeletion", KeyId=cancelled)
    stage.kept |= set(key_ids[DUE_KEYS:])
    return set(due)


def kill_job(findings, rng, stage, due):
    """Kills the server at any moment of the job's second, or some milliseconds after its first deletion."""
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0, LOOK_SECONDS))
    else:
        deadline = time.monotonic() + GONE_SECONDS_MAX
        first = min(due)
        while time.monotonic() < deadline:
            if stage.client.ask(Call("DescribeKey", {"KeyId": first})).status != 200:
                break
        time.sleep(rng.uniform(0, 0.02))
    kill(findings, stage)


def kill(findings, stage):
    """Ends a life."""
    stage.client.close()
    code = stage.server.kill_now()
    findings.check("I9", was_killed(code), f"the server ended by itself with {code}")
    errors = stage.server.take_errors()
    findings.check("I6", not errors, f"the server logged errors: {errors[:5]}")


def judge(findings, stage, due, is_over, may_be_gone=True):
    """What is there and what is recorded, against what should be."""
    present = stage.present()
    stage.records.settle(findings)
    kept = stage.kept if may_be_gone else stage.kept | due
    judge_deletions(findings, present, stage.records.deletions, kept=kept,
                    due=due if may_be_gone else set(), gone=stage.gone, is_over=is_over)


def judge_deletions(findings, present, records: Counter, *, kept, due, gone, is_over):
    """Keys to keep are there without a record; the others are gone with one, those due only when it is over."""
    for key_id in kept:
        findings.check("I5", key_id in present and records[key_id] == 0,
                       f"{key_id} is not due: there {key_id in present}, {records[key_id]} records of a deletion")
    for key_id in due | gone:
        is_present, count = key_id in present, records[key_id]
        right = count == (0 if is_present else 1) and not (is_present and (is_over or key_id in gone))
        findings.check("I5", right, f"{key_id} is due: there {is_present}, {count} records of its deletion")
    strange = records.keys() - kept - due - gone
    findings.check("I5", not strange, f"records of the deletion of keys that nobody scheduled: {strange}")

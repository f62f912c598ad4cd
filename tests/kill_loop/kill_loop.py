#!/usr/bin/env python3
"""Kills a loaded server again and again, and checks after each restart that no acknowledgement was lost.

    python tests/kill_loop/kill_loop.py                          200 cycles, two to four minutes
    python tests/kill_loop/kill_loop.py --cycles 5000 --seed 7   longer; the same choices as another run with 7
    python tests/kill_loop/kill_loop.py --self-test              proves that every check can fail, in seconds

It needs Python 3.11 and nothing else, and a built server: target/debug/keystead, or what KEYSTEAD_BINARY names.
With KEYSTEAD_TEST_CLOCK_BINARY (a build with `--features test-clock`; target/test-clock/keystead is taken by itself
if it is there) the deletion of keys on their date is killed too.

A cycle: several threads make random calls (all 24 operations, on keys of their own, and `keystead account create`);
after 0 to 500 ms the server is killed, with SIGKILL at once or some milliseconds after a SIGTERM; often it is killed
again while it starts; then it starts and is asked for everything that it had acknowledged. Now and then a first start
on an empty directory is killed. Every thread owns what it works on, so that the value of each key, alias and account
is known exactly; only the one call of each thread that the kill cut off may have been done or not.

What is checked, by its number in the design's list of invariants:

    I1   a key whose CreateKey was acknowledged exists and decrypts its first ciphertext
    I2   every ciphertext that was ever returned decrypts, a sample in each cycle, all of them at the end
    I3   an unacknowledged call was done wholly or not at all
    I4   acknowledged states, policies, tags, descriptions, aliases and deletion dates stand, in the load too
    I5   a key is deleted on its date, once, not early, with one record (only with the test clock)
    I6   lists and look-ups agree, aliases are unique, nothing is there that nobody made, no error is in the log
    I7   each acknowledged call has one record, each unacknowledged one has a record exactly if it changed something,
         no event id comes twice, and the chain verifies
    I9   nothing that a kill leaves behind keeps the next life from starting
    I10  no key id and no pair of nonces comes twice

It ends with the first cycle in which something does not hold; then the exit status is 1 and the data directory, the
server's log and the driver's file of acknowledgements are kept where the last lines say. The seed fixes the choices,
not how the threads meet. A kill ends the process only: what it has written is still there, as it would not be after
a power cut.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))

# The helpers that are shared with the conformance tests are found by the line above.
import checks
import deletions
import first_starts
import keystead
import self_test
from client import Client, Ledger, Unanswered
from driver import Driver
from findings import Findings
from model import Owned
from records import Records, check_whole
from server import NoStart, Target, was_killed

THREADS = 6
LOAD_SECONDS_MAX = 0.5
SHUTDOWN_SECONDS_MAX = 0.08
START_SECONDS_MAX = 0.08
# Of all cycles, those that end with SIGTERM first, those whose restarts are killed, and those with a first start.
SHUTDOWN_SHARE = 0.25
KILLED_START_SHARE = 0.3
FIRST_START_SHARE = 0.1
PROGRESS_CYCLES = 25
# The whole run: some minutes, and for each cycle far more than it takes.
DEADLINE_SECONDS = 300
DEADLINE_CYCLE_SECONDS = 6


class Loop:
    """One server, its threads of load, and everything that it has promised them."""

    def __init__(self, folder, rng, findings):
        self.folder = folder
        self.rng = rng
        self.findings = findings
        self.ledger = Ledger(folder / "acknowledgements.jsonl")
        self.server = Target(folder / "data", folder / "server.log")
        self.records = Records(folder / "data" / "journal", self.ledger)
        self.repeats = checks.Repeats()
        self.drivers = [Driver(Owned(f"thread{n}"), random.Random(rng.random()), self.ledger, findings)
                        for n in range(THREADS)]
        self.owners = [driver.owned for driver in self.drivers]
        self.kills = 0
        self.cycles = 0

    def cycle(self):
        """Load, kill, restart, check."""
        self.load()
        if self.rng.random() < KILLED_START_SHARE:
            self.kill_starts()
        self.begin()
        self.check()

    def begin(self):
        """Begins a life; that it cannot is a finding which ends the loop (I9)."""
        try:
            self.server.begin()
        except NoStart as failure:
            self.findings.fail("I9", f"the server does not start: {failure}")
            raise
        finally:
            self.look_into_log()
        self.findings.check("I9", True, "")

    def load(self):
        """Lets the threads work and ends the server under them."""
        stop = threading.Event()
        for driver in self.drivers:
            driver.begin(self.server, stop)
        time.sleep(self.rng.uniform(0, LOAD_SECONDS_MAX))
        self.end_server()
        stop.set()
        for driver in self.drivers:
            driver.join()
        self.look_into_log()

    def end_server(self):
        """A kill, at once or in the middle of a shutdown."""
        self.kills += 1
        if self.rng.random() < SHUTDOWN_SHARE:
            code = self.server.stop_and_kill(self.rng.uniform(0, SHUTDOWN_SECONDS_MAX))
            right = code == 0 or was_killed(code)
        else:
            code = self.server.kill_now()
            right = was_killed(code)
        self.findings.check("I9", right, f"the server ended by itself with {code}")

    def kill_starts(self):
        """Restarts that are killed while they recover what the kill before has left."""
        for _ in range(self.rng.randint(1, 3)):
            self.kills += 1
            code = self.server.begin_and_kill(self.rng.uniform(0, START_SECONDS_MAX))
            self.findings.check("I9", was_killed(code),
                                f"a restart ended by itself with {code}: {self.server.output()}")
            self.look_into_log()

    def look_into_log(self):
        """No error may be in the log, least of all a seal that does not fit (I6)."""
        errors = self.server.take_errors()
        self.findings.check("I6", not errors, f"the server logged errors: {errors[:5]}")

    def check(self):
        """Everything that must hold at a restart."""
        leftovers = self.server.leftovers()
        self.findings.check("I9", not leftovers, f"files are left in the data directory: {leftovers}")
        self.records.settle(self.findings)
        early = dict(self.records.deletions)
        self.findings.check("I5", not early, f"keys were deleted whose date is days away: {early}")
        self.with_client(self.check_lists)
        self.in_threads(lambda client, owned, rng: checks.check_owned(self.findings, client, owned, rng))
        self.repeats.check(self.findings, self.owners)

    def check_lists(self, client):
        """Unanswered calls first: what they did belongs to what the lists must hold."""
        listing = checks.Listing(client)
        listing.find_unclaimed(client, self.owners)
        for owned in self.owners:
            checks.resolve(self.findings, client, owned, listing, self.records.recorded)
        strange = listing.unclaimed
        self.findings.check("I3", not strange, f"keys exist that no call can have made so: {strange}")
        checks.check_listing(self.findings, listing, self.owners)

    def in_threads(self, act):
        """Runs a check for each owner, all at once."""
        def run(owned, rng):
            self.with_client(lambda client: act(client, owned, rng))
        threads = [threading.Thread(target=run, args=(driver.owned, driver.rng), daemon=True)
                   for driver in self.drivers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @contextmanager
    def client(self):
        """A caller of the server as it is now."""
        client = Client(self.server.port, *self.server.root_credentials(), ledger=self.ledger)
        with closing(client):
            yield client

    def with_client(self, act):
        """Runs a check with a caller of its own; a call that it cannot do without is a finding."""
        try:
            with self.client() as client:
                act(client)
        except (Unanswered, checks.Wrong) as failure:
            self.findings.fail("answers", f"a check could not go on: {type(failure).__name__}: {failure}")

    def finish(self):
        """Everything that was ever promised, then a clean end and the journal from its beginning."""
        self.in_threads(lambda client, owned, _: checks.check_all(self.findings, client, owned))
        self.repeats.check(self.findings, self.owners)
        code = self.server.stop()
        self.findings.check("I9", code == 0, f"the server ended with {code}")
        self.look_into_log()
        self.records.settle(self.findings)
        self.ledger.close()
        check_whole(self.findings, self.folder / "data" / "journal", self.records, self.ledger)
        checks.check_database(self.findings, self.folder / "data" / "keystead.db")


def run(loop, cycles):
    """The cycles, then the end."""
    loop.begin()
    for number in range(1, cycles + 1):
        loop.findings.cycle = number
        loop.cycle()
        loop.cycles = number
        if loop.rng.random() < FIRST_START_SHARE:
            loop.kills += first_starts.check(loop.findings, loop.rng, loop.folder / f"first-{number}")
        if loop.findings.failed:
            return
        if number % PROGRESS_CYCLES == 0:
            print(f"cycle {number}: {loop.kills} kills, {loop.ledger.acknowledged_count:,} acknowledged calls, "
                  f"{sum(len(owned.key_ids) for owned in loop.owners):,} keys", flush=True)
    loop.finish()


class OutOfTime(Exception):
    """The whole run has taken too long, or somebody ends it."""


def out_of_time(number, _frame):
    """Ends everything: the server ends with us, and our threads with it."""
    raise OutOfTime(signal.Signals(number).name)


def watch(findings, seconds):
    """Bounds the run, and lets no thread die unseen."""
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, out_of_time)
    signal.alarm(seconds)

    def died(thread):
        threading.__excepthook__(thread)
        findings.fail("thread", f"a thread of the loop ended with {thread.exc_type.__name__}: {thread.exc_value}")
    threading.excepthook = died


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cycles", type=int, default=200, help="how often the loaded server is killed")
    parser.add_argument("--seed", type=int, help="repeats the choices of an earlier run")
    parser.add_argument("--deadline", type=int, metavar="SECONDS", help="ends the run as failed after so long")
    parser.add_argument("--self-test", action="store_true", help="prove that every check can fail, and end")
    return parser.parse_args()


def main():
    """The command; returns its exit status."""
    asked = arguments()
    seed = random.SystemRandom().getrandbits(32) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="keystead-kill-loop-"))
    findings = Findings()
    watch(findings, asked.deadline or DEADLINE_SECONDS + DEADLINE_CYCLE_SECONDS * asked.cycles)
    # One run tests one build, whoever builds meanwhile.
    os.environ["KEYSTEAD_BINARY"] = str(shutil.copy(keystead.binary(), folder / "keystead"))
    loop = Loop(folder, random.Random(seed), findings)
    closing_line, failed = "", True
    try:
        closing_line, failed = self_test.run(loop) if asked.self_test else kill(loop, asked.cycles)
    finally:
        signal.alarm(0)
        loop.server.kill_if_running()
        if failed:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder)
    print(closing_line, flush=True)
    return 1 if failed else 0


def kill(loop, cycles):
    """The loop and, with the test clock, the deletions; returns the closing line and whether anything failed."""
    findings = loop.findings
    try:
        run(loop, cycles)
        if not findings.failed:
            loop.kills += deletions.check_killed(findings, loop.rng, loop.folder / "deletions")
    except (NoStart, OutOfTime, TimeoutError) as failure:
        findings.fail("end", f"{type(failure).__name__}: {failure}")
    passed, failed = sum(findings.passed.values()), len(findings.failed)
    cut_off = findings.unanswered
    print(f"kills: {loop.kills}; changes cut off: {cut_off['done']} done, {cut_off['not done']} not done")
    print(f"checks: {findings.table()}")
    return (f"kill loop: {loop.cycles} cycles, {loop.ledger.acknowledged_count:,} acknowledged calls, "
            f"{findings.lost_count} lost; {passed} passed, {failed} failed"), failed > 0


if __name__ == "__main__":
    sys.exit(main())

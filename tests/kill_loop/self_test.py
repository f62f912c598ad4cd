"""Proves that every check can fail: each is shown a deliberate fault and must find it under its own number.

A short load gives a server with keys, aliases, ciphertexts and a journal, for which all checks pass. Then each case
changes what is expected, or damages a copy of what is on the disk, and asks the very checks of the loop.
"""

import base64
import copy
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import checks
import sabotage
from client import AGENT, Unanswered
from deletions import judge_deletions
from driver import learn
from findings import Findings
from model import Call, Ciphertext, Facts
from operations import DEFAULT_POLICY, decrypt_of
from records import Recorded, Records, check_whole
from server import NoStart, Target

CYCLES = 3
STEPS_MAX = 2000
CASES = []


def case(invariants, what):
    """Registers a case: a function that shows a fault to a check, which must find it as one of these invariants."""
    def register(act):
        CASES.append((invariants, what, act))
        return act
    return register


class Stage:
    """A loop whose checks all pass, and fresh copies of what its first thread owns."""

    def __init__(self, loop, client):
        self.loop = loop
        self.client = client
        driver = loop.drivers[0]
        self.source = driver.owned
        for _ in range(STEPS_MAX):
            if self.is_rich():
                break
            driver.step(client, loop.server.directory)
        assert self.is_rich(), "the load makes too little to spoil"

    def is_rich(self):
        """Whether there is something of everything that the cases spoil."""
        states = {self.source.facts(key_id).state for key_id in self.source.key_ids if self.source.ciphertexts[key_id]}
        return {"Enabled", "PendingDeletion"} <= states and bool(self.source.aliases())

    def owned(self):
        """A copy that a case may spoil."""
        return copy.deepcopy(self.source)

    def key_in(self, state):
        """A key of this state that has a ciphertext."""
        return next(key_id for key_id in self.source.key_ids
                    if self.source.facts(key_id).state == state and self.source.ciphertexts[key_id])

    def directory(self, name):
        """A copy of the data directory; the server has been stopped by then."""
        return sabotage.copy_of(self.loop.server.directory, name)


@contextmanager
def using(thing, **members):
    """Other members for a while."""
    kept = {name: getattr(thing, name) for name in members}
    vars(thing).update(members)
    try:
        yield
    finally:
        vars(thing).update(kept)


def flipped(ciphertext):
    """The ciphertext with one bit turned over."""
    blob = bytearray(base64.b64decode(ciphertext.blob))
    blob[-1] ^= 1
    return replace(ciphertext, blob=base64.b64encode(blob).decode())


@case("I1", "a key that was acknowledged and is not there")
def missing_key(findings, stage):
    owned, key_id = stage.owned(), str(uuid.uuid4())
    owned.add_key(key_id, Facts("", DEFAULT_POLICY))
    checks.check_subject(findings, stage.client, owned, ("key", key_id))


@case("I1", "a key that was acknowledged and is not listed")
def unlisted_key(findings, stage):
    owned = stage.owned()
    owned.add_key(str(uuid.uuid4()), Facts("", DEFAULT_POLICY))
    checks.check_listing(findings, checks.Listing(stage.client), [owned])


@case("I1", "a key whose first ciphertext does not decrypt")
def broken_self_test(findings, stage):
    owned, key_id = stage.owned(), stage.key_in("Enabled")
    owned.ciphertexts[key_id][0] = flipped(owned.ciphertexts[key_id][0])
    checks.check_subject(findings, stage.client, owned, ("key", key_id))


@case("I2", "a ciphertext that does not decrypt")
def broken_ciphertext(findings, stage):
    owned = stage.owned()
    ciphertext = flipped(owned.ciphertexts[stage.key_in("Enabled")][0])
    checks.check_ciphertext(findings, stage.client, owned, ciphertext)


@case("I2", "a ciphertext that decrypts to something else")
def other_plaintext(findings, stage):
    owned = stage.owned()
    ciphertext = replace(owned.ciphertexts[stage.key_in("Enabled")][0], plaintext="b3RoZXI=")
    checks.check_ciphertext(findings, stage.client, owned, ciphertext)


@case("I2", "a data key of another length")
def short_data_key(findings, stage):
    owned, key_id = stage.owned(), stage.key_in("Enabled")
    blob = checks.tell(stage.client, "Encrypt", KeyId=key_id, Plaintext="eA==")["CiphertextBlob"]
    checks.check_ciphertext(findings, stage.client, owned, Ciphertext(key_id, blob, None))


@case("I2", "a Decrypt of the load that answers something else")
def wrong_answer_in_load(findings, stage):
    owned = stage.owned()
    call = decrypt_of(owned, owned.ciphertexts[stage.key_in("Enabled")][0])
    learn(findings, owned, call, {"Plaintext": "b3RoZXI="}, None)


def resolve(findings, stage, owned, call, recorded=None):
    """Resolves an unanswered call as the loop does."""
    owned.unknown = call
    listing = checks.Listing(stage.client)
    listing.find_unclaimed(stage.client, stage.loop.owners)
    checks.resolve(findings, stage.client, owned, listing, recorded or {})


def half_done(subject_of, before, after):
    """A case of I3: the subject is neither what it was nor what it would be."""
    def act(findings, stage):
        owned = stage.owned()
        subject = subject_of(stage)
        facts = owned.values.get(subject)
        owned.values[subject] = before(facts)
        if subject[0] == "account":
            owned.credentials[subject[1]] = "AKIANOBODYKNOWSTHIS1", "secret"
        resolve(findings, stage, owned, Call("X", {}, subject, after(facts), number=1))
    return act


def enabled_key(stage):
    """The subject of a key that works."""
    return "key", stage.key_in("Enabled")


for member, two in {
        "description": ("one", "two"), "policy": ("{}", "[]"), "state": ("Disabled", "PendingDeletion"),
        "tags": (frozenset({("one", "1")}), frozenset({("two", "2")}))}.items():
    case("I3", f"an unanswered change of {member} that is neither done nor undone")(half_done(
        enabled_key, lambda facts, member=member, value=two[0]: replace(facts, **{member: value}),
        lambda facts, member=member, value=two[1]: replace(facts, **{member: value})))
case("I3", "an unanswered change of an alias that is neither done nor undone")(half_done(
    lambda stage: ("alias", next(iter(stage.source.aliases()))), lambda _: "one", lambda _: "two"))
case("I3", "an unanswered account that is neither made nor not made")(half_done(
    lambda _: ("account", "999999999999"), lambda _: "one", lambda _: "two"))


@case("I3", "a deletion date that no call can have set")
def wrong_window(findings, stage):
    owned, key_id = stage.owned(), stage.key_in("PendingDeletion")
    after = replace(owned.facts(key_id), deletion_date=(1, 2))
    owned.values[("key", key_id)] = replace(after, state="Enabled", deletion_date=None)
    resolve(findings, stage, owned, Call("ScheduleKeyDeletion", {}, ("key", key_id), after, number=1))


@case("I3", "a key that was made without its tags")
def half_a_key(findings, stage):
    description = str(uuid.uuid4())
    checks.tell(stage.client, "CreateKey", Description=description)
    whole = Facts(description, DEFAULT_POLICY, frozenset({("a", "b")}))
    owned = stage.owned()
    resolve(findings, stage, owned, Call("CreateKey", {}, ("creation", description), whole, number=1))


@case("I3", "a key that no call can have made")
def unclaimed_key(findings, stage):
    checks.tell(stage.client, "CreateKey", Description="nobody's")
    with using(stage.loop, findings=findings):
        stage.loop.check_lists(stage.client)


@case("I7", "an unanswered call that was done and left no record")
def done_unrecorded(findings, stage):
    owned, subject = stage.owned(), enabled_key(stage)
    after = owned.values[subject]
    owned.values[subject] = replace(after, description="before")
    resolve(findings, stage, owned, Call("X", {}, subject, after, number=1))


@case("I7", "an unanswered call that was not done and has a record of its success")
def recorded_undone(findings, stage):
    owned, subject = stage.owned(), enabled_key(stage)
    after = replace(owned.values[subject], description="after")
    resolve(findings, stage, owned, Call("X", {}, subject, after, number=1), {1: Recorded("X", "id", None)})


def reverted(member, value, state="Enabled"):
    """A case of I4: something else was acknowledged."""
    def act(findings, stage):
        owned, key_id = stage.owned(), stage.key_in(state)
        owned.values[("key", key_id)] = replace(owned.facts(key_id), **{member: value})
        checks.check_subject(findings, stage.client, owned, ("key", key_id))
    return act


for member, value in {"description": "other", "policy": "{}", "state": "Disabled",
                      "tags": frozenset({("other", "tag")})}.items():
    case("I4", f"another {member} than was acknowledged")(reverted(member, value))
case("I4", "another deletion date than was acknowledged")(reverted("deletion_date", 1.5, "PendingDeletion"))


@case("I4", "a disabled key that decrypts")
def disabled_key_decrypts(findings, stage):
    owned, key_id = stage.owned(), stage.key_in("Enabled")
    owned.values[("key", key_id)] = replace(owned.facts(key_id), state="Disabled")
    checks.check_ciphertext(findings, stage.client, owned, owned.ciphertexts[key_id][0])


@case("I4", "an alias that points elsewhere")
def moved_alias(findings, stage):
    owned = stage.owned()
    name = next(iter(owned.aliases()))
    owned.values[("alias", name)] = "another key"
    checks.check_subject(findings, stage.client, owned, ("alias", name))


@case("I4", "an alias that is not listed")
def unlisted_alias(findings, stage):
    owned = stage.owned()
    owned.values[("alias", "alias/none")] = owned.key_ids[0]
    checks.check_listing(findings, checks.Listing(stage.client), [owned])


@case("I4", "an account that is not known")
def missing_account(findings, stage):
    owned = stage.owned()
    owned.credentials["999999999999"] = "AKIANOBODYKNOWSTHIS1", "secret"
    owned.values[("account", "999999999999")] = True
    checks.check_subject(findings, stage.client, owned, ("account", "999999999999"))


@case("I4", "a refusal in the load that the state does not ask for")
def wrong_refusal(findings, stage):
    learn(findings, stage.owned(), Call("Encrypt", {}), {}, "DisabledException")


for what, present, records, is_over in [
        ("a key that is deleted early", {"due"}, {"kept": 1}, False),
        ("a key that is gone early and unrecorded", {"due"}, {}, False),
        ("a deletion without its record", {"kept"}, {}, False),
        ("a record of a deletion that did not happen", {"kept", "due"}, {"due": 1}, False),
        ("a deletion that is recorded twice", {"kept"}, {"due": 2}, True),
        ("a deletion that does not come", {"kept", "due"}, {}, True),
        ("the deletion of a key that nobody scheduled", {"kept"}, {"due": 1, "other": 1}, True)]:
    case("I5", what)(lambda findings, _, present=present, records=records, is_over=is_over: judge_deletions(
        findings, present, Counter(records), kept={"kept"}, due={"due"}, gone=set(), is_over=is_over))


@case("I5", "a record of a deletion in the loop, where none is due")
def deletion_in_loop(findings, stage):
    with using(stage.loop, findings=findings), using(stage.loop.records, deletions=Counter(["key"])):
        stage.loop.check()


def spoiled_listing(edit):
    """A case of the lists: they say something else than they should."""
    def act(findings, stage):
        listing = checks.Listing(stage.client)
        edit(listing)
        checks.check_listing(findings, listing, stage.loop.owners)
    return act


case("I6", "a key that is listed twice")(spoiled_listing(lambda listing: listing.key_ids.append(listing.key_ids[0])))
case("I6", "a key that nobody made")(spoiled_listing(lambda listing: listing.key_ids.append("another")))
case("I6", "an alias that is there twice")(spoiled_listing(
    lambda listing: listing.aliases.append(listing.aliases[0])))
case("I6", "an alias that nobody made")(spoiled_listing(lambda listing: listing.aliases.append(("alias/x", "y"))))


def logged(line):
    """A case of the log."""
    def act(findings, stage):
        with using(stage.loop, findings=findings):
            stage.loop.server.lines.append(line)
            stage.loop.look_into_log()
    return act


case("I6", "an error in the log")(logged('{"level":"ERROR","message":"a seal does not fit"}'))
case("I6", "a panic in the log")(logged("thread 'main' panicked at x.rs:1:1:"))


@case("I9", "a leftover in the data directory")
def leftover(findings, stage):
    path = stage.loop.server.directory / "root-credentials.new"
    path.touch()
    with using(stage.loop, findings=findings):
        stage.loop.check()
    path.unlink()


@case("I9", "a lock that keeps the next life away")
def held_lock(findings, stage):
    start(findings, stage, stage.loop.server.directory)


def start(findings, stage, directory):
    """Begins a life over a directory as the loop does; the server if it came up."""
    server = Target(directory, stage.loop.server.log)
    try:
        with using(stage.loop, findings=findings, server=server):
            stage.loop.begin()
        return server
    except NoStart:
        return None


@case("I10", "a pair of nonces that comes twice")
def repeated_nonces(findings, stage):
    owned = stage.owned()
    owned.returned = [owned.ciphertexts[stage.key_in("Enabled")][0]] * 2
    checks.Repeats().check(findings, [owned])


@case("I10", "a key id that comes twice")
def repeated_key_id(findings, stage):
    owned = stage.owned()
    owned.created = owned.key_ids[:1] * 2
    checks.Repeats().check(findings, [owned])


@case("answers", "a check that nobody answers")
def nobody_answers(findings, stage):
    def act(_client):
        raise Unanswered("nobody")
    with using(stage.loop, findings=findings):
        stage.loop.with_client(act)


@case("thread", "a thread of the loop that dies")
def dead_thread(findings, stage):
    def die(_client, owned, _rng):
        owned.values[("key", "none")].fits(None)
    # What the interpreter prints of such a thread is no news here.
    with using(threading, __excepthook__=lambda _: None):
        with using(stage.loop.findings, failed=findings.failed, quiet=True):
            stage.loop.in_threads(die)


# From here on the server is stopped, and copies of its directory are damaged.
STOPPED = len(CASES)


@case("I9", "a server that ended by itself")
def ended_by_itself(findings, stage):
    with using(stage.loop, findings=findings, rng=AtOnce()):
        stage.loop.end_server()


class AtOnce:
    """Chance that always chooses the plain kill."""

    def random(self):
        """Above every share."""
        return 1.0


def journal_case(name, damage, whole=False):
    """A case of the journal: a damaged copy, compared with the acknowledgements in the driver's file."""
    def act(findings, stage):
        directory = stage.directory(name) / "journal"
        damage(directory)
        ledger = sabotage.FileLedger(stage.loop.ledger)
        records = Records(directory, ledger)
        if whole:
            check_whole(findings, directory, stage.loop.records, ledger)
        else:
            records.settle(findings)
    return act


def edited(edit):
    """Damage that rewrites the chain."""
    return lambda directory: sabotage.edit_journal(directory, edit)


def rename(payload, old, new):
    """A record that says something else."""
    assert old in payload
    return payload.replace(old, new)


def calls(payloads):
    """The places of the records of calls; starts and ends of the server have some too."""
    return [place for place, payload in enumerate(payloads) if AGENT.encode() in payload]


def without_last(payloads):
    """The records without the last one of a call."""
    last = calls(payloads)[-1]
    return payloads[:last] + payloads[last + 1:]


def renamed_last(payloads):
    """The records with another operation in the last one of a call."""
    last = calls(payloads)[-1]
    return [*payloads[:last], rename(payloads[last], b'"eventName":"', b'"eventName":"X'), *payloads[last + 1:]]


def strange(payload):
    """A record of another caller's."""
    return rename(rename(payload, b"kill-loop/", b"nobody/"), b'"eventID":"', b'"eventID":"x')


for name, what, damage in [
        ("cut", "a frame that was cut out", sabotage.cut_out),
        ("flip", "a frame with one bit turned over", lambda directory: sabotage.flip(next(directory.iterdir()), 5000)),
        ("header", "a header with one bit turned over",
         lambda directory: sabotage.flip(next(directory.iterdir()), 20)),
        ("missing", "an acknowledged call without a record", edited(without_last)),
        ("twice", "a record that is written twice", edited(lambda payloads: [*payloads, payloads[7]])),
        ("strange", "a record of a call that nobody made",
         edited(lambda payloads: [*payloads, strange(payloads[calls(payloads)[0]])])),
        ("other", "a record that names another operation",
         edited(renamed_last))]:
    case("I7", what)(journal_case(name, damage))
    if name != "other":
        case("I7", f"{what}, read as a whole")(journal_case(f"whole-{name}", damage, whole=True))


@case("I7", "a journal that lost frames which had been read")
def shortened_journal(findings, stage):
    directory = stage.directory("shortened") / "journal"
    records = Records(directory, sabotage.FileLedger(stage.loop.ledger))
    records.settle(Findings(quiet=True))
    sabotage.shorten(directory)
    records.settle(findings)


@case("I6", "rows that have lost their key")
def orphans(findings, stage):
    directory = stage.directory("orphans")
    sabotage.run_sql(directory, ("DELETE FROM keys WHERE key_id = ?", (stage.key_in("Enabled"),)))
    checks.check_database(findings, directory / "keystead.db")


@case("I6", "a damaged page")
def damaged_page(findings, stage):
    directory = stage.directory("damaged")
    sabotage.damage_page(directory / "keystead.db")
    checks.check_database(findings, directory / "keystead.db")


@case("I1 I9", "a key that was taken out of the database")
def dropped_key(findings, stage):
    # A store that counts its aggregates refuses to start (I9); one that does not has lost the key (I1).
    key_id, directory = stage.key_in("Enabled"), stage.directory("dropped")
    sabotage.drop_key(directory, key_id)
    if (server := start(findings, stage, directory)) is None:
        return
    with using(stage.loop, server=server, findings=findings):
        stage.loop.with_client(
            lambda client: checks.check_subject(findings, client, stage.owned(), ("key", key_id)))
    server.kill_now()


@case("I9", "a root key that does not fit")
def broken_root_key(findings, stage):
    directory = stage.directory("root-key")
    sabotage.flip(directory / "root-key", -1)
    if server := start(findings, stage, directory):
        server.kill_now()


def show(stage, number, invariants, what, act):
    """Shows one fault; returns whether it was found."""
    findings = Findings(quiet=True)
    act(findings, stage)
    found = {name for name, _ in findings.failed}
    is_found = not found.isdisjoint(invariants.split())
    if not is_found:
        print(f"FAILED case {number}: {what} should be found as {invariants}, found: {sorted(found)}", flush=True)
    return is_found


def run(loop):
    """The self-test; returns the closing line and whether anything failed."""
    loop.begin()
    for _ in range(CYCLES):
        loop.cycle()
    if loop.findings.failed:
        return "self-test: the checks fail before anything is spoiled", True
    found = 0
    with loop.client() as client:
        stage = Stage(loop, client)
        for number, (invariants, what, act) in enumerate(CASES[:STOPPED], start=1):
            found += show(stage, number, invariants, what, act)
    loop.server.stop()
    for number, (invariants, what, act) in enumerate(CASES[STOPPED:], start=STOPPED + 1):
        found += show(stage, number, invariants, what, act)
    failed = len(CASES) - found
    return f"self-test: {found} faults found, {failed} not; {found} passed, {failed} failed", failed > 0

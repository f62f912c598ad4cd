"""What must hold after each restart, by the server's own answers (I1 to I4, I6, I10)."""

import base64
import sqlite3
from collections import Counter
from contextlib import closing

from client import Client
from model import Call, Facts, fits
from operations import canonical, decrypt_of, encrypt_under, pairs

OLD_KEYS_SAMPLED = 2
CIPHERTEXTS_SAMPLED = 8
ACCOUNTS_SAMPLED = 2
# Where a ciphertext says what must never come twice: docs/ciphertext-format.md, section 5.
NONCES = slice(50, 78)


class Wrong(Exception):
    """A call of a check was answered otherwise than a check can go on with."""


def tell(client, operation, **parameters):
    """The answer to a call that must succeed."""
    answer = client.ask(Call(operation, parameters))
    if answer.status != 200:
        raise Wrong(f"{operation} {parameters} was answered {answer.status} {answer.body[:300]}")
    return answer.json


def every(client, operation, member, limit):
    """The members of all pages of a list."""
    found, marker = [], {}
    while True:
        page = tell(client, operation, Limit=limit, **marker)
        found += page[member]
        if not page["Truncated"]:
            return found
        marker = {"Marker": page["NextMarker"]}


def see_key(client, key_id):
    """The facts of a key as the server tells them; None when it knows no such key."""
    answer = client.ask(Call("DescribeKey", {"KeyId": key_id}))
    if answer.status == 400 and answer.error == "NotFoundException":
        return None
    if answer.status != 200:
        raise Wrong(f"DescribeKey of {key_id} was answered {answer.status} {answer.body[:300]}")
    metadata = answer.json["KeyMetadata"]
    tags = tell(client, "ListResourceTags", KeyId=key_id)["Tags"]
    policy = tell(client, "GetKeyPolicy", KeyId=key_id)["Policy"]
    return Facts(metadata["Description"], canonical(policy), pairs(tags), metadata["KeyState"],
                 metadata.get("DeletionDate"))


def see_alias(client, name):
    """The target of an alias, or None."""
    answer = client.ask(Call("DescribeKey", {"KeyId": name}))
    return answer.json["KeyMetadata"]["KeyId"] if answer.status == 200 else None


def see_account(client, owned, account):
    """True when the account's access key works, None when nobody knows it."""
    own = Client(client.port, *owned.credentials[account], ledger=client.ledger)
    try:
        answer = own.ask(Call("ListKeys", {}))
    finally:
        own.close()
    if answer.status != 200 and answer.error != "UnrecognizedClientException":
        raise Wrong(f"the account {account} was answered {answer.status} {answer.body[:300]}")
    return True if answer.status == 200 else None


def see(client, owned, subject):
    """The value of a subject as the server tells it."""
    kind, name = subject
    if kind == "key":
        return see_key(client, name)
    return see_alias(client, name) if kind == "alias" else see_account(client, owned, name)


class Listing:
    """All keys and aliases that the server lists, and among the keys those that nobody has acknowledged."""

    def __init__(self, client):
        self.key_ids = [entry["KeyId"] for entry in every(client, "ListKeys", "Keys", 1000)]
        entries = every(client, "ListAliases", "Aliases", 100)
        # The predefined aliases of AWS stand for no key until it is used.
        self.aliases = [(entry["AliasName"], entry["TargetKeyId"]) for entry in entries
                        if "TargetKeyId" in entry]
        self.unclaimed = {}

    def find_unclaimed(self, client, owners):
        """Looks at the keys that no owner knows: what unanswered calls may have made."""
        known = {key_id for owned in owners for key_id in owned.key_ids}
        self.unclaimed = {key_id: see_key(client, key_id) for key_id in set(self.key_ids) - known}

    def claim(self, description):
        """The key with this description, which is claimed by that; None if there is none."""
        for key_id, facts in self.unclaimed.items():
            if facts is not None and facts.description == description:
                del self.unclaimed[key_id]
                return key_id, facts
        return None, None


def resolve(findings, client, owned, listing, recorded):
    """The call that nobody answered: all of it was done or nothing (I3), and its record says the same (I7)."""
    call, owned.unknown = owned.unknown, None
    if call is None or call.subject is None:
        return
    before = owned.values.get(call.subject)
    if call.subject[0] == "creation":
        key_id, seen = listing.claim(call.after.description)
        if seen is not None:
            owned.add_key(key_id, seen)
    else:
        seen = see(client, owned, call.subject)
        if seen is not None or before is not None:
            owned.set(call.subject, seen)
    as_before, as_after = fits(before, seen), fits(call.after, seen)
    findings.unanswered["done" if as_after else "not done"] += 1
    findings.check("I3", as_before or as_after,
                   f"{call} was not answered: was {before}, would be {call.after}, is {seen}")
    if call.subject[0] != "account" and as_before != as_after:
        entry = recorded.get(call.number)
        is_recorded = entry is not None and entry.error is None
        findings.check("I7", is_recorded == as_after,
                       f"{call} was not answered; it was done: {as_after}; its record: {entry}")


def check_listing(findings, listing, owners):
    """The lists hold what was acknowledged, once each, and nothing else (I1, I4, I6)."""
    expected = {key_id for owned in owners for key_id in owned.key_ids}
    twice = [key_id for key_id, count in Counter(listing.key_ids).items() if count > 1]
    findings.check("I6", not twice, f"keys are listed twice: {twice}")
    missing = expected - set(listing.key_ids)
    findings.check("I1", not missing, f"acknowledged keys are not listed: {missing}")
    extra = set(listing.key_ids) - expected
    findings.check("I6", not extra, f"keys are listed that nobody made: {extra}")

    names = Counter(name for name, _ in listing.aliases)
    twice = [name for name, count in names.items() if count > 1]
    findings.check("I6", not twice, f"aliases are listed twice: {twice}")
    expected = {name: target for owned in owners for name, target in owned.aliases().items()}
    listed = dict(listing.aliases)
    wrong = {name: (target, listed.get(name)) for name, target in expected.items() if listed.get(name) != target}
    findings.check("I4", not wrong, f"aliases should be first and are second: {wrong}")
    extra = listed.keys() - expected.keys()
    findings.check("I6", not extra, f"aliases are listed that nobody made: {extra}")


def check_subject(findings, client, owned, subject):
    """A subject has the value of its last acknowledged call (I1 for its existence, I4 for the rest)."""
    expected, seen = owned.values[subject], see(client, owned, subject)
    if subject[0] == "key" and not findings.check("I1", seen is not None, f"the acknowledged {subject} is gone"):
        return
    findings.check("I4", fits(expected, seen), f"{subject} should be {expected} and is {seen}")
    if subject[0] == "key":
        check_self_test(findings, client, owned, subject[1])


def check_self_test(findings, client, owned, key_id):
    """The first ciphertext of a key decrypts; the kill may have come before it, then it is made now (I1)."""
    if not owned.ciphertexts[key_id]:
        call = encrypt_under(owned, key_id, b"self-test")
        answer = client.ask(call)
        error = answer.error if answer.status >= 400 else None
        findings.check("I1", error == call.refusal, f"{call} was answered {error}")
        if answer.status == 200:
            call.judge(answer.json)
    for ciphertext in owned.ciphertexts[key_id][:1]:
        check_ciphertext(findings, client, owned, ciphertext, invariant="I1")


def check_ciphertext(findings, client, owned, ciphertext, invariant="I2"):
    """A ciphertext decrypts to what it was made of, unless its key's state forbids it."""
    call = decrypt_of(owned, ciphertext)
    answer = client.ask(call)
    error = answer.error if answer.status >= 400 else None
    if error or call.refusal:
        kind = "I4" if call.refusal else invariant
        findings.check(kind, error == call.refusal,
                       f"Decrypt under {ciphertext.key_id} was answered {error}, not {call.refusal}")
        return
    complaint = call.judge(answer.json)
    findings.check(invariant, complaint is None, complaint and complaint[1])


def sample(rng, population, count):
    """At most so many of these."""
    population = list(population)
    return rng.sample(population, min(count, len(population)))


def check_owned(findings, client, owned, rng):
    """What the last life touched, all of it, and a sample of what is older."""
    older = [("key", key_id) for key_id in sample(rng, owned.key_ids, OLD_KEYS_SAMPLED)]
    accounts = [("account", account) for account in sample(rng, owned.accounts(), ACCOUNTS_SAMPLED)]
    for subject in owned.touched | set(older) | set(accounts):
        check_subject(findings, client, owned, subject)
    ciphertexts = sample(rng, owned.returned, CIPHERTEXTS_SAMPLED)
    for key_id in sample(rng, owned.key_ids, CIPHERTEXTS_SAMPLED):
        ciphertexts += sample(rng, owned.ciphertexts[key_id], 1)
    for ciphertext in ciphertexts:
        check_ciphertext(findings, client, owned, ciphertext)
    owned.touched = set()


def revive(client, owned):
    """Lets every key work again, so that no state forbids a Decrypt any more."""
    for key_id in owned.key_ids:
        state = owned.facts(key_id).state
        if state == "PendingDeletion":
            tell(client, "CancelKeyDeletion", KeyId=key_id)
        if state != "Enabled":
            answer = client.ask(Call("EnableKey", {"KeyId": key_id}))
            if answer.status != 200:
                raise Wrong(f"EnableKey of {key_id} was answered {answer.body}")
            facts = owned.facts(key_id)
            owned.set(("key", key_id), Facts(facts.description, facts.policy, facts.tags))


def check_all(findings, client, owned):
    """Every subject and every ciphertext that ever was."""
    for subject in list(owned.values):
        check_subject(findings, client, owned, subject)
    revive(client, owned)
    for ciphertexts in owned.ciphertexts.values():
        for ciphertext in ciphertexts:
            check_ciphertext(findings, client, owned, ciphertext)


class Repeats:
    """What must never come twice, through all lives (I10)."""

    def __init__(self):
        self.seen = set()

    def check(self, findings, owners):
        """Adds the keys and ciphertexts that are new."""
        for owned in owners:
            new = [("key id", key_id) for key_id in owned.created]
            new += [("nonces", base64.b64decode(each.blob)[NONCES].hex()) for each in owned.returned]
            for thing in new:
                findings.check("I10", thing not in self.seen, f"{thing} came twice")
                self.seen.add(thing)
            owned.created, owned.returned = [], []


def check_database(findings, path):
    """The rows themselves after a clean end: no page is damaged, no row is an orphan (I6)."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as database:
            damage = database.execute("PRAGMA integrity_check").fetchall()
            orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as broken:
        damage, orphans = broken, []
    findings.check("I6", damage == [("ok",)], f"the database is damaged: {damage}")
    findings.check("I6", not orphans, f"rows of the database are orphans: {orphans[:5]}")

"""The random calls: each is chosen from what its thread owns, so what it must do and be answered is known."""

import base64
import json
import secrets
import time
from dataclasses import replace

from keystead import ACCOUNT
from model import MOMENT_SECONDS, REFUSALS, Call, Ciphertext, Facts

DAY_SECONDS = 24 * 60 * 60
# Few names for each thread, so that they are made, moved and taken away again and again.
ALIASES = 12
TAG_KEYS = "abcdefgh"
TRIES_MAX = 6
ACCOUNT_CREATE = "account create"


def policy(statement_id):
    """A key policy that lets the account's root do everything, told apart by its statement's id."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Sid": statement_id, "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*", "Resource": "*"}]})


def canonical(text):
    """A policy in one form, since the default one may be spaced as the server likes."""
    return json.dumps(json.loads(text), sort_keys=True)


# What a key has to which nobody gave a policy.
DEFAULT_POLICY = canonical(json.dumps(
    {"Id": "key-default-1", **json.loads(policy("Enable IAM User Permissions"))}))


def pick(owned, rng, *states):
    """A key in one of these states, mostly a recent one; None when luck has it so."""
    for _ in range(TRIES_MAX):
        pool = owned.recent if rng.random() < 0.9 else owned.key_ids
        if pool and owned.facts(key_id := rng.choice(pool)).state in states:
            return key_id
    return None


def pick_to_use(owned, rng):
    """A key for a cryptographic operation: nearly always one that works."""
    return pick(owned, rng, *(("Enabled",) if rng.random() < 0.9 else REFUSALS))


def random_context(rng):
    """An encryption context, often none."""
    return tuple((f"key{n}", str(rng.random())) for n in range(rng.choice((0, 0, 1, 3))))


def random_tags(owned, rng):
    """A few tags with new values."""
    return [{"TagKey": key, "TagValue": f"{owned.name}-{rng.getrandbits(40):x}"}
            for key in rng.sample(TAG_KEYS, rng.randint(1, 3))]


def pairs(tags):
    """Tags as a set of pairs."""
    return frozenset((tag["TagKey"], tag["TagValue"]) for tag in tags)


def text64(data):
    """Bytes in base64, as text."""
    return base64.b64encode(data).decode()


def create_key(owned, rng):
    """A key, often with tags and a policy of its own."""
    description = f"{owned.name}-{rng.getrandbits(64):016x}"
    parameters, facts = {"Description": description}, Facts(description, DEFAULT_POLICY)
    if rng.random() < 0.5:
        parameters["Tags"] = random_tags(owned, rng)
        facts = replace(facts, tags=pairs(parameters["Tags"]))
    if rng.random() < 0.5:
        parameters["Policy"] = policy(description)
        facts = replace(facts, policy=canonical(parameters["Policy"]))

    def judge(answer):
        owned.add_key(answer["KeyMetadata"]["KeyId"], facts)
    return Call("CreateKey", parameters, ("creation", description), facts, judge=judge)


def encrypt(owned, rng):
    """Encrypts up to 200 random bytes."""
    if not (key_id := pick_to_use(owned, rng)):
        return None
    return encrypt_under(owned, key_id, rng.randbytes(rng.randint(1, 200)), random_context(rng))


def encrypt_under(owned, key_id, plaintext, context=()):
    """An Encrypt of this plaintext."""
    plaintext = text64(plaintext)

    def judge(answer):
        owned.add_ciphertext(Ciphertext(key_id, answer["CiphertextBlob"], plaintext, context))
    return Call("Encrypt", {"KeyId": key_id, "Plaintext": plaintext, "EncryptionContext": dict(context)},
                refusal=REFUSALS[owned.facts(key_id).state], judge=judge)


def generate_data_key(owned, rng):
    """A data key, with its plaintext or without."""
    if not (key_id := pick_to_use(owned, rng)):
        return None
    context = random_context(rng)
    operation = rng.choice(("GenerateDataKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"))

    def judge(answer):
        owned.add_ciphertext(
            Ciphertext(key_id, answer["CiphertextBlob"], answer.get("Plaintext"), context))
    return Call(operation, {"KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": dict(context)},
                refusal=REFUSALS[owned.facts(key_id).state], judge=judge)


def pick_ciphertext(owned, rng):
    """An earlier ciphertext of a key that mostly works."""
    key_id = pick_to_use(owned, rng)
    return rng.choice(owned.ciphertexts[key_id]) if key_id and owned.ciphertexts[key_id] else None


def decrypt(owned, rng):
    """Decrypts an earlier ciphertext."""
    ciphertext = pick_ciphertext(owned, rng)
    return ciphertext and decrypt_of(owned, ciphertext)


def decrypt_of(owned, ciphertext):
    """The Decrypt of a ciphertext, with what it must be answered."""
    def judge(answer):
        plaintext = answer["Plaintext"]
        if ciphertext.plaintext is None:
            right = len(base64.b64decode(plaintext)) == 32
        else:
            right = plaintext == ciphertext.plaintext
        return None if right else ("I2", f"a ciphertext of {ciphertext.key_id} decrypts to something else")
    return Call("Decrypt", ciphertext.request(), judge=judge,
                refusal=REFUSALS[owned.facts(ciphertext.key_id).state])


def re_encrypt(owned, rng):
    """Moves an earlier ciphertext to another key."""
    ciphertext, key_id = pick_ciphertext(owned, rng), pick(owned, rng, "Enabled")
    if not ciphertext or not key_id:
        return None

    def judge(answer):
        owned.add_ciphertext(Ciphertext(key_id, answer["CiphertextBlob"], ciphertext.plaintext))
    return Call("ReEncrypt", {
        "CiphertextBlob": ciphertext.blob, "DestinationKeyId": key_id,
        "SourceEncryptionContext": dict(ciphertext.encryption_context)},
        refusal=REFUSALS[owned.facts(ciphertext.key_id).state], judge=judge)


def key_change(owned, operation, key_id, parameters=None, **changed):
    """A call that changes facts of a key."""
    after = replace(owned.facts(key_id), **changed)
    return Call(operation, {"KeyId": key_id, **(parameters or {})}, ("key", key_id), after)


def disable_key(owned, rng):
    """Keeps a key from working."""
    key_id = pick(owned, rng, "Enabled")
    return key_id and key_change(owned, "DisableKey", key_id, state="Disabled")


def enable_key(owned, rng):
    """Lets a key work again, or does it once more."""
    key_id = pick(owned, rng, "Disabled") or pick(owned, rng, "Enabled")
    return key_id and key_change(owned, "EnableKey", key_id, state="Enabled")


def schedule_key_deletion(owned, rng):
    """Sets a date for the end of a key. The answer tells the date; until then it is known to a minute."""
    if not (key_id := pick(owned, rng, "Enabled", "Disabled")):
        return None
    days = rng.randint(7, 30)
    date = time.time() + days * DAY_SECONDS
    call = key_change(owned, "ScheduleKeyDeletion", key_id, {"PendingWindowInDays": days},
                      state="PendingDeletion", deletion_date=(date - MOMENT_SECONDS, date + MOMENT_SECONDS))

    def judge(answer):
        told = replace(call.after, deletion_date=answer["DeletionDate"])
        owned.set(call.subject, told)
        if not call.after.fits(told):
            return "I4", f"{call} was answered with the date {answer['DeletionDate']}"
        return None
    call.judge = judge
    return call


def cancel_key_deletion(owned, rng):
    """Takes the date away."""
    key_id = pick(owned, rng, "PendingDeletion")
    return key_id and key_change(owned, "CancelKeyDeletion", key_id, state="Disabled", deletion_date=None)


def put_key_policy(owned, rng):
    """Another policy."""
    if not (key_id := pick(owned, rng, *REFUSALS)):
        return None
    text = policy(f"{owned.name}-{rng.getrandbits(64):x}")
    return key_change(owned, "PutKeyPolicy", key_id, {"Policy": text}, policy=canonical(text))


def update_key_description(owned, rng):
    """Another description."""
    if not (key_id := pick(owned, rng, "Enabled", "Disabled")):
        return None
    text = f"again {owned.name}-{rng.getrandbits(64):x}"
    return key_change(owned, "UpdateKeyDescription", key_id, {"Description": text}, description=text)


def tag_resource(owned, rng):
    """New values for a few tags."""
    if not (key_id := pick(owned, rng, "Enabled", "Disabled")):
        return None
    tags = random_tags(owned, rng)
    after = frozenset({**dict(owned.facts(key_id).tags), **dict(pairs(tags))}.items())
    return key_change(owned, "TagResource", key_id, {"Tags": tags}, tags=after)


def untag_resource(owned, rng):
    """Takes a few tags away, if they are there."""
    if not (key_id := pick(owned, rng, "Enabled", "Disabled")):
        return None
    keys = rng.sample(TAG_KEYS, rng.randint(1, 3))
    after = frozenset(pair for pair in owned.facts(key_id).tags if pair[0] not in keys)
    return key_change(owned, "UntagResource", key_id, {"TagKeys": keys}, tags=after)


def create_alias(owned, rng):
    """A name, or the refusal of one that is taken."""
    if not (key_id := pick(owned, rng, "Enabled", "Disabled")):
        return None
    name = f"alias/{owned.name}/{rng.randrange(ALIASES)}"
    parameters = {"AliasName": name, "TargetKeyId": key_id}
    if name in owned.aliases():
        return Call("CreateAlias", parameters, refusal="AlreadyExistsException")
    return Call("CreateAlias", parameters, ("alias", name), key_id)


def update_alias(owned, rng):
    """Moves a name to another key; neither may wait for its deletion."""
    key_id, aliases = pick(owned, rng, "Enabled", "Disabled"), owned.aliases()
    if not key_id or not aliases:
        return None
    name = rng.choice(sorted(aliases))
    if owned.facts(aliases[name]).state == "PendingDeletion":
        return None
    return Call("UpdateAlias", {"AliasName": name, "TargetKeyId": key_id}, ("alias", name), key_id)


def delete_alias(owned, rng):
    """Takes a name away."""
    if not (aliases := owned.aliases()):
        return None
    name = rng.choice(sorted(aliases))
    return Call("DeleteAlias", {"AliasName": name}, ("alias", name), None)


def generate_random(_owned, _rng):
    """Random bytes, which concern no key."""
    return Call("GenerateRandom", {"NumberOfBytes": 32})


def look(owned, rng):
    """One of the calls that only look; that what they tell is right is checked after the restart."""
    if not (key_id := pick(owned, rng, *REFUSALS)):
        return None
    operation = rng.choice(("DescribeKey", "ListResourceTags", "GetKeyPolicy", "ListKeyPolicies",
                            "ListAliases", "ListKeys"))
    return Call(operation, {"Limit": 10} if operation == "ListKeys" else {"KeyId": key_id})


def create_account(owned, rng):
    """An account, made by the command line while the server serves or dies."""
    account = str(rng.randrange(10**11, 10**12))
    owned.credentials[account] = f"AKIA{rng.getrandbits(64):016X}", secrets.token_hex(20)
    return Call(ACCOUNT_CREATE, {"Account": account}, ("account", account), True)


# How often each is tried, and in what.
OPERATIONS = {
    create_key: 8, encrypt: 14, generate_data_key: 10, decrypt: 8, re_encrypt: 4, disable_key: 5, enable_key: 6,
    schedule_key_deletion: 4, cancel_key_deletion: 4, put_key_policy: 5, update_key_description: 4,
    tag_resource: 6, untag_resource: 4, create_alias: 6, update_alias: 5, delete_alias: 4, generate_random: 1,
    look: 4, create_account: 0.2,
}


def choose(owned, rng):
    """The next call. After a key was made it is encrypted under at once: the key's self-test (I1)."""
    if owned.key_ids and not owned.ciphertexts[owned.key_ids[-1]]:
        if owned.facts(owned.key_ids[-1]).state == "Enabled":
            return encrypt_under(owned, owned.key_ids[-1], b"self-test")
    while True:
        operation = rng.choices(list(OPERATIONS), OPERATIONS.values())[0]
        if call := operation(owned, rng):
            return call

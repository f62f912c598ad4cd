"""The meter's sum is the number of records in the journal, after any calls and any crashes."""

import asyncio
import json
import os
import random
from collections import Counter
from datetime import datetime, timezone

import pytest

import journal
import keystead
from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT
from load import Line
from signing import CONTENT_TYPE, Caller
from test_usage import usage

# 100,000 take some minutes.
CALLS = int(os.environ.get("KEYSTEAD_METERED_CALLS", "10000"))
LIVES = 4
CONNECTIONS = 16
OTHERS = ("AKIAOTHER", "secret")
# So few that many calls are throttled.
QUOTAS = ["--request-quotas", "enforced", "--request-quota-adjustments", "*/*/ListAliases=1,*/*/ListKeys=100000"]


def wire(caller, operation, body, **options):
    """The bytes of a call; they are good for five minutes."""
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    method, target, headers, body = caller.request(body=body, headers=headers, **options)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {target} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(name="keys", scope="module")
def fixture_keys(tmp_path_factory):
    """A server with two accounts and keys of many kinds."""
    server = keystead.Server(tmp_path_factory.mktemp("metered") / "data", *QUOTAS)
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", server.directory,
                        "--access-key-id", OTHERS[0], "--secret-access-key", OTHERS[1])
    assert made.returncode == 0, made.stderr
    kms = client_of(server, server.root_credentials())
    shared = policy(statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT)))
    denied = policy(statement(root_of(ACCOUNT)), statement("*", "kms:Encrypt", "Deny"))

    def make(spec="SYMMETRIC_DEFAULT", key_usage="ENCRYPT_DECRYPT", **more):
        return kms.create_key(KeySpec=spec, KeyUsage=key_usage, **more)["KeyMetadata"]["Arn"]
    yield server, {"shared": make(Policy=shared), "denied": make(Policy=denied), "rsa": make("RSA_2048"),
                   "ecc": make("ECC_NIST_P256", "SIGN_VERIFY"), "hmac": make("HMAC_256", "GENERATE_VERIFY_MAC")}
    server.stop()


def requests_of(server, keys):
    """Calls of every kind: served, shared, denied, malformed, throttled, and of nobody."""
    root, other = Caller(server.port, *server.root_credentials()), Caller(server.port, *OTHERS)
    wrong, nobody = Caller(server.port, root.access_key_id, "wrong"), Caller(server.port, "AKIANOBODY", "x")
    encrypt = {"KeyId": keys["shared"], "Plaintext": "AAAA"}
    return [
        wire(root, "Encrypt", encrypt),
        wire(other, "Encrypt", encrypt),
        wire(root, "GenerateDataKey", {"KeyId": keys["shared"], "KeySpec": "AES_256"}),
        wire(root, "GenerateRandom", {"NumberOfBytes": 8}),
        wire(root, "Encrypt", {"KeyId": keys["rsa"], "Plaintext": "AAAA",
                               "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
        wire(root, "Sign", {"KeyId": keys["ecc"], "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"}),
        wire(root, "GenerateMac", {"KeyId": keys["hmac"], "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"}),
        wire(root, "GetPublicKey", {"KeyId": keys["ecc"]}),
        wire(root, "GenerateDataKeyPair", {"KeyId": keys["shared"], "KeyPairSpec": "ECC_NIST_P256"}),
        wire(root, "UpdateKeyDescription", {"KeyId": keys["hmac"], "Description": "changed"}),
        wire(root, "CreateKey", {"Description": "one more"}),
        wire(root, "ListKeys", {}),
        wire(root, "ListAliases", {}),
        wire(root, "Encrypt", {"KeyId": keys["denied"], "Plaintext": "AAAA"}),
        wire(other, "Decrypt", {"KeyId": keys["denied"], "CiphertextBlob": "AAAA"}),
        wire(root, "Decrypt", {"CiphertextBlob": "AAAA"}),
        wire(root, "Encrypt", {"Plaintext": "AAAA"}),
        wire(root, "Encrypt", b"no JSON"),
        wire(root, "NoSuchOperation", {}),
        wire(root, "Encrypt", {**encrypt, "DryRun": True}),
        wire(root, "Encrypt", {**encrypt, "EncryptionContext": {"\u0000": "\udfff".encode("utf-8", "replace").decode()}}),
        wire(wrong, "Encrypt", encrypt),
        wire(nobody, "Encrypt", encrypt),
    ]


async def calls(server, requests, count, chance):
    """Asks so many random calls over some connections, and kills the server while the last ones are under way."""
    answered, left = Counter(), count

    async def work():
        nonlocal left
        line = await Line.open(server)
        try:
            while left > 0:
                left -= 1
                told = await line.ask(chance.choice(requests))
                answered[told.error or "served"] += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            line.close()

    async def end():
        while left > count // 100:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(server.kill)

    await asyncio.gather(end(), *(work() for _ in range(CONNECTIONS)))
    return answered


def outcome_of(record):
    """What a record is, told from the record alone."""
    if record["eventType"] == "AwsServiceEvent":
        return "event"
    if "sharedEventID" in record and record["userIdentity"]["type"] == "AWSAccount":
        return "copy"
    code = record.get("errorCode")
    return "served" if code is None else "throttled" if code == "ThrottlingException" else "refused"


def counts_of_journal(server):
    """How many records the journal has of each month, account, Region and outcome."""
    return Counter((record["eventTime"][:7], record.get("recipientAccountId") or "", record["awsRegion"],
                    outcome_of(record)) for record in journal.records(server.directory / "journal"))


def counts_of_meter(server, months):
    """The same of the meter, and its sum of all months."""
    counts, sums = Counter(), set()
    for month in months:
        told = usage(server.directory, month=month)["usage"]
        sums.add(told["journal_records"])
        for request in told["requests"]:
            counts[month, request["account_id"], request["region"], request["outcome"]] += request["records"]
    return counts, sums


def test_the_meter_is_the_journal(keys):
    server, keys = keys
    seed = int.from_bytes(os.urandom(4))
    print("seed", seed)
    chance, answered = random.Random(seed), Counter()
    for _ in range(LIVES):
        answered += asyncio.run(calls(server, requests_of(server, keys), CALLS // LIVES, chance))
        server.start()
        expected = counts_of_journal(server)
        months = {month for month, *_ in expected} | {datetime.now(timezone.utc).strftime("%Y-%m")}
        assert counts_of_meter(server, months) == (expected, {sum(expected.values())})
    assert sum(answered.values()) > CALLS * 9 // 10
    assert {"served", "AccessDeniedException", "ThrottlingException", "ValidationException",
            "UnknownOperationException", "InvalidSignatureException"} <= set(answered)
    # Nothing that was answered is without a record, whatever the server's end took away.
    outcomes = Counter()
    for (_, _, _, outcome), count in expected.items():
        outcomes[outcome] += count
    assert outcomes["served"] >= answered["served"]
    assert outcomes["throttled"] >= answered["ThrottlingException"]
    assert sum(outcomes.values()) - outcomes["copy"] - outcomes["event"] >= sum(answered.values())
    assert all(outcomes[kind] for kind in ("served", "refused", "throttled", "copy"))
    # And without a server.
    assert server.stop() == 0, server.output()
    expected = counts_of_journal(server)
    assert counts_of_meter(server, months) == (expected, {sum(expected.values())})
    server.start()

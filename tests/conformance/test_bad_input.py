"""Whatever is wrong with a member of a request is told as AWS tells it, changes nothing and is recorded.

The cases are made from the model: see `bad_input`.
"""

import hashlib
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest

import bad_input
import journal
import keystead
from conftest import COMMON_ERRORS, MORE_ERRORS, client_of
from signing import Caller, Line
from test_model import MODEL, unbuilt

# Tables that change without a decision: counters, records on their way to the journal, who may write.
MOVING_TABLES = {"head", "audit_outbox", "leases", "caller_usages", "journal_positions", "meter_counters", "meter_months",
                 "metered_keys"}
# Operations that name no key and change nothing, so that a sound request may succeed.
READERS = {"GenerateRandom", "ListAliases", "ListKeys"}
# The least number of cases that the model refuses, so that no change of the generator loses some unseen. An operation
# that is built has a row; custom key stores have none yet.
LEAST = {
    "CancelKeyDeletion": 12, "CreateAlias": 33, "CreateGrant": 219, "CreateKey": 164, "Decapsulate": 78,
    "Decrypt": 138, "DeleteAlias": 19, "DeleteImportedKeyMaterial": 35, "DeriveSharedSecret": 111, "DescribeKey": 32,
    "DisableKey": 12, "DisableKeyRotation": 12, "EnableKey": 12, "EnableKeyRotation": 31, "Encapsulate": 60,
    "Encrypt": 86, "GenerateDataKey": 117, "GenerateDataKeyPair": 104,
    "GenerateDataKeyPairWithoutPlaintext": 71, "GenerateDataKeyWithoutPlaintext": 84, "GenerateMac": 78,
    "GenerateRandom": 59, "GetKeyLastUsage": 12, "GetKeyPolicy": 32, "GetKeyRotationStatus": 12,
    "GetParametersForImport": 46, "GetPublicKey": 32, "ImportKeyMaterial": 123, "ListAliases": 41,
    "ListGrants": 92, "ListKeyPolicies": 43, "ListKeyRotations": 56, "ListKeys": 56, "ListResourceTags": 44,
    "ListRetirableGrants": 71, "PutKeyPolicy": 60, "ReEncrypt": 142, "ReplicateKey": 112, "RetireGrant": 39,
    "RevokeGrant": 37, "RotateKeyOnDemand": 12, "ScheduleKeyDeletion": 32, "Sign": 91,
    "TagResource": 58, "UntagResource": 35, "UpdateAlias": 33, "UpdateKeyDescription": 25,
    "UpdatePrimaryRegion": 39, "Verify": 109, "VerifyMac": 96,
}
ENUMERATION = re.compile(r"enum value set: \[([^\]]*)\]")


@dataclass
class Field:
    """A server of its own with a key and an alias of it, which nothing may happen to."""

    server: keystead.Server
    line: Line
    existing: dict

    def digest(self):
        """A digest of every row of the store that carries a decision."""
        path = self.server.directory / "keystead.db"
        found = hashlib.sha256()
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            tables = {name for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            assert {"keys", "aliases", "tags", "changes"} <= tables
            for table in sorted(tables - MOVING_TABLES):
                rows = sorted(map(repr, database.execute(f"SELECT * FROM {table}")))
                found.update(repr((table, rows)).encode())
        return found.hexdigest()

    def records(self):
        """Every record of the journal by its request id; none has two."""
        found = {}
        for record in journal.records(self.server.directory / "journal"):
            if record["eventType"] == "AwsServiceEvent":
                continue
            assert found.setdefault(record["requestID"], record) is record, record
        return found


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """What all cases are about."""
    server = keystead.Server(tmp_path_factory.mktemp("bad_input") / "data")
    kms = client_of(server, server.root_credentials())
    key_id = kms.create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/existing", TargetKeyId=key_id)
    line = Line(Caller(server.port, *server.root_credentials()))
    yield Field(server, line, {bad_input.ABSENT_KEY_ID: key_id, bad_input.ABSENT_ALIAS: "alias/existing"})
    line.close()
    server.check()
    assert server.stop() == 0, server.output()


def told(message):
    """The violations that a ValidationException tells, in no order; AWS promises none, of enumerations neither."""
    head, _, rest = message.partition(" detected: ")
    found = ENUMERATION.sub(lambda match: f"enum value set: [{', '.join(sorted(match[1].split(', ')))}]", rest)
    parts = re.split(r"; (?=Value)", found)
    assert head == f"{len(parts)} validation error{'s' if len(parts) > 1 else ''}", message
    return sorted(parts)


def complaint(case, answer):
    """What is wrong with an answer, or None."""
    if answer.status == 200:
        fits = case.expected.error is None and case.operation in READERS
        return None if fits else "succeeded"
    if answer.status != 400:
        return f"status {answer.status}"
    error, message = answer.error, answer.message or ""
    is_of_model = error == "SerializationException" or "failed to satisfy constraint" in message
    if case.expected.error is None:
        modelled = {shape.name for shape in MODEL.operation_model(case.operation).error_shapes}
        known = error in modelled | COMMON_ERRORS | MORE_ERRORS.get(case.operation, set())
        return None if known and not is_of_model else f"{error}: {message}"
    if error != case.expected.error:
        return f"{error}: {message}"
    if case.expected.violations and told(message) != sorted(case.expected.violations):
        return f"{message}, and not {'; '.join(case.expected.violations)}"
    return None


def refused(cases):
    """The cases that the model refuses."""
    return [case for case in cases if case.expected.error]


@pytest.mark.parametrize(("name", "body", "sentences"), [
    ("DescribeKey", {}, ["Value null at 'keyId' failed to satisfy constraint: Member must not be null"]),
    ("Encrypt", {"KeyId": "a", "Plaintext": "AAAA" * 1366},
     ["Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"]),
    ("TagResource", {"KeyId": "", "Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "", "TagValue": ""}]},
     ["Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
      "Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: "
      "Member must have length greater than or equal to 1"]),
    ("Decrypt", {"CiphertextBlob": "AAAA", "Recipient": {"KeyEncryptionAlgorithm": "x"}},
     ["Value 'x' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint: "
      "Member must satisfy enum value set: [RSAES_OAEP_SHA_256]"]),
])
def test_what_is_expected_has_the_words_of_aws(name, body, sentences):
    answer = bad_input.expected(name, MODEL.operation_model(name).input_shape, body)
    assert (answer.error, list(answer.violations)) == ("ValidationException", sentences)


def test_the_digest_sees_a_change(field):
    before = field.digest()
    field.line.call("TagResource", f'{{"KeyId": "{field.existing[bad_input.ABSENT_KEY_ID]}", '
                                   '"Tags": [{"TagKey": "c", "TagValue": "d"}]}')
    assert field.digest() != before
    assert field.digest() == field.digest()


def test_the_model_yields_cases_enough():
    counts = {name: len(refused(bad_input.cases(MODEL.operation_model(name)))) for name in LEAST}
    assert len(counts) == 50
    assert {name: count for name, count in counts.items() if count < LEAST[name]} == {}
    assert sum(counts.values()) >= 2500


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(unbuilt())))
def test_bad_input_is_refused_without_effect(field, name):
    cases = bad_input.cases(MODEL.operation_model(name), field.existing)
    assert len(refused(cases)) >= LEAST[name]
    before = field.digest()
    answers = [field.line.call(name, case.text) for case in cases]
    assert field.digest() == before

    complaints = [f"{case.path}, {case.kind}: {why[:1000]}" for case, answer in zip(cases, answers)
                  if (why := complaint(case, answer))]
    assert not complaints, "\n".join(complaints)

    records = field.records()
    for case, answer in zip(cases, answers):
        record = records[answer.headers["x-amzn-requestid"]]
        assert record["eventName"] == name, case
        assert record.get("errorCode") == (None if answer.status == 200 else answer.error), case

"""One record for each call, allowed, denied or malformed, written before its answer."""

import base64
import re
from datetime import datetime, timezone

import pytest

import journal
from conftest import client_of, root_of
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from signing import Caller

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def id_of(answer):
    """The request id of a boto3 answer or of one made by hand."""
    if isinstance(answer, dict):
        return answer["ResponseMetadata"]["RequestId"]
    return answer.headers["x-amzn-requestid"]


def test_a_call_is_recorded_as_cloudtrail_does(server, caller, key, record_of):
    answer = caller.call("Encrypt", {"KeyId": key["KeyId"], "Plaintext": "c2VjcmV0",
                                     "EncryptionContext": {"a": "b"},
                                     "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
    record = record_of(id_of(answer))
    assert UUID.fullmatch(record.pop("eventID"))
    happened = datetime.strptime(record.pop("eventTime"), "%Y-%m-%dT%H:%M:%SZ")
    assert abs((datetime.now(timezone.utc).replace(tzinfo=None) - happened).total_seconds()) < 60
    identity = record.pop("userIdentity")
    assert identity == {"type": "Root", "principalId": ACCOUNT, "arn": root_of(ACCOUNT),
                        "accountId": ACCOUNT, "accessKeyId": caller.access_key_id}
    assert record.pop("eventVersion") == "1.11"
    record.pop("userAgent")
    assert record == {
        "eventSource": "kms.amazonaws.com",
        "eventName": "Encrypt",
        "awsRegion": REGION,
        "sourceIPAddress": "127.0.0.1",
        "requestParameters": {"keyId": key["KeyId"], "encryptionContext": {"a": "b"},
                              "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "responseElements": None,
        "additionalEventData": {"keyMaterialId": key["CurrentKeyMaterialId"]},
        "requestID": id_of(answer),
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def test_the_algorithm_is_recorded_even_when_nobody_named_it(kms, key, record_of):
    answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    parameters = record_of(id_of(answer))["requestParameters"]
    assert parameters == {"keyId": key["KeyId"], "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    answer = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    parameters = record_of(id_of(answer))["requestParameters"]
    assert parameters == {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def test_every_operation_is_recorded_once(kms, record_of, key, alias_name):
    key_id = {"KeyId": key["KeyId"]}
    alias = {"AliasName": alias_name, "TargetKeyId": key["KeyId"]}
    blob = kms.encrypt(Plaintext=b"x", **key_id)["CiphertextBlob"]
    policy = kms.get_key_policy(**key_id)["Policy"]
    calls = [
        ("CreateKey", False, lambda: kms.create_key()),
        ("DescribeKey", True, lambda: kms.describe_key(**key_id)),
        ("ListKeys", True, lambda: kms.list_keys()),
        ("UpdateKeyDescription", False, lambda: kms.update_key_description(Description="x", **key_id)),
        ("DisableKey", False, lambda: kms.disable_key(**key_id)),
        ("EnableKey", False, lambda: kms.enable_key(**key_id)),
        ("CreateAlias", False, lambda: kms.create_alias(**alias)),
        ("UpdateAlias", False, lambda: kms.update_alias(**alias)),
        ("ListAliases", True, lambda: kms.list_aliases()),
        ("DeleteAlias", False, lambda: kms.delete_alias(AliasName=alias_name)),
        ("TagResource", False, lambda: kms.tag_resource(
            Tags=[{"TagKey": "a", "TagValue": "b"}], **key_id)),
        ("ListResourceTags", True, lambda: kms.list_resource_tags(**key_id)),
        ("UntagResource", False, lambda: kms.untag_resource(TagKeys=["a"], **key_id)),
        ("GetKeyPolicy", True, lambda: kms.get_key_policy(**key_id)),
        ("PutKeyPolicy", False, lambda: kms.put_key_policy(Policy=policy, **key_id)),
        ("ListKeyPolicies", True, lambda: kms.list_key_policies(**key_id)),
        ("Encrypt", True, lambda: kms.encrypt(Plaintext=b"x", **key_id)),
        ("Decrypt", True, lambda: kms.decrypt(CiphertextBlob=blob)),
        ("ReEncrypt", True, lambda: kms.re_encrypt(
            CiphertextBlob=blob, DestinationKeyId=key["KeyId"])),
        ("GenerateDataKey", True, lambda: kms.generate_data_key(KeySpec="AES_256", **key_id)),
        ("GenerateDataKeyWithoutPlaintext", True,
         lambda: kms.generate_data_key_without_plaintext(KeySpec="AES_256", **key_id)),
        ("GenerateRandom", True, lambda: kms.generate_random(NumberOfBytes=32)),
        ("ScheduleKeyDeletion", False, lambda: kms.schedule_key_deletion(**key_id)),
        ("CancelKeyDeletion", False, lambda: kms.cancel_key_deletion(**key_id)),
    ]
    assert len(calls) == 24
    for name, read_only, call in calls:
        record = record_of(id_of(call()))
        assert (record["eventName"], record["readOnly"]) == (name, read_only)
        assert "errorCode" not in record
        if name.startswith("List") or name == "GenerateRandom":
            continue
        resources = {(entry["type"], entry["accountId"]) for entry in record["resources"]}
        assert ("AWS::KMS::Key", ACCOUNT) in resources, name


def test_a_refused_call_is_recorded_with_its_error(caller, record_of, unknown_key_arn):
    answer = caller.call("DescribeKey", {"KeyId": unknown_key_arn})
    record = record_of(id_of(answer))
    assert record["errorCode"] == "NotFoundException"
    assert record["errorMessage"] == answer.message
    assert record["responseElements"] is None


def test_a_denied_call_is_in_the_callers_account(server, other_credentials, key, record_of):
    other = Caller(server.port, *other_credentials)
    answer = other.call("Encrypt", {"KeyId": key["Arn"], "Plaintext": "eA=="})
    record = record_of(id_of(answer))
    assert record["errorCode"] == "AccessDenied"
    assert record["errorMessage"] == answer.message
    assert record["recipientAccountId"] == OTHER_ACCOUNT
    assert record["userIdentity"]["accountId"] == OTHER_ACCOUNT


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b'{"KeyId": 1}',
                                  b'{"KeyId": "a", "KeyId": "b"}'])
def test_a_malformed_call_is_recorded(caller, record_of, body):
    record = record_of(id_of(caller.call("DescribeKey", body=body)))
    assert record["eventName"] == "DescribeKey"
    assert record["errorCode"] == "SerializationException"
    assert record["userIdentity"]["arn"] == root_of(ACCOUNT)


def test_an_invalid_call_is_recorded(caller, record_of):
    record = record_of(id_of(caller.call("DescribeKey", {})))
    assert record["errorCode"] == "ValidationException"


def test_an_unknown_operation_is_recorded(caller, record_of):
    record = record_of(id_of(caller.call("NoSuchOperation")))
    assert record["errorCode"] == "UnknownOperationException"


@pytest.mark.parametrize(("code", "options"), [
    ("MissingAuthenticationTokenException", {"edit": lambda _: None}),
    ("InvalidSignatureException", {"edit": lambda text: text[:-64] + "0" * 64}),
    ("IncompleteSignatureException", {"edit": lambda _: "AWS4-HMAC-SHA256 Credential=x"}),
])
def test_a_call_of_nobody_is_recorded(caller, record_of, code, options):
    record = record_of(id_of(caller.call("ListKeys", **options)))
    assert record["errorCode"] == code
    assert record["userIdentity"].get("arn") is None


def test_get_caller_identity_is_recorded(server, record_of):
    answer = client_of(server, server.root_credentials(), "sts").get_caller_identity()
    record = record_of(id_of(answer))
    assert (record["eventSource"], record["eventName"]) == ("sts.amazonaws.com", "GetCallerIdentity")


def test_no_secret_is_ever_recorded(server, kms, caller, key):
    canary = b"canary-of-this-test-4f1e9a"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=canary)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob)
    data_key = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["Plaintext"]
    random = kms.generate_random(NumberOfBytes=32)["Plaintext"]
    caller.call("Encrypt", {"KeyId": "", "Plaintext": base64.b64encode(canary).decode()})
    caller.call("Encrypt", {"KeyId": key["KeyId"], "Plaintext": base64.b64encode(canary).decode(),
                            "GrantTokens": ["token-canary-81c0"]})
    secrets = [canary, data_key, random, blob, server.root_credentials()[1].encode(),
               b"token-canary-81c0"]
    written = b"".join(path.read_bytes() for path in journal.segments(server.directory / "journal"))
    written += server.output().encode()
    for secret in secrets:
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert form not in written


def test_odd_text_stays_in_one_record(caller, record_of):
    odd = 'a\r\nb\u001b[31m"}{\u2028'
    answer = caller.call("DescribeKey", {"KeyId": odd})
    assert record_of(id_of(answer))["requestParameters"] == {"keyId": odd}
    headers = [("content-type", "application/x-amz-json-1.1"),
               ("user-agent", 'x"} {"eventName": "forged"'),
               ("x-amz-target", "TrentService.ListKeys")]
    answer = caller.send(caller.request(body=b"{}", headers=headers))
    record = record_of(id_of(answer))
    assert (record["eventName"], record["userAgent"]) == ("ListKeys", 'x"} {"eventName": "forged"')


def test_creations_record_what_was_made(kms, record_of):
    answer = kms.create_key(Description="recorded")
    record = record_of(id_of(answer))
    made = record["responseElements"]["keyMetadata"]
    assert made["keyId"] == answer["KeyMetadata"]["KeyId"]
    assert made["arn"] == answer["KeyMetadata"]["Arn"]
    assert record["requestParameters"]["description"] == "recorded"


def test_the_journal_survives_a_kill(own_server):
    kms = client_of(own_server, own_server.root_credentials())
    ids = [id_of(kms.create_key()) for _ in range(5)]
    own_server.kill()
    own_server.start()
    ids.append(id_of(client_of(own_server, own_server.root_credentials()).list_keys()))
    assert own_server.stop() == 0
    recorded = [record.get("requestID") for record in
                journal.records(own_server.directory / "journal")]
    for request_id in ids:
        assert recorded.count(request_id) == 1

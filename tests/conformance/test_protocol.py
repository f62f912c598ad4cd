"""AWS JSON 1.1 as it goes over the wire: headers, bodies, errors."""

import base64
import json
import re
import time

import pytest

from conftest import policy, root_of, statement
from keystead import ACCOUNT, REPOSITORY

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def encoded(data):
    """A blob as JSON carries it."""
    return base64.b64encode(data).decode()


def body_of(key, plaintext="eA==", **more):
    """The body of an Encrypt."""
    return {"KeyId": key["KeyId"], "Plaintext": plaintext, **more}


def test_a_success(caller, key):
    answer = caller.call("Encrypt", body_of(key))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert REQUEST_ID.fullmatch(answer.headers["x-amzn-requestid"])
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert set(answer.json) == {"CiphertextBlob", "KeyId", "EncryptionAlgorithm"}


def test_an_error(caller, unknown_key_arn):
    answer = caller.call("DescribeKey", {"KeyId": unknown_key_arn})
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert REQUEST_ID.fullmatch(answer.headers["x-amzn-requestid"])
    assert answer.json == {"__type": "NotFoundException",
                           "message": f"Key '{unknown_key_arn}' does not exist"}


def test_an_error_without_a_text_has_no_message(caller):
    answer = caller.call("Decrypt", {"CiphertextBlob": encoded(b"x" * 100)})
    assert (answer.status, answer.json) == (400, {"__type": "InvalidCiphertextException"})


def test_request_ids_are_never_given_twice(caller):
    ids = [caller.call("ListKeys").headers["x-amzn-requestid"] for _ in range(20)]
    assert len(set(ids)) == 20


@pytest.mark.parametrize(("operation", "parameters"), [
    ("UpdateKeyDescription", {"Description": "x"}), ("DisableKey", {}), ("EnableKey", {}),
    ("TagResource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ("UntagResource", {"TagKeys": ["a"]}),
])
def test_an_operation_without_an_answer_has_an_empty_body(caller, key, operation, parameters):
    answer = caller.call(operation, {"KeyId": key["KeyId"], **parameters})
    assert (answer.status, answer.body) == (200, b"")
    assert REQUEST_ID.fullmatch(answer.headers["x-amzn-requestid"])


def test_the_operations_on_aliases_have_empty_bodies(caller, key, alias_name):
    name = {"AliasName": alias_name}
    for operation, parameters in (("CreateAlias", {**name, "TargetKeyId": key["KeyId"]}),
                                  ("UpdateAlias", {**name, "TargetKeyId": key["KeyId"]}),
                                  ("DeleteAlias", name)):
        answer = caller.call(operation, parameters)
        assert (answer.status, answer.body) == (200, b"")


def test_dates_are_seconds_with_milliseconds(caller):
    metadata = caller.call("CreateKey").json["KeyMetadata"]
    created = metadata["CreationDate"]
    assert isinstance(created, (int, float))
    assert abs(created - time.time()) < 60
    assert round(created, 3) == created


def test_an_empty_body_is_an_empty_request(caller):
    assert caller.call("ListKeys", body=b"").status == 200
    answer = caller.call("DescribeKey", body=b"")
    assert answer.error == "ValidationException"


def test_null_is_absent(caller, key):
    answer = caller.call("Encrypt", body_of(key, EncryptionContext=None, GrantTokens=None,
                                            EncryptionAlgorithm=None, DryRun=None))
    assert answer.status == 200
    answer = caller.call("Encrypt", {"KeyId": None, "Plaintext": "eA=="})
    assert answer.message == ("1 validation error detected: Value null at 'keyId' failed to satisfy "
                              "constraint: Member must not be null")


def test_unknown_members_are_ignored(caller, key):
    odd = {"Unknown": {"deeper": [1, {"x": None}]}, "aws:PrincipalArn": "x"}
    assert caller.call("Encrypt", body_of(key, **odd)).status == 200
    tags = [{"TagKey": "a", "TagValue": "b", "More": 1}]
    assert caller.call("TagResource", {"KeyId": key["KeyId"], "Tags": tags}).status == 200


@pytest.mark.parametrize("name", ["keyId", "keyid", "KEYID", "KeyID"])
def test_members_are_told_apart_by_case(caller, key, name):
    answer = caller.call("DescribeKey", {name: key["KeyId"]})
    assert answer.error == "ValidationException"
    assert "'keyId'" in answer.message


@pytest.mark.parametrize("body", [
    '{"KeyId": "a", "KeyId": "a"}',
    '{"KeyId": "a", "\\u004beyId": "b"}',
    '{"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": {"a": "1", "a": "2"}}',
    '{"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": {"a": "1", "\\u0061": "1"}}',
])
def test_members_are_given_once(caller, body):
    answer = caller.call("Encrypt", body=body.encode())
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize(("operation", "body", "text"), [
    ("DescribeKey", '{"KeyId": 1}', "NUMBER_VALUE can not be converted to a String"),
    ("DescribeKey", '{"KeyId": true}', "TRUE_VALUE can not be converted to a String"),
    ("DescribeKey", '{"KeyId": false}', "FALSE_VALUE can not be converted to a String"),
    ("ListKeys", '{"Limit": "1"}', "STRING_VALUE can not be converted to an Integer"),
    ("ListKeys", '{"Limit": true}', "TRUE_VALUE can not be converted to an Integer"),
    ("Encrypt", '{"KeyId": "a", "Plaintext": 1}', "NUMBER_VALUE can not be converted to a Blob"),
    ("DescribeKey", '{"KeyId": {}}', None),
    ("DescribeKey", '{"KeyId": []}', None),
    ("DescribeKey", '{"KeyId": "a", "GrantTokens": "x"}', None),
    ("DescribeKey", '{"KeyId": "a", "GrantTokens": {}}', None),
    ("DescribeKey", '{"KeyId": "a", "GrantTokens": [1]}', None),
    ("Encrypt", '{"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": []}', None),
    ("Encrypt", '{"KeyId": "a", "Plaintext": "eA==", "EncryptionContext": {"a": 1}}', None),
    ("Encrypt", '{"KeyId": "a", "Plaintext": "eA==", "DryRun": "maybe"}', None),
    ("ListKeys", '{"Limit": 1.5}', None),
    ("ListKeys", '{"Limit": 1e999}', None),
    ("CreateKey", '{"Tags": [1]}', None),
])
def test_members_have_their_type(caller, operation, body, text):
    answer = caller.call(operation, body=body.encode())
    assert (answer.status, answer.error) == (400, "SerializationException")
    if text is not None:
        assert answer.message == text


@pytest.mark.parametrize("plaintext", ["eA", "eA=", "eA===", "e A==", "eA==\n", " eA==", "-_-_", "eB==",
                                       "====", "é", "eA==eA=="])
def test_blobs_are_strict_base64(caller, key, plaintext):
    answer = caller.call("Encrypt", body_of(key, plaintext))
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize("target", ["TrentService.NoSuch", "TrentService.", "TrentService", "ListKeys",
                                    "trentservice.ListKeys", "TrentService.listkeys",
                                    "DynamoDB_20120810.ListTables", "TrentService.ListKeys ", ""])
def test_unknown_operations(caller, target):
    headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)]
    answer = caller.send(caller.request(body=b"{}", headers=headers))
    if target.strip() == "TrentService.ListKeys":
        # Blanks around a header's value are no part of it (RFC 9110, section 5.5).
        assert answer.status == 200
    else:
        assert (answer.status, answer.error) == (400, "UnknownOperationException")


def test_operations_that_are_not_built_yet_are_unknown(caller):
    names = (REPOSITORY / "crates/service/src/kms/unbuilt.txt").read_text().split()
    assert len(names) == 6
    for name in names:
        answer = caller.call(name)
        assert (answer.status, answer.error) == (400, "UnknownOperationException"), name


def test_no_target_is_no_operation(caller):
    answer = caller.send(caller.request(body=b"{}", headers=[
        ("content-type", "application/x-amz-json-1.1")]))
    assert (answer.status, answer.error) == (400, "UnknownOperationException")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_do_nothing(caller, method):
    headers = [("content-type", "application/x-amz-json-1.1"),
               ("x-amz-target", "TrentService.ListKeys")]
    answer = caller.send(caller.request(method=method, body=b"{}", headers=headers))
    assert 400 <= answer.status < 500
    assert b'"Keys"' not in answer.body


def test_one_violation_for_each_member(caller):
    answer = caller.call("Encrypt", {"KeyId": "", "EncryptionAlgorithm": "ROT13",
                                     "GrantTokens": ["x"] * 11})
    assert answer.error == "ValidationException"
    assert answer.message.startswith("4 validation errors detected: ")
    for part in ("Value '' at 'keyId' failed to satisfy constraint: Member must have length greater "
                 "than or equal to 1",
                 "Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
                 "Value 'ROT13' at 'encryptionAlgorithm' failed to satisfy constraint: Member must "
                 "satisfy enum value set: [",
                 "at 'grantTokens' failed to satisfy constraint: Member must have length less than or "
                 "equal to 10"):
        assert part in answer.message


def test_the_forms_of_a_pattern_and_a_range(caller):
    answer = caller.call("ListKeys", {"Limit": 1001})
    assert answer.message == ("1 validation error detected: Value '1001' at 'limit' failed to satisfy "
                              "constraint: Member must have value less than or equal to 1000")
    answer = caller.call("ListKeys", {"Limit": 0})
    assert answer.message == ("1 validation error detected: Value '0' at 'limit' failed to satisfy "
                              "constraint: Member must have value greater than or equal to 1")
    answer = caller.call("DeleteAlias", {"AliasName": "alias/a b"})
    assert answer.message == (
        "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")


def test_client_headers_feed_no_condition_key(caller, key, kms):
    condition = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT), ["kms:PutKeyPolicy"]),
        statement(root_of(ACCOUNT), "kms:Encrypt", Condition=condition)))
    headers = [("content-type", "application/x-amz-json-1.1"),
               ("kms-viaservice", "s3.us-east-1.amazonaws.com"),
               ("x-amz-kms-viaservice", "s3.us-east-1.amazonaws.com"),
               ("x-amz-target", "TrentService.Encrypt")]
    body = json.dumps(body_of(key, **{"kms:ViaService": "s3.us-east-1.amazonaws.com"})).encode()
    assert caller.send(caller.request(body=body, headers=headers)).error == "AccessDeniedException"


def test_bodies_are_bounded(caller):
    body = b'{"Description": "' + b"x" * (300 * 1024) + b'"}'
    answer = caller.call("CreateKey", body=body)
    assert 400 <= answer.status < 500
    assert caller.call("ListKeys").status == 200

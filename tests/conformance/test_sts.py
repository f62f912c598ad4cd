"""sts:GetCallerIdentity, in AWS's Query protocol, on the same port."""

import re
import xml.etree.ElementTree as ET

import pytest

from conftest import client_of
from keystead import ACCOUNT, OTHER_ACCOUNT
from signing import Caller

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
ASK = b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture
def asker(server):
    """The account's root user, signing for STS."""
    return Caller(server.port, *server.root_credentials(), service="sts")


def ask(asker, body=ASK, **options):
    """A signed question."""
    return asker.send(asker.request(body=body, headers=options.pop("headers", FORM), **options))


def error_of(answer):
    """Type, code and message of an error."""
    root = ET.fromstring(answer.body)
    assert root.tag == f"{NAMESPACE}ErrorResponse"
    error = root.find(f"{NAMESPACE}Error")
    assert root.find(f"{NAMESPACE}RequestId").text == answer.headers["x-amzn-requestid"]
    return tuple(error.find(NAMESPACE + name).text for name in ("Type", "Code", "Message"))


def test_who_am_i(server, other_credentials):
    for credentials, account in ((server.root_credentials(), ACCOUNT),
                                 (other_credentials, OTHER_ACCOUNT)):
        answer = client_of(server, credentials, "sts").get_caller_identity()
        assert re.fullmatch(r"[0-9a-f-]{36}", answer["ResponseMetadata"]["RequestId"])
        answer.pop("ResponseMetadata")
        assert answer == {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"}


def test_the_answer_is_xml(asker):
    answer = ask(asker)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.body)
    assert root.tag == f"{NAMESPACE}GetCallerIdentityResponse"
    result = root.find(f"{NAMESPACE}GetCallerIdentityResult")
    assert {child.tag.removeprefix(NAMESPACE): child.text for child in result} == {
        "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": ACCOUNT, "Account": ACCOUNT}
    request_id = root.find(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId").text
    assert request_id == answer.headers["x-amzn-requestid"]


def test_each_region_answers(server):
    for region in ("us-east-1", "eu-central-1"):
        answer = client_of(server, server.root_credentials(), "sts", region).get_caller_identity()
        assert answer["Account"] == ACCOUNT


def test_the_query_form(asker):
    answer = asker.send(asker.presigned(parameters=[
        ("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]))
    assert answer.status == 200
    assert ACCOUNT.encode() in answer.body


def test_an_unknown_action(asker):
    answer = ask(asker, b"Action=NoSuchThing&Version=2011-06-15")
    assert answer.status == 400
    assert error_of(answer)[:2] == ("Sender", "InvalidAction")


def test_no_action(asker):
    answer = ask(asker, b"Version=2011-06-15")
    assert 400 <= answer.status < 500
    assert error_of(answer)[1] in ("MissingAction", "InvalidAction")


def test_parameters_are_given_once(asker):
    answer = ask(asker, ASK + b"&Action=GetCallerIdentity")
    assert 400 <= answer.status < 500
    assert error_of(answer)[0] == "Sender"


def test_a_wrong_secret(server, asker):
    answer = ask(Caller(server.port, asker.access_key_id, "x" * 40, service="sts"))
    assert answer.status == 403
    assert error_of(answer)[:2] == ("Sender", "SignatureDoesNotMatch")


def test_an_unknown_access_key(server):
    answer = ask(Caller(server.port, "AKIAIOSFODNN7EXAMPLE", "x" * 40, service="sts"))
    assert answer.status == 403
    assert error_of(answer) == ("Sender", "InvalidClientTokenId",
                                "The security token included in the request is invalid.")


def test_no_authorization(asker):
    answer = ask(asker, edit=lambda _: None)
    assert answer.status == 403
    assert error_of(answer)[:2] == ("Sender", "MissingAuthenticationToken")


def test_the_scope_must_be_of_sts(server, asker):
    answer = ask(asker, scope={"service": "s3"})
    assert answer.status in (400, 403)
    assert ACCOUNT.encode() not in answer.body

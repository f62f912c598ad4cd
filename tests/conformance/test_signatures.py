"""Signature Version 4 over HTTP: what is accepted, and each way of being refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from keystead import REGION
from signing import Caller, sha256

MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your "
            "AWS Secret Access Key and signing method. Consult the service documentation for details.")
HEADERS = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.ListKeys")]
AUTHENTICATION_ERRORS = {"MissingAuthenticationTokenException", "IncompleteSignatureException",
                         "InvalidSignatureException", "UnrecognizedClientException"}


def send(caller, **options):
    """A signed ListKeys, built with options."""
    options.setdefault("headers", HEADERS)
    return caller.send(caller.request(body=options.pop("body", b"{}"), **options))


def refusal(answer):
    """The refusal's name; nothing was done."""
    assert answer.status in (400, 403), (answer.status, answer.body)
    assert b'"Keys"' not in answer.body
    assert answer.error in AUTHENTICATION_ERRORS, answer.body
    return answer.error


def test_a_right_signature_is_accepted(caller):
    assert send(caller).status == 200


@pytest.mark.parametrize("more", [
    [("amz-sdk-invocation-id", "1"), ("amz-sdk-request", "attempt=1"), ("user-agent", "test")],
    [("x-amz-content-sha256", sha256(b"{}"))],
    [("x-amz-user-agent", "a   b")],
    [("accept", "*/*"), ("content-length", "2")],
])
def test_more_signed_headers_are_accepted(caller, more):
    assert send(caller, headers=[*HEADERS, *more]).status == 200


def test_a_header_that_is_not_amazons_may_stay_unsigned(caller):
    assert send(caller, also=[("user-agent", "test"), ("accept", "*/*")]).status == 200


@pytest.mark.parametrize("seconds", [-295, -60, 60, 295])
def test_a_clock_may_be_five_minutes_off(caller, seconds):
    assert send(caller, skew=timedelta(seconds=seconds)).status == 200


def test_an_old_signature_has_expired(caller):
    answer = send(caller, skew=timedelta(seconds=-305))
    assert refusal(answer) == "InvalidSignatureException"
    assert re.fullmatch(r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z "
                        r"\(\d{8}T\d{6}Z - 5 min\.\)", answer.message)


def test_a_signature_of_tomorrow_is_not_yet_current(caller):
    answer = send(caller, skew=timedelta(seconds=305))
    assert refusal(answer) == "InvalidSignatureException"
    assert re.fullmatch(r"Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z "
                        r"\(\d{8}T\d{6}Z \+ 5 min\.\)", answer.message)


def test_no_authorization_at_all(caller):
    answer = send(caller, edit=lambda _: None)
    assert refusal(answer) == "MissingAuthenticationTokenException"


def test_an_unknown_access_key(server):
    stranger = Caller(server.port, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    answer = send(stranger)
    assert refusal(answer) == "UnrecognizedClientException"
    assert answer.message == "The security token included in the request is invalid."


def test_an_unknown_access_key_with_its_own_name_as_secret(server):
    assert refusal(send(Caller(server.port, "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"))) \
        == "UnrecognizedClientException"


def test_a_wrong_secret(server, caller):
    answer = send(Caller(server.port, caller.access_key_id, "x" * 40))
    assert refusal(answer) == "InvalidSignatureException"
    assert answer.message.startswith(MISMATCH)


def test_a_key_of_another_account_does_not_sign_for_this_one(server, caller, other_credentials):
    assert refusal(send(Caller(server.port, caller.access_key_id, other_credentials[1]))) \
        == "InvalidSignatureException"


@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_body(caller, place):
    method, target, headers, body = caller.request(body=b"{}", headers=HEADERS)
    changed = bytearray(body)
    changed[place] ^= 0x20
    assert refusal(caller.send((method, target, headers, bytes(changed)))) \
        == "InvalidSignatureException"


def test_a_body_added_to_a_signed_emptiness(caller):
    method, target, headers, _ = caller.request(body=b"", headers=HEADERS)
    assert refusal(caller.send((method, target, headers, b"{}"))) == "InvalidSignatureException"


def test_a_changed_target(caller):
    method, target, headers, body = caller.request(body=b"{}", headers=HEADERS)
    headers = [(name, "TrentService.GenerateRandom" if name == "x-amz-target" else value)
               for name, value in headers]
    assert refusal(caller.send((method, target, headers, body))) == "InvalidSignatureException"


@pytest.mark.parametrize("name", ["host", "x-amz-date", "x-amz-target"])
def test_what_decides_must_be_signed(caller, name):
    refusal(send(caller, unsigned=(name,)))


@pytest.mark.parametrize("name", ["x-amz-security-token", "x-amz-meta-anything", "x-amz-user-agent"])
def test_no_header_of_amazons_comes_unsigned(caller, name):
    refusal(send(caller, also=[(name, "x")]))


def test_a_signed_header_that_is_not_there(caller):
    refusal(send(caller, headers=[*HEADERS, ("x-amz-extra", "1")], drop=("x-amz-extra",)))


@pytest.mark.parametrize(("part", "value"), [
    ("date", "20200101"), ("date", "2026"), ("region", "us-east"), ("region", "US-EAST-1"),
    ("region", ""), ("service", "s3"), ("service", "sts2"), ("service", ""), ("end", "aws5_request"),
])
def test_the_scope_must_be_ours(caller, part, value):
    refusal(send(caller, scope={part: value}))


def test_the_signature_of_one_region_is_none_in_another(caller):
    method, target, headers, body = caller.request(body=b"{}", headers=HEADERS)
    moved = [(name, value.replace(f"/{REGION}/", "/eu-west-1/")) for name, value in headers]
    assert refusal(caller.send((method, target, moved, body))) == "InvalidSignatureException"


@pytest.mark.parametrize("date", ["20261301T000000Z", "2026-01-01T00:00:00Z", "20260101T000000",
                                  "20260101", "Thu, 01 Jan 2026 00:00:00 GMT", "x", ""])
def test_the_date_has_one_form(caller, date):
    refusal(send(caller, date=date))


def test_a_date_is_given_once(caller):
    method, target, headers, body = caller.request(body=b"{}", headers=HEADERS)
    stamp = dict(headers)["x-amz-date"]
    refusal(caller.send((method, target, [*headers, ("x-amz-date", stamp)], body)))


@pytest.mark.parametrize("edit", [
    lambda text: "", lambda text: "x", lambda text: "AWS4-HMAC-SHA256",
    lambda text: text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    lambda text: text.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    lambda text: text.replace("AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
    lambda text: text.replace("AWS4-HMAC-SHA256 ", "Basic "),
    lambda text: text.replace("Credential=", "Credentials="),
    lambda text: text.replace("SignedHeaders=", "Headers="),
    lambda text: re.sub("Signature=.*", "", text),
    lambda text: re.sub("Credential=[^,]*, ", "", text),
    lambda text: re.sub("SignedHeaders=[^,]*, ", "", text),
    lambda text: re.sub("SignedHeaders=[^,]*", "SignedHeaders=", text),
    lambda text: re.sub("SignedHeaders=([^,]*)", r"SignedHeaders=\1;\1", text),
    lambda text: re.sub("SignedHeaders=[^,]*",
                        "SignedHeaders=x-amz-target;x-amz-date;host;content-type", text),
    lambda text: text.replace("SignedHeaders=content-type", "SignedHeaders=Content-Type"),
    lambda text: text.replace("/aws4_request", ""),
    lambda text: text.replace("/aws4_request", "/aws4_request/x"),
    lambda text: re.sub("Credential=[^/]*", "Credential=", text),
    lambda text: re.sub("Signature=(.*)", lambda m: "Signature=" + m[1].upper(), text)
    if re.search("Signature=.*[a-f]", text) else "x",
    lambda text: text[:-1], lambda text: text + "0", lambda text: text + ", x=y",
    lambda text: text[:-1] + "g", lambda text: text + text,
    lambda text: text + ", Signature=" + "0" * 64,
    lambda text: re.sub("Signature=.*", "Signature=" + "0" * 64, text),
])
def test_each_part_of_the_authorization_has_one_form(caller, edit):
    refusal(send(caller, edit=edit))


def test_two_authorizations(caller):
    method, target, headers, body = caller.request(body=b"{}", headers=HEADERS)
    authorization = dict(headers)["authorization"]
    refusal(caller.send((method, target, [*headers, ("authorization", authorization)], body)))


@pytest.mark.parametrize("payload_hash", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                                          sha256(b"other"), ""])
def test_the_payload_is_signed_and_nothing_else(caller, payload_hash):
    refusal(send(caller, headers=[*HEADERS, ("x-amz-content-sha256", payload_hash)]))


def test_a_token_that_nobody_gave(caller):
    refusal(send(caller, token="x"))


def test_the_query_form(caller):
    request = caller.presigned(method="POST", body=b"{}", headers=HEADERS)
    assert caller.send(request).status == 200


@pytest.mark.parametrize("options", [
    {"headers": HEADERS[:1]}, {"expires": "0"}, {"expires": "-1"}, {"expires": "604801"},
    {"expires": "x"}, {"expires": ""}, {"skew": timedelta(seconds=-400), "expires": "60"},
    {"skew": timedelta(seconds=400)}, {"payload_hash": "UNSIGNED-PAYLOAD"},
])
def test_the_query_form_has_its_limits(caller, options):
    options = {"headers": HEADERS, **options}
    method, target, headers, body = caller.presigned(method="POST", body=b"{}", **options)
    if options["headers"] != HEADERS:
        headers = [*headers, HEADERS[1]]
    refusal(caller.send((method, target, headers, body)))


def test_one_source_of_credentials(caller):
    _, query_target, _, _ = caller.presigned(method="POST", body=b"{}", headers=HEADERS)
    method, _, headers, body = caller.request(body=b"{}", headers=HEADERS)
    refusal(caller.send((method, query_target, headers, body)))
    refusal(caller.send((method, "/?X-Amz-Signature=" + "0" * 64, headers, body)))


def test_query_keys_are_given_once(caller):
    method, target, headers, body = caller.presigned(method="POST", body=b"{}", headers=HEADERS)
    for name in ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Date"):
        value = re.search(f"{name}=([^&]*)", target)[1]
        refusal(caller.send((method, f"{target}&{name}={value}", headers, body)))


@pytest.mark.parametrize("path", ["/x", "//", "/%2F", "/.", "/TrentService"])
def test_there_is_one_path(caller, path):
    answer = send(caller, path=path)
    assert 400 <= answer.status < 500
    assert b'"Keys"' not in answer.body


def test_a_query_that_was_not_signed(caller):
    method, _, headers, body = caller.request(body=b"{}", headers=HEADERS)
    refusal(caller.send((method, "/?x=y", headers, body)))


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"])
def test_one_process_serves_every_region(server, region):
    caller = Caller(server.port, *server.root_credentials(), region=region)
    partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(
        region.rsplit("-", 2)[0], "aws")
    metadata = caller.call("CreateKey").json["KeyMetadata"]
    assert metadata["Arn"].startswith(f"arn:{partition}:kms:{region}:")


def test_many_callers_at_once_are_told_apart(server, caller):
    stranger = Caller(server.port, "AKIAIOSFODNN7EXAMPLE", "x" * 40)
    forger = Caller(server.port, caller.access_key_id, "x" * 40)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, [caller, stranger, forger] * 100))
    assert all(answer.status == 200 for answer in answers[0::3])
    assert all(answer.error == "UnrecognizedClientException" for answer in answers[1::3])
    assert all(answer.error == "InvalidSignatureException" for answer in answers[2::3])

"""Bodies that are no JSON, or JSON that nobody means well: each is refused, quickly, and nothing else happens.

The families are those of Nicolas Seriot's "Parsing JSON is a minefield"; the cases are written here.
"""

import json
import time

import pytest

MUST_REFUSE = {
    "a brace": "{", "a closing brace": "}", "two values": "{}{}", "a value and dirt": "{}x",
    "a comma": "{},", "an open string": '{"KeyId": "a', "an open list": '{"KeyId": [',
    "a comma at the end": '{"KeyId": "a",}', "two commas": '{"KeyId": "a",,}',
    "a leading comma": '{,"KeyId": "a"}', "no colon": '{"KeyId" "a"}', "two colons": '{"KeyId":: "a"}',
    "a bare name": '{KeyId: "a"}', "single quotes": "{'KeyId': 'a'}", "a number as name": '{1: "a"}',
    "a comment": '{"KeyId": "a"/**/}', "a line comment": '{"KeyId": "a"} // x',
    "a capital literal": '{"DryRun": True}', "a cut literal": '{"DryRun": tru}',
    "not a number": '{"Limit": NaN}', "infinity": '{"Limit": Infinity}', "a plus": '{"Limit": +1}',
    "a leading zero": '{"Limit": 01}', "a hexadecimal": '{"Limit": 0x1}', "a bare point": '{"Limit": .5}',
    "a point at the end": '{"Limit": 1.}', "an open exponent": '{"Limit": 1e}', "a minus": '{"Limit": -}',
    "a raw line break in a string": '{"KeyId": "a\nb"}', "a raw tab in a string": '{"KeyId": "a\tb"}',
    "a raw NUL in a string": '{"KeyId": "a\0b"}', "a bad escape": '{"KeyId": "\\x41"}',
    "a short escape": '{"KeyId": "\\u00"}', "an escape at the end": '{"KeyId": "\\"}',
    "a lone high surrogate": '{"KeyId": "\\ud800"}', "a lone low surrogate": '{"KeyId": "\\udc00"}',
    "a high surrogate and a letter": '{"KeyId": "\\ud800x"}',
    "two high surrogates": '{"KeyId": "\\ud800\\ud800"}',
    "a list": "[]", "a string": '"x"', "a number": "1", "true": "true", "null": "null",
    "white space": "   ", "a word": "hello", "markup": "<xml/>", "a form": "Action=ListKeys",
    "a vertical tab": "\v{}", "a no-break space": "\u00a0{}",
}
MUST_REFUSE_BYTES = {
    "a byte order mark": b"\xef\xbb\xbf{}", "UTF-16": '{"KeyId": "a"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"KeyId": "a"}'.encode("utf-16-le"), "a NUL": b"\0", "NUL after": b"{}\0",
    "a bare continuation byte": b'{"KeyId": "\x80"}', "a cut sequence": b'{"KeyId": "\xc3"}',
    "an overlong slash": b'{"KeyId": "\xc0\xaf"}', "a surrogate in UTF-8": b'{"KeyId": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"KeyId": "\xf4\x90\x80\x80"}', "Latin-1": '{"KeyId": "é"}'.encode("latin-1"),
    "a bad byte in an unknown member": b'{"x": "\xff"}', "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
    "deep lists": b"[" * 100_000, "deep lists, closed": b"[" * 50_000 + b"]" * 50_000,
    "deep objects": b'{"a":' * 50_000, "a deep unknown member": b'{"x":' + b"[" * 100_000,
    "a deep unknown member, closed": b'{"x":' + b"[" * 17 + b"]" * 17 + b"}",
}
MUST_ACCEPT = {
    "white space around": ' \t\r\n{ \t\r\n} \t\r\n', "an escaped name": '{"\\u004cimit": 1}',
    "a pair of surrogates": '{"x": "\\ud83d\\ude00"}', "all escapes": '{"x": "\\"\\\\\\/\\b\\f\\n\\r\\t"}',
    "an escaped NUL": '{"x": "\\u0000"}', "a long number": '{"x": 1' + "0" * 200 + "}",
    "a small number": '{"x": 1e-400}', "minus nought": '{"x": -0}', "an empty name": '{"": 1}',
    "noncharacters": '{"x": "\\uffff\U0010ffff"}', "a delete": '{"x": "\x7f"}',
}


def timed(caller, operation, body):
    """A call and the seconds it took."""
    before = time.monotonic()
    answer = caller.call(operation, body=body)
    return answer, time.monotonic() - before


@pytest.mark.parametrize("body", MUST_REFUSE.values(), ids=MUST_REFUSE.keys())
def test_what_is_no_request_is_refused(caller, body):
    answer, _ = timed(caller, "ListKeys", body.encode())
    assert (answer.status, answer.error) == (400, "SerializationException")


@pytest.mark.parametrize("body", MUST_REFUSE_BYTES.values(), ids=MUST_REFUSE_BYTES.keys())
def test_what_is_no_text_is_refused(caller, body):
    answer, seconds = timed(caller, "ListKeys", body)
    assert (answer.status, answer.error) == (400, "SerializationException")
    # reliability.md: 5 ms for each KiB, of a release build on a machine of its own.
    assert seconds < 1 + len(body) / 1024 * 0.02


@pytest.mark.parametrize("body", MUST_ACCEPT.values(), ids=MUST_ACCEPT.keys())
def test_what_is_a_request_is_taken(caller, body):
    answer, _ = timed(caller, "ListKeys", body.encode())
    assert answer.status == 200, answer.body


def test_many_members_are_read_in_linear_time(caller):
    members = ",".join(f'"a{number}":{number}' for number in range(15_000))
    answer, seconds = timed(caller, "ListKeys", f"{{{members}}}".encode())
    assert answer.status == 200
    assert seconds < 5


def test_many_pairs_of_a_context_are_read_in_linear_time(caller, key):
    pairs = ",".join(f'"a{number}":"{number}"' for number in range(10_000))
    body = f'{{"KeyId": "{key["KeyId"]}", "Plaintext": "eA==", "EncryptionContext": {{{pairs}}}}}'
    _, seconds = timed(caller, "Encrypt", body.encode())
    assert seconds < 5


@pytest.mark.parametrize("text", ['"ev\\r\\nil"', '"\\u001b[31m"', '"\\"}{\\""', '"\\u2028"', '"<b>"'])
def test_odd_text_comes_back_as_itself(caller, text):
    answer = caller.call("DescribeKey", body=f'{{"KeyId": {text}}}'.encode())
    assert answer.error == "NotFoundException"
    assert answer.message == f"Invalid keyId '{json.loads(text)}'"

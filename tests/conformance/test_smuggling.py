"""Requests that two readers of HTTP could end at different places (threat N-9): refused, and nothing behind them is read.

Each case sends a request whose framing is doubtful and, on the same connection, a rightly signed change of a key
where one of the readers would find the next request. Nothing may answer it, and the key must stay as it is.
"""

import socket

import pytest

from signing import CONTENT_TYPE

ANSWER_SECONDS_MAX = 10
LENGTH = "content-length: {length}"
CHUNKED = "transfer-encoding: chunked"

# Framing headers where the length, if any, is that of a body `{}`; then what stands for the body, before the change.
FRAMINGS = {
    # Both ways at once: RFC 9112, 6.1 and 6.3.
    "length then chunked": ([LENGTH, CHUNKED], b"0\r\n\r\n"),
    "chunked then length": ([CHUNKED, LENGTH], b"0\r\n\r\n"),
    "length, chunked in capitals": ([LENGTH, "Transfer-Encoding: CHUNKED"], b"0\r\n\r\n"),
    "length and identity": ([LENGTH, "transfer-encoding: identity"], b"{}"),
    "length of nothing and chunked": (["content-length: 0", CHUNKED], b"0\r\n\r\n"),
    "length and chunked, not last": ([LENGTH, "transfer-encoding: chunked, identity"], b"0\r\n\r\n"),
    # Two lengths: RFC 9110, 8.6.
    "two lengths, the first shorter": (["content-length: 0", LENGTH], b"{}"),
    "two lengths, the second shorter": ([LENGTH, "content-length: 0"], b"{}"),
    "two lengths in one line": (["content-length: 2, 0"], b"{}"),
    "two lengths in one line, with a space": (["content-length: 2 0"], b"{}"),
    # Lengths that are none.
    "a sign": (["content-length: +2"], b"{}"),
    "a minus": (["content-length: -2"], b"{}"),
    "hexadecimal": (["content-length: 0x2"], b"{}"),
    "a fraction": (["content-length: 2.0"], b"{}"),
    "an exponent": (["content-length: 2e0"], b"{}"),
    "a letter behind": (["content-length: 2a"], b"{}"),
    "a semicolon behind": (["content-length: 2;"], b"{}"),
    "an underscore": (["content-length: 0_2"], b"{}"),
    "nothing": (["content-length:"], b"{}"),
    "quotes": (['content-length: "2"'], b"{}"),
    "beyond 64 bits": (["content-length: 18446744073709551618"], b"{}"),
    "digits of another script": (["content-length: \u0662"], b"{}"),
    # Codings that are not known, or not last: RFC 9112, 6.1.
    "chunked twice": (["transfer-encoding: chunked, chunked"], b"0\r\n\r\n"),
    "chunked, not last": (["transfer-encoding: chunked, identity"], b"0\r\n\r\n"),
    "chunked with a letter before": (["transfer-encoding: xchunked"], b"0\r\n\r\n"),
    "chunked with a letter behind": (["transfer-encoding: chunkedx"], b"0\r\n\r\n"),
    "chunked with a semicolon": (["transfer-encoding: chunked;"], b"0\r\n\r\n"),
    "chunked in quotes": (['transfer-encoding: "chunked"'], b"0\r\n\r\n"),
    "chunked behind a vertical tab": (["transfer-encoding: \x0bchunked"], b"0\r\n\r\n"),
    "identity alone": (["transfer-encoding: identity"], b"0\r\n\r\n"),
    "no coding": (["transfer-encoding:"], b"0\r\n\r\n"),
    # Lines: RFC 9112, 2.2 and 5.
    "a space before the colon": (["content-length : 2"], b"{}"),
    "a tab before the colon": (["content-length\t: 2"], b"{}"),
    "a space before the colon, beside a length": ([LENGTH, "transfer-encoding : chunked"], b"0\r\n\r\n"),
    "a length on a folded line": (["x-folded: a\r\n content-length: 0", LENGTH], b"{}"),
    "a coding on a folded line": ([LENGTH, "x-folded: a\r\n transfer-encoding: chunked"], b"0\r\n\r\n"),
    "a folded value": (["content-length:\r\n 2"], b"{}"),
    "a folded coding": (["transfer-encoding:\r\n chunked"], b"0\r\n\r\n"),
    "a carriage return in a value": (["x-split: a\rcontent-length: 0", LENGTH], b"{}"),
    "a zero in a value": (["content-length: 2\x00"], b"{}"),
    "a zero in a name": (["content\x00-length: 2", LENGTH], b"{}"),
    "a name with a space": (["content length: 0", LENGTH], b"{}"),
    "a line without a colon": (["content-length", LENGTH], b"{}"),
    "a line without a name": ([": 0", LENGTH], b"{}"),
    # Chunks: RFC 9112, 7.1.
    "a chunk size with a sign": ([CHUNKED], b"+2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with 0x": ([CHUNKED], b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size below zero": ([CHUNKED], b"-1\r\n{}\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": ([CHUNKED], b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
    "a chunk size of nothing": ([CHUNKED], b"\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with a letter": ([CHUNKED], b"2g\r\n{}\r\n0\r\n\r\n"),
    "a chunk longer than its size": ([CHUNKED], b"1\r\n{}\r\n0\r\n\r\n"),
    "a chunk that ends with a line feed": ([CHUNKED], b"2\r\n{}\n0\r\n\r\n"),
    "a chunk size that ends with a carriage return": ([CHUNKED], b"2\r{}\r\n0\r\n\r\n"),
    "a chunk extension that ends with a line feed": ([CHUNKED], b"2;a\n{}\r\n0\r\n\r\n"),
    "an underscore in a chunk size": ([CHUNKED], b"0_2\r\n{}\r\n0\r\n\r\n"),
}


def written(request, framing=(), line_end="\r\n", version="HTTP/1.1"):
    """The head of a built request as bytes, with these framing headers as they stand."""
    method, target, headers, body = request
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers)]
    lines += [line.format(length=len(body)) for line in framing]
    return "".join(line + line_end for line in [*lines, ""]).encode()


def signed(caller, operation, body=b"{}"):
    """A rightly signed request of an operation."""
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
    return caller.request(body=body, headers=headers)


def exchange(port, data):
    """All that the server answers on one connection before it ends it, which it must do soon."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX) as connection:
        connection.sendall(data)
        answers = b""
        try:
            while part := connection.recv(65536):
                answers += part
        except ConnectionResetError:
            pass
        return answers


def statuses(answers):
    """The statuses of the answers on one connection."""
    return [int(part.split(b" ", 1)[0]) for part in answers.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(scope="module")
def target(kms):
    """A key, and the signed change that must not come through."""
    return kms.create_key(Description="as it was")["KeyMetadata"]["KeyId"]


def change(caller, key_id, *headers):
    """The request that hides behind the doubtful one."""
    body = f'{{"KeyId":"{key_id}","Description":"smuggled"}}'.encode()
    request = signed(caller, "UpdateKeyDescription", body)
    return written(request, [LENGTH, *headers]) + body


def assert_not_read(kms, key_id, answers):
    """One refusal at most, and the key is as it was."""
    seen = statuses(answers)
    assert len(seen) <= 1 and all(400 <= status < 500 for status in seen), answers
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"] == "as it was"


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_doubtful_end_of_a_request_ends_the_connection(server, caller, kms, target, name):
    framing, body = FRAMINGS[name]
    doubtful = written(signed(caller, "GenerateRandom"), framing) + body
    assert_not_read(kms, target, exchange(server.port, doubtful + change(caller, target)))


@pytest.mark.parametrize("version", ["HTTP/1.1 ", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1\t", ""])
def test_a_doubtful_request_line_ends_the_connection(server, caller, kms, target, version):
    doubtful = written(signed(caller, "GenerateRandom"), [LENGTH], version=version) + b"{}"
    assert_not_read(kms, target, exchange(server.port, doubtful + change(caller, target)))


def test_the_change_comes_through_behind_a_plain_request(server, caller, kms, target):
    """So that the tests above do not pass for want of a change that works."""
    plain = written(signed(caller, "GenerateRandom", b'{"NumberOfBytes":8}'), [LENGTH]) + b'{"NumberOfBytes":8}'
    answers = exchange(server.port, plain + change(caller, target, "connection: close"))
    assert statuses(answers) == [200, 200], answers
    assert kms.describe_key(KeyId=target)["KeyMetadata"]["Description"] == "smuggled"

"""What never becomes a whole request: refused, counted once by reason, and in nobody's trail (docs/unaudited.md)."""

import re
import socket
import time

import pytest

import journal
from keystead import REPOSITORY, Server
from timed import eventually

PAGE = (REPOSITORY / "docs/unaudited.md").read_text(encoding="utf-8")
COUNTER = re.compile(r'^keystead_refused_requests_total\{listener="(\w+)",reason="(\w+)"\} (\d+)$', re.M)
HEAD = b"POST / HTTP/1.1\r\nhost: h\r\n"
# The server cuts at ten seconds and looks once a second.
CUT_SECONDS_MAX = 15


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A server that these tests have for themselves, since they count."""
    running = Server(tmp_path_factory.mktemp("unaudited") / "data")
    yield running
    assert running.stop() == 0, running.output()


def counts(server):
    """How many requests were refused, by listener and reason."""
    status, text = server.admin("GET", "/metrics")
    assert status == 200
    return {(listener, reason): int(count) for listener, reason, count in COUNTER.findall(text)}


def gained(server, before):
    """What was counted since."""
    now = counts(server)
    return {key: count - before.get(key, 0) for key, count in now.items() if count != before.get(key, 0)}


def answer_of(connection):
    """All that the server says before it ends the connection."""
    said = b""
    try:
        while part := connection.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


def told(port, data, ends=True):
    """The status of the answer to these bytes, None if there is none; `ends` says that the client sends no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=CUT_SECONDS_MAX) as connection:
        connection.sendall(data)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        said = answer_of(connection)
    return int(said.split(b" ", 2)[1]) if said else None


def listed(section):
    """The names in the first column of a table of the page."""
    part = PAGE.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)`", part, re.M)


# What is sent, whether the client then ends its half, the answer and the reason.
REFUSED = {
    "a request line that is none": (b"\x16\x03\x01\x02\x00\r\n\r\n", False, 400, "malformed_head"),
    "another version": (b"POST / HTTP/9.9\r\n\r\n", False, 400, "malformed_head"),
    "two lengths": (HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n", False, 400, "malformed_head"),
    "a length that is none": (HEAD + b"content-length: x\r\n\r\n", False, 400, "malformed_head"),
    "a long header": (HEAD + b"x: " + b"v" * 65536 + b"\r\n\r\n", False, 431, "too_large_head"),
    "many headers": (HEAD + b"x: v\r\n" * 64 + b"\r\n", False, 431, "too_large_head"),
    "a long target": (b"POST /" + b"v" * 65536 + b" HTTP/1.1\r\n\r\n", False, 431, "too_large_head"),
    "a lone line feed": (b"POST / HTTP/1.1\nhost: h\n\n", False, None, "lone_line_feed"),
    "a cut request line": (b"POST /", True, None, "cut_head"),
    "a cut head": (HEAD, True, None, "cut_head"),
    "a large body, announced": (HEAD + b"content-length: 262145\r\n\r\n", False, 413, "too_large_body"),
    "a large body, in chunks": (HEAD + b"transfer-encoding: chunked\r\n\r\n" + 17 * (
        b"4000\r\n" + b" " * 0x4000 + b"\r\n"), False, 413, "too_large_body"),
    "a cut body": (HEAD + b"content-length: 9\r\n\r\n{", True, 400, "broken_body"),
    "a chunk that is none": (HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n", False, 400, "broken_body"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_not_whole_is_counted_and_in_no_trail(refusing, name):
    data, ends, status, reason = REFUSED[name]
    before, records = counts(refusing), journal.records(refusing.directory / "journal")
    assert told(refusing.port, data, ends) == status
    eventually("it is counted", lambda: gained(refusing, before))
    assert gained(refusing, before) == {("api", reason): 1}
    assert journal.records(refusing.directory / "journal") == records


def test_slow_requests_are_counted_and_in_no_trail(refusing):
    before, records = counts(refusing), journal.records(refusing.directory / "journal")
    began = time.monotonic()
    lines = [socket.create_connection(("127.0.0.1", refusing.port), timeout=CUT_SECONDS_MAX) for _ in range(3)]
    for line, data in zip(lines, (HEAD, HEAD + b"content-length: 2\r\n\r\n{", b"")):
        line.sendall(data)
    for line in lines:
        assert answer_of(line) == b""
        line.close()
    assert time.monotonic() - began > 9
    # Who never sends anything has made no request.
    assert gained(refusing, before) == {("api", "slow_head"): 1, ("api", "slow_body"): 1}
    assert journal.records(refusing.directory / "journal") == records


def test_a_connection_that_ends_between_requests_is_not_counted(refusing):
    before = counts(refusing)
    with socket.create_connection(("127.0.0.1", refusing.port), timeout=CUT_SECONDS_MAX) as connection:
        connection.sendall(HEAD + b"content-length: 0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", refusing.port), timeout=CUT_SECONDS_MAX):
        pass
    told(refusing.port, b"POST / HTTP/9.9\r\n\r\n")
    # Connections end in the order in which they are seen to; the last one is counted, and it alone.
    eventually("the last one is counted", lambda: gained(refusing, before))
    assert gained(refusing, before) == {("api", "malformed_head"): 1}


def test_the_admin_listener_counts_too(refusing):
    before = counts(refusing)
    assert told(refusing.admin_port, b"GET /metrics HTTP/9.9\r\n\r\n") == 400
    eventually("it is counted", lambda: gained(refusing, before))
    assert gained(refusing, before) == {("admin", "malformed_head"): 1}


def test_the_admin_listener_answers_what_is_listed_and_nothing_else(refusing):
    for route in listed("Admin listener"):
        expected = 404 if route.startswith("/test-clock/") else 200
        assert refusing.admin("GET", route)[0] == expected, route
    for path in ("/", "/debug", "/debug/pprof", "/healthz/", "/metrics/x", "/keys", "/journal", "/Metrics"):
        status, text = refusing.admin("GET", path)
        assert (status, set(re.findall(r"/\w+", text))) == (404, {"/healthz", "/readyz", "/metrics"}), path


def test_commands_that_are_none_are_counted(refusing):
    before = counts(refusing)
    for line in (b"{}\n", b'{"command":"no_such_command"}\n'):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(CUT_SECONDS_MAX)
            connection.connect(str(refusing.directory / "control.sock"))
            connection.sendall(line)
            assert b'"outcome":"refused"' in answer_of(connection)
    assert gained(refusing, before) == {("control", "malformed_command"): 2}


def test_commands_are_logged_by_name(refusing):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CUT_SECONDS_MAX)
        connection.connect(str(refusing.directory / "control.sock"))
        connection.sendall(b'{"command":"list_accounts"}\n')
        assert b'"outcome":"accounts"' in answer_of(connection)
    eventually("it is logged", lambda: "list_accounts" in refusing.output())

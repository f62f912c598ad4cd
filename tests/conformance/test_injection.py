"""Whatever a caller writes into a text that is recorded: one record, one line, valid JSON, no byte that a terminal obeys,
every bound kept."""

import json
import urllib.parse

import pytest

import journal
from bad_input import example
from keystead import Server
from signing import CONTENT_TYPE, Caller
from test_model import MODEL, unbuilt

USER_AGENT_BYTES_MAX = ERROR_MESSAGE_BYTES_MAX = 1024
PARAMETERS_BYTES_MAX = 100 * 1024
RECORD_BYTES_MAX = 512 * 1024
FORM = "application/x-www-form-urlencoded; charset=utf-8"

# Texts as they stand in a request's JSON, by what is odd about them.
ODD = {
    "line ends": r"a\r\nb", "another record": r'\"}\n{\"eventName\":\"Forged\"}', "a quote and a backslash": r"\"\\",
    "terminal": r"\u001b[31m\u0007\u0000\u007f\u009b2J", "direction": r"\u202egpj\u2066\u200f\u061c", "separators": r"\u2028\u2029\ufeff",
    "a lone high surrogate": r"\ud800", "a lone low surrogate": r"x\udc00", "another plane": r"\ud83d\udd11",
}
LONG = "é" * 60_000
# Values of headers; none may have control characters, but for those that are no ASCII.
HEADERS = [b'x"} {"eventName":"Forged"', b"x\xff\xfe\xed\xa0\x80", "clé 鍵\u202e\u009b".encode(), b"a" * 20_000]


@pytest.fixture(name="hostile", scope="module")
def fixture_hostile(tmp_path_factory):
    """A server that takes all of it, and its root user."""
    running = Server(tmp_path_factory.mktemp("injection") / "data")
    yield running, Caller(running.port, *running.root_credentials())
    assert running.stop() == 0, running.output()


def lines(server):
    """The payloads of the journal."""
    return [payload for _, _, payload in journal.frames(server.directory / "journal") if payload]


def assert_safe(payload):
    """One line of JSON whose texts move no cursor, within its bounds; the record."""
    text = payload.decode("utf-8")
    assert not [character for character in text if not character.isprintable() and character != " "], text[:500]
    record = json.loads(text)
    assert len(record["userAgent"].encode()) <= 3 * USER_AGENT_BYTES_MAX
    assert len(record.get("errorMessage", "").encode()) <= 3 * ERROR_MESSAGE_BYTES_MAX
    for member in ("requestParameters", "responseElements", "additionalEventData"):
        assert len(json.dumps(record.get(member), ensure_ascii=False).encode()) <= PARAMETERS_BYTES_MAX + 100
    assert len(payload) < RECORD_BYTES_MAX
    return record


def gained(server, before, answers):
    """The safe records of so many answers, in their order, by the ids that were answered."""
    fresh = [assert_safe(payload) for payload in lines(server)[before:]]
    assert [record["requestID"] for record in fresh] == [answer.headers["x-amzn-requestid"] for answer in answers]
    return fresh


def texts_in(shape, value, put):
    """The value with `put` in place of each text in it, one at a time."""
    if shape.type_name == "string":
        yield put
    elif shape.type_name == "structure":
        for name, member in value.items():
            for changed in texts_in(shape.members[name], member, put):
                yield {**value, name: changed}
    elif shape.type_name == "list" and value:
        for changed in texts_in(shape.member, value[0], put):
            yield [changed, *value[1:]]
    elif shape.type_name == "map":
        yield {put: "x"}
        yield {"x": put}


def full(shape):
    """A value with every member that has an example."""
    if shape.type_name == "structure":
        return {name: full(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [full(shape.member)]
    return example(shape)


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(unbuilt())))
def test_odd_texts_in_every_member_of_every_operation(hostile, name):
    server, caller = hostile
    shape = MODEL.operation_model(name).input_shape
    before, answers = len(lines(server)), []
    for odd in [*ODD.values(), LONG]:
        for body in texts_in(shape, full(shape), "ODD"):
            text = json.dumps(body, default=str).replace("ODD", odd)
            answers.append(caller.call(name, body=text.encode()))
    if shape.members:
        assert len(answers) >= len(ODD)
    for record in gained(server, before, answers):
        assert record["eventName"] == name


@pytest.mark.parametrize("value", HEADERS, ids=["forged", "no text", "text", "long"])
def test_odd_bytes_in_a_user_agent(hostile, value):
    server, caller = hostile
    before = len(lines(server))
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", "TrentService.ListKeys")]
    answer = caller.send(caller.request(body=b"{}", headers=headers, also=[("user-agent", value)]))
    record, = gained(server, before, [answer])
    told = value[:USER_AGENT_BYTES_MAX].decode("utf-8", "replace")
    assert (record["eventName"], record["userAgent"]) == ("ListKeys", told)


@pytest.mark.parametrize("value", [b"a\x1b[2J", b"a\x00", b"a\x7f"])
def test_a_control_character_in_a_header_is_refused_below_the_records(hostile, value):
    server, caller = hostile
    before = len(lines(server))
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", "TrentService.ListKeys")]
    assert caller.send(caller.request(body=b"{}", headers=headers, also=[("user-agent", value)])).status == 400
    assert len(lines(server)) == before


def test_a_user_agent_of_a_mebibyte_is_refused_below_the_records(hostile):
    server, caller = hostile
    before = len(lines(server))
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", "TrentService.ListKeys")]
    request = caller.request(body=b"{}", headers=headers, also=[("user-agent", "a" * (1 << 20))])
    try:
        assert caller.send(request).status == 431
    except (BrokenPipeError, ConnectionResetError):
        pass  # The server ends the connection without reading on.
    assert len(lines(server)) == before


@pytest.mark.parametrize("odd", ["a\r\nb", '"}\n{"eventName":"Forged"}', "\x1b[31m", "x\u202e", "N" * 4000])
def test_odd_names_of_operations_and_actions(hostile, odd):
    server, caller = hostile
    before = len(lines(server))
    # Headers have no control characters, and no other text than that of Python's `http.client`.
    target = "".join(character for character in odd if character.isprintable()).encode().decode("latin-1")
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{target}")]
    body = urllib.parse.urlencode({"Action": odd, "Version": "2010-05-08", odd: odd, "UserName": odd}).encode()
    answers = [caller.send(caller.request(body=b"{}", headers=headers)),
               caller.send(caller.request(body=body, headers=[("content-type", FORM)], scope={"service": "iam"}))]
    for record in gained(server, before, answers):
        assert record["errorCode"] and record["eventName"] != "Forged"


@pytest.mark.parametrize("odd", ["%00%1b%5B2J", "%ff%fe", "%ed%a0%80", "%0d%0a", "%22%7d%7b", "%e2%80%ae", "a" * 30_000])
@pytest.mark.parametrize("member", ["UserName", "PolicyName", "PolicyDocument", "Tags.member.1.Key"])
def test_odd_texts_in_requests_to_iam(hostile, odd, member):
    server, caller = hostile
    before = len(lines(server))
    action = "TagUser" if member.startswith("Tags") else "PutUserPolicy"
    given = {"UserName": "none", "PolicyName": "p", "PolicyDocument": "d", "Tags.member.1.Key": "k",
             "Tags.member.1.Value": "v", member: odd}
    body = "&".join([f"Action={action}&Version=2010-05-08", *(f"{name}={value}" for name, value in given.items())])
    answer = caller.send(caller.request(body=body.encode(), headers=[("content-type", FORM)], scope={"service": "iam"}))
    record, = gained(server, before, [answer])
    # What is no UTF-8 names no action.
    assert record["eventName"] in (action, "Unknown")

"""`keystead audit tail` tells records as they come, and `--format ocsf` tells them in OCSF's words."""

import contextlib
import json
import select
import subprocess
import threading

import pytest

import journal
import keystead
from conftest import client_of
from keystead import ACCOUNT

# Seconds after which a line that should come does not.
LINE_SECONDS_MAX = 20
# Seconds between two calls.
CALL_SECONDS = 0.1


@contextlib.contextmanager
def tailing(server, *arguments):
    """A running `keystead audit tail`: `next()` gives the next record."""
    command = [keystead.binary(), "audit", "tail", str(server.directory), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        def lines():
            while True:
                readable, _, _ = select.select([process.stdout], [], [], LINE_SECONDS_MAX)
                assert readable, "no record came"
                yield json.loads(process.stdout.readline())
        try:
            yield lines()
        finally:
            process.terminate()


def records(server):
    """All records of the journal."""
    return journal.records(server.directory / "journal")


def test_records_are_told_as_they_come(server, kms, key):
    with tailing(server, "--resource-arn", key["Arn"], "--since", "2020-01-01T00:00:00Z") as lines:
        # The one that was there says that the journal is followed.
        assert next(lines)["eventName"] == "CreateKey"
        for _ in range(3):
            answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
            kms.list_keys()
            assert next(lines)["requestID"] == answer["ResponseMetadata"]["RequestId"]


def test_what_was_there_is_passed_over(own_server):
    kms = client_of(own_server, own_server.root_credentials())
    former = [kms.list_keys()["ResponseMetadata"]["RequestId"] for _ in range(5)]
    later = []
    with tailing(own_server) as lines, calling(kms, later):
        told = next(lines)["requestID"]
    assert told not in former and told in later


@contextlib.contextmanager
def calling(kms, ids):
    """Calls again and again meanwhile, since nobody says when the journal begins to be followed."""
    ended = threading.Event()

    def call():
        while not ended.wait(CALL_SECONDS):
            ids.append(kms.list_keys()["ResponseMetadata"]["RequestId"])
    caller = threading.Thread(target=call)
    caller.start()
    try:
        yield
    finally:
        ended.set()
        caller.join()


def test_ocsf_tells_every_record_with_what_the_class_requires(server, kms, key, unknown_key_arn):
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=unknown_key_arn)
    done = keystead.run("audit", "export", server.directory, "--format", "ocsf")
    assert done.returncode == 0, done.stderr
    events = {event["metadata"]["uid"]: event for event in map(json.loads, done.stdout.split("\n")[:-1])}
    # Others may have called since.
    for record in records(server)[:len(events)]:
        event = events[record["eventID"]]
        assert (event["class_uid"], event["category_uid"]) == (6003, 6)
        assert event["type_uid"] == 600300 + event["activity_id"]
        assert event["api"]["operation"] == record["eventName"]
        assert event["status"] == ("Failure" if "errorCode" in record else "Success")
        assert {"time", "severity_id", "actor", "src_endpoint", "cloud"} <= event.keys()
        if "requestParameters" in record and record["requestParameters"]:
            assert event["unmapped"]["requestParameters"].items() <= record["requestParameters"].items()
    told = [event for event in events.values() if event.get("status_code") == "NotFoundException"]
    assert told and all(event["cloud"]["account"]["uid"] == ACCOUNT for event in told
                        if "account" in event["cloud"])


def test_a_format_that_is_none_is_refused(server):
    done = keystead.run("audit", "export", server.directory, "--format", "cef")
    assert done.returncode == 2
    assert "expected cloudtrail or ocsf" in done.stderr

"""Old segments of the journal are deleted, and what is left is proven: by whom, and how much is gone."""

import base64
import json
import shutil

import botocore.auth
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import journal
import keystead
from conftest import client_of
from test_audit_commands import export, verify
from test_trail import records_of
from timed import DAY, HOUR, Timed, eventually

KEEP = ("--journal-keep-days", "30")
# Each with a segment of its own.
DAYS = 4


class Kept(Timed):
    """A server that keeps its journal for thirty days."""

    def __init__(self, directory, *arguments):
        super().__init__(directory, client_of, *KEEP, *arguments)
        self.journal = self.server.directory / "journal"

    def segments(self):
        """The names of the segments, the oldest first."""
        return [path.name for path in sorted(self.journal.glob("*.log"))]

    def let_days_pass(self):
        """Days of which each begins a segment and has a record in it."""
        self.call("ListKeys")
        for _ in range(DAYS):
            count = len(self.segments())
            self.advance(DAY + HOUR)
            eventually("the next segment", lambda: len(self.segments()) > count)  # pylint: disable=cell-var-from-loop
            self.call("ListKeys")
        # A look-up has the index follow to the end, and a question for usage the meter; what they have not read is not
        # deleted.
        client_of(self.server, self.server.root_credentials(), "cloudtrail").lookup_events()
        keystead.run("usage", "--month", f"{self.now():%Y-%m}", "--data-dir", self.server.directory)

    def public_keys(self, path):
        """What `aws cloudtrail list-public-keys` tells, in a file."""
        cloudtrail = client_of(self.server, self.server.root_credentials(), "cloudtrail")
        keys = [{"Value": base64.b64encode(key["Value"]).decode(), "Fingerprint": key["Fingerprint"]}
                for key in cloudtrail.list_public_keys()["PublicKeyList"]]
        path.write_text(json.dumps({"PublicKeyList": keys}))
        return path


@pytest.fixture(name="start")
def fixture_start(tmp_path, monkeypatch):
    """`start(*arguments)`: such a server."""
    started = []

    def start(*arguments):
        kept = Kept(tmp_path / "data", *arguments)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: kept.now().replace(tzinfo=None))
        started.append(kept)
        return kept
    yield start
    for kept in started:
        assert kept.server.stop() == 0, kept.server.output()


def deleted(kept):
    """What is stated of the deleted segments, once there is a statement."""
    return eventually("a beginning", lambda: (kept.journal / "beginning").exists()) and journal.beginning(kept.journal)


def test_old_segments_are_deleted_and_the_rest_is_proven(start, tmp_path):
    kept = start()
    kept.let_days_pass()
    segments = kept.segments()
    kept.advance(28 * DAY)
    begun = deleted(kept)
    eventually("the deletion", lambda: kept.segments()[0] == f"{begun['sequence'] + 1:016x}.log")
    left = kept.segments()
    assert segments[0] not in left and left[0] in segments and len(left) > 1
    code, told = verify(kept.server.directory)
    line = f"beginning: after record {begun['sequence']}; {begun['records']} records before it were deleted"
    assert code == 0 and line in told and "to be compared with --public-keys" in told, told
    keys = kept.public_keys(tmp_path / "keys.json")
    code, told = verify(kept.server.directory, "--public-keys", keys)
    assert code == 0 and line in told and "to be compared" not in told, told
    head = f"{begun['sequence']}:{begun['head']}"
    assert verify(kept.journal, "--head", head)[0] == 0
    code, told = verify(kept.journal, "--head", f"1:{'0' * 64}")
    assert code == 1 and "deleted with the journal's beginning" in told, told
    told = [record["serviceEventDetails"] for record in export(kept.journal, "--event-name", "DeleteJournalSegments")]
    assert told == [{"lastDeletedRecord": begun["sequence"], "deletedRecords": begun["records"]}]
    events = client_of(kept.server, kept.server.root_credentials(), "cloudtrail").lookup_events()["Events"]
    listed = [record for record in journal.records(kept.journal) if record["eventName"] == "ListKeys"]
    assert {record["eventID"] for record in listed} <= {event["EventId"] for event in events}
    kept.restart()
    kept.call("ListKeys")
    assert verify(kept.server.directory, "--public-keys", keys)[0] == 0
    assert journal.beginning(kept.journal) == begun


def forged(statement):
    """The same said by somebody else."""
    key = rsa.generate_private_key(65537, 2048)
    said = statement["beginning"]
    text = "\n".join(["keystead journal beginning", *(
        str(said[name]) for name in ("deployment", "sequence", "records", "outbox", "head", "deleted"))])
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return {**statement, "publicKey": der.hex(),
            "signature": key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()}


def test_a_beginning_that_somebody_else_deleted_is_refused(start, tmp_path):
    kept = start()
    kept.let_days_pass()
    kept.advance(28 * DAY)
    deleted(kept)
    keys = kept.public_keys(tmp_path / "keys.json")
    assert kept.server.stop() == 0
    statement = kept.journal / "beginning"
    text = statement.read_text()
    copy = shutil.copytree(kept.journal, tmp_path / "copy")
    (copy / "beginning").unlink()
    code, told = verify(copy)
    assert code == 1 and "it does not continue the segment before it" in told, told
    statement.write_text(json.dumps(forged(json.loads(text))))
    assert "to be compared with --public-keys" in verify(kept.journal)[1]
    code, told = verify(kept.journal, "--public-keys", keys)
    assert code == 1 and "which is not among those given" in told, told
    done = keystead.run("serve", "--data-dir", kept.server.directory, "--listen", "127.0.0.1:0",
                        "--admin-listen", "127.0.0.1:0")
    assert done.returncode == 1 and "which is none of this deployment" in done.stderr, done.stderr
    statement.write_text(text)
    kept.server.start()


def test_what_is_not_delivered_is_not_deleted(start, tmp_path):
    files = tmp_path / "trail"
    file = tmp_path / "keystead.toml"
    file.write_text(f'[trail]\nname = "audit"\ndirectory = "{files}"\ninterval = "1s"\n')
    kept = start("--config", file)
    kept.call("ListKeys")
    eventually("a delivery", lambda: list(files.rglob("*_CloudTrail_*.json.gz")))
    away = files.rename(tmp_path / "away")
    kept.let_days_pass()
    written = {record["eventID"] for record in journal.records(kept.journal)}
    kept.advance(60 * DAY)
    kept.jobs_have_run()
    assert not (kept.journal / "beginning").exists()
    away.rename(files)
    eventually("recovery", lambda: kept.server.admin("GET", "/readyz") == (200, "ready\n"), seconds=90)
    kept.advance(HOUR)
    deleted(kept)
    delivered = [record["eventID"] for path in files.rglob("*_CloudTrail_*.json.gz") for record in records_of(path)]
    assert written <= set(delivered) and len(delivered) == len(set(delivered))


@pytest.mark.parametrize("text", ["0", "36501", "-1", "thirty"])
def test_days_that_cannot_be_are_refused(tmp_path, text):
    done = keystead.run("serve", "--data-dir", tmp_path / "data", f"--journal-keep-days={text}")
    assert done.returncode == 2 and "a number of days from 1 to 36500" in done.stderr, done.stderr

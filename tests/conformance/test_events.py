"""Events: AWS's in AWS's form and our own, to a file and to webhooks, at least once and in order (docs/events.md)."""

import json
import re
import sqlite3
import time

import pytest

import journal
from conftest import client_of
from importing import ImportedKey, later, material_of
from key_servers import KeyServer, answer, table
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION, Server, binary, run
from receiving import Receiver, new_secret
from timed import DAY, eventually

ROTATION = "KMS CMK Rotation"
EXPIRATION = "KMS Imported Key Material Expiration"
DELETION = "KMS CMK Deletion"
SCHEDULED = "Keystead Key Deletion Scheduled"
DUE = "Keystead Key Deletion Due"
USED = "Keystead Use Of Key Pending Deletion"
TAMPERING = "Keystead Database Tampering"


class Told:
    """A server with sinks; `file` is one that is told of everything."""

    def __init__(self, folder, *tables, program=None):
        self.folder, self.file = folder, folder / "events.jsonl"
        self.config = folder / "keystead.toml"
        self.configure(*tables)
        self.server = Server(folder / "data", "--config", self.config, program=program)

    def configure(self, *tables):
        """Says what the next start is configured with."""
        self.config.write_text("".join([table("event_sink", name="log", file=self.file), *tables]))

    @property
    def kms(self):
        """The root user's client."""
        return client_of(self.server, self.server.root_credentials())

    def events(self, *detail_types):
        """What the file tells of these, in order."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if not detail_types or event["detail-type"] in detail_types]

    def wait_for(self, count, *detail_types):
        """The events of a kind, once there are so many."""
        eventually(f"{count} of {detail_types}", lambda: len(self.events(*detail_types)) >= count)
        return self.events(*detail_types)

    def rotated(self, count):
        """Rotates a fresh key so often; answers the ids of the events by the journal, in order."""
        key_id = self.kms.create_key()["KeyMetadata"]["KeyId"]
        for _ in range(count):
            self.kms.rotate_key_on_demand(KeyId=key_id)
        recorded = eventually("rotations", lambda: self.recorded(key_id, count))
        return [record["eventID"] for record in recorded]

    def recorded(self, key_id, count):
        """The records of a key's rotations once there are so many."""
        records = [record for record in journal.records(self.server.directory / "journal")
                   if record["eventName"] == "RotateKey" and record["serviceEventDetails"]["keyId"] == key_id]
        return records if len(records) == count else None

    def metric(self, name):
        """A value of /metrics; 0 where there is none yet."""
        _, text = self.server.admin("GET", "/metrics")
        found = re.search(rf"^{re.escape(name)} (.*)$", text, re.MULTILINE)
        return float(found[1]) if found else 0


@pytest.fixture(name="told")
def fixture_told(tmp_path):
    """A server that tells a file."""
    made = Told(tmp_path)
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(name="webhook")
def fixture_webhook(tmp_path):
    """A receiver, and the table that names it."""
    secret = new_secret()
    secret_file = tmp_path / "secret"
    secret_file.write_text(secret + "\n")
    receiver = Receiver(secret)
    receiver.table = table("event_sink", name="hook", webhook=receiver.url, secret_file=secret_file)
    yield receiver
    receiver.stop()


@pytest.fixture(name="hooked")
def fixture_hooked(tmp_path, webhook):
    """A server that tells a webhook too."""
    made = Told(tmp_path, webhook.table)
    yield made
    assert made.server.stop() == 0, made.server.output()


def event_of(record, detail_type, detail):
    """The event that a record must give."""
    return {"version": "0", "id": record["eventID"], "detail-type": detail_type, "source": "aws.kms",
            "account": ACCOUNT, "time": record["eventTime"], "region": REGION,
            "resources": [record["resources"][0]["ARN"]], "detail": detail}


def record_of(told, name):
    """The one record with a name."""
    [record] = [record for record in journal.records(told.server.directory / "journal")
                if record["eventName"] == name]
    return record


def test_a_rotation_is_told_as_aws_tells_it(told):
    key_id = told.kms.create_key()["KeyMetadata"]["KeyId"]
    before = told.kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
    told.kms.rotate_key_on_demand(KeyId=key_id)
    [event] = told.wait_for(1, ROTATION)
    after = told.kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert event == event_of(record_of(told, "RotateKey"), ROTATION, {
        "key-id": key_id, "key-origin": "AWS_KMS", "rotation-type": "ON_DEMAND",
        "previous-key-material-id": before, "current-key-material-id": after})


def test_an_expiry_is_told_as_aws_tells_it(told):
    key = ImportedKey(told.kms)
    key.bring(material_of("SYMMETRIC_DEFAULT"), ValidTo=later(seconds=3))
    [event] = told.wait_for(1, EXPIRATION)
    record = record_of(told, "DeleteExpiredKeyMaterial")
    assert event == event_of(record, EXPIRATION, {"key-id": key.key_id})


def test_a_deletion_is_told_as_aws_tells_it(tmp_path):
    told = Told(tmp_path, program=binary("KEYSTEAD_TEST_CLOCK_BINARY"))
    key_id = told.kms.create_key()["KeyMetadata"]["KeyId"]
    told.kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    told.wait_for(1, SCHEDULED)
    told.server.advance(6 * DAY + 60)
    [due] = told.wait_for(1, DUE)
    assert (due["account"], due["detail"]["key-id"]) == (ACCOUNT, key_id)
    told.server.advance(DAY)
    [event] = told.wait_for(1, DELETION)
    assert [each["detail-type"] for each in told.events()] == [SCHEDULED, DUE, DELETION]
    assert event == event_of(record_of(told, "DeleteKey"), DELETION, {"key-id": key_id})
    assert told.server.stop() == 0, told.server.output()


def test_who_uses_a_key_pending_deletion_is_told_once(told):
    kms = told.kms
    key = kms.create_key()["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    for _ in range(3):
        with pytest.raises(kms.exceptions.KMSInvalidStateException):
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    # What is told later shows that nothing more is to come.
    told.rotated(1)
    told.wait_for(1, ROTATION)
    scheduled, used = told.events(SCHEDULED, USED)
    assert scheduled["detail"]["pending-window-in-days"] == 7 and "deletion-date" in scheduled["detail"]
    assert (used["source"], used["resources"], used["account"]) == ("keystead", [key["Arn"]], ACCOUNT)
    assert used["detail"] == {
        "key-id": key["KeyId"], "event-name": "Encrypt", "source-ip-address": "127.0.0.1",
        "principal-arn": f"arn:aws:iam::{ACCOUNT}:root"}


def test_a_tampered_row_is_told(told):
    key_id = told.kms.create_key(Description="ours")["KeyMetadata"]["KeyId"]
    assert told.server.stop() == 0
    with sqlite3.connect(told.server.directory / "keystead.db") as database:
        assert database.execute("UPDATE keys SET description = 'theirs'").rowcount >= 1
    told.server.start()
    kms = told.kms
    for _ in range(2):
        with pytest.raises(kms.exceptions.KMSInternalException):
            kms.describe_key(KeyId=key_id)
    told.rotated(1)
    told.wait_for(1, ROTATION)
    [event] = told.events(TAMPERING)
    assert key_id in event["detail"]["row"]
    assert (event["source"], event["account"], event["region"]) == ("keystead", "0" * 12, "aws-global")


def test_events_are_signed_and_in_order(hooked, webhook):
    ids = hooked.rotated(5)
    eventually("all events", lambda: len(webhook.events) == 5)
    assert webhook.ids() == ids
    assert hooked.wait_for(5, ROTATION) == webhook.events
    sent = int(webhook.headers[-1]["webhook-timestamp"])
    assert abs(time.time() - sent) < 60


def test_what_is_not_taken_is_sent_again(hooked, webhook):
    webhook.statuses += [500, 302]
    ids = hooked.rotated(2)
    eventually("both events", lambda: len(webhook.events) == 2)
    assert (webhook.ids(), webhook.attempts) == (ids, 4)
    eventually("counts", lambda: hooked.metric('keystead_event_deliveries_total{sink="hook",result="delivered"}') == 2)
    assert hooked.metric('keystead_event_deliveries_total{sink="hook",result="failed"}') == 2
    assert hooked.metric(f'keystead_events_total{{detail_type="{ROTATION}"}}') == 2
    assert hooked.metric('keystead_events_waiting{sink="hook"}') == 0


def test_what_waits_outlives_kills_while_the_receiver_is_down(tmp_path, webhook):
    told = Told(tmp_path, webhook.table)
    webhook.stop()
    ids = []
    for _ in range(3):
        ids += told.rotated(2)
        told.server.kill()
        told.server.start()
    eventually("events that wait", lambda: told.metric('keystead_events_waiting{sink="hook"}') == 6)
    # It waits for one that does not come, and no call waits for it.
    assert told.kms.list_keys()["Keys"]
    again = Receiver(webhook.secret, webhook.port)
    eventually("all events", lambda: len(set(again.ids())) == 6, seconds=90)
    assert list(dict.fromkeys(again.ids())) == ids
    # The file had them all the time, perhaps one more than once.
    assert list(dict.fromkeys(event["id"] for event in told.events(ROTATION))) == ids
    assert told.server.stop() == 0, told.server.output()
    again.stop()
    assert not list((told.server.directory / "events/queue").iterdir())


def test_new_secrets_are_used_at_once(hooked, webhook, tmp_path):
    other = new_secret()
    hooked.rotated(1)
    eventually("the first", lambda: len(webhook.events) == 1)
    # Both sign while receivers change over.
    (tmp_path / "secret").write_text(f"{webhook.secret}\n{other}\n")
    hooked.rotated(1)
    eventually("the second", lambda: len(webhook.events) == 2)
    webhook.secret = other
    hooked.rotated(1)
    eventually("the third", lambda: len(webhook.events) == 3)
    assert len(webhook.headers[-1]["webhook-signature"].split(" ")) == 2


def test_only_the_host_that_is_believed_is_told(tmp_path):
    """A webhook over TLS whose certificate the configured authority did not sign is told nothing."""
    secret_file = tmp_path / "secret"
    secret_file.write_text(new_secret())
    ours, other = tmp_path / "ours", tmp_path / "other"
    for folder in (ours, other):
        folder.mkdir()
    server, stranger = KeyServer(ours), KeyServer(other)
    taken = []
    for each in (server, stranger):
        each.answers["/events"] = answer({})
        each.http.RequestHandlerClass.do_POST = lambda handler: (
            taken.append(handler.server.server_address[1]), answer({})(handler))
    tables = [table("event_sink", name=name, webhook=f"{each.url}/events", secret_file=secret_file,
                    ca_file=server.ca_file)
              for name, each in (("right", server), ("wrong", stranger))]
    told = Told(tmp_path, *tables)
    told.rotated(1)
    eventually("a failure", lambda: told.metric('keystead_event_deliveries_total{sink="wrong",result="failed"}'))
    eventually("a delivery", lambda: told.metric('keystead_event_deliveries_total{sink="right",result="delivered"}'))
    assert set(taken) == {server.port}
    assert told.server.stop() == 0, told.server.output()
    server.stop()
    stranger.stop()


def test_sinks_are_told_of_what_they_ask_for(tmp_path):
    files = {name: tmp_path / f"{name}.jsonl" for name in ("rotations", "others")}
    lists = f'detail_types = ["{ROTATION}"]\n', f'accounts = ["{OTHER_ACCOUNT}"]\n'
    tables = [table("event_sink", name=name, file=file) + more
              for (name, file), more in zip(files.items(), lists)]
    told = Told(tmp_path, *tables)
    key_id = told.kms.create_key()["KeyMetadata"]["KeyId"]
    told.kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    ids = told.rotated(1)
    told.wait_for(2, SCHEDULED, ROTATION)
    eventually("the rotation", files["rotations"].exists)
    assert [json.loads(line)["id"] for line in files["rotations"].read_text().splitlines()] == ids
    assert not files["others"].exists()
    assert told.server.stop() == 0, told.server.output()


def test_a_new_sink_is_told_of_what_comes(tmp_path):
    told = Told(tmp_path)
    told.rotated(1)
    told.wait_for(1, ROTATION)
    # For a life there is no sink at all, and then another one.
    told.config.write_text("")
    assert told.server.stop() == 0
    told.server.start()
    told.rotated(1)
    assert told.server.stop() == 0
    later_file = tmp_path / "later.jsonl"
    told.config.write_text(table("event_sink", name="later", file=later_file))
    told.server.start()
    ids = told.rotated(1)
    eventually("the rotation", later_file.exists)
    assert [json.loads(line)["id"] for line in later_file.read_text().splitlines()] == ids
    assert told.server.stop() == 0, told.server.output()


@pytest.mark.parametrize("lines, problem", [
    ('name = "a"\nfile = "/a"\nwebhook = "https://a"\n', "a sink is one file or one webhook"),
    ('name = "a"\nwebhook = "http://a.example.com"\nsecret_file = "/s"\n', "webhook is a URL with https"),
    ('name = "a"\nfile = "/a"\ndetail_types = ["KMS Rotation"]\n', "detail_types are those of"),
])
def test_what_is_no_sink_is_refused_at_the_start(tmp_path, lines, problem):
    file = tmp_path / "keystead.toml"
    file.write_text(f"[[event_sink]]\n{lines}")
    done = run("serve", "--data-dir", tmp_path / "data", "--config", file)
    assert done.returncode != 0 and f"{file}:1: {problem}" in done.stderr, done.stderr

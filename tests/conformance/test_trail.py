"""The delivered trail: AWS's own validator, unmodified, validates it and reports what was done to it."""

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import time

import pytest
from botocore.exceptions import ClientError

import journal
import keystead
from conftest import client_of
from folder import Bucket
from keystead import ACCOUNT, REGION
from test_cli import CLI

BUCKET = "audit-logs"
OTHER_REGION = "eu-west-1"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"
SECONDS_MAX = 30
CALLS = 40


class Trailed:
    """A server with a trail whose digests tell of two seconds each."""

    def __init__(self, folder):
        self.folder = folder
        self.files = folder / "bucket"
        file = folder / "keystead.toml"
        file.write_text(f'[trail]\nname = "audit"\n{self.destination()}interval = "1s"\ndigest_interval = "2s"\n')
        self.server = keystead.Server(folder / "data", "--config", file)
        self.credentials = self.server.root_credentials()
        self.cloudtrail = client_of(self.server, self.credentials, "cloudtrail")

    def destination(self):
        """Where files go, as the configuration says it."""
        return f'directory = "{self.files}"\nbucket = "{BUCKET}"\nprefix = "keystead"\n'

    def call(self, count):
        """Makes calls in two Regions, some of them refused."""
        for number in range(count):
            kms = client_of(self.server, self.credentials, region=(REGION, OTHER_REGION)[number % 2])
            with pytest.raises(kms.exceptions.NotFoundException):
                kms.describe_key(KeyId="alias/none")

    def log_files(self):
        """The log files by their names."""
        return [path for path in sorted(self.files.rglob("*.json.gz")) if "CloudTrail-Digest" not in str(path)]

    def delivered(self):
        """The ids of all events that were delivered."""
        return sorted(record["eventID"] for path in self.log_files() for record in records_of(path))

    def wait(self, what, reached):
        """Waits until something has happened."""
        deadline = time.monotonic() + SECONDS_MAX
        while not reached():
            assert time.monotonic() < deadline, f"{what}: {self.server.output()}"
            time.sleep(0.1)

    def wait_for_digests(self):
        """Waits until all that is recorded by now is in digests."""
        wanted = {record["eventID"] for record in journal.records(self.server.directory / "journal")}
        self.wait("no delivery", lambda: wanted <= set(self.delivered()))
        written = {path.relative_to(self.files).as_posix() for path in self.log_files()}
        self.wait("no digests", lambda: written <= digested(self.files))

    def keep(self):
        """A copy of all that was delivered, to spoil."""
        copy = self.folder / f"copy-{time.monotonic_ns()}"
        return shutil.copytree(self.files, copy)


def records_of(path):
    """The records of a log file."""
    return json.loads(gzip.decompress(path.read_bytes()))["Records"]


def digests_of(folder):
    """The digests by their names."""
    return [path for path in sorted(folder.rglob("*.json.gz")) if "CloudTrail-Digest" in str(path)]


def digested(folder):
    """The names of the log files that digests tell of."""
    return {file["s3Object"] for path in digests_of(folder)
            for file in json.loads(gzip.decompress(path.read_bytes()))["logFiles"]}


@pytest.fixture(name="trailed", scope="module")
def fixture_trailed(tmp_path_factory):
    """A trail with digests of two Regions."""
    made = Trailed(tmp_path_factory.mktemp("trail"))
    made.call(CALLS)
    made.wait_for_digests()
    made.call(2)
    made.wait_for_digests()
    yield made
    made.server.check()
    assert made.server.stop() == 0, made.server.output()


def validate(trailed, folder, *arguments):
    """What `aws cloudtrail validate-logs` says of a folder, read as the bucket."""
    bucket = Bucket(BUCKET, folder)
    try:
        return validate_from(trailed, bucket, *arguments)
    finally:
        bucket.shutdown()
        bucket.server_close()


def validate_from(trailed, bucket, *arguments):
    """What `aws cloudtrail validate-logs` says of a bucket."""
    access_key_id, secret_access_key = trailed.credentials
    environment = {"PATH": os.environ["PATH"], "HOME": str(trailed.folder), "AWS_DEFAULT_REGION": REGION,
                   "AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": secret_access_key,
                   "AWS_ENDPOINT_URL_CLOUDTRAIL": trailed.server.endpoint, "AWS_ENDPOINT_URL_S3": bucket.endpoint}
    done = subprocess.run(
        [CLI if CLI.is_file() else "aws", "cloudtrail", "validate-logs", "--trail-arn", ARN, "--verbose",
         "--start-time", "2026-01-01T00:00:00Z", *arguments],
        env=environment, text=True, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def in_region(paths, region):
    """The files of the account's trail in one Region."""
    return [path for path in paths if f"/{ACCOUNT}/" in str(path) and f"/{region}/" in str(path)]


def test_the_validator_of_aws_validates_the_trail(trailed):
    copy = trailed.keep()
    code, told = validate(trailed, copy)
    assert code == 0 and "INVALID" not in told, told
    counts = len(in_region(digested(copy), REGION)), len(in_region(digests_of(copy), REGION))
    for count, what in zip(counts, ("log", "digest")):
        assert count > 1 and f"{count}/{count} {what} files valid" in told, told


@pytest.mark.parametrize("tamper, said", [
    (lambda logs, _: change(logs[0], b'"readOnly":true', b'"readOnly":false'), "INVALID: hash value doesn't match"),
    (lambda logs, _: logs[0].unlink(), "INVALID: not found"),
    (lambda logs, _: swap(logs[0], logs[1]), "INVALID: hash value doesn't match"),
    (lambda _, digests: digests[1].unlink(), "INVALID: not found"),
    (lambda _, digests: swap(digests[1], digests[2]), "INVALID: has been moved from its original location"),
    (lambda _, digests: change(digests[1], b'"digestStartTime":"20', b'"digestStartTime":"19'), "INVALID: signature verification failed"),
], ids=["changed log file", "deleted log file", "swapped log files", "deleted digest", "swapped digests",
        "changed digest"])
def test_the_validator_of_aws_reports_tampering(trailed, tamper, said):
    copy = trailed.keep()
    digests = in_region(digests_of(copy), REGION)
    tamper([copy / name for name in in_region(sorted(digested(copy)), REGION)], digests)
    code, told = validate(trailed, copy)
    assert code == 1 and said in told, told


def change(path, old, new):
    """Changes a file's content."""
    content = gzip.decompress(path.read_bytes())
    assert old in content
    path.write_bytes(gzip.compress(content.replace(old, new, 1)))


def swap(one, other):
    """Each file under the name of the other, with its metadata."""
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])


def prove(folder, keys):
    """Exit code and text of `keystead audit verify-trail`."""
    done = keystead.run("audit", "verify-trail", folder, "--public-keys", keys)
    return done.returncode, done.stdout + done.stderr


def test_the_trail_is_proven_without_the_server(trailed):
    keys = trailed.folder / "public-keys.json"
    told = trailed.cloudtrail.list_public_keys(StartTime=1_767_225_600)["PublicKeyList"]
    keys.write_text(json.dumps({"PublicKeyList": [
        {"Value": base64.b64encode(key["Value"]).decode(), "Fingerprint": key["Fingerprint"]} for key in told]}))
    copy = trailed.keep()
    code, told = prove(copy, keys)
    assert code == 0, told
    assert re.match(rf"whole: \d+ records in {len(digested(copy))} log files, by {len(digests_of(copy))} digests\n", told)
    changed = in_region(sorted(digested(copy)), REGION)[0]
    change(copy / changed, b'"readOnly":true', b'"readOnly":false')
    code, told = prove(copy, keys)
    assert code == 1 and f"{changed}: its hash is not the one in its digest" in told, told
    keys.write_text(json.dumps({"PublicKeyList": []}))
    code, told = prove(copy, keys)
    assert code == 1 and "its public key is not among those given" in told, told
    code, told = prove(trailed.folder / "data", keys)
    assert code == 1 and "no digests here" in told, told


def test_each_record_is_delivered_once_to_its_account_and_region(trailed):
    trailed.wait_for_digests()
    delivered = trailed.delivered()
    assert len(delivered) == len(set(delivered))
    for path in trailed.log_files():
        parts = path.relative_to(trailed.files).parts
        assert parts[:2] == ("keystead", "AWSLogs") and parts[3] == "CloudTrail"
        for record in records_of(path):
            assert (record["recipientAccountId"], record["awsRegion"]) == (parts[2], parts[4])


def test_the_trail_is_told(trailed):
    told, = trailed.cloudtrail.describe_trails()["trailList"]
    assert (told["TrailARN"], told["S3BucketName"], told["S3KeyPrefix"]) == (ARN, BUCKET, "keystead")
    assert told["IsMultiRegionTrail"] and told["LogFileValidationEnabled"]
    assert trailed.cloudtrail.get_trail(Name="audit")["Trail"] == told
    assert trailed.cloudtrail.get_event_selectors(TrailName=ARN)["EventSelectors"] == [{
        "ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}]
    elsewhere = client_of(trailed.server, trailed.credentials, "cloudtrail", OTHER_REGION)
    assert elsewhere.describe_trails(trailNameList=[ARN])["trailList"] == [told]
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert trailed.cloudtrail.list_trails()["Trails"] == [{"TrailARN": ARN, "Name": "audit", "HomeRegion": REGION}]
    with pytest.raises(ClientError) as caught:
        trailed.cloudtrail.get_trail_status(Name="other")
    assert caught.value.response["Error"] == {
        "Code": "TrailNotFoundException", "Message": f"Unknown trail: other for the user: {ACCOUNT}"}


def test_a_range_of_keys_must_not_end_before_it_begins(trailed):
    with pytest.raises(ClientError) as caught:
        trailed.cloudtrail.list_public_keys(StartTime=2_000_000_000, EndTime=1_000_000_000)
    assert caught.value.response["Error"]["Code"] == "InvalidTimeRangeException"
    assert trailed.cloudtrail.list_public_keys(StartTime=1_000_000_000, EndTime=1_000_000_001)["PublicKeyList"] == []


def test_a_stopped_destination_is_shown_and_recovers_and_calls_are_answered_meanwhile(tmp_path):
    own = Trailed(tmp_path)
    own.call(2)
    own.wait_for_digests()
    away = own.files.rename(tmp_path / "away")
    own.call(2)
    own.wait("no failure", lambda: own.server.admin("GET", "/readyz") == (200, "ready\ntrail: failed\n"))
    assert own.cloudtrail.get_trail_status(Name=ARN)["LatestDeliveryError"] == "DestinationUnavailable"
    assert "trail_healthy 0" in own.server.admin("GET", "/metrics")[1]
    away.rename(own.files)
    own.wait("no recovery", lambda: own.server.admin("GET", "/readyz") == (200, "ready\n"))
    own.wait_for_digests()
    assert len(own.delivered()) == len(set(own.delivered()))
    assert "LatestDeliveryError" not in own.cloudtrail.get_trail_status(Name=ARN)
    assert own.server.stop() == 0


def test_a_killed_server_delivers_each_record_once(tmp_path):
    own = Trailed(tmp_path)
    for _ in range(4):
        own.call(10)
        time.sleep(0.7)
        own.server.process.kill()
        own.server.process.wait()
        own.server.start()
        own.cloudtrail = client_of(own.server, own.credentials, "cloudtrail")
    own.wait_for_digests()
    delivered = own.delivered()
    assert len(delivered) == len(set(delivered))
    code, told = validate(own, own.keep())
    assert code == 0 and "INVALID" not in told, told
    assert own.server.stop() == 0


@pytest.mark.parametrize("text, said", [
    ('[trail]\nname = "audit"', "a directory, with a bucket"),
    ('[trail]\ndirectory = "d"', "a name"),
    ('[trail]\nname = "../x"\ndirectory = "d"', "a name of 3 to 128"),
    ('[trail]\nname = "audit"\ndirectory = "d"\nprefix = "a/../b"', "without a slash at the ends"),
    ('[trail]\nname = "audit"\ndirectory = "d"\ninterval = "301s"', "from 1s to 300s"),
    ('[trail]\nname = "audit"\ndirectory = "d"\ncolour = "red"', "unknown setting"),
    ('trail = "audit"', "one table"),
])
def test_a_trail_that_cannot_be_is_refused(tmp_path, text, said):
    file = tmp_path / "keystead.toml"
    file.write_text(text)
    done = keystead.run("serve", "--data-dir", tmp_path / "data", "--config", file)
    assert done.returncode == 2 and said in done.stderr and f"{file}:" in done.stderr, done.stderr

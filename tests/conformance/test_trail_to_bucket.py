"""The trail delivered to a bucket of S3: validated from there, each object written once, through every failure."""

import json

import pytest

import keystead
from keystead import REGION
from test_trail import BUCKET, Trailed, digests_of, validate_from
from written import WrittenBucket

BUCKET_REGION = "eu-south-2"
SETTINGS = '[trail]\nname = "audit"\n'
TO_BUCKET = f'{SETTINGS}destination = "s3://logs"\n'


class TrailedToBucket(Trailed):
    """A server whose trail goes to a bucket."""

    def __init__(self, folder):
        self.bucket = WrittenBucket(BUCKET, folder / "bucket", BUCKET_REGION)
        self.credentials_file = folder / "trail-credentials"
        self.credentials_file.write_text(self.bucket.credentials_text("writer"))
        super().__init__(folder)

    def destination(self):
        return (f'destination = "s3://{BUCKET}/keystead"\nendpoint = "{self.bucket.endpoint}"\n'
                f'bucket_region = "{BUCKET_REGION}"\ncredentials_file = "{self.credentials_file}"\n'
                f'credentials_profile = "writer"\n')

    def readiness(self):
        """What /readyz says."""
        return self.server.admin("GET", "/readyz")

    def wait_for_failure(self):
        """Waits until the server shows that it cannot deliver."""
        self.wait("no failure", lambda: self.readiness() == (200, "ready\ntrail: failed\n"))

    def check(self):
        """Waits until all is delivered: once each, and as AWS's validator wants it."""
        self.wait("no recovery", lambda: self.readiness() == (200, "ready\n"))
        self.wait_for_digests()
        delivered = self.delivered()
        assert len(delivered) == len(set(delivered))
        assert set(self.bucket.stored.values()) == {1}
        code, told = validate_from(self, self.bucket)
        assert code == 0 and "INVALID" not in told and "digest files valid" in told, told

    def close(self):
        """Stops both; nothing told the secret."""
        assert self.server.stop() == 0, self.server.output()
        assert self.bucket.credentials.secret_key not in self.server.output()
        self.bucket.shutdown()
        self.bucket.server_close()


@pytest.fixture(name="trailed")
def fixture_trailed(tmp_path):
    """A server whose trail goes to a bucket, with some of it delivered."""
    made = TrailedToBucket(tmp_path)
    made.call(4)
    made.wait_for_digests()
    yield made
    made.close()


def test_the_validator_of_aws_validates_the_trail_in_the_bucket(trailed):
    trailed.check()
    digest = digests_of(trailed.files)[0]
    metadata = json.loads(digest.with_name(f"{digest.name}.metadata.json").read_text())
    assert set(metadata) == {"signature", "signature-algorithm"}
    assert metadata["signature-algorithm"] == "SHA256withRSA"
    told, = trailed.cloudtrail.describe_trails()["trailList"]
    assert (told["S3BucketName"], told["S3KeyPrefix"], told["HomeRegion"]) == (BUCKET, "keystead", REGION)


@pytest.mark.parametrize("status", [403, 503])
def test_a_store_that_refuses_is_shown_and_asked_again(trailed, status):
    trailed.bucket.status = status
    trailed.call(2)
    trailed.wait_for_failure()
    assert f"answered {status}" in trailed.server.output() and "SlowDown" in trailed.server.output()
    trailed.bucket.status = None
    trailed.check()


def test_credentials_are_read_anew(trailed):
    trailed.bucket.credentials.secret_key = "rotated/secret"
    trailed.call(2)
    trailed.wait_for_failure()
    assert "SignatureDoesNotMatch" in trailed.server.output()
    trailed.credentials_file.write_text(trailed.bucket.credentials_text("other"))
    trailed.wait("not read", lambda: "under [writer]" in trailed.server.output())
    trailed.credentials_file.write_text(trailed.bucket.credentials_text("writer"))
    trailed.check()


def test_an_object_whose_answer_was_lost_is_not_written_again(trailed):
    trailed.bucket.unanswered = lambda body: body
    trailed.call(2)
    trailed.wait_for_failure()
    trailed.bucket.unanswered = None
    trailed.check()


def test_an_object_of_somebody_else_is_not_taken_for_ones_own(trailed):
    spoiled = b" "
    trailed.bucket.unanswered = lambda body: body + spoiled
    trailed.call(1)
    trailed.wait_for_failure()
    trailed.bucket.unanswered = None
    trailed.wait("taken", lambda: "the bucket has another object of this name" in trailed.server.output())
    for key in list(trailed.bucket.stored):
        if (trailed.files / key).read_bytes().endswith(spoiled):
            (trailed.files / key).unlink()
            del trailed.bucket.stored[key]
    trailed.check()


def test_a_server_that_was_killed_while_it_wrote_goes_on(trailed):
    for _ in range(3):
        count = len(trailed.bucket.stored)
        trailed.bucket.answering.clear()
        trailed.call(3)
        trailed.wait("nothing written", lambda: len(trailed.bucket.stored) > count)  # pylint: disable=cell-var-from-loop
        trailed.server.process.kill()
        trailed.server.process.wait()
        trailed.bucket.answering.set()
        trailed.server.start()
    trailed.check()


@pytest.mark.parametrize("text, said", [
    (TO_BUCKET, "credentials_file: found nothing; expected a shared credentials file"),
    (f'{TO_BUCKET}directory = "d"', "a directory, with a bucket"),
    (f'{TO_BUCKET}bucket = "logs"', "a directory, with a bucket"),
    (f'{SETTINGS}directory = "d"\nendpoint = "https://a"', "a directory, with a bucket"),
    (f'{SETTINGS}destination = "s3://UPPER"', "a bucket of S3"),
    (f'{SETTINGS}destination = "s3://logs/a//b"', "a bucket of S3"),
    (f'{SETTINGS}destination = "logs"', "a bucket of S3"),
    (f'{TO_BUCKET}endpoint = "http://192.0.2.1"', "an https URL without a path"),
    (f'{TO_BUCKET}endpoint = "https://a.example.com/x"', "an https URL without a path"),
])
def test_a_destination_that_cannot_be_is_refused(tmp_path, text, said):
    file = tmp_path / "keystead.toml"
    file.write_text(text)
    done = keystead.run("serve", "--data-dir", tmp_path / "data", "--config", file)
    assert done.returncode == 2 and said in done.stderr and f"{file}:" in done.stderr, done.stderr

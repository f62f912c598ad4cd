"""The AWS CLI, with only the environment that the server itself printed."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keystead import ACCOUNT, REGION

CLI = Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(server, tmp_path):
    """Runs the CLI: what it printed as JSON, or its error text when `fails`."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file),
        "AWS_ENDPOINT_URL_KMS": server.endpoint, "AWS_ENDPOINT_URL_STS": server.endpoint,
    }

    def run(*arguments, fails=False):
        done = subprocess.run([CLI if CLI.is_file() else "aws", *arguments], env=environment, text=True,
                              cwd=tmp_path, capture_output=True, check=False, timeout=60)
        if fails:
            assert done.returncode not in (0, 252), done
            return done.stderr.strip()
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None
    return run


def test_the_first_walk(aws, tmp_path):
    key_id = aws("kms", "create-key")["KeyMetadata"]["KeyId"]
    # From a file, for version 1 of the CLI takes a text as it is and version 2 takes it as base64.
    (tmp_path / "hello").write_bytes(b"hello")
    blob = aws("kms", "encrypt", "--key-id", key_id, "--plaintext", "fileb://hello")["CiphertextBlob"]
    (tmp_path / "hello.encrypted").write_bytes(base64.b64decode(blob))
    plaintext = aws("kms", "decrypt", "--ciphertext-blob", "fileb://hello.encrypted")["Plaintext"]
    assert base64.b64decode(plaintext) == b"hello"


def test_who_am_i(aws):
    assert aws("sts", "get-caller-identity") == {
        "UserId": ACCOUNT, "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root"}


def test_the_daily_commands(aws, alias_name):
    metadata = aws("kms", "create-key", "--description", "by the CLI", "--tags",
                   "TagKey=team,TagValue=blue")["KeyMetadata"]
    key_id = metadata["KeyId"]
    assert aws("kms", "create-alias", "--alias-name", alias_name, "--target-key-id", key_id) is None
    assert aws("kms", "describe-key", "--key-id", alias_name)["KeyMetadata"] == metadata
    assert key_id in {entry["KeyId"] for entry in aws("kms", "list-keys")["Keys"]}
    assert aws("kms", "list-resource-tags", "--key-id", key_id)["Tags"] == [
        {"TagKey": "team", "TagValue": "blue"}]
    data_key = aws("kms", "generate-data-key", "--key-id", alias_name, "--key-spec", "AES_256",
                   "--encryption-context", "purpose=test")
    assert len(base64.b64decode(data_key["Plaintext"])) == 32
    assert aws("kms", "get-key-policy", "--key-id", key_id, "--policy-name", "default")["Policy"]
    aws("kms", "disable-key", "--key-id", key_id)
    aws("kms", "enable-key", "--key-id", key_id)
    aws("kms", "delete-alias", "--alias-name", alias_name)
    gone = aws("kms", "schedule-key-deletion", "--key-id", key_id, "--pending-window-in-days", "7")
    assert gone["KeyState"] == "PendingDeletion"
    assert aws("kms", "cancel-key-deletion", "--key-id", key_id)["KeyId"] == metadata["Arn"]


def test_pages_are_put_together(aws):
    for _ in range(3):
        aws("kms", "create-key")
    keys = aws("kms", "list-keys", "--page-size", "1")["Keys"]
    assert len(keys) == len({entry["KeyId"] for entry in keys}) >= 3


def test_errors_are_told_as_ever(aws, unknown_key_arn):
    said = aws("kms", "describe-key", "--key-id", unknown_key_arn, fails=True)
    assert said.endswith("An error occurred (NotFoundException) when calling the DescribeKey operation: "
                         f"Key '{unknown_key_arn}' does not exist")
    said = aws("kms", "encrypt", "--key-id", "alias/none-of-this-name", "--plaintext", "x",
               fails=True)
    assert "(NotFoundException)" in said

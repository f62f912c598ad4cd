"""AWS owned keys: unseen by every account, really used, rotated, and moved to by what an older directory holds."""

import json

import pytest
from botocore.exceptions import ClientError

import keystead
from conftest import client_of
from identities import User, allow, session_client
from keystead import ACCOUNT
from timed import eventually

NAMES = ["iam-access-keys", "sts-session-tokens"]
SYSTEM_ACCOUNT = "000000000000"


def report(directory):
    """What `keystead owned-keys` tells."""
    done = keystead.run("owned-keys", "--format", "json", "--data-dir", directory)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def access_keys(directory):
    """What it tells of the key that wraps secret access keys: secrets by version."""
    key = report(directory)["owned_keys"][0]
    assert key["name"] == "iam-access-keys"
    return {version["version"]: version["secrets"] for version in key["versions"]}


def rotate(directory, name="iam-access-keys"):
    """Rotates an owned key as the operator does."""
    done = keystead.run("owned-keys", "rotate", name, "--data-dir", directory)
    assert done.returncode == 0, done.stderr


def exported(directory, account):
    """The records that are told to an account."""
    done = keystead.run("audit", "export", directory, "--account-id", account)
    assert done.returncode == 0, done.stderr
    return done.stdout


def moved_to(directory, expected):
    """Waits until the secrets stand so."""
    eventually(f"secrets stand as {expected}", lambda: access_keys(directory) == expected)


@pytest.fixture
def user(own_server):
    """A user of IAM who may list keys."""
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    return User(own_server, iam).may(allow("kms:ListKeys"))


def test_the_report_tells_every_key(own_server, user):
    """With a server running or not; the root user's and the user's secret stand under the first version."""
    told = report(own_server.directory)
    assert [key["name"] for key in told["owned_keys"]] == NAMES
    assert told["secrets_under_domain_keys"] == 0
    assert access_keys(own_server.directory) == {1: 2}
    assert own_server.stop() == 0
    assert report(own_server.directory) == told
    text = keystead.run("owned-keys", "--data-dir", own_server.directory).stdout
    assert all(name in text for name in NAMES) and user.credentials[1] not in text


def test_no_account_sees_them(own_server):
    """They are listed nowhere, and naming one is naming a key that does not exist."""
    kms = client_of(own_server, own_server.root_credentials())
    assert kms.list_keys()["Keys"] == []
    for key in report(own_server.directory)["owned_keys"]:
        assert all(alias.get("TargetKeyId") != key["key_id"] for alias in kms.list_aliases()["Aliases"])
        for account in (ACCOUNT, SYSTEM_ACCOUNT):
            arn = f"arn:aws:kms:us-east-1:{account}:key/{key['key_id']}"
            nobody = f"{arn[:-12]}{'0' * 12}"
            for call in (kms.describe_key, kms.get_key_policy, kms.list_grants,
                         kms.schedule_key_deletion):
                with pytest.raises(ClientError) as refused:
                    call(KeyId=arn)
                with pytest.raises(ClientError) as of_nobody:
                    call(KeyId=nobody)
                told, expected = refused.value.response["Error"], of_nobody.value.response["Error"]
                assert told["Code"] == expected["Code"]
                assert told["Message"].replace(arn, nobody) == expected["Message"]


def test_a_rotation_moves_every_secret(own_server, user):
    """Both versions open what they wrapped, all goes to the newest, and the old one is destroyed."""
    rotate(own_server.directory)
    moved_to(own_server.directory, {2: 2})
    assert user.client().list_keys()["Keys"] == []
    own_server.stop()
    own_server.start()
    assert user.client().list_keys()["Keys"] == []
    told = exported(own_server.directory, SYSTEM_ACCOUNT)
    [event] = [event for event in map(json.loads, told.splitlines()) if event["eventName"] == "RotateKey"]
    assert event["serviceEventDetails"]["rotationType"] == "ON_DEMAND"
    assert SYSTEM_ACCOUNT not in exported(own_server.directory, ACCOUNT)


def test_a_crash_after_a_rotation_loses_no_key(own_server, user):
    """Whatever was moved by then, every secret is read at the next start, and moved."""
    rotate(own_server.directory)
    own_server.kill()
    own_server.start()
    assert user.client().list_keys()["Keys"] == []
    moved_to(own_server.directory, {2: 2})


def test_a_session_outlives_the_rotation_of_its_key(own_server):
    """The old version opens the tokens that it sealed; it stays until they have all ended."""
    sts = client_of(own_server, own_server.root_credentials(), "sts")
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    made = User(own_server, iam).may(allow("kms:ListKeys"))
    session = made.client("sts").get_session_token()["Credentials"]
    rotate(own_server.directory, "sts-session-tokens")
    assert session_client(own_server, session).list_keys()["Keys"] == []
    own_server.stop()
    own_server.start()
    assert session_client(own_server, session).list_keys()["Keys"] == []
    versions = report(own_server.directory)["owned_keys"][1]["versions"]
    assert [version["version"] for version in versions] == [1, 2]
    assert sts.meta.region_name


def test_an_unknown_name_is_refused(own_server):
    """And nothing changes."""
    done = keystead.run("owned-keys", "rotate", "another", "--data-dir", own_server.directory)
    assert done.returncode == 1 and "not an AWS owned key" in done.stderr
    assert access_keys(own_server.directory) == {1: 1}

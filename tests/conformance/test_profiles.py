"""Where clients get credentials from: profiles of the CLI and of boto3, programs, and sessions that are renewed."""

import datetime
import json
import os
import subprocess
import sys

import boto3
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session

from conftest import CONFIG
from identities import NO_IDENTITY_POLICY, User, allow, denied
from keystead import REGION
from test_cli import CLI
from test_iam_roles import Role


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def role(iam, user):
    """A role that the user may assume and that may list keys."""
    return Role(iam, user).may(allow("kms:ListKeys"))


@pytest.fixture
def profiles(server, role, tmp_path, monkeypatch):
    """Named profiles of the user, its role, and a program that prints a session of the role."""
    key_id, secret = role.user.credentials
    session = role.assume(name="by-process")["Credentials"]
    printed = tmp_path / "credentials.json"
    printed.write_text(json.dumps({"Version": 1, **session}, default=datetime.datetime.isoformat))
    program = tmp_path / "program.py"
    program.write_text(f"print(open({str(printed)!r}).read())")
    common = f"region = {REGION}\nendpoint_url = {server.endpoint}\n"
    config = tmp_path / "config"
    config.write_text(
        f"[profile user]\n{common}aws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
        f"[profile role]\n{common}role_arn = {role.arn}\nsource_profile = user\nrole_session_name = by-profile\n"
        f"[profile process]\n{common}credential_process = {sys.executable} {program}\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return {"user": role.user.arn, **{
        profile: f"{role.arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/by-{profile}"
        for profile in ("profile", "process")}}


PROFILES = {"user": "user", "role": "profile", "process": "process"}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_command_line_is_who_its_profile_says(profiles, profile):
    done = subprocess.run([CLI if CLI.is_file() else "aws", "--profile", profile, "sts", "get-caller-identity"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"] == profiles[PROFILES[profile]]


@pytest.mark.parametrize("profile", PROFILES)
def test_boto3_is_who_its_profile_says_and_may_what_that_may(profiles, profile):
    session = boto3.Session(profile_name=profile)
    assert session.client("sts", config=CONFIG).get_caller_identity()["Arn"] == profiles[PROFILES[profile]]
    kms = session.client("kms", config=CONFIG)
    if profile == "user":
        with denied("kms:ListKeys", NO_IDENTITY_POLICY.format("kms:ListKeys")):
            kms.list_keys()
    else:
        assert "Keys" in kms.list_keys()


def test_credentials_that_renew_themselves(server, role):
    """Each call finds the session about to expire, and assumes the role again."""
    names, almost_over = [], datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)

    def renew():
        names.append(f"renewed-{len(names)}")
        told = role.assume(name=names[-1])["Credentials"]
        return {"access_key": told["AccessKeyId"], "secret_key": told["SecretAccessKey"],
                "token": told["SessionToken"], "expiry_time": almost_over.isoformat()}

    session = get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(renew(), renew, "sts-assume-role")
    sts = boto3.Session(botocore_session=session).client(
        "sts", region_name=REGION, endpoint_url=server.endpoint, config=CONFIG)
    told = [sts.get_caller_identity()["Arn"].rsplit("/", 1)[1] for _ in range(2)]
    assert len(set(told)) == 2 and set(told) < set(names)

"""Policies over all accounts: service control, resource control, and that of the endpoint."""

import json
import os
import signal
import time

import pytest

import keystead
from conftest import client_of, policy, root_of, statement
from identities import User, denied, document, allow
from keystead import ACCOUNT, OTHER_ACCOUNT

ORGANIZATION = "o-a1b2c3d4e5"
UNIT = "ou-ab12-11111111"
HEAD = f"""
organization_id = "{ORGANIZATION}"

[[target]]
id = "r-ab12"
"""
OVER_OTHER = f"""
[[target]]
id = "{UNIT}"
parent = "r-ab12"
service_control_policies = ["FullAWSAccess", "unit.json"]

[[target]]
id = "{OTHER_ACCOUNT}"
parent = "{UNIT}"
"""
NOT_DELETED = document({"Effect": "Deny", "Action": ["kms:ScheduleKeyDeletion", "iam:CreateUser",
                                                     "sts:GetFederationToken"], "Resource": "*"})
BY_SERVICE_CONTROL = "with an explicit deny in a service control policy"
SECONDS_MAX = 20


class Guarded:
    """A server with a file of guard rails, and the root users of its two accounts."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "guard-rails.toml"
        self.write("")
        self.server = keystead.Server(folder / "data", "--guard-rails", self.file)
        made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", folder / "data",
                            "--access-key-id", "AKIAOTHERACCOUNT0001",
                            "--secret-access-key", "0123456789012345678901234567890123456789")
        assert made.returncode == 0, made.stderr
        self.root = self.server.root_credentials()
        self.other = ("AKIAOTHERACCOUNT0001", "0123456789012345678901234567890123456789")

    def client(self, credentials, service="kms"):
        """A client of one of the two root users."""
        return client_of(self.server, credentials, service)

    def write(self, text, **policies):
        """Writes the file and the policies that it names."""
        for name, policy_text in policies.items():
            (self.folder / f"{name}.json").write_text(policy_text)
        self.file.write_text(text)

    def apply(self, text, told="new guard rails in force", **policies):
        """The same, and waits until the server says what it thinks of them."""
        before = self.server.output().count(told)
        self.write(text, **policies)
        os.kill(self.server.process.pid, signal.SIGHUP)
        self.wait(told, before)

    def wait(self, told, before):
        """Waits until the server has said it once more than before."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.server.output().count(told) == before:
            assert time.monotonic() < deadline, self.server.output()
            time.sleep(0.01)


@pytest.fixture(name="guarded", scope="module")
def fixture_guarded(tmp_path_factory):
    running = Guarded(tmp_path_factory.mktemp("guarded"))
    yield running
    assert running.server.stop() == 0, running.server.output()


@pytest.fixture(name="key_arn")
def fixture_key_arn(guarded):
    """A key that both accounts may use."""
    guarded.apply("")
    made = guarded.client(guarded.root).create_key(Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT))))
    return made["KeyMetadata"]["Arn"]


def test_a_denial_binds_the_root_user_in_every_service(guarded):
    guarded.apply(HEAD + OVER_OTHER, unit=NOT_DELETED)
    kms = guarded.client(guarded.other)
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    with denied("kms:ScheduleKeyDeletion", BY_SERVICE_CONTROL):
        kms.schedule_key_deletion(KeyId=key_id)
    with denied("iam:CreateUser", BY_SERVICE_CONTROL):
        guarded.client(guarded.other, "iam").create_user(UserName="anna")
    with denied("sts:GetFederationToken", BY_SERVICE_CONTROL):
        guarded.client(guarded.other, "sts").get_federation_token(Name="anna")
    # Nobody can be kept from asking who they are, and accounts outside the unit are not limited.
    assert guarded.client(guarded.other, "sts").get_caller_identity()["Account"] == OTHER_ACCOUNT
    assert guarded.client(guarded.root, "iam").create_user(UserName="anna")


def test_a_level_without_full_access_allows_what_it_lists(guarded):
    only_kms = document(allow("kms:*"))
    guarded.apply(HEAD + OVER_OTHER.replace('"FullAWSAccess", ', ""), unit=only_kms)
    guarded.client(guarded.other).list_keys()
    with denied("iam:ListUsers", "because no service control policy allows the iam:ListUsers action"):
        guarded.client(guarded.other, "iam").list_users()


def test_an_account_that_is_no_target_lies_in_the_root(guarded):
    text = HEAD + 'service_control_policies = ["FullAWSAccess", "all.json"]\n'
    guarded.apply(text, all=NOT_DELETED)
    for credentials in (guarded.root, guarded.other):
        with denied("sts:GetFederationToken", BY_SERVICE_CONTROL):
            guarded.client(credentials, "sts").get_federation_token(Name="anna")


def test_the_management_account_is_not_limited(guarded):
    text = f'management_account = "{ACCOUNT}"\n{HEAD}' \
        'service_control_policies = ["FullAWSAccess", "all.json"]\n' \
        'resource_control_policies = ["mine.json"]\n'
    nobody = policy({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"})
    guarded.apply(text, all=NOT_DELETED, mine=nobody)
    assert guarded.client(guarded.root, "sts").get_federation_token(Name="anna")
    assert guarded.client(guarded.root).create_key()
    with denied("sts:GetFederationToken", BY_SERVICE_CONTROL):
        guarded.client(guarded.other, "sts").get_federation_token(Name="anna")


def test_service_control_is_of_the_callers_account_and_stronger_than_a_grant(guarded, key_arn):
    no_use = document({"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"})
    ours, theirs = guarded.client(guarded.root), guarded.client(guarded.other)
    user = User(guarded.server, guarded.client(guarded.other, "iam"))
    ours.create_grant(KeyId=key_arn, GranteePrincipal=user.arn, Operations=["Encrypt"])
    for client in (ours, theirs, user.client()):
        client.encrypt(KeyId=key_arn, Plaintext=b"x")
    guarded.apply(HEAD + OVER_OTHER, unit=no_use)
    ours.encrypt(KeyId=key_arn, Plaintext=b"x")
    for client in (theirs, user.client()):
        with denied("kms:Encrypt", BY_SERVICE_CONTROL):
            client.encrypt(KeyId=key_arn, Plaintext=b"x")


def test_resource_control_is_of_the_keys_account(guarded, key_arn):
    by_resource_control = "with an explicit deny in a resource control policy"
    strangers = policy({
        "Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}})
    text = HEAD + f'[[target]]\nid = "{ACCOUNT}"\nparent = "r-ab12"\n' \
        'resource_control_policies = ["mine.json"]\n'
    guarded.apply(text, mine=strangers)
    guarded.client(guarded.root).encrypt(KeyId=key_arn, Plaintext=b"x")
    theirs = guarded.client(guarded.other)
    with denied("kms:Encrypt", by_resource_control):
        theirs.encrypt(KeyId=key_arn, Plaintext=b"x")
    own = theirs.create_key()["KeyMetadata"]["Arn"]
    theirs.encrypt(KeyId=own, Plaintext=b"x")


def test_resource_control_reaches_roles(guarded):
    guarded.apply("")
    iam = guarded.client(guarded.root, "iam")
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="guarded", AssumeRolePolicyDocument=trust)["Role"]
    user = User(guarded.server, iam).may(allow("sts:AssumeRole"))
    request = {"RoleArn": role["Arn"], "RoleSessionName": "session"}
    user.client("sts").assume_role(**request)
    text = HEAD + 'resource_control_policies = ["mine.json"]\n'
    guarded.apply(text, mine=policy(
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}))
    with denied("sts:AssumeRole", f"on resource: {role['Arn']}"):
        user.client("sts").assume_role(**request)


def test_the_endpoint_lets_through_what_its_policy_allows(guarded, key_arn):
    through = policy({"Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"})
    guarded.apply('endpoint_policy = "endpoint.json"\n', endpoint=through)
    for credentials in (guarded.root, guarded.other):
        kms = guarded.client(credentials)
        kms.encrypt(KeyId=key_arn, Plaintext=b"x")
        with denied("kms:DescribeKey",
                    "because no VPC endpoint policy allows the kms:DescribeKey action"):
            kms.describe_key(KeyId=key_arn)


def test_an_explanation_knows_them_with_a_server_and_without(guarded, tmp_path):
    guarded.apply(HEAD + OVER_OTHER, unit=NOT_DELETED)
    arn = guarded.client(guarded.other).create_key()["KeyMetadata"]["Arn"]
    question = ["explain", "--principal", root_of(OTHER_ACCOUNT), "--key", arn,
                "--action", "kms:ScheduleKeyDeletion", "--format", "json"]

    def denied_by(*arguments):
        told = keystead.run(*question, *arguments)
        assert told.returncode == 0, told.stderr
        answer = json.loads(told.stdout)
        assert answer["decision"] == "explicitDeny", answer
        return told.stdout

    assert "ServiceControl" in denied_by("--data-dir", guarded.server.directory)
    # The file of settings is how a command without a server learns of them.
    settings = tmp_path / "keystead.toml"
    settings.write_text(f'data_dir = "{guarded.server.directory}"\nguard_rails = "{guarded.file}"\n')
    assert guarded.server.stop() == 0
    try:
        assert "ServiceControl" in denied_by("--config", settings)
    finally:
        guarded.server.start()


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/{UNIT}/*"}},
    {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
    {"ForAnyValue:StringEquals": {"aws:ResourceOrgPaths": f"{ORGANIZATION}/r-ab12/"}},
], ids=lambda condition: str(next(iter(condition.values()))))
def test_policies_know_the_organization(guarded, condition):
    guarded.apply("")
    ours = guarded.client(guarded.root)
    arn = ours.create_key(Policy=policy(
        statement(root_of(ACCOUNT)),
        statement(root_of(OTHER_ACCOUNT), Condition=condition)))["KeyMetadata"]["Arn"]
    theirs = guarded.client(guarded.other)
    with denied("kms:Encrypt", "because no resource-based policy allows the kms:Encrypt action"):
        theirs.encrypt(KeyId=arn, Plaintext=b"x")
    guarded.apply(HEAD + OVER_OTHER, unit=document(allow("*")))
    theirs.encrypt(KeyId=arn, Plaintext=b"x")


def test_a_changed_policy_is_read_without_being_told(guarded):
    guarded.apply(HEAD + OVER_OTHER, unit=document(allow("*")))
    sts = guarded.client(guarded.other, "sts")
    assert sts.get_federation_token(Name="anna")
    told = "new guard rails in force"
    before = guarded.server.output().count(told)
    # Of another length, so that it shows whatever the file system's clock.
    (guarded.folder / "unit.json").write_text(NOT_DELETED + "\n")
    guarded.wait(told, before)
    with denied("sts:GetFederationToken", BY_SERVICE_CONTROL):
        sts.get_federation_token(Name="anna")


def test_a_wrong_new_file_leaves_the_old_in_force(guarded):
    guarded.apply(HEAD + OVER_OTHER, unit=NOT_DELETED)
    guarded.apply(HEAD + OVER_OTHER, told="new guard rails refused", unit="{")
    sts = guarded.client(guarded.other, "sts")
    with denied("sts:GetFederationToken", BY_SERVICE_CONTROL):
        sts.get_federation_token(Name="anna")
    guarded.apply("")
    assert sts.get_federation_token(Name="anna")


@pytest.mark.parametrize(("text", "told"), [
    ("organisation_id = 1\n", ":1: unknown field `organisation_id`"),
    ("\n[[target]\n", ":2: "),
    ('management_account = "12"\n', ":1: an account has 12 digits"),
    ('[[target]]\nid = "r-ab12"\n', "targets without an organization"),
    (HEAD.replace("o-", "x-"), "x-a1b2c3d4e5: expected an organization id"),
    (HEAD + '[[target]]\nid = "ou-ab12-11111111"\n', "ou-ab12-11111111: it has no parent"),
    (HEAD + 'service_control_policies = []\n', "r-ab12: no service control policy is attached"),
    (HEAD + 'service_control_policies = ["absent.json"]\n', "absent.json: No such file"),
    (HEAD + 'service_control_policies = ["bad.json"]\n', "bad.json: not a service control policy"),
])
def test_a_wrong_file_is_refused_before_anything_is_opened(tmp_path, text, told):
    (tmp_path / "bad.json").write_text(json.dumps({"Statement": []}).replace("Statement", "States"))
    (tmp_path / "rails.toml").write_text(text)
    ended = keystead.run("serve", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0",
                         "--admin-listen", "127.0.0.1:0", "--guard-rails", tmp_path / "rails.toml")
    assert ended.returncode != 0
    assert "guard_rails: " in ended.stderr and told in ended.stderr, ended.stderr
    assert not (tmp_path / "data").exists()

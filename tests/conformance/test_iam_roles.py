"""Roles and their sessions: who may assume them, and what a session may do."""

import datetime
import json
import os
import re
import subprocess

import pytest

from conftest import client_of
from identities import NO_IDENTITY_POLICY, User, allow, denied, document, session_client, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from test_cli import CLI


def trust(principal, action="sts:AssumeRole", **members):
    """A trust policy with one statement."""
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **members})


class Role:
    """A role that one user may assume."""

    def __init__(self, iam, user, **more):
        self.iam, self.user, self.name = iam, user, unique("role")
        more.setdefault("AssumeRolePolicyDocument", trust({"AWS": user.arn}))
        self.described = iam.create_role(RoleName=self.name, **more)["Role"]
        self.arn, self.role_id = self.described["Arn"], self.described["RoleId"]

    def may(self, *statements):
        """Puts a policy of these statements."""
        self.iam.put_role_policy(RoleName=self.name, PolicyName="only",
                                 PolicyDocument=document(*statements))
        return self

    def assume(self, by=None, name="session", **more):
        """What AssumeRole answers."""
        sts = (by or self.user).client("sts")
        return sts.assume_role(RoleArn=self.arn, RoleSessionName=name, **more)

    def client(self, service="kms", **more):
        """A client that signs as a new session."""
        return session_client(self.user.server, self.assume(**more)["Credentials"], service)


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def role(iam, user):
    """A role that the user may assume, without policies."""
    return Role(iam, user)


def plain(user, arn):
    """The sentence for whoever may not assume a role, or names none."""
    return (f"User: {user.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}")


def test_a_role_is_told_as_it_was_made(iam, user):
    made = Role(iam, user, Path="/team/", Description="for tests", MaxSessionDuration=7200,
                Tags=[{"Key": "Team", "Value": "blue"}])
    told = made.described
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", told["RoleId"])
    assert told["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/{made.name}"
    assert told["MaxSessionDuration"] == 7200 and told["Description"] == "for tests"
    assert told["AssumeRolePolicyDocument"] == json.loads(trust({"AWS": user.arn}))
    assert iam.get_role(RoleName=made.name)["Role"] == {**told, "RoleLastUsed": {}}
    listed = iam.list_roles(PathPrefix="/team/")["Roles"]
    assert told["RoleId"] in [role["RoleId"] for role in listed]
    iam.update_role(RoleName=made.name, Description="changed")
    told = iam.get_role(RoleName=made.name)["Role"]
    assert (told["MaxSessionDuration"], told["Description"]) == (3600, "changed")
    assert iam.list_role_tags(RoleName=made.name)["Tags"] == [{"Key": "Team", "Value": "blue"}]


@pytest.mark.parametrize("policy", [
    "{}",
    document(allow("sts:AssumeRole")),
    trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"}),
    trust({"AWS": "999999999999"}),
    trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Resource="*"),
], ids=["empty", "identity", "nobody", "no-account", "resource"])
def test_a_trust_policy_that_is_none(iam, refused, policy):
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName=unique(), AssumeRolePolicyDocument=policy)


def test_a_session_is_decided_on_by_the_policies_of_its_role(role, key):
    kms = role.client()
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["KeyId"])
    role.may(allow("kms:DescribeKey"))
    kms.describe_key(KeyId=key["KeyId"])
    role.may(allow("kms:DescribeKey", effect="Deny"))
    with denied("kms:DescribeKey", "with an explicit deny in an identity-based policy"):
        kms.describe_key(KeyId=key["KeyId"])


def test_a_session_knows_itself(role):
    answer = role.assume(name="worker")
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", answer["Credentials"]["AccessKeyId"])
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/worker"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role.role_id}:worker", "Arn": arn}
    lasts = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=59) < lasts <= datetime.timedelta(hours=1)
    sts = session_client(role.user.server, answer["Credentials"], "sts")
    told = sts.get_caller_identity()
    assert (told["UserId"], told["Account"], told["Arn"]) == (f"{role.role_id}:worker", ACCOUNT, arn)


def test_who_is_not_named_may_not(server, iam, role, refused):
    stranger = User(server, iam).may(allow("sts:AssumeRole"))
    with refused("AccessDenied", plain(stranger, role.arn), 403):
        role.assume(by=stranger)
    missing = role.arn + "-missing"
    with refused("AccessDenied", plain(stranger, missing), 403):
        stranger.client("sts").assume_role(RoleArn=missing, RoleSessionName="session")


def test_an_account_in_a_trust_policy_leaves_it_to_identity_policies(iam, user, refused):
    role = Role(iam, user, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    with refused("AccessDenied", plain(user, role.arn), 403):
        role.assume()
    user.may(allow("sts:AssumeRole", role.arn))
    role.assume()
    user.may(allow("sts:*", effect="Deny"))
    with refused("AccessDenied", plain(user, role.arn), 403):
        role.assume()


def test_root_users_assume_no_roles(server, role, refused):
    sts = client_of(server, server.root_credentials(), "sts")
    with refused("AccessDenied", "Roles may not be assumed by root accounts.", 403):
        sts.assume_role(RoleArn=role.arn, RoleSessionName="session")


def test_a_changed_trust_policy_is_obeyed_at_once(iam, user, role, refused):
    role.assume()
    iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust(
        {"AWS": user.arn}, Condition={"StringEquals": {"sts:ExternalId": "agreed"}}))
    with refused("AccessDenied", plain(user, role.arn), 403):
        role.assume()
    with refused("AccessDenied", plain(user, role.arn), 403):
        role.assume(ExternalId="guessed")
    role.assume(ExternalId="agreed")


def test_a_session_policy_limits_and_does_not_allow(role, key):
    role.may(allow(["kms:DescribeKey", "kms:ListKeys"]))
    kms = role.client(Policy=document(allow(["kms:DescribeKey", "kms:CreateKey"])))
    kms.describe_key(KeyId=key["KeyId"])
    with denied("kms:ListKeys", "because no session policy allows the kms:ListKeys action"):
        kms.list_keys()
    with denied("kms:CreateKey", NO_IDENTITY_POLICY.format("kms:CreateKey")):
        kms.create_key()


def test_a_managed_session_policy_is_obeyed_as_it_is_in_force(iam, role, key):
    role.may(allow("kms:*"))
    arn = iam.create_policy(PolicyName=unique(),
                            PolicyDocument=document(allow("kms:DescribeKey")))["Policy"]["Arn"]
    kms = role.client(PolicyArns=[{"arn": arn}])
    kms.describe_key(KeyId=key["KeyId"])
    with denied("kms:ListKeys", "because no session policy allows the kms:ListKeys action"):
        kms.list_keys()
    iam.create_policy_version(PolicyArn=arn, SetAsDefault=True,
                              PolicyDocument=document(allow("kms:ListKeys")))
    kms.list_keys()
    with denied("kms:DescribeKey", "because no session policy allows the kms:DescribeKey action"):
        kms.describe_key(KeyId=key["KeyId"])
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    with denied("kms:ListKeys", "with an explicit deny in a session policy"):
        kms.list_keys()


def test_a_key_policy_names_a_session_a_role_or_neither(kms, role, key):
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/session"
    root = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
    for arn in (session, role.arn):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=document(root, {
            "Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:DescribeKey",
            "Resource": "*"}))
        role.client().describe_key(KeyId=key["KeyId"])
    kms.put_key_policy(KeyId=key["KeyId"], Policy=document(root))
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        role.client().describe_key(KeyId=key["KeyId"])


def test_session_tags_decide_and_need_permission(iam, user, kms, refused):
    role = Role(iam, user).may(allow("kms:DescribeKey", Condition={
        "StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}))
    key = kms.create_key(Tags=[{"TagKey": "Team", "TagValue": "blue"}])["KeyMetadata"]
    blue = [{"Key": "Team", "Value": "blue"}]
    with refused("AccessDenied", status=403):
        role.assume(Tags=blue)
    iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust(
        {"AWS": user.arn}, ["sts:AssumeRole", "sts:TagSession"]))
    role.client(Tags=blue).describe_key(KeyId=key["KeyId"])
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        role.client(Tags=[{"Key": "Team", "Value": "red"}]).describe_key(KeyId=key["KeyId"])


def test_a_chain_of_roles_hands_on_what_is_transitive(iam, user, kms, refused):
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    first = Role(iam, user, AssumeRolePolicyDocument=trust({"AWS": user.arn}, actions))
    second = Role(iam, user, MaxSessionDuration=7200,
                  AssumeRolePolicyDocument=trust({"AWS": first.arn}, actions))
    second.may(allow("kms:ListKeys", Condition={"StringEquals": {
        "aws:PrincipalTag/Team": "blue", "aws:SourceIdentity": "ada"}}))
    sts = first.client("sts", Tags=[{"Key": "Team", "Value": "blue"}], TransitiveTagKeys=["Team"],
                       SourceIdentity="ada")
    answer = sts.assume_role(RoleArn=second.arn, RoleSessionName="chained")
    assert answer["SourceIdentity"] == "ada"
    session_client(user.server, answer["Credentials"]).list_keys()
    with refused("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit "
                 "for roles assumed by role chaining."):
        sts.assume_role(RoleArn=second.arn, RoleSessionName="chained", DurationSeconds=7200)
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=second.arn, RoleSessionName="chained", SourceIdentity="bob")


@pytest.mark.parametrize(("more", "is_allowed"), [
    ({}, False),
    ({"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}, True),
    ({"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
      "Condition": {"StringEquals": {"sts:SourceIdentity": "ada"}}}, True),
    ({"Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
      "Condition": {"StringEquals": {"sts:SourceIdentity": "bob"}}}, False),
], ids=["not-permitted", "permitted", "permitted-for-it", "permitted-for-another"])
def test_a_source_identity_is_handed_on_with_permission_only(iam, user, refused, more, is_allowed):
    first = Role(iam, user, AssumeRolePolicyDocument=trust(
        {"AWS": user.arn}, ["sts:AssumeRole", "sts:SetSourceIdentity"]))
    second = Role(iam, user, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": first.arn}, "Action": "sts:AssumeRole", **more}))
    sts = first.client("sts", SourceIdentity="ada")
    if is_allowed:
        answer = sts.assume_role(RoleArn=second.arn, RoleSessionName="chained")
        assert answer["SourceIdentity"] == "ada"
        return
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=second.arn, RoleSessionName="chained")


def test_a_session_lasts_as_long_as_its_role_allows(role, refused):
    with refused("ValidationError",
                 "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        role.assume(DurationSeconds=3601)
    role.assume(DurationSeconds=900)


def test_a_deleted_role_ends_its_sessions_and_a_namesake_revives_none(iam, user, role, refused):
    role.may(allow("kms:ListKeys"))
    kms = role.client()
    kms.list_keys()
    iam.delete_role_policy(RoleName=role.name, PolicyName="only")
    iam.delete_role(RoleName=role.name)
    with refused("UnrecognizedClientException"):
        kms.list_keys()
    iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trust({"AWS": user.arn}))
    role.may(allow("kms:ListKeys"))
    with refused("UnrecognizedClientException"):
        kms.list_keys()


def test_a_boundary_limits_a_role(iam, role):
    role.may(allow("kms:*"))
    arn = iam.create_policy(PolicyName=unique(),
                            PolicyDocument=document(allow("kms:ListAliases")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=arn)
    kms = role.client()
    kms.list_aliases()
    with denied("kms:ListKeys", "because no permissions boundary allows the kms:ListKeys action"):
        kms.list_keys()
    iam.delete_role_permissions_boundary(RoleName=role.name)
    kms.list_keys()


def test_another_account_assumes_with_both_sides(server, iam, other_credentials, refused):
    theirs = User(server, client_of(server, other_credentials, "iam"))
    role = Role(iam, theirs)
    with refused("AccessDenied", plain(theirs, role.arn), 403):
        role.assume()
    theirs.may(allow("sts:AssumeRole", role.arn))
    identity = role.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT != OTHER_ACCOUNT


def test_a_session_is_recorded(role, record_of, key):
    role.may(allow("kms:DescribeKey"))
    answer = role.assume(name="worker")
    kms = session_client(role.user.server, answer["Credentials"])
    told = kms.describe_key(KeyId=key["KeyId"])
    identity = record_of(told["ResponseMetadata"]["RequestId"])["userIdentity"]
    created = identity["sessionContext"]["attributes"].pop("creationDate")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert identity == {
        "type": "AssumedRole", "principalId": f"{role.role_id}:worker",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/worker", "accountId": ACCOUNT,
        "accessKeyId": answer["Credentials"]["AccessKeyId"],
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": role.role_id, "arn": role.arn,
                              "accountId": ACCOUNT, "userName": role.name},
            "attributes": {"mfaAuthenticated": "false"}}}
    assumed = record_of(answer["ResponseMetadata"]["RequestId"])
    assert answer["Credentials"]["SecretAccessKey"] not in str(assumed)
    assert answer["Credentials"]["SessionToken"] not in str(assumed)
    assert assumed["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role",
                                     "ARN": role.arn}]


def test_the_command_line_assumes_a_role_by_its_profile(server, role, tmp_path, key):
    role.may(allow("kms:DescribeKey"))
    access_key_id, secret_access_key = role.user.credentials
    config = tmp_path / "config"
    config.write_text(f"""
[profile user]
region = {REGION}
endpoint_url = {server.endpoint}
aws_access_key_id = {access_key_id}
aws_secret_access_key = {secret_access_key}

[profile role]
region = {REGION}
endpoint_url = {server.endpoint}
role_arn = {role.arn}
source_profile = user
role_session_name = by-profile
""")
    environment = {"AWS_CONFIG_FILE": str(config), "HOME": str(tmp_path),
                   "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
                   "PATH": os.environ["PATH"]}
    done = subprocess.run([CLI if CLI.is_file() else "aws", "--profile", "role", "sts",
                           "get-caller-identity"], capture_output=True, text=True, check=False,
                          timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"].endswith(f"assumed-role/{role.name}/by-profile")


def test_who_is_deleted_is_named_by_its_unique_id_and_a_namesake_gains_nothing(iam, user, kms, key,
                                                                              refused):
    role = Role(iam, user).may(allow("kms:ListKeys"))
    name, root = user.name, f"arn:aws:iam::{ACCOUNT}:root"
    named = {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*",
             "Principal": {"AWS": [user.arn, role.arn]}}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=document(
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}, named))
    session = role.client()
    session.describe_key(KeyId=key["KeyId"])
    iam.delete_access_key(UserName=name, AccessKeyId=user.credentials[0])
    iam.delete_user(UserName=name)
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])
    assert policy["Statement"][1]["Principal"] == {"AWS": [user.user_id, role.arn]}
    trusted = iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]
    assert trusted["Statement"][0]["Principal"] == {"AWS": user.user_id}
    namesake = User(user.server, iam, name=name)
    assert namesake.arn == user.arn
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        namesake.client().describe_key(KeyId=key["KeyId"])
    with refused("AccessDenied", plain(namesake, role.arn), 403):
        role.assume(by=namesake)
    session.describe_key(KeyId=key["KeyId"])


def test_who_is_renamed_stays_named(iam, user, role, kms, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "kms:DescribeKey",
         "Resource": "*"}))
    renamed = unique("renamed")
    iam.update_user(UserName=user.name, NewUserName=renamed)
    user.client().describe_key(KeyId=key["KeyId"])
    role.assume()
    namesake = User(user.server, iam, name=user.name)
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        namesake.client().describe_key(KeyId=key["KeyId"])

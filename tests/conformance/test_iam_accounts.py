"""What is told of whole accounts: everybody with their policies, the rules for passwords, whose an access key is."""

import json

import pytest
from botocore import xform_name

from conftest import UNCHECKED, client_of
from identities import NO_IDENTITY_POLICY, User, allow, denied, unique
from keystead import ACCOUNT
from test_iam_roles import Role, trust

POWER_USER = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"


def details(iam, **wanted):
    """All pages of GetAccountAuthorizationDetails."""
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        PaginationConfig={"PageSize": 3}, **wanted)
    whole = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    for page in pages:
        assert sum(len(page[name]) for name in whole) <= 3
        for name, items in whole.items():
            items.extend(page[name])
    return whole


@pytest.fixture
def everybody(server, iam):
    """A user in a group, a role, and a policy of two versions that is attached to all of them."""
    statement = allow("kms:ListKeys")
    user = User(server, iam, Tags=[{"Key": "Team", "Value": "blue"}]).may(statement)
    role = Role(iam, user).may(statement)
    group = iam.create_group(GroupName=unique("group"))["Group"]
    iam.add_user_to_group(GroupName=group["GroupName"], UserName=user.name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document,
                               Description="for all")["Policy"]
    iam.create_policy_version(PolicyArn=policy["Arn"], PolicyDocument=document, SetAsDefault=True)
    iam.put_group_policy(GroupName=group["GroupName"], PolicyName="only", PolicyDocument=document)
    iam.attach_user_policy(UserName=user.name, PolicyArn=policy["Arn"])
    iam.attach_role_policy(RoleName=role.name, PolicyArn=policy["Arn"])
    iam.attach_group_policy(GroupName=group["GroupName"], PolicyArn=policy["Arn"])
    iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=POWER_USER)
    return user, role, group, policy


def named(items, member, name):
    """The one item of that name."""
    (found,) = [item for item in items if item[member] == name]
    return found


def test_everybody_is_told_with_all_policies(iam, everybody):
    user, role, group, policy = everybody
    attached = [{"PolicyName": policy["PolicyName"], "PolicyArn": policy["Arn"]}]
    inline = [{"PolicyName": "only", "PolicyDocument": {
        "Version": "2012-10-17", "Statement": [allow("kms:ListKeys")]}}]
    told = details(iam)

    of_user = named(told["UserDetailList"], "UserName", user.name)
    assert of_user["UserPolicyList"] == inline and of_user["AttachedManagedPolicies"] == attached
    assert of_user["GroupList"] == [group["GroupName"]]
    assert (of_user["Arn"], of_user["UserId"]) == (user.arn, user.user_id)
    assert of_user["Tags"] == [{"Key": "Team", "Value": "blue"}]

    of_role = named(told["RoleDetailList"], "RoleName", role.name)
    assert of_role["RolePolicyList"] == inline and of_role["AttachedManagedPolicies"] == attached
    assert of_role["AssumeRolePolicyDocument"] == json.loads(trust({"AWS": user.arn}))
    assert of_role["PermissionsBoundary"]["PermissionsBoundaryArn"] == POWER_USER
    assert of_role["InstanceProfileList"] == []

    of_group = named(told["GroupDetailList"], "GroupName", group["GroupName"])
    assert of_group["GroupPolicyList"] == inline
    assert of_group["AttachedManagedPolicies"] == attached

    of_policy = named(told["Policies"], "Arn", policy["Arn"])
    assert (of_policy["AttachmentCount"], of_policy["DefaultVersionId"]) == (3, "v2")
    assert of_policy["Description"] == "for all"
    versions = {version["VersionId"]: version["IsDefaultVersion"]
                for version in of_policy["PolicyVersionList"]}
    assert versions == {"v1": False, "v2": True}
    of_aws = named(told["Policies"], "Arn", POWER_USER)
    assert of_aws["PermissionsBoundaryUsageCount"] >= 1 and len(of_aws["PolicyVersionList"]) == 1


@pytest.mark.parametrize(("kind", "member"), [
    ("User", "UserDetailList"), ("Group", "GroupDetailList"), ("Role", "RoleDetailList"),
    ("LocalManagedPolicy", "Policies"), ("AWSManagedPolicy", "Policies")])
def test_only_what_is_asked_for_is_told(iam, everybody, kind, member):
    del everybody
    told = details(iam, Filter=[kind])
    assert [name for name, items in told.items() if items] == [member]
    if member == "Policies":
        owners = {policy["Arn"].split(":")[4] for policy in told["Policies"]}
        assert owners == {"aws" if kind == "AWSManagedPolicy" else ACCOUNT}


def test_a_marker_fits_its_own_filter_only(iam, everybody, refused):
    del everybody
    marker = iam.get_account_authorization_details(MaxItems=1)["Marker"]
    with refused("ValidationError", f"Invalid Marker: {marker}"):
        iam.get_account_authorization_details(MaxItems=1, Marker=marker, Filter=["User"])


def test_other_accounts_are_not_told_of(server, other_credentials, everybody):
    user, role, group, policy = everybody
    told = json.dumps(details(client_of(server, other_credentials, "iam")), default=str)
    for name in (user.name, role.name, group["GroupName"], policy["PolicyName"]):
        assert name not in told


def test_no_account_has_rules_for_passwords(iam, refused):
    with refused("NoSuchEntity",
                 f"The Password Policy with domain name {ACCOUNT} cannot be found.", 404):
        iam.get_account_password_policy()


def test_there_are_no_instance_profiles(server, iam, refused):
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    assert iam.list_instance_profiles(PathPrefix="/team/", MaxItems=1)["IsTruncated"] is False
    with refused("NoSuchEntity", "Instance Profile mine cannot be found.", 404):
        iam.get_instance_profile(InstanceProfileName="mine")
    arn = f"arn:aws:iam::{ACCOUNT}:instance-profile"
    limited = User(server, iam).may(allow("iam:GetInstanceProfile", f"{arn}/mine"),
                                    allow("iam:ListInstanceProfiles", f"{arn}/team/")).client("iam")
    with refused("NoSuchEntity", status=404):
        limited.get_instance_profile(InstanceProfileName="mine")
    limited.list_instance_profiles(PathPrefix="/team/")
    with denied("iam:GetInstanceProfile", NO_IDENTITY_POLICY.format("iam:GetInstanceProfile")):
        limited.get_instance_profile(InstanceProfileName="yours")
    with denied("iam:ListInstanceProfiles", NO_IDENTITY_POLICY.format("iam:ListInstanceProfiles")):
        limited.list_instance_profiles()


def test_whose_an_access_key_is(server, iam, refused):
    user = User(server, iam)
    access_key_id = user.credentials[0]
    sts = client_of(server, server.root_credentials(), "sts")
    assert sts.get_access_key_info(AccessKeyId=access_key_id)["Account"] == ACCOUNT
    iam.update_access_key(UserName=user.name, AccessKeyId=access_key_id, Status="Inactive")
    assert sts.get_access_key_info(AccessKeyId=access_key_id)["Account"] == ACCOUNT
    iam.delete_access_key(UserName=user.name, AccessKeyId=access_key_id)
    with refused("ValidationError", f"The access key ID {access_key_id} is not valid."):
        sts.get_access_key_info(AccessKeyId=access_key_id)


@pytest.mark.parametrize(("service", "call"), [
    ("iam", lambda iam: iam.get_account_authorization_details()),
    ("iam", lambda iam: iam.get_account_password_policy()),
    ("sts", lambda sts: sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")),
], ids=["details", "password-policy", "access-key-info"])
def test_each_needs_its_permission(server, iam, refused, service, call):
    user = User(server, iam)
    with refused("AccessDenied", status=403):
        call(user.client(service))


@pytest.fixture
def bare(iam):
    """The account without an alias, before and after."""
    def clear():
        for alias in iam.list_account_aliases()["AccountAliases"]:
            iam.delete_account_alias(AccountAlias=alias)
    clear()
    yield
    clear()


def test_an_account_has_one_alias(iam, bare):
    first, second = unique("first").lower(), unique("second").lower()
    iam.create_account_alias(AccountAlias=first)
    told = iam.list_account_aliases()
    assert told["AccountAliases"] == [first] and told["IsTruncated"] is False
    iam.create_account_alias(AccountAlias=second)
    assert iam.list_account_aliases()["AccountAliases"] == [second]
    iam.delete_account_alias(AccountAlias=second)
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_an_alias_is_of_one_account(server, iam, bare, other_credentials, refused):
    alias = unique("alias").lower()
    iam.create_account_alias(AccountAlias=alias)
    stranger = client_of(server, other_credentials, "iam")
    for taker in (stranger, iam):
        with refused("EntityAlreadyExists", f"The account alias {alias} already exists.", 409):
            taker.create_account_alias(AccountAlias=alias)
    with refused("NoSuchEntity", f"The account alias with name {alias} cannot be found.", 404):
        stranger.delete_account_alias(AccountAlias=alias)
    assert iam.list_account_aliases()["AccountAliases"] == [alias]
    assert stranger.list_account_aliases()["AccountAliases"] == []


@pytest.mark.parametrize("alias", ["ab", "Upper", "-a-b", "a--b", "ab-", "a_b", "a" * 64])
def test_an_alias_is_short_and_plain(server, bare, iam, alias, refused):
    by_root = client_of(server, server.root_credentials(), "iam", config=UNCHECKED)
    with refused("ValidationError"):
        by_root.create_account_alias(AccountAlias=alias)
    assert iam.list_account_aliases()["AccountAliases"] == []


@pytest.mark.parametrize("action", ["CreateAccountAlias", "DeleteAccountAlias", "ListAccountAliases"])
def test_aliases_need_their_permission(server, iam, bare, action):
    alias = unique("alias").lower()
    if action == "DeleteAccountAlias":
        iam.create_account_alias(AccountAlias=alias)
    asked = {} if action == "ListAccountAliases" else {"AccountAlias": alias}
    may, may_not = User(server, iam).may(allow(f"iam:{action}")), User(server, iam)

    def call(user):
        return getattr(user.client("iam"), xform_name(action))(**asked)
    with denied(f"iam:{action}", NO_IDENTITY_POLICY.format(f"iam:{action}")):
        call(may_not)
    call(may)

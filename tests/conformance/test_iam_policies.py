"""Managed policies with their versions, groups, and permissions boundaries: what they let their holders do."""

import concurrent.futures
import re

import pytest

from identities import NO_IDENTITY_POLICY, User, allow, denied, document, unique
from keystead import ACCOUNT

POWER_USER = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def managed(iam):
    """`managed(*statements)`: the ARN of a new managed policy."""
    def make(*statements, **more):
        made = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document(*statements),
                                 **more)
        return made["Policy"]["Arn"]
    return make


@pytest.fixture
def group(iam):
    """The name of a new group."""
    return iam.create_group(GroupName=unique("group"))["Group"]["GroupName"]


def test_a_managed_policy_is_told_as_it_was_made(iam):
    name = unique()
    made = iam.create_policy(PolicyName=name, Path="/team/", Description="for tests",
                             PolicyDocument=document(allow("kms:Encrypt")),
                             Tags=[{"Key": "Team", "Value": "blue"}])["Policy"]
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", made["PolicyId"])
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/team/{name}"
    assert made["DefaultVersionId"] == "v1" and made["AttachmentCount"] == 0
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"] == made
    listed = iam.list_policies(Scope="Local", PathPrefix="/team/")["Policies"]
    assert made["PolicyId"] in [policy["PolicyId"] for policy in listed]


def test_a_policy_name_is_taken_whatever_its_path(iam, managed, refused):
    name = managed(allow("kms:*")).rsplit("/", 1)[-1]
    with refused("EntityAlreadyExists", f"A policy called {name} already exists. "
                 "Duplicate names are not allowed.", 409):
        iam.create_policy(PolicyName=name, Path="/other/",
                          PolicyDocument=document(allow("kms:*")))


def test_a_malformed_or_long_policy_is_refused(iam, refused):
    with refused("MalformedPolicyDocument"):
        iam.create_policy(PolicyName=unique(), PolicyDocument="{}")
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409):
        iam.create_policy(PolicyName=unique(),
                          PolicyDocument=document(allow("kms:" + "x" * 6144)))


def test_an_attached_policy_is_obeyed_by_the_next_request(iam, user, managed, key):
    arn = managed(allow("kms:DescribeKey"))
    kms = user.client()
    for _ in range(3):
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
        kms.describe_key(KeyId=key["KeyId"])
        assert iam.list_attached_user_policies(UserName=user.name)["AttachedPolicies"] == [
            {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn}]
        iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
        with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
            kms.describe_key(KeyId=key["KeyId"])


def test_the_version_in_force_decides(iam, user, managed, refused):
    arn = managed(allow("kms:ListKeys"))
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    kms = user.client()
    kms.list_keys()
    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("kms:Get*")))
    assert second["PolicyVersion"]["VersionId"] == "v2"
    kms.list_keys()
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    with denied("kms:ListKeys", NO_IDENTITY_POLICY.format("kms:ListKeys")):
        kms.list_keys()
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    kms.list_keys()
    with refused("DeleteConflict", "Cannot delete the default version of a policy.", 409):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    third = iam.create_policy_version(PolicyArn=arn, SetAsDefault=True,
                                      PolicyDocument=document(allow("kms:Get*")))
    assert third["PolicyVersion"]["VersionId"] == "v3", "no number is given twice"
    with denied("kms:ListKeys", NO_IDENTITY_POLICY.format("kms:ListKeys")):
        kms.list_keys()
    told = iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]
    assert told["IsDefaultVersion"]
    assert told["Document"]["Statement"][0]["Action"] == "kms:Get*"


def test_a_policy_has_five_versions_at_most(iam, managed, refused):
    arn = managed(allow("kms:*"))
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("kms:*")))
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v1", "v2", "v3", "v4", "v5"]
    with refused("LimitExceeded", status=409):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("kms:*")))


def test_a_policy_is_deleted_when_nobody_has_it(iam, user, managed, refused):
    arn = managed(allow("kms:*"))
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409):
        iam.delete_policy(PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert entities["PolicyUsers"] == [{"UserName": user.name, "UserId": user.user_id}]
    iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found.", 404):
        iam.get_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404):
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)


def test_aws_ships_a_policy_for_power_users_of_kms(iam, user, refused):
    told = iam.get_policy(PolicyArn=POWER_USER)["Policy"]
    assert told["PolicyName"] == "AWSKeyManagementServicePowerUser"
    arns = [policy["Arn"] for policy in iam.list_policies(Scope="AWS")["Policies"]]
    assert POWER_USER in arns and not [arn for arn in arns if ACCOUNT in arn]
    iam.attach_user_policy(UserName=user.name, PolicyArn=POWER_USER)
    key = user.client().create_key()["KeyMetadata"]
    with denied("kms:ScheduleKeyDeletion", NO_IDENTITY_POLICY.format("kms:ScheduleKeyDeletion")):
        user.client().schedule_key_deletion(KeyId=key["KeyId"])
    with refused("AccessDenied", status=403):
        iam.delete_policy(PolicyArn=POWER_USER)


def test_a_group_gives_its_members_what_it_may(iam, user, group, managed, key):
    kms = user.client()
    inline = document(allow("kms:DescribeKey"))
    iam.put_group_policy(GroupName=group, PolicyName="only", PolicyDocument=inline)
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["KeyId"])
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    kms.describe_key(KeyId=key["KeyId"])
    iam.delete_group_policy(GroupName=group, PolicyName="only")
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["KeyId"])
    arn = managed(allow("kms:ListKeys"))
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    kms.list_keys()
    iam.create_policy_version(PolicyArn=arn, SetAsDefault=True,
                              PolicyDocument=document(allow("kms:ListKeys", effect="Deny")))
    with denied("kms:ListKeys", "with an explicit deny in an identity-based policy"):
        kms.list_keys()
    iam.remove_user_from_group(GroupName=group, UserName=user.name)
    with denied("kms:ListKeys", NO_IDENTITY_POLICY.format("kms:ListKeys")):
        kms.list_keys()


def test_a_group_is_told_with_its_members(iam, user, group, refused):
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    told = iam.get_group(GroupName=group)
    assert [member["UserId"] for member in told["Users"]] == [user.user_id]
    assert re.fullmatch(r"AGPA[A-Z2-7]{17}", told["Group"]["GroupId"])
    assert told["Group"] in iam.list_groups()["Groups"]
    assert iam.list_groups_for_user(UserName=user.name)["Groups"] == [told["Group"]]
    with refused("DeleteConflict", status=409):
        iam.delete_group(GroupName=group)
    with refused("DeleteConflict", status=409):
        iam.delete_access_key(UserName=user.name, AccessKeyId=user.credentials[0])
        iam.delete_user(UserName=user.name)
    iam.remove_user_from_group(GroupName=group, UserName=user.name)
    with refused("NoSuchEntity", status=404):
        iam.remove_user_from_group(GroupName=group, UserName=user.name)
    iam.delete_group(GroupName=group)
    with refused("NoSuchEntity", f"The group with name {group} cannot be found.", 404):
        iam.get_group(GroupName=group)


def test_a_boundary_limits_and_does_not_allow(iam, user, managed, key, refused):
    kms = user.client()
    arn = managed(allow("kms:DescribeKey"))
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=arn)
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["KeyId"])
    user.may(allow("kms:*"))
    kms.describe_key(KeyId=key["KeyId"])
    with denied("kms:ListKeys", "because no permissions boundary allows the kms:ListKeys action"):
        kms.list_keys()
    told = iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]
    assert told == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                    "PermissionsBoundaryArn": arn}
    with refused("DeleteConflict", status=409):
        iam.delete_policy(PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, SetAsDefault=True,
                              PolicyDocument=document(allow("kms:ListKeys")))
    kms.list_keys()
    with denied("kms:DescribeKey",
                "because no permissions boundary allows the kms:DescribeKey action"):
        kms.describe_key(KeyId=key["KeyId"])
    iam.delete_user_permissions_boundary(UserName=user.name)
    kms.describe_key(KeyId=key["KeyId"])


def test_a_delegate_can_be_held_to_give_a_boundary(iam, user, managed):
    arn = managed(allow("kms:*"))
    user.may(allow("iam:CreateUser",
                   Condition={"StringEquals": {"iam:PermissionsBoundary": arn}}))
    users = user.client("iam")
    users.create_user(UserName=unique(), PermissionsBoundary=arn)
    with denied("iam:CreateUser", NO_IDENTITY_POLICY.format("iam:CreateUser")):
        users.create_user(UserName=unique())


def test_a_delegate_can_be_held_to_attach_one_policy(user, managed, iam):
    allowed, other = managed(allow("kms:Get*")), managed(allow("kms:*"))
    user.may(allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": allowed}}))
    users = user.client("iam")
    users.attach_user_policy(UserName=user.name, PolicyArn=allowed)
    with denied("iam:AttachUserPolicy", NO_IDENTITY_POLICY.format("iam:AttachUserPolicy")):
        users.attach_user_policy(UserName=user.name, PolicyArn=other)


def test_both_sides_decide_across_accounts(iam, other, user):
    key = other.create_key()["KeyMetadata"]
    kms = user.client()
    user.may(allow("kms:DescribeKey", key["Arn"]))
    with denied("kms:DescribeKey",
                "because no resource-based policy allows the kms:DescribeKey action"):
        kms.describe_key(KeyId=key["Arn"])
    other.put_key_policy(KeyId=key["KeyId"], Policy=document(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{key['AWSAccountId']}:root"},
         "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "kms:DescribeKey",
         "Resource": "*"}))
    kms.describe_key(KeyId=key["Arn"])
    iam.delete_user_policy(UserName=user.name, PolicyName="only")
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["Arn"])


def test_a_revocation_is_obeyed_by_everybody_at_once(user, iam, key):
    clients = [user.client() for _ in range(16)]

    def is_allowed(client):
        try:
            client.describe_key(KeyId=key["KeyId"])
            return True
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException", error
            return False

    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        for _ in range(10):
            user.may(allow("kms:DescribeKey"))
            assert all(pool.map(is_allowed, clients))
            # Requests are under way while the policy goes; those that begin afterwards are refused.
            under_way = [pool.submit(is_allowed, client) for client in clients * 4]
            iam.delete_user_policy(UserName=user.name, PolicyName="only")
            later = [pool.submit(is_allowed, client) for client in clients * 4]
            assert not any(one.result() for one in later)
            concurrent.futures.wait(under_way)

"""Users, their access keys and their inline policies: made, changed, obeyed and recorded."""

import re

import pytest

from identities import NO_IDENTITY_POLICY, User, allow, denied, document, unique, user_arn
from conftest import client_of
from keystead import ACCOUNT


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


def test_a_user_is_told_as_it_was_made(iam):
    name = unique()
    made = iam.create_user(UserName=name, Path="/division/",
                           Tags=[{"Key": "Team", "Value": "blue"}])["User"]
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", made["UserId"])
    assert made["Arn"] == user_arn(name, "/division/")
    assert iam.get_user(UserName=name.upper())["User"] == made
    listed = iam.list_users(PathPrefix="/division/")["Users"]
    assert made["UserId"] in [user["UserId"] for user in listed]
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "Team", "Value": "blue"}]
    iam.tag_user(UserName=name, Tags=[{"Key": "TEAM", "Value": "red"}, {"Key": "a", "Value": ""}])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "TEAM", "Value": "red"},
                                                         {"Key": "a", "Value": ""}]
    iam.untag_user(UserName=name, TagKeys=["team"])
    assert iam.get_user(UserName=name)["User"]["Tags"] == [{"Key": "a", "Value": ""}]


@pytest.mark.parametrize("call", [
    lambda iam, name: iam.get_user(UserName=name),
    lambda iam, name: iam.delete_user(UserName=name),
    lambda iam, name: iam.update_user(UserName=name, NewPath="/x/"),
    lambda iam, name: iam.create_access_key(UserName=name),
    lambda iam, name: iam.list_access_keys(UserName=name),
    lambda iam, name: iam.list_user_policies(UserName=name),
    lambda iam, name: iam.put_user_policy(UserName=name, PolicyName="p",
                                          PolicyDocument=document(allow("kms:*"))),
], ids=["get", "delete", "update", "create-key", "list-keys", "list-policies", "put-policy"])
def test_a_user_who_does_not_exist(iam, refused, call):
    name = unique("nobody")
    with refused("NoSuchEntity", f"The user with name {name} cannot be found.", 404):
        call(iam, name)


def test_a_name_is_taken_whatever_its_case(iam, user, refused):
    name = user.name.upper()
    with refused("EntityAlreadyExists", f"User with name {name} already exists.", 409):
        iam.create_user(UserName=name)


def test_a_renamed_user_keeps_id_keys_and_policies(iam, user, kms, key):
    user.may(allow("kms:DescribeKey"))
    renamed = unique("renamed")
    iam.update_user(UserName=user.name, NewUserName=renamed, NewPath="/new/")
    told = iam.get_user(UserName=renamed)["User"]
    assert (told["UserId"], told["Arn"]) == (user.user_id, user_arn(renamed, "/new/"))
    assert user.client().describe_key(KeyId=key["KeyId"])["KeyMetadata"] == kms.describe_key(
        KeyId=key["KeyId"])["KeyMetadata"]
    assert user.client("sts").get_caller_identity()["Arn"] == user_arn(renamed, "/new/")


def test_a_user_is_deleted_when_nothing_is_left(iam, user, refused):
    user.may(allow("kms:*"))
    access_key_id, _ = user.credentials
    with refused("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409):
        iam.delete_user(UserName=user.name)
    iam.delete_access_key(UserName=user.name, AccessKeyId=access_key_id)
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first.", 409):
        iam.delete_user(UserName=user.name)
    iam.delete_user_policy(UserName=user.name, PolicyName="only")
    iam.delete_user(UserName=user.name)
    with refused("NoSuchEntity", status=404):
        iam.get_user(UserName=user.name)
    again = iam.create_user(UserName=user.name)["User"]
    assert again["UserId"] != user.user_id


def test_users_are_listed_in_pages(iam):
    path = f"/{unique('path')}/"
    names = sorted(unique() for _ in range(5))
    for name in names:
        iam.create_user(UserName=name, Path=path)
    first = iam.list_users(PathPrefix=path, MaxItems=2)
    assert first["IsTruncated"] and len(first["Users"]) == 2
    pages = iam.get_paginator("list_users").paginate(PathPrefix=path,
                                                     PaginationConfig={"PageSize": 2})
    assert [user["UserName"] for page in pages for user in page["Users"]] == names


def test_a_user_has_two_access_keys_at_most(iam, user, refused):
    second = iam.create_access_key(UserName=user.name)["AccessKey"]
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", second["AccessKeyId"])
    assert second["Status"] == "Active" and len(second["SecretAccessKey"]) == 40
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
        iam.create_access_key(UserName=user.name)
    listed = iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {second["AccessKeyId"], user.credentials[0]}


def test_an_inactive_access_key_signs_for_nobody(iam, user, refused):
    access_key_id, _ = user.credentials
    sts = user.client("sts")
    sts.get_caller_identity()
    iam.update_access_key(UserName=user.name, AccessKeyId=access_key_id, Status="Inactive")
    with refused("InvalidClientTokenId", status=403):
        sts.get_caller_identity()
    iam.update_access_key(UserName=user.name, AccessKeyId=access_key_id, Status="Active")
    sts.get_caller_identity()
    iam.delete_access_key(UserName=user.name, AccessKeyId=access_key_id)
    with refused("InvalidClientTokenId", status=403):
        sts.get_caller_identity()


def test_an_access_key_outlives_a_restart(own_server):
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    user = User(own_server, iam).may(allow("kms:ListKeys"))
    gone = iam.create_access_key(UserName=user.name)["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName=user.name, AccessKeyId=gone, Status="Inactive")
    assert own_server.stop() == 0
    own_server.start()
    assert user.client().list_keys()["Keys"] == []
    assert user.client("sts").get_caller_identity()["UserId"] == user.user_id


def test_a_user_knows_itself(user):
    identity = user.client("sts").get_caller_identity()
    assert (identity["UserId"], identity["Account"], identity["Arn"]) == (user.user_id, ACCOUNT,
                                                                          user.arn)
    user.may(allow("iam:GetUser", "arn:aws:iam::*:user/${aws:username}"))
    assert user.client("iam").get_user()["User"]["UserId"] == user.user_id


def test_a_user_without_policies_may_nothing(user, key):
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        user.client().describe_key(KeyId=key["KeyId"])
    with denied("kms:CreateKey", NO_IDENTITY_POLICY.format("kms:CreateKey")):
        user.client().create_key()
    with denied("iam:CreateUser", NO_IDENTITY_POLICY.format("iam:CreateUser")):
        user.client("iam").create_user(UserName=unique())


def test_a_policy_is_obeyed_by_the_next_request(iam, user, key):
    described = user.client()
    for _ in range(3):
        user.may(allow("kms:DescribeKey", key["Arn"]))
        described.describe_key(KeyId=key["KeyId"])
        iam.delete_user_policy(UserName=user.name, PolicyName="only")
        with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
            described.describe_key(KeyId=key["KeyId"])


def test_a_denial_wins(user, key):
    user.may(allow("kms:*"), name="first")
    user.may(allow("kms:Describe*", effect="Deny"), name="second")
    user.client().list_keys()
    with denied("kms:DescribeKey", "with an explicit deny in an identity-based policy"):
        user.client().describe_key(KeyId=key["KeyId"])


def test_an_inline_policy_is_told_as_it_was_put(iam, user, refused):
    text = document(allow("kms:Encrypt", Condition={"StringEquals": {"kms:CallerAccount": "1"}}))
    iam.put_user_policy(UserName=user.name, PolicyName="one", PolicyDocument=text)
    told = iam.get_user_policy(UserName=user.name, PolicyName="one")
    assert told["PolicyDocument"]["Statement"][0]["Action"] == "kms:Encrypt"
    assert iam.list_user_policies(UserName=user.name)["PolicyNames"] == ["one"]
    with refused("NoSuchEntity", "The user policy with name two cannot be found.", 404):
        iam.get_user_policy(UserName=user.name, PolicyName="two")
    with refused("MalformedPolicyDocument"):
        iam.put_user_policy(UserName=user.name, PolicyName="two", PolicyDocument="{}")
    long = document(allow(["kms:Encrypt" + "x" * 2048]))
    with refused("LimitExceeded",
                 f"Maximum policy size of 2048 bytes exceeded for user {user.name}", 409):
        iam.put_user_policy(UserName=user.name, PolicyName="two", PolicyDocument=long)


def test_tags_of_the_caller_decide(iam, user, kms):
    key = kms.create_key(Tags=[{"TagKey": "Team", "TagValue": "blue"}])["KeyMetadata"]
    user.may(allow("kms:DescribeKey", Condition={
        "StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}))
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        user.client().describe_key(KeyId=key["KeyId"])
    iam.tag_user(UserName=user.name, Tags=[{"Key": "Team", "Value": "blue"}])
    user.client().describe_key(KeyId=key["KeyId"])


def test_making_a_user_with_tags_needs_both_permissions(user):
    user.may(allow("iam:CreateUser"))
    users = user.client("iam")
    users.create_user(UserName=unique())
    with denied("iam:TagUser", NO_IDENTITY_POLICY.format("iam:TagUser")):
        users.create_user(UserName=unique(), Tags=[{"Key": "a", "Value": "b"}])


def test_a_key_policy_names_a_user(kms, user, other, key, refused):
    named = document({"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "kms:Describe*",
                      "Resource": "*"},
                     {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*",
                      "Resource": "*"})
    kms.put_key_policy(KeyId=key["KeyId"], Policy=named)
    user.client().describe_key(KeyId=key["KeyId"])
    nobody = named.replace(user.name, unique("nobody"))
    with refused("MalformedPolicyDocumentException",
                 "Policy contains a statement with one or more invalid principals."):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=nobody)


def test_a_user_is_recorded(user, record_of, key):
    answer = user.may(allow("kms:DescribeKey")).client().describe_key(KeyId=key["KeyId"])
    record = record_of(answer["ResponseMetadata"]["RequestId"])
    assert record["userIdentity"] == {
        "type": "IAMUser", "principalId": user.user_id, "arn": user.arn, "accountId": ACCOUNT,
        "accessKeyId": user.credentials[0], "userName": user.name}


def test_no_secret_is_recorded(iam, user, record_of):
    answer = iam.create_access_key(UserName=user.name)
    record = record_of(answer["ResponseMetadata"]["RequestId"])
    assert (record["eventSource"], record["eventName"]) == ("iam.amazonaws.com", "CreateAccessKey")
    assert answer["AccessKey"]["SecretAccessKey"] not in str(record)
    assert record["requestParameters"] == {"userName": user.name}


def test_a_refused_user_learns_nothing_of_another_account(server, user, other):
    key = other.create_key()["KeyMetadata"]
    user.may(allow("kms:*"))
    with denied("kms:DescribeKey",
                "because no resource-based policy allows the kms:DescribeKey action"):
        user.client().describe_key(KeyId=key["Arn"])


def test_the_account_is_summed_up(iam, refused, user):
    before = iam.get_account_summary()["SummaryMap"]
    iam.create_user(UserName=unique())
    after = iam.get_account_summary()["SummaryMap"]
    assert after["Users"] == before["Users"] + 1
    assert (after["AccessKeysPerUserQuota"], after["VersionsPerPolicyQuota"]) == (2, 5)
    with refused("AccessDenied", status=403):
        user.client("iam").get_account_summary()


@pytest.mark.parametrize("call", [
    lambda iam, name: iam.list_mfa_devices(UserName=name)["MFADevices"],
    lambda iam, name: iam.list_signing_certificates(UserName=name)["Certificates"],
    lambda iam, name: iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"],
    lambda iam, name: iam.list_service_specific_credentials(
        UserName=name)["ServiceSpecificCredentials"],
], ids=["mfa", "certificates", "ssh", "service-specific"])
def test_what_users_never_have(iam, user, refused, call):
    assert call(iam, user.name) == []
    with refused("NoSuchEntity", status=404):
        call(iam, unique("nobody"))
    with refused("NoSuchEntity", f"Login Profile for User {user.name} cannot be found.", 404):
        iam.get_login_profile(UserName=user.name)


def test_an_operation_that_is_not_built(iam, refused):
    with refused("InvalidAction", status=400):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=unique())

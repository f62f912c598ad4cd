"""Users, roles and their sessions as the principals of grants, and what becomes of grants when these go."""

import pytest

from conftest import client_of
from granting import grant, listed
from identities import NO_IDENTITY_POLICY, User, denied, session_client, unique
from test_iam_roles import Role, trust


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def role(iam, user):
    """A role that the user may assume, without policies."""
    return Role(iam, user)


def session_of(server, user, role):
    """A client that signs as a session of the role."""
    assumed = user.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="one")
    return session_client(server, assumed["Credentials"])


def delete(user):
    """Deletes a user who has nothing but access keys."""
    for key in user.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]:
        user.iam.delete_access_key(UserName=user.name, AccessKeyId=key["AccessKeyId"])
    user.iam.delete_user(UserName=user.name)


def may_not(client, key):
    """The grant is not the client's."""
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        client.describe_key(KeyId=key["KeyId"])


def test_a_user_needs_nothing_but_the_grant(server, iam, kms, user, key):
    may_not(user.client(), key)
    made = grant(kms, key, "DescribeKey", grantee=user.arn)
    user.client().describe_key(KeyId=key["KeyId"])
    may_not(User(server, iam).client(), key)
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    may_not(user.client(), key)


@pytest.mark.parametrize("named", ["role", "session", "another session"])
def test_a_session_has_the_grants_of_its_role_and_its_own(server, kms, user, role, key, named):
    sessions = role.arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    grantee = {"role": role.arn, "session": f"{sessions}/one", "another session": f"{sessions}/two"}[named]
    grant(kms, key, "DescribeKey", grantee=grantee)
    client = session_of(server, user, role)
    if named == "another session":
        may_not(client, key)
    else:
        client.describe_key(KeyId=key["KeyId"])


def test_a_namesake_of_a_deleted_user_has_none_of_its_grants(server, iam, kms, user, key):
    made = grant(kms, key, "DescribeKey", "RetireGrant", grantee=user.arn, RetiringPrincipal=user.arn)
    delete(user)
    told, = listed(kms, key)
    assert (told["GranteePrincipal"], told["RetiringPrincipal"]) == (user.user_id, user.user_id)
    assert told["GrantId"] == made["GrantId"]
    namesake = User(server, iam, user.name)
    assert namesake.arn == user.arn
    may_not(namesake.client(), key)
    with denied("kms:RetireGrant", NO_IDENTITY_POLICY.format("kms:RetireGrant")):
        namesake.client().retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    assert kms.list_retirable_grants(RetiringPrincipal=namesake.arn)["Grants"] == []
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])


def test_a_namesake_of_a_deleted_role_has_none_of_its_grants(server, iam, kms, user, role, key):
    grant(kms, key, "DescribeKey", grantee=role.arn)
    session_of(server, user, role).describe_key(KeyId=key["KeyId"])
    iam.delete_role(RoleName=role.name)
    assert listed(kms, key)[0]["GranteePrincipal"] == role.role_id
    iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trust({"AWS": user.arn}))
    may_not(session_of(server, user, role), key)


def test_a_renamed_user_keeps_its_grants(iam, kms, user, key):
    grant(kms, key, "DescribeKey", grantee=user.arn)
    iam.update_user(UserName=user.name, NewUserName=unique("renamed"))
    user.client().describe_key(KeyId=key["KeyId"])
    assert listed(kms, key)[0]["GranteePrincipal"].startswith(user.arn.rsplit("/", 1)[0] + "/renamed")


def test_what_a_deletion_did_to_grants_outlives_a_restart(own_server):
    credentials = own_server.root_credentials()
    kms, iam = client_of(own_server, credentials), client_of(own_server, credentials, "iam")
    key, user = kms.create_key()["KeyMetadata"], User(own_server, iam)
    grant(kms, key, "DescribeKey", grantee=user.arn)
    delete(user)
    assert own_server.stop() == 0
    own_server.start()
    kms = client_of(own_server, credentials)
    assert listed(kms, key)[0]["GranteePrincipal"] == user.user_id

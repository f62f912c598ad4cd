"""Sessions of users and federated users, and tokens that are not good: old, altered, borrowed or missing."""

import datetime

import pytest

from conftest import client_of
from identities import NO_IDENTITY_POLICY, User, allow, denied, document, session_client
from keystead import ACCOUNT

UNKNOWN = "The security token included in the request is invalid."


@pytest.fixture
def user(server, iam):
    """A user who may describe and list keys."""
    return User(server, iam).may(allow(["kms:DescribeKey", "kms:ListKeys",
                                        "sts:GetFederationToken"]))


@pytest.fixture
def session(user):
    """The credentials of a session of the user."""
    return user.client("sts").get_session_token()["Credentials"]


def test_a_session_of_a_user_is_the_user(user, session, record_of, key):
    kms = session_client(user.server, session)
    answer = kms.describe_key(KeyId=key["KeyId"])
    told = session_client(user.server, session, "sts").get_caller_identity()
    assert (told["UserId"], told["Arn"]) == (user.user_id, user.arn)
    identity = record_of(answer["ResponseMetadata"]["RequestId"])["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", user.name)
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    user.may(allow("kms:ListKeys"))
    with denied("kms:DescribeKey", NO_IDENTITY_POLICY.format("kms:DescribeKey")):
        kms.describe_key(KeyId=key["KeyId"])


def test_a_session_of_a_user_lasts_twelve_hours(session):
    lasts = session["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=11, minutes=59) < lasts <= datetime.timedelta(hours=12)


def test_a_session_of_a_root_user_lasts_an_hour(server):
    sts = client_of(server, server.root_credentials(), "sts")
    session = sts.get_session_token(DurationSeconds=7200)["Credentials"]
    lasts = session["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert lasts <= datetime.timedelta(hours=1)
    assert session_client(server, session).list_keys()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_session_of_a_user_manages_no_identities(user, session, refused):
    user.may(allow("*"))
    with refused("InvalidClientTokenId", status=403):
        session_client(user.server, session, "iam").get_user()
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials", 403):
        session_client(user.server, session, "sts").get_session_token()


def test_a_federated_user_may_what_both_allow(user, key):
    sts = user.client("sts")
    answer = sts.get_federation_token(Name="guest", Policy=document(allow(["kms:DescribeKey",
                                                                           "kms:CreateKey"])))
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:guest",
                                       "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest"}
    kms = session_client(user.server, answer["Credentials"])
    kms.describe_key(KeyId=key["KeyId"])
    with denied("kms:ListKeys", "because no session policy allows the kms:ListKeys action"):
        kms.list_keys()
    with denied("kms:CreateKey", NO_IDENTITY_POLICY.format("kms:CreateKey")):
        kms.create_key()


def test_a_federated_user_without_a_policy_may_nothing(user):
    answer = user.client("sts").get_federation_token(Name="guest")
    with denied("kms:ListKeys", "because no session policy allows the kms:ListKeys action"):
        session_client(user.server, answer["Credentials"]).list_keys()


def test_federating_needs_permission(user):
    user.may(allow("kms:*"))
    with denied("sts:GetFederationToken", NO_IDENTITY_POLICY.format("sts:GetFederationToken")):
        user.client("sts").get_federation_token(Name="guest")


@pytest.mark.parametrize("change", [
    lambda session, other: {**session, "SessionToken": session["SessionToken"][:-8] + "AAAAAAA="},
    lambda session, other: {**session, "SessionToken": "B" + session["SessionToken"][1:]},
    lambda session, other: {**session, "SessionToken": "AAAA"},
    lambda session, other: {**session, "SessionToken": "A" * 20_000},
    lambda session, other: {**session, "SessionToken": "not base64 at all"},
    lambda session, other: {**session, "SessionToken": other["SessionToken"]},
    lambda session, other: {**session, "AccessKeyId": other["AccessKeyId"]},
    lambda session, other: {**session, "SessionToken": None},
], ids=["cut", "first", "short", "long", "text", "borrowed", "renamed", "none"])
def test_a_token_that_is_not_the_sessions_own(user, session, refused, change):
    other = user.client("sts").get_session_token()["Credentials"]
    session_client(user.server, other).list_keys()
    session_client(user.server, session).list_keys()
    with refused("UnrecognizedClientException", UNKNOWN):
        session_client(user.server, change(session, other)).list_keys()


def test_a_token_beside_a_lasting_access_key(user, session, refused):
    access_key_id, secret_access_key = user.credentials
    with refused("UnrecognizedClientException", UNKNOWN):
        session_client(user.server, {**session, "AccessKeyId": access_key_id,
                                     "SecretAccessKey": secret_access_key}).list_keys()


def test_a_session_needs_its_own_secret(user, session, refused):
    _, secret_access_key = user.credentials
    with refused("InvalidSignatureException"):
        session_client(user.server,
                       {**session, "SecretAccessKey": secret_access_key}).list_keys()


def test_a_session_ends_when_its_time_is_over(timed, refused):
    server = timed.server
    user = User(server, client_of(server, server.root_credentials(), "iam"))
    user.may(allow("kms:ListKeys"))
    session = user.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    kms, sts = session_client(server, session), session_client(server, session, "sts")
    timed.advance(seconds=899)
    kms.list_keys()
    timed.advance(seconds=2)
    expired = "The security token included in the request is expired"
    with refused("ExpiredTokenException", expired):
        kms.list_keys()
    with refused("ExpiredToken", expired, 403):
        sts.get_caller_identity()


def test_a_session_outlives_a_restart_and_ends_with_its_user(own_server, refused):
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    user = User(own_server, iam).may(allow("kms:ListKeys"))
    session = user.client("sts").get_session_token()["Credentials"]
    assert own_server.stop() == 0
    own_server.start()
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    kms = session_client(own_server, session)
    assert kms.list_keys()["Keys"] == []
    iam.delete_user_policy(UserName=user.name, PolicyName="only")
    with denied("kms:ListKeys", NO_IDENTITY_POLICY.format("kms:ListKeys")):
        kms.list_keys()
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.credentials[0])
    iam.delete_user(UserName=user.name)
    with refused("UnrecognizedClientException", UNKNOWN):
        kms.list_keys()

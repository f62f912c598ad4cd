"""When access keys and roles were last used: GetAccessKeyLastUsed, and RoleLastUsed."""

import json
import os
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from conftest import client_of
from identities import User, allow, denied, session_client, unique
from keystead import ACCOUNT, REGION
from registering import Deployment, create_session, signed_request, user as by_hand
from signing import Caller
from test_cli import CLI
from test_iam_roles import Role
from timed import DAY, MINUTE

ELSEWHERE = "eu-west-1"
NEVER = {"ServiceName": "N/A", "Region": "N/A"}
CALLS = {"kms": "list_keys", "iam": "list_users", "sts": "get_caller_identity",
         "cloudtrail": "lookup_events"}
NO_POLICY = "because no identity-based policy allows the iam:GetAccessKeyLastUsed action"


@pytest.fixture
def ada(server, iam):
    """A user without policies."""
    return User(server, iam)


def last_used(iam, access_key_id):
    """What is told of an access key."""
    return iam.get_access_key_last_used(AccessKeyId=access_key_id)["AccessKeyLastUsed"]


def is_used(told, service, region=REGION, now=None):
    """It is told that this was just now, and to the second."""
    told = dict(told)
    used = told.pop("LastUsedDate")
    age = (now or datetime.now(timezone.utc)) - used
    assert timedelta(seconds=-1) < age < timedelta(seconds=30)
    assert used.microsecond == 0
    assert told == ({"ServiceName": service, "Region": region} if service else {"Region": region})


def ask(client):
    """A call that is refused to whoever has no policies, except by STS."""
    try:
        getattr(client, CALLS[client.meta.service_model.service_name])()
    except ClientError as error:
        assert "AccessDenied" in error.response["Error"]["Code"], error


def test_an_access_key_that_was_never_used(iam, ada):
    answer = iam.get_access_key_last_used(AccessKeyId=ada.credentials[0])
    answer.pop("ResponseMetadata")
    assert answer == {"UserName": ada.name, "AccessKeyLastUsed": NEVER}


@pytest.mark.parametrize("service", ["kms", "iam", "sts", "cloudtrail"])
def test_every_service_counts_whatever_it_answers(iam, ada, service):
    ask(ada.client(service))
    is_used(last_used(iam, ada.credentials[0]), service)
    ask(ada.client(service, ELSEWHERE))
    is_used(last_used(iam, ada.credentials[0]), service, ELSEWHERE)


def test_of_two_uses_the_last_is_told(iam, ada):
    for service, region in [("kms", REGION), ("sts", REGION), ("kms", ELSEWHERE), ("kms", REGION)]:
        ask(ada.client(service, region))
        is_used(last_used(iam, ada.credentials[0]), service, region)


def test_access_keys_of_one_user_are_told_apart(server, iam, ada):
    second = iam.create_access_key(UserName=ada.name)["AccessKey"]
    ask(ada.client("kms"))
    assert last_used(iam, second["AccessKeyId"]) == NEVER
    credentials = second["AccessKeyId"], second["SecretAccessKey"]
    client_of(server, credentials, "sts", ELSEWHERE).get_caller_identity()
    is_used(last_used(iam, second["AccessKeyId"]), "sts", ELSEWHERE)
    is_used(last_used(iam, ada.credentials[0]), "kms")


def test_what_is_not_signed_by_the_secret_does_not_count(server, iam, ada):
    stranger = Caller(server.port, ada.credentials[0], "not the secret")
    assert stranger.call("ListKeys", {}).error == "InvalidSignatureException"
    assert last_used(iam, ada.credentials[0]) == NEVER
    unknown = Caller(server.port, *ada.credentials)
    assert unknown.call("NoSuchOperation", {}).error == "UnknownOperationException"
    is_used(last_used(iam, ada.credentials[0]), "kms")


def test_temporary_access_keys_of_a_user_are_others(server, iam, ada):
    ada.may(allow("*"))
    temporary = ada.client("sts").get_session_token()["Credentials"]
    is_used(last_used(iam, ada.credentials[0]), "sts")
    session_client(server, temporary, region=ELSEWHERE).list_keys()
    is_used(last_used(iam, ada.credentials[0]), "sts")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        last_used(iam, temporary["AccessKeyId"])


def test_an_inactive_access_key_tells_its_last_use(iam, ada):
    access_key_id = ada.credentials[0]
    ask(ada.client("kms", ELSEWHERE))
    before = last_used(iam, access_key_id)
    iam.update_access_key(UserName=ada.name, AccessKeyId=access_key_id, Status="Inactive")
    with pytest.raises(ClientError, match="InvalidClientTokenId|UnrecognizedClient"):
        ada.client("sts").get_caller_identity()
    assert last_used(iam, access_key_id) == before
    iam.update_access_key(UserName=ada.name, AccessKeyId=access_key_id, Status="Active")
    assert last_used(iam, access_key_id) == before
    ask(ada.client("sts"))
    is_used(last_used(iam, access_key_id), "sts")


def test_the_root_user_has_no_user_name(server, iam):
    answer = iam.get_access_key_last_used(AccessKeyId=server.root_credentials()[0])
    assert "UserName" not in answer
    is_used(answer["AccessKeyLastUsed"], "iam")


def test_what_is_unknown_and_what_is_anothers_is_not_there(server, iam, ada, refused, other_credentials):
    other_iam = client_of(server, other_credentials, "iam")
    iam.delete_access_key(UserName=ada.name, AccessKeyId=ada.credentials[0])
    bob = User(server, iam)
    for client, access_key_id in [(iam, "AKIAIOSFODNN7EXAMPLE"), (iam, ada.credentials[0]),
                                  (iam, other_credentials[0]), (other_iam, bob.credentials[0])]:
        message = f"The Access Key with id {access_key_id} cannot be found."
        with refused("NoSuchEntity", message, 404):
            last_used(client, access_key_id)


def test_it_is_asked_for_as_its_user_is(server, iam, ada):
    stranger = User(server, iam)
    own = ada.may(allow("iam:GetAccessKeyLastUsed", ada.arn)).client("iam")
    is_used(last_used(own, ada.credentials[0]), "iam")
    for access_key_id, arn in [(stranger.credentials[0], stranger.arn),
                               (server.root_credentials()[0], f"arn:aws:iam::{ACCOUNT}:root"),
                               ("AKIAIOSFODNN7EXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/")]:
        with denied("iam:GetAccessKeyLastUsed", f"on resource: {arn} {NO_POLICY}"):
            last_used(own, access_key_id)
    iam.tag_user(UserName=stranger.name, Tags=[{"Key": "Team", "Value": "blue"}])
    ada.may(allow("iam:GetAccessKeyLastUsed",
                  Condition={"StringEquals": {"iam:ResourceTag/Team": "blue"}}))
    assert last_used(own, stranger.credentials[0]) == NEVER
    with denied("iam:GetAccessKeyLastUsed", NO_POLICY):
        last_used(own, ada.credentials[0])


def test_who_is_made_again_was_never_used(server, iam, ada):
    ask(ada.client("kms"))
    iam.delete_access_key(UserName=ada.name, AccessKeyId=ada.credentials[0])
    iam.delete_user(UserName=ada.name)
    again = User(server, iam, ada.name)
    assert last_used(iam, again.credentials[0]) == NEVER


def test_the_cli_tells_it(server, ada):
    ask(ada.client("kms", ELSEWHERE))
    access_key_id, secret = server.root_credentials()
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": secret,
                   "AWS_ENDPOINT_URL": server.endpoint, "AWS_DEFAULT_REGION": REGION}
    done = subprocess.run([CLI if CLI.is_file() else "aws", "iam", "get-access-key-last-used",
                           "--access-key-id", ada.credentials[0], "--output", "json"],
                          env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["UserName"] == ada.name
    is_used({**told["AccessKeyLastUsed"],
             "LastUsedDate": datetime.fromisoformat(told["AccessKeyLastUsed"]["LastUsedDate"])},
            "kms", ELSEWHERE)


def role_last_used(iam, role):
    """What GetRole tells; GetAccountAuthorizationDetails must tell the same, and ListRoles nothing."""
    told = iam.get_role(RoleName=role.name)["Role"]["RoleLastUsed"]
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"])
    [detail] = [one for page in pages for one in page["RoleDetailList"]
                if one["RoleId"] == role.role_id]
    assert detail["RoleLastUsed"] == told
    pages = iam.get_paginator("list_roles").paginate()
    [listed] = [one for page in pages for one in page["Roles"] if one["RoleId"] == role.role_id]
    assert "RoleLastUsed" not in listed
    return told


def test_a_role_is_used_when_its_session_calls(iam, ada):
    role = Role(iam, ada)
    assert "RoleLastUsed" not in role.described
    assert role_last_used(iam, role) == {}
    session = role.assume()["Credentials"]
    assert role_last_used(iam, role) == {}, "assuming a role is a use of whoever assumes it"
    is_used(last_used(iam, ada.credentials[0]), "sts")
    for service, region in [("sts", REGION), ("kms", ELSEWHERE)]:
        ask(session_client(ada.server, session, service, region))
        is_used(role_last_used(iam, role), None, region)
    is_used(last_used(iam, ada.credentials[0]), "sts")


def test_a_role_that_is_made_again_was_never_used(iam, ada):
    role = Role(iam, ada)
    role.client("sts").get_caller_identity()
    assert role_last_used(iam, role) != {}
    iam.delete_role(RoleName=role.name)
    made = iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=json.dumps(
        role.described["AssumeRolePolicyDocument"]))["Role"]
    assert iam.get_role(RoleName=made["RoleName"])["Role"]["RoleLastUsed"] == {}


def test_a_request_that_a_service_shows_counts(tmp_path):
    deployment = Deployment(tmp_path)
    try:
        server = deployment.server
        s3 = deployment.service("s3")
        iam = client_of(server, server.root_credentials(), "iam")
        ada = User(server, iam)
        signed = signed_request(by_hand(s3.port, ada.credentials, "s3"))
        answer = create_session(s3, {"Request": signed})
        assert answer.status == 200, answer.body
        is_used(last_used(iam, ada.credentials[0]), "s3")
        # What the service does as the user is no signature of the user's.
        before = last_used(iam, ada.credentials[0])
        s3.call("ListKeys", {}, token=answer.json["ForwardAccessToken"])
        assert last_used(iam, ada.credentials[0]) == before
    finally:
        deployment.server.stop()


class Place:
    """What is used on a server that is started again."""

    def __init__(self, server):
        self.server = server
        self.ada = User(server, self.iam)
        self.bob = User(server, self.iam)
        self.role = Role(self.iam, self.ada)
        self.unused = Role(self.iam, self.ada)

    @property
    def iam(self):
        """IAM, called by the root user where the server is now."""
        return client_of(self.server, self.server.root_credentials(), "iam", ELSEWHERE)

    def use(self):
        """Uses one user and one role."""
        ask(self.ada.client("sts"))
        self.role.client("sts").get_caller_identity()

    def told(self):
        """All that is told of them."""
        return (*(last_used(self.iam, one.credentials[0]) for one in (self.ada, self.bob)),
                *(role_last_used(self.iam, one) for one in (self.role, self.unused)))


def test_uses_are_kept_across_restarts(own_server):
    place = Place(own_server)
    place.use()
    before = place.told()
    of_ada, of_bob, of_role, of_unused = before
    is_used(of_ada, "sts")
    is_used(of_role, None)
    assert (of_bob, of_unused) == (NEVER, {})
    place.iam.update_access_key(UserName=place.ada.name, AccessKeyId=place.ada.credentials[0],
                                Status="Inactive")
    for _ in range(2):
        assert own_server.stop() == 0
        own_server.start()
        assert place.told() == before
    access_key_id = own_server.root_credentials()[0]
    is_used(last_used(place.iam, access_key_id), "iam", ELSEWHERE)


def test_uses_survive_a_crash_after_a_minute(timed):
    place = Place(timed.server)
    place.use()
    before = place.told()
    timed.advance(MINUTE + 1)
    timed.jobs_have_run()
    timed.server.kill()
    timed.server.start()
    timed.began_anew()
    assert place.told() == before


def test_the_last_use_of_a_role_is_told_for_400_days(timed):
    place = Place(timed.server)
    place.use()
    used = place.told()
    timed.advance(400 * DAY - MINUTE)
    assert place.told()[2] == used[2]
    timed.advance(2 * MINUTE)
    of_ada, _, of_role, _ = place.told()
    assert of_role == {}
    assert of_ada == used[0], "an access key tells it for ever"


def test_names_that_are_given_again(own_server):
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    name = unique("user")
    first = User(own_server, iam, name)
    ask(first.client("sts"))
    assert own_server.stop() == 0
    own_server.start()
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    is_used(last_used(iam, first.credentials[0]), "sts")
    iam.delete_access_key(UserName=name, AccessKeyId=first.credentials[0])
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        last_used(iam, first.credentials[0])
    assert own_server.stop() == 0
    own_server.start()
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    second = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    assert last_used(iam, second) == NEVER

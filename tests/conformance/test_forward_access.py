"""Forward access sessions: a service calls as the user whose request it serves, and nobody else does."""

import base64
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

import journal
import keystead
from conftest import client_of, policy, root_of, statement
from identities import User, allow, document, unique
from keystead import ACCOUNT
from registering import Deployment, create_session, presigned_request, signed_request, user

ROOT = statement(root_of(ACCOUNT))
VIA = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A server with services."""
    made = Deployment(tmp_path_factory.mktemp("services"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(scope="module")
def s3(deployment):
    """The service s3."""
    return deployment.service("s3")


@pytest.fixture(scope="module")
def queue(deployment):
    """Another service, which may carry two actions."""
    return deployment.service("queue")


@pytest.fixture(scope="module")
def root(deployment):
    """The account's root user, by API."""
    credentials = deployment.server.root_credentials()
    return {name: client_of(deployment.server, credentials, name) for name in ("kms", "iam", "sts")}


@pytest.fixture(scope="module")
def key(root):
    """A key of the account."""
    return root["kms"].create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def ada(deployment, root):
    """A user who may do everything with keys, through s3 alone."""
    return User(deployment.server, root["iam"]).may(allow("kms:*", Condition=VIA))


def asked_by_user(s3, ada, **parameters):
    """A session that the user asks for."""
    return create_session(user(s3.port, ada.credentials), {"Service": "s3", **parameters})


def asked_by_service(s3, ada, **parameters):
    """A session that the service asks for with a request that the user signed."""
    signed = signed_request(user(s3.port, ada.credentials, "s3"))
    return create_session(s3, {"Request": signed, **parameters})


def token_of(answer):
    """The token of a session."""
    assert answer.status == 200, answer.body
    return answer.json["ForwardAccessToken"]


def encrypt(service, key, token=None, **options):
    """Encrypts as a service, or as the user behind it."""
    return service.call("Encrypt", {"KeyId": key, "Plaintext": "AA=="}, token=token, **options)


@pytest.mark.parametrize("ask", [asked_by_user, asked_by_service])
def test_a_service_calls_as_the_user(s3, ada, key, ask):
    """What the user may do through the service only; directly it is refused."""
    token = token_of(ask(s3, ada))
    assert encrypt(s3, key, token).status == 200
    assert encrypt(s3, key).error == "AccessDeniedException"
    direct = user(s3.port, ada.credentials).call("Encrypt", {"KeyId": key, "Plaintext": "AA=="})
    assert direct.error == "AccessDeniedException"


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:CalledViaFirst": "s3.amazonaws.com"}},
    {"StringEquals": {"aws:CalledViaLast": "s3.amazonaws.com"}},
    {"ForAnyValue:StringEquals": {"aws:CalledVia": "s3.amazonaws.com"}},
    {"Bool": {"aws:ViaAWSService": "true", "aws:PrincipalIsAWSService": "false"}},
    {"Null": {"aws:SourceIp": "true", "aws:SourceArn": "true"}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT, "aws:PrincipalType": "User"}},
], ids=lambda condition: next(iter(next(iter(condition.values())))))
def test_conditions_know_the_way(s3, ada, key, condition):
    """The keys of a call through a service; its principal is the user."""
    ada.may(allow("kms:Encrypt", Condition=condition))
    token = token_of(asked_by_service(s3, ada))
    # The resource is not the token's: a source is the service's own affair.
    assert encrypt(s3, key, token, source=f"arn:aws:s3:::{ACCOUNT}:b").status == 200


def test_a_grant_through_a_service_is_for_its_resource(s3, ada, key):
    """kms:GrantIsForAWSResource, true only here."""
    ada.may(allow("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}))
    grant = {"KeyId": key, "GranteePrincipal": ada.arn, "Operations": ["Encrypt"]}
    assert user(s3.port, ada.credentials).call("CreateGrant", grant).error == "AccessDeniedException"
    assert s3.call("CreateGrant", grant, token=token_of(asked_by_service(s3, ada))).status == 200


def test_a_service_lists_and_revokes_the_grants_of_a_resource(s3, ada, key):
    """What AWS's services do as the user, who may do it through a service alone."""
    for_resource = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    ada.may(*(allow(f"kms:{name}Grant{s}", Condition=for_resource)
              for name, s in (("Create", ""), ("List", "s"), ("Revoke", ""))))
    token = token_of(asked_by_service(s3, ada))
    grant = {"KeyId": key, "GranteePrincipal": ada.arn, "Operations": ["Decrypt"]}
    made = s3.call("CreateGrant", grant, token=token).json["GrantId"]
    direct = user(s3.port, ada.credentials)
    assert direct.call("ListGrants", {"KeyId": key}).error == "AccessDeniedException"
    listed = s3.call("ListGrants", {"KeyId": key}, token=token).json["Grants"]
    assert made in [grant["GrantId"] for grant in listed]
    revoke = {"KeyId": key, "GrantId": made}
    assert direct.call("RevokeGrant", revoke).error == "AccessDeniedException"
    narrow = token_of(asked_by_service(s3, ada, Actions=["kms:ListGrants"]))
    assert s3.call("RevokeGrant", revoke, token=narrow).error == "AccessDeniedException"
    assert s3.call("RevokeGrant", revoke, token=token).status == 200
    listed = s3.call("ListGrants", {"KeyId": key}, token=token).json["Grants"]
    assert made not in [grant["GrantId"] for grant in listed]


@pytest.mark.parametrize("region, suffix", [("cn-north-1", ".cn"), ("us-gov-west-1", ""), ("eu-west-1", "")])
@pytest.mark.parametrize("is_presigned", [False, True])
def test_the_way_is_named_as_in_its_partition(deployment, s3, ada, region, suffix, is_presigned):
    """kms:ViaService ends in .cn in China and nowhere else, whichever way the user signed."""
    key = client_of(deployment.server, deployment.server.root_credentials(),
                    region=region).create_key()["KeyMetadata"]["Arn"]
    caller = user(s3.port, ada.credentials, "s3")
    caller.region = region
    service = replace(s3, region=region)
    token = token_of(create_session(s3, {"Request": presigned_request(caller) if is_presigned
                                         else signed_request(caller)}))
    for named, expected in [(suffix, 200), (".com" if suffix else ".cn", 400)]:
        via = f"s3.{region}.amazonaws.com{named}"
        ada.may(allow("kms:Encrypt", Condition={"StringEquals": {"kms:ViaService": via}}))
        assert encrypt(service, key, token).status == expected, named
    assert encrypt(s3, key, token).error == "AccessDeniedException"


def test_a_session_is_held_to_its_actions(s3, queue, ada, key):
    """Neither others of KMS, nor those that the service is not registered for."""
    token = token_of(asked_by_service(s3, ada, Actions=["kms:Decrypt"]))
    assert encrypt(s3, key, token).error == "AccessDeniedException"
    whole = token_of(asked_by_service(s3, ada))
    for operation, parameters in [("DisableKey", {"KeyId": key}), ("ListKeys", {}),
                                  ("CreateKey", {})]:
        refused = s3.call(operation, parameters, token=whole)
        assert (refused.error, "no forward access session" in refused.message) == (
            "AccessDeniedException", True)
    refused = create_session(user(s3.port, ada.credentials),
                             {"Service": "queue", "Actions": ["kms:Encrypt"]})
    assert refused.error == "AccessDeniedException"
    carried = token_of(create_session(user(s3.port, ada.credentials), {"Service": "queue"}))
    assert encrypt(queue, key, carried).error == "AccessDeniedException"


def test_a_token_is_worth_nothing_elsewhere(s3, queue, ada, key):
    """With another service, in another Region, changed, or shown by the user."""
    token = token_of(asked_by_service(s3, ada))
    assert encrypt(queue, key, token).error == "UnrecognizedClientException"
    sealed = bytearray(base64.b64decode(token))
    sealed[-1] ^= 1
    changed = base64.b64encode(bytes(sealed)).decode()
    for wrong in (changed, "", "AAAA", "?", token[:-8]):
        assert encrypt(s3, key, wrong).error == "UnrecognizedClientException", wrong
    far = s3.call("ListGrants", {"KeyId": key}, token=token, scope={"region": "eu-central-1"})
    assert far.error == "AccessDeniedException"
    session = create_session(user(s3.port, ada.credentials), {"Service": "s3", "Request": {}})
    assert session.error == "ValidationException"


def test_a_user_who_loses_a_right_loses_it_at_once(s3, ada, key):
    """And so does one whose access key or whose self is gone."""
    token = token_of(asked_by_service(s3, ada))
    assert encrypt(s3, key, token).status == 200
    ada.may(allow("kms:Decrypt"))
    assert encrypt(s3, key, token).error == "AccessDeniedException"
    ada.may(allow("kms:Encrypt"))
    assert encrypt(s3, key, token).status == 200
    status = {"UserName": ada.name, "AccessKeyId": ada.credentials[0]}
    ada.iam.update_access_key(**status, Status="Inactive")
    assert encrypt(s3, key, token).error == "UnrecognizedClientException"
    assert asked_by_service(s3, ada).error == "UnrecognizedClientException"
    ada.iam.update_access_key(**status, Status="Active")
    assert encrypt(s3, key, token).status == 200


@pytest.mark.parametrize("action, expected", [("kms:Encrypt", None),
                                              ("kms:Decrypt", "AccessDeniedException")])
def test_a_session_is_forwarded_with_its_policy(deployment, s3, root, key, action, expected):
    """The session policy narrows what the service does as the role; without its token it is nobody's."""
    ada = User(deployment.server, root["iam"]).may(allow("sts:AssumeRole"))
    trust = document({"Effect": "Allow", "Principal": {"AWS": ada.arn}, "Action": "sts:AssumeRole"})
    role = root["iam"].create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]
    root["iam"].put_role_policy(RoleName=role["RoleName"], PolicyName="all",
                                PolicyDocument=document(allow("kms:*")))
    made = ada.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="forwarded",
                                         Policy=document(allow(action)))["Credentials"]
    caller = user(s3.port, (made["AccessKeyId"], made["SecretAccessKey"]), "s3")
    signed = signed_request(caller, token=made["SessionToken"])
    answer = encrypt(s3, key, token_of(create_session(s3, {"Request": signed})))
    assert (answer.error if answer.status >= 400 else None) == expected
    tokenless = create_session(s3, {"Request": signed_request(caller)})
    assert tokenless.error == "UnrecognizedClientException"


@pytest.mark.parametrize("change", [
    {"Method": "PUT"}, {"Path": "/bucket/another"}, {"Query": "acl="}, {"PayloadHash": "0" * 64}])
def test_another_request_than_the_signed_one_is_refused(s3, ada, change):
    """The server verifies what the service says that it received."""
    signed = signed_request(user(s3.port, ada.credentials, "s3"))
    answer = create_session(s3, {"Request": {**signed, **change}})
    assert answer.error in ("InvalidSignatureException", "IncompleteSignatureException"), answer.body


@pytest.mark.parametrize("scope", ["kms", "iam", "sts", "queue"])
def test_a_request_to_somebody_else_makes_no_session(s3, ada, scope):
    """A captured call of this server, or of another service, is worth nothing."""
    signed = signed_request(user(s3.port, ada.credentials, scope))
    assert create_session(s3, {"Request": signed}).error == "InvalidSignatureException"


def test_the_record_names_the_user_and_the_service(deployment, s3, ada, key):
    """CloudTrail's members of a call through a service."""
    made = asked_by_service(s3, ada)
    answer = encrypt(s3, key, token_of(made))
    records = {record.get("requestID"): record
               for record in journal.records(deployment.server.directory / "journal")}
    record = records[answer.headers["x-amzn-requestid"]]
    assert record["userIdentity"] == {
        "type": "IAMUser", "principalId": ada.user_id, "arn": ada.arn, "accountId": ACCOUNT,
        "accessKeyId": ada.credentials[0], "userName": ada.name, "invokedBy": "s3.amazonaws.com"}
    assert record["sourceIPAddress"] == record["userAgent"] == "s3.amazonaws.com"
    assert record["recipientAccountId"] == ACCOUNT
    making = records[made.headers["x-amzn-requestid"]]
    assert making["userIdentity"]["invokedBy"] == "s3.amazonaws.com"
    assert "request" not in (making["requestParameters"] or {})


def test_tokens_and_signatures_stand_in_no_record_and_no_log(deployment, s3, ada, key):
    """What lets a service call as a user is told to that service alone."""
    signed = signed_request(user(s3.port, ada.credentials, "s3"))
    token = token_of(create_session(s3, {"Request": signed}))
    assert encrypt(s3, key, token).status == 200
    assert encrypt(s3, key, token[:-4] + "AAAA").status == 400
    headers = {header["Name"].lower(): header["Value"] for header in signed["Headers"]}
    signature = headers["authorization"].rpartition("Signature=")[2]
    assert len(signature) == 64
    journal.assert_absent(deployment.server.directory / "journal", token.encode(), signature.encode())
    assert token not in deployment.server.output() and signature not in deployment.server.output()


def test_a_session_ends_after_five_minutes(tmp_path):
    """No token outlives them."""
    deployment = Deployment(tmp_path, keystead.binary("KEYSTEAD_TEST_CLOCK_BINARY"))
    try:
        ahead = timedelta(0)
        service = deployment.service("s3")
        service.clock = lambda: datetime.now(timezone.utc) + ahead
        credentials = deployment.server.root_credentials()
        key = client_of(deployment.server, credentials).create_key()["KeyMetadata"]["Arn"]
        token = token_of(create_session(user(service.port, credentials), {"Service": "s3"}))
        for seconds in (0, 280):
            deployment.server.advance(seconds)
            ahead += timedelta(seconds=seconds)
            assert encrypt(service, key, token).status == 200
        deployment.server.advance(21)
        ahead += timedelta(seconds=21)
        assert encrypt(service, key, token).error == "ExpiredTokenException"
    finally:
        assert deployment.server.stop() == 0, deployment.server.output()


def test_a_policy_for_the_service_is_not_for_its_user(s3, ada, root):
    """Calling as the user, the service is not itself."""
    named = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
             "Action": "kms:Encrypt", "Resource": "*"}
    key = root["kms"].create_key(Policy=policy(ROOT, named))["KeyMetadata"]["Arn"]
    ada.may(allow("kms:Decrypt"))
    assert encrypt(s3, key, token_of(asked_by_service(s3, ada))).error == "AccessDeniedException"
    assert encrypt(s3, key).status == 200

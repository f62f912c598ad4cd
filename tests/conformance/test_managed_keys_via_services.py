"""AWS managed keys, used as they are meant: through their service, for a caller of their account."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from conftest import client_of
from identities import User, allow
from keystead import REGION
from registering import Deployment, client_as, create_session, user
from test_one_action import OPERATIONS, Calls

ALIAS = "alias/aws/s3"


@pytest.fixture
def deployment(tmp_path):
    """A server with services, where nothing was used yet."""
    made = Deployment(tmp_path)
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture
def root(deployment):
    """The root user."""
    return client_of(deployment.server, deployment.server.root_credentials())


@pytest.fixture
def s3(deployment):
    """The service s3."""
    return deployment.service("s3")


@pytest.fixture
def ada(deployment):
    """A user who may do everything with keys."""
    iam = client_of(deployment.server, deployment.server.root_credentials(), "iam")
    return User(deployment.server, iam).may(allow("kms:*"))


def token_for(s3, caller, service="s3"):
    """A forward access session of a user, for a service."""
    answer = create_session(user(s3.port, caller.credentials), {"Service": service})
    assert answer.status == 200, answer.body
    return answer.json["ForwardAccessToken"]


def target(root):
    """The key that the alias stands for; None before there is one."""
    entries = root.list_aliases(Limit=100)["Aliases"]
    return next(entry for entry in entries if entry["AliasName"] == ALIAS).get("TargetKeyId")


def data_key(s3, token, **options):
    """Asks for a data key under the key of the service."""
    return s3.call("GenerateDataKey", {"KeyId": ALIAS, "KeySpec": "AES_256"}, token=token, **options)


def test_the_first_use_through_the_service_makes_the_key(s3, ada, root):
    assert target(root) is None
    token = token_for(s3, ada)
    made = data_key(s3, token)
    assert made.status == 200, made.body
    assert made.json["KeyId"].endswith(f"key/{target(root)}")
    key = root.describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert (key["KeyManager"], key["KeyId"]) == ("AWS", target(root))
    opened = s3.call("Decrypt", {"CiphertextBlob": made.json["CiphertextBlob"]}, token=token)
    assert opened.json["Plaintext"] == made.json["Plaintext"]


def test_without_the_service_the_ciphertext_stays_closed(s3, ada, root):
    blob = data_key(s3, token_for(s3, ada)).json["CiphertextBlob"]
    for asked in ({"CiphertextBlob": blob}, {"CiphertextBlob": blob, "KeyId": ALIAS}):
        for credentials in (ada.credentials, (s3.access_key_id, s3.secret_access_key)):
            refused = user(s3.port, credentials).call("Decrypt", asked)
            assert refused.status == 400 and "Plaintext" not in refused.json
    assert user(s3.port, ada.credentials).call("Decrypt", {"CiphertextBlob": blob}).error == (
        "AccessDeniedException")
    assert target(root) is not None


def test_the_policy_needs_no_identity_policy_of_the_user(s3, ada):
    """AWS's statement names every principal of the account, which services make good by asking for rights of theirs."""
    ada.may(allow("s3:GetObject"))
    assert data_key(s3, token_for(s3, ada)).status == 200


def test_a_user_who_is_denied_makes_nothing(s3, ada, root):
    ada.may(allow("kms:*"), allow("kms:GenerateDataKey", effect="Deny"))
    refused = data_key(s3, token_for(s3, ada))
    assert refused.error == "AccessDeniedException"
    assert f"{REGION}:" in refused.message and f":{ALIAS} with an explicit deny" in refused.message
    assert target(root) is None


def test_a_dry_run_makes_nothing(s3, ada, root):
    answer = s3.call("GenerateDataKey", {"KeyId": ALIAS, "KeySpec": "AES_256", "DryRun": True},
                     token=token_for(s3, ada))
    assert answer.error == "DryRunOperationException"
    assert target(root) is None


def test_another_service_has_no_use_of_it(deployment, s3, ada, root):
    queue = deployment.service("queue")
    token = token_for(s3, ada, "queue")
    asked = {"KeyId": ALIAS, "CiphertextBlob": "AAAA"}
    assert queue.call("Decrypt", asked, token=token).error == "NotFoundException"
    assert target(root) is None
    blob = data_key(s3, token_for(s3, ada)).json["CiphertextBlob"]
    refused = queue.call("Decrypt", {"CiphertextBlob": blob}, token=token)
    assert refused.error == "AccessDeniedException"


def test_the_service_has_no_use_of_other_services_keys(s3, ada):
    answer = s3.call("GenerateDataKey", {"KeyId": "alias/aws/ebs", "KeySpec": "AES_256"},
                     token=token_for(s3, ada))
    assert answer.error == "NotFoundException"


def test_no_grant_can_be_made_on_a_key_whose_service_needs_none(s3, ada, root):
    key_id = root.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    grant = {"KeyId": key_id, "GranteePrincipal": ada.arn, "Operations": ["Decrypt"]}
    assert s3.call("CreateGrant", grant, token=token_for(s3, ada)).error == "AccessDeniedException"
    assert root.list_grants(KeyId=key_id)["Grants"] == []


# What the key's policy lets a caller of the account do through the service, and what the account may read.
USED = {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"}
READ = {"ListGrants"}
# The user may, but the key does not suit; the grant is another key's.
OTHERWISE = {"GetPublicKey": "UnsupportedOperationException", "RetireGrant": "NotFoundException"}


@pytest.fixture(name="place", scope="module")
def fixture_place(tmp_path_factory):
    """One deployment for every operation."""
    made = Deployment(tmp_path_factory.mktemp("every"))
    root = client_of(made.server, made.server.root_credentials())
    iam = client_of(made.server, made.server.root_credentials(), "iam")
    ada = User(made.server, iam).may(allow("kms:*"))
    s3, calls = made.service("s3"), Calls(root)
    calls.renew()
    client = client_as(s3, made.server, {"X-Amz-Forward-Access-Token": token_for(s3, ada)})
    yield client, calls, root.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    assert made.server.stop() == 0


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_user_who_may_everything_may_through_the_service(place, operation):
    client, calls, key_id = place
    arguments = {member: key_id if member.endswith("KeyId") else value
                 for member, value in calls.arguments(operation).items()}
    if "CiphertextBlob" in arguments:
        arguments["CiphertextBlob"] = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    try:
        getattr(client, xform_name(operation))(**arguments)
        told = None
    except ClientError as error:
        told = error.response["Error"]["Code"]
    refused = OTHERWISE.get(operation, "AccessDeniedException")
    assert told == (None if operation in USED | READ else refused)


def test_many_first_uses_through_the_service_make_one_key(s3, ada, root):
    token = token_for(s3, ada)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: data_key(s3, token), range(32)))
    assert {answer.status for answer in answers} == {200}
    assert len({json.loads(answer.body)["KeyId"] for answer in answers}) == 1
    assert len(root.list_keys()["Keys"]) == 1

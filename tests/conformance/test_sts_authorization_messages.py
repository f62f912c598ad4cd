"""Encoded authorization messages: borne by refusals where the operator wants it, decoded in the caller's account alone."""

import json
import os
import subprocess

import pytest
from botocore.exceptions import ClientError

import keystead
from conftest import client_of, root_of
from identities import User, allow
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from test_cli import CLI

MARK = " Encoded authorization failure message: "
OTHER_CREDENTIALS = "AKIAOTHEREXAMPLE0001", "otherSecretOfTheOtherAccountRootUser0001"
DENY = {"Sid": "NotThese", "Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"}


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """A server whose refusals bear messages, with a second account."""
    running = keystead.Server(tmp_path_factory.mktemp("telling") / "data",
                              "--encoded-authorization-messages", "on")
    access_key_id, secret_access_key = OTHER_CREDENTIALS
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", running.directory,
                        "--access-key-id", access_key_id, "--secret-access-key", secret_access_key)
    assert made.returncode == 0, made.stderr
    yield running
    assert running.stop() == 0, running.output()


def root(server, service="kms"):
    """A client of the first account's root user."""
    return client_of(server, server.root_credentials(), service)


@pytest.fixture
def user(telling):
    """A user who may nothing yet."""
    return User(telling, root(telling, "iam"))


@pytest.fixture
def key(telling):
    """The metadata of a fresh key."""
    return root(telling).create_key()["KeyMetadata"]


def refusal(call, **parameters):
    """The sentence with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDeniedException", "AccessDenied"), error
    return error["Message"]


def message_of(call, **parameters):
    """The encoded message of a refusal."""
    _, encoded = refusal(call, **parameters).split(MARK)
    return encoded


def decode(server, encoded):
    """What the first account's root user reads in a message."""
    answer = root(server, "sts").decode_authorization_message(EncodedMessage=encoded)
    return json.loads(answer["DecodedMessage"])


def conditions(decoded):
    """The condition keys of a decoded message with their values."""
    return {item["key"]: [value["value"] for value in item["values"]["items"]]
            for item in decoded["context"]["conditions"]["items"]}


def test_a_message_tells_who_what_and_in_which_context(telling, user, key):
    decoded = decode(telling, message_of(user.client().encrypt, KeyId=key["KeyId"], Plaintext=b"x",
                                         EncryptionContext={"Purpose": "test"}))
    assert (decoded["allowed"], decoded["explicitDeny"]) == (False, False)
    assert decoded["matchedStatements"] == decoded["failures"] == {"items": []}
    context = decoded["context"]
    assert context["principal"] == {"id": user.user_id, "arn": user.arn}
    assert (context["action"], context["resource"]) == ("kms:Encrypt", key["Arn"])
    told = conditions(decoded)
    assert told["aws:username"] == [user.name]
    assert told["kms:CallerAccount"] == [ACCOUNT]
    assert told["kms:EncryptionContextKeys"] == ["Purpose"]
    assert told["kms:EncryptionContext:Purpose"] == ["test"]
    assert told["kms:KeySpec"] == ["SYMMETRIC_DEFAULT"]


def test_a_message_names_the_statement_that_denies(telling, user, key):
    user.may(allow("*"), DENY)
    decoded = decode(telling, message_of(user.client().encrypt, KeyId=key["KeyId"], Plaintext=b"x"))
    assert decoded["explicitDeny"] is True
    assert decoded["matchedStatements"]["items"] == [{"statementId": "NotThese", "effect": "DENY"}]


@pytest.mark.parametrize(("service", "operation", "parameters", "action"), [
    ("iam", "get_user", {"UserName": "nobody"}, "iam:GetUser"),
    ("sts", "get_federation_token", {"Name": "guest"}, "sts:GetFederationToken"),
    ("kms", "list_keys", {}, "kms:ListKeys"),
    ("kms", "create_key", {}, "kms:CreateKey"),
])
def test_every_api_bears_messages(telling, user, service, operation, parameters, action):
    encoded = message_of(getattr(user.client(service), operation), **parameters)
    assert decode(telling, encoded)["context"]["action"] == action


def test_decoding_needs_permission(user):
    encoded = message_of(user.client().list_keys)
    sts = user.client("sts")
    sentence = refusal(sts.decode_authorization_message, EncodedMessage=encoded)
    assert "is not authorized to perform: sts:DecodeAuthorizationMessage " in sentence
    user.may(allow("sts:DecodeAuthorizationMessage"))
    assert json.loads(sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])


def test_the_cli_decodes_too(telling, user, tmp_path):
    encoded = message_of(user.client().list_keys)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_SHARED_CREDENTIALS_FILE": str(telling.credentials_file),
        "AWS_ENDPOINT_URL_STS": telling.endpoint,
    }
    done = subprocess.run([CLI if CLI.is_file() else "aws", "sts", "decode-authorization-message",
                           "--encoded-message", encoded, "--query", "DecodedMessage"],
                          env=environment, text=True, cwd=tmp_path, capture_output=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(json.loads(done.stdout))["context"]["action"] == "kms:ListKeys"


@pytest.mark.parametrize("change", [
    lambda encoded: "x",
    lambda encoded: "A" * 10_240,
    lambda encoded: encoded[:-1],
    lambda encoded: encoded + "=",
    lambda encoded: encoded[:40] + "\n" + encoded[40:],
    lambda encoded: ("B" if encoded[20] == "A" else "A").join([encoded[:20], encoded[21:]]),
])
def test_what_was_not_made_here_is_invalid(telling, user, change, refused):
    encoded = change(message_of(user.client().list_keys))
    with refused("InvalidAuthorizationMessageException", "Message is not valid"):
        root(telling, "sts").decode_authorization_message(EncodedMessage=encoded)


def test_a_message_is_for_the_account_of_whom_was_refused(telling, user, refused):
    encoded = message_of(user.client().list_keys)
    sts = client_of(telling, OTHER_CREDENTIALS, "sts")
    with refused("InvalidAuthorizationMessageException", "Message is not valid"):
        sts.decode_authorization_message(EncodedMessage=encoded)
    assert decode(telling, encoded)["context"]["action"] == "kms:ListKeys"


@pytest.mark.parametrize(("operation", "parameters"), [
    ("encrypt", {"Plaintext": b"x"}), ("describe_key", {}), ("disable_key", {}),
    ("get_key_policy", {}),
])
def test_a_key_of_another_account_still_looks_like_none(telling, key, operation, parameters):
    """No message, which might tell what the key is or what its policy says."""
    other = client_of(telling, OTHER_CREDENTIALS)
    unknown = f"{key['Arn'][:-12]}000000000000"
    there, not_there = (refusal(getattr(other, operation), KeyId=arn, **parameters).replace(arn, "ARN")
                        for arn in (key["Arn"], unknown))
    assert there == not_there
    assert MARK not in there


def test_a_role_does_not_tell_by_a_message_whether_it_exists(telling, user):
    root(telling, "iam").create_role(RoleName="there", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole",
             "Principal": {"AWS": root_of(OTHER_ACCOUNT)}}]}))
    for name in ("there", "not-there"):
        sentence = refusal(user.client("sts").assume_role, RoleSessionName="me",
                           RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}")
        assert MARK not in sentence


def test_what_a_grant_allows_is_not_refused(telling, user, key):
    root(telling).create_grant(KeyId=key["KeyId"], GranteePrincipal=user.arn,
                               Operations=["Encrypt"])
    kms = user.client()
    assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    encoded = message_of(kms.generate_data_key, KeyId=key["KeyId"], KeySpec="AES_256")
    assert decode(telling, encoded)["context"]["action"] == "kms:GenerateDataKey"


def test_a_long_context_keeps_a_message_short(telling, user, key):
    encoded = message_of(user.client().encrypt, KeyId=key["KeyId"], Plaintext=b"x",
                         EncryptionContext={f"name{number}": "v" * 40 for number in range(90)})
    assert len(encoded) <= 5_600
    assert decode(telling, encoded)["context"]["action"] == "kms:Encrypt"


def test_without_the_setting_refusals_are_those_of_kms(server, iam, refused):
    quiet = User(server, iam)
    assert MARK not in refusal(quiet.client().list_keys)
    quiet.may(allow("sts:DecodeAuthorizationMessage"))
    with refused("InvalidAuthorizationMessageException", "Message is not valid"):
        quiet.client("sts").decode_authorization_message(EncodedMessage="AAAA")

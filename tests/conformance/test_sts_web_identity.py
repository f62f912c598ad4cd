"""AssumeRoleWithWebIdentity: whom a token of an OIDC provider lets in, and whom it does not."""

import json
import os
import subprocess

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives import serialization

import journal
from conftest import client_of
from identities import allow, document, session_client, unique
from issuers import Issuer, Key, base64url
from keystead import ACCOUNT, REGION, STOP_SECONDS_MAX, Server
from test_cli import CLI

ACTION = "sts:AssumeRoleWithWebIdentity"
NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
UNVERIFIED = "The web identity token's signature cannot be verified"
NOT_A_TOKEN = ("The ID Token provided is not a valid JWT. "
               "(You may see this error if you sent an Access Token)")
CLAIM_TAGS = "https://aws.amazon.com/tags"
CLAIM_SOURCE = "https://aws.amazon.com/source_identity"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """An issuer whose keys the server knows."""
    path = tmp_path_factory.mktemp("issuer") / "keys.json"
    return Issuer("https://issuer.example.com:8443/realms/a", path)


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, issuer):
    """A server that knows the issuer's keys."""
    running = Server(tmp_path_factory.mktemp("keystead") / "data", "--oidc-keys", issuer.setting)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def root(trusting):
    """`root(service)`: a client of the root user."""
    return lambda service: client_of(trusting, trusting.root_credentials(), service)


@pytest.fixture(scope="module")
def provider(root, issuer):
    """The ARN of the issuer in the account."""
    made = root("iam").create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app", "other"])
    return made["OpenIDConnectProviderArn"]


@pytest.fixture(scope="module")
def sts(trusting):
    """A client that does not sign."""
    return boto3.client("sts", region_name=REGION, endpoint_url=trusting.endpoint,
                        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def role_of(root, provider):
    """`role_of(condition, action)`: the ARN of a new role that trusts the provider."""
    def make(condition=None, action=ACTION, principal=None):
        trust = {"Effect": "Allow", "Action": action,
                 "Principal": {"Federated": principal or provider}}
        if condition:
            trust["Condition"] = condition
        role = root("iam").create_role(RoleName=unique("role"),
                                       AssumeRolePolicyDocument=document(trust))["Role"]
        return role["Arn"]
    return make


@pytest.fixture(scope="module")
def role(role_of):
    """A role that trusts whomever the provider vouches for."""
    return role_of()


@pytest.fixture
def assume(sts, role):
    """`assume(token, role, **more)`: the answer."""
    def call(token, role_arn=None, **more):
        return sts.assume_role_with_web_identity(
            RoleArn=role_arn or role, RoleSessionName="session", WebIdentityToken=token, **more)
    return call


def last_record(trusting):
    """The newest record of the operation."""
    records = [record for record in journal.records(trusting.directory / "journal")
               if record["eventName"] == "AssumeRoleWithWebIdentity"]
    return records[-1]


@pytest.mark.parametrize("algorithm", Issuer.ALGORITHMS)
def test_a_token_under_each_algorithm_is_taken(assume, issuer, algorithm):
    answer = assume(issuer.token(issuer.keys[algorithm]))
    assert answer["SubjectFromWebIdentityToken"] == "user-1"


def test_the_answer_tells_whom_the_token_is_about(assume, issuer, provider, role):
    answer = assume(issuer.token(aud=["unknown", "other"]))
    assert answer["Audience"] == "other" and answer["Provider"] == provider
    name = role.rsplit("/", 1)[-1]
    assert answer["AssumedRoleUser"]["Arn"] == \
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session"
    assert "SourceIdentity" not in answer and "PackedPolicySize" not in answer


def test_the_session_does_what_the_role_may(trusting, root, assume, issuer, role_of, provider):
    role = role_of()
    root("iam").put_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="only",
                                PolicyDocument=document(allow(
                                    "kms:Encrypt",
                                    Condition={"StringEquals": {"aws:FederatedProvider": provider}})))
    key_id = root("kms").create_key()["KeyMetadata"]["KeyId"]
    session = session_client(trusting, assume(issuer.token(), role)["Credentials"])
    session.encrypt(KeyId=key_id, Plaintext=b"text")
    with pytest.raises(session.exceptions.ClientError, match="kms:DescribeKey"):
        session.describe_key(KeyId=key_id)


def test_sdks_take_the_token_from_a_file(trusting, root, issuer, role_of, tmp_path, monkeypatch):
    role = role_of()
    root("iam").put_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="only",
                                PolicyDocument=document(allow("kms:*")))
    path = tmp_path / "token"
    path.write_text(issuer.token())
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {"AWS_WEB_IDENTITY_TOKEN_FILE": path, "AWS_ROLE_ARN": role,
                        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
                        "AWS_CONFIG_FILE": tmp_path / "none",
                        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "none",
                        "AWS_ENDPOINT_URL": trusting.endpoint}.items():
        monkeypatch.setenv(name, str(value))
    kms = boto3.session.Session().client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"


def test_tokens_stand_in_no_record_and_no_log(trusting, assume, issuer, refused):
    taken, forged = issuer.token(), issuer.token()[:-8] + "AAAAAAAA"
    made = assume(taken)["Credentials"]
    with refused("InvalidIdentityToken"):
        assume(forged)
    secrets = [taken, forged, made["SessionToken"], made["SecretAccessKey"]]
    journal.assert_absent(trusting.directory / "journal", *(text.encode() for text in secrets))
    assert not [text for text in secrets if text in trusting.output()]


def test_the_record_names_the_web_identity(trusting, assume, issuer, provider):
    token = issuer.token()
    assume(token)
    record = last_record(trusting)
    assert record["userIdentity"] == {
        "type": "WebIdentityUser", "principalId": f"{provider}:app:user-1", "userName": "user-1",
        "identityProvider": provider}
    assert record["eventSource"] == "sts.amazonaws.com" and record["readOnly"]
    assert record["recipientAccountId"] == ACCOUNT and "errorCode" not in record
    assert token not in json.dumps(record)


@pytest.mark.parametrize("name, value", [
    ("aud", "app"), ("sub", "user-1"), ("oaud", "whole"), ("amr", "pwd")])
def test_trust_policies_ask_about_claims(assume, issuer, role_of, refused, name, value):
    claims = {"azp": "app", "aud": ["whole"], "amr": ["otp", "pwd"]}
    key = f"{issuer.name}:{name}"
    qualified = "ForAnyValue:StringEquals" if name in ("oaud", "amr") else "StringEquals"
    assume(issuer.token(**claims), role_of({qualified: {key: value}}))
    with refused("AccessDenied", NOT_AUTHORIZED, 403):
        assume(issuer.token(**claims), role_of({qualified: {key: value + "x"}}))


def test_a_role_must_trust_the_provider_and_the_action(assume, issuer, role_of, refused, provider):
    other = provider.replace("issuer.", "other.")
    for role in (role_of(principal=other), role_of(action="sts:AssumeRole"),
                 f"arn:aws:iam::{ACCOUNT}:role/{unique()}"):
        with refused("AccessDenied", NOT_AUTHORIZED, 403):
            assume(issuer.token(), role)


def test_source_identity_and_tags_need_their_own_permissions(trusting, root, assume, issuer, role_of,
                                                             refused):
    claims = {CLAIM_SOURCE: "ada", CLAIM_TAGS: {
        "principal_tags": {"Team": ["blue"]}, "transitive_tag_keys": ["Team"]}}
    both = [ACTION, "sts:SetSourceIdentity", "sts:TagSession"]
    for missing in both[1:]:
        with refused("AccessDenied", NOT_AUTHORIZED, 403):
            assume(issuer.token(**claims), role_of(action=[a for a in both if a != missing]))
    with refused("AccessDenied", NOT_AUTHORIZED, 403):
        assume(issuer.token(**claims),
               role_of({"StringEquals": {"aws:RequestTag/Team": "red"}}, both))
    role = role_of({"StringEquals": {"aws:RequestTag/Team": "blue", "sts:SourceIdentity": "ada"},
                    "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["Team"]}}, both)
    root("iam").put_role_policy(
        RoleName=role.rsplit("/", 1)[-1], PolicyName="only", PolicyDocument=document(allow(
            "kms:ListKeys", Condition={"StringEquals": {
                "aws:PrincipalTag/Team": "blue", "aws:SourceIdentity": "ada"}})))
    answer = assume(issuer.token(**claims), role)
    assert answer["SourceIdentity"] == "ada"
    session_client(trusting, answer["Credentials"]).list_keys()


def test_session_policies_and_durations_narrow_the_session(trusting, root, assume, issuer, role_of,
                                                           refused):
    role = role_of()
    root("iam").put_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="only",
                                PolicyDocument=document(allow("kms:*")))
    answer = assume(issuer.token(), role, Policy=document(allow("kms:ListKeys")), DurationSeconds=900)
    session = session_client(trusting, answer["Credentials"])
    session.list_keys()
    with pytest.raises(session.exceptions.ClientError, match="session policy"):
        session.list_aliases()
    with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration "
                 "set for this role."):
        assume(issuer.token(), role, DurationSeconds=3601)


@pytest.mark.parametrize("claims, code, message", [
    ({"exp": 1_000_000_000}, "ExpiredTokenException", None),
    ({"iat": 4_000_000_000}, "InvalidIdentityToken", "The web identity token is not valid yet"),
    ({"nbf": 4_000_000_000}, "InvalidIdentityToken", "The web identity token is not valid yet"),
    ({"aud": "app2"}, "InvalidIdentityToken", "Incorrect token audience"),
    ({"aud": "app", "azp": "app2"}, "InvalidIdentityToken", "Incorrect token audience"),
    ({"aud": []}, "InvalidIdentityToken", "Incorrect token audience"),
    ({"aud": None}, "InvalidIdentityToken", "Missing a required claim: aud"),
    ({"sub": None}, "InvalidIdentityToken", "Missing a required claim: sub"),
    ({"sub": ""}, "InvalidIdentityToken", "Missing a required claim: sub"),
    ({"exp": None}, "InvalidIdentityToken", "Missing a required claim: exp"),
    ({"iat": None}, "InvalidIdentityToken", "Missing a required claim: iat"),
    ({"iss": None}, "InvalidIdentityToken", "Missing a required claim: iss"),
    ({"exp": "soon"}, "InvalidIdentityToken", NOT_A_TOKEN),
    ({"iss": "https://else.example.com"}, "InvalidIdentityToken",
     "No OpenIDConnect provider found in your account for https://else.example.com"),
    ({CLAIM_SOURCE: "a b"}, "InvalidIdentityToken",
     "The source identity in the web identity token is invalid"),
    ({CLAIM_TAGS: {"principal_tags": {"Team": ["a", "b"]}}}, "InvalidIdentityToken",
     "The session tags in the web identity token are invalid"),
])
def test_claims_that_are_not_right_are_refused(trusting, assume, issuer, refused, claims, code,
                                               message):
    with refused(code, message):
        assume(issuer.token(**claims))
    record = last_record(trusting)
    assert record["errorCode"] == (code if code.endswith("Exception") else f"{code}Exception")
    assert record["userIdentity"]["accountId"] == "ANONYMOUS_PRINCIPAL"


def bad_tokens(issuer):
    """Tokens that nobody signed, or another than they say."""
    good = issuer.token()
    header, payload, signature = good.split(".")
    none = base64url(json.dumps({"alg": "none"}).encode())
    yield "none", f"{none}.{payload}.", UNVERIFIED
    yield "no signature", f"{header}.{payload}.", UNVERIFIED
    yield "other payload", (f"{header}.{issuer.token(sub='root').split('.')[1]}.{signature}"), UNVERIFIED
    yield "other key", issuer.token(Key("ES256", "key-ES256")), UNVERIFIED
    yield "unknown key id", issuer.token(header='{"alg":"ES256","kid":"key-0"}'), UNVERIFIED
    yield "swapped key id", issuer.token(header='{"alg":"ES256","kid":"key-RS256"}'), UNVERIFIED
    yield "swapped algorithm", issuer.token(header='{"alg":"RS256","kid":"key-ES256"}'), UNVERIFIED
    rsa_key = issuer.keys["RS256"]
    public = rsa_key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    yield "MAC under the public key", issuer.hmac_token(public), UNVERIFIED
    yield "MAC under nothing", issuer.hmac_token(b""), UNVERIFIED
    claims = json.dumps(issuer.claims())
    yield "claim twice", issuer.token(payload=claims[:-1] + ', "sub": "root"}'), NOT_A_TOKEN
    yield "algorithm twice", issuer.token(header='{"alg":"none","alg":"ES256"}'), NOT_A_TOKEN
    yield "critical extension", issuer.token(header='{"alg":"ES256","crit":["b64"]}'), NOT_A_TOKEN
    yield "four parts", f"{good}.AA", NOT_A_TOKEN
    yield "two parts", f"{header}.{payload}", NOT_A_TOKEN
    yield "padding", f"{good}=", NOT_A_TOKEN


@pytest.mark.parametrize("place", range(15))
def test_forged_tokens_are_refused(assume, issuer, provider, refused, place):
    _, token, message = list(bad_tokens(issuer))[place]
    with refused("InvalidIdentityToken", message):
        assume(token)


def test_all_forgeries_are_tried(issuer):
    assert len(list(bad_tokens(issuer))) == 15


def test_a_token_that_is_too_long_is_refused(assume, issuer, refused):
    with refused("ValidationError"):
        assume(issuer.token(sub="x" * 20_000))


def test_an_issuer_whose_keys_are_unknown_is_refused(root, assume, issuer, refused):
    url = f"https://{unique('issuer')}.example.com"
    root("iam").create_open_id_connect_provider(Url=url, ClientIDList=["app"])
    with refused("InvalidIdentityToken"):
        assume(issuer.token(iss=url))


def test_a_provider_id_is_for_other_tokens(assume, issuer, refused):
    with refused("ValidationError", "ProviderId is for OAuth 2.0 access tokens only."):
        assume(issuer.token(), ProviderId="www.amazon.com")


def test_keys_are_read_again_when_the_file_changes(assume, issuer, refused):
    fresh = Key("ES256", "key-fresh-with-a-longer-name")
    with refused("InvalidIdentityToken", UNVERIFIED):
        assume(issuer.token(fresh))
    try:
        issuer.publish(fresh)
        assume(issuer.token(fresh))
        with refused("InvalidIdentityToken", UNVERIFIED):
            assume(issuer.token())
    finally:
        issuer.publish(*issuer.keys.values())
    assume(issuer.token())


def test_a_removed_client_id_and_provider_are_obeyed_at_once(root, assume, issuer, provider, refused):
    iam = root("iam")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider,
                                                       ClientID="other")
    with refused("InvalidIdentityToken", "Incorrect token audience"):
        assume(issuer.token(aud="other"))
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="other")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    try:
        with refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for "
                     f"{issuer.url}"):
            assume(issuer.token())
    finally:
        iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app", "other"])


def test_nothing_else_is_answered_without_a_signature(sts, trusting):
    for service, call in (("sts", "get_caller_identity"), ("iam", "list_users"),
                          ("kms", "list_keys")):
        client = boto3.client(service, region_name=REGION, endpoint_url=trusting.endpoint,
                              config=Config(signature_version=UNSIGNED))
        with pytest.raises(client.exceptions.ClientError, match="MissingAuthenticationToken"):
            getattr(client, call)()


def test_the_command_line_takes_the_token_from_a_profile(trusting, issuer, role, tmp_path):
    token = tmp_path / "token"
    token.write_text(issuer.token())
    config = tmp_path / "config"
    config.write_text(f"[profile web]\nregion = {REGION}\nrole_arn = {role}\n"
                      f"web_identity_token_file = {token}\nendpoint_url = {trusting.endpoint}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [CLI if CLI.is_file() else "aws", "--profile", "web", "sts", "get-caller-identity", "--output", "json"],
        env={**environment, "AWS_CONFIG_FILE": str(config),
             "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")},
        capture_output=True, check=False, timeout=STOP_SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    assert f"assumed-role/{role.rsplit('/', 1)[-1]}/" in json.loads(done.stdout)["Arn"]

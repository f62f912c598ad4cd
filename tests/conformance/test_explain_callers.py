"""`keystead explain` for callers of every kind: what it says of them is what they are answered."""

import json

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import keystead
from conftest import client_of, policy, root_of, statement
from explaining import Explainer, asked
from identities import User, allow, document, session_client, unique
from issuers import Issuer
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from registering import CONFIGURATION, Deployment, create_session
from registering import user as caller_of
from test_service_roles import Asker, trust
from test_sts_web_identity import CLAIM_SOURCE, CLAIM_TAGS

ROOT = root_of(ACCOUNT)
S3, QUEUE = "s3.amazonaws.com", "queue.example.amazonaws.com"
SOURCE = f"arn:aws:s3:{REGION}:{ACCOUNT}:bucket"
VIA = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
CALLS = {"kms:Encrypt": lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True),
         "kms:DescribeKey": lambda kms, key: kms.describe_key(KeyId=key),
         "kms:GetKeyPolicy": lambda kms, key: kms.get_key_policy(KeyId=key)}


class Place:
    """A server with services and an issuer, and its root user."""

    def __init__(self, directory):
        self.issuer = Issuer("https://issuer.example.com", directory / "keys.json")
        self.deployment = Deployment(directory, arguments=["--oidc-keys", self.issuer.setting])
        self.server = self.deployment.server
        self.explain = Explainer(self.server, "--config", self.deployment.file, "--region", REGION)
        root = self.server.root_credentials()
        self.kms, self.iam = client_of(self.server, root), client_of(self.server, root, "iam")
        self.services = {S3: self.deployment.service("s3"), QUEUE: self.deployment.service("queue")}

    def key(self, *statements):
        """A key with these in its policy beside what lets its account decide."""
        return self.kms.create_key(Policy=policy(statement(ROOT), *statements))["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server that nobody else calls."""
    assert 'accounts = ["111122223333"]' in CONFIGURATION
    made = Place(tmp_path_factory.mktemp("callers"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture
def user(place):
    """A user without policies."""
    return User(place.server, place.iam)


def is_let_through(call):
    """Whether policies let a call through."""
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDeniedException", "AccessDenied", "DryRunOperationException"), error
        return code == "DryRunOperationException"
    return True


def compare(place, client, key, principal, *more):
    """What is explained of each call, which is what it is answered."""
    told = {}
    for action, call in CALLS.items():
        told[action] = place.explain(principal, action, "--key", key, *more)["decision"]
        assert (told[action] == "allowed") == is_let_through(lambda call=call: call(client, key)), (action, told)
    return [action for action, decision in told.items() if decision == "allowed"]


def written(tmp_path, text):
    """A file with a text."""
    path = tmp_path / f"{unique()}.json"
    path.write_text(text)
    return path


def test_a_session_of_a_role_with_tags_and_policies(place, user, tmp_path):
    trusting = document({"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": user.arn}})
    role = place.iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trusting)["Role"]
    place.iam.put_role_policy(RoleName=role["RoleName"], PolicyName="only", PolicyDocument=document(
        allow("kms:Encrypt", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
        allow("kms:DescribeKey", Condition={"StringEquals": {"aws:SourceIdentity": "ada"}}),
        allow("kms:GetKeyPolicy")))
    managed = place.iam.create_policy(PolicyName=unique(), PolicyDocument=document(
        allow(["kms:Encrypt", "kms:DescribeKey"])))["Policy"]["Arn"]
    limited = document(allow(["kms:Encrypt", "kms:GetKeyPolicy"]))
    key, sts = place.key(), user.client("sts")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/mine"
    tag, source = {"Tags": [{"Key": "team", "Value": "blue"}]}, {"SourceIdentity": "ada"}
    for given, flags, allowed in [
            ({}, [], ["kms:GetKeyPolicy"]),
            (tag, ["--session-tag", "team=blue"], ["kms:Encrypt", "kms:GetKeyPolicy"]),
            (source, ["--source-identity", "ada"], ["kms:DescribeKey", "kms:GetKeyPolicy"]),
            ({**tag, "Policy": limited}, ["--session-tag", "team=blue", "--session-policy", written(tmp_path, limited)],
             ["kms:Encrypt", "kms:GetKeyPolicy"]),
            ({**tag, **source, "PolicyArns": [{"arn": managed}]},
             ["--session-tag", "team=blue", "--source-identity", "ada", "--session-policy-arn", managed],
             ["kms:Encrypt", "kms:DescribeKey"])]:
        made = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="mine", **given)
        client = session_client(place.server, made["Credentials"])
        assert compare(place, client, key, session, *flags) == allowed, flags


@pytest.mark.parametrize("by_root", [False, True], ids=["user", "root"])
def test_a_federated_user_within_its_policy(place, user, tmp_path, by_root):
    user.may(allow(["kms:Encrypt", "kms:GetKeyPolicy", "sts:GetFederationToken", "sts:TagSession"]))
    issuer = ROOT if by_root else user.arn
    credentials = place.server.root_credentials() if by_root else user.credentials
    limited = document(allow(["kms:Encrypt", "kms:DescribeKey"], Condition={
        "StringEquals": {"aws:PrincipalTag/team": "blue"}}))
    made = client_of(place.server, credentials, "sts").get_federation_token(
        Name="guest", Policy=limited, Tags=[{"Key": "team", "Value": "blue"}])
    client, guest = session_client(place.server, made["Credentials"]), made["FederatedUser"]["Arn"]
    flags = ["--session-issuer", issuer, "--session-policy", written(tmp_path, limited), "--session-tag", "team=blue"]
    expected = ["kms:Encrypt", "kms:DescribeKey"] if by_root else ["kms:Encrypt"]
    key = place.key()
    assert compare(place, client, key, guest, *flags) == expected
    assert "who federated it?" in place.explain.complaint(guest, "kms:Encrypt", "--key", key)
    refused = place.explain.complaint(guest, "iam:ListUsers", *flags)
    assert "refused before policies are asked: UnrecognizedClientException" in refused


def test_temporary_credentials_of_a_user(place, user):
    user.may(allow("kms:Encrypt", Condition={"Null": {"aws:TokenIssueTime": "false"}}), allow("kms:DescribeKey"))
    made = user.client("sts").get_session_token()
    client, key = session_client(place.server, made["Credentials"]), place.key()
    temporary = compare(place, client, key, user.arn, "--temporary-credentials")
    assert temporary == ["kms:Encrypt", "kms:DescribeKey"]
    assert compare(place, user.client(), key, user.arn) == ["kms:DescribeKey"]


def passes(answer):
    """Whether policies let a service's call through."""
    assert answer.status in (200, 400), answer.body
    return answer.status == 200 or "DryRunOperationException" in answer.body.decode()


def test_a_service_as_itself(place):
    of_bucket = {"StringEquals": {"aws:SourceArn": SOURCE}}
    key = place.key({"Effect": "Allow", "Principal": {"Service": S3}, "Action": "kms:Encrypt", "Resource": "*",
                     "Condition": of_bucket})
    made = place.kms.create_grant(KeyId=key, Operations=["GenerateDataKey"], GranteeServicePrincipal=S3,
                                  RetiringPrincipal=ROOT, Constraints={"SourceArn": SOURCE})
    for source in [SOURCE, None]:
        flags = ["--context", f"aws:SourceArn={source}", "--context", f"aws:SourceAccount={ACCOUNT}"] if source else []
        for operation, more, grant_id in [("Encrypt", {"Plaintext": "AA=="}, None),
                                          ("GenerateDataKey", {"KeySpec": "AES_256"}, made["GrantId"])]:
            told = place.explain(S3, f"kms:{operation}", "--key", key, *flags)
            answer = place.services[S3].call(operation, {"KeyId": key, **more}, source=source)
            assert (told["decision"] == "allowed") == passes(answer) == bool(source), answer.body
            assert told["questions"][0]["grant_id"] == (grant_id if source else None)
    assert told["principal"] == S3
    assert "may not call this operation" in place.explain.complaint(S3, "iam:ListUsers")


def test_a_service_that_assumes_a_role(place):
    of_bucket = {"StringEquals": {"aws:SourceArn": SOURCE}}
    role = place.iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust(**of_bucket))["Role"]
    for principal, source in [(S3, SOURCE), (S3, None), (QUEUE, SOURCE)]:
        flags = ["--context", f"aws:SourceArn={source}"] if source else []
        told = place.explain(principal, "sts:AssumeRole", "--resource", role["Arn"], *flags)
        answer = Asker(place.services[principal]).assume(role, source=source)
        assert (told["decision"] == "allowed") == (answer.status == 200) == (principal == S3 and bool(source))
        assert asked(told)[0][:2] == ("sts:AssumeRole", role["Arn"])


def test_a_service_that_is_not_registered_for_the_account(place):
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", place.server.directory,
                        "--access-key-id", "AKIAOTHEREXAMPLE0001",
                        "--secret-access-key", "otherSecretOfTheOtherAccountRootUser0001")
    assert made.returncode == 0, made.stderr
    other = client_of(place.server, ("AKIAOTHEREXAMPLE0001", "otherSecretOfTheOtherAccountRootUser0001"))
    for kms, is_served in [(place.kms, True), (other, False)]:
        root = root_of(ACCOUNT if is_served else OTHER_ACCOUNT)
        key = kms.create_key(Policy=policy(statement(root), {
            "Effect": "Allow", "Principal": {"Service": QUEUE}, "Action": "kms:Encrypt", "Resource": "*"}))
        key = key["KeyMetadata"]["Arn"]
        told = place.explain(QUEUE, "kms:Encrypt", "--key", key)
        answer = place.services[QUEUE].call("Encrypt", {"KeyId": key, "Plaintext": "AA=="})
        assert (told["decision"] == "allowed") == passes(answer) == is_served, answer.body
        (question,) = told["questions"]
        assert is_served or "not registered for the account" in question["reason"]
        assert bool(question["deciding"]) == is_served


def test_a_user_behind_a_service(place, user):
    user.may(allow("kms:*", Condition=VIA))
    key = place.key()
    made = create_session(caller_of(place.server.port, user.credentials), {"Service": "s3"})
    for token, flags in [(made.json["ForwardAccessToken"], ["--via-service", "s3"]), (None, [])]:
        told = place.explain(user.arn, "kms:Encrypt", "--key", key, *flags)
        request = {"KeyId": key, "Plaintext": "AA==", "DryRun": True}
        is_allowed = passes(place.services[S3].call("Encrypt", request, token=token)) if token else is_let_through(
            lambda: CALLS["kms:Encrypt"](user.client(), key))
        assert (told["decision"] == "allowed") == is_allowed == bool(token)
    refused = place.explain.complaint(user.arn, "kms:PutKeyPolicy", "--key", key, "--via-service", "s3")
    assert "has no forward access session for this call" in refused


def test_a_managed_key_that_is_not_made_yet(place, user):
    user.may(allow("kms:*"))
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"
    told = place.explain(user.arn, "kms:GenerateDataKey", "--key", "alias/aws/s3", "--via-service", "s3")
    assert asked(told) == [("kms:GenerateDataKey", alias, "allowed")]
    aliases = {one["AliasName"]: one for one in place.kms.list_aliases()["Aliases"]}
    assert "TargetKeyId" not in aliases["alias/aws/s3"]


def test_a_web_identity_by_its_claims(place, tmp_path):
    iam, issuer = place.iam, place.issuer
    provider = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])["OpenIDConnectProviderArn"]
    trusting = document({"Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
                         "Principal": {"Federated": provider},
                         "Condition": {"StringEquals": {f"{issuer.name}:sub": "user-1"}}})
    role = iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trusting)["Role"]["Arn"]
    sts = boto3.client("sts", region_name=REGION, endpoint_url=place.server.endpoint,
                       config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    action = "sts:AssumeRoleWithWebIdentity"
    tags = {CLAIM_TAGS: {"principal_tags": {"Team": ["blue"]}, "transitive_tag_keys": []}}
    for claims, expected in [({}, [(action, "allowed")]), ({"sub": "user-2"}, [(action, "implicitDeny")]),
                             (tags, [(action, "allowed"), ("sts:TagSession", "allowed")]),
                             ({CLAIM_SOURCE: "ada"}, [(action, "allowed"), ("sts:SetSourceIdentity", "implicitDeny")])]:
        request = {"RoleArn": role, "RoleSessionName": "one", "WebIdentityToken": issuer.token(**claims)}
        flags = ["--web-identity-claims", written(tmp_path, json.dumps(issuer.claims(**claims)))]
        told = place.explain(provider, action, *flags, request=request)
        assert [(name, decision) for name, _, decision in asked(told)] == expected
        assert (told["decision"] == "allowed") == is_let_through(
            lambda request=request: sts.assume_role_with_web_identity(**request))
    complaint = place.explain.complaint(provider, action, *flags[:1],
                                        written(tmp_path, '{"aud": "none", "sub": "x"}'), "--resource", role)
    assert "Incorrect token audience" in complaint
    assert "for nothing else" in place.explain.complaint(provider, "kms:CreateKey", *flags)
    assert "give them with --web-identity-claims" in place.explain.complaint(provider, action, "--resource", role)


@pytest.mark.parametrize("principal, flags, complaint", [
    ("ec2.amazonaws.com", [], "no principal"), (ROOT, ["--via-service", "ec2"], 'no service "ec2" is registered here'),
    (S3, ["--via-service", "s3"], "services call as users and roles"),
    (S3, ["--session-tag", "a=b"], "services have no sessions"),
    ("arn:aws:iam::000000000000:user/s3", [], "no principal"),
    (ROOT, ["--session-tag", "a=b"], "only sessions have tags of their own"),
    (ROOT, ["--source-identity", "ada"], "only sessions of roles have a source identity"),
    (ROOT, ["--session-issuer", ROOT], "only federated users have a session issuer"),
    (ROOT, ["--session-policy-arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"], "the session policy cannot be used"),
    (f"arn:aws:sts::{ACCOUNT}:federated-user/guest", ["--session-issuer", root_of("999988887777")], "no principal"),
], ids=range(10))
def test_callers_who_cannot_be(place, principal, flags, complaint):
    assert complaint in place.explain.complaint(principal, "kms:GenerateRandom", *flags)

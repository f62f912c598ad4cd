"""Roles that a registered service assumes because their trust policies name its principal."""

import json
import urllib.parse
import xml.etree.ElementTree as ET

import pytest
from botocore.exceptions import ClientError

import journal
from conftest import client_of, policy, root_of, statement
from identities import allow, document, session_client, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, run
from registering import Deployment
from signing import Caller

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
SOURCE = f"arn:aws:s3:us-east-1:{ACCOUNT}:bucket"
ELSEWHERE = f"arn:aws:s3:us-east-1:{ACCOUNT}:another"
PERMISSIONS = document(allow("kms:DescribeKey"))


class Asker(Caller):
    """A service that asks STS."""

    def __init__(self, service):
        super().__init__(service.port, service.access_key_id, service.secret_access_key,
                         service.region, service="sts")

    def ask(self, action, source=None, **members):
        """The answer to one form."""
        headers = list(FORM)
        if source is not None:
            headers += [("x-amz-source-arn", source),
                        ("x-amz-source-account", source.split(":")[4])]
        form = {"Action": action, "Version": "2011-06-15", **members}
        body = urllib.parse.urlencode(form).encode()
        return self.send(self.request(body=body, headers=headers))

    def assume(self, role, **options):
        """Assumes a role."""
        return self.ask("AssumeRole", RoleArn=role["Arn"], RoleSessionName="task", **options)


def texts(answer, *names):
    """The first texts of these names in an answer."""
    root = ET.fromstring(answer.body)
    return {name: root.find(f".//{NAMESPACE}{name}").text for name in names}


def code(answer):
    """The code of an error."""
    return texts(answer, "Code")["Code"]


def trust(principal="s3.amazonaws.com", action="sts:AssumeRole", **condition):
    """A trust policy for a service principal."""
    allowed = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": action}
    allowed |= {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A server with services."""
    made = Deployment(tmp_path_factory.mktemp("service-roles"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(scope="module")
def s3(deployment):
    """The service s3."""
    return Asker(deployment.service("s3"))


@pytest.fixture(scope="module")
def iam(deployment):
    """The account's root user."""
    return client_of(deployment.server, deployment.server.root_credentials(), "iam")


@pytest.fixture(scope="module")
def other_iam(deployment):
    """The root user of a second account."""
    credentials = "AKIAOTHEREXAMPLE0002", "otherSecretOfTheOtherAccountRootUser0002"
    made = run("account", "create", OTHER_ACCOUNT, "--data-dir", deployment.server.directory,
               "--access-key-id", credentials[0], "--secret-access-key", credentials[1])
    assert made.returncode == 0, made.stderr
    return client_of(deployment.server, credentials, "iam")


@pytest.fixture
def role_with(iam):
    """Makes a role with a trust policy."""
    def make(text):
        name = unique("role")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=text)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=PERMISSIONS)
        return made
    return make


def test_a_service_assumes_a_role_that_names_it(deployment, s3, role_with):
    """The session is one of the role: what the role may, and nothing else."""
    role = role_with(trust())
    answer = s3.assume(role)
    assert answer.status == 200, answer.body
    credentials = texts(answer, "AccessKeyId", "SecretAccessKey", "SessionToken")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/task"
    assert texts(answer, "Arn") == {"Arn": arn}

    def client(service):
        return session_client(deployment.server, credentials, service)

    assert client("sts").get_caller_identity()["Arn"] == arn
    root = client_of(deployment.server, deployment.server.root_credentials())
    key = root.create_key(Policy=policy(statement(root_of(ACCOUNT))))["KeyMetadata"]["KeyId"]
    assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    with pytest.raises(ClientError, match="AccessDenied"):
        client("kms").disable_key(KeyId=key)


@pytest.mark.parametrize("text", [
    trust("sqs.amazonaws.com"),
    trust(action="sts:TagSession"),
    json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}),
], ids=["another", "action", "account"])
def test_any_other_role_is_refused(s3, role_with, text):
    """Also one that trusts its account, whose principal a service is not."""
    refused = s3.assume(role_with(text))
    assert (refused.status, code(refused)) == (403, "AccessDenied")


def test_a_role_that_is_not_there_is_refused_alike(s3, role_with):
    """Nobody learns which roles exist."""
    role = role_with(trust())
    absent = {"Arn": role["Arn"].replace(role["RoleName"], unique("role"))}
    assert code(s3.assume(absent)) == "AccessDenied"


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"ArnEquals": {"aws:SourceArn": SOURCE}},
], ids=["account", "arn"])
def test_conditions_tell_for_whom_it_calls(s3, role_with, condition):
    """A confused deputy is told apart by the resource that it calls for."""
    role = role_with(trust(**condition))
    assert s3.assume(role, source=SOURCE).status == 200
    other = ELSEWHERE if "ArnEquals" in condition else ELSEWHERE.replace(ACCOUNT, OTHER_ACCOUNT)
    assert code(s3.assume(role, source=other)) == "AccessDenied"
    assert code(s3.assume(role)) == "AccessDenied"


def test_session_tags_need_their_own_permission(s3, role_with):
    """sts:TagSession, as of everybody else."""
    tags = {"Tags.member.1.Key": "team", "Tags.member.1.Value": "blue"}
    assert code(s3.assume(role_with(trust()), **tags)) == "AccessDenied"
    assert s3.assume(role_with(trust(action=["sts:AssumeRole", "sts:TagSession"])),
                     **tags).status == 200


def test_the_registry_bounds_regions_and_accounts(deployment, role_with, other_iam):
    """queue is registered for one Region and one account."""
    queue = Asker(deployment.service("queue"))
    text = trust("queue.example.amazonaws.com")
    role = role_with(text)
    assert queue.assume(role).status == 200
    foreign = other_iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=text)["Role"]
    assert code(queue.assume(foreign)) == "AccessDenied"
    queue.region = "eu-central-1"
    assert b"Region" in queue.assume(role).body


@pytest.mark.parametrize("action, members", [
    ("GetSessionToken", {}),
    ("GetFederationToken", {"Name": "somebody"}),
    ("GetAccessKeyInfo", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}),
])
def test_nothing_else_of_sts_is_open(s3, action, members):
    """A service makes no sessions of itself."""
    assert code(s3.ask(action, **members)) == "AccessDenied"
    assert s3.ask("GetCallerIdentity").status == 200


def test_the_record_names_the_service(deployment, s3, role_with):
    """CloudTrail's members, in the trail of the role's account."""
    role = role_with(trust())
    answer = s3.assume(role)
    records = journal.records(deployment.server.directory / "journal")
    [record] = [record for record in records
                if record.get("requestID") == answer.headers["x-amzn-requestid"]]
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}
    assert record["sourceIPAddress"] == record["userAgent"] == "s3.amazonaws.com"
    assert (record["eventSource"], record["eventName"]) == ("sts.amazonaws.com", "AssumeRole")
    assert record["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role["Arn"]}]
    assert record["recipientAccountId"] == ACCOUNT

"""Services that call as themselves: who they are, what conditions know of them, and what they may not do."""

import pytest

import journal
from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, run
from registering import Deployment, create_session
from signing import Caller

SOURCE = f"arn:aws:s3:us-east-1:{ACCOUNT}:bucket"
ELSEWHERE = f"arn:aws:s3:us-east-1:{ACCOUNT}:another"
ROOT = statement(root_of(ACCOUNT))


def for_service(principal="s3.amazonaws.com", action="kms:Encrypt", **condition):
    """A statement for a service principal."""
    allowed = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": action,
               "Resource": "*"}
    return {**allowed, "Condition": condition} if condition else allowed


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
def kms(deployment):
    """The account's root user."""
    return client_of(deployment.server, deployment.server.root_credentials())


@pytest.fixture
def key_with(kms):
    """Makes a key whose policy has these statements beside the account's own."""
    def make(*statements):
        return kms.create_key(Policy=policy(ROOT, *statements))["KeyMetadata"]["Arn"]
    return make


def encrypt(service, key, **options):
    """Encrypts as a service."""
    return service.call("Encrypt", {"KeyId": key, "Plaintext": "AA=="}, **options)


def test_a_service_needs_a_statement_that_names_it(s3, key_with):
    """The account's own statement is for its principals."""
    assert encrypt(s3, key_with(for_service())).status == 200
    refused = encrypt(s3, key_with())
    assert refused.error == "AccessDeniedException"
    assert "s3.amazonaws.com is not authorized to perform: kms:Encrypt" in refused.message
    assert encrypt(s3, key_with(for_service("sqs.amazonaws.com"))).error == "AccessDeniedException"


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"ArnEquals": {"aws:SourceArn": SOURCE}},
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}},
    {"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "s3.amazonaws.com"}},
    {"Null": {"aws:SourceIp": "true", "kms:ViaService": "true", "kms:CallerAccount": "true",
              "aws:userid": "true", "aws:PrincipalArn": "true", "aws:CalledVia": "true"}},
], ids=lambda condition: next(iter(next(iter(condition.values())))))
def test_conditions_know_a_service(s3, key_with, condition):
    """Each is true of the service and nothing else lets it in."""
    assert encrypt(s3, key_with(for_service(**condition)), source=SOURCE).status == 200


@pytest.mark.parametrize("source", [None, ELSEWHERE])
def test_another_resource_is_refused(s3, key_with, source):
    """A confused deputy is told apart by the resource that it calls for."""
    key = key_with(for_service(ArnEquals={"aws:SourceArn": SOURCE}))
    assert encrypt(s3, key, source=source).error == "AccessDeniedException"


@pytest.mark.parametrize("header", [
    ("x-amz-source-arn", SOURCE), ("x-amz-source-account", ACCOUNT),
    ("x-amz-forward-access-token", "AAAA")])
def test_headers_of_users_say_nothing(deployment, kms, header):
    """Only a service's headers feed a condition key (threat T-9)."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    said = [{**deny, "Condition": {"Null": {name: "false"}}}
            for name in ("aws:SourceArn", "aws:SourceAccount", "kms:ViaService", "aws:CalledVia")]
    key = kms.create_key(Policy=policy(ROOT, *said))["KeyMetadata"]["Arn"]
    root = Caller(deployment.server.port, *deployment.server.root_credentials())
    headers = [("content-type", "application/x-amz-json-1.1"),
               ("x-amz-target", "TrentService.Encrypt"), header]
    body = b'{"KeyId": "%s", "Plaintext": "AA=="}' % key.encode()
    answer = root.send(root.request(body=body, headers=headers))
    assert answer.status == 200, answer.body


def test_a_grant_is_held_to_its_source(s3, kms, key_with):
    """A grant for a service principal with a constraint on the resource."""
    key = key_with()
    kms.create_grant(KeyId=key, GranteeServicePrincipal="s3.amazonaws.com", Operations=["Encrypt"],
                     RetiringPrincipal=root_of(ACCOUNT), Constraints={"SourceArn": SOURCE})
    assert encrypt(s3, key, source=SOURCE).status == 200
    assert encrypt(s3, key, source=ELSEWHERE).error == "AccessDeniedException"
    assert encrypt(s3, key).error == "AccessDeniedException"


def test_a_service_has_no_keys_of_its_own(s3, kms, key_with):
    """Keys are named by ARN; those of no account are not there."""
    key = key_with(for_service(action="kms:*"))
    assert encrypt(s3, key.rsplit("/", 1)[1]).error == "NotFoundException"
    assert s3.call("CreateKey").error == "AccessDeniedException"
    assert s3.call("DisableKey", {"KeyId": key}).error == "AccessDeniedException"


def test_the_registry_bounds_regions_and_accounts(deployment, key_with):
    """queue is registered for one Region and one account."""
    queue = deployment.service("queue")
    key = key_with(for_service("queue.example.amazonaws.com"))
    assert encrypt(queue, key).status == 200
    queue.region = "eu-central-1"
    refused = encrypt(queue, key)
    assert (refused.error, "Region" in refused.message) == ("AccessDeniedException", True)


def test_the_record_names_the_service(deployment, s3, key_with):
    """CloudTrail's members of a call by a service, in the trail of the key's account."""
    answer = encrypt(s3, key_with(for_service()), source=SOURCE)
    records = journal.records(deployment.server.directory / "journal")
    [record] = [record for record in records
                if record.get("requestID") == answer.headers["x-amzn-requestid"]]
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}
    assert record["sourceIPAddress"] == record["userAgent"] == "s3.amazonaws.com"
    assert record["recipientAccountId"] == ACCOUNT


def test_access_keys_are_two_at_most_and_end_when_deleted(tmp_path):
    """With the server running, and with the service forgotten by the configuration."""
    deployment = Deployment(tmp_path)
    first, second = deployment.service("s3"), deployment.service("s3")
    assert "2 access keys" in deployment.command("create-access-key", "s3").stderr
    assert "no service" in deployment.command("create-access-key", "unknown").stderr
    listed = deployment.command("list").stdout
    assert f"s3  s3.amazonaws.com  {first.access_key_id},{second.access_key_id}" in listed
    assert first.call("ListKeys").error == "AccessDeniedException"
    assert deployment.command("delete-access-key", first.access_key_id).returncode == 0
    assert first.call("ListKeys").error == "UnrecognizedClientException"
    assert deployment.command("delete-access-key", first.access_key_id).returncode == 1
    deployment.forget("s3")
    second.port = deployment.server.port
    assert second.call("ListKeys").error == "UnrecognizedClientException"
    assert f"s3  (not registered)  {second.access_key_id}" in deployment.command("list").stdout
    assert deployment.server.stop() == 0


def test_no_tenant_is_the_account_of_services(deployment):
    """Neither later nor at the first start."""
    made = run("account", "create", "0" * 12, "--data-dir", deployment.server.directory)
    assert made.returncode == 1 and "account of services" in made.stderr
    started = run("serve", "--account-id", "0" * 12)
    assert started.returncode == 2 and "--account-id" in started.stderr


@pytest.mark.parametrize("text, said", [
    ('[[service]]\nprincipal = "a.amazonaws.com"', "no name"),
    ('[[service]]\nname = "kms"', "not kms, iam, sts or cloudtrail"),
    ('[[service]]\nname = "a"\nsigning_name = "sts"', "signing_name"),
    ('[[service]]\nname = "a"\ncolour = "red"', "unknown setting"),
    ('[[service]]\nname = "a"\nregions = []', "a list of AWS Regions"),
    ('[[service]]\nname = "a"\nactions = ["kms:CreateKey"]', "that grants can permit"),
    ('[[service]]\nname = "a"\n[[service]]\nname = "a"', "a second time"),
    ('[service]\nname = "a"', "double brackets"),
])
def test_a_wrong_service_is_refused_with_its_line(tmp_path, text, said):
    """As any other wrong setting."""
    file = tmp_path / "keystead.toml"
    file.write_text(text)
    started = run("serve", "--config", file, "--data-dir", tmp_path / "data")
    assert started.returncode == 2
    assert f"{file}:" in started.stderr and said in started.stderr
    assert "for example: [[service]]" in started.stderr


def test_a_service_makes_no_session_without_a_request(s3):
    """Of nobody."""
    assert create_session(s3, {"Service": "s3"}).error == "ValidationException"

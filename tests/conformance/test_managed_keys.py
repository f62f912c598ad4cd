"""AWS managed keys: made at first use, seen by their account, managed by nobody."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import journal
from conftest import client_of, root_of
from identities import User, allow
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from test_one_action import OPERATIONS, Calls
from timed import DAY, eventually

PREDEFINED = ["acm", "dynamodb", "ebs", "elasticfilesystem", "es", "glue", "kinesis",
              "kinesisvideo", "lambda", "rds", "redshift", "s3", "ssm", "xray"]
# What the root user may do with one: read. An operation that its kind does not suit is refused for that alone.
READ = {"DescribeKey", "GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases",
        "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags"}
UNSUITED = {"GetParametersForImport", "GetPublicKey"}
# Operations about no key.
ELSEWHERE = {"CreateKey", "GenerateRandom", "ListKeys", "ListRetirableGrants"}
# Operations on aliases: the names are reserved, before anything else is asked.
OF_ALIASES = {"CreateAlias", "DeleteAlias", "UpdateAlias"}


def alias(name):
    """The alias of a service's key."""
    return f"alias/aws/{name}"


def alias_arn(name, account=ACCOUNT, region=REGION):
    """Its ARN."""
    return f"arn:aws:kms:{region}:{account}:{alias(name)}"


def listed(kms, name, **parameters):
    """How ListAliases shows the alias of a service's key."""
    pages = kms.get_paginator("list_aliases").paginate(**parameters)
    found = [entry for page in pages for entry in page["Aliases"]
             if entry["AliasName"] == alias(name)]
    assert len(found) <= 1
    return found[0] if found else None


def made(kms, name):
    """The metadata of a service's key, which this makes if need be."""
    return kms.describe_key(KeyId=alias(name))["KeyMetadata"]


def keys_of_aws(kms):
    """The AWS managed keys of the account and Region, by a look at every key."""
    ids = [entry["KeyId"] for page in kms.get_paginator("list_keys").paginate()
           for entry in page["Keys"]]
    described = [kms.describe_key(KeyId=key_id)["KeyMetadata"] for key_id in ids]
    return [key for key in described if key["KeyManager"] == "AWS"]


@pytest.fixture
def fresh(client):
    """The root user in a Region where nothing was used yet."""
    return client(f"xx-fresh-{uuid.uuid4().int % 10**9}")


def region_of(kms):
    """The Region of a client."""
    return kms.meta.region_name


def test_predefined_aliases_are_listed_before_there_are_keys(fresh):
    assert fresh.list_aliases()["Aliases"] == [
        {"AliasName": alias(name), "AliasArn": alias_arn(name, region=region_of(fresh))}
        for name in PREDEFINED]
    assert fresh.list_keys()["Keys"] == []


@pytest.mark.parametrize("size", [1, 3, 14, 50])
def test_predefined_aliases_are_paged_among_the_others(fresh, size):
    key_id = fresh.create_key()["KeyMetadata"]["KeyId"]
    own = ["alias/a", "alias/aws-like", "alias/b", "alias/z"]
    for name in own:
        fresh.create_alias(AliasName=name, TargetKeyId=key_id)
    made(fresh, "kinesis")
    pages = list(fresh.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": size}))
    assert all(len(page["Aliases"]) <= size for page in pages)
    names = [entry["AliasName"] for page in pages for entry in page["Aliases"]]
    assert names == sorted(own + [alias(name) for name in PREDEFINED])


def test_describe_key_makes_the_key_of_a_predefined_alias(fresh):
    before = datetime.now(timezone.utc)
    key = made(fresh, "s3")
    assert abs(key.pop("CreationDate") - before) < timedelta(minutes=1)
    key_id, arn = key.pop("KeyId"), key.pop("Arn")
    assert arn == f"arn:aws:kms:{region_of(fresh)}:{ACCOUNT}:key/{key_id}"
    key.pop("CurrentKeyMaterialId")
    assert key == {
        "AWSAccountId": ACCOUNT, "Enabled": True, "KeyState": "Enabled", "KeyManager": "AWS",
        "Description": "Default key that protects my S3 objects when no other key is defined",
        "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "KeySpec": "SYMMETRIC_DEFAULT",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": False,
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"]}
    entry = listed(fresh, "s3")
    assert (entry["TargetKeyId"], "CreationDate" in entry) == (key_id, True)
    assert listed(fresh, "s3", KeyId=key_id) == entry
    assert fresh.describe_key(KeyId=arn)["KeyMetadata"]["KeyId"] == key_id
    assert made(fresh, "s3")["KeyId"] == key_id
    assert [found["KeyId"] for found in keys_of_aws(fresh)] == [key_id]


@pytest.mark.parametrize("name", PREDEFINED)
def test_every_predefined_alias_becomes_a_key_with_its_policy(fresh, name):
    key = made(fresh, name)
    text = fresh.get_key_policy(KeyId=key["KeyId"])["Policy"]
    document = json.loads(text)
    assert document["Id"].startswith(f"auto-{'awslambda' if name == 'lambda' else name}")
    if name != "acm":
        assert root_of(ACCOUNT) in [statement["Principal"].get("AWS")
                                    for statement in document["Statement"]]
    assert ACCOUNT in text and OTHER_ACCOUNT not in text and "{" + "account}" not in text


def test_the_making_is_told_once_as_an_event_of_the_service(server, fresh):
    key_id = made(fresh, "ssm")["KeyId"]
    made(fresh, "ssm")
    events = [record for record in journal.records(server.directory / "journal")
              if record["eventType"] == "AwsServiceEvent"
              and record["serviceEventDetails"].get("keyId") == key_id]
    assert [event["eventName"] for event in events] == ["CreateKey"]
    assert events[0]["recipientAccountId"] == ACCOUNT
    assert events[0]["userIdentity"]["invokedBy"] == "AWS Internal"


def test_many_first_uses_at_once_make_one_key(server, fresh):
    region = region_of(fresh)
    clients = [client_of(server, server.root_credentials(), region=region) for _ in range(32)]
    with ThreadPoolExecutor(len(clients)) as pool:
        ids = set(pool.map(lambda client: made(client, "rds")["KeyId"], clients))
    assert len(ids) == 1
    assert [key["KeyId"] for key in keys_of_aws(fresh)] == list(ids)


def test_who_is_refused_makes_nothing(server, iam, fresh, refused):
    region = region_of(fresh)
    user = User(server, iam)
    text = (f"User: {user.arn} is not authorized to perform: kms:DescribeKey on resource: "
            f"{alias_arn('glue', region=region)} because no identity-based policy allows the "
            "kms:DescribeKey action")
    with refused("AccessDeniedException", text):
        made(user.client(region=region), "glue")
    assert "TargetKeyId" not in listed(fresh, "glue")
    assert keys_of_aws(fresh) == []
    user.may(allow("kms:DescribeKey"))
    assert made(user.client(region=region), "glue")["KeyManager"] == "AWS"


def test_the_record_of_a_refused_first_use_names_the_alias(server, iam, fresh, record_of):
    region = region_of(fresh)
    with pytest.raises(ClientError) as caught:
        made(User(server, iam).client(region=region), "xray")
    record = record_of(caught.value.response["ResponseMetadata"]["RequestId"])
    assert [(told["type"], told["ARN"]) for told in record["resources"]] == [
        ("AWS::KMS::Alias", alias_arn("xray", region=region))]


@pytest.mark.parametrize("name", ["sqs", "secretsmanager", "nothing"])
def test_other_aliases_of_aws_are_not_found(fresh, refused, name):
    with refused("NotFoundException",
                 f"Alias {alias_arn(name, region=region_of(fresh))} is not found."):
        made(fresh, name)


@pytest.mark.parametrize("operation", ["encrypt", "generate_data_key"])
def test_use_without_the_service_makes_nothing(fresh, refused, operation):
    more = {"Plaintext": b"x"} if operation == "encrypt" else {"KeySpec": "AES_256"}
    with refused("NotFoundException"):
        getattr(fresh, operation)(KeyId=alias("s3"), **more)
    assert keys_of_aws(fresh) == []


def test_another_account_makes_nothing_and_sees_nothing(kms, other, refused, unknown_key_arn):
    def denial(arn):
        return (f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: kms:DescribeKey on "
                f"resource: {arn} because no resource-based policy allows the kms:DescribeKey "
                "action")
    before = listed(kms, "es")
    for arn in (alias_arn("es"), unknown_key_arn, made(kms, "lambda")["Arn"]):
        with refused("AccessDeniedException", denial(arn)):
            other.describe_key(KeyId=arn)
    assert listed(kms, "es") == before
    assert made(other, "lambda")["AWSAccountId"] == OTHER_ACCOUNT


def outcome(kms, operation, arguments):
    """The error that a call is answered with; none if it succeeds."""
    try:
        getattr(kms, xform_name(operation))(**arguments)
    except ClientError as error:
        return error.response["Error"]
    return None


@pytest.fixture(scope="module")
def calls(kms):
    """A call of every operation."""
    made_calls = Calls(kms)
    made_calls.renew()
    return made_calls


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - ELSEWHERE))
def test_what_the_root_user_may_do_with_one(kms, calls, operation):
    key = made(kms, "s3")
    arguments = {member: key["KeyId"] if member.endswith("KeyId") else value
                 for member, value in calls.arguments(operation).items()}
    if operation in OF_ALIASES:
        arguments["AliasName"] = alias("s3")
    elif operation != "ReEncrypt":
        arguments["KeyId"] = key["KeyId"]
    error = outcome(kms, operation, arguments)
    if operation in READ:
        assert error is None
    elif operation in UNSUITED:
        assert error["Code"] == "UnsupportedOperationException", error
    elif operation in OF_ALIASES:
        assert error["Code"] == "NotAuthorizedException", error
    elif operation == "RetireGrant":
        # Only a grant itself can allow it, and a user has made none.
        assert error["Code"] == "NotFoundException", error
    else:
        assert error["Code"] == "AccessDeniedException", error
        assert f"resource: {key['Arn']} because no resource-based policy allows" in error["Message"]
    assert made(kms, "s3") == key


def test_no_own_alias_may_stand_for_one(kms, denied, key, alias_name):
    key_of_aws = made(kms, "s3")
    with denied(ACCOUNT, "CreateAlias", key_of_aws):
        kms.create_alias(AliasName=alias_name, TargetKeyId=key_of_aws["KeyId"])
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with denied(ACCOUNT, "UpdateAlias", key_of_aws):
        kms.update_alias(AliasName=alias_name, TargetKeyId=key_of_aws["KeyId"])


def test_a_user_who_may_everything_may_no_more(server, iam, kms):
    key = made(kms, "s3")
    client = User(server, iam).may(allow("kms:*")).client()
    assert made(client, "s3") == key
    for operation, arguments in (("Encrypt", {"Plaintext": b"x"}), ("DisableKey", {}),
                                 ("ScheduleKeyDeletion", {"PendingWindowInDays": 7}),
                                 ("DisableKeyRotation", {})):
        error = outcome(client, operation, {"KeyId": key["KeyId"], **arguments})
        assert error["Code"] == "AccessDeniedException"
        assert error["Message"].endswith(f"because no resource-based policy allows the "
                                         f"kms:{operation} action"), error


def test_one_is_to_be_rotated_every_year(fresh):
    key = made(fresh, "s3")
    status = fresh.get_key_rotation_status(KeyId=key["KeyId"])
    assert status["KeyRotationEnabled"] is True
    assert status["RotationPeriodInDays"] == 365
    assert status["NextRotationDate"] == key["CreationDate"] + timedelta(days=365)


def test_one_is_rotated_every_year(timed):
    key = made(timed.kms, "s3")
    for year in (1, 2):
        timed.advance(365 * DAY + 1)
        eventually(f"{year} rotations", lambda count=year: len(
            timed.kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]) == count)
    assert made(timed.kms, "s3")["CurrentKeyMaterialId"] != key["CurrentKeyMaterialId"]
    names = [record["eventName"] for record in journal.records(timed.server.directory / "journal")
             if record["eventType"] == "AwsServiceEvent"
             and record["serviceEventDetails"].get("keyId") == key["KeyId"]]
    assert names == ["CreateKey", "RotateKey", "RotateKey"]


def test_one_stands_after_a_restart(own_server):
    def root():
        return client_of(own_server, own_server.root_credentials())
    key = made(root(), "ebs")
    assert own_server.stop() == 0
    own_server.start()
    assert made(root(), "ebs") == key

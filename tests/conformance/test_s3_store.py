"""An object store that keeps its objects under its users' keys, driven by boto3's S3 client."""

import boto3
import pytest
from botocore.exceptions import ClientError

import journal
import keystead
from conftest import CONFIG, client_of, policy, root_of, statement
from identities import NO_IDENTITY_POLICY, User, allow, denied, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from registering import Deployment
from store import Store

BODY = b"what nobody but its owner shall read"
# The store is reached by plain HTTP; the SDK signs what it sends.
CHECKSUMS = CONFIG.merge(type(CONFIG)(request_checksum_calculation="when_required",
                                      response_checksum_validation="when_required"))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A server that knows the service."""
    made = Deployment(tmp_path_factory.mktemp("s3"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(scope="module")
def store(deployment, tmp_path_factory):
    """The running store."""
    made = Store(tmp_path_factory.mktemp("objects"), deployment.service("s3"))
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def owner(deployment):
    """The account's root user, by API."""
    credentials = deployment.server.root_credentials()
    return {name: client_of(deployment.server, credentials, name) for name in ("kms", "iam")}


@pytest.fixture
def key(owner):
    """The ARN of a key of the account."""
    return owner["kms"].create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def ada(deployment, owner):
    """A user who may use keys, but only through the store."""
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    return User(deployment.server, owner["iam"]).may(
        allow(["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], Condition=via))


def s3_of(store, credentials):
    """boto3's S3 client with only the endpoint changed."""
    return boto3.client("s3", region_name=REGION, endpoint_url=store.endpoint, config=CHECKSUMS,
                        aws_access_key_id=credentials[0], aws_secret_access_key=credentials[1])


@pytest.fixture
def s3(store, ada):
    """The user's S3 client."""
    return s3_of(store, ada.credentials)


@pytest.fixture
def bucket(s3):
    """A bucket."""
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    return name


def put(s3, bucket, key=None, name="a/report 1.txt"):
    """Puts an object, under a key or under the one of the service; answers where it is."""
    more = {"SSEKMSKeyId": key} if key else {}
    told = s3.put_object(Bucket=bucket, Key=name, Body=BODY, ServerSideEncryption="aws:kms", **more)
    assert told["ServerSideEncryption"] == "aws:kms" and key in (None, told["SSEKMSKeyId"])
    return {"Bucket": bucket, "Key": name}


def read(s3, where):
    """An object's bytes."""
    return s3.get_object(**where)["Body"].read()


def refusal(call, *arguments, **members):
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **members)
    return caught.value.response["Error"]["Code"]


def test_an_object_goes_round(s3, store, bucket, key):
    where = put(s3, bucket, key)
    assert read(s3, where) == BODY
    head = s3.head_object(**where)
    assert (head["ContentLength"], head["SSEKMSKeyId"]) == (len(BODY), key)
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [where["Key"]]
    kept = b"".join(file.read_bytes() for file in (store.directory / bucket).iterdir())
    assert kept and BODY not in kept
    s3.delete_object(**where)
    assert refusal(read, s3, where) == "NoSuchKey"


def test_an_object_is_unreadable_while_its_key_is_disabled(s3, owner, bucket, key):
    where = put(s3, bucket, key)
    owner["kms"].disable_key(KeyId=key)
    assert refusal(read, s3, where) == "KMS.DisabledException"
    assert refusal(put, s3, bucket, key) == "KMS.DisabledException"
    owner["kms"].enable_key(KeyId=key)
    assert read(s3, where) == BODY


def test_an_object_is_unreadable_when_its_user_loses_decrypt(s3, ada, bucket, key):
    where = put(s3, bucket, key)
    ada.may(allow("kms:GenerateDataKey"))
    assert refusal(read, s3, where) == "AccessDenied"
    put(s3, bucket, key)
    ada.may(allow("kms:Decrypt"))
    assert read(s3, where) == BODY
    assert refusal(put, s3, bucket, key) == "AccessDenied"


def test_a_user_of_another_account_reads_nothing(deployment, s3, store, owner, ada, bucket, key):
    credentials = "AKIAOTHEREXAMPLE0001", "otherSecretOfTheOtherAccountRootUser0001"
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", deployment.server.directory,
                        "--access-key-id", credentials[0], "--secret-access-key", credentials[1],
                        "--config", deployment.file)
    assert made.returncode == 0, made.stderr
    stranger, where = s3_of(store, credentials), put(s3, bucket, key)
    assert refusal(read, stranger, where) == "AccessDenied"
    owner["kms"].put_key_policy(KeyId=key, Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), "kms:Decrypt")))
    assert read(stranger, where) == BODY


def test_an_object_moved_to_another_name_is_unreadable(s3, store, bucket, key):
    where = put(s3, bucket, key)
    other = put(s3, bucket, key, "other")
    store.path(bucket, other["Key"]).write_text(store.path(bucket, where["Key"]).read_text())
    assert refusal(read, s3, other) == "KMS.InvalidCiphertextException"


def test_who_signs_wrongly_is_nobody(s3, store, ada, bucket, key):
    where = put(s3, bucket, key)
    forged = s3_of(store, (ada.credentials[0], "x" * 40))
    assert refusal(read, forged, where) == "KMS.InvalidSignatureException"


def test_direct_use_is_refused(ada, key):
    with denied("kms:GenerateDataKey", NO_IDENTITY_POLICY.format("kms:GenerateDataKey")):
        ada.client().generate_data_key(KeyId=key, KeySpec="AES_256")


def test_the_key_of_the_service_works_through_the_service_alone(s3, owner, bucket):
    where = put(s3, bucket)
    assert read(s3, where) == BODY
    told = owner["kms"].describe_key(KeyId=s3.head_object(**where)["SSEKMSKeyId"])["KeyMetadata"]
    assert (told["KeyManager"], told["AWSAccountId"]) == ("AWS", ACCOUNT)
    with denied("kms:GenerateDataKey", "because no resource-based policy allows the kms:GenerateDataKey action"):
        owner["kms"].generate_data_key(KeyId=told["Arn"], KeySpec="AES_256")


def test_the_record_tells_the_user_and_the_service(deployment, s3, ada, bucket, key):
    where = put(s3, bucket, key)
    read(s3, where)
    records = [record for record in journal.records(deployment.server.directory / "journal")
               if key in [resource.get("ARN") for resource in record.get("resources", [])]
               and record["eventName"] in ("GenerateDataKey", "Decrypt")]
    assert [record["eventName"] for record in records] == ["GenerateDataKey", "Decrypt"]
    for record in records:
        assert record["userIdentity"]["arn"] == ada.arn
        assert record["userIdentity"]["invokedBy"] == "s3.amazonaws.com"
        context = record["requestParameters"]["encryptionContext"]
        assert context == {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{where['Key']}"}

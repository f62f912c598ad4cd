"""Records of calls across accounts: one for the caller, one for each owner of what the call was about."""

import json
import uuid

import pytest

import journal
from conftest import client_of, policy, root_of, statement
from identities import User, allow, unique
from keystead import ACCOUNT, OTHER_ACCOUNT


@pytest.fixture(name="records_of")
def fixture_records_of(server):
    """All records of an answered call, by the account that is told."""
    def find(answer):
        found = [record for record in journal.records(server.directory / "journal")
                 if record.get("requestID") == answer["ResponseMetadata"]["RequestId"]]
        by_account = {record["recipientAccountId"]: record for record in found}
        assert len(by_account) == len(found)
        return by_account
    return find


@pytest.fixture(name="shared_key")
def fixture_shared_key(kms, key):
    """A key that the other account may use."""
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT))))
    return key


def assert_told_to_both(records, resource):
    """The caller and the owner are told the same of one call; the owner who called by id alone."""
    assert set(records) == {ACCOUNT, OTHER_ACCOUNT}
    own, owners = records[OTHER_ACCOUNT], records[ACCOUNT]
    assert own["sharedEventID"] == owners["sharedEventID"]
    assert len({own["eventID"], owners["eventID"], own["sharedEventID"]}) == 3
    assert own["userIdentity"]["type"] != "AWSAccount"
    assert owners["userIdentity"] == {"type": "AWSAccount", "accountId": OTHER_ACCOUNT,
                                      "principalId": own["userIdentity"]["principalId"]}
    assert [entry["ARN"] for entry in owners["resources"]] == [resource]
    differing = {"eventID", "userIdentity", "resources", "recipientAccountId"}
    assert ({name: value for name, value in own.items() if name not in differing}
            == {name: value for name, value in owners.items() if name not in differing})


def test_a_use_is_told_to_both_accounts(other, shared_key, records_of):
    answer = other.encrypt(KeyId=shared_key["Arn"], Plaintext=b"x")
    assert_told_to_both(records_of(answer), shared_key["Arn"])
    answer = other.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    assert_told_to_both(records_of(answer), shared_key["Arn"])


def test_a_change_is_told_to_both_accounts(other, shared_key, records_of):
    answer = other.create_grant(KeyId=shared_key["Arn"], Operations=["Decrypt"],
                                GranteePrincipal=root_of(OTHER_ACCOUNT))
    records = records_of(answer)
    assert_told_to_both(records, shared_key["Arn"])
    assert records[ACCOUNT]["responseElements"]["grantId"] == answer["GrantId"]


def test_an_owner_is_told_of_its_own_resources_alone(other, shared_key, records_of):
    own = other.create_key()["KeyMetadata"]
    blob = other.encrypt(KeyId=own["Arn"], Plaintext=b"x")["CiphertextBlob"]
    answer = other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=shared_key["Arn"])
    records = records_of(answer)
    assert_told_to_both(records, shared_key["Arn"])
    assert [entry["ARN"] for entry in records[OTHER_ACCOUNT]["resources"]] == [
        own["Arn"], shared_key["Arn"]]


def test_a_role_of_another_account_is_told_to_it(server, iam, other, other_credentials, records_of):
    role = unique("role")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": root_of(OTHER_ACCOUNT)},
                            "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    user = User(server, client_of(server, other_credentials, "iam")).may(allow("sts:AssumeRole"))
    answer = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="visitor")
    records = records_of(answer)
    assert_told_to_both(records, arn)
    assert records[ACCOUNT]["userIdentity"]["principalId"] == user.user_id


def test_a_refusal_is_the_callers_alone(other, key, records_of):
    with pytest.raises(other.exceptions.ClientError) as caught:
        other.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    records = records_of(caught.value.response)
    assert list(records) == [OTHER_ACCOUNT]
    assert "sharedEventID" not in records[OTHER_ACCOUNT]


@pytest.mark.parametrize("by_alias", [False, True], ids=["key", "alias"])
def test_a_refusal_tells_nothing_of_what_another_account_owns(kms, other, key, alias_name, records_of, by_alias):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    name = key["Arn"].rpartition(":")[0] + ":" + alias_name if by_alias else key["Arn"]
    with pytest.raises(other.exceptions.ClientError) as caught:
        other.encrypt(KeyId=name, Plaintext=b"x")
    record = records_of(caught.value.response)[OTHER_ACCOUNT]
    assert record["requestParameters"]["keyId"] == name
    assert "resources" not in record
    assert by_alias is (key["KeyId"] not in json.dumps(record))


def test_a_refusal_of_a_missing_destination_tells_the_source_to_its_owner(kms, key, records_of):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(kms.exceptions.NotFoundException) as caught:
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=str(uuid.uuid4()))
    record = records_of(caught.value.response)[ACCOUNT]
    assert [entry["ARN"] for entry in record["resources"]] == [key["Arn"]]


def test_a_call_within_an_account_is_told_once(kms, key, records_of):
    records = records_of(kms.describe_key(KeyId=key["KeyId"]))
    assert list(records) == [ACCOUNT]
    assert "sharedEventID" not in records[ACCOUNT]


def test_each_account_looks_up_its_own_record(server, other, other_credentials, shared_key, records_of):
    records = records_of(other.encrypt(KeyId=shared_key["Arn"], Plaintext=b"x"))
    for account, credentials in [(ACCOUNT, server.root_credentials()), (OTHER_ACCOUNT, other_credentials)]:
        cloudtrail = client_of(server, credentials, "cloudtrail")
        for told_to, record in records.items():
            found = cloudtrail.lookup_events(LookupAttributes=[
                {"AttributeKey": "EventId", "AttributeValue": record["eventID"]}])["Events"]
            assert [json.loads(event["CloudTrailEvent"]) for event in found] == (
                [record] if told_to == account else [])

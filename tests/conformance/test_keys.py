"""CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, Enable, Disable, Schedule- and CancelKeyDeletion."""

import re
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, REGION

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROOT = root_of(ACCOUNT)
# Operations of this family that name one existing key and take no alias.
NAMING_A_KEY = [
    ("update_key_description", {"Description": "x"}),
    ("enable_key", {}),
    ("disable_key", {}),
    ("schedule_key_deletion", {}),
    ("cancel_key_deletion", {}),
]


def call(client, operation, **parameters):
    """Calls an operation by its boto3 name."""
    return getattr(client, operation)(**parameters)


def test_create_key_answers_the_metadata_of_a_fresh_key(kms):
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    metadata = kms.create_key()["KeyMetadata"]
    key_id = metadata["KeyId"]
    assert UUID.fullmatch(key_id)
    created = metadata.pop("CreationDate")
    assert before <= created <= datetime.now(timezone.utc) + timedelta(seconds=1)
    assert re.fullmatch(r"[0-9a-f]{64}", metadata.pop("CurrentKeyMaterialId"))
    assert metadata == {
        "AWSAccountId": ACCOUNT,
        "KeyId": key_id,
        "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}",
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }


def test_create_key_takes_every_member_that_suits_a_symmetric_key(kms):
    text = policy(statement(ROOT), statement(ROOT, ["kms:Encrypt"]))
    metadata = kms.create_key(
        Policy=text, Description="of the test", KeyUsage="ENCRYPT_DECRYPT", Origin="AWS_KMS",
        KeySpec="SYMMETRIC_DEFAULT", BypassPolicyLockoutSafetyCheck=False, MultiRegion=False,
        Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    assert metadata["Description"] == "of the test"
    assert kms.get_key_policy(KeyId=metadata["KeyId"])["Policy"] == text
    assert kms.list_resource_tags(KeyId=metadata["KeyId"])["Tags"] == [
        {"TagKey": "team", "TagValue": "blue"}]


def test_create_key_takes_the_older_name_of_the_key_spec(kms):
    metadata = kms.create_key(CustomerMasterKeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]
    assert metadata["KeySpec"] == "SYMMETRIC_DEFAULT"


def test_create_key_refuses_both_names_of_the_key_spec(kms, refused):
    with refused("ValidationException"):
        kms.create_key(KeySpec="SYMMETRIC_DEFAULT", CustomerMasterKeySpec="SYMMETRIC_DEFAULT")


def test_create_key_refuses_a_usage_that_the_spec_does_not_have(kms, refused):
    with refused("ValidationException",
                 "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"):
        kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="SYMMETRIC_DEFAULT")


def test_create_key_wants_a_usage_for_other_specs(kms, refused):
    with refused("ValidationException", "You must specify a KeyUsage value for all KMS keys except "
                                        "for symmetric encryption keys."):
        kms.create_key(KeySpec="RSA_2048")


def test_create_key_refuses_the_spec_of_china_regions(kms, refused):
    with refused("UnsupportedOperationException"):
        kms.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")


def test_create_key_knows_no_custom_key_store(kms, refused):
    with refused("CustomKeyStoreNotFoundException"):
        kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId="cks-1234567890abcdef0")


@pytest.mark.parametrize("member", ["KeySpec", "KeyUsage", "Origin", "CustomerMasterKeySpec"])
def test_create_key_refuses_unknown_values(unchecked, member):
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.create_key(**{member: "NO_SUCH"})
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    wire = member[0].lower() + member[1:]
    assert error["Message"].startswith(
        f"1 validation error detected: Value 'NO_SUCH' at '{wire}' failed to satisfy constraint: "
        "Member must satisfy enum value set: [")


@pytest.mark.parametrize("text", [
    "{",
    "[]",
    '{"Version": "2012-10-17"}',
    policy({"Effect": "Perhaps", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}),
    policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"}),
])
def test_create_key_refuses_a_malformed_policy(kms, refused, text):
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=text)


def test_create_key_refuses_principals_that_do_not_exist(kms, refused):
    with refused("MalformedPolicyDocumentException",
                 "Policy contains a statement with one or more invalid principals."):
        kms.create_key(Policy=policy(
            statement(ROOT), statement(f"arn:aws:iam::{ACCOUNT}:user/nobody-of-this-name")))


def test_create_key_refuses_to_lock_its_caller_out(kms, refused):
    text = policy(statement(ROOT, ["kms:Encrypt", "kms:Decrypt"]))
    with refused("MalformedPolicyDocumentException",
                 "The new key policy will not allow you to update the key policy in the future."):
        kms.create_key(Policy=text)
    assert kms.create_key(Policy=text, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Enabled"]


def test_create_key_bounds_the_policy(kms, unchecked, refused):
    text = policy(statement(ROOT, Sid="x" * 32_768))
    with refused("LimitExceededException"):
        kms.create_key(Policy=text)
    with refused("ValidationException"):
        unchecked.create_key(Policy="x" * 131_073)


@pytest.mark.parametrize(("tags", "message"), [
    ([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}], "Duplicate tag keys"),
    ([{"TagKey": f"a{number}", "TagValue": ""} for number in range(51)], "Too many tags"),
    ([{"TagKey": "aws:a", "TagValue": "1"}], "Tags beginning with aws: are reserved"),
    ([{"TagKey": "AWS:a", "TagValue": "1"}], "Tags beginning with aws: are reserved"),
])
def test_create_key_refuses_bad_tags(kms, refused, tags, message):
    with refused("TagException", message):
        kms.create_key(Tags=tags)


def test_create_key_bounds_the_description(kms, unchecked, refused):
    assert kms.create_key(Description="x" * 8192)["KeyMetadata"]["Description"] == "x" * 8192
    with refused("ValidationException"):
        unchecked.create_key(Description="x" * 8193)


def test_describe_key_takes_each_form_of_the_name(kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    alias_arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"
    for name in (key["KeyId"], key["Arn"], alias_name, alias_arn):
        assert kms.describe_key(KeyId=name)["KeyMetadata"] == key


def test_describe_key_shows_each_state(kms, key, disabled_key, pending_key):
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    metadata = kms.describe_key(KeyId=disabled_key["KeyId"])["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Disabled", False)
    metadata = kms.describe_key(KeyId=pending_key["KeyId"])["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingDeletion", False)
    assert "DeletionDate" in metadata


def test_describe_key_refuses_what_it_does_not_find(kms, refused, unknown_key_arn, alias_name):
    key_id = unknown_key_arn.rsplit("/", 1)[1]
    for name in (key_id, unknown_key_arn):
        with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
            kms.describe_key(KeyId=name)
    with refused("NotFoundException", "Invalid keyId 'no-key-id'"):
        kms.describe_key(KeyId="no-key-id")
    alias_arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"
    for name in (alias_name, alias_arn):
        with refused("NotFoundException", f"Alias {alias_arn} is not found."):
            kms.describe_key(KeyId=name)
    with refused("NotFoundException", "Invalid arn eu-west-1"):
        kms.describe_key(KeyId=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key_id}")


@pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket", "arn:aws:kms:us-east-1", "arn:"])
def test_describe_key_refuses_a_malformed_arn(kms, refused, arn):
    with refused("InvalidArnException"):
        kms.describe_key(KeyId=arn)


def test_keys_of_one_region_are_unknown_in_another(server, key, refused):
    elsewhere = client_of(server, server.root_credentials(), region="eu-central-1")
    arn = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{key['KeyId']}"
    with refused("NotFoundException", f"Key '{arn}' does not exist"):
        elsewhere.describe_key(KeyId=key["KeyId"])


def test_list_keys_pages_through_every_key_once(kms):
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    found = []
    for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}):
        assert len(page["Keys"]) <= 2
        assert ("NextMarker" in page) == page["Truncated"]
        found.extend(page["Keys"])
    ids = [entry["KeyId"] for entry in found]
    assert len(ids) == len(set(ids))
    assert made <= set(ids)
    for entry in found:
        assert entry == {"KeyId": entry["KeyId"],
                         "KeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{entry['KeyId']}"}


def test_list_keys_knows_owners(kms, key):
    own = kms.list_keys(ResourceOwners=["SELF"], Limit=1000)
    assert key["KeyId"] in {entry["KeyId"] for entry in own["Keys"]}
    shared = kms.list_keys(ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])
    assert (shared["Keys"], shared["Truncated"]) == ([], False)
    both = list(kms.get_paginator("list_keys").paginate(
        ResourceOwners=["SELF", "OTHER_ACCOUNTS_VIA_RAM"]))
    assert key["KeyId"] in {entry["KeyId"] for page in both for entry in page["Keys"]}


def test_list_keys_refuses_markers_that_it_did_not_give(server, kms, refused):
    for _ in range(2):
        kms.create_key()
    marker = kms.list_keys(Limit=1)["NextMarker"]
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker="forged")
    flipped = marker[:-2] + ("A" if marker[-2] != "A" else "B") + marker[-1]
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker=flipped)
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker=marker, ResourceOwners=["SELF", "OTHER_ACCOUNTS_VIA_RAM"])
    with refused("InvalidMarkerException"):
        kms.list_aliases(Marker=marker)
    with refused("InvalidMarkerException"):
        client_of(server, server.root_credentials(), region="eu-west-1").list_keys(Marker=marker)


@pytest.mark.parametrize("parameters", [
    {"Limit": 0}, {"Limit": 1001}, {"Marker": ""}, {"Marker": "x" * 1025},
    {"ResourceOwners": []}, {"ResourceOwners": ["NOBODY"]}, {"ResourceOwners": ["SELF"] * 3},
])
def test_list_keys_refuses_what_breaks_a_constraint(unchecked, refused, parameters):
    with refused("ValidationException"):
        unchecked.list_keys(**parameters)


def test_update_key_description(kms, key):
    assert "KeyMetadata" not in kms.update_key_description(KeyId=key["Arn"], Description="newer")
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] == "newer"
    kms.update_key_description(KeyId=key["KeyId"], Description="")
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] == ""


def test_disable_and_enable_may_be_repeated(kms, key):
    for operation, state in ((kms.disable_key, "Disabled"), (kms.enable_key, "Enabled")):
        for _ in range(2):
            operation(KeyId=key["KeyId"])
            metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            assert (metadata["KeyState"], metadata["Enabled"]) == (state, state == "Enabled")


@pytest.mark.parametrize("days", [7, 30, None])
def test_schedule_key_deletion(kms, key, days):
    window = {} if days is None else {"PendingWindowInDays": days}
    before = datetime.now(timezone.utc)
    answer = kms.schedule_key_deletion(KeyId=key["KeyId"], **window)
    assert answer["KeyId"] == key["Arn"]
    assert answer["KeyState"] == "PendingDeletion"
    assert answer["PendingWindowInDays"] == (days or 30)
    expected = before + timedelta(days=days or 30)
    assert timedelta(seconds=-2) <= answer["DeletionDate"] - expected <= timedelta(days=1)
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata["DeletionDate"] == answer["DeletionDate"]


@pytest.mark.parametrize("days", [0, 1, 6, 31, 366])
def test_schedule_key_deletion_bounds_the_window(unchecked, refused, key, days):
    with refused("ValidationException"):
        unchecked.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=days)


def test_cancel_key_deletion_leaves_the_key_disabled(kms, pending_key):
    answer = kms.cancel_key_deletion(KeyId=pending_key["KeyId"])
    assert answer["KeyId"] == pending_key["Arn"]
    metadata = kms.describe_key(KeyId=pending_key["KeyId"])["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Disabled", False)
    assert "DeletionDate" not in metadata


def test_cancel_key_deletion_wants_a_pending_key(kms, refused, key, disabled_key):
    for metadata in (key, disabled_key):
        with refused("KMSInvalidStateException", f"{metadata['Arn']} is not pending deletion."):
            kms.cancel_key_deletion(KeyId=metadata["KeyId"])


@pytest.mark.parametrize(("operation", "parameters"), NAMING_A_KEY)
def test_a_key_pending_deletion_is_left_alone(kms, refused, pending_key, operation, parameters):
    if operation == "cancel_key_deletion":
        return
    with refused("KMSInvalidStateException", f"{pending_key['Arn']} is pending deletion."):
        call(kms, operation, KeyId=pending_key["KeyId"], **parameters)


@pytest.mark.parametrize(("operation", "parameters"), NAMING_A_KEY)
def test_only_known_keys_and_no_aliases(kms, refused, key, alias_name, unknown_key_arn, operation,
                                        parameters):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with refused("NotFoundException", f"Invalid keyId '{alias_name}'"):
        call(kms, operation, KeyId=alias_name, **parameters)
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        call(kms, operation, KeyId=unknown_key_arn, **parameters)
    with refused("InvalidArnException"):
        call(kms, operation, KeyId="arn:aws:s3:::bucket", **parameters)


@pytest.mark.parametrize(("operation", "parameters"), NAMING_A_KEY)
def test_the_key_must_be_named(unchecked, refused, operation, parameters):
    with refused("ValidationException", "1 validation error detected: Value null at 'keyId' failed to "
                                        "satisfy constraint: Member must not be null"):
        call(unchecked, operation, **parameters)


def test_all_violations_are_told_at_once(unchecked):
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.update_key_description(KeyId="", Description="x" * 8193)
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("2 validation errors detected: ")
    assert "at 'keyId' failed to satisfy constraint: Member must have length greater than or equal " \
           "to 1" in message
    assert "at 'description' failed to satisfy constraint: Member must have length less than or " \
           "equal to 8192" in message


def test_key_ids_are_never_given_twice(kms):
    ids = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(20)]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(key_id).version == 4 for key_id in ids)

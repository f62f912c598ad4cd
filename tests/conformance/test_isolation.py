"""Two accounts: what one has, the other cannot use, see or tell from nothing."""

import uuid

import pytest

from conftest import client_of, policy, root_of, statement
from identities import User, allow, denied
from keystead import ACCOUNT, OTHER_ACCOUNT

OTHER_ROOT = root_of(OTHER_ACCOUNT)
USING_A_KEY = [
    ("DescribeKey", "describe_key", {}),
    ("Encrypt", "encrypt", {"Plaintext": b"x"}),
    ("GenerateDataKey", "generate_data_key", {"KeySpec": "AES_256"}),
    ("GenerateDataKeyWithoutPlaintext", "generate_data_key_without_plaintext",
     {"KeySpec": "AES_256"}),
    ("EnableKey", "enable_key", {}),
    ("DisableKey", "disable_key", {}),
    ("ScheduleKeyDeletion", "schedule_key_deletion", {}),
    ("CancelKeyDeletion", "cancel_key_deletion", {}),
    ("UpdateKeyDescription", "update_key_description", {"Description": "x"}),
    ("TagResource", "tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ("UntagResource", "untag_resource", {"TagKeys": ["a"]}),
    ("ListResourceTags", "list_resource_tags", {}),
    ("GetKeyPolicy", "get_key_policy", {}),
    ("PutKeyPolicy", "put_key_policy", {"Policy": policy(statement(OTHER_ROOT))}),
    ("ListKeyPolicies", "list_key_policies", {}),
]
# A key policy can let another account in for these only.
FOR_OTHER_ACCOUNTS = {"DescribeKey", "Encrypt", "Decrypt", "GenerateDataKey",
                      "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"}
# Who names no key learns nothing of the one that the ciphertext names.
UNTOLD = ("The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
          "or you are not allowed to access.")


def denial(action, arn):
    """AWS's sentence for a caller whom the key's policy does not name."""
    return (f"User: {OTHER_ROOT} is not authorized to perform: kms:{action} on resource: {arn} "
            f"because no resource-based policy allows the kms:{action} action")


def test_the_callers_are_two_accounts(server, other_credentials):
    accounts = [client_of(server, credentials, "sts").get_caller_identity()["Account"]
                for credentials in (server.root_credentials(), other_credentials)]
    assert accounts == [ACCOUNT, OTHER_ACCOUNT]


@pytest.mark.parametrize(("action", "operation", "parameters"), USING_A_KEY)
def test_a_key_of_another_account_is_refused(other, key, action, operation, parameters):
    with pytest.raises(other.exceptions.ClientError) as caught:
        getattr(other, operation)(KeyId=key["Arn"], **parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException", error
    if action in FOR_OTHER_ACCOUNTS:
        assert error["Message"] == denial(action, key["Arn"])


@pytest.mark.parametrize(("action", "operation", "parameters"), USING_A_KEY)
def test_a_key_that_is_not_there_looks_the_same(other, unknown_key_arn, key, action, operation,
                                                parameters):
    texts = []
    for arn in (unknown_key_arn, key["Arn"]):
        with pytest.raises(other.exceptions.ClientError) as caught:
            getattr(other, operation)(KeyId=arn, **parameters)
        error = caught.value.response["Error"]
        texts.append((error["Code"], error["Message"].replace(arn, "ARN")))
    assert texts[0] == texts[1]


def told_of(client, operation, name, **parameters):
    """A refusal: its code, and its message with NAME in place of the name that was used."""
    with pytest.raises(client.exceptions.ClientError) as caught:
        getattr(client, operation)(KeyId=name, **parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"].replace(name, "NAME")


@pytest.mark.parametrize(("action", "operation", "parameters"), USING_A_KEY[:4])
def test_an_alias_of_another_account_looks_as_if_it_was_not_there(kms, other, key, alias_name, action, operation,
                                                                   parameters):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:{alias_name}"
    assert told_of(other, operation, arn, **parameters) == (
        "AccessDeniedException", denial(action, "NAME"))
    assert told_of(other, operation, arn + "-not-there", **parameters) == (
        "AccessDeniedException", denial(action, "NAME"))


@pytest.mark.parametrize("condition", [
    {},
    {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}},
    {"StringEquals": {"aws:ResourceTag/Team": "blue"}},
], ids=["none", "specs", "tags"])
def test_policies_of_ones_own_tell_nothing_of_another_accounts_keys(server, iam, other, condition):
    key = other.create_key(Tags=[{"TagKey": "Team", "TagValue": "blue"}])["KeyMetadata"]
    user = User(server, iam)
    user.may(allow("kms:*"), allow("kms:*", effect="Deny", Condition=condition))
    unknown = f"{key['Arn'].rpartition('/')[0]}/{uuid.uuid4()}"
    told = [told_of(user.client(), "describe_key", name) for name in (unknown, key["Arn"])]
    assert told[0] == told[1]
    assert told[0][1].endswith("because no resource-based policy allows the kms:DescribeKey action")


def test_whoever_is_let_in_is_told_which_of_their_own_policies_forbids(server, iam, other):
    key = other.create_key(Policy=policy(
        statement(OTHER_ROOT), statement(root_of(ACCOUNT), "kms:DescribeKey")))["KeyMetadata"]
    user = User(server, iam)
    user.may(allow("kms:*", effect="Deny"))
    with denied("kms:DescribeKey", "with an explicit deny in an identity-based policy"):
        user.client().describe_key(KeyId=key["Arn"])


def test_a_destination_tells_nothing_of_another_accounts_source(kms, other, refused, key, unknown_key_arn):
    own_missing = f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/{uuid.uuid4()}"
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    for destination in (own_missing, unknown_key_arn, key["Arn"]):
        with refused("AccessDeniedException", UNTOLD):
            other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination)
        for source in (key["Arn"], unknown_key_arn):
            with refused("AccessDeniedException", denial("ReEncryptFrom", source)):
                other.re_encrypt(CiphertextBlob=blob, SourceKeyId=source,
                                 DestinationKeyId=destination)


def test_a_destination_that_is_missing_is_told_to_whoever_may_use_the_source(kms, other, refused, unknown_key_arn):
    own = other.create_key()["KeyMetadata"]["KeyId"]
    blob = other.encrypt(KeyId=own, Plaintext=b"x")["CiphertextBlob"]
    missing = f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/{uuid.uuid4()}"
    with refused("NotFoundException", f"Key '{missing}' does not exist"):
        other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=missing)
    with refused("AccessDeniedException", denial("ReEncryptTo", unknown_key_arn)):
        other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=unknown_key_arn)


def test_a_bare_name_is_the_callers_own(kms, other, refused, key, alias_name):
    own_arn = key["Arn"].replace(ACCOUNT, OTHER_ACCOUNT)
    with refused("NotFoundException", f"Key '{own_arn}' does not exist"):
        other.describe_key(KeyId=key["KeyId"])
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with refused("NotFoundException",
                 f"Alias arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:{alias_name} is not found."):
        other.describe_key(KeyId=alias_name)


def test_a_ciphertext_of_another_account_is_refused(kms, other, refused, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    own = other.create_key()["KeyMetadata"]["KeyId"]
    with refused("AccessDeniedException", UNTOLD):
        other.decrypt(CiphertextBlob=blob)
    with refused("AccessDeniedException", denial("Decrypt", key["Arn"])):
        other.decrypt(CiphertextBlob=blob, KeyId=key["Arn"])
    with refused("IncorrectKeyException"):
        other.decrypt(CiphertextBlob=blob, KeyId=own)
    with refused("AccessDeniedException", UNTOLD):
        other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=own)
    with refused("AccessDeniedException", denial("ReEncryptFrom", key["Arn"])):
        other.re_encrypt(CiphertextBlob=blob, SourceKeyId=key["Arn"], DestinationKeyId=own)
    own_blob = other.encrypt(KeyId=own, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException", denial("ReEncryptTo", key["Arn"])):
        other.re_encrypt(CiphertextBlob=own_blob, DestinationKeyId=key["Arn"])


def test_lists_show_the_callers_own(kms, other, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    keys = [entry["KeyArn"] for page in other.get_paginator("list_keys").paginate()
            for entry in page["Keys"]]
    assert all(f":{OTHER_ACCOUNT}:" in arn for arn in keys)
    aliases = [entry["AliasArn"] for page in other.get_paginator("list_aliases").paginate()
               for entry in page["Aliases"]]
    assert all(f":{OTHER_ACCOUNT}:" in arn for arn in aliases)


def test_a_marker_is_its_accounts(kms, other, refused):
    for _ in range(2):
        kms.create_key()
        other.create_key()
    marker = kms.list_keys(Limit=1)["NextMarker"]
    with refused("InvalidMarkerException"):
        other.list_keys(Marker=marker)


def test_both_accounts_may_have_an_alias_of_one_name(kms, other, key, alias_name):
    own = other.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    other.create_alias(AliasName=alias_name, TargetKeyId=own["KeyId"])
    assert kms.describe_key(KeyId=alias_name)["KeyMetadata"]["Arn"] == key["Arn"]
    assert other.describe_key(KeyId=alias_name)["KeyMetadata"]["Arn"] == own["Arn"]


def test_a_key_of_another_account_is_no_target_of_an_alias(other, key, alias_name):
    with pytest.raises(other.exceptions.ClientError) as caught:
        other.create_alias(AliasName=alias_name, TargetKeyId=key["Arn"])
    assert caught.value.response["Error"]["Code"] in ("AccessDeniedException", "NotFoundException",
                                                      "InvalidArnException")


def test_a_key_policy_lets_another_account_in(kms, other, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)),
        statement(OTHER_ROOT, ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"])))
    assert other.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == ACCOUNT
    blob = other.encrypt(KeyId=key["Arn"], Plaintext=b"shared")["CiphertextBlob"]
    assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"shared"
    with pytest.raises(other.exceptions.ClientError) as caught:
        other.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")
    assert caught.value.response["Error"]["Message"] == denial("GenerateDataKey", key["Arn"])


def test_no_key_policy_gives_another_account_the_management(kms, other, refused, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(OTHER_ROOT)))
    # The model says of each of these: "Cross-account use: No".
    for _, operation, parameters in USING_A_KEY:
        if operation in ("describe_key", "encrypt", "generate_data_key",
                         "generate_data_key_without_plaintext"):
            continue
        with refused("AccessDeniedException"):
            getattr(other, operation)(KeyId=key["Arn"], **parameters)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"

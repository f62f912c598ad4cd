"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies."""

import json

import pytest

from conftest import policy, root_of, statement
from keystead import ACCOUNT

ROOT = root_of(ACCOUNT)
DEFAULT = {
    "Version": "2012-10-17",
    "Id": "key-default-1",
    "Statement": [{
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": "kms:*",
        "Resource": "*",
    }],
}


def policy_of(kms, key):
    """The text of a key's policy."""
    return kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]


def test_a_key_without_a_given_policy_has_the_default_one(kms, key):
    answer = kms.get_key_policy(KeyId=key["Arn"])
    assert json.loads(answer["Policy"]) == DEFAULT
    assert answer["PolicyName"] == "default"


def test_put_key_policy_keeps_the_text_as_it_was_given(kms, key):
    text = json.dumps(DEFAULT, indent=3) + "\n\t "
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=text)
    assert policy_of(kms, key) == text
    kms.put_key_policy(KeyId=key["Arn"], Policy=policy(statement(ROOT)))
    assert policy_of(kms, key) == policy(statement(ROOT))


def test_list_key_policies(kms, key):
    answer = kms.list_key_policies(KeyId=key["KeyId"])
    assert (answer["PolicyNames"], answer["Truncated"]) == (["default"], False)
    assert "NextMarker" not in answer
    assert kms.list_key_policies(KeyId=key["Arn"], Limit=1)["PolicyNames"] == ["default"]


def test_list_key_policies_refuses_forged_markers(kms, unchecked, refused, key):
    with refused("InvalidMarkerException"):
        kms.list_key_policies(KeyId=key["KeyId"], Marker="forged")
    for limit in (0, 1001):
        with refused("ValidationException"):
            unchecked.list_key_policies(KeyId=key["KeyId"], Limit=limit)


def test_the_policy_of_ram_is_known_and_not_there(kms, refused, key):
    with refused("NotFoundException"):
        kms.get_key_policy(KeyId=key["KeyId"], PolicyName="AWS_RAM")
    with refused("ValidationException", "The AWS_RAM policy can only be managed by the RAM service."):
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="AWS_RAM", Policy=policy(statement(ROOT)))
    assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]


def test_there_is_no_policy_of_another_name(kms, refused, key):
    with refused("NotFoundException"):
        kms.get_key_policy(KeyId=key["KeyId"], PolicyName="mine")


@pytest.mark.parametrize("text", [
    "not json", "{", "[]", "null", '"x"',
    '{"Version": "2012-10-17", "Statement": []}',
    '{"Version": "2020-01-01", "Statement": []}',
    policy(statement(ROOT)) + "x",
    policy(statement(ROOT), {"Effect": "Perhaps", "Principal": "*", "Action": "kms:*",
                             "Resource": "*"}),
    policy(statement(ROOT), {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}),
    policy(statement(ROOT), {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Resource": "*"}),
    policy(statement(ROOT), {"Effect": "Allow", "Principal": {"Dog": ROOT}, "Action": "kms:*",
                             "Resource": "*"}),
    policy(statement(ROOT, NoSuchMember="x")),
    policy(statement(ROOT, Condition={"NoSuchOperator": {"kms:ViaService": "x"}})),
])
def test_malformed_policies_are_refused_and_change_nothing(kms, refused, key, text):
    before = policy_of(kms, key)
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=text)
    assert policy_of(kms, key) == before


@pytest.mark.parametrize("principal", [
    f"arn:aws:iam::{ACCOUNT}:user/nobody", f"arn:aws:iam::{ACCOUNT}:role/nobody",
    root_of("999999999999"), "nonsense",
])
def test_principals_must_exist(kms, refused, key, principal):
    with refused("MalformedPolicyDocumentException",
                 "Policy contains a statement with one or more invalid principals."):
        kms.put_key_policy(KeyId=key["KeyId"],
                           Policy=policy(statement(ROOT), statement(principal)))


def test_an_account_may_be_named_by_its_number(kms, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(statement(ACCOUNT)))
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Enabled"]


@pytest.mark.parametrize("statements", [
    [statement(ROOT, ["kms:Encrypt", "kms:GetKeyPolicy"])],
    [statement(ROOT), statement(ROOT, "kms:PutKeyPolicy", effect="Deny")],
    [statement(ROOT, Condition={"StringEquals": {"kms:EncryptionContext:a": "b"}})],
])
def test_nobody_locks_himself_out_by_mistake(kms, refused, key, statements):
    text = policy(*statements)
    with refused("MalformedPolicyDocumentException",
                 "The new key policy will not allow you to update the key policy in the future."):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=text)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=text, BypassPolicyLockoutSafetyCheck=True)


def test_a_policy_that_does_not_allow_denies(kms, refused, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT, ["kms:PutKeyPolicy", "kms:DescribeKey"])))
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Enabled"]
    with refused("AccessDeniedException",
                 f"User: {ROOT} is not authorized to perform: kms:Encrypt on resource: {key['Arn']} "
                 "because no resource-based policy allows the kms:Encrypt action"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(DEFAULT))
    assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["KeyId"] == key["Arn"]


def test_a_policy_that_denies_is_named(kms, refused, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT), statement("*", "kms:Decrypt", effect="Deny")))
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException",
                 f"User: {ROOT} is not authorized to perform: kms:Decrypt on resource: {key['Arn']} "
                 "with an explicit deny in a resource-based policy"):
        kms.decrypt(CiphertextBlob=blob)


def test_conditions_decide(kms, refused, key):
    condition = {"StringEquals": {"kms:EncryptionContext:purpose": "test"}}
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT, ["kms:PutKeyPolicy"]), statement(ROOT, "kms:Encrypt", Condition=condition)))
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"purpose": "test"})
    # The case of the context's key does not matter to a condition, that of its value does (developer guide,
    # "kms:EncryptionContext:context-key").
    for context in ({}, {"purpose": "other"}, {"purpose": "Test"}):
        with refused("AccessDeniedException"):
            kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext=context)


def test_each_operation_asks_for_its_own_action(kms, refused, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    calls = {
        "Encrypt": lambda: kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x"),
        "Decrypt": lambda: kms.decrypt(CiphertextBlob=blob),
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256"),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(
            KeyId=key["KeyId"], KeySpec="AES_256"),
        "DescribeKey": lambda: kms.describe_key(KeyId=key["KeyId"]),
        "EnableKey": lambda: kms.enable_key(KeyId=key["KeyId"]),
        "UpdateKeyDescription": lambda: kms.update_key_description(KeyId=key["KeyId"],
                                                                   Description="x"),
        "ListAliases": lambda: kms.list_aliases(KeyId=key["KeyId"]),
        "GetKeyPolicy": lambda: kms.get_key_policy(KeyId=key["KeyId"]),
        "ListKeyPolicies": lambda: kms.list_key_policies(KeyId=key["KeyId"]),
        "ListResourceTags": lambda: kms.list_resource_tags(KeyId=key["KeyId"]),
        "TagResource": lambda: kms.tag_resource(KeyId=key["KeyId"],
                                                Tags=[{"TagKey": "a", "TagValue": "b"}]),
        "UntagResource": lambda: kms.untag_resource(KeyId=key["KeyId"], TagKeys=["a"]),
    }
    for allowed, call in calls.items():
        kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
            statement(ROOT, ["kms:PutKeyPolicy", f"kms:{allowed}"])))
        for name, other_call in calls.items():
            # ListAliases is an action of the account's, not of the key's, policy.
            if name in (allowed, "ListAliases"):
                continue
            with refused("AccessDeniedException"):
                other_call()
        call()


def test_policies_are_bounded(kms, unchecked, refused, key):
    with refused("LimitExceededException"):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(statement(ROOT, Sid="x" * 32_768)))
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key["KeyId"], Policy="x" * 131_073)
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key["KeyId"], Policy="")
    with refused("ValidationException"):
        unchecked.put_key_policy(KeyId=key["KeyId"], Policy=policy(statement(ROOT)) + "\u2603")


def test_policy_names_keep_to_the_pattern(unchecked, refused, key):
    for name in ("", "a b", "x" * 129):
        with refused("ValidationException"):
            unchecked.get_key_policy(KeyId=key["KeyId"], PolicyName=name)


def test_every_state_of_a_key_has_its_policy(kms, disabled_key, pending_key):
    for key in (disabled_key, pending_key):
        kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(statement(ROOT)))
        assert policy_of(kms, key) == policy(statement(ROOT))
        assert kms.list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]


def test_only_known_keys_and_no_aliases(kms, refused, key, alias_name, unknown_key_arn):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for call in (lambda name: kms.get_key_policy(KeyId=name),
                 lambda name: kms.put_key_policy(KeyId=name, Policy=policy(statement(ROOT))),
                 lambda name: kms.list_key_policies(KeyId=name)):
        with refused("NotFoundException", f"Invalid keyId '{alias_name}'"):
            call(alias_name)
        with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
            call(unknown_key_arn)
        with refused("InvalidArnException"):
            call("arn:aws:s3:::bucket")


def test_members_must_be_there(unchecked, refused, key):
    with refused("ValidationException", "1 validation error detected: Value null at 'policy' failed to "
                                        "satisfy constraint: Member must not be null"):
        unchecked.put_key_policy(KeyId=key["KeyId"])

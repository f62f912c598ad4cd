"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases."""

from datetime import datetime, timedelta, timezone

import pytest

from conftest import client_of
from keystead import ACCOUNT, REGION

PREFIX = ('Alias must start with the prefix "alias/". Please see '
          "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")


def arn_of(alias_name):
    """The ARN of an alias of the test's account and Region."""
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"


def only_alias(kms, key):
    """The one alias of a key."""
    aliases = kms.list_aliases(KeyId=key["KeyId"])["Aliases"]
    assert len(aliases) == 1
    return aliases[0]


@pytest.mark.parametrize("member", ["KeyId", "Arn"])
def test_create_alias(kms, key, alias_name, member):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key[member])
    entry = only_alias(kms, key)
    created, updated = entry.pop("CreationDate"), entry.pop("LastUpdatedDate")
    assert created == updated
    assert abs(datetime.now(timezone.utc) - created) < timedelta(minutes=1)
    assert entry == {"AliasName": alias_name, "AliasArn": arn_of(alias_name),
                     "TargetKeyId": key["KeyId"]}


def test_create_alias_refuses_a_name_in_use(kms, refused, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    other_key = kms.create_key()["KeyMetadata"]["KeyId"]
    for target in (key["KeyId"], other_key):
        with refused("AlreadyExistsException",
                     f"An alias with the name {arn_of(alias_name)} already exists"):
            kms.create_alias(AliasName=alias_name, TargetKeyId=target)


def test_an_alias_may_be_had_in_each_region(server, kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    elsewhere = client_of(server, server.root_credentials(), region="eu-west-1")
    twin = elsewhere.create_key()["KeyMetadata"]
    elsewhere.create_alias(AliasName=alias_name, TargetKeyId=twin["KeyId"])
    assert kms.describe_key(KeyId=alias_name)["KeyMetadata"]["KeyId"] == key["KeyId"]
    assert elsewhere.describe_key(KeyId=alias_name)["KeyMetadata"]["KeyId"] == twin["KeyId"]


def test_a_key_has_fifty_aliases_at_most(kms, refused, key, alias_name):
    for number in range(50):
        kms.create_alias(AliasName=f"{alias_name}/{number}", TargetKeyId=key["KeyId"])
    with refused("LimitExceededException"):
        kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    source = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias_name, TargetKeyId=source)
    with refused("LimitExceededException"):
        kms.update_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])


def test_update_alias_moves_the_name(kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    before = only_alias(kms, key)
    newer = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName=alias_name, TargetKeyId=newer["Arn"])
    assert kms.list_aliases(KeyId=key["KeyId"])["Aliases"] == []
    after = only_alias(kms, newer)
    assert after["CreationDate"] == before["CreationDate"]
    assert after["LastUpdatedDate"] >= before["LastUpdatedDate"]
    assert kms.describe_key(KeyId=alias_name)["KeyMetadata"]["KeyId"] == newer["KeyId"]


def test_delete_alias_leaves_the_key(kms, refused, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    kms.delete_alias(AliasName=alias_name)
    assert kms.list_aliases(KeyId=key["KeyId"])["Aliases"] == []
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Enabled"]
    with refused("NotFoundException", f"Alias {arn_of(alias_name)} is not found."):
        kms.describe_key(KeyId=alias_name)


def test_missing_aliases_are_not_found(kms, refused, key, alias_name):
    text = f"Alias {arn_of(alias_name)} is not found."
    with refused("NotFoundException", text):
        kms.update_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with refused("NotFoundException", text):
        kms.delete_alias(AliasName=alias_name)


def test_names_of_aws_are_reserved(kms, key):
    for operation, parameters in ((kms.create_alias, {"TargetKeyId": key["KeyId"]}),
                                  (kms.update_alias, {"TargetKeyId": key["KeyId"]}),
                                  (kms.delete_alias, {})):
        with pytest.raises(kms.exceptions.ClientError) as caught:
            operation(AliasName="alias/aws/s3", **parameters)
        error = caught.value.response["Error"]
        assert error["Code"] == "NotAuthorizedException"
        assert not error.get("Message")


def test_names_begin_with_alias(kms, refused, key):
    for name in ("bare", "Alias/x", "aliases/x"):
        with refused("ValidationException", PREFIX):
            kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    with refused("ValidationException", PREFIX):
        kms.update_alias(AliasName="bare", TargetKeyId=key["KeyId"])
    with refused("ValidationException", PREFIX):
        kms.delete_alias(AliasName="bare")


@pytest.mark.parametrize("name", ["alias/with space", "alias/ümlaut", "", "alias/" + "x" * 251])
def test_names_keep_to_the_pattern_and_length(unchecked, refused, key, name):
    with refused("ValidationException"):
        unchecked.create_alias(AliasName=name, TargetKeyId=key["KeyId"])


def test_a_name_of_256_characters_is_taken(kms, key):
    name = ("alias/" + key["KeyId"]).ljust(256, "x")
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    assert only_alias(kms, key)["AliasName"] == name
    kms.delete_alias(AliasName=name)


def test_a_colon_passes_the_pattern_and_is_refused(kms, key):
    with pytest.raises(kms.exceptions.ClientError) as caught:
        kms.create_alias(AliasName="alias/a:b", TargetKeyId=key["KeyId"])
    # AWS's documents do not say which of the two; the model lists both for this operation.
    assert caught.value.response["Error"]["Code"] in ("InvalidAliasNameException",
                                                      "ValidationException")


def test_an_alias_is_no_target(kms, refused, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for target in (alias_name, arn_of(alias_name)):
        with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
            kms.create_alias(AliasName=alias_name + "-2", TargetKeyId=target)
        with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
            kms.update_alias(AliasName=alias_name, TargetKeyId=target)


def test_targets_must_exist(kms, refused, alias_name, unknown_key_arn):
    key_id = unknown_key_arn.rsplit("/", 1)[1]
    for target in (key_id, unknown_key_arn):
        with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
            kms.create_alias(AliasName=alias_name, TargetKeyId=target)
    with refused("NotFoundException", "Invalid keyId 'x'"):
        kms.create_alias(AliasName=alias_name, TargetKeyId="x")


def test_a_key_pending_deletion_is_no_new_target(kms, refused, key, pending_key, alias_name):
    text = f"{pending_key['Arn']} is pending deletion."
    with refused("KMSInvalidStateException", text):
        kms.create_alias(AliasName=alias_name, TargetKeyId=pending_key["KeyId"])
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with refused("KMSInvalidStateException", text):
        kms.update_alias(AliasName=alias_name, TargetKeyId=pending_key["KeyId"])


def test_the_alias_of_a_key_pending_deletion_may_leave_it(kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    kms.create_alias(AliasName=alias_name + "-2", TargetKeyId=key["KeyId"])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    newer = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName=alias_name, TargetKeyId=newer["KeyId"])
    kms.delete_alias(AliasName=alias_name + "-2")
    assert kms.list_aliases(KeyId=key["KeyId"])["Aliases"] == []


def test_a_disabled_key_may_have_aliases(kms, disabled_key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=disabled_key["KeyId"])
    assert only_alias(kms, disabled_key)["AliasName"] == alias_name


def test_list_aliases_pages_through_every_alias_once(kms, key, alias_name):
    names = {f"{alias_name}/{number}" for number in range(7)}
    for name in names:
        kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    for parameters in ({}, {"KeyId": key["KeyId"]}, {"KeyId": key["Arn"]}):
        found = []
        pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 3},
                                                           **parameters)
        for page in pages:
            assert len(page["Aliases"]) <= 3
            assert ("NextMarker" in page) == page["Truncated"]
            found.extend(entry["AliasName"] for entry in page["Aliases"])
        assert len(found) == len(set(found))
        assert names <= set(found)
        if parameters:
            assert names == set(found)


def test_list_aliases_gives_fifty_by_default(kms, key, alias_name):
    for number in range(50):
        kms.create_alias(AliasName=f"{alias_name}/{number}", TargetKeyId=key["KeyId"])
    other_key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias_name, TargetKeyId=other_key)
    page = kms.list_aliases()
    assert (len(page["Aliases"]), page["Truncated"]) == (50, True)
    assert len(kms.list_aliases(Limit=100)["Aliases"]) > 50


def test_list_aliases_refuses_markers_of_another_key(kms, refused, key, alias_name):
    for number in range(2):
        kms.create_alias(AliasName=f"{alias_name}/{number}", TargetKeyId=key["KeyId"])
    marker = kms.list_aliases(KeyId=key["KeyId"], Limit=1)["NextMarker"]
    other_key = kms.create_key()["KeyMetadata"]["KeyId"]
    for parameters in ({"KeyId": other_key}, {}):
        with refused("InvalidMarkerException"):
            kms.list_aliases(Marker=marker, **parameters)
    with refused("InvalidMarkerException"):
        kms.list_aliases(Marker="forged")


def test_list_aliases_bounds_its_limit(unchecked, refused):
    for limit in (0, 101, 1001):
        with refused("ValidationException"):
            unchecked.list_aliases(Limit=limit)


def test_list_aliases_wants_a_known_key(kms, refused, unknown_key_arn):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        kms.list_aliases(KeyId=unknown_key_arn)
    with refused("InvalidArnException"):
        kms.list_aliases(KeyId="arn:aws:s3:::bucket")
    with refused("NotFoundException"):
        kms.list_aliases(KeyId="alias/no-key")

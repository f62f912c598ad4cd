"""TagResource, UntagResource, ListResourceTags."""

import pytest


def tags_of(kms, key):
    """The tags of a key as a dictionary."""
    return {tag["TagKey"]: tag["TagValue"]
            for tag in kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]}


def tags(**pairs):
    """Tags as the API writes them."""
    return [{"TagKey": name, "TagValue": value} for name, value in pairs.items()]


def test_tags_are_added_replaced_and_removed(kms, key):
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == []
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags(team="blue", cost="1"))
    kms.tag_resource(KeyId=key["Arn"], Tags=tags(team="red", other=""))
    assert tags_of(kms, key) == {"team": "red", "cost": "1", "other": ""}
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["team", "never-there"])
    assert tags_of(kms, key) == {"cost": "1", "other": ""}


def test_case_tells_tags_apart(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags(team="1", Team="2"))
    assert tags_of(kms, key) == {"team": "1", "Team": "2"}


def test_every_allowed_character_is_kept(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "aZ0 _.:/=+-@", "TagValue": "aZ0 _.:/=+-@"}])
    assert tags_of(kms, key) == {"aZ0 _.:/=+-@": "aZ0 _.:/=+-@"}


@pytest.mark.parametrize(("bad", "message"), [
    ([*tags(a="1"), *tags(a="2")], "Duplicate tag keys"),
    ([{"TagKey": f"a{number}", "TagValue": ""} for number in range(51)], "Too many tags"),
    ([{"TagKey": "aws:a", "TagValue": "1"}], "Tags beginning with aws: are reserved"),
    ([{"TagKey": "Aws:a", "TagValue": "1"}], "Tags beginning with aws: are reserved"),
])
def test_bad_tags_are_refused(kms, refused, key, bad, message):
    with refused("TagException", message):
        kms.tag_resource(KeyId=key["KeyId"], Tags=bad)
    assert tags_of(kms, key) == {}


def test_a_key_has_fifty_tags_at_most(kms, key):
    fifty = [{"TagKey": f"a{number}", "TagValue": ""} for number in range(50)]
    kms.tag_resource(KeyId=key["KeyId"], Tags=fifty)
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags(a0="replaced"))
    with pytest.raises(kms.exceptions.ClientError) as caught:
        kms.tag_resource(KeyId=key["KeyId"], Tags=tags(one="more"))
    # The model lists both for this operation; the recorded text is TagException's.
    assert caught.value.response["Error"]["Code"] in ("TagException", "LimitExceededException")
    assert len(tags_of(kms, key)) == 50


@pytest.mark.parametrize(("bad", "place"), [
    ([{"TagKey": "", "TagValue": ""}], "tags.1.member.tagKey"),
    ([{"TagKey": "x" * 129, "TagValue": ""}], "tags.1.member.tagKey"),
    ([{"TagKey": "fine", "TagValue": ""}, {"TagKey": "x", "TagValue": "x" * 257}],
     "tags.2.member.tagValue"),
    ([{"TagKey": "x"}], "tags.1.member.tagValue"),
    ([{"TagValue": "x"}], "tags.1.member.tagKey"),
])
def test_constraints_name_the_member_by_its_path(unchecked, key, bad, place):
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.tag_resource(KeyId=key["KeyId"], Tags=bad)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert f"at '{place}' failed to satisfy constraint" in error["Message"]


def test_members_must_be_there(unchecked, refused, key):
    text = ("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
            "Member must not be null")
    with refused("ValidationException", text.format("tags")):
        unchecked.tag_resource(KeyId=key["KeyId"])
    with refused("ValidationException", text.format("tagKeys")):
        unchecked.untag_resource(KeyId=key["KeyId"])


def test_list_resource_tags_pages_through_every_tag_once(kms, key):
    names = {f"a{number}" for number in range(7)}
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": n, "TagValue": ""} for n in names])
    found = []
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key["KeyId"],
                                                             PaginationConfig={"PageSize": 3})
    for page in pages:
        assert len(page["Tags"]) <= 3
        assert ("NextMarker" in page) == page["Truncated"]
        found.extend(tag["TagKey"] for tag in page["Tags"])
    assert sorted(found) == sorted(names)


def test_list_resource_tags_refuses_markers_of_another_key(kms, refused, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags(a="", b=""))
    marker = kms.list_resource_tags(KeyId=key["KeyId"], Limit=1)["NextMarker"]
    other_key = kms.create_key(Tags=tags(a="", b=""))["KeyMetadata"]["KeyId"]
    for name, value in ((other_key, marker), (key["KeyId"], "forged")):
        with refused("InvalidMarkerException"):
            kms.list_resource_tags(KeyId=name, Marker=value)


def test_list_resource_tags_bounds_its_limit(unchecked, refused, key):
    for limit in (0, 51, 1001):
        with refused("ValidationException"):
            unchecked.list_resource_tags(KeyId=key["KeyId"], Limit=limit)


def test_a_key_pending_deletion_keeps_its_tags(kms, refused, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags(a="1"))
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    text = f"{key['Arn']} is pending deletion."
    with refused("KMSInvalidStateException", text):
        kms.tag_resource(KeyId=key["KeyId"], Tags=tags(b="2"))
    with refused("KMSInvalidStateException", text):
        kms.untag_resource(KeyId=key["KeyId"], TagKeys=["a"])
    assert tags_of(kms, key) == {"a": "1"}


def test_a_disabled_key_may_be_tagged(kms, disabled_key):
    kms.tag_resource(KeyId=disabled_key["KeyId"], Tags=tags(a="1"))
    kms.untag_resource(KeyId=disabled_key["KeyId"], TagKeys=["a"])
    assert tags_of(kms, disabled_key) == {}


def test_only_known_keys_and_no_aliases(kms, refused, key, alias_name, unknown_key_arn):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for call in (lambda name: kms.tag_resource(KeyId=name, Tags=tags(a="1")),
                 lambda name: kms.untag_resource(KeyId=name, TagKeys=["a"]),
                 lambda name: kms.list_resource_tags(KeyId=name)):
        with refused("NotFoundException", f"Invalid keyId '{alias_name}'"):
            call(alias_name)
        with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
            call(unknown_key_arn)
        with refused("InvalidArnException"):
            call("arn:aws:s3:::bucket")

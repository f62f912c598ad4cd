"""UpdatePrimaryRegion, and the deletion of multi-Region keys."""

from datetime import timedelta

import pytest

import journal
from keystead import REGION
from related import REPLICA, THIRD, Related, cleaned
from timed import DAY


# UpdatePrimaryRegion


def test_update_primary_region(pair, client, refused):
    pair.replicate(THIRD)
    blob = pair.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    assert cleaned(pair.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)) == {}
    # Cryptography goes on meanwhile.
    for region in (REGION, REPLICA, THIRD):
        assert client(region).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    for region in (REGION, REPLICA):
        pair.wait_for_state(region, "Enabled")
    for region in (REGION, REPLICA, THIRD):
        told = pair.described(region)["MultiRegionConfiguration"]
        assert told["MultiRegionKeyType"] == ("PRIMARY" if region == REPLICA else "REPLICA")
        assert told["PrimaryKey"] == {"Arn": pair.arn(REPLICA), "Region": REPLICA}
        assert {one["Region"] for one in told["ReplicaKeys"]} == {REGION, THIRD}
    with refused("UnsupportedOperationException",
                 f"{pair.arn(REGION)} is not a multi-region primary key."):
        pair.call(REGION, "replicate_key", ReplicaRegion="sa-east-1")
    pair.call(REPLICA, "replicate_key", ReplicaRegion="sa-east-1")
    pair.move(REPLICA, THIRD)
    pair.move(THIRD, REGION)
    assert client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_the_keys_are_updating_meanwhile(client, refused):
    """The state lasts a second at most; keys are moved until the calls were in time."""
    for _ in range(5):
        related = Related(client)
        related.replicate()
        related.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)
        seen = [related.described(region) for region in (REGION, REPLICA)]
        refusals = []
        for region in (REGION, REPLICA):
            try:
                related.call(region, "disable_key")
            except client(region).exceptions.KMSInvalidStateException as error:
                refusals.append(error.response["Error"]["Message"])
        if len(refusals) == 2:
            assert [(one["KeyState"], one["Enabled"]) for one in seen] == [("Updating", True)] * 2
            assert refusals == [f"{related.arn(region)} is updating." for region in (REGION, REPLICA)]
            for region in (REGION, REPLICA):
                related.wait_for_state(region, "Enabled")
            return
    raise AssertionError("no key was found while it moved")


def test_the_new_primary_region_has_a_replica(pair, refused):
    with refused("NotFoundException"):
        pair.call(REGION, "update_primary_region", PrimaryRegion=THIRD)
    with refused("UnsupportedOperationException",
                 f"{pair.arn(REPLICA)} is not a multi-region primary key."):
        pair.call(REPLICA, "update_primary_region", PrimaryRegion=REGION)


def test_the_primary_region_is_no_new_one(related, pair, refused):
    for one in (related, pair):
        with refused("UnsupportedOperationException"):
            one.call(REGION, "update_primary_region", PrimaryRegion=REGION)
        assert one.state(REGION) == "Enabled"


def test_single_region_keys_do_not_move(kms, key, refused):
    for region in (REPLICA, REGION):
        with refused("UnsupportedOperationException",
                     f"{key['Arn']} is not a multi-region primary key."):
            kms.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=region)


@pytest.mark.parametrize(("operation", "code", "text"), [
    ("disable_key", "DisabledException", "disabled"),
    ("schedule_key_deletion", "KMSInvalidStateException", "pending deletion")])
def test_a_replica_that_is_to_be_primary_must_work(pair, refused, operation, code, text):
    pair.call(REPLICA, operation)
    with refused(code, f"{pair.arn(REPLICA)} is {text}."):
        pair.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)


# Deletion


def test_a_primary_waits_for_its_replicas(pair, refused):
    answer = cleaned(pair.call(REGION, "schedule_key_deletion", PendingWindowInDays=9))
    assert answer == {"KeyId": pair.arn(REGION), "KeyState": "PendingReplicaDeletion",
                      "PendingWindowInDays": 9}
    metadata = pair.described(REGION)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingReplicaDeletion", False)
    assert metadata["PendingDeletionWindowInDays"] == 9 and "DeletionDate" not in metadata
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "encrypt", Plaintext=b"x")
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "replicate_key", ReplicaRegion=THIRD)
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "schedule_key_deletion")
    # The replica is its own.
    assert pair.call(REPLICA, "encrypt", Plaintext=b"x")["CiphertextBlob"]
    assert pair.described(REPLICA)["KeyState"] == "Enabled"

    assert pair.call(REGION, "cancel_key_deletion")["KeyId"] == pair.arn(REGION)
    metadata = pair.described(REGION)
    assert metadata["KeyState"] == "Disabled" and "PendingDeletionWindowInDays" not in metadata
    pair.call(REGION, "enable_key")
    assert pair.call(REGION, "encrypt", Plaintext=b"x")["CiphertextBlob"]


def test_a_primary_without_replicas_is_deleted_as_any_key(related):
    answer = related.call(REGION, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion" and "DeletionDate" in answer
    metadata = related.described(REGION)
    assert metadata["DeletionDate"] == answer["DeletionDate"]
    assert "PendingDeletionWindowInDays" not in metadata


def test_rotation_shows_false_while_a_primary_waits(pair):
    pair.call(REGION, "enable_key_rotation")
    pair.call(REGION, "schedule_key_deletion")
    assert pair.call(REGION, "get_key_rotation_status")["KeyRotationEnabled"] is False
    assert pair.call(REPLICA, "get_key_rotation_status")["KeyRotationEnabled"] is True
    pair.call(REGION, "cancel_key_deletion")
    assert pair.call(REGION, "get_key_rotation_status")["KeyRotationEnabled"] is True


def test_the_window_of_a_primary_begins_when_the_last_replica_is_gone(timed):
    related = Related(timed.client)
    for region in (REPLICA, THIRD):
        related.replicate(region)
    related.call(REGION, "schedule_key_deletion", PendingWindowInDays=10)
    related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    related.call(THIRD, "schedule_key_deletion", PendingWindowInDays=20)
    timed.advance(15 * DAY)
    timed.wait_until_gone(related.key_id, REPLICA)
    timed.jobs_have_run()
    assert related.described(REGION)["KeyState"] == "PendingReplicaDeletion"
    assert [one["Region"] for one in related.described(THIRD)["MultiRegionConfiguration"][
        "ReplicaKeys"]] == [THIRD]
    timed.advance(6 * DAY)
    timed.wait_until_gone(related.key_id, THIRD)
    metadata = related.described(REGION)
    assert metadata["KeyState"] == "PendingDeletion"
    assert "PendingDeletionWindowInDays" not in metadata
    expected = timed.now() + timedelta(days=10)
    assert abs(metadata["DeletionDate"] - expected) < timedelta(minutes=1)
    assert metadata["MultiRegionConfiguration"]["ReplicaKeys"] == []
    timed.advance(9 * DAY)
    timed.jobs_have_run()
    assert related.state(REGION) == "PendingDeletion"
    timed.advance(2 * DAY)
    timed.wait_until_gone(related.key_id, REGION)
    gone = [record["awsRegion"] for record in journal.records(timed.server.directory / "journal")
            if record["eventName"] == "DeleteKey"]
    assert gone == [REPLICA, THIRD, REGION]


def test_a_deleted_replica_can_be_made_again(timed):
    related = Related(timed.client)
    related.replicate()
    blob = related.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(related.key_id, REPLICA)
    assert related.described(REGION)["MultiRegionConfiguration"]["ReplicaKeys"] == []
    related.call(REGION, "rotate_key_on_demand")
    related.replicate()
    assert timed.client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_former_primary_is_deleted_as_a_replica(timed):
    related = Related(timed.client)
    related.replicate()
    related.move(REGION, REPLICA)
    answer = related.call(REGION, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    answer = related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion"

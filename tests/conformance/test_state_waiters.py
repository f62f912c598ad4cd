"""The loops in which Terraform's provider and Ansible's module wait for keys: what they poll and look for.

Terraform's provider (internal/service/kms) refreshes a state until it is a target, fails on any state that is neither
pending nor target, takes a key that is pending deletion for gone, and wants a changed property several times running.
Ansible's amazon.aws.kms_key acts on the state that it read once.
"""

import json
import time

import pytest

from conftest import policy, root_of, statement
from importing import ImportedKey, later, material_of
from keystead import ACCOUNT, REGION
from related import REPLICA

# The provider waits minutes; what is strongly consistent needs none of it.
WAIT_SECONDS_MAX = 10
POLL_SECONDS = 0.02
GONE = {"PendingDeletion", "PendingReplicaDeletion"}


def state_of(kms, key_id):
    """The state that the provider sees: None for a key that is deleted or will be."""
    try:
        state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    except kms.exceptions.NotFoundException:
        return None
    return None if state in GONE else state


def wait_for_state(kms, key_id, pending, target):
    """Refreshes until the state is a target; a target of nothing is a key that is gone."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    seen = []
    while time.monotonic() < deadline:
        state = state_of(kms, key_id)
        if state is None and not target:
            return seen
        if state in target:
            return seen
        assert state in pending, f"unexpected state {state!r} after {seen}"
        seen.append(state)
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"timeout in {seen[-1]}")


def wait_until(check, times_in_a_row):
    """Polls until the check has held that often in a row; it must never fail again once it held."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    held = 0
    while time.monotonic() < deadline:
        if check():
            held += 1
            if held == times_in_a_row:
                return
        else:
            assert held == 0, "a change was seen and then not"
        time.sleep(POLL_SECONDS)
    raise AssertionError("timeout")


def enabled(kms, key_id, value):
    """Sets whether a key is enabled, as the provider does."""
    (kms.enable_key if value else kms.disable_key)(KeyId=key_id)
    wait_until(lambda: kms.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"] is value, 15)


def rotation(kms, key_id, value, days=None):
    """Sets whether and how often a key is rotated, as the provider does."""
    if value:
        kms.enable_key_rotation(KeyId=key_id, **({"RotationPeriodInDays": days} if days else {}))
    else:
        kms.disable_key_rotation(KeyId=key_id)

    def is_so():
        told = kms.get_key_rotation_status(KeyId=key_id)
        is_period = days is None or told.get("RotationPeriodInDays") in (None, days)
        return told["KeyRotationEnabled"] is value and is_period
    wait_until(is_so, 5)


def destroy(kms, key_id, **window):
    """Deletes a key, as the provider does: what is pending deletion already is no error."""
    try:
        kms.schedule_key_deletion(KeyId=key_id, **window)
    except kms.exceptions.NotFoundException:
        return
    except kms.exceptions.KMSInvalidStateException as error:
        assert "is pending deletion" in error.response["Error"]["Message"]
        return
    wait_for_state(kms, key_id, pending={"Disabled", "Enabled"}, target=set())


def test_terraform_key(kms):
    tags = [{"TagKey": "a", "TagValue": "1"}]
    text = policy(statement(root_of(ACCOUNT)))
    key_id = kms.create_key(KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT", Policy=text,
                            BypassPolicyLockoutSafetyCheck=False, Tags=tags)["KeyMetadata"]["KeyId"]
    rotation(kms, key_id, True, 180)
    enabled(kms, key_id, False)
    wait_until(lambda: json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
               == json.loads(text), 5)
    wait_until(lambda: kms.list_resource_tags(KeyId=key_id)["Tags"] == tags, 5)

    enabled(kms, key_id, True)
    rotation(kms, key_id, True, 365)
    kms.update_key_description(KeyId=key_id, Description="newer")
    wait_until(lambda: kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"] == "newer", 5)
    rotation(kms, key_id, False)
    enabled(kms, key_id, False)
    destroy(kms, key_id, PendingWindowInDays=7)
    # A second destroy, as after a state that was lost.
    destroy(kms, key_id)


@pytest.mark.parametrize("has_expiry", [False, True])
def test_terraform_external_key(kms, has_expiry):
    key = ImportedKey(kms)
    material = material_of("SYMMETRIC_DEFAULT")
    expiry = {"ValidTo": later(days=30)} if has_expiry else {}
    key.bring(material, "RSAES_OAEP_SHA_256", **expiry)
    wait_for_state(kms, key.key_id, pending={"PendingImport"}, target={"Disabled", "Enabled"})
    wait_until(lambda: key.described().get("ValidTo") == expiry.get("ValidTo"), 5)
    enabled(kms, key.key_id, False)
    # A new date is set by importing again, also into a disabled key.
    newer = later(days=60)
    key.bring(material, "RSAES_OAEP_SHA_256", ValidTo=newer)
    wait_for_state(kms, key.key_id, pending={"PendingImport"}, target={"Disabled", "Enabled"})
    wait_until(lambda: key.described().get("ValidTo") == newer, 5)
    destroy(kms, key.key_id)


def test_terraform_external_key_without_material(kms, refused):
    key = ImportedKey(kms)
    assert state_of(kms, key.key_id) == "PendingImport"
    # This sentence stands in the provider's source, as AWS said it.
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        kms.disable_key(KeyId=key.key_id)
    kms.schedule_key_deletion(KeyId=key.key_id)
    wait_for_state(kms, key.key_id, pending={"Disabled", "Enabled"}, target=set())


def test_terraform_replica_key(client):
    kms, elsewhere = client(REGION), client(REPLICA)
    primary = kms.create_key(MultiRegion=True)["KeyMetadata"]
    key_id = kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=REPLICA,
                               Description="replica")["ReplicaKeyMetadata"]["KeyId"]
    wait_for_state(elsewhere, key_id, pending={"Creating"}, target={"Enabled"})
    told = elsewhere.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    assert told["MultiRegionKeyType"] == "REPLICA"
    assert told["PrimaryKey"]["Arn"] == primary["Arn"]
    enabled(elsewhere, key_id, False)
    enabled(elsewhere, key_id, True)
    # The replica is destroyed first, and then the primary, which still has it.
    destroy(elsewhere, key_id, PendingWindowInDays=7)
    destroy(kms, key_id, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingReplicaDeletion"


def test_terraform_replica_external_key(client):
    kms, elsewhere = client(REGION), client(REPLICA)
    key = ImportedKey(kms, MultiRegion=True)
    material = material_of("SYMMETRIC_DEFAULT")
    key.bring(material)
    kms.replicate_key(KeyId=key.key_id, ReplicaRegion=REPLICA)
    wait_for_state(elsewhere, key.key_id, pending={"Creating"}, target={"PendingImport"})
    replica = key.in_region(elsewhere, REPLICA)
    replica.bring(material, "RSAES_OAEP_SHA_256")
    wait_for_state(elsewhere, key.key_id, pending={"PendingImport"}, target={"Disabled", "Enabled"})
    destroy(elsewhere, key.key_id)


def ansible_present(kms, key_id, is_enabled=True, is_rotated=None):
    """Ansible's `state: present`: cancels a deletion, then sets what differs from the state that it knows."""
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    if state == "PendingDeletion":
        kms.cancel_key_deletion(KeyId=key_id)
        state = "Disabled"
    if state != ("Enabled" if is_enabled else "Disabled"):
        (kms.enable_key if is_enabled else kms.disable_key)(KeyId=key_id)
    if is_rotated is not None:
        told = kms.get_key_rotation_status(KeyId=key_id)
        if told["KeyRotationEnabled"] != is_rotated:
            (kms.enable_key_rotation if is_rotated else kms.disable_key_rotation)(KeyId=key_id)
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def test_ansible_key(kms):
    key = kms.create_key(Description="by a playbook")["KeyMetadata"]
    assert ansible_present(kms, key["KeyId"], is_rotated=True) == "Enabled"
    kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    # Rotation shows false until the deletion is cancelled, and is then as it was: nothing is left to set.
    assert ansible_present(kms, key["KeyId"], is_rotated=True) == "Enabled"
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True
    assert ansible_present(kms, key["KeyId"], is_enabled=False) == "Disabled"


def test_ansible_reads_the_rotation_of_every_kind_of_key(kms):
    """The module takes one error for "no rotation", and fails on any other."""
    for key_spec, key_usage in (("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")):
        for origin in ("AWS_KMS", "EXTERNAL"):
            key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage, Origin=origin)["KeyMetadata"]
            with pytest.raises(kms.exceptions.UnsupportedOperationException):
                kms.get_key_rotation_status(KeyId=key["KeyId"])
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False

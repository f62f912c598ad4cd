"""ImportKeyMaterial: whether and when imported material expires."""

from datetime import datetime, timedelta, timezone

import pytest

import journal
from importing import SYMMETRIC_BYTES, ImportedKey, later, material_of, usage_of, wrap
from keystead import ACCOUNT, REGION
from timed import HOUR, MINUTE, eventually

NEEDS_A_DATE = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"


def test_material_expires_unless_it_is_said_not_to(imported, refused):
    for model in ({}, {"ExpirationModel": "KEY_MATERIAL_EXPIRES"}):
        with refused("ValidationException", NEEDS_A_DATE):
            given = imported.parameters()
            imported.kms.import_key_material(
                KeyId=imported.key_id, ImportToken=given["ImportToken"],
                EncryptedKeyMaterial=wrap(b"x" * SYMMETRIC_BYTES, given["PublicKey"],
                                          "RSA_AES_KEY_WRAP_SHA_256"), **model)
    with refused("ValidationException"):
        imported.bring(ValidTo=later(days=1), ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert imported.state() == "PendingImport"


@pytest.mark.parametrize("distance", [
    timedelta(days=-1), timedelta(seconds=-5), timedelta(days=365, hours=1), timedelta(days=4000)])
def test_the_expiry_is_within_a_year(imported, refused, distance):
    with refused("ValidationException"):
        imported.bring(ValidTo=datetime.now(timezone.utc) + distance)
    assert imported.state() == "PendingImport"


def test_importing_again_changes_the_expiry(imported):
    material = material_of("SYMMETRIC_DEFAULT")
    valid_to = later(days=364)
    imported.bring(material, ValidTo=valid_to)
    metadata = imported.described()
    assert (metadata["ExpirationModel"], metadata["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    [entry] = imported.materials()
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    nearer = later(hours=1)
    imported.bring(material, ValidTo=nearer)
    assert imported.described()["ValidTo"] == nearer
    imported.bring(material)
    metadata = imported.described()
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "ValidTo" not in metadata
    [entry] = imported.materials()
    assert entry["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE" and "ValidTo" not in entry


def test_the_key_tells_the_earliest_expiry_of_its_materials(two_materials):
    key, first, second = two_materials
    near, far = later(days=10), later(days=20)
    key.bring(first, ValidTo=near)
    key.bring(second, ValidTo=far)
    assert key.described()["ValidTo"] == near
    # What waits for a rotation is not the key's yet.
    key.bring(ImportType="NEW_KEY_MATERIAL", ValidTo=later(days=1))
    assert key.described()["ValidTo"] == near
    key.bring(first)
    assert key.described()["ValidTo"] == far


def expiries(timed, key_id):
    """The events of material that expired."""
    return [record for record in journal.records(timed.server.directory / "journal")
            if record["eventName"] == "DeleteExpiredKeyMaterial"
            and record["serviceEventDetails"]["keyId"] == key_id]


@pytest.mark.parametrize("key_spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"])
def test_material_is_destroyed_on_its_date_and_can_come_back(timed, refused, key_spec):
    key = ImportedKey(timed.kms, key_spec, usage_of(key_spec))
    material = material_of(key_spec)
    key.bring(material, ValidTo=later(hours=12))
    timed.advance(12 * HOUR - MINUTE)
    timed.jobs_have_run()
    assert key.state() == "Enabled"
    timed.advance(2 * MINUTE)
    timed.wait_for_state(key.key_id, "PendingImport")
    metadata = key.described()
    assert metadata["Enabled"] is False
    assert "ValidTo" not in metadata and "ExpirationModel" not in metadata
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        {"SYMMETRIC_DEFAULT": lambda: key.encrypt(),
         "HMAC_256": lambda: key.kms.generate_mac(KeyId=key.key_id, Message=b"m",
                                                  MacAlgorithm="HMAC_SHA_256"),
         "ECC_NIST_P256": lambda: key.kms.get_public_key(KeyId=key.key_id)}[key_spec]()
    [event] = expiries(timed, key.key_id)
    assert event["eventType"] == "AwsServiceEvent"
    assert event["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert event["awsRegion"] == REGION
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key.arn}]
    with refused("IncorrectKeyMaterialException"):
        key.bring(material_of(key_spec))
    key.bring(material)
    assert key.state() == "Enabled"
    timed.jobs_have_run()
    assert len(expiries(timed, key.key_id)) == 1


def test_material_expires_across_a_restart(timed):
    key = ImportedKey(timed.kms)
    material = material_of("SYMMETRIC_DEFAULT")
    key.bring(material, ValidTo=later(hours=12))
    blob = key.encrypt()
    timed.restart()
    timed.advance(13 * HOUR)
    timed.wait_for_state(key.key_id, "PendingImport")
    timed.restart()
    assert timed.state(key.key_id) == "PendingImport"
    key.kms = timed.kms
    key.bring(material)
    assert key.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_each_material_expires_by_itself(timed):
    key = ImportedKey(timed.kms)
    first, second, third = (material_of("SYMMETRIC_DEFAULT") for _ in range(3))
    first_id = key.bring(first, ValidTo=later(hours=2))["KeyMaterialId"]
    blob = key.encrypt()
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    key.kms.rotate_key_on_demand(KeyId=key.key_id)
    key.bring(third, ImportType="NEW_KEY_MATERIAL", ValidTo=later(hours=1))
    timed.advance(HOUR + MINUTE)
    # What waited for a rotation is forgotten, and the key goes on.
    eventually("the third material is gone", lambda: len(key.materials()) == 2)
    assert key.state() == "Enabled"
    timed.advance(HOUR + MINUTE)
    timed.wait_for_state(key.key_id, "PendingImport")
    assert key.states() == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "IMPORTED")]
    assert [event["serviceEventDetails"]["keyMaterialId"]
            for event in expiries(timed, key.key_id)][1:] == [first_id]
    assert key.described()["CurrentKeyMaterialId"] == second_id
    key.bring(first)
    assert key.state() == "Enabled"
    assert key.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first_id


def test_an_expiry_that_was_put_off_never_happens(timed):
    key = ImportedKey(timed.kms)
    material = material_of("SYMMETRIC_DEFAULT")
    key.bring(material, ValidTo=later(hours=1))
    key.bring(material, ValidTo=later(hours=10))
    timed.advance(2 * HOUR)
    timed.jobs_have_run()
    assert key.state() == "Enabled"


@pytest.mark.parametrize("prepare", ["disable", "schedule"])
def test_material_expires_in_keys_that_are_not_in_use_too(timed, prepare):
    key = ImportedKey(timed.kms)
    key.bring(ValidTo=later(hours=1))
    if prepare == "disable":
        key.kms.disable_key(KeyId=key.key_id)
    else:
        key.kms.schedule_key_deletion(KeyId=key.key_id, PendingWindowInDays=7)
    timed.advance(2 * HOUR)
    eventually("the material is gone", lambda: key.states() == [("CURRENT", "PENDING_IMPORT")])
    assert key.state() == {"disable": "PendingImport", "schedule": "PendingDeletion"}[prepare]

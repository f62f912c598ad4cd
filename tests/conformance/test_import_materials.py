"""ImportKeyMaterial and DeleteImportedKeyMaterial: which material a key takes, keeps and loses."""

import pytest

import journal
from importing import ImportedKey, material_of, usage_of
from timed import DAY


# Which material


@pytest.mark.parametrize("more", [{}, {"ImportType": "NEW_KEY_MATERIAL"}])
def test_the_first_material_is_new(imported, more):
    answer = imported.bring(**more)
    assert imported.states() == [("CURRENT", "IMPORTED")]
    [entry] = imported.materials()
    assert entry == {"KeyId": imported.key_id, "KeyMaterialId": answer["KeyMaterialId"],
                     "KeyMaterialState": "CURRENT", "ImportState": "IMPORTED",
                     "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    assert imported.kms.list_key_rotations(KeyId=imported.key_id)["Rotations"] == []


def test_the_first_material_is_not_an_existing_one(imported, refused):
    with refused("IncorrectKeyMaterialException"):
        imported.bring(ImportType="EXISTING_KEY_MATERIAL")
    assert imported.state() == "PendingImport"


@pytest.mark.parametrize("more", [{}, {"ImportType": "EXISTING_KEY_MATERIAL"}])
def test_only_the_same_bytes_come_back(imported, refused, more):
    material = material_of("SYMMETRIC_DEFAULT")
    first = imported.bring(material)
    blob = imported.encrypt()
    with refused("IncorrectKeyMaterialException"):
        imported.bring(**more)
    imported.delete()
    with refused("IncorrectKeyMaterialException"):
        imported.bring(**more)
    assert imported.state() == "PendingImport"
    assert imported.bring(material, **more)["KeyMaterialId"] == first["KeyMaterialId"]
    assert imported.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_known_material_is_not_new(two_materials, refused):
    key, first, second = two_materials
    for material in (first, second):
        with refused("IncorrectKeyMaterialException"):
            key.bring(material, ImportType="NEW_KEY_MATERIAL")


@pytest.mark.parametrize("key_spec", ["HMAC_256", "ECC_NIST_P256", "RSA_2048"])
def test_other_keys_keep_their_first_material(kms, refused, key_spec):
    key = ImportedKey(kms, key_spec, usage_of(key_spec))
    material = material_of(key_spec)
    key.bring(material)
    with refused("IncorrectKeyMaterialException"):
        key.bring()
    key.delete()
    with refused("IncorrectKeyMaterialException"):
        key.bring()
    key.bring(material)
    assert key.state() == "Enabled"


@pytest.mark.parametrize("more", [
    {"ImportType": "NEW_KEY_MATERIAL"}, {"KeyMaterialDescription": "x"}, {"KeyMaterialId": "0" * 64}])
def test_members_for_symmetric_keys_alone(kms, refused, more):
    key = ImportedKey(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    with refused("UnsupportedOperationException"):
        key.bring(**more)


def test_a_material_may_be_named(imported, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    named = {"KeyMaterialId": imported.bring(material)["KeyMaterialId"]}
    imported.bring(material, **named)
    imported.bring(material, ImportType="EXISTING_KEY_MATERIAL", **named)
    with refused("IncorrectKeyMaterialException"):
        imported.bring(**named)
    with refused("IncorrectKeyMaterialException"):
        imported.bring(material, KeyMaterialId="0" * 64)
    with refused("ValidationException"):
        imported.bring(material, ImportType="NEW_KEY_MATERIAL", **named)


def test_descriptions_are_kept(two_materials):
    key, first, second = two_materials
    for material, text in ((first, "first"), (second, "second: 2026-01/a.b_c"), (first, "renamed")):
        key.bring(material, KeyMaterialDescription=text)
    for _ in range(2):
        assert [entry["KeyMaterialDescription"] for entry in key.materials()] == [
            "renamed", "second: 2026-01/a.b_c"]
        key.delete()
        key.bring(first)
        key.bring(second)


@pytest.mark.parametrize("text", ["x" * 257, "semi;colon", "ünïcode"])
def test_descriptions_are_bounded(kms, unchecked, refused, text):
    key = ImportedKey(unchecked)
    with refused("ValidationException"):
        key.bring(KeyMaterialDescription=text)


def test_new_material_waits_for_its_rotation(imported):
    first = imported.bring()["KeyMaterialId"]
    second = imported.bring(ImportType="NEW_KEY_MATERIAL",
                            KeyMaterialDescription="next")["KeyMaterialId"]
    assert imported.states() == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    waiting = imported.materials()[1]
    assert (waiting["KeyMaterialId"], waiting["KeyMaterialDescription"]) == (second, "next")
    assert "RotationDate" not in waiting and "RotationType" not in waiting
    blob = imported.encrypt()
    assert imported.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert imported.kms.list_key_rotations(KeyId=imported.key_id)["Rotations"] == []

    imported.kms.rotate_key_on_demand(KeyId=imported.key_id)
    assert imported.states() == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    [entry] = imported.kms.list_key_rotations(KeyId=imported.key_id)["Rotations"]
    assert (entry["KeyMaterialId"], entry["RotationType"]) == (second, "ON_DEMAND")
    assert imported.described()["CurrentKeyMaterialId"] == second
    assert imported.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert imported.kms.decrypt(CiphertextBlob=imported.encrypt())["KeyMaterialId"] == second


def test_one_material_waits_at_a_time(imported, refused):
    imported.bring()
    waiting = material_of("SYMMETRIC_DEFAULT")
    waiting_id = imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    # The id of material follows from the key and the bytes, so another import of them tells it.
    other = material_of("SYMMETRIC_DEFAULT")
    imported.delete(KeyMaterialId=waiting_id)
    other_id = imported.bring(other, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    imported.delete(KeyMaterialId=other_id)
    assert imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"] == waiting_id
    with refused("KMSInvalidStateException",
                 f"New key material (id: {other_id}) cannot be imported into KMS key {imported.arn}, "
                 f"because another key material (id: {waiting_id}) is pending rotation."):
        imported.bring(other, ImportType="NEW_KEY_MATERIAL")
    imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")
    imported.bring(waiting, ImportType="EXISTING_KEY_MATERIAL")
    assert imported.states() == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_a_rotation_wants_material_that_waits(imported, refused):
    with refused("KMSInvalidStateException", f"{imported.arn} is pending import."):
        imported.kms.rotate_key_on_demand(KeyId=imported.key_id)
    imported.bring()
    with refused("KMSInvalidStateException",
                 f"No available key material pending rotation for the key: {imported.arn}."):
        imported.kms.rotate_key_on_demand(KeyId=imported.key_id)


def test_a_rotation_of_imported_material_has_its_event(server, two_materials):
    key, _, _ = two_materials
    [event] = [record for record in journal.records(server.directory / "journal")
               if record["eventName"] == "RotateKey"
               and record["serviceEventDetails"]["keyId"] == key.key_id]
    first, second = (entry["KeyMaterialId"] for entry in key.materials())
    assert event["serviceEventDetails"] == {
        "keyId": key.key_id, "rotationType": "ON_DEMAND", "keyOrigin": "EXTERNAL",
        "previousKeyMaterialId": first, "currentKeyMaterialId": second}


# DeleteImportedKeyMaterial


def test_delete_imported_key_material(imported, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    key_material_id = imported.bring(material)["KeyMaterialId"]
    blob = imported.encrypt()
    answer = imported.delete()
    assert (answer["KeyId"], answer["KeyMaterialId"]) == (imported.arn, key_material_id)
    metadata = imported.described()
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingImport", False)
    assert metadata["CurrentKeyMaterialId"] == key_material_id
    for call in (lambda: imported.encrypt(), lambda: imported.kms.decrypt(CiphertextBlob=blob)):
        with refused("KMSInvalidStateException", f"{imported.arn} is pending import."):
            call()
    assert imported.states() == [("CURRENT", "PENDING_IMPORT")]
    imported.delete()
    imported.bring(material)
    assert imported.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_deleting_what_was_never_imported(imported):
    answer = imported.delete()
    assert answer["KeyId"] == imported.arn
    assert imported.state() == "PendingImport"
    imported.bring()
    assert imported.state() == "Enabled"


def test_each_material_of_a_key_must_be_there(two_materials, refused):
    key, first, second = two_materials
    first_id, second_id = (entry["KeyMaterialId"] for entry in key.materials())
    assert key.delete(KeyMaterialId=first_id)["KeyMaterialId"] == first_id
    assert key.states() == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "IMPORTED")]
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        key.encrypt()
    assert key.delete()["KeyMaterialId"] == second_id
    key.bring(second)
    assert key.state() == "PendingImport"
    key.bring(first)
    assert key.state() == "Enabled"
    assert key.encrypt()


def test_deleting_what_waits_leaves_the_key_as_it_is(imported):
    imported.bring()
    waiting = imported.bring(ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert imported.delete(KeyMaterialId=waiting)["KeyMaterialId"] == waiting
    assert imported.state() == "Enabled"
    assert imported.states() == [("CURRENT", "IMPORTED")]
    imported.bring(ImportType="NEW_KEY_MATERIAL")
    assert imported.states() == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_deleting_unknown_material(imported, refused):
    imported.bring()
    with refused("NotFoundException"):
        imported.delete(KeyMaterialId="0" * 64)
    assert imported.state() == "Enabled"


# States


def test_a_disabled_key_loses_material_and_is_enabled_by_getting_it_back(imported, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    imported.bring(material)
    imported.kms.disable_key(KeyId=imported.key_id)
    imported.bring(material)
    assert imported.state() == "Disabled"
    imported.delete()
    assert imported.state() == "PendingImport"
    for operation in (imported.kms.enable_key, imported.kms.disable_key):
        with refused("KMSInvalidStateException", f"{imported.arn} is pending import."):
            operation(KeyId=imported.key_id)
    imported.bring(material)
    assert imported.state() == "Enabled"


def test_a_key_pending_deletion_loses_its_material_and_stays_so(imported, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    imported.bring(material)
    imported.parameters()
    imported.kms.schedule_key_deletion(KeyId=imported.key_id, PendingWindowInDays=7)
    with refused("KMSInvalidStateException", f"{imported.arn} is pending deletion."):
        imported.bring(material)
    imported.delete()
    assert imported.state() == "PendingDeletion"
    imported.kms.cancel_key_deletion(KeyId=imported.key_id)
    with refused("KMSInvalidStateException"):
        imported.encrypt()
    imported.bring(material)
    if imported.state() == "Disabled":
        imported.kms.enable_key(KeyId=imported.key_id)
    assert imported.encrypt()


def test_a_key_that_never_got_material_can_be_deleted(timed):
    key = ImportedKey(timed.kms)
    answer = key.kms.schedule_key_deletion(KeyId=key.key_id, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    timed.advance(8 * DAY)
    timed.wait_until_gone(key.key_id)

"""Multi-Region keys of imported material: every Region imports the same."""

import pytest

from importing import ImportedKey, material_of
from keystead import REGION
from related import REPLICA, THIRD
from timed import eventually


@pytest.fixture
def imported(client):
    """A multi-Region key of imported material, its replica, and the material."""
    key = ImportedKey(client(REGION), MultiRegion=True)
    material = material_of("SYMMETRIC_DEFAULT")
    key.bring(material)
    return key, in_region(key, client, REPLICA), material


def in_region(key, client, region):
    """The replica of an imported key in a Region, made now."""
    key.kms.replicate_key(KeyId=key.key_id, ReplicaRegion=region)
    replica = ImportedKey.__new__(ImportedKey)
    replica.__dict__.update(key.__dict__, kms=client(region), wrapping={})
    replica.arn = key.arn.replace(REGION, region)
    eventually("the replica was made", lambda: replica.state() == "PendingImport")
    return replica


def test_a_replica_wants_the_same_material(imported, client, refused):
    key, replica, material = imported
    assert replica.states() == [("CURRENT", "PENDING_IMPORT")]
    with refused("KMSInvalidStateException", f"{replica.arn} is pending import."):
        replica.kms.encrypt(KeyId=key.key_id, Plaintext=b"x")
    with refused("IncorrectKeyMaterialException"):
        replica.bring()
    with refused("UnsupportedOperationException"):
        replica.bring(ImportType="NEW_KEY_MATERIAL")
    answer = replica.bring(material, ImportType="EXISTING_KEY_MATERIAL")
    assert answer["KeyId"] == replica.arn
    assert answer["KeyMaterialId"] == key.materials()[0]["KeyMaterialId"]
    assert replica.state() == "Enabled"
    blob = key.kms.encrypt(KeyId=key.key_id, Plaintext=b"plain")["CiphertextBlob"]
    assert replica.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_token_is_of_one_region(imported, refused):
    key, replica, material = imported
    replica.wrapping = dict(key.wrapping)
    with refused("InvalidImportTokenException"):
        replica.bring(material)


def test_new_material_waits_for_every_region(imported, client, refused):
    key, replica, first = imported
    replica.bring(first)
    third = in_region(key, client, THIRD)
    third.bring(first)
    blob = key.kms.encrypt(KeyId=key.key_id, Plaintext=b"plain")["CiphertextBlob"]

    second = material_of("SYMMETRIC_DEFAULT")
    with refused("UnsupportedOperationException"):
        replica.bring(second, ImportType="NEW_KEY_MATERIAL")
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    waits = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert key.states() == [("CURRENT", "IMPORTED"), (waits, "IMPORTED")]
    assert replica.states() == [("CURRENT", "IMPORTED"), (waits, "PENDING_IMPORT")]
    with refused("KMSInvalidStateException",
                 f"No available key material pending rotation for the key: {key.arn}."):
        key.kms.rotate_key_on_demand(KeyId=key.key_id)
    replica.bring(second, ImportType="EXISTING_KEY_MATERIAL")
    assert key.states()[1] == (waits, "IMPORTED")
    third.bring(second)
    for one in (key, replica, third):
        assert one.states() == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
        assert one.state() == "Enabled"

    for one in (replica, third):
        with refused("UnsupportedOperationException"):
            one.kms.rotate_key_on_demand(KeyId=key.key_id)
    key.kms.rotate_key_on_demand(KeyId=key.key_id)
    for one in (key, replica, third):
        assert one.states() == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
        assert one.state() == "Enabled"
        assert one.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
        newer = one.kms.encrypt(KeyId=key.key_id, Plaintext=b"newer")["CiphertextBlob"]
        assert one.kms.decrypt(CiphertextBlob=newer)["KeyMaterialId"] == second_id


def test_material_that_waits_is_deleted_everywhere_by_the_primary(imported):
    key, replica, first = imported
    replica.bring(first)
    second = material_of("SYMMETRIC_DEFAULT")
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    replica.bring(second)
    key.kms.delete_imported_key_material(KeyId=key.key_id, KeyMaterialId=second_id)
    for one in (key, replica):
        assert one.states() == [("CURRENT", "IMPORTED")]
        assert one.state() == "Enabled"
    key.bring(ImportType="NEW_KEY_MATERIAL")
    assert len(replica.states()) == 2


def test_material_deleted_in_a_replica_is_there_elsewhere(imported, refused):
    key, replica, first = imported
    replica.bring(first)
    replica.kms.delete_imported_key_material(KeyId=key.key_id)
    assert (key.state(), replica.state()) == ("Enabled", "PendingImport")
    assert key.states() == [("CURRENT", "IMPORTED")]
    assert replica.states() == [("CURRENT", "PENDING_IMPORT")]
    assert key.kms.encrypt(KeyId=key.key_id, Plaintext=b"x")["CiphertextBlob"]
    replica.bring(first)
    assert replica.state() == "Enabled"


def test_a_replica_of_a_primary_without_material(client, refused):
    key = ImportedKey(client(REGION), MultiRegion=True)
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        key.kms.replicate_key(KeyId=key.key_id, ReplicaRegion=REPLICA)


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_other_imported_keys_are_replicated_too(client, refused, key_spec, key_usage):
    key = ImportedKey(client(REGION), key_spec, key_usage, MultiRegion=True)
    material = material_of(key_spec)
    key.bring(material)
    replica = in_region(key, client, REPLICA)
    with refused("IncorrectKeyMaterialException"):
        replica.bring(material_of(key_spec))
    replica.bring(material)
    assert replica.state() == "Enabled"

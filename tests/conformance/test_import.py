"""GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial."""

import base64
import hmac
import os
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import serialization

import journal
from conftest import client_of
from importing import (HMAC_BYTES, KEY_SPECS, OAEP, PRIVATE_KEYS, SYMMETRIC_BYTES,
                       WRAPPING_ALGORITHMS, WRAPPING_KEY_SPECS, ImportedKey, material_of,
                       private_key_der, public_key_der, wrap)
from keystead import ACCOUNT, REGION
from timed import DAY, HOUR, MINUTE, eventually

ROOM = {"RSA_2048": 256, "RSA_3072": 384, "RSA_4096": 512}
NEEDS_A_DATE = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
USAGES = {"SYMM": "ENCRYPT_DECRYPT", "HMAC": "GENERATE_VERIFY_MAC", "ML_K": "ENCAPSULATE_DECAPSULATE"}


def usage_of(key_spec):
    """A usage that the spec has."""
    return USAGES.get(key_spec[:4], "SIGN_VERIFY")


@pytest.fixture
def imported(kms):
    """A symmetric key that waits for its material."""
    return ImportedKey(kms)


@pytest.fixture
def two_materials(imported):
    """A symmetric key that was rotated from one imported material to another, and both."""
    first, second = material_of("SYMMETRIC_DEFAULT"), material_of("SYMMETRIC_DEFAULT")
    imported.bring(first)
    imported.bring(second, ImportType="NEW_KEY_MATERIAL")
    imported.kms.rotate_key_on_demand(KeyId=imported.key_id)
    return imported, first, second


def encrypt(key):
    """A ciphertext under the key."""
    return key.kms.encrypt(KeyId=key.key_id, Plaintext=b"plain")["CiphertextBlob"]


def described(key):
    """The metadata of the key as it is now."""
    return key.kms.describe_key(KeyId=key.key_id)["KeyMetadata"]


def delete(key, **parameters):
    """DeleteImportedKeyMaterial."""
    return key.kms.delete_imported_key_material(KeyId=key.key_id, **parameters)


def states(key):
    """The state of each material and whether it is here."""
    return [(entry["KeyMaterialState"], entry["ImportState"]) for entry in key.materials()]


def later(**duration):
    """A date from now, in whole seconds as AWS takes it."""
    return (datetime.now(timezone.utc) + timedelta(**duration)).replace(microsecond=0)


# GetParametersForImport


@pytest.mark.parametrize("algorithm", WRAPPING_ALGORITHMS)
@pytest.mark.parametrize("wrapping_key_spec", WRAPPING_KEY_SPECS)
def test_every_way_of_wrapping(imported, wrapping_key_spec, algorithm):
    given = imported.parameters(algorithm, wrapping_key_spec)
    assert given["KeyId"] == imported.arn
    in_a_day = datetime.now(timezone.utc) + timedelta(days=1)
    assert abs(given["ParametersValidTo"] - in_a_day) < timedelta(minutes=1)
    wrapping_key = serialization.load_der_public_key(given["PublicKey"])
    assert wrapping_key.key_size == ROOM[wrapping_key_spec] * 8
    assert len(given["ImportToken"]) <= 6144

    assert imported.state() == "PendingImport"
    answer = imported.bring(None, algorithm, wrapping_key_spec)
    assert answer["KeyId"] == imported.arn
    metadata = described(imported)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Enabled", True)
    assert metadata["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    assert imported.kms.decrypt(CiphertextBlob=encrypt(imported))["Plaintext"] == b"plain"


def test_parameters_differ_each_time(imported):
    first = imported.parameters()
    imported.wrapping.clear()
    second = imported.parameters()
    assert first["PublicKey"] != second["PublicKey"]
    assert first["ImportToken"] != second["ImportToken"]


@pytest.mark.parametrize(("algorithm", "wrapping_key_spec"), [
    ("RSAES_PKCS1_V1_5", "RSA_2048"), ("SM2PKE", "SM2"), ("RSAES_OAEP_SHA_256", "SM2")])
def test_ways_of_wrapping_that_are_gone_or_elsewhere(imported, refused, algorithm,
                                                     wrapping_key_spec):
    with refused("UnsupportedOperationException"):
        imported.parameters(algorithm, wrapping_key_spec)


@pytest.mark.parametrize("algorithm", list(OAEP))
@pytest.mark.parametrize(("key_spec", "wrapping_key_spec"), [
    *((key_spec, wrapping) for key_spec in ("RSA_2048", "RSA_4096") for wrapping in WRAPPING_KEY_SPECS),
    ("ECC_NIST_P521", "RSA_2048")])
def test_material_that_is_too_long_for_rsa_alone(kms, refused, key_spec, wrapping_key_spec, algorithm):
    key = ImportedKey(kms, key_spec, "SIGN_VERIFY")
    with refused("UnsupportedOperationException"):
        key.parameters(algorithm, wrapping_key_spec)


@pytest.mark.parametrize(("key_spec", "wrapping_key_spec"), [
    ("ECC_NIST_P521", "RSA_3072"), ("ECC_NIST_P384", "RSA_2048"), ("HMAC_512", "RSA_2048")])
@pytest.mark.parametrize("algorithm", list(OAEP))
def test_material_that_rsa_alone_can_wrap(kms, key_spec, wrapping_key_spec, algorithm):
    key = ImportedKey(kms, key_spec, usage_of(key_spec))
    key.bring(None, algorithm, wrapping_key_spec)
    assert key.state() == "Enabled"


@pytest.mark.parametrize("operation", [
    "get_parameters_for_import", "import_key_material", "delete_imported_key_material"])
@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("ECC_NIST_P256", "SIGN_VERIFY")])
def test_keys_of_another_origin_take_no_material(kms, refused, key_spec, key_usage, operation):
    key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage)["KeyMetadata"]
    parameters = {
        "get_parameters_for_import": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256",
                                      "WrappingKeySpec": "RSA_2048"},
        "import_key_material": {"ImportToken": b"x", "EncryptedKeyMaterial": b"x",
                                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
        "delete_imported_key_material": {}}[operation]
    with refused("UnsupportedOperationException",
                 f"{key['Arn']} origin is AWS_KMS which is not valid for this operation."):
        getattr(kms, operation)(KeyId=key["KeyId"], **parameters)


# Material of every spec


@pytest.mark.parametrize("key_spec", KEY_SPECS)
def test_every_spec_takes_its_material(kms, key_spec):
    key = ImportedKey(kms, key_spec, usage_of(key_spec))
    assert (key.metadata["KeyState"], key.metadata["Enabled"]) == ("PendingImport", False)
    assert "CurrentKeyMaterialId" not in key.metadata and "ExpirationModel" not in key.metadata
    answer = key.bring()
    assert ("KeyMaterialId" in answer) == (key_spec == "SYMMETRIC_DEFAULT")
    metadata = described(key)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Enabled", True)
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "ValidTo" not in metadata
    assert ("CurrentKeyMaterialId" in metadata) == (key_spec == "SYMMETRIC_DEFAULT")


@pytest.mark.parametrize("key_spec", list(PRIVATE_KEYS))
def test_the_public_key_is_that_of_the_material(kms, key_spec):
    private_key = PRIVATE_KEYS[key_spec]()
    key = ImportedKey(kms, key_spec, usage_of(key_spec))
    key.bring(private_key_der(private_key))
    assert kms.get_public_key(KeyId=key.key_id)["PublicKey"] == public_key_der(private_key)


@pytest.mark.parametrize("key_spec", list(HMAC_BYTES))
def test_the_mac_is_that_of_the_material(kms, key_spec):
    material = material_of(key_spec)
    key = ImportedKey(kms, key_spec, "GENERATE_VERIFY_MAC")
    key.bring(material)
    algorithm = key_spec.replace("HMAC_", "HMAC_SHA_")
    mac = kms.generate_mac(KeyId=key.key_id, Message=b"message", MacAlgorithm=algorithm)["Mac"]
    assert mac == hmac.digest(material, b"message", f"sha{key_spec[5:]}")


@pytest.mark.parametrize("key_spec", ["RSA_2048", "ECC_NIST_P384"])
def test_an_asymmetric_key_can_be_made_again_from_its_material(kms, key_spec):
    material = material_of(key_spec)
    algorithm = {"RSA_2048": "RSASSA_PSS_SHA_256", "ECC_NIST_P384": "ECDSA_SHA_384"}[key_spec]
    first, second = (ImportedKey(kms, key_spec, "SIGN_VERIFY") for _ in range(2))
    for key in (first, second):
        key.bring(material)
    signature = kms.sign(KeyId=first.key_id, Message=b"m", SigningAlgorithm=algorithm)["Signature"]
    assert kms.verify(KeyId=second.key_id, Message=b"m", SigningAlgorithm=algorithm,
                      Signature=signature)["SignatureValid"]


def test_a_symmetric_key_cannot_be_made_again_from_its_material(kms, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    first, second = ImportedKey(kms), ImportedKey(kms)
    ids = {key.bring(material)["KeyMaterialId"] for key in (first, second)}
    assert len(ids) == 2
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=encrypt(first), KeyId=second.key_id)


def wrong_materials():
    """Spec and bytes that are no material of it."""
    for length in (0, 16, 31, 33, 64):
        yield "SYMMETRIC_DEFAULT", os.urandom(length)
    for key_spec, length in HMAC_BYTES.items():
        yield key_spec, os.urandom(length - 1)
        yield key_spec, os.urandom(length + 1)
    yield "ECC_NIST_P256", os.urandom(138)
    yield "ECC_NIST_P256", material_of("SYMMETRIC_DEFAULT")
    for key_spec, other in (("ECC_NIST_P256", "ECC_SECG_P256K1"), ("ECC_NIST_P384", "ECC_NIST_P256"),
                            ("ECC_NIST_P521", "ECC_NIST_P384"), ("ECC_NIST_P256", "RSA_2048"),
                            ("RSA_3072", "RSA_2048"), ("RSA_2048", "ECC_NIST_P256"),
                            ("ECC_NIST_EDWARDS25519", "ECC_NIST_P256"), ("ML_DSA_44", "ML_DSA_65"),
                            ("ML_KEM_1024", "ML_KEM_768")):
        yield key_spec, material_of(other)
    for key_spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"):
        der = material_of(key_spec)
        yield key_spec, der + b"\0"
        yield key_spec, der[:-1]
    yield "ECC_NIST_P256", private_key_pem_of("ECC_NIST_P256")
    yield from unsound_materials()
    yield "RSA_2048", traditional_der_of("RSA_2048")
    yield "ECC_NIST_P256", traditional_der_of("ECC_NIST_P256")


def unsound_materials():
    """Well-formed keys whose numbers do not belong together."""
    rsa_key = PRIVATE_KEYS["RSA_2048"]()
    numbers = rsa_key.private_numbers()
    for number in (numbers.d, numbers.p, numbers.dmp1, numbers.iqmp):
        length = (number.bit_length() + 7) // 8
        yield "RSA_2048", private_key_der(rsa_key).replace(
            number.to_bytes(length, "big"), (number ^ 6).to_bytes(length, "big"))
    curve_key = PRIVATE_KEYS["ECC_NIST_P256"]()
    der = private_key_der(curve_key)
    yield "ECC_NIST_P256", der[:-1] + bytes([der[-1] ^ 1])
    other = private_key_der(PRIVATE_KEYS["ECC_NIST_P256"]())
    yield "ECC_NIST_P256", der[:-65] + other[-65:]
    scalar = curve_key.private_numbers().private_value.to_bytes(32, "big")
    for wrong in (bytes(32), b"\xff" * 32):
        yield "ECC_NIST_P256", der.replace(scalar, wrong)


def private_key_pem_of(key_spec):
    """PEM where DER is wanted."""
    return PRIVATE_KEYS[key_spec]().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def traditional_der_of(key_spec):
    """The form that stands inside PKCS#8, without it."""
    return PRIVATE_KEYS[key_spec]().private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption())


def test_what_is_no_material_of_the_spec_is_refused(kms, refused):
    keys = {}
    for key_spec, wrong in wrong_materials():
        key = keys.setdefault(key_spec, ImportedKey(kms, key_spec, usage_of(key_spec)))
        if wrong:
            with refused("IncorrectKeyMaterialException"):
                key.bring(wrong)
        else:
            with refused("IncorrectKeyMaterialException"):
                key.bring(wrong, "RSAES_OAEP_SHA_256")
    for key in keys.values():
        assert key.state() == "PendingImport"


# Tokens and what they open


def test_a_token_is_of_its_key(kms, refused, imported):
    stranger = ImportedKey(kms)
    given = stranger.parameters()
    with refused("InvalidImportTokenException"):
        imported.bring(ImportToken=given["ImportToken"])
    assert imported.state() == "PendingImport"


def test_every_changed_byte_of_a_token_is_noticed(kms, refused, imported):
    token = imported.parameters()["ImportToken"]
    for place in [*range(0, len(token), 97), len(token) - 1]:
        changed = bytearray(token)
        changed[place] ^= 0x01
        with refused("InvalidImportTokenException"):
            imported.bring(ImportToken=bytes(changed))
    for wrong in (b"x", token[:-1], token + b"\0", os.urandom(len(token)), os.urandom(6144)):
        with refused("InvalidImportTokenException"):
            imported.bring(ImportToken=wrong)


def test_material_must_be_wrapped_as_the_token_says(imported, refused):
    given = imported.parameters("RSAES_OAEP_SHA_256")
    material = material_of("SYMMETRIC_DEFAULT")
    imported.wrapping.clear()
    other = imported.parameters("RSAES_OAEP_SHA_256")
    wrong = [wrap(material, given["PublicKey"], algorithm)
             for algorithm in WRAPPING_ALGORITHMS if algorithm != "RSAES_OAEP_SHA_256"]
    wrong += [wrap(material, other["PublicKey"], "RSAES_OAEP_SHA_256"), b"x", os.urandom(256),
              os.urandom(255), os.urandom(6144)]
    for encrypted in wrong:
        with refused("InvalidCiphertextException"):
            imported.bring(material, "RSAES_OAEP_SHA_256", ImportToken=given["ImportToken"],
                           EncryptedKeyMaterial=encrypted)
    assert imported.state() == "PendingImport"


@pytest.mark.parametrize("algorithm", ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"])
def test_every_part_of_wrapped_material_is_checked(imported, refused, algorithm):
    given = imported.parameters(algorithm)
    encrypted = wrap(material_of("SYMMETRIC_DEFAULT"), given["PublicKey"], algorithm)
    for place in (0, 100, 255, 256, 263, 264, len(encrypted) - 1):
        changed = bytearray(encrypted)
        changed[place] ^= 0x01
        with refused("InvalidCiphertextException"):
            imported.bring(None, algorithm, EncryptedKeyMaterial=bytes(changed))
    for wrong in (encrypted[:256], encrypted[:-8], encrypted + b"\0" * 8):
        with refused("InvalidCiphertextException"):
            imported.bring(None, algorithm, EncryptedKeyMaterial=wrong)


def test_a_token_serves_more_than_once(imported):
    material = material_of("SYMMETRIC_DEFAULT")
    ids = {imported.bring(material)["KeyMaterialId"] for _ in range(3)}
    assert len(ids) == 1
    assert states(imported) == [("CURRENT", "IMPORTED")]


def test_a_token_ends_after_a_day(timed, refused):
    late, early = ImportedKey(timed.kms), ImportedKey(timed.kms)
    for key in (late, early):
        key.parameters()
    timed.advance(DAY - MINUTE)
    early.bring()
    assert early.state() == "Enabled"
    timed.advance(2 * MINUTE)
    with refused("ExpiredImportTokenException"):
        late.bring()
    late.wrapping.clear()
    late.bring()
    assert late.state() == "Enabled"


def test_tokens_and_material_survive_a_restart(own_server):
    def client():
        return client_of(own_server, own_server.root_credentials())

    key = ImportedKey(client())
    key.parameters()
    assert own_server.stop() == 0
    own_server.start()
    key.kms = client()
    material = material_of("SYMMETRIC_DEFAULT")
    answer = key.bring(material)
    blob = encrypt(key)
    own_server.kill()
    own_server.start()
    key.kms = client()
    assert key.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]
    assert key.bring(material)["KeyMaterialId"] == answer["KeyMaterialId"]


# Whether and when material expires


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
    metadata = described(imported)
    assert (metadata["ExpirationModel"], metadata["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    [entry] = imported.materials()
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    nearer = later(hours=1)
    imported.bring(material, ValidTo=nearer)
    assert described(imported)["ValidTo"] == nearer
    imported.bring(material)
    metadata = described(imported)
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "ValidTo" not in metadata
    [entry] = imported.materials()
    assert entry["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE" and "ValidTo" not in entry


def test_the_key_tells_the_earliest_expiry_of_its_materials(two_materials):
    key, first, second = two_materials
    near, far = later(days=10), later(days=20)
    key.bring(first, ValidTo=near)
    key.bring(second, ValidTo=far)
    assert described(key)["ValidTo"] == near
    # What waits for a rotation is not the key's yet.
    key.bring(ImportType="NEW_KEY_MATERIAL", ValidTo=later(days=1))
    assert described(key)["ValidTo"] == near
    key.bring(first)
    assert described(key)["ValidTo"] == far


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
    metadata = described(key)
    assert metadata["Enabled"] is False
    assert "ValidTo" not in metadata and "ExpirationModel" not in metadata
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        {"SYMMETRIC_DEFAULT": lambda: encrypt(key),
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
    blob = encrypt(key)
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
    blob = encrypt(key)
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    key.kms.rotate_key_on_demand(KeyId=key.key_id)
    key.bring(third, ImportType="NEW_KEY_MATERIAL", ValidTo=later(hours=1))
    timed.advance(HOUR + MINUTE)
    # What waited for a rotation is forgotten, and the key goes on.
    eventually("the third material is gone", lambda: len(key.materials()) == 2)
    assert key.state() == "Enabled"
    timed.advance(HOUR + MINUTE)
    timed.wait_for_state(key.key_id, "PendingImport")
    assert states(key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "IMPORTED")]
    assert [event["serviceEventDetails"]["keyMaterialId"]
            for event in expiries(timed, key.key_id)][1:] == [first_id]
    assert described(key)["CurrentKeyMaterialId"] == second_id
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
    eventually("the material is gone", lambda: states(key) == [("CURRENT", "PENDING_IMPORT")])
    assert key.state() == {"disable": "PendingImport", "schedule": "PendingDeletion"}[prepare]


# Which material


@pytest.mark.parametrize("more", [{}, {"ImportType": "NEW_KEY_MATERIAL"}])
def test_the_first_material_is_new(imported, more):
    answer = imported.bring(**more)
    assert states(imported) == [("CURRENT", "IMPORTED")]
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
    blob = encrypt(imported)
    with refused("IncorrectKeyMaterialException"):
        imported.bring(**more)
    delete(imported)
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
    delete(key)
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
        delete(key)
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
    assert states(imported) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    waiting = imported.materials()[1]
    assert (waiting["KeyMaterialId"], waiting["KeyMaterialDescription"]) == (second, "next")
    assert "RotationDate" not in waiting and "RotationType" not in waiting
    blob = encrypt(imported)
    assert imported.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert imported.kms.list_key_rotations(KeyId=imported.key_id)["Rotations"] == []

    imported.kms.rotate_key_on_demand(KeyId=imported.key_id)
    assert states(imported) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    [entry] = imported.kms.list_key_rotations(KeyId=imported.key_id)["Rotations"]
    assert (entry["KeyMaterialId"], entry["RotationType"]) == (second, "ON_DEMAND")
    assert described(imported)["CurrentKeyMaterialId"] == second
    assert imported.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert imported.kms.decrypt(CiphertextBlob=encrypt(imported))["KeyMaterialId"] == second


def test_one_material_waits_at_a_time(imported, refused):
    imported.bring()
    waiting = material_of("SYMMETRIC_DEFAULT")
    waiting_id = imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    # The id of material follows from the key and the bytes, so another import of them tells it.
    other = material_of("SYMMETRIC_DEFAULT")
    delete(imported, KeyMaterialId=waiting_id)
    other_id = imported.bring(other, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    delete(imported, KeyMaterialId=other_id)
    assert imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"] == waiting_id
    with refused("KMSInvalidStateException",
                 f"New key material (id: {other_id}) cannot be imported into KMS key {imported.arn}, "
                 f"because another key material (id: {waiting_id}) is pending rotation."):
        imported.bring(other, ImportType="NEW_KEY_MATERIAL")
    imported.bring(waiting, ImportType="NEW_KEY_MATERIAL")
    imported.bring(waiting, ImportType="EXISTING_KEY_MATERIAL")
    assert states(imported) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


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
    blob = encrypt(imported)
    answer = delete(imported)
    assert (answer["KeyId"], answer["KeyMaterialId"]) == (imported.arn, key_material_id)
    metadata = described(imported)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingImport", False)
    assert metadata["CurrentKeyMaterialId"] == key_material_id
    for call in (lambda: encrypt(imported), lambda: imported.kms.decrypt(CiphertextBlob=blob)):
        with refused("KMSInvalidStateException", f"{imported.arn} is pending import."):
            call()
    assert states(imported) == [("CURRENT", "PENDING_IMPORT")]
    delete(imported)
    imported.bring(material)
    assert imported.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_deleting_what_was_never_imported(imported):
    answer = delete(imported)
    assert answer["KeyId"] == imported.arn
    assert imported.state() == "PendingImport"
    imported.bring()
    assert imported.state() == "Enabled"


def test_each_material_of_a_key_must_be_there(two_materials, refused):
    key, first, second = two_materials
    first_id, second_id = (entry["KeyMaterialId"] for entry in key.materials())
    assert delete(key, KeyMaterialId=first_id)["KeyMaterialId"] == first_id
    assert states(key) == [("NON_CURRENT", "PENDING_IMPORT"), ("CURRENT", "IMPORTED")]
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        encrypt(key)
    assert delete(key)["KeyMaterialId"] == second_id
    key.bring(second)
    assert key.state() == "PendingImport"
    key.bring(first)
    assert key.state() == "Enabled"
    assert encrypt(key)


def test_deleting_what_waits_leaves_the_key_as_it_is(imported):
    imported.bring()
    waiting = imported.bring(ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert delete(imported, KeyMaterialId=waiting)["KeyMaterialId"] == waiting
    assert imported.state() == "Enabled"
    assert states(imported) == [("CURRENT", "IMPORTED")]
    imported.bring(ImportType="NEW_KEY_MATERIAL")
    assert states(imported) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_deleting_unknown_material(imported, refused):
    imported.bring()
    with refused("NotFoundException"):
        delete(imported, KeyMaterialId="0" * 64)
    assert imported.state() == "Enabled"


# States


def test_a_disabled_key_loses_material_and_is_enabled_by_getting_it_back(imported, refused):
    material = material_of("SYMMETRIC_DEFAULT")
    imported.bring(material)
    imported.kms.disable_key(KeyId=imported.key_id)
    imported.bring(material)
    assert imported.state() == "Disabled"
    delete(imported)
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
    delete(imported)
    assert imported.state() == "PendingDeletion"
    imported.kms.cancel_key_deletion(KeyId=imported.key_id)
    with refused("KMSInvalidStateException"):
        encrypt(imported)
    imported.bring(material)
    if imported.state() == "Disabled":
        imported.kms.enable_key(KeyId=imported.key_id)
    assert encrypt(imported)


def test_a_key_that_never_got_material_can_be_deleted(timed):
    key = ImportedKey(timed.kms)
    answer = key.kms.schedule_key_deletion(KeyId=key.key_id, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    timed.advance(8 * DAY)
    timed.wait_until_gone(key.key_id)


# Who and what is recorded


@pytest.mark.parametrize("operation", ["parameters", "bring", "delete"])
def test_another_account_may_not(imported, other, refused, operation):
    imported.bring()
    imported.kms, imported.key_id = other, imported.arn
    imported.wrapping = {} if operation == "parameters" else imported.wrapping
    with refused("AccessDeniedException"):
        {"parameters": imported.parameters, "bring": imported.bring,
         "delete": lambda: delete(imported)}[operation]()


def test_neither_tokens_nor_material_are_recorded(server, imported):
    given = imported.parameters()
    answer = imported.bring(KeyMaterialDescription="told", ValidTo=later(days=3))
    records = [record for record in journal.records(server.directory / "journal")
               if record.get("requestParameters", None)
               and record["requestParameters"].get("keyId") == imported.key_id]
    [asked] = [one for one in records if one["eventName"] == "GetParametersForImport"]
    assert asked["readOnly"] is True and asked["responseElements"] is None
    assert set(asked["requestParameters"]) == {"keyId", "wrappingAlgorithm", "wrappingKeySpec"}
    [brought] = [one for one in records if one["eventName"] == "ImportKeyMaterial"]
    assert brought["readOnly"] is False
    assert not {"importToken", "encryptedKeyMaterial"} & set(brought["requestParameters"])
    assert brought["requestParameters"]["expirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert brought["responseElements"]["keyMaterialId"] == answer["KeyMaterialId"]
    for secret in (given["ImportToken"], given["PublicKey"]):
        assert base64.b64encode(secret).decode()[:40] not in str(records)

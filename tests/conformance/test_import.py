"""GetParametersForImport and ImportKeyMaterial: wrapping, tokens, and what each spec takes for its material."""

import base64
import hmac
import os
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import serialization

import journal
from conftest import client_of
from importing import (HMAC_BYTES, KEY_SPECS, OAEP, PRIVATE_KEYS, WRAPPING_ALGORITHMS,
                       WRAPPING_KEY_SPECS, ImportedKey, later, material_of, private_key_der,
                       public_key_der, usage_of, wrap)
from timed import DAY, MINUTE

MODULUS_BITS = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}


# GetParametersForImport


@pytest.mark.parametrize("algorithm", WRAPPING_ALGORITHMS)
@pytest.mark.parametrize("wrapping_key_spec", WRAPPING_KEY_SPECS)
def test_every_way_of_wrapping(imported, wrapping_key_spec, algorithm):
    given = imported.parameters(algorithm, wrapping_key_spec)
    assert given["KeyId"] == imported.arn
    in_a_day = datetime.now(timezone.utc) + timedelta(days=1)
    assert abs(given["ParametersValidTo"] - in_a_day) < timedelta(minutes=1)
    wrapping_key = serialization.load_der_public_key(given["PublicKey"])
    assert wrapping_key.key_size == MODULUS_BITS[wrapping_key_spec]
    assert len(given["ImportToken"]) <= 6144

    assert imported.state() == "PendingImport"
    answer = imported.bring(None, algorithm, wrapping_key_spec)
    assert answer["KeyId"] == imported.arn
    metadata = imported.described()
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Enabled", True)
    assert metadata["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    assert imported.kms.decrypt(CiphertextBlob=imported.encrypt())["Plaintext"] == b"plain"


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
    metadata = key.described()
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
        kms.decrypt(CiphertextBlob=first.encrypt(), KeyId=second.key_id)


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
    assert imported.states() == [("CURRENT", "IMPORTED")]


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
    blob = key.encrypt()
    own_server.kill()
    own_server.start()
    key.kms = client()
    assert key.kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]
    assert key.bring(material)["KeyMaterialId"] == answer["KeyMaterialId"]


# Who and what is recorded


@pytest.mark.parametrize("operation", ["parameters", "bring", "delete"])
def test_another_account_may_not(imported, other, refused, operation):
    imported.bring()
    imported.kms, imported.key_id = other, imported.arn
    imported.wrapping = {} if operation == "parameters" else imported.wrapping
    with refused("AccessDeniedException"):
        {"parameters": imported.parameters, "bring": imported.bring,
         "delete": lambda: imported.delete()}[operation]()


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

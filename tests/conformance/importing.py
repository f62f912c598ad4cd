"""Key material of every spec, and its way into a key: made and wrapped by Python's `cryptography`."""

import os
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa

# The digest of each wrapping algorithm.
OAEP = {"RSAES_OAEP_SHA_1": hashes.SHA1, "RSAES_OAEP_SHA_256": hashes.SHA256}
AES_KEY_WRAP = {"RSA_AES_KEY_WRAP_SHA_1": hashes.SHA1, "RSA_AES_KEY_WRAP_SHA_256": hashes.SHA256}
WRAPPING_ALGORITHMS = [*OAEP, *AES_KEY_WRAP]
WRAPPING_KEY_SPECS = ["RSA_2048", "RSA_3072", "RSA_4096"]
SYMMETRIC_BYTES = 32

HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
PRIVATE_KEYS = {
    "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA_3072": lambda: rsa.generate_private_key(65537, 3072),
    "RSA_4096": lambda: rsa.generate_private_key(65537, 4096),
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ECC_NIST_P384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ECC_NIST_P521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ECC_SECG_P256K1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
    "ML_KEM_768": mlkem.MLKEM768PrivateKey.generate,
    "ML_KEM_1024": mlkem.MLKEM1024PrivateKey.generate,
}

USAGES = {"SYMM": "ENCRYPT_DECRYPT", "HMAC": "GENERATE_VERIFY_MAC", "ML_K": "ENCAPSULATE_DECAPSULATE"}
# `cryptography` has no ML-KEM-512: the PKCS#8 of RFC 9935 around a seed, which any 64 bytes are.
ML_KEM_512_PREFIX = bytes.fromhex("3054020100300b060960864801650304040104428040")
ML_KEM_SEED_BYTES = 64
KEY_SPECS = ["SYMMETRIC_DEFAULT", *HMAC_BYTES, *PRIVATE_KEYS, "ML_KEM_512"]


def private_key_der(key):
    """A private key as PKCS#8."""
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def public_key_der(key):
    """A public key as GetPublicKey tells it."""
    return key.public_key().public_bytes(serialization.Encoding.DER,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


def material_of(key_spec):
    """Fresh material of a spec."""
    if key_spec == "SYMMETRIC_DEFAULT":
        return os.urandom(SYMMETRIC_BYTES)
    if key_spec in HMAC_BYTES:
        return os.urandom(HMAC_BYTES[key_spec])
    if key_spec == "ML_KEM_512":
        return ML_KEM_512_PREFIX + os.urandom(ML_KEM_SEED_BYTES)
    return private_key_der(PRIVATE_KEYS[key_spec]())


def wrap(material, wrapping_public_key, algorithm):
    """Material as ImportKeyMaterial takes it."""
    key = serialization.load_der_public_key(wrapping_public_key)
    if algorithm in OAEP:
        return key.encrypt(material, oaep(OAEP[algorithm]))
    between = os.urandom(32)
    return (key.encrypt(between, oaep(AES_KEY_WRAP[algorithm]))
            + keywrap.aes_key_wrap_with_padding(between, material))


def oaep(digest):
    """OAEP with one digest for both of its uses and no label."""
    return padding.OAEP(padding.MGF1(digest()), digest(), None)


class ImportedKey:
    """A key of origin EXTERNAL, and what one client does to bring material into it."""

    def __init__(self, kms, key_spec="SYMMETRIC_DEFAULT", key_usage="ENCRYPT_DECRYPT", **parameters):
        self.kms = kms
        self.metadata = kms.create_key(Origin="EXTERNAL", KeySpec=key_spec, KeyUsage=key_usage,
                                       **parameters)["KeyMetadata"]
        self.key_id, self.arn = self.metadata["KeyId"], self.metadata["Arn"]
        self.key_spec = key_spec
        self.wrapping = {}

    def parameters(self, algorithm="RSA_AES_KEY_WRAP_SHA_256", wrapping_key_spec="RSA_2048"):
        """What GetParametersForImport gives; asked for once, since it is good for a day."""
        asked = (algorithm, wrapping_key_spec)
        if asked not in self.wrapping:
            self.wrapping[asked] = self.kms.get_parameters_for_import(
                KeyId=self.key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_key_spec)
        return self.wrapping[asked]

    def bring(self, material=None, algorithm="RSA_AES_KEY_WRAP_SHA_256",
              wrapping_key_spec="RSA_2048", **more):
        """Imports material, fresh unless given, for ever unless `ValidTo` says otherwise."""
        given = self.parameters(algorithm, wrapping_key_spec)
        material = material_of(self.key_spec) if material is None else material
        model = "KEY_MATERIAL_EXPIRES" if "ValidTo" in more else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        return self.kms.import_key_material(**{
            "KeyId": self.key_id, "ImportToken": given["ImportToken"], "ExpirationModel": model,
            "EncryptedKeyMaterial": wrap(material, given["PublicKey"], algorithm), **more})

    def delete(self, **parameters):
        """DeleteImportedKeyMaterial."""
        return self.kms.delete_imported_key_material(KeyId=self.key_id, **parameters)

    def encrypt(self):
        """A ciphertext under the key."""
        return self.kms.encrypt(KeyId=self.key_id, Plaintext=b"plain")["CiphertextBlob"]

    def described(self):
        """The metadata of the key as it is now."""
        return self.kms.describe_key(KeyId=self.key_id)["KeyMetadata"]

    def state(self):
        """The key's state."""
        return self.described()["KeyState"]

    def materials(self):
        """All materials of the key, as ListKeyRotations tells them."""
        return self.kms.list_key_rotations(
            KeyId=self.key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]

    def states(self):
        """The state of each material, and whether it is here."""
        return [(entry["KeyMaterialState"], entry["ImportState"]) for entry in self.materials()]


def usage_of(key_spec):
    """A usage that the spec has."""
    return USAGES.get(key_spec[:4], "SIGN_VERIFY")


def later(**duration):
    """A date from now, in whole seconds."""
    return (datetime.now(timezone.utc) + timedelta(**duration)).replace(microsecond=0)

"""Keys and algorithms as others have them: Python's `cryptography`, the `openssl` command, `hashlib`.

What Keystead makes is tried here, and what is made here is tried with Keystead. Nothing of it is Keystead's.
"""

import os
import subprocess

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat, load_der_private_key, load_der_public_key)

RSA = ["RSA_2048", "RSA_3072", "RSA_4096"]
RSA_SIGNING = [f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PSS", "PKCS1_V1_5") for bits in (256, 384, 512)]
OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
CURVES = {"ECC_NIST_P256": ec.SECP256R1, "ECC_NIST_P384": ec.SECP384R1, "ECC_NIST_P521": ec.SECP521R1,
          "ECC_SECG_P256K1": ec.SECP256K1}
NIST_CURVES = ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"]
ED25519 = "ECC_NIST_EDWARDS25519"
ML_DSA = {"ML_DSA_44": mldsa.MLDSA44PrivateKey, "ML_DSA_65": mldsa.MLDSA65PrivateKey,
          "ML_DSA_87": mldsa.MLDSA87PrivateKey}
# `cryptography` has no ML-KEM-512.
ML_KEM = {"ML_KEM_768": mlkem.MLKEM768PrivateKey, "ML_KEM_1024": mlkem.MLKEM1024PrivateKey}
HMACS = {"HMAC_224": "sha224", "HMAC_256": "sha256", "HMAC_384": "sha384", "HMAC_512": "sha512"}

# The signing algorithms of each key spec.
SIGNING = {
    **{spec: RSA_SIGNING for spec in RSA},
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "ECC_NIST_P521": ["ECDSA_SHA_512"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    ED25519: ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    **{spec: ["ML_DSA_SHAKE_256"] for spec in ML_DSA},
}
HASHES = {"1": hashes.SHA1, "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def hash_of(algorithm):
    """The hash that an algorithm's name ends in."""
    return HASHES[algorithm.rsplit("_", 1)[1]]()


def digest(algorithm, message):
    """The digest of a message that an algorithm wants with MessageType DIGEST."""
    context = hashes.Hash(hash_of(algorithm))
    context.update(message)
    return context.finalize()


def generate(key_spec):
    """A fresh private key of a spec."""
    if key_spec in RSA:
        return rsa.generate_private_key(65537, int(key_spec.removeprefix("RSA_")))
    if key_spec in CURVES:
        return ec.generate_private_key(CURVES[key_spec]())
    if key_spec == ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return (ML_DSA | ML_KEM)[key_spec].generate()


def pkcs8(private_key):
    """PrivateKeyInfo of a private key, in DER."""
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(public_key):
    """SubjectPublicKeyInfo of a public key, in DER."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public(der):
    """The public key of a SubjectPublicKeyInfo."""
    return load_der_public_key(der)


def private(der):
    """The private key of a PrivateKeyInfo."""
    return load_der_private_key(der, password=None)


def salted(algorithm, salt_bytes=padding.PSS.DIGEST_LENGTH):
    """PSS as the algorithm has it: its hash everywhere, and a salt of that length unless told otherwise."""
    return padding.PSS(padding.MGF1(hash_of(algorithm)), salt_bytes)


def _arguments(algorithm, is_digest):
    """What follows the message in a call of `cryptography`."""
    if algorithm in ("ED25519_SHA_512", "ML_DSA_SHAKE_256"):
        return []
    used = utils.Prehashed(hash_of(algorithm)) if is_digest else hash_of(algorithm)
    if algorithm.startswith("ECDSA"):
        return [ec.ECDSA(used)]
    return [salted(algorithm) if "PSS" in algorithm else padding.PKCS1v15(), used]


def sign(private_key, algorithm, message, is_digest=False):
    """The signature of a message, or of the message whose digest is given."""
    return private_key.sign(message, *_arguments(algorithm, is_digest))


def verifies(public_key, algorithm, message, signature, is_digest=False):
    """Whether the signature is the key's."""
    try:
        public_key.verify(signature, message, *_arguments(algorithm, is_digest))
    except InvalidSignature:
        return False
    return True


def oaep(algorithm):
    """OAEP as the algorithm has it: its hash everywhere, and no label."""
    return padding.OAEP(padding.MGF1(hash_of(algorithm)), hash_of(algorithm), label=None)


def wrap(public_key_der, material):
    """RSA_AES_KEY_WRAP_SHA_256: a fresh AES key under OAEP, and the material under that key by RFC 5649."""
    wrapping_key = os.urandom(32)
    return (public(public_key_der).encrypt(wrapping_key, oaep("RSAES_OAEP_SHA_256"))
            + keywrap.aes_key_wrap_with_padding(wrapping_key, material))


def import_material(kms, key_id, material):
    """Gives a key of origin EXTERNAL its material."""
    parameters = kms.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec="RSA_2048")
    kms.import_key_material(KeyId=key_id, ImportToken=parameters["ImportToken"],
                            EncryptedKeyMaterial=wrap(parameters["PublicKey"], material),
                            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")


def openssl(directory, *arguments):
    """Runs the command in the directory of the files that its arguments name, and answers what it printed."""
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout

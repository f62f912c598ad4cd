"""What the crypto crate made with the keys of its checked-in vectors, checked by Python's cryptography (OpenSSL).

The other direction, what cryptography made, is checked by crates/crypto/tests/keys/published.rs. ML-KEM-512 is not
here: cryptography does not have it.
"""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

VECTORS = Path(__file__).parents[2] / "crates" / "crypto" / "tests" / "vectors"
HASHES = {"1": hashes.SHA1(), "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
PUBLIC_KEY_BYTES = {
    "RSA_2048": 294,
    "RSA_3072": 422,
    "RSA_4096": 550,
    "ECC_NIST_P256": 91,
    "ECC_NIST_P384": 120,
    "ECC_NIST_P521": 158,
    "ECC_SECG_P256K1": 88,
    "ECC_NIST_EDWARDS25519": 44,
    "ML_DSA_44": 1334,
    "ML_DSA_65": 1974,
    "ML_DSA_87": 2614,
    "ML_KEM_768": 1206,
    "ML_KEM_1024": 1590,
}


def ours(member):
    """What the crate made, as (key, what) pairs."""
    keys = json.loads((VECTORS / "keys.json").read_text())
    return [
        pytest.param(key, made, id="-".join(filter(None, [key["key_spec"], made.get("algorithm"), made.get("message_type")])))
        for key in keys
        for made in key.get(member, [])
        if made["made_by"] == "keystead"
    ]


def public_key(key):
    return serialization.load_der_public_key(bytes.fromhex(key["public_key_der"]))


def private_key(key):
    return serialization.load_der_private_key(bytes.fromhex(key["private_key_der"]), password=None)


def mu(key, message):
    """FIPS 204, algorithm 2 and algorithm 7, with the empty context."""
    raw = public_key(key).public_bytes_raw()
    return hashlib.shake_256(hashlib.shake_256(raw).digest(64) + b"\0\0" + message).digest(64)


def verify(key, algorithm, message_type, message, signature):
    public = public_key(key)
    hash_ = HASHES.get(algorithm.rsplit("_", 1)[1])
    given = utils.Prehashed(hash_) if message_type == "DIGEST" else hash_
    if algorithm.startswith("RSASSA_PSS"):
        public.verify(signature, message, padding.PSS(padding.MGF1(hash_), hash_.digest_size), given)
    elif algorithm.startswith("RSASSA_PKCS1"):
        public.verify(signature, message, padding.PKCS1v15(), given)
    elif algorithm.startswith("ECDSA"):
        public.verify(signature, message, ec.ECDSA(given))
    else:
        public.verify(signature, message)


@pytest.mark.parametrize("key, made", ours("signatures"))
def test_signature(key, made):
    message, signature = bytes.fromhex(made["message"]), bytes.fromhex(made["signature"])
    if made["algorithm"] == "ED25519_PH_SHA_512":
        # cryptography has no Ed25519ph; PyCryptodome has, and the signature is deterministic.
        theirs = [other for other in key["signatures"] if other["made_by"] == "PyCryptodome"]
        assert [other["signature"] for other in theirs] == [made["signature"]]
        return
    if made["message_type"] == "EXTERNAL_MU":
        # The vectors' mu is of this message: a signature of mu is one of the message.
        message, given = next(
            bytes.fromhex(other["message"]) for other in key["signatures"] if other["message_type"] == "RAW"
        ), message
        assert mu(key, message) == given
    verify(key, made["algorithm"], made["message_type"], message, signature)
    altered = bytes([signature[0] ^ 1]) + signature[1:]
    with pytest.raises(InvalidSignature):
        verify(key, made["algorithm"], made["message_type"], message, altered)


@pytest.mark.parametrize("key, made", ours("ciphertexts"))
def test_ciphertext(key, made):
    hash_ = HASHES[made["algorithm"].rsplit("_", 1)[1]]
    oaep = padding.OAEP(padding.MGF1(hash_), hash_, None)
    assert private_key(key).decrypt(bytes.fromhex(made["ciphertext"]), oaep) == bytes.fromhex(made["plaintext"])


@pytest.mark.parametrize("key, made", ours("encapsulations"))
def test_encapsulation(key, made):
    secret = private_key(key).decapsulate(bytes.fromhex(made["ciphertext"]))
    assert secret == bytes.fromhex(made["shared_secret"])


def test_public_keys_have_the_lengths_that_aws_gives():
    keys = json.loads((VECTORS / "keys.json").read_text())
    lengths = {key["key_spec"]: len(key["public_key_der"]) // 2 for key in keys}
    assert lengths == PUBLIC_KEY_BYTES
    for key in keys:
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        assert public_key(key).public_bytes(serialization.Encoding.DER, spki).hex() == key["public_key_der"]

"""A second reading of docs/ciphertext-format.md, sharing no code with the server.

It rebuilds every blob of the checked-in vectors from its inputs, decrypts it, and refuses the invalid ones.
"""

import hashlib
import hmac
import json
import struct
import uuid
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS = Path(__file__).parents[2] / "crates" / "crypto" / "tests" / "vectors"
LABEL = b"keystead symmetric encryption"
OVERHEAD_BYTES = 94
BLOB_BYTES_MAX = 6144


class InvalidCiphertext(Exception):
    """The blob does not decrypt, for whatever reason."""


def load(name):
    return [pytest.param(vector, id=vector["name"]) for vector in json.loads((VECTORS / name).read_text())]


def encode_context(context):
    """Section 4."""
    encoded = b""
    for key, value in sorted((key.encode(), value.encode()) for key, value in context.items()):
        for text in (key, value):
            encoded += struct.pack(">Q", len(text)) + text
    return encoded


def header(key_id, key_material_id, kdf_nonce):
    """H of section 5."""
    if key_id.startswith("mrk-"):
        form, identifier = b"\x01", bytes.fromhex(key_id.removeprefix("mrk-"))
    else:
        form, identifier = b"\x00", uuid.UUID(key_id).bytes
    return b"\x01" + form + identifier + bytes.fromhex(key_material_id) + kdf_nonce


def derive(material, context):
    """K_O of section 5: one block of SP 800-108 in counter mode."""
    fixed_input = LABEL + b"\x00" + context + struct.pack(">I", 256)
    return hmac.new(material, struct.pack(">I", 1) + fixed_input, hashlib.sha256).digest()


def decrypt(material, blob, context):
    """Section 6."""
    if not OVERHEAD_BYTES <= len(blob) <= BLOB_BYTES_MAX or blob[0] != 1 or blob[1] > 1:
        raise InvalidCiphertext
    message_key = derive(material, blob[:66])
    try:
        return AESGCM(message_key).decrypt(blob[66:78], blob[78:], encode_context(context))
    except InvalidTag:
        raise InvalidCiphertext from None


@pytest.mark.parametrize("vector", load("ciphertext-v1.json"))
def test_blob_is_what_the_page_says(vector):
    material, plaintext = bytes.fromhex(vector["material"]), bytes.fromhex(vector["plaintext"])
    encoded_context = encode_context(vector["encryption_context"])
    assert encoded_context.hex() == vector["encoded_context"]

    head = header(vector["key_id"], vector["key_material_id"], bytes.fromhex(vector["kdf_nonce"]))
    assert len(head) == 66
    message_key = derive(material, head)
    assert message_key.hex() == vector["message_key"]

    gcm_nonce = bytes.fromhex(vector["gcm_nonce"])
    sealed = AESGCM(message_key).encrypt(gcm_nonce, plaintext, encoded_context)
    blob = head + gcm_nonce + sealed
    assert blob.hex() == vector["blob"]
    assert len(blob) == len(plaintext) + OVERHEAD_BYTES
    assert decrypt(material, blob, vector["encryption_context"]) == plaintext


@pytest.mark.parametrize("vector", load("ciphertext-v1.json"))
def test_no_altered_byte_decrypts(vector):
    material, blob = bytes.fromhex(vector["material"]), bytes.fromhex(vector["blob"])
    for place in range(len(blob)):
        altered = bytearray(blob)
        altered[place] ^= 0x80
        with pytest.raises(InvalidCiphertext):
            decrypt(material, bytes(altered), vector["encryption_context"])


@pytest.mark.parametrize("vector", load("ciphertext-v1-invalid.json"))
def test_invalid_blob_is_refused(vector):
    with pytest.raises(InvalidCiphertext):
        decrypt(bytes.fromhex(vector["material"]), bytes.fromhex(vector["blob"]), vector["encryption_context"])


def test_there_are_vectors():
    assert len(load("ciphertext-v1.json")) >= 10
    assert len(load("ciphertext-v1-invalid.json")) >= 10

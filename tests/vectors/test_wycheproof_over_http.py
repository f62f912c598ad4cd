"""Wycheproof through the API: the secret of a vector is imported, and the operation must answer as the vector says.

Only what has a private key or a secret can come here, since AWS imports no public keys; the crate `crypto` runs every
file on what the server is made of. Each test counts what became of every vector of its file, those too that cannot be
run, with the reason, and holds the table to what it was.
"""

import base64
import hashlib
import hmac
import itertools
from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import keystead
import outside
from signing import Caller
from wycheproof import Keys, groups, rsa_private_key, vectors

SIGNING, ENCRYPTION, MACS = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"
AGREEMENT, ENCAPSULATION = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The keys of a server of its own, filled as the tests want them."""
    server = keystead.Server(tmp_path_factory.mktemp("wycheproof") / "data")
    made = Keys(Caller(server.port, *server.root_credentials()))
    yield made
    made.close()
    server.check()
    assert server.stop() == 0, server.output()


def bytes_of(answer, member):
    """A member that is Base64 on the wire."""
    assert answer.status == 200, answer.body
    return base64.b64decode(answer.json[member])


def is_refused(answer, error):
    """Whether a call was answered with that error and no sentence."""
    return answer.status == 400 and answer.error == error and not answer.message


# What became of the vectors of each file. "Native" are keys and tags as long as the hash, the only ones of AWS.
NATIVE_HMAC = {"made and verified": 26, "wrong tag refused": 27, "empty message refused": 28}
HMAC = {
    "HMAC_224": {**NATIVE_HMAC, "truncated tag refused": 79, "key of another length refused": 12},
    **{key_spec: {**NATIVE_HMAC, "truncated tag refused": 81, "key of another length refused": 12}
       for key_spec in ("HMAC_256", "HMAC_384", "HMAC_512")},
}


@pytest.mark.parametrize("key_spec", HMAC)
def test_hmac(keys, key_spec):
    name, tag_bits, outcomes = f"hmac_{outside.HMACS[key_spec]}", int(key_spec[-3:]), Counter()
    keys.hold(key_spec, MACS, [bytes.fromhex(vector["key"]) for _, vector in vectors(name)
                               if 4 * len(vector["key"]) == tag_bits])
    for group, vector in vectors(name):
        secret, message, tag = (bytes.fromhex(vector[name]) for name in ("key", "msg", "tag"))
        if 8 * len(secret) != tag_bits:
            assert keys.refuses(key_spec, MACS, secret), vector
            outcomes["key of another length refused"] += 1
            continue
        parameters = {"KeyId": keys.holding(key_spec, MACS, secret), "Message": message,
                      "MacAlgorithm": f"HMAC_SHA_{tag_bits}"}
        verified = keys.call("VerifyMac", Mac=tag, **parameters)
        # AWS takes messages of 1 byte and more.
        assert message or verified.error == "ValidationException", vector
        if group["tagSize"] != tag_bits:
            assert is_refused(verified, "KMSInvalidMacException") or not message, vector
            outcomes["truncated tag refused"] += 1
        elif not message:
            outcomes["empty message refused"] += 1
        elif vector["result"] == "invalid":
            assert is_refused(verified, "KMSInvalidMacException"), vector
            outcomes["wrong tag refused"] += 1
        else:
            assert verified.json["MacValid"] is True, vector
            assert bytes_of(keys.call("GenerateMac", **parameters), "Mac") == tag, vector
            outcomes["made and verified"] += 1
    assert outcomes == HMAC[key_spec]


OAEP = {
    "rsa_oaep_2048_sha1_mgf1sha1": {"decrypted": 10, "label refused": 7, "invalid refused": 19},
    "rsa_oaep_2048_sha256_mgf1sha256": {"decrypted": 10, "label refused": 8, "invalid refused": 19},
    "rsa_oaep_3072_sha256_mgf1sha256": {"decrypted": 10, "label refused": 8, "invalid refused": 19},
    "rsa_oaep_4096_sha256_mgf1sha256": {"decrypted": 10, "label refused": 8, "invalid refused": 19},
    "rsa_oaep_2048_sha256_mgf1sha1": {"two hashes refused": 31},
    "rsa_oaep_3072_sha256_mgf1sha1": {"two hashes refused": 32},
    "rsa_oaep_4096_sha256_mgf1sha1": {"two hashes refused": 32},
    "rsa_oaep_misc": {"decrypted": 18, "two hashes refused": 120, "not run, no key spec has the modulus": 185,
                      "not run, no algorithm has the hashes": 72},
}


def outcome_of_oaep(keys, group, vector):
    """Decrypts a vector, with each algorithm that has one of its hashes."""
    hashes = {group["sha"], group["mgfSha"]}
    algorithms = {f"RSAES_OAEP_{name.replace('-', '_')}" for name in hashes} & set(outside.OAEP)
    key_spec = f"RSA_{group['keySize']}"
    if key_spec not in outside.RSA:
        return "not run, no key spec has the modulus"
    if not algorithms:
        return "not run, no algorithm has the hashes"
    key_id = keys.holding(key_spec, ENCRYPTION, bytes.fromhex(group["privateKeyPkcs8"]))
    for algorithm in algorithms:
        answer = keys.call("Decrypt", KeyId=key_id, CiphertextBlob=bytes.fromhex(vector["ct"]),
                           EncryptionAlgorithm=algorithm)
        if vector["result"] == "valid" and len(hashes) == 1 and not vector["label"]:
            assert bytes_of(answer, "Plaintext") == bytes.fromhex(vector["msg"]), vector
            return "decrypted"
        # A ciphertext of no bytes is no request.
        assert is_refused(answer, "InvalidCiphertextException") or not vector["ct"], vector
        assert answer.status == 400, vector
    if len(hashes) == 2:
        return "two hashes refused"
    return "label refused" if vector["label"] else "invalid refused"


@pytest.mark.parametrize("name", OAEP)
def test_oaep(keys, name):
    assert Counter(outcome_of_oaep(keys, group, vector) for group, vector in vectors(name)) == OAEP[name]


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_pkcs1_encryption_is_not_decrypted(keys, bits):
    """AWS has no such EncryptionAlgorithm. Of the 33 keys of a file the one that has more than one vector is run."""
    group, *others = groups(f"rsa_pkcs1_{bits}")
    assert (len(group["tests"]), [len(other["tests"]) for other in others]) == (35, [1] * 32)
    key_id = keys.holding(f"RSA_{bits}", ENCRYPTION, bytes.fromhex(group["privateKeyPkcs8"]))
    for vector, algorithm in itertools.product(group["tests"], outside.OAEP):
        answer = keys.call("Decrypt", KeyId=key_id, CiphertextBlob=bytes.fromhex(vector["ct"]),
                           EncryptionAlgorithm=algorithm)
        assert is_refused(answer, "InvalidCiphertextException") or not vector["ct"], vector
        assert answer.status == 400, vector


def test_key_wrapping(keys):
    """RFC 5649 in RSA_AES_KEY_WRAP, whose AES key is the caller's choice and so can be a vector's."""
    # No vector has the 64 bytes that this key takes, so it stays empty: what unwraps is told from what does not.
    empty, outcomes = keys.empty("HMAC_512", MACS), Counter()
    for group, vector in vectors("aes_kwp"):
        wrapping_key, material, wrapped = (bytes.fromhex(vector[name]) for name in ("key", "msg", "ct"))
        encrypted_key = outside.public(empty[2]).encrypt(wrapping_key, outside.oaep("RSAES_OAEP_SHA_256"))
        answer = keys.importing(empty, encrypted_key + wrapped)
        if group["keySize"] != 256:
            assert is_refused(answer, "InvalidCiphertextException"), vector
            outcomes["shorter AES key refused"] += 1
        elif vector["result"] == "invalid":
            assert is_refused(answer, "InvalidCiphertextException"), vector
            outcomes["invalid refused"] += 1
        else:
            assert answer.error == "IncorrectKeyMaterialException", vector
            outcomes["unwrapped"] += 1
            if len(material) == 32:
                holder = keys.empty("HMAC_256", MACS)
                encrypted_key = outside.public(holder[2]).encrypt(wrapping_key, outside.oaep("RSAES_OAEP_SHA_256"))
                assert keys.importing(holder, encrypted_key + wrapped).status == 200, vector
                made = keys.call("GenerateMac", KeyId=holder[0], Message=b"x", MacAlgorithm="HMAC_SHA_256")
                assert bytes_of(made, "Mac") == hmac.digest(material, b"x", "sha256"), vector
                outcomes["of these used"] += 1
    assert outcomes == {"unwrapped": 25, "of these used": 3, "invalid refused": 69, "shorter AES key refused": 160}


# What is acceptable to Wycheproof are keys on the right curve in some other form than the one that AWS documents.
ECDH = {
    "ECC_NIST_P256": ("ecdh_secp256r1", {"derived": 330, "invalid refused": 52, "acceptable refused": 230}),
    "ECC_NIST_P384": ("ecdh_secp384r1", {"derived": 771, "invalid refused": 46, "acceptable refused": 230}),
    "ECC_NIST_P521": ("ecdh_secp521r1", {"derived": 632, "invalid refused": 56, "acceptable refused": 228}),
}


@pytest.mark.parametrize("key_spec", ECDH)
def test_ecdh(keys, key_spec):
    name, expected = ECDH[key_spec]
    outcomes = Counter()
    private_keys = {number: outside.pkcs8(ec.derive_private_key(number, outside.CURVES[key_spec]()))
                    for number in {int(vector["private"], 16) for _, vector in vectors(name)}}
    keys.hold(key_spec, AGREEMENT, private_keys.values())
    for _, vector in vectors(name):
        answer = keys.call("DeriveSharedSecret", KeyAgreementAlgorithm="ECDH",
                           KeyId=keys.holding(key_spec, AGREEMENT, private_keys[int(vector["private"], 16)]),
                           PublicKey=bytes.fromhex(vector["public"]))
        if vector["result"] == "valid":
            assert bytes_of(answer, "SharedSecret") == bytes.fromhex(vector["shared"]), vector
            outcomes["derived"] += 1
        else:
            # A public key of no bytes is no request.
            assert is_refused(answer, "ValidationException") or not vector["public"], vector
            assert answer.status == 400, vector
            outcomes[f"{vector['result']} refused"] += 1
    assert outcomes == expected


# The files with salts or hashes that AWS does not use come last; nothing of them may be verified, but for the one
# vector whose altered salt has the length that AWS wants.
PKCS1 = "RSASSA_PKCS1_V1_5_SHA_"
RSA_SIGNATURES = {
    "rsa_signature_2048_sha256": (f"{PKCS1}256", {"verified": 7, "refused": 250, "not run, no private key": 2}),
    "rsa_signature_2048_sha384": (f"{PKCS1}384", {"verified": 7, "refused": 251}),
    "rsa_signature_2048_sha512": (f"{PKCS1}512", {"verified": 7, "refused": 251, "not run, no private key": 1}),
    "rsa_signature_3072_sha256": (f"{PKCS1}256", {"verified": 7, "refused": 251, "not run, no private key": 1}),
    "rsa_signature_3072_sha384": (f"{PKCS1}384", {"verified": 7, "refused": 252}),
    "rsa_signature_3072_sha512": (f"{PKCS1}512", {"verified": 7, "refused": 252, "not run, no private key": 1}),
    "rsa_signature_4096_sha256": (f"{PKCS1}256", {"verified": 7, "refused": 251}),
    "rsa_signature_4096_sha384": (f"{PKCS1}384", {"verified": 7, "refused": 252}),
    "rsa_signature_4096_sha512": (f"{PKCS1}512", {"verified": 7, "refused": 252}),
    "rsa_pss_2048_sha256_mgf1_32": ("RSASSA_PSS_SHA_256", {"verified": 63, "refused": 45}),
    "rsa_pss_3072_sha256_mgf1_32": ("RSASSA_PSS_SHA_256", {"verified": 63, "refused": 45}),
    "rsa_pss_4096_sha256_mgf1_32": ("RSASSA_PSS_SHA_256", {"verified": 63, "refused": 45}),
    "rsa_pss_2048_sha384_mgf1_48": ("RSASSA_PSS_SHA_384", {"verified": 95, "refused": 46}),
    "rsa_pss_4096_sha384_mgf1_48": ("RSASSA_PSS_SHA_384", {"verified": 95, "refused": 46}),
    "rsa_pss_4096_sha512_mgf1_64": ("RSASSA_PSS_SHA_512", {"verified": 132, "refused": 47}),
    "rsa_pss_2048_sha256_mgf1_0": ("RSASSA_PSS_SHA_256", {"verified": 1, "refused": 102}),
    "rsa_pss_2048_sha256_mgf1sha1_20": ("RSASSA_PSS_SHA_256", {"refused": 108}),
    "rsa_pss_4096_sha512_mgf1_32": ("RSASSA_PSS_SHA_512", {"refused": 177}),
    "rsa_pss_2048_sha1_mgf1_20": ("RSASSA_PSS_SHA_256", {"refused": 88}),
}
REFUSED_FILES = list(RSA_SIGNATURES)[-4:]


def is_to_be_verified(name, vector):
    """Whether AWS has the signature for one of the message."""
    if name in REFUSED_FILES:
        return name == "rsa_pss_2048_sha256_mgf1_0" and vector["comment"] == "s_len changed to 32"
    return vector["result"] == "valid"


@pytest.mark.parametrize("name", RSA_SIGNATURES)
def test_rsa_signatures(keys, name):
    algorithm, expected = RSA_SIGNATURES[name]
    outcomes = Counter()
    for group, vector in vectors(name):
        private_key = rsa_private_key(group["publicKey"])
        if private_key is None:
            outcomes["not run, no private key"] += 1
            continue
        message, signature = bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"])
        parameters = {"KeyId": keys.holding(f"RSA_{group['keySize']}", SIGNING, private_key),
                      "SigningAlgorithm": algorithm, "Message": message, "MessageType": "RAW"}
        if not message:
            # AWS takes messages of 1 byte and more; the digest of none is one.
            parameters |= {"Message": outside.digest(algorithm, message), "MessageType": "DIGEST"}
        answer = keys.call("Verify", Signature=signature, **parameters)
        if is_to_be_verified(name, vector):
            assert answer.status == 200, vector
            outcomes["verified"] += 1
        else:
            # A signature of no bytes is no request.
            assert is_refused(answer, "KMSInvalidSignatureException") or not signature, vector
            assert answer.status == 400, vector
            outcomes["refused"] += 1
        if algorithm.startswith(PKCS1) and vector["result"] == "valid":
            assert bytes_of(keys.call("Sign", **parameters), "Signature") == signature, vector
    assert outcomes == expected


# Object identifiers of the standards for post-quantum keys end with these (RFC 9881, RFC 9935).
SEED_KEYS = {"ML_DSA_44": (3, 17), "ML_DSA_65": (3, 18), "ML_DSA_87": (3, 19),
             "ML_KEM_512": (4, 1), "ML_KEM_768": (4, 2), "ML_KEM_1024": (4, 3)}


def seed_key(key_spec, seed):
    """PrivateKeyInfo of a seed, in the form [0]; also of a seed that is too short or too long."""
    algorithm = bytes.fromhex("300b06096086480165" "0304") + bytes(SEED_KEYS[key_spec])
    inner = bytes([0x80, len(seed)]) + seed
    content = b"\x02\x01\x00" + algorithm + bytes([0x04, len(inner)]) + inner
    return b"\x30" + (b"\x81" if len(content) > 127 else b"") + bytes([len(content)]) + content


SHORT_CONTEXT = "not run, a representative has a shorter context"
OTHER_SEED = "seed of another length refused"
# The file of signing and the file of verifying.
ML_DSA = {
    "ML_DSA_44": ({"verified": 68, "verified as a representative": 14, OTHER_SEED: 3, SHORT_CONTEXT: 1},
                  {"verified": 66, "verified as a representative": 5, "refused": 60, SHORT_CONTEXT: 5,
                   "not run, no private key": 44}),
    "ML_DSA_65": ({"verified": 78, "verified as a representative": 23, OTHER_SEED: 3, SHORT_CONTEXT: 1},
                  {"verified": 70, "verified as a representative": 5, "refused": 72, SHORT_CONTEXT: 5,
                   "not run, no private key": 58}),
    "ML_DSA_87": ({"verified": 69, "verified as a representative": 23, OTHER_SEED: 3, SHORT_CONTEXT: 1},
                  {"verified": 61, "verified as a representative": 5, "refused": 94, SHORT_CONTEXT: 5,
                   "not run, no private key": 76}),
}


def representative(public_key, context, message):
    """Mu of a message (FIPS 204, algorithms 2 and 7)."""
    hashed_key = hashlib.shake_256(public_key).digest(64)
    return hashlib.shake_256(hashed_key + bytes([0, len(context)]) + context + message).digest(64)


def outcome_of_ml_dsa(keys, key_id, public_key, vector):
    """Verifies a vector as a message, if it has one that AWS takes, and as its representative."""
    message, context = vector.get("msg"), bytes.fromhex(vector.get("ctx", ""))
    if len(context) > 255:
        return SHORT_CONTEXT
    mu = vector.get("mu")
    if message is not None:
        computed = representative(public_key, context, bytes.fromhex(message)).hex()
        assert mu in (None, computed), vector
        mu = computed
    is_valid = vector["result"] == "valid"
    parameters = {"KeyId": key_id, "SigningAlgorithm": "ML_DSA_SHAKE_256", "Signature": bytes.fromhex(vector["sig"])}
    for given, message_type, fits in ((mu, "EXTERNAL_MU", is_valid), (message, "RAW", is_valid and not context)):
        if not given:
            continue
        answer = keys.call("Verify", Message=bytes.fromhex(given), MessageType=message_type, **parameters)
        assert answer.status == (200 if fits else 400), vector
        # A signature of no bytes is no request.
        assert fits or is_refused(answer, "KMSInvalidSignatureException") or not vector["sig"], vector
    if not is_valid:
        return "refused"
    return "verified" if message and not context else "verified as a representative"


def signs_for_others(keys, key_id, public_key_der, vector):
    """Whether what Sign makes of a vector's representative signs the vector's message, with its context."""
    answer = keys.call("Sign", KeyId=key_id, SigningAlgorithm="ML_DSA_SHAKE_256", MessageType="EXTERNAL_MU",
                       Message=bytes.fromhex(vector["mu"]))
    # Raises when it is not.
    outside.public(public_key_der).verify(bytes_of(answer, "Signature"), bytes.fromhex(vector["msg"]),
                                          bytes.fromhex(vector.get("ctx", "")))
    return True


@pytest.mark.parametrize("key_spec", ML_DSA)
def test_ml_dsa(keys, key_spec):
    name = key_spec.lower().replace("ml_", "ml")
    signed, verified, key_ids = Counter(), Counter(), {}
    keys.hold(key_spec, SIGNING, [seed_key(key_spec, bytes.fromhex(group["privateSeed"]))
                                  for group in groups(f"{name}_sign_seed") if len(group["privateSeed"]) == 64])
    for group, vector in vectors(f"{name}_sign_seed"):
        private_key, public_key = seed_key(key_spec, bytes.fromhex(group["privateSeed"])), group["publicKey"]
        if "IncorrectPrivateKeyLength" in vector["flags"]:
            assert keys.refuses(key_spec, SIGNING, private_key), vector
            signed[OTHER_SEED] += 1
            continue
        key_id = key_ids[public_key] = keys.holding(key_spec, SIGNING, private_key)
        signed[outcome_of_ml_dsa(keys, key_id, bytes.fromhex(public_key), vector)] += 1
        if "msg" in vector and vector["result"] == "valid":
            public_key_der = bytes_of(keys.call("GetPublicKey", KeyId=key_id), "PublicKey")
            assert public_key_der.hex().endswith(public_key), vector
            assert signs_for_others(keys, key_id, public_key_der, vector)
    for group, vector in vectors(f"{name}_verify"):
        public_key = group["publicKey"]
        if public_key in key_ids:
            verified[outcome_of_ml_dsa(keys, key_ids[public_key], bytes.fromhex(public_key), vector)] += 1
        else:
            verified["not run, no private key"] += 1
    assert (signed, verified) == ML_DSA[key_spec]


# Each vector has a key of its own, and each import takes the time of an RSA key: of the 152 valid ones of a file that
# have no flag, this many are run. All of them are in the crate `crypto`.
ML_KEM_ALIKE_MAX = 12
ML_KEM_EVERYWHERE = {"ciphertext of another length refused": 20, OTHER_SEED: 20, "not run, as others are": 140}
ML_KEM = {
    "ML_KEM_512": {"decapsulated": 20, **ML_KEM_EVERYWHERE},
    "ML_KEM_768": {"decapsulated": 21, **ML_KEM_EVERYWHERE},
    "ML_KEM_1024": {"decapsulated": 22, **ML_KEM_EVERYWHERE},
}


@pytest.mark.parametrize("key_spec", ML_KEM)
def test_ml_kem(keys, key_spec):
    """The files of keys alone and of encapsulation are not run: they have no ciphertext, or want chance taken away."""
    outcomes, alike_count = Counter(), 0
    for _, vector in vectors(key_spec.lower().replace("ml_", "ml")):
        private_key, ciphertext = seed_key(key_spec, bytes.fromhex(vector["seed"])), bytes.fromhex(vector["c"])
        if len(vector["seed"]) != 128:
            assert keys.refuses(key_spec, ENCAPSULATION, private_key), vector
            outcomes[OTHER_SEED] += 1
            continue
        if vector["result"] == "valid" and not vector["flags"]:
            alike_count += 1
            if alike_count > ML_KEM_ALIKE_MAX:
                outcomes["not run, as others are"] += 1
                continue
        key_id = keys.holding(key_spec, ENCAPSULATION, private_key)
        answer = keys.call("Decapsulate", KeyId=key_id, EncapsulationAlgorithm="ML_KEM",
                           SharedSecretCiphertextBlob=ciphertext)
        if vector["result"] == "valid":
            assert bytes_of(answer, "SharedSecret") == bytes.fromhex(vector["K"]), vector
            public_key = bytes_of(keys.call("GetPublicKey", KeyId=key_id), "PublicKey")
            assert public_key.endswith(bytes.fromhex(vector["ek"])), vector
            outcomes["decapsulated"] += 1
        else:
            # A ciphertext of no bytes is no request.
            assert is_refused(answer, "InvalidCiphertextException") or not ciphertext, vector
            assert answer.status == 400, vector
            outcomes["ciphertext of another length refused"] += 1
    assert outcomes == ML_KEM[key_spec]


def test_the_tables_have_every_vector_that_can_be_run():
    """HMAC with native keys and tags, OAEP and ECDH, 3,046 vectors, each with an outcome above.

    With 93 of PKCS #1 signing, in files that the package lacks, they were 3,139. The valid vectors of PKCS #1
    verification stand in for those: Sign must give the same bytes.
    """
    native = sum(sum(outcomes[what] for what in NATIVE_HMAC) for outcomes in HMAC.values())
    oaep = sum(sum(OAEP[name].values()) for name in list(OAEP)[:4])
    misc = OAEP["rsa_oaep_misc"]
    ecdh = sum(sum(outcomes.values()) for _, outcomes in ECDH.values())
    assert (native, oaep, ecdh, misc["decrypted"]) == (324, 147, 2575, 18)

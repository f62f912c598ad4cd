"""Sign, Verify."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

import ed25519ph
import journal
import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
MESSAGE = b"message of the signing tests"
EVERY = [(spec, algorithm) for spec, algorithms in outside.SIGNING.items() for algorithm in algorithms]
# Those that sign a digest, and are checked by a library that can do so too.
DIGESTING = [(spec, algorithm) for spec, algorithm in EVERY if "SHA_" in algorithm and "ED25519" not in algorithm]
ALGORITHMS = {algorithm for _, algorithm in EVERY} | {"SM2DSA"}
DIGEST_BYTES = {"256": 32, "384": 48, "512": 64}
P256 = ("ECC_NIST_P256", "SIGN_VERIFY")
ECDSA = {"SigningAlgorithm": "ECDSA_SHA_256"}
# The members of each operation that are right for the P-256 key.
SOUND = {"sign": {"Message": MESSAGE, **ECDSA}, "verify": {"Message": MESSAGE, "Signature": b"x" * 70, **ECDSA}}


def signable(algorithm, message=MESSAGE):
    """What is given to sign the message: itself, or for Ed25519ph, which takes nothing else, a digest of it."""
    if algorithm == "ED25519_PH_SHA_512":
        return {"Message": hashlib.sha512(message).digest(), "MessageType": "DIGEST"}
    return {"Message": message, "MessageType": "RAW"}


def verifies_outside(public_key, algorithm, message, signature):
    """Whether a library of somebody else takes the signature."""
    if algorithm == "ED25519_PH_SHA_512":
        return ed25519ph.verifies(public_key.public_bytes_raw(), message, signature)
    return outside.verifies(public_key, algorithm, message, signature)


def representative(public_key, message):
    """Mu of a message without a context (FIPS 204, algorithm 7, line 6, with M' of algorithm 2)."""
    hashed_key = hashlib.shake_256(public_key.public_bytes_raw()).digest(64)
    return hashlib.shake_256(hashed_key + bytes([0, 0]) + message).digest(64)


@pytest.fixture
def public_key_of(kms):
    """The public key of a key, as an outside library reads it."""
    def read(key):
        return outside.public(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    return read


@pytest.fixture(params=["sign", "verify"])
def operation(request, kms):
    """Each of the two operations, its members right for the P-256 key unless told otherwise."""
    def call(key_id, **more):
        return getattr(kms, request.param)(KeyId=key_id, **{**SOUND[request.param], **more})
    call.name = request.param.capitalize()
    return call


@pytest.fixture
def not_verified(kms):
    """`not_verified(key, **parameters)`: Verify refuses the signature, and says no more than that."""
    def call(key, **parameters):
        with pytest.raises(kms.exceptions.KMSInvalidSignatureException) as caught:
            kms.verify(KeyId=key["KeyId"], **parameters)
        assert not caught.value.response["Error"].get("Message")
    return call


@pytest.mark.parametrize(("key_spec", "algorithm"), EVERY)
def test_what_is_signed_here_is_verified_outside(kms, key_of, public_key_of, key_spec, algorithm):
    key = key_of(key_spec, "SIGN_VERIFY")
    given = signable(algorithm)
    answer = kms.sign(KeyId=key["KeyId"], SigningAlgorithm=algorithm, **given)
    answer.pop("ResponseMetadata")
    signature = answer.pop("Signature")
    assert answer == {"KeyId": key["Arn"], "SigningAlgorithm": algorithm}
    public_key = public_key_of(key)
    assert verifies_outside(public_key, algorithm, given["Message"], signature)
    assert not verifies_outside(public_key, algorithm, given["Message"] + b"x", signature)
    answer = kms.verify(KeyId=key["KeyId"], SigningAlgorithm=algorithm, Signature=signature, **given)
    answer.pop("ResponseMetadata")
    assert answer == {"KeyId": key["Arn"], "SignatureValid": True, "SigningAlgorithm": algorithm}


@pytest.mark.parametrize(("key_spec", "algorithm"), EVERY)
def test_what_is_signed_outside_is_verified_here(kms, key_from_outside, not_verified, key_spec, algorithm):
    key, private_key = key_from_outside(key_spec, "SIGN_VERIFY")
    given = signable(algorithm)
    if algorithm == "ED25519_PH_SHA_512":
        signature = ed25519ph.sign(private_key.private_bytes_raw(), given["Message"])
    else:
        signature = outside.sign(private_key, algorithm, given["Message"])
    assert kms.verify(KeyId=key["KeyId"], SigningAlgorithm=algorithm, Signature=signature,
                      **given)["SignatureValid"] is True
    other = {**given, "Message": given["Message"][::-1]}
    not_verified(key, SigningAlgorithm=algorithm, Signature=signature, **other)


@pytest.mark.parametrize(("key_spec", "algorithm"), DIGESTING)
def test_a_message_and_its_digest_are_signed_alike(kms, key_of, public_key_of, key_spec, algorithm):
    key = key_of(key_spec, "SIGN_VERIFY")
    # Longer than Sign takes: the digest is all that the server sees of it.
    message = bytes(range(256)) * 20
    parameters = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm}
    digest = {"Message": outside.digest(algorithm, message), "MessageType": "DIGEST"}
    signature = kms.sign(**parameters, **digest)["Signature"]
    assert outside.verifies(public_key_of(key), algorithm, message, signature)
    assert outside.verifies(public_key_of(key), algorithm, digest["Message"], signature, is_digest=True)
    whole, hashed = {"Message": MESSAGE}, {"Message": outside.digest(algorithm, MESSAGE), "MessageType": "DIGEST"}
    for signed, verified in ((whole, hashed), (hashed, whole)):
        signature = kms.sign(**parameters, **signed)["Signature"]
        assert kms.verify(**parameters, **verified, Signature=signature)["SignatureValid"]


@pytest.mark.parametrize("bits", ["256", "384", "512"])
@pytest.mark.parametrize("scheme", ["PSS", "PKCS1_V1_5"])
def test_openssl_verifies_and_signs_with_rsa(kms, key_from_outside, tmp_path, scheme, bits):
    key, private_key = key_from_outside("RSA_2048", "SIGN_VERIFY")
    algorithm = f"RSASSA_{scheme}_SHA_{bits}"
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if scheme == "PSS" else []
    both_ways_with_openssl(kms, key, private_key, algorithm, tmp_path, [f"-sha{bits}", *options])


@pytest.mark.parametrize("key_spec", outside.CURVES)
def test_openssl_verifies_and_signs_with_ecdsa(kms, key_from_outside, tmp_path, key_spec):
    key, private_key = key_from_outside(key_spec, "SIGN_VERIFY")
    algorithm, = outside.SIGNING[key_spec]
    both_ways_with_openssl(kms, key, private_key, algorithm, tmp_path, [f"-sha{algorithm[-3:]}"])


def both_ways_with_openssl(kms, key, private_key, algorithm, directory, options):
    """Signs here and verifies with the command, then the reverse."""
    parameters = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm, "Message": MESSAGE}
    (directory / "message").write_bytes(MESSAGE)
    (directory / "public").write_bytes(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    (directory / "private").write_bytes(outside.pkcs8(private_key))
    (directory / "signature").write_bytes(kms.sign(**parameters)["Signature"])
    said = outside.openssl(directory, "dgst", *options, "-keyform", "DER", "-verify", "public",
                           "-signature", "signature", "message")
    assert said == b"Verified OK\n"
    signature = outside.openssl(directory, "dgst", *options, "-keyform", "DER", "-sign", "private", "message")
    assert kms.verify(Signature=signature, **parameters)["SignatureValid"]


def test_openssl_verifies_and_signs_with_ed25519(kms, key_from_outside, tmp_path):
    key, private_key = key_from_outside(outside.ED25519, "SIGN_VERIFY")
    parameters = {"KeyId": key["KeyId"], "SigningAlgorithm": "ED25519_SHA_512", "Message": MESSAGE}
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "public").write_bytes(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    (tmp_path / "private").write_bytes(outside.pkcs8(private_key))
    (tmp_path / "signature").write_bytes(kms.sign(**parameters)["Signature"])
    pkeyutl = ["pkeyutl", "-rawin", "-in", "message", "-keyform", "DER"]
    outside.openssl(tmp_path, *pkeyutl, "-verify", "-pubin", "-inkey", "public", "-sigfile", "signature")
    signature = outside.openssl(tmp_path, *pkeyutl, "-sign", "-inkey", "private")
    assert kms.verify(Signature=signature, **parameters)["SignatureValid"]


def test_the_outside_ed25519ph_is_that_of_the_rfc():
    """The test vector of RFC 8032, section 7.3."""
    seed = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    public_key = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
    signature = bytes.fromhex("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
                              "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406")
    assert ed25519ph.sign(seed, b"abc") == signature
    assert ed25519ph.verifies(public_key, b"abc", signature)
    assert not ed25519ph.verifies(public_key, b"abd", signature)


def test_ed25519ph_hashes_the_digest_once_more(kms, key_from_outside):
    """AWS says so of what is given with MessageType DIGEST (API reference, Sign)."""
    key, private_key = key_from_outside(outside.ED25519, "SIGN_VERIFY")
    digest = hashlib.sha512(MESSAGE).digest()
    signature = kms.sign(KeyId=key["KeyId"], SigningAlgorithm="ED25519_PH_SHA_512", MessageType="DIGEST",
                         Message=digest)["Signature"]
    # Ed25519 leaves nothing to chance: these are the bytes.
    assert signature == ed25519ph.sign(private_key.private_bytes_raw(), digest)
    assert not ed25519ph.verifies(private_key.public_key().public_bytes_raw(), MESSAGE, signature)
    assert not outside.verifies(private_key.public_key(), "ED25519_SHA_512", digest, signature)


def test_ed25519_gives_the_bytes_that_others_give(kms, key_from_outside):
    key, private_key = key_from_outside(outside.ED25519, "SIGN_VERIFY")
    answer = kms.sign(KeyId=key["KeyId"], SigningAlgorithm="ED25519_SHA_512", Message=MESSAGE)
    assert answer["Signature"] == private_key.sign(MESSAGE)


@pytest.mark.parametrize("bits", ["256", "384", "512"])
@pytest.mark.parametrize("key_spec", outside.RSA)
def test_pkcs1_gives_the_bytes_that_others_give(kms, key_from_outside, key_spec, bits):
    key, private_key = key_from_outside(key_spec, "SIGN_VERIFY")
    algorithm = f"RSASSA_PKCS1_V1_5_SHA_{bits}"
    answer = kms.sign(KeyId=key["KeyId"], SigningAlgorithm=algorithm, Message=MESSAGE)
    assert answer["Signature"] == outside.sign(private_key, algorithm, MESSAGE)


@pytest.mark.parametrize("key_spec", outside.ML_DSA)
def test_a_message_and_its_representative_are_signed_alike(kms, key_of, public_key_of, not_verified, key_spec):
    key = key_of(key_spec, "SIGN_VERIFY")
    public_key = public_key_of(key)
    parameters = {"KeyId": key["KeyId"], "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    mu = {"Message": representative(public_key, MESSAGE), "MessageType": "EXTERNAL_MU"}
    signature = kms.sign(**parameters, **mu)["Signature"]
    assert outside.verifies(public_key, "ML_DSA_SHAKE_256", MESSAGE, signature)
    assert kms.verify(**parameters, Message=MESSAGE, Signature=signature)["SignatureValid"]
    signature = kms.sign(**parameters, Message=MESSAGE)["Signature"]
    assert kms.verify(**parameters, **mu, Signature=signature)["SignatureValid"]
    not_verified(key, SigningAlgorithm="ML_DSA_SHAKE_256", Message=mu["Message"], Signature=signature)


def test_ml_dsa_signs_without_a_context(key_from_outside, not_verified):
    key, private_key = key_from_outside("ML_DSA_44", "SIGN_VERIFY")
    signature = private_key.sign(MESSAGE, b"context")
    not_verified(key, SigningAlgorithm="ML_DSA_SHAKE_256", Message=MESSAGE, Signature=signature)


@pytest.mark.parametrize(("key_spec", "algorithm", "size"), [
    ("RSA_2048", "RSASSA_PSS_SHA_256", 256), ("RSA_3072", "RSASSA_PKCS1_V1_5_SHA_384", 384),
    ("RSA_4096", "RSASSA_PSS_SHA_512", 512), (outside.ED25519, "ED25519_SHA_512", 64),
    (outside.ED25519, "ED25519_PH_SHA_512", 64), ("ML_DSA_44", "ML_DSA_SHAKE_256", 2420),
    ("ML_DSA_65", "ML_DSA_SHAKE_256", 3309), ("ML_DSA_87", "ML_DSA_SHAKE_256", 4627)])
def test_signatures_have_the_size_of_their_standard(kms, key_of, key_spec, algorithm, size):
    key_id = key_of(key_spec, "SIGN_VERIFY")["KeyId"]
    answer = kms.sign(KeyId=key_id, SigningAlgorithm=algorithm, **signable(algorithm))
    assert len(answer["Signature"]) == size


@pytest.mark.parametrize(("key_spec", "size"), [("ECC_NIST_P256", 72), ("ECC_NIST_P384", 104), ("ECC_NIST_P521", 139),
                                                ("ECC_SECG_P256K1", 72)])
def test_ecdsa_signatures_are_der(kms, key_of, key_spec, size):
    algorithm, = outside.SIGNING[key_spec]
    signature = kms.sign(KeyId=key_of(key_spec, "SIGN_VERIFY")["KeyId"], SigningAlgorithm=algorithm,
                         Message=MESSAGE)["Signature"]
    assert len(signature) <= size
    assert encode_dss_signature(*decode_dss_signature(signature)) == signature


def test_two_random_signatures_of_one_message_differ(kms, key_of):
    for key_spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256"),
                                ("ML_DSA_44", "ML_DSA_SHAKE_256")):
        key_id = key_of(key_spec, "SIGN_VERIFY")["KeyId"]
        made = {kms.sign(KeyId=key_id, SigningAlgorithm=algorithm, Message=MESSAGE)["Signature"] for _ in range(5)}
        assert len(made) == 5, algorithm


@pytest.mark.parametrize(("key_spec", "algorithm"), EVERY)
def test_every_changed_signature_is_refused(kms, key_of, not_verified, key_spec, algorithm):
    key = key_of(key_spec, "SIGN_VERIFY")
    parameters = {"SigningAlgorithm": algorithm, **signable(algorithm)}
    signature = kms.sign(KeyId=key["KeyId"], **parameters)["Signature"]
    for place in range(0, len(signature), max(1, len(signature) // 12)):
        changed = bytearray(signature)
        changed[place] ^= 0x01
        not_verified(key, Signature=bytes(changed), **parameters)
    for odd in (b"\0", signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, bytes(len(signature)),
                b"\xff" * len(signature), b"x" * 6144):
        not_verified(key, Signature=odd, **parameters)


def test_a_signature_of_another_key_is_refused(kms, key_of, key_from_outside, not_verified):
    for key_spec, algorithm in EVERY:
        signature = kms.sign(KeyId=key_from_outside(key_spec, "SIGN_VERIFY")[0]["KeyId"], SigningAlgorithm=algorithm,
                             **signable(algorithm))["Signature"]
        not_verified(key_of(key_spec, "SIGN_VERIFY"), Signature=signature, SigningAlgorithm=algorithm,
                     **signable(algorithm))


@pytest.mark.parametrize("algorithm", outside.RSA_SIGNING)
def test_a_signature_of_another_algorithm_is_refused(kms, key_of, not_verified, algorithm):
    key = key_of("RSA_2048", "SIGN_VERIFY")
    signature = kms.sign(KeyId=key["KeyId"], SigningAlgorithm=algorithm, Message=MESSAGE)["Signature"]
    for other in set(outside.RSA_SIGNING) - {algorithm}:
        not_verified(key, SigningAlgorithm=other, Message=MESSAGE, Signature=signature)


@pytest.mark.parametrize("salt_bytes", [0, 20, 31, 33, padding.PSS.MAX_LENGTH])
def test_pss_salts_are_as_long_as_the_hash(key_from_outside, not_verified, salt_bytes):
    key, private_key = key_from_outside("RSA_2048", "SIGN_VERIFY")
    algorithm = "RSASSA_PSS_SHA_256"
    signature = private_key.sign(MESSAGE, outside.salted(algorithm, salt_bytes), outside.hash_of(algorithm))
    not_verified(key, SigningAlgorithm=algorithm, Message=MESSAGE, Signature=signature)


def test_pss_masks_with_its_own_hash(key_from_outside, not_verified):
    key, private_key = key_from_outside("RSA_2048", "SIGN_VERIFY")
    masked = padding.PSS(padding.MGF1(outside.hash_of("SHA_1")), padding.PSS.DIGEST_LENGTH)
    signature = private_key.sign(MESSAGE, masked, outside.hash_of("SHA_256"))
    not_verified(key, SigningAlgorithm="RSASSA_PSS_SHA_256", Message=MESSAGE, Signature=signature)


def test_both_forms_of_an_ecdsa_signature_are_verified(kms, key_of):
    """(r, n - s) is a signature wherever (r, s) is; X9.62 knows no preference."""
    key_id = key_of("ECC_SECG_P256K1", "SIGN_VERIFY")["KeyId"]
    order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141
    r, s = decode_dss_signature(kms.sign(KeyId=key_id, Message=MESSAGE, **ECDSA)["Signature"])
    for form in ((r, s), (r, order - s)):
        signature = encode_dss_signature(*form)
        assert kms.verify(KeyId=key_id, Message=MESSAGE, Signature=signature, **ECDSA)["SignatureValid"]


def test_ecdsa_signatures_are_not_taken_raw(kms, key_of, not_verified):
    key = key_of(*P256)
    r, s = decode_dss_signature(kms.sign(KeyId=key["KeyId"], Message=MESSAGE, **ECDSA)["Signature"])
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    not_verified(key, Message=MESSAGE, Signature=raw, **ECDSA)


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("ECC_NIST_P256", "KEY_AGREEMENT"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")])
def test_only_signing_keys_sign(refused, key_of, operation, key_spec, key_usage):
    key = key_of(key_spec, key_usage)
    with refused("InvalidKeyUsageException",
                 f"{key['Arn']} key usage is {key_usage} which is not valid for {operation.name}."):
        # The algorithm of P-256, whatever the key: the usage is told first.
        operation(key["KeyId"], DryRun=True)


@pytest.mark.parametrize("key_spec", outside.SIGNING)
def test_a_key_signs_with_the_algorithms_of_its_spec(refused, key_of, operation, key_spec):
    key = key_of(key_spec, "SIGN_VERIFY")
    assert sorted(key["SigningAlgorithms"]) == sorted(outside.SIGNING[key_spec])
    for algorithm in ALGORITHMS - set(outside.SIGNING[key_spec]):
        with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key_spec}."):
            operation(key["KeyId"], SigningAlgorithm=algorithm, MessageType="EXTERNAL_MU")


@pytest.mark.parametrize(("key_spec", "algorithm", "message_type", "with_what"), [
    (outside.ED25519, "ED25519_SHA_512", "DIGEST", "algorithm ED25519_SHA_512"),
    (outside.ED25519, "ED25519_PH_SHA_512", "RAW", "algorithm ED25519_PH_SHA_512"),
    (outside.ED25519, "ED25519_SHA_512", "EXTERNAL_MU", f"key spec {outside.ED25519}"),
    (outside.ED25519, "ED25519_PH_SHA_512", "EXTERNAL_MU", f"key spec {outside.ED25519}"),
    ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_44"),
    ("ML_DSA_87", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_87"),
    ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", "key spec ECC_NIST_P256"),
    ("RSA_2048", "RSASSA_PSS_SHA_256", "EXTERNAL_MU", "key spec RSA_2048")])
def test_message_types_suit_the_algorithm(refused, key_of, operation, key_spec, algorithm, message_type, with_what):
    key_id = key_of(key_spec, "SIGN_VERIFY")["KeyId"]
    with refused("ValidationException", f"Message type {message_type} is incompatible with {with_what}."):
        # The length of no digest: the type is told first.
        operation(key_id, SigningAlgorithm=algorithm, MessageType=message_type, Message=b"x", DryRun=True)


def test_ed25519ph_wants_its_message_type(refused, key_of, operation):
    key_id = key_of(outside.ED25519, "SIGN_VERIFY")["KeyId"]
    with refused("ValidationException", "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512."):
        operation(key_id, SigningAlgorithm="ED25519_PH_SHA_512")


@pytest.mark.parametrize(("key_spec", "algorithm", "message_type"), [
    *[(spec, algorithm, "DIGEST") for spec, algorithm in DIGESTING if spec not in ("RSA_3072", "RSA_4096")],
    (outside.ED25519, "ED25519_PH_SHA_512", "DIGEST"), ("ML_DSA_65", "ML_DSA_SHAKE_256", "EXTERNAL_MU")])
def test_a_digest_has_the_length_of_its_hash(refused, key_of, operation, key_spec, algorithm, message_type):
    key_id = key_of(key_spec, "SIGN_VERIFY")["KeyId"]
    right = 64 if message_type == "EXTERNAL_MU" else DIGEST_BYTES[algorithm[-3:]]
    for size in {1, 20, 32, 48, 64, right - 1, right + 1, 4096} - {right}:
        with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}."):
            operation(key_id, SigningAlgorithm=algorithm, MessageType=message_type, Message=b"x" * size, DryRun=True)
    with refused("DryRunOperationException", DRY_RUN):
        operation(key_id, SigningAlgorithm=algorithm, MessageType=message_type, Message=b"x" * right, DryRun=True)


@pytest.mark.parametrize("size", [1, 4096])
def test_messages_of_up_to_4096_bytes(kms, key_of, size):
    for key_spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256"),
                                (outside.ED25519, "ED25519_SHA_512"), ("ML_DSA_44", "ML_DSA_SHAKE_256")):
        parameters = {"KeyId": key_of(key_spec, "SIGN_VERIFY")["KeyId"], "SigningAlgorithm": algorithm,
                      "Message": b"m" * size}
        signature = kms.sign(**parameters)["Signature"]
        assert kms.verify(Signature=signature, **parameters)["SignatureValid"]


@pytest.mark.parametrize(("member", "size", "bound"), [
    ("Message", 0, "greater than or equal to 1"), ("Message", 4097, "less than or equal to 4096"),
    ("Signature", 0, "greater than or equal to 1"), ("Signature", 6145, "less than or equal to 6144")])
def test_sizes_are_bounded_and_messages_not_repeated(unchecked, key_of, member, size, bound):
    parameters = {"KeyId": key_of(*P256)["KeyId"], **SOUND["verify"], member: b"s" * size}
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.verify(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == (f"1 validation error detected: Value at '{member.lower()}' failed to satisfy "
                                f"constraint: Member must have length {bound}")


def test_a_dry_run_ends_before_the_cryptography(refused, key_of, operation):
    with refused("DryRunOperationException", DRY_RUN):
        operation(key_of(*P256)["KeyId"], DryRun=True)


def test_keys_in_other_states(kms, refused, operation):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        # The state is told before the algorithm.
        operation(key["KeyId"], SigningAlgorithm="ECDSA_SHA_512", DryRun=True)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        operation(key["KeyId"])


def test_a_key_without_material(kms, refused, operation):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        operation(key["KeyId"])


def test_the_usage_is_told_before_the_state(refused, disabled_key, operation):
    with refused("InvalidKeyUsageException"):
        operation(disabled_key["KeyId"])


def test_each_form_of_the_name_is_taken(kms, key_of, alias_name):
    key = key_of(*P256)
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name, f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        answer = kms.sign(KeyId=name, Message=MESSAGE, **ECDSA)
        assert answer["KeyId"] == key["Arn"]
        answer = kms.verify(KeyId=name, Message=MESSAGE, Signature=answer["Signature"], **ECDSA)
        assert answer["KeyId"] == key["Arn"]


def test_unknown_keys_are_not_found(refused, operation, unknown_key_arn, alias_name):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        operation(unknown_key_arn)
    with refused("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        operation(alias_name)


def test_grant_tokens_must_be_tokens(refused, key_of, operation):
    with refused("InvalidGrantTokenException"):
        # Told before the algorithm.
        operation(key_of(*P256)["KeyId"], GrantTokens=["forged"], SigningAlgorithm="ECDSA_SHA_512")


def test_another_account_signs_when_the_key_policy_lets_it(kms, other, refused):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    members = {"KeyId": key["Arn"], "Message": MESSAGE, **ECDSA}
    signature = kms.sign(**members)["Signature"]
    for action, call in (("Sign", lambda: other.sign(**members)),
                         ("Verify", lambda: other.verify(Signature=signature, **members))):
        with refused("AccessDeniedException",
                     f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: kms:{action} on resource: "
                     f"{key['Arn']} because no resource-based policy allows the kms:{action} action"):
            call()
        kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
            statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), f"kms:{action}")))
        assert call()["KeyId"] == key["Arn"]


def test_calls_are_recorded_without_message_and_signature(server, kms, caller, key_of, record_of):
    key = key_of(*P256)
    message = b"canary-of-a-signed-message-77d1"
    signed = kms.sign(KeyId=key["KeyId"], Message=message, **ECDSA)
    verified = kms.verify(KeyId=key["KeyId"], Message=message, Signature=signed["Signature"], **ECDSA)
    for name, answer in (("Sign", signed), ("Verify", verified)):
        record = record_of(answer["ResponseMetadata"]["RequestId"])
        assert (record["eventName"], record["readOnly"], record["responseElements"]) == (name, True, None)
        assert record["requestParameters"] == {
            "keyId": key["KeyId"], "messageType": "RAW", "signingAlgorithm": "ECDSA_SHA_256"}
        assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    refused = caller.call("Verify", {"KeyId": key["KeyId"], "Message": "eA==", "Signature": "eA==", **ECDSA})
    record = record_of(refused.headers["x-amzn-requestid"])
    assert (record["errorCode"], record.get("errorMessage")) == ("KMSInvalidSignatureException", None)
    journal.assert_absent(server.directory / "journal", message, signed["Signature"])

"""Encrypt, Decrypt, ReEncrypt with RSA keys."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

import journal
import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT
from test_encrypt import CONTEXT, DRY_RUN, INCORRECT_KEY, encrypt, no_message

# The longest plaintext of each RSA key spec and algorithm, in bytes.
OAEP_BYTES_MAX = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214, ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342, ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470, ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
}
ASYMMETRIC_CONTEXT = "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
# What ReEncrypt goes between.
ENDS = [("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"), ("RSA_2048", "RSAES_OAEP_SHA_1"),
        ("RSA_3072", "RSAES_OAEP_SHA_256"), ("RSA_4096", "RSAES_OAEP_SHA_1")]


@pytest.fixture
def rsa_key(key_of):
    """The metadata of an RSA key that encrypts."""
    return key_of("RSA_2048", "ENCRYPT_DECRYPT")


@pytest.mark.parametrize(("key_spec", "algorithm"), OAEP_BYTES_MAX)
def test_rsa_encrypts_for_others_and_they_for_it(kms, key_of, key_spec, algorithm):
    key = key_of(key_spec, "ENCRYPT_DECRYPT")
    public_key = outside.public(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    longest = OAEP_BYTES_MAX[key_spec, algorithm]
    for size in (1, 32, longest):
        plaintext = os.urandom(size)
        answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext, EncryptionAlgorithm=algorithm)
        answer.pop("ResponseMetadata")
        blob = answer.pop("CiphertextBlob")
        assert answer == {"KeyId": key["Arn"], "EncryptionAlgorithm": algorithm}
        assert len(blob) == public_key.key_size // 8
        for made in (blob, public_key.encrypt(plaintext, outside.oaep(algorithm))):
            answer = kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=made, EncryptionAlgorithm=algorithm)
            answer.pop("ResponseMetadata")
            assert answer == {"KeyId": key["Arn"], "Plaintext": plaintext, "EncryptionAlgorithm": algorithm}


@pytest.mark.parametrize("algorithm", outside.OAEP)
@pytest.mark.parametrize("key_spec", outside.RSA)
def test_what_an_imported_rsa_key_encrypts_its_private_key_decrypts(kms, key_from_outside, key_spec, algorithm):
    key, private_key = key_from_outside(key_spec, "ENCRYPT_DECRYPT")
    blob = encrypt(kms, key, EncryptionAlgorithm=algorithm)
    assert private_key.decrypt(blob, outside.oaep(algorithm)) == b"plain"


@pytest.mark.parametrize("bits", ["1", "256"])
def test_openssl_encrypts_for_rsa_keys(kms, rsa_key, tmp_path, bits):
    (tmp_path / "public").write_bytes(kms.get_public_key(KeyId=rsa_key["KeyId"])["PublicKey"])
    (tmp_path / "plaintext").write_bytes(b"plain")
    blob = outside.openssl(tmp_path, "pkeyutl", "-encrypt", "-keyform", "DER", "-pubin", "-inkey", "public",
                           "-in", "plaintext", "-pkeyopt", "rsa_padding_mode:oaep",
                           "-pkeyopt", f"rsa_oaep_md:sha{bits}", "-pkeyopt", f"rsa_mgf1_md:sha{bits}")
    answer = kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=blob, EncryptionAlgorithm=f"RSAES_OAEP_SHA_{bits}")
    assert answer["Plaintext"] == b"plain"


@pytest.mark.parametrize("bits", ["1", "256"])
def test_openssl_decrypts_what_rsa_keys_encrypt(kms, key_from_outside, tmp_path, bits):
    key, private_key = key_from_outside("RSA_2048", "ENCRYPT_DECRYPT")
    (tmp_path / "private").write_bytes(outside.pkcs8(private_key))
    (tmp_path / "blob").write_bytes(encrypt(kms, key, EncryptionAlgorithm=f"RSAES_OAEP_SHA_{bits}"))
    plaintext = outside.openssl(tmp_path, "pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "private",
                                "-in", "blob", "-pkeyopt", "rsa_padding_mode:oaep",
                                "-pkeyopt", f"rsa_oaep_md:sha{bits}", "-pkeyopt", f"rsa_mgf1_md:sha{bits}")
    assert plaintext == b"plain"


@pytest.mark.parametrize(("key_spec", "algorithm"), OAEP_BYTES_MAX)
def test_what_is_too_long_for_a_modulus(kms, refused, key_of, key_spec, algorithm):
    longest = OAEP_BYTES_MAX[key_spec, algorithm]
    key, symmetric_key = key_of(key_spec, "ENCRYPT_DECRYPT"), key_of("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    text = f"Algorithm {algorithm} and key spec {key_spec} cannot encrypt data larger than {longest} bytes."
    for size in (longest + 1, 4096):
        for dry_run in (False, True):
            with refused("ValidationException", text):
                encrypt(kms, key, b"x" * size, EncryptionAlgorithm=algorithm, DryRun=dry_run)
    with refused("ValidationException", text):
        kms.re_encrypt(CiphertextBlob=encrypt(kms, symmetric_key, b"x" * (longest + 1)), DestinationKeyId=key["KeyId"],
                       DestinationEncryptionAlgorithm=algorithm)


def test_the_longest_texts_are_those_of_the_reference():
    assert sorted(OAEP_BYTES_MAX.values()) == [190, 214, 318, 342, 446, 470]


@pytest.mark.parametrize("destination", ENDS)
@pytest.mark.parametrize("source", ENDS)
def test_re_encrypt_between_any_two(kms, key_of, source, destination):
    old, new = (key_of(spec, "ENCRYPT_DECRYPT") for spec, _ in (source, destination))
    algorithms = {"SourceEncryptionAlgorithm": source[1], "DestinationEncryptionAlgorithm": destination[1]}
    blob = encrypt(kms, old, EncryptionAlgorithm=source[1])
    answer = kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=old["KeyId"], DestinationKeyId=new["KeyId"], **algorithms)
    answer.pop("ResponseMetadata")
    newer = answer.pop("CiphertextBlob")
    expected = {"SourceKeyId": old["Arn"], "KeyId": new["Arn"], **algorithms}
    if source[1] == "SYMMETRIC_DEFAULT":
        expected["SourceKeyMaterialId"] = old["CurrentKeyMaterialId"]
    if destination[1] == "SYMMETRIC_DEFAULT":
        expected["DestinationKeyMaterialId"] = new["CurrentKeyMaterialId"]
    assert answer == expected
    decrypted = kms.decrypt(KeyId=new["KeyId"], CiphertextBlob=newer, EncryptionAlgorithm=destination[1])
    assert decrypted["Plaintext"] == b"plain"


def test_re_encrypt_from_one_rsa_algorithm_to_the_other(kms, rsa_key):
    blob = encrypt(kms, rsa_key, EncryptionAlgorithm="RSAES_OAEP_SHA_1")
    newer = kms.re_encrypt(
        CiphertextBlob=blob, SourceKeyId=rsa_key["KeyId"], SourceEncryptionAlgorithm="RSAES_OAEP_SHA_1",
        DestinationKeyId=rsa_key["KeyId"], DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256")["CiphertextBlob"]
    answer = kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=newer, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert answer["Plaintext"] == b"plain"


def test_the_key_of_an_rsa_ciphertext_is_named(kms, refused, rsa_key, key):
    blob = encrypt(kms, rsa_key, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("ValidationException", "KeyId must not be null"):
        kms.decrypt(CiphertextBlob=blob, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("ValidationException"):
        kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
                       DestinationKeyId=key["KeyId"])


@pytest.mark.parametrize("algorithm", outside.OAEP)
def test_every_changed_rsa_ciphertext_is_refused(kms, rsa_key, key, algorithm):
    blob = encrypt(kms, rsa_key, EncryptionAlgorithm=algorithm)
    changed = [blob[:place] + bytes([blob[place] ^ 0x01]) + blob[place + 1:] for place in range(0, len(blob), 17)]
    for odd in (*changed, b"x", blob[:-1], blob[1:], blob + b"\0", b"\0" + blob, bytes(256), b"\xff" * 256,
                b"x" * 6144):
        for call in (
                lambda: kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=odd, EncryptionAlgorithm=algorithm),
                lambda: kms.re_encrypt(SourceKeyId=rsa_key["KeyId"], CiphertextBlob=odd, DestinationKeyId=key["KeyId"],
                                       SourceEncryptionAlgorithm=algorithm)):
            with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
                call()
            no_message(caught)


def test_other_paddings_do_not_decrypt(kms, rsa_key):
    public_key = outside.public(kms.get_public_key(KeyId=rsa_key["KeyId"])["PublicKey"])
    one, other = (outside.hash_of(algorithm) for algorithm in outside.OAEP)
    for odd in (padding.PKCS1v15(),
                padding.OAEP(padding.MGF1(one), other, None), padding.OAEP(padding.MGF1(other), one, None),
                padding.OAEP(padding.MGF1(one), one, b"label"), padding.OAEP(padding.MGF1(other), other, b"label")):
        blob = public_key.encrypt(b"plain", odd)
        for algorithm in outside.OAEP:
            with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
                kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
            no_message(caught)


def test_a_ciphertext_of_another_rsa_key_or_algorithm_does_not_decrypt(kms, rsa_key, key_from_outside):
    other, _ = key_from_outside("RSA_2048", "ENCRYPT_DECRYPT")
    for key, algorithm, used in ((other, "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_256"),
                                 (rsa_key, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")):
        blob = encrypt(kms, key, EncryptionAlgorithm=used)
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
            kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
        no_message(caught)


def test_an_rsa_ciphertext_taken_for_a_symmetric_one(kms, refused, rsa_key, key):
    """AWS reads the blob before it looks at the key (reference 2.2, variations)."""
    blob = encrypt(kms, rsa_key, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    for name in (rsa_key["KeyId"], key["KeyId"]):
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
            kms.decrypt(KeyId=name, CiphertextBlob=blob)
        no_message(caught)
    with refused("IncorrectKeyException", INCORRECT_KEY):
        kms.decrypt(KeyId=rsa_key["KeyId"], CiphertextBlob=encrypt(kms, key))


def test_rsa_keys_bind_no_context(kms, refused, rsa_key, key):
    rsa = {"KeyId": rsa_key["KeyId"], "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(Plaintext=b"plain", EncryptionContext={}, **rsa)["CiphertextBlob"]
    with refused("ValidationException", ASYMMETRIC_CONTEXT):
        # Told before the size and before the dry run.
        kms.encrypt(Plaintext=b"x" * 4096, EncryptionContext=CONTEXT, DryRun=True, **rsa)
    with refused("ValidationException", ASYMMETRIC_CONTEXT):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, **rsa)
    with refused("ValidationException", ASYMMETRIC_CONTEXT):
        kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=rsa_key["KeyId"], SourceEncryptionContext=CONTEXT,
                       SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256", DestinationKeyId=key["KeyId"])
    with refused("ValidationException", ASYMMETRIC_CONTEXT):
        kms.re_encrypt(CiphertextBlob=encrypt(kms, key), DestinationKeyId=rsa_key["KeyId"],
                       DestinationEncryptionContext=CONTEXT, DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_1")


@pytest.mark.parametrize("key_spec", outside.RSA)
def test_an_rsa_key_has_the_two_algorithms(kms, refused, key_of, key, key_spec):
    rsa_key = key_of(key_spec, "ENCRYPT_DECRYPT")
    assert sorted(rsa_key["EncryptionAlgorithms"]) == outside.OAEP
    for parameters, algorithm in (({}, "SYMMETRIC_DEFAULT"), ({"EncryptionAlgorithm": "SM2PKE"}, "SM2PKE")):
        with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key_spec}."):
            # Told before the size of what there is to encrypt.
            kms.encrypt(KeyId=rsa_key["KeyId"], Plaintext=b"x" * 4096, **parameters)
    with refused("InvalidKeyUsageException", f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {key_spec}."):
        kms.re_encrypt(CiphertextBlob=encrypt(kms, key), DestinationKeyId=rsa_key["KeyId"])


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("ECC_NIST_P256", "KEY_AGREEMENT"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")])
def test_only_encryption_keys_encrypt(kms, refused, key_of, key, key_spec, key_usage):
    wrong = key_of(key_spec, key_usage)
    rsa = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}

    def text(operation):
        return f"{wrong['Arn']} key usage is {key_usage} which is not valid for {operation}."

    for parameters in ({}, rsa):
        with refused("InvalidKeyUsageException", text("Encrypt")):
            kms.encrypt(KeyId=wrong["KeyId"], Plaintext=b"x", EncryptionContext=CONTEXT, **parameters)
    with refused("InvalidKeyUsageException", text("Decrypt")):
        kms.decrypt(KeyId=wrong["KeyId"], CiphertextBlob=b"x" * 256, **rsa)
    with refused("InvalidKeyUsageException", text("ReEncrypt")):
        kms.re_encrypt(SourceKeyId=wrong["KeyId"], CiphertextBlob=b"x" * 256, DestinationKeyId=key["KeyId"],
                       SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("InvalidKeyUsageException", text("ReEncrypt")):
        kms.re_encrypt(CiphertextBlob=encrypt(kms, key), DestinationKeyId=wrong["KeyId"])
    with refused("IncorrectKeyException", INCORRECT_KEY):
        kms.decrypt(KeyId=wrong["KeyId"], CiphertextBlob=encrypt(kms, key))


def test_a_dry_run_with_an_rsa_key(kms, refused, rsa_key, key):
    rsa = {"KeyId": rsa_key["KeyId"], "EncryptionAlgorithm": "RSAES_OAEP_SHA_256", "DryRun": True}
    with refused("DryRunOperationException", DRY_RUN):
        kms.encrypt(Plaintext=b"x", **rsa)
    with refused("DryRunOperationException", DRY_RUN):
        kms.decrypt(CiphertextBlob=b"no ciphertext", **rsa)
    with refused("DryRunOperationException", DRY_RUN):
        kms.decrypt(DryRunModifiers=["IGNORE_CIPHERTEXT"], **rsa)
    with refused("DryRunOperationException", DRY_RUN):
        kms.re_encrypt(CiphertextBlob=b"no ciphertext", SourceKeyId=rsa_key["KeyId"], DestinationKeyId=key["KeyId"],
                       SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256", DryRun=True)


def test_rsa_keys_in_other_states(kms, refused):
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    rsa = {"KeyId": key["KeyId"], "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(Plaintext=b"x", **rsa)["CiphertextBlob"]
    calls = [lambda: kms.encrypt(Plaintext=b"x", **rsa), lambda: kms.decrypt(CiphertextBlob=blob, **rsa)]
    kms.disable_key(KeyId=key["KeyId"])
    for call in calls:
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            call()
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    for call in calls:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            call()


def test_another_account_encrypts_with_rsa_when_the_key_policy_lets_it(kms, other, refused, rsa_key):
    members = {"Plaintext": b"x", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    with refused("AccessDeniedException"):
        other.encrypt(KeyId=rsa_key["Arn"], **members)
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT", Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), "kms:Encrypt")))["KeyMetadata"]
    assert other.encrypt(KeyId=key["Arn"], **members)["KeyId"] == key["Arn"]
    with refused("AccessDeniedException"):
        other.decrypt(KeyId=key["Arn"], CiphertextBlob=b"x" * 256, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_rsa_calls_are_recorded_without_plaintext_and_ciphertext(server, kms, rsa_key, record_of):
    plaintext = b"canary-under-an-rsa-key-e508"
    rsa = {"KeyId": rsa_key["KeyId"], "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    encrypted = kms.encrypt(Plaintext=plaintext, **rsa)
    blob = encrypted["CiphertextBlob"]
    decrypted = kms.decrypt(CiphertextBlob=blob, **rsa)
    for name, answer in (("Encrypt", encrypted), ("Decrypt", decrypted)):
        record = record_of(answer["ResponseMetadata"]["RequestId"])
        assert record["eventName"] == name
        assert record["requestParameters"] == {"keyId": rsa_key["KeyId"], "encryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    journal.assert_absent(server.directory / "journal", plaintext, blob)

"""GenerateDataKey and GenerateDataKeyPair, both with and WithoutPlaintext, GenerateRandom."""

import pytest

import journal
import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
EITHER = "Please specify either number of bytes or key spec."
SIZES = [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1),
         ({"NumberOfBytes": 64}, 64), ({"NumberOfBytes": 1024}, 1024)]
# Every spec of data key pairs in Regions outside China.
PAIRS = [*outside.RSA, *outside.CURVES, outside.ED25519, "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"]
PAIR_OPERATIONS = {"generate_data_key_pair": "GenerateDataKeyPair",
                   "generate_data_key_pair_without_plaintext": "GenerateDataKeyPairWithoutPlaintext"}


@pytest.fixture(params=["generate_data_key", "generate_data_key_without_plaintext"])
def generate(request, kms):
    """Each of the two operations."""
    return getattr(kms, request.param)


@pytest.fixture(params=["generate_data_key", "generate_data_key_without_plaintext"])
def generate_unchecked(request, unchecked):
    """Each of the two, unchecked by the SDK."""
    return getattr(unchecked, request.param)


@pytest.mark.parametrize(("parameters", "size"), SIZES)
def test_a_data_key_and_its_ciphertext(kms, key, parameters, size):
    answer = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext={"a": "b"}, **parameters)
    assert answer["KeyId"] == key["Arn"]
    assert answer["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert len(answer["Plaintext"]) == size
    assert "CiphertextForRecipient" not in answer
    decrypted = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert decrypted["Plaintext"] == answer["Plaintext"]


@pytest.mark.parametrize(("parameters", "size"), SIZES)
def test_a_data_key_without_its_plaintext(kms, key, parameters, size):
    answer = kms.generate_data_key_without_plaintext(KeyId=key["Arn"], EncryptionContext={"a": "b"},
                                                     **parameters)
    answer.pop("ResponseMetadata")
    blob = answer.pop("CiphertextBlob")
    assert answer == {"KeyId": key["Arn"], "KeyMaterialId": key["CurrentKeyMaterialId"]}
    decrypted = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
    assert len(decrypted["Plaintext"]) == size


def test_data_keys_differ(kms, key):
    made = {kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["Plaintext"]
            for _ in range(20)}
    assert len(made) == 20


def test_a_data_key_keeps_its_context(kms, key):
    blob = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256",
                                 EncryptionContext={"a": "b"})["CiphertextBlob"]
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "c"})


def test_each_form_of_the_name_is_taken(kms, key, alias_name, generate):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name,
                 f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        assert generate(KeyId=name, KeySpec="AES_256")["KeyId"] == key["Arn"]


def test_a_size_is_given_once(refused, key, generate):
    with refused("ValidationException", EITHER):
        generate(KeyId=key["KeyId"])
    with refused("ValidationException", EITHER):
        generate(KeyId=key["KeyId"], KeySpec="AES_256", NumberOfBytes=32)


@pytest.mark.parametrize("parameters", [{"NumberOfBytes": 0}, {"NumberOfBytes": 1025},
                                        {"NumberOfBytes": -1}, {"KeySpec": "AES_512"}])
def test_sizes_are_bounded(refused, key, generate_unchecked, parameters):
    with refused("ValidationException"):
        generate_unchecked(KeyId=key["KeyId"], **parameters)


def test_a_dry_run_gives_nothing(refused, key, generate):
    with refused("DryRunOperationException", DRY_RUN):
        generate(KeyId=key["KeyId"], KeySpec="AES_256", DryRun=True)


def test_states(refused, disabled_key, pending_key, generate):
    with refused("DisabledException", f"{disabled_key['Arn']} is disabled."):
        generate(KeyId=disabled_key["KeyId"], KeySpec="AES_256")
    with refused("KMSInvalidStateException", f"{pending_key['Arn']} is pending deletion."):
        generate(KeyId=pending_key["KeyId"], KeySpec="AES_256")


def test_unknown_keys_are_not_found(refused, unknown_key_arn, alias_name, generate):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        generate(KeyId=unknown_key_arn, KeySpec="AES_256")
    with refused("NotFoundException",
                 f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        generate(KeyId=alias_name, KeySpec="AES_256")
    # The model has no InvalidArnException for the operations of this family.
    with refused("NotFoundException"):
        generate(KeyId="arn:aws:s3:::bucket", KeySpec="AES_256")


def test_grant_tokens_must_be_tokens(refused, key, generate):
    with refused("InvalidGrantTokenException"):
        generate(KeyId=key["KeyId"], KeySpec="AES_256", GrantTokens=["forged"])


def test_an_answer_for_an_enclave_is_never_given_in_the_clear(kms, key):
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"forged"}
    with pytest.raises(kms.exceptions.ClientError):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=recipient)
    with pytest.raises(kms.exceptions.ClientError):
        kms.generate_random(NumberOfBytes=32, Recipient=recipient)


@pytest.mark.parametrize("size", [1, 32, 1024])
def test_random_bytes(kms, size):
    answer = kms.generate_random(NumberOfBytes=size)
    answer.pop("ResponseMetadata")
    assert set(answer) == {"Plaintext"}
    assert len(answer["Plaintext"]) == size


def test_random_bytes_differ(kms):
    assert len({kms.generate_random(NumberOfBytes=16)["Plaintext"] for _ in range(50)}) == 50


def test_random_bytes_want_a_size(kms, refused):
    with refused("ValidationException", "NumberOfBytes is required."):
        kms.generate_random()


@pytest.mark.parametrize("size", [0, 1025, -1])
def test_random_bytes_are_bounded(unchecked, refused, size):
    with refused("ValidationException"):
        unchecked.generate_random(NumberOfBytes=size)


def test_random_bytes_know_no_custom_key_store(kms, refused):
    with refused("CustomKeyStoreNotFoundException"):
        kms.generate_random(NumberOfBytes=32, CustomKeyStoreId="cks-1234567890abcdef0")


@pytest.fixture(params=PAIR_OPERATIONS)
def generate_pair(request, kms):
    """Each of the two operations that make pairs, for P-256 unless told otherwise."""
    def call(key_id, client=kms, **more):
        return getattr(client, request.param)(KeyId=key_id, **{"KeyPairSpec": "ECC_NIST_P256", **more})
    call.name = PAIR_OPERATIONS[request.param]
    return call


@pytest.fixture
def public_half(kms):
    """`public_half(key_spec, private_key_der)`: the public key of a private one, in DER."""
    def tell(key_spec, private_key_der):
        if key_spec != "ML_KEM_512":
            return outside.spki(outside.private(private_key_der).public_key())
        # The one spec that `cryptography` does not know: a key that imports it tells.
        holder = kms.create_key(KeySpec=key_spec, KeyUsage="ENCAPSULATE_DECAPSULATE", Origin="EXTERNAL")["KeyMetadata"]
        outside.import_material(kms, holder["KeyId"], private_key_der)
        return kms.get_public_key(KeyId=holder["KeyId"])["PublicKey"]
    return tell


@pytest.mark.parametrize("key_spec", PAIRS)
def test_a_data_key_pair_and_its_ciphertext(kms, key, public_half, key_spec):
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec, EncryptionContext={"a": "b"})
    answer.pop("ResponseMetadata")
    private_key, public_key = answer.pop("PrivateKeyPlaintext"), answer.pop("PublicKey")
    blob = answer.pop("PrivateKeyCiphertextBlob")
    assert answer == {"KeyId": key["Arn"], "KeyPairSpec": key_spec, "KeyMaterialId": key["CurrentKeyMaterialId"]}
    assert public_half(key_spec, private_key) == public_key
    assert private_key not in blob
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == private_key
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob)


@pytest.mark.parametrize("key_spec", PAIRS)
def test_a_data_key_pair_without_its_plaintext(kms, key, public_half, key_spec):
    answer = kms.generate_data_key_pair_without_plaintext(KeyId=key["Arn"], KeyPairSpec=key_spec)
    answer.pop("ResponseMetadata")
    public_key, blob = answer.pop("PublicKey"), answer.pop("PrivateKeyCiphertextBlob")
    assert answer == {"KeyId": key["Arn"], "KeyPairSpec": key_spec, "KeyMaterialId": key["CurrentKeyMaterialId"]}
    assert public_half(key_spec, kms.decrypt(CiphertextBlob=blob)["Plaintext"]) == public_key


@pytest.mark.parametrize("key_spec", [*outside.RSA, *outside.CURVES, outside.ED25519])
def test_openssl_reads_a_data_key_pair(kms, key, tmp_path, key_spec):
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec)
    (tmp_path / "private").write_bytes(answer["PrivateKeyPlaintext"])
    arguments = ["pkey", "-inform", "DER", "-in", "private"]
    assert outside.openssl(tmp_path, *arguments, "-pubout", "-outform", "DER") == answer["PublicKey"]
    if key_spec != outside.ED25519:
        outside.openssl(tmp_path, *arguments, "-noout", "-check")


@pytest.mark.parametrize(("key_spec", "bits"), [("RSA_2048", 2048), ("RSA_3072", 3072), ("RSA_4096", 4096)])
def test_rsa_pairs_have_the_size_of_their_name(kms, key, key_spec, bits):
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec)
    public_key = outside.public(answer["PublicKey"])
    assert (public_key.key_size, public_key.public_numbers().e) == (bits, 65537)


@pytest.mark.parametrize(("key_spec", "public_key_bytes"), [
    ("ML_KEM_512", 822), ("ML_KEM_768", 1206), ("ML_KEM_1024", 1590)])
def test_ml_kem_private_keys_are_seeds(kms, key, key_spec, public_key_bytes):
    """Which are as long for one spec as for another (API reference, GenerateDataKeyPair)."""
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec)
    # PrivateKeyInfo with the choice [0] seed of 64 bytes (RFC 9935).
    assert len(answer["PrivateKeyPlaintext"]) == 86
    assert answer["PrivateKeyPlaintext"][-66:-64] == bytes([0x80, 64])
    assert len(answer["PublicKey"]) == public_key_bytes


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    *[(spec, "SIGN_VERIFY") for spec in (*outside.RSA, *outside.CURVES, outside.ED25519)],
    *[(spec, "ENCAPSULATE_DECAPSULATE") for spec in ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024")]])
def test_a_data_key_pair_can_be_imported(kms, key, key_spec, key_usage):
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec)
    holder = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage, Origin="EXTERNAL")["KeyMetadata"]
    outside.import_material(kms, holder["KeyId"], answer["PrivateKeyPlaintext"])
    assert kms.get_public_key(KeyId=holder["KeyId"])["PublicKey"] == answer["PublicKey"]


def test_data_key_pairs_differ(kms, key):
    made = {kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=key_spec)["PrivateKeyPlaintext"]
            for key_spec in ("RSA_2048", "ECC_NIST_P256", "ML_KEM_768") for _ in range(5)}
    assert len(made) == 15


@pytest.mark.parametrize("key_spec", ["ML_DSA_44", "HMAC_256", "SYMMETRIC_DEFAULT", "AES_256", "RSA_1024"])
def test_there_are_no_pairs_of_other_specs(unchecked, refused, key, generate_pair, key_spec):
    with refused("ValidationException"):
        generate_pair(key["KeyId"], client=unchecked, KeyPairSpec=key_spec)


def test_pairs_of_china_regions_are_not_made_here(refused, key, generate_pair):
    with refused("UnsupportedOperationException"):
        generate_pair(key["KeyId"], KeyPairSpec="SM2")


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")])
def test_only_encryption_keys_protect_data_keys(kms, refused, key_of, key_spec, key_usage):
    wrong = key_of(key_spec, key_usage)
    pair, single = {"KeyPairSpec": "ECC_NIST_P256"}, {"KeySpec": "AES_256"}
    for operation, call, parameters in (
            ("GenerateDataKey", kms.generate_data_key, single),
            ("GenerateDataKeyWithoutPlaintext", kms.generate_data_key_without_plaintext, single),
            ("GenerateDataKeyPair", kms.generate_data_key_pair, pair),
            ("GenerateDataKeyPairWithoutPlaintext", kms.generate_data_key_pair_without_plaintext, pair)):
        with refused("InvalidKeyUsageException",
                     f"{wrong['Arn']} key usage is {key_usage} which is not valid for {operation}."):
            call(KeyId=wrong["KeyId"], DryRun=True, **parameters)


def test_only_symmetric_keys_protect_data_keys(refused, key_of, generate, generate_pair):
    rsa_key = key_of("RSA_2048", "ENCRYPT_DECRYPT")["KeyId"]
    with refused("InvalidKeyUsageException"):
        generate_pair(rsa_key, DryRun=True)
    with refused("InvalidKeyUsageException"):
        generate(KeyId=rsa_key, KeySpec="AES_256", DryRun=True)


def test_a_dry_run_gives_no_pair(refused, key, generate_pair):
    with refused("DryRunOperationException", DRY_RUN):
        generate_pair(key["KeyId"], DryRun=True)


def test_pairs_and_states(refused, disabled_key, pending_key, generate_pair):
    with refused("DisabledException", f"{disabled_key['Arn']} is disabled."):
        generate_pair(disabled_key["KeyId"])
    with refused("KMSInvalidStateException", f"{pending_key['Arn']} is pending deletion."):
        generate_pair(pending_key["KeyId"])


def test_pairs_and_names(kms, refused, key, generate_pair, alias_name, unknown_key_arn):
    with refused("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        generate_pair(alias_name)
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        generate_pair(unknown_key_arn)
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name, f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        assert generate_pair(name)["KeyId"] == key["Arn"]


def test_pairs_and_grant_tokens(refused, key, generate_pair):
    with refused("InvalidGrantTokenException"):
        generate_pair(key["KeyId"], GrantTokens=["forged"])


def test_another_account_makes_pairs_when_the_key_policy_lets_it(kms, other, refused, key, generate_pair):
    action = f"kms:{generate_pair.name}"
    with refused("AccessDeniedException",
                 f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: {action} on resource: {key['Arn']} "
                 f"because no resource-based policy allows the {action} action"):
        generate_pair(key["Arn"], client=other)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), action)))
    assert generate_pair(key["Arn"], client=other)["KeyId"] == key["Arn"]


def test_a_pair_for_an_enclave_is_never_given_in_the_clear(kms, key):
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"forged"}
    with pytest.raises(kms.exceptions.ClientError):
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256", Recipient=recipient)


def test_pairs_are_recorded_without_the_private_key(server, key, record_of, generate_pair):
    answer = generate_pair(key["KeyId"], EncryptionContext={"a": "b"})
    record = record_of(answer["ResponseMetadata"]["RequestId"])
    assert (record["eventName"], record["readOnly"], record["responseElements"]) == (generate_pair.name, True, None)
    assert record["requestParameters"] == {"keyId": key["KeyId"], "keyPairSpec": "ECC_NIST_P256",
                                           "encryptionContext": {"a": "b"}}
    secrets = [answer["PrivateKeyCiphertextBlob"]]
    if "PrivateKeyPlaintext" in answer:
        private_key = outside.private(answer["PrivateKeyPlaintext"])
        secrets += [answer["PrivateKeyPlaintext"], private_key.private_numbers().private_value.to_bytes(32, "big")]
    journal.assert_absent(server.directory / "journal", *secrets)

"""GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateRandom."""

import pytest

from keystead import ACCOUNT, REGION

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
EITHER = "Please specify either number of bytes or key spec."
SIZES = [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1}, 1),
         ({"NumberOfBytes": 64}, 64), ({"NumberOfBytes": 1024}, 1024)]


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

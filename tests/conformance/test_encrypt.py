"""Encrypt, Decrypt, ReEncrypt."""

import itertools
import os

import pytest

from keystead import ACCOUNT, REGION

CONTEXT = {"purpose": "test", "Ünïcode": "✓", "empty": ""}
DRY_RUN = "The request would have succeeded, but the DryRun option is set."
INCORRECT_KEY = ("The key ID in the request does not identify a CMK that can perform this operation.")


def encrypt(kms, key, plaintext=b"plain", **parameters):
    """The ciphertext of a plaintext."""
    return kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext, **parameters)["CiphertextBlob"]


@pytest.fixture
def calls(kms, key):
    """Each operation of the family as a function of the key that it uses."""
    blob = encrypt(kms, key)

    def decrypt(name):
        return kms.decrypt(CiphertextBlob=blob, KeyId=name)

    def re_encrypt_to(name):
        return kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=name)

    def re_encrypt_from(name):
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        return kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=name, DestinationKeyId=other)

    return [lambda name: kms.encrypt(KeyId=name, Plaintext=b"x"), decrypt, re_encrypt_to,
            re_encrypt_from]


def no_message(caught):
    """The error has a name and nothing else."""
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidCiphertextException"
    assert not error.get("Message")


@pytest.mark.parametrize("size", [1, 16, 31, 32, 33, 1024, 4096])
def test_what_was_encrypted_is_decrypted(kms, key, size):
    plaintext = os.urandom(size)
    answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext)
    assert (answer["KeyId"], answer["EncryptionAlgorithm"]) == (key["Arn"], "SYMMETRIC_DEFAULT")
    assert len(answer["CiphertextBlob"]) - size < 100
    assert plaintext not in answer["CiphertextBlob"] or size == 1
    answer = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    answer.pop("ResponseMetadata")
    assert answer == {"Plaintext": plaintext, "KeyId": key["Arn"],
                      "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                      "KeyMaterialId": key["CurrentKeyMaterialId"]}


def test_each_form_of_the_name_is_taken(kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name,
                 f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        answer = kms.encrypt(KeyId=name, Plaintext=b"x", EncryptionAlgorithm="SYMMETRIC_DEFAULT")
        assert answer["KeyId"] == key["Arn"]
        answer = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"], KeyId=name,
                             EncryptionAlgorithm="SYMMETRIC_DEFAULT")
        assert (answer["KeyId"], answer["Plaintext"]) == (key["Arn"], b"x")


def test_two_ciphertexts_of_one_plaintext_differ(kms, key):
    blobs = {encrypt(kms, key) for _ in range(20)}
    assert len(blobs) == 20


def test_the_context_must_be_the_same(kms, key):
    blob = encrypt(kms, key, EncryptionContext=CONTEXT)
    turned = dict(reversed(list(CONTEXT.items())))
    for context in (CONTEXT, turned):
        assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"plain"
    others = [{}, {**CONTEXT, "more": "x"}, {**CONTEXT, "purpose": "Test"},
              {"purpose": "test", "Ünïcode": "✓"}, {**CONTEXT, "Purpose": "test"},
              {"purpose": "test", "Ünïcode": "✓", "emp": "ty"}]
    for context in others:
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        no_message(caught)


def test_an_empty_context_is_none(kms, key):
    blob = encrypt(kms, key, EncryptionContext={})
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})


def test_every_changed_byte_is_noticed(kms, key):
    blob = encrypt(kms, key)
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 0x01
        with pytest.raises(kms.exceptions.ClientError) as caught:
            kms.decrypt(CiphertextBlob=bytes(changed), KeyId=key["KeyId"])
        # The name of the key stands in the blob: a changed one may look like another key's.
        assert caught.value.response["Error"]["Code"] in (
            "InvalidCiphertextException", "IncorrectKeyException")


def test_every_shortened_blob_is_refused(kms, key):
    blob = encrypt(kms, key)
    for length in itertools.chain(range(1, 8), range(8, len(blob), 7), [len(blob) - 1]):
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=blob[:length])
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob + b"\0")


@pytest.mark.parametrize("blob", [b"x", b"\0" * 200, bytes(range(256)), os.urandom(6144)])
def test_what_is_no_ciphertext_is_refused(kms, key, blob):
    for parameters in ({}, {"KeyId": key["KeyId"]}):
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
            kms.decrypt(CiphertextBlob=blob, **parameters)
        no_message(caught)
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])


def test_another_key_is_the_incorrect_one(kms, refused, key):
    blob = encrypt(kms, key)
    other_key = kms.create_key()["KeyMetadata"]["KeyId"]
    with refused("IncorrectKeyException", INCORRECT_KEY):
        kms.decrypt(CiphertextBlob=blob, KeyId=other_key)
    with refused("IncorrectKeyException", INCORRECT_KEY):
        kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=other_key, DestinationKeyId=key["KeyId"])


def test_a_moved_alias_names_the_incorrect_key(kms, refused, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    blob = kms.encrypt(KeyId=alias_name, Plaintext=b"plain")["CiphertextBlob"]
    kms.update_alias(AliasName=alias_name, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"] == key["Arn"]
    with refused("IncorrectKeyException", INCORRECT_KEY):
        kms.decrypt(CiphertextBlob=blob, KeyId=alias_name)


def test_re_encrypt_changes_key_and_context(kms, key):
    destination = kms.create_key()["KeyMetadata"]
    blob = encrypt(kms, key, EncryptionContext=CONTEXT)
    answer = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT,
                            SourceKeyId=key["KeyId"], DestinationKeyId=destination["Arn"],
                            DestinationEncryptionContext={"new": "context"},
                            SourceEncryptionAlgorithm="SYMMETRIC_DEFAULT",
                            DestinationEncryptionAlgorithm="SYMMETRIC_DEFAULT")
    answer.pop("ResponseMetadata")
    newer = answer.pop("CiphertextBlob")
    assert answer == {
        "SourceKeyId": key["Arn"], "KeyId": destination["Arn"],
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": key["CurrentKeyMaterialId"],
        "DestinationKeyMaterialId": destination["CurrentKeyMaterialId"],
    }
    decrypted = kms.decrypt(CiphertextBlob=newer, EncryptionContext={"new": "context"})
    assert (decrypted["Plaintext"], decrypted["KeyId"]) == (b"plain", destination["Arn"])
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"plain"


def test_re_encrypt_to_the_same_key(kms, key):
    blob = encrypt(kms, key)
    newer = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])["CiphertextBlob"]
    assert newer != blob
    assert kms.decrypt(CiphertextBlob=newer)["Plaintext"] == b"plain"


def test_re_encrypt_wants_the_source_context(kms, key):
    blob = encrypt(kms, key, EncryptionContext=CONTEXT)
    with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])
    no_message(caught)


def test_a_dry_run_ends_before_the_cryptography(kms, refused, key):
    blob = encrypt(kms, key)
    with refused("DryRunOperationException", DRY_RUN):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", DryRun=True)
    with refused("DryRunOperationException", DRY_RUN):
        kms.decrypt(CiphertextBlob=blob, DryRun=True)
    with refused("DryRunOperationException", DRY_RUN):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], DryRun=True)
    assert kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", DryRun=False)["CiphertextBlob"]


def test_a_dry_run_may_ignore_the_ciphertext(kms, refused, key):
    modifiers = ["IGNORE_CIPHERTEXT"]
    with refused("DryRunOperationException", DRY_RUN):
        kms.decrypt(KeyId=key["KeyId"], DryRun=True, DryRunModifiers=modifiers)
    with refused("DryRunOperationException", DRY_RUN):
        kms.re_encrypt(SourceKeyId=key["KeyId"], DestinationKeyId=key["KeyId"], DryRun=True,
                       DryRunModifiers=modifiers)
    with refused("ValidationException"):
        kms.decrypt(DryRun=True, DryRunModifiers=modifiers)
    with refused("ValidationException"):
        kms.re_encrypt(DestinationKeyId=key["KeyId"], DryRun=True, DryRunModifiers=modifiers)


def test_decrypt_wants_a_ciphertext(kms, refused, key):
    with refused("ValidationException"):
        kms.decrypt(KeyId=key["KeyId"])
    with refused("ValidationException"):
        kms.re_encrypt(DestinationKeyId=key["KeyId"])


def test_a_dry_run_tells_what_the_call_would_have_said(kms, refused, disabled_key):
    with refused("DisabledException", f"{disabled_key['Arn']} is disabled."):
        kms.encrypt(KeyId=disabled_key["KeyId"], Plaintext=b"x", DryRun=True)


def test_a_disabled_key_does_nothing(kms, refused, key, calls):
    kms.disable_key(KeyId=key["KeyId"])
    for call in calls:
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            call(key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    for call in calls:
        call(key["KeyId"])


def test_a_key_pending_deletion_does_nothing(kms, refused, key, calls):
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    for call in calls:
        with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
            call(key["KeyId"])
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    for call in calls:
        call(key["KeyId"])


def test_unknown_keys_are_not_found(refused, calls, alias_name, unknown_key_arn):
    for call in calls:
        with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
            call(unknown_key_arn)
        with refused("NotFoundException", "Invalid keyId 'x'"):
            call("x")
        with refused("NotFoundException",
                     f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
            call(alias_name)
        # The model has no InvalidArnException for the operations of this family.
        with refused("NotFoundException"):
            call("arn:aws:s3:::bucket")


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"])
def test_a_symmetric_key_has_one_algorithm(kms, refused, key, algorithm):
    text = f"Algorithm {algorithm} is incompatible with key spec SYMMETRIC_DEFAULT."
    blob = encrypt(kms, key)
    with refused("InvalidKeyUsageException", text):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionAlgorithm=algorithm)
    with refused("InvalidKeyUsageException", text):
        kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    with refused("InvalidKeyUsageException", text):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"],
                       DestinationEncryptionAlgorithm=algorithm)


def test_grant_tokens_must_be_tokens(kms, refused, key):
    blob = encrypt(kms, key)
    with refused("InvalidGrantTokenException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=["forged"])
    with refused("InvalidGrantTokenException"):
        kms.decrypt(CiphertextBlob=blob, GrantTokens=["forged"])
    with refused("InvalidGrantTokenException"):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], GrantTokens=["forged"])


def test_sizes_are_bounded_and_secrets_not_repeated(unchecked, key):
    secret = b"secret" * 700
    for operation, parameters, member in (
            (unchecked.encrypt, {"KeyId": key["KeyId"], "Plaintext": secret}, "plaintext"),
            (unchecked.encrypt, {"KeyId": key["KeyId"], "Plaintext": b""}, "plaintext"),
            (unchecked.decrypt, {"CiphertextBlob": b"x" * 6145}, "ciphertextBlob"),
            (unchecked.decrypt, {"CiphertextBlob": b""}, "ciphertextBlob")):
        with pytest.raises(unchecked.exceptions.ClientError) as caught:
            operation(**parameters)
        error = caught.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert f"at '{member}' failed to satisfy constraint: Member must have length" \
            in error["Message"]
        assert "secret" not in error["Message"] and "c2VjcmV0" not in error["Message"]
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.encrypt(KeyId=key["KeyId"], Plaintext=secret)
    assert caught.value.response["Error"]["Message"] == (
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096")


@pytest.mark.parametrize("parameters", [
    {"GrantTokens": ["x"] * 11}, {"GrantTokens": [""]}, {"GrantTokens": ["x" * 8193]},
    {"EncryptionAlgorithm": "ROT13"}, {"KeyId": "x" * 2049}, {"KeyId": ""},
])
def test_constraints(unchecked, refused, key, parameters):
    with refused("ValidationException"):
        unchecked.encrypt(**{"KeyId": key["KeyId"], "Plaintext": b"x", **parameters})


def test_an_answer_for_an_enclave_is_never_given_in_the_clear(kms, key):
    blob = encrypt(kms, key)
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"forged"}
    with pytest.raises(kms.exceptions.ClientError):
        kms.decrypt(CiphertextBlob=blob, Recipient=recipient)


def test_members_must_be_there(unchecked, refused, key):
    text = ("1 validation error detected: Value null at '{}' failed to satisfy constraint: "
            "Member must not be null")
    with refused("ValidationException", text.format("plaintext")):
        unchecked.encrypt(KeyId=key["KeyId"])
    with refused("ValidationException", text.format("keyId")):
        unchecked.encrypt(Plaintext=b"x")
    with refused("ValidationException", text.format("destinationKeyId")):
        unchecked.re_encrypt(CiphertextBlob=b"x")

"""DeriveSharedSecret, Encapsulate, Decapsulate."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import journal
import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
AGREEMENT, ENCAPSULATION = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"
SECRET_BYTES = {"ECC_NIST_P256": 32, "ECC_NIST_P384": 48, "ECC_NIST_P521": 66}
CIPHERTEXT_BYTES = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}
PEER = outside.generate("ECC_NIST_P256")
ECDH = {"KeyAgreementAlgorithm": "ECDH"}
ML_KEM = {"EncapsulationAlgorithm": "ML_KEM"}
# Each operation: its name, a key that it is for, and the members that are right for that key.
OPERATIONS = {
    "derive_shared_secret": ("DeriveSharedSecret", ("ECC_NIST_P256", AGREEMENT),
                             {"PublicKey": outside.spki(PEER.public_key()), **ECDH}),
    "encapsulate": ("Encapsulate", ("ML_KEM_512", ENCAPSULATION), ML_KEM),
    "decapsulate": ("Decapsulate", ("ML_KEM_512", ENCAPSULATION),
                    {"SharedSecretCiphertextBlob": b"x" * 768, **ML_KEM}),
}


class Operation:
    """One operation with a key for it, and its members right for that key unless told otherwise."""

    def __init__(self, client, method):
        self.method = method
        self.client = client
        self.name, self.kind, self.members = OPERATIONS[method]

    def __call__(self, key_id, client=None, **more):
        return getattr(client or self.client, self.method)(KeyId=key_id, **{**self.members, **more})


@pytest.fixture(params=OPERATIONS)
def operation(request, kms):
    """Each of the three operations."""
    return Operation(kms, request.param)


@pytest.fixture
def derive(kms, key_of):
    """`derive(public_key_der, key_spec)`: the shared secret of a key of the spec and that public key."""
    def call(public_key_der, key_spec="ECC_NIST_P256"):
        return kms.derive_shared_secret(KeyId=key_of(key_spec, AGREEMENT)["KeyId"], PublicKey=public_key_der,
                                        **ECDH)["SharedSecret"]
    return call


@pytest.fixture
def no_such_peer(kms, derive):
    """`no_such_peer(public_key_der, key_spec)`: the public key is refused, without a word on why."""
    def call(public_key_der, key_spec="ECC_NIST_P256"):
        with pytest.raises(kms.exceptions.ClientError) as caught:
            derive(public_key_der, key_spec)
        error = caught.value.response["Error"]
        assert (error["Code"], error.get("Message") or None) == ("ValidationException", None)
    return call


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_both_sides_derive_the_same_secret(kms, key_of, key_spec):
    key, peer = key_of(key_spec, AGREEMENT), outside.generate(key_spec)
    answer = kms.derive_shared_secret(KeyId=key["KeyId"], PublicKey=outside.spki(peer.public_key()), **ECDH)
    answer.pop("ResponseMetadata")
    secret = answer.pop("SharedSecret")
    assert answer == {"KeyId": key["Arn"], "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"}
    assert len(secret) == SECRET_BYTES[key_spec]
    public_key = outside.public(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    assert secret == peer.exchange(ec.ECDH(), public_key)


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_an_imported_key_derives_what_its_private_key_does(kms, key_from_outside, key_spec):
    key, private_key = key_from_outside(key_spec, AGREEMENT)
    peer = outside.generate(key_spec)
    answer = kms.derive_shared_secret(KeyId=key["KeyId"], PublicKey=outside.spki(peer.public_key()), **ECDH)
    assert answer["SharedSecret"] == private_key.exchange(ec.ECDH(), peer.public_key())
    assert answer["KeyOrigin"] == "EXTERNAL"


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_openssl_derives_the_same_secret(kms, key_of, tmp_path, key_spec):
    key, peer = key_of(key_spec, AGREEMENT), outside.generate(key_spec)
    (tmp_path / "private").write_bytes(outside.pkcs8(peer))
    (tmp_path / "public").write_bytes(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    secret = outside.openssl(tmp_path, "pkeyutl", "-derive", "-keyform", "DER", "-inkey", "private",
                             "-peerform", "DER", "-peerkey", "public")
    answer = kms.derive_shared_secret(KeyId=key["KeyId"], PublicKey=outside.spki(peer.public_key()), **ECDH)
    assert answer["SharedSecret"] == secret


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_two_keys_of_ours_agree(kms, key_of, key_spec):
    one = key_of(key_spec, AGREEMENT)
    two = kms.create_key(KeySpec=key_spec, KeyUsage=AGREEMENT)["KeyMetadata"]
    secrets = {kms.derive_shared_secret(
        KeyId=key["KeyId"], PublicKey=kms.get_public_key(KeyId=peer["KeyId"])["PublicKey"], **ECDH)["SharedSecret"]
        for key, peer in ((one, two), (two, one))}
    assert len(secrets) == 1


def test_a_secret_that_begins_with_zeros_is_as_long_as_the_others(kms, key_from_outside):
    key, private_key = key_from_outside("ECC_NIST_P256", AGREEMENT)
    # One in 256 begins so; that none of these does has a chance of 10 to the power of minus 17.
    peers = (outside.generate("ECC_NIST_P256").public_key() for _ in range(10_000))
    peer = next(peer for peer in peers if private_key.exchange(ec.ECDH(), peer)[0] == 0)
    answer = kms.derive_shared_secret(KeyId=key["KeyId"], PublicKey=outside.spki(peer), **ECDH)
    assert answer["SharedSecret"] == private_key.exchange(ec.ECDH(), peer)
    assert len(answer["SharedSecret"]) == 32


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_the_peer_is_on_the_same_curve(no_such_peer, key_spec):
    for other in set(outside.CURVES) - {key_spec}:
        no_such_peer(outside.spki(outside.generate(other).public_key()), key_spec)


@pytest.mark.parametrize("key_spec", ["RSA_2048", outside.ED25519, "ML_DSA_44", "ML_KEM_768"])
def test_the_peer_has_a_curve(no_such_peer, key_spec):
    no_such_peer(outside.spki(outside.generate(key_spec).public_key()))


@pytest.mark.parametrize("key_spec", outside.NIST_CURVES)
def test_the_peers_point_is_on_the_curve(no_such_peer, key_spec):
    der = outside.spki(outside.generate(key_spec).public_key())
    point_bytes = 2 * SECRET_BYTES[key_spec]
    head, point = der[:-point_bytes], der[-point_bytes:]
    moved = bytearray(point)
    moved[-1] ^= 0x01
    for off in (bytes(moved), bytes(point_bytes), b"\xff" * point_bytes, point[::-1]):
        no_such_peer(head + off, key_spec)


def test_the_peers_key_is_whole(no_such_peer):
    der = outside.spki(PEER.public_key())
    point = PEER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    infinity = bytes.fromhex("3019301306072a8648ce3d020106082a8648ce3d03010703020000")
    for odd in (b"\0", der[:-1], der[1:], der + b"\0", point, infinity, outside.pkcs8(PEER), b"\x30" * 8192,
                b"-----BEGIN PUBLIC KEY-----"):
        no_such_peer(odd)


@pytest.mark.parametrize("key_spec", ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"])
def test_a_secret_is_encapsulated_and_decapsulated(kms, key_of, key_spec):
    key = key_of(key_spec, ENCAPSULATION)
    answer = kms.encapsulate(KeyId=key["KeyId"], **ML_KEM)
    answer.pop("ResponseMetadata")
    secret, blob = answer.pop("SharedSecret"), answer.pop("SharedSecretCiphertextBlob")
    assert answer == {"KeyId": key["Arn"], "EncapsulationAlgorithm": "ML_KEM"}
    assert (len(secret), len(blob)) == (32, CIPHERTEXT_BYTES[key_spec])
    answer = kms.decapsulate(KeyId=key["KeyId"], SharedSecretCiphertextBlob=blob, **ML_KEM)
    answer.pop("ResponseMetadata")
    assert answer == {"KeyId": key["Arn"], "SharedSecret": secret, "EncapsulationAlgorithm": "ML_KEM"}
    assert kms.encapsulate(KeyId=key["KeyId"], **ML_KEM)["SharedSecret"] != secret


@pytest.mark.parametrize("key_spec", outside.ML_KEM)
def test_what_is_encapsulated_outside_is_decapsulated_here(kms, key_of, key_spec):
    key = key_of(key_spec, ENCAPSULATION)
    public_key = outside.public(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    secret, blob = public_key.encapsulate()
    answer = kms.decapsulate(KeyId=key["KeyId"], SharedSecretCiphertextBlob=blob, **ML_KEM)
    assert answer["SharedSecret"] == secret


@pytest.mark.parametrize("key_spec", outside.ML_KEM)
def test_what_is_encapsulated_here_is_decapsulated_outside(kms, key_from_outside, key_spec):
    key, private_key = key_from_outside(key_spec, ENCAPSULATION)
    answer = kms.encapsulate(KeyId=key["KeyId"], **ML_KEM)
    assert private_key.decapsulate(answer["SharedSecretCiphertextBlob"]) == answer["SharedSecret"]


@pytest.mark.parametrize("key_spec", outside.ML_KEM)
def test_an_altered_ciphertext_is_rejected_implicitly(kms, key_from_outside, key_spec):
    """It gives a secret like any other, the one of FIPS 203, algorithm 18, that nobody else can know."""
    key, private_key = key_from_outside(key_spec, ENCAPSULATION)
    answer = kms.encapsulate(KeyId=key["KeyId"], **ML_KEM)
    blob = answer["SharedSecretCiphertextBlob"]
    for place in (0, len(blob) // 2, len(blob) - 1):
        altered = bytearray(blob)
        altered[place] ^= 0x01
        rejected = kms.decapsulate(KeyId=key["KeyId"], SharedSecretCiphertextBlob=bytes(altered), **ML_KEM)
        assert rejected["SharedSecret"] == private_key.decapsulate(bytes(altered))
        assert rejected["SharedSecret"] != answer["SharedSecret"]


@pytest.mark.parametrize("key_spec", CIPHERTEXT_BYTES)
def test_a_ciphertext_of_another_key_is_rejected_implicitly(kms, key_of, key_spec):
    other = kms.create_key(KeySpec=key_spec, KeyUsage=ENCAPSULATION)["KeyMetadata"]
    made = kms.encapsulate(KeyId=other["KeyId"], **ML_KEM)
    answer = kms.decapsulate(KeyId=key_of(key_spec, ENCAPSULATION)["KeyId"], **ML_KEM,
                             SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"])
    assert len(answer["SharedSecret"]) == 32
    assert answer["SharedSecret"] != made["SharedSecret"]


@pytest.mark.parametrize("key_spec", CIPHERTEXT_BYTES)
def test_a_ciphertext_has_the_length_of_its_spec(kms, key_of, key_spec):
    key_id, right = key_of(key_spec, ENCAPSULATION)["KeyId"], CIPHERTEXT_BYTES[key_spec]
    for size in {1, 32, 768, 1088, 1568, 6144, right - 1, right + 1} - {right}:
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
            kms.decapsulate(KeyId=key_id, SharedSecretCiphertextBlob=os.urandom(size), **ML_KEM)
        assert not caught.value.response["Error"].get("Message")


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("ECC_NIST_P256", "SIGN_VERIFY"), ("ECC_NIST_P256", AGREEMENT), ("ML_KEM_512", ENCAPSULATION)])
def test_only_keys_of_the_usage(kms, refused, key_of, key_spec, key_usage):
    key = key_of(key_spec, key_usage)
    for operation in (Operation(kms, method) for method in OPERATIONS):
        if operation.kind[1] == key_usage:
            with refused("DryRunOperationException", DRY_RUN):
                operation(key["KeyId"], DryRun=True)
            continue
        with refused("InvalidKeyUsageException",
                     f"{key['Arn']} key usage is {key_usage} which is not valid for {operation.name}."):
            operation(key["KeyId"], DryRun=True)


def test_keys_in_other_states(kms, refused, operation):
    key_spec, key_usage = operation.kind
    key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage)["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        operation(key["KeyId"], DryRun=True)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        operation(key["KeyId"])


def test_a_key_without_material(kms, refused, operation):
    key_spec, key_usage = operation.kind
    key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage, Origin="EXTERNAL")["KeyMetadata"]
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        operation(key["KeyId"])


def test_a_dry_run_ends_before_the_cryptography(refused, key_of, operation):
    with refused("DryRunOperationException", DRY_RUN):
        operation(key_of(*operation.kind)["KeyId"], DryRun=True)


def test_members_are_bounded(unchecked, refused, key_of):
    text = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must have length {}"
    for method, member, size, bound in (
            ("derive_shared_secret", "PublicKey", 0, "greater than or equal to 1"),
            ("derive_shared_secret", "PublicKey", 8193, "less than or equal to 8192"),
            ("decapsulate", "SharedSecretCiphertextBlob", 0, "greater than or equal to 1"),
            ("decapsulate", "SharedSecretCiphertextBlob", 6145, "less than or equal to 6144")):
        operation = Operation(unchecked, method)
        with refused("ValidationException", text.format(member[0].lower() + member[1:], bound)):
            operation(key_of(*operation.kind)["KeyId"], **{member: b"x" * size})
    with refused("ValidationException"):
        operation = Operation(unchecked, "derive_shared_secret")
        operation(key_of(*operation.kind)["KeyId"], KeyAgreementAlgorithm="ECMQV")
    with refused("ValidationException"):
        operation = Operation(unchecked, "encapsulate")
        operation(key_of(*operation.kind)["KeyId"], EncapsulationAlgorithm="RSA_KEM")


def test_each_form_of_the_name_is_taken(kms, key_of, operation, alias_name):
    key = key_of(*operation.kind)
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name, f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        assert operation(name)["KeyId"] == key["Arn"]


def test_unknown_keys_are_not_found(refused, operation, unknown_key_arn, alias_name):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        operation(unknown_key_arn)
    with refused("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        operation(alias_name)


def test_grant_tokens_must_be_tokens(refused, key_of, operation):
    with refused("InvalidGrantTokenException"):
        operation(key_of(*operation.kind)["KeyId"], GrantTokens=["forged"])


def test_another_account_agrees_when_the_key_policy_lets_it(kms, other, refused, operation):
    key_spec, key_usage = operation.kind
    key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage)["KeyMetadata"]
    action = f"kms:{operation.name}"
    with refused("AccessDeniedException",
                 f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: {action} on resource: {key['Arn']} "
                 f"because no resource-based policy allows the {action} action"):
        operation(key["Arn"], client=other)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), action)))
    assert operation(key["Arn"], client=other)["KeyId"] == key["Arn"]


def test_an_answer_for_an_enclave_is_never_given_in_the_clear(kms, key_of):
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"forged"}
    operation = Operation(kms, "derive_shared_secret")
    with pytest.raises(kms.exceptions.ClientError):
        operation(key_of(*operation.kind)["KeyId"], Recipient=recipient)


def test_calls_are_recorded_without_the_secret(server, key_of, record_of, operation):
    key = key_of(*operation.kind)
    answer = operation(key["KeyId"])
    record = record_of(answer["ResponseMetadata"]["RequestId"])
    assert (record["eventName"], record["readOnly"], record["responseElements"]) == (operation.name, True, None)
    algorithms = {name[0].lower() + name[1:]: value for name, value in operation.members.items() if "Algorithm" in name}
    assert record["requestParameters"] == {"keyId": key["KeyId"], **algorithms}
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    journal.assert_absent(server.directory / "journal", answer["SharedSecret"])

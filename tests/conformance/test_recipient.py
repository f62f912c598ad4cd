"""`Recipient`: the answers of five operations for an attested enclave alone.

The documents are signed under a root of the tests' own; the answers are opened by OpenSSL.
"""

import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import journal
from conftest import UNCHECKED, client_of, policy, root_of, statement
from importing import public_key_der
from keystead import ACCOUNT, STOP_SECONDS_MAX, Server, binary, run

ROOT = root_of(ACCOUNT)
ALGORITHM = "RSAES_OAEP_SHA_256"
MODULE_ID = "i-0fedcba9876543210-enc0fedcba987654321"
IMAGE = "ab" * 48
OTHER_IMAGE = "cd" * 48
MINUTE = 60
CONTEXT = {"purpose": "test"}
# What the administrator of a key may do whom its policy gives no plaintext.
MANAGEMENT = ["kms:DescribeKey", "kms:PutKeyPolicy", "kms:Encrypt"]


class Enclave:
    """Who makes documents under a root, and holds the private key that answers are sealed for."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.document()

    def path(self, name):
        """A file of the enclave's."""
        return self.directory / name

    @property
    def root(self):
        """The certificate that the server is to trust."""
        return self.path("root.pem")

    def document(self, *settings):
        """A fresh document that says so."""
        names = ["root.pem", "root-key.pem", "recipient-key.pem", "document"]
        subprocess.run([binary("KEYSTEAD_ATTESTATION_DOCUMENT"), *map(self.path, names), *settings],
                       check=True, timeout=STOP_SECONDS_MAX)
        return self.path("document").read_bytes()

    def recipient(self, *settings):
        """The `Recipient` member with such a document."""
        return {"KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": self.document(*settings)}

    def open(self, sealed):
        """OpenSSL's attempt to open an answer with the private key and nothing else."""
        self.path("sealed").write_bytes(sealed)
        return subprocess.run(
            ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", self.path("sealed"),
             "-inkey", self.path("recipient-key.pem")],
            capture_output=True, check=False, timeout=STOP_SECONDS_MAX)

    def opened(self, sealed):
        """What an answer holds."""
        done = self.open(sealed)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def enclave(tmp_path_factory):
    """An enclave under the root that the server trusts."""
    return Enclave(tmp_path_factory.mktemp("attestation") / "enclave")


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, enclave):
    """A server that trusts the root of the tests."""
    running = Server(tmp_path_factory.mktemp("keystead") / "data", "--attestation-roots", enclave.root)
    yield running
    running.check()
    assert running.stop() == 0, running.output()


@pytest.fixture(scope="module")
def kms(trusting):
    """The root user of that server's account."""
    return client_of(trusting, trusting.root_credentials())


@pytest.fixture(scope="module")
def unchecked(trusting):
    """The same, through an SDK that checks no parameters before it sends them."""
    return client_of(trusting, trusting.root_credentials(), config=UNCHECKED)


def test_decrypt(kms, key, enclave):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"plain",
                       EncryptionContext=CONTEXT)["CiphertextBlob"]
    answer = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, Recipient=enclave.recipient())
    answer.pop("ResponseMetadata")
    assert enclave.opened(answer.pop("CiphertextForRecipient")) == b"plain"
    # Neither the plaintext nor the id of the material.
    assert answer == {"KeyId": key["Arn"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"plain"


def test_decrypt_with_rsa(kms, enclave):
    key_id = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    algorithm = {"KeyId": key_id, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(Plaintext=b"plain", **algorithm)["CiphertextBlob"]
    answer = kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(), **algorithm)
    assert "Plaintext" not in answer
    assert enclave.opened(answer["CiphertextForRecipient"]) == b"plain"


@pytest.mark.parametrize("size", [{"KeySpec": "AES_256"}, {"KeySpec": "AES_128"},
                                  {"NumberOfBytes": 1}, {"NumberOfBytes": 1024}])
def test_generate_data_key(kms, key, enclave, size):
    answer = kms.generate_data_key(KeyId=key["KeyId"], Recipient=enclave.recipient(), **size)
    answer.pop("ResponseMetadata")
    data_key = kms.decrypt(CiphertextBlob=answer.pop("CiphertextBlob"))["Plaintext"]
    assert enclave.opened(answer.pop("CiphertextForRecipient")) == data_key
    assert answer == {"KeyId": key["Arn"]}


@pytest.mark.parametrize("pair_spec", ["RSA_2048", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_generate_data_key_pair(kms, key, enclave, pair_spec):
    answer = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=pair_spec,
                                        Recipient=enclave.recipient())
    answer.pop("ResponseMetadata")
    private_key = enclave.opened(answer.pop("CiphertextForRecipient"))
    loaded = serialization.load_der_private_key(private_key, None)
    assert public_key_der(loaded) == answer.pop("PublicKey")
    encrypted = answer.pop("PrivateKeyCiphertextBlob")
    assert kms.decrypt(CiphertextBlob=encrypted)["Plaintext"] == private_key
    # The API reference has the id of the material left out for data keys, and not for pairs.
    assert answer == {"KeyId": key["Arn"], "KeyPairSpec": pair_spec,
                      "KeyMaterialId": key["CurrentKeyMaterialId"]}


@pytest.mark.parametrize("length", [1, 15, 16, 17, 1024])
def test_generate_random(kms, enclave, length):
    answers = [kms.generate_random(NumberOfBytes=length, Recipient=enclave.recipient())
               for _ in range(2)]
    assert all("Plaintext" not in answer for answer in answers)
    opened = [enclave.opened(answer["CiphertextForRecipient"]) for answer in answers]
    assert [len(one) for one in opened] == [length, length]
    assert length == 1 or opened[0] != opened[1]


def test_derive_shared_secret(kms, enclave):
    key = kms.create_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
    ours = ec.generate_private_key(ec.SECP384R1())
    answer = kms.derive_shared_secret(KeyId=key["KeyId"], KeyAgreementAlgorithm="ECDH",
                                      PublicKey=public_key_der(ours), Recipient=enclave.recipient())
    answer.pop("ResponseMetadata")
    theirs = serialization.load_der_public_key(kms.get_public_key(KeyId=key["KeyId"])["PublicKey"])
    secret = enclave.opened(answer.pop("CiphertextForRecipient"))
    assert secret == ours.exchange(ec.ECDH(), theirs)
    assert answer == {"KeyId": key["Arn"], "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": "AWS_KMS"}


def test_the_answer_is_enveloped_data_as_documented(kms, enclave):
    answer = kms.generate_random(NumberOfBytes=32, Recipient=enclave.recipient())
    enclave.path("sealed").write_bytes(answer["CiphertextForRecipient"])
    shown = subprocess.run(
        ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER",
         "-in", enclave.path("sealed")], capture_output=True, text=True, check=True).stdout
    assert "pkcs7-envelopedData" in shown
    assert "rsaesOaep" in shown and "sha256" in shown
    assert "aes-256-cbc" in shown


def test_only_the_enclave_opens_its_answers(kms, enclave, tmp_path):
    other = Enclave(tmp_path / "other")
    answer = kms.generate_random(NumberOfBytes=32, Recipient=enclave.recipient())
    plain = enclave.opened(answer["CiphertextForRecipient"])
    # OpenSSL gives a wrong key noise or an error, lest it tell which.
    assert other.open(answer["CiphertextForRecipient"]).stdout != plain


def calls(kms, key, enclave, *settings):
    """Each of the operations with a document."""
    recipient = enclave.recipient(*settings)
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    agreement = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
    public_key = public_key_der(ec.generate_private_key(ec.SECP256R1()))
    return [
        lambda: kms.decrypt(CiphertextBlob=blob, Recipient=recipient),
        lambda: kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=recipient),
        lambda: kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256",
                                           Recipient=recipient),
        lambda: kms.generate_random(NumberOfBytes=8, Recipient=recipient),
        lambda: kms.derive_shared_secret(KeyId=agreement["KeyId"], KeyAgreementAlgorithm="ECDH",
                                         PublicKey=public_key, Recipient=recipient)]


# Documents that are not believed


@pytest.mark.parametrize("age_seconds", [6 * MINUTE, 4 * 60 * MINUTE, -6 * MINUTE])
def test_a_document_is_of_now(kms, refused, key, enclave, age_seconds):
    for call in calls(kms, key, enclave, f"AGE_SECONDS={age_seconds}"):
        with refused("ValidationException"):
            call()


@pytest.mark.parametrize("age_seconds", [4 * MINUTE, -4 * MINUTE])
def test_clocks_may_differ_a_little(kms, key, enclave, age_seconds):
    for call in calls(kms, key, enclave, f"AGE_SECONDS={age_seconds}"):
        assert "CiphertextForRecipient" in call()


def test_a_document_of_another_root_is_refused(kms, refused, key, tmp_path):
    for call in calls(kms, key, Enclave(tmp_path / "foreign")):
        with refused("ValidationException"):
            call()


def test_aws_root_is_the_one_trusted_unless_another_is_named(own_server, refused, enclave):
    kms = client_of(own_server, own_server.root_credentials())
    with refused("ValidationException"):
        kms.generate_random(NumberOfBytes=8, Recipient=enclave.recipient())


def test_every_changed_byte_is_noticed(kms, refused, key, enclave):
    document = enclave.document()
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"plain")["CiphertextBlob"]
    for place in [*range(0, len(document), 61), len(document) - 1]:
        changed = bytearray(document)
        changed[place] ^= 0x01
        with refused("ValidationException"):
            kms.decrypt(CiphertextBlob=blob, Recipient={
                "KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": bytes(changed)})


def test_another_key_in_the_document_is_noticed(kms, refused, enclave, tmp_path):
    """The one thing that an attacker wants: the answer sealed for a key of theirs."""
    attacker = Enclave(tmp_path / "attacker")
    theirs, ours = (serialization.load_pem_private_key(one.path("recipient-key.pem").read_bytes(), None)
                    for one in (attacker, enclave))
    document = enclave.document()
    forged = document.replace(public_key_der(ours), public_key_der(theirs))
    assert forged != document and len(forged) == len(document)
    with refused("ValidationException"):
        kms.generate_random(NumberOfBytes=8, Recipient={
            "KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": forged})


@pytest.mark.parametrize("document", [b"x", b"\xd2\x84", b"\0" * 5000, b"\x9f" * 4096, b"x" * 150_000])
def test_what_is_no_document_is_refused(kms, refused, document):
    with refused("ValidationException"):
        kms.generate_random(NumberOfBytes=8, Recipient={
            "KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": document})


@pytest.mark.parametrize("change", [
    {"KeyEncryptionAlgorithm": None}, {"AttestationDocument": None}, {"AttestationDocument": b""},
    {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, {"KeyEncryptionAlgorithm": ""}])
def test_both_members_are_wanted(unchecked, refused, enclave, change):
    recipient = {**enclave.recipient(), **change}
    recipient = {name: value for name, value in recipient.items() if value is not None}
    with refused("ValidationException"):
        unchecked.generate_random(NumberOfBytes=8, Recipient=recipient)


def test_a_dry_run_answers_nothing(kms, refused, key, enclave):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("DryRunOperationException"):
        kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(), DryRun=True)


# Policies


def guarded(kms, measurement, value, operator="StringEqualsIgnoreCase"):
    """A key whose plaintexts are for enclaves with that measurement alone, and a ciphertext of it."""
    text = policy(
        statement(ROOT, MANAGEMENT),
        statement(ROOT, ["kms:Decrypt", "kms:GenerateDataKey"], Condition={
            operator: {f"kms:RecipientAttestation:{measurement}": value}}))
    key_id = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    return key_id, kms.encrypt(KeyId=key_id, Plaintext=b"plain")["CiphertextBlob"]


@pytest.mark.parametrize(("measurement", "setting"), [
    ("ImageSha384", "PCR0"), ("PCR0", "PCR0"), ("PCR1", "PCR1"), ("PCR8", "PCR8"), ("PCR31", "PCR31"),
    ("NitroTPMPCR4", "NitroTPMPCR4"), ("NitroTPMPCR12", "NitroTPMPCR12")])
def test_a_policy_may_ask_for_a_measurement(kms, refused, enclave, measurement, setting):
    key_id, blob = guarded(kms, measurement, IMAGE)
    right, wrong = (enclave.recipient(f"{setting}={value}") for value in (IMAGE, OTHER_IMAGE))
    answer = kms.decrypt(CiphertextBlob=blob, Recipient=right)
    assert enclave.opened(answer["CiphertextForRecipient"]) == b"plain"
    assert "CiphertextForRecipient" in kms.generate_data_key(KeyId=key_id, KeySpec="AES_256",
                                                             Recipient=right)
    for more in ({"Recipient": wrong}, {}):
        with refused("AccessDeniedException"):
            kms.decrypt(CiphertextBlob=blob, **more)
        with refused("AccessDeniedException"):
            kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", **more)


def test_a_measurement_elsewhere_is_no_measurement(kms, refused, enclave):
    _, blob = guarded(kms, "PCR4", IMAGE)
    for setting in ("PCR3", "PCR14", "NitroTPMPCR4"):
        with refused("AccessDeniedException"):
            kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(f"{setting}={IMAGE}"))
    _, blob = guarded(kms, "NitroTPMPCR4", IMAGE)
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(f"PCR4={IMAGE}"))


def test_measurements_are_lower_case(kms, refused, enclave):
    for value, operator, is_allowed in ((IMAGE.upper(), "StringEqualsIgnoreCase", True),
                                        (IMAGE.upper(), "StringEquals", False),
                                        (IMAGE, "StringEquals", True)):
        _, blob = guarded(kms, "ImageSha384", value, operator)
        recipient = enclave.recipient(f"PCR0={IMAGE}")
        if is_allowed:
            assert "CiphertextForRecipient" in kms.decrypt(CiphertextBlob=blob, Recipient=recipient)
        else:
            with refused("AccessDeniedException"):
                kms.decrypt(CiphertextBlob=blob, Recipient=recipient)


def test_a_policy_may_refuse_whoever_is_not_attested(kms, refused, enclave):
    text = policy(statement(ROOT), statement(ROOT, ["kms:Decrypt"], effect="Deny", Condition={
        "StringNotEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": IMAGE}}))
    key_id = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"plain")["CiphertextBlob"]
    for more in ({}, {"Recipient": enclave.recipient(f"PCR0={OTHER_IMAGE}")}):
        with refused("AccessDeniedException"):
            kms.decrypt(CiphertextBlob=blob, **more)
    recipient = enclave.recipient(f"PCR0={IMAGE}")
    assert "CiphertextForRecipient" in kms.decrypt(CiphertextBlob=blob, Recipient=recipient)


def test_a_forged_measurement_is_refused_before_any_policy(kms, refused, enclave):
    _, blob = guarded(kms, "ImageSha384", IMAGE)
    document = enclave.document(f"PCR0={OTHER_IMAGE}")
    forged = document.replace(bytes.fromhex(OTHER_IMAGE), bytes.fromhex(IMAGE))
    assert forged != document
    with refused("ValidationException"):
        kms.decrypt(CiphertextBlob=blob, Recipient={
            "KeyEncryptionAlgorithm": ALGORITHM, "AttestationDocument": forged})


# Records and settings


def record_of(server, answer):
    """The record of a call."""
    [found] = [record for record in journal.records(server.directory / "journal")
               if record.get("requestID") == answer["ResponseMetadata"]["RequestId"]]
    return found


def test_the_record_tells_the_enclave(trusting, kms, enclave):
    answer = kms.generate_random(NumberOfBytes=8, Recipient=enclave.recipient(
        f"PCR0={IMAGE}", f"MODULE_ID={MODULE_ID}"))
    record = record_of(trusting, answer)
    assert record["additionalEventData"] == {"recipient": {
        "attestationDocumentModuleId": MODULE_ID, "attestationDocumentEnclaveImageDigest": IMAGE}}
    assert enclave.path("document").read_bytes().hex() not in str(record)
    assert record["requestParameters"] == {"numberOfBytes": 8}


def test_the_record_tells_the_enclave_and_the_material(trusting, kms, key, enclave):
    answer = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=enclave.recipient(
        f"PCR0={IMAGE}", f"MODULE_ID={MODULE_ID}"))
    record = record_of(trusting, answer)
    assert record["additionalEventData"] == {"keyMaterialId": key["CurrentKeyMaterialId"], "recipient": {
        "attestationDocumentModuleId": MODULE_ID, "attestationDocumentEnclaveImageDigest": IMAGE}}
    assert record["requestParameters"] == {"keyId": key["KeyId"], "keySpec": "AES_256"}


def test_the_record_of_a_denial_tells_the_enclave_too(trusting, kms, enclave):
    _, blob = guarded(kms, "ImageSha384", IMAGE)
    with pytest.raises(kms.exceptions.ClientError) as caught:
        kms.decrypt(CiphertextBlob=blob, Recipient=enclave.recipient(
            f"PCR0={OTHER_IMAGE}", f"MODULE_ID={MODULE_ID}"))
    record = record_of(trusting, caught.value.response)
    assert record["errorCode"] == "AccessDenied"
    assert record["additionalEventData"]["recipient"]["attestationDocumentModuleId"] == MODULE_ID
    assert record["additionalEventData"]["recipient"][
        "attestationDocumentEnclaveImageDigest"] == OTHER_IMAGE


def test_no_enclave_is_told_where_there_is_none(trusting, kms, key):
    answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    assert set(record_of(trusting, answer)["additionalEventData"]) == {"keyMaterialId"}


def test_roots_must_be_certificates(tmp_path, enclave):
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    for path in (garbage, tmp_path / "missing.pem", enclave.path("root-key.pem")):
        done = run("serve", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0",
                   "--admin-listen", "127.0.0.1:0", "--attestation-roots", path)
        assert done.returncode != 0
        assert path.name in done.stderr

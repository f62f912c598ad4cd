"""GetKeyLastUsage."""

from datetime import datetime, timedelta, timezone

import pytest
from botocore import xform_name
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import journal
from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from timed import DAY, eventually

REPLICA = "eu-west-1"
DRY_RUN = "DryRunOperationException"
ENCRYPTION = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
RSA = {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}
SIGNING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
MAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
AGREEMENT = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}
ENCAPSULATION = {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}
ECDSA = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
HMAC = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
ML_KEM = {"EncapsulationAlgorithm": "ML_KEM"}
OAEP = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}


def another_public_key():
    """The public key of somebody else on the curve."""
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


# Every operation that counts: the key that it takes, what comes before it, and its parameters, which may use the
# answer of what came before.
COUNTED = [
    ("Encrypt", ENCRYPTION, None, {"Plaintext": b"x"}),
    ("Encrypt", RSA, None, {"Plaintext": b"x", **OAEP}),
    ("Decrypt", ENCRYPTION, ("Encrypt", {"Plaintext": b"x"}),
     lambda former: {"CiphertextBlob": former["CiphertextBlob"]}),
    ("Decrypt", RSA, ("Encrypt", {"Plaintext": b"x", **OAEP}),
     lambda former: {"CiphertextBlob": former["CiphertextBlob"], **OAEP}),
    ("GenerateDataKey", ENCRYPTION, None, {"KeySpec": "AES_256"}),
    ("GenerateDataKeyWithoutPlaintext", ENCRYPTION, None, {"KeySpec": "AES_256"}),
    ("GenerateDataKeyPair", ENCRYPTION, None, {"KeyPairSpec": "ECC_NIST_P256"}),
    ("GenerateDataKeyPairWithoutPlaintext", ENCRYPTION, None, {"KeyPairSpec": "ECC_NIST_P256"}),
    ("Sign", SIGNING, None, ECDSA),
    ("Verify", SIGNING, ("Sign", ECDSA),
     lambda former: {"Signature": former["Signature"], **ECDSA}),
    ("GenerateMac", MAC, None, HMAC),
    ("VerifyMac", MAC, ("GenerateMac", HMAC), lambda former: {"Mac": former["Mac"], **HMAC}),
    ("DeriveSharedSecret", AGREEMENT, None,
     lambda _: {"KeyAgreementAlgorithm": "ECDH", "PublicKey": another_public_key()}),
    ("Encapsulate", ENCAPSULATION, None, ML_KEM),
    ("Decapsulate", ENCAPSULATION, ("Encapsulate", ML_KEM),
     lambda former: {"SharedSecretCiphertextBlob": former["SharedSecretCiphertextBlob"], **ML_KEM}),
]


def call(kms, operation, **parameters):
    """An operation by its name in the model."""
    return getattr(kms, xform_name(operation))(**parameters)


def last_usage(kms, key):
    """The last usage that is told of a key."""
    return kms.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]


def record_of(server, request_id):
    """The record of a call in the caller's account."""
    [found] = [record for record in journal.records(server.directory / "journal")
               if record.get("requestID") == request_id
               and record["userIdentity"]["type"] != "AWSAccount"]
    return found


def is_told(server, kms, key, operation, answer):
    """The last usage of the key is the call that was answered so."""
    told = dict(last_usage(kms, key))
    request_id = answer["ResponseMetadata"]["RequestId"]
    age = datetime.now(timezone.utc) - told.pop("Timestamp")
    assert timedelta(seconds=-1) < age < timedelta(seconds=30)
    assert told == {"Operation": operation, "KmsRequestId": request_id,
                    "CloudTrailEventId": record_of(server, request_id)["eventID"]}


def test_an_unused_key_tells_an_empty_object(kms, key, caller):
    answer = kms.get_key_last_usage(KeyId=key["KeyId"])
    answer.pop("ResponseMetadata")
    assert answer == {"KeyId": key["Arn"], "KeyLastUsage": {},
                      "TrackingStartDate": key["CreationDate"],
                      "KeyCreationDate": key["CreationDate"]}
    assert caller.call("GetKeyLastUsage", {"KeyId": key["KeyId"]}).json["KeyLastUsage"] == {}


@pytest.mark.parametrize(("operation", "kind", "before", "parameters"), COUNTED,
                         ids=[f"{one[0]}-{one[1]['KeySpec']}" for one in COUNTED])
def test_every_use_counts(server, kms, operation, kind, before, parameters):
    key = kms.create_key(**kind)["KeyMetadata"]
    former = None
    if before:
        former = call(kms, before[0], KeyId=key["KeyId"], **before[1])
        is_told(server, kms, key, before[0], former)
    if callable(parameters):
        parameters = parameters(former)
    answer = call(kms, operation, KeyId=key["KeyId"], **parameters)
    is_told(server, kms, key, operation, answer)
    with pytest.raises(kms.exceptions.DryRunOperationException):
        call(kms, operation, KeyId=key["KeyId"], DryRun=True, **parameters)
    is_told(server, kms, key, operation, answer)


def test_the_operations_that_count_are_those_of_the_model(kms):
    shape = kms.meta.service_model.shape_for("KeyLastUsageData").members["Operation"]
    assert {"ReEncrypt", *(one[0] for one in COUNTED)} == set(shape.enum)


def test_re_encrypt_is_a_use_of_both_keys(server, kms):
    source, destination = (kms.create_key()["KeyMetadata"] for _ in range(2))
    blob = kms.encrypt(KeyId=source["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    answer = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination["KeyId"])
    for key in (source, destination):
        is_told(server, kms, key, "ReEncrypt", answer)


def test_re_encrypt_between_accounts_is_a_use_of_both_keys(server, kms, other):
    text = policy(statement(root_of(OTHER_ACCOUNT)), statement(root_of(ACCOUNT)))
    source = kms.create_key(Policy=text)["KeyMetadata"]
    destination = other.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=source["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    answer = other.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination["KeyId"])
    for client, key in ((kms, source), (other, destination)):
        is_told(server, client, key, "ReEncrypt", answer)


def test_what_names_the_key_in_another_way_counts_too(server, kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    answer = kms.encrypt(KeyId=alias_name, Plaintext=b"x")
    is_told(server, kms, key, "Encrypt", answer)
    answer = kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    is_told(server, kms, key, "Decrypt", answer)


def test_failures_do_not_count(server, kms, refused, key, disabled_key):
    other_key = kms.create_key()["KeyMetadata"]
    signing = kms.create_key(**SIGNING)["KeyMetadata"]
    mac = kms.create_key(**MAC)["KeyMetadata"]
    blob = kms.encrypt(KeyId=other_key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=b"x" * 100, KeyId=key["KeyId"])
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=key["KeyId"], **ECDSA)
    with refused("DisabledException"):
        kms.encrypt(KeyId=disabled_key["KeyId"], Plaintext=b"x")
    with refused("KMSInvalidSignatureException"):
        kms.verify(KeyId=signing["KeyId"], Signature=b"x" * 70, **ECDSA)
    with refused("KMSInvalidMacException"):
        kms.verify_mac(KeyId=mac["KeyId"], Mac=b"x" * 32, **HMAC)
    with refused("InvalidCiphertextException"):
        kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "b"},
                       DestinationKeyId=key["KeyId"])
    for one in (key, disabled_key, signing, mac):
        assert last_usage(kms, one) == {}
    assert last_usage(kms, other_key)["Operation"] == "Encrypt"


def test_management_does_not_count(kms, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    kms.describe_key(KeyId=key["KeyId"])
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    kms.get_key_last_usage(KeyId=key["KeyId"])
    asymmetric = kms.create_key(**SIGNING)["KeyMetadata"]
    kms.get_public_key(KeyId=asymmetric["KeyId"])
    for one in (key, asymmetric):
        assert last_usage(kms, one) == {}


def test_the_usage_is_told_in_every_state(kms, key):
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.disable_key(KeyId=key["KeyId"])
    assert last_usage(kms, key)["Operation"] == "Encrypt"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert last_usage(kms, key)["Operation"] == "Encrypt"


def test_related_keys_track_apart(server, kms):
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=REPLICA)
    elsewhere = client_of(server, server.root_credentials(), region=REPLICA)
    eventually("the replica works", lambda: elsewhere.describe_key(
        KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled")
    answer = elsewhere.get_key_last_usage(KeyId=key["KeyId"])
    assert answer["KeyId"] == key["Arn"].replace(REGION, REPLICA)
    assert answer["KeyLastUsage"] == {}
    elsewhere.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_128")
    assert last_usage(elsewhere, key)["Operation"] == "GenerateDataKey"
    assert last_usage(kms, key)["Operation"] == "Encrypt"


def test_the_usage_is_kept_across_restarts(own_server):
    def client():
        return client_of(own_server, own_server.root_credentials())

    key, unused = (client().create_key()["KeyMetadata"] for _ in range(2))
    client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    before = client().get_key_last_usage(KeyId=key["KeyId"])
    assert own_server.stop() == 0
    own_server.start()
    after = client().get_key_last_usage(KeyId=key["KeyId"])
    for answer in (before, after):
        answer.pop("ResponseMetadata")
    assert after == before
    assert last_usage(client(), unused) == {}


def test_the_usage_survives_a_crash_soon_after(timed):
    key = timed.kms.create_key()["KeyMetadata"]
    timed.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    before = last_usage(timed.kms, key)
    timed.jobs_have_run()
    timed.server.kill()
    timed.server.start()
    timed.began_anew()
    assert last_usage(timed.kms, key) == before


def test_tracking_does_not_begin_anew_with_the_server(own_server):
    def client():
        return client_of(own_server, own_server.root_credentials())

    key = client().create_key()["KeyMetadata"]
    assert own_server.stop() == 0
    own_server.start()
    answer = client().get_key_last_usage(KeyId=key["KeyId"])
    assert answer["TrackingStartDate"] == answer["KeyCreationDate"] == key["CreationDate"]


def test_keys_are_named_by_id_or_arn(kms, refused, key, alias_name, unknown_key_arn):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    assert kms.get_key_last_usage(KeyId=key["Arn"])["KeyId"] == key["Arn"]
    with refused("NotFoundException", f"Invalid keyId '{alias_name}'"):
        kms.get_key_last_usage(KeyId=alias_name)
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        kms.get_key_last_usage(KeyId=unknown_key_arn)


def test_another_account_is_refused_whatever_the_policy_says(kms, other, refused):
    text = policy(statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT)))
    for key in (kms.create_key()["KeyMetadata"], kms.create_key(Policy=text)["KeyMetadata"]):
        with refused("AccessDeniedException"):
            other.get_key_last_usage(KeyId=key["Arn"])
    # Its use counts all the same.
    other.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    assert last_usage(kms, key)["Operation"] == "Encrypt"


def test_a_replica_that_is_made_again_begins_anew(timed):
    kms, elsewhere = timed.kms, timed.client(REPLICA)
    key_id = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    for _ in range(2):
        kms.replicate_key(KeyId=key_id, ReplicaRegion=REPLICA)
        timed.wait_for_state(key_id, "Enabled", REPLICA)
        assert elsewhere.get_key_last_usage(KeyId=key_id)["KeyLastUsage"] == {}
        elsewhere.encrypt(KeyId=key_id, Plaintext=b"x")
        elsewhere.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        timed.advance(8 * DAY)
        timed.wait_until_gone(key_id, REPLICA)
        timed.jobs_have_run()

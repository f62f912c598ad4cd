"""GetPublicKey."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa

import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

# SubjectPublicKeyInfo of each spec, in bytes.
SIZES = {
    "RSA_2048": 294, "RSA_3072": 422, "RSA_4096": 550, "ECC_NIST_P256": 91, "ECC_NIST_P384": 120, "ECC_NIST_P521": 158,
    "ECC_SECG_P256K1": 88, outside.ED25519: 44, "ML_DSA_44": 1334, "ML_DSA_65": 1974, "ML_DSA_87": 2614,
    "ML_KEM_512": 822, "ML_KEM_768": 1206, "ML_KEM_1024": 1590,
}
# The members that list algorithms; a key has one of them, by its usage.
LISTS = {"SIGN_VERIFY": "SigningAlgorithms", "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
         "KEY_AGREEMENT": "KeyAgreementAlgorithms", "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms"}
EVERY = [
    *[(spec, "SIGN_VERIFY", algorithms) for spec, algorithms in outside.SIGNING.items()],
    *[(spec, "ENCRYPT_DECRYPT", outside.OAEP) for spec in outside.RSA],
    *[(spec, "KEY_AGREEMENT", ["ECDH"]) for spec in outside.NIST_CURVES],
    *[(spec, "ENCAPSULATE_DECAPSULATE", ["ML_KEM"]) for spec in ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024")],
]
# The older member's enumeration ends before these.
NEWER_SPECS = {outside.ED25519, *outside.ML_DSA, "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"}
PQ_TYPES = {"ML_DSA_44": mldsa.MLDSA44PublicKey, "ML_DSA_65": mldsa.MLDSA65PublicKey,
            "ML_DSA_87": mldsa.MLDSA87PublicKey, "ML_KEM_768": mlkem.MLKEM768PublicKey,
            "ML_KEM_1024": mlkem.MLKEM1024PublicKey}
P256 = ("ECC_NIST_P256", "SIGN_VERIFY")


@pytest.mark.parametrize(("key_spec", "key_usage", "algorithms"), EVERY)
def test_a_public_key_is_told_with_its_use(kms, key_of, key_spec, key_usage, algorithms):
    key = key_of(key_spec, key_usage)
    answer = kms.get_public_key(KeyId=key["KeyId"])
    answer.pop("ResponseMetadata")
    assert len(answer.pop("PublicKey")) == SIZES[key_spec]
    assert sorted(answer.pop(LISTS[key_usage])) == sorted(algorithms)
    if key_spec not in NEWER_SPECS:
        assert answer.pop("CustomerMasterKeySpec") == key_spec
    assert answer == {"KeyId": key["Arn"], "KeySpec": key_spec, "KeyUsage": key_usage}
    assert sorted(key[LISTS[key_usage]]) == sorted(algorithms)


@pytest.mark.parametrize(("key_spec", "key_usage"), [entry[:2] for entry in EVERY if entry[0] != "ML_KEM_512"])
def test_others_read_the_public_key(kms, key_of, key_spec, key_usage):
    der = kms.get_public_key(KeyId=key_of(key_spec, key_usage)["KeyId"])["PublicKey"]
    public_key = outside.public(der)
    assert outside.spki(public_key) == der
    if key_spec in outside.RSA:
        assert isinstance(public_key, rsa.RSAPublicKey)
        assert public_key.key_size == int(key_spec.removeprefix("RSA_"))
        assert public_key.public_numbers().e == 65537
    elif key_spec in outside.CURVES:
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        assert isinstance(public_key.curve, outside.CURVES[key_spec])
    elif key_spec == outside.ED25519:
        assert isinstance(public_key, ed25519.Ed25519PublicKey)
    else:
        assert isinstance(public_key, PQ_TYPES[key_spec])


def test_an_ml_kem_512_key_is_the_der_of_its_standard(kms, key_of):
    """`cryptography` does not read it: the algorithm of id-alg-ml-kem-512 without parameters, and 800 bytes."""
    der = kms.get_public_key(KeyId=key_of("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")["KeyId"])["PublicKey"]
    assert der[:22] == bytes.fromhex("30820332" "300b" "0609608648016503040401" "03820321" "00")
    assert len(der) == 22 + 800


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    entry[:2] for entry in EVERY if not entry[0].startswith("ML_")])
def test_openssl_reads_the_public_key(kms, key_of, tmp_path, key_spec, key_usage):
    der = kms.get_public_key(KeyId=key_of(key_spec, key_usage)["KeyId"])["PublicKey"]
    (tmp_path / "public").write_bytes(der)
    check = [] if key_spec == outside.ED25519 else ["-pubcheck"]
    arguments = ["pkey", "-pubin", "-inform", "DER", "-in", "public"]
    assert outside.openssl(tmp_path, *arguments, "-outform", "DER", "-pubout") == der
    outside.openssl(tmp_path, *arguments, "-noout", *check)


@pytest.mark.parametrize("key_spec", [*outside.SIGNING, *outside.ML_KEM])
def test_an_imported_key_has_the_public_half_of_what_was_imported(kms, key_from_outside, key_spec):
    usage = "ENCAPSULATE_DECAPSULATE" if key_spec in outside.ML_KEM else "SIGN_VERIFY"
    key, private_key = key_from_outside(key_spec, usage)
    answer = kms.get_public_key(KeyId=key["KeyId"])
    assert answer["PublicKey"] == outside.spki(private_key.public_key())


def test_a_public_key_stays_the_same_and_is_no_other_keys(kms, key_of):
    key = key_of(*P256)
    told = {kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] for _ in range(3)}
    assert len(told) == 1
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    assert kms.get_public_key(KeyId=other["KeyId"])["PublicKey"] not in told


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), *[(spec, "GENERATE_VERIFY_MAC") for spec in outside.HMACS]])
def test_a_key_without_a_public_half(kms, key_of, key_spec, key_usage):
    with pytest.raises(kms.exceptions.UnsupportedOperationException) as caught:
        kms.get_public_key(KeyId=key_of(key_spec, key_usage)["KeyId"])
    assert not caught.value.response["Error"].get("Message")


def test_a_disabled_key_still_tells_its_public_key(kms):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    before = kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    kms.disable_key(KeyId=key["KeyId"])
    assert kms.get_public_key(KeyId=key["KeyId"])["PublicKey"] == before


def test_a_key_pending_deletion_does_not(kms, refused):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        kms.get_public_key(KeyId=key["KeyId"])


def test_a_key_without_material_does_not(kms, refused):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        kms.get_public_key(KeyId=key["KeyId"])


def test_each_form_of_the_name_is_taken(kms, key_of, alias_name):
    key = key_of(*P256)
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name, f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        assert kms.get_public_key(KeyId=name)["KeyId"] == key["Arn"]


def test_unknown_keys_are_not_found(kms, refused, unknown_key_arn, alias_name):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        kms.get_public_key(KeyId=unknown_key_arn)
    with refused("NotFoundException", "Invalid keyId 'x'"):
        kms.get_public_key(KeyId="x")
    with refused("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        kms.get_public_key(KeyId=alias_name)
    with refused("InvalidArnException"):
        kms.get_public_key(KeyId="arn:aws:s3:::bucket")


def test_grant_tokens_must_be_tokens(kms, refused, key_of):
    with refused("InvalidGrantTokenException"):
        kms.get_public_key(KeyId=key_of(*P256)["KeyId"], GrantTokens=["forged"])


def test_another_account_reads_when_the_key_policy_lets_it(kms, other, refused):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    with refused("AccessDeniedException",
                 f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: kms:GetPublicKey on resource: "
                 f"{key['Arn']} because no resource-based policy allows the kms:GetPublicKey action"):
        other.get_public_key(KeyId=key["Arn"])
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), "kms:GetPublicKey")))
    assert other.get_public_key(KeyId=key["Arn"])["KeyId"] == key["Arn"]


def test_a_call_is_recorded(kms, key_of, record_of):
    key = key_of(*P256)
    answer = kms.get_public_key(KeyId=key["KeyId"])
    record = record_of(answer["ResponseMetadata"]["RequestId"])
    assert (record["eventName"], record["readOnly"], record["responseElements"]) == ("GetPublicKey", True, None)
    assert record["requestParameters"] == {"keyId": key["KeyId"]}
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]

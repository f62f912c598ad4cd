"""The `kms:` condition keys where they apply: a policy that wants the right value allows, one that wants another does not.

Those of imports and of attested recipients stand with their operations.
"""

import pytest

from identities import User, allow, unique
from keystead import ACCOUNT, REGION

OTHER_REGION = "eu-west-1"
CONTEXT = {"Purpose": "test"}


class Keys:
    """The keys that calls are about, made once by the root user."""

    def __init__(self, kms):
        make = lambda **more: kms.create_key(**more)["KeyMetadata"]["Arn"]
        self.symmetric, self.second = make(), make()
        self.hmac = make(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        self.signing = make(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.agreement = make(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
        self.external = make(Origin="EXTERNAL")
        self.primary = make(MultiRegion=True)
        self.alias = f"alias/{unique()}"
        kms.create_alias(AliasName=self.alias, TargetKeyId=self.symmetric)
        self.blob = kms.encrypt(KeyId=self.symmetric, Plaintext=b"x")["CiphertextBlob"]
        self.public_key = kms.get_public_key(KeyId=self.agreement)["PublicKey"]
        self.grantee = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture(scope="module")
def keys(kms):
    """See there."""
    return Keys(kms)


@pytest.fixture(scope="module")
def user(server, iam):
    """A user whose one policy each test replaces."""
    return User(server, iam)


def create(**request):
    """A call of CreateKey."""
    return lambda kms, keys: kms.create_key(**request)


def encrypt(**more):
    """A call of Encrypt."""
    return lambda kms, keys: kms.encrypt(**{"KeyId": keys.symmetric, "Plaintext": b"x", **more})


def encrypt_by_alias(kms, keys):
    """A call of Encrypt that names an alias."""
    return kms.encrypt(KeyId=keys.alias, Plaintext=b"x")


def re_encrypt(to):
    """A call of ReEncrypt."""
    return lambda kms, keys: kms.re_encrypt(CiphertextBlob=keys.blob,
                                            DestinationKeyId=getattr(keys, to))


def describe(which):
    """A call of DescribeKey."""
    return lambda kms, keys: kms.describe_key(KeyId=getattr(keys, which))


def sign(kms, keys):
    return kms.sign(KeyId=keys.signing, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")


def sign_digest(kms, keys):
    return kms.sign(KeyId=keys.signing, Message=bytes(32), MessageType="DIGEST",
                    SigningAlgorithm="ECDSA_SHA_256")


def generate_mac(kms, keys):
    return kms.generate_mac(KeyId=keys.hmac, Message=b"x", MacAlgorithm="HMAC_SHA_256")


def derive(kms, keys):
    return kms.derive_shared_secret(KeyId=keys.agreement, PublicKey=keys.public_key,
                                    KeyAgreementAlgorithm="ECDH")


def key_pair(kms, keys):
    return kms.generate_data_key_pair(KeyId=keys.symmetric, KeyPairSpec="ECC_NIST_P256")


def parameters(kms, keys):
    return kms.get_parameters_for_import(KeyId=keys.external, WrappingKeySpec="RSA_2048",
                                         WrappingAlgorithm="RSAES_OAEP_SHA_256")


def rotate(kms, keys):
    return kms.enable_key_rotation(KeyId=keys.symmetric, RotationPeriodInDays=180)


def schedule(kms, keys):
    """Of a key that is deleted already the state is asked last."""
    try:
        kms.schedule_key_deletion(KeyId=keys.second, PendingWindowInDays=9)
    except kms.exceptions.KMSInvalidStateException:
        pass


def grant(kms, keys):
    return kms.create_grant(KeyId=keys.symmetric, GranteePrincipal=keys.grantee,
                            RetiringPrincipal=keys.grantee, Operations=["Encrypt"],
                            Constraints={"EncryptionContextSubset": CONTEXT})


ANY, STRING = "ForAnyValue:StringEquals", "StringEquals"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
HMAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
# Of each: the call, the condition's key, its operator, the right value and a wrong one.
ROWS = {
    "create": [
        (create(), "KeySpec", STRING, "SYMMETRIC_DEFAULT", "RSA_2048"),
        (create(**HMAC), "KeySpec", STRING, "HMAC_256", "SYMMETRIC_DEFAULT"),
        (create(CustomerMasterKeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"), "KeySpec", STRING,
         "HMAC_256", "SYMMETRIC_DEFAULT"),
        (create(**HMAC), "CustomerMasterKeySpec", STRING, "HMAC_256", "SYMMETRIC_DEFAULT"),
        (create(), "KeyUsage", STRING, "ENCRYPT_DECRYPT", "SIGN_VERIFY"),
        (create(**HMAC), "KeyUsage", STRING, "GENERATE_VERIFY_MAC", "ENCRYPT_DECRYPT"),
        (create(**HMAC), "CustomerMasterKeyUsage", STRING, "GENERATE_VERIFY_MAC", "SIGN_VERIFY"),
        (create(), "KeyOrigin", STRING, "AWS_KMS", "EXTERNAL"),
        (create(Origin="EXTERNAL"), "KeyOrigin", STRING, "EXTERNAL", "AWS_KMS"),
        (create(), "MultiRegion", "Bool", "false", "true"),
        (create(MultiRegion=True), "MultiRegion", "Bool", "true", "false"),
        (create(MultiRegion=True), "MultiRegionKeyType", STRING, "PRIMARY", "REPLICA"),
        (create(), "MultiRegionKeyType", "Null", "true", "false"),
        (create(), "BypassPolicyLockoutSafetyCheck", "Bool", "false", "true"),
        (create(BypassPolicyLockoutSafetyCheck=True), "BypassPolicyLockoutSafetyCheck", "Bool",
         "true", "false"),
    ],
    "key": [
        (describe("signing"), "KeySpec", STRING, "ECC_NIST_P256", "SYMMETRIC_DEFAULT"),
        (describe("signing"), "CustomerMasterKeySpec", STRING, "ECC_NIST_P256", "RSA_2048"),
        (describe("signing"), "KeyUsage", STRING, "SIGN_VERIFY", "ENCRYPT_DECRYPT"),
        (describe("signing"), "CustomerMasterKeyUsage", STRING, "SIGN_VERIFY", "KEY_AGREEMENT"),
        (describe("external"), "KeyOrigin", STRING, "EXTERNAL", "AWS_KMS"),
        (describe("primary"), "MultiRegion", "Bool", "true", "false"),
        (describe("primary"), "MultiRegionKeyType", STRING, "PRIMARY", "REPLICA"),
        (describe("symmetric"), "MultiRegionKeyType", "Null", "true", "false"),
        (describe("symmetric"), "CallerAccount", STRING, ACCOUNT, "111111111111"),
        (describe("symmetric"), "ResourceAliases", "ForAnyValue:StringLike", "alias/test-*",
         "alias/no-*"),
        (describe("second"), "ResourceAliases", "Null", "true", "false"),
        (describe("symmetric"), "ReEncryptOnSameKey", "Null", "true", "false"),
    ],
    "use": [
        (re_encrypt("symmetric"), "ReEncryptOnSameKey", "Bool", "true", "false"),
        (re_encrypt("primary"), "ReEncryptOnSameKey", "Bool", "false", "true"),
        (encrypt_by_alias, "RequestAlias", "StringLike", "alias/test-*", "alias/no-*"),
        (encrypt(), "RequestAlias", "Null", "true", "false"),
        (encrypt(), "EncryptionAlgorithm", STRING, "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1"),
        (encrypt(EncryptionContext=CONTEXT), "EncryptionContext:purpose", STRING, "test", "Test"),
        (encrypt(EncryptionContext=CONTEXT), "EncryptionContextKeys", ANY, "Purpose", "Other"),
        (key_pair, "DataKeyPairSpec", STRING, "ECC_NIST_P256", "RSA_2048"),
        (sign, "SigningAlgorithm", STRING, "ECDSA_SHA_256", "ECDSA_SHA_384"),
        (sign, "MessageType", STRING, "RAW", "DIGEST"),
        (sign_digest, "MessageType", STRING, "DIGEST", "RAW"),
        (generate_mac, "MacAlgorithm", STRING, "HMAC_SHA_256", "HMAC_SHA_512"),
        (derive, "KeyAgreementAlgorithm", STRING, "ECDH", "DH"),
    ],
    "life": [
        (parameters, "WrappingAlgorithm", STRING, "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"),
        (parameters, "WrappingKeySpec", STRING, "RSA_2048", "RSA_4096"),
        (rotate, "RotationPeriodInDays", "NumericLessThanEquals", "180", "179"),
        (schedule, "ScheduleKeyDeletionPendingWindowInDays", "NumericEquals", "9", "30"),
        (grant, "GrantOperations", ANY, "Encrypt", "Decrypt"),
        (grant, "GranteePrincipal", STRING, ROOT, f"{ROOT}s"),
        (grant, "RetiringPrincipal", STRING, ROOT, f"{ROOT}s"),
        (grant, "GrantConstraintType", STRING, "EncryptionContextSubset", "EncryptionContextEquals"),
        (grant, "GrantIsForAWSResource", "Bool", "false", "true"),
        (grant, "EncryptionContext:Purpose", STRING, "test", "Test"),
        (grant, "EncryptionContextKeys", ANY, "Purpose", "Other"),
    ],
}
CASES = [pytest.param(*row, id=f"{family}-{position}-{row[1]}")
         for family, rows in ROWS.items() for position, row in enumerate(rows)]


@pytest.mark.parametrize(("call", "key", "operator", "right", "wrong"), CASES)
def test_a_condition_key_has_its_value(user, keys, refused, call, key, operator, right, wrong):
    kms = user.client()
    user.may(allow("kms:*", Condition={operator: {f"kms:{key}": wrong}}))
    with refused("AccessDeniedException"):
        call(kms, keys)
    user.may(allow("kms:*", Condition={operator: {f"kms:{key}": right}}))
    call(kms, keys)


def test_a_replica_region_decides(user, keys, refused):
    kms = user.client(region=REGION)
    replicate = lambda: kms.replicate_key(KeyId=keys.primary, ReplicaRegion=OTHER_REGION)
    user.may(allow("kms:CreateKey"), allow("kms:ReplicateKey", Condition={
        "StringNotEquals": {"kms:ReplicaRegion": OTHER_REGION}}))
    with refused("AccessDeniedException"):
        replicate()
    user.may(allow("kms:CreateKey"), allow("kms:ReplicateKey", Condition={
        "StringEquals": {"kms:ReplicaRegion": OTHER_REGION}}))
    assert replicate()["ReplicaKeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"

"""Grants for the tests: callers of three accounts, and what each kind of key can be granted for."""

from conftest import root_of
from keystead import ACCOUNT, OTHER_ACCOUNT

THIRD_ACCOUNT = "777788889999"
ROOT, OTHER, THIRD = root_of(ACCOUNT), root_of(OTHER_ACCOUNT), root_of(THIRD_ACCOUNT)

SYMMETRIC = ["Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
             "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom",
             "ReEncryptTo", "DescribeKey", "CreateGrant"]
KINDS = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): SYMMETRIC,
    ("ECC_NIST_P256", "SIGN_VERIFY"): ["Sign", "Verify", "GetPublicKey"],
    ("HMAC_256", "GENERATE_VERIFY_MAC"): ["GenerateMac", "VerifyMac"],
    ("ECC_NIST_P256", "KEY_AGREEMENT"): ["DeriveSharedSecret", "GetPublicKey"],
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"): ["Encapsulate", "Decapsulate", "GetPublicKey"],
}


def grant(kms, key, *operations, grantee=OTHER, **more):
    """Makes a grant."""
    return kms.create_grant(KeyId=key["Arn"], GranteePrincipal=grantee,
                            Operations=list(operations), **more)


def listed(kms, key, **more):
    """The grants on a key."""
    return kms.list_grants(KeyId=key["Arn"], **more)["Grants"]


def ids(grants):
    """The ids of listed grants, in order."""
    return [one["GrantId"] for one in grants]

"""A user whose only policy allows one action may do this one thing and no other: every operation of KMS with each."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from identities import User, allow, unique
from keystead import ACCOUNT, REPOSITORY
from test_model import MODEL

UNBUILT = (REPOSITORY / "crates/service/src/kms/unbuilt.txt").read_text().split()
OPERATIONS = sorted(set(MODEL.operation_names) - set(UNBUILT))
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# Operations that ask for other actions than that of their name.
ACTIONS = {"ReEncrypt": ["kms:ReEncryptFrom", "kms:ReEncryptTo"]}
# Operations that also ask for another action; with their own alone they are refused.
PARTNERS = {"ReplicateKey": ["kms:CreateKey"]}

# Members that an operation needs though the model does not require them.
NEEDED = {
    "Decrypt": ["CiphertextBlob"], "ReEncrypt": ["CiphertextBlob"],
    "GenerateDataKey": ["NumberOfBytes"], "GenerateRandom": ["NumberOfBytes"],
    "GenerateDataKeyWithoutPlaintext": ["NumberOfBytes"], "ImportKeyMaterial": ["ExpirationModel"],
    "CreateGrant": ["GranteePrincipal"], "ListRetirableGrants": ["RetiringPrincipal"],
    "RetireGrant": ["KeyId", "GrantId"],
}


def actions_of(name):
    """The actions that an operation needs."""
    return ACTIONS.get(name, [f"kms:{name}"]) + PARTNERS.get(name, [])


class Calls:
    """A call of every operation that validation accepts. Policies are asked next, so whether the key suits is not."""

    def __init__(self, kms):
        self.kms = kms
        self.key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        self.alias_name = f"alias/{unique()}"
        self.values = {
            "AliasName": self.alias_name, "CiphertextBlob": self._encrypted(), "Description": "",
            "EncapsulationAlgorithm": "ML_KEM", "EncryptedKeyMaterial": b"x",
            "ImportToken": b"x", "KeyAgreementAlgorithm": "ECDH", "KeyPairSpec": "ECC_NIST_P256",
            "Mac": b"x", "MacAlgorithm": "HMAC_SHA_256", "Message": b"x", "NumberOfBytes": 16, "Plaintext": b"x",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            "GranteePrincipal": ROOT, "Operations": ["Encrypt"], "RetiringPrincipal": ROOT,
            "Policy": "{}", "PrimaryRegion": "eu-west-1", "PublicKey": b"x",
            "ReplicaRegion": "eu-west-1", "SharedSecretCiphertextBlob": b"x", "Signature": b"x",
            "SigningAlgorithm": "ECDSA_SHA_256", "TagKeys": ["a"],
            "Tags": [{"TagKey": "a", "TagValue": "b"}], "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
            "WrappingKeySpec": "RSA_2048",
        }

    def _encrypted(self):
        return self.kms.encrypt(KeyId=self.key_id, Plaintext=b"x")["CiphertextBlob"]

    def renew(self):
        """Makes the alias and the grant, which some of the calls delete, anew."""
        if not self.kms.list_aliases(KeyId=self.key_id)["Aliases"]:
            self.key_id = self.kms.create_key()["KeyMetadata"]["KeyId"]
            self.kms.create_alias(AliasName=self.alias_name, TargetKeyId=self.key_id)
        grants = self.kms.list_grants(KeyId=self.key_id)["Grants"]
        self.grant_id = grants[0]["GrantId"] if grants else self.kms.create_grant(
            KeyId=self.key_id, GranteePrincipal=ROOT, Operations=["Encrypt"])["GrantId"]

    def arguments(self, name):
        """The members that an operation requires."""
        values = {**self.values, "KeyId": self.key_id, "TargetKeyId": self.key_id,
                  "DestinationKeyId": self.key_id, "GrantId": self.grant_id}
        required = MODEL.operation_model(name).input_shape.required_members
        return {member: values[member] for member in [*required, *NEEDED.get(name, [])]}


@pytest.fixture(scope="module")
def calls(kms):
    """The calls, made by the root user's keys."""
    return Calls(kms)


@pytest.fixture(scope="module")
def one(server, iam):
    """A user whose policy every test replaces."""
    return User(server, iam)


def is_denied(client, name, arguments):
    """Whether policies refuse a call."""
    try:
        getattr(client, xform_name(name))(**arguments)
    except ClientError as error:
        told = error.response["Error"]
        return (told["Code"] == "AccessDeniedException"
                and "because no identity-based policy allows the kms:" in told["Message"])
    return False


@pytest.mark.parametrize("allowed", OPERATIONS)
def test_exactly_the_allowed_action_passes(calls, one, allowed):
    calls.renew()
    one.may(allow(actions_of(allowed)))
    client = one.client()
    # Last the one that may take away what another is asked about.
    in_order = sorted(OPERATIONS, key=allowed.__eq__)
    passed = [name for name in in_order if not is_denied(client, name, calls.arguments(name))]
    assert sorted(passed) == [name for name in OPERATIONS
                              if set(actions_of(name)) <= set(actions_of(allowed))]

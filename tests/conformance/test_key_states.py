"""Every cell of the key-state matrix: each operation on each kind of key in each state that can be reached."""

import itertools
import os
import re
import uuid

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import key_states
from conftest import policy, root_of, statement
from importing import material_of, wrap
from key_states import KINDS, NO_KEY, ORIGINS, ROLES, ROWS, UNREACHABLE, UNRECORDED, Key
from keystead import ACCOUNT, REGION, REPOSITORY
from related import REPLICA
from timed import eventually

# Members whose names say that they may name a key.
NAMES_A_KEY = re.compile(r"KeyId$|^AliasName$")
# A replica that is being made is soon made: states that pass are entered anew this often, if need be.
ATTEMPTS_MAX = 6
WRAPPING = {"WrappingAlgorithm": "RSA_AES_KEY_WRAP_SHA_256", "WrappingKeySpec": "RSA_2048"}
# After these, a key may be in another state.
CHANGING = {"CancelKeyDeletion", "DeleteImportedKeyMaterial", "DisableKey", "EnableKey",
            "ImportKeyMaterial", "ScheduleKeyDeletion"}
# After these, a key has other related keys or another role, so they are asked last.
LAST = {"ReplicateKey": 1, "UpdatePrimaryRegion": 2}
ORDER = sorted(ROWS, key=lambda row: LAST.get(row[0], 0))


@pytest.fixture(scope="module")
def world(client):
    """The root user's clients, and keys that help, by Region."""
    return World(client)


class World:
    """Clients and helping keys of each Region."""

    def __init__(self, client):
        self.client, self.helpers = client, {}

    def helper(self, region, key_spec="SYMMETRIC_DEFAULT", key_usage="ENCRYPT_DECRYPT"):
        """An enabled key of that kind."""
        asked = (region, key_spec, key_usage)
        if asked not in self.helpers:
            made = self.client(region).create_key(KeySpec=key_spec, KeyUsage=key_usage)
            self.helpers[asked] = made["KeyMetadata"]["KeyId"]
        return self.helpers[asked]


class Sample:
    """A key of one kind that is brought into states and asked; of related keys, the one in `region`."""

    def __init__(self, world, kind, origin, multi_region):
        self.world, self.kind, self.origin, self.region = world, kind, origin, REGION
        self.key_id = self.kms.create_key(
            KeySpec=kind[0], KeyUsage=kind[1], Origin=origin,
            MultiRegion=multi_region)["KeyMetadata"]["KeyId"]
        self.material = material_of(kind[0]) if origin == "EXTERNAL" else None
        self.parameters, self.aliases, self.grants, self.made = {}, {}, {}, {}
        self.primary_region = REGION
        self.fresh_regions = (f"ap-south-{number}" for number in itertools.count(1))
        if origin == "EXTERNAL":
            self.ask_for_parameters()
        else:
            self.prepare()

    @property
    def kms(self):
        """The client of the Region in which the key is asked."""
        return self.world.client(self.region)

    @property
    def arn(self):
        """The ARN of the key that is asked."""
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{self.key_id}"

    @property
    def algorithm(self):
        """The encryption algorithm of the key, or one that is not symmetric."""
        return "SYMMETRIC_DEFAULT" if self.kind[0] == "SYMMETRIC_DEFAULT" else "RSAES_OAEP_SHA_256"

    def call(self, operation, **parameters):
        """An operation, by its boto3 name, on the key."""
        return getattr(self.kms, operation)(KeyId=self.key_id, **parameters)

    def state(self):
        """The state of the key."""
        return self.call("describe_key")["KeyMetadata"]["KeyState"]

    def wait_for(self, state):
        """Waits for a state that comes by itself."""
        eventually(f"{self.arn} is {state}", lambda: self.state() == state)

    # Into a state

    def reach(self, state):
        """Brings the key into a state that callers can bring it into."""
        if self.state() == state:
            return
        self.enable()
        if state != "Enabled":
            self.grants.setdefault(self.region, []).extend(self.new_grant() for _ in range(2))
        if state == "Disabled":
            self.call("disable_key")
        elif state == "PendingImport":
            self.call("delete_imported_key_material")
        elif state in ("PendingDeletion", "PendingReplicaDeletion"):
            self.aliases.setdefault(self.region, []).extend(self.new_alias() for _ in range(4))
            self.call("schedule_key_deletion", PendingWindowInDays=7)
        assert self.state() == state

    def enable(self):
        """Brings the key into the state Enabled, whatever it is in."""
        if self.state() in ("PendingDeletion", "PendingReplicaDeletion"):
            self.call("cancel_key_deletion")
        if self.state() == "Disabled":
            self.call("enable_key")
        if self.state() == "PendingImport":
            self.ask_for_parameters()
            self.call("import_key_material", **self.importing())
        self.wait_for("Enabled")
        if not self.made:
            self.prepare()

    def prepare(self):
        """Makes what the key alone can make, to be brought back to it in other states."""
        usage = self.kind[1]
        if usage == "ENCRYPT_DECRYPT":
            self.made["ciphertext"] = self.call(
                "encrypt", Plaintext=b"x", EncryptionAlgorithm=self.algorithm)["CiphertextBlob"]
        elif usage == "SIGN_VERIFY":
            self.made["signature"] = self.call("sign", **SIGNING)["Signature"]
        elif usage == "GENERATE_VERIFY_MAC":
            self.made["mac"] = self.call("generate_mac", **MAC)["Mac"]
        elif usage == "ENCAPSULATE_DECAPSULATE":
            self.made["encapsulated"] = self.call(
                "encapsulate", **ML_KEM)["SharedSecretCiphertextBlob"]

    def ask_for_parameters(self):
        """Wrapping key and token, asked for once in each Region."""
        if self.region not in self.parameters:
            self.parameters[self.region] = self.call("get_parameters_for_import", **WRAPPING)

    def importing(self):
        """The parameters of ImportKeyMaterial; without a token where none can be had."""
        given = self.parameters.get(self.region)
        if given is None:
            token, encrypted = b"none", b"none"
        else:
            token = given["ImportToken"]
            encrypted = wrap(self.material, given["PublicKey"], WRAPPING["WrappingAlgorithm"])
        return {"ImportToken": token, "EncryptedKeyMaterial": encrypted,
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}

    # What requests name beside the key

    def new_alias(self, target=None):
        """A new alias of the key, or of another."""
        name = f"alias/states-{uuid.uuid4()}"
        self.kms.create_alias(AliasName=name, TargetKeyId=target or self.key_id)
        return name

    def own_alias(self):
        """An alias of the key: one that was made before, where none can be made."""
        kept = self.aliases.get(self.region)
        return kept.pop() if kept else self.new_alias()

    def new_grant(self):
        """The id of a new grant on the key."""
        made = self.call("create_grant", GranteePrincipal=root_of(ACCOUNT), Operations=["DescribeKey"])
        return made["GrantId"]

    def ending_a_grant(self):
        """A request about a grant that was made where one could be; None if there has been no such state yet."""
        if self.state() in ("Enabled", "Updating"):
            return {"KeyId": self.key_id, "GrantId": self.new_grant()}
        kept = self.grants.get(self.region)
        return {"KeyId": self.key_id, "GrantId": kept.pop()} if kept else None

    def like(self):
        """An enabled key of the same kind."""
        return self.world.helper(self.region, *self.kind)

    def other_region(self):
        """A Region of another of the related keys."""
        return REGION if self.region != REGION else REPLICA

    def symmetric_ciphertext(self):
        """A ciphertext of a helping key."""
        answer = self.kms.encrypt(KeyId=self.world.helper(self.region), Plaintext=b"x")
        return answer["CiphertextBlob"]

    def ciphertext(self):
        """A ciphertext of the key, or something like one."""
        if "ciphertext" in self.made:
            return self.made["ciphertext"]
        if self.algorithm == "SYMMETRIC_DEFAULT":
            return self.symmetric_ciphertext()
        return os.urandom(256)


SIGNING = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
MAC = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
ML_KEM = {"EncapsulationAlgorithm": "ML_KEM"}
PUBLIC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
TAG = {"TagKey": "a", "TagValue": "b"}


def naming(**parameters):
    """A request that names the key by KeyId."""
    return lambda sample: {"KeyId": sample.key_id, **parameters}


# The parameters of each row's request, right in everything but what the row is about.
REQUESTS = {
    ("CancelKeyDeletion", "KeyId"): naming(),
    ("CreateAlias", "TargetKeyId"): lambda sample: {
        "AliasName": f"alias/states-{uuid.uuid4()}", "TargetKeyId": sample.key_id},
    ("CreateGrant", "KeyId"): naming(GranteePrincipal=root_of(ACCOUNT), Operations=["DescribeKey"]),
    ("Decapsulate", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, **ML_KEM,
        "SharedSecretCiphertextBlob": sample.made.get("encapsulated", os.urandom(768))},
    ("Decrypt", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "CiphertextBlob": sample.ciphertext(),
        "EncryptionAlgorithm": sample.algorithm},
    ("DeleteAlias", "AliasName"): lambda sample: {"AliasName": sample.own_alias()},
    ("DeleteImportedKeyMaterial", "KeyId"): naming(),
    ("DeriveSharedSecret", "KeyId"): naming(KeyAgreementAlgorithm="ECDH", PublicKey=PUBLIC_KEY),
    ("DescribeKey", "KeyId"): naming(),
    ("DisableKey", "KeyId"): naming(),
    ("DisableKeyRotation", "KeyId"): naming(),
    ("EnableKey", "KeyId"): naming(),
    ("EnableKeyRotation", "KeyId"): naming(),
    ("Encapsulate", "KeyId"): naming(**ML_KEM),
    ("Encrypt", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "Plaintext": b"x", "EncryptionAlgorithm": sample.algorithm},
    ("GenerateDataKey", "KeyId"): naming(KeySpec="AES_256"),
    ("GenerateDataKeyPair", "KeyId"): naming(KeyPairSpec="ECC_NIST_P256"),
    ("GenerateDataKeyPairWithoutPlaintext", "KeyId"): naming(KeyPairSpec="ECC_NIST_P256"),
    ("GenerateDataKeyWithoutPlaintext", "KeyId"): naming(KeySpec="AES_256"),
    ("GenerateMac", "KeyId"): naming(**MAC),
    ("GetKeyLastUsage", "KeyId"): naming(),
    ("GetKeyPolicy", "KeyId"): naming(),
    ("GetKeyRotationStatus", "KeyId"): naming(),
    ("GetParametersForImport", "KeyId"): naming(**WRAPPING),
    ("GetPublicKey", "KeyId"): naming(),
    ("ImportKeyMaterial", "KeyId"): lambda sample: {"KeyId": sample.key_id, **sample.importing()},
    ("ListAliases", "KeyId"): naming(),
    ("ListGrants", "KeyId"): naming(),
    ("ListKeyPolicies", "KeyId"): naming(),
    ("ListKeyRotations", "KeyId"): naming(IncludeKeyMaterial="ALL_KEY_MATERIAL"),
    ("ListResourceTags", "KeyId"): naming(),
    ("PutKeyPolicy", "KeyId"): naming(Policy=policy(statement(root_of(ACCOUNT)))),
    ("ReEncrypt", "DestinationKeyId"): lambda sample: {
        "CiphertextBlob": sample.symmetric_ciphertext(), "DestinationKeyId": sample.key_id,
        "DestinationEncryptionAlgorithm": sample.algorithm},
    ("ReEncrypt", "SourceKeyId"): lambda sample: {
        "CiphertextBlob": sample.ciphertext(), "SourceKeyId": sample.key_id,
        "SourceEncryptionAlgorithm": sample.algorithm,
        "DestinationKeyId": sample.world.helper(sample.region)},
    ("ReplicateKey", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "ReplicaRegion": next(sample.fresh_regions)},
    ("RetireGrant", "KeyId"): Sample.ending_a_grant,
    ("RevokeGrant", "KeyId"): Sample.ending_a_grant,
    ("RotateKeyOnDemand", "KeyId"): naming(),
    ("ScheduleKeyDeletion", "KeyId"): naming(PendingWindowInDays=7),
    ("Sign", "KeyId"): naming(**SIGNING),
    ("TagResource", "KeyId"): naming(Tags=[TAG]),
    ("UntagResource", "KeyId"): naming(TagKeys=["a"]),
    ("UpdateAlias", "AliasName"): lambda sample: {
        "AliasName": sample.own_alias(), "TargetKeyId": sample.like()},
    ("UpdateAlias", "TargetKeyId"): lambda sample: {
        "AliasName": sample.new_alias(sample.like()), "TargetKeyId": sample.key_id},
    ("UpdateKeyDescription", "KeyId"): naming(Description="x"),
    ("UpdatePrimaryRegion", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "PrimaryRegion": sample.other_region()},
    ("Verify", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "Signature": sample.made.get("signature", b"x" * 70), **SIGNING},
    ("VerifyMac", "KeyId"): lambda sample: {
        "KeyId": sample.key_id, "Mac": sample.made.get("mac", b"x" * 32), **MAC},
}


class Asked:
    """What the server was asked, and where it answered otherwise than the table says."""

    def __init__(self):
        self.count, self.wrong = 0, []

    def every_row(self, sample, role, state):
        """Asks for every cell of a state that lasts until somebody changes it."""
        is_there = False
        for row in ORDER:
            if not is_there:
                sample.reach(state)
            is_refused = self.one(sample, row, role, state) is not None
            is_there = is_refused or row[0] not in CHANGING
        # What was refused has left the key in its state.
        if sample.state() not in (state, "Updating"):
            self.wrong.append(f"the key was {state} and is {sample.state()}")

    def one(self, sample, row, role, state):
        """Asks for one cell, and answers what the table says of it."""
        key = Key(*sample.kind, sample.origin, role, state)
        expected = key_states.verdict(row, key, sample.arn)
        parameters = REQUESTS[row](sample)
        if parameters is None:
            # On a key that has only waited until now no grant can have been made.
            assert state in ("Creating", "PendingImport")
            self.count += 1
            return expected
        try:
            getattr(sample.kms, xform_name(row[0]))(**parameters)
            told = None
            sample.primary_region = parameters.get("PrimaryRegion", sample.primary_region)
        except ClientError as error:
            told = error.response["Error"]
        self.count += 1
        if not agree(expected, told):
            self.wrong.append(f"{row} on {key}: expected {expected}, told {told}")
        return expected


def agree(expected, told):
    """Whether an answer is the one that the table gives."""
    if expected is None or told is None:
        return expected is told
    text = told.get("Message") or None
    return told["Code"] == expected.code and expected.text in (UNRECORDED, text)


def states_of(role, origin):
    """The states of keys of that role and origin."""
    return [state for state in ROLES[role] if origin == "EXTERNAL" or state != "PendingImport"]


# A key that waits for its material comes first: it has none yet.
LASTING = ["PendingImport", "Disabled", "PendingDeletion", "Enabled"]
KINDS_AND_ORIGINS = pytest.mark.parametrize(
    ("kind", "origin"), list(itertools.product(KINDS, ORIGINS)),
    ids=lambda value: value if isinstance(value, str) else "-".join(value))


@KINDS_AND_ORIGINS
def test_single_region_keys(world, kind, origin):
    asked, sample = Asked(), Sample(world, kind, origin, multi_region=False)
    states = [state for state in LASTING if state in states_of("single", origin)]
    for state in states:
        asked.every_row(sample, "single", state)
    assert asked.wrong == [], "\n".join(asked.wrong)
    assert asked.count == len(ROWS) * len(states_of("single", origin))


@KINDS_AND_ORIGINS
def test_primary_keys(world, kind, origin):
    asked, sample = Asked(), Sample(world, kind, origin, multi_region=True)
    reached = []
    for state in ("PendingImport", "Disabled", "PendingDeletion"):
        if state in states_of("primary", origin):
            asked.every_row(sample, "primary", state)
            reached.append(state)
    with_replica(sample)
    for state in ("PendingReplicaDeletion", "Enabled"):
        asked.every_row(sample, "primary", state)
        reached.append(state)
    for row in ORDER:
        while_updating(asked, sample, row, "primary")
    assert asked.wrong == [], "\n".join(asked.wrong)
    assert sorted([*reached, "Updating"]) == sorted(states_of("primary", origin))
    assert asked.count >= len(ROWS) * len(states_of("primary", origin))


@KINDS_AND_ORIGINS
def test_replica_keys(world, kind, origin):
    asked, sample = Asked(), Sample(world, kind, origin, multi_region=True)
    with_replica(sample)
    sample.region = REPLICA
    reached = [state for state in LASTING if state in states_of("replica", origin)]
    for state in reached:
        asked.every_row(sample, "replica", state)
    for row in ORDER:
        while_updating(asked, sample, row, "replica")
    sample.region = sample.primary_region
    for row in ORDER:
        while_creating(asked, sample, row)
    assert asked.wrong == [], "\n".join(asked.wrong)
    assert sorted([*reached, "Creating", "Updating"]) == sorted(states_of("replica", origin))
    assert asked.count >= len(ROWS) * len(states_of("replica", origin))


def with_replica(sample):
    """Gives the key, enabled, a replica that is enabled too."""
    sample.enable()
    sample.call("replicate_key", ReplicaRegion=REPLICA)
    sample.region = REPLICA
    sample.wait_for("PendingImport" if sample.origin == "EXTERNAL" else "Enabled")
    sample.enable()
    sample.region = REGION


def while_updating(asked, sample, row, role):
    """Asks while the primary key moves between its two Regions, which it is made to do as often as it takes."""
    for _ in range(ATTEMPTS_MAX):
        sample.region = sample.primary_region
        if sample.state() != "Updating":
            sample.wait_for("Enabled")
            move(sample)
        sample.region = sample.primary_region
        if role == "replica":
            sample.region = sample.other_region()
        trial = Asked()
        trial.one(sample, row, role, "Updating")
        if sample.state() != "Updating":
            continue
        asked.count += 1
        asked.wrong += trial.wrong
        return
    raise AssertionError(f"{row}: the key was never met while it was updating")


def move(sample):
    """Moves the primary key to its other Region."""
    region = sample.other_region()
    sample.call("update_primary_region", PrimaryRegion=region)
    sample.primary_region = region


def while_creating(asked, sample, row):
    """Asks replicas that are being made, as many as it takes."""
    for _ in range(ATTEMPTS_MAX):
        if sample.region == sample.primary_region or sample.state() != "Creating":
            sample.region = sample.primary_region
            sample.wait_for("Enabled")
            region = next(sample.fresh_regions)
            sample.call("replicate_key", ReplicaRegion=region)
            sample.region = region
        trial = Asked()
        expected = trial.one(sample, row, "replica", "Creating")
        is_changed = expected is None and row[0] in CHANGING and not trial.wrong
        if not is_changed and sample.state() != "Creating":
            continue
        asked.count += 1
        asked.wrong += trial.wrong
        return
    raise AssertionError(f"{row}: no replica was met while it was being made")


def test_the_table_has_every_operation_that_names_a_key(ours):
    """A new operation has no cells yet, and fails this until it has."""
    named = {(operation, member["name"]) for operation, told in ours["operations"].items()
             for member in told["request"] if NAMES_A_KEY.search(member["name"])}
    assert named == set(ROWS) | set(NO_KEY)
    without = {operation for operation in ours["operations"]
               if operation not in {row[0] for row in ROWS}}
    assert without == set(key_states.WITHOUT_KEY)
    assert set(REQUESTS) == set(ROWS)


def test_the_table_has_every_state_usage_and_origin(ours):
    enumerations = ours["enumerations"]
    assert set(key_states.STATES) == set(enumerations["KeyState"])
    assert {state for states in ROLES.values() for state in states} == (
        set(key_states.STATES) - UNREACHABLE)
    assert {key_usage for _, key_usage in KINDS} == set(enumerations["KeyUsageType"])


def test_the_page_is_what_the_table_gives():
    written = (REPOSITORY / "docs/key-states.md").read_text(encoding="utf-8")
    assert written == key_states.page(), "run: python tests/conformance/key_states.py > docs/key-states.md"


def test_single_region_keys_and_replicas_differ_only_where_the_page_says_so():
    """The page has one table for all roles of a kind; this is what makes that right."""
    told = {row for row in ROWS if f"| {key_states.named(row)} |" in key_states.table_of_roles()}
    for key in key_states.of_keys():
        for row in set(ROWS) - told:
            if key.state in ROLES["primary"]:
                of_primary = key_states.replace(key, role="primary")
                assert key_states.cell(row, key) == key_states.cell(row, of_primary)

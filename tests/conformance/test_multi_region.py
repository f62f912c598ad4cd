"""ReplicateKey, UpdatePrimaryRegion, and what multi-Region keys share."""

import json
import re
from datetime import timedelta

import pytest

import journal
from conftest import client_of, policy, root_of, statement
from importing import ImportedKey, material_of
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION, Server
from timed import DAY, eventually

MULTI_REGION_ID = re.compile(r"mrk-[0-9a-f]{32}")
REPLICA, THIRD = "eu-west-1", "ap-southeast-2"
CHINA = "cn-north-1"
ROOT = root_of(ACCOUNT)
SPECS = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"),
         ("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY"),
         ("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
         ("HMAC_384", "GENERATE_VERIFY_MAC"), ("ML_DSA_65", "SIGN_VERIFY"),
         ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")]


class Related:
    """A multi-Region key and its clients in three Regions; its primary is in the tests' Region at first."""

    def __init__(self, client, **parameters):
        self.client = client
        self.metadata = client(REGION).create_key(MultiRegion=True, **parameters)["KeyMetadata"]
        self.key_id = self.metadata["KeyId"]

    def arn(self, region):
        """The ARN of the key in a Region."""
        return f"arn:aws:kms:{region}:{ACCOUNT}:key/{self.key_id}"

    def call(self, region, operation, **parameters):
        """An operation, by its boto3 name, on the key in a Region."""
        return getattr(self.client(region), operation)(KeyId=self.key_id, **parameters)

    def described(self, region):
        """The metadata of the key in a Region."""
        return self.call(region, "describe_key")["KeyMetadata"]

    def state(self, region):
        """The state of the key in a Region; None where there is none."""
        try:
            return self.described(region)["KeyState"]
        except self.client(region).exceptions.NotFoundException:
            return None

    def wait_for_state(self, region, state):
        """Waits until the key in a Region has that state."""
        eventually(f"{self.arn(region)} is {state}", lambda: self.state(region) == state)

    def replicate(self, region=REPLICA, state="Enabled", **parameters):
        """Makes a replica and waits for it."""
        answer = self.call(REGION, "replicate_key", ReplicaRegion=region, **parameters)
        self.wait_for_state(region, state)
        return answer

    def move(self, former, region):
        """Makes the key in a Region the primary and waits until that is done."""
        self.call(former, "update_primary_region", PrimaryRegion=region)
        for one in (former, region):
            self.wait_for_state(one, "Enabled")


def materials(related, region):
    """Ids and states of the materials of a key in a Region, with the state of their import if they have one."""
    entries = related.call(region, "list_key_rotations",
                           IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return [tuple(filter(None, (entry["KeyMaterialId"], entry["KeyMaterialState"],
                                entry.get("ImportState")))) for entry in entries]


def cleaned(answer):
    """An answer without what every answer has."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.fixture(scope="session")
def client(server):
    """The root user's client of a Region."""
    clients = {}

    def find(region):
        if region not in clients:
            clients[region] = client_of(server, server.root_credentials(), region=region)
        return clients[region]
    return find


@pytest.fixture
def related(client):
    """A primary key without replicas."""
    return Related(client)


@pytest.fixture(scope="module")
def pairs():
    """Pairs that nobody has used yet."""
    return []


@pytest.fixture
def pair(client, pairs):
    """A primary key and its replica. Several are made at once, since making one takes a second."""
    if not pairs:
        pairs += [Related(client) for _ in range(10)]
        for one in pairs:
            one.call(REGION, "replicate_key", ReplicaRegion=REPLICA)
        for one in pairs:
            one.wait_for_state(REPLICA, "Enabled")
    return pairs.pop()


# What they are


def test_create_key_makes_a_primary(related):
    metadata = related.metadata
    assert MULTI_REGION_ID.fullmatch(metadata["KeyId"])
    assert metadata["Arn"] == related.arn(REGION)
    assert metadata["MultiRegion"] is True
    assert metadata["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY", "ReplicaKeys": [],
        "PrimaryKey": {"Arn": related.arn(REGION), "Region": REGION}}
    assert metadata["KeyState"] == "Enabled"


def test_single_region_keys_have_no_configuration(kms, key):
    assert key["MultiRegion"] is False and "MultiRegionConfiguration" not in key


def test_a_replica_is_made(related):
    answer = related.call(REGION, "replicate_key", ReplicaRegion=REPLICA)
    metadata = answer["ReplicaKeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Creating", False)
    assert (metadata["KeyId"], metadata["Arn"]) == (related.key_id, related.arn(REPLICA))
    assert metadata["Description"] == "" and answer["ReplicaTags"] == []
    assert json.loads(answer["ReplicaPolicy"])["Statement"][0]["Principal"] == {"AWS": ROOT}
    related.wait_for_state(REPLICA, "Enabled")
    shared = ("KeyId", "KeySpec", "KeyUsage", "Origin", "CurrentKeyMaterialId", "MultiRegion",
              "EncryptionAlgorithms", "KeyManager", "AWSAccountId")
    primary, replica = related.described(REGION), related.described(REPLICA)
    assert {name: primary[name] for name in shared} == {name: replica[name] for name in shared}
    assert replica["CreationDate"] >= primary["CreationDate"]


def test_all_related_keys_know_each_other(pair):
    pair.replicate(THIRD)
    for region in (REGION, REPLICA, THIRD):
        told = pair.described(region)["MultiRegionConfiguration"]
        assert told["MultiRegionKeyType"] == ("PRIMARY" if region == REGION else "REPLICA")
        assert told["PrimaryKey"] == {"Arn": pair.arn(REGION), "Region": REGION}
        assert sorted(told["ReplicaKeys"], key=lambda one: one["Region"]) == [
            {"Arn": pair.arn(THIRD), "Region": THIRD}, {"Arn": pair.arn(REPLICA), "Region": REPLICA}]


def test_a_replica_cannot_be_used_while_it_is_made(client):
    """The state lasts a second at most; replicas are made until a call was in time."""
    for _ in range(5):
        related = Related(client)
        related.call(REGION, "replicate_key", ReplicaRegion=REPLICA)
        try:
            related.call(REPLICA, "encrypt", Plaintext=b"x")
        except client(REPLICA).exceptions.KMSInvalidStateException as error:
            assert error.response["Error"]["Message"] == f"{related.arn(REPLICA)} is creating."
            return
    raise AssertionError("no replica was found while it was made")


def test_each_has_its_own_policy_tags_and_description(related, client):
    text = policy(statement(ROOT), statement(ROOT, ["kms:Encrypt"], Sid="of the replica"))
    tags = [{"TagKey": "where", "TagValue": "there"}]
    answer = related.replicate(Policy=text, Tags=tags, Description="the replica")
    assert (answer["ReplicaPolicy"], answer["ReplicaTags"]) == (text, tags)
    assert answer["ReplicaKeyMetadata"]["Description"] == "the replica"
    assert related.call(REPLICA, "get_key_policy")["Policy"] == text
    assert related.call(REGION, "get_key_policy")["Policy"] != text
    assert related.call(REPLICA, "list_resource_tags")["Tags"] == tags
    assert related.call(REGION, "list_resource_tags")["Tags"] == []

    related.call(REGION, "tag_resource", Tags=[{"TagKey": "a", "TagValue": "b"}])
    related.call(REGION, "update_key_description", Description="the primary")
    related.call(REPLICA, "put_key_policy", Policy=policy(statement(ROOT)))
    assert related.call(REPLICA, "list_resource_tags")["Tags"] == tags
    assert related.described(REPLICA)["Description"] == "the replica"
    assert related.described(REGION)["Description"] == "the primary"
    assert "Sid" in json.dumps(json.loads(related.call(REGION, "get_key_policy")["Policy"]))


def test_aliases_and_states_are_their_own(pair, client, refused, alias_name):
    client(REGION).create_alias(AliasName=alias_name, TargetKeyId=pair.key_id)
    with refused("NotFoundException"):
        client(REPLICA).describe_key(KeyId=alias_name)
    client(REPLICA).create_alias(AliasName=alias_name, TargetKeyId=pair.key_id)
    assert client(REPLICA).describe_key(KeyId=alias_name)["KeyMetadata"]["Arn"] == pair.arn(REPLICA)

    pair.call(REPLICA, "disable_key")
    assert (pair.state(REGION), pair.state(REPLICA)) == ("Enabled", "Disabled")
    pair.call(REGION, "disable_key")
    pair.call(REPLICA, "enable_key")
    assert (pair.state(REGION), pair.state(REPLICA)) == ("Disabled", "Enabled")
    blob = pair.call(REPLICA, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    with refused("DisabledException", f"{pair.arn(REGION)} is disabled."):
        client(REGION).decrypt(CiphertextBlob=blob)


def test_ciphertexts_go_both_ways(pair, client):
    for here, there in ((REGION, REPLICA), (REPLICA, REGION)):
        blob = pair.call(here, "encrypt", Plaintext=b"plain",
                         EncryptionContext={"a": "b"})["CiphertextBlob"]
        for parameters in ({}, {"KeyId": pair.key_id}, {"KeyId": pair.arn(there)}):
            answer = client(there).decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"},
                                           **parameters)
            assert (answer["Plaintext"], answer["KeyId"]) == (b"plain", pair.arn(there))
        data_key = pair.call(here, "generate_data_key", KeySpec="AES_256")
        answer = client(there).decrypt(CiphertextBlob=data_key["CiphertextBlob"])
        assert answer["Plaintext"] == data_key["Plaintext"]


def test_an_arn_of_another_region_is_not_found(pair, client, refused):
    blob = pair.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    with refused("NotFoundException", f"Invalid arn {REGION}"):
        client(REPLICA).decrypt(CiphertextBlob=blob, KeyId=pair.arn(REGION))


def test_ciphertexts_of_unrelated_keys_do_not_travel(client, refused):
    blobs = [client(REGION).encrypt(KeyId=client(REGION).create_key(**parameters)["KeyMetadata"]["KeyId"],
                                    Plaintext=b"x")["CiphertextBlob"]
             for parameters in ({}, {"MultiRegion": True})]
    for blob in blobs:
        with refused("AccessDeniedException"):
            client(REPLICA).decrypt(CiphertextBlob=blob)


@pytest.mark.parametrize(("key_spec", "key_usage"), SPECS)
def test_keys_of_every_kind_work_alike_in_both_regions(client, key_spec, key_usage):
    related = Related(client, KeySpec=key_spec, KeyUsage=key_usage)
    related.replicate()
    for here, there in ((REGION, REPLICA), (REPLICA, REGION)):
        if key_usage == "ENCRYPT_DECRYPT":
            algorithm = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT" if key_spec[0] == "S"
                         else "RSAES_OAEP_SHA_256"}
            blob = related.call(here, "encrypt", Plaintext=b"plain", **algorithm)["CiphertextBlob"]
            assert related.call(there, "decrypt", CiphertextBlob=blob,
                                **algorithm)["Plaintext"] == b"plain"
        elif key_usage == "SIGN_VERIFY":
            algorithm = related.metadata["SigningAlgorithms"][0]
            signature = related.call(here, "sign", Message=b"m",
                                     SigningAlgorithm=algorithm)["Signature"]
            assert related.call(there, "verify", Message=b"m", Signature=signature,
                                SigningAlgorithm=algorithm)["SignatureValid"]
        elif key_usage == "GENERATE_VERIFY_MAC":
            macs = [related.call(region, "generate_mac", Message=b"m",
                                 MacAlgorithm="HMAC_SHA_384")["Mac"] for region in (here, there)]
            assert macs[0] == macs[1]
        else:
            keys = [related.call(region, "get_public_key")["PublicKey"] for region in (here, there)]
            assert keys[0] == keys[1]
    if key_usage == "ENCAPSULATE_DECAPSULATE":
        made = related.call(REGION, "encapsulate", EncapsulationAlgorithm="ML_KEM")
        answer = related.call(REPLICA, "decapsulate", EncapsulationAlgorithm="ML_KEM",
                              SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"])
        assert answer["SharedSecret"] == made["SharedSecret"]


# What ReplicateKey refuses


def test_only_primary_keys_are_replicated(pair, kms, key, refused):
    with refused("UnsupportedOperationException",
                 f"{key['Arn']} is not a multi-region primary key."):
        kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=REPLICA)
    with refused("UnsupportedOperationException",
                 f"{pair.arn(REPLICA)} is not a multi-region primary key."):
        pair.call(REPLICA, "replicate_key", ReplicaRegion=THIRD)


def test_one_key_for_each_region(pair, refused):
    for region in (REPLICA, REGION):
        with refused("AlreadyExistsException"):
            pair.call(REGION, "replicate_key", ReplicaRegion=region)
    pair.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    with refused("AlreadyExistsException"):
        pair.call(REGION, "replicate_key", ReplicaRegion=REPLICA)


@pytest.mark.parametrize("region", [CHINA, "us-gov-west-1"])
def test_keys_stay_in_their_partition(related, refused, region):
    with refused("ValidationException"):
        related.call(REGION, "replicate_key", ReplicaRegion=region)
    assert related.described(REGION)["MultiRegionConfiguration"]["ReplicaKeys"] == []


@pytest.mark.parametrize("region", ["", "x" * 33, "US-EAST-1", "us-east", "us_east_1"])
def test_regions_have_a_form(unchecked, related, refused, region):
    with refused("ValidationException"):
        unchecked.replicate_key(KeyId=related.key_id, ReplicaRegion=region)
    with refused("ValidationException"):
        unchecked.update_primary_region(KeyId=related.key_id, PrimaryRegion=region)


def test_china_has_multi_region_keys_too(client, refused):
    key = client(CHINA).create_key(MultiRegion=True)["KeyMetadata"]
    assert key["Arn"].startswith(f"arn:aws-cn:kms:{CHINA}:{ACCOUNT}:key/mrk-")
    replica = client(CHINA).replicate_key(KeyId=key["KeyId"], ReplicaRegion="cn-northwest-1")
    assert replica["ReplicaKeyMetadata"]["Arn"] == key["Arn"].replace(CHINA, "cn-northwest-1")


def test_only_regions_that_are_served_get_replicas(tmp_path, refused):
    running = Server(tmp_path / "data", "--regions", f"{REGION},{REPLICA}")
    try:
        kms = client_of(running, running.root_credentials())
        key_id = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        kms.replicate_key(KeyId=key_id, ReplicaRegion=REPLICA)
        with refused("ValidationException"):
            kms.replicate_key(KeyId=key_id, ReplicaRegion=THIRD)
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize(("code", "parameters"), [
    ("MalformedPolicyDocumentException", {"Policy": "{"}),
    ("MalformedPolicyDocumentException", {"Policy": policy(statement(ROOT, ["kms:Encrypt"]))}),
    ("LimitExceededException", {"Policy": policy(statement(ROOT, Sid="x" * 32_768))}),
    ("TagException", {"Tags": [{"TagKey": "aws:a", "TagValue": "1"}]}),
    ("TagException", {"Tags": [{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}]}),
])
def test_replicate_key_checks_as_create_key_does(related, refused, code, parameters):
    with refused(code):
        related.call(REGION, "replicate_key", ReplicaRegion=REPLICA, **parameters)
    assert related.state(REPLICA) is None


def test_the_lockout_check_can_be_bypassed(related):
    text = policy(statement(ROOT, ["kms:Encrypt", "kms:DescribeKey"]))
    related.replicate(Policy=text, BypassPolicyLockoutSafetyCheck=True)


def test_another_account_may_not(other, pair, refused):
    with refused("AccessDeniedException"):
        other.replicate_key(KeyId=pair.arn(REGION), ReplicaRegion=THIRD)
    with refused("AccessDeniedException"):
        other.update_primary_region(KeyId=pair.arn(REGION), PrimaryRegion=REPLICA)


def test_the_same_id_is_another_accounts_to_use_if_its_policy_says_so(related, other, server,
                                                                      other_credentials, refused):
    text = policy(statement(ROOT), statement(root_of(OTHER_ACCOUNT), ["kms:Decrypt"]))
    related.replicate(Policy=text)
    blob = related.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        other.decrypt(CiphertextBlob=blob)
    elsewhere = client_of(server, other_credentials, region=REPLICA)
    assert elsewhere.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


# Rotation


def test_a_rotation_is_shared(pair, client):
    blob = pair.call(REPLICA, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    pair.call(REGION, "rotate_key_on_demand")
    assert materials(pair, REGION) == materials(pair, REPLICA)
    assert pair.described(REPLICA)["CurrentKeyMaterialId"] == \
        pair.described(REGION)["CurrentKeyMaterialId"] != pair.metadata["CurrentKeyMaterialId"]
    newer = pair.call(REGION, "encrypt", Plaintext=b"newer")["CiphertextBlob"]
    for region in (REGION, REPLICA):
        assert client(region).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
        assert client(region).decrypt(CiphertextBlob=newer)["Plaintext"] == b"newer"


def test_a_replica_of_a_rotated_key_has_every_material(related, client):
    blobs = []
    for _ in range(3):
        blobs.append(related.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"])
        related.call(REGION, "rotate_key_on_demand")
    related.replicate()
    assert materials(related, REGION) == materials(related, REPLICA)
    for blob in blobs:
        assert client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_the_rotation_status_is_shared(related):
    related.replicate()
    related.call(REGION, "enable_key_rotation", RotationPeriodInDays=200)
    related.replicate(THIRD)
    told = cleaned(related.call(REGION, "get_key_rotation_status"))
    assert told["KeyRotationEnabled"] is True and told["RotationPeriodInDays"] == 200
    for region in (REPLICA, THIRD):
        assert cleaned(related.call(region, "get_key_rotation_status")) == {
            **told, "KeyId": related.arn(region)}
    related.call(REGION, "disable_key_rotation")
    for region in (REGION, REPLICA, THIRD):
        assert cleaned(related.call(region, "get_key_rotation_status")) == {
            "KeyRotationEnabled": False, "KeyId": related.arn(region)}


def test_an_automatic_rotation_reaches_every_region(timed):
    related = Related(timed.client)
    for region in (REPLICA, THIRD):
        related.replicate(region)
    related.call(REGION, "enable_key_rotation", RotationPeriodInDays=90)
    related.call(REPLICA, "disable_key")
    timed.advance(91 * DAY)
    eventually("it is rotated", lambda: len(materials(related, REGION)) == 2)
    timed.jobs_have_run()
    assert materials(related, REGION) == materials(related, REPLICA) == materials(related, THIRD)
    assert len(materials(related, REGION)) == 2
    dates = {related.call(region, "get_key_rotation_status")["NextRotationDate"]
             for region in (REGION, REPLICA, THIRD)}
    assert len(dates) == 1
    records = [record for record in journal.records(timed.server.directory / "journal")
               if record.get("serviceEventDetails", {}).get("keyId") == related.key_id
               and record["eventName"] in ("RotateKey", "SynchronizeMultiRegionKey")]
    assert sorted((record["eventName"], record["awsRegion"]) for record in records) == [
        ("RotateKey", REGION), ("SynchronizeMultiRegionKey", THIRD),
        ("SynchronizeMultiRegionKey", REPLICA)]


def test_rotation_goes_on_in_the_new_primary_region(timed):
    related = Related(timed.client)
    related.call(REGION, "enable_key_rotation", RotationPeriodInDays=90)
    related.replicate()
    related.move(REGION, REPLICA)
    timed.advance(91 * DAY)
    eventually("it is rotated", lambda: len(materials(related, REPLICA)) == 2)
    timed.jobs_have_run()
    assert materials(related, REGION) == materials(related, REPLICA)
    assert len(materials(related, REGION)) == 2
    related.call(REPLICA, "disable_key_rotation")
    assert related.call(REGION, "get_key_rotation_status")["KeyRotationEnabled"] is False


# UpdatePrimaryRegion


def test_update_primary_region(pair, client, refused):
    pair.replicate(THIRD)
    blob = pair.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    assert cleaned(pair.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)) == {}
    # Cryptography goes on meanwhile.
    for region in (REGION, REPLICA, THIRD):
        assert client(region).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    for region in (REGION, REPLICA):
        pair.wait_for_state(region, "Enabled")
    for region in (REGION, REPLICA, THIRD):
        told = pair.described(region)["MultiRegionConfiguration"]
        assert told["MultiRegionKeyType"] == ("PRIMARY" if region == REPLICA else "REPLICA")
        assert told["PrimaryKey"] == {"Arn": pair.arn(REPLICA), "Region": REPLICA}
        assert {one["Region"] for one in told["ReplicaKeys"]} == {REGION, THIRD}
    with refused("UnsupportedOperationException",
                 f"{pair.arn(REGION)} is not a multi-region primary key."):
        pair.call(REGION, "replicate_key", ReplicaRegion="sa-east-1")
    pair.call(REPLICA, "replicate_key", ReplicaRegion="sa-east-1")
    pair.move(REPLICA, THIRD)
    pair.move(THIRD, REGION)
    assert client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_the_keys_are_updating_meanwhile(client, refused):
    """The state lasts a second at most; keys are moved until the calls were in time."""
    for _ in range(5):
        related = Related(client)
        related.replicate()
        related.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)
        seen = [related.described(region) for region in (REGION, REPLICA)]
        refusals = []
        for region in (REGION, REPLICA):
            try:
                related.call(region, "disable_key")
            except client(region).exceptions.KMSInvalidStateException as error:
                refusals.append(error.response["Error"]["Message"])
        if len(refusals) == 2:
            assert [(one["KeyState"], one["Enabled"]) for one in seen] == [("Updating", True)] * 2
            assert refusals == [f"{related.arn(region)} is updating." for region in (REGION, REPLICA)]
            for region in (REGION, REPLICA):
                related.wait_for_state(region, "Enabled")
            return
    raise AssertionError("no key was found while it moved")


def test_the_new_primary_region_has_a_replica(pair, refused):
    with refused("NotFoundException"):
        pair.call(REGION, "update_primary_region", PrimaryRegion=THIRD)
    with refused("UnsupportedOperationException",
                 f"{pair.arn(REPLICA)} is not a multi-region primary key."):
        pair.call(REPLICA, "update_primary_region", PrimaryRegion=REGION)


def test_the_primary_region_is_no_new_one(related, pair, refused):
    for one in (related, pair):
        with refused("UnsupportedOperationException"):
            one.call(REGION, "update_primary_region", PrimaryRegion=REGION)
        assert one.state(REGION) == "Enabled"


def test_single_region_keys_do_not_move(kms, key, refused):
    for region in (REPLICA, REGION):
        with refused("UnsupportedOperationException",
                     f"{key['Arn']} is not a multi-region primary key."):
            kms.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=region)


@pytest.mark.parametrize(("operation", "code", "text"), [
    ("disable_key", "DisabledException", "disabled"),
    ("schedule_key_deletion", "KMSInvalidStateException", "pending deletion")])
def test_a_replica_that_is_to_be_primary_must_work(pair, refused, operation, code, text):
    pair.call(REPLICA, operation)
    with refused(code, f"{pair.arn(REPLICA)} is {text}."):
        pair.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)


# Deletion


def test_a_primary_waits_for_its_replicas(pair, refused):
    answer = cleaned(pair.call(REGION, "schedule_key_deletion", PendingWindowInDays=9))
    assert answer == {"KeyId": pair.arn(REGION), "KeyState": "PendingReplicaDeletion",
                      "PendingWindowInDays": 9}
    metadata = pair.described(REGION)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingReplicaDeletion", False)
    assert metadata["PendingDeletionWindowInDays"] == 9 and "DeletionDate" not in metadata
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "encrypt", Plaintext=b"x")
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "replicate_key", ReplicaRegion=THIRD)
    with refused("KMSInvalidStateException"):
        pair.call(REGION, "schedule_key_deletion")
    # The replica is its own.
    assert pair.call(REPLICA, "encrypt", Plaintext=b"x")["CiphertextBlob"]
    assert pair.described(REPLICA)["KeyState"] == "Enabled"

    assert pair.call(REGION, "cancel_key_deletion")["KeyId"] == pair.arn(REGION)
    metadata = pair.described(REGION)
    assert metadata["KeyState"] == "Disabled" and "PendingDeletionWindowInDays" not in metadata
    pair.call(REGION, "enable_key")
    assert pair.call(REGION, "encrypt", Plaintext=b"x")["CiphertextBlob"]


def test_a_primary_without_replicas_is_deleted_as_any_key(related):
    answer = related.call(REGION, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion" and "DeletionDate" in answer
    metadata = related.described(REGION)
    assert metadata["DeletionDate"] == answer["DeletionDate"]
    assert "PendingDeletionWindowInDays" not in metadata


def test_rotation_shows_false_while_a_primary_waits(pair):
    pair.call(REGION, "enable_key_rotation")
    pair.call(REGION, "schedule_key_deletion")
    assert pair.call(REGION, "get_key_rotation_status")["KeyRotationEnabled"] is False
    assert pair.call(REPLICA, "get_key_rotation_status")["KeyRotationEnabled"] is True
    pair.call(REGION, "cancel_key_deletion")
    assert pair.call(REGION, "get_key_rotation_status")["KeyRotationEnabled"] is True


def test_the_window_of_a_primary_begins_when_the_last_replica_is_gone(timed):
    related = Related(timed.client)
    for region in (REPLICA, THIRD):
        related.replicate(region)
    related.call(REGION, "schedule_key_deletion", PendingWindowInDays=10)
    related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    related.call(THIRD, "schedule_key_deletion", PendingWindowInDays=20)
    timed.advance(15 * DAY)
    timed.wait_until_gone(related.key_id, REPLICA)
    timed.jobs_have_run()
    assert related.described(REGION)["KeyState"] == "PendingReplicaDeletion"
    assert [one["Region"] for one in related.described(THIRD)["MultiRegionConfiguration"][
        "ReplicaKeys"]] == [THIRD]
    timed.advance(6 * DAY)
    timed.wait_until_gone(related.key_id, THIRD)
    metadata = related.described(REGION)
    assert metadata["KeyState"] == "PendingDeletion"
    assert "PendingDeletionWindowInDays" not in metadata
    expected = timed.now() + timedelta(days=10)
    assert abs(metadata["DeletionDate"] - expected) < timedelta(minutes=1)
    assert metadata["MultiRegionConfiguration"]["ReplicaKeys"] == []
    timed.advance(9 * DAY)
    timed.jobs_have_run()
    assert related.state(REGION) == "PendingDeletion"
    timed.advance(2 * DAY)
    timed.wait_until_gone(related.key_id, REGION)
    gone = [record["awsRegion"] for record in journal.records(timed.server.directory / "journal")
            if record["eventName"] == "DeleteKey"]
    assert gone == [REPLICA, THIRD, REGION]


def test_a_deleted_replica_can_be_made_again(timed):
    related = Related(timed.client)
    related.replicate()
    blob = related.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(related.key_id, REPLICA)
    assert related.described(REGION)["MultiRegionConfiguration"]["ReplicaKeys"] == []
    related.call(REGION, "rotate_key_on_demand")
    related.replicate()
    assert timed.client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_former_primary_is_deleted_as_a_replica(timed):
    related = Related(timed.client)
    related.replicate()
    related.move(REGION, REPLICA)
    answer = related.call(REGION, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    answer = related.call(REPLICA, "schedule_key_deletion", PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion"


# Imported material


@pytest.fixture
def imported(client):
    """A multi-Region key of imported material, its replica, and the material."""
    key = ImportedKey(client(REGION), MultiRegion=True)
    material = material_of("SYMMETRIC_DEFAULT")
    key.bring(material)
    return key, in_region(key, client, REPLICA), material


def in_region(key, client, region):
    """The replica of an imported key in a Region, made now."""
    key.kms.replicate_key(KeyId=key.key_id, ReplicaRegion=region)
    replica = ImportedKey.__new__(ImportedKey)
    replica.__dict__.update(key.__dict__, kms=client(region), wrapping={})
    replica.arn = key.arn.replace(REGION, region)
    eventually("the replica was made", lambda: replica.state() == "PendingImport")
    return replica


def states(key):
    """The state of each material, and whether it is here."""
    return [(entry["KeyMaterialState"], entry["ImportState"]) for entry in key.materials()]


def test_a_replica_wants_the_same_material(imported, client, refused):
    key, replica, material = imported
    assert states(replica) == [("CURRENT", "PENDING_IMPORT")]
    with refused("KMSInvalidStateException", f"{replica.arn} is pending import."):
        replica.kms.encrypt(KeyId=key.key_id, Plaintext=b"x")
    with refused("IncorrectKeyMaterialException"):
        replica.bring()
    with refused("UnsupportedOperationException"):
        replica.bring(ImportType="NEW_KEY_MATERIAL")
    answer = replica.bring(material, ImportType="EXISTING_KEY_MATERIAL")
    assert answer["KeyId"] == replica.arn
    assert answer["KeyMaterialId"] == key.materials()[0]["KeyMaterialId"]
    assert replica.state() == "Enabled"
    blob = key.kms.encrypt(KeyId=key.key_id, Plaintext=b"plain")["CiphertextBlob"]
    assert replica.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_token_is_of_one_region(imported, refused):
    key, replica, material = imported
    replica.wrapping = dict(key.wrapping)
    with refused("InvalidImportTokenException"):
        replica.bring(material)


def test_new_material_waits_for_every_region(imported, client, refused):
    key, replica, first = imported
    replica.bring(first)
    third = in_region(key, client, THIRD)
    third.bring(first)
    blob = key.kms.encrypt(KeyId=key.key_id, Plaintext=b"plain")["CiphertextBlob"]

    second = material_of("SYMMETRIC_DEFAULT")
    with refused("UnsupportedOperationException"):
        replica.bring(second, ImportType="NEW_KEY_MATERIAL")
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    waits = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert states(key) == [("CURRENT", "IMPORTED"), (waits, "IMPORTED")]
    assert states(replica) == [("CURRENT", "IMPORTED"), (waits, "PENDING_IMPORT")]
    with refused("KMSInvalidStateException",
                 f"No available key material pending rotation for the key: {key.arn}."):
        key.kms.rotate_key_on_demand(KeyId=key.key_id)
    replica.bring(second, ImportType="EXISTING_KEY_MATERIAL")
    assert states(key)[1] == (waits, "IMPORTED")
    third.bring(second)
    for one in (key, replica, third):
        assert states(one) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
        assert one.state() == "Enabled"

    for one in (replica, third):
        with refused("UnsupportedOperationException"):
            one.kms.rotate_key_on_demand(KeyId=key.key_id)
    key.kms.rotate_key_on_demand(KeyId=key.key_id)
    for one in (key, replica, third):
        assert states(one) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
        assert one.state() == "Enabled"
        assert one.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
        newer = one.kms.encrypt(KeyId=key.key_id, Plaintext=b"newer")["CiphertextBlob"]
        assert one.kms.decrypt(CiphertextBlob=newer)["KeyMaterialId"] == second_id


def test_material_that_waits_is_deleted_everywhere_by_the_primary(imported):
    key, replica, first = imported
    replica.bring(first)
    second = material_of("SYMMETRIC_DEFAULT")
    second_id = key.bring(second, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    replica.bring(second)
    key.kms.delete_imported_key_material(KeyId=key.key_id, KeyMaterialId=second_id)
    for one in (key, replica):
        assert states(one) == [("CURRENT", "IMPORTED")]
        assert one.state() == "Enabled"
    key.bring(ImportType="NEW_KEY_MATERIAL")
    assert len(states(replica)) == 2


def test_material_deleted_in_a_replica_is_there_elsewhere(imported, refused):
    key, replica, first = imported
    replica.bring(first)
    replica.kms.delete_imported_key_material(KeyId=key.key_id)
    assert (key.state(), replica.state()) == ("Enabled", "PendingImport")
    assert states(key) == [("CURRENT", "IMPORTED")]
    assert states(replica) == [("CURRENT", "PENDING_IMPORT")]
    assert key.kms.encrypt(KeyId=key.key_id, Plaintext=b"x")["CiphertextBlob"]
    replica.bring(first)
    assert replica.state() == "Enabled"


def test_a_replica_of_a_primary_without_material(client, refused):
    key = ImportedKey(client(REGION), MultiRegion=True)
    with refused("KMSInvalidStateException", f"{key.arn} is pending import."):
        key.kms.replicate_key(KeyId=key.key_id, ReplicaRegion=REPLICA)


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_other_imported_keys_are_replicated_too(client, refused, key_spec, key_usage):
    key = ImportedKey(client(REGION), key_spec, key_usage, MultiRegion=True)
    material = material_of(key_spec)
    key.bring(material)
    replica = in_region(key, client, REPLICA)
    with refused("IncorrectKeyMaterialException"):
        replica.bring(material_of(key_spec))
    replica.bring(material)
    assert replica.state() == "Enabled"


# Records and restarts


def test_a_replica_has_its_record_in_both_regions(server, pair):
    records = [record for record in journal.records(server.directory / "journal")
               if any(resource["ARN"].endswith(pair.key_id) for resource in record.get("resources", []))]
    [replicated] = [one for one in records if one["eventName"] == "ReplicateKey"]
    assert replicated["awsRegion"] == REGION
    assert replicated["requestParameters"]["replicaRegion"] == REPLICA
    told = replicated["responseElements"]
    assert set(told) == {"replicaKeyMetadata", "replicaPolicy", "replicaTags"}
    assert told["replicaKeyMetadata"]["arn"] == pair.arn(REPLICA)
    created = [one for one in records if one["eventName"] == "CreateKey"]
    assert [one["awsRegion"] for one in created] == [REGION, REPLICA]
    assert created[1]["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key",
                                        "ARN": pair.arn(REPLICA)}]


def test_related_keys_survive_restarts(own_server):
    def client(region):
        return client_of(own_server, own_server.root_credentials(), region=region)

    related = Related(client)
    blob = related.call(REGION, "encrypt", Plaintext=b"plain")["CiphertextBlob"]
    # What was begun is finished after a crash.
    related.call(REGION, "replicate_key", ReplicaRegion=REPLICA)
    own_server.kill()
    own_server.start()
    related.wait_for_state(REPLICA, "Enabled")
    assert client(REPLICA).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    related.call(REGION, "update_primary_region", PrimaryRegion=REPLICA)
    own_server.kill()
    own_server.start()
    for region in (REGION, REPLICA):
        related.wait_for_state(region, "Enabled")
        told = related.described(region)["MultiRegionConfiguration"]
        assert told["PrimaryKey"]["Region"] == REPLICA
    related.call(REPLICA, "rotate_key_on_demand")
    assert own_server.stop() == 0
    own_server.start()
    assert materials(related, REGION) == materials(related, REPLICA)
    assert client(REGION).decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"

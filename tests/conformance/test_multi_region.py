"""ReplicateKey, and what multi-Region keys share."""

import json
import re

import pytest

import journal
from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION, Server
from related import REPLICA, THIRD, Related, cleaned, materials
from timed import DAY, eventually

MULTI_REGION_ID = re.compile(r"mrk-[0-9a-f]{32}")
CHINA = "cn-north-1"
ROOT = root_of(ACCOUNT)
SPECS = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"),
         ("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY"),
         ("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
         ("HMAC_384", "GENERATE_VERIFY_MAC"), ("ML_DSA_65", "SIGN_VERIFY"),
         ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE")]


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

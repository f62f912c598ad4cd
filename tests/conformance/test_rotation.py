"""EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations."""

import re
import threading
from datetime import datetime, timedelta, timezone

import pytest

import journal
from conftest import client_of, policy, root_of, statement
from importing import ImportedKey
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from timed import DAY, HOUR, MINUTE, eventually

MATERIAL_ID = re.compile(r"[0-9a-f]{64}")
ON_DEMAND_ROTATIONS_MAX = 25
OTHER_REGION = "eu-central-1"
OPERATIONS = ["enable_key_rotation", "disable_key_rotation", "get_key_rotation_status",
              "rotate_key_on_demand", "list_key_rotations"]
# Every kind of key that has no versions.
UNROTATED = [("RSA_2048", "ENCRYPT_DECRYPT"), ("RSA_2048", "SIGN_VERIFY"),
             ("ECC_NIST_P256", "KEY_AGREEMENT"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
             ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ML_DSA_44", "SIGN_VERIFY"),
             ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")]
IMPORTED = "You cannot enable automatic rotation of imported key material."


def limit_of(arn):
    """AWS's sentence for one rotation too many."""
    return ("The on-demand rotations limit has been reached for the given keyId. No more on-demand "
            f"rotations can be performed for this key: {arn}")


def encrypt(kms, key):
    """A ciphertext under the current material."""
    return kms.encrypt(KeyId=key["KeyId"], Plaintext=b"plain")["CiphertextBlob"]


def rotations(kms, key, **parameters):
    """All rotations of a key, by pages."""
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key["KeyId"], **parameters)
    return [entry for page in pages for entry in page["Rotations"]]


def every_material(kms, key):
    """All materials of a key."""
    return rotations(kms, key, IncludeKeyMaterial="ALL_KEY_MATERIAL")


def status(kms, key):
    """What GetKeyRotationStatus tells."""
    answer = kms.get_key_rotation_status(KeyId=key["KeyId"])
    answer.pop("ResponseMetadata")
    return answer


def new_key(kms, **parameters):
    """The metadata of a fresh key."""
    return kms.create_key(**parameters)["KeyMetadata"]


def is_near(date, expected):
    """Whether a date is the expected one but for the time that a call takes."""
    return abs(date - expected) < timedelta(seconds=30)


def wait_for_rotations(kms, key, count):
    """Waits until a key was rotated that often."""
    eventually(f"{count} rotations", lambda: len(rotations(kms, key)) == count)


def events_of(server, key, name="RotateKey"):
    """The events of the service about a key."""
    return [record for record in journal.records(server.directory / "journal")
            if record["eventName"] == name and record["eventType"] == "AwsServiceEvent"
            and record["serviceEventDetails"]["keyId"] == key["KeyId"]]


def test_rotation_is_off_unless_it_is_enabled(kms, key):
    assert status(kms, key) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    assert rotations(kms, key) == []


@pytest.mark.parametrize("days", [None, 90, 365, 2560])
def test_enable_key_rotation(kms, key, days):
    period = {} if days is None else {"RotationPeriodInDays": days}
    kms.enable_key_rotation(KeyId=key["KeyId"], **period)
    told = status(kms, key)
    expected = datetime.now(timezone.utc) + timedelta(days=days or 365)
    assert is_near(told.pop("NextRotationDate"), expected)
    assert told == {"KeyRotationEnabled": True, "KeyId": key["Arn"],
                    "RotationPeriodInDays": days or 365}


@pytest.mark.parametrize("days", [0, 89, 2561, -1])
def test_enable_key_rotation_bounds_the_period(unchecked, refused, key, days):
    with refused("ValidationException"):
        unchecked.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=days)
    assert status(unchecked, key)["KeyRotationEnabled"] is False


def test_disable_key_rotation(kms, key):
    kms.disable_key_rotation(KeyId=key["KeyId"])
    kms.enable_key_rotation(KeyId=key["KeyId"])
    for _ in range(2):
        kms.disable_key_rotation(KeyId=key["KeyId"])
        assert status(kms, key) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}


@pytest.mark.parametrize(("key_spec", "key_usage"), UNROTATED)
def test_only_symmetric_encryption_keys_have_rotations(kms, refused, key_spec, key_usage):
    key = new_key(kms, KeySpec=key_spec, KeyUsage=key_usage)
    for operation in OPERATIONS:
        with refused("UnsupportedOperationException"):
            getattr(kms, operation)(KeyId=key["KeyId"])


def test_imported_material_is_not_rotated_by_itself(kms, refused):
    key = ImportedKey(kms)
    key.bring()
    for operation in (kms.enable_key_rotation, kms.disable_key_rotation):
        with refused("UnsupportedOperationException", IMPORTED):
            operation(KeyId=key.key_id)
    assert status(kms, key.metadata) == {"KeyRotationEnabled": False, "KeyId": key.arn}


def test_replicas_leave_rotation_to_their_primary(server, kms, refused):
    key = new_key(kms, MultiRegion=True)
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=OTHER_REGION)
    elsewhere = client_of(server, server.root_credentials(), region=OTHER_REGION)
    arn = key["Arn"].replace(REGION, OTHER_REGION)
    eventually("the replica works", lambda: elsewhere.describe_key(
        KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled")
    for operation in ("enable_key_rotation", "disable_key_rotation", "rotate_key_on_demand"):
        with refused("UnsupportedOperationException"):
            getattr(elsewhere, operation)(KeyId=arn)


def test_rotate_on_demand(kms, key):
    blob = encrypt(kms, key)
    assert kms.rotate_key_on_demand(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    current = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]
    assert MATERIAL_ID.fullmatch(current) and current != key["CurrentKeyMaterialId"]
    [entry] = rotations(kms, key)
    assert is_near(entry.pop("RotationDate"), datetime.now(timezone.utc))
    assert entry == {"KeyId": key["KeyId"], "KeyMaterialId": current, "KeyMaterialState": "CURRENT",
                     "RotationType": "ON_DEMAND"}
    assert status(kms, key) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    answer = kms.decrypt(CiphertextBlob=blob)
    assert (answer["Plaintext"], answer["KeyMaterialId"]) == (b"plain", key["CurrentKeyMaterialId"])
    answer = kms.decrypt(CiphertextBlob=encrypt(kms, key))
    assert answer["KeyMaterialId"] == current


def test_re_encrypt_moves_to_the_current_material(kms, key):
    blob = encrypt(kms, key)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    current = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]
    answer = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])
    assert answer["SourceKeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert answer["DestinationKeyMaterialId"] == current
    assert kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])["KeyMaterialId"] == current


def test_every_old_ciphertext_stays_decryptable_up_to_the_limit(kms, refused, key):
    blobs = [encrypt(kms, key)]
    for _ in range(ON_DEMAND_ROTATIONS_MAX):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
        blobs.append(encrypt(kms, key))
    with refused("LimitExceededException", limit_of(key["Arn"])):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    ids = [kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs]
    assert ids == [entry["KeyMaterialId"] for entry in every_material(kms, key)]
    assert len(set(ids)) == ON_DEMAND_ROTATIONS_MAX + 1


def test_callers_at_once_rotate_no_oftener_than_the_limit(server, key):
    outcomes = []

    def rotate():
        own = client_of(server, server.root_credentials())
        for _ in range(10):
            try:
                own.rotate_key_on_demand(KeyId=key["KeyId"])
                outcomes.append("rotated")
            except own.exceptions.LimitExceededException:
                outcomes.append("refused")

    threads = [threading.Thread(target=rotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own = client_of(server, server.root_credentials())
    entries = rotations(own, key)
    assert outcomes.count("rotated") == len(entries) == ON_DEMAND_ROTATIONS_MAX
    assert outcomes.count("refused") == 40 - ON_DEMAND_ROTATIONS_MAX
    assert [entry["KeyMaterialState"] for entry in entries] == ["NON_CURRENT"] * 24 + ["CURRENT"]


def test_list_key_rotations_pages_in_order(kms, key):
    for _ in range(5):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    whole = kms.list_key_rotations(KeyId=key["KeyId"])
    assert whole["Truncated"] is False and "NextMarker" not in whole
    entries = whole["Rotations"]
    dates = [entry["RotationDate"] for entry in entries]
    assert dates == sorted(dates) and len(dates) == 5
    for size in (1, 2, 3, 5, 1000):
        assert rotations(kms, key, PaginationConfig={"PageSize": size}) == entries
    page = kms.list_key_rotations(KeyId=key["KeyId"], Limit=2)
    assert page["Truncated"] is True and page["Rotations"] == entries[:2]
    # A rotation between two pages is on the last one.
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    rest = kms.list_key_rotations(KeyId=key["KeyId"], Marker=page["NextMarker"])["Rotations"]
    assert [entry["KeyMaterialId"] for entry in rest[:3]] == [
        entry["KeyMaterialId"] for entry in entries[2:]]
    assert len(rest) == 4


def test_list_key_rotations_can_include_the_first_material(kms, key):
    [first] = every_material(kms, key)
    assert first == {"KeyId": key["KeyId"], "KeyMaterialId": key["CurrentKeyMaterialId"],
                     "KeyMaterialState": "CURRENT"}
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert rotations(kms, key) == rotations(kms, key, IncludeKeyMaterial="ROTATIONS_ONLY")
    first, second = every_material(kms, key)
    assert first == {"KeyId": key["KeyId"], "KeyMaterialId": key["CurrentKeyMaterialId"],
                     "KeyMaterialState": "NON_CURRENT"}
    assert [second] == rotations(kms, key)
    pages = rotations(kms, key, IncludeKeyMaterial="ALL_KEY_MATERIAL",
                      PaginationConfig={"PageSize": 1})
    assert pages == [first, second]


def test_list_key_rotations_refuses_markers_that_it_did_not_give(kms, refused, key):
    other = new_key(kms)
    for _ in range(2):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
        kms.rotate_key_on_demand(KeyId=other["KeyId"])
    marker = kms.list_key_rotations(KeyId=key["KeyId"], Limit=1)["NextMarker"]
    with refused("InvalidMarkerException"):
        kms.list_key_rotations(KeyId=key["KeyId"], Marker="forged")
    with refused("InvalidMarkerException"):
        kms.list_key_rotations(KeyId=other["KeyId"], Marker=marker)
    with refused("InvalidMarkerException"):
        kms.list_key_rotations(KeyId=key["KeyId"], Marker=marker,
                               IncludeKeyMaterial="ALL_KEY_MATERIAL")


@pytest.mark.parametrize("parameters", [
    {"Limit": 0}, {"Limit": 1001}, {"Marker": ""}, {"Marker": "x" * 1025},
    {"IncludeKeyMaterial": "SOME"},
])
def test_list_key_rotations_refuses_what_breaks_a_constraint(unchecked, refused, key, parameters):
    with refused("ValidationException"):
        unchecked.list_key_rotations(KeyId=key["KeyId"], **parameters)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_keys_are_named_by_id_or_arn(kms, refused, key, alias_name, unknown_key_arn, operation):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    call = getattr(kms, operation)
    with refused("NotFoundException", f"Invalid keyId '{alias_name}'"):
        call(KeyId=alias_name)
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        call(KeyId=unknown_key_arn)
    call(KeyId=key["Arn"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_another_account_may_not(other, refused, key, operation):
    with refused("AccessDeniedException"):
        getattr(other, operation)(KeyId=key["Arn"])


def test_another_account_may_be_told_the_status(kms, other, refused):
    text = policy(statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT)))
    key = new_key(kms, Policy=text)
    assert status(other, {"KeyId": key["Arn"]}) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    for operation in OPERATIONS:
        if operation != "get_key_rotation_status":
            with refused("AccessDeniedException"):
                getattr(other, operation)(KeyId=key["Arn"])


def test_a_rotation_on_demand_has_its_event(server, kms, key):
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    current = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]
    [event] = events_of(server, key)
    assert event["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert event["awsRegion"] == REGION
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    assert event["serviceEventDetails"] == {
        "keyId": key["KeyId"], "rotationType": "ON_DEMAND", "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": key["CurrentKeyMaterialId"], "currentKeyMaterialId": current}


def test_a_key_is_rotated_on_its_date_and_only_once(timed):
    kms = timed.kms
    key, unrotated = new_key(kms), new_key(kms)
    blob = encrypt(kms, key)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    first_date = status(kms, key)["NextRotationDate"]

    timed.advance(90 * DAY - HOUR)
    timed.jobs_have_run()
    assert rotations(kms, key) == []

    timed.advance(2 * HOUR)
    wait_for_rotations(kms, key, 1)
    timed.jobs_have_run()
    [entry] = rotations(kms, key)
    assert entry["RotationType"] == "AUTOMATIC"
    assert first_date <= entry["RotationDate"] <= timed.now()
    assert status(kms, key)["NextRotationDate"] == first_date + timedelta(days=90)
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata["CurrentKeyMaterialId"] == entry["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    assert rotations(kms, unrotated) == []
    [event] = events_of(timed.server, key)
    assert event["serviceEventDetails"]["rotationType"] == "AUTOMATIC"
    assert event["serviceEventDetails"]["currentKeyMaterialId"] == entry["KeyMaterialId"]

    timed.advance(90 * DAY)
    wait_for_rotations(kms, key, 2)
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == key["CurrentKeyMaterialId"]


def test_a_rotation_survives_restarts_and_never_happens_twice(timed):
    key = new_key(timed.kms)
    blob = encrypt(timed.kms, key)
    timed.kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    first_date = status(timed.kms, key)["NextRotationDate"]
    timed.restart()
    timed.advance(90 * DAY + HOUR)
    wait_for_rotations(timed.kms, key, 1)
    entries = rotations(timed.kms, key)
    timed.restart()
    # The same date comes once more.
    timed.advance(90 * DAY + 2 * HOUR)
    timed.jobs_have_run()
    assert rotations(timed.kms, key) == entries
    assert status(timed.kms, key)["NextRotationDate"] == first_date + timedelta(days=90)
    assert timed.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    assert len(events_of(timed.server, key)) == 1


def test_a_rotation_survives_a_crash(timed):
    key = new_key(timed.kms)
    timed.kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    timed.advance(90 * DAY + HOUR)
    timed.server.kill()
    timed.server.start()
    timed.began_anew()
    timed.advance(90 * DAY + HOUR)
    wait_for_rotations(timed.kms, key, 1)
    timed.jobs_have_run()
    assert len(rotations(timed.kms, key)) == 1
    assert len(events_of(timed.server, key)) == 1


def test_a_long_absence_is_made_up_for_by_one_rotation(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    timed.advance(10 * 90 * DAY + DAY)
    wait_for_rotations(kms, key, 1)
    timed.jobs_have_run()
    assert len(rotations(kms, key)) == 1
    assert timed.now() < status(kms, key)["NextRotationDate"] <= timed.now() + timedelta(days=90)


def test_a_disabled_key_waits_and_is_rotated_once_when_enabled(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    kms.disable_key(KeyId=key["KeyId"])
    assert status(kms, key) == before
    timed.advance(200 * DAY)
    timed.jobs_have_run()
    assert rotations(kms, key) == []
    assert status(kms, key)["KeyRotationEnabled"] is True
    kms.enable_key(KeyId=key["KeyId"])
    wait_for_rotations(kms, key, 1)
    timed.jobs_have_run()
    assert len(rotations(kms, key)) == 1
    assert is_near(status(kms, key)["NextRotationDate"], timed.now() + timedelta(days=90))


def test_a_key_enabled_before_its_date_keeps_it(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"])
    before = status(kms, key)
    kms.disable_key(KeyId=key["KeyId"])
    timed.advance(100 * DAY)
    kms.enable_key(KeyId=key["KeyId"])
    timed.jobs_have_run()
    assert status(kms, key) == before
    assert rotations(kms, key) == []


def test_a_key_pending_deletion_shows_false_and_waits(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    timed.advance(80 * DAY)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=30)
    assert status(kms, key) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    timed.advance(20 * DAY)
    timed.jobs_have_run()
    assert rotations(kms, key) == []
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert status(kms, key) == before
    timed.jobs_have_run()
    assert rotations(kms, key) == []
    kms.enable_key(KeyId=key["KeyId"])
    wait_for_rotations(kms, key, 1)


def test_a_new_period_counts_from_the_last_rotation(timed):
    kms = timed.kms
    key = new_key(kms)
    enabled = timed.now()
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=365)
    timed.advance(50 * DAY)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    told = status(kms, key)
    assert told["RotationPeriodInDays"] == 90
    assert is_near(told["NextRotationDate"], enabled + timedelta(days=90))
    timed.advance(41 * DAY)
    wait_for_rotations(kms, key, 1)
    [entry] = rotations(kms, key)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=200)
    assert is_near(status(kms, key)["NextRotationDate"],
                   entry["RotationDate"] + timedelta(days=200))


def test_a_period_that_has_passed_already_rotates_at_once(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=365)
    timed.advance(200 * DAY)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    wait_for_rotations(kms, key, 1)


def test_rotation_that_was_disabled_begins_anew(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    timed.advance(80 * DAY)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    timed.advance(80 * DAY)
    timed.jobs_have_run()
    assert rotations(kms, key) == []
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    assert is_near(status(kms, key)["NextRotationDate"], timed.now() + timedelta(days=90))


def test_a_rotation_on_demand_leaves_the_dates_alone(timed):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    before = status(kms, key)
    timed.advance(86 * DAY)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert status(kms, key) == before
    timed.advance(5 * DAY)
    wait_for_rotations(kms, key, 2)
    assert [entry["RotationType"] for entry in rotations(kms, key)] == ["ON_DEMAND", "AUTOMATIC"]
    assert status(kms, key)["NextRotationDate"] == before["NextRotationDate"] + timedelta(days=90)


def test_no_rotation_on_demand_just_before_the_date(timed, refused):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    timed.advance(90 * DAY - 21 * MINUTE)
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    timed.advance(2 * MINUTE)
    with refused("ConflictException"):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    kms.disable_key_rotation(KeyId=key["KeyId"])
    kms.rotate_key_on_demand(KeyId=key["KeyId"])
    assert len(rotations(kms, key)) == 2


def test_rotations_stay_in_order_when_the_clock_goes_back(timed):
    key = new_key(timed.kms)
    timed.advance(30 * DAY)
    for _ in range(2):
        timed.kms.rotate_key_on_demand(KeyId=key["KeyId"])
    timed.restart()
    kms = timed.kms
    for _ in range(2):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    entries = rotations(kms, key)
    assert [entry["KeyMaterialState"] for entry in entries] == ["NON_CURRENT"] * 3 + ["CURRENT"]
    assert entries[-1]["KeyMaterialId"] == kms.describe_key(
        KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]


def test_automatic_rotations_do_not_count_against_the_limit(timed, refused):
    kms = timed.kms
    key = new_key(kms)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    for count in (1, 2):
        timed.advance(91 * DAY)
        wait_for_rotations(kms, key, count)
    for _ in range(ON_DEMAND_ROTATIONS_MAX):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    with refused("LimitExceededException", limit_of(key["Arn"])):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
    timed.advance(91 * DAY)
    wait_for_rotations(kms, key, ON_DEMAND_ROTATIONS_MAX + 3)

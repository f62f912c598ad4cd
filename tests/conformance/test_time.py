"""What only time brings, with the clock of a test-clock build moved forward."""

import contextlib
import sqlite3
from datetime import timedelta

import journal
from importing import ImportedKey
from keystead import ACCOUNT, REGION, binary
from signing import Caller
from timed import DAY, HOUR, eventually

OTHER_REGION = "eu-west-1"
PIECE_BYTES = 12


def test_a_key_is_deleted_on_its_date_and_not_before(timed):
    kept = timed.call("CreateKey")["KeyMetadata"]
    key = timed.call("CreateKey", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    timed.call("CreateAlias", AliasName="alias/gone", TargetKeyId=key["KeyId"])
    blob = timed.call("Encrypt", KeyId=key["KeyId"], Plaintext="eA==")["CiphertextBlob"]
    kept_blob = timed.call("Encrypt", KeyId=kept["KeyId"], Plaintext="eA==")["CiphertextBlob"]
    timed.call("ScheduleKeyDeletion", KeyId=key["KeyId"], PendingWindowInDays=7)

    timed.advance(7 * DAY - 3600)
    timed.jobs_have_run()
    metadata = timed.call("DescribeKey", KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata["KeyState"] == "PendingDeletion"

    timed.advance(DAY + 3600)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key['KeyId']}"
    gone = ("NotFoundException", f"Key '{arn}' does not exist")
    timed.wait_until_gone(key["KeyId"])
    assert timed.error("DescribeKey", KeyId=key["KeyId"]) == gone
    assert timed.error("Encrypt", KeyId=key["KeyId"], Plaintext="eA==") == gone
    assert timed.error("CancelKeyDeletion", KeyId=key["KeyId"]) == gone
    assert timed.error("DescribeKey", KeyId="alias/gone") == (
        "NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/gone is not found.")
    assert timed.error("Decrypt", CiphertextBlob=blob)[0] in (
        "NotFoundException", "AccessDeniedException")
    listed = [entry["KeyId"] for entry in timed.call("ListKeys")["Keys"]]
    assert kept["KeyId"] in listed and key["KeyId"] not in listed
    aliases = [alias["AliasName"] for alias in timed.call("ListAliases")["Aliases"]]
    assert not [alias for alias in aliases if not alias.startswith("alias/aws/")]
    timed.call("CreateAlias", AliasName="alias/gone", TargetKeyId=kept["KeyId"])
    assert timed.call("Decrypt", CiphertextBlob=kept_blob)["Plaintext"] == "eA=="


def test_the_deletion_leaves_its_own_record(timed):
    key = timed.call("CreateKey")["KeyMetadata"]
    timed.call("ScheduleKeyDeletion", KeyId=key["KeyId"], PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(key["KeyId"])
    events = [record for record in journal.records(timed.server.directory / "journal")
              if record["eventName"] == "DeleteKey"]
    assert len(events) == 1
    event = events[0]
    assert event["eventType"] == "AwsServiceEvent"
    assert event["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert event["serviceEventDetails"] == {"keyId": key["KeyId"]}
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]


def test_a_cancelled_deletion_never_happens(timed):
    key = timed.call("CreateKey")["KeyMetadata"]
    blob = timed.call("Encrypt", KeyId=key["KeyId"], Plaintext="eA==")["CiphertextBlob"]
    timed.call("ScheduleKeyDeletion", KeyId=key["KeyId"], PendingWindowInDays=7)
    timed.advance(6 * DAY)
    timed.call("CancelKeyDeletion", KeyId=key["KeyId"])
    timed.advance(30 * DAY)
    timed.jobs_have_run()
    timed.call("EnableKey", KeyId=key["KeyId"])
    assert timed.call("Decrypt", CiphertextBlob=blob)["Plaintext"] == "eA=="


def test_a_deletion_that_fell_due_while_the_server_was_down_happens_at_its_start(timed):
    key = timed.call("CreateKey")["KeyMetadata"]
    timed.call("ScheduleKeyDeletion", KeyId=key["KeyId"], PendingWindowInDays=7)
    timed.restart()
    timed.advance(8 * DAY)
    timed.wait_until_gone(key["KeyId"])


def wrapped_materials(directory):
    """The wrapped material of each key, by Region and key id, as it stands in the database."""
    found = {}
    database = sqlite3.connect(f"file:{directory / 'keystead.db'}?mode=ro", uri=True)
    with contextlib.closing(database):
        for region, key_id, wrapped in database.execute(
                "SELECT region, key_id, wrapped FROM key_materials WHERE length(wrapped) > 0"):
            found.setdefault((region, key_id), []).append(wrapped)
    return found


def pieces(secrets):
    """Every piece of the secrets that is long enough to be found by no chance."""
    return {secret[at:at + PIECE_BYTES] for secret in secrets
            for at in range(len(secret) - PIECE_BYTES + 1)}


def files_with(directory, wanted):
    """The files below a directory that hold any of the pieces."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found += [path.name for piece in wanted if piece in data][:1]
    return found


def test_a_deleted_key_leaves_no_bytes_behind(timed):
    kms, directory = timed.kms, timed.server.directory
    keys = {"plain": kms.create_key(Description="canary-of-a-deleted-key")["KeyMetadata"]["KeyId"],
            "signing": kms.create_key(KeySpec="ECC_NIST_P256",
                                      KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"],
            "kept": kms.create_key()["KeyMetadata"]["KeyId"]}
    imported = ImportedKey(kms)
    imported.bring()
    keys["imported"] = imported.key_id
    for _ in range(2):
        kms.rotate_key_on_demand(KeyId=keys["plain"])
    kms.encrypt(KeyId=keys["plain"], Plaintext=b"used")
    shared = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=shared, ReplicaRegion=OTHER_REGION)
    timed.wait_for_state(shared, "Enabled", OTHER_REGION)

    wrapped = wrapped_materials(directory)
    kept = pieces(wrapped.pop((REGION, keys.pop("kept"))))
    doomed = {name: pieces(wrapped[(REGION, key_id)]) for name, key_id in keys.items()}
    doomed["replica"] = pieces(wrapped[(OTHER_REGION, shared)])
    doomed["canary"] = {b"canary-of-a-deleted-key"}
    assert len(wrapped[(REGION, keys["plain"])]) == 3
    for wanted in doomed.values():
        assert files_with(directory, wanted)

    for key_id in keys.values():
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    timed.client(OTHER_REGION).schedule_key_deletion(KeyId=shared, PendingWindowInDays=7)
    timed.advance(8 * DAY)
    for key_id in keys.values():
        timed.wait_until_gone(key_id)
    timed.wait_until_gone(shared, OTHER_REGION)
    # While the server runs and its log of changes is open, and after it has ended.
    for name in ("plain", "signing", "imported", "replica"):
        eventually(f"nothing is left of {name}", lambda: not files_with(directory, doomed[name]))
    assert timed.server.stop() == 0
    # Descriptions are in the journal for good; wrapped material is nowhere.
    doomed.pop("canary")
    for wanted in doomed.values():
        assert files_with(directory, wanted) == []
    for path in directory.iterdir():
        assert path.is_dir() or b"canary-of-a-deleted-key" not in path.read_bytes(), path
    assert files_with(directory, kept)
    timed.server.start()
    timed.began_anew()
    timed.call("Encrypt", KeyId=shared, Plaintext="eA==")


def test_material_that_was_deleted_or_expired_leaves_no_bytes_behind(timed):
    directory = timed.server.directory
    deleted, expired = ImportedKey(timed.kms), ImportedKey(timed.kms)
    deleted.bring()
    expired.bring(ValidTo=timed.now() + timedelta(hours=1))
    doomed = pieces(secret for key in (deleted, expired)
                    for secret in wrapped_materials(directory)[(REGION, key.key_id)])
    assert files_with(directory, doomed)
    timed.kms.delete_imported_key_material(KeyId=deleted.key_id)
    timed.advance(2 * HOUR)
    timed.wait_for_state(expired.key_id, "PendingImport")
    eventually("nothing is left", lambda: not files_with(directory, doomed))


def test_a_server_that_dies_after_a_deletion_leaves_no_bytes_behind(timed):
    directory = timed.server.directory
    key_id = timed.kms.create_key()["KeyMetadata"]["KeyId"]
    doomed = pieces(wrapped_materials(directory)[(REGION, key_id)])
    timed.kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(key_id)
    timed.server.kill()
    timed.server.start()
    assert files_with(directory, doomed) == []


def test_a_signature_ages_with_the_server(timed):
    timed.advance(DAY)
    stale = Caller(timed.server.port, *timed.server.root_credentials())
    answer = stale.call("ListKeys")
    assert answer.error == "InvalidSignatureException"
    assert answer.message.startswith("Signature expired: ")
    timed.call("ListKeys")


def test_only_the_test_build_has_a_clock_that_moves(server, caller):
    for method in ("POST", "GET", "PUT"):
        status, _ = server.admin(method, "/test-clock/advance", "86400")
        assert status in (404, 405)
    assert caller.call("ListKeys").status == 200
    names = binary().read_bytes()
    assert b"test-clock" not in names
    assert b"test-clock" in binary("KEYSTEAD_TEST_CLOCK_BINARY").read_bytes()

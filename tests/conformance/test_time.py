"""What only time brings, with the clock of a test-clock build moved forward."""

import shutil

import journal
from keystead import ACCOUNT, REGION, binary
from signing import Caller
from timed import DAY


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
    assert timed.call("ListAliases")["Aliases"] == []
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


def test_a_deleted_key_leaves_no_bytes_behind(timed):
    key = timed.call("CreateKey", Description="canary-of-a-deleted-key")["KeyMetadata"]
    timed.call("ScheduleKeyDeletion", KeyId=key["KeyId"], PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(key["KeyId"])
    assert timed.server.stop() == 0
    copy = timed.server.directory.with_name("copy")
    shutil.copytree(timed.server.directory, copy, ignore=shutil.ignore_patterns("journal", "*.sock"))
    for path in copy.rglob("*"):
        if path.is_file():
            assert b"canary-of-a-deleted-key" not in path.read_bytes(), path
    timed.server.start()


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

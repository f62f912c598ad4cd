"""`keystead audit`: the journal is proven whole, every kind of tampering shows, and records are told by selection."""

import json
import random
import re
import shutil

import pytest

import journal
import keystead
from conftest import client_of
from keystead import ACCOUNT, REGION

CALLS = 60
# Places at which one byte is changed.
FLIPS = 150


@pytest.fixture(name="written", scope="module")
def fixture_written(tmp_path_factory):
    """A data directory whose server has ended, with some records in its journal."""
    directory = tmp_path_factory.mktemp("audited") / "data"
    server = keystead.Server(directory)
    kms = client_of(server, server.root_credentials())
    key = kms.create_key()["KeyMetadata"]
    for number in range(CALLS):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"n": str(number)})
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/none")
    assert server.stop() == 0
    return directory, key


@pytest.fixture(name="copy")
def fixture_copy(written, tmp_path):
    """A copy of that journal, to spoil."""
    return shutil.copytree(written[0] / "journal", tmp_path / "journal")


def verify(path, *arguments):
    """Exit code and text of `keystead audit verify`."""
    done = keystead.run("audit", "verify", path, *arguments)
    return done.returncode, done.stdout + done.stderr


def export(path, *arguments):
    """The records that `keystead audit export` tells."""
    done = keystead.run("audit", "export", path, *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def frames_of(path):
    """The beginning and end of each frame in a segment."""
    data, at, found = path.read_bytes(), journal.HEADER.size, []
    while any(data[at:at + journal.FIXED.size]):
        length = journal.FIXED.unpack_from(data, at)[0]
        end = at + journal.FIXED.size + length + journal.TRAILER_BYTES
        found.append((at, end))
        at = end
    return data, found


def test_a_whole_journal_is_proven_where_it_lies_and_where_it_was_copied(written, copy):
    records = journal.records(copy)
    for path in (written[0], written[0] / "journal", copy):
        code, told = verify(path)
        assert code == 0, told
        assert told.startswith(f"whole: {len(records)} records\nhead: "), told


def test_the_journal_of_a_running_server_is_proven(server, kms):
    kms.list_keys()
    code, told = verify(server.directory)
    assert code == 0 and told.startswith("whole: "), told


def test_any_changed_byte_shows(copy):
    path, = journal.segments(copy)
    data, frames = frames_of(path)
    chosen = random.Random(7)
    for at in sorted(chosen.sample(range(frames[-1][1]), FLIPS)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1:])
        code, told = verify(copy)
        assert code == 1, (at, told)
        assert str(path) in told and "at byte" in told or "format version" in told, (at, told)


def test_the_first_bad_record_is_named(copy):
    path, = journal.segments(copy)
    data, frames = frames_of(path)
    start, _ = frames[9]
    path.write_bytes(data[:start + 40] + b"\xff" + data[start + 41:])
    code, told = verify(copy)
    assert code == 1
    assert f"{path} at byte {start}: its content does not match its hash" in told, told
    assert "proven up to record 9," in told, told


def swapped(frames):
    return [*frames[:10], frames[11], frames[10], *frames[12:]]


@pytest.mark.parametrize("tamper", [
    lambda frames: frames[:10] + frames[11:],
    swapped,
    lambda frames: frames[:11] + frames[10:],
    lambda frames: [*frames[:10], frames[3], *frames[10:]],
    lambda frames: frames[1:],
], ids=["deleted", "swapped", "twice", "inserted", "without the first"])
def test_records_out_of_their_place_show(copy, tamper):
    path, = journal.segments(copy)
    data, places = frames_of(path)
    frames = tamper([data[start:end] for start, end in places])
    path.write_bytes(data[:journal.HEADER.size] + b"".join(frames))
    code, told = verify(copy)
    assert code == 1 and "the journal is damaged" in told, told


def test_a_kept_head_shows_what_was_cut_off(copy):
    head = re.search(r"head: (\S+)", verify(copy)[1])[1]
    assert verify(copy, "--head", head)[0] == 0
    path, = journal.segments(copy)
    data, frames = frames_of(path)
    path.write_bytes(data[:frames[-5][0]])
    code, told = verify(copy)
    assert code == 0, told
    code, told = verify(copy, "--head", head)
    assert code == 1 and "was cut off or written anew" in told, told


def test_a_kept_head_goes_on_being_right_and_another_is_not(written, copy):
    records = [(sequence, payload) for sequence, _, payload in journal.frames(copy) if payload]
    path, = journal.segments(copy)
    data, frames = frames_of(path)
    sequence = records[4][0]
    start, end = frames[sequence - 1]
    digits = data[end - journal.TRAILER_BYTES:end].hex()
    assert verify(written[0], "--head", f"{sequence}:{digits}")[0] == 0
    code, told = verify(written[0], "--head", f"{sequence}:{digits[:-1]}{int(digits[-1], 16) ^ 1:x}")
    assert code == 1 and f"record {sequence} is not the one" in told, told
    assert start < end


def test_records_are_told_as_they_were_written(written):
    assert export(written[0]) == journal.records(written[0] / "journal")


def test_records_are_selected(written):
    directory, key = written
    # Starts and ends are told to another account.
    own = "--account-id", ACCOUNT
    all_records = export(directory, *own)
    encrypts = [record for record in all_records if record["eventName"] == "Encrypt"]
    assert len(encrypts) == CALLS
    assert export(directory, "--event-name", "Encrypt") == encrypts
    about = export(directory, "--resource-arn", key["Arn"])
    assert [record["eventName"] for record in about] == ["CreateKey"] + ["Encrypt"] * CALLS
    failed, = export(directory, "--error-code", "NotFoundException")
    assert failed["eventName"] == "DescribeKey"
    access_key_id = all_records[0]["userIdentity"]["accessKeyId"]
    assert export(directory, "--access-key-id", access_key_id, *own) == all_records
    assert export(directory, "--account-id", "999999999999") == []
    last = all_records[-1]["eventTime"]
    earlier = [record for record in all_records if record["eventTime"] < last]
    assert export(directory, "--until", last, *own) == earlier
    assert export(directory, "--since", last, *own) == all_records[len(earlier):]
    assert all(record["awsRegion"] == REGION for record in all_records)


def test_where_no_journal_lies_it_is_said(tmp_path):
    code, told = verify(tmp_path)
    assert code == 1 and "no journal here; expected a data directory" in told, told
    done = keystead.run("audit", "verify", tmp_path, "--head", "12")
    assert done.returncode == 2 and "a record's number, a colon" in done.stderr, done.stderr

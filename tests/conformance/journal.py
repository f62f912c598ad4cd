"""Reads the audit journal by its specification (crates/audit, `frame` and `segment`), not by the server's code."""

import base64
import hashlib
import json
import struct
from pathlib import Path

MAGIC = b"KSJOURNL"
HEADER = struct.Struct(">8sI16sQQQ32s32s")
FIXED = struct.Struct(">IQQQ")
TRAILER_BYTES = 32


def segments(directory):
    """The segment files, oldest first; the last one may have no name yet."""
    directory = Path(directory)
    return [*sorted(directory.glob("*.log")), *directory.glob("next")]


def beginning(directory):
    """Where the journal begins: after the last deleted frame, or at the first one."""
    path = Path(directory) / "beginning"
    if path.exists():
        return json.loads(path.read_bytes())["beginning"]
    return {"sequence": 0, "head": bytes(TRAILER_BYTES).hex()}


def frames(directory):
    """Sequence, outbox number and payload of each frame, with the chain and the order checked."""
    begun = beginning(directory)
    head, expected = bytes.fromhex(begun["head"]), begun["sequence"] + 1
    for path in segments(directory):
        data = path.read_bytes()
        if path.name == "next" and not any(data[:HEADER.size]):
            return
        magic, version, _, first, _, _, previous, trailer = HEADER.unpack_from(data)
        assert (magic, version) == (MAGIC, 1), path
        assert path.stem in (f"{first:016x}", "next") and first == expected, path
        assert previous == head, path
        assert trailer == hashlib.sha256(data[:HEADER.size - TRAILER_BYTES]).digest(), path
        head, at = trailer, HEADER.size
        # Behind the last frame there may be room for more.
        while any(data[at:at + FIXED.size]):
            length, sequence, _, outbox = FIXED.unpack_from(data, at)
            end = at + FIXED.size + length
            trailer = data[end:end + TRAILER_BYTES]
            assert trailer == hashlib.sha256(head + data[at:end]).digest(), (path, sequence)
            assert sequence == expected, (path, sequence)
            yield sequence, outbox, data[at + FIXED.size:end]
            head, at, expected = trailer, end + TRAILER_BYTES, expected + 1


def records(directory):
    """The records as JSON, in order; a frame without a payload is a mark and no record."""
    return [json.loads(payload) for _, _, payload in frames(directory) if payload]


def assert_absent(directory, *secrets):
    """None of the secrets stands in the journal, in none of the forms in which bytes are written."""
    written = b"".join(path.read_bytes() for path in segments(directory))
    for secret in secrets:
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert form not in written, secret

"""Damage done on purpose, always to a copy: what the self-test shows to the checks."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing

import journal


def copy_of(directory, name):
    """A copy of a data directory beside it."""
    copy = directory.with_name(name)
    shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("*.sock"))
    return copy


class FileLedger:
    """The acknowledgements as the driver's file has them, all of them fresh."""

    def __init__(self, ledger):
        self.path = ledger.path
        self.request_ids = ledger.request_ids

    def take_fresh(self):
        """As `Ledger.take_fresh`."""
        operations, fresh = {}, {}
        with open(self.path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "call" in line:
                    operations[line["call"]] = line["operation"]
                elif line["request_id"] is not None:
                    number = line["acknowledged"]
                    fresh[number] = operations[number], line["request_id"], line["error"]
        return fresh, operations.keys() - fresh.keys()


def edit_journal(directory, edit):
    """Rewrites a journal of one segment with other payloads and a chain that is right all the same."""
    payloads = edit([payload for _, _, payload in journal.frames(directory) if payload])
    path, = journal.segments(directory)
    out = path.read_bytes()[:journal.HEADER.size]
    head = out[-journal.TRAILER_BYTES:]
    for sequence, payload in enumerate(payloads, start=1):
        frame = journal.FIXED.pack(len(payload), sequence, 0, 0) + payload
        head = hashlib.sha256(head + frame).digest()
        out += frame + head
    path.write_bytes(out)


def cut_out(directory):
    """Takes the bytes of the first frame away and leaves the chain as it is."""
    path, = journal.segments(directory)
    data = path.read_bytes()
    length, *_ = journal.FIXED.unpack_from(data, journal.HEADER.size)
    end = journal.HEADER.size + journal.FIXED.size + length + journal.TRAILER_BYTES
    path.write_bytes(data[:journal.HEADER.size] + data[end:])


def flip(path, at):
    """Turns one bit over."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def shorten(directory):
    """Takes the last bytes of the journal away."""
    path = journal.segments(directory)[-1]
    path.write_bytes(path.read_bytes()[:-100])


def run_sql(directory, *statements):
    """Changes rows behind the server's back."""
    with closing(sqlite3.connect(directory / "keystead.db")) as database:
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()


def drop_key(directory, key_id):
    """Takes a key out of the database, with everything that belongs to it."""
    run_sql(directory, *[(f"DELETE FROM {table} WHERE key_id = ?", (key_id,))
                         for table in ("aliases", "tags", "key_policies", "key_materials", "keys")])


def damage_page(path):
    """Writes nonsense over the root page of the keys."""
    with closing(sqlite3.connect(path)) as database:
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'keys'").fetchone()
        page_bytes, = database.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    start = (page - 1) * page_bytes
    data[start:start + 64] = b"\xff" * 64
    path.write_bytes(data)

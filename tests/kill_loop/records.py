"""The audit journal as the loop reads it: on and on, each record once, compared with what was acknowledged (I7)."""

import hashlib
import json
import struct
from collections import Counter
from dataclasses import dataclass

import journal
from client import AGENT

# The source of the events of starts and ends.
OPERATOR = "operator.keystead"


class BrokenJournal(Exception):
    """The journal is not what its specification says, or no longer what it was."""


@dataclass(frozen=True)
class Recorded:
    """What the record of a call says of it."""

    operation: str
    request_id: str
    error: str | None


class Tail:
    """Reads a journal on from where it stopped.

    What has been read must stay as it is: a life that cut or rewrote it would break the chain here.
    """

    def __init__(self, directory):
        self.directory = directory
        self.path = None
        self.at = 0
        self.head = bytes(journal.TRAILER_BYTES)
        self.sequence = 1

    def read(self):
        """The payloads of the whole frames that are new."""
        payloads = []
        while True:
            if self.path is not None:
                payloads += self._frames()
            # One without a name gets it at the next start, before which nothing is read here.
            following = [path for path in journal.segments(self.directory)
                         if path.suffix == ".log" and (self.path is None or path.name > self.path.name)]
            if not following:
                return [payload for payload in payloads if payload]
            if self.path is not None and self.path.stat().st_size != self.at:
                raise BrokenJournal(f"{self.path.name} is not whole, yet {following[0].name} follows it")
            self._open(following[0])

    def _open(self, path):
        with open(path, "rb") as file:
            data = file.read(journal.HEADER.size)
        if len(data) < journal.HEADER.size:
            raise BrokenJournal(f"{path.name} has no header")
        magic, version, _, first, _, _, previous, trailer = journal.HEADER.unpack(data)
        right = (magic, version, first, previous) == (journal.MAGIC, 1, self.sequence, self.head)
        digest = hashlib.sha256(data[:-journal.TRAILER_BYTES]).digest()
        if not right or trailer != digest or path.stem != f"{first:016x}":
            raise BrokenJournal(f"{path.name} does not continue the chain at frame {self.sequence}")
        self.path, self.at, self.head = path, journal.HEADER.size, trailer

    def _frames(self):
        with open(self.path, "rb") as file:
            file.seek(0, 2)
            if file.tell() < self.at:
                raise BrokenJournal(f"{self.path.name} lost frames before {self.sequence}, which had been read")
            file.seek(self.at)
            data = file.read()
        payloads, start = [], 0
        # Behind the last frame there may be room for more.
        while len(data) - start >= journal.FIXED.size and any(data[start:start + journal.FIXED.size]):
            length, sequence, _, _ = journal.FIXED.unpack_from(data, start)
            end = start + journal.FIXED.size + length
            if end + journal.TRAILER_BYTES > len(data):
                break
            trailer = data[end:end + journal.TRAILER_BYTES]
            digest = hashlib.sha256(self.head + data[start:end]).digest()
            if sequence != self.sequence or trailer != digest:
                raise BrokenJournal(f"{self.path.name}: frame {self.sequence} breaks the chain")
            payloads.append(data[start + journal.FIXED.size:end])
            self.head, self.sequence, start = trailer, sequence + 1, end + journal.TRAILER_BYTES
        self.at += start
        return payloads


class Records:
    """What the journal says of the calls that the ledger knows."""

    def __init__(self, directory, ledger):
        self.tail = Tail(directory)
        self.ledger = ledger
        # By the call's number; None for a call that was never answered and has no record.
        self.recorded = {}
        self.event_ids = set()
        # DeleteKey records by key id.
        self.deletions = Counter()

    def settle(self, findings):
        """Reads what is new and compares it with the ledger. No call may be under way."""
        try:
            payloads = self.tail.read()
        except BrokenJournal as broken:
            findings.fail("I7", str(broken))
            return
        for payload in payloads:
            self._note(findings, json.loads(payload))
        fresh, unanswered = self.ledger.take_fresh()
        for number, acknowledged in fresh.items():
            self._compare(findings, number, acknowledged)
        for number in unanswered:
            self.recorded.setdefault(number, None)

    def _note(self, findings, record):
        event_id = record["eventID"]
        findings.check("I7", event_id not in self.event_ids, f"the event id {event_id} is written twice")
        self.event_ids.add(event_id)
        if record["eventName"] == "DeleteKey":
            self.deletions[record["serviceEventDetails"]["keyId"]] += 1
            return
        if record["eventSource"] == OPERATOR:
            return
        agent = record.get("userAgent") or ""
        if not agent.startswith(AGENT):
            findings.fail("I7", f"a record of a call that nobody made: {record}")
            return
        number = int(agent.removeprefix(AGENT))
        if number in self.recorded:
            findings.fail("I7", f"call {number} is recorded twice, or later than at the restart: {record}")
            return
        self.recorded[number] = Recorded(record["eventName"], record["requestID"], record.get("errorCode"))

    def _compare(self, findings, number, acknowledged):
        recorded = self.recorded.get(number)
        found = recorded and (recorded.operation, recorded.request_id, recorded.error)
        findings.check("I7", found == acknowledged,
                       f"call {number} was acknowledged as {acknowledged} and is recorded as {found}")


def check_whole(findings, directory, records, ledger):
    """The journal from its beginning, by the tests' own reader, against the acknowledgements in the driver's file."""
    try:
        whole = journal.records(directory)
    except (AssertionError, ValueError, OSError, struct.error) as broken:
        findings.fail("I7", f"the journal does not verify: {broken}")
        return
    counts = Counter(record.get("requestID") for record in whole)
    for request_id in ledger.request_ids():
        findings.check("I7", counts[request_id] == 1,
                       f"the acknowledged request {request_id} has {counts[request_id]} records")
    findings.check("I7", len(whole) == len(records.event_ids),
                   f"the journal has {len(whole)} records, of which {len(records.event_ids)} were seen growing")

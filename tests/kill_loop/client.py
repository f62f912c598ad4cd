"""How the driver speaks to the server, and the file in which it keeps every acknowledgement."""

import http.client
import itertools
import json
import threading
from dataclasses import dataclass

from signing import Answer, Caller

# No call waits longer than this for its answer.
REQUEST_SECONDS_MAX = 20
# A call carries its number as its user agent, and so does its record, answered or not.
AGENT = "kill-loop/"


class Unanswered(Exception):
    """Nobody answered: whether the call was done is not known."""


class Ledger:
    """Every call that was begun and every one that was answered, in memory and in a file of lines of JSON.

    A line is flushed before the calling thread goes on, so that the file is the witness of what was promised.
    """

    def __init__(self, path):
        self.path = path
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.open = set()
        self.fresh = {}
        self.acknowledged_count = 0

    def begin(self, operation, parameters):
        """A call is about to be sent; answers its number."""
        with self.lock:
            number = next(self.numbers)
            self.open.add(number)
            self._write(call=number, operation=operation, parameters=parameters)
        return number

    def acknowledge(self, number, operation, request_id, error):
        """The answer is there; a call without a request id is one of the command line."""
        with self.lock:
            self._write(acknowledged=number, request_id=request_id, error=error)
            self.open.remove(number)
            self.acknowledged_count += 1
            if request_id is not None:
                self.fresh[number] = (operation, request_id, error)

    def take_fresh(self):
        """What was acknowledged since the last time, and the calls that never were."""
        with self.lock:
            fresh, self.fresh = self.fresh, {}
            unanswered, self.open = self.open, set()
        return fresh, unanswered

    def _write(self, **members):
        self.file.write(json.dumps(members) + "\n")
        self.file.flush()

    def close(self):
        """Nothing more is acknowledged."""
        self.file.close()

    def request_ids(self):
        """The request ids of all acknowledgements, read back from the file."""
        with open(self.path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line["request_id"] for line in lines if line.get("request_id")]


@dataclass
class Client(Caller):
    """A caller that notes each call and keeps its connection, as SDKs do."""

    ledger: Ledger = None
    connection: http.client.HTTPConnection = None

    def ask(self, call):
        """Sends a call; returns its answer once that is in the ledger."""
        call.number = self.ledger.begin(call.operation, call.parameters)
        answer = self.call(call.operation, call.parameters, also=[("user-agent", f"{AGENT}{call.number}")])
        error = answer.error if answer.status >= 400 else None
        self.ledger.acknowledge(call.number, call.operation, answer.headers["x-amzn-requestid"], error)
        return answer

    def send(self, request):
        """As the base class, over one connection."""
        method, target, headers, body = request
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS_MAX)
        connection = self.connection
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in [*headers, ("content-length", str(len(body)))]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as gone:
            self.close()
            raise Unanswered(f"{type(gone).__name__}: {gone}") from gone

    def close(self):
        """Ends the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

"""A server whose clock the tests move, and its root user, who keeps up with it."""

import time
from datetime import datetime, timedelta, timezone

from keystead import REGION, Server, binary
from signing import Caller

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
JOB_SECONDS_MAX = 20
# Where `jobs_have_run` makes the replicas that it watches.
WATCHED_REGION = "sa-east-1"


def eventually(what, reached, seconds=JOB_SECONDS_MAX):
    """The first answer of `reached` that is true; fails when there is none in that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = reached()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Timed:
    """A server whose clock moves, and its root user, who keeps up with it."""

    def __init__(self, directory, client_of, *arguments):
        self.server = Server(directory, *arguments, program=binary("KEYSTEAD_TEST_CLOCK_BINARY"))
        self.ahead = timedelta(0)
        self.caller = Caller(self.server.port, *self.server.root_credentials(), clock=self.now)
        self.client_of = client_of
        self.clients = {}

    def now(self):
        """The server's time."""
        return datetime.now(timezone.utc) + self.ahead

    def advance(self, seconds):
        """Moves the server's time."""
        self.server.advance(seconds)
        self.ahead += timedelta(seconds=seconds)

    def restart(self):
        """Ends the server as an operator would and starts it again, at the machine's time."""
        assert self.server.stop() == 0, self.server.output()
        self.server.start()
        self.began_anew()

    def began_anew(self):
        """What a start of the server changes: its clock is the machine's again, its port another."""
        self.ahead = timedelta(0)
        self.caller.port = self.server.port
        self.clients.clear()

    @property
    def kms(self):
        """The root user's boto3 client of the tests' Region."""
        return self.client(REGION)

    def client(self, region):
        """The root user's boto3 client of a Region; good until the server is restarted."""
        if region not in self.clients:
            self.clients[region] = self.client_of(self.server, self.server.root_credentials(),
                                                  region=region)
        return self.clients[region]

    def call(self, operation, **parameters):
        """A call that succeeds, by its bytes on the wire."""
        answer = self.caller.call(operation, parameters)
        assert answer.status == 200, answer.body
        return answer.json if answer.body else None

    def error(self, operation, **parameters):
        """A call that fails, by its bytes on the wire: name and text."""
        answer = self.caller.call(operation, parameters)
        return answer.error, answer.message

    def state(self, key_id, region=REGION):
        """The state of a key, None when it is gone."""
        kms = self.client(region)
        try:
            return kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
        except kms.exceptions.NotFoundException:
            return None

    def wait_for_state(self, key_id, state, region=REGION):
        """Waits for a job to bring a key into a state."""
        eventually(f"{key_id} is {state}", lambda: self.state(key_id, region) == state)

    def wait_until_gone(self, key_id, region=REGION):
        """Waits for the deletion job."""
        eventually(f"{key_id} is deleted", lambda: self.state(key_id, region) is None)

    def jobs_have_run(self):
        """Waits until each job has looked for work since now.

        The jobs take turns; the last of them finishes replicas. The first replica may meet a turn that was under way.
        """
        for _ in range(2):
            key_id = self.kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
            self.kms.replicate_key(KeyId=key_id, ReplicaRegion=WATCHED_REGION)
            self.wait_for_state(key_id, "Enabled", WATCHED_REGION)

"""A thread of the load: it makes one call after another on what it owns until nobody answers."""

import subprocess
import threading

import keystead
from client import Client, Unanswered
from operations import ACCOUNT_CREATE, choose

THREAD_END_SECONDS_MAX = 90


class Driver:
    """One owner of keys, aliases and accounts; its thread is a new one in each life of the server."""

    def __init__(self, owned, rng, ledger, findings):
        self.owned = owned
        self.rng = rng
        self.ledger = ledger
        self.findings = findings
        self.thread = None

    def begin(self, server, stop):
        """Begins to load a running server."""
        client = Client(server.port, *server.root_credentials(), ledger=self.ledger)
        self.thread = threading.Thread(target=self._run, args=(client, server.directory, stop),
                                       name=self.owned.name, daemon=True)
        self.thread.start()

    def join(self):
        """Waits for the end of the thread, which follows the server's."""
        self.thread.join(THREAD_END_SECONDS_MAX)
        if self.thread.is_alive():
            raise TimeoutError(f"{self.owned.name} still waits for {self.owned.unknown}")

    def _run(self, client, directory, stop):
        try:
            while not stop.is_set():
                self.step(client, directory)
        except Unanswered:
            pass
        finally:
            client.close()

    def step(self, client, directory):
        """One call. Until it is answered it is the unknown one."""
        call = self.owned.unknown = choose(self.owned, self.rng)
        if call.operation == ACCOUNT_CREATE:
            self._create_account(call, directory)
            answer, error = {}, None
        else:
            answer = client.ask(call)
            error = answer.error if answer.status >= 400 else None
            if answer.status >= 500:
                self.findings.fail("answers", f"{call} was answered {answer.status} {answer.body[:200]}")
                raise Unanswered(error)
            answer = answer.json if answer.body else {}
        self.owned.unknown = None
        learn(self.findings, self.owned, call, answer, error)

    def _create_account(self, call, directory):
        access_key_id, secret = self.owned.credentials[call.parameters["Account"]]
        call.number = self.ledger.begin(call.operation, call.parameters)
        try:
            done = keystead.run("account", "create", call.parameters["Account"], "--data-dir", directory,
                                "--access-key-id", access_key_id, "--secret-access-key", secret)
        except subprocess.TimeoutExpired as late:
            raise Unanswered("the command was too slow") from late
        if done.returncode != 0:
            raise Unanswered(done.stderr)
        self.ledger.acknowledge(call.number, call.operation, None, None)


def learn(findings, owned, call, answer, error):
    """What an acknowledgement teaches; an answer that the acknowledged state does not allow is a finding."""
    right = findings.check("I4", error == call.refusal, f"{call} was answered {error}, not {call.refusal}")
    if error is not None or not right:
        return
    if call.subject is not None and call.subject[0] != "creation":
        owned.set(call.subject, call.after)
    complaint = call.judge(answer) if call.judge else None
    if complaint:
        findings.fail(*complaint)

"""Starts the real binary and stops it: the only way the tests reach Keystead."""

import configparser
import http.client
import os
import re
import subprocess
import threading
import time
from pathlib import Path

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "us-east-1"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10

REPOSITORY = Path(__file__).resolve().parents[2]


# Our own variables, and the builds of this tree that they stand for.
BINARIES = {
    "KEYSTEAD_BINARY": REPOSITORY / "target/debug/keystead",
    "KEYSTEAD_TEST_CLOCK_BINARY": REPOSITORY / "target/test-clock/keystead",
    "KEYSTEAD_ATTESTATION_DOCUMENT": REPOSITORY / "target/debug/examples/attestation_document",
}


def binary(variable="KEYSTEAD_BINARY"):
    """The server under test, or what else the variable names, as it says or as this tree builds it."""
    path = Path(os.environ.get(variable, BINARIES[variable])).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: build it first (.ci/run says how), or set {variable}")
    return path


def environment(**more):
    """Our environment without what the server would take for settings (it refuses unknown ones)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KEYSTEAD_")}
    return {**kept, **more}


def run(*arguments, said=None, **more):
    """Runs one subcommand of the binary to its end; it hears what is `said`, and `more` is added to its environment."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, input=said,
                          timeout=START_SECONDS_MAX, check=False, env=environment(**more))


class Server:
    """A running server over one data directory, on ports of its own choice."""

    def __init__(self, directory, *arguments, program=None):
        self.program = program or binary()
        self.directory = Path(directory)
        self.arguments = [str(argument) for argument in arguments]
        self.lines = []
        self.process = self.reader = None
        self.start()

    def start(self):
        """Starts the server and waits until it says that it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self):
        """Starts the server and waits until it is reached."""
        self.lines = []
        self.process = subprocess.Popen(
            [self.program, "serve", "--data-dir", self.directory, "--listen", "127.0.0.1:0",
             "--admin-listen", "127.0.0.1:0", *self.arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        self._wait("its addresses", lambda: len(self._ports()) == 2)
        self.port, self.admin_port = self._ports()["api"], self._ports()["admin"]

    def wait_until_ready(self):
        """Waits until the server says that it is ready."""
        self._wait("readiness", lambda: self.admin("GET", "/readyz")[0] == 200)

    def _read(self, stream):
        with stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    def _ports(self):
        said = {"api": r"listens on http://127\.0\.0\.1:(\d+)",
                "admin": r"Health and metrics on http://127\.0\.0\.1:(\d+)"}
        found = {name: re.search(pattern, self.output()) for name, pattern in said.items()}
        return {name: int(match[1]) for name, match in found.items() if match}

    def _wait(self, what, reached):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if reached():
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"the server did not reach {what}; exit {self.process.poll()}; it said:\n"
                           + self.output())

    def output(self):
        """Everything that the server printed."""
        return "\n".join(self.lines)

    def check(self):
        """Fails when the server is no longer there."""
        assert self.process.poll() is None, f"the server ended:\n{self.output()}"

    def admin(self, method, path, body=None):
        """One call to the admin listener: status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def advance(self, seconds):
        """Moves the server's clock forward; only a build with the test-clock feature can."""
        status, text = self.admin("POST", "/test-clock/advance", str(int(seconds)))
        assert status == 200, (status, text)

    @property
    def endpoint(self):
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials_file(self):
        """What AWS_SHARED_CREDENTIALS_FILE is set to."""
        return self.directory / "root-credentials"

    def root_credentials(self):
        """Access key id and secret of the account's root user."""
        profiles = configparser.ConfigParser()
        with open(self.credentials_file, encoding="utf-8") as file:
            profiles.read_file(file)
        profile = profiles["default"]
        return profile["aws_access_key_id"], profile["aws_secret_access_key"]

    def stop(self):
        """Ends the server as an operator would, and answers its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self):
        """Ends the server as a power cut of the process would."""
        self.process.kill()
        self._ended()

    def _ended(self):
        code = self.process.wait(timeout=STOP_SECONDS_MAX)
        self.reader.join()
        return code

"""The server under test: its lives and their violent ends, always by the process that we started ourselves."""

import json
import signal
import subprocess
import threading
import time
from http.client import HTTPException

from keystead import Server

# Everything that may stand in a data directory; anything else is a leftover.
FILES = {"control.sock", "keystead.db", "keystead.db-lock", "keystead.db-shm", "keystead.db-wal", "lock",
         "root-credentials", "root-key"}
# Its folders, and how the names of all files in them end.
FOLDERS = {"journal": ".log", "journal-index": ".index"}


class NoStart(Exception):
    """The server did not come up by itself."""


class Target(Server):
    """A server over one data directory that is begun and ended many times."""

    def __init__(self, directory, log, program=None):
        self.log = log
        super().__init__(directory, "--log-format", "json", program=program)

    def start(self):
        """Nothing: a life begins when the loop says so."""

    def begin(self):
        """Begins a life and waits until it serves."""
        try:
            super().start()
        except (RuntimeError, HTTPException) as failure:
            if self.process.poll() is None:
                self.process.kill()
            self._ended()
            raise NoStart(str(failure)) from failure

    def begin_and_kill(self, seconds):
        """Begins a life and kills it so long after, served or not; returns the exit code."""
        self.process = None
        killer = threading.Thread(target=self._kill_after, args=(seconds,), daemon=True)
        killer.start()
        try:
            super().start()
        except (RuntimeError, HTTPException):
            pass
        killer.join()
        return self._ended()

    def _kill_after(self, seconds):
        while self.process is None:
            time.sleep(0.0005)
        time.sleep(seconds)
        self.process.kill()

    def kill_now(self):
        """Kills the server; returns its exit code, which is another one if it had ended before."""
        self.process.kill()
        return self._ended()

    def kill_if_running(self):
        """Leaves no process behind, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.kill_now()

    def stop_and_kill(self, seconds):
        """Asks the server to end and kills it so long after if it has not; returns the exit code."""
        self.process.terminate()
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self._ended()

    def take_errors(self):
        """Lines of this life that say that something is wrong; the whole output goes to the log."""
        lines, self.lines = self.lines, []
        with open(self.log, "a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in lines)
        return [line for line in lines if is_error(line)]

    def leftovers(self):
        """Files that nobody should find in a data directory that is served."""
        found = {path.name for path in self.directory.iterdir()}
        # The next file is made ahead of its name.
        strange = [path.name for folder, suffix in FOLDERS.items()
                   for path in (self.directory / folder).iterdir()
                   if path.suffix != suffix and path.name != "next"]
        return sorted(found - FILES - FOLDERS.keys()) + strange


def is_error(line):
    """Whether a line of the log is an error; a line that the kill cut says nothing."""
    if "panicked at" in line:
        return True
    try:
        return json.loads(line).get("level") == "ERROR" if line.startswith("{") else False
    except json.JSONDecodeError:
        return False


def was_killed(code):
    """Whether the exit code is that of our own kill."""
    return code == -signal.SIGKILL

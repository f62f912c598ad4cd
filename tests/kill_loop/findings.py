"""What the checks found: each is counted, and what does not hold is told at once."""

import threading
from collections import Counter

# An acknowledgement that is broken is lost: the key, the ciphertext, the state or the record that it promised.
LOSSES = ("I1", "I2", "I4", "I7")
# Of one cause there may be thousands.
TOLD_MAX = 40


class Findings:
    """Counts by invariant; safe to use from every thread."""

    def __init__(self, quiet=False):
        self.quiet = quiet
        self.cycle = 0
        self.passed = Counter()
        self.failed = []
        # Changes that a kill cut off, by what had become of them.
        self.unanswered = Counter()
        self.lock = threading.Lock()

    def check(self, invariant, holds, text):
        """One check of one invariant; `text` says what was found if it does not hold."""
        if not holds:
            self.fail(invariant, text)
            return False
        with self.lock:
            self.passed[invariant] += 1
        return True

    def fail(self, invariant, text):
        """Something that does not hold."""
        with self.lock:
            self.failed.append((invariant, text))
            if not self.quiet and len(self.failed) <= TOLD_MAX:
                print(f"FAILED {invariant} in cycle {self.cycle}: {text}", flush=True)

    @property
    def lost_count(self):
        """Broken acknowledgements."""
        return sum(invariant in LOSSES for invariant, _ in self.failed)

    def table(self):
        """Passed checks by invariant, on one line."""
        names = sorted(self.passed, key=lambda name: (len(name), name))
        return ", ".join(f"{name} {self.passed[name]:,}" for name in names)

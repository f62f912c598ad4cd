"""What must be true of the server: the value of every subject after its last acknowledged call.

A subject is ("key", key id), ("alias", name), ("account", id) or ("creation", text): a key that is asked for has
no id yet and is known by its description. Its value is `Facts`, the target's key id or True, and None when it does
not exist. Each subject belongs to one thread, which makes one call at a time, so its value is known exactly, but
for the call that the kill cut off: then it is the value before that call or the one after it.
"""

from collections import deque
from dataclasses import dataclass, field

# Days of waiting are exact; the moment of an unanswered call is known to this many seconds.
MOMENT_SECONDS = 60
# Keys that a thread goes on working with, beside a few older ones.
RECENT_KEYS = 8
# What a cryptographic operation answers to a key in each state.
REFUSALS = {"Enabled": None, "Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


@dataclass(frozen=True)
class Facts:
    """Everything that calls can change of a key."""

    description: str
    policy: str
    tags: frozenset = frozenset()
    state: str = "Enabled"
    deletion_date: float | tuple | None = None

    def fits(self, seen):
        """Whether `seen` is this; a deletion date of an unanswered call is known as a pair of bounds."""
        if not isinstance(self.deletion_date, tuple) or seen.deletion_date is None:
            return self == seen
        earliest, latest = self.deletion_date
        return earliest <= seen.deletion_date <= latest and self.members() == seen.members()

    def members(self):
        """All but the date."""
        return self.description, self.policy, self.tags, self.state


def fits(expected, seen):
    """Whether a value that was seen is the expected one."""
    if isinstance(expected, Facts) and isinstance(seen, Facts):
        return expected.fits(seen)
    return expected == seen


@dataclass(frozen=True)
class Ciphertext:
    """A ciphertext that was returned once and must decrypt for ever; texts are base64."""

    key_id: str
    blob: str
    plaintext: str | None
    encryption_context: tuple = ()

    def request(self):
        """The parameters of its Decrypt."""
        return {"CiphertextBlob": self.blob, "EncryptionContext": dict(self.encryption_context)}


@dataclass
class Call:
    """One call, with what it will have done and what it must be answered."""

    operation: str
    parameters: dict
    # What it changes, and the value afterwards; no subject for a call that changes nothing.
    subject: tuple | None = None
    after: object = None
    # The error that the acknowledged state asks for.
    refusal: str | None = None
    # Takes the answer to a success; gives (invariant, complaint) when it says something wrong.
    judge: callable = None
    number: int | None = None

    def __str__(self):
        return f"call {self.number} {self.operation} of {self.subject or self.parameters.get('KeyId')}"


@dataclass
class Owned:
    """The subjects of one thread and their values; the call in flight, if there is one."""

    name: str
    values: dict = field(default_factory=dict)
    ciphertexts: dict = field(default_factory=dict)
    credentials: dict = field(default_factory=dict)
    key_ids: list = field(default_factory=list)
    recent: deque = field(default_factory=lambda: deque(maxlen=RECENT_KEYS))
    # Since the last check.
    touched: set = field(default_factory=set)
    created: list = field(default_factory=list)
    returned: list = field(default_factory=list)
    unknown: Call | None = None

    def facts(self, key_id):
        """The value of a key."""
        return self.values[("key", key_id)]

    def aliases(self):
        """Names that exist, with their targets."""
        return {subject[1]: value for subject, value in self.values.items()
                if subject[0] == "alias" and value is not None}

    def accounts(self):
        """Accounts that exist."""
        return [subject[1] for subject, value in self.values.items() if subject[0] == "account" and value]

    def set(self, subject, value):
        """A subject has this value from now on."""
        self.touched.add(subject)
        self.values[subject] = value

    def add_key(self, key_id, facts):
        """A key exists from now on."""
        self.set(("key", key_id), facts)
        self.key_ids.append(key_id)
        self.created.append(key_id)
        self.recent.append(key_id)
        self.ciphertexts[key_id] = []

    def add_ciphertext(self, ciphertext):
        """A ciphertext was returned."""
        self.ciphertexts[ciphertext.key_id].append(ciphertext)
        self.returned.append(ciphertext)

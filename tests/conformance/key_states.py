"""What AWS KMS answers for each operation on each key in each state: one table, for a test and for a page.

test_key_states.py holds the server to it, and docs/key-states.md is it in Markdown, made by

    python tests/conformance/key_states.py > docs/key-states.md

The rules are those of "Key states of AWS KMS keys" in the AWS KMS Developer Guide, of the API reference where an
operation is newer, and of AWS's own answers where those were recorded. Nothing here is taken from the server.
"""

from dataclasses import dataclass, replace

STATES = ["Enabled", "Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport",
          "Creating", "Updating", "Unavailable"]
# Only keys in custom key stores are ever unavailable, and those are not built.
UNREACHABLE = {"Unavailable"}
# One key spec for each thing that a key can be.
KINDS = [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT"),
         ("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC"),
         ("ECC_NIST_P256", "KEY_AGREEMENT"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")]
ORIGINS = ["AWS_KMS", "EXTERNAL"]
# What a key is among its related keys, and the states that it can then be in.
ROLES = {
    "single": ["Enabled", "Disabled", "PendingDeletion", "PendingImport"],
    "primary": ["Enabled", "Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport",
                "Updating"],
    "replica": ["Enabled", "Disabled", "PendingDeletion", "PendingImport", "Creating", "Updating"],
}
# A sentence of AWS's that nobody has recorded.
UNRECORDED = object()


@dataclass(frozen=True)
class Key:
    """All of a key that the table asks about."""

    key_spec: str
    key_usage: str
    origin: str
    role: str
    state: str


@dataclass(frozen=True)
class Refusal:
    """An error: its name, its text (None where AWS sends none) and how the page abbreviates it."""

    code: str
    text: object
    short: str


def of_keys():
    """Every key that there can be: kind by origin by role by state."""
    for key_spec, key_usage in KINDS:
        for origin in ORIGINS:
            for role, states in ROLES.items():
                for state in states:
                    if origin == "EXTERNAL" or state != "PendingImport":
                        yield Key(key_spec, key_usage, origin, role, state)


# Rules about the state. Each is a check: what it is asked about, and the refusal or None.

IN_WORDS = {"PendingDeletion": "pending deletion", "PendingImport": "pending import",
            "PendingReplicaDeletion": "pending replica deletion", "Unavailable": "unavailable",
            "Creating": "creating", "Updating": "updating"}
PENDING_DELETION = {"PendingDeletion", "PendingReplicaDeletion"}


def not_in(*states):
    """The operation is refused in these states."""
    def check(key, arn, _operation):
        if key.state not in states:
            return None
        if key.state == "Disabled":
            return Refusal("DisabledException", f"{arn} is disabled.", "D")
        return Refusal("KMSInvalidStateException", f"{arn} is {IN_WORDS[key.state]}.", "S")
    return check


ANY_STATE = not_in()
USABLE = not_in("Disabled", *PENDING_DELETION, "PendingImport", "Unavailable", "Creating")
SETTLED = not_in("Disabled", *PENDING_DELETION, "PendingImport", "Unavailable", "Creating", "Updating")
GRANTABLE = not_in("Disabled", *PENDING_DELETION, "PendingImport", "Creating")
TELLS_PUBLIC_KEY = not_in(*PENDING_DELETION, "PendingImport", "Unavailable", "Creating")
STAYS = not_in(*PENDING_DELETION)
SWITCHABLE = not_in(*PENDING_DELETION, "PendingImport", "Creating", "Updating")
DELETABLE = not_in(*PENDING_DELETION, "Updating")
ASKS_FOR_MATERIAL = not_in(*PENDING_DELETION, "Creating", "Updating")
TAKES_MATERIAL = not_in(*PENDING_DELETION, "Creating")
LOSES_MATERIAL = not_in("Creating", "Updating")


def pending_deletion(key, arn, _operation):
    """The operation is for keys that are to be deleted."""
    if key.state in PENDING_DELETION:
        return None
    return Refusal("KMSInvalidStateException", f"{arn} is not pending deletion.", "S")


# Rules about what the key is.


def usage(wanted):
    """The operation is for keys of one usage."""
    def check(key, arn, operation):
        if key.key_usage == wanted:
            return None
        text = f"{arn} key usage is {key.key_usage} which is not valid for {operation}."
        return Refusal("InvalidKeyUsageException", text, "K")
    return check


def symmetric_algorithm(key, _arn, _operation):
    """The operation encrypts with SYMMETRIC_DEFAULT."""
    if key.key_spec == "SYMMETRIC_DEFAULT":
        return None
    text = f"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {key.key_spec}."
    return Refusal("InvalidKeyUsageException", text, "K")


def imported(key, arn, _operation):
    """The operation is for keys of origin EXTERNAL."""
    if key.origin == "EXTERNAL":
        return None
    text = f"{arn} origin is {key.origin} which is not valid for this operation."
    return Refusal("UnsupportedOperationException", text, "U")


def not_imported(key, _arn, _operation):
    """The operation is for keys whose material was made by AWS KMS."""
    if key.origin != "EXTERNAL":
        return None
    text = "You cannot enable automatic rotation of imported key material."
    return Refusal("UnsupportedOperationException", text, "U")


def has_versions(key, _arn, _operation):
    """The operation is for symmetric encryption keys."""
    if key.key_spec == "SYMMETRIC_DEFAULT":
        return None
    return Refusal("UnsupportedOperationException", None, "U")


def has_public_key(key, _arn, _operation):
    """The operation is for asymmetric keys."""
    if key.key_usage != "GENERATE_VERIFY_MAC" and key.key_spec != "SYMMETRIC_DEFAULT":
        return None
    return Refusal("UnsupportedOperationException", None, "U")


def primary(key, arn, _operation):
    """The operation is for multi-Region primary keys."""
    if key.role == "primary":
        return None
    text = f"{arn} is not a multi-region primary key."
    return Refusal("UnsupportedOperationException", text, "U")


def no_replica(key, _arn, _operation):
    """The operation is not for replicas."""
    if key.role != "replica":
        return None
    return Refusal("UnsupportedOperationException", UNRECORDED, "U")


def has_next_material(key, arn, _operation):
    """Imported material must wait for its rotation; no key of the table has such material."""
    if key.origin != "EXTERNAL":
        return None
    text = f"No available key material pending rotation for the key: {arn}."
    return Refusal("KMSInvalidStateException", text, "M")


ENCRYPTION = (usage("ENCRYPT_DECRYPT"), USABLE)
DATA_KEYS = (*ENCRYPTION, symmetric_algorithm)
SIGNING = (usage("SIGN_VERIFY"), USABLE)
MAC = (usage("GENERATE_VERIFY_MAC"), USABLE)
ENCAPSULATION = (usage("ENCAPSULATE_DECAPSULATE"), USABLE)
ROTATION = (not_imported, USABLE, has_versions, no_replica)

# Each operation and the member that names a key: the checks in their order; the first that refuses answers.
ROWS = {
    ("CancelKeyDeletion", "KeyId"): (pending_deletion,),
    ("CreateAlias", "TargetKeyId"): (STAYS,),
    ("CreateGrant", "KeyId"): (GRANTABLE,),
    ("Decapsulate", "KeyId"): ENCAPSULATION,
    ("Decrypt", "KeyId"): ENCRYPTION,
    ("DeleteAlias", "AliasName"): (ANY_STATE,),
    ("DeleteImportedKeyMaterial", "KeyId"): (imported, LOSES_MATERIAL),
    ("DeriveSharedSecret", "KeyId"): (usage("KEY_AGREEMENT"), USABLE),
    ("DescribeKey", "KeyId"): (ANY_STATE,),
    ("DisableKey", "KeyId"): (SWITCHABLE,),
    ("DisableKeyRotation", "KeyId"): ROTATION,
    ("EnableKey", "KeyId"): (SWITCHABLE,),
    ("EnableKeyRotation", "KeyId"): ROTATION,
    ("Encapsulate", "KeyId"): ENCAPSULATION,
    ("Encrypt", "KeyId"): ENCRYPTION,
    ("GenerateDataKey", "KeyId"): DATA_KEYS,
    ("GenerateDataKeyPair", "KeyId"): DATA_KEYS,
    ("GenerateDataKeyPairWithoutPlaintext", "KeyId"): DATA_KEYS,
    ("GenerateDataKeyWithoutPlaintext", "KeyId"): DATA_KEYS,
    ("GenerateMac", "KeyId"): MAC,
    ("GetKeyLastUsage", "KeyId"): (ANY_STATE,),
    ("GetKeyPolicy", "KeyId"): (ANY_STATE,),
    ("GetKeyRotationStatus", "KeyId"): (has_versions,),
    ("GetParametersForImport", "KeyId"): (imported, ASKS_FOR_MATERIAL),
    ("GetPublicKey", "KeyId"): (has_public_key, TELLS_PUBLIC_KEY),
    ("ImportKeyMaterial", "KeyId"): (imported, TAKES_MATERIAL),
    ("ListAliases", "KeyId"): (ANY_STATE,),
    ("ListGrants", "KeyId"): (ANY_STATE,),
    ("ListKeyPolicies", "KeyId"): (ANY_STATE,),
    ("ListKeyRotations", "KeyId"): (has_versions,),
    ("ListResourceTags", "KeyId"): (ANY_STATE,),
    ("PutKeyPolicy", "KeyId"): (ANY_STATE,),
    ("ReEncrypt", "DestinationKeyId"): ENCRYPTION,
    ("ReEncrypt", "SourceKeyId"): ENCRYPTION,
    ("ReplicateKey", "KeyId"): (SETTLED, primary),
    ("RetireGrant", "KeyId"): (ANY_STATE,),
    ("RevokeGrant", "KeyId"): (ANY_STATE,),
    ("RotateKeyOnDemand", "KeyId"): (SETTLED, has_versions, no_replica, has_next_material),
    ("ScheduleKeyDeletion", "KeyId"): (DELETABLE,),
    ("Sign", "KeyId"): SIGNING,
    ("TagResource", "KeyId"): (STAYS,),
    ("UntagResource", "KeyId"): (STAYS,),
    ("UpdateAlias", "AliasName"): (ANY_STATE,),
    ("UpdateAlias", "TargetKeyId"): (STAYS,),
    ("UpdateKeyDescription", "KeyId"): (STAYS,),
    ("UpdatePrimaryRegion", "KeyId"): (USABLE, primary),
    ("Verify", "KeyId"): SIGNING,
    ("VerifyMac", "KeyId"): MAC,
}
# Members that look as if they named a key and do not.
NO_KEY = {("CreateAlias", "AliasName"): "the name of an alias that does not exist yet",
          ("CreateKey", "XksKeyId"): "a key of an external key manager"}


def verdict(row, key, arn):
    """What AWS answers: a refusal, or None for a success."""
    refusals = (check(key, arn, row[0]) for check in ROWS[row])
    return next((refusal for refusal in refusals if refusal), None)


# The page.

INTRODUCTION = """\
# Key states

What each operation answers for each key in each state. The tables are made from `tests/conformance/key_states.py`, by

    python tests/conformance/key_states.py > docs/key-states.md

and `tests/conformance/test_key_states.py` asks the server for every cell.

| Cell | Meaning |
|---|---|
| ok | the call succeeds |
| D | `DisabledException`: *ARN* is disabled. |
| S | `KMSInvalidStateException`: *ARN* is *state*. |
| M | `KMSInvalidStateException`: No available key material pending rotation for the key: *ARN*. |
| K | `InvalidKeyUsageException`: the usage or the spec of the key is another |
| U | `UnsupportedOperationException`: the spec, the origin or the role of the key is another |

Of several reasons the one that AWS checks first is told: mostly usage, then state, then spec.

- The tables are of multi-Region primary keys, which have every state but Creating; that column is of replicas.
- Single-Region keys and replicas answer as primary keys do, but for the operations of the last table.
- *Unavailable* is the state of keys in a disconnected custom key store. There are no custom key stores yet, so no key
  is in this state, and it has no column.
- Creating and Updating last a second at most.
- Operations that name no key know no state: {without}.
- ReEncrypt and the operations of aliases name keys by other members than `KeyId`, which are told in brackets.
- *Doubt*: AWS documents `DisabledException` for GetPublicKey on a disabled key and is seen to answer.
"""
PAGE_STATES = [state for state in STATES if state not in UNREACHABLE]


def page():
    """docs/key-states.md."""
    parts = [INTRODUCTION.format(without=listed(WITHOUT_KEY))]
    for key_spec, key_usage in KINDS:
        for origin in ORIGINS:
            told = table(key_spec, key_usage, origin)
            parts.append(f"## {key_usage}, {key_spec}, origin {origin}\n\n{told}")
    parts.append(f"## Single-Region keys and replicas\n\n{table_of_roles()}")
    return "\n".join(parts)


WITHOUT_KEY = ["CreateKey", "GenerateRandom", "ListKeys", "ListRetirableGrants"]


def cell(row, key):
    """One cell of the page."""
    refusal = verdict(row, key, "ARN")
    return refusal.short if refusal else "ok"


def cells(row, key_spec, key_usage, origin):
    """The cells of a row, with nothing for states that such a key does not have."""
    for state in PAGE_STATES:
        role = "replica" if state == "Creating" else "primary"
        has_state = origin == "EXTERNAL" or state != "PendingImport"
        key = Key(key_spec, key_usage, origin, role, state)
        yield cell(row, key) if has_state else ""


def table(key_spec, key_usage, origin):
    """The table of one kind of key; operations with the same cells share a line."""
    lines = {}
    for row in ROWS:
        lines.setdefault(tuple(cells(row, key_spec, key_usage, origin)), []).append(named(row))
    body = [[listed(names), *told] for told, names in lines.items()]
    return markdown(["Operations", *PAGE_STATES], body)


def table_of_roles():
    """Where the role of a key makes a difference, in a state that all roles have."""
    body = []
    for row in ROWS:
        told = [" ".join(sorted({cell(row, replace(key, role=role)) for key in of_keys()
                                 if key.state == "Enabled" and key.key_spec == "SYMMETRIC_DEFAULT"
                                 and key.origin == "AWS_KMS"}))
                for role in ("primary", "single", "replica")]
        if len(set(told)) > 1:
            body.append([named(row), *told])
    return markdown(["Enabled, SYMMETRIC_DEFAULT, AWS_KMS", "primary", "single-Region", "replica"], body)


def named(row):
    """An operation, with the member that names the key if it is not KeyId."""
    operation, member = row
    return operation if member == "KeyId" else f"{operation} ({member})"


def listed(names):
    """Names in a line."""
    return ", ".join(names)


def markdown(heads, body):
    """A table in Markdown."""
    rows = [heads, ["---"] * len(heads), *body]
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


if __name__ == "__main__":
    print(page(), end="")

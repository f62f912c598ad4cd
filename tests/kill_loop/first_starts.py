"""First starts on an empty directory, killed while they make it (I9)."""

import shutil

from checks import Wrong, tell
from client import Client, Ledger, Unanswered
from server import NoStart, Target, was_killed

KILLS_MAX = 4
START_SECONDS_MAX = 0.1


def check(findings, rng, folder):
    """Kills a few first starts in a row; then one must succeed and serve. Returns how many kills that were."""
    folder.mkdir()
    server = Target(folder / "data", folder / "server.log")
    kills = rng.randint(1, KILLS_MAX)
    for _ in range(kills):
        code = server.begin_and_kill(rng.uniform(0, START_SECONDS_MAX))
        findings.check("I9", was_killed(code), f"a first start ended by itself with {code}: {server.output()}")
        server.take_errors()
    try:
        server.begin()
        use(findings, server, folder)
        code = server.stop()
        findings.check("I9", code == 0, f"the server ended with {code}")
        leftovers = server.leftovers()
        findings.check("I9", not leftovers, f"files are left after the first start: {leftovers}")
    except (NoStart, Unanswered, Wrong, OSError) as failure:
        findings.fail("I9", f"{kills} killed first starts keep {folder} from serving: {failure}")
    errors = server.take_errors()
    findings.check("I9", not errors, f"the first start logged errors: {errors[:5]}")
    server.kill_if_running()
    if not findings.failed:
        shutil.rmtree(folder)
    return kills


def use(findings, server, folder):
    """The operator's access key works, for a key that works."""
    ledger = Ledger(folder / "acknowledgements.jsonl")
    client = Client(server.port, *server.root_credentials(), ledger=ledger)
    key_id = tell(client, "CreateKey")["KeyMetadata"]["KeyId"]
    blob = tell(client, "Encrypt", KeyId=key_id, Plaintext="eA==")["CiphertextBlob"]
    plaintext = tell(client, "Decrypt", CiphertextBlob=blob)["Plaintext"]
    findings.check("I9", plaintext == "eA==", f"after the first start {plaintext} was decrypted")
    client.close()
    ledger.close()

"""Root keys of every provider: made, given to a sealed server, taken away, exchanged, and never lost between two."""

import hashlib
import http.client
import json
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

import keystead
from conftest import client_of
from timed import eventually

PASSPHRASE = "correct horse battery staple"
OTHER_PASSPHRASE = "tray sleds pearl oyster mulch"
PREFIX = "keystead-share-1-"
KILLS = 12


class Operated(keystead.Server):
    """A server whose operators unseal it; its start ends when it is reached."""

    def start(self):
        """Starts the server, which may be sealed."""
        self.launch()

    def readiness(self):
        """What /readyz tells."""
        return self.admin("GET", "/readyz")

    def give(self, *secrets):
        """Gives the server shares or a passphrase, and waits until it is ready."""
        for secret in secrets:
            done = unseal(self.directory, secret)
            assert done.returncode == 0, done.stderr
        self.wait_until_ready()

    def raw(self, body="{}", content_type="application/x-amz-json-1.1", method="POST"):
        """An answer to a call that nobody signed: status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, "/", body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()


def unseal(directory, secret):
    """One operator's part."""
    return keystead.run("unseal", "--data-dir", directory, said=secret + "\n")


def init(directory, *arguments, said=""):
    """Makes a directory; answers its shares."""
    done = keystead.run("init", *arguments, "--data-dir", directory, said=said)
    assert done.returncode == 0, done.stderr
    return shares_in(done.stdout)


def shares_in(output):
    """The shares that a command told."""
    return [line for line in output.splitlines() if line.startswith(PREFIX)]


def exchange(directory, *arguments, said=()):
    """Exchanges the root key; answers the new shares."""
    done = exchanged(directory, *arguments, said=said)
    assert done.returncode == 0, done.stderr
    return shares_in(done.stdout)


def exchanged(directory, *arguments, said=()):
    """The same, whatever comes of it."""
    return keystead.run("root", *arguments, "--data-dir", directory,
                        said="".join(line + "\n" for line in said))


def forged(share):
    """A share of the same set and number that is whole and wrong."""
    data = bytearray.fromhex(share.removeprefix(PREFIX))
    data[20] ^= 1
    data[-4:] = hashlib.sha256(data[:-4]).digest()[:4]
    return PREFIX + data.hex()


def configured(tmp_path, **settings):
    """The flags of a configuration file with such a custody table."""
    path = tmp_path / "keystead.toml"
    lines = [f"{name} = {json.dumps(str(value))}" for name, value in settings.items()]
    path.write_text("\n".join(["[custody]", *lines, ""]))
    return "--config", path


def encrypted(server):
    """A key that encrypted something: its client and the ciphertext."""
    kms = client_of(server, server.root_credentials())
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    return kms.encrypt(KeyId=key_id, Plaintext=b"kept")["CiphertextBlob"]


def decrypts(server, ciphertext):
    """The server has the key that made the ciphertext."""
    kms = client_of(server, server.root_credentials())
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"kept"


@pytest.fixture
def directory(tmp_path):
    """Where the data will be."""
    return tmp_path / "data"


@pytest.fixture
def started(directory):
    """Starts servers over the directory, and ends them."""
    servers = []

    def start(*arguments):
        servers.append(Operated(directory, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def of_shares(directory, started):
    """A sealed server and its five shares, of which three unseal it."""
    shares = init(directory, "--shares", 5, "--threshold", 3)
    assert len(set(shares)) == 5
    return started(), shares


def test_a_sealed_server_answers_probes_alone(of_shares):
    """Whoever else asks is told to come again, before anything is looked at."""
    server, _ = of_shares
    assert server.admin("GET", "/healthz") == (200, "ok\n")
    assert server.readiness() == (503, "sealed: 0 of 3 shares\n")
    assert server.admin("GET", "/metrics")[0] == 503
    for body in ["{}", "no JSON", "x" * 300_000]:
        status, headers, text = server.raw(body)
        assert (status, headers["Content-Type"]) == (503, "application/x-amz-json-1.1")
        assert json.loads(text)["__type"] == "ServiceUnavailable"
    status, headers, text = server.raw("Action=ListUsers", "application/x-www-form-urlencoded; charset=utf-8")
    assert (status, headers["Content-Type"]) == (503, "text/xml")
    assert "<Code>ServiceUnavailable</Code>" in text
    with pytest.raises(Exception, match="ServiceUnavailable"):
        client_of(server, ("AKIAIOSFODNN7EXAMPLE", "secret")).list_keys()
    refused = keystead.run("account", "list", "--data-dir", server.directory)
    assert refused.returncode == 1 and "sealed" in refused.stderr
    assert server.stop() == 0, server.output()


def test_enough_shares_unseal_and_a_restart_seals(of_shares):
    """Any three will do, in any order; the number of them that came is told, and a wrong word costs nothing."""
    server, shares = of_shares
    assert unseal(server.directory, shares[4]).stdout == "1 of 3 shares\n"
    for wrong, why in [(shares[4], "given already"), ("share", "not a share"),
                       (shares[1][:-1], "not a share"), (shares[1][:-1] + "g", "not a share")]:
        refused = unseal(server.directory, wrong)
        assert refused.returncode == 1 and why in refused.stderr
    assert server.readiness() == (503, "sealed: 1 of 3 shares\n")
    assert unseal(server.directory, shares[0]).stdout == "2 of 3 shares\n"
    assert unseal(server.directory, shares[2]).stdout == "unsealed\n"
    server.wait_until_ready()
    assert "not sealed" in unseal(server.directory, shares[0]).stderr
    ciphertext = encrypted(server)
    assert server.stop() == 0, server.output()
    offline = keystead.run("account", "list", "--data-dir", server.directory)
    assert offline.returncode == 1 and "keystead unseal" in offline.stderr
    server.start()
    assert server.readiness()[0] == 503
    server.give(*shares[1:4])
    decrypts(server, ciphertext)
    for share in shares:
        assert share.removeprefix(PREFIX) not in server.output()


def test_a_forged_share_is_refused_without_telling_which(of_shares, tmp_path):
    """All that was given is forgotten; shares of another splitting are told apart at once."""
    server, shares = of_shares
    foreign = init(tmp_path / "other", "--shares", 2, "--threshold", 2)
    assert "not one of this root key" in unseal(server.directory, foreign[0]).stderr
    told = set()
    for place in range(3):
        given = [forged(share) if place == index else share for index, share in enumerate(shares[:3])]
        for share in given[:2]:
            assert unseal(server.directory, share).returncode == 0
        refused = unseal(server.directory, given[2])
        assert refused.returncode == 1
        told.add(refused.stderr)
        assert server.readiness() == (503, "sealed: 0 of 3 shares\n")
    assert len(told) == 1
    server.give(*shares[:3])


def test_sealing_ends_every_answer_until_unsealed(of_shares):
    """The same process and ports, again and again."""
    server, shares = of_shares
    server.give(*shares[:3])
    ciphertext = encrypted(server)
    for _ in range(3):
        done = keystead.run("seal", "--data-dir", server.directory)
        assert (done.returncode, done.stdout) == (0, "sealed\n"), done.stderr
        eventually("sealed", lambda: server.readiness() == (503, "sealed: 0 of 3 shares\n"))
        assert server.raw()[0] == 503
        again = keystead.run("seal", "--data-dir", server.directory)
        assert again.returncode == 1 and "sealed already" in again.stderr
        server.give(*shares[2:5])
        decrypts(server, ciphertext)
    server.check()
    assert server.stop() == 0, server.output()
    verified = keystead.run("audit", "verify", server.directory)
    assert verified.returncode == 0, verified.stderr


def test_a_root_key_at_hand_is_not_sealed(own_server):
    """It would be opened at the next start without anybody."""
    refused = keystead.run("seal", "--data-dir", own_server.directory)
    assert refused.returncode == 1 and "at hand" in refused.stderr
    own_server.check()


def test_a_passphrase_unseals(directory, started, tmp_path):
    """By an operator, or by a file that the configuration names."""
    init(directory, "--provider", "passphrase", said=PASSPHRASE + "\n")
    server = started()
    assert server.readiness() == (503, "sealed\n")
    refused = unseal(directory, OTHER_PASSPHRASE)
    assert refused.returncode == 1 and "not the root key" in refused.stderr
    server.give(PASSPHRASE)
    ciphertext = encrypted(server)
    assert server.stop() == 0, server.output()

    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    flags = configured(tmp_path, provider="passphrase", passphrase_file=file)
    server = started(*flags)
    server.wait_until_ready()
    decrypts(server, ciphertext)
    assert server.stop() == 0, server.output()
    told = keystead.run("account", "list", *flags, "--data-dir", directory)
    assert told.returncode == 0, told.stderr
    file.write_text(OTHER_PASSPHRASE)
    refused = keystead.run("serve", *flags, "--data-dir", directory, "--listen", "127.0.0.1:0",
                           "--admin-listen", "127.0.0.1:0")
    assert refused.returncode == 1 and "not the root key" in refused.stderr
    assert PASSPHRASE not in refused.stderr + server.output()


def test_another_provider_than_configured_is_refused(directory, tmp_path):
    """A directory is never opened, or made, by another way than the operator said."""
    flags = configured(tmp_path, provider="shamir")
    refused = keystead.run("serve", *flags, "--data-dir", directory)
    assert refused.returncode == 1 and "keystead init" in refused.stderr
    init(directory)
    for command in [("serve",), ("account", "list")]:
        refused = keystead.run(*command, *flags, "--data-dir", directory)
        assert refused.returncode == 1
        assert "from the provider file, and the configuration says shamir" in refused.stderr
    again = keystead.run("init", "--data-dir", directory)
    assert again.returncode == 1 and "has a root key" in again.stderr


@pytest.mark.parametrize("arguments, said, why", [
    (["--shares", 3, "--threshold", 1], "", "2 to 16 shares"),
    (["--shares", 2, "--threshold", 3], "", "2 to 16 shares"),
    (["--shares", 17, "--threshold", 3], "", "2 to 16 shares"),
    (["--provider", "shamir"], "", "--shares N"),
    (["--provider", "file", "--shares", 3, "--threshold", 2], "", "--shares N"),
    (["--provider", "passphrase"], "short\n", "16 bytes or more"),
    (["--provider", "passphrase"], "", "1 to 1024 bytes"),
    (["--provider", "passphrase"], "x" * 1025 + "\n", "1 to 1024 bytes"),
])
def test_what_makes_no_root_key_leaves_no_root_key(directory, arguments, said, why):
    """And the directory can be initialised afterwards."""
    refused = keystead.run("init", *arguments, "--data-dir", directory, said=said)
    assert refused.returncode == 1 and why in refused.stderr, refused.stderr
    init(directory, "--shares", 2, "--threshold", 2)


def test_every_provider_takes_over_from_every_other(directory, started):
    """The keys stay, the old secrets open nothing, and what kept the old root key is gone."""
    server = started()
    server.wait_until_ready()
    ciphertext = encrypted(server)
    held = exchanged(directory, "rotate")
    assert held.returncode == 1 and "in use by" in held.stderr, "a running server"

    def holds(*secrets):
        server.start()
        if secrets:
            assert server.readiness()[0] == 503
            server.give(*secrets)
        server.wait_until_ready()
        decrypts(server, ciphertext)
        assert server.stop() == 0, server.output()
        kept = {path.name for path in directory.glob("root-key*")}
        assert kept == (set() if secrets else {"root-key"})

    server.stop()
    first = (directory / "root-key").read_text()
    assert exchange(directory, "rotate") == []
    assert (directory / "root-key").read_text() != first
    holds()
    shares = exchange(directory, "migrate", "--to", "shamir", "--shares", 3, "--threshold", 2)
    holds(*shares[:2])
    newer = exchange(directory, "rotate", "--shares", 4, "--threshold", 3, said=shares[1:])
    refused = exchanged(directory, "rotate", "--shares", 2, "--threshold", 2, said=shares[:2])
    assert refused.returncode == 1 and "not one of this root key" in refused.stderr
    holds(*newer[:3])
    exchange(directory, "migrate", "--to", "passphrase", said=[*newer[1:], PASSPHRASE])
    holds(PASSPHRASE)
    exchange(directory, "rotate", said=[PASSPHRASE, OTHER_PASSPHRASE])
    refused = exchanged(directory, "migrate", "--to", "file", said=[PASSPHRASE])
    assert refused.returncode == 1 and "not the root key" in refused.stderr
    holds(OTHER_PASSPHRASE)
    exchange(directory, "migrate", "--to", "file", said=[OTHER_PASSPHRASE])
    holds()


def test_what_the_old_root_key_wrapped_is_wiped(directory):
    """From the database and its log: only copies made before have it."""
    init(directory)

    def wrapped():
        with sqlite3.connect(directory / "keystead.db") as database:
            return [row[0] for row in database.execute("SELECT wrapped FROM domain_keys")]

    old = wrapped()
    exchange(directory, "rotate")
    new = wrapped()
    stored = b"".join(path.read_bytes() for path in directory.glob("keystead.db*"))
    assert len(old) == len(new) == 4
    assert all(key in stored for key in new)
    assert not any(key in stored for key in old)


def test_an_old_root_key_file_does_not_open_what_was_exchanged(directory, started):
    """Nor does a header that was taken away make the server look for less."""
    server = started()
    server.wait_until_ready()
    server.stop()
    old = (directory / "root-key").read_bytes()
    exchange(directory, "migrate", "--to", "passphrase", said=[PASSPHRASE])
    with sqlite3.connect(directory / "keystead.db") as database:
        database.execute("DELETE FROM root_headers")
    (directory / "root-key").write_bytes(old)
    (directory / "root-key").chmod(0o600)
    refused = keystead.run("serve", "--data-dir", directory, "--listen", "127.0.0.1:0",
                           "--admin-listen", "127.0.0.1:0")
    assert refused.returncode == 1 and "root key does not open" in refused.stderr
    assert (directory / "root-key").read_bytes() == old, "and nothing is removed"


def test_a_directory_from_before_there_were_headers_serves_and_is_exchanged(directory, started):
    """Its root key is a file, as it always was."""
    server = started()
    server.wait_until_ready()
    ciphertext = encrypted(server)
    server.stop()
    with sqlite3.connect(directory / "keystead.db") as database:
        assert database.execute("DELETE FROM root_headers").rowcount == 1
    key = (directory / "root-key").read_bytes()
    server.start()
    server.wait_until_ready()
    decrypts(server, ciphertext)
    server.stop()
    assert (directory / "root-key").read_bytes() == key
    exchange(directory, "migrate", "--to", "passphrase", said=[PASSPHRASE])
    server.start()
    server.give(PASSPHRASE)
    decrypts(server, ciphertext)


def test_what_a_crash_leaves_of_an_exchange_is_settled(directory, started):
    """A new file before the transaction is nothing, after it everything; an old file after it is removed once it is useless."""
    server = started()
    server.wait_until_ready()
    ciphertext = encrypted(server)
    server.stop()
    root_key, next_key = directory / "root-key", directory / "root-key.next"

    def serves(*secrets):
        server.start()
        if secrets:
            server.give(*secrets)
        server.wait_until_ready()
        decrypts(server, ciphertext)
        assert server.stop() == 0, server.output()
        assert not next_key.exists()

    before = root_key.read_bytes()
    next_key.write_text("0" * 64 + "\n")
    next_key.chmod(0o600)
    serves()
    assert root_key.read_bytes() == before

    exchange(directory, "rotate")
    root_key.rename(next_key)
    root_key.write_bytes(before)
    root_key.chmod(0o600)
    serves()
    assert root_key.read_bytes() != before

    shutil.copy2(root_key, tmp := directory / "root-key.copy")
    exchange(directory, "migrate", "--to", "passphrase", said=[PASSPHRASE])
    tmp.rename(root_key)
    server.start()
    assert root_key.exists(), "not before the new root key has opened everything"
    server.stop()
    serves(PASSPHRASE)
    assert not root_key.exists()


@pytest.mark.parametrize("arguments, said", [
    (["rotate"], []),
    (["migrate", "--to", "passphrase"], [PASSPHRASE]),
    (["migrate", "--to", "shamir", "--shares", 3, "--threshold", 2], []),
])
def test_a_killed_exchange_leaves_the_old_root_key_or_the_new_one(directory, started, arguments, said):
    """Whenever it dies: the moments are spread over its whole life, and shares were told before they are needed."""
    server = started()
    server.wait_until_ready()
    ciphertext = encrypted(server)
    server.stop()

    def back(secrets):
        if not (directory / "root-key").exists():
            exchange(directory, "migrate", "--to", "file", said=secrets)

    begin = time.monotonic()
    secrets = exchange(directory, *arguments, said=said)[:2] or said
    lasts = time.monotonic() - begin
    back(secrets)
    codes = set()
    for number in range(KILLS):
        process = subprocess.Popen([keystead.binary(), "root", *map(str, arguments), "--data-dir", directory],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env=keystead.environment())
        process.stdin.write("".join(line + "\n" for line in said))
        process.stdin.flush()
        time.sleep(lasts * (number + 1) / KILLS)
        process.send_signal(signal.SIGKILL)
        secrets = shares_in(process.communicate()[0])[:2] or said
        codes.add(process.returncode)
        server.start()
        if server.readiness()[1].startswith("sealed"):
            server.give(*secrets)
        server.wait_until_ready()
        decrypts(server, ciphertext)
        assert server.stop() == 0, server.output()
        assert not (directory / "root-key.next").exists()
        back(secrets)
    assert -signal.SIGKILL in codes, "none came in time"


@pytest.mark.parametrize("column, value", [
    ("parameters", bytes(28)),
    ("parameters", b"\xff" * 12 + bytes(16)),
    ("provider", "hsm"),
    ("provider", "shamir"),
])
def test_an_altered_header_is_refused_at_once(directory, column, value):
    """Nothing is hashed with whatever memory it asks for, and nobody is asked for a secret."""
    init(directory, "--provider", "passphrase", said=PASSPHRASE + "\n")
    with sqlite3.connect(directory / "keystead.db") as database:
        database.execute(f"UPDATE root_headers SET {column} = ?", [value])
    refused = keystead.run("serve", "--data-dir", directory, "--listen", "127.0.0.1:0",
                           "--admin-listen", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "header of the root key" in refused.stderr or "unknown provider" in refused.stderr


def test_another_salt_makes_another_key(directory, started):
    """A header within the bounds that was altered admits no passphrase."""
    init(directory, "--provider", "passphrase", said=PASSPHRASE + "\n")
    with sqlite3.connect(directory / "keystead.db") as database:
        (parameters,) = database.execute("SELECT parameters FROM root_headers").fetchone()
        database.execute("UPDATE root_headers SET parameters = ?", [parameters[:-1] + bytes([parameters[-1] ^ 1])])
    started()
    refused = unseal(directory, PASSPHRASE)
    assert refused.returncode == 1 and "not the root key" in refused.stderr

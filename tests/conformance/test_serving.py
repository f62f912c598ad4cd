"""Starting, administering and stopping, as an operator does."""

import json
import os
import re
import signal
import stat
import threading

import pytest

import keystead
from conftest import client_of


def test_the_first_start_writes_the_root_credentials(own_server):
    file = own_server.credentials_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    access_key_id, secret = own_server.root_credentials()
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", access_key_id)
    assert re.fullmatch(r"[A-Za-z0-9/+]{40}", secret)
    assert secret not in own_server.output()


def test_a_second_start_keeps_everything(own_server):
    kms = client_of(own_server, own_server.root_credentials())
    key = kms.create_key()["KeyMetadata"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"kept")["CiphertextBlob"]
    credentials = own_server.root_credentials()
    assert own_server.stop() == 0
    own_server.start()
    assert own_server.root_credentials() == credentials
    kms = client_of(own_server, credentials)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_what_is_secret_is_the_owners_only(own_server):
    for path in own_server.directory.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_second_server_is_refused_and_told_of_the_first(own_server):
    second = keystead.run("serve", "--data-dir", own_server.directory, "--listen", "127.0.0.1:0",
                          "--admin-listen", "127.0.0.1:0")
    assert second.returncode not in (0, None)
    assert str(own_server.process.pid) in second.stderr
    own_server.check()


@pytest.mark.parametrize("arguments", [
    ["--listen", "nowhere"], ["--no-such-setting", "1"], ["--account-id", "12"],
    ["--listen", "0.0.0.0:0"],
])
def test_wrong_settings_are_refused_before_anything_is_opened(tmp_path, arguments):
    refused = keystead.run("serve", "--data-dir", tmp_path / "data", *arguments)
    assert refused.returncode != 0
    assert refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_wrong_line_of_the_file_is_named(tmp_path):
    file = tmp_path / "keystead.toml"
    file.write_text('listen = "127.0.0.1:0"\nno_such_setting = 1\n')
    refused = keystead.run("serve", "--data-dir", tmp_path / "data", "--config", file)
    assert refused.returncode != 0
    assert f"{file}:2" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_an_unknown_variable_is_refused(tmp_path):
    refused = keystead.run("serve", "--data-dir", tmp_path / "data", KEYSTEAD_NO_SUCH_SETTING="1")
    assert refused.returncode != 0
    assert "KEYSTEAD_NO_SUCH_SETTING" in refused.stderr


def test_the_help_explains_each_setting():
    text = keystead.run("serve", "--help").stdout
    for flag in ("--data-dir", "--listen", "--admin-listen", "--account-id", "--config",
                 "--tls-certificate", "--tls-key"):
        assert flag in text


def test_accounts_with_the_server_running(own_server):
    made = keystead.run("account", "create", "222233334444", "--data-dir", own_server.directory,
                        "--access-key-id", "AKIAEXAMPLE222233334", "--secret-access-key", "s" * 40)
    assert made.returncode == 0, made.stderr
    identity = client_of(own_server, ("AKIAEXAMPLE222233334", "s" * 40), "sts").get_caller_identity()
    assert identity["Account"] == "222233334444"
    listed = keystead.run("account", "list", "--data-dir", own_server.directory)
    assert "222233334444" in listed.stdout and keystead.ACCOUNT in listed.stdout
    assert "s" * 40 not in listed.stdout


def test_accounts_with_the_server_stopped(own_server, tmp_path):
    assert own_server.stop() == 0
    file = tmp_path / "accounts"
    file.write_text("AKIAEXAMPLE222233334 " + "s" * 40 + " 222233334444\n"
                    "AKIAEXAMPLE333344445 " + "t" * 40 + " 333344445555\n")
    made = keystead.run("account", "create", "--from-file", file, "--data-dir", own_server.directory)
    assert made.returncode == 0, made.stderr
    own_server.start()
    for credentials, account in ((("AKIAEXAMPLE222233334", "s" * 40), "222233334444"),
                                 (("AKIAEXAMPLE333344445", "t" * 40), "333344445555")):
        assert client_of(own_server, credentials, "sts").get_caller_identity()["Account"] == account


def test_a_bad_line_of_accounts_changes_nothing(own_server, tmp_path):
    file = tmp_path / "accounts"
    file.write_text("AKIAEXAMPLE222233334 " + "s" * 40 + " 222233334444\nnonsense\n")
    made = keystead.run("account", "create", "--from-file", file, "--data-dir", own_server.directory)
    assert made.returncode != 0
    assert f"{file}:2" in made.stderr and "nonsense" not in made.stderr
    listed = keystead.run("account", "list", "--data-dir", own_server.directory)
    assert "222233334444" not in listed.stdout


def test_the_admin_listener(server, kms):
    kms.generate_random(NumberOfBytes=1)
    assert server.admin("GET", "/healthz")[0] == 200
    assert server.admin("GET", "/readyz")[0] == 200
    status, text = server.admin("GET", "/metrics")
    assert status == 200
    assert re.search(r'^keystead_\w+\{.*operation="GenerateRandom".*result="Success".*\} [1-9]', text,
                     re.MULTILINE)
    for word in ("cache", "journal", "store", "connections", "bucket"):
        assert word in text, word
    assert server.admin("GET", "/nowhere")[0] == 404


def journal_metrics(server):
    """How often the journal was synced, and how many records still wait for that."""
    text = server.admin("GET", "/metrics")[1]
    return [int(re.search(rf"^keystead_journal_{name} (\d+)", text, re.MULTILINE)[1])
            for name in ("syncs_total", "unsynced_records")]


def test_strict_durability_syncs_before_each_answer(tmp_path):
    running = keystead.Server(tmp_path / "data", "--journal-durability", "strict")
    try:
        kms = client_of(running, running.root_credentials())
        before, _ = journal_metrics(running)
        for count in range(1, 21):
            kms.generate_random(NumberOfBytes=1)
            syncs, unsynced = journal_metrics(running)
            assert syncs >= before + count and unsynced == 0
    finally:
        assert running.stop() == 0


def test_interval_durability_syncs_later(tmp_path):
    running = keystead.Server(tmp_path / "data", "--journal-durability", "10000ms")
    try:
        kms = client_of(running, running.root_credentials())
        before, _ = journal_metrics(running)
        for _ in range(20):
            kms.generate_random(NumberOfBytes=1)
        syncs, unsynced = journal_metrics(running)
        assert unsynced >= 20 - 1 and syncs <= before + 2
    finally:
        assert running.stop() == 0


def test_the_admin_listener_is_no_api(server):
    assert server.admin("POST", "/", "{}")[0] in (404, 405)


def test_regions_may_be_restricted(tmp_path):
    running = keystead.Server(tmp_path / "data", "--regions", "eu-central-1")
    try:
        credentials = running.root_credentials()
        assert client_of(running, credentials, region="eu-central-1").list_keys()["Keys"] == []
        elsewhere = client_of(running, credentials, region="us-east-1")
        with pytest.raises(elsewhere.exceptions.ClientError):
            elsewhere.list_keys()
    finally:
        assert running.stop() == 0


def test_sigterm_finishes_what_was_begun(own_server):
    kms = client_of(own_server, own_server.root_credentials())
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    outcomes = []

    def work():
        own = client_of(own_server, own_server.root_credentials())
        for _ in range(1000):
            try:
                own.encrypt(KeyId=key, Plaintext=b"x")
                outcomes.append("ok")
            except Exception as error:  # noqa: BLE001 -- whatever ends the connection ends the loop
                outcomes.append(type(error).__name__)
                return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while outcomes.count("ok") < 20:
        own_server.check()
    own_server.process.send_signal(signal.SIGTERM)
    assert own_server.process.wait(timeout=10) == 0
    for thread in threads:
        thread.join()
    # A call is answered, or its connection was refused or closed before it was taken; never cut.
    assert set(outcomes) <= {"ok", "EndpointConnectionError", "ConnectionClosedError"}


def test_logs_as_json_have_a_request_id(tmp_path):
    running = keystead.Server(tmp_path / "data", "--log-format", "json", "--log-level", "debug")
    try:
        kms = client_of(running, running.root_credentials())
        request_id = kms.list_keys()["ResponseMetadata"]["RequestId"]
    finally:
        assert running.stop() == 0
    lines = [json.loads(line) for line in running.lines if line.startswith("{")]
    assert any(request_id in json.dumps(line) for line in lines)


def test_tls_with_a_certificate_of_our_own(tmp_path):
    made = keystead.run("tls", "self-signed", "--out", tmp_path)
    assert made.returncode == 0, made.stderr
    files = sorted(tmp_path.glob("*.pem"))
    assert len(files) == 2, files
    key = next(path for path in files if b"PRIVATE KEY" in path.read_bytes())
    assert os.stat(key).st_mode & 0o077 == 0

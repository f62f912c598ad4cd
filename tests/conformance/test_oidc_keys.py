"""Keys of OIDC issuers that are fetched: when, from whom, how often, and what no answer of theirs can do."""

import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import journal
from conftest import client_of
from identities import allow, document, unique
from issuers import Issuer, Key
from key_servers import FetchedIssuer, KeyServer, answer, certificate_authority, not_found, table
from keystead import REGION, Server, binary
from timed import DAY, HOUR, MINUTE, eventually

UNVERIFIED = "The web identity token's signature cannot be verified"
UNREACHABLE = "The identity provider that was asked to verify the web identity token could not be " \
    "reached"
WAIT_SECONDS_MAX = 3


def huge(handler):
    """More bytes than anybody reads, without a length."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    try:
        handler.wfile.write(b'{"keys":[' + b" " * (300 * 1024) + b"]}")
    except OSError:
        pass


def slow(handler):
    """A byte now and then, for longer than anybody waits."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(60):
            handler.wfile.write(b" ")
            time.sleep(0.25)
    except OSError:
        pass


# What issuers whose keys cannot be had answer, and the result that the metrics tell.
HOSTILE = {
    "redirect": (answer({}, 302, Location="/jwks_url/jwks"), "status"),
    "missing": (not_found, "status"),
    "huge": (huge, "too_long"),
    "text": (answer(b"<html>"), "document"),
    "list": (answer(b"[]"), "document"),
    "cut": (lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le"), "http"),
}


@pytest.fixture(scope="module")
def key_server(tmp_path_factory):
    """Where the issuers' keys are."""
    running = KeyServer(tmp_path_factory.mktemp("key-server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory):
    """The same without TLS."""
    running = KeyServer(tmp_path_factory.mktemp("plain-server"), "http")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bearer(tmp_path_factory):
    """The file of the token that an issuer wants to see."""
    path = tmp_path_factory.mktemp("bearer") / "token"
    path.write_text("first-token\n")
    return path


@pytest.fixture(scope="module")
def issuers(key_server, plain_server, bearer, tmp_path_factory):
    """Every issuer of these tests, by name."""
    other = tmp_path_factory.mktemp("other") / "other.pem"
    certificate_authority(other)

    def make(name, **settings):
        return FetchedIssuer(key_server, name, **settings)
    by_url = [make(name, jwks_url=True) for name in (
        "jwks_url", "rotated", "asked", "crowded", "dead", "signalled", "slow", *HOSTILE)]
    made = [
        *by_url, make("plain", jwks_url=f"{plain_server.url}/plain/jwks", ca_file=None),
        make("discovery"), make("mismatch"), make("downgrade"),
        make("other-authority", jwks_url=True, ca_file=other),
        make("no-authority", jwks_url=True, ca_file=None),
        make("cluster", jwks_url=True, bearer_token_file=bearer),
        make("elsewhere", bearer_token_file=bearer)]
    found = {issuer.name.split("/", 1)[1]: issuer for issuer in made}
    for name, (send, _) in HOSTILE.items():
        found[name].show(send)
    plain_server.answers["/plain/jwks"] = key_server.answers["/plain/jwks"]
    found["slow"].show(slow)
    found["mismatch"].describe(issuer=found["mismatch"].url + "/")
    found["downgrade"].describe(jwks_uri=f"http://127.0.0.1:{key_server.port}/downgrade/jwks")
    found["elsewhere"].describe(jwks_uri=f"https://localhost:{key_server.port}/elsewhere/jwks")
    found["cluster"].show(guarded(found["cluster"]))
    return found


def guarded(issuer, token="first-token"):
    """The keys for those who show the token, as a Kubernetes API server does."""
    keys = answer({"keys": [key.public for key in issuer.keys.values()]})

    def send(handler):
        is_known = handler.headers.get("Authorization") == f"Bearer {token}"
        (keys if is_known else answer({}, 401))(handler)
    return send


@pytest.fixture(scope="module")
def fetching(tmp_path_factory, issuers, key_server):
    """A server that fetches the issuers' keys, and lets accounts name more on the same host."""
    directory = tmp_path_factory.mktemp("keystead")
    configuration = directory / "keystead.toml"
    hosts = [table("oidc_discovery_host", host=f"127.0.0.1:{key_server.port}",
                   ca_file=key_server.ca_file, private_addresses=True),
             table("oidc_discovery_host", host=f"localhost:{key_server.port}",
                   ca_file=key_server.ca_file)]
    configuration.write_text("".join([*(issuer.table for issuer in issuers.values()), *hosts]))
    running = Server(directory / "data", "--config", configuration)
    yield running
    running.check()
    assert running.stop() == 0, running.output()


def assuming(server):
    """`assume(issuer, token)`: assumes a new role that trusts the issuer, whose provider is made if need be."""
    iam = client_of(server, server.root_credentials(), "iam")
    sts = boto3.client("sts", region_name=REGION, endpoint_url=server.endpoint, config=Config(
        signature_version=UNSIGNED, retries={"total_max_attempts": 1}, max_pool_connections=100))
    roles = {}

    def role_of(issuer):
        if issuer.url not in roles:
            made = iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])
            trust = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                     "Principal": {"Federated": made["OpenIDConnectProviderArn"]}}
            role = iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=document(trust))
            iam.put_role_policy(RoleName=role["Role"]["RoleName"], PolicyName="only",
                                PolicyDocument=document(allow("kms:*")))
            roles[issuer.url] = role["Role"]["Arn"]
        return roles[issuer.url]

    def assume(issuer, token=None):
        return sts.assume_role_with_web_identity(
            RoleArn=role_of(issuer), RoleSessionName="session",
            WebIdentityToken=token or issuer.token())
    assume.role_of = role_of
    return assume


@pytest.fixture(scope="module")
def assume(fetching):
    """See `assuming`."""
    return assuming(fetching)


def fetches(server, issuer, result):
    """How many fetches of an issuer's keys had this result."""
    _, text = server.admin("GET", "/metrics")
    pattern = rf'keystead_oidc_key_fetches_total\{{issuer="{issuer}",result="(?:{result})"\}} (\d+)'
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("name", ["jwks_url", "discovery"])
def test_keys_are_fetched_at_the_start(assume, fetching, issuers, name):
    issuer = issuers[name]
    eventually("keys", lambda: fetches(fetching, issuer.url, "ok"))
    before = issuer.fetches
    assume(issuer)
    assume(issuer)
    assert issuer.fetches == before
    assert f'keystead_oidc_keys_age_seconds{{issuer="{issuer.url}"}}' in \
        fetching.admin("GET", "/metrics")[1]


def test_plain_http_is_for_loopback(assume, issuers, plain_server):
    assume(issuers["plain"])
    assert plain_server.count("/plain/jwks") == 1 and not issuers["plain"].fetches


def test_a_new_key_is_believed_with_the_first_token(assume, issuers):
    issuer, fresh = issuers["rotated"], Key("ES256", "key-fresh")
    assume(issuer)
    issuer.publish(fresh)
    assume(issuer, issuer.token(fresh))


def test_unknown_key_ids_are_asked_for_once_a_minute(assume, issuers, refused):
    issuer, forged = issuers["asked"], Key("ES256", "key-forged")
    assume(issuer)
    before = issuer.fetches
    for _ in range(5):
        with refused("InvalidIdentityToken", UNVERIFIED):
            assume(issuer, issuer.token(forged))
    assert issuer.fetches == before + 1


def test_a_hundred_tokens_wait_for_one_fetch(assume, issuers):
    issuer, fresh = issuers["crowded"], Key("ES256", "key-fresh")
    assume(issuer)
    before = issuer.fetches
    keys = answer({"keys": [fresh.public]})

    def late(handler):
        time.sleep(1)
        keys(handler)
    issuer.show(late)
    token = issuer.token(fresh)
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: assume(issuer, token), range(100)))
    assert len(answers) == 100 and issuer.fetches == before + 1


def test_a_signal_has_keys_fetched(assume, fetching, issuers, refused):
    issuer, fresh = issuers["signalled"], Key("ES256", "key-fresh")
    assume(issuer)
    before = issuer.fetches
    issuer.publish(fresh)
    fetching.process.send_signal(signal.SIGHUP)
    eventually("a fetch", lambda: issuer.fetches > before)
    eventually("its keys", lambda: fetches(fetching, issuer.url, "ok") > before)
    with refused("InvalidIdentityToken", UNVERIFIED):
        assume(issuer)


def test_a_dead_issuer_keeps_its_keys(assume, issuers, refused):
    issuer, fresh = issuers["dead"], Key("ES256", "key-fresh")
    assume(issuer)
    issuer.show(answer({}, 503))
    with refused("InvalidIdentityToken", UNVERIFIED):
        assume(issuer, issuer.token(fresh))
    assume(issuer)


@pytest.mark.parametrize("name, result", [
    *((name, result) for name, (_, result) in HOSTILE.items()), ("mismatch", "document"),
    ("downgrade", "document"), ("other-authority", "tls"), ("no-authority", "tls|file")])
def test_answers_that_are_not_right_bring_no_keys(assume, fetching, issuers, refused, name, result):
    issuer = issuers[name]
    with refused("IDPCommunicationError", UNREACHABLE):
        assume(issuer)
    eventually(result, lambda: fetches(fetching, issuer.url, result))
    assert not fetches(fetching, issuer.url, "ok")
    told = [line for line in fetching.lines if "cannot be fetched" in line and issuer.url in line]
    assert told, fetching.output()
    records = [record for record in journal.records(fetching.directory / "journal")
               if record["eventName"] == "AssumeRoleWithWebIdentity"]
    assert records[-1]["errorCode"] == "IDPCommunicationErrorException"


def test_a_slow_issuer_holds_nobody_up(assume, fetching, issuers, refused):
    began = time.monotonic()
    with refused("IDPCommunicationError", UNREACHABLE):
        assume(issuers["slow"])
    assert time.monotonic() - began < WAIT_SECONDS_MAX + 2
    assume(issuers["jwks_url"])
    eventually("an end", lambda: fetches(fetching, issuers["slow"].url, "timeout"))


def test_a_pod_of_a_cluster_takes_its_token_from_a_file(assume, fetching, issuers, tmp_path,
                                                        monkeypatch):
    issuer = issuers["cluster"]
    path = tmp_path / "token"
    path.write_text(issuer.token(sub="system:serviceaccount:team:app"))
    configuration = tmp_path / "config"
    configuration.write_text(
        f"[profile pod]\nregion = {REGION}\nrole_arn = {assume.role_of(issuer)}\n"
        f"web_identity_token_file = {path}\nendpoint_url = {fetching.endpoint}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    kms = boto3.session.Session(profile_name="pod").client("kms")
    assert kms.create_key()["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_bearer_token_is_read_again_and_told_to_nobody(assume, fetching, issuers, bearer):
    issuer, fresh = issuers["cluster"], Key("ES256", "key-fresh")
    assume(issuer)
    bearer.write_text("second-token")
    issuer.keys["fresh"] = fresh
    issuer.show(guarded(issuer, "second-token"))
    assume(issuer, issuer.token(fresh))
    assert "first-token" not in fetching.output() and "second-token" not in fetching.output()


def test_a_bearer_token_is_for_the_issuer_alone(assume, issuers, key_server):
    issuer = issuers["elsewhere"]
    assume(issuer)
    shown = {path: "authorization" in headers for path, headers in key_server.requests
             if path.startswith("/elsewhere/")}
    assert shown == {"/elsewhere/.well-known/openid-configuration": True, "/elsewhere/jwks": False}


def test_an_account_may_name_issuers_on_hosts_that_are_allowed(assume, fetching, key_server):
    issuer = FetchedIssuer(key_server, "tenant")
    assume(issuer)
    assume(issuer)
    assert issuer.fetches == 1
    assert fetches(fetching, "discovered", "ok")
    assert issuer.url not in fetching.admin("GET", "/metrics")[1]


def test_an_account_has_no_other_host_called(assume, key_server, refused):
    tenant = FetchedIssuer(key_server, "tenant-elsewhere")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        tenant.describe(jwks_uri=f"https://127.0.0.1:{port}/jwks")
        with refused("IDPCommunicationError", UNREACHABLE):
            assume(tenant)
        tenant.url = f"https://127.0.0.1:{port}/realm"
        with refused("InvalidIdentityToken"):
            assume(tenant)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_an_allowed_host_is_not_one_of_this_house(assume, fetching, key_server, refused):
    tenant = FetchedIssuer(key_server, "tenant-inside")
    tenant.url = f"https://localhost:{key_server.port}/tenant-inside"
    tenant.describe()
    with refused("IDPCommunicationError", UNREACHABLE):
        assume(tenant)
    assert fetches(fetching, "discovered", "private_address")
    assert not [path for path, _ in key_server.requests if path.startswith("/tenant-inside")]


def test_an_issuer_that_is_away_at_the_start_holds_nothing_up(tmp_path, refused):
    key_server = KeyServer(tmp_path)
    away = FetchedIssuer(key_server, "away", jwks_url=True)
    key_server.stop()
    configuration = tmp_path / "keystead.toml"
    file_issuer = Issuer("https://file.example.com", tmp_path / "keys.json")
    configuration.write_text(away.table + table(
        "oidc_issuer", url=file_issuer.url, keys_file=file_issuer.path))
    server = Server(tmp_path / "data", "--config", configuration)
    try:
        assume = assuming(server)
        with refused("IDPCommunicationError", UNREACHABLE):
            assume(away)
        assume(file_issuer)
        eventually("a fetch", lambda: fetches(server, away.url, "unreachable"))
    finally:
        assert server.stop() == 0, server.output()


def test_keys_are_fetched_again_and_believed_for_a_time(tmp_path, refused):
    key_server = KeyServer(tmp_path)
    hourly = FetchedIssuer(key_server, "hourly", jwks_url=True)
    often = FetchedIssuer(key_server, "often", jwks_url=True, keys_kept_hours=2)
    often.show(answer({"keys": [key.public for key in often.keys.values()]},
                      Cache_Control="max-age=1"))
    configuration = tmp_path / "keystead.toml"
    configuration.write_text(hourly.table + often.table)
    server = Server(tmp_path / "data", "--config", configuration,
                    program=binary("KEYSTEAD_TEST_CLOCK_BINARY"))
    try:
        assume = assuming(server)
        # Signed calls are of the machine's time: all of them come before the clock moves.
        for issuer in (hourly, often):
            assume(issuer)
        assert (hourly.fetches, often.fetches) == (1, 1)
        server.advance(6 * MINUTE)
        eventually("a fetch", lambda: often.fetches == 2)
        assert hourly.fetches == 1
        server.advance(HOUR)
        eventually("a fetch", lambda: hourly.fetches == 2 and often.fetches == 3)
        key_server.stop()
        ahead = 6 * MINUTE + HOUR

        def token(issuer):
            now = int(time.time()) + ahead
            return issuer.token(iat=now, exp=now + 600)
        server.advance(2 * HOUR)
        ahead += 2 * HOUR
        assume(hourly, token(hourly))
        with refused("IDPCommunicationError", UNREACHABLE):
            assume(often, token(often))
        server.advance(DAY)
        ahead += DAY
        with refused("IDPCommunicationError", UNREACHABLE):
            assume(hourly, token(hourly))
    finally:
        assert server.stop() == 0, server.output()

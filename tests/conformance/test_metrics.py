"""Metrics: the page lists what the server tells, rules and dashboard ask for nothing else, and the expiry of material is told."""

import json
import re
import shutil
import signal
import socket
import subprocess

import pytest

from conftest import client_of
from importing import ImportedKey, later, material_of
from key_servers import FetchedIssuer, KeyServer, table
from keystead import REPOSITORY, Server
from timed import DAY, eventually

PAGE = REPOSITORY / "docs/metrics.md"
RULES = REPOSITORY / "deploy/prometheus/alerts.yml"
DASHBOARD = REPOSITORY / "deploy/grafana/keystead.json"
KINDS = {"counter", "gauge", "histogram"}
# Told where there is TLS, which these tests do not speak; crates/keystead/tests/tls.rs looks for it.
OF_TLS = "keystead_certificate_expiry_timestamp_seconds"
ROW = re.compile(r"^\| `(keystead_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
EXPIRY = re.compile(r'^keystead_seconds_until_key_material_expiration{key_arn="([^"]*)"} (\d+)$', re.MULTILINE)


@pytest.fixture(name="measured", scope="module")
def fixture_measured(tmp_path_factory):
    """A server that has something to tell of everything."""
    folder = tmp_path_factory.mktemp("metrics")
    keys = KeyServer(folder)
    issuer = FetchedIssuer(keys, "issuer", jwks_url=True)
    config = folder / "keystead.toml"
    config.write_text(issuer.table + table("event_sink", name="log", file=folder / "events.jsonl"))
    server = Server(folder / "data", "--config", config, "--request-quotas", "shadow")
    server.kms = client_of(server, server.root_credentials())
    server.key = ImportedKey(server.kms)
    server.key.bring(material_of("SYMMETRIC_DEFAULT"), ValidTo=later(days=5))
    server.process.send_signal(signal.SIGHUP)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"no request\r\n\r\n")
        connection.recv(1)
    yield server
    assert server.stop() == 0, server.output()
    keys.stop()


def told(server):
    """All metrics that are told, in Prometheus' names, each with its kind and labels."""
    _, text = server.admin("GET", "/metrics")
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE))
    metrics = {}
    for name, kind in kinds.items():
        ending = {"counter": "_total", "histogram": "_bucket"}.get(kind, "")
        lines = re.findall(rf"^{name}{ending}(?:{{(.*)}})? ", text, re.MULTILINE)
        labels = {label for line in lines for label in re.findall(r'(\w+)="', line)} - {"le"}
        metrics[name + ("_total" if kind == "counter" else "")] = kind, labels
    return metrics


def listed():
    """What the page says of each metric."""
    return {name: (kind, set(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels in ROW.findall(PAGE.read_text())}


def test_the_page_lists_what_is_told(measured):
    expected = listed()
    del expected[OF_TLS]
    assert len(expected) > 25 and {kind for kind, _ in expected.values()} == KINDS
    # Jobs count and fetch in their time.
    eventually("every metric", lambda: not expected.keys() - told(measured).keys())
    found = told(measured)
    assert found.keys() == expected.keys()
    for name, (kind, labels) in found.items():
        assert kind == expected[name][0], name
        # A counter that nothing was counted of has no labels yet.
        assert labels in (expected[name][1], set()), name


def test_the_expiry_of_material_is_told_by_key(measured):
    arn = measured.key.described()["Arn"]
    expiries = eventually("the expiry", lambda: dict(EXPIRY.findall(measured.admin("GET", "/metrics")[1])))
    assert list(expiries) == [arn]
    assert 5 * DAY - 60 < int(expiries[arn]) <= 5 * DAY
    measured.kms.delete_imported_key_material(KeyId=arn)
    eventually("no expiry", lambda: not EXPIRY.findall(measured.admin("GET", "/metrics")[1]))


@pytest.mark.parametrize("path", [RULES, DASHBOARD])
def test_rules_and_dashboard_ask_for_what_there_is(path):
    text = path.read_text()
    asked = set(re.findall(r"keystead_\w+", text))
    if path == DASHBOARD:
        ids = [panel["id"] for panel in json.loads(text)["panels"]]
        assert len(ids) == len(set(ids)) > 10
    names = {name for name, (kind, _) in listed().items() if kind != "histogram"}
    buckets = {f"{name}_bucket" for name, (kind, _) in listed().items() if kind == "histogram"}
    assert asked and asked <= names | buckets


def test_each_rule_is_tested():
    rules = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    tests = re.findall(r"alertname: (\w+)", RULES.with_name("alerts_test.yml").read_text())
    assert {name: tests.count(name) for name in rules} == dict.fromkeys(rules, 2)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed; CI has it")
def test_rules_fire_when_they_should():
    done = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=RULES.parent, text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr

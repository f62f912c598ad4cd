"""The vectors of the forward access protocol, shown to the real server, whose clock stands where they were signed."""

import json
from datetime import datetime, timedelta, timezone

import pytest

import forward_access
import keystead
from keystead import OTHER_ACCOUNT
from registering import Deployment, create_session

WRITTEN = json.loads(forward_access.FILE.read_text(encoding="utf-8"))
VECTORS = {vector["name"]: vector for vector in WRITTEN["vectors"]}
SESSION = timedelta(minutes=5)


def registry():
    """The services of the vectors as a configuration file."""
    return "\n".join(["[[service]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in service.items())
                      for service in WRITTEN["services"]])


@pytest.fixture(name="services", scope="module")
def fixture_services(tmp_path_factory):
    """Every service on a server that knows the user, at the moment of the vectors."""
    program = keystead.binary("KEYSTEAD_TEST_CLOCK_BINARY")
    deployment = Deployment(tmp_path_factory.mktemp("vectors"), program, registry())
    server = deployment.server
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", server.directory, "--access-key-id",
                        WRITTEN["access_key_id"], "--secret-access-key", WRITTEN["secret_access_key"])
    assert made.returncode == 0, made.stderr
    services = {service["name"]: deployment.service(service["name"]) for service in WRITTEN["services"]}
    # Seconds that pass meanwhile are within what clocks may differ.
    ahead = datetime.fromisoformat(WRITTEN["time"]) - datetime.now(timezone.utc)
    server.advance(ahead.total_seconds())
    for service in services.values():
        service.clock = lambda: datetime.now(timezone.utc) + ahead
    yield services
    server.check()
    assert server.stop() == 0, server.output()


def test_the_file_is_what_botocore_signs():
    """The vectors are computed anew; only what they are answered is written by hand."""
    assert forward_access.text() == forward_access.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VECTORS)
def test_a_request_is_answered_as_its_vector_says(services, name):
    vector = VECTORS[name]
    answer = create_session(services[vector["service"]], vector["body"])
    assert (answer.error if answer.status >= 400 else "accepted") == vector["answer"], answer.body
    if vector["answer"] == "accepted":
        expiration = datetime.fromtimestamp(answer.json["Expiration"], timezone.utc)
        assert abs(expiration - datetime.fromisoformat(WRITTEN["time"]) - SESSION) < SESSION
        assert answer.json["ForwardAccessToken"]

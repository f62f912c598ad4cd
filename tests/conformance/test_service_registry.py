"""The services of the configuration file while the server runs: a change is obeyed, a wrong one is told and changes nothing."""

import os
import re
import signal
import time

import pytest

from conftest import client_of, policy, root_of, statement
from identities import User, allow
from keystead import ACCOUNT
from registering import CONFIGURATION, Deployment, create_session, user

SECONDS_MAX = 30
IN_FORCE, REFUSED = "new services in force", "new services refused"


class Followed(Deployment):
    """A server whose file of services changes."""

    def told(self, text, result):
        """How often the server said it, and how often the metric counted it."""
        found = re.search(rf'^keystead_reloads_total{{files="services",result="{result}"}} (\d+)',
                          self.server.admin("GET", "/metrics")[1], re.MULTILINE)
        return self.server.output().count(text), int(found[1]) if found else 0

    def write(self, text, told=IN_FORCE, result="in_force", is_signalled=True):
        """Writes the file and waits until the server says what it thinks of it."""
        before = self.told(told, result)
        self.file.write_text(text)
        if is_signalled:
            os.kill(self.server.process.pid, signal.SIGHUP)
        deadline = time.monotonic() + SECONDS_MAX
        while any(now <= then for now, then in zip(self.told(told, result), before)):
            assert time.monotonic() < deadline, self.server.output()
            time.sleep(0.02)


@pytest.fixture(name="followed", scope="module")
def fixture_followed(tmp_path_factory):
    """One server for the module."""
    made = Followed(tmp_path_factory.mktemp("followed"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(name="key", scope="module")
def fixture_key(followed):
    """A key that the service s3 may use."""
    kms = client_of(followed.server, followed.server.root_credentials())
    for_s3 = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*",
              "Resource": "*"}
    return kms.create_key(Policy=policy(statement(root_of(ACCOUNT)), for_s3))["KeyMetadata"]["Arn"]


def encrypt(service, key, **options):
    """What a service is answered."""
    answer = service.call("Encrypt", {"KeyId": key, "Plaintext": "AA=="}, **options)
    return answer.error if answer.status >= 400 else None


@pytest.mark.parametrize("is_signalled", [True, False])
def test_a_service_is_forgotten_and_known_again(followed, key, is_signalled):
    """On a signal, and without one when the file has changed; its access key is what it was."""
    followed.write(CONFIGURATION)
    s3 = followed.service("s3")
    assert encrypt(s3, key) is None
    followed.write(CONFIGURATION.replace('"s3"', '"another"'), is_signalled=is_signalled)
    assert encrypt(s3, key) == "UnrecognizedClientException"
    assert "no service" in followed.command("create-access-key", "s3").stderr
    followed.write(CONFIGURATION, is_signalled=is_signalled)
    assert encrypt(s3, key) is None
    assert followed.command("delete-access-key", s3.access_key_id).returncode == 0


def test_what_a_service_may_do_is_that_of_the_file_now(followed, key):
    """Also with a forward access session that was made before."""
    s3 = followed.service("s3")
    root = client_of(followed.server, followed.server.root_credentials(), "iam")
    ada = User(followed.server, root).may(allow("kms:Encrypt"))
    made = create_session(user(followed.server.port, ada.credentials), {"Service": "s3"})
    token = made.json["ForwardAccessToken"]
    assert encrypt(s3, key, token=token) is None
    narrowed = [('"s3"', '"s3"\nactions = ["kms:Decrypt"]'), ('"s3"', '"s3"\nregions = ["eu-west-1"]'),
                ('"s3"', '"s3"\naccounts = ["999999999999"]')]
    for known, narrower in narrowed:
        followed.write(CONFIGURATION.replace(known, narrower))
        assert encrypt(s3, key, token=token) == "AccessDeniedException", narrower
    followed.write(CONFIGURATION)
    assert encrypt(s3, key, token=token) is None
    assert followed.command("delete-access-key", s3.access_key_id).returncode == 0


@pytest.mark.parametrize("wrong", ["[[service", '[[service]]\nname = "kms"', "[server]",
                                   '[[service]]\nname = "a"\nactions = []'])
def test_a_wrong_file_changes_nothing(followed, key, wrong):
    """It is refused whole, log and metric say so, and the services of before go on."""
    s3 = followed.service("s3")
    followed.write('[[service]]\nname = "new"\n\n' + wrong, told=REFUSED, result="refused")
    assert encrypt(s3, key) is None
    listed = followed.command("list")
    followed.write(CONFIGURATION)
    assert "new" not in listed.stdout
    assert followed.command("delete-access-key", s3.access_key_id).returncode == 0

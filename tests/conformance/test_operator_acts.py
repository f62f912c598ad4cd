"""What the operator does to the deployment is told as events of the service, before it is seen to be done."""

import configparser
import json
import re
import signal

import pytest

import journal
import keystead
from conftest import client_of
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from timed import eventually

SYSTEM_ACCOUNT = "000000000000"
SOURCE = "operator.keystead"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def acts(directory):
    """All events of the operator in a data directory."""
    return [record for record in journal.records(directory / "journal") if record["eventSource"] == SOURCE]


def last(directory, name):
    """Account and details of the newest event of a name."""
    found = [event for event in acts(directory) if event["eventName"] == name]
    return (found[-1]["recipientAccountId"], found[-1].get("serviceEventDetails")) if found else None


def command(server, *arguments):
    """Runs a command over the server's data directory."""
    done = keystead.run(*arguments, "--data-dir", server.directory)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(name="deployed")
def fixture_deployed(tmp_path):
    """A server with a service and with guard rails."""
    (tmp_path / "guard_rails.toml").write_text("")
    file = tmp_path / "keystead.toml"
    file.write_text(f'guard_rails = "{tmp_path / "guard_rails.toml"}"\n[[service]]\nname = "s3"\n')
    running = keystead.Server(tmp_path / "data", "--config", file)
    yield running
    running.stop()


def test_an_event_has_the_form_of_a_service_event(own_server):
    event, = acts(own_server.directory)
    assert UUID.fullmatch(event.pop("eventID"))
    version = keystead.run("--version").stdout.split()[1]
    assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", event.pop("eventTime"))
    assert event == {
        "eventVersion": "1.11", "userIdentity": {"accountId": SYSTEM_ACCOUNT, "invokedBy": "AWS Internal"},
        "eventSource": SOURCE, "eventName": "StartServer", "awsRegion": REGION, "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal", "requestParameters": None, "responseElements": None, "readOnly": False,
        "eventType": "AwsServiceEvent", "managementEvent": True, "recipientAccountId": SYSTEM_ACCOUNT,
        "serviceEventDetails": {"version": version}, "eventCategory": "Management"}


def test_starts_and_ends_are_told(own_server):
    client_of(own_server, own_server.root_credentials()).list_keys()
    assert own_server.stop() == 0
    names = [record["eventName"] for record in journal.records(own_server.directory / "journal")]
    assert names == ["StartServer", "ListKeys", "StopServer"]
    own_server.start()
    assert [event["eventName"] for event in acts(own_server.directory)] == ["StartServer", "StopServer", "StartServer"]
    own_server.kill()
    own_server.start()
    assert [event["eventName"] for event in acts(own_server.directory)][-2:] == ["StartServer"] * 2


@pytest.mark.parametrize("is_running", [True, False], ids=["by the server", "without a server"])
def test_accounts_and_their_access_keys_are_told_to_the_account(own_server, is_running):
    if not is_running:
        assert own_server.stop() == 0
    for expected in ("CreateAccount", "CreateRootAccessKey"):
        told = configparser.ConfigParser()
        told.read_string(command(own_server, "account", "create", OTHER_ACCOUNT))
        made = told[OTHER_ACCOUNT]
        assert last(own_server.directory, expected) == (
            OTHER_ACCOUNT, {"accountId": OTHER_ACCOUNT, "accessKeyId": made["aws_access_key_id"]})
        journal.assert_absent(own_server.directory / "journal", made["aws_secret_access_key"].encode())


def test_the_account_looks_its_making_up(own_server):
    told = configparser.ConfigParser()
    told.read_string(command(own_server, "account", "create", OTHER_ACCOUNT))
    made = told[OTHER_ACCOUNT]
    credentials = made["aws_access_key_id"], made["aws_secret_access_key"]
    by_source = [{"AttributeKey": "EventSource", "AttributeValue": SOURCE}]
    event, = client_of(own_server, credentials, "cloudtrail").lookup_events(LookupAttributes=by_source)["Events"]
    assert event["EventName"] == "CreateAccount"
    assert json.loads(event["CloudTrailEvent"])["serviceEventDetails"]["accessKeyId"] == credentials[0]
    others = client_of(own_server, own_server.root_credentials(), "cloudtrail")
    assert others.lookup_events(LookupAttributes=by_source)["Events"] == []


def test_access_keys_of_services_are_told(deployed):
    told = configparser.ConfigParser()
    told.read_string(command(deployed, "service", "create-access-key", "s3", "--config", deployed.directory.parent
                             / "keystead.toml"))
    made = told["s3"]
    details = {"service": "s3", "accessKeyId": made["aws_access_key_id"]}
    assert last(deployed.directory, "CreateServiceAccessKey") == (SYSTEM_ACCOUNT, details)
    command(deployed, "service", "delete-access-key", made["aws_access_key_id"])
    assert last(deployed.directory, "DeleteServiceAccessKey") == (SYSTEM_ACCOUNT, details)
    journal.assert_absent(deployed.directory / "journal", made["aws_secret_access_key"].encode())


def test_what_is_read_again_is_told_with_what_came_of_it(deployed):
    deployed.process.send_signal(signal.SIGHUP)
    eventually("all is told", lambda: len(reloads(deployed)) >= 2)
    assert {"name": "guard_rails", "inForce": True} in reloads(deployed)
    before = len(reloads(deployed))
    (deployed.directory.parent / "guard_rails.toml").write_text("nonsense = 1\n")
    eventually("it is told", lambda: len(reloads(deployed)) > before)
    assert reloads(deployed)[-1] == {"name": "guard_rails", "inForce": False}


def reloads(server):
    """What the events of reloads say."""
    return [event["serviceEventDetails"] for event in acts(server.directory) if event["eventName"] == "ReloadConfiguration"]


def test_a_refused_command_and_one_that_only_tells_leave_nothing(own_server):
    before = acts(own_server.directory)
    for arguments in (("account", "create", SYSTEM_ACCOUNT), ("account", "list"), ("service", "list"),
                      ("service", "create-access-key", "none")):
        keystead.run(*arguments, "--data-dir", own_server.directory)
    assert acts(own_server.directory) == before
    assert ACCOUNT not in {event["recipientAccountId"] for event in before}

"""Each operation's record holds exactly the members that the table of facts has, and no secret (recorded.py)."""

import botocore.session
import pytest

import journal
import keystead
import recorded
from issuers import Issuer
from keystead import ACCOUNT, REGION
from recorded_calls import Calls

SESSION = botocore.session.get_session()
MODELS = {service: SESSION.get_service_model(service) for service in recorded.ROWS}
OPERATIONS = [(service, name) for service, rows in recorded.ROWS.items() for name in rows]
# What every record of a call has, and what it may have besides.
ALWAYS = {"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
          "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType", "managementEvent",
          "recipientAccountId", "eventCategory"}
# Members that let their holder do something, and ciphertexts that CloudTrail leaves out.
SECRETS = {"SecretAccessKey", "SessionToken", "GrantToken", "GrantTokens", "WebIdentityToken", "EncodedMessage"}
SECRET_BYTES_MIN = 8


def lower_first(name):
    """`KeyId` as CloudTrail writes it."""
    return name[:1].lower() + name[1:]


def told_of(shape, value):
    """A value as CloudTrail writes it: members in camel case, dates as texts, neither bytes nor secrets."""
    if shape.type_name == "structure":
        return {lower_first(name): told_of(shape.members[name], member) for name, member in value.items()
                if shape.members[name].type_name != "blob" and name not in SECRETS}
    if shape.type_name == "list":
        return [told_of(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return f"{value:%b} {value.day}, {value:%Y}, {value.hour % 12 or 12}:{value:%M:%S %p}"
    return value


def names_of(value):
    """The names of all members of a value, however deep; documents are values."""
    if isinstance(value, dict):
        return {name: None if name.endswith("Document") else names_of(member) for name, member in value.items()}
    return [names_of(item) for item in value] if isinstance(value, list) else None


def secrets_of(shape, value):
    """All bytes in a request or an answer, and all texts that are secrets."""
    if shape is None:
        return
    if shape.type_name == "blob":
        yield value
    elif shape.type_name == "list":
        for item in value:
            yield from secrets_of(shape.member, item)
    elif shape.type_name == "structure":
        for name, member in value.items():
            if name in SECRETS:
                yield from (text.encode() for text in ([member] if isinstance(member, str) else member))
            elif name in shape.members:
                yield from secrets_of(shape.members[name], member)


@pytest.fixture(name="issuer", scope="module")
def fixture_issuer(tmp_path_factory):
    """An issuer whose keys the server knows."""
    return Issuer("https://issuer.example.com:8443/realms/a", tmp_path_factory.mktemp("issuer") / "keys.json")


@pytest.fixture(name="calling", scope="module")
def fixture_calling(tmp_path_factory, issuer):
    """A server with a trail."""
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "keystead.toml"
    file.write_text(f'[trail]\nname = "audit"\ndirectory = "{folder / "trail"}"\nbucket = "audit-logs"\n')
    running = keystead.Server(folder / "data", "--config", file, "--oidc-keys", issuer.setting,
                              "--encoded-authorization-messages", "on")
    yield running
    assert running.stop() == 0, running.output()


@pytest.fixture(name="made", scope="module")
def fixture_made(calling, issuer):
    """Every operation called: parameters and answer by service and name."""
    return Calls(calling, issuer).all()


@pytest.fixture(name="records", scope="module")
def fixture_records(calling, made):
    """The records of these calls by their request ids."""
    assert made
    return {record["requestID"]: record for record in journal.records(calling.directory / "journal")
            if "requestID" in record}


@pytest.fixture(name="told")
def fixture_told(made, records):
    """`told(service, name)`: parameters, answer and record of the operation's call."""
    def find(service, name):
        parameters, answer = made[service, name]
        return parameters, answer, records[answer["ResponseMetadata"]["RequestId"]]
    return find


@pytest.mark.parametrize("service", sorted(recorded.ROWS))
def test_every_operation_has_a_row(ours, service):
    built = ours["operations"] if service == "kms" else ours[service].get("built", ours[service]["operations"])
    assert sorted(recorded.ROWS[service]) == sorted(built)


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_the_facts_are_of_all_members_of_the_request(service, name):
    row, shape = recorded.ROWS[service][name], MODELS[service].operation_model(name).input_shape
    told = [*row.asked.split(), *row.hidden.split()]
    assert sorted(told) == sorted(shape.members if shape else [])


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_record_holds_what_the_facts_say(told, service, name):
    row, model = recorded.ROWS[service][name], MODELS[service].operation_model(name)
    parameters, answer, record = told(service, name)

    given = {member: value for member, value in parameters.items() if member in row.asked.split()}
    expected = {**row.filled, **(told_of(model.input_shape, given) if given else {})}
    assert record["requestParameters"] == (expected or None)

    shown, names = record["responseElements"] or {}, row.answered.split()
    assert set(shown) == set(names)
    # Some tell the key although the answer does not.
    for member, value in answer.items() if model.output_shape else ():
        if lower_first(member) in names:
            shape = model.output_shape.members[member]
            assert names_of(shown[lower_first(member)]) == names_of(told_of(shape, value)), member

    assert [entry["type"] for entry in record.get("resources", [])] == list(row.about)
    assert set(record.get("additionalEventData", {})) == set(row.more.split())
    assert record["readOnly"] is row.read_only
    assert (record["eventSource"], record["eventName"]) == (f"{service}.amazonaws.com", name)
    assert (record["awsRegion"], record["recipientAccountId"]) == (REGION, ACCOUNT)
    besides = {"resources": bool(row.about), "additionalEventData": bool(row.more),
               "errorCode": bool(row.error), "errorMessage": bool(row.error)}
    assert set(record) == ALWAYS | {member for member, is_there in besides.items() if is_there}
    assert record.get("errorCode", "") == row.error


def test_no_secret_of_any_call_is_in_a_record(calling, made):
    secrets = set()
    for (service, name), (parameters, answer) in made.items():
        model = MODELS[service].operation_model(name)
        secrets.update(secrets_of(model.input_shape, parameters), secrets_of(model.output_shape, answer))
    secrets = {secret for secret in secrets if len(secret) >= SECRET_BYTES_MIN}
    assert len(secrets) > 30
    journal.assert_absent(calling.directory / "journal", *secrets)
    written = calling.output().encode()
    assert not [secret for secret in secrets if secret in written]

"""A running server and its callers. Every fixture fails when the server is down."""

import functools
import json
import os
import subprocess
import uuid
from contextlib import contextmanager

import boto3
import botocore.auth
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import journal
import keystead
import outside
from importing import ImportedKey, material_of
from related import REPLICA, Related
from signing import Caller
from timed import Timed

# Refused calls are answered once; a retry would only hide a fault.
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
# What a caller can do whose SDK checks nothing.
UNCHECKED = CONFIG.merge(Config(parameter_validation=False))

# Errors that every operation may answer with; the model's lists leave them out. NotAuthorizedException is what
# AWS answers for the names that it reserves (alias/aws/...).
COMMON_ERRORS = {"AccessDeniedException", "NotAuthorizedException", "ValidationException",
                 "SerializationException", "ThrottlingException", "InvalidSignatureException",
                 "UnrecognizedClientException"}
# More that an operation of ours may answer with: the model lists InvalidMarkerException for every other operation
# that takes a marker (docs/divergences.md).
MORE_ERRORS = {"ListKeyPolicies": {"InvalidMarkerException"}}


def _error_is_modelled(http_response, parsed, model, **_):
    """Fails a test whose call is answered with an error that AWS's model does not have for it."""
    if http_response.status_code < 400 or model.service_model.service_name != "kms":
        return
    code = parsed["Error"]["Code"]
    modelled = {shape.name for shape in model.error_shapes} | MORE_ERRORS.get(model.name, set())
    assert code in modelled | COMMON_ERRORS, f"{model.name} answered {code}: {parsed['Error']}"


def client_of(server, credentials, service="kms", region=keystead.REGION, config=CONFIG):
    """A boto3 client with only the endpoint changed."""
    access_key_id, secret_access_key = credentials
    client = boto3.client(service, region_name=region, endpoint_url=server.endpoint, config=config,
                          aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key)
    client.meta.events.register("after-call.kms", _error_is_modelled)
    return client


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for the tests that leave it as they found it."""
    running = keystead.Server(tmp_path_factory.mktemp("keystead") / "data")
    yield running
    running.check()
    assert running.stop() == 0, running.output()


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may stop it."""
    running = keystead.Server(tmp_path / "data")
    yield running
    running.stop()


@pytest.fixture
def timed(tmp_path, monkeypatch):
    """A server of its own: its clock is nobody else's."""
    running = Timed(tmp_path / "data", client_of)
    # The SDK signs with the server's time too. It asks for it in one place, without a time zone.
    monkeypatch.setattr(botocore.auth, "get_current_datetime",
                        lambda: running.now().replace(tzinfo=None))
    yield running
    assert running.server.stop() == 0, running.server.output()


@pytest.fixture(scope="session")
def ours():
    """What `cargo xtask model` prints of the server's operations; KEYSTEAD_XTASK may name a build of it."""
    built = os.environ.get("KEYSTEAD_XTASK")
    command = [built] if built else ["cargo", "xtask"]
    done = subprocess.run([*command, "model"], cwd=keystead.REPOSITORY, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def alive(request):
    """The shared server is up before and after each test that uses it."""
    if "server" not in request.fixturenames:
        yield
        return
    running = request.getfixturevalue("server")
    running.check()
    yield
    running.check()


@pytest.fixture(scope="session")
def kms(server):
    """The account's root user."""
    return client_of(server, server.root_credentials())


@pytest.fixture(scope="session")
def unchecked(server):
    """The same, through an SDK that checks no parameters before it sends them."""
    return client_of(server, server.root_credentials(), config=UNCHECKED)


@pytest.fixture(scope="session")
def other_credentials(server):
    """A second account, made while the server runs."""
    made = keystead.run("account", "create", keystead.OTHER_ACCOUNT, "--data-dir", server.directory,
                        "--access-key-id", "AKIAOTHEREXAMPLE0001",
                        "--secret-access-key", "otherSecretOfTheOtherAccountRootUser0001")
    assert made.returncode == 0, made.stderr
    return "AKIAOTHEREXAMPLE0001", "otherSecretOfTheOtherAccountRootUser0001"


@pytest.fixture(scope="session")
def other(server, other_credentials):
    """The root user of the second account."""
    return client_of(server, other_credentials)


@pytest.fixture(scope="session")
def iam(server):
    """IAM, called by the account's root user."""
    return client_of(server, server.root_credentials(), "iam")


@pytest.fixture(scope="session")
def caller(server):
    """The account's root user, signing by hand."""
    return Caller(server.port, *server.root_credentials())


@pytest.fixture
def key(kms):
    """The metadata of a fresh key."""
    return kms.create_key()["KeyMetadata"]


@pytest.fixture
def pending_key(kms):
    """The metadata of a key that waits for its deletion."""
    metadata = kms.create_key()["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=metadata["KeyId"], PendingWindowInDays=7)
    return metadata


@pytest.fixture
def disabled_key(kms):
    """The metadata of a disabled key."""
    metadata = kms.create_key()["KeyMetadata"]
    kms.disable_key(KeyId=metadata["KeyId"])
    return metadata


@pytest.fixture(scope="session")
def key_of(kms):
    """`key_of(key_spec, key_usage)`: the metadata of a key that the tests share and leave as it is."""
    @functools.cache
    def make(key_spec, key_usage):
        return kms.create_key(KeySpec=key_spec, KeyUsage=key_usage)["KeyMetadata"]
    return make


@pytest.fixture(scope="session")
def key_from_outside(kms):
    """`key_from_outside(key_spec, key_usage)`: such a key again, and its private key, which was made outside."""
    @functools.cache
    def make(key_spec, key_usage):
        key = kms.create_key(KeySpec=key_spec, KeyUsage=key_usage, Origin="EXTERNAL")["KeyMetadata"]
        private_key = outside.generate(key_spec)
        outside.import_material(kms, key["KeyId"], outside.pkcs8(private_key))
        return key, private_key
    return make


@pytest.fixture
def record_of(server):
    """The one record of an answered call in the caller's account, found by its request id, at once."""
    def find(request_id):
        found = [record for record in journal.records(server.directory / "journal")
                 if record.get("requestID") == request_id
                 and not ("sharedEventID" in record and record["userIdentity"]["type"] == "AWSAccount")]
        assert len(found) == 1, (request_id, found)
        return found[0]
    return find


@pytest.fixture
def imported(kms):
    """A symmetric key that waits for its material."""
    return ImportedKey(kms)


@pytest.fixture
def two_materials(imported):
    """A symmetric key that was rotated from one imported material to another, and both."""
    first, second = material_of("SYMMETRIC_DEFAULT"), material_of("SYMMETRIC_DEFAULT")
    imported.bring(first)
    imported.bring(second, ImportType="NEW_KEY_MATERIAL")
    imported.kms.rotate_key_on_demand(KeyId=imported.key_id)
    return imported, first, second


@pytest.fixture(scope="session")
def client(server):
    """The root user's client of a Region."""
    clients = {}

    def find(region):
        if region not in clients:
            clients[region] = client_of(server, server.root_credentials(), region=region)
        return clients[region]
    return find


@pytest.fixture
def related(client):
    """A primary key without replicas."""
    return Related(client)


@pytest.fixture(scope="session")
def pairs():
    """Pairs that nobody has used yet."""
    return []


@pytest.fixture
def pair(client, pairs):
    """A primary key and its replica. Several are made at once, since making one takes a second."""
    if not pairs:
        pairs += [Related(client) for _ in range(10)]
        for one in pairs:
            one.call(keystead.REGION, "replicate_key", ReplicaRegion=REPLICA)
        for one in pairs:
            one.wait_for_state(REPLICA, "Enabled")
    return pairs.pop()


@pytest.fixture
def alias_name():
    """An alias name that nobody uses yet."""
    return f"alias/test-{uuid.uuid4()}"


@pytest.fixture
def unknown_key_arn():
    """The ARN of a key that was never made."""
    return f"arn:aws:kms:{keystead.REGION}:{keystead.ACCOUNT}:key/{uuid.uuid4()}"


@contextmanager
def _refused(code, message=None, status=400):
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
    if message is not None:
        assert answer["Error"]["Message"] == message, answer


@pytest.fixture
def refused():
    """`with refused(code, message=None, status=400)`: the body raises exactly that error."""
    return _refused


@pytest.fixture
def denied(refused):
    """`with denied(account, action, key)`: the body is refused since nothing allows it."""
    def check(account, action, key):
        return refused("AccessDeniedException",
                       f"User: {root_of(account)} is not authorized to perform: kms:{action} on "
                       f"resource: {key['Arn']} because no resource-based policy allows the "
                       f"kms:{action} action")
    return check


def policy(*statements):
    """A key policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(principal, action="kms:*", effect="Allow", **members):
    """A statement over the key itself."""
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": "*",
            **members}


def root_of(account):
    """The ARN that stands for an account in a policy."""
    return f"arn:aws:iam::{account}:root"

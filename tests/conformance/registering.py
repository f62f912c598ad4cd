"""Services of the deployment, and what they call."""

import configparser
import json

import keystead
from conftest import client_of
from signing import CONTENT_TYPE, Caller, sha256

CONFIGURATION = """
[[service]]
name = "s3"

[[service]]
name = "queue"
principal = "queue.example.amazonaws.com"
actions = ["kms:Decrypt", "kms:CreateGrant"]
accounts = ["111122223333"]
regions = ["us-east-1"]
"""


class Deployment:
    """A server with registered services."""

    def __init__(self, directory, program=None, configuration=CONFIGURATION, arguments=()):
        self.file = directory / "keystead.toml"
        self.file.write_text(configuration)
        self.server = keystead.Server(directory / "data", "--config", self.file, *arguments, program=program)

    def command(self, *arguments):
        """Runs a command of `keystead service`."""
        return keystead.run("service", *arguments, "--data-dir", self.server.directory,
                            "--config", self.file)

    def service(self, name, region=keystead.REGION):
        """A service with a fresh access key."""
        made = self.command("create-access-key", name)
        assert made.returncode == 0, made.stderr
        told = configparser.ConfigParser()
        told.read_string(made.stdout)
        return Service(self.server.port, told[name]["aws_access_key_id"],
                       told[name]["aws_secret_access_key"], region)

    def forget(self, name):
        """Starts the server anew without that service."""
        assert self.server.stop() == 0, self.server.output()
        self.file.write_text(CONFIGURATION.replace(f'name = "{name}"', 'name = "another"'))
        self.server.start()


def create_session(caller, parameters):
    """Asks for a forward access session."""
    headers = [("content-type", CONTENT_TYPE),
               ("x-amz-target", "KeysteadForwardAccess.CreateForwardAccessSession")]
    request = caller.request(body=json.dumps(parameters).encode(), headers=headers,
                             scope={"service": "sts"})
    return caller.send(request)


def user(port, credentials, service="kms"):
    """A user who signs by hand."""
    return Caller(port, *credentials, service=service)


def signed_request(caller, method="GET", path="/bucket/object", body=b"", **options):
    """A request to a service, signed, as the service describes it."""
    method, target, headers, body = caller.request(
        method=method, path=path, body=body,
        headers=[("x-amz-content-sha256", sha256(body))], **options)
    path, _, query = target.partition("?")
    described = {"Method": method, "Path": path, "PayloadHash": sha256(body),
                 "Headers": [{"Name": name, "Value": value} for name, value in headers]}
    return {**described, "Query": query} if query else described


def presigned_request(caller):
    """The same with the signature in the query, as S3 presigns: nothing is said of the body."""
    method, target, headers, _ = caller.presigned(payload_hash="UNSIGNED-PAYLOAD")
    path, _, query = target.partition("?")
    return {"Method": method, "Path": path, "Query": query, "PayloadHash": "UNSIGNED-PAYLOAD",
            "Headers": [{"Name": name, "Value": value} for name, value in headers]}


def client_as(service, server, headers):
    """A boto3 client of a service that sends these headers, signed, with every call."""
    client = client_of(server, (service.access_key_id, service.secret_access_key))

    def add(request, **_):
        for name, value in headers.items():
            request.headers[name] = value
    client.meta.events.register("before-sign.kms", add)
    return client


class Service(Caller):
    """A service that signs with a key of its own."""

    def call(self, operation, parameters=None, token=None, source=None, **options):
        """Calls KMS as itself, for a resource perhaps, or as the user of a session."""
        headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
        if token is not None:
            headers.append(("x-amz-forward-access-token", token))
        if source is not None:
            headers += [("x-amz-source-arn", source),
                        ("x-amz-source-account", source.split(":")[4])]
        body = json.dumps(parameters or {}).encode()
        return self.send(self.request(body=body, headers=headers, **options))

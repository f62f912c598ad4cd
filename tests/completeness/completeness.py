"""Random calls of every kind, and then the clients' own log beside the journal: the same calls, each once, with the same errors,
those of one connection in their order.

    python tests/completeness/completeness.py [--calls N] [--seed N] [--binary PATH]

About a tenth of the calls is denied, malformed or throttled. Printed are the counts by error; the exit status is 1 if the two
differ anywhere.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import journal
import keystead
from conftest import client_of
from identities import User
from signing import CONTENT_TYPE, Caller

CALLS_COUNT = 10_000
CONNECTIONS = 6
ANSWER_SECONDS_MAX = 60
REFUSED_SHARE = 0.1
FORM = "application/x-www-form-urlencoded; charset=utf-8"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
# Room enough for what is called, but for the operation that shows how throttled calls are recorded.
THROTTLED = "ListKeys"
QUOTAS = [f"*/*/{name}=100000" for name in (
    "CreateAlias", "DeleteAlias", "TagResource", "UntagResource", "UpdateKeyDescription", "DescribeKey", "CreateGrant",
    "ListAliases", "GetKeyRotationStatus")]
# What records call what callers read.
RECORDED_NAMES = {"AccessDeniedException": "AccessDenied", "InvalidAction": "UnknownOperationException"}
DOCUMENT = '{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}'


@dataclass(frozen=True)
class Logged:
    """One answered call, as its client saw it."""

    request_id: str
    operation: str
    error: str | None


class Client:
    """One connection that asks for one thing after the other and keeps its own log."""

    def __init__(self, scene, seed):
        self.scene, self.random = scene, random.Random(seed)
        self.connection = HTTPConnection("127.0.0.1", scene.server.port, timeout=ANSWER_SECONDS_MAX)
        self.name = f"client-{seed}"
        self.log = []
        self.aliases_count = 0
        self.tags = []

    def run(self, count):
        """Makes so many calls."""
        while len(self.log) < count:
            (self.refused if self.random.random() < REFUSED_SHARE else self.sound)()
        self.connection.close()

    def send(self, operation, request):
        """Sends a finished request and notes its answer."""
        method, target, headers, body = request
        self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in [*headers, ("content-length", str(len(body)))]:
            self.connection.putheader(name, value)
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        text = answer.read()
        self.log.append(Logged(answer.headers["x-amzn-requestid"], operation, error_of(answer.status, text)))
        return text

    def kms(self, operation, parameters=None, caller=None, body=None, **options):
        """A call of KMS."""
        body = json.dumps(parameters or {}).encode() if body is None else body
        headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
        caller = caller or self.scene.root
        return self.send(operation, caller.request(body=body, headers=headers, **options))

    def query(self, service, operation, caller=None, **parameters):
        """A call of IAM or STS."""
        body = urlencode({"Action": operation, "Version": VERSIONS[service], **parameters}).encode()
        caller = caller or self.scene.root
        request = caller.request(body=body, headers=[("content-type", FORM)], scope={"service": service})
        return self.send(operation, request)

    def sound(self):
        """A call that succeeds."""
        self.random.choice([self.use, self.use, self.use, self.tell, self.change])()

    def use(self):
        """Something done with a key."""
        scene, key = self.scene, {"KeyId": self.random.choice(self.scene.keys)}
        kind = self.random.randrange(5)
        if kind == 0:
            self.kms("Encrypt", {"Plaintext": "eA==", "EncryptionContext": {"n": str(self.random.random())}, **key})
        elif kind == 1:
            self.kms("Decrypt", {"CiphertextBlob": scene.ciphertext})
        elif kind == 2:
            self.kms("GenerateDataKey", {"KeySpec": "AES_256", **key})
        elif kind == 3:
            self.kms("Sign", {"KeyId": scene.signing_key, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"})
        else:
            self.kms("GenerateRandom", {"NumberOfBytes": self.random.randrange(1, 64)})

    def tell(self):
        """Something that only tells."""
        key = {"KeyId": self.random.choice(self.scene.keys)}
        kind = self.random.randrange(5)
        if kind == 0:
            self.kms("DescribeKey", key)
        elif kind == 1:
            self.kms("ListAliases", {"Limit": 5})
        elif kind == 2:
            self.kms("GetKeyRotationStatus", key)
        elif kind == 3:
            self.query("sts", "GetCallerIdentity")
        else:
            self.query("iam", "GetUser", UserName=self.scene.user.name)

    def change(self):
        """Something that changes something."""
        key = {"KeyId": self.random.choice(self.scene.keys)}
        kind = self.random.randrange(5)
        if kind == 0:
            self.aliases_count += 1
            self.kms("CreateAlias", {"AliasName": f"alias/{self.name}-{self.aliases_count}",
                                     "TargetKeyId": self.scene.alias_key})
            self.kms("DeleteAlias", {"AliasName": f"alias/{self.name}-{self.aliases_count}"})
        elif kind == 1:
            self.kms("TagResource", {"Tags": [{"TagKey": self.name, "TagValue": str(self.random.random())}], **key})
        elif kind == 2:
            self.kms("UpdateKeyDescription", {"Description": str(self.random.random()), **key})
        elif kind == 3:
            self.query("iam", "PutUserPolicy", UserName=self.scene.user.name, PolicyName=self.name,
                       PolicyDocument=DOCUMENT)
        else:
            self.query("iam", "TagUser", UserName=self.scene.user.name, **{
                "Tags.member.1.Key": self.name, "Tags.member.1.Value": "x"})

    def refused(self):
        """A call that is denied, malformed or throttled."""
        key = {"KeyId": self.random.choice(self.scene.keys)}
        self.random.choice([
            lambda: self.kms("Encrypt", {"Plaintext": "eA==", **key}, caller=self.scene.nobody),
            lambda: self.query("iam", "ListUsers", caller=self.scene.nobody),
            lambda: self.kms("Decrypt", {"CiphertextBlob": self.scene.ciphertext}, caller=self.scene.nobody),
            lambda: self.kms("DescribeKey", body=self.random.randbytes(self.random.randrange(40))),
            lambda: self.kms("DescribeKey", {"KeyId": self.random.choice(["alias/none", "x", "", "arn:aws:kms"])}),
            lambda: self.kms("NoSuchOperation"),
            lambda: self.kms("ListAliases", edit=lambda text: text[:-64] + "0" * 64),
            lambda: self.kms("ListAliases", edit=lambda _: None),
            lambda: self.query("sts", "NoSuchAction"),
            lambda: self.kms(THROTTLED),
        ])()


def error_of(status, text):
    """The error's name in an answer, JSON or XML; None for a success."""
    if status == 200:
        return None
    found = re.search(rb'"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)</Code>', text)
    return (found[1] or found[2]).decode()


class Scene:
    """A server and what the calls are about."""

    def __init__(self, folder, binary):
        self.server = keystead.Server(Path(folder) / "data", "--request-quotas", "enforced",
                                      "--request-quota-adjustments", ",".join([*QUOTAS, f"*/*/{THROTTLED}=5"]),
                                      program=binary)
        credentials = self.server.root_credentials()
        kms, iam = client_of(self.server, credentials), client_of(self.server, credentials, "iam")
        self.root = Caller(self.server.port, *credentials)
        self.keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(3)]
        self.alias_key = self.keys[0]
        self.signing_key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        headers = [("content-type", CONTENT_TYPE), ("x-amz-target", "TrentService.Encrypt")]
        body = json.dumps({"KeyId": self.keys[0], "Plaintext": "eA=="}).encode()
        self.ciphertext = self.root.send(self.root.request(body=body, headers=headers)).json["CiphertextBlob"]
        self.user = User(self.server, iam)
        self.nobody = Caller(self.server.port, *self.user.credentials)


def recorded(directory, before):
    """Request id, operation and error of each call in the journal behind so many records, in order."""
    records = journal.records(directory / "journal")[before:]
    return [Logged(record["requestID"], record["eventName"], record.get("errorCode")) for record in records
            if record["eventType"] == "AwsApiCall"]


def told(logged):
    """What a record says of what a client saw."""
    return Logged(logged.request_id, logged.operation, RECORDED_NAMES.get(logged.error, logged.error))


def differences(logs, records):
    """Where the clients' logs, one for each connection, and the journal disagree: sentences."""
    place = {}
    for position, record in enumerate(records):
        if record.request_id in place:
            yield f"{record.request_id} is recorded twice"
        place[record.request_id] = position
    seen = Counter(logged.request_id for log in logs for logged in log)
    yield from (f"{request_id} was answered {count} times" for request_id, count in seen.items() if count > 1)
    yield from (f"{record} is recorded and was answered to nobody" for record in records if record.request_id not in seen)
    for log in logs:
        last = -1
        for logged in log:
            position = place.get(logged.request_id)
            if position is None:
                yield f"{logged} is not recorded"
                continue
            if records[position] != told(logged):
                yield f"{logged} is recorded as {records[position]}"
            if position < last:
                yield f"{logged} is recorded before an earlier call of its connection"
            last = position


def run(calls_count, seed, binary=None):
    """Makes the calls; answers the clients' logs, the journal's records and the server's verdict on its journal."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(folder, binary)
        before = len(journal.records(scene.server.directory / "journal"))
        clients = [Client(scene, seed * CONNECTIONS + number) for number in range(CONNECTIONS)]
        shares = [calls_count // CONNECTIONS + (number < calls_count % CONNECTIONS) for number in range(CONNECTIONS)]
        threads = [threading.Thread(target=client.run, args=(share,)) for client, share in zip(clients, shares)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert scene.server.stop() == 0, scene.server.output()
        verdict = keystead.run("audit", "verify", scene.server.directory)
        return [client.log for client in clients], recorded(scene.server.directory, before), verdict


def main():
    """Runs as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=CALLS_COUNT)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    logs, records, verdict = run(options.calls, options.seed, options.binary)
    found = list(differences(logs, records))
    counts = Counter(logged.error or "Success" for log in logs for logged in log)
    for error, count in counts.most_common():
        print(f"{count:>8}  {error}")
    print("\n".join(found[:20]))
    print(f"{sum(counts.values())} calls, {len(records)} records, {len(found)} differences, "
          f"{time.monotonic() - began:.0f} seconds; {verdict.stdout.splitlines()[0]}")
    return 1 if found or verdict.returncode else 0


if __name__ == "__main__":
    sys.exit(main())

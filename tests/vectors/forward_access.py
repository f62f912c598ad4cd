"""Vectors of the forward access protocol (docs/forward-access-sessions.md): requests that a user signed, and what
CreateForwardAccessSession answers to the service that shows them.

The signatures are botocore's, whose code has nothing in common with the server's. Run as a program, this file writes
forward_access.json anew.
"""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

FILE = Path(__file__).with_suffix(".json")

# When the service shows the request, and the user: the root user of an account of its own, with the keys of AWS's
# own examples.
NOW = datetime(2031, 5, 17, 12, 0, 0, tzinfo=timezone.utc)
ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SERVICES = [
    {"name": "s3"},
    {"name": "queue"},
    {"name": "vault", "signing_name": "vault-store"},
    {"name": "near", "regions": ["us-east-1"]},
    {"name": "few", "actions": ["kms:Decrypt", "kms:GenerateDataKey"]},
    {"name": "others", "accounts": ["111122223333"]},
]
SIGNING_NAMES = {service["name"]: service.get("signing_name", service["name"]) for service in SERVICES}

UNSIGNED = "UNSIGNED-PAYLOAD"
WRONG, UNKNOWN, DENIED = "InvalidSignatureException", "UnrecognizedClientException", "AccessDeniedException"
INCOMPLETE, MISSING = "IncompleteSignatureException", "MissingAuthenticationTokenException"


def signed(service="s3", *, method="GET", path="/bucket/object", query="", body=b"", headers=(), ago=0, expires=None,
           region="us-east-1", name=None, token=None, access_key_id=ACCESS_KEY_ID, secret=SECRET_ACCESS_KEY,
           is_s3=None, is_payload_signed=True):
    """A request to a service, and what its signature was made of."""
    name = name or SIGNING_NAMES[service]
    host = f"{service}.example"
    is_s3 = service == "s3" if is_s3 is None else is_s3
    kind = {(True, False): S3SigV4Auth, (False, False): SigV4Auth, (True, True): S3SigV4QueryAuth,
            (False, True): SigV4QueryAuth}[is_s3, expires is not None]
    credentials = Credentials(access_key_id, secret, token)
    more = {} if expires is None else {"expires": expires}
    signer = kind(credentials, name, region, **more)
    request = AWSRequest(method, f"https://{host}{path}" + (f"?{query}" if query else ""), data=body)
    for header, value in [("Host", host), *headers]:
        request.headers[header] = value
    request.context["client_config"] = Config(s3={"payload_signing_enabled": is_payload_signed})
    made = {}

    def kept(attribute):
        real = getattr(signer, attribute)

        def keep(*arguments):
            made[attribute] = real(*arguments)
            return made[attribute]
        return mock.patch.object(signer, attribute, keep)

    time = (NOW - timedelta(seconds=ago)).replace(tzinfo=None)
    with (mock.patch("botocore.auth.get_current_datetime", lambda: time), kept("canonical_request"),
          kept("string_to_sign"), kept("signature")):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    described = {"Method": method, "Path": parts.path}
    if parts.query:
        described["Query"] = parts.query
    described["PayloadHash"] = made["canonical_request"].rsplit("\n", 1)[1]
    described["Headers"] = [{"Name": name, "Value": value} for name, value in request.headers.items()]
    return {"service": service, **made, "body": {"Request": described}}


def changed(made, **members):
    """The same with members of the request that are not those that were signed; None takes one away."""
    request = {**made["body"]["Request"], **members}
    request = {name: value for name, value in request.items() if value is not None}
    return {**made, "body": {**made["body"], "Request": request}}


def with_headers(made, *more, without=()):
    """The same with other headers."""
    headers = [header for header in made["body"]["Request"]["Headers"] if header["Name"].lower() not in without]
    return changed(made, Headers=[*headers, *({"Name": name, "Value": value} for name, value in more)])


def asking(made, *actions):
    """The same for these actions only."""
    return {**made, "body": {**made["body"], "Actions": list(actions)}}


ODD_PATH = "/bucket/a%20b%2Bc/%C3%BC~%24/(1)"
FIVE_MINUTES, HOUR = 300, 3600


def accepted():
    """What a session is made for."""
    return {
        "header form": signed(),
        "header form, not S3": signed("queue"),
        "a body": signed(method="PUT", body=b"contents", headers=[("Content-Type", "text/plain")]),
        "a body, not S3": signed("queue", method="POST", path="/", body=b'{"a": 1}',
                                 headers=[("Content-Type", "application/json"), ("X-Amz-Target", "Queue.Send")]),
        "an unsigned body": signed(method="PUT", body=b"contents", is_payload_signed=False),
        "S3's path is encoded once": signed(path=ODD_PATH),
        "another's path is encoded twice": signed("queue", path=ODD_PATH),
        "S3's path is not normalised": signed(path="/bucket//a/./../b/"),
        "another's path is normalised": signed("queue", path="/bucket//a/./../b/"),
        "a query": signed(query="prefix=b%2Fc&list-type=2&Tagging&delimiter=~%20"),
        "a query, not S3": signed("queue", query="prefix=b%2Fc&list-type=2&Tagging&delimiter=~%20"),
        "headers with spaces": signed(headers=[("X-Amz-Meta-A", "  two   words "), ("X-Other", "signed too")]),
        "a header beside the signed ones": with_headers(signed(), ("User-Agent", "client")),
        "a signing name that is not the name": signed("vault"),
        "a Region of China": signed(region="cn-north-1"),
        "a Region of GovCloud": signed("queue", region="us-gov-west-1"),
        "almost five minutes old": signed(ago=FIVE_MINUTES - 30),
        "a clock almost five minutes ahead": signed(ago=30 - FIVE_MINUTES),
        "presigned": signed(expires=HOUR),
        "presigned, not S3": signed("queue", expires=HOUR),
        "presigned, with a query and an odd path": signed(path=ODD_PATH, query="versionId=1", expires=HOUR),
        "presigned, almost at its end": signed(expires=HOUR, ago=HOUR - 30),
        "for some actions": asking(signed(), "kms:Decrypt", "kms:ListGrants"),
        "for the actions of the registry": asking(signed("few"), "kms:Decrypt"),
    }


def refused():
    """What no session is made for: the error, and why, where the name does not say it."""
    def header(request):
        return {pair["Name"].lower(): pair["Value"] for pair in request["body"]["Request"]["Headers"]}

    authorization = header(signed())["authorization"]
    other_payload = "0" * 64
    return {
        "another method": (WRONG, changed(signed(), Method="PUT")),
        "another path": (WRONG, changed(signed(), Path="/bucket/another")),
        "another query": (WRONG, changed(signed(), Query="acl=")),
        "a query taken away": (WRONG, changed(signed(query="acl="), Query=None)),
        # The order of two values of one name is not signed.
        "a name twice in the query": (WRONG, signed(query="prefix=a&prefix=b")),
        "another body": (WRONG, changed(signed("queue"), PayloadHash=other_payload)),
        "another body than the header's": (WRONG, changed(signed(), PayloadHash=other_payload)),
        "an unsigned body said of a signed one": (WRONG, changed(signed("queue"), PayloadHash=UNSIGNED)),
        "another host": (WRONG, with_headers(signed(), ("Host", "evil.example"), without=["host"])),
        "S3's path encoded twice": (WRONG, signed(path=ODD_PATH, is_s3=False)),
        "another's path encoded once": (WRONG, signed("queue", path=ODD_PATH, is_s3=True)),
        "a signed header taken away": (WRONG, with_headers(signed(headers=[("X-Amz-Meta-A", "a")]),
                                                           without=["x-amz-meta-a"])),
        "an AWS header that is not signed": (WRONG, with_headers(signed(), ("X-Amz-Meta-A", "a"))),
        "no signature": (MISSING, with_headers(signed(), without=["authorization"])),
        "a damaged signature": (WRONG, with_headers(signed(), ("Authorization", authorization[:-1] + "g"),
                                                    without=["authorization"])),
        "two signatures": (WRONG, with_headers(signed(), ("Authorization", authorization))),
        "for KMS": (WRONG, signed(name="kms")),
        "for IAM": (WRONG, signed(name="iam")),
        "for STS": (WRONG, signed(name="sts")),
        "for another service": (WRONG, signed(name="queue")),
        "the name where the signing name is another": (WRONG, signed("vault", name="vault")),
        "six minutes old": (WRONG, signed(ago=FIVE_MINUTES + 60)),
        "a clock six minutes ahead": (WRONG, signed(ago=-FIVE_MINUTES - 60)),
        "presigned, after its end": (WRONG, signed(expires=HOUR, ago=HOUR + 60)),
        "presigned for longer than a week": (INCOMPLETE, signed(expires=7 * 24 * HOUR + 1)),
        "presigned, another path": (WRONG, changed(signed(expires=HOUR), Path="/bucket/another")),
        "an unknown access key": (UNKNOWN, signed(access_key_id="AKIAI44QH8DHBEXAMPLE")),
        "another secret": (WRONG, signed(secret="je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY")),
        "a session token of somebody else": (UNKNOWN, signed(token="AQoEXAMPLEH4aoAH0gNCAPy")),
        "presigned with a session token of somebody else": (UNKNOWN, signed(token="AQoEXAMPLEH4aoAH0gNCAPy",
                                                                            expires=HOUR)),
        "what is no Region": (UNKNOWN, signed(region="mars")),
        "a Region of which the service is not": (DENIED, signed("near", region="eu-west-1")),
        "an account that the service does not serve": (DENIED, signed("others")),
        "an action that cannot be carried": (DENIED, asking(signed(), "kms:DisableKey")),
        "an action that the service is not registered for": (DENIED, asking(signed("few"), "kms:Encrypt")),
    }


def vectors():
    """All of them, as the file holds them."""
    all_ = [{"name": name, "answer": "accepted", **vector} for name, vector in accepted().items()]
    all_ += [{"name": name, "answer": error, **vector} for name, (error, vector) in refused().items()]
    return {
        "time": NOW.isoformat().replace("+00:00", "Z"),
        "access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY,
        "services": SERVICES, "vectors": all_,
    }


def text():
    """The file."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

"""A bucket that is written to: it verifies each signature as botocore makes it, and fails when it is told to."""

import base64
import hashlib
import json
import re
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from folder import METADATA_SUFFIX, Bucket, Handler

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request, "
                           r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")
METADATA_PREFIX = "x-amz-meta-"
# What a writer must have signed.
SIGNED = {"content-encoding", "content-type", "host", "if-none-match", "x-amz-checksum-sha256", "x-amz-content-sha256",
          "x-amz-date"}


class WrittenBucket(Bucket):
    """A bucket with the credentials that may write to it. Whoever reads with others is not looked at."""

    def __init__(self, name, folder, region):
        self.region, self.credentials = region, Credentials("AKIAWRITEREXAMPLE001", "writer/secret+of/the+bucket", "token==")
        # How often objects were stored, by name.
        self.stored = {}
        # The status that writers are answered with instead.
        self.status = None
        # What is done with a body before it is stored; then nobody is answered.
        self.unanswered = None
        # While this is not set, writers wait for their answer.
        self.answering = threading.Event()
        self.answering.set()
        folder.mkdir()
        super().__init__(name, folder, WritingHandler)

    def credentials_text(self, profile="default"):
        """The shared credentials file that may write."""
        return (f"[{profile}]\naws_access_key_id = {self.credentials.access_key}\n"
                f"aws_secret_access_key = {self.credentials.secret_key}\naws_session_token = {self.credentials.token}\n")

    def is_signed(self, method, path, headers, body):
        """Whether the request is signed by the bucket's credentials."""
        found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not found or found[1] != self.credentials.access_key or found[2] != self.region:
            return False
        names = found[3].split(";")
        request = AWSRequest(method=method, url=self.endpoint + path, data=body,
                             headers={name: headers[name] for name in names})
        request.context["timestamp"] = headers["x-amz-date"]
        signer = S3SigV4Auth(self.credentials, "s3", self.region)
        told = signer.string_to_sign(request, signer.canonical_request(request))
        return (signer.signature(told, request) == found[4]
                and headers["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
                and headers.get("x-amz-security-token") == self.credentials.token
                and (method != "PUT" or SIGNED <= set(names)))


class WritingHandler(Handler):
    """One connection."""

    def do_GET(self):
        """Reads for anybody, but not with the writer's access key and a wrong signature."""
        is_writer = self.server.credentials.access_key in self.headers.get("authorization", "")
        if is_writer and not self.server.is_signed("GET", self.path, self.headers, b""):
            self.refuse("SignatureDoesNotMatch", 403)
        else:
            super().do_GET()

    def do_PUT(self):
        """Stores an object that is not there yet."""
        body = self.rfile.read(int(self.headers["content-length"]))
        bucket, _, key = self.path.lstrip("/").partition("/")
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        if self.server.status is not None:
            self.refuse("SlowDown", self.server.status)
        elif not self.server.is_signed("PUT", self.path, self.headers, body):
            self.refuse("SignatureDoesNotMatch", 403)
        elif bucket != self.server.name:
            self.refuse("NoSuchBucket")
        elif self.headers["x-amz-checksum-sha256"] != checksum:
            self.refuse("BadDigest", 400)
        elif (self.server.folder / key).exists():
            assert self.headers["if-none-match"] == "*"
            self.refuse("PreconditionFailed", 412)
        else:
            self.store(key, body)

    def store(self, key, body):
        """Stores it, and answers if it should."""
        unanswered = self.server.unanswered
        path = self.server.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {name.lower().removeprefix(METADATA_PREFIX): value for name, value in self.headers.items()
                    if name.lower().startswith(METADATA_PREFIX)}
        if metadata:
            path.with_name(path.name + METADATA_SUFFIX).write_text(json.dumps(metadata))
        path.write_bytes(unanswered(body) if unanswered else body)
        self.server.stored[key] = self.server.stored.get(key, 0) + 1
        self.server.answering.wait()
        if unanswered:
            self.close_connection = True
        else:
            self.answer(200, b"")

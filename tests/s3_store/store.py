"""A small object store with SSE-KMS: how a service keeps what it stores under its users' keys.

It speaks as much of S3 as boto3's client needs to make a bucket and to put, get, head, list and delete objects. It
verifies no signature and decides nothing: it hands the user's signed request to Keystead for a forward access session
and calls KMS with that, as the user. On the disk is ciphertext only, each object under a data key of its own.
"""

import base64
import hashlib
import json
import os
import re
import threading
import urllib.parse
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registering import create_session
from signing import sha256

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DEFAULT_KEY = "alias/aws/s3"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")
NONCE_BYTES = 12
BODY_BYTES_MAX = 1 << 20


class Refusal(Exception):
    """What the caller is told instead."""

    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def required(answer):
    """What Keystead answered; its refusal, told as S3 tells those of KMS."""
    if answer.status == 200:
        return answer.json
    if answer.error == "AccessDeniedException":
        raise Refusal(403, "AccessDenied", answer.message)
    raise Refusal(400, f"KMS.{answer.error}", answer.message)


class Store(ThreadingHTTPServer):
    """The store on a port of its own choice; `service` signs its calls to Keystead."""

    daemon_threads = True

    def __init__(self, directory, service):
        super().__init__(("127.0.0.1", 0), Handler)
        self.directory, self.service = directory, service
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        """What the S3 client's endpoint is set to."""
        return f"http://127.0.0.1:{self.server_port}"

    def as_user(self, token, operation, bucket, key, **parameters):
        """A call of KMS as the user of a session, bound to one object."""
        context = {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{key}"}
        return required(self.service.call(operation, {**parameters, "EncryptionContext": context}, token=token))

    def put(self, token, bucket, key, body, key_id):
        """Stores an object under a new data key; answers its entry."""
        made = self.as_user(token, "GenerateDataKey", bucket, key, KeyId=key_id, KeySpec="AES_256")
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(base64.b64decode(made["Plaintext"])).encrypt(nonce, body, self.name(bucket, key))
        entry = {"Key": key, "KeyId": made["KeyId"], "DataKey": made["CiphertextBlob"], "Size": len(body),
                 "ETag": hashlib.sha256(sealed).hexdigest()[:32], "Written": datetime.now(timezone.utc).isoformat(),
                 "Sealed": base64.b64encode(nonce + sealed).decode()}
        self.path(bucket, key).write_text(json.dumps(entry))
        return entry

    def open(self, token, bucket, key, entry):
        """The object's bytes."""
        plain = self.as_user(token, "Decrypt", bucket, key, KeyId=entry["KeyId"], CiphertextBlob=entry["DataKey"])
        sealed = base64.b64decode(entry["Sealed"])
        return AESGCM(base64.b64decode(plain["Plaintext"])).decrypt(
            sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.name(bucket, key))

    @staticmethod
    def name(bucket, key):
        """What is bound to the ciphertext."""
        return f"{bucket}/{key}".encode()

    def bucket(self, bucket):
        """The folder of a bucket."""
        if not BUCKET_NAME.fullmatch(bucket):
            raise Refusal(400, "InvalidBucketName")
        return self.directory / bucket

    def path(self, bucket, key):
        """The file of an object."""
        folder = self.bucket(bucket)
        if not folder.is_dir():
            raise Refusal(404, "NoSuchBucket")
        return folder / sha256(key.encode())

    def entry(self, bucket, key):
        """What is known of an object."""
        path = self.path(bucket, key)
        if not path.is_file():
            raise Refusal(404, "NoSuchKey")
        return json.loads(path.read_text())


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Nothing is logged."""

    def session(self, body):
        """The forward access session of the user who signed this request."""
        path, _, query = self.path.partition("?")
        authorization = self.headers.get("authorization", "")
        signed = re.search(r"SignedHeaders=([^,]+)", authorization)
        names = [*(signed[1].split(";") if signed else []), "authorization"]
        described = {"Method": self.command, "Path": path, "PayloadHash": sha256(body),
                     "Headers": [{"Name": name, "Value": self.headers.get(name, "")} for name in names]}
        more = {"Query": query} if query else {}
        return required(create_session(self.server.service, {"Request": {**described, **more}}))["ForwardAccessToken"]

    def serve(self):
        """Answers one request."""
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(min(length, BODY_BYTES_MAX))
        try:
            if length > BODY_BYTES_MAX:
                raise Refusal(400, "EntityTooLarge")
            path = urllib.parse.unquote(self.path.partition("?")[0])
            bucket, _, key = path.lstrip("/").partition("/")
            self.answer(*self.act(self.session(body), bucket, key, body))
        except Refusal as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message or '')}</Message></Error>"
            self.answer(refusal.status, text.encode(), {})

    do_PUT = do_GET = do_HEAD = do_DELETE = serve

    def act(self, token, bucket, key, body):
        """Status, body and headers of what was asked."""
        store = self.server
        if not key:
            return self.act_on_bucket(bucket)
        if self.command == "PUT":
            key_id = self.headers.get("x-amz-server-side-encryption-aws-kms-key-id", DEFAULT_KEY)
            return 200, b"", described(store.put(token, bucket, key, body, key_id))
        if self.command == "DELETE":
            store.path(bucket, key).unlink(missing_ok=True)
            return 204, b"", {}
        entry = store.entry(bucket, key)
        opened = store.open(token, bucket, key, entry) if self.command == "GET" else bytes(entry["Size"])
        return 200, opened, described(entry)

    def act_on_bucket(self, bucket):
        """Makes a bucket or lists it."""
        folder = self.server.bucket(bucket)
        if self.command == "PUT":
            folder.mkdir()
            return 200, b"", {"location": f"/{bucket}"}
        if self.command != "GET" or not folder.is_dir():
            raise Refusal(404, "NoSuchBucket")
        entries = sorted((json.loads(file.read_text()) for file in folder.iterdir()), key=lambda one: one["Key"])
        listed = "".join(f"<Contents><Key>{escape(one['Key'])}</Key><Size>{one['Size']}</Size>"
                         f"<LastModified>{one['Written']}</LastModified></Contents>" for one in entries)
        text = (f'<ListBucketResult xmlns="{NAMESPACE}"><Name>{bucket}</Name><KeyCount>{len(entries)}</KeyCount>'
                f"<IsTruncated>false</IsTruncated>{listed}</ListBucketResult>")
        return 200, text.encode(), {"content-type": "application/xml"}

    def answer(self, status, body, headers):
        """Sends an answer; HEAD gets no body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def described(entry):
    """The headers that tell how an object is encrypted."""
    return {"etag": f'"{entry["ETag"]}"', "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": entry["KeyId"]}

"""Signature Version 4 by hand, so that a test can sign rightly what it asks wrongly.

Written from AWS's "Create a signed AWS API request"; it shares no code with the server.
"""

import hashlib
import hmac
import http.client
import json
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

CONTENT_TYPE = "application/x-amz-json-1.1"


def quote(text):
    """AWS's URI encoding: everything but the unreserved characters."""
    return urllib.parse.quote(text, safe="-_.~")


def sha256(data):
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self):
        """The error's name; fails on a success."""
        assert self.status >= 400, (self.status, self.body)
        return self.json["__type"].rsplit("#", 1)[-1]

    @property
    def message(self):
        """The error's text, or None when it has none."""
        return self.json.get("message")


@dataclass
class Caller:
    """Someone who signs requests to one server."""

    port: int
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    service: str = "kms"
    clock: callable = field(default=lambda: datetime.now(timezone.utc))

    def call(self, operation, parameters=None, **options):
        """A signed call of a KMS operation; options are those of `request`."""
        body = options.pop("body", None)
        if body is None:
            body = json.dumps({} if parameters is None else parameters).encode()
        headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
        return self.send(self.request(body=body, headers=headers, **options))

    def request(self, *, method="POST", path="/", query="", body=b"", headers=(), also=(),
                unsigned=(), skew=timedelta(0), date=None, scope=None, drop=(), edit=None,
                token=None):
        """Builds a signed request.

        headers are signed, `also` are sent but not signed, names in `unsigned` are sent and left out of
        SignedHeaders, names in `drop` are signed and not sent. `date` replaces X-Amz-Date's value,
        `scope` the parts of the credential scope by name, `edit` rewrites the Authorization header.
        """
        now = self.clock() + skew
        stamp = now.strftime("%Y%m%dT%H%M%SZ") if date is None else date
        place = {"date": stamp[:8], "region": self.region, "service": self.service,
                 "end": "aws4_request", **(scope or {})}
        signed = [("host", f"127.0.0.1:{self.port}"), ("x-amz-date", stamp), *headers]
        if token is not None:
            signed.append(("x-amz-security-token", token))
        left_out = [pair for pair in signed if pair[0] in unsigned]
        signed = [pair for pair in signed if pair[0] not in unsigned]
        names = ";".join(sorted({name for name, _ in signed}))
        signature = self.signature(method, path, query, signed, names, sha256(body), stamp, place)
        credential = "/".join([self.access_key_id, *place.values()])
        authorization = (f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, "
                         f"Signature={signature}")
        if edit:
            authorization = edit(authorization)
        sent = [pair for pair in [*signed, *left_out, *also] if pair[0] not in drop]
        if authorization is not None:
            sent.append(("authorization", authorization))
        return method, path + (f"?{query}" if query else ""), sent, body

    def presigned(self, *, method="GET", parameters=(), body=b"", headers=(), expires="60",
                  skew=timedelta(0), payload_hash=None):
        """Builds a request that carries its signature in the query."""
        stamp = (self.clock() + skew).strftime("%Y%m%dT%H%M%SZ")
        place = {"date": stamp[:8], "region": self.region, "service": self.service,
                 "end": "aws4_request"}
        signed = [("host", f"127.0.0.1:{self.port}"), *headers]
        names = ";".join(sorted(name for name, _ in signed))
        pairs = [*parameters, ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                 ("X-Amz-Credential", "/".join([self.access_key_id, *place.values()])),
                 ("X-Amz-Date", stamp), ("X-Amz-Expires", expires), ("X-Amz-SignedHeaders", names)]
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        signature = self.signature(method, "/", query, signed, names, payload_hash or sha256(body),
                                   stamp, place)
        return method, f"/?{query}&X-Amz-Signature={signature}", signed, body

    def signature(self, method, path, query, signed, names, payload_hash, stamp, place):
        """The signature itself."""
        values = {}
        for name, value in signed:
            values.setdefault(name, []).append(" ".join(value.split()))
        lines = [f"{name}:{','.join(values[name])}" for name in sorted(values)]
        canonical_query = "&".join(sorted(part if "=" in part else f"{part}="
                                          for part in query.split("&") if part))
        canonical = "\n".join([method, quote_path(path), canonical_query, *lines, "", names,
                               payload_hash])
        scope = "/".join(place.values())
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode())}"
        key = f"AWS4{self.secret_access_key}".encode()
        for part in place.values():
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def send(self, request):
        """Sends a built request as it is, headers in their order and repeated ones repeated."""
        method, target, headers, body = request
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if not any(name == "content-length" for name, _ in headers):
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


class Line:
    """A caller with one connection for all calls."""

    def __init__(self, caller):
        self.caller = caller
        self.connection = http.client.HTTPConnection("127.0.0.1", caller.port, timeout=30)

    def call(self, operation, text):
        """Sends a signed body as it is."""
        headers = [("content-type", CONTENT_TYPE), ("x-amz-target", f"TrentService.{operation}")]
        method, target, headers, body = self.caller.request(body=text.encode(), headers=headers)
        self.connection.request(method, target, body, dict(headers))
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def close(self):
        """Ends the connection."""
        self.connection.close()


def quote_path(path):
    """The canonical path: each segment encoded once more, as every service but S3 does."""
    return "/".join(quote(segment) for segment in path.split("/"))

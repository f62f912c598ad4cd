"""A folder of files, read as the objects of one bucket: as much of S3 as the validation of a trail asks for."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
METADATA_SUFFIX = ".metadata.json"


class Bucket(ThreadingHTTPServer):
    """The bucket on a port of its own choice. It verifies no signature."""

    daemon_threads = True

    def __init__(self, name, folder, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.name, self.folder = name, folder
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        """What AWS_ENDPOINT_URL_S3 is set to."""
        return f"http://127.0.0.1:{self.server_port}"

    def keys(self):
        """The names of all objects, in S3's order."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        names = (path.relative_to(self.folder).as_posix() for path in files)
        return sorted(name for name in names if name.endswith(".json.gz"))


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Nothing is logged."""

    def do_GET(self):
        """Answers one request."""
        path, _, query = self.path.partition("?")
        asked = urllib.parse.parse_qs(query, keep_blank_values=True)
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        if bucket != self.server.name:
            self.refuse("NoSuchBucket")
        elif not key and "location" in asked:
            self.answer(200, f'<LocationConstraint xmlns="{NAMESPACE}"></LocationConstraint>'.encode())
        elif not key:
            self.answer(200, self.listed(*(asked.get(name, [""])[0] for name in ("prefix", "marker"))))
        elif key in self.server.keys():
            self.object(key)
        else:
            self.refuse("NoSuchKey")

    def listed(self, prefix, marker):
        """The first version of ListObjects, all in one page."""
        keys = [key for key in self.server.keys() if key.startswith(prefix) and key > marker]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys)
        return (f'<ListBucketResult xmlns="{NAMESPACE}"><Name>{self.server.name}</Name>'
                f"<IsTruncated>false</IsTruncated>{contents}</ListBucketResult>").encode()

    def object(self, key):
        """An object with its metadata."""
        path = self.server.folder / key
        beside = path.with_name(path.name + METADATA_SUFFIX)
        metadata = json.loads(beside.read_text()) if beside.is_file() else {}
        self.answer(200, path.read_bytes(), {f"x-amz-meta-{name}": value for name, value in metadata.items()})

    def refuse(self, code, status=404):
        """S3's way to say that something is not there, or cannot be."""
        self.answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def answer(self, status, body, headers=()):
        """Sends an answer."""
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

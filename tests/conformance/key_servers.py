"""A web server of our own with TLS, and issuers of OIDC tokens whose keys it shows."""

import datetime
import ipaddress
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from issuers import Issuer

DISCOVERY = ".well-known/openid-configuration"


def certificate_authority(path):
    """A new authority: its key and certificate, which is written to the path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority {path.stem}")])
    certificate = _certificate(name, name, key.public_key(), True).sign(key, hashes.SHA256())
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def _certificate(subject, issuer, public_key, is_authority):
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
            .public_key(public_key).serial_number(x509.random_serial_number())
            .not_valid_before(now - day).not_valid_after(now + 7 * day)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True))


class QuietServer(ThreadingHTTPServer):
    """A web server whose clients may break off, as those do who do not believe it."""

    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Says nothing."""


class KeyServer:
    """A server on loopback whose answers the tests decide: `answers[path]` is a function of the request's handler."""

    def __init__(self, directory, scheme="https"):
        self.ca_file = directory / "authority.pem"
        self.answers, self.requests = {}, []
        self.http = QuietServer(("127.0.0.1", 0), self._handler())
        if scheme == "https":
            self.http.socket = self._context(directory).wrap_socket(
                self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def _context(self, directory):
        key, certificate = certificate_authority(self.ca_file)
        own = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([
            x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "key server")])
        signed = (_certificate(subject, certificate.subject, own.public_key(), False)
                  .add_extension(names, critical=False).sign(key, hashes.SHA256()))
        chain = directory / "server.pem"
        chain.write_bytes(
            own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption())
            + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            """Remembers each request, and answers as the tests say."""

            def do_GET(self):
                """Answers one request."""
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.path, headers))
                server.answers.get(self.path, not_found)(self)

            def log_message(self, *_):
                """Says nothing."""

        return Handler

    def count(self, path):
        """How often a path was asked for."""
        return sum(asked == path for asked, _ in self.requests)

    def stop(self):
        """Ends the server; its port refuses connections."""
        self.http.shutdown()
        self.http.server_close()


def answer(body, status=200, **headers):
    """An answer with this body; `_` in names of headers stands for `-`."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    def send(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
    return send


not_found = answer({"error": "not found"}, 404)


class FetchedIssuer(Issuer):
    """An issuer whose keys and discovery document a key server shows."""

    ALGORITHMS = ["ES256"]

    def __init__(self, server, name, **settings):
        self.server, self.settings = server, settings
        self.jwks_path = f"/{name}/jwks"
        super().__init__(f"{server.url}/{name}", None)
        self.describe()

    def publish(self, *keys):
        """Shows these keys, and no others."""
        self.show(answer({"keys": [key.public for key in keys]}))

    def show(self, send):
        """Answers whoever asks for the keys in another way."""
        self.server.answers[self.jwks_path] = send

    def describe(self, **changes):
        """Shows the discovery document, with changes."""
        document = {"issuer": self.url, "jwks_uri": self.server.url + self.jwks_path, **changes}
        self.server.answers[f"/{self.name.split('/', 1)[1]}/{DISCOVERY}"] = answer(document)

    @property
    def fetches(self):
        """How often its keys were asked for."""
        return self.server.count(self.jwks_path)

    @property
    def table(self):
        """What the server's configuration says of it; `jwks_url=True` is the URL of its keys."""
        settings = {"ca_file": self.server.ca_file, **self.settings, "url": self.url}
        if settings.get("jwks_url") is True:
            settings["jwks_url"] = self.server.url + self.jwks_path
        return table("oidc_issuer", **settings)


def table(name, /, **settings):
    """A table of the configuration file."""
    return f"[[{name}]]\n" + "".join(
        f"{setting} = {json.dumps(value if isinstance(value, (bool, int)) else str(value))}\n"
        for setting, value in settings.items() if value is not None)

"""A receiver of webhooks of our own, which believes a signature only by the specification (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET_BYTES = 32


def new_secret():
    """A secret as the specification writes it."""
    return "whsec_" + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def signature(secret, headers, body):
    """What `webhook-signature` must have for one secret."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Receiver:
    """A web server on loopback that takes events, unless it is told to answer otherwise."""

    def __init__(self, secret, port=0):
        self.secret = secret
        self.events, self.statuses, self.attempts, self.headers = [], [], 0, []
        self.http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/events"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one event, or answers as the tests say."""

            def do_POST(self):
                """Answers one request."""
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.attempts += 1
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if status < 300:
                    status = receiver.take(headers, body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Says nothing."""

        return Handler

    def take(self, headers, body):
        """Keeps an event that is signed as it should be, and answers the status."""
        if signature(self.secret, headers, body) not in headers["webhook-signature"].split(" "):
            return 401
        event = json.loads(body)
        assert headers["webhook-id"] == event["id"] and headers["content-type"] == "application/json"
        self.events.append(event)
        self.headers.append(headers)
        return 204

    def ids(self):
        """The ids of what was taken, in order."""
        return [event["id"] for event in self.events]

    def stop(self):
        """Ends the server; its port refuses connections."""
        self.http.shutdown()
        self.http.server_close()

"""`keystead explain`, as tests ask it."""

import base64
import json

import keystead


class Explainer:
    """Explains over the control socket of a server, or over its data directory."""

    def __init__(self, server, *settings):
        self.arguments = ["explain", "--data-dir", server.directory, *settings]

    def run(self, principal, action, *more):
        """The finished command."""
        return keystead.run(*self.arguments, "--principal", principal, "--action", action, *more)

    def __call__(self, principal, action, *more, request=None):
        """The explanation as data."""
        request = ["--request", written(request)] if request is not None else []
        done = self.run(principal, action, "--format", "json", *request, *more)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def text(self, principal, action, *more):
        """The explanation as a text."""
        done = self.run(principal, action, *more)
        assert done.returncode == 0, done
        return done.stdout

    def complaint(self, principal, action, *more):
        """What is said where there is no explanation."""
        done = self.run(principal, action, *more)
        assert done.returncode != 0 and not done.stdout, done
        return done.stderr


def written(request):
    """A request of boto3 as JSON."""
    return json.dumps(request, default=lambda value: base64.b64encode(value).decode())


def asked(told):
    """The questions of an explanation: action, resource, decision."""
    return [(one["action"], one["resource"], one["decision"]) for one in told["questions"]]

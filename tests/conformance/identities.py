"""Users of IAM, and what they may do."""

import contextlib
import json
import uuid

import boto3

from conftest import CONFIG, client_of
from keystead import ACCOUNT, REGION

# The end of a refusal where nothing allows the action.
NO_IDENTITY_POLICY = "because no identity-based policy allows the {0} action"


def document(*statements):
    """An identity policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", effect="Allow", **members):
    """A statement of an identity policy."""
    return {"Effect": effect, "Action": action, "Resource": resource, **members}


def unique(prefix="test"):
    """A name that nobody has yet."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class User:
    """A user with an access key, made by the root user."""

    def __init__(self, server, iam, name=None, **more):
        self.server, self.iam, self.name = server, iam, name or unique("user")
        self.described = iam.create_user(UserName=self.name, **more)["User"]
        self.arn, self.user_id = self.described["Arn"], self.described["UserId"]
        self.access_key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.credentials = self.access_key["AccessKeyId"], self.access_key["SecretAccessKey"]

    def client(self, service="kms", region=REGION):
        """A client that signs as the user."""
        return client_of(self.server, self.credentials, service, region)

    def may(self, *statements, name="only"):
        """Puts a policy of these statements."""
        self.iam.put_user_policy(UserName=self.name, PolicyName=name,
                                 PolicyDocument=document(*statements))
        return self


def session_client(server, credentials, service="kms", region=REGION):
    """A client that signs with what STS gave."""
    return boto3.client(service, region_name=region, endpoint_url=server.endpoint, config=CONFIG,
                        aws_access_key_id=credentials["AccessKeyId"],
                        aws_secret_access_key=credentials["SecretAccessKey"],
                        aws_session_token=credentials["SessionToken"])


@contextlib.contextmanager
def denied(action, by):
    """The body is refused in AWS's words: nobody's policy of that kind allows the action, or one denies it."""
    try:
        yield
    except Exception as error:  # pylint: disable=broad-except
        told = error.response["Error"]
        assert told["Code"] in ("AccessDeniedException", "AccessDenied"), told
        assert f"is not authorized to perform: {action} " in told["Message"], told
        assert told["Message"].endswith(by), told
        return
    raise AssertionError(f"{action} was allowed")


def user_arn(name, path="/"):
    """The ARN of a user."""
    return f"arn:aws:iam::{ACCOUNT}:user{path}{name}"

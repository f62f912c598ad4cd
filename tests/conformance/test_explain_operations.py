"""Every operation is explained, and the explanation is what the call is answered, for whoever may and whoever may not.

A new operation is in the lists by itself; without a request here it fails.
"""

import uuid

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import keystead
from conftest import client_of, root_of
from explaining import Explainer, asked
from identities import User, allow, document, unique
from keystead import ACCOUNT, REGION
from test_one_action import OPERATIONS, Calls
from test_query_models import MODELS, SESSION

# The one that nobody signs: test_explain_callers asks it.
UNSIGNED = {"AssumeRoleWithWebIdentity"}
# Members that make an operation ask more.
ASKING_MORE = {
    "CreateKey": ["Tags"], "CreateUser": ["Tags"], "CreateRole": ["Tags"], "CreatePolicy": ["Tags"],
    "CreateOpenIDConnectProvider": ["Tags"], "AssumeRole": ["Tags", "SourceIdentity"], "GetFederationToken": ["Tags"],
}


def built(service):
    """The operations of a service that are answered."""
    unbuilt = (keystead.REPOSITORY / f"crates/service/src/{service}/unbuilt.txt").read_text().split()
    return [(service, name) for name in sorted(set(MODELS[service].operation_names) - set(unbuilt) - UNSIGNED)]


ROWS = [("kms", name) for name in OPERATIONS] + built("iam") + built("sts")


class Place:
    """A server, whoever may do nothing, and whoever may do what a test lets it."""

    def __init__(self, directory):
        self.server = keystead.Server(directory / "data")
        self.explain = Explainer(self.server, "--region", REGION)
        root = self.server.root_credentials()
        self.kms, self.iam = client_of(self.server, root), client_of(self.server, root, "iam")
        self.calls = Calls(self.kms)
        self.stranger, self.one = User(self.server, self.iam), User(self.server, self.iam)
        trusting = document({"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": root_of(ACCOUNT)}})
        self.role = self.iam.create_role(RoleName=unique(), AssumeRolePolicyDocument=trusting)["Role"]

    def values(self):
        """Members of requests to IAM, STS and CloudTrail; nothing has these names yet."""
        policy, name = document(allow("kms:*")), unique()
        return {
            "AWSServiceName": "cks.kms.amazonaws.com",
            "DeletionTaskId": f"task/aws-service-role/cks.kms.amazonaws.com/AWSServiceRoleForIt/{uuid.uuid4()}",
            "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "AccountAlias": name, "ActionNames": ["kms:Decrypt"],
            "AssumeRolePolicyDocument": self.role_trust(), "ClientID": "app", "Description": "",
            "EncodedMessage": "message", "GroupName": name, "InstanceProfileName": name, "Name": name,
            "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}.example.com",
            "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
            "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}", "PolicyDocument": policy,
            "PolicyInputList": [policy], "PolicyName": name, "PolicySourceArn": self.stranger.arn,
            "RoleArn": self.role["Arn"], "RoleName": name, "RoleSessionName": name, "SourceIdentity": "ada",
            "Status": "Inactive", "TagKeys": ["a"], "Tags": [{"Key": "a", "Value": "b"}],
            "ThumbprintList": ["0" * 40], "Url": f"https://{name}.example.com", "UserName": name[:32],
            "VersionId": "v1",
        }

    def role_trust(self):
        """A trust policy."""
        return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": self.one.arn}})

    def request(self, service, name):
        """A request that validation accepts."""
        if service == "kms":
            self.calls.renew()
            more = {member: self.calls.values[member] for member in ASKING_MORE.get(name, [])}
            return {**self.calls.arguments(name), **more}
        shape, values = MODELS[service].operation_model(name).input_shape, self.values()
        required = shape.required_members if shape else []
        return {member: values[member] for member in [*required, *ASKING_MORE.get(name, [])]}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server of our own, since the calls of those who may are made in earnest."""
    made = Place(tmp_path_factory.mktemp("explained"))
    yield made
    assert made.server.stop() == 0, made.server.output()


def is_let_through(user, service, name, request):
    """Whether policies let a call through; whatever comes after them does not matter."""
    try:
        getattr(user.client(service), xform_name(name))(**request)
    except ClientError as error:
        return "is not authorized to perform: " not in error.response["Error"]["Message"]
    return True


@pytest.mark.parametrize(("service", "name"), ROWS)
def test_what_is_explained_is_what_is_answered(place, service, name):
    request = place.request(service, name)

    def allowed(user):
        told = place.explain(user.arn, f"{service}:{name}", request=request)
        assert told["refused_before"] is None, told
        assert (told["decision"] == "allowed") == is_let_through(user, service, name, request), told
        return told["decision"] == "allowed", told

    is_allowed, told = allowed(place.stranger)
    assert (told["action"], is_allowed) == (f"{service}:{name}", told["undeniable"])
    assert told["undeniable"] == (not told["questions"])
    actions = sorted({action for action, _, _ in asked(told)})
    assert len(actions) > 1 or name not in ASKING_MORE
    for missing in actions if len(actions) > 1 else []:
        place.one.may(allow([action for action in actions if action != missing]))
        is_allowed, told = allowed(place.one)
        assert not is_allowed
        assert {action for action, _, decision in asked(told) if decision != "allowed"} == {missing}
    if actions:
        place.one.may(allow("*"), allow(actions[-1], effect="Deny"))
        _, told = allowed(place.one)
        denied = {action for action, _, decision in asked(told) if decision == "explicitDeny"}
        assert (told["decision"], denied) == ("explicitDeny", {actions[-1]})
    # In earnest, and so at last.
    place.one.may(allow(actions or ["kms:Decrypt"]))
    assert allowed(place.one)[0]


def test_every_operation_of_cloudtrail(place, ours):
    model = SESSION.get_service_model("cloudtrail")
    names = set(ours["cloudtrail"]["operations"])
    assert "LookupEvents" in names
    for name in sorted(names):
        shape = model.operation_model(name).input_shape
        request = {member: "trail" for member in (shape.required_members if shape else [])}
        for user, action in [(place.stranger, None), (place.one, f"cloudtrail:{name}")]:
            if action:
                user.may(allow(action))
            told = place.explain(user.arn, f"cloudtrail:{name}", request=request)
            assert asked(told) == [(f"cloudtrail:{name}", "*", "allowed" if action else "implicitDeny")]
            assert is_let_through(user, "cloudtrail", name, request) == bool(action)


def test_the_operation_of_services(place):
    told = place.explain(place.stranger.arn, "sts:CreateForwardAccessSession", request={"Service": "s3"})
    assert (told["decision"], told["undeniable"], told["questions"]) == ("allowed", True, [])


def test_all_apis_are_asked(ours):
    assert set(ours) >= {"iam", "sts", "cloudtrail", "operations"}
    assert {name for service, name in ROWS if service == "kms"} == set(ours["operations"])
    assert {name for service, name in ROWS if service == "iam"} == set(ours["iam"]["built"])
    assert {name for service, name in ROWS if service == "sts"} | UNSIGNED == set(ours["sts"]["built"])

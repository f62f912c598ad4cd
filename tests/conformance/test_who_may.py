"""Every operation of KMS in every situation: the verdict that AWS's rules give, and the reason that it tells."""

from dataclasses import dataclass, replace

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import journal
import keystead
from conftest import client_of, policy, root_of, statement
from granting import KINDS, ROOT, SYMMETRIC, grant
from identities import User, allow, document, session_client, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from registering import Deployment, client_as, create_session, user
from test_iam_roles import Role
from test_model import MODEL
from test_one_action import NEEDED, OPERATIONS, actions_of

# What an operation asks about: the caller's identity policies alone, an alias (the same), a key, or a grant on a key.
NOTHING, ALIAS, KEY, GRANT = "nothing", "alias", "key", "grant"
# Every operation: what it asks about, in order, and whether a caller of another account can be let in (AWS KMS
# Developer Guide, "AWS KMS permissions").
WITHIN = {
    **dict.fromkeys(["CreateKey", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"], [NOTHING]),
    **dict.fromkeys(["CreateAlias", "DeleteAlias", "UpdateAlias"], [ALIAS, KEY]),
    **dict.fromkeys(["CancelKeyDeletion", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation", "EnableKey",
                     "EnableKeyRotation", "GetKeyLastUsage", "GetKeyPolicy", "GetParametersForImport",
                     "ImportKeyMaterial", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy",
                     "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource", "UntagResource",
                     "UpdateKeyDescription", "UpdatePrimaryRegion"], [KEY]),
    "ReplicateKey": [KEY, NOTHING],
}
ACROSS = {
    **dict.fromkeys(["CreateGrant", "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate",
                     "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
                     "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetKeyRotationStatus", "GetPublicKey",
                     "ListGrants", "ReEncrypt", "RevokeGrant", "Sign", "Verify", "VerifyMac"], [KEY]),
    "RetireGrant": [GRANT],
}

ALLOWED = "allowed"
IDENTITY, RESOURCE, BOUNDARY, SESSION = ("identity-based policy", "resource-based policy", "permissions boundary",
                                         "session policy")
UNKNOWN = "UnrecognizedClientException"
# The refusal of what a service's session for a user does not carry.
UNCARRIED = "has no forward access session for this call"
SERVICE = "s3.amazonaws.com"
# Actions that a session carries beside those that grants can permit on any kind of key.
CARRIED = {*SYMMETRIC, *(name for names in KINDS.values() for name in names), "ListGrants", "RetireGrant", "RevokeGrant"}


def silent(kind):
    """The refusal where no policy of that kind allows."""
    return f"because no {kind} allows the {{0}} action"


def explicit(kind):
    """The refusal where a policy of that kind denies."""
    return f"with an explicit deny in {'an' if kind == IDENTITY else 'a'} {kind}"


class Place:
    """Two accounts and their administrators, on a server of their own."""

    def __init__(self, directory):
        deployment = Deployment(directory)
        self.server = deployment.server
        directory = self.server.directory
        self.s3 = deployment.service("s3")
        other = "AKIAOTHEREXAMPLE0001", "otherSecretOfTheOtherAccountRootUser0001"
        made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", directory,
                            "--access-key-id", other[0], "--secret-access-key", other[1])
        assert made.returncode == 0, made.stderr
        own = self.server.root_credentials()
        self.kms, self.iam = client_of(self.server, own), client_of(self.server, own, "iam")
        self.other_kms, self.other_iam = client_of(self.server, other), client_of(self.server, other, "iam")
        # Whom the calls give grants to: nobody who calls.
        self.grantee = User(self.server, self.iam)
        self.key_id = None

    def stop(self):
        """Ends the server."""
        self.server.check()
        assert self.server.stop() == 0, self.server.output()


@dataclass
class Scene:
    """A key, its policy, someone who calls, and what they have been given."""

    place: Place
    key: dict
    user: User
    client: object = None
    # Who is to be named in the key policy, as a grantee and so on.
    arn: str = None

    def key_policy(self, *statements):
        """Puts a key policy; it may shut out even the root user, so it comes last."""
        self.place.kms.put_key_policy(KeyId=self.key["KeyId"], BypassPolicyLockoutSafetyCheck=True,
                                      Policy=policy(*statements))

    def role(self, *statements, naming="role", session=None, boundary=None):
        """The caller is a session of a role with these statements."""
        more = {"PermissionsBoundary": self.managed(boundary)} if boundary else {}
        role = Role(self.user.iam, self.user, **more)
        if statements:
            role.may(*statements)
        self.client = role.client(name="one", **({"Policy": document(session)} if session else {}))
        sessions = role.arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        self.arn = {"role": role.arn, "session": f"{sessions}/one"}[naming]
        return self

    def managed(self, *statements):
        """A managed policy."""
        return self.user.iam.create_policy(PolicyName=unique(),
                                           PolicyDocument=document(*statements))["Policy"]["Arn"]

    def bound(self, *statements):
        """The user has a permissions boundary."""
        self.user.iam.put_user_permissions_boundary(UserName=self.user.name,
                                                    PermissionsBoundary=self.managed(*statements))

    def federated(self, **more):
        """The caller is a federated user of the user."""
        answer = self.user.client("sts").get_federation_token(Name="guest", **more)
        self.client, self.arn = session_client(self.place.server, answer["Credentials"]), self.user.arn

    def as_service(self, headers):
        """The caller is the service s3, which sends these headers too."""
        self.client = client_as(self.place.s3, self.place.server, headers)

    def through_service(self, *statements):
        """The caller is the service s3 as the user, who has these statements."""
        if statements:
            self.user.may(*statements)
        made = create_session(user(self.place.server.port, self.user.credentials), {"Service": "s3"})
        assert made.status == 200, made.body
        self.as_service({"X-Amz-Forward-Access-Token": made.json["ForwardAccessToken"]})

    def grant(self, grantee=None):
        """The caller has a grant on the key that permits all that grants can."""
        grant(self.place.kms, self.key, *SYMMETRIC, grantee=grantee or self.arn)


EVERYTHING = allow("*")
KMS = allow("kms:*")
ELSEWHERE = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
HERE = {"StringEquals": {"aws:RequestedRegion": REGION}}
OF_ACCOUNT = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}


def tagged(value):
    """The condition that the resource has this tag; the key's is `blue`."""
    return {"StringEquals": {"aws:ResourceTag/team": value}}


@dataclass(frozen=True)
class Situation:
    """Who calls, and what AWS answers."""

    # Puts the policies.
    set: callable
    # What becomes of a question about the key, and of one that only the caller's own policies answer.
    key: str
    own: str
    # What becomes of one about the key that a grant can answer, and one about the retirement of a grant, where that
    # differs.
    granted: str = None
    retired: str = None
    # The caller is of the other account.
    other: bool = False
    # The caller is not known: nothing is asked.
    unknown: bool = False
    # A service calls as itself, or as the user: then nothing is asked but what its session carries.
    service: bool = False
    forwarded: bool = False


def user_and_delegation(scene, *statements):
    """The key policy leaves it to IAM, and the user has these statements."""
    if statements:
        scene.user.may(*statements)


def named(scene, *more):
    """The key policy names the caller, and nobody else."""
    scene.key_policy(statement(scene.arn), *more)


def lacking_delegation(scene):
    """The key policy names somebody else."""
    scene.user.may(KMS)
    scene.key_policy(statement(f"arn:aws:iam::{OTHER_ACCOUNT}:root"))


def denied_by_key(scene):
    """The key policy denies what IAM allows."""
    scene.user.may(KMS)
    scene.key_policy(statement(ROOT), statement(scene.arn, effect="Deny"))


def bounded(scene, *boundary):
    """The user's boundary has these statements."""
    scene.user.may(KMS)
    scene.bound(*boundary)


def bounded_and_named(scene):
    """What the key policy gives a user itself, an implicit denial of the boundary does not take."""
    bounded(scene, allow("s3:*"))
    named(scene)


def in_group(scene):
    """A group of the user has the policy."""
    iam, name = scene.user.iam, unique("group")
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=scene.user.name)
    iam.put_group_policy(GroupName=name, PolicyName="only", PolicyDocument=document(KMS))


def attached(scene):
    """A managed policy is attached to the user."""
    scene.user.iam.attach_user_policy(UserName=scene.user.name, PolicyArn=scene.managed(KMS))


def across(scene, *statements, account=False, condition=None):
    """The key policy names the caller of the other account, or that account."""
    if statements:
        scene.user.may(*statements)
    principal = root_of(OTHER_ACCOUNT) if account else scene.arn
    more = {"Condition": condition} if condition else {}
    scene.key_policy(statement(ROOT), statement(principal, **more))


def granted(scene, *statements, grantee=None, key_policy=()):
    """The caller has a grant; more may deny it."""
    scene.grant(grantee)
    if statements:
        scene.user.may(*statements)
    if key_policy:
        scene.key_policy(statement(ROOT), *key_policy)


def session_with_grant(scene, **more):
    """The role or the session of the caller has a grant."""
    scene.role(**more).grant()


def role_named(scene, *statements, **more):
    """The key policy names the role of the caller, or its session."""
    named(scene.role(*statements, **more))


def federated(scene, *statements, **more):
    """The caller is a federated user."""
    scene.user.may(allow("*"))
    scene.federated(**({"Policy": document(*statements)} if statements else {}), **more)


def anybody(scene, condition=None, *statements):
    """The key policy is for everybody, under a condition."""
    if statements:
        scene.user.may(*statements)
    scene.key_policy(statement(ROOT), statement("*", **({"Condition": condition} if condition else {})))


def service_itself(scene, *statements, source=None, granted=False):
    """The caller is a service, for a resource perhaps, and the key policy has these statements beside the account's."""
    if statements:
        scene.key_policy(statement(ROOT), *statements)
    if granted:
        scene.place.kms.create_grant(
            KeyId=scene.key["KeyId"], GranteeServicePrincipal=SERVICE, RetiringPrincipal=ROOT,
            Operations=SYMMETRIC, Constraints={"SourceArn": OURS})
    scene.as_service({"X-Amz-Source-Arn": source, "X-Amz-Source-Account": source.split(":")[4]} if source else {})


def for_service(effect="Allow", **condition):
    """A statement of a key policy for the service."""
    told = {"Effect": effect, "Principal": {"Service": SERVICE}, "Action": "kms:*", "Resource": "*"}
    return {**told, "Condition": condition} if condition else told


def without_access_key(scene, delete):
    """The caller's access key is deleted or inactive, though all else allows."""
    scene.user.may(KMS)
    which = {"UserName": scene.user.name, "AccessKeyId": scene.user.credentials[0]}
    if delete:
        scene.user.iam.delete_access_key(**which)
    else:
        scene.user.iam.update_access_key(**which, Status="Inactive")


I, R, B, S = (silent(kind) for kind in (IDENTITY, RESOURCE, BOUNDARY, SESSION))
DENY = {"effect": "Deny"}
OURS, THEIRS = (f"arn:aws:s3:{REGION}:{account}:bucket" for account in (ACCOUNT, OTHER_ACCOUNT))
OF_OURS = {"ArnEquals": {"aws:SourceArn": OURS}}
VIA = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
SITUATIONS = {
    "IAM alone says nothing": Situation(user_and_delegation, I, I),
    "IAM and delegation": Situation(lambda s: user_and_delegation(s, KMS), ALLOWED, ALLOWED),
    "a policy of a group": Situation(in_group, ALLOWED, ALLOWED),
    "a managed policy": Situation(attached, ALLOWED, ALLOWED),
    "named by the key": Situation(named, ALLOWED, I, retired=R),
    "delegation missing": Situation(lacking_delegation, R, ALLOWED, retired=ALLOWED),
    "denied by the key": Situation(denied_by_key, explicit(RESOURCE), ALLOWED),
    "denied by IAM": Situation(
        lambda s: user_and_delegation(s, KMS, allow("kms:*", **DENY)), explicit(IDENTITY), explicit(IDENTITY)),
    "named by the key, denied by IAM": Situation(
        lambda s: (user_and_delegation(s, allow("kms:*", **DENY)), named(s)), explicit(IDENTITY), explicit(IDENTITY)),
    "a boundary that lacks it": Situation(lambda s: bounded(s, allow("s3:*")), B, B),
    "a boundary that has it": Situation(lambda s: bounded(s, KMS), ALLOWED, ALLOWED),
    "a boundary that denies": Situation(
        lambda s: bounded(s, EVERYTHING, allow("kms:*", **DENY)), explicit(BOUNDARY), explicit(BOUNDARY)),
    "named by the key, a boundary that lacks it": Situation(bounded_and_named, ALLOWED, B, retired=R),
    "a session of a role": Situation(lambda s: s.role(KMS), ALLOWED, ALLOWED),
    "a session of a role without policies": Situation(lambda s: s.role(), I, I),
    "a role with a boundary that lacks it": Situation(lambda s: s.role(KMS, boundary=allow("s3:*")), B, B),
    "a session policy that lacks it": Situation(lambda s: s.role(KMS, session=allow("s3:*")), S, S),
    "a session policy alone": Situation(lambda s: s.role(session=KMS), I, I),
    "a session policy that denies": Situation(
        lambda s: s.role(KMS, session=allow("kms:*", **DENY)), explicit(SESSION), explicit(SESSION)),
    "the key names the role": Situation(role_named, ALLOWED, I, retired=R),
    "the key names the role, its session policy lacks it": Situation(
        lambda s: role_named(s, session=allow("s3:*")), S, I, retired=S),
    "the key names the session, its policy lacks it": Situation(
        lambda s: role_named(s, naming="session", session=allow("s3:*")), ALLOWED, I, retired=R),
    "federated without a policy": Situation(federated, S, S),
    "federated with a policy": Situation(lambda s: federated(s, KMS), ALLOWED, ALLOWED),
    "both accounts": Situation(lambda s: across(s, KMS), ALLOWED, ALLOWED, retired=R, other=True),
    "both accounts, the key names the account": Situation(
        lambda s: across(s, KMS, account=True), ALLOWED, ALLOWED, retired=R, other=True),
    "another account, the key alone": Situation(across, I, I, other=True),
    "another account, IAM alone": Situation(lambda s: s.user.may(KMS), R, ALLOWED, other=True),
    "another account, for callers of ours": Situation(
        lambda s: across(s, KMS, condition=OF_ACCOUNT), R, ALLOWED, other=True),
    "anybody, from another account": Situation(
        lambda s: anybody(s, None, KMS), ALLOWED, ALLOWED, retired=R, other=True),
    "anybody of our account": Situation(lambda s: anybody(s, OF_ACCOUNT), ALLOWED, I, retired=R),
    "anybody of our account, from another": Situation(
        lambda s: anybody(s, OF_ACCOUNT, KMS), R, ALLOWED, other=True),
    "a grant": Situation(granted, I, I, granted=ALLOWED),
    "a grant from another account": Situation(granted, R, I, granted=ALLOWED, other=True),
    "a grant to the account": Situation(lambda s: granted(s, grantee=ROOT), I, I),
    "a grant to the role": Situation(session_with_grant, I, I, granted=ALLOWED),
    "a grant to the role, a session policy that lacks it": Situation(
        lambda s: session_with_grant(s, session=allow("s3:*")), I, I),
    "a grant to the session, a session policy that lacks it": Situation(
        lambda s: session_with_grant(s, naming="session", session=allow("s3:*")), I, I, granted=ALLOWED),
    "a grant, denied by the key": Situation(
        lambda s: granted(s, key_policy=[statement(s.arn, effect="Deny")]), explicit(RESOURCE), I,
        retired=explicit(RESOURCE)),
    "a grant, denied by IAM": Situation(
        lambda s: granted(s, allow("kms:*", **DENY)), explicit(IDENTITY), explicit(IDENTITY)),
    "a service that nothing names": Situation(lambda s: service_itself(s), R, I, service=True),
    "a service named by the key": Situation(
        lambda s: service_itself(s, for_service()), ALLOWED, I, retired=R, service=True),
    "a service, for a resource of ours": Situation(
        lambda s: service_itself(s, for_service(**OF_OURS), source=OURS), ALLOWED, I, retired=R, service=True),
    "a service, for a resource of theirs": Situation(
        lambda s: service_itself(s, for_service(**OF_OURS), source=THEIRS), R, I, service=True),
    "a service, for no resource": Situation(
        lambda s: service_itself(s, for_service(**OF_OURS)), R, I, service=True),
    "a service that the key denies": Situation(
        lambda s: service_itself(s, for_service(), for_service("Deny")), explicit(RESOURCE), I, service=True),
    "a service with a grant, for its resource": Situation(
        lambda s: service_itself(s, granted=True, source=OURS), R, I, granted=ALLOWED, service=True),
    "a service with a grant, for another resource": Situation(
        lambda s: service_itself(s, granted=True, source=THEIRS), R, I, service=True),
    "a user through a service": Situation(lambda s: s.through_service(KMS), ALLOWED, ALLOWED, forwarded=True),
    "a user through a service, without policies": Situation(lambda s: s.through_service(), I, I, forwarded=True),
    "a user who may it through the service alone": Situation(
        lambda s: s.through_service(allow("kms:*", Condition=VIA)), ALLOWED, ALLOWED, forwarded=True),
    "the same user without the service": Situation(
        lambda s: user_and_delegation(s, allow("kms:*", Condition=VIA)), I, I),
    "a user through a service, denied through it": Situation(
        lambda s: s.through_service(KMS, allow("kms:*", **DENY, Condition=VIA)), explicit(IDENTITY),
        explicit(IDENTITY), forwarded=True),
    "a user without policies, through a service that the key names": Situation(
        lambda s: (s.key_policy(statement(ROOT), for_service()), s.through_service()), I, I, forwarded=True),
    "a user whom the key names, through a service": Situation(
        lambda s: (named(s), s.through_service()), ALLOWED, I, retired=R, forwarded=True),
    "a user with a grant, through a service": Situation(
        lambda s: (s.grant(), s.through_service()), I, I, granted=ALLOWED, forwarded=True),
    "an access key that is deleted": Situation(
        lambda s: without_access_key(s, True), UNKNOWN, UNKNOWN, unknown=True),
    "an access key that is inactive": Situation(
        lambda s: without_access_key(s, False), UNKNOWN, UNKNOWN, unknown=True),
    "only in this Region": Situation(
        lambda s: user_and_delegation(s, allow("kms:*", Condition=HERE)), ALLOWED, ALLOWED),
    "only in another Region": Situation(
        lambda s: user_and_delegation(s, allow("kms:*", Condition=ELSEWHERE)), I, I),
    "by the tag of the key": Situation(
        lambda s: user_and_delegation(s, allow("kms:*", Condition=tagged("blue"))), ALLOWED, I),
    "by another tag": Situation(
        lambda s: user_and_delegation(s, allow("kms:*", Condition=tagged("red"))), I, I),
    "by the tag of the key, in its policy": Situation(
        lambda s: s.key_policy(statement(s.arn, Condition=tagged("blue"))), ALLOWED, I, retired=R),
    "by another tag, in its policy": Situation(
        lambda s: s.key_policy(statement(s.arn, Condition=tagged("red"))), R, I),
}


def expected(operation, situation):
    """What an operation is answered: the first question that is refused decides."""
    if situation.unknown:
        return UNKNOWN
    if situation.service:
        # A service has no aliases, and its grant lets it make none that is less narrow.
        situation = replace(situation, other=True)
        if operation in ("DeleteAlias", "UpdateAlias"):
            return ALLOWED
        if operation == "CreateGrant":
            return situation.key
    if situation.forwarded and not {name.removeprefix("kms:") for name in actions_of(operation)} <= CARRIED:
        return UNCARRIED
    if situation.other and operation in WITHIN and KEY in WITHIN[operation]:
        # Whatever allows it, the caller learns nothing of the key. DeleteAlias names none but its own.
        return situation.own if operation == "DeleteAlias" else R
    grantable = set(name.removeprefix("kms:") for name in actions_of(operation)) <= set(SYMMETRIC)
    answers = {NOTHING: situation.own, ALIAS: situation.own, GRANT: situation.retired or situation.key,
               KEY: situation.granted if grantable and situation.granted else situation.key}
    return next((answers[asked] for asked in {**WITHIN, **ACROSS}[operation] if answers[asked] != ALLOWED), ALLOWED)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The accounts."""
    made = Place(tmp_path_factory.mktemp("who-may"))
    yield made
    made.stop()


class Questions:
    """One call of every operation, about a key and its alias."""

    def __init__(self, place, key, other):
        kms, arn, grantee = place.kms, key["Arn"], place.grantee.arn
        self.alias_name = f"alias/{unique()}"
        kms.create_alias(AliasName=self.alias_name, TargetKeyId=key["KeyId"])
        if other:
            own = place.other_kms.create_key()["KeyMetadata"]["KeyId"]
            place.other_kms.create_alias(AliasName=self.alias_name, TargetKeyId=own)
        grants = [grant(kms, key, "Encrypt", grantee=grantee, Name=unique())["GrantId"] for _ in range(2)]
        self.grants = dict(zip(("RetireGrant", "RevokeGrant"), grants))
        self.values = {
            "AliasName": self.alias_name, "Description": "", "EncapsulationAlgorithm": "ML_KEM",
            "CiphertextBlob": kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"],
            "EncryptedKeyMaterial": b"x", "ImportToken": b"x", "KeyAgreementAlgorithm": "ECDH",
            "KeyPairSpec": "ECC_NIST_P256", "Mac": b"x", "MacAlgorithm": "HMAC_SHA_256", "Message": b"x",
            "NumberOfBytes": 16, "Plaintext": b"x", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            "GranteePrincipal": grantee, "Operations": ["Encrypt"], "Policy": "{}",
            "RetiringPrincipal": root_of(OTHER_ACCOUNT) if other else ROOT,
            "PrimaryRegion": "eu-west-1", "PublicKey": b"x", "ReplicaRegion": "eu-west-1",
            "SharedSecretCiphertextBlob": b"x", "Signature": b"x", "SigningAlgorithm": "ECDSA_SHA_256",
            "TagKeys": ["a"], "Tags": [{"TagKey": "a", "TagValue": "b"}],
            "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
            "KeyId": arn, "TargetKeyId": arn, "DestinationKeyId": arn, "SourceKeyId": arn,
        }

    def arguments(self, operation):
        """The members that an operation needs; who decrypts names the key, so as to be told of it."""
        required = MODEL.operation_model(operation).input_shape.required_members
        named = {"Decrypt": ["KeyId"], "ReEncrypt": ["SourceKeyId"]}.get(operation, [])
        values = {**self.values, "GrantId": self.grants.get(operation)}
        return {member: values[member] for member in [*required, *NEEDED.get(operation, []), *named]}


def verdict(client, operation, arguments):
    """What a call is answered, with the end of its refusal, and its request id."""
    try:
        answer = getattr(client, xform_name(operation))(**arguments)
    except ClientError as error:
        answer = error.response
    told, request_id = answer.get("Error", {}), answer["ResponseMetadata"]["RequestId"]
    if told.get("Code") != "AccessDeniedException":
        return (UNKNOWN if told.get("Code") == UNKNOWN else ALLOWED), request_id
    if told["Message"].endswith(UNCARRIED):
        return UNCARRIED, request_id
    _, reason = told["Message"].split(" on resource: ")
    reason = reason.split(" ", 1)[1]
    for action in actions_of(operation):
        reason = reason.replace(f"the {action} action", "the {0} action")
    return reason, request_id


def test_every_operation_has_a_row():
    assert sorted([*WITHIN, *ACROSS]) == OPERATIONS


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_who_may(place, situation):
    key = place.kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    questions = Questions(place, key, situation.other)
    user = User(place.server, place.other_iam if situation.other else place.iam)
    scene = Scene(place, key, user, user.client(), user.arn)
    situation.set(scene)
    # Last the one that takes away what the others are asked about.
    in_order = sorted(OPERATIONS, key="DeleteAlias".__eq__)
    told = {name: verdict(scene.client, name, questions.arguments(name)) for name in in_order}
    assert {name: found for name, (found, _) in told.items()} == {
        name: expected(name, situation) for name in in_order}
    refused = sorted(request_id for found, request_id in told.values() if found not in (ALLOWED, UNKNOWN))
    recorded = [record for record in journal.records(place.server.directory / "journal")
                if record.get("requestID") in refused]
    assert sorted(record["requestID"] for record in recorded) == refused
    assert {record["errorCode"] for record in recorded} <= {"AccessDenied", "AccessDeniedException"}

"""Sixty-four connections at once: who may not never may, and what was taken away is gone for every later request.

`KEYSTEAD_REFUSALS=100000 python -m pytest test_refusals_under_load.py` asks so many times altogether; without the
variable it is a tenth.
"""

import os

import pytest

from conftest import client_of, policy, statement
from granting import ROOT, grant
from identities import User, allow, document, unique

from load import CONNECTIONS, around, repeat, signed
from test_iam_roles import Role

KMS = allow("kms:*")
ENCRYPT = allow("kms:Encrypt")
DENIED, UNKNOWN = "AccessDeniedException", "UnrecognizedClientException"
DISABLED, NOT_IN_STATE = "DisabledException", "KMSInvalidStateException"


class Scene:
    """A key, and a user who may use it as long as the test wants."""

    def __init__(self, server, kms, iam):
        self.server, self.kms, self.iam = server, kms, iam
        self.key = kms.create_key()["KeyMetadata"]
        self.user = User(server, iam)
        self.caller = self.user.credentials, None

    def key_policy(self, *statements):
        """Puts the key's policy."""
        self.kms.put_key_policy(KeyId=self.key["KeyId"], BypassPolicyLockoutSafetyCheck=True,
                                Policy=policy(*statements))

    def grant(self, **more):
        """The user has a grant; answers what ends it."""
        made = grant(self.kms, self.key, "Encrypt", grantee=self.user.arn, **more)
        return {"KeyId": self.key["KeyId"], "GrantId": made["GrantId"]}

    def managed(self):
        """A managed policy that allows, attached to the user."""
        arn = self.iam.create_policy(PolicyName=unique(), PolicyDocument=document(ENCRYPT))["Policy"]["Arn"]
        self.iam.attach_user_policy(UserName=self.user.name, PolicyArn=arn)
        return arn

    def role(self):
        """The caller is a session of a role that may."""
        role = Role(self.iam, self.user).may(ENCRYPT)
        return role, self.session(role.assume()["Credentials"])

    def session(self, credentials):
        """The caller is who has these credentials."""
        pair = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        self.caller = pair, credentials["SessionToken"]

    def request(self, key=None, **more):
        """What the caller asks."""
        credentials, token = self.caller
        asked = {"KeyId": key or self.key["Arn"], "Plaintext": "eA==", **more}
        return signed(self.server, credentials, "Encrypt", asked, token)


@pytest.fixture
def scene(server, kms, iam):
    """A key and a user without policies."""
    return Scene(server, kms, iam)


# Who may not, though another uses the key at the same time.


def no_policy(_):
    """Nothing allows."""


def denied_by_iam(scene):
    """A statement denies what another allows."""
    scene.user.may(KMS, allow("kms:Encrypt", effect="Deny"))


def denied_by_key(scene):
    """The key's policy denies what IAM allows."""
    scene.user.may(KMS)
    scene.key_policy(statement(ROOT), statement(scene.user.arn, effect="Deny"))


def bounded(scene):
    """The boundary lacks what IAM allows."""
    scene.user.may(KMS)
    arn = scene.iam.create_policy(PolicyName=unique(), PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    scene.iam.put_user_permissions_boundary(UserName=scene.user.name, PermissionsBoundary=arn)


def limited_session(scene):
    """The session policy lacks what the role may."""
    scene.session(Role(scene.iam, scene.user).may(KMS).assume(Policy=document(allow("s3:*")))["Credentials"])


def revoked_grant(scene):
    """There was a grant."""
    scene.kms.revoke_grant(**scene.grant())


def constrained_grant(scene):
    """The grant is for another encryption context."""
    scene.grant(Constraints={"EncryptionContextEquals": {"purpose": "other"}})


def inactive_access_key(scene):
    """The access key is inactive."""
    scene.user.may(KMS)
    scene.iam.update_access_key(UserName=scene.user.name, AccessKeyId=scene.user.credentials[0], Status="Inactive")


def wrong_secret(scene):
    """The secret is another user's."""
    scene.user.may(KMS)
    scene.caller = (scene.user.credentials[0], User(scene.server, scene.iam).credentials[1]), None


NEGATIVES = {no_policy: DENIED, denied_by_iam: DENIED, denied_by_key: DENIED, bounded: DENIED,
             limited_session: DENIED, revoked_grant: DENIED, constrained_grant: DENIED,
             inactive_access_key: UNKNOWN, wrong_secret: "InvalidSignatureException"}
# Besides these, a caller of another account and a disabled key.
KINDS = len(NEGATIVES) + 2
# Of four connections one may.
NEGATIVES_IN_TURN = 3
TIMES = int(os.environ.get("KEYSTEAD_REFUSALS", "10000")) * 4 // (3 * KINDS * CONNECTIONS) + 1


def never(scene, refused, error):
    """Three of four connections are refused, each time and in this way; the fourth may, each time."""
    user = User(scene.server, scene.iam)
    user.may(ENCRYPT)
    may = signed(scene.server, user.credentials, "Encrypt", {"KeyId": scene.key["Arn"], "Plaintext": "eA=="})
    *told, allowed = repeat(scene.server, [refused] * NEGATIVES_IN_TURN + [may], TIMES)
    assert {(one.status, one.error) for answers in told for one in answers} == {(400, error)}
    assert sum(map(len, told)) * KINDS >= int(os.environ.get("KEYSTEAD_REFUSALS", "10000"))
    return {(one.status, one.error) for one in allowed}


@pytest.mark.parametrize(("prepare", "error"), NEGATIVES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_who_may_not_never_may(scene, prepare, error):
    prepare(scene)
    assert never(scene, scene.request(), error) == {(200, None)}


def test_a_caller_of_another_account_never_may(scene, server, other_credentials):
    user = User(server, client_of(server, other_credentials, "iam")).may(KMS)
    scene.caller = user.credentials, None
    assert never(scene, scene.request(), DENIED) == {(200, None)}


def test_a_disabled_key_never_serves(scene):
    scene.user.may(KMS)
    off = scene.kms.create_key()["KeyMetadata"]
    scene.kms.disable_key(KeyId=off["KeyId"])
    assert never(scene, scene.request(off["Arn"]), DISABLED) == {(200, None)}


# What is taken away while it is used.


def key_policy(scene):
    """The key's policy names the user no more."""
    scene.key_policy(statement(ROOT), statement(scene.user.arn))
    return lambda: scene.key_policy(statement(ROOT)), DENIED


def key_policy_denies(scene):
    """The key's policy denies."""
    scene.user.may(ENCRYPT)
    return lambda: scene.key_policy(statement(ROOT), statement(scene.user.arn, effect="Deny")), DENIED


def revocation(scene):
    """The grant is revoked."""
    which = scene.grant()
    return lambda: scene.kms.revoke_grant(**which), DENIED


def retirement(scene):
    """The grant is retired."""
    which = scene.grant()
    return lambda: scene.kms.retire_grant(KeyId=scene.key["Arn"], GrantId=which["GrantId"]), DENIED


def user_policy(scene):
    """The user's policy is deleted."""
    scene.user.may(ENCRYPT)
    return lambda: scene.iam.delete_user_policy(UserName=scene.user.name, PolicyName="only"), DENIED


def detachment(scene):
    """The managed policy is detached."""
    arn = scene.managed()
    return lambda: scene.iam.detach_user_policy(UserName=scene.user.name, PolicyArn=arn), DENIED


def policy_version(scene):
    """The managed policy has another version."""
    arn = scene.managed()
    return lambda: scene.iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True), DENIED


def group(scene):
    """The user leaves the group that may."""
    name, who = unique("group"), scene.user.name
    scene.iam.create_group(GroupName=name)
    scene.iam.put_group_policy(GroupName=name, PolicyName="only", PolicyDocument=document(ENCRYPT))
    scene.iam.add_user_to_group(GroupName=name, UserName=who)
    return lambda: scene.iam.remove_user_from_group(GroupName=name, UserName=who), DENIED


def boundary(scene):
    """The user gets a boundary."""
    scene.user.may(ENCRYPT)
    return lambda: bounded(scene), DENIED


def tag(scene):
    """The key loses the tag by which the user may."""
    scene.kms.tag_resource(KeyId=scene.key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "blue"}])
    scene.user.may({**ENCRYPT, "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}}})
    return lambda: scene.kms.untag_resource(KeyId=scene.key["KeyId"], TagKeys=["team"]), DENIED


def inactivation(scene):
    """The access key becomes inactive."""
    scene.user.may(ENCRYPT)
    return lambda: inactive_access_key(scene), UNKNOWN


def deletion_of_the_access_key(scene):
    """The access key is deleted."""
    scene.user.may(ENCRYPT)
    return lambda: scene.iam.delete_access_key(UserName=scene.user.name,
                                               AccessKeyId=scene.user.credentials[0]), UNKNOWN


def policy_of_the_role(scene):
    """The policy of the role of a session is deleted."""
    role, _ = scene.role()
    return lambda: scene.iam.delete_role_policy(RoleName=role.name, PolicyName="only"), DENIED


def deletion_of_the_role(scene):
    """The role of a session is deleted; the key's policy names the session."""
    role = Role(scene.iam, scene.user)
    scene.key_policy(statement(ROOT), statement(role.arn))
    scene.session(role.assume()["Credentials"])
    return lambda: scene.iam.delete_role(RoleName=role.name), UNKNOWN


def state(scene):
    """The key is disabled."""
    scene.user.may(ENCRYPT)
    return lambda: scene.kms.disable_key(KeyId=scene.key["KeyId"]), DISABLED


def deletion_of_the_key(scene):
    """The key waits for its deletion."""
    scene.user.may(ENCRYPT)
    return lambda: scene.kms.schedule_key_deletion(KeyId=scene.key["KeyId"], PendingWindowInDays=7), NOT_IN_STATE


@pytest.mark.parametrize("prepare", [
    key_policy, key_policy_denies, revocation, retirement, user_policy, detachment, policy_version, group, boundary,
    tag, inactivation, deletion_of_the_access_key, policy_of_the_role, deletion_of_the_role, state,
    deletion_of_the_key])
def test_what_is_taken_away_is_gone_for_every_later_request(scene, prepare):
    change, error = prepare(scene)
    told, acknowledged = around(scene.server, scene.request(), change)
    # One that is on its way while a role is deleted may know its caller and not yet the key's policy, or the reverse.
    assert {one.status for one in told} == {200, 400} and {one.error for one in told} <= {None, DENIED, error}
    later = [one for one in told if one.sent > acknowledged]
    assert len(later) >= CONNECTIONS and {one.error for one in later} == {error}

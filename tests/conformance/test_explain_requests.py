"""`keystead explain --request`: every question of an operation, in its order, each with its own walk."""

import uuid

import pytest
from botocore.exceptions import ClientError

from conftest import root_of
from explaining import Explainer, asked, written
from granting import grant
from identities import User, allow, unique
from keystead import ACCOUNT, REGION
from related import REPLICA, Related

ROOT = root_of(ACCOUNT)
YES, NO, DENIED = "allowed", "implicitDeny", "explicitDeny"
PURPOSE = {"StringEquals": {"kms:EncryptionContext:purpose": "test"}}
SAME_KEY = {"Bool": {"kms:ReEncryptOnSameKey": "true"}}


@pytest.fixture(scope="module")
def explain(server):
    """Runs `keystead explain` in the Region of the tests."""
    return Explainer(server, "--region", REGION)


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def keys(kms):
    """The ARNs of two keys."""
    return [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]


@pytest.fixture
def alias(kms, keys, alias_name):
    """An alias of the first key."""
    kms.create_alias(AliasName=alias_name, TargetKeyId=keys[0])
    return alias_name


def alias_arn(name):
    """The ARN of an alias."""
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"


def test_both_keys_of_a_reencryption(explain, kms, user, keys):
    blob = kms.encrypt(KeyId=keys[0], Plaintext=b"x")["CiphertextBlob"]
    user.may(allow("kms:ReEncryptFrom", keys[0]), allow("kms:ReEncrypt*", keys[1], "Deny"))
    request = {"CiphertextBlob": blob, "DestinationKeyId": keys[1]}
    told = explain(user.arn, "kms:ReEncrypt", request=request)
    assert asked(told) == [("kms:ReEncryptFrom", keys[0], YES), ("kms:ReEncryptTo", keys[1], DENIED)]
    assert (told["decision"], told["refused_before"]) == (DENIED, None)
    policies = [[one["policy"] for one in question["deciding"]] for question in told["questions"]]
    assert policies == [[f"key policy of {keys[0]}", f"inline policy only of {user.arn}"],
                        [f"inline policy only of {user.arn}"]]
    text = explain.text(user.arn, "kms:ReEncrypt", "--request",
                        f'{{"SourceKeyId": "{keys[0]}", "DestinationKeyId": "{keys[1]}"}}')
    assert text.startswith(f"{user.arn} may not kms:ReEncrypt, which asks 2 questions\n\n"
                           f"{user.arn} may kms:ReEncryptFrom on {keys[0]}\n  by statement 0")
    assert f"\n\n{user.arn} may not kms:ReEncryptTo on {keys[1]}\n  with an explicit deny" in text
    assert "would be refused before policies are asked: ValidationException: " in text


def test_what_the_request_says_reaches_its_own_question(explain, kms, user, keys):
    user.may(allow("kms:ReEncryptFrom", Condition=PURPOSE), allow("kms:ReEncryptTo", Condition=SAME_KEY))
    blob = kms.encrypt(KeyId=keys[0], Plaintext=b"x", EncryptionContext={"purpose": "test"})["CiphertextBlob"]
    for destination, source, expected in [(keys[0], "test", [YES, YES]), (keys[1], "test", [YES, NO]),
                                          (keys[0], "other", [NO, YES])]:
        request = {"CiphertextBlob": blob, "DestinationKeyId": destination,
                   "SourceEncryptionContext": {"purpose": source}}
        told = explain(user.arn, "kms:ReEncrypt", request=request)
        assert [decision for _, _, decision in asked(told)] == expected
        assert (told["decision"] == YES) == passes(user, "re_encrypt", request)


def passes(user, method, request):
    """Whether policies let a call through."""
    try:
        getattr(user.client(), method)(**request)
    except ClientError as error:
        return error.response["Error"]["Code"] != "AccessDeniedException"
    return True


@pytest.mark.parametrize("account, reason", [(ACCOUNT, "NotFoundException"), ("444455556666", "AccessDeniedException")])
def test_a_destination_that_is_not_there(explain, kms, user, keys, account, reason):
    user.may(allow("kms:ReEncrypt*"))
    missing = f"arn:aws:kms:{REGION}:{account}:key/{uuid.uuid4()}"
    request = {"CiphertextBlob": kms.encrypt(KeyId=keys[0], Plaintext=b"x")["CiphertextBlob"],
               "DestinationKeyId": missing}
    told = explain(user.arn, "kms:ReEncrypt", request=request)
    assert asked(told) == [("kms:ReEncryptFrom", keys[0], YES)]
    assert told["decision"] == NO and told["missing"].startswith(reason) and missing in told["missing"]
    text = explain.text(user.arn, "kms:ReEncrypt", "--request", written(request))
    assert text.startswith(f"{user.arn} may not kms:ReEncrypt, which asks 1 question\n")
    assert f"\nwhoever may do that is told of the rest: {reason}" in text
    with pytest.raises(ClientError, match=reason):
        user.client().re_encrypt(**request)


def test_grants_answer_both_halves_or_none(explain, kms, user, keys):
    blob = kms.encrypt(KeyId=keys[0], Plaintext=b"x")["CiphertextBlob"]
    request = {"CiphertextBlob": blob, "DestinationKeyId": keys[1]}
    one = grant(kms, {"Arn": keys[0]}, "ReEncryptFrom", grantee=user.arn)
    told = explain(user.arn, "kms:ReEncrypt", request=request)
    assert (told["decision"], passes(user, "re_encrypt", request)) == (NO, False)
    other = grant(kms, {"Arn": keys[1]}, "ReEncryptTo", grantee=user.arn)
    told = explain(user.arn, "kms:ReEncrypt", request=request)
    assert (told["decision"], passes(user, "re_encrypt", request)) == (YES, True)
    assert [question["grant_id"] for question in told["questions"]] == [one["GrantId"], other["GrantId"]]


def test_an_alias_and_both_of_its_keys(explain, user, keys, alias):
    user.may(allow("kms:UpdateAlias", [alias_arn(alias), keys[0]]))
    told = explain(user.arn, "kms:UpdateAlias", request={"AliasName": alias, "TargetKeyId": keys[1]})
    assert asked(told) == [("kms:UpdateAlias", alias_arn(alias), YES), ("kms:UpdateAlias", keys[0], YES),
                           ("kms:UpdateAlias", keys[1], NO)]
    told = explain(user.arn, "kms:CreateAlias", request={"AliasName": "alias/new", "TargetKeyId": keys[1]})
    assert asked(told) == [("kms:CreateAlias", alias_arn("alias/new"), NO), ("kms:CreateAlias", keys[1], NO)]
    told = explain(user.arn, "kms:DeleteAlias", request={"AliasName": alias})
    assert [resource for _, resource, _ in asked(told)] == [alias_arn(alias), keys[0]]


def test_a_key_with_tags_asks_twice(explain, user):
    user.may(allow("kms:CreateKey", Condition={"StringEquals": {"kms:KeySpec": "RSA_2048"}}),
             allow("kms:TagResource", Condition={"StringEquals": {"aws:RequestTag/team": "blue"}}))
    request = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
    assert asked(explain(user.arn, "kms:CreateKey", request=request)) == [("kms:CreateKey", "*", YES)]
    for team, decision in [("blue", YES), ("red", NO)]:
        request["Tags"] = [{"TagKey": "team", "TagValue": team}]
        told = explain(user.arn, "kms:CreateKey", request=request)
        assert asked(told) == [("kms:CreateKey", "*", YES), ("kms:TagResource", "*", decision)]


def test_a_replica_asks_for_a_key_too(explain, user, client):
    primary = Related(client).arn(REGION)
    user.may(allow("kms:ReplicateKey", Condition={"StringEquals": {"kms:ReplicaRegion": REPLICA}}))
    told = explain(user.arn, "kms:ReplicateKey", request={"KeyId": primary, "ReplicaRegion": REPLICA})
    assert asked(told) == [("kms:ReplicateKey", primary, YES), ("kms:CreateKey", "*", NO)]


def test_the_region_is_that_of_the_key_in_the_request(server, key):
    told = Explainer(server)(ROOT, "kms:DescribeKey", request={"KeyId": key["Arn"]})
    assert told["decision"] == YES
    assert "which Region?" in Explainer(server).complaint(ROOT, "kms:CreateKey", "--request", "{}")


def test_a_request_may_stand_in_a_file(explain, key, tmp_path):
    (tmp_path / "request.json").write_text(f'{{"KeyId": "{key["Arn"]}"}}')
    told = explain(ROOT, "kms:DescribeKey", "--request", f"file://{tmp_path}/request.json")
    assert asked(told) == [("kms:DescribeKey", key["Arn"], YES)]
    assert "no/such/file" in explain.complaint(ROOT, "kms:DescribeKey", "--request", "file:///no/such/file")


def test_a_grant_says_who_may_retire_it(explain, server, iam, kms, key, user):
    retiring, other = User(server, iam), User(server, iam)
    made = grant(kms, key, "Decrypt", "RetireGrant", grantee=user.arn, RetiringPrincipal=retiring.arn)
    by_id = {"KeyId": key["Arn"], "GrantId": made["GrantId"], "DryRun": True}
    for request in [by_id, {"GrantToken": made["GrantToken"], "DryRun": True}]:
        for caller, reason in [(user, "because the grant permits its grantee to retire it"),
                               (retiring, "because it is the grant's retiring principal"),
                               (other, "because the grant is not the caller's to retire")]:
            told = explain(caller.arn, "kms:RetireGrant", request=request)
            (question,) = told["questions"]
            assert question["reason"] == reason
            assert (told["decision"] == YES) == (caller is not other) == passes(caller, "retire_grant", request)
        assert [one["principal"] for one in question["retirable_by"]] == [user.arn, ROOT, retiring.arn]
    other.may(allow("kms:RetireGrant"))
    (question,) = explain(other.arn, "kms:RetireGrant", request=by_id)["questions"]
    assert question["reason"] == "because the grant was made by this account"
    assert passes(other, "retire_grant", by_id)
    retiring.may(allow("kms:RetireGrant", effect="Deny"))
    assert explain(retiring.arn, "kms:RetireGrant", request=by_id)["decision"] == DENIED
    assert not passes(retiring, "retire_grant", by_id)


@pytest.mark.parametrize("action, arn", [
    ("iam:CreateUser", "user/a/ada"), ("iam:DeleteUser", "user/ada"), ("iam:ListUsers", "user/a/"),
    ("iam:AttachGroupPolicy", "group/staff"), ("iam:PutRolePolicy", "role/r"), ("iam:CreatePolicy", "policy/p/q"),
    ("iam:GetPolicyVersion", "policy/p/q"), ("iam:CreateOpenIDConnectProvider", "oidc-provider/example.com/a"),
    ("iam:SimulatePrincipalPolicy", "user/ada")])
def test_an_arn_stands_for_a_request_to_iam(explain, user, action, arn):
    arn = f"arn:aws:iam::{ACCOUNT}:{arn}"
    user.may(allow(action, arn))
    assert asked(explain(user.arn, action, "--resource", arn)) == [(action, arn, YES)]
    user.may(allow(action, arn, "Deny"))
    assert asked(explain(user.arn, action.lower(), "--resource", arn)) == [(action, arn, DENIED)]


def test_a_role_asks_its_trust_policy(explain, iam, user):
    trust = ('{"Statement": {"Sid": "Trusted", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal":'
             f'{{"AWS": "{user.arn}"}}, "Condition": {{"StringEquals": {{"sts:ExternalId": "x"}}}}}}}}')
    role = iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    told = explain(user.arn, "sts:AssumeRole", request={"RoleArn": role, "ExternalId": "x"})
    assert told["decision"] == YES and told["refused_before"].startswith("ValidationException")
    assert told["questions"][0]["deciding"] == [{"policy": f"trust policy of {role}", "statement": 0, "sid": "Trusted"}]
    told = explain(user.arn, "sts:AssumeRole", "--resource", role)
    assert (asked(told), told["refused_before"]) == ([("sts:AssumeRole", role, NO)], None)
    assert "Roles may not be assumed by root accounts" in explain.complaint(ROOT, "sts:AssumeRole", "--resource", role)


@pytest.mark.parametrize("action, more, complaint", [
    ("kms:ReEncrypt", [], "what is ReEncrypt about? Say it as its request, whose members are: CiphertextBlob, "),
    ("kms:RetireGrant", ["--key", "alias/x"], "whose members are: GrantToken, KeyId, GrantId, DryRun"),
    ("Decrypt", [], 'no action or operation "Decrypt" here; is kms:Decrypt meant?'),
    ("kms:AssumeRole", [], "is sts:AssumeRole meant?"),
    ("s3:PutBucketLifecycle", [], "here; expected for example kms:Decrypt"),
    ("kms:Encrypt", ["--request", '{"KeyID": "x"}'], 'Encrypt has no member "KeyID"; it has: KeyId, Plaintext, '),
    ("kms:Encrypt", ["--request", "[]"], "the request cannot be read: "),
    ("kms:Encrypt", ["--request", '{"KeyId": 1}'], "SerializationException"),
    ("kms:Encrypt", ["--request", '{"KeyId": "alias/none"}'], "refused before policies are asked: NotFoundException"),
    ("iam:CreateUser", ["--resource", "arn:aws:iam::444455556666:user/ada"], "CreateUser by this caller is not about"),
    ("iam:CreateUser", ["--resource", f"arn:aws:iam::{ACCOUNT}:role/ada"], "CreateUser by this caller is not about"),
    ("sts:AssumeRoleWithWebIdentity", ["--request", "{}"], "is for tokens of OIDC providers"),
])
def test_what_cannot_be_read_is_told_in_plain_words(explain, action, more, complaint):
    assert complaint in explain.complaint(ROOT, action, *more)

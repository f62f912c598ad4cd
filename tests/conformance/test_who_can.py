"""`keystead who-can`: everybody who can use a key, and by which statement or grant."""

import json

import pytest

import keystead
from conftest import root_of
from granting import OTHER, grant
from identities import User, allow, document, unique
from keystead import ACCOUNT

ENABLE = {"Sid": "Enable", "Effect": "Allow", "Principal": {"AWS": root_of(ACCOUNT)},
          "Action": "kms:*", "Resource": "*"}
WITH_PURPOSE = {"StringEquals": {"kms:EncryptionContext:purpose": "test"}}


@pytest.fixture(scope="module")
def who_can(server):
    """Runs `keystead who-can`: its data, or its text."""
    def run(key, *more, form="json"):
        done = keystead.run("who-can", "--data-dir", server.directory, "--key", key, "--format", form,
                            *more)
        assert done.returncode == 0, done
        return json.loads(done.stdout) if form == "json" else done.stdout
    return run


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def key_with(kms):
    """`key_with(statements)`: the ARN of a key with these in its policy."""
    def make(*statements):
        return kms.create_key(Policy=document(ENABLE, *statements))["KeyMetadata"]["Arn"]
    return make


def entry(told, arn):
    """What is told of one principal; None if it cannot."""
    found = [one for one in told["users"] if one["principal"] == arn]
    assert len(found) <= 1, told
    return found[0] if found else None


def test_the_root_user_and_whom_both_sides_let(who_can, key_with, user):
    key = key_with()
    told = who_can(key)
    assert (told["action"], told["key"]) == ("kms:Decrypt", key)
    by_key = {"policy": f"key policy of {key}", "statement": 0, "sid": "Enable"}
    assert entry(told, root_of(ACCOUNT)) == {"principal": root_of(ACCOUNT), "conditional": False,
                                             "by": [by_key], "conditions": [], "unless": []}
    assert entry(told, user.arn) is None
    user.may(allow("kms:Decrypt"))
    by_user = {"policy": f"inline policy only of {user.arn}", "statement": 0, "sid": None}
    assert entry(who_can(key), user.arn)["by"] == [by_key, by_user]
    assert entry(who_can(key, "--action", "kms:Encrypt"), user.arn) is None


def test_what_depends_on_the_request_says_on_what(who_can, key_with, user):
    key = key_with()
    user.may(allow("kms:Decrypt", Condition=WITH_PURPOSE),
             {"Sid": "Never", **allow("kms:*", effect="Deny", Condition={
                 "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})})
    told = entry(who_can(key), user.arn)
    assert told["conditional"]
    assert told["conditions"] == ['StringEquals kms:encryptioncontext:purpose ["test"]']
    assert [one["sid"] for one in told["unless"]] == ["Never"]
    assert not entry(who_can(key, "--context", "aws:SourceIp=203.0.113.7"), user.arn)["unless"]
    assert entry(who_can(key, "--context", "aws:SourceIp=198.51.100.7"), user.arn) is None


@pytest.mark.parametrize("statement", [
    allow("kms:Decrypt", Condition={"StringEquals": {"kms:CallerAccount": "999988887777"}}),
    allow("kms:Decrypt", Condition={"StringEquals": {"kms:KeySpec": "RSA_2048"}}),
    allow("kms:Decrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}}),
    allow("kms:Decrypt", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
], ids=["account", "spec", "resource-tag", "principal-tag"])
def test_a_condition_that_no_request_meets_is_none(who_can, key_with, user, statement):
    user.may(statement)
    assert entry(who_can(key_with()), user.arn) is None


def test_a_role_is_told_by_its_own_name(who_can, iam, key_with):
    role = unique("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}))["Role"]["Arn"]
    key = key_with({"Sid": "Role", "Effect": "Allow", "Principal": {"AWS": arn},
                    "Action": "kms:Decrypt", "Resource": "*",
                    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}})
    told = entry(who_can(key), arn)
    assert [one["sid"] for one in told["by"]] == ["Role"]
    assert told["conditional"]


@pytest.mark.usefixtures("other_credentials")
def test_others_whom_the_key_policy_or_a_grant_names(who_can, kms, key_with):
    key = key_with({"Sid": "Share", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
                    "Principal": {"AWS": OTHER, "Service": "s3.amazonaws.com"}})
    made = grant(kms, {"Arn": key}, "Decrypt", Constraints={"EncryptionContextSubset": {"a": "b"}})
    told = who_can(key)
    assert [one["sid"] for one in entry(told, OTHER)["by"]] == ["Share"]
    assert told["unknown"] == ["s3.amazonaws.com"]
    assert told["grants"] == [{"grant_id": made["GrantId"], "grantee": OTHER, "constraints": {
        "EncryptionContextSubset": {"a": "b"}}}]
    assert who_can(key, "--action", "kms:Encrypt")["grants"] == []
    # The operation stays within the account, whatever the policy says.
    assert entry(who_can(key, "--action", "kms:GetKeyPolicy"), OTHER) is None


def test_the_text_has_the_same(who_can, kms, key_with, user):
    key = key_with({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
                    "Principal": {"AWS": user.arn}, "Condition": WITH_PURPOSE})
    made = grant(kms, {"Arn": key}, "Decrypt", grantee=user.arn)
    text = who_can(key, form="text")
    assert text.startswith(f"who can kms:Decrypt on {key}\n")
    assert (f"{user.arn}, depending on the request\n  by statement 1 of key policy of {key}\n"
            '  if StringEquals kms:encryptioncontext:purpose ["test"]\n') in text
    assert f"{user.arn}\n  by grant {made['GrantId']}\n" in text


def test_a_key_that_is_not_here(server):
    done = keystead.run("who-can", "--data-dir", server.directory, "--key", "alias/none",
                        "--region", keystead.REGION)
    assert done.returncode == 1 and 'no key "alias/none" here' in done.stderr

"""`keystead explain`: what it says is what the call is answered, and it names the statement that said so."""

import json
import random

import pytest
from botocore.exceptions import ClientError

import keystead
from conftest import client_of, root_of
from granting import grant
from identities import User, allow, document, session_client, unique
from keystead import ACCOUNT, REGION

CONTEXT = {"purpose": "test"}


@pytest.fixture(scope="module")
def explain(server):
    """Runs `keystead explain`: its data, or its text, or its complaint."""
    def run(principal, action, key=None, *more, form="json", fails=False):
        key_id = ["--key", key] if key else []
        done = keystead.run("explain", "--data-dir", server.directory, "--principal", principal,
                            "--action", action, *key_id, "--format", form, *more)
        assert (done.returncode != 0) == fails, done
        if fails:
            return done.stderr
        return only_question(json.loads(done.stdout)) if form == "json" else done.stdout
    return run


def only_question(told):
    """An explanation of one question as one structure."""
    (question,) = told.pop("questions")
    assert {name: told[name] for name in ("action", "decision")}.items() <= question.items(), told
    return {**told, **question}


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


def names(explained):
    """The deciding statements: policy, place, Sid."""
    return [(one["policy"], one["statement"], one["sid"]) for one in explained["deciding"]]


def test_both_sides_of_an_allowance_are_named(explain, user, key):
    user.may({"Sid": "Read", **allow("kms:Decrypt")})
    told = explain(user.arn, "KMS:decrypt", key["Arn"])
    assert (told["decision"], told["action"], told["key_state"]) == ("allowed", "kms:Decrypt", "Enabled")
    assert names(told) == [(f"key policy of {key['Arn']}", 0, "Enable IAM User Permissions"),
                           (f"inline policy only of {user.arn}", 0, "Read")]


def test_a_refusal_for_want_of_an_allowance(explain, user, key):
    told = explain(user.arn, "kms:Decrypt", key["Arn"])
    assert (told["decision"], told["deciding"]) == ("implicitDeny", [])
    assert told["reason"] == "because no identity-based policy allows the kms:Decrypt action"
    text = explain(user.arn, "kms:Decrypt", key["Arn"], form="text")
    assert text.startswith(f"{user.arn} may not kms:Decrypt on {key['Arn']}\n  because no identity")


def test_a_denial_of_a_group_is_named(explain, iam, user, key):
    group = unique("group")
    arn = iam.create_group(GroupName=group)["Group"]["Arn"]
    iam.put_group_policy(GroupName=group, PolicyName="never", PolicyDocument=document(
        allow("kms:Encrypt"), {"Sid": "No", **allow("kms:*", effect="Deny")}))
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    user.may(allow("kms:*"))
    told = explain(user.arn, "kms:Decrypt", key["Arn"])
    assert told["decision"] == "explicitDeny"
    assert names(told) == [(f"inline policy never of {arn}", 1, "No")]


def test_a_boundary_is_named(explain, iam, user, key):
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=document(
        allow("kms:Encrypt")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
    user.may(allow("kms:*"))
    told = explain(user.arn, "kms:Decrypt", key["Arn"])
    assert told["reason"] == "because no permissions boundary allows the kms:Decrypt action"
    assert f"permissions boundary {boundary}" in [one["name"] for one in told["documents"]]


def test_a_grant_is_named(explain, kms, user, key):
    made = grant(kms, key, "Decrypt", grantee=user.arn,
                 Constraints={"EncryptionContextSubset": CONTEXT})
    pair = ["--encryption-context", "purpose=test"]
    told = explain(user.arn, "kms:Decrypt", key["Arn"], *pair)
    assert (told["decision"], told["grant_id"]) == ("allowed", made["GrantId"])
    assert explain(user.arn, "kms:Decrypt", key["Arn"])["decision"] == "implicitDeny"


def test_a_session_policy_limits_a_role(explain, iam, key, tmp_path):
    role = unique("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=document(allow("kms:*")))
    policy = tmp_path / "session.json"
    policy.write_text(document(allow("kms:Encrypt")))
    told = explain(arn, "kms:Decrypt", key["Arn"], "--session-policy", policy)
    assert told["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/explain"
    assert told["reason"] == "because no session policy allows the kms:Decrypt action"
    assert explain(arn, "kms:Encrypt", key["Arn"], "--session-policy", policy)["decision"] == "allowed"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/mine"
    assert explain(session, "kms:Decrypt", key["Arn"])["principal"] == session


@pytest.mark.parametrize("context, decision", [
    ([], "implicitDeny"), (["aws:SourceIp=203.0.113.7"], "allowed"),
    (["aws:sourceip=203.0.114.7"], "implicitDeny")], ids=["here", "inside", "outside"])
def test_what_is_supposed_of_the_request_counts(explain, user, key, context, decision):
    user.may(allow("kms:Decrypt", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}))
    flags = [word for pair in context for word in ("--context", pair)]
    told = explain(user.arn, "kms:Decrypt", key["Arn"], *flags)
    assert told["decision"] == decision
    (condition,) = told["documents"][-1]["statements"][0]["conditions"]
    assert condition["holds"] == (decision == "allowed")


def test_an_alias_is_the_request_s(explain, kms, user, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    user.may(allow("kms:Decrypt", Condition={"StringEquals": {"kms:RequestAlias": alias_name}}))
    assert explain(user.arn, "kms:Decrypt", alias_name, "--region", REGION)["decision"] == "allowed"
    assert explain(user.arn, "kms:Decrypt", key["Arn"])["decision"] == "implicitDeny"


@pytest.mark.parametrize("principal, action, key, complaint", [
    (f"arn:aws:iam::{ACCOUNT}:user/nobody", "kms:Decrypt", "alias/none", "no principal"),
    (root_of("999988887777"), "kms:Decrypt", "alias/none", "no principal"),
    (root_of(ACCOUNT), "kms:Decript", "alias/none", 'no action or operation "kms:Decript" here; is kms:Decrypt meant?'),
    (root_of(ACCOUNT), "iam:GetUser", "alias/none", "GetUser by this caller is not about"),
    (root_of(ACCOUNT), "kms:Decrypt", None, "Decrypt acts on a key"),
    (root_of(ACCOUNT), "kms:CreateKey", "alias/none", "CreateKey acts on no key"),
    (root_of(ACCOUNT), "kms:Decrypt", "alias/none", "is not found."),
], ids=["user", "root", "action", "api", "no-key", "needless-key", "key"])
def test_what_cannot_be_explained(explain, principal, action, key, complaint):
    assert complaint in explain(principal, action, key, "--region", REGION, fails=True)


def test_without_a_server(own_server):
    assert own_server.stop() == 0
    done = keystead.run("explain", "--data-dir", own_server.directory, "--principal", root_of(ACCOUNT),
                        "--action", "kms:CreateKey", "--region", REGION)
    assert done.stdout.startswith(f"{root_of(ACCOUNT)} may kms:CreateKey on *\n"), done


# How each action is asked for in earnest, so that nothing is changed.
CALLS = {
    "kms:Encrypt": lambda kms, key: kms.encrypt(
        KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT, DryRun=True),
    "kms:GenerateDataKey": lambda kms, key: kms.generate_data_key(
        KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT, DryRun=True),
    "kms:DescribeKey": lambda kms, key: kms.describe_key(KeyId=key),
    "kms:GetKeyPolicy": lambda kms, key: kms.get_key_policy(KeyId=key),
    "kms:ListGrants": lambda kms, key: kms.list_grants(KeyId=key),
    "kms:ListResourceTags": lambda kms, key: kms.list_resource_tags(KeyId=key),
}
CONDITIONS = [
    {}, {}, {"StringEquals": {"kms:EncryptionContext:purpose": "test"}},
    {"StringNotEquals": {"kms:EncryptionContext:purpose": "test"}},
    {"StringEquals": {"aws:ResourceTag/team": "blue"}}, {"Bool": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
    {"StringLike": {"aws:PrincipalArn": "*user*"}}, {"Bool": {"kms:GrantIsForAWSResource": "false"}},
    {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, {"Null": {"aws:TokenIssueTime": "true"}},
]


def statements(chance, count, **members):
    """Random statements of a policy."""
    return [{"Effect": chance.choice(["Allow", "Allow", "Allow", "Deny"]), "Resource": "*",
             "Action": chance.sample([*CALLS, "kms:Get*", "kms:*"], chance.randint(1, 3)),
             "Condition": chance.choice(CONDITIONS), **{name: pick() for name, pick in members.items()}}
            for _ in range(count)]


def is_allowed(call, client, key):
    """Whether policies let the call through."""
    try:
        call(client, key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDeniedException", "DryRunOperationException"), error
        return code == "DryRunOperationException"
    return True


@pytest.mark.parametrize("seed", range(6))
def test_what_is_explained_is_what_is_answered(server, iam, kms, other, sts_session, explain, seed):
    chance = random.Random(seed)
    user = User(server, iam).may(*statements(chance, 3))
    role_client, role_arn = sts_session(statements(chance, 2))
    callers = {user.arn: user.client(), role_arn: role_client, root_of(ACCOUNT): kms,
               root_of(keystead.OTHER_ACCOUNT): other}
    role = iam.get_role(RoleName=role_arn.split("/")[1])["Role"]["Arn"]
    named = [ACCOUNT, user.arn, role, role_arn, "*"]
    decisions = set()
    for _ in range(2):
        key = kms.create_key(
            Tags=[{"TagKey": "team", "TagValue": chance.choice(["blue", "red"])}],
            BypassPolicyLockoutSafetyCheck=True, Policy=document(
                {"Effect": "Allow", "Principal": {"AWS": root_of(ACCOUNT)}, "Resource": "*",
                 "Action": ["kms:PutKeyPolicy", "kms:CreateGrant", "kms:ScheduleKeyDeletion"]},
                *statements(chance, 3, Principal=lambda: {"AWS": chance.choice(named)})))["KeyMetadata"]
        grant(kms, key, "DescribeKey", *chance.sample(["Encrypt", "GenerateDataKey"], 1),
              grantee=chance.choice([user.arn, role, root_of(keystead.OTHER_ACCOUNT)]))
        for arn, client in callers.items():
            for action, call in CALLS.items():
                allowed = is_allowed(call, client, key["Arn"])
                if action not in CROSS_ACCOUNT and client is other:
                    told = explain(arn, action, key["Arn"], fails=True)
                    assert "refused before policies are asked" in told and not allowed
                    continue
                pairs = ["--encryption-context", "purpose=test"] if "rypt" in action or "Data" in action else []
                told = explain(arn, action, key["Arn"], *pairs)
                assert (told["decision"] == "allowed") == allowed, (arn, action, told)
                request = {"KeyId": key["Arn"], **({"EncryptionContext": CONTEXT} if pairs else {})}
                whole = explain(arn, action, None, "--request", json.dumps(request))
                assert (whole["decision"], whole["deciding"]) == (told["decision"], told["deciding"])
                decisions.add(told["decision"])
    assert "allowed" in decisions and len(decisions) > 1


CROSS_ACCOUNT = {"kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ListGrants"}


@pytest.fixture
def sts_session(server, iam):
    """`sts_session(statements)`: a client that signs as a session of a fresh role, and the session's ARN."""
    def make(allowances):
        user, role = User(server, iam).may(allow("sts:AssumeRole")), unique("role")
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": user.arn}}))["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="only", PolicyDocument=document(*allowances))
        made = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="mine")
        return session_client(server, made["Credentials"]), made["AssumedRoleUser"]["Arn"]
    return make


def test_guard_rails_are_part_of_it(own_server, tmp_path):
    rails = tmp_path / "guard-rails.toml"
    (tmp_path / "endpoint.json").write_text(document({**allow("kms:Encrypt"), "Principal": "*"}))
    rails.write_text('endpoint_policy = "endpoint.json"\n')
    kms = client_of(own_server, own_server.root_credentials())
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert own_server.stop() == 0
    done = keystead.run("explain", "--data-dir", own_server.directory, "--principal", root_of(ACCOUNT),
                        "--action", "kms:Decrypt", "--key", key, KEYSTEAD_GUARD_RAILS=str(rails))
    assert "because no VPC endpoint policy allows the kms:Decrypt action" in done.stdout, done

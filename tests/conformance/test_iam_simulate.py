"""IAM's policy simulator: what policies would say, and to keys of this deployment what calls would be answered."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from conftest import policy, root_of, statement
from granting import grant
from identities import User, allow, document, unique, user_arn
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

CLI = Path(sys.executable).with_name("aws")
KEY_FORMAT = "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"
BUCKET = "arn:aws:s3:::bucket/object"
# AWS's example: AWS CLI Command Reference, "simulate-custom-policy".
AFTER_2018 = ('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
              '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}')


@pytest.fixture
def user(server, iam):
    """A user without policies."""
    return User(server, iam)


@pytest.fixture
def custom(iam):
    """Simulates given policies: the one result."""
    def run(policies, action, **members):
        told = iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=[action], **members)
        return only(told)
    return run


@pytest.fixture
def principal(iam):
    """Simulates what somebody has: the one result."""
    def run(arn, action, **members):
        told = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], **members)
        return only(told)
    return run


def only(told):
    """The result of a simulation of one action."""
    assert not told["IsTruncated"]
    result, = told["EvaluationResults"]
    return result


def entry(key, *values, kind="string"):
    """A context entry."""
    return {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": kind}


def sources(result):
    """The policies of the statements that matched."""
    return [(one["SourcePolicyId"], one["SourcePolicyType"]) for one in result["MatchedStatements"]]


def test_the_example_of_aws(custom):
    late = entry("aws:CurrentTime", "2019-04-25T11:00:00Z", kind="date")
    assert custom([AFTER_2018], "dynamodb:CreateBackup", ContextEntries=[late]) == {
        "EvalActionName": "dynamodb:CreateBackup", "EvalResourceName": "*", "EvalDecision": "allowed",
        "MatchedStatements": [{
            "SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "none",
            "StartPosition": {"Line": 1, "Column": 38}, "EndPosition": {"Line": 1, "Column": 167}}],
        "MissingContextValues": []}
    early = entry("aws:CurrentTime", "2014-04-25T11:00:00Z", kind="date")
    refused = custom([AFTER_2018], "dynamodb:CreateBackup", ContextEntries=[early])
    assert (refused["EvalDecision"], refused["MatchedStatements"]) == ("implicitDeny", [])


def test_a_key_that_nobody_gave_is_missing(custom):
    result = custom([AFTER_2018], "dynamodb:CreateBackup")
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["aws:CurrentTime"]


def test_a_denial_is_the_only_statement(custom):
    policies = [document(allow("s3:*"), allow("s3:Get*")),
                document(allow("s3:*", effect="Deny", Sid="No"))]
    result = custom(policies, "s3:GetObject")
    assert result["EvalDecision"] == "explicitDeny"
    assert sources(result) == [("PolicyInputList.2", "none")]
    assert len(custom(policies[:1], "s3:GetObject")["MatchedStatements"]) == 2


def test_each_resource_has_its_result(custom):
    other = "arn:aws:s3:::other/object"
    result = custom([document(allow("s3:*", resource="arn:aws:s3:::bucket/*"))], "s3:GetObject",
                    ResourceArns=[BUCKET, other])
    assert (result["EvalDecision"], result["MatchedStatements"]) == ("implicitDeny", [])
    assert result["EvalDecisionDetails"] == {}
    decisions = {one["EvalResourceName"]: one["EvalResourceDecision"]
                 for one in result["ResourceSpecificResults"]}
    assert decisions == {BUCKET: "allowed", other: "implicitDeny"}


@pytest.mark.parametrize("entry_, operator, value", [
    (entry("aws:SourceIp", "203.0.113.7", kind="ip"), "IpAddress", "203.0.113.0/24"),
    (entry("aws:MultiFactorAuthAge", "10", kind="numeric"), "NumericLessThan", "60"),
    (entry("aws:SecureTransport", "true", kind="boolean"), "Bool", "true"),
    (entry("aws:TagKeys", "a", "b", kind="stringList"), "ForAnyValue:StringEquals", "b"),
    (entry("AWS:sourcevpce", "vpce-1"), "StringLike", "vpce-*"),
])
def test_entries_are_of_their_types(custom, entry_, operator, value):
    conditional = allow("s3:*", Condition={operator: {entry_["ContextKeyName"]: value}})
    result = custom([document(conditional)], "s3:GetObject", ContextEntries=[entry_])
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


def test_a_boundary_and_an_organization_limit(custom):
    both = {"PermissionsBoundaryPolicyInputList": [document(allow("s3:Get*"))],
            "OrderedOrganizationPolicyInputList": [
                {"ServiceControlPolicyInputList": [document(allow("*"))]},
                {"ServiceControlPolicyInputList": [document(allow("s3:Put*"), allow("s3:Get*"))]}]}

    def said(action):
        result = custom([document(allow("*"))], action, **both)
        return (result["EvalDecision"],
                result["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"],
                result["OrganizationsDecisionDetail"]["AllowedByOrganizations"])
    assert said("s3:GetObject") == ("allowed", True, True)
    assert said("s3:PutObject") == ("implicitDeny", False, True)
    assert said("s3:DeleteObject") == ("implicitDeny", False, False)


def test_a_resource_policy_of_the_account_is_enough(custom):
    caller = user_arn("nobody-yet")
    given = {"ResourceArns": [BUCKET], "ResourcePolicy": policy(statement(caller, "s3:*")),
             "CallerArn": caller}
    nothing = [document(allow("ec2:*"))]
    result = custom(nothing, "s3:GetObject", **given)
    assert (result["EvalDecision"], sources(result)) == ("allowed", [("ResourcePolicy", "resource")])
    assert result["EvalDecisionDetails"] == {}
    silent = {**given, "ResourcePolicy": policy(statement(root_of(OTHER_ACCOUNT), "s3:*"))}
    assert custom([document(allow("s3:*"))], "s3:GetObject", **silent)["EvalDecision"] == "allowed"


def test_across_accounts_both_must_allow(custom):
    caller = user_arn("nobody-yet")
    given = {"ResourceArns": [BUCKET], "ResourcePolicy": policy(statement(caller, "s3:*")),
             "CallerArn": caller, "ResourceOwner": OTHER_ACCOUNT}
    result = custom([document(allow("ec2:*"))], "s3:GetObject", **given)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    assert custom([document(allow("s3:*"))], "s3:GetObject", **given)["EvalDecision"] == "allowed"


def test_the_policies_of_a_user_and_its_groups(iam, user, principal):
    user.may(allow("kms:ListKeys"), name="own")
    group = unique("group")
    group_arn = iam.create_group(GroupName=group)["Group"]["Arn"]
    iam.put_group_policy(GroupName=group, PolicyName="groups", PolicyDocument=document(allow("kms:*")))
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    managed = iam.create_policy(PolicyName=unique("policy"),
                                PolicyDocument=document(allow("*")))["Policy"]
    iam.attach_user_policy(UserName=user.name, PolicyArn=managed["Arn"])
    iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    of_group = [(f"group_{group}_groups", "group"), ("AdministratorAccess", "aws-managed")]
    of_user = [(f"user_{user.name}_own", "user"), (managed["PolicyName"], "user-managed")]
    assert sources(principal(user.arn, "kms:ListKeys")) == of_user + of_group
    assert sources(principal(group_arn, "kms:ListKeys")) == of_group

    def without(*exclusions):
        return sources(principal(user.arn, "kms:ListKeys", PolicyExclusionList=list(exclusions)))
    assert without({"PolicyType": "inline"}) == [of_user[1], of_group[1]]
    assert without({"PolicyType": "aws-managed"}) == of_user + of_group[:1]
    assert without({"PolicyArn": managed["Arn"][:-3] + "*"}) == of_user[:1] + of_group
    one = {"PolicyName": "groups", "AttachmentType": "group", "AttachmentName": group}
    assert without({"InlinePolicyIdentifier": one}, {"PolicyType": "user-managed"}) == [
        of_user[0], of_group[1]]


def test_the_boundary_of_a_user(iam, user, principal):
    boundary = iam.create_policy(PolicyName=unique("boundary"),
                                 PolicyDocument=document(allow("kms:List*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
    user.may(allow("kms:*"))
    refused = principal(user.arn, "kms:CreateKey")
    assert refused["EvalDecision"] == "implicitDeny"
    assert refused["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert principal(user.arn, "kms:ListKeys")["EvalDecision"] == "allowed"
    excluded = principal(user.arn, "kms:CreateKey",
                         PolicyExclusionList=[{"PolicyType": "permission-boundary"}])
    assert excluded["EvalDecision"] == "allowed"
    assert "PermissionsBoundaryDecisionDetail" not in excluded
    another = principal(user.arn, "kms:CreateKey",
                        PermissionsBoundaryPolicyInputList=[document(allow("kms:Create*"))])
    assert another["EvalDecision"] == "allowed"


def decisions_of(principal, arn, key, *actions, **members):
    """The decisions on a key, action by action."""
    return [principal(arn, f"kms:{action}", ResourceArns=[key["Arn"]], **members)["EvalDecision"]
            for action in actions]


def test_a_key_of_this_deployment_has_its_own_policy(kms, key, user, principal):
    user.may(allow("kms:Encrypt"))
    result = principal(user.arn, "kms:Encrypt", ResourceArns=[key["Arn"]])
    assert (result["EvalDecision"], result["EvalResourceName"]) == ("allowed", KEY_FORMAT)
    assert sources(result) == [(f"user_{user.name}_only", "user"), (key["Arn"], "resource")]
    specific, = result["ResourceSpecificResults"]
    assert (specific["EvalResourceName"], specific["EvalResourceDecision"]) == (key["Arn"], "allowed")
    kms.put_key_policy(KeyId=key["KeyId"], BypassPolicyLockoutSafetyCheck=True,
                       Policy=policy(statement(user.arn, "kms:Decrypt")))
    assert decisions_of(principal, user.arn, key, "Encrypt", "Decrypt") == ["implicitDeny", "allowed"]
    given = policy(statement(root_of(ACCOUNT)))
    assert decisions_of(principal, user.arn, key, "Encrypt", ResourcePolicy=given) == ["allowed"]


def test_a_grant_on_a_key_is_told(kms, key, user, principal):
    constrained = grant(kms, key, "Decrypt", grantee=user.arn,
                        Constraints={"EncryptionContextSubset": {"purpose": "test"}})
    assert decisions_of(principal, user.arn, key, "Decrypt", "Encrypt") == ["implicitDeny"] * 2
    result = principal(user.arn, "kms:Decrypt", ResourceArns=[key["Arn"]],
                       ContextEntries=[entry("kms:EncryptionContext:purpose", "test")])
    assert (result["EvalDecision"], sources(result)) == ("allowed", [(constrained["GrantId"], "none")])


def test_facts_of_the_key_and_the_caller_are_known(kms, iam, key, user, principal):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "blue"}])
    iam.tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "blue"}])
    user.may(allow("kms:Decrypt", Condition={"StringEquals": {
        "aws:ResourceTag/team": "${aws:PrincipalTag/team}", "kms:KeySpec": "SYMMETRIC_DEFAULT",
        "aws:username": user.name, "kms:CallerAccount": ACCOUNT, "aws:PrincipalArn": user.arn}}),
             allow("kms:Encrypt", Condition={"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}))
    result = principal(user.arn, "kms:Decrypt", ResourceArns=[key["Arn"]])
    assert result["EvalDecision"] == "allowed"
    assert result["MissingContextValues"] == ["kms:ViaService"]
    otherwise = [entry("aws:ResourceTag/team", "red")]
    assert decisions_of(principal, user.arn, key, "Decrypt",
                        ContextEntries=otherwise) == ["implicitDeny"]


def test_simulations_say_what_calls_are_answered(kms, key, user, principal):
    user.may(allow("kms:Get*"), allow("kms:DescribeKey", effect="Deny"), allow("kms:Describe*"))
    grant(kms, key, "Encrypt", "DescribeKey", grantee=user.arn)
    client, arn = user.client(), key["Arn"]
    calls = {"GetKeyPolicy": lambda: client.get_key_policy(KeyId=arn),
             "DescribeKey": lambda: client.describe_key(KeyId=arn),
             "Encrypt": lambda: client.encrypt(KeyId=arn, Plaintext=b"a"),
             "EnableKey": lambda: client.enable_key(KeyId=arn)}

    def answer(call):
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException", error
            return "explicitDeny" if "explicit deny" in str(error) else "implicitDeny"
        return "allowed"
    answers = [answer(call) for call in calls.values()]
    assert set(answers) == {"allowed", "explicitDeny", "implicitDeny"}
    assert decisions_of(principal, user.arn, key, *calls) == answers


def test_a_role_is_asked_about_as_its_session(kms, iam, key, principal):
    name = unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(
        {"Effect": "Allow", "Principal": {"AWS": root_of(ACCOUNT)}, "Action": "sts:AssumeRole"}))["Role"]
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(statement(root_of(ACCOUNT)),
                                                         statement(role["Arn"], "kms:Sign")))
    assert decisions_of(principal, role["Arn"], key, "Sign", "Verify") == ["allowed", "implicitDeny"]


def test_keys_of_other_accounts_are_not_looked_at(other, user, principal):
    foreign = other.create_key()["KeyMetadata"]
    user.may(allow("kms:Encrypt"))
    result = principal(user.arn, "kms:Encrypt", ResourceArns=[foreign["Arn"]])
    assert sources(result) == [(f"user_{user.name}_only", "user")]


def test_bob_with_the_policies_of_david(server, iam, kms, key, user, principal):
    bob = User(server, iam)
    user.may(allow("kms:Encrypt"))
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(root_of(ACCOUNT)), statement(bob.arn, "kms:Encrypt", effect="Deny")))
    assert decisions_of(principal, user.arn, key, "Encrypt") == ["allowed"]
    assert decisions_of(principal, user.arn, key, "Encrypt", CallerArn=bob.arn) == ["explicitDeny"]


def test_pages(iam):
    actions = [f"kms:Action{number}" for number in range(7)]
    given = {"PolicyInputList": [document(allow("kms:*"))], "ActionNames": actions}
    paginator = iam.get_paginator("simulate_custom_policy")
    pages = list(paginator.paginate(**given, PaginationConfig={"PageSize": 3}))
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 3, 1]
    assert [one["EvalActionName"] for page in pages for one in page["EvaluationResults"]] == actions
    # The answer stays bounded, however many resources there are.
    many = {**given, "ResourceArns": [f"arn:aws:s3:::b/{number}" for number in range(400)]}
    page = iam.simulate_custom_policy(**many)
    assert page["IsTruncated"] and len(page["EvaluationResults"]) == 2
    with pytest.raises(ClientError):
        iam.simulate_custom_policy(**given, Marker="none")


@pytest.mark.parametrize("members", [
    {"PolicyInputList": ["{}"]},
    {"ActionNames": ["Encrypt"]}, {"ActionNames": ["kms:*"]},
    {"ResourceArns": ["bucket"]}, {"ResourceOwner": "me"}, {"ResourceHandlingOption": "EC2"},
    {"ResourcePolicy": policy(statement("*"))}, {"ResourcePolicy": "{}", "CallerArn": user_arn("a")},
    {"CallerArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session"}, {"CallerArn": root_of(ACCOUNT)},
    {"PermissionsBoundaryPolicyInputList": [document(allow("*"))] * 2},
    {"ContextEntries": [entry("aws:SourceIp", "here", kind="ip")]},
    {"ContextEntries": [entry("aws:username", "a", "b")]},
    {"ContextEntries": [entry("aws:username", "a"), entry("aws:UserName", "b")]},
])
def test_what_cannot_be_simulated(iam, members):
    given = {"PolicyInputList": [document(allow("*"))], "ActionNames": ["kms:Encrypt"], **members}
    with pytest.raises(iam.exceptions.InvalidInputException):
        iam.simulate_custom_policy(**given)


@pytest.mark.parametrize("exclusion", [
    {"PolicyArn": "arn:aws:iam::*:policy/a"}, {"PolicyArn": "arn:aws:iam::aws:policy/*a*"},
    {"PolicyArn": f"{user_arn('somebody')}-and-more"}])
def test_what_cannot_be_left_out(iam, user, exclusion):
    with pytest.raises(iam.exceptions.InvalidInputException):
        iam.simulate_principal_policy(PolicySourceArn=user.arn, ActionNames=["kms:Encrypt"],
                                      PolicyExclusionList=[exclusion])


def test_nobody_is_simulated(iam, refused):
    arn = user_arn("nobody-is-called-so")
    with refused("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404):
        iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["kms:Encrypt"])


def test_who_may_simulate(user):
    client = user.may(allow("iam:SimulatePrincipalPolicy", resource=user.arn)).client("iam")
    assert only(client.simulate_principal_policy(PolicySourceArn=user.arn, ActionNames=["kms:Sign"]))
    with pytest.raises(ClientError, match="AccessDenied"):
        client.simulate_principal_policy(PolicySourceArn=user_arn("another"), ActionNames=["kms:Sign"])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.simulate_custom_policy(PolicyInputList=[document(allow("*"))], ActionNames=["kms:Sign"])


def test_the_cli(server, user, key, tmp_path):
    user.may(allow("kms:Sign"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_REGION": REGION,
                   "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_IAM": server.endpoint,
                   "AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file)}

    def aws(*arguments):
        done = subprocess.run([CLI if CLI.is_file() else "aws", "iam", *arguments], env=environment,
                              text=True, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return only({"IsTruncated": False, **json.loads(done.stdout)})
    told = aws("simulate-principal-policy", "--policy-source-arn", user.arn, "--action-names", "kms:Sign",
               "--resource-arns", key["Arn"])
    assert (told["EvalDecision"], len(told["MatchedStatements"])) == ("allowed", 2)
    told = aws("simulate-custom-policy", "--policy-input-list", AFTER_2018, "--action-names",
               "dynamodb:CreateBackup", "--context-entries", "ContextKeyName='aws:CurrentTime',"
               "ContextKeyValues='2019-04-25T11:00:00Z',ContextKeyType=date")
    assert told["EvalDecision"] == "allowed"

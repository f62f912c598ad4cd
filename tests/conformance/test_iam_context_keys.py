"""The condition keys that policies ask for."""

import pytest

from identities import User, allow, document, unique
from keystead import ACCOUNT

BY_SPEC = allow("kms:*", Condition={"StringEquals": {"kms:KeySpec": "RSA_2048"}})
OWN_HOME = allow("s3:*", resource="arn:aws:s3:::home/${aws:username}/*")
BY_TEAM = allow("kms:*", Condition={"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}})


def test_of_policies_that_are_given(iam):
    told = iam.get_context_keys_for_custom_policy(
        PolicyInputList=[document(BY_SPEC, OWN_HOME), document(BY_TEAM, BY_SPEC)])
    assert told["ContextKeyNames"] == ["aws:PrincipalTag/team", "aws:ResourceTag/team", "aws:username",
                                       "kms:KeySpec"]


def test_of_a_user_and_all_that_it_has(server, iam):
    user, group = User(server, iam).may(BY_SPEC), unique("group")
    managed = iam.create_policy(PolicyName=unique("policy"),
                                PolicyDocument=document(BY_TEAM))["Policy"]["Arn"]
    arn = iam.create_group(GroupName=group)["Group"]["Arn"]
    iam.attach_group_policy(GroupName=group, PolicyArn=managed)

    def keys(source, *more):
        return iam.get_context_keys_for_principal_policy(
            PolicySourceArn=source, PolicyInputList=list(more))["ContextKeyNames"]
    assert keys(user.arn) == ["kms:KeySpec"]
    assert keys(arn) == ["aws:PrincipalTag/team", "aws:ResourceTag/team"]
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    assert keys(user.arn, document(OWN_HOME)) == ["aws:PrincipalTag/team", "aws:ResourceTag/team",
                                                  "aws:username", "kms:KeySpec"]


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:user/nobody-is-called-so",
                                 f"arn:aws:iam::{ACCOUNT}:policy/none", f"arn:aws:iam::{ACCOUNT}:root"])
def test_of_nobody(iam, refused, arn):
    with refused("NoSuchEntity", f"The entity with ARN {arn} cannot be found.", 404):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=arn)


def test_of_no_policy(iam):
    with pytest.raises(iam.exceptions.InvalidInputException):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])

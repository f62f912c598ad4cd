"""How many of everything there may be, and how long policies: what is at the limit is served, what is beyond it is not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import policy, root_of, statement
from identities import allow, document, unique
from keystead import ACCOUNT
from test_iam_roles import trust

# The codes of the two services; TagResource has two, as AWS's model lists them.
CODES = {"LimitExceededException", "LimitExceeded", "TagException"}
# How many are asked for beyond the limit.
BEYOND = 4
LETTERS = "x" * 40_000


def user_of(iam):
    """The name of a new user."""
    return iam.create_user(UserName=unique("user"))["User"]["UserName"]


def group_of(iam):
    """The name of a new group."""
    return iam.create_group(GroupName=unique("group"))["Group"]["GroupName"]


def role_of(iam):
    """The name of a new role."""
    made = iam.create_role(RoleName=unique("role"),
                           AssumeRolePolicyDocument=trust({"AWS": root_of(ACCOUNT)}))
    return made["Role"]["RoleName"]


def policy_of(iam):
    """The ARN of a new managed policy."""
    made = iam.create_policy(PolicyName=unique(), PolicyDocument=document(allow("kms:Encrypt")))
    return made["Policy"]["Arn"]


# Each makes what has the quota, and answers how to add one more to it.
def aliases(kms, _):
    key_id, name = kms.create_key()["KeyMetadata"]["KeyId"], unique()
    return lambda number: kms.create_alias(AliasName=f"alias/{name}/{number}", TargetKeyId=key_id)


def tags(kms, _):
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    return lambda number: kms.tag_resource(KeyId=key_id, Tags=[
        {"TagKey": f"tag{number}", "TagValue": ""}])


def user_tags(_, iam):
    user = user_of(iam)
    return lambda number: iam.tag_user(UserName=user, Tags=[{"Key": f"tag{number}", "Value": ""}])


def role_tags(_, iam):
    role = role_of(iam)
    return lambda number: iam.tag_role(RoleName=role, Tags=[{"Key": f"tag{number}", "Value": ""}])


def access_keys(_, iam):
    user = user_of(iam)
    return lambda _: iam.create_access_key(UserName=user)


def groups_of_a_user(_, iam):
    user = user_of(iam)
    return lambda _: iam.add_user_to_group(UserName=user, GroupName=group_of(iam))


def policies_of_a_user(_, iam):
    user = user_of(iam)
    return lambda _: iam.attach_user_policy(UserName=user, PolicyArn=policy_of(iam))


def policies_of_a_group(_, iam):
    group = group_of(iam)
    return lambda _: iam.attach_group_policy(GroupName=group, PolicyArn=policy_of(iam))


def policies_of_a_role(_, iam):
    role = role_of(iam)
    return lambda _: iam.attach_role_policy(RoleName=role, PolicyArn=policy_of(iam))


def versions_after_the_first(_, iam):
    arn, text = policy_of(iam), document(allow("kms:Decrypt"))
    return lambda _: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text)


@pytest.mark.parametrize(("limit", "prepare"), [
    (50, aliases), (50, tags), (50, user_tags), (50, role_tags), (2, access_keys),
    (10, groups_of_a_user), (10, policies_of_a_user), (10, policies_of_a_group),
    (10, policies_of_a_role), (4, versions_after_the_first),
])
def test_there_are_so_many_at_most_whoever_asks_at_once(kms, iam, limit, prepare):
    add = prepare(kms, iam)

    def is_added(number):
        try:
            add(number)
            return True
        except iam.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in CODES, error
            return False
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(is_added, range(limit + BEYOND))) == limit


def padded(form, length):
    """What a policy form makes of as many letters as give it that length without its white space."""
    empty = len("".join(form("").split()))
    return form(LETTERS[:length - empty])


def key_policy(letters):
    """A key policy, in which white space counts; so it has none."""
    return policy(statement(root_of(ACCOUNT), Sid=letters)).replace(" ", "")


def put_key_policy(kms, _, length):
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.put_key_policy(KeyId=key_id, Policy=padded(key_policy, length))


def create_key(kms, _, length):
    kms.create_key(Policy=padded(key_policy, length))


def identity_policy(letters):
    """An identity policy with a long action."""
    return document(allow(f"kms:Encrypt{letters}"))


def create_policy(_, iam, length):
    iam.create_policy(PolicyName=unique(), PolicyDocument=padded(identity_policy, length))


def update_trust(_, iam, length):
    iam.update_assume_role_policy(RoleName=role_of(iam), PolicyDocument=padded(
        lambda letters: trust({"AWS": root_of(ACCOUNT)}, Sid=letters), length))


def in_two(put, length):
    """Puts two inline policies, which count together."""
    put(PolicyName="one", PolicyDocument=padded(identity_policy, 1_000))
    put(PolicyName="two", PolicyDocument=padded(identity_policy, length - 1_000))


def put_user_policies(_, iam, length):
    user = user_of(iam)
    in_two(lambda **more: iam.put_user_policy(UserName=user, **more), length)


def put_group_policies(_, iam, length):
    group = group_of(iam)
    in_two(lambda **more: iam.put_group_policy(GroupName=group, **more), length)


def put_role_policies(_, iam, length):
    role = role_of(iam)
    in_two(lambda **more: iam.put_role_policy(RoleName=role, **more), length)


@pytest.mark.parametrize(("limit", "put"), [
    (32_768, put_key_policy), (32_768, create_key), (6_144, create_policy), (2_048, update_trust),
    (2_048, put_user_policies), (5_120, put_group_policies), (10_240, put_role_policies),
])
def test_policies_are_so_long_at_most(kms, iam, limit, put):
    put(kms, iam, limit)
    with pytest.raises(iam.exceptions.ClientError) as refused:
        put(kms, iam, limit + 1)
    assert refused.value.response["Error"]["Code"] in CODES

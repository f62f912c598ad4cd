"""Users who are deleted while something is saved that names them: it must not wait for whoever takes the name next."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import policy, root_of, statement
from identities import unique
from keystead import ACCOUNT, REGION
from related import REPLICA
from test_iam_roles import trust

# So many calls name a user while it is deleted, and so often: who comes first is chance.
CALLS_COUNT, ROUNDS_COUNT = 8, 10


def key_policy(arn):
    """A key policy that names the account and a principal."""
    return policy(statement(root_of(ACCOUNT)), statement(arn, "kms:Decrypt"))


def told_policy(client, key_id, region=REGION):
    """How the policy of a key is told."""
    return client(region).get_key_policy(KeyId=key_id)["Policy"]


# Each makes what it needs, and answers how to save what names a principal; that answers how to read it.
def put_key_policy(client, _):
    key_id = client(REGION).create_key()["KeyMetadata"]["KeyId"]

    def save(arn):
        client(REGION).put_key_policy(KeyId=key_id, Policy=key_policy(arn))
        return lambda: told_policy(client, key_id)
    return save


def create_key(client, _):
    def save(arn):
        key_id = client(REGION).create_key(Policy=key_policy(arn))["KeyMetadata"]["KeyId"]
        return lambda: told_policy(client, key_id)
    return save


def replicate_key(client, _):
    key_id = client(REGION).create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]

    def save(arn):
        client(REGION).replicate_key(KeyId=key_id, ReplicaRegion=REPLICA, Policy=key_policy(arn))
        return lambda: told_policy(client, key_id, REPLICA)
    return save


def create_grant(client, _):
    key_id = client(REGION).create_key()["KeyMetadata"]["KeyId"]

    def save(arn):
        client(REGION).create_grant(KeyId=key_id, GranteePrincipal=root_of(ACCOUNT),
                                    RetiringPrincipal=arn, Operations=["Decrypt"])
        return lambda: json.dumps(client(REGION).list_grants(KeyId=key_id)["Grants"], default=str)
    return save


def create_role(_, iam):
    def save(arn):
        name = unique("role")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": arn}))
        return lambda: json.dumps(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    return save


def update_assume_role_policy(_, iam):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": root_of(ACCOUNT)}))

    def save(arn):
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust({"AWS": arn}))
        return lambda: json.dumps(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    return save


@pytest.mark.parametrize("prepare", [
    put_key_policy, create_key, replicate_key, create_grant, create_role, update_assume_role_policy,
])
def test_nothing_is_saved_that_names_who_is_gone(client, iam, prepare):
    def attempt(save, arn):
        try:
            return save(arn)
        except iam.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("MalformedPolicyDocument", "MalformedPolicyDocumentException",
                            "InvalidArnException"), error
            return None
    with ThreadPoolExecutor(CALLS_COUNT + 1) as pool:
        saved_count = 0
        for _ in range(ROUNDS_COUNT):
            user = iam.create_user(UserName=unique("user"))["User"]
            saves = list(pool.map(lambda _: prepare(client, iam), range(CALLS_COUNT)))
            attempts = [pool.submit(attempt, save, user["Arn"]) for save in saves[::2]]
            deletion = pool.submit(iam.delete_user, UserName=user["UserName"])
            attempts += [pool.submit(attempt, save, user["Arn"]) for save in saves[1::2]]
            deletion.result()
            saved = list(filter(None, [one.result() for one in attempts]))
            saved_count += len(saved)
            for tell in saved:
                text = tell()
                assert user["Arn"] not in text and user["UserId"] in text
    assert 0 < saved_count < ROUNDS_COUNT * CALLS_COUNT

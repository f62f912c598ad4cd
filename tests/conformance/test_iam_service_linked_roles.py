"""Service-linked roles: made for services, assumed by them, and closed to the account that has them."""

import json
import os
import re
import subprocess

import pytest
from botocore.exceptions import ClientError

import journal
from conftest import client_of, policy, root_of, statement
from identities import User, allow, denied, document, session_client, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION, run
from registering import Deployment
from related import REPLICA
from test_cli import CLI
from test_service_roles import Asker, texts, trust

ROOT = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role"
MULTI_REGION = "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
CUSTOM_KEY_STORES = "AWSServiceRoleForKeyManagementServiceCustomKeyStores"
POLICY = "arn:aws:iam::aws:policy/aws-service-role/AWSKeyManagementService{0}ServiceRolePolicy"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
# By principal: what the role is called, and the policy that it comes with.
ROLES = {
    "mrk.kms.amazonaws.com": (MULTI_REGION, [POLICY.format("MultiRegionKeys")]),
    "cks.kms.amazonaws.com": (CUSTOM_KEY_STORES, [POLICY.format("CustomKeyStores")]),
    "s3.amazonaws.com": ("AWSServiceRoleForS3", []),
    "queue.example.amazonaws.com": ("AWSServiceRoleForQueue", []),
}
S3, QUEUE = "s3.amazonaws.com", "queue.example.amazonaws.com"
# What would change such a role, and is refused.
REFUSED = {
    "PutRolePolicy": {"PolicyName": "more", "PolicyDocument": document(allow("kms:*"))},
    "DeleteRolePolicy": {"PolicyName": "more"},
    "AttachRolePolicy": {"PolicyArn": ADMINISTRATOR},
    "DetachRolePolicy": {"PolicyArn": POLICY.format("CustomKeyStores")},
    "PutRolePermissionsBoundary": {"PermissionsBoundary": ADMINISTRATOR},
    "DeleteRolePermissionsBoundary": {},
    "UpdateAssumeRolePolicy": {"PolicyDocument": trust("sqs.amazonaws.com")},
    "UpdateRole": {"MaxSessionDuration": 7200},
    "DeleteRole": {},
}
# What is the account's to change, also of such a role.
ALLOWED = {"UpdateRole", "UpdateRoleDescription", "TagRole", "UntagRole", "DeleteServiceLinkedRole"}
GUARD_RAILS = """
organization_id = "o-a1b2c3d4e5"

[[target]]
id = "r-ab12"
service_control_policies = ["FullAWSAccess", "principals.json"]
resource_control_policies = ["resources.json"]
"""


@pytest.fixture(scope="module", name="deployment")
def fixture_deployment(tmp_path_factory):
    """A server with services, whose organization denies two actions."""
    folder = tmp_path_factory.mktemp("linked")
    (folder / "guard-rails.toml").write_text(GUARD_RAILS)
    denial = {"Effect": "Deny", "Resource": "*"}
    (folder / "principals.json").write_text(
        document({**denial, "Action": "kms:ListResourceTags"}))
    (folder / "resources.json").write_text(
        document({**denial, "Action": "kms:GetKeyRotationStatus", "Principal": "*"}))
    made = Deployment(folder, arguments=("--guard-rails", folder / "guard-rails.toml"))
    yield made
    assert made.server.stop() == 0, made.server.output()


@pytest.fixture(scope="module", name="iam")
def fixture_iam(deployment):
    """The account's root user."""
    return client_of(deployment.server, deployment.server.root_credentials(), "iam")


@pytest.fixture(scope="module", name="kms")
def fixture_kms(deployment):
    """The account's root user."""
    return client_of(deployment.server, deployment.server.root_credentials())


@pytest.fixture(name="linked")
def fixture_linked(iam):
    """Makes roles of services, which are gone again after the test."""
    made = []

    def make(principal=S3, **more):
        made.append(iam.create_service_linked_role(AWSServiceName=principal, **more)["Role"])
        return made[-1]
    yield make
    for role in made:
        if role["RoleId"] in {one["RoleId"] for one in iam.list_roles()["Roles"]}:
            assert delete(iam, role["RoleName"])["Status"] == "SUCCEEDED"


def delete(iam, name):
    """Deletes a role, and tells how that ended."""
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    return iam.get_service_linked_role_deletion_status(DeletionTaskId=task)


def refused(code, call, **parameters):
    """What is said of a call that is refused with this code."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    told = error.value.response["Error"]
    assert told["Code"] == code, told
    return told["Message"]


@pytest.mark.parametrize("principal", ROLES)
def test_a_role_is_what_its_service_says(iam, linked, principal):
    name, policies = ROLES[principal]
    made = linked(principal)
    assert (made["RoleName"], made["Arn"]) == (name, f"{ROOT}/{principal}/{name}")
    assert made["Path"] == f"/aws-service-role/{principal}/"
    assert made["MaxSessionDuration"] == 3600
    assert made["AssumeRolePolicyDocument"] == json.loads(trust(principal))
    assert iam.get_role(RoleName=name)["Role"] == {**made, "RoleLastUsed": {}}
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == policies
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []


def test_lists_and_sums_count_them(iam, linked):
    before = iam.get_account_summary()["SummaryMap"]["Roles"]
    role = linked(Description="ours")
    assert role["Description"] == "ours"
    assert iam.get_account_summary()["SummaryMap"]["Roles"] == before + 1
    [listed] = iam.list_roles(PathPrefix="/aws-service-role/s3.amazonaws.com/")["Roles"]
    assert listed["RoleId"] == role["RoleId"]
    details = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert role["Arn"] in [detail["Arn"] for detail in details]


def test_there_is_one_for_each_service(iam, linked):
    name = linked()["RoleName"]
    told = refused("InvalidInput", iam.create_service_linked_role, AWSServiceName=S3)
    assert told == (f"Service role name {name} has been taken in this account, "
                    "please try a different suffix.")
    told = refused("InvalidInput", iam.create_service_linked_role, AWSServiceName=S3,
                   CustomSuffix="second")
    assert told == f"Custom suffix is not allowed for {S3}"
    refused("InvalidInput", iam.create_service_linked_role, AWSServiceName="sqs.amazonaws.com")


def test_the_registry_bounds_accounts(deployment, linked):
    """queue is registered for one account; a service has a role in another account as well."""
    credentials = "AKIAOTHEREXAMPLE0003", "otherSecretOfTheOtherAccountRootUser0003"
    made = run("account", "create", OTHER_ACCOUNT, "--data-dir", deployment.server.directory,
               "--access-key-id", credentials[0], "--secret-access-key", credentials[1])
    assert made.returncode == 0, made.stderr
    other = client_of(deployment.server, credentials, "iam")
    refused("InvalidInput", other.create_service_linked_role,
            AWSServiceName=QUEUE)
    linked()
    assert other.create_service_linked_role(AWSServiceName=S3)["Role"]["Arn"].split(":")[4] == (
        OTHER_ACCOUNT)
    # Nobody learns how the deletion of another account's role ended.
    task = other.delete_service_linked_role(RoleName="AWSServiceRoleForS3")["DeletionTaskId"]
    ours = client_of(deployment.server, deployment.server.root_credentials(), "iam")
    refused("NoSuchEntity", ours.get_service_linked_role_deletion_status, DeletionTaskId=task)


def test_their_path_is_reserved(iam):
    for path in ("/aws-service-role/", f"/aws-service-role/{S3}/"):
        told = refused("InvalidInput", iam.create_role, RoleName=unique("role"), Path=path,
                       AssumeRolePolicyDocument=trust())
        assert told == (
            "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles")


def test_every_operation_that_changes_a_role_is_judged(iam, ours):
    """A new one is to stand in one of the two lists."""
    model = iam.meta.service_model
    inputs = {name: model.operation_model(name).input_shape for name in ours["iam"]["built"]}
    changing = {name for name, shape in inputs.items()
                if shape is not None and "RoleName" in shape.members
                and not name.startswith(("Get", "List", "Create"))}
    assert changing == set(REFUSED) | ALLOWED


@pytest.mark.parametrize("operation, parameters", [
    *REFUSED.items(),
    ("UpdateRole", {"Description": "x", "MaxSigninSessionDuration": 7200}),
    ("UpdateRole", {"ResetMaxSigninSessionDuration": True}),
])
def test_the_account_changes_nothing(iam, linked, operation, parameters):
    role = linked("cks.kms.amazonaws.com")
    call = getattr(iam, re.sub("(?<!^)(?=[A-Z])", "_", operation).lower())
    told = refused("UnmodifiableEntity", call, RoleName=role["RoleName"], **parameters)
    assert told == (f"Cannot perform the operation on the protected role '{role['RoleName']}'"
                    " - this role is only modifiable by AWS")
    assert iam.get_role(RoleName=role["RoleName"])["Role"] == {**role, "RoleLastUsed": {}}
    [attached] = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert attached["PolicyArn"] == POLICY.format("CustomKeyStores")
    assert iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"] == []


def test_description_and_tags_are_the_accounts(iam, linked):
    name = linked()["RoleName"]
    iam.update_role(RoleName=name, Description="first")
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "first"
    told = iam.update_role_description(RoleName=name, Description="second")["Role"]
    assert told["Description"] == "second"
    iam.tag_role(RoleName=name, Tags=[{"Key": "Team", "Value": "blue"}])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "Team", "Value": "blue"}]
    iam.untag_role(RoleName=name, TagKeys=["Team"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == []


@pytest.mark.parametrize("arn", [POLICY.format("MultiRegionKeys"), POLICY.format("CustomKeyStores")])
def test_their_policies_are_nobody_elses(iam, arn):
    told = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (told["Path"], told["DefaultVersionId"]) == ("/aws-service-role/", "v2")
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]
    listed = iam.list_policies(Scope="AWS", PathPrefix="/aws-service-role/")["Policies"]
    assert arn in [one["Arn"] for one in listed]
    name = unique()
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    for call, parameters in [
            (iam.attach_user_policy, {"UserName": name, "PolicyArn": arn}),
            (iam.attach_group_policy, {"GroupName": name, "PolicyArn": arn}),
            (iam.attach_role_policy, {"RoleName": name, "PolicyArn": arn}),
            (iam.put_user_permissions_boundary, {"UserName": name, "PermissionsBoundary": arn}),
            (iam.put_role_permissions_boundary, {"RoleName": name, "PermissionsBoundary": arn}),
            (iam.create_user, {"UserName": unique(), "PermissionsBoundary": arn}),
            (iam.create_role, {"RoleName": unique(), "PermissionsBoundary": arn,
                               "AssumeRolePolicyDocument": trust()}),
    ]:
        told = refused("PolicyNotAttachable", call, **parameters)
        assert told == "Cannot attach a Service Role Policy to a Customer Role."


def test_a_deletion_is_told(iam, linked):
    role = linked()
    task = iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert re.fullmatch(rf"task/aws-service-role/{S3}/AWSServiceRoleForS3/[0-9a-f-]{{36}}", task)
    refused("NoSuchEntity", iam.get_role, RoleName=role["RoleName"])
    refused("NoSuchEntity", iam.delete_service_linked_role, RoleName=role["RoleName"])
    again = linked()
    assert (again["Arn"], again["RoleId"] == role["RoleId"]) == (role["Arn"], False)
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert told["Status"] == "SUCCEEDED" and "Reason" not in told


def test_a_deletion_is_told_after_a_restart_too(own_server):
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    principal = "cks.kms.amazonaws.com"
    iam.create_service_linked_role(AWSServiceName=principal)
    task = iam.delete_service_linked_role(RoleName=CUSTOM_KEY_STORES)["DeletionTaskId"]
    iam.create_service_linked_role(AWSServiceName=principal)
    assert own_server.stop() == 0, own_server.output()
    own_server.start()
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert told["Status"] == "SUCCEEDED"
    refused("UnmodifiableEntity", iam.delete_role, RoleName=CUSTOM_KEY_STORES)


def test_a_role_with_grants_is_not_deleted(iam, kms, linked):
    role = linked()
    keys = [kms.create_key()["KeyMetadata"] for _ in range(2)]
    grants = [(key["KeyId"], kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=role["Arn"],
                                              Operations=["Decrypt"])["GrantId"]) for key in keys]
    told = delete(iam, role["RoleName"])
    assert told["Status"] == "FAILED"
    assert told["Reason"]["Reason"] == (
        f"The role {role['RoleName']} cannot be deleted: resources still use it.")
    assert told["Reason"]["RoleUsageList"] == [
        {"Region": REGION, "Resources": sorted(key["Arn"] for key in keys)}]
    assert iam.get_role(RoleName=role["RoleName"])["Role"]["RoleId"] == role["RoleId"]
    for key_id, grant_id in grants:
        kms.revoke_grant(KeyId=key_id, GrantId=grant_id)
    assert delete(iam, role["RoleName"])["Status"] == "SUCCEEDED"


def test_what_is_no_deletion_is_refused(iam):
    for task in ("task", f"task/aws-service-role/{S3}/name/1", "task/aws-service-role//name/"
                 "123e4567-e89b-12d3-a456-426614174000", f"task/other/{S3}/name/"
                 "123e4567-e89b-12d3-a456-426614174000"):
        refused("InvalidInput", iam.get_service_linked_role_deletion_status, DeletionTaskId=task)
    refused("NoSuchEntity", iam.get_service_linked_role_deletion_status,
            DeletionTaskId=f"task/aws-service-role/{S3}/name/123e4567-e89b-12d3-a456-426614174000")
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    refused("NoSuchEntity", iam.delete_service_linked_role, RoleName=name)
    assert iam.get_role(RoleName=name)


def test_the_first_multi_region_key_brings_its_role(own_server):
    iam = client_of(own_server, own_server.root_credentials(), "iam")
    kms = client_of(own_server, own_server.root_credentials())
    kms.create_key()
    refused("NoSuchEntity", iam.get_role, RoleName=MULTI_REGION)
    keys = [kms.create_key(MultiRegion=True)["KeyMetadata"] for _ in range(2)]
    role = iam.get_role(RoleName=MULTI_REGION)["Role"]
    assert role["Path"] == "/aws-service-role/mrk.kms.amazonaws.com/"
    assert role["Description"] == (
        "Enables access to AWS services and resources required for AWS KMS Multi-Region Keys")
    records = journal.records(own_server.directory / "journal")
    [event] = [one for one in records if one["eventName"] == "CreateServiceLinkedRole"]
    assert (event["eventSource"], event["eventType"]) == ("iam.amazonaws.com", "AwsServiceEvent")
    assert event["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role["Arn"]}]
    assert event["serviceEventDetails"] == {"roleId": role["RoleId"], "roleName": MULTI_REGION}

    kms.replicate_key(KeyId=keys[0]["KeyId"], ReplicaRegion=REPLICA)
    told = delete(iam, MULTI_REGION)
    assert told["Status"] == "FAILED"
    replica = keys[0]["Arn"].replace(REGION, REPLICA)
    assert told["Reason"]["RoleUsageList"] == [
        {"Region": REPLICA, "Resources": [replica]},
        {"Region": REGION, "Resources": sorted(key["Arn"] for key in keys)}]
    assert iam.get_role(RoleName=MULTI_REGION)["Role"]["RoleId"] == role["RoleId"]


def test_its_service_assumes_it(deployment, kms, linked):
    """It may what key policies say of it, and the organization does not limit it."""
    role, service = linked(), Asker(deployment.service("s3"))
    ordinary = client_of(deployment.server, deployment.server.root_credentials(), "iam").create_role(
        RoleName=unique("role"), AssumeRolePolicyDocument=trust())["Role"]
    actions = ["kms:DescribeKey", "kms:ListResourceTags", "kms:GetKeyRotationStatus"]
    key_id = kms.create_key(Policy=policy(
        statement(root_of(ACCOUNT)),
        statement([role["Arn"], ordinary["Arn"]], actions)))["KeyMetadata"]["KeyId"]

    def session(one):
        answer = service.assume(one)
        assert answer.status == 200, answer.body
        return session_client(deployment.server, texts(
            answer, "AccessKeyId", "SecretAccessKey", "SessionToken"))

    by_role, by_ordinary = session(role), session(ordinary)
    assert by_role.describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"] == key_id
    assert by_role.list_resource_tags(KeyId=key_id)["Tags"] == []
    assert by_role.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is False
    refused("AccessDeniedException", by_role.disable_key, KeyId=key_id)
    assert by_ordinary.describe_key(KeyId=key_id)
    with denied("kms:ListResourceTags", "with an explicit deny in a service control policy"):
        by_ordinary.list_resource_tags(KeyId=key_id)
    with denied("kms:GetKeyRotationStatus", "with an explicit deny in a resource control policy"):
        by_ordinary.get_key_rotation_status(KeyId=key_id)


def test_no_other_service_assumes_it(deployment, linked):
    queue = Asker(deployment.service("queue"))
    role = linked()
    assert (queue.assume(role).status, queue.assume(linked(QUEUE)).status) == (403, 200)


def test_who_may_make_one_is_a_policys_to_say(deployment, iam, linked):
    """By the ARN that the role will have, and by the service."""
    for condition in ({}, {"Condition": {"StringEquals": {"iam:AWSServiceName": S3}}}):
        user = User(deployment.server, iam).may(allow(
            "iam:CreateServiceLinkedRole", f"{ROOT}/{S3}/AWSServiceRoleForS3" if not condition else "*",
            **condition))
        own = user.client("iam")
        for principal in ("cks.kms.amazonaws.com", "sqs.amazonaws.com"):
            refused("AccessDenied", own.create_service_linked_role, AWSServiceName=principal)
        name = own.create_service_linked_role(AWSServiceName=S3)["Role"]["RoleName"]
        refused("AccessDenied", own.delete_service_linked_role, RoleName=name)
        user.may(allow(["iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus"],
                       f"{ROOT}/{S3}/*"))
        assert delete(own, name)["Status"] == "SUCCEEDED"
    assert linked()


def test_calls_are_recorded_as_cloudtrail_does(deployment, iam, linked):
    made = iam.create_service_linked_role(AWSServiceName=S3)
    gone = iam.delete_service_linked_role(RoleName=made["Role"]["RoleName"])
    records = {record.get("requestID"): record
               for record in journal.records(deployment.server.directory / "journal")}
    record = records[made["ResponseMetadata"]["RequestId"]]
    assert record["requestParameters"] == {"aWSServiceName": S3}
    assert record["responseElements"]["role"]["roleId"] == made["Role"]["RoleId"]
    record = records[gone["ResponseMetadata"]["RequestId"]]
    assert record["responseElements"] == {"deletionTaskId": gone["DeletionTaskId"]}
    assert linked()


def test_the_cli_makes_and_deletes_one(deployment, tmp_path):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_IAM": deployment.server.endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(deployment.server.credentials_file)}

    def aws(*arguments):
        done = subprocess.run([CLI if CLI.is_file() else "aws", "iam", *arguments], text=True,
                              env=environment, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    name = aws("create-service-linked-role", "--aws-service-name", S3)["Role"]["RoleName"]
    task = aws("delete-service-linked-role", "--role-name", name)["DeletionTaskId"]
    told = aws("get-service-linked-role-deletion-status", "--deletion-task-id", task)
    assert told == {"Status": "SUCCEEDED"}

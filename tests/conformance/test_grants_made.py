"""CreateGrant, ListGrants, ListRetirableGrants: what a grant may be, how it is listed, allowed and recorded."""

import base64
import json

import pytest

from conftest import policy, root_of, statement
from granting import KINDS, OTHER, ROOT, grant, ids, listed
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION


@pytest.fixture(autouse=True)
def accounts(other_credentials):
    """Grantees must exist."""
    return other_credentials


# What a grant may be.


@pytest.mark.parametrize("principal", [
    "nonsense", ACCOUNT, "ec2.amazonaws.com", "arn:aws:iam::999999999999:root",
    f"arn:aws:iam::{ACCOUNT}:user/nobody", f"arn:aws:iam::{ACCOUNT}:role/nobody",
    f"arn:aws:iam::{ACCOUNT}:group/g", f"arn:aws-cn:iam::{ACCOUNT}:root",
    f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x"])
def test_principals_must_exist(kms, other, denied, refused, key, principal):
    text = f"ARN does not refer to a valid principal: {principal}"
    with refused("InvalidArnException", text):
        grant(kms, key, "Encrypt", grantee=principal)
    with refused("InvalidArnException", text):
        grant(kms, key, "Encrypt", RetiringPrincipal=principal, DryRun=True)
    with denied(OTHER_ACCOUNT, "CreateGrant", key):
        grant(other, key, "Encrypt", grantee=principal)
    assert listed(kms, key) == []


@pytest.mark.parametrize(("kind", "operation"), [
    *((kind, operation) for kind in KINDS
      for operation in sorted({one for some in KINDS.values() for one in some})
      if operation not in [*KINDS[kind], "DescribeKey", "CreateGrant"]),
    (("RSA_2048", "ENCRYPT_DECRYPT"), "GenerateDataKey"),
], ids=str)
def test_operations_must_suit_the_key(kms, refused, key_of, kind, operation):
    with refused("ValidationException"):
        grant(kms, key_of(*kind), operation, "DescribeKey")


@pytest.mark.parametrize("constraints", [
    {"EncryptionContextEquals": {str(number): "x" for number in range(9)}},
    {"EncryptionContextSubset": {"a": "x" * 385}},
])
def test_constraints_have_bounds(kms, refused, key, constraints):
    with refused("ValidationException"):
        grant(kms, key, "Encrypt", Constraints=constraints)
    grant(kms, key, "Encrypt", Constraints={
        "EncryptionContextSubset": {str(number): "x" * 384 for number in range(8)}})


def test_encryption_contexts_are_for_symmetric_keys(kms, refused, key_of):
    for kind in (("ECC_NIST_P256", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT")):
        with refused("ValidationException"):
            grant(kms, key_of(*kind), "DescribeKey",
                  Constraints={"EncryptionContextSubset": {"a": "1"}})


def test_services_as_grantees(kms, refused, key):
    source = {"SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"}
    service = {"GranteeServicePrincipal": "ec2.amazonaws.com"}
    for members in [{}, service, {**service, "Constraints": source},
                    {**service, "RetiringPrincipal": ROOT},
                    {**service, "GranteePrincipal": ROOT, "RetiringPrincipal": ROOT,
                     "Constraints": source},
                    {"GranteePrincipal": ROOT, "RetiringPrincipal": ROOT,
                     "RetiringServicePrincipal": "ec2.amazonaws.com"}]:
        with refused("ValidationException"):
            kms.create_grant(KeyId=key["KeyId"], Operations=["Encrypt"], **members)
    kms.create_grant(KeyId=key["KeyId"], Operations=["Encrypt"], Constraints=source,
                     RetiringServicePrincipal="s3.amazonaws.com", **service)
    told = listed(kms, key)[0]
    assert told["GranteeServicePrincipal"] == "ec2.amazonaws.com"
    assert told["RetiringServicePrincipal"] == "s3.amazonaws.com"
    assert told["Constraints"] == source
    assert not told.keys() & {"GranteePrincipal", "RetiringPrincipal"}
    with refused("ValidationException"):
        kms.list_grants(KeyId=key["KeyId"], **service)


def test_a_dry_run_makes_nothing(kms, refused, key):
    with refused("DryRunOperationException",
                 "The request would have succeeded, but the DryRun option is set."):
        grant(kms, key, "Encrypt", DryRun=True)
    assert listed(kms, key) == []


def test_grants_lie_on_keys_alone(kms, refused, key, alias_name):
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    with refused("NotFoundException"):
        kms.create_grant(KeyId=alias_name, GranteePrincipal=ROOT, Operations=["Encrypt"])


# Lists.


def test_what_a_list_tells(kms, key):
    equals = {"EncryptionContextEquals": {"a": "1"}}
    plain = grant(kms, key, "Encrypt")
    full = grant(kms, key, "Decrypt", "Encrypt", grantee=ROOT, Name="full", Constraints=equals,
                 RetiringPrincipal=OTHER)
    told = {one["GrantId"]: one for one in listed(kms, key)}
    assert all(len(base64.b16decode(one, casefold=True)) == 32 for one in told)
    created = told[plain["GrantId"]].pop("CreationDate")
    assert told[plain["GrantId"]] == {
        "KeyId": key["Arn"], "GrantId": plain["GrantId"], "Name": "", "GranteePrincipal": OTHER,
        "IssuingAccount": ROOT, "Operations": ["Encrypt"]}
    assert told[full["GrantId"]].pop("CreationDate") >= created
    assert told[full["GrantId"]] == {
        "KeyId": key["Arn"], "GrantId": full["GrantId"], "Name": "full", "GranteePrincipal": ROOT,
        "RetiringPrincipal": OTHER, "IssuingAccount": ROOT, "Operations": ["Decrypt", "Encrypt"],
        "Constraints": equals}
    assert ids(listed(kms, key, GranteePrincipal=ROOT)) == [full["GrantId"]]
    assert ids(listed(kms, key, GrantId=plain["GrantId"])) == [plain["GrantId"]]
    assert listed(kms, key, GrantId=plain["GrantId"], GranteePrincipal=ROOT) == []
    assert listed(kms, key, GrantId="0" * 64) == []


def test_lists_come_in_pages(kms, other, refused, key):
    second = kms.create_key()["KeyMetadata"]
    made = {grant(kms, one, "Encrypt", RetiringPrincipal=OTHER, grantee=grantee)["GrantId"]
            for one in (key, second) for grantee in (ROOT, OTHER, OTHER)}
    pages = kms.get_paginator("list_grants").paginate(
        KeyId=key["KeyId"], PaginationConfig={"PageSize": 2})
    found = [ids(page["Grants"]) for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert set(sum(found, [])) == set(ids(listed(kms, key)))
    pages = other.get_paginator("list_retirable_grants").paginate(
        RetiringPrincipal=OTHER, PaginationConfig={"PageSize": 4})
    assert made <= {one["GrantId"] for page in pages for one in page["Grants"]}
    marker = kms.list_grants(KeyId=key["KeyId"], Limit=1)["NextMarker"]
    for members in ({"KeyId": second["KeyId"]},
                    {"KeyId": key["KeyId"], "GranteePrincipal": OTHER}):
        with refused("InvalidMarkerException"):
            kms.list_grants(Marker=marker, **members)
    with refused("InvalidMarkerException"):
        other.list_retirable_grants(RetiringPrincipal=OTHER, Marker=marker)
    with refused("ValidationException"):
        kms.list_grants(KeyId=key["KeyId"], Limit=101)


def test_retirable_grants_are_those_of_the_own_account(kms, other, refused, key):
    made = grant(kms, key, "Encrypt", RetiringPrincipal=OTHER)["GrantId"]
    pages = other.get_paginator("list_retirable_grants").paginate(RetiringPrincipal=OTHER)
    told = {one["GrantId"]: one for page in pages for one in page["Grants"]}
    assert told[made]["KeyId"] == key["Arn"]
    with refused("AccessDeniedException"):
        kms.list_retirable_grants(RetiringPrincipal=OTHER)
    with refused("InvalidArnException"):
        kms.list_retirable_grants(RetiringPrincipal="nonsense")
    for members in ({}, {"RetiringServicePrincipal": "ec2.amazonaws.com"}):
        with refused("ValidationException"):
            kms.list_retirable_grants(**members)


# Conditions and records.


@pytest.mark.parametrize(("condition", "good", "bad"), [
    ({"StringEquals": {"kms:GranteePrincipal": OTHER}}, {}, {"GranteePrincipal": ROOT}),
    ({"StringEquals": {"kms:RetiringPrincipal": ROOT}}, {"RetiringPrincipal": ROOT}, {}),
    ({"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}},
     {"Operations": ["Decrypt"]}, {"Operations": ["Encrypt", "GenerateDataKey"]}),
    ({"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
     {"Constraints": {"EncryptionContextEquals": {"a": "1"}}},
     {"Constraints": {"EncryptionContextSubset": {"a": "1"}}}),
    ({"StringEquals": {"kms:EncryptionContext:a": "1"}},
     {"Constraints": {"EncryptionContextSubset": {"a": "1"}}},
     {"Constraints": {"EncryptionContextSubset": {"a": "2"}}}),
    ({"Bool": {"kms:GrantIsForAWSResource": "false"}}, {}, None),
    ({"Bool": {"kms:GrantIsForAWSResource": "true"}}, None, {}),
    ({"StringEquals": {"kms:GranteeServicePrincipal": "ec2.amazonaws.com"}}, None, {}),
])
def test_conditions_on_grants(kms, denied, key, condition, good, bad):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT, "kms:PutKeyPolicy"), statement(ROOT, "kms:CreateGrant", Condition=condition)))
    usual = {"KeyId": key["KeyId"], "GranteePrincipal": OTHER, "Operations": ["Encrypt"]}
    if good is not None:
        kms.create_grant(**{**usual, **good})
    if bad is not None:
        with denied(ACCOUNT, "CreateGrant", key):
            kms.create_grant(**{**usual, **bad})


def test_what_is_recorded_of_grants(kms, other, record_of, key):
    def record(answer):
        return record_of(answer["ResponseMetadata"]["RequestId"])

    made = grant(kms, key, "Encrypt", "Decrypt", RetiringPrincipal=OTHER, Name="one",
                 Constraints={"EncryptionContextSubset": {"a": "1"}})
    told = record(made)
    assert told["requestParameters"] == {
        "keyId": key["Arn"], "granteePrincipal": OTHER, "retiringPrincipal": OTHER, "name": "one",
        "operations": ["Encrypt", "Decrypt"],
        "constraints": {"encryptionContextSubset": {"a": "1"}}}
    assert told["responseElements"] == {"grantId": made["GrantId"], "keyId": key["Arn"]}
    assert told["readOnly"] is False
    assert [one["ARN"] for one in told["resources"]] == [key["Arn"]]
    retired = record(other.retire_grant(GrantToken=made["GrantToken"]))
    assert retired["requestParameters"] is None or "grantToken" not in retired["requestParameters"]
    assert retired["additionalEventData"] == {"grantId": made["GrantId"]}
    assert [one["ARN"] for one in retired["resources"]] == [key["Arn"]]
    assert made["GrantToken"] not in json.dumps([told, retired])
    again = grant(kms, key, "Encrypt")
    revoked = record(kms.revoke_grant(KeyId=key["KeyId"], GrantId=again["GrantId"]))
    assert revoked["requestParameters"] == {"keyId": key["KeyId"], "grantId": again["GrantId"]}
    assert record(kms.list_grants(KeyId=key["KeyId"]))["readOnly"] is True

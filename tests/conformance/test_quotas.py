"""Quotas: how many calls of a kind an account may make in a second, and how many keys it may have (reference 2.19)."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import keystead
from conftest import client_of, policy, root_of, statement
from registering import Deployment

# So few that a test reaches them, and so slow to fill that no machine is too slow for it.
FEW = ["--request-quota-adjustments", "*/*/CreateAlias=1,*/*/ListKeys=1000,*/*/CryptographicOperationsRsa=1"]


@contextmanager
def serving(directory, *arguments):
    """A server with these settings, and its root user's client in a Region."""
    running = keystead.Server(directory / "data", *arguments)
    try:
        yield running, lambda region=keystead.REGION: client_of(running, running.root_credentials(), region=region)
    finally:
        assert running.stop() == 0, running.output()


def metric(server, name, quota):
    """The value of a metric of a quota, None when it is not told."""
    found = re.search(rf'^keystead_request_quota_{name}{{quota="{quota}"}} (\S+)', server.admin("GET", "/metrics")[1],
                      re.MULTILINE)
    return found and float(found[1])


def make_aliases(kms, count):
    """How many of so many calls one after the other were served; the others must be throttled."""
    key_id, served = kms.create_key()["KeyMetadata"]["KeyId"], 0
    for number in range(count):
        try:
            kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
            served += 1
        except kms.exceptions.ClientError as refused:
            error = refused.response
            assert error["Error"]["Code"] == "ThrottlingException"
            assert error["Error"]["Message"] == (
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
            assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    return served


def test_calls_beyond_an_enforced_quota_are_throttled(tmp_path):
    with serving(tmp_path, "--request-quotas", "enforced", *FEW) as (server, client):
        kms = client()
        served = make_aliases(kms, 20)
        assert 1 <= served < 20
        # What was throttled was not done; other operations and other Regions have quotas of their own.
        own = [entry for entry in kms.list_aliases()["Aliases"] if "TargetKeyId" in entry]
        assert len(own) == served
        assert make_aliases(client("eu-central-1"), 1) == 1
        assert metric(server, "exceeded_total", "CreateAlias") == 20 - served
        assert metric(server, "taken_total", "CreateAlias") == served + 1


def test_cryptography_counts_by_the_kind_of_key(tmp_path):
    with serving(tmp_path, "--request-quotas", "enforced", *FEW) as (_, client):
        kms = client()
        signing = [kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"] for _ in "ab"]
        symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
        sign = {"Message": b"m", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
        kms.sign(KeyId=signing[0], **sign)
        with pytest.raises(kms.exceptions.ClientError, match="ThrottlingException"):
            for _ in range(20):
                kms.sign(KeyId=signing[1], **sign)
        kms.encrypt(KeyId=symmetric, Plaintext=b"p")


def test_a_shadow_counts_and_serves(tmp_path):
    with serving(tmp_path, "--request-quotas", "shadow", *FEW) as (server, client):
        assert make_aliases(client(), 20) == 20
        assert metric(server, "exceeded_total", "CreateAlias") >= 1
        assert metric(server, "used", "CreateAlias") > 0


def test_nothing_is_counted_by_default(tmp_path):
    with serving(tmp_path) as (server, client):
        assert make_aliases(client(), 20) == 20
        assert metric(server, "taken_total", "CreateAlias") is None


@pytest.mark.parametrize("arguments", [
    ("--request-quotas", "on"), ("--request-quota-adjustments", "CreateKey=5"),
    ("--request-quota-adjustments", "*/*/NoSuchOperation=5"), ("--request-quota-adjustments", "*/*/CreateKey=0"),
])
def test_wrong_quotas_are_refused(tmp_path, arguments):
    refused = keystead.run("serve", "--data-dir", tmp_path / "data", *arguments)
    assert refused.returncode != 0
    assert arguments[0].removeprefix("--") in refused.stderr.replace("_", "-")


def test_a_services_calls_count_for_whom_it_calls(tmp_path):
    """Against the account of the resource that the service names; without one, against its own."""
    few = "444455556666/*/CryptographicOperationsSymmetric=1,000000000000/*/CryptographicOperationsSymmetric=1000"
    made = Deployment(tmp_path, arguments=["--request-quotas", "enforced", "--request-quota-adjustments", few])
    kms = client_of(made.server, made.server.root_credentials())
    s3, queue = made.service("s3"), made.service("queue")
    named = {"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com", "queue.example.amazonaws.com"]},
             "Action": "kms:Encrypt", "Resource": "*"}
    key = kms.create_key(Policy=policy(statement(root_of(keystead.ACCOUNT)), named))["KeyMetadata"]["Arn"]

    def encrypted(service, source):
        """The answers to twenty calls for a resource."""
        return [service.call("Encrypt", {"KeyId": key, "Plaintext": "AA=="}, source=source).status for _ in range(20)]
    theirs = "arn:aws:s3:us-east-1:444455556666:bucket"
    assert 400 in encrypted(s3, theirs)
    assert set(encrypted(s3, f"arn:aws:s3:us-east-1:{keystead.ACCOUNT}:bucket")) == {200}
    assert set(encrypted(s3, None)) == {200}
    # A service cannot use up the quota of an account that it does not serve.
    assert set(encrypted(queue, theirs)) == {200}
    assert made.server.stop() == 0


KEYS = ["--request-quota-adjustments", "*/*/Keys=3,*/eu-central-1/Keys=1,*/*/CreateKey=1000"]


def make_keys(kms, count):
    """How many of so many calls at once made a key; the others must be beyond the quota."""
    def make(_):
        try:
            return bool(kms.create_key())
        except kms.exceptions.LimitExceededException as refused:
            assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            return False
    with ThreadPoolExecutor(count) as callers:
        return sum(callers.map(make, range(count)))


def test_an_account_has_so_many_keys_at_most(tmp_path):
    with serving(tmp_path, "--request-quotas", "enforced", *KEYS) as (server, client):
        kms, elsewhere = client(), client("eu-central-1")
        primary = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        # AWS managed keys are not counted.
        assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyManager"] == "AWS"
        assert make_keys(kms, 16) == 2
        keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
        keys = [key["KeyId"] for key in keys if key["KeyManager"] == "CUSTOMER"]
        assert len(keys) == 3
        # One that is to be deleted counts until it is gone.
        last = next(key_id for key_id in keys if key_id != primary)
        kms.schedule_key_deletion(KeyId=last)
        assert make_keys(kms, 1) == 0
        # Each Region has a quota of its own, which a replica counts against.
        assert make_keys(elsewhere, 2) == 1
        with pytest.raises(kms.exceptions.ClientError, match="LimitExceededException"):
            kms.replicate_key(KeyId=primary, ReplicaRegion="eu-central-1")
        assert len(elsewhere.list_keys()["Keys"]) == 1
        # What is made is counted after a restart too.
        assert server.stop() == 0
        server.start()
        assert make_keys(client(), 1) == 0


@pytest.mark.parametrize("mode, told", [("off", (None, None, None)), ("shadow", (1.25, 0.06, 0.00004))])
def test_metrics_tell_how_far_numbers_of_things_are_used(tmp_path, mode, told):
    """By whoever uses most; who that is stands in the log, not in a label."""
    running = keystead.Server(tmp_path / "data", "--request-quotas", mode, "--request-quota-adjustments",
                              "*/*/Keys=4", program=keystead.binary("KEYSTEAD_TEST_CLOCK_BINARY"))
    kms = client_of(running, running.root_credentials())
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)]
    for number in range(3):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=keys[0])
    for _ in range(2):
        kms.create_grant(KeyId=keys[1], GranteePrincipal=root_of(keystead.ACCOUNT), Operations=["Encrypt"])
    for name in ("111", "222"):
        client_of(running, running.root_credentials(), region=f"xx-far-{name}").create_key()
    # What was counted stands for a minute.
    running.advance(61)
    metrics = running.admin("GET", "/metrics")[1]
    found = [re.search(rf'^keystead_resource_quota_used{{quota="{quota}"}} (\S+)', metrics, re.MULTILINE)
             for quota in ("Keys", "AliasesPerKey", "GrantsPerKey")]
    assert tuple(one and float(one[1]) for one in found) == told
    assert (f"place=\"{keystead.ACCOUNT} in {keystead.REGION}\"" in running.output()) == (mode == "shadow")
    assert not re.search(rf"{keystead.ACCOUNT}|{keys[0]}|{keys[1]}", metrics)
    assert running.stop() == 0, running.output()


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_keys_are_not_limited_unless_quotas_are_enforced(tmp_path, mode):
    with serving(tmp_path, "--request-quotas", mode, *KEYS) as (_, client):
        assert make_keys(client(), 5) == 5

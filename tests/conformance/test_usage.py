"""`keystead usage`: what a month used, counted exactly, priced by AWS's rules or any others."""

import csv
import io
import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

import keystead
from conftest import client_of, policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from registering import Deployment, create_session, user
from timed import DAY, HOUR

ELSEWHERE = "eu-central-1"
# The columns of FOCUS 1.2 that a provider must have, without those for commitments, reservations and zones.
FOCUS_COLUMNS = """BilledCost BillingAccountId BillingAccountName BillingAccountType BillingCurrency BillingPeriodEnd
    BillingPeriodStart ChargeCategory ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ConsumedQuantity
    ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost InvoiceIssuerName ListCost ListUnitPrice
    PricingCategory PricingQuantity PricingUnit ProviderName PublisherName RegionId RegionName ResourceId ResourceName
    ResourceType ServiceCategory ServiceName SkuId SkuMeter SkuPriceDetails SkuPriceId SubAccountId SubAccountName
    SubAccountType Tags""".split()
TARIFF = """
name = "ours"
as_of = "2026-11-25"
currency = "EUR"
billed_outcomes = ["served", "refused"]
[key_month]
key = "0"
first_rotation = "0"
second_rotation = "0"
[requests]
symmetric = "10000"
rsa_2048 = "20000"
asymmetric = "30000"
data_key_pair = "40000"
rsa_data_key_pair = "50000"
[free_tier]
requests_month = 1
classes = ["symmetric"]
"""


def month_of(time):
    """A month as the command is asked for it."""
    return time.strftime("%Y-%m")


def run(directory, *arguments, month=None):
    """What the command says of this month."""
    month = month or month_of(datetime.now(timezone.utc))
    return keystead.run("usage", "--month", month, "--data-dir", directory, *arguments)


def usage(directory, *arguments, month=None):
    """What it tells as JSON."""
    done = run(directory, "--format", "json", *arguments, month=month)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def counted(told):
    """How many requests there were of each operation, class and outcome, whoever made them and when."""
    counts = Counter()
    for request in told["usage"]["requests"]:
        counts[request["operation"], request["request_class"], request["outcome"]] += request["records"]
    return counts


def charged(told):
    """What was charged for: the amounts consumed by account and item."""
    amounts = Counter()
    for charge in told["charges"]:
        amounts[charge["account_id"], charge["item"]] += charge["consumed"]
    return amounts


@pytest.fixture(name="other")
def fixture_other(own_server):
    """The root user of another account."""
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", own_server.directory,
                        "--access-key-id", "AKIAOTHER", "--secret-access-key", "secret")
    assert made.returncode == 0, made.stderr
    return client_of(own_server, ("AKIAOTHER", "secret"))


@pytest.fixture(name="root")
def fixture_root(own_server):
    """The root user."""
    return client_of(own_server, own_server.root_credentials())


def test_requests_are_counted_by_class_and_outcome(own_server, root, other):
    specs = {"symmetric": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"),
             "rsa_2048": ("RSA_2048", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_256"),
             "asymmetric": ("RSA_3072", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_256")}
    allowed = policy(statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT)))
    for spec, key_usage, algorithm in specs.values():
        key = root.create_key(KeySpec=spec, KeyUsage=key_usage, Policy=allowed)["KeyMetadata"]
        for _ in range(3):
            root.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionAlgorithm=algorithm)
        other.describe_key(KeyId=key["Arn"])
    symmetric = root.create_key()["KeyMetadata"]["KeyId"]
    for spec in ("ECC_NIST_P256", "RSA_2048"):
        root.generate_data_key_pair(KeyId=symmetric, KeyPairSpec=spec)
    with pytest.raises(root.exceptions.NotFoundException):
        root.encrypt(KeyId="alias/none", Plaintext=b"x")
    client_of(own_server, own_server.root_credentials(), "iam").list_users()
    told = usage(own_server.directory)
    counts = counted(told)
    for request_class in specs:
        assert counts["kms:Encrypt", request_class, "served"] == 3
    assert counts["kms:Encrypt", "symmetric", "refused"] == 1
    assert counts["kms:CreateKey", "symmetric", "served"] == 4
    assert counts["kms:GenerateDataKeyPair", "data_key_pair", "served"] == 1
    assert counts["kms:GenerateDataKeyPair", "rsa_data_key_pair", "served"] == 1
    assert counts["iam:ListUsers", "free", "served"] == 1
    assert counts["kms:DescribeKey", "symmetric", "served"] == 3
    assert counts["kms:DescribeKey", "free", "copy"] == 3
    # Who calls pays, and the keys are their owner's.
    amounts = charged(told)
    assert amounts[OTHER_ACCOUNT, "requests_symmetric_free_tier"] == 3
    assert amounts[ACCOUNT, "requests_rsa_2048"] == amounts[ACCOUNT, "requests_asymmetric"] == 3
    assert amounts[ACCOUNT, "key"] in range(4, 9)
    assert (OTHER_ACCOUNT, "key") not in amounts
    # The month's records are the journal's.
    assert sum(counts.values()) == told["usage"]["journal_records"]
    one = usage(own_server.directory, "--account", OTHER_ACCOUNT)
    assert {line["account_id"] for line in one["charges"]} == {OTHER_ACCOUNT}
    assert counted(one) == {("kms:DescribeKey", "symmetric", "served"): 3,
                            ("operator:CreateAccount", "free", "event"): 1}


def test_it_is_told_without_a_server_too(own_server, root):
    key_id = root.create_key()["KeyMetadata"]["KeyId"]
    root.encrypt(KeyId=key_id, Plaintext=b"x")
    running = usage(own_server.directory)
    assert own_server.stop() == 0
    stopped = usage(own_server.directory)
    # The end of the server is a record of its own.
    assert counted(stopped) == counted(running) + Counter({("operator:StopServer", "free", "event"): 1})
    for told in (running, stopped):
        for member in ("until", "journal_sequence", "journal_records", "requests"):
            assert told["usage"].pop(member)
    assert stopped == running


def test_managed_and_owned_keys_are_free_and_their_requests_are_not(own_server, root):
    managed = "alias/aws/s3"
    with pytest.raises(root.exceptions.ClientError):
        root.encrypt(KeyId=managed, Plaintext=b"x")
    rotated = keystead.run("owned-keys", "rotate", "iam-access-keys", "--data-dir", own_server.directory)
    assert rotated.returncode == 0, rotated.stderr
    told = usage(own_server.directory)
    assert counted(told)["kms:RotateKey", "free", "event"] == 1
    assert not told["usage"]["keys"]
    assert {charge["item"] for charge in told["charges"]} <= {"requests_symmetric_free_tier"}


def test_what_services_do_is_paid_by_whom_they_serve(tmp_path):
    """As themselves by the owner of the key, as a user by the user's account, whoever owns the key."""
    deployment = Deployment(tmp_path)
    server = deployment.server
    made = keystead.run("account", "create", OTHER_ACCOUNT, "--data-dir", server.directory,
                        "--access-key-id", "AKIAOTHER", "--secret-access-key", "secret")
    assert made.returncode == 0, made.stderr
    served = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:Encrypt",
              "Resource": "*"}
    allowed = policy(statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT)), served)
    kms = client_of(server, server.root_credentials())
    encrypt = {"KeyId": kms.create_key(Policy=allowed)["KeyMetadata"]["Arn"], "Plaintext": "AA=="}
    s3 = deployment.service("s3")
    session = create_session(user(server.port, ("AKIAOTHER", "secret")), {"Service": "s3"})
    assert session.status == 200, session.body
    for token, count in ((None, 2), (session.json["ForwardAccessToken"], 3)):
        for _ in range(count):
            assert s3.call("Encrypt", encrypt, token=token).status == 200
    told = usage(server.directory)
    paid = Counter()
    for request in told["usage"]["requests"]:
        if request["operation"] == "kms:Encrypt" and request["outcome"] == "served":
            paid[request["account_id"]] += request["records"]
    assert paid == {ACCOUNT: 2, OTHER_ACCOUNT: 3}
    assert server.stop() == 0, server.output()


def test_any_tariff_prices_it(own_server, root, tmp_path):
    key_id = root.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(3):
        root.encrypt(KeyId=key_id, Plaintext=b"x")
    root.generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")
    with pytest.raises(root.exceptions.NotFoundException):
        root.encrypt(KeyId="alias/none", Plaintext=b"x")
    tariff = tmp_path / "tariff.toml"
    tariff.write_text(TARIFF)
    told = usage(own_server.directory, "--tariff", tariff)
    # Of CreateKey and four times Encrypt one is free.
    assert Decimal(told["total"]) == 4 * 1 + 4
    assert told["currency"] == "EUR"
    table = run(own_server.directory, "--tariff", tariff).stdout
    assert "ours of 2026-11-25" in table and "8.0000" in table
    for wrong in ("requests_month = -1", "requests_mouth = 1"):
        tariff.write_text(TARIFF.replace("requests_month = 1", wrong))
        done = run(own_server.directory, "--tariff", tariff)
        assert done.returncode == 1 and str(tariff) in done.stderr, done
    assert run(own_server.directory, "--tariff", tmp_path / "none").returncode == 1


def test_lines_are_comma_separated_and_have_focuss_columns(own_server, root):
    for region in (REGION, ELSEWHERE):
        kms = client_of(own_server, own_server.root_credentials(), region=region)
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        kms.get_public_key(KeyId=key["KeyId"])
    told = usage(own_server.directory)
    lines = list(csv.DictReader(io.StringIO(run(own_server.directory, "--format", "csv").stdout)))
    assert [line["item"] for line in lines] == [charge["item"] for charge in told["charges"]]
    focus = list(csv.DictReader(io.StringIO(run(own_server.directory, "--format", "focus").stdout)))
    assert set(FOCUS_COLUMNS) <= set(focus[0])
    assert sum(Decimal(line["BilledCost"]) for line in focus) == Decimal(told["total"])
    start = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for line, charge in zip(focus, told["charges"], strict=True):
        assert line["ResourceId"] == charge["key_arn"]
        assert datetime.fromisoformat(line["BillingPeriodStart"]) == start
        assert datetime.fromisoformat(line["BillingPeriodEnd"]).day == 1
        priced = Decimal(line["ListUnitPrice"]) * Decimal(line["PricingQuantity"])
        assert abs(priced - Decimal(line["ListCost"])) < Decimal("1e-9"), line
        assert json.loads(line["Tags"]) == {}
    kinds = {(line["RegionId"], line["SkuId"]) for line in focus}
    for region in (REGION, ELSEWHERE):
        assert {(region, "key"), (region, "requests_asymmetric")} <= kinds
    # A month in which nothing was has the header.
    empty = run(own_server.directory, "--format", "focus", month="2020-01").stdout
    assert len(empty.splitlines()) == 1 and empty.startswith("BilledCost,")


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "november", "+026-01", ""])
def test_what_is_no_month_is_refused(own_server, month):
    done = run(own_server.directory, month=month) if month else keystead.run(
        "usage", "--month", "", "--data-dir", own_server.directory)
    assert done.returncode == 2 and "2026-11" in done.stderr, done


def keys_of(timed, month):
    """The hours of keys in a month, of the key itself and its two rotations, by Region and key id."""
    told = usage(timed.server.directory, month=month)
    return {(key["region"], key["key_id"]):
            (key["hours"], key["first_rotation_hours"], key["second_rotation_hours"])
            for key in told["usage"]["keys"]}


def hours_between(start, end):
    """The hours of the clock that have begun between two moments."""
    hour = timedelta(hours=1)
    first = start.replace(minute=0, second=0, microsecond=0)
    return -((first - end) // hour)


def within(start, end, month_start):
    """Those of them in a month."""
    month_end = (month_start + timedelta(days=32)).replace(day=1)
    start, end = max(start, month_start), min(end, month_end)
    return hours_between(start, end) if start < end else 0


def test_keys_are_charged_for_their_hours(timed):
    began = timed.now()
    # Away from the end of an hour, so that what follows happens in the hours that it should.
    timed.advance((90 - began.minute) % 60 * 60)
    made = timed.now()
    kept = timed.kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    doomed = timed.kms.create_key()["KeyMetadata"]["KeyId"]
    hesitant = timed.kms.create_key()["KeyMetadata"]["KeyId"]
    timed.advance(5 * HOUR)
    timed.kms.replicate_key(KeyId=kept, ReplicaRegion=ELSEWHERE)
    timed.wait_for_state(kept, "Enabled", ELSEWHERE)
    replicated = timed.now()
    timed.kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)
    timed.kms.schedule_key_deletion(KeyId=hesitant, PendingWindowInDays=30)
    rotations = []
    for _ in range(3):
        timed.advance(3 * HOUR)
        timed.kms.rotate_key_on_demand(KeyId=kept)
        rotations.append(timed.now())
        timed.jobs_have_run()
    timed.advance(8 * DAY)
    timed.wait_until_gone(doomed)
    timed.kms.cancel_key_deletion(KeyId=hesitant)
    # Into the month after the next one, so that a whole month is among them.
    timed.advance(((made.replace(day=1) + timedelta(days=70)) - timed.now()).total_seconds() + DAY)
    now, month = timed.now(), made.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    told = []
    for _ in range(3):
        found = keys_of(timed, month_of(month))
        first, second = (within(rotation, now, month) for rotation in rotations[:2])
        expected = {
            (REGION, kept): (within(made, now, month), first, second),
            (ELSEWHERE, kept): (within(replicated, now, month), first, second),
            (REGION, doomed): (within(made, replicated, month), 0, 0),
            (REGION, hesitant): (within(made, now, month), 0, 0),
        }
        for key, hours in expected.items():
            assert found.get(key, (0, 0, 0)) == hours, (month, key)
        told.append(found[REGION, kept][0])
        month = (month + timedelta(days=32)).replace(day=1)
    # The second of them is whole.
    assert told[1] % 24 == 0 and told[1] >= 28 * 24

"""LookupEvents: what happened in an account and a Region, found by any attribute, the newest first, at once."""

import datetime
import json
import os
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError

import journal
import keystead
from conftest import client_of
from identities import NO_IDENTITY_POLICY, User, allow, session_client, unique
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from signing import CONTENT_TYPE
from test_cli import CLI

TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
ELSEWHERE = "eu-central-1"
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture(name="cloudtrail", scope="module")
def fixture_cloudtrail(server):
    """CloudTrail, called by the account's root user."""
    return client_of(server, server.root_credentials(), "cloudtrail")


def by(name, value):
    """The parameter for one attribute."""
    return {"LookupAttributes": [{"AttributeKey": name, "AttributeValue": value}]}


def events(cloudtrail, name, value, **more):
    """All events with an attribute, page by page."""
    pages = cloudtrail.get_paginator("lookup_events").paginate(**by(name, value), **more)
    return [event for page in pages for event in page["Events"]]


def id_of(answer):
    """The request id of an answer."""
    return answer["ResponseMetadata"]["RequestId"]


def test_an_event_is_there_when_its_call_is_answered(server, kms, cloudtrail, key, record_of):
    answer = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    record = record_of(id_of(answer))
    event, = cloudtrail.lookup_events(**by("EventId", record["eventID"]))["Events"]
    assert json.loads(event.pop("CloudTrailEvent")) == record
    happened = datetime.datetime.fromisoformat(record["eventTime"])
    assert event.pop("EventTime") == happened
    assert event == {
        "EventId": record["eventID"], "EventName": "Encrypt", "ReadOnly": "true",
        "AccessKeyId": server.root_credentials()[0], "EventSource": "kms.amazonaws.com",
        "Username": "root",
        "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": key["Arn"]}],
    }


def test_each_attribute_finds_the_event(server, iam, cloudtrail, key):
    user = User(server, iam).may(allow("kms:DisableKey"))
    answer = user.client().disable_key(KeyId=key["KeyId"])
    for name, value in {
        "EventName": "DisableKey", "ReadOnly": "false", "Username": user.name,
        "ResourceType": "AWS::KMS::Key", "ResourceName": key["Arn"],
        "EventSource": "kms.amazonaws.com", "AccessKeyId": user.credentials[0],
    }.items():
        newest = cloudtrail.lookup_events(MaxResults=5, **by(name, value))["Events"]
        told = [json.loads(event["CloudTrailEvent"])["requestID"] for event in newest]
        assert id_of(answer) in told, name
    for name in ("EventName", "Username", "ResourceName", "AccessKeyId", "EventId"):
        assert not events(cloudtrail, name, "disablekey"), name


def test_a_session_is_found_by_its_name_and_iam_by_what_it_is_about(server, iam, cloudtrail):
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                            "Action": "sts:AssumeRole"}]}
    role, session = unique("role"), unique("session")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    user = User(server, iam).may(allow("sts:AssumeRole"))
    made = user.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
    session_client(server, made, "sts").get_caller_identity()
    assert [event["EventName"] for event in events(cloudtrail, "Username", session)] == [
        "GetCallerIdentity"]
    assert [event["EventName"] for event in events(cloudtrail, "AccessKeyId", made["AccessKeyId"])] == [
        "GetCallerIdentity"]
    assert "CreateRole" in [event["EventName"] for event in events(cloudtrail, "ResourceName", role)]
    assert "AssumeRole" in [event["EventName"] for event in events(cloudtrail, "ResourceName", arn)]


def test_pages_tell_everything_once_and_the_newest_first(kms, cloudtrail, key):
    ids = [id_of(kms.describe_key(KeyId=key["KeyId"])) for _ in range(120)]
    found, more, pages_count = [], {}, 0
    while True:
        page = cloudtrail.lookup_events(**by("ResourceName", key["Arn"]), **more)
        assert len(page["Events"]) <= 50
        found += page["Events"]
        pages_count += 1
        if "NextToken" not in page:
            break
        # What happens meanwhile is newer than all that is still to come.
        kms.describe_key(KeyId=key["KeyId"])
        more = {"NextToken": page["NextToken"]}
    told = [json.loads(event["CloudTrailEvent"])["requestID"] for event in found]
    assert [request_id for request_id in told if request_id in ids] == ids[::-1]
    assert len(set(told)) == len(told) == 121 and pages_count == 3
    times = [event["EventTime"] for event in found]
    assert times == sorted(times, reverse=True)
    assert len(cloudtrail.lookup_events(MaxResults=7)["Events"]) == 7


def test_a_token_is_good_for_its_own_parameters(kms, cloudtrail, key, other, server,
                                                other_credentials, refused):
    for _ in range(3):
        kms.describe_key(KeyId=key["KeyId"])
    sought = by("ResourceName", key["Arn"])
    token = cloudtrail.lookup_events(MaxResults=1, **sought)["NextToken"]
    assert cloudtrail.lookup_events(MaxResults=2, NextToken=token, **sought)["Events"]
    with refused("InvalidNextTokenException"):
        cloudtrail.lookup_events(NextToken=token, **by("EventName", "DescribeKey"))
    with refused("InvalidNextTokenException"):
        cloudtrail.lookup_events(NextToken="x" + token, **sought)
    elsewhere = client_of(server, other_credentials, "cloudtrail")
    with refused("InvalidNextTokenException"):
        elsewhere.lookup_events(NextToken=token, **sought)


def test_an_account_and_a_region_see_their_own_events(server, kms, other, other_credentials,
                                                      cloudtrail, client):
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    made = other.create_key()["KeyMetadata"]["Arn"]
    far = client(ELSEWHERE).create_key()["KeyMetadata"]["Arn"]
    others = client_of(server, other_credentials, "cloudtrail")
    distant = client_of(server, server.root_credentials(), "cloudtrail", ELSEWHERE)
    assert [event["EventName"] for event in events(others, "ResourceName", made)] == ["CreateKey"]
    assert [event["EventName"] for event in events(distant, "ResourceName", far)] == ["CreateKey"]
    assert not events(cloudtrail, "ResourceName", made)
    assert not events(cloudtrail, "ResourceName", far)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    assert not events(others, "ResourceName", arn) and not events(distant, "ResourceName", arn)
    for page in (others.lookup_events(), distant.lookup_events()):
        assert page["Events"]
    for event in others.lookup_events()["Events"]:
        assert json.loads(event["CloudTrailEvent"])["recipientAccountId"] == OTHER_ACCOUNT
    for event in distant.lookup_events()["Events"]:
        assert json.loads(event["CloudTrailEvent"])["awsRegion"] == ELSEWHERE


def test_times_are_inclusive_and_in_order(kms, cloudtrail, key, refused):
    kms.describe_key(KeyId=key["KeyId"])
    event = events(cloudtrail, "ResourceName", key["Arn"])[0]
    happened = event["EventTime"]

    def between(start, end):
        found = events(cloudtrail, "ResourceName", key["Arn"], StartTime=start, EndTime=end)
        return event["EventId"] in {each["EventId"] for each in found}
    assert between(happened, happened)
    assert between(happened - 89 * DAY, happened + HOUR)
    assert between(happened - 400 * DAY, happened)
    assert not between(happened - HOUR, happened - datetime.timedelta(seconds=1))
    assert not between(happened + datetime.timedelta(seconds=1), happened + HOUR)
    with refused("InvalidTimeRangeException"):
        cloudtrail.lookup_events(StartTime=happened, EndTime=happened - HOUR)


def test_what_aws_refuses_is_refused(server, cloudtrail, refused, caller):
    with refused("InvalidLookupAttributesException"):
        cloudtrail.lookup_events(LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": "Encrypt"},
            {"AttributeKey": "ReadOnly", "AttributeValue": "true"}])
    assert cloudtrail.lookup_events(EventCategory="insight")["Events"] == []
    for body, code in [({"LookupAttributes": [{"AttributeKey": "X", "AttributeValue": "y"}]}, "ValidationException"),
                       ({"LookupAttributes": [{"AttributeKey": "EventId"}]}, "ValidationException"),
                       ({"MaxResults": 51}, "ValidationException"),
                       ({"MaxResults": 0}, "ValidationException"),
                       ({"EventCategory": "data"}, "ValidationException"),
                       ({"MaxResults": "x"}, "SerializationException")]:
        assert call(caller, "LookupEvents", body).error == code, body
    assert call(caller, "DescribeFish").error == "UnknownOperationException"
    # The scope must be CloudTrail's.
    assert call(caller, "LookupEvents", scope={"service": "kms"}).error == "InvalidSignatureException"


def call(caller, operation, parameters=None, scope=None):
    """Calls CloudTrail by hand."""
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", TARGET + operation)]
    return caller.send(caller.request(body=json.dumps(parameters or {}).encode(), headers=headers,
                                      scope=scope or {"service": "cloudtrail"}))


def test_a_user_needs_the_permission_and_the_look_up_is_recorded(server, iam, refused, record_of):
    user = User(server, iam)
    denial = (f"User: {user.arn} is not authorized to perform: cloudtrail:LookupEvents on resource: * "
              + NO_IDENTITY_POLICY.format("cloudtrail:LookupEvents"))
    with refused("AccessDeniedException", denial):
        user.client("cloudtrail").lookup_events()
    user.may(allow("cloudtrail:LookupEvents"))
    answer = user.client("cloudtrail").lookup_events(MaxResults=1, **by("Username", user.name))
    assert answer["Events"][0]["EventName"] == "LookupEvents"
    assert "errorCode" in json.loads(answer["Events"][0]["CloudTrailEvent"])
    record = record_of(id_of(answer))
    assert (record["eventSource"], record["eventName"], record["readOnly"]) == (
        "cloudtrail.amazonaws.com", "LookupEvents", True)
    assert record["requestParameters"] == {
        "maxResults": 1,
        "lookupAttributes": [{"attributeKey": "Username", "attributeValue": user.name}]}
    assert record["responseElements"] is None


def test_look_ups_have_a_quota_of_their_own(tmp_path):
    server = keystead.Server(tmp_path / "data", "--request-quotas", "enforced")
    cloudtrail = client_of(server, server.root_credentials(), "cloudtrail")
    with pytest.raises(ClientError) as caught:
        for _ in range(20):
            cloudtrail.lookup_events()
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    assert caught.value.response["Error"]["Message"] == "Rate exceeded"
    assert client_of(server, server.root_credentials(), "cloudtrail", ELSEWHERE).lookup_events()
    assert server.stop() == 0


def test_events_outlive_a_restart_and_the_loss_of_the_index(own_server):
    kms = client_of(own_server, own_server.root_credentials())
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    assert own_server.stop() == 0
    shutil.rmtree(own_server.directory / "journal-index")
    own_server.start()
    cloudtrail = client_of(own_server, own_server.root_credentials(), "cloudtrail")
    assert [event["EventName"] for event in events(cloudtrail, "ResourceName", arn)] == ["CreateKey"]


def test_what_nobody_signed_is_in_nobodys_events(server, caller, cloudtrail):
    answer = caller.call("ListKeys", edit=lambda text: text[:-64] + "0" * 64)
    refusal = [record for record in journal.records(server.directory / "journal")
               if record.get("requestID") == answer.headers["x-amzn-requestid"]]
    assert len(refusal) == 1
    assert not events(cloudtrail, "EventId", refusal[0]["eventID"])


def test_the_cli_looks_up(server, kms, key, tmp_path):
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_DEFAULT_REGION": REGION,
                   "AWS_SHARED_CREDENTIALS_FILE": str(server.credentials_file),
                   "AWS_ENDPOINT_URL_CLOUDTRAIL": server.endpoint}
    done = subprocess.run(
        [CLI if CLI.is_file() else "aws", "cloudtrail", "lookup-events", "--max-items", "3", "--lookup-attributes",
         f"AttributeKey=ResourceName,AttributeValue={key['Arn']}"],
        env=environment, text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Events"][0]["EventName"] == "Encrypt"

"""OIDC providers of IAM: made, told, changed, tagged and deleted."""

import pytest

from identities import NO_IDENTITY_POLICY, User, allow, denied, unique
from keystead import ACCOUNT


def arn_of(url):
    """The ARN of a provider."""
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{url.removeprefix('https://')}"


@pytest.fixture
def provider(iam):
    """`provider(**more)`: the ARN of a new provider."""
    made = []

    def make(url=None, **more):
        url = url or f"https://{unique('issuer')}.example.com/id"
        answer = iam.create_open_id_connect_provider(Url=url, **more)
        made.append(answer["OpenIDConnectProviderArn"])
        return made[-1]
    yield make
    for arn in made:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def told(iam, arn):
    """What GetOpenIDConnectProvider tells."""
    answer = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_provider_is_told_as_it_was_made(iam, provider):
    url = f"https://{unique('issuer')}.example.com:8443/realms/a"
    prints = ["b" * 40, "A" * 40]
    arn = provider(url, ClientIDList=["sts.amazonaws.com", "app"], ThumbprintList=prints,
                   Tags=[{"Key": "Team", "Value": "blue"}])
    assert arn == arn_of(url)
    found = told(iam, arn)
    assert found["Url"] == url.removeprefix("https://")
    assert sorted(found["ClientIDList"]) == ["app", "sts.amazonaws.com"]
    assert found["ThumbprintList"] == prints
    assert found["Tags"] == [{"Key": "Team", "Value": "blue"}]
    assert found["CreateDate"].microsecond == 0
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert arn in [entry["Arn"] for entry in listed]


def test_a_provider_may_have_neither_client_ids_nor_thumbprints(iam, provider):
    found = told(iam, provider())
    assert found["ClientIDList"] == [] and found["ThumbprintList"] == []


def test_client_ids_are_added_and_removed_any_number_of_times(iam, provider):
    arn = provider(ClientIDList=["one"])
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
        assert told(iam, arn)["ClientIDList"] == ["one", "two"]
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn,
                                                           ClientID="one")
        assert told(iam, arn)["ClientIDList"] == ["two"]


def test_a_client_id_and_a_thumbprint_may_be_the_same_text(iam, provider):
    arn = provider(ClientIDList=["a" * 40], ThumbprintList=["a" * 40])
    found = told(iam, arn)
    assert found["ClientIDList"] == found["ThumbprintList"] == ["a" * 40]


def test_thumbprints_are_replaced_in_their_order(iam, provider):
    arn = provider(ThumbprintList=["a" * 40, "b" * 40])
    for prints in (["b" * 40, "a" * 40], ["c" * 40], []):
        iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn,
                                                       ThumbprintList=prints)
        assert told(iam, arn)["ThumbprintList"] == prints


def test_tags_are_added_listed_and_taken_away(iam, provider):
    arn = provider()
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[
        {"Key": "Team", "Value": "blue"}, {"Key": "Stage", "Value": "test"}])
    page = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn, MaxItems=1)
    assert page["IsTruncated"] and len(page["Tags"]) == 1
    rest = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn,
                                                  Marker=page["Marker"])
    assert {tag["Key"] for tag in page["Tags"] + rest["Tags"]} == {"Team", "Stage"}
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["team"])
    assert told(iam, arn)["Tags"] == [{"Key": "Stage", "Value": "test"}]


def test_a_url_is_taken_once(provider, refused):
    url = f"https://{unique('issuer')}.example.com"
    provider(url)
    with refused("EntityAlreadyExists", f"Provider with url {url} already exists.", 409):
        provider(url)


@pytest.mark.parametrize("url", [
    "http://issuer.example.com", "issuer.example.com", "https://", "https:///id",
    "https://issuer.example.com?query=1", "https://user@issuer.example.com",
    'https://issuer.example.com/"', "https://issuer.example.com:0"])
def test_a_url_must_be_one_of_an_issuer(provider, refused, url):
    with refused("ValidationError", "Invalid Open ID Connect Provider URL"):
        provider(url)


def test_limits_are_awss(iam, provider, refused):
    with refused("InvalidInput", "Thumbprint list must contain fewer than 5 entries."):
        provider(ThumbprintList=[f"{number:040x}" for number in range(6)])
    with refused("InvalidInput", "Thumbprints must be hexadecimal."):
        provider(ThumbprintList=["z" * 40])
    too_many = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
    with refused("LimitExceeded", too_many, 409):
        provider(ClientIDList=[str(number) for number in range(101)])
    arn = provider(ClientIDList=[str(number) for number in range(100)])
    with refused("LimitExceeded", too_many, 409):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="100")


def test_a_provider_that_is_not_there_is_told_so_and_can_be_deleted(iam, refused):
    arn = arn_of(unique("issuer"))
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404):
        told(iam, arn)
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def test_providers_are_the_accounts_own(iam, provider, refused):
    arn = provider().replace(ACCOUNT, "999999999999")
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404):
        told(iam, arn)


def test_users_need_permission_for_each_provider_and_for_tags(server, iam, provider):
    arn = provider()
    user = User(server, iam).may(allow("iam:GetOpenIDConnectProvider", arn),
                                 allow("iam:CreateOpenIDConnectProvider"))
    assert told(user.client("iam"), arn)["ClientIDList"] == []
    with denied("iam:GetOpenIDConnectProvider",
                NO_IDENTITY_POLICY.format("iam:GetOpenIDConnectProvider")):
        told(user.client("iam"), provider())
    with denied("iam:TagOpenIDConnectProvider",
                NO_IDENTITY_POLICY.format("iam:TagOpenIDConnectProvider")):
        user.client("iam").create_open_id_connect_provider(
            Url=f"https://{unique('issuer')}.example.com", Tags=[{"Key": "a", "Value": "b"}])


def test_account_summary_counts_providers(iam, provider):
    before = iam.get_account_summary()["SummaryMap"]["Providers"]
    provider()
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == before + 1

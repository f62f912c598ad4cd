"""What grants allow, grants of grants, tokens, and the end of grants."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

import keystead
from conftest import client_of, policy, root_of, statement
from granting import KINDS, OTHER, ROOT, THIRD, THIRD_ACCOUNT, grant, ids, listed
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION
from related import REPLICA
from timed import DAY

NO_TOKEN = "The grant token is invalid."


@pytest.fixture(scope="module")
def third(server):
    """The root user of a third account."""
    credentials = ("AKIATHIRDEXAMPLE0001", "thirdSecretOfTheThirdAccountRootUser0001")
    made = keystead.run("account", "create", THIRD_ACCOUNT, "--data-dir", server.directory,
                        "--access-key-id", credentials[0], "--secret-access-key", credentials[1])
    assert made.returncode == 0, made.stderr
    return client_of(server, credentials)


@pytest.fixture(autouse=True)
def accounts(other_credentials):
    """Grantees must exist."""
    return other_credentials


# What a grant allows.


def use(client, key, operation, made):
    """Calls what a grant operation is about; `made` is what the key's owner made before."""
    arn, message = key["Arn"], b"message"
    calls = {
        "Encrypt": lambda: client.encrypt(KeyId=arn, Plaintext=message),
        "Decrypt": lambda: client.decrypt(KeyId=arn, CiphertextBlob=made["blob"]),
        "GenerateDataKey": lambda: client.generate_data_key(KeyId=arn, KeySpec="AES_256"),
        "GenerateDataKeyWithoutPlaintext":
            lambda: client.generate_data_key_without_plaintext(KeyId=arn, KeySpec="AES_256"),
        "GenerateDataKeyPair":
            lambda: client.generate_data_key_pair(KeyId=arn, KeyPairSpec="ECC_NIST_P256"),
        "GenerateDataKeyPairWithoutPlaintext":
            lambda: client.generate_data_key_pair_without_plaintext(KeyId=arn,
                                                                    KeyPairSpec="ECC_NIST_P256"),
        "ReEncryptFrom": lambda: client.re_encrypt(SourceKeyId=arn, CiphertextBlob=made["blob"],
                                                   DestinationKeyId=made["own"]),
        "ReEncryptTo": lambda: client.re_encrypt(CiphertextBlob=made["own_blob"],
                                                 DestinationKeyId=arn),
        "DescribeKey": lambda: client.describe_key(KeyId=arn),
        "CreateGrant": lambda: grant(client, key, grantee=THIRD, *made["operations"]),
        "Sign": lambda: client.sign(KeyId=arn, Message=message, SigningAlgorithm="ECDSA_SHA_256"),
        "Verify": lambda: client.verify(KeyId=arn, Message=message, Signature=made["signature"],
                                        SigningAlgorithm="ECDSA_SHA_256"),
        "GetPublicKey": lambda: client.get_public_key(KeyId=arn),
        "GenerateMac": lambda: client.generate_mac(KeyId=arn, Message=message,
                                                   MacAlgorithm="HMAC_SHA_256"),
        "VerifyMac": lambda: client.verify_mac(KeyId=arn, Message=message, Mac=made["mac"],
                                               MacAlgorithm="HMAC_SHA_256"),
        "DeriveSharedSecret":
            lambda: client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm="ECDH",
                                                PublicKey=made["public_key"]),
        "Encapsulate": lambda: client.encapsulate(KeyId=arn, EncapsulationAlgorithm="ML_KEM"),
        "Decapsulate":
            lambda: client.decapsulate(KeyId=arn, EncapsulationAlgorithm="ML_KEM",
                                       SharedSecretCiphertextBlob=made["encapsulated"]),
    }
    return calls[operation]


def prepared(kms, other, key, operations):
    """What the operations need, made by those who may."""
    arn, usage, made = key["Arn"], key["KeyUsage"], {"operations": operations}
    if usage == "ENCRYPT_DECRYPT":
        made["blob"] = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
        made["own"] = other.create_key()["KeyMetadata"]["Arn"]
        made["own_blob"] = other.encrypt(KeyId=made["own"], Plaintext=b"x")["CiphertextBlob"]
    elif usage == "SIGN_VERIFY":
        made["signature"] = kms.sign(KeyId=arn, Message=b"message",
                                     SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    elif usage == "GENERATE_VERIFY_MAC":
        made["mac"] = kms.generate_mac(KeyId=arn, Message=b"message",
                                       MacAlgorithm="HMAC_SHA_256")["Mac"]
    elif usage == "KEY_AGREEMENT":
        made["public_key"] = kms.get_public_key(KeyId=arn)["PublicKey"]
    else:
        made["encapsulated"] = kms.encapsulate(
            KeyId=arn, EncapsulationAlgorithm="ML_KEM")["SharedSecretCiphertextBlob"]
    return made


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_a_grant_allows_each_of_its_operations_and_no_other(kms, other, third, refused, kind):
    operations = KINDS[kind]
    key = kms.create_key(KeySpec=kind[0], KeyUsage=kind[1])["KeyMetadata"]
    made = prepared(kms, other, key, operations)
    for granted in operations:
        one = grant(kms, key, granted)
        for asked in operations:
            made["operations"] = [granted]
            with refused("AccessDeniedException"):
                use(third, key, asked, {**made, "own": key["Arn"]})()
            if asked == granted:
                use(other, key, asked, made)()
            else:
                with refused("AccessDeniedException"):
                    use(other, key, asked, made)()
        kms.revoke_grant(KeyId=key["KeyId"], GrantId=one["GrantId"])
        for child in listed(kms, key):
            kms.revoke_grant(KeyId=key["KeyId"], GrantId=child["GrantId"])
        with refused("AccessDeniedException"):
            use(other, key, granted, made)()


def test_a_grant_counts_in_its_own_account_too(kms, denied, key):
    kms.put_key_policy(KeyId=key["KeyId"], BypassPolicyLockoutSafetyCheck=True,
                       Policy=policy(statement(ROOT, ["kms:CreateGrant", "kms:RevokeGrant"])))
    with denied(ACCOUNT, "Encrypt", key):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    one = grant(kms, key, "Encrypt", grantee=ROOT)
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=one["GrantId"])
    with denied(ACCOUNT, "Encrypt", key):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_a_denial_beats_a_grant(kms, other, refused, key):
    grant(kms, key, "Encrypt")
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT), statement(OTHER, "kms:Encrypt", effect="Deny")))
    with refused("AccessDeniedException",
                 f"User: {OTHER} is not authorized to perform: kms:Encrypt on resource: "
                 f"{key['Arn']} with an explicit deny in a resource-based policy"):
        other.encrypt(KeyId=key["Arn"], Plaintext=b"x")


def test_a_ciphertext_alone_finds_its_grant(kms, other, refused, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        other.decrypt(CiphertextBlob=blob)
    grant(kms, key, "Decrypt")
    assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


CONTEXTS = [{}, {"a": "1"}, {"a": "1", "b": "2"}, {"a": "2"}, {"A": "1"}, {"a": "1", "b": "3"}]


@pytest.mark.parametrize(("kind", "wanted"), [
    *product(("EncryptionContextEquals", "EncryptionContextSubset"), CONTEXTS[1:3]),
    ("EncryptionContextEquals", {}),
])
def test_constraints_bind_the_encryption_context(kms, other, refused, key, kind, wanted):
    grant(kms, key, "Encrypt", "DescribeKey", Constraints={kind: wanted})
    for context in CONTEXTS:
        holds = wanted == context if kind.endswith("Equals") else wanted.items() <= context.items()
        parameters = {"KeyId": key["Arn"], "Plaintext": b"x", "EncryptionContext": context}
        if holds:
            other.encrypt(**parameters)
        else:
            with refused("AccessDeniedException"):
                other.encrypt(**parameters)
    other.describe_key(KeyId=key["Arn"])


# Grants of grants.


def test_a_grantee_hands_on_no_more_than_it_has(kms, other, third, denied, key):
    with denied(OTHER_ACCOUNT, "CreateGrant", key):
        grant(other, key, "Encrypt", grantee=THIRD)
    subset = {"EncryptionContextSubset": {"a": "1"}}
    parent = grant(kms, key, "Encrypt", "CreateGrant", Constraints=subset)
    for operations, constraints in [
            (["Encrypt", "Decrypt"], subset), (["Encrypt"], {}),
            (["Encrypt"], {"EncryptionContextSubset": {"a": "2"}}),
            (["Encrypt"], {"EncryptionContextEquals": {"b": "1"}}),
            (["Encrypt", "RetireGrant"], subset)]:
        with denied(OTHER_ACCOUNT, "CreateGrant", key):
            grant(other, key, *operations, grantee=THIRD, Constraints=constraints)
    strict = {"EncryptionContextEquals": {"a": "1", "b": "2"}}
    child = grant(other, key, "Encrypt", grantee=THIRD, Constraints=strict)
    told = listed(kms, key, GrantId=child["GrantId"])[0]
    assert (told["IssuingAccount"], told["Constraints"]) == (OTHER, strict)
    third.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1", "b": "2"})
    with denied(THIRD_ACCOUNT, "Encrypt", key):
        third.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1"})
    with denied(THIRD_ACCOUNT, "CreateGrant", key):
        grant(third, key, "Encrypt", grantee=OTHER, Constraints=strict)
    # The child stands by itself.
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=parent["GrantId"])
    third.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1", "b": "2"})
    with denied(OTHER_ACCOUNT, "CreateGrant", key):
        grant(other, key, "Encrypt", grantee=THIRD, Constraints=strict)


def test_who_may_make_grants_by_policy_may_grant_what_he_may_not_do(kms, other, third, denied, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT), statement(OTHER, "kms:CreateGrant")))
    grant(other, key, "Encrypt", grantee=THIRD)
    third.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    with denied(OTHER_ACCOUNT, "Encrypt", key):
        other.encrypt(KeyId=key["Arn"], Plaintext=b"x")


# The same grant twice.


def test_a_named_grant_is_made_once(kms, key):
    subset = {"EncryptionContextSubset": {"a": "1"}}
    first = grant(kms, key, "Encrypt", "Decrypt", Name="one", Constraints=subset)
    again = grant(kms, key, "Decrypt", "Encrypt", "Decrypt", Name="one", Constraints=subset)
    assert again["GrantId"] == first["GrantId"]
    others = [grant(kms, key, "Encrypt", Name="one", Constraints=subset),
              grant(kms, key, "Encrypt", "Decrypt", Name="one"),
              grant(kms, key, "Encrypt", "Decrypt", Name="two", Constraints=subset),
              grant(kms, key, "Encrypt", "Decrypt", Name="one", Constraints=subset, grantee=ROOT),
              grant(kms, key, "Encrypt", "Decrypt", Name="one", Constraints=subset,
                    RetiringPrincipal=ROOT)]
    assert len({first["GrantId"], *ids(others)}) == 6
    assert sorted(ids(listed(kms, key))) == sorted([first["GrantId"], *ids(others)])


def test_a_named_grant_is_made_once_by_many_at_once(kms, key):
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: grant(kms, key, "Encrypt", Name="one")["GrantId"], range(64)))
    assert ids(listed(kms, key)) == [made[0]]
    assert set(made) == {made[0]}


def test_a_name_belongs_to_its_key(kms, key):
    second = kms.create_key()["KeyMetadata"]
    made = [grant(kms, one, "Encrypt", Name="one") for one in (key, second)]
    assert made[0]["GrantId"] != made[1]["GrantId"]


def test_grants_without_names_are_new_each_time(kms, key):
    made = {grant(kms, key, "Encrypt")["GrantId"] for _ in range(3)}
    assert len(made) == 3


# Grant tokens.


def flipped(token):
    """The token with each of its characters changed, one after the other."""
    for place, character in enumerate(token):
        yield f"{token[:place]}{'A' if character != 'A' else 'B'}{token[place + 1:]}"


def test_a_token_is_accepted_and_adds_nothing(kms, other, denied, refused, key):
    second = kms.create_key()["KeyMetadata"]
    made = grant(kms, key, "Encrypt")
    tokens = {"GrantTokens": [made["GrantToken"]]}
    other.encrypt(KeyId=key["Arn"], Plaintext=b"x", **tokens)
    kms.encrypt(KeyId=key["Arn"], Plaintext=b"x", **tokens)
    with denied(OTHER_ACCOUNT, "Encrypt", second):
        other.encrypt(KeyId=second["Arn"], Plaintext=b"x", **tokens)
    with denied(OTHER_ACCOUNT, "DescribeKey", key):
        other.describe_key(KeyId=key["Arn"], **tokens)
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    with denied(OTHER_ACCOUNT, "Encrypt", key):
        other.encrypt(KeyId=key["Arn"], Plaintext=b"x", **tokens)


def test_a_forged_token_is_refused(kms, other, refused, key):
    token = grant(kms, key, "Encrypt")["GrantToken"]
    for forged in [*flipped(token), token[:-1], token + "A", "x", token + "="]:
        with refused("InvalidGrantTokenException", NO_TOKEN):
            other.encrypt(KeyId=key["Arn"], Plaintext=b"x", GrantTokens=[token, forged])
    for forged in list(flipped(token))[::9]:
        with refused("InvalidGrantTokenException", NO_TOKEN):
            other.retire_grant(GrantToken=forged)
    assert len(listed(kms, key)) == 1


def test_a_token_is_good_for_five_minutes(timed, refused):
    kms = timed.kms
    key = kms.create_key()["KeyMetadata"]
    made = grant(kms, key, "Encrypt", grantee=ROOT)
    timed.advance(299)
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    timed.advance(2)
    with refused("InvalidGrantTokenException", NO_TOKEN):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=[made["GrantToken"]])
    with refused("InvalidGrantTokenException", NO_TOKEN):
        kms.retire_grant(GrantToken=made["GrantToken"])


# The end of grants.


@pytest.mark.parametrize("by_token", [True, False])
def test_a_grant_is_retired_once(kms, other, refused, key, by_token):
    made = grant(kms, key, "Encrypt", RetiringPrincipal=OTHER)
    names = ({"GrantToken": made["GrantToken"]} if by_token
             else {"KeyId": key["Arn"], "GrantId": made["GrantId"]})
    with refused("DryRunOperationException", status=400):
        other.retire_grant(DryRun=True, **names)
    other.retire_grant(**names)
    with refused("AccessDeniedException"):
        other.encrypt(KeyId=key["Arn"], Plaintext=b"x")
    with refused("NotFoundException", f"Grant ID {made['GrantId']} not found"):
        kms.retire_grant(**names)


def test_who_may_retire_a_grant(kms, other, third, denied, refused, key):
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT), statement(OTHER, "kms:CreateGrant"), statement(THIRD, "kms:RetireGrant")))

    def retire(client, made):
        client.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])

    # Not the grantee, nor whom the key policy allows it, nor the key's account if it did not make the grant.
    made = grant(other, key, "Encrypt", grantee=THIRD)
    for client, account in ((third, THIRD_ACCOUNT), (kms, ACCOUNT)):
        with denied(account, "RetireGrant", key):
            retire(client, made)
        with denied(account, "RetireGrant", key):
            client.retire_grant(GrantToken=made["GrantToken"])
    retire(other, made)
    # The grantee if the grant says so, and the retiring principal.
    retire(third, grant(other, key, "Encrypt", "RetireGrant", grantee=THIRD))
    retire(third, grant(other, key, "Encrypt", grantee=ROOT, RetiringPrincipal=THIRD))
    # Unless a policy denies it.
    made = grant(kms, key, "Encrypt", RetiringPrincipal=OTHER)
    kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
        statement(ROOT), statement(OTHER, "kms:RetireGrant", effect="Deny")))
    with refused("AccessDeniedException"):
        retire(other, made)
    assert ids(listed(kms, key)) == [made["GrantId"]]


def test_strangers_learn_nothing_of_grants(kms, other, denied, key, unknown_key_arn):
    made = grant(kms, key, "Encrypt", grantee=ROOT)
    for grant_id in (made["GrantId"], "0" * 64):
        for operation in ("retire", "revoke"):
            with denied(OTHER_ACCOUNT, f"{operation.title()}Grant", key):
                getattr(other, f"{operation}_grant")(KeyId=key["Arn"], GrantId=grant_id)
    with denied(OTHER_ACCOUNT, "RetireGrant", {"Arn": unknown_key_arn}):
        other.retire_grant(KeyId=unknown_key_arn, GrantId=made["GrantId"])
    with denied(OTHER_ACCOUNT, "ListGrants", key):
        other.list_grants(KeyId=key["Arn"])


def test_a_grant_is_revoked_once(kms, refused, key):
    made = grant(kms, key, "Encrypt")
    for _ in range(2):
        with refused("DryRunOperationException", status=400):
            kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=True)
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    for dry_run in (True, False):
        with refused("NotFoundException", f"Grant ID {made['GrantId']} not found"):
            kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=dry_run)


def test_a_grant_belongs_to_its_key(kms, refused, key):
    made, second = grant(kms, key, "Encrypt"), kms.create_key()["KeyMetadata"]
    for retire in (kms.retire_grant, kms.revoke_grant):
        with refused("NotFoundException"):
            retire(KeyId=second["KeyId"], GrantId=made["GrantId"])
    assert ids(listed(kms, key)) == [made["GrantId"]]


@pytest.mark.parametrize("grant_id", ["x", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_malformed_grant_ids(kms, refused, key, grant_id):
    for call in (kms.retire_grant, kms.revoke_grant, kms.list_grants):
        with refused("InvalidGrantIdException"):
            call(KeyId=key["KeyId"], GrantId=grant_id)


@pytest.mark.parametrize("members", [
    {}, {"KeyId": "x"}, {"GrantId": "0" * 64}, {"GrantToken": "x", "KeyId": "x"},
    {"GrantToken": "x", "KeyId": "x", "GrantId": "0" * 64}])
def test_a_grant_is_retired_by_token_or_by_key_and_id(kms, refused, members):
    with refused("ValidationException"):
        kms.retire_grant(**members)


# Keys and grants.


def test_grants_of_related_keys_are_independent(client, other_credentials, server, pair, refused):
    arns = {region: client(region).describe_key(KeyId=pair.key_id)["KeyMetadata"]["Arn"]
            for region in (REGION, REPLICA)}
    client(REGION).create_grant(KeyId=pair.key_id, GranteePrincipal=OTHER, Operations=["Encrypt"])
    others = {region: client_of(server, other_credentials, region=region) for region in arns}
    others[REGION].encrypt(KeyId=arns[REGION], Plaintext=b"x")
    with refused("AccessDeniedException"):
        others[REPLICA].encrypt(KeyId=arns[REPLICA], Plaintext=b"x")
    assert client(REPLICA).list_grants(KeyId=pair.key_id)["Grants"] == []


def test_a_key_that_is_back_from_deletion_has_no_grants(timed, refused):
    """A replica that is made again has its old id and none of its old grants, also none in memory."""
    there = timed.client(REPLICA)
    key_id = timed.kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    manage = policy(statement(ROOT, ["kms:CreateGrant", "kms:DescribeKey", "kms:PutKeyPolicy",
                                     "kms:ScheduleKeyDeletion"]))

    def replicate():
        timed.kms.replicate_key(KeyId=key_id, ReplicaRegion=REPLICA, Policy=manage)
        timed.wait_for_state(key_id, "Enabled", REPLICA)

    replicate()
    there.create_grant(KeyId=key_id, GranteePrincipal=ROOT, Operations=["Encrypt"])
    there.encrypt(KeyId=key_id, Plaintext=b"x")
    there.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    timed.advance(8 * DAY)
    timed.wait_until_gone(key_id, REPLICA)
    replicate()
    with refused("AccessDeniedException"):
        there.encrypt(KeyId=key_id, Plaintext=b"x")


def test_grants_outlive_a_restart(own_server, refused):
    kms = client_of(own_server, own_server.root_credentials())
    key = kms.create_key(Policy=policy(statement(ROOT, ["kms:*Grant*", "kms:PutKeyPolicy"])))
    key = key["KeyMetadata"]
    kept, gone = (grant(kms, key, operation, grantee=ROOT)
                  for operation in ("Encrypt", "GenerateDataKey"))
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=gone["GrantId"])
    own_server.kill()
    own_server.start()
    kms = client_of(own_server, own_server.root_credentials())
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", GrantTokens=[kept["GrantToken"]])
    with refused("AccessDeniedException"):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")

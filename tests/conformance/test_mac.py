"""GenerateMac, VerifyMac."""

import hmac
import os

import pytest

import journal
import outside
from conftest import policy, root_of, statement
from keystead import ACCOUNT, OTHER_ACCOUNT, REGION

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
MESSAGE = b"message of the MAC tests"
USAGE = "GENERATE_VERIFY_MAC"
ALGORITHMS = {spec: f"HMAC_SHA_{spec[-3:]}" for spec in outside.HMACS}
SIZES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
HMAC_256 = {"MacAlgorithm": "HMAC_SHA_256"}
# The members of each operation that are right for the HMAC_256 key.
SOUND = {"generate_mac": {"Message": MESSAGE, **HMAC_256},
         "verify_mac": {"Message": MESSAGE, "Mac": b"x" * 32, **HMAC_256}}
NAMES = {"generate_mac": "GenerateMac", "verify_mac": "VerifyMac"}


@pytest.fixture(params=SOUND)
def operation(request, kms):
    """Each of the two operations, its members right for the HMAC_256 key unless told otherwise."""
    def call(key_id, **more):
        return getattr(kms, request.param)(KeyId=key_id, **{**SOUND[request.param], **more})
    call.name = NAMES[request.param]
    return call


@pytest.fixture
def not_verified(kms):
    """`not_verified(key, **parameters)`: VerifyMac refuses the MAC, and says no more than that."""
    def call(key, **parameters):
        with pytest.raises(kms.exceptions.KMSInvalidMacException) as caught:
            kms.verify_mac(KeyId=key["KeyId"], **parameters)
        assert not caught.value.response["Error"].get("Message")
    return call


@pytest.mark.parametrize("key_spec", outside.HMACS)
def test_a_mac_is_made_and_verified(kms, key_of, key_spec):
    key, algorithm = key_of(key_spec, USAGE), ALGORITHMS[key_spec]
    assert key["MacAlgorithms"] == [algorithm]
    parameters = {"KeyId": key["KeyId"], "Message": MESSAGE, "MacAlgorithm": algorithm}
    answer = kms.generate_mac(**parameters)
    answer.pop("ResponseMetadata")
    mac = answer.pop("Mac")
    assert answer == {"KeyId": key["Arn"], "MacAlgorithm": algorithm}
    assert len(mac) == SIZES[key_spec]
    assert kms.generate_mac(**parameters)["Mac"] == mac
    answer = kms.verify_mac(Mac=mac, **parameters)
    answer.pop("ResponseMetadata")
    assert answer == {"KeyId": key["Arn"], "MacValid": True, "MacAlgorithm": algorithm}


@pytest.mark.parametrize("size", [1, 64, 4096])
@pytest.mark.parametrize("key_spec", outside.HMACS)
def test_macs_are_those_of_others(kms, key_spec, size):
    key = kms.create_key(KeySpec=key_spec, KeyUsage=USAGE, Origin="EXTERNAL")["KeyMetadata"]
    secret, message = os.urandom(SIZES[key_spec]), os.urandom(size)
    outside.import_material(kms, key["KeyId"], secret)
    parameters = {"KeyId": key["KeyId"], "Message": message, "MacAlgorithm": ALGORITHMS[key_spec]}
    mac = hmac.new(secret, message, outside.HMACS[key_spec]).digest()
    assert kms.generate_mac(**parameters)["Mac"] == mac
    assert kms.verify_mac(Mac=mac, **parameters)["MacValid"] is True


def test_openssl_makes_the_same_mac(kms, tmp_path):
    key = kms.create_key(KeySpec="HMAC_512", KeyUsage=USAGE, Origin="EXTERNAL")["KeyMetadata"]
    secret = os.urandom(64)
    outside.import_material(kms, key["KeyId"], secret)
    (tmp_path / "message").write_bytes(MESSAGE)
    mac = outside.openssl(tmp_path, "dgst", "-sha512", "-mac", "HMAC", "-macopt", f"hexkey:{secret.hex()}",
                          "-binary", "message")
    assert kms.generate_mac(KeyId=key["KeyId"], Message=MESSAGE, MacAlgorithm="HMAC_SHA_512")["Mac"] == mac


@pytest.mark.parametrize("key_spec", outside.HMACS)
def test_every_changed_mac_is_refused(kms, key_of, not_verified, key_spec):
    key = key_of(key_spec, USAGE)
    parameters = {"Message": MESSAGE, "MacAlgorithm": ALGORITHMS[key_spec]}
    mac = kms.generate_mac(KeyId=key["KeyId"], **parameters)["Mac"]
    for place in range(len(mac)):
        changed = bytearray(mac)
        changed[place] ^= 0x01
        not_verified(key, Mac=bytes(changed), **parameters)
    # A MAC is never taken for its first bytes.
    for odd in (b"\0", mac[:1], mac[:len(mac) // 2], mac[:-1], mac[1:], mac + b"\0", mac * 2, bytes(len(mac)),
                b"x" * 6144):
        not_verified(key, Mac=odd, **parameters)


def test_a_mac_is_of_one_key_and_one_message(kms, not_verified, key_of):
    key = key_of("HMAC_256", USAGE)
    mac = kms.generate_mac(KeyId=key["KeyId"], Message=MESSAGE, **HMAC_256)["Mac"]
    for message in (MESSAGE[:-1], MESSAGE + b"\0", MESSAGE.upper()):
        not_verified(key, Message=message, Mac=mac, **HMAC_256)
    other = kms.create_key(KeySpec="HMAC_256", KeyUsage=USAGE)["KeyMetadata"]
    not_verified(other, Message=MESSAGE, Mac=mac, **HMAC_256)


@pytest.mark.parametrize(("key_spec", "key_usage"), [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("ECC_NIST_P256", "SIGN_VERIFY"), ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")])
def test_only_hmac_keys_make_macs(refused, key_of, operation, key_spec, key_usage):
    key = key_of(key_spec, key_usage)
    with refused("InvalidKeyUsageException",
                 f"{key['Arn']} key usage is {key_usage} which is not valid for {operation.name}."):
        operation(key["KeyId"], DryRun=True)


@pytest.mark.parametrize("key_spec", outside.HMACS)
def test_a_key_has_the_algorithm_of_its_spec(refused, key_of, operation, key_spec):
    key = key_of(key_spec, USAGE)
    for algorithm in set(ALGORITHMS.values()) - {ALGORITHMS[key_spec]}:
        with refused("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key_spec}."):
            operation(key["KeyId"], MacAlgorithm=algorithm, DryRun=True)


def test_keys_in_other_states(kms, refused, operation):
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage=USAGE)["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException", f"{key['Arn']} is disabled."):
        # The state is told before the algorithm.
        operation(key["KeyId"], MacAlgorithm="HMAC_SHA_512", DryRun=True)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending deletion."):
        operation(key["KeyId"])


def test_a_key_without_material(kms, refused, operation):
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage=USAGE, Origin="EXTERNAL")["KeyMetadata"]
    with refused("KMSInvalidStateException", f"{key['Arn']} is pending import."):
        operation(key["KeyId"])


def test_a_dry_run_ends_before_the_cryptography(refused, key_of, operation):
    with refused("DryRunOperationException", DRY_RUN):
        operation(key_of("HMAC_256", USAGE)["KeyId"], DryRun=True)


@pytest.mark.parametrize(("member", "size", "bound"), [
    ("Message", 0, "greater than or equal to 1"), ("Message", 4097, "less than or equal to 4096"),
    ("Mac", 0, "greater than or equal to 1"), ("Mac", 6145, "less than or equal to 6144")])
def test_sizes_are_bounded_and_messages_not_repeated(unchecked, key_of, member, size, bound):
    parameters = {"KeyId": key_of("HMAC_256", USAGE)["KeyId"], **SOUND["verify_mac"], member: b"s" * size}
    with pytest.raises(unchecked.exceptions.ClientError) as caught:
        unchecked.verify_mac(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == (f"1 validation error detected: Value at '{member.lower()}' failed to satisfy "
                                f"constraint: Member must have length {bound}")


def test_each_form_of_the_name_is_taken(kms, key_of, alias_name):
    key = key_of("HMAC_256", USAGE)
    kms.create_alias(AliasName=alias_name, TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], alias_name, f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name}"):
        answer = kms.generate_mac(KeyId=name, Message=MESSAGE, **HMAC_256)
        assert answer["KeyId"] == key["Arn"]
        answer = kms.verify_mac(KeyId=name, Message=MESSAGE, Mac=answer["Mac"], **HMAC_256)
        assert answer["KeyId"] == key["Arn"]


def test_unknown_keys_are_not_found(refused, operation, unknown_key_arn, alias_name):
    with refused("NotFoundException", f"Key '{unknown_key_arn}' does not exist"):
        operation(unknown_key_arn)
    with refused("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{alias_name} is not found."):
        operation(alias_name)


def test_grant_tokens_must_be_tokens(refused, key_of, operation):
    with refused("InvalidGrantTokenException"):
        # Told before the algorithm.
        operation(key_of("HMAC_256", USAGE)["KeyId"], GrantTokens=["forged"], MacAlgorithm="HMAC_SHA_512")


def test_another_account_makes_macs_when_the_key_policy_lets_it(kms, other, refused):
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage=USAGE)["KeyMetadata"]
    members = {"KeyId": key["Arn"], "Message": MESSAGE, **HMAC_256}
    mac = kms.generate_mac(**members)["Mac"]
    for action, call in (("GenerateMac", lambda: other.generate_mac(**members)),
                         ("VerifyMac", lambda: other.verify_mac(Mac=mac, **members))):
        with refused("AccessDeniedException",
                     f"User: {root_of(OTHER_ACCOUNT)} is not authorized to perform: kms:{action} on resource: "
                     f"{key['Arn']} because no resource-based policy allows the kms:{action} action"):
            call()
        kms.put_key_policy(KeyId=key["KeyId"], Policy=policy(
            statement(root_of(ACCOUNT)), statement(root_of(OTHER_ACCOUNT), f"kms:{action}")))
        assert call()["KeyId"] == key["Arn"]


def test_calls_are_recorded_without_message_and_mac(server, kms, caller, key_of, record_of):
    key = key_of("HMAC_256", USAGE)
    message = b"canary-of-a-message-with-a-mac-3b90"
    made = kms.generate_mac(KeyId=key["KeyId"], Message=message, **HMAC_256)
    verified = kms.verify_mac(KeyId=key["KeyId"], Message=message, Mac=made["Mac"], **HMAC_256)
    for name, answer in (("GenerateMac", made), ("VerifyMac", verified)):
        record = record_of(answer["ResponseMetadata"]["RequestId"])
        assert (record["eventName"], record["readOnly"], record["responseElements"]) == (name, True, None)
        assert record["requestParameters"] == {"keyId": key["KeyId"], "macAlgorithm": "HMAC_SHA_256"}
        assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    refused = caller.call("VerifyMac", {"KeyId": key["KeyId"], "Message": "eA==", "Mac": "eA==", **HMAC_256})
    record = record_of(refused.headers["x-amzn-requestid"])
    assert (record["errorCode"], record.get("errorMessage")) == ("KMSInvalidMacException", None)
    journal.assert_absent(server.directory / "journal", message, made["Mac"])

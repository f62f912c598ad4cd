"""SM2, which is in China Regions alone and in builds with the feature: against the `openssl` command, both ways.

The build whose clock the tests move has the feature too; the one that is shipped has it not.
"""

import subprocess

import pytest

import outside
from conftest import client_of
from importing import OAEP, ImportedKey
from keystead import REGION, Server, binary, environment
from timed import eventually

CHINA, OTHER_CHINA = "cn-north-1", "cn-northwest-1"
SIGNING, ENCRYPTION, AGREEMENT = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT"
ALGORITHMS = {SIGNING: ("SigningAlgorithms", "SM2DSA"), ENCRYPTION: ("EncryptionAlgorithms", "SM2PKE"),
              AGREEMENT: ("KeyAgreementAlgorithms", "ECDH")}
PLAINTEXT_BYTES_MAX = 1024
MESSAGE = b"a message"
# a, b and G of the curve (GM/T 0003.5-2012), which Z_A hashes after ENTL_A and ID_A.
IDENTITY_AND_CURVE = bytes.fromhex(
    "0080" "31323334353637383132333435363738"
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0")
POINT_BYTES = 64
OF_RAW = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]


def _has_sm2(program):
    said = subprocess.run([program, "version"], capture_output=True, text=True, timeout=30, check=True,
                          env=environment()).stdout
    return "SM2, in China Regions" in said


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """`clients(region)`: the root user of a server that has SM2."""
    program = binary("KEYSTEAD_TEST_CLOCK_BINARY")
    if not _has_sm2(program):
        pytest.skip(f"{program} is a build without the feature sm2; .ci/run builds it with it")
    running = Server(tmp_path_factory.mktemp("sm2") / "data", program=program)
    yield lambda region: client_of(running, running.root_credentials(), region=region)
    assert running.stop() == 0, running.output()


@pytest.fixture(scope="module")
def kms(clients):
    """The root user, in China."""
    return clients(CHINA)


@pytest.fixture(scope="module")
def key_ids(kms):
    """A key of each usage that the tests leave as it is."""
    return {usage: kms.create_key(KeySpec="SM2", KeyUsage=usage)["KeyMetadata"]["KeyId"] for usage in ALGORITHMS}


@pytest.fixture
def public_key(kms, key_ids, tmp_path):
    """`public_key(usage)`: the public key of the shared key, which then is the file `public`."""
    def get(usage):
        der = kms.get_public_key(KeyId=key_ids[usage])["PublicKey"]
        (tmp_path / "public").write_bytes(der)
        return der
    return get


@pytest.fixture
def private_key(tmp_path):
    """A private key of OpenSSL's, which is the file `private`."""
    outside.openssl(tmp_path, "genpkey", "-algorithm", "SM2", "-outform", "DER", "-out", "made")
    der = outside.openssl(tmp_path, "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "made",
                          "-outform", "DER")
    (tmp_path / "private").write_bytes(der)
    return der


@pytest.fixture
def openssl(tmp_path):
    """`openssl(arguments, files)`: what pkeyutl prints, given these files beside the keys."""
    def call(*arguments, **files):
        for name, contents in files.items():
            (tmp_path / name).write_bytes(contents)
        return outside.openssl(tmp_path, "pkeyutl", "-keyform", "DER", *arguments)
    return call


@pytest.fixture
def sm3(tmp_path):
    """`sm3(message)`: its digest."""
    def call(message):
        (tmp_path / "hashed").write_bytes(message)
        return outside.openssl(tmp_path, "dgst", "-sm3", "-binary", "hashed")
    return call


@pytest.fixture
def bring(kms, openssl):
    """`bring(material, key_spec, usage)`: a key whose material came wrapped by SM2PKE."""
    def call(material, key_spec="SM2", usage=SIGNING):
        key_id = kms.create_key(KeySpec=key_spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        parameters = kms.get_parameters_for_import(KeyId=key_id, WrappingAlgorithm="SM2PKE",
                                                   WrappingKeySpec="SM2")
        wrapped = openssl("-encrypt", "-pubin", "-inkey", "wrapping", "-in", "material",
                          wrapping=parameters["PublicKey"], material=material)
        kms.import_key_material(KeyId=key_id, ImportToken=parameters["ImportToken"],
                                EncryptedKeyMaterial=wrapped,
                                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
        return key_id
    return call


def _encrypt(kms, key_id, plaintext):
    return kms.encrypt(KeyId=key_id, Plaintext=plaintext, EncryptionAlgorithm="SM2PKE")["CiphertextBlob"]


def _decrypt(kms, key_id, blob):
    return kms.decrypt(KeyId=key_id, CiphertextBlob=blob, EncryptionAlgorithm="SM2PKE")["Plaintext"]


def _sign(kms, key_id, message, message_type="RAW"):
    return kms.sign(KeyId=key_id, Message=message, MessageType=message_type,
                    SigningAlgorithm="SM2DSA")["Signature"]


@pytest.mark.parametrize("usage", ALGORITHMS)
def test_keys_say_what_they_can(kms, key_ids, openssl, public_key, tmp_path, usage):
    member, algorithm = ALGORITHMS[usage]
    described = kms.describe_key(KeyId=key_ids[usage])["KeyMetadata"]
    assert (described["KeySpec"], described["CustomerMasterKeySpec"], described[member]) == (
        "SM2", "SM2", [algorithm])
    answer = kms.get_public_key(KeyId=key_ids[usage])
    assert (answer["KeySpec"], answer["KeyUsage"], answer[member]) == ("SM2", usage, [algorithm])
    der = public_key(usage)
    assert outside.openssl(tmp_path, "pkey", "-pubin", "-inform", "DER", "-in", "public",
                           "-outform", "DER") == der


@pytest.mark.parametrize("usage", ALGORITHMS)
def test_keys_are_made_in_china_alone(clients, refused, usage):
    with refused("UnsupportedOperationException", "KeySpec SM2 is not supported."):
        clients(REGION).create_key(KeySpec="SM2", KeyUsage=usage)


def test_a_key_has_one_of_three_usages(kms, refused):
    for more in ({}, {"KeyUsage": "GENERATE_VERIFY_MAC"}, {"KeyUsage": "ENCAPSULATE_DECAPSULATE"}):
        with refused("ValidationException"):
            kms.create_key(KeySpec="SM2", **more)


def test_openssl_verifies_signatures(kms, key_ids, public_key, openssl, sm3):
    point = public_key(SIGNING)[-POINT_BYTES:]
    digest = sm3(sm3(IDENTITY_AND_CURVE + point) + MESSAGE)
    for signed in (_sign(kms, key_ids[SIGNING], MESSAGE), _sign(kms, key_ids[SIGNING], digest, "DIGEST")):
        for message, message_type in ((MESSAGE, "RAW"), (digest, "DIGEST")):
            assert kms.verify(KeyId=key_ids[SIGNING], Message=message, MessageType=message_type,
                              Signature=signed, SigningAlgorithm="SM2DSA")["SignatureValid"]
        openssl("-verify", *OF_RAW, "-pubin", "-inkey", "public", "-in", "message", "-sigfile", "signature",
                message=MESSAGE, signature=signed)


def test_signatures_of_openssl_verify(kms, private_key, bring, openssl):
    key_id = bring(private_key)
    signature = openssl("-sign", *OF_RAW, "-inkey", "private", "-in", "message", message=MESSAGE)
    assert kms.verify(KeyId=key_id, Message=MESSAGE, Signature=signature,
                      SigningAlgorithm="SM2DSA")["SignatureValid"]


def test_wrong_signatures_and_messages(kms, key_ids, refused):
    key_id = key_ids[SIGNING]
    signature = _sign(kms, key_id, MESSAGE)
    with refused("KMSInvalidSignatureException"):
        kms.verify(KeyId=key_id, Message=MESSAGE + b"!", Signature=signature, SigningAlgorithm="SM2DSA")
    with refused("ValidationException", "Digest is invalid length for algorithm SM2DSA."):
        _sign(kms, key_id, b"x" * 31, "DIGEST")
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=key_id, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")


@pytest.mark.parametrize("size", [1, 32, 33, PLAINTEXT_BYTES_MAX])
def test_encryption_goes_both_ways(kms, private_key, bring, openssl, tmp_path, size):
    key_id, plaintext = bring(private_key, usage=ENCRYPTION), bytes(range(256)) * 4
    plaintext = plaintext[:size]
    (tmp_path / "public").write_bytes(kms.get_public_key(KeyId=key_id)["PublicKey"])
    blob = _encrypt(kms, key_id, plaintext)
    assert openssl("-decrypt", "-inkey", "private", "-in", "blob", blob=blob) == plaintext
    blob = openssl("-encrypt", "-pubin", "-inkey", "public", "-in", "plaintext", plaintext=plaintext)
    assert _decrypt(kms, key_id, blob) == plaintext


def test_what_encryption_refuses(kms, key_ids, refused):
    key_id = key_ids[ENCRYPTION]
    blob = _encrypt(kms, key_id, b"plain")
    with refused("ValidationException", "Algorithm SM2PKE and key spec SM2 cannot encrypt data larger than "
                                        f"{PLAINTEXT_BYTES_MAX} bytes."):
        _encrypt(kms, key_id, b"x" * (PLAINTEXT_BYTES_MAX + 1))
    with refused("InvalidCiphertextException"):
        _decrypt(kms, key_id, blob[:-1] + bytes([blob[-1] ^ 1]))
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=key_id, Plaintext=b"plain", EncryptionAlgorithm="RSAES_OAEP_SHA_256")


@pytest.mark.parametrize(("key_spec", "algorithm"), [
    ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"), ("RSA_2048", "RSAES_OAEP_SHA_256"), ("SM2", "SM2PKE")])
def test_reencryption_between_sm2_and_others(kms, key_ids, key_spec, algorithm):
    other = kms.create_key(KeySpec=key_spec, KeyUsage=ENCRYPTION)["KeyMetadata"]["KeyId"]
    blob = _encrypt(kms, key_ids[ENCRYPTION], b"plain")
    ends = [(key_ids[ENCRYPTION], "SM2PKE"), (other, algorithm), (key_ids[ENCRYPTION], "SM2PKE")]
    for (source, source_algorithm), (target, target_algorithm) in zip(ends, ends[1:]):
        blob = kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=source, DestinationKeyId=target,
                              SourceEncryptionAlgorithm=source_algorithm,
                              DestinationEncryptionAlgorithm=target_algorithm)["CiphertextBlob"]
        assert kms.decrypt(KeyId=target, CiphertextBlob=blob,
                           EncryptionAlgorithm=target_algorithm)["Plaintext"] == b"plain"


def test_two_keys_agree_on_a_secret(kms, key_ids, refused):
    other = kms.create_key(KeySpec="SM2", KeyUsage=AGREEMENT)["KeyMetadata"]["KeyId"]
    pair = [key_ids[AGREEMENT], other]
    secrets = {kms.derive_shared_secret(
        KeyId=one, PublicKey=kms.get_public_key(KeyId=peer)["PublicKey"],
        KeyAgreementAlgorithm="ECDH")["SharedSecret"] for one, peer in (pair, pair[::-1])}
    assert [len(secret) for secret in secrets] == [32]
    with refused("ValidationException"):
        kms.derive_shared_secret(KeyId=other, KeyAgreementAlgorithm="ECDH",
                                 PublicKey=outside.spki(outside.generate("ECC_NIST_P256").public_key()))


def test_data_key_pairs_are_keys_of_openssl(clients, kms, refused, tmp_path):
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    answer = kms.generate_data_key_pair(KeyId=key_id, KeyPairSpec="SM2")
    (tmp_path / "private").write_bytes(answer["PrivateKeyPlaintext"])
    public_key = outside.openssl(tmp_path, "pkey", "-inform", "DER", "-in", "private", "-pubout",
                                 "-outform", "DER")
    assert (answer["PublicKey"], answer["KeyPairSpec"]) == (public_key, "SM2")
    blob = answer["PrivateKeyCiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == answer["PrivateKeyPlaintext"]
    assert kms.generate_data_key_pair_without_plaintext(KeyId=key_id, KeyPairSpec="SM2")["KeyPairSpec"] == "SM2"
    elsewhere = clients(REGION)
    key_id = elsewhere.create_key()["KeyMetadata"]["KeyId"]
    for generate in (elsewhere.generate_data_key_pair, elsewhere.generate_data_key_pair_without_plaintext):
        with refused("UnsupportedOperationException", "KeyPairSpec SM2 is not supported."):
            generate(KeyId=key_id, KeyPairSpec="SM2")


@pytest.mark.parametrize("key_spec", ["ECC_NIST_P256", "ECC_NIST_P521", "RSA_2048", "RSA_4096"])
def test_other_material_comes_wrapped_by_sm2(kms, bring, key_spec):
    private_key = outside.generate(key_spec)
    key_id = bring(outside.pkcs8(private_key), key_spec)
    assert kms.get_public_key(KeyId=key_id)["PublicKey"] == outside.spki(private_key.public_key())


@pytest.mark.parametrize("algorithm", list(OAEP))
def test_sm2_material_comes_wrapped_by_rsa(kms, private_key, openssl, tmp_path, algorithm):
    key = ImportedKey(kms, "SM2", SIGNING)
    key.bring(private_key, algorithm, "RSA_2048")
    public_key = outside.openssl(tmp_path, "pkey", "-inform", "DER", "-in", "private", "-pubout",
                                 "-outform", "DER")
    assert kms.get_public_key(KeyId=key.key_id)["PublicKey"] == public_key


@pytest.mark.parametrize(("key_spec", "usage"), [
    ("SYMMETRIC_DEFAULT", ENCRYPTION), ("HMAC_256", "GENERATE_VERIFY_MAC")])
def test_material_that_sm2_does_not_wrap(kms, refused, key_spec, usage):
    key = ImportedKey(kms, key_spec, usage)
    with refused("UnsupportedOperationException"):
        key.parameters("SM2PKE", "SM2")


@pytest.mark.parametrize(("algorithm", "wrapping_key_spec"), [
    ("SM2PKE", "RSA_2048"), ("RSAES_OAEP_SHA_256", "SM2"), ("RSA_AES_KEY_WRAP_SHA_256", "SM2")])
def test_an_algorithm_wants_its_kind_of_wrapping_key(kms, refused, algorithm, wrapping_key_spec):
    key = ImportedKey(kms, "ECC_NIST_P256", SIGNING)
    with refused("UnsupportedOperationException"):
        key.parameters(algorithm, wrapping_key_spec)


def test_sm2_wraps_in_china_alone(clients, refused):
    key = ImportedKey(clients(REGION), "ECC_NIST_P256", SIGNING)
    with refused("UnsupportedOperationException", "Wrapping key spec SM2 is not supported."):
        key.parameters("SM2PKE", "SM2")


def test_replicas_in_china_have_the_same_key(clients, kms):
    key_id = kms.create_key(KeySpec="SM2", KeyUsage=SIGNING, MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=key_id, ReplicaRegion=OTHER_CHINA)
    replica = clients(OTHER_CHINA)
    eventually("the replica is enabled", lambda: replica.describe_key(
        KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled")
    assert kms.verify(KeyId=key_id, Message=MESSAGE, Signature=_sign(replica, key_id, MESSAGE),
                      SigningAlgorithm="SM2DSA")["SignatureValid"]

// Every kind of key through the AWS SDK for JavaScript v3, its work checked by Node's own cryptography.

import assert from "node:assert/strict";
import { createHmac, createPublicKey, constants, createPrivateKey, diffieHellman, generateKeyPairSync,
  publicEncrypt, verify } from "node:crypto";
import { after, before, test } from "node:test";

import {
  CreateKeyCommand, DecryptCommand, DeriveSharedSecretCommand, GenerateDataKeyPairCommand,
  GenerateMacCommand, GetPublicKeyCommand, KMSClient, KMSInvalidMacException,
  KMSInvalidSignatureException, SignCommand, VerifyCommand, VerifyMacCommand,
} from "@aws-sdk/client-kms";

import { start } from "./server.js";

const message = new TextEncoder().encode("a message");
let server;
let kms;

const send = (Command, input = {}) => kms.send(new Command(input));
const newKey = async (KeySpec, KeyUsage) =>
  (await send(CreateKeyCommand, { KeySpec, KeyUsage })).KeyMetadata;
const publicKey = async (KeyId) => {
  const { PublicKey } = await send(GetPublicKeyCommand, { KeyId });
  return createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
};

before(async () => {
  server = await start();
  const { endpoint, credentials } = server;
  kms = new KMSClient({ endpoint, credentials, region: "us-east-1", maxAttempts: 1 });
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

/** How Node verifies what KMS signs with an algorithm. */
function verifies(algorithm, key, signature) {
  if (algorithm === "ED25519_SHA_512") return verify(null, message, key, signature);
  const digest = `sha${algorithm.slice(-3)}`;
  const padding = algorithm.startsWith("RSASSA_PSS")
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return verify(digest, message, { key, dsaEncoding: "der", ...padding }, signature);
}

for (const spec of ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521",
  "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"]) {
  test(`${spec} signs what Node verifies`, async () => {
    const { KeyId, SigningAlgorithms } = await newKey(spec, "SIGN_VERIFY");
    const key = await publicKey(KeyId);
    for (const SigningAlgorithm of SigningAlgorithms) {
      // Node has no Ed25519ph.
      if (SigningAlgorithm === "ED25519_PH_SHA_512") continue;
      const input = { KeyId, SigningAlgorithm, Message: message };
      const { Signature } = await send(SignCommand, input);
      assert.ok(verifies(SigningAlgorithm, key, Signature), SigningAlgorithm);
      assert.equal((await send(VerifyCommand, { ...input, Signature })).SignatureValid, true);
      const forged = { ...input, Signature, Message: new TextEncoder().encode("another") };
      await assert.rejects(send(VerifyCommand, forged), KMSInvalidSignatureException);
    }
  });
}

test("a MAC is Node's", async () => {
  const { KeyId } = await newKey("HMAC_256", "GENERATE_VERIFY_MAC");
  const input = { KeyId, Message: message, MacAlgorithm: "HMAC_SHA_256" };
  const { Mac } = await send(GenerateMacCommand, input);
  assert.equal(Mac.length, createHmac("sha256", "").digest().length);
  assert.equal((await send(VerifyMacCommand, { ...input, Mac })).MacValid, true);
  const forged = { ...input, Mac: Mac.map((byte) => byte ^ 1) };
  await assert.rejects(send(VerifyMacCommand, forged), KMSInvalidMacException);
});

test("Node encrypts what an RSA key decrypts", async () => {
  const { KeyId } = await newKey("RSA_2048", "ENCRYPT_DECRYPT");
  const key = await publicKey(KeyId);
  const CiphertextBlob = publicEncrypt({ key, oaepHash: "sha256" }, message);
  const input = { KeyId, CiphertextBlob, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" };
  assert.deepEqual(Buffer.from((await send(DecryptCommand, input)).Plaintext), Buffer.from(message));
});

test("a shared secret is Node's", async () => {
  const { KeyId } = await newKey("ECC_NIST_P256", "KEY_AGREEMENT");
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const PublicKey = own.publicKey.export({ format: "der", type: "spki" });
  const input = { KeyId, PublicKey, KeyAgreementAlgorithm: "ECDH" };
  const { SharedSecret } = await send(DeriveSharedSecretCommand, input);
  const secret = diffieHellman({ privateKey: own.privateKey, publicKey: await publicKey(KeyId) });
  assert.deepEqual(Buffer.from(SharedSecret), secret);
});

test("Node reads data key pairs", async () => {
  const { KeyId } = (await send(CreateKeyCommand)).KeyMetadata;
  for (const KeyPairSpec of ["RSA_2048", "ECC_NIST_P384", "ECC_NIST_EDWARDS25519"]) {
    const pair = await send(GenerateDataKeyPairCommand, { KeyId, KeyPairSpec });
    const key = Buffer.from(pair.PrivateKeyPlaintext);
    const own = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" }));
    assert.deepEqual(own.export({ format: "der", type: "spki" }), Buffer.from(pair.PublicKey));
  }
});

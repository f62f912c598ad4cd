// The AWS SDK for JavaScript v3, with only the endpoint changed, does a day's work.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  AlreadyExistsException, CancelKeyDeletionCommand, CreateAliasCommand, CreateKeyCommand,
  DecryptCommand, DeleteAliasCommand, DescribeKeyCommand, DisableKeyCommand, DisabledException,
  DryRunOperationException, EnableKeyCommand, EncryptCommand, GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand, GenerateRandomCommand, GetKeyPolicyCommand,
  IncorrectKeyException, InvalidCiphertextException, KMSClient, KMSInvalidStateException,
  KMSServiceException, ListKeyPoliciesCommand, ListResourceTagsCommand, NotFoundException,
  PutKeyPolicyCommand, ReEncryptCommand, ScheduleKeyDeletionCommand, TagResourceCommand,
  UntagResourceCommand, UpdateAliasCommand, UpdateKeyDescriptionCommand, paginateListAliases,
  paginateListKeys,
} from "@aws-sdk/client-kms";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

import { start } from "./server.js";

const ACCOUNT = "111122223333";
const context = { purpose: "test", "Ünïcode": "✓" };
let server;
let kms;

const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder().decode(data);
const send = (Command, input = {}) => kms.send(new Command(input));
const newKey = async (input) => (await send(CreateKeyCommand, input)).KeyMetadata;

/** The call fails with exactly this class of the SDK. */
async function refused(Exception, Command, input) {
  await assert.rejects(send(Command, input), (error) => {
    assert.ok(error instanceof Exception, `${error.name}: ${error.message}`);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    return true;
  });
}

before(async () => {
  server = await start();
  const { endpoint, credentials } = server;
  kms = new KMSClient({ endpoint, credentials, region: "us-east-1", maxAttempts: 1 });
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

test("who am I", async () => {
  const { endpoint, credentials } = server;
  const sts = new STSClient({ endpoint, credentials, region: "us-east-1", maxAttempts: 1 });
  const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}));
  assert.deepEqual({ Account, Arn, UserId },
    { Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root`, UserId: ACCOUNT });
});

test("a key, its description, tags and policy", async () => {
  const key = await newKey({ Description: "first", Tags: [{ TagKey: "a", TagValue: "b" }] });
  assert.equal(key.Arn, `arn:aws:kms:us-east-1:${ACCOUNT}:key/${key.KeyId}`);
  assert.ok(Math.abs(Date.now() - key.CreationDate) < 60_000);
  await send(UpdateKeyDescriptionCommand, { KeyId: key.KeyId, Description: "second" });
  const described = (await send(DescribeKeyCommand, { KeyId: key.Arn })).KeyMetadata;
  assert.equal(described.Description, "second");

  await send(TagResourceCommand, { KeyId: key.KeyId, Tags: [{ TagKey: "c", TagValue: "d" }] });
  await send(UntagResourceCommand, { KeyId: key.KeyId, TagKeys: ["a"] });
  const { Tags } = await send(ListResourceTagsCommand, { KeyId: key.KeyId });
  assert.deepEqual(Tags, [{ TagKey: "c", TagValue: "d" }]);

  const { Policy } = await send(GetKeyPolicyCommand, { KeyId: key.KeyId });
  await send(PutKeyPolicyCommand, { KeyId: key.KeyId, Policy });
  const { PolicyNames } = await send(ListKeyPoliciesCommand, { KeyId: key.KeyId });
  assert.deepEqual(PolicyNames, ["default"]);
});

test("encrypt and decrypt with a context", async () => {
  const key = await newKey();
  const encrypted = await send(EncryptCommand,
    { KeyId: key.KeyId, Plaintext: bytes("plain"), EncryptionContext: context });
  const { CiphertextBlob } = encrypted;
  const decrypted = await send(DecryptCommand, { CiphertextBlob, EncryptionContext: context });
  assert.equal(text(decrypted.Plaintext), "plain");
  assert.equal(decrypted.KeyId, key.Arn);
  await refused(InvalidCiphertextException, DecryptCommand, { CiphertextBlob });
  const other = await newKey();
  await refused(IncorrectKeyException, DecryptCommand,
    { CiphertextBlob, EncryptionContext: context, KeyId: other.KeyId });
  await refused(DryRunOperationException, EncryptCommand,
    { KeyId: key.KeyId, Plaintext: bytes("x"), DryRun: true });
});

test("aliases", async () => {
  const [key, newer] = [await newKey(), await newKey()];
  const AliasName = `alias/${key.KeyId}`;
  await send(CreateAliasCommand, { AliasName, TargetKeyId: key.KeyId });
  await refused(AlreadyExistsException, CreateAliasCommand, { AliasName, TargetKeyId: key.KeyId });
  await send(UpdateAliasCommand, { AliasName, TargetKeyId: newer.KeyId });
  const found = [];
  for await (const page of paginateListAliases({ client: kms, pageSize: 1 }, {})) {
    found.push(...page.Aliases);
  }
  const entry = found.find((alias) => alias.AliasName === AliasName);
  assert.equal(entry.TargetKeyId, newer.KeyId);
  await send(DeleteAliasCommand, { AliasName });
  await refused(NotFoundException, DescribeKeyCommand, { KeyId: AliasName });
});

test("data keys and random bytes", async () => {
  const key = await newKey();
  const input = { KeyId: key.KeyId, KeySpec: "AES_256", EncryptionContext: context };
  const made = await send(GenerateDataKeyCommand, input);
  const decrypted = await send(DecryptCommand,
    { CiphertextBlob: made.CiphertextBlob, EncryptionContext: context });
  assert.equal(made.Plaintext.length, 32);
  assert.deepEqual(decrypted.Plaintext, made.Plaintext);
  const bare = await send(GenerateDataKeyWithoutPlaintextCommand, input);
  assert.equal(bare.Plaintext, undefined);
  assert.equal((await send(GenerateRandomCommand, { NumberOfBytes: 7 })).Plaintext.length, 7);
});

test("re-encrypt", async () => {
  const [from, to] = [await newKey(), await newKey()];
  const { CiphertextBlob } = await send(EncryptCommand,
    { KeyId: from.KeyId, Plaintext: bytes("plain"), EncryptionContext: context });
  const moved = await send(ReEncryptCommand,
    { CiphertextBlob, SourceEncryptionContext: context, DestinationKeyId: to.KeyId });
  assert.equal(moved.SourceKeyId, from.Arn);
  assert.equal(moved.KeyId, to.Arn);
  const decrypted = await send(DecryptCommand, { CiphertextBlob: moved.CiphertextBlob });
  assert.equal(text(decrypted.Plaintext), "plain");
});

test("pages of keys", async () => {
  const made = await Promise.all([1, 2, 3, 4, 5].map(() => newKey()));
  const found = [];
  for await (const page of paginateListKeys({ client: kms, pageSize: 2 }, {})) {
    assert.ok(page.Keys.length <= 2);
    found.push(...page.Keys.map((entry) => entry.KeyId));
  }
  assert.equal(new Set(found).size, found.length);
  for (const key of made) assert.ok(found.includes(key.KeyId));
});

test("disable, delete, change one's mind", async () => {
  const key = await newKey();
  const use = { KeyId: key.KeyId, Plaintext: bytes("x") };
  await send(DisableKeyCommand, { KeyId: key.KeyId });
  await refused(DisabledException, EncryptCommand, use);
  const gone = await send(ScheduleKeyDeletionCommand,
    { KeyId: key.KeyId, PendingWindowInDays: 7 });
  assert.equal(gone.KeyState, "PendingDeletion");
  const days = (gone.DeletionDate - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= 8, `${days} days`);
  await refused(KMSInvalidStateException, EncryptCommand, use);
  await send(CancelKeyDeletionCommand, { KeyId: key.KeyId });
  await send(EnableKeyCommand, { KeyId: key.KeyId });
  assert.ok((await send(EncryptCommand, use)).CiphertextBlob);
});

test("an error that the SDK has no class for", async () => {
  await assert.rejects(send(CreateAliasCommand, { AliasName: "bare", TargetKeyId: "x" }),
    (error) => error instanceof KMSServiceException && error.name === "ValidationException");
});

//! The AWS SDK for Rust, with only the endpoint changed, does a day's work.

mod server;

use std::collections::HashMap;

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, KeyMetadata, KeyState, Tag};
use aws_sdk_kms::{Client, operation::RequestId};

use server::Server;

const ACCOUNT: &str = "111122223333";

/// The error's name on the wire; fails when it is not the service's answer.
fn refusal<T, E>(outcome: Result<T, SdkError<E>>) -> String
where
    E: ProvideErrorMetadata + RequestId + std::fmt::Debug,
{
    let Err(error) = outcome else { panic!("the call succeeded") };
    let SdkError::ServiceError(answer) = error else { panic!("no answer: {error:?}") };
    assert_eq!(answer.err().request_id().map(str::len), Some(36));
    answer.err().code().expect("an error has a name").to_owned()
}

async fn new_key(kms: &Client) -> KeyMetadata {
    let answer = kms.create_key().send().await.expect("CreateKey");
    answer.key_metadata.expect("CreateKey answers metadata")
}

fn context() -> HashMap<String, String> {
    HashMap::from([("purpose".into(), "test".into()), ("Ünïcode".into(), "✓".into())])
}

#[tokio::test]
async fn a_days_work() {
    let server = Server::start();
    let kms = server.client();
    keys(&kms).await;
    encryption(&kms).await;
    aliases(&kms).await;
    data_keys(&kms).await;
    pages(&kms).await;
    deletion(&kms).await;
    server.stop();
}

async fn keys(kms: &Client) {
    let tag = Tag::builder().tag_key("a").tag_value("b").build().expect("a whole tag");
    let answer = kms.create_key().description("first").tags(tag).send().await.expect("CreateKey");
    let key = answer.key_metadata.expect("metadata");
    assert_eq!(key.arn(), Some(&*format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{}", key.key_id())));
    kms.update_key_description()
        .key_id(key.key_id())
        .description("second")
        .send()
        .await
        .expect("UpdateKeyDescription");
    let described = kms.describe_key().key_id(key.key_id()).send().await.expect("DescribeKey");
    assert_eq!(described.key_metadata().and_then(KeyMetadata::description), Some("second"));
    let tags = kms.list_resource_tags().key_id(key.key_id()).send().await.expect("tags");
    assert_eq!(tags.tags().len(), 1);
    let policy = kms.get_key_policy().key_id(key.key_id()).send().await.expect("GetKeyPolicy");
    let text = policy.policy().expect("a text");
    kms.put_key_policy().key_id(key.key_id()).policy(text).send().await.expect("PutKeyPolicy");
    let unknown = kms.describe_key().key_id("no-key").send().await;
    assert!(unknown.as_ref().is_err_and(|error| {
        error.as_service_error().is_some_and(|error| error.is_not_found_exception())
    }));
    assert_eq!(refusal(unknown), "NotFoundException");
}

async fn encryption(kms: &Client) {
    let (key, other) = (new_key(kms).await, new_key(kms).await);
    let encrypted = kms
        .encrypt()
        .key_id(key.key_id())
        .plaintext(Blob::new("plain"))
        .set_encryption_context(Some(context()))
        .send()
        .await
        .expect("Encrypt");
    let blob = encrypted.ciphertext_blob().expect("a ciphertext").clone();
    let decrypt = || kms.decrypt().ciphertext_blob(blob.clone());
    let decrypted =
        decrypt().set_encryption_context(Some(context())).send().await.expect("Decrypt");
    assert_eq!(decrypted.plaintext(), Some(&Blob::new("plain")));
    assert_eq!(decrypted.key_id(), key.arn());
    assert_eq!(refusal(decrypt().send().await), "InvalidCiphertextException");
    let wrong = decrypt().set_encryption_context(Some(context())).key_id(other.key_id());
    assert_eq!(refusal(wrong.send().await), "IncorrectKeyException");

    let moved = kms
        .re_encrypt()
        .ciphertext_blob(blob.clone())
        .set_source_encryption_context(Some(context()))
        .destination_key_id(other.key_id())
        .send()
        .await
        .expect("ReEncrypt");
    assert_eq!((moved.source_key_id(), moved.key_id()), (key.arn(), other.arn()));
    let moved = moved.ciphertext_blob().expect("a ciphertext").clone();
    let decrypted = kms.decrypt().ciphertext_blob(moved).send().await.expect("Decrypt");
    assert_eq!(decrypted.plaintext(), Some(&Blob::new("plain")));

    let dry = kms.encrypt().key_id(key.key_id()).plaintext(Blob::new("x")).dry_run(true);
    assert_eq!(refusal(dry.send().await), "DryRunOperationException");
}

async fn aliases(kms: &Client) {
    let (key, newer) = (new_key(kms).await, new_key(kms).await);
    let name = format!("alias/{}", key.key_id());
    let create = || kms.create_alias().alias_name(&name).target_key_id(key.key_id());
    create().send().await.expect("CreateAlias");
    assert_eq!(refusal(create().send().await), "AlreadyExistsException");
    kms.update_alias()
        .alias_name(&name)
        .target_key_id(newer.key_id())
        .send()
        .await
        .expect("UpdateAlias");
    let listed = kms.list_aliases().key_id(newer.key_id()).send().await.expect("ListAliases");
    assert_eq!(listed.aliases().first().and_then(|alias| alias.alias_name()), Some(&*name));
    kms.delete_alias().alias_name(&name).send().await.expect("DeleteAlias");
    assert_eq!(refusal(kms.describe_key().key_id(&name).send().await), "NotFoundException");
}

async fn data_keys(kms: &Client) {
    let key = new_key(kms).await;
    let made = kms
        .generate_data_key()
        .key_id(key.key_id())
        .key_spec(DataKeySpec::Aes256)
        .send()
        .await
        .expect("GenerateDataKey");
    assert_eq!(made.plaintext().map(|plaintext| plaintext.as_ref().len()), Some(32));
    let blob = made.ciphertext_blob().expect("a ciphertext").clone();
    let decrypted = kms.decrypt().ciphertext_blob(blob).send().await.expect("Decrypt");
    assert_eq!(decrypted.plaintext(), made.plaintext());
    kms.generate_data_key_without_plaintext()
        .key_id(key.key_id())
        .number_of_bytes(64)
        .send()
        .await
        .expect("GenerateDataKeyWithoutPlaintext");
    let random = kms.generate_random().number_of_bytes(7).send().await.expect("GenerateRandom");
    assert_eq!(random.plaintext().map(|plaintext| plaintext.as_ref().len()), Some(7));
}

async fn pages(kms: &Client) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(new_key(kms).await.key_id);
    }
    let mut pages = kms.list_keys().into_paginator().page_size(2).send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("ListKeys");
        assert!(page.keys().len() <= 2);
        found.extend(page.keys().iter().filter_map(|entry| entry.key_id().map(str::to_owned)));
    }
    let listed = found.len();
    assert!(made.iter().all(|key_id| found.contains(key_id)));
    found.sort();
    found.dedup();
    assert_eq!(found.len(), listed);
}

async fn deletion(kms: &Client) {
    let key = new_key(kms).await;
    let encrypt = || kms.encrypt().key_id(key.key_id()).plaintext(Blob::new("x"));
    kms.disable_key().key_id(key.key_id()).send().await.expect("DisableKey");
    assert_eq!(refusal(encrypt().send().await), "DisabledException");
    let gone = kms
        .schedule_key_deletion()
        .key_id(key.key_id())
        .pending_window_in_days(7)
        .send()
        .await
        .expect("ScheduleKeyDeletion");
    assert_eq!(gone.key_state(), Some(&KeyState::PendingDeletion));
    assert!(gone.deletion_date().is_some());
    assert_eq!(refusal(encrypt().send().await), "KMSInvalidStateException");
    kms.cancel_key_deletion().key_id(key.key_id()).send().await.expect("CancelKeyDeletion");
    kms.enable_key().key_id(key.key_id()).send().await.expect("EnableKey");
    encrypt().send().await.expect("Encrypt");
}

//! What a handler works with: its only clock, randomness, custodian and transaction.

use std::sync::Arc;

use crypto::SecretBytes;
use crypto::blob::Blob;
use custody::Custodian;
use jiff::Timestamp;
use serde::Serialize;
use store::Transaction;
use wire::error_codes::ErrorCode;
use wire::names::KeyMaterialId;
use wire::values::EncryptionContext;

use crate::call::Call;
use crate::error::ServiceError;
use crate::host::Host;
use crate::snapshot::KeySnapshot;
use crate::trail::{Committed, Done, Draft, Resource};

/// See the module's text.
pub(crate) struct Context<'a> {
    host: &'a Host,
    call: &'a Call<'a>,
    draft: &'a Draft<'a>,
}

/// What a ciphertext held, and the version of the key that had made it.
pub(crate) struct Decrypted {
    pub(crate) bytes: SecretBytes,
    pub(crate) key_material_id: KeyMaterialId,
}

impl<'a> Context<'a> {
    pub(crate) fn new(host: &'a Host, call: &'a Call<'a>, draft: &'a Draft<'a>) -> Context<'a> {
        Context { host, call, draft }
    }

    /// The parts of the running service.
    pub(crate) fn host(&self) -> &'a Host {
        self.host
    }

    /// The call that is being served.
    pub(crate) fn call(&self) -> &'a Call<'a> {
        self.call
    }

    /// The moment at which the call is judged.
    pub(crate) fn now(&self) -> Timestamp {
        self.call.now
    }

    /// The keeper of key material.
    pub(crate) fn custodian(&self) -> &'a dyn Custodian {
        &*self.host.custodian
    }

    /// Random bytes that nobody else will see unless they are answered.
    pub(crate) fn random_bytes(&self, bytes_count: usize) -> Result<SecretBytes, ServiceError> {
        let mut bytes = vec![0; bytes_count];
        self.host.rng.fill(&mut bytes)?;
        Ok(SecretBytes::from(bytes))
    }

    /// Encrypts under the current material of a symmetric key.
    pub(crate) async fn encrypt(
        &self,
        key: &KeySnapshot,
        encryption_context: Option<&EncryptionContext>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, ServiceError> {
        let material = key.current_material()?;
        let encoded_context = encode(encryption_context);
        Ok(self
            .custodian()
            .encrypt(&material.identity, &material.wrapped, &encoded_context, plaintext)
            .await?)
    }

    /// Decrypts what a symmetric key encrypted. A blob of another key is refused as AWS does it, before its bytes are
    /// looked at.
    pub(crate) async fn decrypt(
        &self,
        key: &KeySnapshot,
        encryption_context: Option<&EncryptionContext>,
        ciphertext_blob: &[u8],
    ) -> Result<Decrypted, ServiceError> {
        let invalid = || ServiceError::bare(ErrorCode::InvalidCiphertextException);
        let blob = Blob::parse(ciphertext_blob).map_err(|_| invalid())?;
        let header = blob.header();
        if header.key_id != key.key_id() {
            return Err(ServiceError::incorrect_key());
        }
        let material = key.material(header.key_material_id).ok_or_else(invalid)?;
        let encoded_context = encode(encryption_context);
        let bytes = self
            .custodian()
            .decrypt(&material.identity, &material.wrapped, &encoded_context, blob)
            .await?;
        Ok(Decrypted { bytes, key_material_id: header.key_material_id })
    }

    /// Commits a change together with its record: both are durable before the answer, or neither is.
    ///
    /// `created` are resources that the call made, which the record names beside those that it was about.
    pub(crate) async fn change<R>(
        &self,
        created: Vec<Resource>,
        act: impl FnOnce(&mut Transaction<'_>) -> Result<R, ServiceError> + Send + 'static,
    ) -> Result<Done<R>, ServiceError>
    where
        R: Serialize + Send + 'static,
    {
        let draft = self.draft.to_owned(created);
        self.host
            .store
            .write(move |transaction| {
                let response = act(transaction)?;
                let record = draft.record(&response)?;
                let outbox = transaction.append_record(&record)?;
                Ok::<_, ServiceError>(Done {
                    response,
                    committed: Some(Committed { outbox, record }),
                })
            })
            .await
    }

    /// The newest rows of a key inside a transaction, if the key is still what the checks saw.
    ///
    /// Checks run on the snapshot; between them and the transaction another change may have committed. Whoever loses
    /// that race would act on rights or a state that no longer hold, so the pipeline walks that call again.
    pub(crate) fn same_key(
        transaction: &Transaction<'_>,
        checked: &Arc<KeySnapshot>,
    ) -> Result<store::KeyRecord, ServiceError> {
        let address = checked.key();
        let record = transaction
            .key(address.region, address.key_id)?
            .ok_or_else(|| ServiceError::key_not_found(&crate::snapshot::arn_of(address)))?;
        match record.key.sequence == address.sequence {
            true => Ok(record),
            false => Err(ServiceError::superseded()),
        }
    }
}

fn encode(encryption_context: Option<&EncryptionContext>) -> Vec<u8> {
    match encryption_context {
        Some(context) => crypto::encryption_context::encode(context),
        None => crypto::encryption_context::encode_empty(),
    }
}

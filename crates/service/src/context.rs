//! What a handler works with: its only clock, randomness, custodian and transaction.

use std::sync::Arc;

use attestation::Attested;
use crypto::SecretBytes;
use crypto::blob::Blob as CiphertextBlob;
use custody::Custodian;
use jiff::Timestamp;
use serde::Serialize;
use store::Transaction;
use wire::enums::EncryptionAlgorithmSpec;
use wire::error_codes::ErrorCode;
use wire::names::KeyMaterialId;
use wire::values::{Blob, EncryptionContext};

use crate::call::Call;
use crate::error::ServiceError;
use crate::host::Host;
use crate::snapshot::{KeySnapshot, Material};
use crate::trail::{Committed, Done, Draft, Resource};

/// See the module's text.
pub(crate) struct Context<'a> {
    host: &'a Host,
    call: &'a Call<'a>,
    draft: &'a Draft<'a>,
    recipient: Option<&'a Attested>,
}

/// How something is encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Encryption<'r> {
    /// The algorithm, one of the key's.
    pub(crate) algorithm: EncryptionAlgorithmSpec,
    /// What is bound to the ciphertext; nothing for asymmetric algorithms.
    pub(crate) context: Option<&'r EncryptionContext>,
}

impl<'r> Encryption<'r> {
    /// Symmetric encryption, which binds a context.
    pub(crate) fn symmetric(context: Option<&'r EncryptionContext>) -> Encryption<'r> {
        Encryption { algorithm: EncryptionAlgorithmSpec::SymmetricDefault, context }
    }
}

/// What a ciphertext held, and the version of the key that had made it, if it is a symmetric one.
pub(crate) struct Decrypted {
    pub(crate) bytes: SecretBytes,
    pub(crate) key_material_id: Option<KeyMaterialId>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        host: &'a Host,
        call: &'a Call<'a>,
        draft: &'a Draft<'a>,
        recipient: Option<&'a Attested>,
    ) -> Context<'a> {
        Context { host, call, draft, recipient }
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

    /// What the caller is to read: the plaintext, or the same sealed for the attested recipient that it named.
    pub(crate) fn for_recipient(
        &self,
        plaintext: SecretBytes,
    ) -> Result<(Option<Blob>, Option<Blob>), ServiceError> {
        match self.recipient {
            None => Ok((Some(Blob::from(plaintext.into_exposed())), None)),
            Some(recipient) => {
                let sealed =
                    attestation::seal_for(&recipient.public_key_der, plaintext.expose(), |bytes| {
                        self.host.rng.fill(bytes)
                    })
                    .map_err(ServiceError::internal)?;
                Ok((None, Some(Blob::from(sealed))))
            }
        }
    }

    /// Encrypts under the current material of a key.
    pub(crate) async fn encrypt(
        &self,
        key: &KeySnapshot,
        encryption: Encryption<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, ServiceError> {
        let Material { identity, wrapped } = key.current_material()?;
        let Encryption { algorithm, context } = encryption;
        if algorithm != EncryptionAlgorithmSpec::SymmetricDefault {
            let custodian = self.custodian();
            return Ok(custodian
                .encrypt_asymmetric(identity, wrapped, algorithm, plaintext)
                .await?);
        }
        let encoded_context = encode(context);
        Ok(self.custodian().encrypt(identity, wrapped, &encoded_context, plaintext).await?)
    }

    /// Decrypts what a key encrypted. A symmetric blob of another key is refused as AWS does it, before its bytes are
    /// looked at.
    pub(crate) async fn decrypt(
        &self,
        key: &KeySnapshot,
        encryption: Encryption<'_>,
        ciphertext_blob: &[u8],
    ) -> Result<Decrypted, ServiceError> {
        let Encryption { algorithm, context } = encryption;
        if algorithm != EncryptionAlgorithmSpec::SymmetricDefault {
            // Boxed, so that the walk of a symmetric call does not carry the room that only slow calls need.
            return Box::pin(self.decrypt_asymmetric(key, algorithm, ciphertext_blob)).await;
        }
        let encoded_context = encode(context);
        let (material, blob) = material_of(key, ciphertext_blob)?;
        let bytes = self
            .custodian()
            .decrypt(&material.identity, &material.wrapped, &encoded_context, blob)
            .await?;
        Ok(Decrypted { bytes, key_material_id: Some(material.identity.key_material_id) })
    }

    async fn decrypt_asymmetric(
        &self,
        key: &KeySnapshot,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &[u8],
    ) -> Result<Decrypted, ServiceError> {
        let Material { identity, wrapped } = key.current_material()?;
        let bytes =
            self.custodian().decrypt_asymmetric(identity, wrapped, algorithm, ciphertext).await?;
        Ok(Decrypted { bytes, key_material_id: None })
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
        self.change_with_events(created, |transaction, _| act(transaction)).await
    }

    /// The same for a change that the service tells more of than the call's own record: whole records, in their order.
    pub(crate) async fn change_with_events<R>(
        &self,
        created: Vec<Resource>,
        act: impl FnOnce(&mut Transaction<'_>, &mut Vec<Vec<u8>>) -> Result<R, ServiceError>
        + Send
        + 'static,
    ) -> Result<Done<R>, ServiceError>
    where
        R: Serialize + Send + 'static,
    {
        let draft = self.draft.to_owned(self.host, created)?;
        self.host
            .store
            .write(move |transaction| {
                let mut events = Vec::new();
                let response = act(transaction, &mut events)?;
                let mut committed = Vec::new();
                for record in draft.records(&response)?.into_iter().chain(events) {
                    committed.push(commit(transaction, record)?);
                }
                Ok::<_, ServiceError>(Done { response, committed, materials: None })
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

/// The material that a ciphertext of the key names, and the ciphertext taken apart.
fn material_of<'k, 'b>(
    key: &'k KeySnapshot,
    ciphertext_blob: &'b [u8],
) -> Result<(&'k Material, CiphertextBlob<'b>), ServiceError> {
    let invalid = || ServiceError::bare(ErrorCode::InvalidCiphertextException);
    let blob = CiphertextBlob::parse(ciphertext_blob).map_err(|_| invalid())?;
    let header = blob.header();
    if header.key_id != key.key_id() {
        return Err(ServiceError::incorrect_key());
    }
    Ok((key.material(header.key_material_id).ok_or_else(invalid)?, blob))
}

/// Makes a record part of the change.
pub(crate) fn commit(
    transaction: &mut Transaction<'_>,
    record: Vec<u8>,
) -> Result<Committed, ServiceError> {
    let outbox = transaction.append_record(&record)?;
    Ok(Committed { outbox, record })
}

fn encode(encryption_context: Option<&EncryptionContext>) -> Vec<u8> {
    match encryption_context {
        Some(context) => crypto::encryption_context::encode(context),
        None => crypto::encryption_context::encode_empty(),
    }
}

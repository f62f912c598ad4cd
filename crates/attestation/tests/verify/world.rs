//! One root, one enclave and one recipient, for all tests of a file.

use std::sync::LazyLock;

use attestation::testing::{Claims, Enclave, Recipient, Root, encoded};
use attestation::{AttestationError, Attested, Roots, verify};
use ciborium::Value;
use jiff::Timestamp;

/// What the tests of a file share: keys are slow to make.
pub(crate) struct World {
    pub(crate) root: Root,
    pub(crate) roots: Roots,
    pub(crate) enclave: Enclave,
    pub(crate) recipient: Recipient,
    pub(crate) now: Timestamp,
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let now = "2026-03-01T12:00:00Z".parse().expect("it is a time");
    let root = Root::generate();
    World {
        roots: root.roots(),
        enclave: Enclave::new(&root, now),
        root,
        recipient: Recipient::generate(),
        now,
    }
});

impl World {
    /// What the enclave claims where a test does not say otherwise.
    pub(crate) fn claims(&self) -> Claims {
        Claims::new(self.now, &self.recipient.public_key_der())
    }

    /// The outcome for a document.
    pub(crate) fn verify(&self, document: &[u8]) -> Result<Attested, AttestationError> {
        verify(document, &self.roots, self.now)
    }

    /// The outcome for a genuine signature over these fields.
    pub(crate) fn verify_fields(
        &self,
        fields: Vec<(Value, Value)>,
    ) -> Result<Attested, AttestationError> {
        self.verify(&self.enclave.sign(&encoded(&Value::Map(fields))))
    }
}

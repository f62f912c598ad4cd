//! The values that members of requests and answers are made of, beyond plain text and numbers.

mod blob;
mod encryption_context;
mod one_of;
mod policy_document;
mod secret_text;

pub use blob::Blob;
pub use encryption_context::EncryptionContext;
pub use one_of::OneOf;
pub use policy_document::PolicyDocument;
pub use secret_text::SecretText;

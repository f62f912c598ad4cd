//! Signatures: Sign, Verify.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{MessageType, SigningAlgorithmSpec},
    model::answer,
    names::KeyArn,
    shape::{Shape, Visitor},
    values::{Blob, OneOf},
};

/// The request of Sign.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct SignRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The message, its digest, or ML-DSA's message representative.
    pub message: Option<Blob>,
    /// Which of these it is; RAW if absent.
    pub message_type: Option<OneOf<MessageType>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// The algorithm.
    pub signing_algorithm: Option<OneOf<SigningAlgorithmSpec>>,
    /// Whether everything but the signing itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for SignRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Message", &self.message, &REQUIRED_PLAINTEXT);
        visitor.member("MessageType", &self.message_type, &MESSAGE_TYPE);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("SigningAlgorithm", &self.signing_algorithm, &REQUIRED_SIGNING_ALGORITHM);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of Sign.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SignResponse {
    /// The key that signed.
    pub key_id: KeyArn,
    /// The signature: DER for ECDSA (ANSI X9.62), else as the algorithm's standard writes it.
    pub signature: Blob,
    /// The algorithm that made it.
    pub signing_algorithm: SigningAlgorithmSpec,
}
answer!(SignResponse: "KeyId", "Signature", "SigningAlgorithm");

/// The request of Verify.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// The message, its digest, or ML-DSA's message representative.
    pub message: Option<Blob>,
    /// Which of these it is; RAW if absent.
    pub message_type: Option<OneOf<MessageType>>,
    /// The signature, in the form in which Sign answers it.
    pub signature: Option<Blob>,
    /// The algorithm that made it.
    pub signing_algorithm: Option<OneOf<SigningAlgorithmSpec>>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// Whether everything but the verification itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for VerifyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Message", &self.message, &REQUIRED_PLAINTEXT);
        visitor.member("MessageType", &self.message_type, &MESSAGE_TYPE);
        visitor.member("Signature", &self.signature, &REQUIRED_CIPHERTEXT);
        visitor.member("SigningAlgorithm", &self.signing_algorithm, &REQUIRED_SIGNING_ALGORITHM);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The answer of Verify.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VerifyResponse {
    /// The key that signed.
    pub key_id: KeyArn,
    /// Always true: a signature that does not fit is answered with an error.
    pub signature_valid: bool,
    /// The algorithm that made the signature.
    pub signing_algorithm: SigningAlgorithmSpec,
}
answer!(VerifyResponse: "KeyId", "SignatureValid", "SigningAlgorithm");

family! {
    SignRequest = "Sign" -> SignResponse;
    VerifyRequest = "Verify" -> VerifyResponse;
}

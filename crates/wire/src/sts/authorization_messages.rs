//! Refusals in full: DecodeAuthorizationMessage.

use serde::{Deserialize, Serialize};

use super::rules::*;
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The request of DecodeAuthorizationMessage.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DecodeAuthorizationMessageRequest {
    /// The text that came with the refusal.
    pub encoded_message: Option<String>,
}

impl Shape for DecodeAuthorizationMessageRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("EncodedMessage", &self.encoded_message, &REQUIRED_ENCODED_MESSAGE);
    }
}

/// The answer of DecodeAuthorizationMessage.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecodeAuthorizationMessageResponse {
    /// The reasons of the refusal, as JSON.
    pub decoded_message: String,
}
answer!(DecodeAuthorizationMessageResponse: "DecodedMessage");

family! {
    DecodeAuthorizationMessageRequest = "DecodeAuthorizationMessage"
        -> DecodeAuthorizationMessageResponse;
}

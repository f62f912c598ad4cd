//! DecodeAuthorizationMessage.

use wire::shape::required;
use wire::sts::authorization_messages::{
    DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse,
};

use super::DEFAULT;
use crate::authorization_messages;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells why a request of the caller's account was refused.
pub(crate) struct DecodeAuthorizationMessage;

impl Operation for DecodeAuthorizationMessage {
    type Request = DecodeAuthorizationMessageRequest;
    type Target = NoTarget;
    type Response = DecodeAuthorizationMessageResponse;
    const SPEC: Spec = Spec {
        name: "DecodeAuthorizationMessage",
        actions: &["sts:DecodeAuthorizationMessage"],
        read_only: true,
        // Long and opaque.
        unrecorded: &["EncodedMessage"],
        ..DEFAULT
    };

    fn names(_request: &DecodeAuthorizationMessageRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &DecodeAuthorizationMessageRequest,
    ) -> Result<Done<DecodeAuthorizationMessageResponse>, ServiceError> {
        let encoded = required(&request.encoded_message)?;
        let messages = context.host().authorization_messages.as_ref();
        let decoded_message = messages
            .and_then(|messages| authorization_messages::decode(messages, context.call(), encoded))
            .ok_or_else(ServiceError::invalid_authorization_message)?;
        Ok(Done::read(DecodeAuthorizationMessageResponse { decoded_message }))
    }
}

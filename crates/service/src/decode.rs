//! From the body to a request, by the protocol of the API.

use serde::de::DeserializeOwned;

use crate::error::ServiceError;
use crate::operation::{Api, Spec};

/// Reads a request.
pub(crate) fn request<R: DeserializeOwned + Default>(
    spec: &Spec,
    body: &[u8],
) -> Result<R, ServiceError> {
    match spec.api {
        Api::Kms | Api::CloudTrail | Api::ForwardAccess => Ok(wire::json::decode(body)?),
        Api::Iam | Api::Sts => Ok(wire::query::decode(body)?),
    }
}

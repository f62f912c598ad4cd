//! From outcomes to answers, by the protocol of the API.

use uuid::Uuid;
use wire::query::{self, IAM_NAMESPACE, STS_NAMESPACE};

use crate::api::Answer;
use crate::error::ServiceError;
use crate::operation::Api;

/// The answer to a call that failed. What only the operator may know goes to the log, under the same id.
pub(crate) fn error(
    api: Api,
    operation: &'static str,
    request_id: Uuid,
    error: &ServiceError,
) -> Answer {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(%request_id, operation, error = code.name(), %cause, "a call failed");
    }
    let (status, body) = match api {
        Api::Kms | Api::CloudTrail | Api::ForwardAccess => {
            (code.status(), wire::json::error_body(code, error.message()))
        }
        Api::Iam | Api::Sts => {
            let namespace = if api == Api::Iam { IAM_NAMESPACE } else { STS_NAMESPACE };
            let message = error.message().unwrap_or_default();
            let body = query::error_xml(namespace, code, message, &request_id.to_string());
            (code.in_query().1, body)
        }
    };
    Answer { status, content_type: api.content_type(), body, operation, result: code.name() }
}

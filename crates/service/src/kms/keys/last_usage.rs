//! GetKeyLastUsage.

use wire::kms::keys::{GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData};
use wire::shape::required;

use super::super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Tells when a key was last used, and by which call.
pub(crate) struct GetKeyLastUsage;

impl Operation for GetKeyLastUsage {
    type Request = GetKeyLastUsageRequest;
    type Target = OneKey;
    type Response = GetKeyLastUsageResponse;
    const SPEC: Spec = Spec {
        name: "GetKeyLastUsage",
        actions: &["kms:GetKeyLastUsage"],
        read_only: true,
        ..DEFAULT
    };

    fn names(
        request: &GetKeyLastUsageRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &GetKeyLastUsageRequest,
    ) -> Result<Done<GetKeyLastUsageResponse>, ServiceError> {
        let (host, key) = (context.host(), target.key.key());
        let usage = host.last_usage.of(&host.store, (key.region, key.key_id)).await?;
        Ok(Done::read(GetKeyLastUsageResponse {
            key_id: target.key.arn(),
            key_last_usage: KeyLastUsageData {
                operation: usage.map(|usage| usage.operation),
                timestamp: usage.map(|usage| usage.used),
                cloud_trail_event_id: usage.map(|usage| usage.event_id.to_string()),
                kms_request_id: usage.map(|usage| usage.request_id.to_string()),
            },
            // "… or the date the KMS key was created, whichever is later" (API reference).
            tracking_start_date: key.created.max(host.tracking_start),
            key_creation_date: key.created,
        }))
    }
}

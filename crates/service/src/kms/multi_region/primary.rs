//! UpdatePrimaryRegion.

use std::sync::Arc;

use wire::enums::KeyState;
use wire::kms::multi_region::UpdatePrimaryRegionRequest;
use wire::shape::required;

use super::super::DEFAULT;
use super::super::materials::{other_regions, related_key};
use super::check_primary;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::events;
use crate::facts::{Facts, Lifecycle};
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, Operation, Spec};
use crate::snapshot::KeySnapshot;
use crate::target::{RelatedKeys, Target};
use crate::trail::Done;

/// Makes a replica the primary key, and the primary key a replica.
pub(crate) struct UpdatePrimaryRegion;

impl Operation for UpdatePrimaryRegion {
    type Request = UpdatePrimaryRegionRequest;
    type Target = RelatedKeys;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UpdatePrimaryRegion",
        actions: &["kms:UpdatePrimaryRegion"],
        key_state: KeyStateRule::Usable,
        answer: AnswerForm::Empty,
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &UpdatePrimaryRegionRequest,
    ) -> Result<<RelatedKeys as Target>::Names<'_>, ServiceError> {
        Ok((required(&request.key_id)?, required(&request.primary_region)?))
    }

    fn facts(request: &UpdatePrimaryRegionRequest) -> Facts<'_> {
        Facts {
            lifecycle: Lifecycle {
                primary_region: request.primary_region.as_deref(),
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    fn suits(
        _request: &UpdatePrimaryRegionRequest,
        target: &RelatedKeys,
    ) -> Result<(), ServiceError> {
        check_primary(&target.key.key)?;
        match target.related_arn.region == target.key.key.key().region {
            true => Err(ServiceError::unsupported(format!(
                "{} is the multi-region primary key already.",
                target.key.key.arn_text()
            ))),
            false => related(target).map(drop),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<RelatedKeys>,
        _request: &UpdatePrimaryRegionRequest,
    ) -> Result<Done<()>, ServiceError> {
        let (former, next) = (Arc::clone(&target.key.key), Arc::clone(related(&target)?));
        let event_ids = events::ids(context.host(), other_regions(former.record()).len())?;
        let (next_region, now) = (next.key().region, context.now());
        context
            .change_with_events(Vec::new(), move |transaction, events| {
                let mut record = Context::same_key(transaction, &former)?;
                // The checks saw both keys; neither may have changed since.
                Context::same_key(transaction, &next)?;
                let former_region = record.key.region;
                let Some(mut related) = record.multi_region.clone() else {
                    return Err(ServiceError::not_primary(former.arn_text()));
                };
                related.primary_region = next_region;
                related.replica_regions.retain(|region| *region != next_region);
                related.replica_regions.push(former_region);
                related.replica_regions.sort_unstable();
                events.extend(events::synchronized(&record, &event_ids, now));
                for region in other_regions(&record) {
                    let mut other = related_key(transaction, &record, region)?;
                    other.multi_region = Some(related.clone());
                    if region == next_region {
                        other.key.state = KeyState::Updating;
                    }
                    transaction.save_key(&other)?;
                }
                record.multi_region = Some(related);
                record.key.state = KeyState::Updating;
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// The replica that is to be the primary key.
fn related(target: &RelatedKeys) -> Result<&Arc<KeySnapshot>, ServiceError> {
    target.related.as_ref().ok_or_else(|| ServiceError::key_not_found(&target.related_arn))
}

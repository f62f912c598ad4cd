//! Events of the last 90 days: LookupEvents.

use std::sync::Arc;

use audit::{Attribute, Found, Index, Position, Sought};
use jiff::{SignedDuration, Timestamp};
use wire::cloudtrail::enums::LookupAttributeKey;
use wire::cloudtrail::events::{Event, LookupEventsRequest, LookupEventsResponse, Resource};
use wire::error_codes::ErrorCode;
use wire::shape::required;
use wire::values::OneOf;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::target::NoTarget;
use crate::trail::Done;

/// How far back events are told (AWS CloudTrail API Reference, "LookupEvents").
const HISTORY_DAYS: i64 = 90;
/// Events of one page, and the most that a caller can ask for.
const RESULTS_MAX: usize = 50;
/// Records that a look-up takes in itself, so that it tells of all that was answered before it.
const RECORDS_BEHIND_MAX: usize = 50_000;

/// Tells what happened in the account and Region, the newest first.
pub(crate) struct LookupEvents;

impl Operation for LookupEvents {
    type Request = LookupEventsRequest;
    type Target = NoTarget;
    type Response = LookupEventsResponse;
    const SPEC: Spec = Spec {
        name: "LookupEvents",
        actions: &["cloudtrail:LookupEvents"],
        request_quota: RequestQuota::Own(2),
        ..DEFAULT
    };

    fn check(request: &LookupEventsRequest) -> Result<(), ServiceError> {
        if request.lookup_attributes.as_ref().is_some_and(|attributes| attributes.len() > 1) {
            return Err(ServiceError::new(
                ErrorCode::InvalidLookupAttributesException,
                "You can only specify one lookup attribute.",
            ));
        }
        match (request.start_time, request.end_time) {
            (Some(start), Some(end)) if start > end => Err(ServiceError::new(
                ErrorCode::InvalidTimeRangeException,
                "The start time must not be after the end time.",
            )),
            (_, _) => Ok(()),
        }
    }

    fn names(_request: &LookupEventsRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &LookupEventsRequest,
    ) -> Result<Done<LookupEventsResponse>, ServiceError> {
        let filter = filter(request);
        let after = page::after(context, "LookupEvents", &filter, request.next_token.as_deref());
        let after: Option<Position> = after.map_err(|_| invalid_next_token())?;
        // Nothing here finds out what is unusual.
        if request.event_category.is_some() {
            return Ok(Done::read(LookupEventsResponse { events: Vec::new(), next_token: None }));
        }
        let limit = page::limit(request.max_results, RESULTS_MAX, RESULTS_MAX)?;
        let search = Search::new(context, request)?;
        let index = Arc::clone(&context.host().index);
        let found = tokio::task::spawn_blocking(move || search.run(&index, after, limit + 1));
        let found = found.await.map_err(ServiceError::internal)??;
        let page = Page::cut(found, limit);
        let next_token = match page.last_if_truncated() {
            Some(last) => {
                let last = last.position.to_string();
                Some(page::marker(context, "LookupEvents", &filter, &last)?)
            }
            None => None,
        };
        let events = page.items.into_iter().map(event).collect::<Result<_, ServiceError>>()?;
        Ok(Done::read(LookupEventsResponse { events, next_token }))
    }
}

fn invalid_next_token() -> ServiceError {
    ServiceError::new(ErrorCode::InvalidNextTokenException, "Invalid token or parameters.")
}

/// What a token is bound to: AWS takes it only with the parameters of the first page.
fn filter(request: &LookupEventsRequest) -> String {
    let attributes = request.lookup_attributes.iter().flatten().map(|attribute| {
        let key = attribute.attribute_key.as_ref().map(OneOf::as_str);
        (key, attribute.attribute_value.as_deref())
    });
    let attributes: Vec<_> = attributes.collect();
    format!("{attributes:?} {:?} {:?}", request.start_time, request.end_time)
}

/// A look-up that another thread can do.
struct Search {
    account_id: String,
    region: String,
    attribute: Option<(Attribute, String)>,
    earliest: Timestamp,
    latest: Timestamp,
}

impl Search {
    fn new(context: &Context<'_>, request: &LookupEventsRequest) -> Result<Search, ServiceError> {
        let call = context.call();
        let attribute = match request.lookup_attributes.iter().flatten().next() {
            Some(asked) => {
                let key = required(&asked.attribute_key)?.known();
                let key = key.ok_or_else(|| ServiceError::internal("an unknown attribute"))?;
                Some((attribute(key), required(&asked.attribute_value)?.clone()))
            }
            None => None,
        };
        let history = SignedDuration::from_hours(24 * HISTORY_DAYS);
        let oldest = call.now.checked_sub(history).map_err(ServiceError::internal)?;
        Ok(Search {
            account_id: call.account().to_string(),
            region: call.region.to_string(),
            attribute,
            earliest: request.start_time.map_or(oldest, |start| start.max(oldest)),
            latest: request.end_time.unwrap_or(Timestamp::MAX),
        })
    }

    fn run(
        &self,
        index: &Index,
        after: Option<Position>,
        count_max: usize,
    ) -> Result<Vec<Found>, ServiceError> {
        if !index.catch_up(RECORDS_BEHIND_MAX).map_err(ServiceError::internal)? {
            return Err(ServiceError::overloaded("the index over the journal is still being made"));
        }
        let sought = Sought {
            account_id: &self.account_id,
            region: &self.region,
            attribute: self.attribute.as_ref().map(|(attribute, value)| (*attribute, &**value)),
            earliest: self.earliest,
            latest: self.latest,
        };
        index.look_up(&sought, after, count_max).map_err(ServiceError::internal)
    }
}

fn attribute(key: LookupAttributeKey) -> Attribute {
    match key {
        LookupAttributeKey::EventId => Attribute::EventId,
        LookupAttributeKey::EventName => Attribute::EventName,
        LookupAttributeKey::ReadOnly => Attribute::ReadOnly,
        LookupAttributeKey::Username => Attribute::Username,
        LookupAttributeKey::ResourceType => Attribute::ResourceType,
        LookupAttributeKey::ResourceName => Attribute::ResourceName,
        LookupAttributeKey::EventSource => Attribute::EventSource,
        LookupAttributeKey::AccessKeyId => Attribute::AccessKeyId,
    }
}

fn event(found: Found) -> Result<Event, ServiceError> {
    let Found { summary, record, position: _ } = found;
    let resource = |(resource_type, resource_name)| Resource { resource_type, resource_name };
    Ok(Event {
        event_id: summary.event_id,
        event_name: summary.event_name,
        read_only: summary.read_only.to_string(),
        access_key_id: summary.access_key_id,
        event_time: summary.event_time,
        event_source: summary.event_source,
        username: summary.username,
        resources: summary.resources.into_iter().map(resource).collect(),
        cloud_trail_event: String::from_utf8(record).map_err(ServiceError::internal)?,
    })
}

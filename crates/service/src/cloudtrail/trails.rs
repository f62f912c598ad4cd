//! DescribeTrails, GetTrail, GetTrailStatus, GetEventSelectors, ListTrails, ListPublicKeys.
//!
//! The operator configures one trail for all accounts. Each account sees it as its own, by an ARN of its own: its records and
//! digests lie apart from those of others.

use jiff::Timestamp;
use wire::cloudtrail::enums::ReadWriteType;
use wire::cloudtrail::trails::{
    DescribeTrailsRequest, DescribeTrailsResponse, EventSelector, GetEventSelectorsRequest,
    GetEventSelectorsResponse, GetTrailRequest, GetTrailResponse, GetTrailStatusRequest,
    GetTrailStatusResponse, ListPublicKeysRequest, ListPublicKeysResponse, ListTrailsRequest,
    ListTrailsResponse, PublicKey, TrailDescription, TrailInfo,
};
use wire::error_codes::ErrorCode;
use wire::shape::required;
use wire::values::Blob;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::delivery::Delivery;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Tells the trails of the caller's account.
pub(crate) struct DescribeTrails;

impl Operation for DescribeTrails {
    type Request = DescribeTrailsRequest;
    type Target = NoTarget;
    type Response = DescribeTrailsResponse;
    const SPEC: Spec =
        Spec { name: "DescribeTrails", actions: &["cloudtrail:DescribeTrails"], ..DEFAULT };

    fn names(_request: &DescribeTrailsRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &DescribeTrailsRequest,
    ) -> Result<Done<DescribeTrailsResponse>, ServiceError> {
        let names = request.trail_name_list.as_deref().unwrap_or_default();
        let with_shadows = request.include_shadow_trails.unwrap_or(true);
        let region = context.call().region;
        let is_asked = |delivery: &&Delivery| {
            let is_here = delivery.options.home_region == region;
            let is_named = names.iter().any(|name| is_name(context, delivery, name));
            (names.is_empty() || is_named) && (with_shadows || is_here)
        };
        let trail_list = trail(context)
            .filter(is_asked)
            .map(|delivery| description(context, delivery))
            .into_iter()
            .collect();
        Ok(Done::read(DescribeTrailsResponse { trail_list }))
    }
}

/// Tells one trail.
pub(crate) struct GetTrail;

impl Operation for GetTrail {
    type Request = GetTrailRequest;
    type Target = NoTarget;
    type Response = GetTrailResponse;
    const SPEC: Spec = Spec { name: "GetTrail", actions: &["cloudtrail:GetTrail"], ..DEFAULT };

    fn names(_request: &GetTrailRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetTrailRequest,
    ) -> Result<Done<GetTrailResponse>, ServiceError> {
        let delivery = named(context, required(&request.name)?)?;
        Ok(Done::read(GetTrailResponse { trail: description(context, delivery) }))
    }
}

/// Tells how far the delivery of a trail came.
pub(crate) struct GetTrailStatus;

impl Operation for GetTrailStatus {
    type Request = GetTrailStatusRequest;
    type Target = NoTarget;
    type Response = GetTrailStatusResponse;
    const SPEC: Spec =
        Spec { name: "GetTrailStatus", actions: &["cloudtrail:GetTrailStatus"], ..DEFAULT };

    fn names(_request: &GetTrailStatusRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetTrailStatusRequest,
    ) -> Result<Done<GetTrailStatusResponse>, ServiceError> {
        let progress = named(context, required(&request.name)?)?.progress();
        // The cause names places on the operator's machine; callers learn only that there is one.
        let failure = progress.failure.map(|_| "DestinationUnavailable".to_owned());
        Ok(Done::read(GetTrailStatusResponse {
            is_logging: true,
            latest_delivery_error: failure.clone(),
            latest_delivery_time: progress.status.delivered,
            start_logging_time: progress.status.started,
            latest_digest_delivery_time: progress.status.digests_delivered,
            latest_digest_delivery_error: failure,
        }))
    }
}

/// Tells which events a trail tells of: all management events.
pub(crate) struct GetEventSelectors;

impl Operation for GetEventSelectors {
    type Request = GetEventSelectorsRequest;
    type Target = NoTarget;
    type Response = GetEventSelectorsResponse;
    const SPEC: Spec =
        Spec { name: "GetEventSelectors", actions: &["cloudtrail:GetEventSelectors"], ..DEFAULT };

    fn names(_request: &GetEventSelectorsRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GetEventSelectorsRequest,
    ) -> Result<Done<GetEventSelectorsResponse>, ServiceError> {
        let delivery = named(context, required(&request.trail_name)?)?;
        let all = EventSelector {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        };
        let trail_arn = arn(context, delivery);
        Ok(Done::read(GetEventSelectorsResponse { trail_arn, event_selectors: vec![all] }))
    }
}

/// Lists the trails of the caller's account.
pub(crate) struct ListTrails;

impl Operation for ListTrails {
    type Request = ListTrailsRequest;
    type Target = NoTarget;
    type Response = ListTrailsResponse;
    const SPEC: Spec = Spec { name: "ListTrails", actions: &["cloudtrail:ListTrails"], ..DEFAULT };

    fn names(_request: &ListTrailsRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &ListTrailsRequest,
    ) -> Result<Done<ListTrailsResponse>, ServiceError> {
        let info = |delivery: &Delivery| TrailInfo {
            trail_arn: arn(context, delivery),
            name: delivery.options.name.clone(),
            home_region: delivery.options.home_region.to_string(),
        };
        let trails = trail(context).map(info).into_iter().collect();
        Ok(Done::read(ListTrailsResponse { trails }))
    }
}

/// Tells the public keys of what signed digests in a range of time.
pub(crate) struct ListPublicKeys;

impl Operation for ListPublicKeys {
    type Request = ListPublicKeysRequest;
    type Target = NoTarget;
    type Response = ListPublicKeysResponse;
    const SPEC: Spec =
        Spec { name: "ListPublicKeys", actions: &["cloudtrail:ListPublicKeys"], ..DEFAULT };

    fn names(_request: &ListPublicKeysRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &ListPublicKeysRequest,
    ) -> Result<Done<ListPublicKeysResponse>, ServiceError> {
        let now = context.host().clock.now();
        let (start, end) = range(request, now)?;
        let public_key_list = context
            .host()
            .digest_keys
            .public_keys()
            .filter(|valid| valid.start <= end && valid.end >= start)
            .map(|valid| PublicKey {
                value: Blob::from(valid.key.der),
                validity_start_time: valid.start,
                validity_end_time: valid.end,
                fingerprint: valid.key.fingerprint,
            })
            .collect();
        Ok(Done::read(ListPublicKeysResponse { public_key_list }))
    }
}

fn range(
    request: &ListPublicKeysRequest,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), ServiceError> {
    let (start, end) = (request.start_time.unwrap_or(now), request.end_time.unwrap_or(now));
    if start > end {
        return Err(ServiceError::new(
            ErrorCode::InvalidTimeRangeException,
            "The start time must not be after the end time.",
        ));
    }
    Ok((start, end))
}

fn trail<'a>(context: &'a Context<'_>) -> Option<&'a Delivery> {
    context.host().delivery.as_deref()
}

/// The trail of a name or ARN.
fn named<'a>(context: &'a Context<'_>, name: &str) -> Result<&'a Delivery, ServiceError> {
    let account = context.call().account();
    trail(context).filter(|delivery| is_name(context, delivery, name)).ok_or_else(|| {
        ServiceError::new(
            ErrorCode::TrailNotFoundException,
            format!("Unknown trail: {name} for the user: {account}"),
        )
    })
}

fn is_name(context: &Context<'_>, delivery: &Delivery, name: &str) -> bool {
    name == delivery.options.name || name == arn(context, delivery)
}

fn arn(context: &Context<'_>, delivery: &Delivery) -> String {
    let home_region = delivery.options.home_region;
    let (partition, account) = (home_region.partition().as_str(), context.call().account());
    format!("arn:{partition}:cloudtrail:{home_region}:{account}:trail/{}", delivery.options.name)
}

fn description(context: &Context<'_>, delivery: &Delivery) -> TrailDescription {
    TrailDescription {
        name: delivery.options.name.clone(),
        s3_bucket_name: delivery.options.bucket.clone(),
        s3_key_prefix: delivery.options.prefix.clone(),
        include_global_service_events: true,
        is_multi_region_trail: true,
        home_region: delivery.options.home_region.to_string(),
        trail_arn: arn(context, delivery),
        log_file_validation_enabled: true,
        has_custom_event_selectors: false,
        has_insight_selectors: false,
        is_organization_trail: false,
    }
}

//! Trails: DescribeTrails, GetTrail, GetTrailStatus, GetEventSelectors, ListTrails, ListPublicKeys.
//!
//! Of structures that tell what trails of AWS can have besides, only the members that trails here have are built; the rest
//! stay absent, as in AWS for a trail without them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::enums::ReadWriteType;
use crate::{
    model::{answer, family},
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::Blob,
};

const DATE: Rule = Rule::of(Kind::Timestamp);
const FLAG: Rule = Rule::of(Kind::Boolean);
const TEXT: Rule = Rule::of(Kind::text(Range::ANY));
const REQUIRED_TEXT: Rule = TEXT.required();
const NAMES: Rule = Rule::of(Kind::List { length: Range::ANY, item: &Kind::text(Range::ANY) });

/// The request of DescribeTrails.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTrailsRequest {
    /// Names or ARNs; all trails if absent or empty.
    pub trail_name_list: Option<Vec<String>>,
    /// Whether trails of other Regions are told too; true if absent.
    pub include_shadow_trails: Option<bool>,
}

impl Shape for DescribeTrailsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("trailNameList", &self.trail_name_list, &NAMES);
        visitor.member("includeShadowTrails", &self.include_shadow_trails, &FLAG);
    }
}

/// The answer of DescribeTrails.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeTrailsResponse {
    /// The trails.
    pub trail_list: Vec<TrailDescription>,
}
answer!(DescribeTrailsResponse: "trailList");

/// The request of GetTrail.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetTrailRequest {
    /// A name or an ARN.
    pub name: Option<String>,
}

impl Shape for GetTrailRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Name", &self.name, &REQUIRED_TEXT);
    }
}

/// The answer of GetTrail.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetTrailResponse {
    /// The trail.
    pub trail: TrailDescription,
}
answer!(GetTrailResponse: "Trail");

/// The settings of a trail.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrailDescription {
    /// Its name.
    pub name: String,
    /// The bucket that its digests name.
    #[serde(rename = "S3BucketName")]
    pub s3_bucket_name: String,
    /// What stands before `AWSLogs` in the names of its files.
    #[serde(rename = "S3KeyPrefix", skip_serializing_if = "Option::is_none")]
    pub s3_key_prefix: Option<String>,
    /// Whether it tells of IAM and STS.
    pub include_global_service_events: bool,
    /// Whether it tells of all Regions.
    pub is_multi_region_trail: bool,
    /// The Region that it belongs to.
    pub home_region: String,
    /// Its ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// Whether it has digests.
    pub log_file_validation_enabled: bool,
    /// Whether it leaves events out.
    pub has_custom_event_selectors: bool,
    /// Whether it tells of unusual activity.
    pub has_insight_selectors: bool,
    /// Whether it is an organization's.
    pub is_organization_trail: bool,
}
answer!(TrailDescription: "Name", "S3BucketName", "S3KeyPrefix", "SnsTopicName", "SnsTopicARN", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "HomeRegion", "TrailARN", "LogFileValidationEnabled", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId", "HasCustomEventSelectors", "HasInsightSelectors", "IsOrganizationTrail", "RecursiveLogging");

/// The request of GetTrailStatus.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetTrailStatusRequest {
    /// A name or an ARN.
    pub name: Option<String>,
}

impl Shape for GetTrailStatusRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Name", &self.name, &REQUIRED_TEXT);
    }
}

/// The answer of GetTrailStatus.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetTrailStatusResponse {
    /// Whether calls are recorded.
    pub is_logging: bool,
    /// Why log files are not delivered; absent while they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_delivery_error: Option<String>,
    /// When log files were last delivered.
    #[serde(with = "crate::json::epoch::option", skip_serializing_if = "Option::is_none")]
    pub latest_delivery_time: Option<Timestamp>,
    /// When the trail began.
    #[serde(with = "crate::json::epoch")]
    pub start_logging_time: Timestamp,
    /// When digests were last delivered.
    #[serde(with = "crate::json::epoch::option", skip_serializing_if = "Option::is_none")]
    pub latest_digest_delivery_time: Option<Timestamp>,
    /// Why digests are not delivered; absent while they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_digest_delivery_error: Option<String>,
}
answer!(GetTrailStatusResponse: "IsLogging", "LatestDeliveryError", "LatestNotificationError", "LatestDeliveryTime", "LatestNotificationTime", "StartLoggingTime", "StopLoggingTime", "LatestCloudWatchLogsDeliveryError", "LatestCloudWatchLogsDeliveryTime", "LatestDigestDeliveryTime", "LatestDigestDeliveryError", "LatestDeliveryAttemptTime", "LatestNotificationAttemptTime", "LatestNotificationAttemptSucceeded", "LatestDeliveryAttemptSucceeded", "TimeLoggingStarted", "TimeLoggingStopped");

/// The request of GetEventSelectors.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetEventSelectorsRequest {
    /// A name or an ARN.
    pub trail_name: Option<String>,
}

impl Shape for GetEventSelectorsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("TrailName", &self.trail_name, &REQUIRED_TEXT);
    }
}

/// The answer of GetEventSelectors.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetEventSelectorsResponse {
    /// The trail's ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// What it tells of.
    pub event_selectors: Vec<EventSelector>,
}
answer!(GetEventSelectorsResponse: "TrailARN", "EventSelectors", "AdvancedEventSelectors");

/// Which events a trail tells of. Trails here tell of no data events and leave no service out, so that the lists are empty.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventSelector {
    /// Events that change something, that do not, or both.
    pub read_write_type: ReadWriteType,
    /// Whether it tells of management events.
    pub include_management_events: bool,
    /// The resources whose data events it tells of.
    pub data_resources: Vec<String>,
    /// The services whose management events it leaves out.
    pub exclude_management_event_sources: Vec<String>,
}
answer!(EventSelector: "ReadWriteType", "IncludeManagementEvents", "DataResources", "ExcludeManagementEventSources");

/// The request of ListTrails.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListTrailsRequest {
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

impl Shape for ListTrailsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("NextToken", &self.next_token, &TEXT);
    }
}

/// The answer of ListTrails; one page holds all.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListTrailsResponse {
    /// The trails.
    pub trails: Vec<TrailInfo>,
}
answer!(ListTrailsResponse: "Trails", "NextToken");

/// A trail in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrailInfo {
    /// Its ARN.
    #[serde(rename = "TrailARN")]
    pub trail_arn: String,
    /// Its name.
    pub name: String,
    /// The Region that it belongs to.
    pub home_region: String,
}
answer!(TrailInfo: "TrailARN", "Name", "HomeRegion");

/// The request of ListPublicKeys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListPublicKeysRequest {
    /// Keys that signed after it; now if absent.
    #[serde(default, with = "crate::json::epoch::option")]
    pub start_time: Option<Timestamp>,
    /// Keys that signed before it; now if absent.
    #[serde(default, with = "crate::json::epoch::option")]
    pub end_time: Option<Timestamp>,
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

impl Shape for ListPublicKeysRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("StartTime", &self.start_time, &DATE);
        visitor.member("EndTime", &self.end_time, &DATE);
        visitor.member("NextToken", &self.next_token, &TEXT);
    }
}

/// The answer of ListPublicKeys; one page holds all.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPublicKeysResponse {
    /// The keys.
    pub public_key_list: Vec<PublicKey>,
}
answer!(ListPublicKeysResponse: "PublicKeyList", "NextToken");

/// A key that signed digests.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublicKey {
    /// `RSAPublicKey` (RFC 8017, appendix A.1.1) in DER.
    pub value: Blob,
    /// When it began to sign.
    #[serde(with = "crate::json::epoch")]
    pub validity_start_time: Timestamp,
    /// When it signs no more.
    #[serde(with = "crate::json::epoch")]
    pub validity_end_time: Timestamp,
    /// What digests call it.
    pub fingerprint: String,
}
answer!(PublicKey: "Value", "ValidityStartTime", "ValidityEndTime", "Fingerprint");

family! {
    DescribeTrailsRequest = "DescribeTrails" -> DescribeTrailsResponse;
    GetTrailRequest = "GetTrail" -> GetTrailResponse;
    GetTrailStatusRequest = "GetTrailStatus" -> GetTrailStatusResponse;
    GetEventSelectorsRequest = "GetEventSelectors" -> GetEventSelectorsResponse;
    ListTrailsRequest = "ListTrails" -> ListTrailsResponse;
    ListPublicKeysRequest = "ListPublicKeys" -> ListPublicKeysResponse;
}

//! The operations of AWS CloudTrail.

pub(crate) mod events;
pub(crate) mod trails;

use wire::error_codes::ErrorCode;

use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{AnswerForm, Api, KeyForms, Spec};
use crate::quotas::RequestQuota;

/// Facts that the operations of CloudTrail share; each row says only what differs.
const DEFAULT: Spec = Spec {
    name: "",
    api: Api::CloudTrail,
    actions: &[],
    undeniable: false,
    tagging_action: None,
    key_forms: KeyForms::Key,
    key_state: KeyStateRule::Any,
    key_usage: None,
    invalid_arn: ErrorCode::ValidationException,
    cross_account: false,
    is_use: false,
    read_only: true,
    unrecorded: &[],
    records_answer: false,
    records_key: false,
    request_quota: RequestQuota::Unlimited,
    metering: Metering::Free,
    answer: AnswerForm::Json,
};

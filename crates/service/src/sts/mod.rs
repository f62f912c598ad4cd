//! The operations of AWS STS.

pub(crate) mod authorization_messages;
pub(crate) mod caller_identity;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod web_identities;

use wire::error_codes::ErrorCode;
use wire::query::STS_NAMESPACE;

use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{AnswerForm, Api, KeyForms, Spec};
use crate::quotas::RequestQuota;

/// Facts that the operations of STS share; each row says only what differs.
const DEFAULT: Spec = Spec {
    name: "",
    api: Api::Sts,
    actions: &[],
    undeniable: false,
    tagging_action: None,
    key_forms: KeyForms::Key,
    key_state: KeyStateRule::Any,
    key_usage: None,
    invalid_arn: ErrorCode::InvalidInput,
    cross_account: false,
    is_use: false,
    read_only: false,
    unrecorded: &[],
    records_answer: false,
    records_key: false,
    request_quota: RequestQuota::Unlimited,
    metering: Metering::Free,
    answer: AnswerForm::Xml(STS_NAMESPACE),
};

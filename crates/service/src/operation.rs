//! What an operation is: one row of facts and one handler, all of one shape.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use serde_json::Value;
use uuid::Uuid;
use wire::enums::{GrantOperation, KeyUsage, WireEnum};
use wire::error_codes::ErrorCode;
use wire::model::{Answer, Request};

use crate::api;
use crate::authorize::Authorized;
use crate::call::Call;
use crate::context::Context;
use crate::error::ServiceError;
use crate::explain::{Told, explain_request};
use crate::facts::Facts;
use crate::host::Host;
use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::pipeline;
use crate::quotas::RequestQuota;
use crate::target::Target;
use crate::trail::Done;

/// Everything about an operation that is not its work, stated once.
pub(crate) struct Spec {
    /// The name on the wire and in the audit record.
    pub(crate) name: &'static str,
    /// The API that it belongs to.
    pub(crate) api: Api,
    /// The IAM action for each thing that the target asks about, in the target's order; the last one serves the rest.
    pub(crate) actions: &'static [&'static str],
    /// AWS lets nobody be denied it, and policies are not asked.
    pub(crate) undeniable: bool,
    /// The IAM action that is needed besides when the request gives tags to what it makes.
    pub(crate) tagging_action: Option<&'static str>,
    /// How a key may be named.
    pub(crate) key_forms: KeyForms,
    /// The states of a key in which the operation goes on.
    pub(crate) key_state: KeyStateRule,
    /// The usage that a key must have been made for.
    pub(crate) key_usage: Option<KeyUsage>,
    /// What a malformed ARN is answered with: operations whose model lacks InvalidArnException know no such key.
    pub(crate) invalid_arn: ErrorCode,
    /// Whether a caller of another account can be allowed at all (reference 3.3).
    pub(crate) cross_account: bool,
    /// Whether a success counts as use of the keys (`GetKeyLastUsage`).
    pub(crate) is_use: bool,
    /// CloudTrail's `readOnly`.
    pub(crate) read_only: bool,
    /// Members of the request that are never recorded, beside blobs and sensitive ones.
    pub(crate) unrecorded: &'static [&'static str],
    /// Whether the answer is recorded as `responseElements`.
    pub(crate) records_answer: bool,
    /// Whether the key's ARN is recorded in `responseElements`, although the answer has none.
    pub(crate) records_key: bool,
    /// Which quota the calls count against.
    pub(crate) request_quota: RequestQuota,
    /// How the calls are metered.
    pub(crate) metering: Metering,
    /// What the body of a success is.
    pub(crate) answer: AnswerForm,
}

impl Spec {
    /// The action asked for the thing at `position` of the target.
    pub(crate) fn action(&self, position: usize) -> &'static str {
        self.actions.get(position).or(self.actions.last()).copied().unwrap_or("")
    }

    /// What a grant must permit for that action to be allowed by it, if grants can permit it at all. AWS calls both by
    /// one name.
    pub(crate) fn grant_operation(&self, position: usize) -> Option<GrantOperation> {
        GrantOperation::from_text(self.action(position).strip_prefix("kms:")?)
    }
}

/// The APIs that share the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// AWS JSON 1.1, told by `X-Amz-Target`.
    Kms,
    /// AWS Query, told by `Action` and IAM's `Version`.
    Iam,
    /// AWS Query, told by `Action`.
    Sts,
    /// AWS JSON 1.1, told by `X-Amz-Target`.
    CloudTrail,
    /// AWS JSON 1.1 of our own, told by `X-Amz-Target`: the sessions with which services call as users.
    ForwardAccess,
}

impl Api {
    /// The service of the credential scope.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Api::Kms => "kms",
            Api::Iam => "iam",
            Api::Sts | Api::ForwardAccess => "sts",
            Api::CloudTrail => "cloudtrail",
        }
    }

    /// CloudTrail's `eventSource`.
    pub(crate) fn event_source(self) -> &'static str {
        match self {
            Api::Kms => "kms.amazonaws.com",
            Api::Iam => "iam.amazonaws.com",
            Api::Sts => "sts.amazonaws.com",
            Api::CloudTrail => "cloudtrail.amazonaws.com",
            // Not AWS's, so that nobody takes it for that.
            Api::ForwardAccess => "forward-access.keystead",
        }
    }

    /// The media type of every answer.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Api::Kms | Api::CloudTrail | Api::ForwardAccess => "application/x-amz-json-1.1",
            Api::Iam | Api::Sts => "text/xml",
        }
    }
}

/// The identifiers that an operation accepts for a key (reference 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyForms {
    /// Key ID or key ARN.
    Key,
    /// Key ID, key ARN, alias name or alias ARN.
    KeyOrAlias,
}

/// What the body of a successful answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// The response as JSON.
    Json,
    /// The response as XML in this namespace, as everything of AWS Query.
    Xml(&'static str),
    /// Nothing at all, as AWS answers operations without output.
    Empty,
}

/// One operation of one API.
pub(crate) trait Operation: Send + Sync + 'static {
    /// The request on the wire.
    type Request: Request<Answer = Self::Response> + Send + Sync;
    /// What the request acts on.
    type Target: Target;
    /// The answer on the wire.
    type Response: Answer + Send;
    /// The operation's row of facts.
    const SPEC: Spec;

    /// Rules between members, which the model cannot say.
    fn check(_request: &Self::Request) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Writes in what AWS takes for members that were left out and records as if they had been given.
    fn complete(_request: &mut Self::Request) {}

    /// The names by which the request calls its target.
    fn names(request: &Self::Request) -> Result<<Self::Target as Target>::Names<'_>, ServiceError>;

    /// What the request says that policies can ask about, and its dry run and grant tokens.
    fn facts(_request: &Self::Request) -> Facts<'_> {
        Facts::default()
    }

    /// Whether the kind of the key suits, for the operations that AWS has ask this before the key's usage and state.
    fn kind(_request: &Self::Request, _target: &Self::Target) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Whether algorithm and sizes suit the key.
    fn suits(_request: &Self::Request, _target: &Self::Target) -> Result<(), ServiceError> {
        Ok(())
    }

    /// The body of a success.
    fn body(response: &Self::Response, request_id: Uuid) -> Vec<u8> {
        match Self::SPEC.answer {
            AnswerForm::Json => wire::json::encode(response),
            AnswerForm::Xml(namespace) => {
                wire::query::encode::<Self::Request>(namespace, response, &request_id.to_string())
            }
            AnswerForm::Empty => Vec::new(),
        }
    }

    /// The work itself, after every check has passed.
    fn handle(
        context: &Context<'_>,
        target: Authorized<Self::Target>,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Done<Self::Response>, ServiceError>> + Send;
}

/// An operation with its types forgotten, so that all of them fit in one slice.
pub(crate) trait Erased: Sync {
    /// The operation's row of facts.
    fn spec(&self) -> &'static Spec;
    /// The operation's name and the shapes of its request and answer, to be compared with AWS's model.
    fn describe(&self) -> (&'static str, Value);
    /// The whole walk from the body to the recorded answer.
    fn run<'a>(
        &self,
        host: &'a Host,
        call: &'a Call<'a>,
    ) -> Pin<Box<dyn Future<Output = api::Answer> + Send + 'a>>;
    /// What policies and grants answer to the questions of a call that nobody makes.
    fn explain<'a>(
        &self,
        host: &'a Host,
        call: &'a Call<'a>,
        context: &'a [(String, String)],
    ) -> Pin<Box<dyn Future<Output = Result<Told, ServiceError>> + Send + 'a>>;
}

/// The row of an operation in the registry.
pub(crate) struct Row<O>(PhantomData<fn() -> O>);

impl<O> Row<O> {
    /// The row; there is nothing to say beyond the type.
    pub(crate) const fn new() -> Row<O> {
        Row(PhantomData)
    }
}

impl<O: Operation> Erased for Row<O> {
    fn spec(&self) -> &'static Spec {
        &O::SPEC
    }

    fn describe(&self) -> (&'static str, Value) {
        wire::model::operation::<O::Request>()
    }

    fn run<'a>(
        &self,
        host: &'a Host,
        call: &'a Call<'a>,
    ) -> Pin<Box<dyn Future<Output = api::Answer> + Send + 'a>> {
        Box::pin(pipeline::run::<O>(host, call))
    }

    fn explain<'a>(
        &self,
        host: &'a Host,
        call: &'a Call<'a>,
        context: &'a [(String, String)],
    ) -> Pin<Box<dyn Future<Output = Result<Told, ServiceError>> + Send + 'a>> {
        Box::pin(explain_request::<O>(host, call, context))
    }
}

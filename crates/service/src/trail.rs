//! The audit record of a call, gathered step by step and written before the answer.

mod done;
mod elements;
mod sharing;

use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use attestation::Attested;
use audit::{
    EventType, Failure, JournalError, Record, SessionIdentity, SessionIssuer, TlsDetails,
    UserIdentity,
};
use jiff::Timestamp;
use policy::PrincipalKind;
use serde::Serialize;
use store::KeyRow;
use uuid::Uuid;
use wire::enums::{KeyLastUsageOperation, WireEnum};
use wire::error_codes::ErrorCode;
use wire::names::{AccountId, AliasArn, Partition, Region};
use wire::shape::{self, Shape};

use crate::api::{self, Incoming, Peer};
use crate::call::{Call, Caller};
use crate::error::ServiceError;
use crate::host::Host;
use crate::last_usage::Usage;
use crate::operation::{Api, Spec};
use crate::recipient;
use crate::services::Itself;
use crate::sessions::Session;
use crate::snapshot::{KeySnapshot, arn_of};
use crate::target::Target;

pub(crate) use self::done::{Committed, Done, Materials};

use self::done::{Told, response_elements};
use self::sharing::{Audience, Sharing};

/// Something that a call was about.
#[derive(Clone)]
pub(crate) enum Resource {
    /// A key that the call resolved.
    Key(Arc<KeySnapshot>),
    /// An AWS managed key that the call makes if it may use it, and the alias by which it is told until then.
    Unmade { key: Arc<KeySnapshot>, alias_arn: String },
    /// Anything else that has an ARN.
    Named { account: AccountId, resource_type: &'static str, arn: String },
}

/// Bytes of the parameters of most calls.
const PARAMETERS_BYTES_USUAL: usize = 256;

const KEY_TYPE: &str = "AWS::KMS::Key";
const ALIAS_TYPE: &str = "AWS::KMS::Alias";
const ROLE_TYPE: &str = "AWS::IAM::Role";

impl Resource {
    /// A key that the call makes.
    pub(crate) fn of_key(key: &KeyRow) -> Resource {
        Resource::Named {
            account: key.account,
            resource_type: KEY_TYPE,
            arn: arn_of(key).to_string(),
        }
    }

    /// A role that is assumed.
    pub(crate) fn of_role(account: AccountId, arn: String) -> Resource {
        Resource::Named { account, resource_type: ROLE_TYPE, arn }
    }

    /// An alias.
    pub(crate) fn of_alias(arn: &AliasArn) -> Resource {
        Resource::Named { account: arn.account, resource_type: ALIAS_TYPE, arn: arn.to_string() }
    }
}

/// What the record of a call says beyond the call itself, gathered while it is walked.
pub(crate) struct Draft<'a> {
    call: &'a Call<'a>,
    spec: &'static Spec,
    told: Told,
    resources: Vec<Resource>,
    is_authorized: bool,
}

impl<'a> Draft<'a> {
    /// The record of a call whose caller is known.
    pub(crate) fn new(spec: &'static Spec, call: &'a Call<'a>) -> Draft<'a> {
        Draft { call, spec, told: Told::default(), resources: Vec::new(), is_authorized: false }
    }

    /// Notes what was asked, without what is never recorded.
    pub(crate) fn set_parameters(&mut self, request: &dyn Shape) {
        let mut parameters = Vec::with_capacity(PARAMETERS_BYTES_USUAL);
        shape::record(request, self.spec.unrecorded, &mut parameters);
        self.told.request_parameters = Some(parameters).filter(|told| told != b"{}");
    }

    /// Notes who alone can read the answer.
    pub(crate) fn set_recipient(&mut self, recipient: &Attested) {
        self.told.set_additional(Some(recipient::event_data(recipient)));
    }

    /// Notes what the request was about.
    pub(crate) fn set_resources(&mut self, target: &impl Target) {
        self.resources = target.resources();
        self.told.set_additional(None);
        self.is_authorized = false;
    }

    /// Notes that the caller may act on what the request is about.
    pub(crate) fn set_authorized(&mut self, target: &impl Target) {
        self.is_authorized = true;
        if let Some(data) = target.additional_event_data() {
            self.told.set_additional(Some(data));
        }
    }

    /// The first key of the call that is not made yet.
    pub(crate) fn unmade_key(&self) -> Option<&KeySnapshot> {
        self.resources.iter().find_map(|resource| match resource {
            Resource::Unmade { key, .. } => Some(&**key),
            Resource::Key(_) | Resource::Named { .. } => None,
        })
    }

    /// Notes that the keys of the call have been used by it.
    pub(crate) fn note_use(&self, host: &Host) {
        let Some(operation) = KeyLastUsageOperation::from_text(self.spec.name) else { return };
        for resource in &self.resources {
            if let Resource::Key(key) = resource {
                host.last_usage.note(
                    (key.key().region, key.key_id()),
                    Usage {
                        operation,
                        used: self.call.now,
                        event_id: self.call.event_id,
                        request_id: self.call.request_id,
                    },
                );
            }
        }
    }

    /// The same owning what it says, for the record of a change: it is written inside the transaction, on another thread.
    /// `created` are resources that the call makes.
    pub(crate) fn to_owned(
        &self,
        host: &Host,
        created: Vec<Resource>,
    ) -> Result<OwnedDraft, ServiceError> {
        let resources: Vec<Resource> = self.resources.iter().cloned().chain(created).collect();
        Ok(OwnedDraft {
            sharing: Sharing::of(host, self.call, resources.iter())?,
            origin: Origin::of_call(self.spec, self.call).into_owned(self.spec),
            spec: self.spec,
            told: self.told.clone(),
            resources,
        })
    }

    /// Writes the record of a call that changed nothing to the journal.
    pub(crate) async fn append_record(
        &self,
        host: &Host,
        outcome: Result<(), &ServiceError>,
    ) -> Result<(), ServiceError> {
        // A refusal is the caller's alone.
        let sharing = match outcome {
            Ok(()) => Sharing::of(host, self.call, self.resources.iter())?,
            Err(_) => None,
        };
        if let Some(sharing) = sharing {
            // Boxed, so that the walk of a call does not carry the room that only calls across accounts need.
            return Box::pin(self.append_shared(host, &sharing)).await;
        }
        let mut record = host.buffers.take();
        let origin = Origin::of_call(self.spec, self.call);
        let account = self.call.account();
        // The trail of what a service does is that of the resource.
        let audience = match self.is_authorized || self.call.caller.service().is_some() {
            true => Audience::caller(self.call.event_id, None),
            false => Audience::refused(self.call.event_id, &account),
        };
        let outcome = outcome.map(|()| self.told.response_elements());
        origin.write_record(&self.told, &self.resources, outcome, audience, &mut record);
        drop(origin);
        let written = host.journal.append(&record, None).await;
        host.buffers.give(record);
        Ok(written?)
    }

    /// Writes all records of a successful call with one append.
    async fn append_shared(&self, host: &Host, sharing: &Sharing) -> Result<(), ServiceError> {
        let records = {
            let origin = Origin::of_call(self.spec, self.call);
            let elements = self.told.response_elements();
            origin.records(&self.told, &self.resources, elements, Some(sharing))
        };
        Ok(host.journal.append_all(&records).await?)
    }
}

/// A draft that another thread can finish.
pub(crate) struct OwnedDraft {
    origin: Origin<'static>,
    spec: &'static Spec,
    told: Told,
    resources: Vec<Resource>,
    sharing: Option<Sharing>,
}

impl OwnedDraft {
    /// The records of the change that answers `response`, the caller's first: each is one line of JSON.
    pub(crate) fn records<R: Serialize>(&self, response: &R) -> Result<Vec<Vec<u8>>, ServiceError> {
        let elements = response_elements(self.spec, &self.resources, response)?;
        let sharing = self.sharing.as_ref();
        Ok(self.origin.records(&self.told, &self.resources, elements.as_deref(), sharing))
    }
}

/// Who called from where, and what the call is called: the part of a record that is known at its beginning.
struct Origin<'a> {
    request_id: Uuid,
    event_id: Uuid,
    time: Timestamp,
    region: Option<Region>,
    caller: Option<Caller>,
    claimed_access_key_id: Option<&'a str>,
    address: IpAddr,
    tls: Option<api::TlsDetails>,
    user_agent: Cow<'a, [u8]>,
    host_header: Cow<'a, [u8]>,
    event_name: &'a str,
    api: Api,
    read_only: bool,
}

impl<'a> Origin<'a> {
    fn of_call(spec: &'static Spec, call: &'a Call<'a>) -> Origin<'a> {
        Origin {
            request_id: call.request_id,
            event_id: call.event_id,
            time: call.now,
            region: Some(call.region),
            caller: Some(call.caller.clone()),
            claimed_access_key_id: None,
            address: call.peer.address,
            tls: call.peer.tls.clone(),
            user_agent: Cow::Borrowed(call.user_agent),
            host_header: Cow::Borrowed(call.host_header),
            event_name: spec.name,
            api: spec.api,
            read_only: spec.read_only,
        }
    }

    fn of_refused(refused: &'a Refused<'a>) -> Origin<'a> {
        let Peer { address, tls } = refused.incoming.peer;
        Origin {
            request_id: refused.incoming.request_id,
            event_id: refused.event_id,
            time: refused.time,
            region: refused.region,
            caller: refused.caller.clone(),
            claimed_access_key_id: refused.claimed_access_key_id,
            address: *address,
            tls: tls.clone(),
            user_agent: Cow::Borrowed(crate::front::header(refused.incoming, "user-agent")),
            host_header: Cow::Borrowed(crate::front::header(refused.incoming, "host")),
            event_name: refused.event_name,
            api: refused.api,
            read_only: false,
        }
    }

    /// The origin of a known caller, owning its texts.
    fn into_owned(self, spec: &'static Spec) -> Origin<'static> {
        Origin {
            request_id: self.request_id,
            event_id: self.event_id,
            time: self.time,
            region: self.region,
            caller: self.caller,
            // Only what is refused before an operation begins merely claims somebody, and it changes nothing.
            claimed_access_key_id: None,
            address: self.address,
            tls: self.tls,
            user_agent: Cow::Owned(self.user_agent.into_owned()),
            host_header: Cow::Owned(self.host_header.into_owned()),
            event_name: spec.name,
            api: self.api,
            read_only: self.read_only,
        }
    }

    /// The finished records of a success, the caller's first.
    fn records(
        &self,
        told: &Told,
        resources: &[Resource],
        response_elements: Option<&[u8]>,
        sharing: Option<&Sharing>,
    ) -> Vec<Vec<u8>> {
        let own = Audience::caller(self.event_id, sharing);
        let others = sharing.into_iter().flat_map(Sharing::audiences);
        let record = |audience| {
            let mut record = Vec::new();
            self.write_record(told, resources, Ok(response_elements), audience, &mut record);
            record
        };
        std::iter::once(own).chain(others).map(record).collect()
    }

    /// Writes the finished record: one line of JSON.
    fn write_record(
        &self,
        told: &Told,
        resources: &[Resource],
        outcome: Result<Option<&[u8]>, &ServiceError>,
        audience: Audience<'_>,
        out: &mut Vec<u8>,
    ) {
        let mut uuids = [[0; uuid::fmt::Hyphenated::LENGTH]; 3];
        let [request_id, event_id, shared_event_id] = &mut uuids;
        let mut address = [0; ADDRESS_BYTES_MAX];
        let texts = Texts {
            request_id: self.request_id.hyphenated().encode_lower(request_id),
            event_id: audience.event_id.hyphenated().encode_lower(event_id),
            shared_event_id: match audience.shared_event_id {
                Some(id) => Some(id.hyphenated().encode_lower(shared_event_id)),
                None => None,
            },
            owner: audience.owner.map(AccountId::as_str),
            address: address_text(self.address, &mut address),
        };
        let resources = audience.resources(resources);
        self.assemble(&texts, told, &resources, outcome).write(out);
    }

    fn assemble<'t>(
        &'t self,
        texts: &'t Texts<'t>,
        told: &'t Told,
        resources: &'t [audit::Resource<'t>],
        outcome: Result<Option<&'t [u8]>, &'t ServiceError>,
    ) -> Record<'t> {
        Record {
            user_identity: self.user_identity(texts.owner),
            invoked_by: self.invoked_by().filter(|_| self.service().is_none()),
            event_time: self.time,
            event_source: self.api.event_source(),
            event_name: self.event_name,
            aws_region: self.region.as_ref().map_or("", Region::as_str),
            source_ip_address: self.invoked_by().unwrap_or(texts.address),
            user_agent: self.invoked_by().map_or(&*self.user_agent, str::as_bytes),
            failure: outcome.err().map(|error| Failure {
                error_code: recorded_name(error.code()),
                error_message: error.message(),
            }),
            request_parameters: told.request_parameters.as_deref(),
            response_elements: outcome.ok().flatten(),
            additional_event_data: told.additional_event_data(),
            request_id: Some(texts.request_id),
            event_id: texts.event_id,
            read_only: self.read_only,
            resources,
            event_type: EventType::AwsApiCall,
            recipient_account_id: match (texts.owner, self.service()) {
                (Some(owner), _) => Some(owner),
                // The trail is that of the resource.
                (None, Some(_)) => resources.first().map(|resource| resource.account_id),
                (None, None) => self.caller.as_ref().map(Caller::account_text),
            },
            shared_event_id: texts.shared_event_id,
            tls_details: self.tls.as_ref().map(|tls| TlsDetails {
                tls_version: tls.version,
                cipher_suite: tls.cipher_suite,
                client_provided_host_header: Some(&self.host_header),
                key_exchange: Some(tls.key_exchange),
            }),
            service_event_details: None,
        }
    }

    /// The service that calls as itself.
    fn service(&self) -> Option<&Itself> {
        self.caller.as_ref()?.service()
    }

    /// The service that sent the request, as itself or as a user.
    fn invoked_by(&self) -> Option<&str> {
        let via = || self.caller.as_ref()?.via_service();
        let itself = self.service().map(|itself| &*itself.service);
        itself.or_else(via).map(|service| service.principal.as_str())
    }

    /// Who called, as the owner of what the call was about is told it, or as the caller is.
    fn user_identity(&self, owner: Option<&str>) -> UserIdentity<'_> {
        if let (Some(_), Some(caller)) = (owner, &self.caller) {
            let (principal_id, account_id) = (caller.user_id(), caller.account_text());
            return UserIdentity::AwsAccount { principal_id, account_id };
        }
        if let Some(itself) = self.service() {
            return UserIdentity::AwsService { invoked_by: &itself.service.principal };
        }
        match &self.caller {
            Some(caller) => {
                let partition = self.region.map_or(Partition::Aws, |region| region.partition());
                let (account_id, access_key_id) = (caller.account_text(), caller.access_key_id());
                if let Some(web_identity) = caller.web_identity() {
                    return UserIdentity::WebIdentity {
                        principal_id: &web_identity.principal_id,
                        user_name: &web_identity.subject,
                        identity_provider: &web_identity.provider_arn,
                    };
                }
                let arn = &caller.principal(partition).arn;
                match (caller.session(), caller.identity()) {
                    (Some(session), _) => session_identity(caller, session, partition),
                    (None, None) => UserIdentity::Root { account_id, arn, access_key_id },
                    (None, Some(user)) => UserIdentity::IamUser {
                        principal_id: user.id(),
                        arn,
                        account_id,
                        access_key_id,
                        user_name: user.name(),
                    },
                }
            }
            None => UserIdentity::Anonymous {
                access_key_id: self.claimed_access_key_id.map(str::as_bytes),
            },
        }
    }
}

/// A caller with temporary credentials as CloudTrail names it.
fn session_identity<'c>(
    caller: &'c Caller,
    session: &'c Session,
    partition: Partition,
) -> UserIdentity<'c> {
    let principal = caller.principal(partition);
    let (identity_type, issuer) = match &principal.kind {
        PrincipalKind::RoleSession { role_arn } => ("AssumedRole", Some(("Role", &**role_arn))),
        PrincipalKind::FederatedUser { user_arn } => {
            let root_arn = &*caller.issuer(partition).arn;
            let issuer = user_arn.as_deref().map_or(("Root", root_arn), |arn| ("IAMUser", arn));
            ("FederatedUser", Some(issuer))
        }
        PrincipalKind::Root => ("Root", None),
        PrincipalKind::User | PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => {
            ("IAMUser", None)
        }
    };
    let identity = caller.identity();
    UserIdentity::Session(SessionIdentity {
        identity_type,
        principal_id: caller.user_id(),
        arn: &principal.arn,
        account_id: caller.account_text(),
        access_key_id: caller.access_key_id(),
        user_name: caller.user().map(|user| user.name()),
        issuer: issuer.map(|(issuer_type, arn)| SessionIssuer {
            issuer_type,
            principal_id: identity.map_or(caller.account_text(), |identity| identity.id()),
            arn,
            user_name: identity.map(|identity| identity.name()),
        }),
        created: session.issued(),
        source_identity: session.claims().source_identity.as_deref(),
    })
}

/// What is known of a request that no operation saw.
pub(crate) struct Refused<'a> {
    pub(crate) incoming: &'a Incoming<'a>,
    pub(crate) event_id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) api: Api,
    pub(crate) region: Option<Region>,
    pub(crate) caller: Option<Caller>,
    pub(crate) claimed_access_key_id: Option<&'a str>,
    pub(crate) event_name: &'a str,
}

impl Refused<'_> {
    /// Writes the record of the refusal to the journal.
    pub(crate) async fn append_record(
        &self,
        host: &Host,
        error: &ServiceError,
    ) -> Result<(), JournalError> {
        let mut record = Vec::new();
        let audience = Audience::caller(self.event_id, None);
        let origin = Origin::of_refused(self);
        origin.write_record(&Told::default(), &[], Err(error), audience, &mut record);
        host.journal.append(&record, None).await
    }
}

/// Texts that the record borrows.
struct Texts<'a> {
    request_id: &'a str,
    event_id: &'a str,
    shared_event_id: Option<&'a str>,
    address: &'a str,
    owner: Option<&'a str>,
}

/// Bytes of the longest address: an IPv6 one that ends in an IPv4 one.
const ADDRESS_BYTES_MAX: usize = 45;

/// An address as text, without asking for memory.
fn address_text(address: IpAddr, buffer: &mut [u8; ADDRESS_BYTES_MAX]) -> &str {
    let mut rest = buffer.as_mut_slice();
    let written = write!(rest, "{address}");
    let unused_bytes = rest.len();
    let text = buffer.get(..ADDRESS_BYTES_MAX - unused_bytes).filter(|_| written.is_ok());
    text.and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
}

impl Resource {
    /// Whose it is.
    fn account(&self) -> AccountId {
        match self {
            Resource::Key(key) | Resource::Unmade { key, .. } => key.key().account,
            Resource::Named { account, .. } => *account,
        }
    }

    fn entry(&self) -> audit::Resource<'_> {
        match self {
            Resource::Key(key) => audit::Resource {
                account_id: key.account_text(),
                resource_type: KEY_TYPE,
                arn: key.arn_text(),
            },
            Resource::Unmade { key, alias_arn } => audit::Resource {
                account_id: key.account_text(),
                resource_type: ALIAS_TYPE,
                arn: alias_arn,
            },
            Resource::Named { account, resource_type, arn } => {
                audit::Resource { account_id: account.as_str(), resource_type, arn }
            }
        }
    }
}

/// The error's name in CloudTrail, which keeps an older name for denials.
fn recorded_name(code: ErrorCode) -> &'static str {
    if code == ErrorCode::AccessDeniedException { "AccessDenied" } else { code.name() }
}

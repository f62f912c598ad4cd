//! One authenticated call: who asks, when, where, over which connection.

use std::sync::Arc;

use jiff::Timestamp;
use policy::{Document, Policies, Principal};
use sigv4::SecretAccessKey;
use store::IdentityKind;
use uuid::Uuid;
use wire::names::{AccountId, Partition, Region};

use crate::api::Peer;
use crate::credentials::Credential;
use crate::guard_rails::GuardRails;
use crate::identities::{Holder, Identities, Identity, NOTHING, Standing};
use crate::services::{Itself, Part, RegisteredService};
use crate::sessions::Session;
use crate::web_identity::WebIdentity;

/// What every step of the pipeline knows of the call that it serves.
pub(crate) struct Call<'a> {
    /// The id that the answer carries.
    pub(crate) request_id: Uuid,
    /// The id of the audit record.
    pub(crate) event_id: Uuid,
    /// The moment at which the call is judged; read once, so that no two checks disagree.
    pub(crate) now: Timestamp,
    /// The Region that the credential scope names.
    pub(crate) region: Region,
    /// The caller, whose signature or token has been verified.
    pub(crate) caller: Caller,
    /// What limits everybody, as it was when the call arrived.
    pub(crate) guard_rails: Arc<GuardRails>,
    /// The other end of the connection.
    pub(crate) peer: &'a Peer,
    /// The `User-Agent` header, as sent.
    pub(crate) user_agent: &'a [u8],
    /// The `Host` header, as sent.
    pub(crate) host_header: &'a [u8],
    /// The request itself: a JSON document or a form.
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// The account of the caller.
    pub(crate) fn account(&self) -> AccountId {
        self.caller.account()
    }

    /// The caller, as policies of the Region's partition see it.
    pub(crate) fn principal(&self) -> &Principal {
        self.caller.principal(self.region.partition())
    }

    /// The documents that decide whatever the call is about: the caller's own and the guard rails over it.
    pub(crate) fn documents(&self) -> CallerDocuments<'_> {
        CallerDocuments {
            service_control: self.guard_rails.service_control(self.account()),
            endpoint: self.guard_rails.endpoint(),
            ..self.caller.documents()
        }
    }
}

/// Who calls, at the moment of the call: what changes while it is served concerns the next one.
#[derive(Clone)]
pub(crate) struct Caller {
    credential: Arc<Credential>,
    standing: Arc<Standing>,
    /// The managed policies of a session, as they are in force.
    session_policies: Vec<Arc<Document>>,
    /// The part that a service has in the call.
    part: Option<Arc<Part>>,
    /// Whom a token stands for, if a token and no signature does.
    web_identity: Option<Arc<WebIdentity>>,
}

impl Caller {
    /// The caller behind a credential; none if it has been deleted.
    pub(crate) fn of(credential: Arc<Credential>, identities: &Identities) -> Option<Caller> {
        let standing = credential.holder().standing()?;
        let account = credential.account();
        let arns = credential.session().map(|session| session.claims().policy_arns.as_slice());
        let policies = arns.unwrap_or_default().iter().map(|stored_arn| {
            identities.policy(account, stored_arn).unwrap_or_else(|| Arc::clone(&NOTHING))
        });
        let session_policies = policies.collect();
        Some(Caller { credential, standing, session_policies, part: None, web_identity: None })
    }

    /// The caller whom a token stands for; it has no access key.
    pub(crate) fn of_web_identity(web_identity: WebIdentity) -> Option<Caller> {
        let holder = Arc::new(Holder::of_web_identity(web_identity.principals()));
        let standing = holder.standing()?;
        let nothing = SecretAccessKey::new(String::new());
        let credential = Credential::of("", web_identity.account, holder, nothing);
        Some(Caller {
            credential: Arc::new(credential),
            standing,
            session_policies: Vec::new(),
            part: None,
            web_identity: Some(Arc::new(web_identity)),
        })
    }

    /// Whom a token stands for.
    pub(crate) fn web_identity(&self) -> Option<&WebIdentity> {
        self.web_identity.as_deref()
    }

    /// The same caller in a call in which a service has a part.
    pub(crate) fn with_part(self, part: Part) -> Caller {
        Caller { part: Some(Arc::new(part)), ..self }
    }

    /// The part that a service has in the call.
    pub(crate) fn part(&self) -> Option<&Part> {
        self.part.as_deref()
    }

    /// The service that calls as itself.
    pub(crate) fn service(&self) -> Option<&Itself> {
        match self.part()? {
            Part::Itself(itself) => Some(itself),
            Part::Forwarding(_) => None,
        }
    }

    /// The service that calls as this user.
    pub(crate) fn via_service(&self) -> Option<&RegisteredService> {
        match self.part()? {
            Part::Itself(_) => None,
            Part::Forwarding(forwarding) => Some(&forwarding.service),
        }
    }

    /// The access key id of the caller; of a user behind a service the one with which the user signed.
    pub(crate) fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// Notes that the caller's signature was true, for the service and the Region of its scope.
    pub(crate) fn note_use(&self, now: Timestamp, service: &str, region: &str) {
        if let Some(last_used) = self.credential.last_used() {
            last_used.note(now, service, region);
        }
    }

    /// The account of the caller.
    pub(crate) fn account(&self) -> AccountId {
        self.credential.account()
    }

    /// The account's twelve digits.
    pub(crate) fn account_text(&self) -> &str {
        self.credential.account_text()
    }

    /// The caller, as policies see it in a partition.
    pub(crate) fn principal(&self, partition: Partition) -> &Principal {
        if let Some(itself) = self.service() {
            return &itself.principal;
        }
        let of_session = self.session().and_then(|session| session.principal(partition));
        of_session.unwrap_or_else(|| self.standing.principal(partition))
    }

    /// The user or root user behind the caller; of a role session the role.
    pub(crate) fn issuer(&self, partition: Partition) -> &Principal {
        self.standing.principal(partition)
    }

    /// The session, if the caller has temporary credentials.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.credential.session()
    }

    /// The user or role, also the one behind a session; none for a root user and a web identity.
    pub(crate) fn identity(&self) -> Option<&Arc<Identity>> {
        self.standing.identity()
    }

    /// The user who calls as such, with an own access key or with credentials of GetSessionToken.
    pub(crate) fn user(&self) -> Option<&Arc<Identity>> {
        let is_itself = self.session().is_none_or(|session| session.user_id().is_none());
        self.identity().filter(|identity| is_itself && identity.kind() == IdentityKind::User)
    }

    /// The unique id by which AWS knows the caller: `aws:userid`.
    pub(crate) fn user_id(&self) -> &str {
        if let Some(web_identity) = &self.web_identity {
            return &web_identity.principal_id;
        }
        match (self.session().and_then(Session::user_id), self.identity()) {
            (Some(user_id), _) => user_id,
            (None, Some(identity)) => identity.id(),
            (None, None) => self.account_text(),
        }
    }

    /// The documents of the caller's own that decide.
    fn documents(&self) -> CallerDocuments<'_> {
        let identity = self.standing.documents().iter().map(|document| &**document);
        let session = self.session().map(Session::policies).unwrap_or_default().iter();
        let session = session.chain(&self.session_policies).map(|document| &**document);
        CallerDocuments {
            identity: identity.collect(),
            boundary: self.standing.boundary(),
            session: session.collect(),
            service_control: &[],
            endpoint: None,
        }
    }
}

/// See [`Call::documents`].
pub(crate) struct CallerDocuments<'a> {
    identity: Vec<&'a Document>,
    boundary: Option<&'a Document>,
    session: Vec<&'a Document>,
    service_control: &'a [Vec<Arc<Document>>],
    endpoint: Option<&'a Document>,
}

impl CallerDocuments<'_> {
    /// The policies that decide on what has no policy of its own.
    pub(crate) fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary,
            session: &self.session,
            service_control: self.service_control,
            endpoint: self.endpoint,
            ..Policies::default()
        }
    }
}

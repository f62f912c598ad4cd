//! One authenticated call: who asks, when, where, over which connection.

use std::sync::Arc;

use jiff::Timestamp;
use policy::Principal;
use uuid::Uuid;
use wire::names::{AccountId, Region};

use crate::api::Peer;
use crate::credentials::Credential;

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
    /// The caller, whose signature has been verified.
    pub(crate) caller: Arc<Credential>,
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
}

//! A successful call on what another account owns is told to that account too (AWS CloudTrail user guide, "CloudTrail
//! record contents", `sharedEventID`): who called is named by id alone, and only what the account owns is named.

use uuid::Uuid;
use wire::names::AccountId;

use super::Resource;
use crate::call::Call;
use crate::error::ServiceError;
use crate::host::Host;

/// For whom a record is.
#[derive(Clone, Copy)]
pub(super) struct Audience<'a> {
    /// The record's own id.
    pub(super) event_id: Uuid,
    /// What it has in common with the other records of the call.
    pub(super) shared_event_id: Option<Uuid>,
    /// The owner of something that the call was about; absent when it is the caller.
    pub(super) owner: Option<&'a AccountId>,
    /// Whose resources alone it is told; absent when it is told of all.
    told_of: Option<&'a AccountId>,
}

impl<'a> Audience<'a> {
    /// The caller.
    pub(super) fn caller(event_id: Uuid, sharing: Option<&Sharing>) -> Audience<'a> {
        let shared_event_id = sharing.map(|sharing| sharing.shared_event_id);
        Audience { event_id, shared_event_id, owner: None, told_of: None }
    }

    /// A caller of an account who was not let in, and learns of nothing that it does not own (threat T-11).
    pub(super) fn refused(event_id: Uuid, account: &'a AccountId) -> Audience<'a> {
        Audience { event_id, shared_event_id: None, owner: None, told_of: Some(account) }
    }

    /// What of the resources it is told.
    pub(super) fn resources<'r>(&self, resources: &'r [Resource]) -> Vec<audit::Resource<'r>> {
        let is_told = |resource: &audit::Resource<'_>| {
            self.told_of.is_none_or(|account| resource.account_id == account.as_str())
        };
        resources.iter().map(Resource::entry).filter(is_told).collect()
    }
}

/// The records of a call beside the caller's own.
pub(super) struct Sharing {
    shared_event_id: Uuid,
    owners: Vec<(AccountId, Uuid)>,
}

impl Sharing {
    /// Who else is told of a call; nobody, when all that it was about is the caller's. What a service does as itself is told
    /// to the owner alone.
    pub(super) fn of<'r>(
        host: &Host,
        call: &Call<'_>,
        resources: impl Iterator<Item = &'r Resource>,
    ) -> Result<Option<Sharing>, ServiceError> {
        let caller = call.account();
        if call.caller.service().is_some() {
            return Ok(None);
        }
        let mut owners: Vec<(AccountId, Uuid)> = Vec::new();
        for owner in resources.map(Resource::account).filter(|owner| *owner != caller) {
            if !owners.iter().any(|(told, _)| *told == owner) {
                owners.push((owner, host.uuid()?));
            }
        }
        match owners.is_empty() {
            true => Ok(None),
            false => Ok(Some(Sharing { shared_event_id: host.uuid()?, owners })),
        }
    }

    /// Those who are told beside the caller.
    pub(super) fn audiences(&self) -> impl Iterator<Item = Audience<'_>> {
        self.owners.iter().map(|(owner, event_id)| Audience {
            event_id: *event_id,
            shared_event_id: Some(self.shared_event_id),
            owner: Some(owner),
            told_of: Some(owner),
        })
    }
}

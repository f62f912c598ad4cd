//! Grants as targets: one to be made, to be revoked or to be retired.

use std::sync::Arc;

use policy::{Grant, PrincipalPattern};
use serde_json::json;
use store::GrantRow;
use wire::names::{GrantId, Partition};

use super::{ASKS_MAX, Ask, Lookup, OneKey, Target};
use crate::error::ServiceError;
use crate::grant_tokens::NamedGrant;
use crate::grantee_grants;
use crate::principals::{self, Named};
use crate::snapshot::KeySnapshot;
use crate::trail::Resource;

/// A key that gets a grant.
pub(crate) struct GrantToMake {
    /// The key.
    pub(crate) key: OneKey,
    /// A grantee or retiring principal that is none or does not exist, told to those who may make grants.
    pub(crate) unknown_principal: Option<String>,
    /// The users and roles among the grantee and the retiring principal.
    pub(crate) named: Named,
}

/// Whom a request names for a grant: the grantee and the retiring principal.
#[derive(Clone, Copy)]
pub(crate) struct MadeFor<'r> {
    /// Those that it names by ARN.
    pub(crate) arns: [Option<&'r str>; 2],
    /// Those that it names as services.
    pub(crate) services: [Option<&'r str>; 2],
}

impl Target for GrantToMake {
    type Names<'r> = (&'r str, MadeFor<'r>);

    async fn resolve(
        lookup: &Lookup<'_>,
        (name, made_for): Self::Names<'_>,
    ) -> Result<GrantToMake, ServiceError> {
        let key = lookup.key(name).await?;
        let partition = lookup.call.region.partition();
        let arns = made_for.arns.into_iter().flatten();
        let services = made_for.services.into_iter().flatten();
        let read: Vec<_> = arns.map(|arn| (arn, principal_in(partition, arn))).collect();
        let unknown_arn = read.iter().find_map(|(arn, principal)| {
            let is_known = principal
                .as_ref()
                .is_some_and(|principal| principals::exists(lookup.host, partition, principal));
            (!is_known).then_some(*arn)
        });
        let named =
            Named::of(partition, read.iter().filter_map(|(_, principal)| principal.as_ref()));
        let unknown_service = services.into_iter().find(|name| {
            !principals::exists(lookup.host, partition, &PrincipalPattern::Service((*name).into()))
        });
        let unknown_principal = unknown_arn.or(unknown_service).map(str::to_owned);
        Ok(GrantToMake { key, unknown_principal, named })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        self.key.asks()
    }

    fn resources(&self) -> Vec<Resource> {
        self.key.resources()
    }
}

/// Reads the ARN of a principal, which never lies in another partition.
fn principal_in(partition: Partition, arn: &str) -> Option<PrincipalPattern> {
    let is_here = arn.split(':').nth(1) == Some(partition.as_str());
    PrincipalPattern::from_arn(arn).filter(|_| is_here)
}

/// A grant that the request names by its key and its id, to be revoked.
pub(crate) struct GrantToRevoke {
    /// The key.
    pub(crate) key: OneKey,
    /// The grant, if there is one of that id.
    pub(crate) grant: Option<GrantRow>,
}

impl Target for GrantToRevoke {
    type Names<'r> = (&'r str, GrantId);

    async fn resolve(
        lookup: &Lookup<'_>,
        (name, grant_id): Self::Names<'_>,
    ) -> Result<GrantToRevoke, ServiceError> {
        let key = lookup.key(name).await?;
        let grant = lookup.grant(&key.key, grant_id).await?;
        Ok(GrantToRevoke { key, grant })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        self.key.asks()
    }

    fn resources(&self) -> Vec<Resource> {
        self.key.resources()
    }
}

/// A grant to be retired, by whom the grant itself allows to.
pub(crate) struct GrantToRetire {
    /// The key.
    pub(crate) key: Arc<KeySnapshot>,
    /// The grant.
    pub(crate) grant: GrantRow,
    /// What alone lets somebody retire it.
    allowances: Vec<Grant>,
}

/// How a request names a grant.
pub(crate) enum GrantName<'r> {
    /// By a token.
    Token(&'r str),
    /// By its key and its id.
    Id(&'r str, GrantId),
}

impl Target for GrantToRetire {
    type Names<'r> = GrantName<'r>;

    async fn resolve(
        lookup: &Lookup<'_>,
        name: Self::Names<'_>,
    ) -> Result<GrantToRetire, ServiceError> {
        let (key, grant_id) = match name {
            GrantName::Token(token) => {
                let named = NamedGrant::of_token(lookup.host, token, lookup.call.now)?;
                // A token is good in the Region of its key, and outlives neither key nor grant.
                if named.key.region != lookup.call.region {
                    return Err(ServiceError::invalid_grant_token());
                }
                let key = lookup.host.key((named.key.region, named.key.key_id)).await?;
                let key = key.filter(|key| key.arn() == named.key);
                let gone = ServiceError::grant_not_found(named.grant_id);
                (key.ok_or(gone)?, named.grant_id)
            }
            GrantName::Id(name, grant_id) => (lookup.key(name).await?.key, grant_id),
        };
        match lookup.grant(&key, grant_id).await? {
            Some(grant) => {
                let allowances = grantee_grants::to_retire(&grant, &key)?;
                Ok(GrantToRetire { key, grant, allowances })
            }
            None if matches!(name, GrantName::Token(_))
                || key.account() == lookup.call.account() =>
            {
                Err(ServiceError::grant_not_found(grant_id))
            }
            None => Err(lookup.invisible(key.arn_text())),
        }
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Grant(&self.key, &self.allowances)), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        vec![Resource::Key(Arc::clone(&self.key))]
    }

    fn additional_event_data(&self) -> Option<Vec<u8>> {
        Some(json!({ "grantId": self.grant.grant_id }).to_string().into_bytes())
    }
}

impl Lookup<'_> {
    async fn grant(
        &self,
        key: &KeySnapshot,
        grant_id: GrantId,
    ) -> Result<Option<GrantRow>, ServiceError> {
        let (region, key_id) = (key.key().region, key.key_id());
        let found =
            self.host.store.read(move |snapshot| snapshot.grant(region, key_id, grant_id)).await?;
        Ok(found)
    }
}

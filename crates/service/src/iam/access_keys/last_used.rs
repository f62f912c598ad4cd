//! GetAccessKeyLastUsed.

use std::sync::Arc;

use store::IdentityKind;
use wire::iam::access_keys::{
    AccessKeyLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse,
};
use wire::shape::required;

use super::super::READING;
use super::super::target::tree;
use super::no_such_access_key;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::Identity;
use crate::last_used;
use crate::operation::{Operation, Spec};
use crate::target::{ASKS_MAX, Ask, Lookup, Target};
use crate::trail::Done;

/// Told in place of a service and a Region that there are none.
const NOT_APPLICABLE: &str = "N/A";

/// Tells when an access key was last used, for which service and in which Region.
pub(crate) struct GetAccessKeyLastUsed;

impl Operation for GetAccessKeyLastUsed {
    type Request = GetAccessKeyLastUsedRequest;
    type Target = OneAccessKey;
    type Response = GetAccessKeyLastUsedResponse;
    const SPEC: Spec =
        Spec { name: "GetAccessKeyLastUsed", actions: &["iam:GetAccessKeyLastUsed"], ..READING };

    fn names(
        request: &GetAccessKeyLastUsedRequest,
    ) -> Result<<OneAccessKey as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.access_key_id)?.as_str())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneAccessKey>,
        request: &GetAccessKeyLastUsedRequest,
    ) -> Result<Done<GetAccessKeyLastUsedResponse>, ServiceError> {
        let access_key_id = required(&request.access_key_id)?;
        let owner = target.owner.as_ref().ok_or_else(|| no_such_access_key(access_key_id))?;
        let account = context.call().account();
        let last = last_used::of_access_key(context.host(), account, access_key_id).await?;
        let (used, scope) = last.map(|last| (last.used, (last.service_name, last.region))).unzip();
        let (service_name, region) = scope.unzip();
        Ok(Done::read(GetAccessKeyLastUsedResponse {
            user_name: match owner {
                Owner::Root => None,
                Owner::User(user) => Some(user.name().to_owned()),
            },
            access_key_last_used: AccessKeyLastUsed {
                last_used_date: used,
                service_name: service_name.unwrap_or_else(|| NOT_APPLICABLE.into()).into_string(),
                region: region
                    .map_or_else(|| NOT_APPLICABLE.to_owned(), |region| region.to_string()),
            },
        }))
    }
}

/// An access key of the caller's account, which is asked for as its user is. One that is another account's is not there, and
/// may be any user's.
pub(crate) struct OneAccessKey {
    arn: String,
    owner: Option<Owner>,
}

/// Whose access key it is.
enum Owner {
    Root,
    User(Arc<Identity>),
}

impl Target for OneAccessKey {
    type Names<'r> = &'r str;

    async fn resolve(
        lookup: &Lookup<'_>,
        access_key_id: Self::Names<'_>,
    ) -> Result<OneAccessKey, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let host = lookup.host;
        if let Some(user) = host.identities.user_with_access_key(account, access_key_id) {
            return Ok(OneAccessKey { arn: user.arn(partition), owner: Some(Owner::User(user)) });
        }
        let of_account = host.credentials.find(access_key_id);
        let of_account = of_account.filter(|credential| credential.account() == account);
        // What is no user's is the root user's, unless the user was deleted just now.
        let standing = of_account.and_then(|credential| credential.holder().standing());
        let is_of_root = standing.is_some_and(|standing| standing.identity().is_none());
        Ok(match is_of_root {
            true => {
                OneAccessKey { arn: policy::root_arn(account, partition), owner: Some(Owner::Root) }
            }
            false => OneAccessKey {
                arn: format!("{}/", tree(account, partition, IdentityKind::User)),
                owner: None,
            },
        })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        let identity = match &self.owner {
            Some(Owner::User(user)) => Some(&**user),
            Some(Owner::Root) | None => None,
        };
        [Some(Ask::Identity { arn: &self.arn, identity }), None, None]
    }

    fn resources(&self) -> Vec<crate::trail::Resource> {
        Vec::new()
    }
}

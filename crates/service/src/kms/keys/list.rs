//! ListKeys.

use wire::enums::ResourceOwner;
use wire::kms::keys::{KeyListEntry, ListKeysRequest, ListKeysResponse};
use wire::names::KeyId;
use wire::values::OneOf;

use super::super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::snapshot::arn_of;
use crate::target::NoTarget;
use crate::trail::Done;

/// Lists the keys of the caller's account in the Region.
pub(crate) struct ListKeys;

impl Operation for ListKeys {
    type Request = ListKeysRequest;
    type Target = NoTarget;
    type Response = ListKeysResponse;
    const SPEC: Spec = Spec {
        name: "ListKeys",
        actions: &["kms:ListKeys"],
        read_only: true,
        request_quota: RequestQuota::Own(500),
        ..DEFAULT
    };

    fn names(_request: &ListKeysRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &ListKeysRequest,
    ) -> Result<Done<ListKeysResponse>, ServiceError> {
        let mut owners: Vec<&str> = request
            .resource_owners
            .iter()
            .flatten()
            .filter_map(OneOf::known)
            .map(ResourceOwner::as_str)
            .collect();
        owners.sort_unstable();
        let lists_own = owners.is_empty() || owners.contains(&ResourceOwner::SelfOwned.as_str());
        let limit = page::limit(request.limit, 100, 1000)?;
        let filter = owners.join(" ");
        let after: Option<KeyId> =
            page::after(context, "ListKeys", &filter, request.marker.as_deref())?;
        if !lists_own {
            // Nothing can be shared with an account yet, so the list of others' keys is empty.
            return Ok(Done::read(ListKeysResponse {
                keys: Vec::new(),
                next_marker: None,
                truncated: false,
            }));
        }
        let (account, region) = (context.call().account(), context.call().region);
        let keys = context
            .host()
            .store
            .read(move |snapshot| snapshot.keys_page(account, region, after, page::one_more(limit)))
            .await?;
        let page = Page::cut(keys, limit);
        let next_marker = match page.last_if_truncated() {
            Some(key) => Some(page::marker(context, "ListKeys", &filter, key.key_id.as_str())?),
            None => None,
        };
        Ok(Done::read(ListKeysResponse {
            truncated: next_marker.is_some(),
            next_marker,
            keys: page
                .items
                .into_iter()
                .map(|key| KeyListEntry { key_id: key.key_id, key_arn: arn_of(&key) })
                .collect(),
        }))
    }
}

//! The tags of users, roles and managed policies: the three operations that each of them has.

use std::sync::Arc;

use wire::iam::tags::Tag;

use super::paging::{self, Listed, Wanted};
use super::{change, put_tags, tags_of};
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::Identity;
use crate::trail::Done;

/// Adds tags, over those of the same key.
pub(super) async fn tag(
    context: &Context<'_>,
    identity: &Arc<Identity>,
    tags: &Option<Vec<Tag>>,
) -> Result<Done<()>, ServiceError> {
    let tags = tags.clone().unwrap_or_default();
    change(context, identity, move |record, _| put_tags(record, &tags)).await
}

/// Takes tags away.
pub(super) async fn untag(
    context: &Context<'_>,
    identity: &Arc<Identity>,
    tag_keys: &Option<Vec<String>>,
) -> Result<Done<()>, ServiceError> {
    let keys = tag_keys.clone().unwrap_or_default();
    change(context, identity, move |record, _| {
        record.tags.retain(|row| !keys.iter().any(|key| key.eq_ignore_ascii_case(&row.tag_key)));
        Ok(())
    })
    .await
}

/// Lists the tags.
pub(super) fn list(
    context: &Context<'_>,
    identity: &Identity,
    (marker, items_max): (&Option<String>, Option<i64>),
) -> Result<Listed<Tag>, ServiceError> {
    let wanted =
        Wanted { list: "tags", filter: identity.id(), marker: marker.as_deref(), items_max };
    paging::page(context, wanted, tags_of(identity.record()), |tag| {
        tag.key.clone().unwrap_or_default()
    })
}

/// What policies may ask about a request that gives tags.
pub(super) fn facts(tags: Option<&[Tag]>) -> Facts<'_> {
    let tags = tags.unwrap_or_default();
    Facts { iam: IamFacts { tags, ..IamFacts::default() }, ..Facts::default() }
}

/// The three operations on the tags of users or roles, which a request names by `$holder`.
macro_rules! tag_operations {
    (
        $kind:ident, $holder:ident;
        $tag:ident($tag_request:ident), $tag_action:literal;
        $untag:ident($untag_request:ident), $untag_action:literal;
        $list:ident($list_request:ident, $list_response:ident), $list_action:literal;
    ) => {
        #[doc = "Adds tags, over those of the same key."]
        pub(crate) struct $tag;

        impl Operation for $tag {
            type Request = $tag_request;
            type Target = OneIdentity;
            type Response = ();
            const SPEC: Spec = Spec { name: stringify!($tag), actions: &[$tag_action], ..DEFAULT };

            fn check(request: &$tag_request) -> Result<(), ServiceError> {
                check_new_tags(request.tags.as_deref())
            }

            fn names(
                request: &$tag_request,
            ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                Ok(IdentityName::existing(IdentityKind::$kind, required(&request.$holder)?))
            }

            fn facts(request: &$tag_request) -> Facts<'_> {
                tagging::facts(request.tags.as_deref())
            }

            async fn handle(
                context: &Context<'_>,
                target: Authorized<OneIdentity>,
                request: &$tag_request,
            ) -> Result<Done<()>, ServiceError> {
                tagging::tag(context, target.existing()?, &request.tags).await
            }
        }

        #[doc = "Takes tags away."]
        pub(crate) struct $untag;

        impl Operation for $untag {
            type Request = $untag_request;
            type Target = OneIdentity;
            type Response = ();
            const SPEC: Spec =
                Spec { name: stringify!($untag), actions: &[$untag_action], ..DEFAULT };

            fn names(
                request: &$untag_request,
            ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                Ok(IdentityName::existing(IdentityKind::$kind, required(&request.$holder)?))
            }

            fn facts(request: &$untag_request) -> Facts<'_> {
                let tag_keys = request.tag_keys.as_deref().unwrap_or_default();
                Facts { tag_keys, ..Facts::default() }
            }

            async fn handle(
                context: &Context<'_>,
                target: Authorized<OneIdentity>,
                request: &$untag_request,
            ) -> Result<Done<()>, ServiceError> {
                tagging::untag(context, target.existing()?, &request.tag_keys).await
            }
        }

        #[doc = "Lists the tags."]
        pub(crate) struct $list;

        impl Operation for $list {
            type Request = $list_request;
            type Target = OneIdentity;
            type Response = $list_response;
            const SPEC: Spec =
                Spec { name: stringify!($list), actions: &[$list_action], ..READING };

            fn names(
                request: &$list_request,
            ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                Ok(IdentityName::existing(IdentityKind::$kind, required(&request.$holder)?))
            }

            async fn handle(
                context: &Context<'_>,
                target: Authorized<OneIdentity>,
                request: &$list_request,
            ) -> Result<Done<$list_response>, ServiceError> {
                let page = (&request.marker, request.max_items);
                let page = tagging::list(context, target.existing()?, page)?;
                Ok(Done::read($list_response {
                    tags: page.items,
                    is_truncated: page.is_truncated,
                    marker: page.marker,
                }))
            }
        }
    };
}
pub(super) use tag_operations;

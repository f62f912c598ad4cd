//! TagOpenIDConnectProvider, UntagOpenIDConnectProvider, ListOpenIDConnectProviderTags.

use wire::iam::open_id_connect_providers::{
    ListOpenIDConnectProviderTagsRequest, ListOpenIDConnectProviderTagsResponse,
    TagOpenIDConnectProviderRequest, UntagOpenIDConnectProviderRequest,
};
use wire::shape::required;

use super::open_id_connect_providers::{OneProvider, ProviderName};
use super::{DEFAULT, READING, check_new_tags, tagging};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Adds tags to an OIDC provider, over those of the same key.
pub(crate) struct TagOpenIDConnectProvider;

impl Operation for TagOpenIDConnectProvider {
    type Request = TagOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "TagOpenIDConnectProvider",
        actions: &["iam:TagOpenIDConnectProvider"],
        ..DEFAULT
    };

    fn check(request: &TagOpenIDConnectProviderRequest) -> Result<(), ServiceError> {
        check_new_tags(request.tags.as_deref())
    }

    fn names(
        request: &TagOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    fn facts(request: &TagOpenIDConnectProviderRequest) -> Facts<'_> {
        tagging::facts(request.tags.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &TagOpenIDConnectProviderRequest,
    ) -> Result<Done<()>, ServiceError> {
        tagging::tag(context, target.existing()?, &request.tags).await
    }
}

/// Takes tags from an OIDC provider.
pub(crate) struct UntagOpenIDConnectProvider;

impl Operation for UntagOpenIDConnectProvider {
    type Request = UntagOpenIDConnectProviderRequest;
    type Target = OneProvider;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UntagOpenIDConnectProvider",
        actions: &["iam:UntagOpenIDConnectProvider"],
        ..DEFAULT
    };

    fn names(
        request: &UntagOpenIDConnectProviderRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    fn facts(request: &UntagOpenIDConnectProviderRequest) -> Facts<'_> {
        Facts { tag_keys: request.tag_keys.as_deref().unwrap_or_default(), ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &UntagOpenIDConnectProviderRequest,
    ) -> Result<Done<()>, ServiceError> {
        tagging::untag(context, target.existing()?, &request.tag_keys).await
    }
}

/// Lists the tags of an OIDC provider.
pub(crate) struct ListOpenIDConnectProviderTags;

impl Operation for ListOpenIDConnectProviderTags {
    type Request = ListOpenIDConnectProviderTagsRequest;
    type Target = OneProvider;
    type Response = ListOpenIDConnectProviderTagsResponse;
    const SPEC: Spec = Spec {
        name: "ListOpenIDConnectProviderTags",
        actions: &["iam:ListOpenIDConnectProviderTags"],
        ..READING
    };

    fn names(
        request: &ListOpenIDConnectProviderTagsRequest,
    ) -> Result<<OneProvider as Target>::Names<'_>, ServiceError> {
        Ok(ProviderName::Arn(required(&request.open_id_connect_provider_arn)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneProvider>,
        request: &ListOpenIDConnectProviderTagsRequest,
    ) -> Result<Done<ListOpenIDConnectProviderTagsResponse>, ServiceError> {
        let page = (&request.marker, request.max_items);
        let page = tagging::list(context, target.existing()?, page)?;
        Ok(Done::read(ListOpenIDConnectProviderTagsResponse {
            tags: page.items,
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

//! TagPolicy, UntagPolicy, ListPolicyTags.

use wire::iam::policies::{
    ListPolicyTagsRequest, ListPolicyTagsResponse, TagPolicyRequest, UntagPolicyRequest,
};
use wire::shape::required;

use super::target::OnePolicy;
use super::{DEFAULT, READING, check_new_tags, tagging};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Adds tags to a managed policy, over those of the same key.
pub(crate) struct TagPolicy;

impl Operation for TagPolicy {
    type Request = TagPolicyRequest;
    type Target = OnePolicy;
    type Response = ();
    const SPEC: Spec = Spec { name: "TagPolicy", actions: &["iam:TagPolicy"], ..DEFAULT };

    fn check(request: &TagPolicyRequest) -> Result<(), ServiceError> {
        check_new_tags(request.tags.as_deref())
    }

    fn names(request: &TagPolicyRequest) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    fn facts(request: &TagPolicyRequest) -> Facts<'_> {
        tagging::facts(request.tags.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &TagPolicyRequest,
    ) -> Result<Done<()>, ServiceError> {
        tagging::tag(context, target.own()?, &request.tags).await
    }
}

/// Takes tags from a managed policy.
pub(crate) struct UntagPolicy;

impl Operation for UntagPolicy {
    type Request = UntagPolicyRequest;
    type Target = OnePolicy;
    type Response = ();
    const SPEC: Spec = Spec { name: "UntagPolicy", actions: &["iam:UntagPolicy"], ..DEFAULT };

    fn names(
        request: &UntagPolicyRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    fn facts(request: &UntagPolicyRequest) -> Facts<'_> {
        Facts { tag_keys: request.tag_keys.as_deref().unwrap_or_default(), ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &UntagPolicyRequest,
    ) -> Result<Done<()>, ServiceError> {
        tagging::untag(context, target.own()?, &request.tag_keys).await
    }
}

/// Lists the tags of a managed policy.
pub(crate) struct ListPolicyTags;

impl Operation for ListPolicyTags {
    type Request = ListPolicyTagsRequest;
    type Target = OnePolicy;
    type Response = ListPolicyTagsResponse;
    const SPEC: Spec = Spec { name: "ListPolicyTags", actions: &["iam:ListPolicyTags"], ..READING };

    fn names(
        request: &ListPolicyTagsRequest,
    ) -> Result<<OnePolicy as Target>::Names<'_>, ServiceError> {
        Ok(required(&request.policy_arn)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OnePolicy>,
        request: &ListPolicyTagsRequest,
    ) -> Result<Done<ListPolicyTagsResponse>, ServiceError> {
        let page = (&request.marker, request.max_items);
        let page = tagging::list(context, target.own()?, page)?;
        Ok(Done::read(ListPolicyTagsResponse {
            tags: page.items,
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

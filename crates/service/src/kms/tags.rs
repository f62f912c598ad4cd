//! TagResource, UntagResource, ListResourceTags.

use std::sync::Arc;

use store::TagRow;
use wire::error_codes::ErrorCode;
use wire::kms::tags::{
    ListResourceTagsRequest, ListResourceTagsResponse, Tag, TagResourceRequest,
    UntagResourceRequest,
};
use wire::shape::required;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// How many tags a key may have (AWS: resource quotas).
const TAGS_MAX: usize = 50;

/// Sets tags of a key; a tag that exists gets the new value.
pub(crate) struct TagResource;

impl Operation for TagResource {
    type Request = TagResourceRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "TagResource",
        actions: &["kms:TagResource"],
        key_state: KeyStateRule::NotPendingDeletion,
        answer: AnswerForm::Empty,
        request_quota: RequestQuota::Own(10),
        ..DEFAULT
    };

    fn check(request: &TagResourceRequest) -> Result<(), ServiceError> {
        check(request.tags.as_deref().unwrap_or_default())
    }

    fn names(request: &TagResourceRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &TagResourceRequest) -> Facts<'_> {
        Facts { tags: request.tags.as_deref().unwrap_or_default(), ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &TagResourceRequest,
    ) -> Result<Done<()>, ServiceError> {
        let rows = required(&request.tags)?.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                record.tags.retain(|old| rows.iter().all(|new| new.tag_key != old.tag_key));
                record.tags.extend(rows);
                if record.tags.len() > TAGS_MAX {
                    return Err(too_many_tags());
                }
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Takes tags off a key; a tag that is not there is passed over.
pub(crate) struct UntagResource;

impl Operation for UntagResource {
    type Request = UntagResourceRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UntagResource",
        actions: &["kms:UntagResource"],
        key_state: KeyStateRule::NotPendingDeletion,
        answer: AnswerForm::Empty,
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &UntagResourceRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &UntagResourceRequest) -> Facts<'_> {
        Facts { tag_keys: request.tag_keys.as_deref().unwrap_or_default(), ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &UntagResourceRequest,
    ) -> Result<Done<()>, ServiceError> {
        let tag_keys = required(&request.tag_keys)?.clone();
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                record.tags.retain(|row| !tag_keys.contains(&row.tag_key));
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Lists the tags of a key.
pub(crate) struct ListResourceTags;

impl Operation for ListResourceTags {
    type Request = ListResourceTagsRequest;
    type Target = OneKey;
    type Response = ListResourceTagsResponse;
    const SPEC: Spec = Spec {
        name: "ListResourceTags",
        actions: &["kms:ListResourceTags"],
        read_only: true,
        request_quota: RequestQuota::Own(2_000),
        ..DEFAULT
    };

    fn names(
        request: &ListResourceTagsRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ListResourceTagsRequest,
    ) -> Result<Done<ListResourceTagsResponse>, ServiceError> {
        let limit = page::limit(request.limit, 50, 50)?;
        let filter = target.key.key_id().to_string();
        let after: Option<String> =
            page::after(context, "ListResourceTags", &filter, request.marker.as_deref())?;
        let mut rows: Vec<&TagRow> = target
            .key
            .record()
            .tags
            .iter()
            .filter(|row| after.as_ref().is_none_or(|after| row.tag_key > *after))
            .collect();
        rows.sort_by(|left, right| left.tag_key.cmp(&right.tag_key));
        let page = Page::cut(rows, limit);
        let next_marker = match page.last_if_truncated() {
            Some(row) => Some(page::marker(context, "ListResourceTags", &filter, &row.tag_key)?),
            None => None,
        };
        Ok(Done::read(ListResourceTagsResponse {
            truncated: next_marker.is_some(),
            next_marker,
            tags: page
                .items
                .into_iter()
                .map(|row| Tag {
                    tag_key: Some(row.tag_key.clone()),
                    tag_value: Some(row.tag_value.clone()),
                })
                .collect(),
        }))
    }
}

/// The rules for tags that the model does not say.
pub(super) fn check(tags: &[Tag]) -> Result<(), ServiceError> {
    let tag_error = |message: &str| Err(ServiceError::new(ErrorCode::TagException, message));
    if tags.len() > TAGS_MAX {
        return Err(too_many_tags());
    }
    let mut tag_keys: Vec<&str> = tags.iter().filter_map(|tag| tag.tag_key.as_deref()).collect();
    tag_keys.sort_unstable();
    if tag_keys.windows(2).any(|pair| pair.first() == pair.last()) {
        return tag_error("Duplicate tag keys");
    }
    if tag_keys
        .iter()
        .any(|key| key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")))
    {
        return tag_error("Tags beginning with aws: are reserved");
    }
    let texts =
        tags.iter().flat_map(|tag| [tag.tag_key.as_deref(), tag.tag_value.as_deref()]).flatten();
    if texts.flat_map(str::chars).any(|character| !is_tag_character(character)) {
        return tag_error(
            "Tag keys and values can contain only letters, numbers, spaces and the characters _ . : / = + - @",
        );
    }
    Ok(())
}

fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}

fn too_many_tags() -> ServiceError {
    ServiceError::new(ErrorCode::TagException, "Too many tags")
}

/// A tag as it is told.
pub(super) fn told(row: &TagRow) -> Tag {
    Tag { tag_key: Some(row.tag_key.clone()), tag_value: Some(row.tag_value.clone()) }
}

/// A tag as the store keeps it.
pub(super) fn row(tag: &Tag) -> Result<TagRow, ServiceError> {
    Ok(TagRow {
        tag_key: required(&tag.tag_key)?.clone(),
        tag_value: required(&tag.tag_value)?.clone(),
    })
}

//! Lists of IAM in pages: `MaxItems`, `Marker` and `IsTruncated`.

use crate::context::Context;
use crate::error::ServiceError;
use crate::page;

/// Items of a page unless the request says otherwise.
const ITEMS_DEFAULT: usize = 100;
/// Items of a page at most.
const ITEMS_MAX: usize = 1_000;

/// One page of a list.
pub(super) struct Listed<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// Whether there are more.
    pub(super) is_truncated: bool,
    /// Where the page ends, if there are more.
    pub(super) marker: Option<String>,
}

/// What a request says about the page that it wants.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'r> {
    /// The list, which a marker is bound to.
    pub(super) list: &'static str,
    /// What the list is of.
    pub(super) filter: &'r str,
    /// Where the previous page ended.
    pub(super) marker: Option<&'r str>,
    /// The most items that are wanted.
    pub(super) items_max: Option<i64>,
}

/// Cuts the page that is wanted out of a whole list, which is ordered by `key`.
pub(super) fn page<T>(
    context: &Context<'_>,
    wanted: Wanted<'_>,
    mut all: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<Listed<T>, ServiceError> {
    let limit = page::limit(wanted.items_max, ITEMS_DEFAULT, ITEMS_MAX)?;
    let after: Option<String> = page::after(context, wanted.list, wanted.filter, wanted.marker)
        .map_err(|_| {
            ServiceError::validation(format!(
                "Invalid Marker: {}",
                wanted.marker.unwrap_or_default()
            ))
        })?;
    all.sort_by_cached_key(&key);
    if let Some(after) = after {
        all.retain(|item| key(item) > after);
    }
    let is_truncated = all.len() > limit;
    all.truncate(limit);
    let last = all.last().map(&key).filter(|_| is_truncated);
    let marker =
        last.map(|last| page::marker(context, wanted.list, wanted.filter, &last)).transpose()?;
    Ok(Listed { items: all, is_truncated, marker })
}

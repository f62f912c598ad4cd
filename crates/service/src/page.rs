//! Lists in pages: limits, and markers that only this deployment can make (reference 2.14).

use std::str::FromStr;

use crate::context::Context;
use crate::error::ServiceError;

/// One page of a list.
pub(crate) struct Page<T> {
    /// The items to answer.
    pub(crate) items: Vec<T>,
    truncated: bool,
}

impl<T> Page<T> {
    /// Cuts to the limit what was read with one item more, which tells whether there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize) -> Page<T> {
        let truncated = items.len() > limit;
        items.truncate(limit);
        Page { items, truncated }
    }

    /// The item after which the next page begins, if there is one.
    pub(crate) fn last_if_truncated(&self) -> Option<&T> {
        if self.truncated { self.items.last() } else { None }
    }
}

/// How many items the caller wants: `default` if it does not say, and never more than `max`.
pub(crate) fn limit(given: Option<i64>, default: usize, max: usize) -> Result<usize, ServiceError> {
    let Some(given) = given else { return Ok(default) };
    match usize::try_from(given).ok().filter(|limit| *limit <= max) {
        Some(limit) => Ok(limit),
        None => Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{given}' at 'limit' failed to satisfy constraint: Member must have value less than or equal to {max}"
        ))),
    }
}

/// What is read for a page: one item more than it shows.
pub(crate) fn one_more(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1)
}

/// The marker for the page after `last`, bound to the list, the caller's account, the Region and the filter.
pub(crate) fn marker(
    context: &Context<'_>,
    list: &str,
    filter: &str,
    last: &str,
) -> Result<String, ServiceError> {
    context
        .host()
        .token_key
        .seal(list, &binding(context, filter), last.as_bytes())
        .map_err(ServiceError::internal)
}

/// Where the page that a marker asks for begins.
pub(crate) fn after<T: FromStr>(
    context: &Context<'_>,
    list: &str,
    filter: &str,
    marker: Option<&str>,
) -> Result<Option<T>, ServiceError> {
    let Some(marker) = marker else { return Ok(None) };
    let payload = context
        .host()
        .token_key
        .open(list, &binding(context, filter), marker)
        .ok_or_else(ServiceError::invalid_marker)?;
    let last = str::from_utf8(&payload).map_err(|_| ServiceError::invalid_marker())?;
    last.parse().map(Some).map_err(|_| ServiceError::invalid_marker())
}

fn binding(context: &Context<'_>, filter: &str) -> Vec<u8> {
    let call = context.call();
    crypto::fields::Fields::new("page")
        .text(&call.account().to_string())
        .text(call.region.as_str())
        .text(filter)
        .finish()
}

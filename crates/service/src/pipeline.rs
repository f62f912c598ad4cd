//! The one walk that every call takes; the body of `walk` is the order of checks (reference 2.2).

use uuid::Uuid;
use wire::shape;

use crate::api::Answer;
use crate::authorize::authorize;
use crate::call::Call;
use crate::context::Context;
use crate::error::ServiceError;
use crate::grant_tokens::NamedGrant;
use crate::host::Host;
use crate::managed_keys;
use crate::operation::{Operation, Spec};
use crate::quotas::Asked;
use crate::target::{Ask, Lookup, Target};
use crate::trail::{Committed, Done, Draft};
use crate::{decode, recipient, render};

/// How often a call is checked anew because a change to its key committed meanwhile.
const WALKS_MAX: u32 = 100;

/// A success before it is sent: the body, and the record if a change has committed it already.
struct Success {
    body: Vec<u8>,
    committed: Vec<Committed>,
}

/// Walks one call of one operation and answers once its record is written.
pub(crate) async fn run<O: Operation>(host: &Host, call: &Call<'_>) -> Answer {
    let mut draft = Draft::new(&O::SPEC, call);
    let mut walks_count = 0;
    let outcome = loop {
        walks_count += 1;
        match walk::<O>(host, call, &mut draft, walks_count == 1).await {
            Ok(done) => {
                let told = draft.set_done(&done);
                let body = O::body(&done.response, call.request_id);
                break told.map(|()| Success { body, committed: done.committed });
            }
            Err(error) if !error.is_superseded() || walks_count >= WALKS_MAX => break Err(error),
            Err(_) => {}
        }
        if let Some(key) = draft.unmade_key() {
            // Boxed, so that the walk of a call does not carry the room that only the first use of a key needs.
            if let Err(error) = Box::pin(managed_keys::make(host, key)).await {
                break Err(error);
            }
        }
    };
    finish(host, &O::SPEC, call.request_id, &draft, outcome).await
}

async fn walk<O: Operation>(
    host: &Host,
    call: &Call<'_>,
    draft: &mut Draft<'_>,
    is_first: bool,
) -> Result<Done<O::Response>, ServiceError> {
    let mut request: O::Request = decode::request(&O::SPEC, call.body)?;
    O::complete(&mut request);
    draft.set_parameters(&request);
    shape::validate(&request)?;
    O::check(&request)?;

    let lookup = Lookup { host, call, spec: &O::SPEC, position: 0 };
    let target = O::Target::resolve(&lookup, O::names(&request)?).await?;
    draft.set_resources(&target);

    let named_recipient = O::facts(&request).recipient;
    let recipient = match named_recipient {
        // Boxed, so that the walk of a call does not carry the room that only attested ones need.
        Some(recipient) => Some(Box::pin(recipient::attest(host, recipient, call.now)).await?),
        None => None,
    };
    if let Some(recipient) = recipient.as_deref() {
        draft.set_recipient(recipient);
    }
    // The facts are taken anew where they are asked for, so that they need not be kept while the call waits.
    let authorized = {
        let facts = O::facts(&request);
        facts.check()?;
        authorize(&lookup, target, &facts, recipient.as_deref())
    };
    let target = match authorized {
        Ok(target) => target,
        // Boxed, so that the walk of a call does not carry the room that only calls by grants need.
        Err(refused) => {
            Box::pin(refused.ask_grants(&lookup, O::facts(&request), recipient.as_deref())).await?
        }
    };
    let target = target.complete()?;
    draft.set_authorized(&*target);
    check_grant_tokens(host, call, O::facts(&request).grant_tokens)?;

    O::kind(&request, &target)?;
    for ask in target.asks().into_iter().flatten() {
        if let Ask::Key(key, _) = ask {
            if O::SPEC.key_usage.is_some_and(|usage| usage != key.key().key_usage) {
                return Err(ServiceError::wrong_usage(
                    key.arn_text(),
                    key.key().key_usage,
                    O::SPEC.name,
                ));
            }
            O::SPEC.key_state.check(key.arn_text(), key.state())?;
        }
    }
    O::suits(&request, &target)?;
    // However often it is walked, it is one call.
    if is_first && host.quotas.are_counted() {
        let pair_spec = O::facts(&request).cryptography.data_key_pair_spec;
        host.quotas.take(&Asked::by(call, &O::SPEC, &*target, pair_spec))?;
    }
    if O::facts(&request).dry_run {
        return Err(ServiceError::dry_run());
    }
    if draft.unmade_key().is_some() {
        return Err(ServiceError::superseded());
    }

    O::handle(&Context::new(host, call, draft, recipient.as_deref()), target, &request).await
}

/// Grants are known at once, so a token permits nothing more; but it must be one.
fn check_grant_tokens(host: &Host, call: &Call<'_>, tokens: &[String]) -> Result<(), ServiceError> {
    tokens.iter().try_for_each(|token| NamedGrant::of_token(host, token, call.now).map(drop))
}

/// Writes the record and only then makes the answer. Without a record there is no answer (promise P3).
async fn finish(
    host: &Host,
    spec: &'static Spec,
    request_id: Uuid,
    draft: &Draft<'_>,
    outcome: Result<Success, ServiceError>,
) -> Answer {
    let written = match &outcome {
        Ok(Success { committed, .. }) if committed.is_empty() => {
            draft.append_record(host, Ok(())).await
        }
        Ok(Success { committed, .. }) => {
            let handed_over = host.outbox.hand_over_all(&host.journal, committed).await;
            handed_over.map_err(ServiceError::from)
        }
        Err(error) => draft.append_record(host, Err(error)).await,
    };
    match written.and(outcome) {
        Ok(success) => {
            if spec.is_use {
                draft.note_use(host);
            }
            Answer {
                status: 200,
                content_type: spec.api.content_type(),
                body: success.body,
                operation: spec.name,
                result: "Success",
            }
        }
        Err(error) => {
            host.refused_rows.note(&error);
            render::error(spec.api, spec.name, request_id, &error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::{encrypt, generate, keys};

    fn future_bytes<'a, F>(_run: impl Fn(&'a Host, &'a Call<'a>) -> F) -> usize {
        size_of::<F>()
    }

    /// The walk of a call lives on the heap. Up to this size the allocator serves it from its fast lists; beyond, it tidies
    /// its free lists for every call.
    #[test]
    fn the_walk_of_a_frequent_call_is_small() {
        let walks = [
            ("Encrypt", future_bytes(run::<encrypt::Encrypt>)),
            ("Decrypt", future_bytes(run::<encrypt::Decrypt>)),
            ("GenerateDataKey", future_bytes(run::<generate::GenerateDataKey>)),
            ("DescribeKey", future_bytes(run::<keys::DescribeKey>)),
        ];
        for (name, bytes_count) in walks {
            assert!(bytes_count <= 1024, "the walk of {name} takes {bytes_count} bytes");
        }
    }
}

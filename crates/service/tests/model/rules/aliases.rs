//! CreateAlias, UpdateAlias, DeleteAlias: names of keys, unique in an account and Region, and no part of the keys.

use super::VALIDATION;
use super::{ALREADY_EXISTS, Answer, At, Model, NOT_AUTHORIZED, NOT_FOUND, Outcome, Refusal};
use crate::names::{AliasName, KeyName};
use crate::step::{AliasVerb, Call};

impl Model {
    /// CreateAlias and UpdateAlias.
    pub(super) fn point_alias(
        &mut self,
        call: &Call,
        verb: AliasVerb,
        alias: AliasName,
        key: KeyName,
    ) -> Outcome {
        check_name(alias)?;
        let former = self.aliases.get(&(call.by, call.region, alias)).copied();
        if verb == AliasVerb::UpdateAlias && former.is_none() {
            return Err(NOT_FOUND);
        }
        let at = self.find(call, key)?;
        // The former key of an alias may be pending deletion, the new one may not.
        self.place(at).key_state.check(&call.operation.name())?;
        match (verb, former) {
            (AliasVerb::CreateAlias, Some(_)) => return Err(ALREADY_EXISTS),
            // "The current and new KMS key must be the same type …, and they must have the same key usage."
            (AliasVerb::UpdateAlias, Some(former))
                if self.key(former).key_spec != self.key(key).key_spec =>
            {
                return Err(VALIDATION);
            }
            (AliasVerb::CreateAlias, None) | (AliasVerb::UpdateAlias, _) => {}
        }
        self.aliases.insert((call.by, call.region, alias), key);
        Ok(Answer::Empty)
    }

    /// The key stays as it is, in whatever state.
    pub(super) fn delete_alias(&mut self, call: &Call, alias: AliasName) -> Outcome {
        check_name(alias)?;
        match self.aliases.remove(&(call.by, call.region, alias)) {
            Some(_) => Ok(Answer::Empty),
            None => Err(NOT_FOUND),
        }
    }

    /// The key that an alias of the caller stands for.
    pub(super) fn find_by_alias(&self, call: &Call, alias: AliasName) -> Result<At, Refusal> {
        match self.aliases.get(&(call.by, call.region, alias)) {
            Some(key) => Ok(At { key: *key, region: call.region }),
            None => Err(NOT_FOUND),
        }
    }
}

/// `alias/aws/` is kept for AWS services.
fn check_name(alias: AliasName) -> Result<(), Refusal> {
    match alias {
        AliasName::Customer(_) => Ok(()),
        AliasName::Reserved => Err(NOT_AUTHORIZED),
    }
}

//! What the supposed request says: its context entries, and what is known without them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, civil};
use policy::{ConditionContext, ConditionValues, PrincipalKind};
use wire::iam::enums::ContextKeyType;
use wire::iam::simulation::ContextEntry;
use wire::names::AccountId;
use wire::values::{EncryptionContext, OneOf};

use super::caller::Supposed;
use super::invalid;
use crate::call::Call;
use crate::conditions::{Conditions, tag_of};
use crate::error::ServiceError;
use crate::snapshot::KeySnapshot;

/// What the keys of an encryption context begin with.
const ENCRYPTION_CONTEXT: &str = "kms:EncryptionContext:";

/// The context entries of a request.
#[derive(Default)]
pub(super) struct Entries {
    /// By condition key in lower case.
    by_key: BTreeMap<String, Entry>,
    /// The encryption context that some of them make up.
    pub(super) encryption_context: EncryptionContext,
}

struct Entry {
    is_list: bool,
    values: Vec<String>,
}

impl Entries {
    /// Reads the entries; each value must be of the type that is said.
    pub(super) fn read(given: &[ContextEntry]) -> Result<Entries, ServiceError> {
        let mut by_key = BTreeMap::new();
        let mut encryption_context = BTreeMap::new();
        for entry in given {
            let name = entry.context_key_name.as_deref();
            let name = name.ok_or_else(|| invalid("A context entry has no ContextKeyName."))?;
            let values = entry.context_key_values.clone().unwrap_or_default();
            let kind = entry.context_key_type.as_ref().and_then(OneOf::known);
            let kind = kind.unwrap_or(ContextKeyType::String);
            let (is_list, is_value) = test(kind);
            if !is_list && values.len() > 1 {
                return Err(invalid(format!("{name}: several values need a list type.")));
            }
            if let Some(value) = values.iter().find(|value| !is_value(value)) {
                let told = format!("{name}: {value} is not of the type {}.", kind.as_str());
                return Err(invalid(told));
            }
            let pair = name.split_at_checked(ENCRYPTION_CONTEXT.len()).zip(values.first());
            if let Some(((prefix, key), value)) = pair
                && prefix.eq_ignore_ascii_case(ENCRYPTION_CONTEXT)
            {
                encryption_context.insert(key.to_owned(), value.clone());
            }
            if by_key.insert(name.to_ascii_lowercase(), Entry { is_list, values }).is_some() {
                return Err(invalid(format!("{name}: the key is given twice.")));
            }
        }
        Ok(Entries { by_key, encryption_context: encryption_context.into() })
    }

    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        match self.by_key.get(key) {
            Some(Entry { is_list: true, values }) => {
                Some(ConditionValues::many(values.iter().map(String::as_str)))
            }
            Some(Entry { is_list: false, values }) => {
                values.first().map(|value| value.as_str().into())
            }
            None if key == "kms:encryptioncontextkeys" && !self.encryption_context.is_empty() => {
                let keys = self.encryption_context.keys();
                Some(ConditionValues::many(keys.map(String::as_str)))
            }
            None => None,
        }
    }
}

/// Whether a type is that of a list, and whether a text is a value of it.
fn test(kind: ContextKeyType) -> (bool, fn(&str) -> bool) {
    let text: fn(&str) -> bool = |_| true;
    match kind {
        ContextKeyType::String => (false, text),
        ContextKeyType::StringList => (true, text),
        ContextKeyType::Numeric => (false, is_number),
        ContextKeyType::NumericList => (true, is_number),
        ContextKeyType::Boolean => (false, is_boolean),
        ContextKeyType::BooleanList => (true, is_boolean),
        ContextKeyType::Ip => (false, is_address),
        ContextKeyType::IpList => (true, is_address),
        ContextKeyType::Binary => (false, is_binary),
        ContextKeyType::BinaryList => (true, is_binary),
        ContextKeyType::Date => (false, is_date),
        ContextKeyType::DateList => (true, is_date),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_boolean(text: &str) -> bool {
    ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn is_binary(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}

/// A moment, a day, or seconds since 1970.
fn is_date(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
        || text.parse::<civil::Date>().is_ok()
        || text.parse::<i64>().is_ok()
}

/// What policies may know of one question of a simulation. What is given counts before what is known of the caller and
/// the key; what only a request would say is missing unless it is given.
pub(super) struct SupposedConditions<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) caller: &'a Supposed,
    pub(super) entries: &'a Entries,
    pub(super) key: Option<&'a KeySnapshot>,
    pub(super) resource_account: Option<AccountId>,
    /// Of the key.
    pub(super) conditions: Conditions<'a>,
}

impl SupposedConditions<'_> {
    fn of_caller(&self, key: &str) -> Option<ConditionValues<'_>> {
        let Supposed { principal, identity, is_named } = self.caller;
        match key {
            "aws:principalaccount" | "kms:calleraccount" => {
                return Some(principal.account.as_str().into());
            }
            "aws:principalisawsservice" | "aws:viaawsservice" => return Some(false.into()),
            "aws:principalorgid" => {
                return self.call.guard_rails.organization_id().map(ConditionValues::from);
            }
            "aws:principalorgpaths" => {
                let path = self.call.guard_rails.path(principal.account);
                return path.map(|path| ConditionValues::many([path]));
            }
            _ => {}
        }
        if !is_named {
            return None;
        }
        let role_arn = match &principal.kind {
            PrincipalKind::RoleSession { role_arn } => Some(role_arn),
            PrincipalKind::Root
            | PrincipalKind::User
            | PrincipalKind::FederatedUser { .. }
            | PrincipalKind::Service { .. }
            | PrincipalKind::WebIdentity { .. } => None,
        };
        match key {
            "aws:principalarn" => Some((&**role_arn.unwrap_or(&principal.arn)).into()),
            "aws:principaltype" => Some(role_arn.map_or("User", |_| "AssumedRole").into()),
            "aws:username" => self.caller.user_name().map(ConditionValues::from),
            "aws:userid" if role_arn.is_none() => identity.as_ref().map(|found| found.id().into()),
            _ => tag_of(identity.as_ref()?, key.strip_prefix("aws:principaltag/")?),
        }
    }

    fn of_resource(&self, key: &str) -> Option<ConditionValues<'_>> {
        match (key, self.key) {
            ("aws:requestedregion", Some(found)) => Some(found.key().region.as_str().into()),
            ("aws:resourceaccount", None) => {
                self.resource_account.map(|account| account.to_string().into())
            }
            (_, Some(_)) => self.conditions.of_key(key),
            (_, None) => None,
        }
    }
}

impl ConditionContext for SupposedConditions<'_> {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        let given = self.entries.values(key);
        given.or_else(|| self.of_caller(key)).or_else(|| self.of_resource(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_types() {
        let rows = [
            (ContextKeyType::Numeric, "12.5", "twelve"),
            (ContextKeyType::Boolean, "True", "yes"),
            (ContextKeyType::Ip, "203.0.113.7", "203.0.113"),
            (ContextKeyType::Binary, "aGk=", "a"),
            (ContextKeyType::Date, "2026-05-01", "tomorrow"),
            (ContextKeyType::DateList, "2026-05-01T12:00:00Z", "2026-13-01"),
        ];
        for (kind, right, wrong) in rows {
            let (_, is_value) = test(kind);
            assert!(is_value(right) && !is_value(wrong), "{}", kind.as_str());
        }
    }
}

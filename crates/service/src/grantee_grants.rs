//! The grants of one grantee on one key as the decision asks for them: verified, compiled, indexed.

use std::sync::Arc;

use jiff::Timestamp;
use policy::{
    Grant, GrantConstraints, GrantPermissions, GrantSet, GrantedRequest, PrincipalPattern,
};
use store::GrantRow;
use wire::enums::GrantOperation;
use wire::kms::grants::{self, CreateGrantRequest};
use wire::names::GrantId;
use wire::values::OneOf;

use crate::coherent_cache::Weigh;
use crate::error::ServiceError;
use crate::snapshot::KeySnapshot;

/// See the module's text. Immutable: a change makes a new one.
pub(crate) struct GranteeGrants {
    /// When the key was made. A replica that was deleted may come back under its id, and then has none of these grants.
    key_created: Timestamp,
    grant_ids: Box<[GrantId]>,
    set: GrantSet,
}

impl GranteeGrants {
    /// Compiles what the store verified.
    pub(crate) fn new(key: &KeySnapshot, rows: &[GrantRow]) -> Result<GranteeGrants, ServiceError> {
        let grants = rows.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        Ok(GranteeGrants {
            key_created: key.key().created,
            grant_ids: rows.iter().map(|row| row.grant_id).collect(),
            set: GrantSet::new(grants),
        })
    }

    /// Whether they are grants on this key, and not on one that had its id before.
    pub(crate) fn are_of(&self, key: &KeySnapshot) -> bool {
        self.key_created == key.key().created
    }

    /// A grant that permits the request, if there is one.
    pub(crate) fn covering(&self, request: &GrantedRequest<'_>) -> Option<(GrantId, &Grant)> {
        let (place, grant) = self.set.covering(request)?;
        Some((*self.grant_ids.get(place)?, grant))
    }
}

impl Weigh for Arc<GranteeGrants> {
    fn weight_bytes(&self) -> u64 {
        let bytes =
            size_of::<GranteeGrants>() + size_of_val(&*self.grant_ids) + self.set.weight_bytes();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// A grant as the decision sees it. An unreadable one is a fault of the store's contents, since only valid ones are saved.
fn compile(row: &GrantRow) -> Result<Grant, ServiceError> {
    let constraints = constraints_of(row)?.unwrap_or_default();
    Ok(Grant {
        grantee: principal(&row.grantee)?,
        permissions: permissions(row.operations.clone(), &constraints),
    })
}

/// What lets somebody retire a grant (AWS KMS Developer Guide, "Retiring and revoking grants"): the grant itself, if it
/// permits that, being its retiring principal, or its account having made it.
pub(crate) fn to_retire(row: &GrantRow, key: &KeySnapshot) -> Result<Vec<Grant>, ServiceError> {
    let retirement = |grantee| Grant {
        grantee,
        permissions: GrantPermissions {
            operations: Box::new([GrantOperation::RetireGrant]),
            ..GrantPermissions::default()
        },
    };
    let issuer = PrincipalPattern::Account {
        account: row.issuing_account,
        partition: Some(key.key().region.partition()),
    };
    let mut grants = vec![compile(row)?, retirement(issuer)];
    if let Some(retiring) = &row.retiring {
        grants.push(retirement(principal(retiring)?));
    }
    Ok(grants)
}

/// What the grant that is asked for would permit.
pub(crate) fn permissions_asked(asked: &CreateGrantRequest) -> GrantPermissions {
    let constraints = asked.constraints.clone().unwrap_or_default();
    permissions(operations_asked(asked), &constraints)
}

/// The operations of the grant that is asked for, each once.
pub(crate) fn operations_asked(asked: &CreateGrantRequest) -> Vec<GrantOperation> {
    let mut operations = Vec::new();
    for operation in asked.operations.iter().flatten().filter_map(OneOf::known) {
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    operations
}

/// The constraints of a row as they were given.
pub(crate) fn constraints_of(
    row: &GrantRow,
) -> Result<Option<grants::GrantConstraints>, ServiceError> {
    if row.constraints.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&row.constraints).map(Some).map_err(ServiceError::internal)
}

fn permissions(
    operations: Vec<GrantOperation>,
    constraints: &grants::GrantConstraints,
) -> GrantPermissions {
    GrantPermissions {
        operations: operations.into(),
        constraints: GrantConstraints {
            encryption_context_equals: constraints.encryption_context_equals.clone(),
            encryption_context_subset: constraints.encryption_context_subset.clone(),
            source_arn: constraints.source_arn.as_deref().map(Box::from),
        },
    }
}

/// A principal of a grant: an ARN, the name of a service, or the unique id of who was deleted.
fn principal(text: &str) -> Result<PrincipalPattern, ServiceError> {
    if is_service(text) {
        return Ok(PrincipalPattern::Service(text.into()));
    }
    if !is_arn(text) {
        return Ok(PrincipalPattern::UniqueId(text.into()));
    }
    PrincipalPattern::from_arn(text)
        .ok_or_else(|| ServiceError::internal(format!("the stored principal {text:?} is none")))
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// Whether a principal of a grant is a service. Unique ids have no dots.
pub(crate) fn is_service(text: &str) -> bool {
    !is_arn(text) && text.contains('.')
}

//! Grants in the decision: whom a grant names, what it permits and what it demands.
//!
//! AWS KMS Developer Guide, "Grants in AWS KMS" and "Using grant constraints". A grant only ever
//! allows, and what it allows needs no allowance in the key policy or of the caller's account; any
//! denial still wins. All comparisons are case-sensitive.

use std::collections::BTreeMap;

use wire::enums::GrantOperation;
use wire::values::EncryptionContext;

use crate::principal::{Principal, PrincipalKind, PrincipalPattern, Reach};

/// A grant on a key, as far as the decision asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Whom it permits something.
    pub grantee: PrincipalPattern,
    /// What it permits.
    pub permissions: GrantPermissions,
}

/// What a grant permits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GrantPermissions {
    /// The operations.
    pub operations: Box<[GrantOperation]>,
    /// What their requests must fulfil.
    pub constraints: GrantConstraints,
}

/// What a grant demands of the requests that it allows; nothing by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GrantConstraints {
    /// Pairs that must be the whole encryption context.
    pub encryption_context_equals: Option<EncryptionContext>,
    /// Pairs that the encryption context must hold among others.
    pub encryption_context_subset: Option<EncryptionContext>,
    /// The resource on whose behalf a service must call.
    pub source_arn: Option<Box<str>>,
}

/// A request as grants see it.
#[derive(Clone, Copy)]
pub struct GrantedRequest<'a> {
    /// What is asked for.
    pub operation: GrantOperation,
    /// The encryption context; none is the same as an empty one.
    pub encryption_context: Option<&'a EncryptionContext>,
    /// `aws:SourceArn`, of a service that calls.
    pub source_arn: Option<&'a str>,
    /// What the grant that is to be made would permit, for CreateGrant.
    pub child: Option<&'a GrantPermissions>,
}

/// The grants that speak in a decision.
#[derive(Clone, Copy)]
pub struct Grants<'a> {
    /// What is asked.
    pub request: GrantedRequest<'a>,
    /// Grants on the key, found by who calls.
    pub candidates: &'a [&'a Grant],
    /// Whether no policy allows what is asked: RetireGrant, which a key policy can only deny (AWS KMS
    /// Developer Guide, "Retiring and revoking grants").
    pub alone: bool,
}

impl Grants<'_> {
    /// Which of the candidates allows the request, if one does. `permits` tells whether one that
    /// names the caller so closely is enough.
    pub(crate) fn allowing(
        &self,
        caller: &Principal,
        permits: impl Fn(Reach) -> bool,
    ) -> Option<usize> {
        self.candidates.iter().position(|grant| {
            grant.permissions.cover(&self.request)
                && grant.grantee.reach(caller).is_some_and(&permits)
        })
    }
}

impl GrantPermissions {
    /// Does the grant permit the request, whoever makes it?
    pub fn cover(&self, request: &GrantedRequest<'_>) -> bool {
        if !self.operations.contains(&request.operation) {
            return false;
        }
        let constraints = &self.constraints;
        match request.operation {
            // "The constraint doesn't apply to these operations" (API reference, CreateGrant).
            GrantOperation::RetireGrant => true,
            GrantOperation::DescribeKey => constraints.admit_source(request.source_arn),
            GrantOperation::CreateGrant => {
                constraints.admit_source(request.source_arn)
                    && request.child.is_some_and(|child| self.include(child))
            }
            GrantOperation::Decrypt
            | GrantOperation::Encrypt
            | GrantOperation::GenerateDataKey
            | GrantOperation::GenerateDataKeyWithoutPlaintext
            | GrantOperation::ReEncryptFrom
            | GrantOperation::ReEncryptTo
            | GrantOperation::Sign
            | GrantOperation::Verify
            | GrantOperation::GetPublicKey
            | GrantOperation::GenerateDataKeyPair
            | GrantOperation::GenerateDataKeyPairWithoutPlaintext
            | GrantOperation::GenerateMac
            | GrantOperation::VerifyMac
            | GrantOperation::DeriveSharedSecret
            | GrantOperation::Encapsulate
            | GrantOperation::Decapsulate => {
                constraints.admit_source(request.source_arn)
                    && constraints.admit(request.encryption_context)
            }
        }
    }

    /// Is everything that `child` permits permitted here? Whoever may create grants by a grant alone
    /// can hand on no more than that: a part of its operations, under constraints that are as strict
    /// or stricter.
    pub fn include(&self, child: &GrantPermissions) -> bool {
        child.operations.iter().all(|operation| self.operations.contains(operation))
            && self.constraints.include(&child.constraints)
    }
}

impl GrantConstraints {
    fn admit(&self, encryption_context: Option<&EncryptionContext>) -> bool {
        let pair_count = encryption_context.map_or(0, |context| context.len());
        let holds = |pairs: &EncryptionContext| {
            pairs.iter().all(|(key, value)| {
                encryption_context.and_then(|context| context.get(key)) == Some(value)
            })
        };
        let equals = self.encryption_context_equals.as_ref();
        let subset = self.encryption_context_subset.as_ref();
        equals.is_none_or(|pairs| pairs.len() == pair_count && holds(pairs))
            && subset.is_none_or(holds)
    }

    fn admit_source(&self, source_arn: Option<&str>) -> bool {
        self.source_arn.as_deref().is_none_or(|wanted| source_arn == Some(wanted))
    }

    /// Does every request that fulfils `child` fulfil these constraints?
    fn include(&self, child: &GrantConstraints) -> bool {
        let source_arn = self.source_arn.is_none() || self.source_arn == child.source_arn;
        let is_within = |pairs: &EncryptionContext, context: &EncryptionContext| {
            pairs.iter().all(|(key, value)| context.get(key) == Some(value))
        };
        let equals = child.encryption_context_equals.as_ref();
        let subset = child.encryption_context_subset.as_ref();
        let equals_included =
            self.encryption_context_equals.as_ref().is_none_or(|wanted| equals == Some(wanted));
        let subset_included = self.encryption_context_subset.as_ref().is_none_or(|wanted| {
            equals.is_some_and(|context| is_within(wanted, context))
                || subset.is_some_and(|context| is_within(wanted, context))
        });
        source_arn && equals_included && subset_included
    }

    /// Whether they are about the encryption context.
    pub fn constrain_encryption_context(&self) -> bool {
        self.encryption_context_equals.is_some() || self.encryption_context_subset.is_some()
    }

    /// A pair that every request must hold: the one whose value is the longest, since that tells the
    /// most.
    fn anchor(&self) -> Option<(&str, &str)> {
        let equals = self.encryption_context_equals.as_ref();
        let pairs = equals.or(self.encryption_context_subset.as_ref())?;
        let (key, value) = pairs.iter().max_by_key(|(_, value)| value.len())?;
        Some((key, value))
    }
}

/// All grants of one grantee on one key. A grantee may have very many that differ in their
/// encryption contexts, so they are found by a pair that they demand.
#[derive(Debug, Default)]
pub struct GrantSet {
    grants: Box<[Grant]>,
    /// The grants by the pair that they demand: key, value, places in `grants`.
    anchored: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<usize>>>,
    /// The places of the grants that demand no pair.
    unanchored: Vec<usize>,
}

impl GrantSet {
    /// Keeps grants, in their order.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> GrantSet {
        let mut set = GrantSet { grants: grants.into_iter().collect(), ..GrantSet::default() };
        for (place, grant) in set.grants.iter().enumerate() {
            match grant.permissions.constraints.anchor() {
                Some((key, value)) => {
                    let values = set.anchored.entry(key.into()).or_default();
                    values.entry(value.into()).or_default().push(place);
                }
                None => set.unanchored.push(place),
            }
        }
        set
    }

    /// A grant that permits the request, and its place among the grants.
    pub fn covering(&self, request: &GrantedRequest<'_>) -> Option<(usize, &Grant)> {
        let at = |place: &usize| {
            let grant = self.grants.get(*place)?;
            grant.permissions.cover(request).then_some((*place, grant))
        };
        match request.operation {
            // The encryption context does not count, so any grant may be the one.
            GrantOperation::RetireGrant
            | GrantOperation::DescribeKey
            | GrantOperation::CreateGrant => (0..self.grants.len()).find_map(|place| at(&place)),
            GrantOperation::Decrypt
            | GrantOperation::Encrypt
            | GrantOperation::GenerateDataKey
            | GrantOperation::GenerateDataKeyWithoutPlaintext
            | GrantOperation::ReEncryptFrom
            | GrantOperation::ReEncryptTo
            | GrantOperation::Sign
            | GrantOperation::Verify
            | GrantOperation::GetPublicKey
            | GrantOperation::GenerateDataKeyPair
            | GrantOperation::GenerateDataKeyPairWithoutPlaintext
            | GrantOperation::GenerateMac
            | GrantOperation::VerifyMac
            | GrantOperation::DeriveSharedSecret
            | GrantOperation::Encapsulate
            | GrantOperation::Decapsulate => {
                let pairs = request.encryption_context.into_iter().flat_map(|pairs| pairs.iter());
                let anchored = pairs
                    .filter_map(|(key, value)| self.anchored.get(&**key)?.get(&**value))
                    .flatten();
                self.unanchored.iter().chain(anchored).find_map(at)
            }
        }
    }

    /// How many grants there are.
    pub fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether there is no grant.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// The memory that the set takes, in bytes, as near as can be told.
    pub fn weight_bytes(&self) -> usize {
        /// A pair costs its two texts and its place in a tree.
        const PAIR_OVERHEAD_BYTES: usize = 96;
        let of_pairs = |context: &Option<EncryptionContext>| -> usize {
            let pairs = context.iter().flat_map(|context| context.iter());
            pairs.map(|(key, value)| key.len() + value.len() + PAIR_OVERHEAD_BYTES).sum()
        };
        let of_grant = |grant: &Grant| {
            let GrantPermissions { operations, constraints } = &grant.permissions;
            let pairs = of_pairs(&constraints.encryption_context_equals)
                + of_pairs(&constraints.encryption_context_subset);
            // The pairs again for the index, at most.
            size_of::<Grant>() + size_of_val(&**operations) + 2 * pairs
        };
        size_of::<GrantSet>() + self.grants.iter().map(of_grant).sum::<usize>()
    }
}

impl Principal {
    /// The names by which a grant may be the caller's: its own, that of the role or user behind a
    /// session, and its account's.
    pub fn grantee_names(&self) -> impl Iterator<Item = Box<str>> {
        let issuer = match &self.kind {
            PrincipalKind::RoleSession { role_arn } => Some(role_arn.clone()),
            PrincipalKind::FederatedUser { user_arn } => user_arn.clone(),
            PrincipalKind::Root
            | PrincipalKind::User
            | PrincipalKind::Service { .. }
            | PrincipalKind::WebIdentity { .. } => None,
        };
        let account = match &self.kind {
            PrincipalKind::User
            | PrincipalKind::RoleSession { .. }
            | PrincipalKind::FederatedUser { .. } => {
                let partition = self.arn.split(':').nth(1).unwrap_or_default();
                Some(format!("arn:{partition}:iam::{}:root", self.account).into_boxed_str())
            }
            PrincipalKind::Root
            | PrincipalKind::Service { .. }
            | PrincipalKind::WebIdentity { .. } => None,
        };
        [Some(self.arn.clone()), issuer, account].into_iter().flatten()
    }
}

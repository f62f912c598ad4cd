//! CreateGrant: what a grant may be, and that it is made once.

use std::sync::Arc;

use serde::Serialize;
use store::{GrantRow, Transaction};
use wire::enums::{GrantOperation, KeySpec, KeyUsage};
use wire::error_codes::ErrorCode;
use wire::kms::grants::{CreateGrantRequest, CreateGrantResponse};
use wire::names::{GrantId, KeyArn};
use wire::shape::required;
use wire::values::EncryptionContext;

use super::super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, GrantFacts};
use crate::grant_tokens::NamedGrant;
use crate::grantee_grants::operations_asked;
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{GrantToMake, MadeFor, Target};
use crate::trail::Done;

/// How many grants a key may have (AWS: resource quotas).
pub(crate) const GRANTS_FOR_A_KEY_MAX: u64 = 50_000;
/// How many pairs a constraint may have (API reference, CreateGrant).
const CONSTRAINT_PAIRS_MAX: usize = 8;
/// How many characters the value of such a pair may have (the same).
const CONSTRAINT_VALUE_CHARS_MAX: usize = 384;

/// Gives a principal permissions on a key.
pub(crate) struct CreateGrant;

impl Operation for CreateGrant {
    type Request = CreateGrantRequest;
    type Target = GrantToMake;
    type Response = CreateGrantResponse;
    const SPEC: Spec = Spec {
        name: "CreateGrant",
        actions: &["kms:CreateGrant"],
        request_quota: RequestQuota::Own(50),
        key_state: KeyStateRule::Grantable,
        cross_account: true,
        unrecorded: &["GrantTokens"],
        records_answer: true,
        ..DEFAULT
    };

    fn check(request: &CreateGrantRequest) -> Result<(), ServiceError> {
        check_principals(request)?;
        if request.operations.iter().flatten().next().is_none() {
            return Err(ServiceError::validation("At least one operation must be specified."));
        }
        let constraints = request.constraints.as_ref();
        let equals = constraints.and_then(|given| given.encryption_context_equals.as_ref());
        let subset = constraints.and_then(|given| given.encryption_context_subset.as_ref());
        equals.into_iter().chain(subset).try_for_each(check_pairs)
    }

    fn names(
        request: &CreateGrantRequest,
    ) -> Result<<GrantToMake as Target>::Names<'_>, ServiceError> {
        let CreateGrantRequest {
            grantee_principal,
            retiring_principal,
            grantee_service_principal,
            retiring_service_principal,
            ..
        } = request;
        let made_for = MadeFor {
            arns: [grantee_principal.as_deref(), retiring_principal.as_deref()],
            services: [grantee_service_principal.as_deref(), retiring_service_principal.as_deref()],
        };
        Ok((required(&request.key_id)?, made_for))
    }

    fn facts(request: &CreateGrantRequest) -> Facts<'_> {
        let constraints = request.constraints.as_ref();
        let context = constraints.and_then(|given| {
            let subset = given.encryption_context_subset.as_ref();
            given.encryption_context_equals.as_ref().or(subset)
        });
        Facts {
            encryption_contexts: [context, None],
            grant: GrantFacts { asked: Some(request), is_for_aws_resource: Some(false) },
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    fn suits(request: &CreateGrantRequest, target: &GrantToMake) -> Result<(), ServiceError> {
        if let Some(principal) = &target.unknown_principal {
            return Err(ServiceError::invalid_principal(principal));
        }
        let key = &target.key.key;
        for operation in operations_asked(request) {
            if !suits(operation, key.key().key_spec, key.key().key_usage) {
                return Err(ServiceError::validation(format!(
                    "Operation {operation} is not supported by key {}.",
                    key.arn_text()
                )));
            }
        }
        let constrains_context = request.constraints.as_ref().is_some_and(|constraints| {
            constraints.encryption_context_equals.is_some()
                || constraints.encryption_context_subset.is_some()
        });
        match constrains_context && key.key().key_spec != KeySpec::SymmetricDefault {
            true => Err(ServiceError::validation(
                "EncryptionContext constraints are supported for symmetric encryption keys only.",
            )),
            false => Ok(()),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<GrantToMake>,
        request: &CreateGrantRequest,
    ) -> Result<Done<CreateGrantResponse>, ServiceError> {
        let key = Arc::clone(&target.key.key);
        let row = row(context, &key, request)?;
        let (parent, key_id, named) = (target.grant(), key.arn(), target.named.clone());
        let done = context
            .change(Vec::new(), move |transaction| {
                Context::same_key(transaction, &key)?;
                named.refuse_gone(transaction)?;
                if let Some(parent) = parent
                    && transaction.grant(row.region, row.key_id, parent)?.is_none()
                {
                    // What allowed the caller has been taken back since; it is checked again.
                    return Err(ServiceError::superseded());
                }
                let grant_id = find_or_add(transaction, &row)?;
                Ok(CreatedGrant { grant_id, key_id })
            })
            .await?;
        let named = NamedGrant { key: key_id, grant_id: done.response.grant_id };
        let grant_token = named.token(context.host(), context.now())?;
        Ok(Done {
            response: CreateGrantResponse { grant_token, grant_id: named.grant_id },
            committed: done.committed,
            materials: done.materials,
        })
    }
}

/// What the record of CreateGrant tells of its answer; it never has the token.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreatedGrant {
    grant_id: GrantId,
    key_id: KeyArn,
}

/// The rules for grantee and retiring principal (API reference, CreateGrant).
fn check_principals(request: &CreateGrantRequest) -> Result<(), ServiceError> {
    let has_retiring_service = request.retiring_service_principal.is_some();
    if request.retiring_principal.is_some() && has_retiring_service {
        return Err(ServiceError::validation(
            "Only one of RetiringPrincipal and RetiringServicePrincipal can be specified.",
        ));
    }
    match (&request.grantee_principal, &request.grantee_service_principal) {
        (Some(_), None) => Ok(()),
        (None, Some(_)) => {
            let constraints = request.constraints.as_ref();
            let has_source = constraints.is_some_and(|given| given.source_arn.is_some());
            let has_retiring = request.retiring_principal.is_some() || has_retiring_service;
            match has_source && has_retiring {
                true => Ok(()),
                false => Err(ServiceError::validation(
                    "A grant for a service principal needs a SourceArn constraint and a retiring principal.",
                )),
            }
        }
        (Some(_), Some(_)) | (None, None) => Err(ServiceError::validation(
            "Exactly one of GranteePrincipal and GranteeServicePrincipal must be specified.",
        )),
    }
}

/// The bounds of a constraint on the encryption context.
fn check_pairs(pairs: &EncryptionContext) -> Result<(), ServiceError> {
    if pairs.len() > CONSTRAINT_PAIRS_MAX {
        return Err(ServiceError::validation(format!(
            "A constraint must not have more than {CONSTRAINT_PAIRS_MAX} encryption context pairs."
        )));
    }
    match pairs.values().any(|value| value.chars().count() > CONSTRAINT_VALUE_CHARS_MAX) {
        true => Err(ServiceError::validation(format!(
            "The encryption context value in a constraint must not have more than {CONSTRAINT_VALUE_CHARS_MAX} characters."
        ))),
        false => Ok(()),
    }
}

/// Whether keys of a kind can do what a grant operation is for.
fn suits(operation: GrantOperation, spec: KeySpec, usage: KeyUsage) -> bool {
    let is_symmetric = spec == KeySpec::SymmetricDefault;
    match operation {
        GrantOperation::CreateGrant | GrantOperation::RetireGrant | GrantOperation::DescribeKey => {
            true
        }
        GrantOperation::Decrypt
        | GrantOperation::Encrypt
        | GrantOperation::ReEncryptFrom
        | GrantOperation::ReEncryptTo => usage == KeyUsage::EncryptDecrypt,
        GrantOperation::GenerateDataKey
        | GrantOperation::GenerateDataKeyWithoutPlaintext
        | GrantOperation::GenerateDataKeyPair
        | GrantOperation::GenerateDataKeyPairWithoutPlaintext => is_symmetric,
        GrantOperation::Sign | GrantOperation::Verify => usage == KeyUsage::SignVerify,
        GrantOperation::GetPublicKey => !is_symmetric && usage != KeyUsage::GenerateVerifyMac,
        GrantOperation::GenerateMac | GrantOperation::VerifyMac => {
            usage == KeyUsage::GenerateVerifyMac
        }
        GrantOperation::DeriveSharedSecret => usage == KeyUsage::KeyAgreement,
        GrantOperation::Encapsulate | GrantOperation::Decapsulate => {
            usage == KeyUsage::EncapsulateDecapsulate
        }
    }
}

/// The grant that is asked for, under a fresh id.
fn row(
    context: &Context<'_>,
    key: &KeySnapshot,
    request: &CreateGrantRequest,
) -> Result<GrantRow, ServiceError> {
    let mut grant_id = [0; 32];
    context.host().rng.fill(&mut grant_id)?;
    let grantee = match &request.grantee_principal {
        Some(arn) => arn,
        None => required(&request.grantee_service_principal)?,
    };
    let retiring = request.retiring_principal.as_ref();
    let constraints = match &request.constraints {
        Some(constraints) => serde_json::to_string(constraints).map_err(ServiceError::internal)?,
        None => String::new(),
    };
    Ok(GrantRow {
        region: key.key().region,
        key_id: key.key_id(),
        grant_id: GrantId::from_bytes(grant_id),
        grantee: grantee.clone(),
        retiring: retiring.or(request.retiring_service_principal.as_ref()).cloned(),
        issuing_account: context.call().account(),
        name: request.name.clone().unwrap_or_default(),
        operations: operations_asked(request),
        constraints,
        created: context.now(),
    })
}

/// Adds a grant, unless the key has one of the same name that says the same.
fn find_or_add(transaction: &mut Transaction<'_>, row: &GrantRow) -> Result<GrantId, ServiceError> {
    if !row.name.is_empty() {
        let named = transaction.grants_named(row.region, row.key_id, &row.name)?;
        if let Some(same) = named.iter().find(|other| says_the_same(other, row)) {
            return Ok(same.grant_id);
        }
    }
    if transaction.count_grants(row.region, row.key_id)? >= GRANTS_FOR_A_KEY_MAX {
        return Err(ServiceError::new(
            ErrorCode::LimitExceededException,
            format!("The key has the most grants that a key may have: {GRANTS_FOR_A_KEY_MAX}."),
        ));
    }
    transaction.add_grant(row)?;
    Ok(row.grant_id)
}

/// Whether two grants differ in nothing but their id and age. The order of operations says nothing.
fn says_the_same(one: &GrantRow, other: &GrantRow) -> bool {
    one.grantee == other.grantee
        && one.retiring == other.retiring
        && one.issuing_account == other.issuing_account
        && one.constraints == other.constraints
        && one.operations.len() == other.operations.len()
        && one.operations.iter().all(|operation| other.operations.contains(operation))
}

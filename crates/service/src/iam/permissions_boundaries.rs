//! PutUserPermissionsBoundary, DeleteUserPermissionsBoundary, PutRolePermissionsBoundary,
//! DeleteRolePermissionsBoundary.

use std::sync::Arc;

use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::permissions_boundaries::{
    DeleteRolePermissionsBoundaryRequest, DeleteUserPermissionsBoundaryRequest,
    PutRolePermissionsBoundaryRequest, PutUserPermissionsBoundaryRequest,
};
use wire::shape::required;

use super::target::{IdentityName, OneIdentity, attachable};
use super::{DEFAULT, change};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, IamFacts};
use crate::identities::Identity;
use crate::operation::{Operation, Spec};
use crate::target::Target;
use crate::trail::Done;

/// Bounds what a user may do by a managed policy.
pub(crate) struct PutUserPermissionsBoundary;

impl Operation for PutUserPermissionsBoundary {
    type Request = PutUserPermissionsBoundaryRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "PutUserPermissionsBoundary",
        actions: &["iam:PutUserPermissionsBoundary"],
        ..DEFAULT
    };

    fn names(
        request: &PutUserPermissionsBoundaryRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::User, required(&request.user_name)?))
    }

    fn facts(request: &PutUserPermissionsBoundaryRequest) -> Facts<'_> {
        facts(request.permissions_boundary.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &PutUserPermissionsBoundaryRequest,
    ) -> Result<Done<()>, ServiceError> {
        put(context, target.changeable()?, required(&request.permissions_boundary)?).await
    }
}

/// Takes the boundary from a user.
pub(crate) struct DeleteUserPermissionsBoundary;

impl Operation for DeleteUserPermissionsBoundary {
    type Request = DeleteUserPermissionsBoundaryRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DeleteUserPermissionsBoundary",
        actions: &["iam:DeleteUserPermissionsBoundary"],
        ..DEFAULT
    };

    fn names(
        request: &DeleteUserPermissionsBoundaryRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::User, required(&request.user_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteUserPermissionsBoundaryRequest,
    ) -> Result<Done<()>, ServiceError> {
        delete(context, target.changeable()?).await
    }
}

/// Bounds what a role may do by a managed policy.
pub(crate) struct PutRolePermissionsBoundary;

impl Operation for PutRolePermissionsBoundary {
    type Request = PutRolePermissionsBoundaryRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "PutRolePermissionsBoundary",
        actions: &["iam:PutRolePermissionsBoundary"],
        ..DEFAULT
    };

    fn names(
        request: &PutRolePermissionsBoundaryRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    fn facts(request: &PutRolePermissionsBoundaryRequest) -> Facts<'_> {
        facts(request.permissions_boundary.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        request: &PutRolePermissionsBoundaryRequest,
    ) -> Result<Done<()>, ServiceError> {
        put(context, target.changeable()?, required(&request.permissions_boundary)?).await
    }
}

/// Takes the boundary from a role.
pub(crate) struct DeleteRolePermissionsBoundary;

impl Operation for DeleteRolePermissionsBoundary {
    type Request = DeleteRolePermissionsBoundaryRequest;
    type Target = OneIdentity;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DeleteRolePermissionsBoundary",
        actions: &["iam:DeleteRolePermissionsBoundary"],
        ..DEFAULT
    };

    fn names(
        request: &DeleteRolePermissionsBoundaryRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &DeleteRolePermissionsBoundaryRequest,
    ) -> Result<Done<()>, ServiceError> {
        delete(context, target.changeable()?).await
    }
}

fn facts(permissions_boundary: Option<&str>) -> Facts<'_> {
    Facts { iam: IamFacts { permissions_boundary, ..IamFacts::default() }, ..Facts::default() }
}

async fn put(
    context: &Context<'_>,
    identity: &Arc<Identity>,
    policy_arn: &str,
) -> Result<Done<()>, ServiceError> {
    let boundary = attachable(context, context.call().account(), policy_arn)?;
    change(context, identity, move |record, transaction| {
        boundary.refuse_gone(transaction)?;
        record.identity.permissions_boundary = Some(boundary.stored_arn);
        Ok(())
    })
    .await
}

async fn delete(context: &Context<'_>, identity: &Arc<Identity>) -> Result<Done<()>, ServiceError> {
    if identity.row().permissions_boundary.is_none() {
        let (kind, name) = (identity.kind().as_str(), identity.name());
        return Err(ServiceError::new(
            ErrorCode::NoSuchEntity,
            format!("The {kind} {name} does not have a permissions boundary."),
        ));
    }
    change(context, identity, |record, _| {
        record.identity.permissions_boundary = None;
        Ok(())
    })
    .await
}

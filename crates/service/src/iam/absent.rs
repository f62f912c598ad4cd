//! What users and roles never have here, and what clients ask for before they delete them: GetLoginProfile,
//! ListMFADevices, ListSigningCertificates, ListSSHPublicKeys, ListServiceSpecificCredentials,
//! ListInstanceProfilesForRole; and of accounts, GetAccountPasswordPolicy.
//!
//! There is no console to sign in to, and no service that would take certificates or SSH keys. So the lists are empty, and
//! nothing that would fill them is built.

use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::instance_profiles::{
    ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
};
use wire::iam::password_policies::{
    GetAccountPasswordPolicyRequest, GetAccountPasswordPolicyResponse,
};
use wire::iam::user_credentials::{
    GetLoginProfileRequest, GetLoginProfileResponse, ListMFADevicesRequest, ListMFADevicesResponse,
    ListSSHPublicKeysRequest, ListSSHPublicKeysResponse, ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse, ListSigningCertificatesRequest,
    ListSigningCertificatesResponse,
};
use wire::shape::required;

use super::READING;
use super::target::{IdentityName, OneIdentity};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::{NoTarget, Target};
use crate::trail::Done;

/// A list of what nobody has.
macro_rules! empty_list {
    ($doc:literal, $name:ident($request:ident) -> $response:ident { $items:ident }, $action:literal, $identity:expr) => {
        #[doc = $doc]
        pub(crate) struct $name;

        impl Operation for $name {
            type Request = $request;
            type Target = OneIdentity;
            type Response = $response;
            const SPEC: Spec = Spec { name: stringify!($name), actions: &[$action], ..READING };

            fn names(
                request: &$request,
            ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
                let name: fn(&$request) -> Result<IdentityName<'_>, ServiceError> = $identity;
                name(request)
            }

            async fn handle(
                _context: &Context<'_>,
                target: Authorized<OneIdentity>,
                _request: &$request,
            ) -> Result<Done<$response>, ServiceError> {
                target.existing()?;
                Ok(Done::read($response { $items: Vec::new(), is_truncated: false, marker: None }))
            }
        }
    };
}

empty_list!(
    "Lists the MFA devices of a user.",
    ListMFADevices(ListMFADevicesRequest) -> ListMFADevicesResponse { mfa_devices },
    "iam:ListMFADevices",
    |request| Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
);
empty_list!(
    "Lists the signing certificates of a user.",
    ListSigningCertificates(ListSigningCertificatesRequest)
        -> ListSigningCertificatesResponse { certificates },
    "iam:ListSigningCertificates",
    |request| Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
);
empty_list!(
    "Lists the SSH keys of a user.",
    ListSSHPublicKeys(ListSSHPublicKeysRequest) -> ListSSHPublicKeysResponse { ssh_public_keys },
    "iam:ListSSHPublicKeys",
    |request| Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
);
empty_list!(
    "Lists the credentials of a user for single services.",
    ListServiceSpecificCredentials(ListServiceSpecificCredentialsRequest)
        -> ListServiceSpecificCredentialsResponse { service_specific_credentials },
    "iam:ListServiceSpecificCredentials",
    |request| Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
);
empty_list!(
    "Lists the instance profiles with a role.",
    ListInstanceProfilesForRole(ListInstanceProfilesForRoleRequest)
        -> ListInstanceProfilesForRoleResponse { instance_profiles },
    "iam:ListInstanceProfilesForRole",
    |request| Ok(IdentityName::existing(IdentityKind::Role, required(&request.role_name)?))
);

/// Tells of a user's password, which nobody has.
pub(crate) struct GetLoginProfile;

impl Operation for GetLoginProfile {
    type Request = GetLoginProfileRequest;
    type Target = OneIdentity;
    type Response = GetLoginProfileResponse;
    const SPEC: Spec =
        Spec { name: "GetLoginProfile", actions: &["iam:GetLoginProfile"], ..READING };

    fn names(
        request: &GetLoginProfileRequest,
    ) -> Result<<OneIdentity as Target>::Names<'_>, ServiceError> {
        Ok(IdentityName::user_or_caller(request.user_name.as_deref()))
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OneIdentity>,
        _request: &GetLoginProfileRequest,
    ) -> Result<Done<GetLoginProfileResponse>, ServiceError> {
        let name = target.existing()?.name();
        Err(ServiceError::new(
            ErrorCode::NoSuchEntity,
            format!("Login Profile for User {name} cannot be found."),
        ))
    }
}

/// Tells of the rules for passwords, which no account has.
pub(crate) struct GetAccountPasswordPolicy;

impl Operation for GetAccountPasswordPolicy {
    type Request = GetAccountPasswordPolicyRequest;
    type Target = NoTarget;
    type Response = GetAccountPasswordPolicyResponse;
    const SPEC: Spec = Spec {
        name: "GetAccountPasswordPolicy",
        actions: &["iam:GetAccountPasswordPolicy"],
        ..READING
    };

    fn names(_request: &GetAccountPasswordPolicyRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        _request: &GetAccountPasswordPolicyRequest,
    ) -> Result<Done<GetAccountPasswordPolicyResponse>, ServiceError> {
        let account = context.call().account();
        Err(ServiceError::new(
            ErrorCode::NoSuchEntity,
            format!("The Password Policy with domain name {account} cannot be found."),
        ))
    }
}

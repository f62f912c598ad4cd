//! What users and roles never have here, and what clients ask for before they make or delete them: GetLoginProfile,
//! ListMFADevices, ListSigningCertificates, ListSSHPublicKeys, ListServiceSpecificCredentials, GetInstanceProfile,
//! ListInstanceProfilesForRole; and of accounts, ListInstanceProfiles and GetAccountPasswordPolicy.
//!
//! There is no console to sign in to, no service that would take certificates or SSH keys, and no machine to pass a role
//! to. So the lists are empty, and nothing that would fill them is built.

use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::instance_profiles::{
    GetInstanceProfileRequest, GetInstanceProfileResponse, ListInstanceProfilesForRoleRequest,
    ListInstanceProfilesForRoleResponse, ListInstanceProfilesRequest, ListInstanceProfilesResponse,
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
use crate::target::{ASKS_MAX, Ask, Lookup, NoTarget, Target};
use crate::trail::{Done, Resource};

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

/// Instance profiles, by the path and the name with which their ARNs end.
pub(crate) struct InstanceProfiles(String);

impl Target for InstanceProfiles {
    type Names<'r> = (&'r str, &'r str);

    async fn resolve(
        lookup: &Lookup<'_>,
        (path, name): Self::Names<'_>,
    ) -> Result<InstanceProfiles, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let partition = partition.as_str();
        Ok(InstanceProfiles(format!("arn:{partition}:iam::{account}:instance-profile{path}{name}")))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.0, identity: None }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// Tells of an instance profile, of which there is none.
pub(crate) struct GetInstanceProfile;

impl Operation for GetInstanceProfile {
    type Request = GetInstanceProfileRequest;
    type Target = InstanceProfiles;
    type Response = GetInstanceProfileResponse;
    const SPEC: Spec =
        Spec { name: "GetInstanceProfile", actions: &["iam:GetInstanceProfile"], ..READING };

    fn names(request: &GetInstanceProfileRequest) -> Result<(&str, &str), ServiceError> {
        Ok(("/", required(&request.instance_profile_name)?))
    }

    async fn handle(
        _context: &Context<'_>,
        _target: Authorized<InstanceProfiles>,
        request: &GetInstanceProfileRequest,
    ) -> Result<Done<GetInstanceProfileResponse>, ServiceError> {
        let name = required(&request.instance_profile_name)?;
        Err(ServiceError::new(
            ErrorCode::NoSuchEntity,
            format!("Instance Profile {name} cannot be found."),
        ))
    }
}

/// Lists the instance profiles below a path.
pub(crate) struct ListInstanceProfiles;

impl Operation for ListInstanceProfiles {
    type Request = ListInstanceProfilesRequest;
    type Target = InstanceProfiles;
    type Response = ListInstanceProfilesResponse;
    const SPEC: Spec =
        Spec { name: "ListInstanceProfiles", actions: &["iam:ListInstanceProfiles"], ..READING };

    fn names(request: &ListInstanceProfilesRequest) -> Result<(&str, &str), ServiceError> {
        Ok((request.path_prefix.as_deref().unwrap_or("/"), ""))
    }

    async fn handle(
        _context: &Context<'_>,
        _target: Authorized<InstanceProfiles>,
        _request: &ListInstanceProfilesRequest,
    ) -> Result<Done<ListInstanceProfilesResponse>, ServiceError> {
        Ok(Done::read(ListInstanceProfilesResponse {
            instance_profiles: Vec::new(),
            is_truncated: false,
            marker: None,
        }))
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

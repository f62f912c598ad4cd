//! The enumerations of IAM that are built here, with all their values.

use std::fmt;

use crate::enums::{UnknownValue, WireEnum, wire_enum};

wire_enum! {
    /// Whether a credential can be used.
    Status = "statusType" {
        Active = "Active",
        Inactive = "Inactive",
        Expired = "Expired",
    }

    /// What a permissions boundary is made of.
    PermissionsBoundaryAttachmentType = "PermissionsBoundaryAttachmentType" {
        PermissionsBoundaryPolicy = "PermissionsBoundaryPolicy",
    }

    /// Whose managed policies are meant.
    PolicyScope = "policyScopeType" {
        All = "All",
        Aws = "AWS",
        Local = "Local",
    }

    /// What a managed policy is used for.
    PolicyUsage = "PolicyUsageType" {
        PermissionsPolicy = "PermissionsPolicy",
        PermissionsBoundary = "PermissionsBoundary",
    }

    /// A kind of entity.
    EntityType = "EntityType" {
        User = "User",
        Role = "Role",
        Group = "Group",
        LocalManagedPolicy = "LocalManagedPolicy",
        AwsManagedPolicy = "AWSManagedPolicy",
    }

    /// A kind of policy that a simulation can leave out.
    PolicyIdentifierPolicyType = "PolicyIdentifierPolicyType" {
        Inline = "inline",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        PermissionBoundary = "permission-boundary",
        Scp = "scp",
        Rcp = "rcp",
    }

    /// A kind of identity that an inline policy belongs to.
    AttachmentType = "AttachmentType" {
        User = "user",
        Group = "group",
        Role = "role",
    }

    /// The type of a condition key's values.
    ContextKeyType = "ContextKeyTypeEnum" {
        String = "string",
        StringList = "stringList",
        Numeric = "numeric",
        NumericList = "numericList",
        Boolean = "boolean",
        BooleanList = "booleanList",
        Ip = "ip",
        IpList = "ipList",
        Binary = "binary",
        BinaryList = "binaryList",
        Date = "date",
        DateList = "dateList",
    }

    /// The outcome of a decision.
    PolicyEvaluationDecision = "PolicyEvaluationDecisionType" {
        Allowed = "allowed",
        ExplicitDeny = "explicitDeny",
        ImplicitDeny = "implicitDeny",
    }

    /// Where a deciding statement stands.
    PolicySource = "PolicySourceType" {
        User = "user",
        Group = "group",
        Role = "role",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        Resource = "resource",
        None = "none",
    }

    /// How far the deletion of a service-linked role is.
    DeletionTaskStatus = "DeletionTaskStatusType" {
        Succeeded = "SUCCEEDED",
        InProgress = "IN_PROGRESS",
        Failed = "FAILED",
        NotStarted = "NOT_STARTED",
    }

    /// A number that GetAccountSummary tells.
    SummaryKey = "summaryKeyType" {
        Users = "Users",
        UsersQuota = "UsersQuota",
        Groups = "Groups",
        GroupsQuota = "GroupsQuota",
        ServerCertificates = "ServerCertificates",
        ServerCertificatesQuota = "ServerCertificatesQuota",
        UserPolicySizeQuota = "UserPolicySizeQuota",
        GroupPolicySizeQuota = "GroupPolicySizeQuota",
        GroupsPerUserQuota = "GroupsPerUserQuota",
        SigningCertificatesPerUserQuota = "SigningCertificatesPerUserQuota",
        AccessKeysPerUserQuota = "AccessKeysPerUserQuota",
        MfaDevices = "MFADevices",
        MfaDevicesInUse = "MFADevicesInUse",
        AccountMfaEnabled = "AccountMFAEnabled",
        AccountAccessKeysPresent = "AccountAccessKeysPresent",
        AccountPasswordPresent = "AccountPasswordPresent",
        AccountSigningCertificatesPresent = "AccountSigningCertificatesPresent",
        AttachedPoliciesPerGroupQuota = "AttachedPoliciesPerGroupQuota",
        AttachedPoliciesPerRoleQuota = "AttachedPoliciesPerRoleQuota",
        AttachedPoliciesPerUserQuota = "AttachedPoliciesPerUserQuota",
        Policies = "Policies",
        PoliciesQuota = "PoliciesQuota",
        PolicySizeQuota = "PolicySizeQuota",
        PolicyVersionsInUse = "PolicyVersionsInUse",
        PolicyVersionsInUseQuota = "PolicyVersionsInUseQuota",
        VersionsPerPolicyQuota = "VersionsPerPolicyQuota",
        GlobalEndpointTokenVersion = "GlobalEndpointTokenVersion",
        AssumeRolePolicySizeQuota = "AssumeRolePolicySizeQuota",
        InstanceProfiles = "InstanceProfiles",
        InstanceProfilesQuota = "InstanceProfilesQuota",
        Providers = "Providers",
        RolePolicySizeQuota = "RolePolicySizeQuota",
        Roles = "Roles",
        RolesQuota = "RolesQuota",
    }
}

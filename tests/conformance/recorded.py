"""What CloudTrail's record of each operation holds, when the call succeeded.

Of KMS from the examples in its developer guide ("AWS KMS log entries"), of the others from the user guides of their services
("Logging IAM and AWS STS API calls with AWS CloudTrail", "CloudTrail record contents"). Where those tell nothing, as AWS records
operations of the same kind; docs/divergences.md tells which.
"""

from dataclasses import dataclass, field

KEY, ALIAS, ROLE = "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::IAM::Role"


@dataclass(frozen=True)
class Row:
    """The facts of one operation; members of requests by their names on the wire, of records as CloudTrail writes them."""

    # Members of the request that are recorded if they are given.
    asked: str = ""
    # Members that never are. Both together are all that the model has.
    hidden: str = ""
    # What is recorded besides, although it was not given.
    filled: dict = field(default_factory=dict)
    # The members of `responseElements`; null when there are none.
    answered: str = ""
    # The types of `resources`, in their order.
    about: tuple = ()
    # The members of `additionalEventData`; absent when there are none.
    more: str = ""
    read_only: bool = False
    # The error with which every call ends, since nobody ever has what it asks for.
    error: str = ""


def use(asked="", hidden="", about=(KEY,), **facts):
    """An operation with a key, that changes nothing; grant tokens are never recorded."""
    return Row(f"KeyId DryRun {asked}", f"GrantTokens {hidden}", about=about, read_only=True, **facts)


def read(asked="", about=(), **facts):
    """An operation that only tells."""
    return Row(asked, about=about, read_only=True, **facts)


def change(asked, about=(), **facts):
    """An operation that changes something."""
    return Row(asked, about=about, **facts)


SYMMETRIC = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
RAW = {"messageType": "RAW"}
PAGE = "Limit Marker"
DATA_KEY = "KeySpec NumberOfBytes EncryptionContext"
MATERIAL = "keyMaterialId"

KMS = {
    "CancelKeyDeletion": change("KeyId", (KEY,), answered="keyId"),
    "CreateAlias": change("AliasName TargetKeyId", (KEY, ALIAS), answered="keyId"),
    "CreateGrant": change(
        "KeyId GranteePrincipal RetiringPrincipal Operations Constraints Name DryRun GranteeServicePrincipal "
        "RetiringServicePrincipal", (KEY,), hidden="GrantTokens", answered="grantId keyId"),
    "CreateKey": change(
        "Policy Description KeyUsage CustomerMasterKeySpec KeySpec Origin CustomKeyStoreId BypassPolicyLockoutSafetyCheck "
        "Tags MultiRegion XksKeyId", (KEY,), answered="keyMetadata"),
    "Decapsulate": use("EncapsulationAlgorithm", "SharedSecretCiphertextBlob"),
    "Decrypt": use("EncryptionContext EncryptionAlgorithm DryRunModifiers", "CiphertextBlob Recipient", filled=SYMMETRIC,
                   more=MATERIAL),
    "DeleteAlias": change("AliasName", (ALIAS, KEY), answered="keyId"),
    "DeleteImportedKeyMaterial": change("KeyId KeyMaterialId", (KEY,), answered="keyId keyMaterialId"),
    "DeriveSharedSecret": use("KeyAgreementAlgorithm", "PublicKey Recipient"),
    "DescribeKey": read("KeyId", (KEY,), hidden="GrantTokens"),
    "DisableKey": change("KeyId", (KEY,), answered="keyId"),
    "DisableKeyRotation": change("KeyId", (KEY,), answered="keyId"),
    "EnableKey": change("KeyId", (KEY,), answered="keyId"),
    "EnableKeyRotation": change("KeyId RotationPeriodInDays", (KEY,), answered="keyId"),
    "Encapsulate": use("EncapsulationAlgorithm"),
    "Encrypt": use("EncryptionContext EncryptionAlgorithm", "Plaintext", filled=SYMMETRIC, more=MATERIAL),
    "GenerateDataKey": use(DATA_KEY, "Recipient", more=MATERIAL),
    "GenerateDataKeyPair": use("EncryptionContext KeyPairSpec", "Recipient", more=MATERIAL),
    "GenerateDataKeyPairWithoutPlaintext": use("EncryptionContext KeyPairSpec", more=MATERIAL),
    "GenerateDataKeyWithoutPlaintext": use(DATA_KEY, more=MATERIAL),
    "GenerateMac": use("MacAlgorithm", "Message"),
    "GenerateRandom": read("NumberOfBytes CustomKeyStoreId", hidden="Recipient"),
    "GetKeyLastUsage": read("KeyId", (KEY,)),
    "GetKeyPolicy": read("KeyId PolicyName", (KEY,)),
    "GetKeyRotationStatus": read("KeyId", (KEY,)),
    "GetParametersForImport": read("KeyId WrappingAlgorithm WrappingKeySpec", (KEY,)),
    "GetPublicKey": read("KeyId", (KEY,), hidden="GrantTokens"),
    "ImportKeyMaterial": change(
        "KeyId ValidTo ExpirationModel ImportType KeyMaterialDescription KeyMaterialId", (KEY,),
        hidden="ImportToken EncryptedKeyMaterial", answered="keyId keyMaterialId"),
    "ListAliases": read(f"KeyId {PAGE}", (KEY,)),
    "ListGrants": read(f"KeyId GrantId GranteePrincipal GranteeServicePrincipal {PAGE}", (KEY,)),
    "ListKeyPolicies": read(f"KeyId {PAGE}", (KEY,)),
    "ListKeyRotations": read(f"KeyId IncludeKeyMaterial {PAGE}", (KEY,)),
    "ListKeys": read(f"ResourceOwners {PAGE}"),
    "ListResourceTags": read(f"KeyId {PAGE}", (KEY,)),
    "ListRetirableGrants": read(f"RetiringPrincipal RetiringServicePrincipal {PAGE}"),
    "PutKeyPolicy": change("KeyId PolicyName Policy BypassPolicyLockoutSafetyCheck", (KEY,)),
    "ReEncrypt": Row(
        "SourceEncryptionContext SourceKeyId DestinationKeyId DestinationEncryptionContext SourceEncryptionAlgorithm "
        "DestinationEncryptionAlgorithm DryRun DryRunModifiers", "CiphertextBlob GrantTokens",
        filled={"sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT", "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        about=(KEY, KEY), more="sourceKeyMaterialId destinationKeyMaterialId", read_only=True),
    "ReplicateKey": change("KeyId ReplicaRegion Policy BypassPolicyLockoutSafetyCheck Description Tags", (KEY,),
                           answered="replicaKeyMetadata replicaPolicy replicaTags"),
    "RetireGrant": change("KeyId GrantId DryRun", (KEY,), hidden="GrantToken", more="grantId"),
    "RevokeGrant": change("KeyId GrantId DryRun", (KEY,)),
    "RotateKeyOnDemand": change("KeyId", (KEY,), answered="keyId"),
    "ScheduleKeyDeletion": change("KeyId PendingWindowInDays", (KEY,),
                                  answered="keyId deletionDate keyState pendingWindowInDays"),
    "Sign": use("MessageType SigningAlgorithm", "Message", filled=RAW),
    "TagResource": change("KeyId Tags", (KEY,)),
    "UntagResource": change("KeyId TagKeys", (KEY,), answered="keyId"),
    "UpdateAlias": change("AliasName TargetKeyId", (ALIAS, KEY, KEY), answered="keyId"),
    "UpdateKeyDescription": change("KeyId Description", (KEY,)),
    "UpdatePrimaryRegion": change("KeyId PrimaryRegion", (KEY,), answered="keyId"),
    "Verify": use("MessageType SigningAlgorithm", "Message Signature", filled=RAW),
    "VerifyMac": use("MacAlgorithm", "Message Mac"),
}

SESSION = "PolicyArns Policy DurationSeconds MinimumSessionTokenSize"

STS = {
    "AssumeRole": read(
        f"{SESSION} RoleArn RoleSessionName Tags TransitiveTagKeys ExternalId SerialNumber TokenCode SourceIdentity "
        "ProvidedContexts", (ROLE,), answered="credentials assumedRoleUser sourceIdentity"),
    "AssumeRoleWithWebIdentity": read(
        f"{SESSION} RoleArn RoleSessionName ProviderId", (ROLE,), hidden="WebIdentityToken",
        answered="credentials assumedRoleUser subjectFromWebIdentityToken provider audience"),
    "DecodeAuthorizationMessage": read(hidden="EncodedMessage"),
    "GetAccessKeyInfo": read("AccessKeyId"),
    "GetCallerIdentity": read(),
    "GetFederationToken": read(f"{SESSION} Name Tags", answered="credentials federatedUser"),
    "GetSessionToken": read("DurationSeconds SerialNumber TokenCode MinimumSessionTokenSize", answered="credentials"),
}

CLOUDTRAIL = {
    "DescribeTrails": read("trailNameList includeShadowTrails"),
    "GetEventSelectors": read("TrailName"),
    "GetTrail": read("Name"),
    "GetTrailStatus": read("Name"),
    "ListPublicKeys": read("StartTime EndTime NextToken"),
    "ListTrails": read("NextToken"),
    "LookupEvents": read("LookupAttributes StartTime EndTime EventCategory MaxResults NextToken"),
}

ITEMS = "MaxItems Marker"
PROVIDER = "OpenIDConnectProviderArn"
SIMULATION = ("PolicyInputList PermissionsBoundaryPolicyInputList ActionNames ResourceArns ResourcePolicy ResourceOwner "
              f"CallerArn ContextEntries ResourceHandlingOption {ITEMS}")

# IAM tells no `resources`, and of most changes no answer.
IAM = {
    "AddClientIDToOpenIDConnectProvider": change(f"{PROVIDER} ClientID"),
    "AddUserToGroup": change("GroupName UserName"),
    "AttachGroupPolicy": change("GroupName PolicyArn"),
    "AttachRolePolicy": change("RoleName PolicyArn"),
    "AttachUserPolicy": change("UserName PolicyArn"),
    "CreateAccessKey": change("UserName", answered="accessKey"),
    "CreateAccountAlias": change("AccountAlias"),
    "CreateGroup": change("Path GroupName", answered="group"),
    "CreateOpenIDConnectProvider": change(
        "Url ClientIDList ThumbprintList Tags ContextProvider IdentityCenterInstanceArn",
        answered="openIDConnectProviderArn tags"),
    "CreatePolicy": change("PolicyName Path PolicyDocument Description Tags", answered="policy"),
    "CreatePolicyVersion": change("PolicyArn PolicyDocument SetAsDefault", answered="policyVersion"),
    "CreateRole": change(
        "Path RoleName AssumeRolePolicyDocument Description MaxSessionDuration MaxSigninSessionDuration PermissionsBoundary "
        "Tags", answered="role"),
    "CreateServiceLinkedRole": change("AWSServiceName Description CustomSuffix", answered="role"),
    "CreateUser": change("Path UserName PermissionsBoundary Tags", answered="user"),
    "DeleteAccessKey": change("UserName AccessKeyId"),
    "DeleteAccountAlias": change("AccountAlias"),
    "DeleteGroup": change("GroupName"),
    "DeleteGroupPolicy": change("GroupName PolicyName"),
    "DeleteOpenIDConnectProvider": change(PROVIDER),
    "DeletePolicy": change("PolicyArn"),
    "DeletePolicyVersion": change("PolicyArn VersionId"),
    "DeleteRole": change("RoleName"),
    "DeleteRolePermissionsBoundary": change("RoleName"),
    "DeleteRolePolicy": change("RoleName PolicyName"),
    "DeleteServiceLinkedRole": change("RoleName", answered="deletionTaskId"),
    "DeleteUser": change("UserName"),
    "DeleteUserPermissionsBoundary": change("UserName"),
    "DeleteUserPolicy": change("UserName PolicyName"),
    "DetachGroupPolicy": change("GroupName PolicyArn"),
    "DetachRolePolicy": change("RoleName PolicyArn"),
    "DetachUserPolicy": change("UserName PolicyArn"),
    "GetAccessKeyLastUsed": read("AccessKeyId"),
    "GetAccountAuthorizationDetails": read(f"Filter {ITEMS}"),
    "GetAccountPasswordPolicy": read(error="NoSuchEntityException"),
    "GetAccountSummary": read(),
    "GetContextKeysForCustomPolicy": read("PolicyInputList"),
    "GetContextKeysForPrincipalPolicy": read("PolicySourceArn PolicyInputList"),
    "GetGroup": read(f"GroupName {ITEMS}"),
    "GetGroupPolicy": read("GroupName PolicyName"),
    "GetInstanceProfile": read("InstanceProfileName", error="NoSuchEntityException"),
    "GetLoginProfile": read("UserName", error="NoSuchEntityException"),
    "GetOpenIDConnectProvider": read(PROVIDER),
    "GetPolicy": read("PolicyArn"),
    "GetPolicyVersion": read("PolicyArn VersionId"),
    "GetRole": read("RoleName"),
    "GetRolePolicy": read("RoleName PolicyName"),
    "GetServiceLinkedRoleDeletionStatus": read("DeletionTaskId"),
    "GetUser": read("UserName"),
    "GetUserPolicy": read("UserName PolicyName"),
    "ListAccessKeys": read(f"UserName {ITEMS}"),
    "ListAccountAliases": read(ITEMS),
    "ListAttachedGroupPolicies": read(f"GroupName PathPrefix {ITEMS}"),
    "ListAttachedRolePolicies": read(f"RoleName PathPrefix {ITEMS}"),
    "ListAttachedUserPolicies": read(f"UserName PathPrefix {ITEMS}"),
    "ListEntitiesForPolicy": read(f"PolicyArn EntityFilter PathPrefix PolicyUsageFilter {ITEMS}"),
    "ListGroupPolicies": read(f"GroupName {ITEMS}"),
    "ListGroups": read(f"PathPrefix {ITEMS}"),
    "ListGroupsForUser": read(f"UserName {ITEMS}"),
    "ListInstanceProfiles": read(f"PathPrefix {ITEMS}"),
    "ListInstanceProfilesForRole": read(f"RoleName {ITEMS}"),
    "ListMFADevices": read(f"UserName {ITEMS}"),
    "ListOpenIDConnectProviderTags": read(f"{PROVIDER} {ITEMS}"),
    "ListOpenIDConnectProviders": read(),
    "ListPolicies": read(f"Scope OnlyAttached PathPrefix PolicyUsageFilter {ITEMS}"),
    "ListPolicyTags": read(f"PolicyArn {ITEMS}"),
    "ListPolicyVersions": read(f"PolicyArn {ITEMS}"),
    "ListRolePolicies": read(f"RoleName {ITEMS}"),
    "ListRoleTags": read(f"RoleName {ITEMS}"),
    "ListRoles": read(f"PathPrefix {ITEMS}"),
    "ListSSHPublicKeys": read(f"UserName {ITEMS}"),
    "ListServiceSpecificCredentials": read(f"UserName ServiceName AllUsers {ITEMS}"),
    "ListSigningCertificates": read(f"UserName {ITEMS}"),
    "ListUserPolicies": read(f"UserName {ITEMS}"),
    "ListUserTags": read(f"UserName {ITEMS}"),
    "ListUsers": read(f"PathPrefix {ITEMS}"),
    "PutGroupPolicy": change("GroupName PolicyName PolicyDocument"),
    "PutRolePermissionsBoundary": change("RoleName PermissionsBoundary"),
    "PutRolePolicy": change("RoleName PolicyName PolicyDocument"),
    "PutUserPermissionsBoundary": change("UserName PermissionsBoundary"),
    "PutUserPolicy": change("UserName PolicyName PolicyDocument"),
    "RemoveClientIDFromOpenIDConnectProvider": change(f"{PROVIDER} ClientID"),
    "RemoveUserFromGroup": change("GroupName UserName"),
    "SetDefaultPolicyVersion": change("PolicyArn VersionId"),
    "SimulateCustomPolicy": read(f"{SIMULATION} OrderedOrganizationPolicyInputList"),
    "SimulatePrincipalPolicy": read(f"{SIMULATION} PolicySourceArn PolicyExclusionList"),
    "TagOpenIDConnectProvider": change(f"{PROVIDER} Tags"),
    "TagPolicy": change("PolicyArn Tags"),
    "TagRole": change("RoleName Tags"),
    "TagUser": change("UserName Tags"),
    "UntagOpenIDConnectProvider": change(f"{PROVIDER} TagKeys"),
    "UntagPolicy": change("PolicyArn TagKeys"),
    "UntagRole": change("RoleName TagKeys"),
    "UntagUser": change("UserName TagKeys"),
    "UpdateAccessKey": change("UserName AccessKeyId Status"),
    "UpdateAssumeRolePolicy": change("RoleName PolicyDocument"),
    "UpdateGroup": change("GroupName NewPath NewGroupName"),
    "UpdateOpenIDConnectProviderThumbprint": change(f"{PROVIDER} ThumbprintList"),
    "UpdateRole": change("RoleName Description MaxSessionDuration MaxSigninSessionDuration ResetMaxSigninSessionDuration"),
    "UpdateRoleDescription": change("RoleName Description", answered="role"),
    "UpdateUser": change("UserName NewPath NewUserName"),
}

ROWS = {"kms": KMS, "iam": IAM, "sts": STS, "cloudtrail": CLOUDTRAIL}

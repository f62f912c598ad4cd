"""A successful call of every operation, for the tests of what is recorded of it."""

import json
from datetime import datetime, timedelta, timezone

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import outside
from conftest import CONFIG, client_of, policy, root_of, statement
from identities import User, allow, document, session_client, unique
from importing import ImportedKey, material_of, wrap
from keystead import ACCOUNT, REGION
from related import REPLICA
from test_sts_authorization_messages import MARK
from timed import eventually

TAGS = [{"Key": "team", "Value": "one"}]
KEY_TAGS = [{"TagKey": "team", "TagValue": "one"}]
CONTEXT = {"purpose": "record"}
BOUNDARY = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser"
NOTHING = {"Statement": [allow("kms:Encrypt")]}


class Calls:
    """What was called with which parameters, and what was answered, by service and operation; the last one counts."""

    def __init__(self, server, issuer):
        self.server, self.issuer = server, issuer
        self.made = {}
        self.clients = {}

    def client(self, service, region=REGION):
        """The root user's client."""
        place = service, region
        if place not in self.clients:
            self.clients[place] = client_of(self.server, self.server.root_credentials(), service, region)
        return self.clients[place]

    def call(self, service, operation, /, client=None, **parameters):
        """Calls an operation by its name in the model."""
        client = client or self.client(service)
        methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
        answer = getattr(client, methods[operation])(**parameters)
        self.made[service, operation] = parameters, answer
        return answer

    def all(self):
        """Calls everything."""
        self.keys()
        self.uses()
        self.imports()
        self.regions()
        self.users()
        self.groups_and_roles()
        self.policies()
        self.absent()
        self.providers_and_sessions()
        self.trail()
        return self.made

    def kms(self, operation, **parameters):
        """Calls an operation of KMS."""
        return self.call("kms", operation, **parameters)

    def iam(self, operation, **parameters):
        """Calls an operation of IAM."""
        return self.call("iam", operation, **parameters)

    def keys(self):
        """Keys, aliases, tags, policies, grants."""
        key_policy = policy(statement(root_of(ACCOUNT)))
        key = self.kms("CreateKey", Policy=key_policy, Description="recorded", KeyUsage="ENCRYPT_DECRYPT",
                       KeySpec="SYMMETRIC_DEFAULT", Origin="AWS_KMS", BypassPolicyLockoutSafetyCheck=True,
                       Tags=KEY_TAGS, MultiRegion=False)["KeyMetadata"]
        named = {"KeyId": key["KeyId"]}
        other = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        alias = f"alias/{unique()}"
        self.kms("CreateAlias", AliasName=alias, TargetKeyId=key["KeyId"])
        self.kms("UpdateAlias", AliasName=alias, TargetKeyId=other)
        self.kms("ListAliases", KeyId=other, Limit=7)
        self.kms("DeleteAlias", AliasName=alias)
        for name in ("DescribeKey", "GetKeyLastUsage", "GetKeyRotationStatus", "DisableKey", "EnableKey"):
            self.kms(name, **named)
        self.kms("EnableKeyRotation", RotationPeriodInDays=100, **named)
        self.kms("DisableKeyRotation", **named)
        self.kms("RotateKeyOnDemand", **named)
        self.kms("ListKeyRotations", IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=9, **named)
        self.kms("ListKeys", Limit=3, ResourceOwners=["SELF"])
        self.kms("TagResource", Tags=[{"TagKey": "more", "TagValue": ""}], **named)
        self.kms("ListResourceTags", Limit=3, **named)
        self.kms("UntagResource", TagKeys=["more"], **named)
        self.kms("UpdateKeyDescription", Description="another", **named)
        self.kms("GetKeyPolicy", PolicyName="default", **named)
        self.kms("PutKeyPolicy", PolicyName="default", Policy=key_policy, BypassPolicyLockoutSafetyCheck=True, **named)
        self.kms("ListKeyPolicies", Limit=2, **named)
        self.grants(named)
        self.kms("ScheduleKeyDeletion", PendingWindowInDays=8, **named)
        self.kms("CancelKeyDeletion", **named)

    def grants(self, named):
        """Grants, one retired, one revoked."""
        root = root_of(ACCOUNT)
        more = {"GranteePrincipal": root, "Operations": ["Encrypt", "Decrypt"], **named}
        first = self.client("kms").create_grant(**more)
        made = self.kms("CreateGrant", RetiringPrincipal=root, Constraints={"EncryptionContextSubset": CONTEXT},
                        GrantTokens=[first["GrantToken"]], Name="recorded", **more)
        self.kms("ListGrants", GrantId=made["GrantId"], GranteePrincipal=root, Limit=4, **named)
        self.kms("ListRetirableGrants", RetiringPrincipal=root, Limit=4)
        self.kms("RevokeGrant", GrantId=first["GrantId"], **named)
        self.kms("RetireGrant", GrantToken=made["GrantToken"])

    def uses(self):
        """Everything that is done with keys."""
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        token = kms.create_grant(KeyId=key, GranteePrincipal=root_of(ACCOUNT), Operations=["Encrypt"])["GrantToken"]
        more = {"KeyId": key, "GrantTokens": [token]}
        blob = self.kms("Encrypt", Plaintext=b"the secret of the records", EncryptionContext=CONTEXT, **more)["CiphertextBlob"]
        self.kms("Decrypt", CiphertextBlob=blob, EncryptionContext=CONTEXT, **more)
        self.kms("ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, SourceKeyId=key,
                 DestinationKeyId=key, DestinationEncryptionContext={"next": "one"}, GrantTokens=[token])
        for name in ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"):
            self.kms(name, NumberOfBytes=37, EncryptionContext=CONTEXT, **more)
        for name in ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"):
            self.kms(name, KeyPairSpec="ECC_NIST_P256", EncryptionContext=CONTEXT, **more)
        self.kms("GenerateRandom", NumberOfBytes=37)

        signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        asked = {"KeyId": signing, "Message": b"the message of the records", "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = self.kms("Sign", **asked)["Signature"]
        self.kms("Verify", Signature=signature, **asked)
        self.kms("GetPublicKey", KeyId=signing)

        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
        asked = {"KeyId": key, "Message": b"the message of the records", "MacAlgorithm": "HMAC_SHA_256"}
        self.kms("VerifyMac", Mac=self.kms("GenerateMac", **asked)["Mac"], **asked)

        key = kms.create_key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")["KeyMetadata"]["Arn"]
        asked = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
        blob = self.kms("Encapsulate", **asked)["SharedSecretCiphertextBlob"]
        self.kms("Decapsulate", SharedSecretCiphertextBlob=blob, **asked)

        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["Arn"]
        public_key = outside.spki(outside.generate("ECC_NIST_P256").public_key())
        self.kms("DeriveSharedSecret", KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public_key)

    def imports(self):
        """Material that is brought and taken back."""
        key = ImportedKey(self.client("kms"))
        asked = {"WrappingAlgorithm": "RSA_AES_KEY_WRAP_SHA_256", "WrappingKeySpec": "RSA_2048", "KeyId": key.key_id}
        given = self.kms("GetParametersForImport", **asked)
        material = wrap(material_of("SYMMETRIC_DEFAULT"), given["PublicKey"], asked["WrappingAlgorithm"])
        brought = self.kms(
            "ImportKeyMaterial", KeyId=key.key_id, ImportToken=given["ImportToken"], EncryptedKeyMaterial=material,
            ValidTo=datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=9),
            ExpirationModel="KEY_MATERIAL_EXPIRES", ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="recorded")
        self.kms("DeleteImportedKeyMaterial", KeyId=key.key_id, KeyMaterialId=brought["KeyMaterialId"])

    def regions(self):
        """A key that is copied, and whose copy becomes the primary key."""
        key_id = self.client("kms").create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        self.kms("ReplicateKey", KeyId=key_id, ReplicaRegion=REPLICA, Policy=policy(statement(root_of(ACCOUNT))),
                 BypassPolicyLockoutSafetyCheck=True, Description="recorded", Tags=KEY_TAGS)
        there = self.client("kms", REPLICA)
        eventually("the replica is there",
                   lambda: there.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled")
        self.kms("UpdatePrimaryRegion", KeyId=key_id, PrimaryRegion=REPLICA)

    def users(self):
        """A user with all that users have."""
        self.iam("CreateUser", UserName="told", Path="/told/", PermissionsBoundary=BOUNDARY, Tags=TAGS)
        named = {"UserName": "told"}
        access_key = self.iam("CreateAccessKey", **named)["AccessKey"]["AccessKeyId"]
        self.iam("UpdateAccessKey", AccessKeyId=access_key, Status="Inactive", **named)
        self.call("sts", "GetAccessKeyInfo", AccessKeyId=access_key)
        self.iam("DeleteAccessKey", AccessKeyId=access_key, **named)
        self.iam("PutUserPolicy", PolicyName="p", PolicyDocument=document(allow("kms:Encrypt")), **named)
        self.iam("GetUserPolicy", PolicyName="p", **named)
        self.iam("DeleteUserPolicy", PolicyName="p", **named)
        self.iam("AttachUserPolicy", PolicyArn=BOUNDARY, **named)
        self.iam("ListAttachedUserPolicies", PathPrefix="/", MaxItems=5, **named)
        self.iam("DetachUserPolicy", PolicyArn=BOUNDARY, **named)
        self.iam("TagUser", Tags=[{"Key": "more", "Value": "x"}], **named)
        self.iam("UntagUser", TagKeys=["more"], **named)
        self.iam("DeleteUserPermissionsBoundary", **named)
        self.iam("PutUserPermissionsBoundary", PermissionsBoundary=BOUNDARY, **named)
        for name in ("ListUserPolicies", "ListAccessKeys", "ListUserTags", "ListGroupsForUser", "ListMFADevices",
                     "ListSSHPublicKeys", "ListSigningCertificates", "ListServiceSpecificCredentials"):
            self.iam(name, **named)
        self.iam("GetUser", **named)
        self.iam("ListUsers", PathPrefix="/told/", MaxItems=5)
        self.iam("UpdateUser", NewPath="/", NewUserName="told-anew", **named)
        self.client("iam").delete_user_permissions_boundary(UserName="told-anew")
        self.iam("DeleteUser", UserName="told-anew")
        for name in ("GetAccountSummary", "ListOpenIDConnectProviders"):
            self.iam(name)
        self.iam("GetAccountAuthorizationDetails", Filter=["User"], MaxItems=7)
        alias = unique("told")
        self.iam("CreateAccountAlias", AccountAlias=alias)
        self.iam("ListAccountAliases", MaxItems=3)
        self.iam("DeleteAccountAlias", AccountAlias=alias)
        self.iam("GetAccessKeyLastUsed", AccessKeyId=self.server.root_credentials()[0])

    def groups_and_roles(self):
        """A group and a role with all that they have."""
        self.iam("CreateGroup", GroupName="told", Path="/told/")
        user = User(self.server, self.client("iam")).name
        self.iam("AddUserToGroup", GroupName="told", UserName=user)
        self.iam("GetGroup", GroupName="told", MaxItems=5)
        self.iam("RemoveUserFromGroup", GroupName="told", UserName=user)
        self.iam("ListGroups", PathPrefix="/told/", MaxItems=5)
        trust = document({"Effect": "Allow", "Principal": {"AWS": root_of(ACCOUNT)},
                          "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]})
        self.iam("CreateRole", RoleName="told", Path="/told/", AssumeRolePolicyDocument=trust, Description="recorded",
                 MaxSessionDuration=7200, PermissionsBoundary=BOUNDARY, Tags=TAGS)
        self.iam("UpdateAssumeRolePolicy", RoleName="told", PolicyDocument=trust)
        for kind, named in (("Group", {"GroupName": "told"}), ("Role", {"RoleName": "told"})):
            self.iam(f"Put{kind}Policy", PolicyName="p", PolicyDocument=document(allow("kms:Encrypt")), **named)
            self.iam(f"Get{kind}Policy", PolicyName="p", **named)
            self.iam(f"List{kind}Policies", MaxItems=5, **named)
            self.iam(f"Delete{kind}Policy", PolicyName="p", **named)
            self.iam(f"Attach{kind}Policy", PolicyArn=BOUNDARY, **named)
            self.iam(f"ListAttached{kind}Policies", PathPrefix="/", MaxItems=5, **named)
            self.iam(f"Detach{kind}Policy", PolicyArn=BOUNDARY, **named)
        self.iam("UpdateGroup", GroupName="told", NewPath="/", NewGroupName="told-anew")
        self.iam("DeleteGroup", GroupName="told-anew")
        named = {"RoleName": "told"}
        self.iam("DeleteRolePermissionsBoundary", **named)
        self.iam("PutRolePermissionsBoundary", PermissionsBoundary=BOUNDARY, **named)
        self.iam("TagRole", Tags=[{"Key": "more", "Value": "x"}], **named)
        self.iam("ListRoleTags", MaxItems=5, **named)
        self.iam("UntagRole", TagKeys=["more"], **named)
        self.iam("UpdateRole", Description="another", MaxSessionDuration=3600, **named)
        self.iam("UpdateRoleDescription", Description="a third", **named)
        self.iam("GetRole", **named)
        self.iam("ListRoles", PathPrefix="/told/", MaxItems=5)
        self.iam("ListInstanceProfilesForRole", MaxItems=5, **named)
        self.iam("ListInstanceProfiles", PathPrefix="/", MaxItems=5)
        role = self.client("iam").get_role(**named)["Role"]["Arn"]
        caller = User(self.server, self.client("iam")).may(allow("sts:*"))
        self.call("sts", "AssumeRole", client=caller.client("sts"), RoleArn=role, RoleSessionName="night", Tags=TAGS,
                  DurationSeconds=900, Policy=json.dumps(NOTHING), PolicyArns=[{"arn": BOUNDARY}],
                  TransitiveTagKeys=["team"], ExternalId="outside", SourceIdentity="source")
        self.call("sts", "GetFederationToken", client=caller.client("sts"), Name="guest", Policy=json.dumps(NOTHING),
                  PolicyArns=[{"arn": BOUNDARY}], DurationSeconds=900, Tags=TAGS)
        told = self.call("sts", "GetSessionToken", client=caller.client("sts"), DurationSeconds=900)
        self.call("sts", "GetCallerIdentity", client=session_client(self.server, told["Credentials"], "sts"))
        self.iam("DeleteRole", **named)
        linked = self.iam("CreateServiceLinkedRole", AWSServiceName="cks.kms.amazonaws.com", Description="recorded")
        task = self.iam("DeleteServiceLinkedRole", RoleName=linked["Role"]["RoleName"])
        self.iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task["DeletionTaskId"])

    def policies(self):
        """A managed policy, and simulations."""
        text = json.dumps({"Version": "2012-10-17", **NOTHING})
        arn = self.iam("CreatePolicy", PolicyName="told", Path="/told/", PolicyDocument=text, Description="recorded",
                       Tags=TAGS)["Policy"]["Arn"]
        named = {"PolicyArn": arn}
        self.iam("CreatePolicyVersion", PolicyDocument=text, SetAsDefault=True, **named)
        self.iam("SetDefaultPolicyVersion", VersionId="v1", **named)
        self.iam("GetPolicyVersion", VersionId="v1", **named)
        self.iam("ListPolicyVersions", MaxItems=5, **named)
        self.iam("DeletePolicyVersion", VersionId="v2", **named)
        self.iam("TagPolicy", Tags=[{"Key": "more", "Value": "x"}], **named)
        self.iam("ListPolicyTags", MaxItems=5, **named)
        self.iam("UntagPolicy", TagKeys=["more"], **named)
        self.iam("GetPolicy", **named)
        self.iam("ListEntitiesForPolicy", EntityFilter="User", PathPrefix="/", PolicyUsageFilter="PermissionsPolicy",
                 MaxItems=5, **named)
        self.iam("ListPolicies", Scope="Local", OnlyAttached=False, PathPrefix="/told/",
                 PolicyUsageFilter="PermissionsPolicy", MaxItems=5)
        self.iam("DeletePolicy", **named)
        user = User(self.server, self.client("iam")).may(allow("kms:Encrypt"))
        asked = {"PolicyInputList": [text], "ActionNames": ["kms:Encrypt"], "ResourceArns": ["*"], "MaxItems": 9,
                 "ContextEntries": [{"ContextKeyName": "aws:username", "ContextKeyValues": ["x"],
                                     "ContextKeyType": "string"}]}
        self.iam("SimulateCustomPolicy", **asked)
        self.iam("SimulatePrincipalPolicy", PolicySourceArn=user.arn, **asked)
        self.iam("GetContextKeysForCustomPolicy", PolicyInputList=[text])
        self.iam("GetContextKeysForPrincipalPolicy", PolicySourceArn=user.arn, PolicyInputList=[text])
        try:
            user.client().list_keys()
        except ClientError as error:
            _, message = error.response["Error"]["Message"].split(MARK)
            self.call("sts", "DecodeAuthorizationMessage", EncodedMessage=message)

    def absent(self):
        """What accounts and users never have here, so that nothing but a refusal can be recorded."""
        for name, parameters in (("GetAccountPasswordPolicy", {}), ("GetInstanceProfile", {"InstanceProfileName": "x"}),
                                 ("GetLoginProfile", {"UserName": User(self.server, self.client("iam")).name})):
            try:
                self.iam(name, **parameters)
            except ClientError as error:
                self.made["iam", name] = parameters, error.response

    def providers_and_sessions(self):
        """An OIDC provider, and a session of whom it vouches for."""
        made = self.iam("CreateOpenIDConnectProvider", Url=self.issuer.url, ClientIDList=["app"],
                        ThumbprintList=["0" * 40], Tags=TAGS)
        named = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
        self.iam("AddClientIDToOpenIDConnectProvider", ClientID="more", **named)
        self.iam("RemoveClientIDFromOpenIDConnectProvider", ClientID="more", **named)
        self.iam("UpdateOpenIDConnectProviderThumbprint", ThumbprintList=["1" * 40], **named)
        self.iam("TagOpenIDConnectProvider", Tags=[{"Key": "more", "Value": "x"}], **named)
        self.iam("ListOpenIDConnectProviderTags", MaxItems=5, **named)
        self.iam("UntagOpenIDConnectProvider", TagKeys=["more"], **named)
        self.iam("GetOpenIDConnectProvider", **named)
        trust = document({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                          "Principal": {"Federated": named["OpenIDConnectProviderArn"]}})
        role = self.client("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        unsigned = boto3.client("sts", region_name=REGION, endpoint_url=self.server.endpoint,
                                config=CONFIG.merge(Config(signature_version=UNSIGNED)))
        self.call("sts", "AssumeRoleWithWebIdentity", client=unsigned, RoleArn=role, RoleSessionName="web",
                  WebIdentityToken=self.issuer.token(), Policy=json.dumps(NOTHING), PolicyArns=[{"arn": BOUNDARY}],
                  DurationSeconds=900)
        self.iam("DeleteOpenIDConnectProvider", **named)

    def trail(self):
        """What CloudTrail tells of the trail and of what happened."""
        now = datetime.now(timezone.utc).replace(microsecond=0)
        span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
        for name, parameters in (
                ("DescribeTrails", {"trailNameList": ["audit"], "includeShadowTrails": True}), ("ListTrails", {}),
                ("GetEventSelectors", {"TrailName": "audit"}), ("GetTrail", {"Name": "audit"}), ("GetTrailStatus", {"Name": "audit"}), ("ListPublicKeys", span),
                ("LookupEvents", {**span, "MaxResults": 3, "LookupAttributes": [
                    {"AttributeKey": "EventName", "AttributeValue": "Encrypt"}]})):
            self.call("cloudtrail", name, **parameters)

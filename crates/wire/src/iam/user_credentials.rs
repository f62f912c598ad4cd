//! Credentials of users other than access keys. None exist here; clients ask for them before they
//! delete a user: GetLoginProfile, ListMFADevices, ListSigningCertificates, ListSSHPublicKeys,
//! ListServiceSpecificCredentials.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{enums::Status, rules::*};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
};

/// The password of a user, without itself.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoginProfile {
    /// The user's name.
    pub user_name: String,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// Whether it must be changed at the next sign-in.
    pub password_reset_required: bool,
    /// The longest session of the console, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_signin_session_duration: Option<i64>,
}
answer!(
    LoginProfile: "UserName", "CreateDate", "PasswordResetRequired", "MaxSigninSessionDuration"
);

/// A device that makes one-time codes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MFADevice {
    /// The user's name.
    pub user_name: String,
    /// Its serial number or ARN.
    pub serial_number: String,
    /// Since when it is the user's.
    #[serde(with = "iso8601")]
    pub enable_date: Timestamp,
}
answer!(MFADevice: "UserName", "SerialNumber", "EnableDate");

/// An X.509 certificate that signs requests.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SigningCertificate {
    /// The user's name.
    pub user_name: String,
    /// Its id.
    pub certificate_id: String,
    /// The certificate in PEM.
    pub certificate_body: String,
    /// Whether it can be used.
    pub status: Status,
    /// When it was uploaded.
    #[serde(with = "iso8601::option", skip_serializing_if = "Option::is_none")]
    pub upload_date: Option<Timestamp>,
}
answer!(SigningCertificate: "UserName", "CertificateId", "CertificateBody", "Status", "UploadDate");

/// An SSH public key without itself.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SSHPublicKeyMetadata {
    /// The user's name.
    pub user_name: String,
    /// Its id.
    #[serde(rename = "SSHPublicKeyId")]
    pub ssh_public_key_id: String,
    /// Whether it can be used.
    pub status: Status,
    /// When it was uploaded.
    #[serde(with = "iso8601")]
    pub upload_date: Timestamp,
}
answer!(SSHPublicKeyMetadata: "UserName", "SSHPublicKeyId", "Status", "UploadDate");

/// A credential for one service, without its secret.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceSpecificCredentialMetadata {
    /// The user's name.
    pub user_name: String,
    /// Whether it can be used.
    pub status: Status,
    /// The user's name at the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_user_name: Option<String>,
    /// The public part of the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_credential_alias: Option<String>,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// When it expires.
    #[serde(with = "iso8601::option", skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<Timestamp>,
    /// Its id.
    pub service_specific_credential_id: String,
    /// The service.
    pub service_name: String,
}
answer!(
    ServiceSpecificCredentialMetadata: "UserName", "Status", "ServiceUserName",
    "ServiceCredentialAlias", "CreateDate", "ExpirationDate", "ServiceSpecificCredentialId",
    "ServiceName"
);

/// The request of GetLoginProfile.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetLoginProfileRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
}

impl Shape for GetLoginProfileRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &USER_NAME);
    }
}

/// The answer of GetLoginProfile.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetLoginProfileResponse {
    /// The password.
    pub login_profile: LoginProfile,
}
answer!(GetLoginProfileResponse: "LoginProfile");

/// The request of ListMFADevices.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListMFADevicesRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListMFADevicesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListMFADevices.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMFADevicesResponse {
    /// The devices of this page.
    #[serde(rename = "MFADevices")]
    pub mfa_devices: Vec<MFADevice>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListMFADevicesResponse: "MFADevices", "IsTruncated", "Marker");

/// The request of ListSigningCertificates.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListSigningCertificatesRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListSigningCertificatesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListSigningCertificates.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListSigningCertificatesResponse {
    /// The certificates of this page.
    pub certificates: Vec<SigningCertificate>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListSigningCertificatesResponse: "Certificates", "IsTruncated", "Marker");

/// The request of ListSSHPublicKeys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListSSHPublicKeysRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListSSHPublicKeysRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListSSHPublicKeys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListSSHPublicKeysResponse {
    /// The SSH public keys of this page.
    #[serde(rename = "SSHPublicKeys")]
    pub ssh_public_keys: Vec<SSHPublicKeyMetadata>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListSSHPublicKeysResponse: "SSHPublicKeys", "IsTruncated", "Marker");

/// The request of ListServiceSpecificCredentials.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListServiceSpecificCredentialsRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// Only credentials for this service.
    pub service_name: Option<String>,
    /// Whether the credentials of all users are asked for.
    pub all_users: Option<bool>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListServiceSpecificCredentialsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &USER_NAME);
        visitor.member("ServiceName", &self.service_name, &SERVICE_NAME);
        visitor.member("AllUsers", &self.all_users, &FLAG);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListServiceSpecificCredentials.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListServiceSpecificCredentialsResponse {
    /// The credentials of this page.
    pub service_specific_credentials: Vec<ServiceSpecificCredentialMetadata>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Whether there are more.
    pub is_truncated: bool,
}
answer!(
    ListServiceSpecificCredentialsResponse: "ServiceSpecificCredentials", "Marker", "IsTruncated"
);

family! {
    GetLoginProfileRequest = "GetLoginProfile" -> GetLoginProfileResponse;
    ListMFADevicesRequest = "ListMFADevices" -> ListMFADevicesResponse;
    ListSigningCertificatesRequest = "ListSigningCertificates" -> ListSigningCertificatesResponse;
    ListSSHPublicKeysRequest = "ListSSHPublicKeys" -> ListSSHPublicKeysResponse;
    ListServiceSpecificCredentialsRequest = "ListServiceSpecificCredentials"
        -> ListServiceSpecificCredentialsResponse;
}

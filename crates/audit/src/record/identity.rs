//! The `userIdentity` element: who called, as CloudTrail names callers.

use jiff::Timestamp;

use super::write_time;
use crate::json;

/// Who made the call.
///
/// Source: AWS CloudTrail user guide, "CloudTrail userIdentity element".
#[derive(Clone, Copy, Debug)]
pub enum UserIdentity<'a> {
    /// The account root user.
    Root {
        /// The account's twelve digits; also the principal id.
        account_id: &'a str,
        /// `arn:aws:iam::ACCOUNT:root`, in the partition of the Region called.
        arn: &'a str,
        /// The access key that signed the request.
        access_key_id: &'a str,
    },
    /// A user of IAM.
    IamUser {
        /// The user's unique id.
        principal_id: &'a str,
        /// The user's ARN, in the partition of the Region called.
        arn: &'a str,
        /// The account's twelve digits.
        account_id: &'a str,
        /// The access key that signed the request.
        access_key_id: &'a str,
        /// The user's name.
        user_name: &'a str,
    },
    /// A session of temporary credentials.
    Session(SessionIdentity<'a>),
    /// Somebody for whom an OIDC provider vouches.
    WebIdentity {
        /// The provider, the audience and the subject with colons between them.
        principal_id: &'a str,
        /// The subject.
        user_name: &'a str,
        /// The provider's ARN.
        identity_provider: &'a str,
    },
    /// The server itself, for a service event of an account.
    AwsInternal {
        /// The account whose resource the event is about.
        account_id: &'a str,
    },
    /// A caller of another account, as the owner of what the call was about is told it.
    AwsAccount {
        /// The unique id of the caller; of a root user its account.
        principal_id: &'a str,
        /// The caller's account.
        account_id: &'a str,
    },
    /// A service acting for itself.
    AwsService {
        /// Its service principal.
        invoked_by: &'a str,
    },
    /// Nobody who could be identified: no credentials, an unknown access key, a bad signature.
    Anonymous {
        /// The access key that the request named, not believed; `None` if it named none.
        access_key_id: Option<&'a [u8]>,
    },
}

/// Who calls with temporary credentials.
#[derive(Clone, Copy, Debug)]
pub struct SessionIdentity<'a> {
    /// `AssumedRole`, `FederatedUser`, `IAMUser` or `Root`.
    pub identity_type: &'static str,
    /// The unique id of the caller; of a role or a federated user with the session's name after a
    /// colon.
    pub principal_id: &'a str,
    /// The caller's ARN, in the partition of the Region called.
    pub arn: &'a str,
    /// The account's twelve digits.
    pub account_id: &'a str,
    /// The access key that signed the request.
    pub access_key_id: &'a str,
    /// The name of a user who calls as such.
    pub user_name: Option<&'a str>,
    /// The role or user behind a session that has a name of its own.
    pub issuer: Option<SessionIssuer<'a>>,
    /// When the credentials were made.
    pub created: Timestamp,
    /// The source identity that was set when a role was assumed.
    pub source_identity: Option<&'a str>,
}

/// The role or user behind a session: CloudTrail's `sessionIssuer`.
#[derive(Clone, Copy, Debug)]
pub struct SessionIssuer<'a> {
    /// `Role`, `IAMUser` or `Root`.
    pub issuer_type: &'static str,
    /// The unique id.
    pub principal_id: &'a str,
    /// The ARN.
    pub arn: &'a str,
    /// The name; a root user has none.
    pub user_name: Option<&'a str>,
}

impl SessionIdentity<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let members = [
            (br#"{"type":"#.as_slice(), self.identity_type),
            (br#","principalId":"#, self.principal_id),
            (br#","arn":"#, self.arn),
            (br#","accountId":"#, self.account_id),
            (br#","accessKeyId":"#, self.access_key_id),
        ];
        write_members(out, &members);
        if let Some(user_name) = self.user_name {
            write_members(out, &[(br#","userName":"#, user_name)]);
        }
        out.extend_from_slice(br#","sessionContext":{"#);
        if let Some(issuer) = self.issuer {
            let members = [
                (br#""sessionIssuer":{"type":"#.as_slice(), issuer.issuer_type),
                (br#","principalId":"#, issuer.principal_id),
                (br#","arn":"#, issuer.arn),
                (br#","accountId":"#, self.account_id),
            ];
            write_members(out, &members);
            if let Some(user_name) = issuer.user_name {
                write_members(out, &[(br#","userName":"#, user_name)]);
            }
            out.extend_from_slice(b"},");
        }
        if let Some(source_identity) = self.source_identity {
            write_members(out, &[(br#""sourceIdentity":"#, source_identity)]);
            out.push(b',');
        }
        out.extend_from_slice(br#""attributes":{"creationDate":""#);
        write_time(out, self.created);
        out.extend_from_slice(br#"","mfaAuthenticated":"false"}}"#);
    }
}

fn write_members(out: &mut Vec<u8>, members: &[(&[u8], &str)]) {
    for (name, value) in members {
        out.extend_from_slice(name);
        json::text(out, value.as_bytes());
    }
}

/// Bytes of an unproved access key id that are recorded.
const ACCESS_KEY_ID_BYTES_MAX: usize = 128;

impl UserIdentity<'_> {
    pub(super) fn write(&self, invoked_by: Option<&str>, out: &mut Vec<u8>) {
        match *self {
            UserIdentity::Root { account_id, arn, access_key_id } => {
                out.extend_from_slice(br#"{"type":"Root","principalId":"#);
                json::text(out, account_id.as_bytes());
                out.extend_from_slice(br#","arn":"#);
                json::text(out, arn.as_bytes());
                out.extend_from_slice(br#","accountId":"#);
                json::text(out, account_id.as_bytes());
                out.extend_from_slice(br#","accessKeyId":"#);
                json::text(out, access_key_id.as_bytes());
            }
            UserIdentity::IamUser { principal_id, arn, account_id, access_key_id, user_name } => {
                out.extend_from_slice(br#"{"type":"IAMUser","principalId":"#);
                json::text(out, principal_id.as_bytes());
                out.extend_from_slice(br#","arn":"#);
                json::text(out, arn.as_bytes());
                out.extend_from_slice(br#","accountId":"#);
                json::text(out, account_id.as_bytes());
                out.extend_from_slice(br#","accessKeyId":"#);
                json::text(out, access_key_id.as_bytes());
                out.extend_from_slice(br#","userName":"#);
                json::text(out, user_name.as_bytes());
            }
            UserIdentity::Session(session) => session.write(out),
            UserIdentity::WebIdentity { principal_id, user_name, identity_provider } => {
                let members = [
                    (br#"{"type":"WebIdentityUser","principalId":"#.as_slice(), principal_id),
                    (br#","userName":"#, user_name),
                    (br#","identityProvider":"#, identity_provider),
                ];
                write_members(out, &members);
            }
            UserIdentity::AwsInternal { account_id } => {
                out.extend_from_slice(br#"{"accountId":"#);
                json::text(out, account_id.as_bytes());
                out.extend_from_slice(br#","invokedBy":"AWS Internal""#);
            }
            UserIdentity::AwsAccount { principal_id, account_id } => {
                let members = [
                    (br#"{"type":"AWSAccount","principalId":"#.as_slice(), principal_id),
                    (br#","accountId":"#, account_id),
                ];
                write_members(out, &members);
            }
            UserIdentity::AwsService { invoked_by } => {
                let members = [(br#"{"type":"AWSService","invokedBy":"#.as_slice(), invoked_by)];
                write_members(out, &members);
            }
            UserIdentity::Anonymous { access_key_id } => {
                out.extend_from_slice(
                    br#"{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL""#,
                );
                if let Some(claimed) = access_key_id {
                    out.extend_from_slice(br#","accessKeyId":"#);
                    json::text_bounded(out, claimed, ACCESS_KEY_ID_BYTES_MAX);
                }
            }
        }
        if let Some(invoked_by) = invoked_by {
            write_members(out, &[(br#","invokedBy":"#, invoked_by)]);
        }
        out.push(b'}');
    }
}

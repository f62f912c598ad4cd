//! The `userIdentity` element: who called, as CloudTrail names callers.

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
    /// The server itself, for a service event of an account.
    AwsInternal {
        /// The account whose resource the event is about.
        account_id: &'a str,
    },
    /// Nobody who could be identified: no credentials, an unknown access key, a bad signature.
    Anonymous {
        /// The access key that the request named, not believed; `None` if it named none.
        access_key_id: Option<&'a [u8]>,
    },
}

/// Bytes of an unproved access key id that are recorded.
const ACCESS_KEY_ID_BYTES_MAX: usize = 128;

impl UserIdentity<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
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
            UserIdentity::AwsInternal { account_id } => {
                out.extend_from_slice(br#"{"accountId":"#);
                json::text(out, account_id.as_bytes());
                out.extend_from_slice(br#","invokedBy":"AWS Internal""#);
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
        out.push(b'}');
    }
}

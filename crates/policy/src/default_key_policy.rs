//! The key policy of a key that was created without one.

use wire::names::{AccountId, Partition};

use crate::principal::root_arn;

/// The text that AWS stores for a key created through the API without a policy: one statement that
/// lets the account's root user do everything and switches on the account's identity policies.
/// GetKeyPolicy answers exactly these bytes (AWS KMS Developer Guide, "Default key policy").
pub fn default_key_policy(account: AccountId, partition: Partition) -> String {
    let root = root_arn(account, partition);
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "{root}"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

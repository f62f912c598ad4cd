//! An IAM user and keys that it may use, for what a decision costs when it is not the root user's.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Failure;
use crate::requests::Signer;

/// The account of a server that was told no other.
const ACCOUNT: &str = "111122223333";
/// Statements of the key policies.
const STATEMENTS_COUNT: usize = 10;
const USER_NAME: &str = "bench";

impl Signer {
    /// Makes an IAM user who may encrypt by an identity policy, and signs for it.
    pub(crate) async fn of_new_user(
        &self,
        client: &mut Client,
        host: &str,
    ) -> Result<Signer, Failure> {
        let allow = json!({ "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*" });
        let policy = json!({ "Version": "2012-10-17", "Statement": [allow] }).to_string();
        self.iam(client, host, "CreateUser", &[]).await?;
        let members = [("PolicyName", "encrypt"), ("PolicyDocument", &policy)];
        self.iam(client, host, "PutUserPolicy", &members).await?;
        let made = self.iam(client, host, "CreateAccessKey", &[]).await?;
        let value = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>"))?;
            rest.split_once('<').map(|(value, _)| value.to_owned())
        };
        let (id, secret) = (value("AccessKeyId"), value("SecretAccessKey"));
        let absent = || Failure::new("CreateAccessKey answered no access key");
        Ok(Signer::new(id.ok_or_else(absent)?, secret.ok_or_else(absent)?))
    }

    async fn iam(
        &self,
        client: &mut Client,
        host: &str,
        action: &str,
        members: &[(&str, &str)],
    ) -> Result<String, Failure> {
        let always = [("Action", action), ("Version", "2010-05-08"), ("UserName", USER_NAME)];
        let pairs = always.iter().chain(members);
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = self.form(host, "iam", &pairs.join("&"))?;
        let answer = client.call(&request).await?;
        let body = String::from_utf8_lossy(answer.body).into_owned();
        match answer.status {
            200 => Ok(body),
            status => Err(Failure::new(format!("{action} answered {status}: {body}"))),
        }
    }
}

/// A key whose policy has ten statements: one leaves the key to IAM, the others are about the user, and the last of
/// them lets it encrypt.
pub(crate) fn key_of_ten_statements() -> Value {
    let user = format!("arn:aws:iam::{ACCOUNT}:user/{USER_NAME}");
    let allow = |principal: &str, action: &str| {
        json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": action,
                "Resource": "*" })
    };
    let mut statements = vec![allow(&format!("arn:aws:iam::{ACCOUNT}:root"), "kms:*")];
    for number in 2..STATEMENTS_COUNT {
        let mut statement = allow(&user, "kms:*");
        let via = format!("service{number}.us-east-1.amazonaws.com");
        let condition = json!({ "StringEquals": { "kms:ViaService": via } });
        if let Some(members) = statement.as_object_mut() {
            members.insert("Condition".to_owned(), condition);
        }
        statements.push(statement);
    }
    statements.push(allow(&user, "kms:Encrypt"));
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    json!({ "Policy": policy.to_string() })
}

/// AWS's URI encoding: everything but the unreserved characters.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

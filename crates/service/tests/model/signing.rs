//! Signed requests, as an SDK makes them.

use jiff::Timestamp;
use sigv4::{Credentials, HttpRequest, PathRule, Scope, SecretAccessKey};

use crate::names::Region;

/// The name by which the server is called; the signature covers it.
const HOST: &str = "kms.example";

/// Signs for the root user of an account.
pub(crate) struct Signer {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretAccessKey,
}

impl Signer {
    /// The headers of a call.
    pub(crate) fn headers(
        &self,
        region: Region,
        operation: &str,
        body: &str,
        now: Timestamp,
    ) -> Vec<(String, String)> {
        let target = format!("TrentService.{operation}");
        let mut headers: Vec<(String, String)> = [
            ("host", HOST),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        let unsigned: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = HttpRequest {
            method: "POST",
            path: "/",
            query: None,
            headers: &unsigned,
            body: body.as_bytes(),
        };
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: None,
        };
        let scope =
            Scope { region: region.as_str(), service: "kms", path_rule: PathRule::default() };
        let added = sigv4::sign(&request, &credentials, &scope, now).unwrap();
        headers.extend(added);
        headers
    }
}

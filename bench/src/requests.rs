//! Signed requests, finished beforehand: the load only sends bytes.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use sigv4::{Credentials, HttpRequest, PathRule, Scope, SecretAccessKey};

use crate::client::Client;
use crate::error::Failure;

/// The Region of everything here.
const REGION: &str = "us-east-1";

/// 32 bytes in base64, for everything that is encrypted, signed or authenticated here.
pub(crate) const PLAINTEXT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// An operation and what its requests say beside the key.
pub(crate) struct Work {
    pub(crate) operation: &'static str,
    pub(crate) parameters: Value,
}

impl Work {
    fn body(&self, key_id: &str) -> Value {
        let mut body = self.parameters.clone();
        if let Some(members) = body.as_object_mut() {
            members.insert("KeyId".to_owned(), key_id.into());
        }
        body
    }
}

/// Signs for the root user of a data directory, or for another user.
pub(crate) struct Signer {
    access_key_id: String,
    secret_access_key: SecretAccessKey,
}

impl Signer {
    /// Reads the root credentials that the server's first start has written.
    pub(crate) fn of_data_dir(data_dir: &Path) -> Result<Signer, Failure> {
        let text = fs::read_to_string(data_dir.join("root-credentials"))?;
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == name));
            line.map(|(_, value)| value.trim().to_owned())
                .ok_or_else(|| Failure::new(format!("no {name}")))
        };
        Ok(Signer::new(value("aws_access_key_id")?, value("aws_secret_access_key")?))
    }

    /// Signs with an access key.
    pub(crate) fn new(access_key_id: String, secret_access_key: String) -> Signer {
        Signer { access_key_id, secret_access_key: SecretAccessKey::new(secret_access_key) }
    }

    /// The bytes of one signed call, good for five minutes.
    pub(crate) fn request(
        &self,
        host: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Vec<u8>, Failure> {
        let target = format!("TrentService.{operation}");
        let headers: [(&str, &[u8]); 4] = [
            ("host", host.as_bytes()),
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-target", target.as_bytes()),
            ("user-agent", b"keystead-bench/0.1"),
        ];
        self.signed("kms", &headers, &body.to_string())
    }

    /// The bytes of one signed form.
    pub(crate) fn form(&self, host: &str, service: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let headers: [(&str, &[u8]); 2] =
            [("host", host.as_bytes()), ("content-type", b"application/x-www-form-urlencoded")];
        self.signed(service, &headers, body)
    }

    #[expect(clippy::disallowed_methods, reason = "a signature is of now")]
    fn signed(
        &self,
        service: &str,
        headers: &[(&str, &[u8])],
        body: &str,
    ) -> Result<Vec<u8>, Failure> {
        let request =
            HttpRequest { method: "POST", path: "/", query: None, headers, body: body.as_bytes() };
        let credentials = Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: None,
        };
        let scope = Scope { region: REGION, service, path_rule: PathRule::default() };
        let signed = sigv4::sign(&request, &credentials, &scope, Timestamp::now())?;
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        for (name, value) in signed {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
        Ok(bytes)
    }

    /// Makes one call and reads its JSON.
    pub(crate) async fn call(
        &self,
        client: &mut Client,
        host: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = self.request(host, operation, body)?;
        let answer = client.call(&request).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(answer.body).into_owned();
            return Err(Failure::new(format!("{operation} answered {}: {body}", answer.status)));
        }
        Ok(serde_json::from_slice(answer.body).unwrap_or(Value::Null))
    }

    /// Makes a key of a kind and tells its id.
    pub(crate) async fn create_key(
        &self,
        client: &mut Client,
        host: &str,
        kind: &Value,
    ) -> Result<String, Failure> {
        let answer = self.call(client, host, "CreateKey", kind).await?;
        let key_id = answer.pointer("/KeyMetadata/KeyId").and_then(Value::as_str);
        key_id.map(str::to_owned).ok_or_else(|| Failure::new("CreateKey answered no key id"))
    }

    /// One finished request of some work for each key.
    pub(crate) async fn mix(
        &self,
        client: &mut Client,
        host: &str,
        work: &Work,
        key_ids: &[String],
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let mut requests = Vec::with_capacity(key_ids.len());
        for key_id in key_ids {
            let body = match work.operation {
                "Decrypt" => {
                    let body = json!({ "KeyId": key_id, "Plaintext": PLAINTEXT });
                    let mut encrypted = self.call(client, host, "Encrypt", &body).await?;
                    json!({ "CiphertextBlob": encrypted.get_mut("CiphertextBlob").map(Value::take) })
                }
                _ => work.body(key_id),
            };
            requests.push(self.request(host, work.operation, &body)?);
        }
        Ok(requests)
    }
}

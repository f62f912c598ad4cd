//! A second, plain signer straight from AWS's description, so that the crate is not tested with
//! itself.
//!
//! It signs whatever it is told to, right or wrong: a [`Draft`] says what the request claims, and
//! the signature is correct for that claim.

#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use sigv4::{Expected, HttpRequest, Refusal, SecretAccessKey, SigningKey};

pub(crate) const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const NOW: &str = "2015-08-30T12:36:00Z";
pub(crate) const DATE: &str = "20150830T123600Z";
pub(crate) const SERVICES: [&str; 2] = ["kms", "sts"];
pub(crate) const BODY: &str = r#"{"KeyId":"alias/a","Plaintext":"aGVsbG8="}"#;

/// What a request claims, and what it is signed with.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names and values before encoding.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) algorithm: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) date: String,
    pub(crate) scope: [String; 4],
    /// `None`: all headers.
    pub(crate) signed_headers: Option<String>,
    /// The last line of the canonical request; `None`: the body's hash.
    pub(crate) content_hash: Option<String>,
}

/// A request as it travels.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Draft {
    /// An Encrypt call as an SDK sends it.
    pub(crate) fn kms() -> Self {
        let headers = [
            ("host", "kms.us-east-1.amazonaws.com"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "TrentService.Encrypt"),
            ("user-agent", "Boto3/1.44.8 md/Botocore#1.44.8"),
            ("amz-sdk-invocation-id", "7b0a9cd1-1d0e-4a3c-9b3f-0f4c2f9f5a11"),
        ];
        Self {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.into())).to_vec(),
            body: BODY.into(),
            algorithm: "AWS4-HMAC-SHA256".to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret: SECRET.to_owned(),
            date: DATE.to_owned(),
            scope: ["20150830", "us-east-1", "kms", "aws4_request"].map(str::to_owned),
            signed_headers: None,
            content_hash: None,
        }
    }

    /// The same call with its date in a header, ready for [`Draft::sign`].
    pub(crate) fn header_form() -> Self {
        Self::kms().header("x-amz-date", DATE)
    }

    /// A call with its credential in the query, ready for [`Draft::presign`].
    pub(crate) fn query_form() -> Self {
        let mut draft = Self::kms();
        draft.query = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20150830/us-east-1/kms/aws4_request"),
            ("X-Amz-Date", DATE),
            ("X-Amz-Expires", "3600"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        draft
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    /// Sets both the header and the string to sign, and the scope's day with them.
    pub(crate) fn dated(self, date: &str) -> Self {
        let mut draft = self.without_header("x-amz-date").header("x-amz-date", date);
        draft.date = date.to_owned();
        draft.scope[0] = date.get(..8).unwrap_or(date).to_owned();
        draft
    }

    pub(crate) fn scoped(mut self, part: usize, text: &str) -> Self {
        self.scope[part] = text.to_owned();
        self
    }

    pub(crate) fn signing(mut self, signed_headers: &str) -> Self {
        self.signed_headers = Some(signed_headers.to_owned());
        self
    }

    /// Signs every header but `name`.
    pub(crate) fn not_signing(self, name: &str) -> Self {
        let all = self.all_headers();
        let rest: Vec<&str> = all.split(';').filter(|given| *given != name).collect();
        let rest = rest.join(";");
        self.signing(&rest)
    }

    pub(crate) fn parameter(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.query.retain(|(given, _)| given != name);
        self.parameter(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.query.retain(|(given, _)| given != name);
        self
    }

    pub(crate) fn all_headers(&self) -> String {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.join(";")
    }

    fn list(&self) -> String {
        self.signed_headers.clone().unwrap_or_else(|| self.all_headers())
    }

    /// The header form.
    pub(crate) fn sign(&self) -> Sent {
        let signature = self.signature(&self.canonical_query());
        let authorization = format!(
            "{} Credential={}/{}, SignedHeaders={}, Signature={signature}",
            self.algorithm,
            self.access_key_id,
            self.scope.join("/"),
            self.list()
        );
        let query = Some(self.canonical_query()).filter(|query| !query.is_empty());
        self.sent(query).header("authorization", authorization)
    }

    /// The query form; `SignedHeaders` is added where the draft has none.
    pub(crate) fn presign(&self) -> Sent {
        let mut draft = self.clone();
        if !draft.query.iter().any(|(name, _)| name == "X-Amz-SignedHeaders") {
            draft = draft.parameter("X-Amz-SignedHeaders", &self.list());
        }
        let query = draft.canonical_query();
        let signature = draft.signature(&query);
        draft.sent(Some(format!("{query}&X-Amz-Signature={signature}")))
    }

    fn sent(&self, query: Option<String>) -> Sent {
        Sent {
            method: self.method.clone(),
            path: self.path.clone(),
            query,
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }

    fn canonical_query(&self) -> String {
        let mut pairs: Vec<(String, String)> =
            self.query.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }

    fn signature(&self, canonical_query: &str) -> String {
        let list = self.list();
        let mut canonical =
            format!("{}\n{}\n{canonical_query}\n", self.method, self.path).into_bytes();
        for name in list.split(';') {
            canonical.extend_from_slice(format!("{}:", name.to_ascii_lowercase()).as_bytes());
            let values: Vec<Vec<u8>> = self
                .headers
                .iter()
                .filter(|(given, _)| given.eq_ignore_ascii_case(name))
                .map(|(_, value)| fold(value))
                .collect();
            canonical.extend_from_slice(&values.join(&b','));
            canonical.push(b'\n');
        }
        let body_hash = self.content_hash.clone().unwrap_or_else(|| hash(&self.body));
        canonical.extend_from_slice(format!("\n{list}\n{body_hash}").as_bytes());
        let string_to_sign = format!(
            "{}\n{}\n{}\n{}",
            self.algorithm,
            self.date,
            self.scope.join("/"),
            hash(&canonical)
        );
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in &self.scope {
            key = mac(&key, part.as_bytes());
        }
        hex(&mac(&key, string_to_sign.as_bytes()))
    }
}

impl Sent {
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Rewrites the `Authorization` header.
    pub(crate) fn authorization(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        for (name, value) in &mut self.headers {
            if name == "authorization" {
                *value = rewrite(std::str::from_utf8(value).unwrap()).into_bytes();
            }
        }
        self
    }

    /// Rewrites the signature alone.
    pub(crate) fn signature(self, rewrite: impl Fn(&str) -> String) -> Self {
        self.authorization(|header| {
            let (before, signature) = header.split_once("Signature=").unwrap();
            format!("{before}Signature={}", rewrite(signature))
        })
    }

    pub(crate) fn query(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        self.query = Some(rewrite(self.query.as_deref().unwrap_or_default()));
        self
    }

    /// What a server that knows [`ACCESS_KEY_ID`] alone says to it.
    pub(crate) fn judge_at(&self, now: &str) -> Result<(), Refusal> {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = HttpRequest {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &headers,
            body: &self.body,
        };
        let now: Timestamp = now.parse().unwrap();
        let claim = sigv4::parse(&request)?;
        let key = (claim.access_key_id == ACCESS_KEY_ID).then(|| {
            let secret = SecretAccessKey::new(SECRET.to_owned());
            SigningKey::derive(&secret, claim.date, claim.region, claim.service)
        });
        claim.verify(&request, key.as_ref(), &Expected { services: &SERVICES, now })
    }

    pub(crate) fn judge(&self) -> Result<(), Refusal> {
        self.judge_at(NOW)
    }
}

pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn fold(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> =
        value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

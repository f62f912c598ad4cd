//! The trail's files as objects of a bucket of S3, or of a store that speaks as S3 does.
//!
//! An object is written once: `If-None-Match: *` has the store refuse to replace one, so that the credentials may be such as
//! cannot. What an interrupted attempt wrote already is compared with what would be written. Sources: Amazon S3 API Reference,
//! "PutObject" and "Signature Calculations for the Authorization Header"; decision 13.

mod credentials;

use std::{fmt::Write as _, io, path::PathBuf, sync::Arc};

use audit::trail::{Destination, Object, TrailError};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, IF_NONE_MATCH, USER_AGENT},
};
use http_body_util::Full;
use service::Clock;
use sigv4::{Credentials, HttpRequest, PathRule, Refusal, Scope, payload_hash, sign};
use tokio::{runtime, time::timeout};
use wire::names::{Partition, Region};
use zeroize::Zeroizing;

use crate::{
    limits::{
        BUCKET_CREDENTIALS_BYTES_MAX, BUCKET_ERROR_BYTES_MAX, BUCKET_OBJECT_BYTES_MAX,
        BUCKET_PUT_TIME_MAX,
    },
    outgoing::{Client, FetchError, Url, read},
};
use credentials::BucketCredentials;

/// What stands before the names of an object's own metadata.
const METADATA_PREFIX: &str = "x-amz-meta-";
/// Characters of an error code of S3's that are told.
const CODE_CHARACTERS_MAX: usize = 64;

/// What the operator says of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketOptions {
    /// Its name.
    pub(crate) name: String,
    /// The Region that requests are signed for.
    pub(crate) region: Region,
    /// The store; AWS's S3 in the Region when absent.
    pub(crate) endpoint: Option<Url>,
    /// The shared credentials file.
    pub(crate) credentials_file: PathBuf,
    /// The profile in it.
    pub(crate) profile: String,
    /// Whose certificates the store's is believed by; the system's when absent.
    pub(crate) ca_file: Option<PathBuf>,
}

/// A bucket that objects are put into.
pub(crate) struct Bucket {
    options: BucketOptions,
    url: Url,
    /// What stands before an object's name in the path.
    folder: String,
    client: Client,
    clock: Arc<dyn Clock>,
}

/// Why an object was not put. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
enum BucketError {
    #[error("no thread's runtime: {0}")]
    Runtime(io::Error),
    #[error(
        "{}: expected aws_access_key_id and aws_secret_access_key under [{profile}]",
        path.display()
    )]
    NoCredentials { path: PathBuf, profile: String },
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    #[error("the request cannot be signed: {0}")]
    Signing(Refusal),
    #[error(transparent)]
    Sending(#[from] FetchError),
    #[error("the bucket's store answered {status} {code}")]
    Refused { status: StatusCode, code: String },
    #[error("the bucket has another object of this name, which is not replaced")]
    OtherObject,
    #[error("took too long")]
    TimedOut,
}

impl Bucket {
    /// The bucket; `None` where its name and Region make no URL.
    pub(crate) fn new(options: BucketOptions, clock: Arc<dyn Clock>) -> Option<Bucket> {
        // A name with dots has no certificate as a host's.
        let is_host = options.endpoint.is_none() && !options.name.contains('.');
        let url = match &options.endpoint {
            Some(url) => url.clone(),
            None => {
                let host = if is_host { format!("{}.", options.name) } else { String::new() };
                let suffix = match options.region.partition() {
                    Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
                    Partition::AwsCn => "amazonaws.com.cn",
                };
                Url::parse(&format!("https://{host}s3.{}.{suffix}", options.region))?
            }
        };
        let folder = if is_host { "/".to_owned() } else { format!("/{}/", options.name) };
        let client = Client {
            ca_file: options.ca_file.clone(),
            bearer_token_file: None,
            public_only: false,
        };
        Some(Bucket { options, url, folder, client, clock })
    }

    async fn put_once(&self, object: &Object<'_>) -> Result<(), BucketError> {
        let answer = self.send(Method::PUT, object, BUCKET_ERROR_BYTES_MAX).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::PRECONDITION_FAILED => self.compare(object).await,
            _ => Err(refused(&answer)),
        }
    }

    /// Looks whether the object that is there is the one that was to be put.
    async fn compare(&self, object: &Object<'_>) -> Result<(), BucketError> {
        let answer = self.send(Method::GET, object, BUCKET_OBJECT_BYTES_MAX).await?;
        if answer.status() != StatusCode::OK {
            return Err(refused(&answer));
        }
        let is_value = |(name, value): &(&str, &str)| {
            let found = answer.headers().get(format!("{METADATA_PREFIX}{name}"));
            found.is_some_and(|found| found.as_bytes() == value.as_bytes())
        };
        let is_same = answer.body() == object.body && object.metadata.iter().all(is_value);
        if is_same { Ok(()) } else { Err(BucketError::OtherObject) }
    }

    /// Signs and sends a request for an object. The credentials are read each time: temporary ones rotate.
    async fn send(
        &self,
        method: Method,
        object: &Object<'_>,
        answer_bytes_max: usize,
    ) -> Result<Response<Bytes>, BucketError> {
        let credentials = self.credentials().await?;
        let path = format!("{}{}", self.folder, object.key);
        let body = if method == Method::PUT { object.body } else { &[] };
        let hash = payload_hash(body);
        let mut request = Request::builder()
            .method(&method)
            .uri(&path)
            .header(HOST, self.url.host_header())
            .header(USER_AGENT, "keystead")
            .header("x-amz-content-sha256", hex(&hash));
        if method == Method::PUT {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, "gzip")
                .header(IF_NONE_MATCH, "*")
                // Buckets that lock their objects take none without.
                .header("x-amz-checksum-sha256", STANDARD.encode(hash));
            for (name, value) in object.metadata {
                request = request.header(format!("{METADATA_PREFIX}{name}"), *value);
            }
        }
        let mut request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let unsigned = HttpRequest {
            method: method.as_str(),
            path: &path,
            query: None,
            headers: &headers,
            body,
        };
        let signature = self.sign(&unsigned, &credentials).map_err(BucketError::Signing)?;
        add(request.headers_mut(), signature)?;
        Ok(self.client.send(&self.url, request, answer_bytes_max).await?)
    }

    fn sign(
        &self,
        request: &HttpRequest<'_>,
        credentials: &BucketCredentials,
    ) -> Result<Vec<(String, String)>, Refusal> {
        let credentials = Credentials {
            access_key_id: &credentials.access_key_id,
            secret_access_key: &credentials.secret_access_key,
            session_token: credentials.session_token.as_deref().map(String::as_str),
        };
        let region = self.options.region.to_string();
        let scope = Scope { region: &region, service: "s3", path_rule: PathRule::AsSent };
        sign(request, &credentials, &scope, self.clock.now())
    }

    async fn credentials(&self) -> Result<BucketCredentials, BucketError> {
        let BucketOptions { credentials_file, profile, .. } = &self.options;
        let text = Zeroizing::new(read(credentials_file, BUCKET_CREDENTIALS_BYTES_MAX).await?);
        let credentials =
            str::from_utf8(&text).ok().and_then(|text| BucketCredentials::parse(text, profile));
        credentials.ok_or_else(|| BucketError::NoCredentials {
            path: credentials_file.clone(),
            profile: profile.clone(),
        })
    }
}

impl Destination for Bucket {
    /// Waits on the thread that calls it, with a runtime of its own, so that neither hinders the other's end.
    fn put(&self, object: &Object<'_>) -> Result<(), TrailError> {
        let failed = |cause: BucketError| TrailError::Destination {
            object: object.key.to_owned(),
            cause: cause.into(),
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| failed(BucketError::Runtime(cause)))?;
        let done =
            runtime.block_on(async { timeout(BUCKET_PUT_TIME_MAX, self.put_once(object)).await });
        // A look-up of a name may hang; nobody waits for it.
        runtime.shutdown_background();
        done.unwrap_or(Err(BucketError::TimedOut)).map_err(failed)
    }
}

fn add(headers: &mut HeaderMap, signature: Vec<(String, String)>) -> Result<(), http::Error> {
    for (name, value) in signature {
        let mut value = http::HeaderValue::try_from(value)?;
        value.set_sensitive(true);
        headers.insert(http::HeaderName::try_from(name)?, value);
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a text takes all that is written to it");
        digits
    })
}

/// S3's error code, if the answer has one: an answer may say anything.
fn refused(answer: &Response<Bytes>) -> BucketError {
    let text = str::from_utf8(answer.body()).unwrap_or_default();
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("", |(code, _)| code).chars();
    let code = code.filter(char::is_ascii_alphanumeric).take(CODE_CHARACTERS_MAX).collect();
    BucketError::Refused { status: answer.status(), code }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str, region: &str, endpoint: Option<&str>) -> Bucket {
        let options = BucketOptions {
            name: name.to_owned(),
            region: region.parse().unwrap(),
            endpoint: endpoint.map(|text| Url::parse(text).unwrap()),
            credentials_file: "credentials".into(),
            profile: "default".to_owned(),
            ca_file: None,
        };
        Bucket::new(options, Arc::new(service::SystemClock)).unwrap()
    }

    #[test]
    fn the_bucket_is_part_of_the_host_where_it_can_be() {
        let place = |bucket: &Bucket| (bucket.url.host_header(), bucket.folder.clone());
        let expected = |host: &str, folder: &str| (host.to_owned(), folder.to_owned());
        assert_eq!(
            place(&bucket("logs", "eu-west-1", None)),
            expected("logs.s3.eu-west-1.amazonaws.com", "/")
        );
        assert_eq!(
            place(&bucket("a.b", "cn-north-1", None)),
            expected("s3.cn-north-1.amazonaws.com.cn", "/a.b/")
        );
        assert_eq!(
            place(&bucket("logs", "us-east-1", Some("https://s3.example.com:9000"))),
            expected("s3.example.com:9000", "/logs/")
        );
    }

    #[test]
    fn of_an_answer_only_its_code_is_told() {
        let told = |body: &'static str| {
            let answer = Response::builder().status(403).body(Bytes::from(body)).unwrap();
            refused(&answer).to_string()
        };
        let start = "the bucket's store answered 403 Forbidden ";
        assert_eq!(told("<Error><Code>AccessDenied</Code>"), format!("{start}AccessDenied"));
        assert_eq!(told("<Code>\u{1b}[1m\nx</Code>"), format!("{start}1mx"));
        assert_eq!(told("nothing"), start);
    }
}

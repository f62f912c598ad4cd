//! Who calls AssumeRoleWithWebIdentity: nobody signs it, the token of an OIDC provider stands in for the signature.
//!
//! Everything here happens before the caller is known, so each step is bounded and costs less than what it needs to pass:
//! the request is read, the provider must be one of the role's account, and only then keys are looked at.

mod issuers;
mod token;

use std::sync::Arc;

use jiff::Timestamp;
use policy::{Principal, PrincipalKind};
use serde_json::Number;
use store::IdentityKind;
use wire::error_codes::ErrorCode;
use wire::iam::tags::Tag;
use wire::names::{AccountId, Partition, Region};
use wire::shape::{self, required};
use wire::sts::assume_role::AssumeRoleWithWebIdentityRequest;

pub use issuers::{FindingKeys, FoundKeys, Issuers};
use token::{Claims, Token};
pub use token::{InvalidKeySet, KeySet};

use crate::error::ServiceError;
use crate::host::Host;
use crate::iam::check_new_tags;
use crate::identities::{Identity, in_partitions};

/// How far the clocks of issuers may be ahead of ours, in seconds.
const CLOCK_SKEW_SECONDS_MAX: i64 = 300;
/// Session tags of one session (IAM User Guide, "IAM and AWS STS quotas").
const TAGS_MAX: usize = 50;
/// Characters of the key of a session tag.
const TAG_KEY_CHARACTERS_MAX: usize = 128;
/// Characters of the value of a session tag.
const TAG_VALUE_CHARACTERS_MAX: usize = 256;

/// Somebody for whom a provider vouches.
pub(crate) struct WebIdentity {
    /// The account whose role is asked for.
    pub(crate) account: AccountId,
    /// The ARN of the provider.
    pub(crate) provider_arn: String,
    /// The issuer without `https://`, in lower case: what its condition keys begin with.
    pub(crate) condition_prefix: String,
    /// For whom the token was made.
    pub(crate) audience: String,
    /// The audiences that the token names beside an authorised party.
    pub(crate) other_audiences: Vec<String>,
    /// Whom the token is about.
    pub(crate) subject: String,
    /// How the subject was authenticated.
    pub(crate) authentication_methods: Vec<String>,
    /// `PROVIDER:AUDIENCE:SUBJECT`.
    pub(crate) principal_id: String,
    /// Who stands behind the session.
    pub(crate) source_identity: Option<String>,
    /// The tags of the session.
    pub(crate) tags: Vec<Tag>,
    /// The keys of those tags that further sessions inherit.
    pub(crate) transitive_tag_keys: Vec<String>,
}

impl WebIdentity {
    /// The same as a principal, for each partition.
    pub(crate) fn principals(&self) -> [Principal; 3] {
        in_partitions(|_| Principal {
            account: self.account,
            arn: self.principal_id.as_str().into(),
            kind: PrincipalKind::WebIdentity { provider: self.provider_arn.as_str().into() },
        })
    }
}

/// The Region of a call that names none.
pub(crate) fn region(host: &Host) -> Result<Region, ServiceError> {
    match host.regions.as_deref().and_then(<[Region]>::first) {
        Some(region) => Ok(*region),
        None => "us-east-1".parse().map_err(|_| ServiceError::internal("us-east-1 is no Region")),
    }
}

/// Decides whether the token of a request is true.
pub(crate) async fn authenticate(
    host: &Host,
    body: &[u8],
    partition: Partition,
    now: Timestamp,
) -> Result<WebIdentity, ServiceError> {
    let request: AssumeRoleWithWebIdentityRequest = wire::query::decode(body)?;
    shape::validate(&request)?;
    if request.provider_id.is_some() {
        return Err(ServiceError::validation("ProviderId is for OAuth 2.0 access tokens only."));
    }
    let account = account_of(required(&request.role_arn)?, partition)?;
    let text = required(&request.web_identity_token)?.as_str();
    let token = Token::parse(text).ok_or_else(|| {
        invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    })?;
    let issuer = needed(token.claims.iss.as_deref(), "iss")?;
    let name = issuer.strip_prefix("https://").unwrap_or(issuer);
    let provider = host
        .identities
        .find(account, IdentityKind::OidcProvider, name)
        .filter(|provider| provider.name() == name && issuer.starts_with("https://"))
        .ok_or_else(|| {
            invalid(&format!("No OpenIDConnect provider found in your account for {issuer}"))
        })?;
    let keys = keys(host, issuer, token.key_id()).await?;
    if !token.is_signed_by(&keys) {
        return Err(invalid("The web identity token's signature cannot be verified"));
    }
    check_times(&token.claims, now)?;
    believe(account, &provider, partition, token.claims)
}

/// Somebody with a token that would say this, as JSON; nothing is signed, and the times of the token do not matter.
pub(crate) fn suppose(
    account: AccountId,
    provider: &Identity,
    partition: Partition,
    claims: &str,
) -> Result<WebIdentity, ServiceError> {
    let claims: Claims = serde_json::from_str(claims)
        .map_err(|error| invalid(&format!("The claims cannot be read: {error}")))?;
    believe(account, provider, partition, claims)
}

/// The keys of a provider that somebody made; only now is anybody asked for them.
async fn keys(
    host: &Host,
    issuer: &str,
    key_id: Option<&str>,
) -> Result<Arc<KeySet>, ServiceError> {
    let found = match &host.issuers {
        Some(issuers) => issuers.find(issuer, key_id).await,
        None => FoundKeys::Unknown,
    };
    match found {
        FoundKeys::Keys(keys) => Ok(keys),
        FoundKeys::Unknown => Err(invalid(
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        )),
        FoundKeys::Unreachable => Err(ServiceError::new(
            ErrorCode::IdpCommunicationError,
            "The identity provider that was asked to verify the web identity token could not be reached",
        )),
    }
}

/// The account of the role that is asked for.
fn account_of(role_arn: &str, partition: Partition) -> Result<AccountId, ServiceError> {
    role_arn
        .strip_prefix("arn:")
        .and_then(|rest| rest.strip_prefix(partition.as_str()))
        .and_then(|rest| rest.strip_prefix(":iam::"))
        .and_then(|rest| rest.split_once(":role/"))
        .and_then(|(account, _)| account.parse().ok())
        .ok_or_else(|| ServiceError::validation(format!("{role_arn} is invalid")))
}

/// Expiry to the second; of what lies ahead a little is put down to clocks.
fn check_times(claims: &Claims, now: Timestamp) -> Result<(), ServiceError> {
    let now = now.as_second();
    let expires = needed(claims.exp.as_ref().and_then(seconds), "exp")?;
    let issued = needed(claims.iat.as_ref().and_then(seconds), "iat")?;
    if now >= expires {
        return Err(ServiceError::new(
            ErrorCode::ExpiredWebIdentityToken,
            format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expires}"
            ),
        ));
    }
    let not_before = match &claims.nbf {
        Some(number) => needed(seconds(number), "nbf")?,
        None => issued,
    };
    match issued.max(not_before) <= now.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
        true => Ok(()),
        false => Err(invalid("The web identity token is not valid yet")),
    }
}

/// A NumericDate (RFC 7519, section 2), its fraction cut off.
fn seconds(number: &Number) -> Option<i64> {
    match number.as_i64() {
        Some(seconds) => Some(seconds),
        None => {
            let text = number.to_string();
            let (whole, fraction) = text.split_once('.')?;
            let is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
            whole.parse().ok().filter(|_| is_plain)
        }
    }
}

fn believe(
    account: AccountId,
    provider: &Identity,
    partition: Partition,
    claims: Claims,
) -> Result<WebIdentity, ServiceError> {
    let subject = needed(claims.sub.filter(|subject| !subject.is_empty()), "sub")?;
    let named = needed(claims.aud, "aud")?;
    let is_known = |audience: &&String| {
        provider.record().client_ids.iter().any(|row| row.client_id == **audience)
    };
    // Who the token was made for is its authorised party, if it names one.
    let (audience, other_audiences) = match &claims.azp {
        Some(party) => (Some(party).filter(is_known), named.as_slice()),
        None => (named.as_slice().iter().find(is_known), [].as_slice()),
    };
    let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?.clone();
    let (tags, transitive_tag_keys) = claims.tags.map(tags).transpose()?.unwrap_or_default();
    if claims.source_identity.as_deref().is_some_and(|text| !is_source_identity(text)) {
        return Err(invalid("The source identity in the web identity token is invalid"));
    }
    let provider_arn = provider.arn(partition);
    Ok(WebIdentity {
        account,
        condition_prefix: format!("{}:", provider.name().to_ascii_lowercase()),
        principal_id: format!("{provider_arn}:{audience}:{subject}"),
        provider_arn,
        audience,
        other_audiences: other_audiences.to_vec(),
        subject,
        authentication_methods: claims
            .amr
            .map(|methods| methods.as_slice().to_vec())
            .unwrap_or_default(),
        source_identity: claims.source_identity,
        tags,
        transitive_tag_keys,
    })
}

/// 2 to 64 characters of `[\w+=,.@-]` (AWS STS API Reference, AssumeRole).
fn is_source_identity(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// The session tags of a token, each with one value.
fn tags(given: token::Tags) -> Result<(Vec<Tag>, Vec<String>), ServiceError> {
    let refused = || invalid("The session tags in the web identity token are invalid");
    let mut tags = Vec::new();
    for (key, values) in given.principal_tags {
        let [value] = values.as_slice() else { return Err(refused()) };
        let (key_count, value_count) = (key.chars().count(), value.chars().count());
        if key_count == 0
            || key_count > TAG_KEY_CHARACTERS_MAX
            || value_count > TAG_VALUE_CHARACTERS_MAX
        {
            return Err(refused());
        }
        tags.push(Tag { key: Some(key), value: Some(value.clone()) });
    }
    let is_tag = |key: &String| tags.iter().any(|tag| tag.key.as_ref() == Some(key));
    if tags.len() > TAGS_MAX || !given.transitive_tag_keys.iter().all(is_tag) {
        return Err(refused());
    }
    check_new_tags(Some(&tags))?;
    Ok((tags, given.transitive_tag_keys))
}

fn needed<T>(claim: Option<T>, name: &str) -> Result<T, ServiceError> {
    claim.ok_or_else(|| invalid(&format!("Missing a required claim: {name}")))
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidIdentityToken, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_dates_are_whole_or_cut() {
        let read = |text: &str| seconds(&serde_json::from_str(text).unwrap());
        assert_eq!(read("1700000000"), Some(1_700_000_000));
        assert_eq!(read("1700000000.9"), Some(1_700_000_000));
        assert_eq!(read("-1"), Some(-1));
        for text in ["1.5e300", "18446744073709551615"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn session_tags_have_one_value_and_a_bounded_key() {
        let read = |text: &str| tags(serde_json::from_str(text).unwrap());
        let (given, transitive) = read(
            r#"{"principal_tags":{"Team":["blue"],"Stage":"test"},"transitive_tag_keys":["Team"]}"#,
        )
        .unwrap();
        assert_eq!((given.len(), transitive), (2, vec!["Team".to_owned()]));
        let long_key = format!(r#"{{"principal_tags":{{"{}":"a"}}}}"#, "k".repeat(129));
        let long_value = format!(r#"{{"principal_tags":{{"a":"{}"}}}}"#, "v".repeat(257));
        for text in [
            r#"{"principal_tags":{"Team":[]}}"#,
            r#"{"principal_tags":{"Team":["a","b"]}}"#,
            r#"{"principal_tags":{"":"a"}}"#,
            r#"{"principal_tags":{"Team":"a","team":"b"}}"#,
            r#"{"transitive_tag_keys":["Team"]}"#,
            &long_key,
            &long_value,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_arns_of_roles_name_an_account() {
        let account = |arn: &str| account_of(arn, Partition::Aws).ok().map(|id| id.to_string());
        let role = "arn:aws:iam::111122223333:role/a/b";
        assert_eq!(account(role).as_deref(), Some("111122223333"));
        for arn in [
            "arn:aws:iam::111122223333:user/a",
            "arn:aws-cn:iam::111122223333:role/a",
            "arn:aws:iam::1111:role/a",
            "arn:aws:sts::111122223333:role/a",
        ] {
            assert_eq!(account(arn), None, "{arn}");
        }
    }
}

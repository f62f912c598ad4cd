//! JSON Web Tokens of OIDC providers (RFC 7519, and OpenID Connect Core, section 2): read, and verified.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jws::{Algorithm, PublicKey};
use serde::Deserialize;
use serde_json::Number;

/// Keys of one issuer that are looked at.
const KEYS_MAX: usize = 64;

/// A token whose signature is still to be verified. Its claims are believed of nobody before.
pub(super) struct Token<'t> {
    header: Header,
    /// What it claims.
    pub(super) claims: Claims,
    signed: &'t [u8],
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that the reader must understand (RFC 7515, section 4.1.11), of which there are none here.
    crit: Option<serde_json::Value>,
}

/// The claims that are looked at; a token in which one of them stands twice is none.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) aud: Option<OneOrMany>,
    pub(super) azp: Option<String>,
    pub(super) exp: Option<Number>,
    pub(super) iat: Option<Number>,
    pub(super) nbf: Option<Number>,
    pub(super) amr: Option<OneOrMany>,
    #[serde(rename = "https://aws.amazon.com/source_identity")]
    pub(super) source_identity: Option<String>,
    #[serde(rename = "https://aws.amazon.com/tags")]
    pub(super) tags: Option<Tags>,
}

/// One text or a list of texts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(text) => std::slice::from_ref(text),
            OneOrMany::Many(texts) => texts,
        }
    }
}

/// Session tags in a token (IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity").
#[derive(Deserialize)]
pub(super) struct Tags {
    #[serde(default)]
    pub(super) principal_tags: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    pub(super) transitive_tag_keys: Vec<String>,
}

impl<'t> Token<'t> {
    /// Reads a token in compact form (RFC 7515, section 7.1); none if it is not one.
    pub(super) fn parse(text: &'t str) -> Option<Token<'t>> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Token { header, claims, signed: signed.as_bytes(), signature: decode(signature)? })
    }

    /// The id of the key that it says it is signed with.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether one of the keys verifies the signature.
    pub(super) fn is_signed_by(&self, keys: &KeySet) -> bool {
        let Some(algorithm) = Algorithm::from_name(&self.header.alg) else { return false };
        keys.0
            .iter()
            .filter(|key| self.header.kid.is_none() || key.id == self.header.kid)
            .filter(|key| key.algorithm.as_ref().is_none_or(|own| *own == self.header.alg))
            .any(|key| key.public_key.verify(algorithm, self.signed, &self.signature))
    }
}

/// The keys that an issuer signs with.
pub struct KeySet(Vec<Key>);

/// Why a text is no JSON Web Key Set.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON Web Key Set: {0}")]
pub struct InvalidKeySet(#[from] serde_json::Error);

struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    public_key: PublicKey,
}

#[derive(Deserialize)]
struct JsonWebKeySet {
    keys: Vec<JsonWebKey>,
}

#[derive(Deserialize)]
struct JsonWebKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517, section 5). Keys of kinds that are not known here, those that do not sign, and all
    /// after the first 64 are left out.
    ///
    /// # Errors
    /// The text is not JSON, or not a set of keys.
    pub fn parse(text: &[u8]) -> Result<KeySet, InvalidKeySet> {
        let set: JsonWebKeySet = serde_json::from_slice(text)?;
        Ok(KeySet(set.keys.into_iter().filter_map(JsonWebKey::read).take(KEYS_MAX).collect()))
    }

    /// Whether a token that names this key, or none, could be verified with one of these.
    pub fn has(&self, key_id: Option<&str>) -> bool {
        self.0.iter().any(|key| key_id.is_none() || key.id.as_deref() == key_id)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl JsonWebKey {
    fn read(self) -> Option<Key> {
        if self.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |member: Option<String>| URL_SAFE_NO_PAD.decode(member?).ok();
        let public_key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::rsa(&bytes(self.n)?, &bytes(self.e)?),
            ("EC", Some(curve)) => PublicKey::ec(curve, &bytes(self.x)?, &bytes(self.y)?)?,
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes(self.x)?),
            _ => return None,
        };
        Some(Key { id: self.kid, algorithm: self.alg, public_key })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn what_is_ambiguous_is_no_token() {
        assert!(Token::parse(&token(r#"{"alg":"ES256"}"#, r#"{"sub":"a"}"#)).is_some());
        for (header, payload) in [
            (r#"{"alg":"ES256","alg":"RS256"}"#, "{}"),
            (r#"{"alg":"ES256","crit":["b64"]}"#, "{}"),
            (r#"{"kid":"1"}"#, "{}"),
            (r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#),
            (r#"{"alg":"ES256"}"#, r#"{"aud":["a"],"aud":"b"}"#),
            (r#"{"alg":"ES256"}"#, r#"{"sub":1}"#),
            (r#"{"alg":"ES256"}"#, r#"{"sub":"a"} x"#),
            (r#"{"alg":"ES256"}"#, "[]"),
        ] {
            assert!(Token::parse(&token(header, payload)).is_none(), "{header} {payload}");
        }
        let good = token(r#"{"alg":"ES256"}"#, "{}");
        for bad in [good.replace('.', ""), format!("{good}.AA"), format!("{good}="), good + "!"] {
            assert!(Token::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn keys_that_do_not_sign_are_left_out() {
        let set = r#"{"keys":[{"kty":"oct","k":"AA"},{"kty":"RSA","use":"enc","n":"AQ","e":"AQ"},
            {"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA","n":"AQ","e":"AQ","kid":"1"}]}"#;
        let keys = KeySet::parse(set.as_bytes()).unwrap();
        let ids: Vec<_> = keys.0.iter().map(|key| key.id.as_deref()).collect();
        assert_eq!(ids, [Some("1")]);
        assert!(keys.has(Some("1")) && keys.has(None) && !keys.has(Some("2")));
        assert!(!KeySet::parse(br#"{"keys":[]}"#).unwrap().has(None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[A-Za-z0-9_.-]{0,200}") {
            let keys = KeySet::parse(br#"{"keys":[]}"#).unwrap();
            prop_assert!(!Token::parse(&text).is_some_and(|token| token.is_signed_by(&keys)));
        }
    }
}

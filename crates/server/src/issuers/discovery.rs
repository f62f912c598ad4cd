//! Where an issuer's keys are: at a URL that the operator names, or at the one in its discovery document (OpenID Connect
//! Discovery 1.0, section 4).

use std::{fmt, sync::Arc};

use serde::Deserialize;

use crate::configuration::{FetchedKeys, OidcDiscoveryHost};
use crate::outgoing::{Client, FetchError, Fetched, Url};

/// What stands behind an issuer's URL.
const DOCUMENT_PATH: &str = "/.well-known/openid-configuration";

/// Where the keys of one issuer are.
pub(super) enum Place {
    /// At this URL.
    Named { jwks_url: Url, client: Client },
    /// Where the issuer says, for the operator named it.
    Told { client: Client },
    /// Where the issuer says, if that is on one of these hosts: an account named it.
    Allowed { hosts: Arc<[OidcDiscoveryHost]> },
}

/// The members that count; the others may be anything.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Place {
    /// The place that the operator said.
    pub(super) fn of(keys: FetchedKeys) -> Place {
        let client = Client {
            ca_file: keys.ca_file,
            bearer_token_file: keys.bearer_token_file,
            public_only: false,
        };
        match keys.jwks_url {
            Some(jwks_url) => Place::Named { jwks_url, client },
            None => Place::Told { client },
        }
    }

    /// The place of an issuer that an account named; none unless it is on one of the hosts.
    pub(super) fn allowed(issuer: &str, hosts: &Arc<[OidcDiscoveryHost]>) -> Option<Place> {
        let url = Url::parse(issuer).filter(|_| !issuer.contains(['?', '#']))?;
        client_for(&url, hosts).map(|_| Place::Allowed { hosts: Arc::clone(hosts) })
    }

    /// Whether the operator named the issuer.
    pub(super) fn is_named(&self) -> bool {
        match self {
            Place::Named { .. } | Place::Told { .. } => true,
            Place::Allowed { .. } => false,
        }
    }

    /// Fetches the keys.
    pub(super) async fn fetch(&self, issuer: &str) -> Result<Fetched, FetchError> {
        match self {
            Place::Named { jwks_url, client } => client.get(jwks_url).await,
            Place::Told { client } => {
                let document_url = document_url(issuer)?;
                let jwks_url = jwks_url(&client.get(&document_url).await?, issuer)?;
                // The token is for the issuer, and not for whom it names.
                match jwks_url.has_origin_of(&document_url) {
                    true => client.get(&jwks_url).await,
                    false => client.without_token().get(&jwks_url).await,
                }
            }
            Place::Allowed { hosts } => {
                let not_allowed =
                    || FetchError::document("the keys are on a host that is not allowed");
                let document_url = document_url(issuer)?;
                let client = client_for(&document_url, hosts).ok_or_else(not_allowed)?;
                let jwks_url = jwks_url(&client.get(&document_url).await?, issuer)?;
                let client = client_for(&jwks_url, hosts).ok_or_else(not_allowed)?;
                client.get(&jwks_url).await
            }
        }
    }
}

fn document_url(issuer: &str) -> Result<Url, FetchError> {
    let text = format!("{}{DOCUMENT_PATH}", issuer.strip_suffix('/').unwrap_or(issuer));
    Url::parse(&text).ok_or_else(|| FetchError::document(&format!("{text} is no URL")))
}

/// Where a document says that the keys are. It must be of the issuer, letter for letter (section 4.3), or one issuer could pass
/// for another on the same host.
fn jwks_url(fetched: &Fetched, issuer: &str) -> Result<Url, FetchError> {
    let wrong = |problem: String| FetchError::document(&format!("discovery document: {problem}"));
    let document: Document =
        serde_json::from_slice(&fetched.body).map_err(|error| wrong(error.to_string()))?;
    if document.issuer != issuer {
        return Err(wrong(format!("is of the issuer {:?}", document.issuer)));
    }
    Url::parse(&document.jwks_uri)
        .filter(Url::is_tls)
        .ok_or_else(|| wrong(format!("jwks_uri {:?} is no https URL", document.jwks_uri)))
}

/// How the host of a URL is called; none if it may not be.
fn client_for(url: &Url, hosts: &[OidcDiscoveryHost]) -> Option<Client> {
    let name = url.host().to_ascii_lowercase();
    let is_host = |host: &&OidcDiscoveryHost| {
        let is_named = match host.name.strip_prefix('*') {
            Some(suffix) => name.strip_suffix(suffix).is_some_and(|start| !start.is_empty()),
            None => name == host.name,
        };
        is_named && host.port == url.port()
    };
    let host = hosts.iter().find(is_host).filter(|_| url.is_tls())?;
    Some(Client {
        ca_file: host.ca_file.clone(),
        bearer_token_file: None,
        public_only: !host.private_addresses,
    })
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Named { jwks_url, .. } => {
                write!(formatter, "{}{}", jwks_url.host_header(), jwks_url.path())
            }
            Place::Told { .. } | Place::Allowed { .. } => formatter.write_str("discovery"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn host(name: &str, port: u16) -> OidcDiscoveryHost {
        OidcDiscoveryHost { name: name.to_owned(), port, ca_file: None, private_addresses: false }
    }

    #[test]
    fn accounts_reach_hosts_that_are_allowed_and_no_others() {
        let hosts: Arc<[_]> = [host("a.example.com", 443), host("*.example.org", 8443)].into();
        let is_allowed = |issuer: &str| Place::allowed(issuer, &hosts).is_some();
        for issuer in
            ["https://a.example.com", "https://A.example.com/x/y", "https://b.c.example.org:8443/x"]
        {
            assert!(is_allowed(issuer), "{issuer}");
        }
        for issuer in [
            "https://b.a.example.com",
            "https://a.example.com.evil.example.net",
            "https://a.example.com:8443",
            "https://a.example.com@evil.example.net",
            "https://example.org:8443",
            "https://evilexample.org:8443",
            "https://b.example.org",
            "https://a.example.com/?x",
            "http://127.0.0.1:443",
        ] {
            assert!(!is_allowed(issuer), "{issuer}");
        }
    }

    #[test]
    fn a_document_is_of_its_issuer_and_leads_to_https() {
        let read = |issuer: &str, jwks_uri: &str| {
            let text = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}","x":[1]}}"#);
            let fetched = Fetched { body: Bytes::from(text), max_age_seconds: None };
            jwks_url(&fetched, "https://a/x").ok()
        };
        assert_eq!(read("https://a/x", "https://b/k"), Url::parse("https://b/k"));
        for issuer in ["https://a", "https://a/x/", "https://A/x", ""] {
            assert_eq!(read(issuer, "https://b/k"), None, "{issuer}");
        }
        for jwks_uri in ["http://127.0.0.1/k", "http://b/k", "file:///k", ""] {
            assert_eq!(read("https://a/x", jwks_uri), None, "{jwks_uri}");
        }
    }

    #[test]
    fn the_document_stands_behind_the_issuer() {
        let path = |issuer: &str| document_url(issuer).map(|url| url.path().to_owned()).ok();
        let expected = Some("/x/.well-known/openid-configuration".to_owned());
        assert_eq!(path("https://a/x"), expected);
        assert_eq!(path("https://a/x/"), expected);
    }
}

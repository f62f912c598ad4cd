//! Where the keys of OIDC issuers are fetched from: `[[oidc_issuer]]` and `[[oidc_discovery_host]]` tables (docs/oidc.md).

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigurationError, sources::line_of};
use crate::{
    limits::{OIDC_ISSUERS_MAX, OIDC_KEYS_KEPT_HOURS, OIDC_KEYS_KEPT_HOURS_MAX},
    outgoing::Url,
};

/// The names of the tables.
pub(super) const TABLES: [&str; 2] = ["oidc_issuer", "oidc_discovery_host"];

/// An issuer of OIDC tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcIssuer {
    /// The `iss` of its tokens, letter for letter.
    pub url: String,
    /// Where its keys are.
    pub keys: OidcKeys,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OidcKeys {
    /// In a file of the operator's.
    File(PathBuf),
    /// At a URL.
    Fetched(FetchedKeys),
}

/// How keys are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The URL of the JSON Web Key Set; the one that the issuer's discovery document names when absent.
    pub jwks_url: Option<Url>,
    /// Who is believed to be the other end, in PEM; the system's certificates when absent.
    pub ca_file: Option<PathBuf>,
    /// The token that is shown there.
    pub bearer_token_file: Option<PathBuf>,
    /// How long keys are believed while no newer ones can be fetched, in hours.
    pub keys_kept_hours: u16,
}

/// A host whose issuers are asked for their keys once an account has a provider of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcDiscoveryHost {
    /// Its name, or `*.` and what its name ends with.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// Who is believed to be the host, in PEM; the system's certificates when absent.
    pub ca_file: Option<PathBuf>,
    /// Whether the host may be in a network of one's own.
    pub private_addresses: bool,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    oidc_issuer: Vec<Spanned<WrittenIssuer>>,
    #[serde(default)]
    oidc_discovery_host: Vec<Spanned<WrittenHost>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIssuer {
    url: String,
    keys_file: Option<PathBuf>,
    jwks_url: Option<String>,
    ca_file: Option<PathBuf>,
    bearer_token_file: Option<PathBuf>,
    keys_kept_hours: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHost {
    host: String,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    private_addresses: bool,
}

/// The issuers and hosts that a TOML text names.
pub(super) fn toml(
    path: &str,
    text: &str,
) -> Result<(Vec<OidcIssuer>, Vec<OidcDiscoveryHost>), ConfigurationError> {
    let wrong = |start: usize, problem: &str| ConfigurationError::OidcIssuer {
        path: path.to_owned(),
        line: line_of(text, &(start..start)),
        problem: problem.replace('\n', ", "),
    };
    let written: Written = toml::from_str(text)
        .map_err(|error| wrong(error.span().unwrap_or_default().start, error.message()))?;
    let issuers = written.oidc_issuer.into_iter().map(|table| {
        let start = table.span().start;
        issuer(table.into_inner()).map_err(|problem| wrong(start, problem))
    });
    let hosts = written.oidc_discovery_host.into_iter().map(|table| {
        let start = table.span().start;
        host(table.into_inner()).map_err(|problem| wrong(start, problem))
    });
    Ok((issuers.collect::<Result<_, _>>()?, hosts.collect::<Result<_, _>>()?))
}

/// All issuers together; none stands twice, and they are not more than can be kept fresh.
pub(super) fn joined(
    files: Vec<(String, PathBuf)>,
    tables: Vec<OidcIssuer>,
) -> Result<Vec<OidcIssuer>, ConfigurationError> {
    let files = files.into_iter().map(|(url, file)| OidcIssuer { url, keys: OidcKeys::File(file) });
    let all: Vec<_> = files.chain(tables).collect();
    let mut urls: Vec<_> = all.iter().map(|issuer| issuer.url.as_str()).collect();
    urls.sort_unstable();
    if let Some(url) = urls.windows(2).find_map(|pair| match pair {
        [first, second] if first == second => Some(*first),
        _ => None,
    }) {
        return Err(ConfigurationError::OidcIssuerTwice(url.to_owned()));
    }
    match all.len() <= OIDC_ISSUERS_MAX {
        true => Ok(all),
        false => Err(ConfigurationError::OidcIssuersTooMany(all.len())),
    }
}

fn issuer(written: WrittenIssuer) -> Result<OidcIssuer, &'static str> {
    let url = written.url;
    if !url.starts_with("https://") || url.contains(['?', '#']) || Url::parse(&url).is_none() {
        return Err("url is the issuer's: https, without query and fragment");
    }
    let fetched = FetchedKeys {
        jwks_url: match written.jwks_url {
            Some(text) => Some(Url::parse(&text).ok_or(
                "jwks_url is not a URL with https (http is for loopback addresses) and no user",
            )?),
            None => None,
        },
        ca_file: written.ca_file,
        bearer_token_file: written.bearer_token_file,
        keys_kept_hours: written.keys_kept_hours.unwrap_or(OIDC_KEYS_KEPT_HOURS),
    };
    if !(1..=OIDC_KEYS_KEPT_HOURS_MAX).contains(&fetched.keys_kept_hours) {
        return Err("keys_kept_hours is a number from 1 to 720");
    }
    let is_fetched = fetched.jwks_url.is_some()
        || fetched.ca_file.is_some()
        || fetched.bearer_token_file.is_some()
        || written.keys_kept_hours.is_some();
    let keys = match written.keys_file {
        Some(_) if is_fetched => return Err("keys in a file are not fetched: leave the rest out"),
        Some(path) => OidcKeys::File(path),
        None => OidcKeys::Fetched(fetched),
    };
    Ok(OidcIssuer { url, keys })
}

fn host(written: WrittenHost) -> Result<OidcDiscoveryHost, &'static str> {
    let problem = "host is a name or *.name, with a port where it is not 443";
    let is_wildcard = written.host.starts_with("*.");
    let text = written.host.strip_prefix("*.").unwrap_or(&written.host);
    let url = Url::parse(&format!("https://{text}")).ok_or(problem)?;
    // `*.com` would be nearly everybody.
    if text.contains(['/', '?', '#', '*']) || (is_wildcard && !text.contains('.')) {
        return Err(problem);
    }
    let name = url.host().to_ascii_lowercase();
    Ok(OidcDiscoveryHost {
        name: if is_wildcard { format!("*.{name}") } else { name },
        port: url.port(),
        ca_file: written.ca_file,
        private_addresses: written.private_addresses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_have_a_file_or_a_url_or_are_asked() {
        let text = "[[oidc_issuer]]\nurl = \"https://a\"\nkeys_file = \"/a.json\"\n\
            [[oidc_issuer]]\nurl = \"https://b/x\"\njwks_url = \"https://c:6443/jwks\"\n\
            bearer_token_file = \"/token\"\nkeys_kept_hours = 2\n\
            [[oidc_issuer]]\nurl = \"https://c\"\nca_file = \"/ca.pem\"\n";
        let (issuers, hosts) = toml("k.toml", text).unwrap();
        assert!(hosts.is_empty());
        let [a, b, c] = issuers.as_slice() else { panic!("{issuers:?}") };
        assert_eq!(a.keys, OidcKeys::File("/a.json".into()));
        let fetched = |issuer: &OidcIssuer| match &issuer.keys {
            OidcKeys::Fetched(fetched) => fetched.clone(),
            OidcKeys::File(path) => panic!("{path:?}"),
        };
        assert_eq!(fetched(b).jwks_url, Url::parse("https://c:6443/jwks"));
        assert_eq!((fetched(b).keys_kept_hours, fetched(c).keys_kept_hours), (2, 24));
        assert_eq!((fetched(c).jwks_url, fetched(c).ca_file), (None, Some("/ca.pem".into())));
    }

    #[test]
    fn hosts_are_names_with_a_port() {
        let text = "[[oidc_discovery_host]]\nhost = \"*.Example.com:8443\"\n\
            [[oidc_discovery_host]]\nhost = \"a.example.com\"\nprivate_addresses = true\n";
        let (_, hosts) = toml("k.toml", text).unwrap();
        let named: Vec<_> = hosts
            .iter()
            .map(|host| (host.name.as_str(), host.port, host.private_addresses))
            .collect();
        assert_eq!(named, [("*.example.com", 8443, false), ("a.example.com", 443, true)]);
    }

    #[test]
    fn what_is_not_an_issuer_is_refused_with_its_line() {
        for (table, line) in [
            ("[[oidc_issuer]]\nurl = \"http://a\"", 2),
            ("[[oidc_issuer]]\nurl = \"https://a?b\"", 2),
            ("[[oidc_issuer]]\nurl = \"https://a\"\nkeys_file = \"a\"\nca_file = \"b\"", 2),
            ("[[oidc_issuer]]\nurl = \"https://a\"\njwks_url = \"http://b.example.com\"", 2),
            ("[[oidc_issuer]]\nurl = \"https://a\"\nkeys_kept_hours = 0", 2),
            ("[[oidc_issuer]]\nurl = \"https://a\"\njwks_uri = \"https://b\"", 4),
            ("[[oidc_issuer]]\nkeys_file = \"a\"", 2),
            ("[[oidc_discovery_host]]\nhost = \"*.com\"", 2),
            ("[[oidc_discovery_host]]\nhost = \"*\"", 2),
            ("[[oidc_discovery_host]]\nhost = \"a/b\"", 2),
        ] {
            let error = toml("k.toml", &format!("\n{table}\n")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("k.toml:{line}: ")), "{table}: {error}");
        }
    }

    #[test]
    fn no_issuer_stands_twice() {
        let file = |url: &str| (url.to_owned(), PathBuf::from("a"));
        let (tables, _) = toml("k.toml", "[[oidc_issuer]]\nurl = \"https://a\"\n").unwrap();
        assert_eq!(joined(vec![file("https://b")], tables.clone()).unwrap().len(), 2);
        assert!(joined(vec![file("https://a")], tables).is_err());
        let many = (0..=OIDC_ISSUERS_MAX).map(|number| file(&format!("https://{number}")));
        assert!(joined(many.collect(), Vec::new()).is_err());
    }
}

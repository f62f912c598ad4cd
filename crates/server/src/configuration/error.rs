//! Why settings were refused: where, what was found, what was expected, and an example to copy.

use std::{io, net::SocketAddr};

use super::{
    sources::Place,
    table::{CONFIG, SETTINGS, Setting},
};

/// Why the settings were refused, in the operator's words: where, what was found, what was expected, an example.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A value that means nothing for its setting.
    #[error("{place}: found {found}; expected {expected}, for example: {example}")]
    Wrong {
        /// The line, variable or flag.
        place: String,
        /// The value.
        found: String,
        /// What a right value is.
        expected: &'static str,
        /// A right value, written as in the same place.
        example: String,
    },
    /// A line of the file that names no setting.
    #[error(
        "{path}:{line}: unknown setting {name:?}; expected one of {}, for example: {}",
        names(),
        CONFIGURATION_EXAMPLE
    )]
    UnknownName {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// The unknown name.
        name: String,
    },
    /// A service that cannot be registered so.
    #[error(
        "{path}:{line}: {name}: found {found}; expected {expected}, for example: [[service]] {example}"
    )]
    Service {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// The setting of the service.
        name: String,
        /// The value.
        found: String,
        /// What a right value is.
        expected: &'static str,
        /// A right value, written as in the file.
        example: &'static str,
    },
    /// A trail that cannot be delivered so.
    #[error(
        "{path}:{line}: {name}: found {found}; expected {expected}, for example: [trail] {example}"
    )]
    Trail {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// The setting of the trail.
        name: String,
        /// The value.
        found: String,
        /// What a right value is.
        expected: &'static str,
        /// A right value, written as in the file.
        example: &'static str,
    },
    /// A line of the custody table that cannot be as it is written.
    #[error(
        "{path}:{line}: found {found}; expected provider (\"file\", \"passphrase\" or \"shamir\") and passphrase_file, for \
         example: provider = \"shamir\""
    )]
    Custody {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A sink of events that cannot be as it is written.
    #[error(
        "{path}:{line}: {problem}; expected an [[event_sink]] with name, file or webhook with secret_file and \
         ca_file, detail_types and accounts, for example: [[event_sink]] name = \"log\" \
         file = \"/var/log/keystead-events.jsonl\""
    )]
    EventSink {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An OIDC issuer or discovery host that cannot be as it is written.
    #[error(
        "{path}:{line}: {problem}; expected an [[oidc_issuer]] with url, keys_file or jwks_url, ca_file, \
         bearer_token_file and keys_kept_hours, or an [[oidc_discovery_host]] with host, ca_file and \
         private_addresses, for example: [[oidc_issuer]] url = \"https://token.example.com\""
    )]
    OidcIssuer {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An OIDC issuer that is said twice, in tables or in oidc_keys.
    #[error(
        "the OIDC issuer {0} is there twice; expected one [[oidc_issuer]] or one entry of oidc_keys, for \
         example: oidc_keys = [\"https://token.example.com=/etc/keystead/token.example.com.json\"]"
    )]
    OidcIssuerTwice(String),
    /// More OIDC issuers than can be kept fresh.
    #[error(
        "{0} OIDC issuers; expected 256 at the most, and a host where many are one [[oidc_discovery_host]], for \
         example: [[oidc_discovery_host]] host = \"token.example.com\""
    )]
    OidcIssuersTooMany(usize),
    /// A variable with our prefix that names no setting.
    #[error(
        "unknown environment variable {0}; expected one of {known}, for example: KEYSTEAD_LISTEN=127.0.0.1:7600",
        known = variables()
    )]
    UnknownVariable(String),
    /// The file is not TOML.
    #[error(
        "{path}:{line}: {problem}; expected lines of TOML, for example: {CONFIGURATION_EXAMPLE}"
    )]
    NotToml {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// The file cannot be read.
    #[error("{path}: {cause}; expected a readable TOML file, for example: {CONFIGURATION_EXAMPLE}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the machine says.
        cause: io::Error,
    },
    /// The file is longer than any that was meant.
    #[error(
        "{path}: longer than 1 MiB; expected lines of TOML, for example: {CONFIGURATION_EXAMPLE}"
    )]
    TooLong {
        /// The file.
        path: String,
    },
    /// A setting without default of which nobody said anything.
    #[error("nothing says {0}")]
    NotSaid(&'static str),
    /// One half of the TLS pair.
    #[error(
        "{said} is set and {missing} is not; expected both, for example: \
         --tls-certificate certificate.pem --tls-key key.pem"
    )]
    HalfTls {
        /// The setting that is said.
        said: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// A listener that others reach would speak plain HTTP.
    #[error(
        "{flag} {address} is reached from other machines and plain HTTP is for loopback only; expected \
         --tls-certificate and --tls-key as well (`keystead tls self-signed` makes a pair to try with), \
         or a loopback address, for example: {flag} 127.0.0.1:{port}",
        port = address.port()
    )]
    PlainOutsideLoopback {
        /// The flag of the listener.
        flag: &'static str,
        /// Its address.
        address: SocketAddr,
    },
}

const CONFIGURATION_EXAMPLE: &str = "listen = \"127.0.0.1:7600\"";

impl ConfigurationError {
    pub(super) fn wrong(setting: &Setting, found: String, place: &Place) -> ConfigurationError {
        let (place, example) = match place {
            Place::Default => (format!("default of {}", setting.name), setting.example.to_owned()),
            Place::File { path, line } => {
                let place = format!("{path}:{line}: {}", setting.name);
                (place, format!("{} = {:?}", setting.name, setting.example))
            }
            Place::Environment => {
                let variable = setting.variable();
                let example = format!("{variable}={}", setting.example);
                (format!("environment variable {variable}"), example)
            }
            Place::Flag => {
                let flag = setting.flag;
                (format!("--{flag}"), format!("--{flag} {}", setting.example))
            }
        };
        ConfigurationError::Wrong { place, found, expected: setting.expected, example }
    }
}

fn names() -> String {
    SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ")
}

fn variables() -> String {
    [&CONFIG].into_iter().chain(SETTINGS).map(Setting::variable).collect::<Vec<_>>().join(", ")
}

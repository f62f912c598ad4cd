//! What the operator said: settings from flags, environment, file and defaults, refused whole when one is wrong.
//!
//! Nothing is opened before all of it is known to be right. This module is the only reader of the environment.

mod custody;
mod error;
mod event_sinks;
mod issuers;
mod services;
mod sources;
mod table;
mod trail;
mod values;

use std::{
    ffi::OsString,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use service::{Durability, QuotaAdjustment, QuotaMode, RegisteredService, TrailOptions};
use tracing_subscriber::filter::Targets;
use wire::names::{AccountId, Region};

pub use crate::outgoing::Url;
pub use custody::CustodySettings;
pub use error::ConfigurationError;
pub use event_sinks::{EventSink, EventTarget, Webhook};
pub use issuers::{FetchedKeys, OidcDiscoveryHost, OidcIssuer, OidcKeys};
use sources::{Place, Said, Sources};
use table::{CONFIG, SETTINGS, Setting};
pub(crate) use values::is_loopback;

/// Everything that can be set, after all that was said about it has been weighed.
pub struct Settings {
    /// Where keys, accounts and the journal live.
    pub data_dir: PathBuf,
    /// Where AWS clients connect.
    pub listen: SocketAddr,
    /// Where health and metrics are asked.
    pub admin_listen: SocketAddr,
    /// The account that the first start makes.
    pub account_id: AccountId,
    /// The Regions served; `None` serves every one.
    pub regions: Option<Vec<Region>>,
    /// The file that was read, if any.
    pub config: Option<PathBuf>,
    /// The services that may call; only a file can say them.
    pub services: Vec<RegisteredService>,
    /// The trail; only a file can say it.
    pub trail: Option<TrailOptions>,
    /// Where the root key comes from; only a file can say it.
    pub custody: CustodySettings,
    /// Who is told of events; only a file can say them.
    pub event_sinks: Vec<EventSink>,
    /// The certificate and key of TLS; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// When the journal reaches the disk.
    pub journal_durability: Durability,
    /// For how many days records are kept in the journal; `None` keeps them for good.
    pub journal_keep_days: Option<u16>,
    /// Memory for known keys.
    pub cache_bytes: usize,
    /// The file of those whose attestation documents are believed; `None` is AWS's root.
    pub attestation_roots: Option<PathBuf>,
    /// The file that names the policies of an organization or of the endpoint; `None` limits nobody.
    pub guard_rails: Option<PathBuf>,
    /// The issuers of OIDC tokens, and where the keys are that they sign with.
    pub oidc_issuers: Vec<OidcIssuer>,
    /// The hosts whose issuers accounts may name; only a file can say them, and there are none unless it does.
    pub oidc_discovery_hosts: Vec<OidcDiscoveryHost>,
    /// Locked memory for unwrapped key material.
    pub arena_bytes: usize,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: Targets,
    /// What is done with calls beyond a request quota.
    pub request_quotas: QuotaMode,
    /// Request quotas that are not AWS's.
    pub request_quota_adjustments: Vec<QuotaAdjustment>,
    /// Whether refusals bear encoded authorization messages.
    pub encoded_authorization_messages: bool,
    /// Threads that answer; `None` is one for each processor allowed.
    pub threads: Option<NonZeroUsize>,
}

/// The two files of a TLS identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain in PEM.
    pub certificate: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// The environment of this process, for [`ServeFlags::resolve`]; read here and nowhere else.
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The flags of `serve`: every setting of the table.
#[derive(Clone)]
pub struct ServeFlags(Vec<Said>);

/// The flags of commands that only need to find the data directory.
#[derive(Clone)]
pub struct DataDirFlags(Vec<Said>);

impl ServeFlags {
    /// Weighs everything that was said: flags over environment over the file over the defaults.
    pub fn resolve(
        self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, ConfigurationError> {
        resolve(self.0, environment)
    }
}

impl DataDirFlags {
    /// As for `serve`, so that both find the same directory.
    pub fn resolve(
        self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, ConfigurationError> {
        resolve(self.0, environment)
    }
}

fn resolve(
    flags: Vec<Said>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, ConfigurationError> {
    let mut above_file = Sources::default();
    above_file.add(sources::environment(environment)?);
    above_file.add(flags);
    let mut services = Vec::new();
    let (mut oidc_issuers, mut oidc_discovery_hosts) = (Vec::new(), Vec::new());
    let mut trail = None;
    let mut custody = CustodySettings::default();
    let mut event_sinks = Vec::new();
    let mut all = Sources::default();
    all.add(sources::defaults());
    if let Some(path) = optional(&above_file, CONFIG.name, values::path)? {
        let text = sources::file(&path)?;
        let shown = path.display().to_string();
        all.add(sources::toml(&shown, &text)?);
        services = services::toml(&shown, &text)?;
        (oidc_issuers, oidc_discovery_hosts) = issuers::toml(&shown, &text)?;
        trail = trail::toml(&shown, &text)?;
        custody = custody::toml(&shown, &text)?;
        event_sinks = event_sinks::toml(&shown, &text)?;
    }
    all.append(above_file);
    let key_files = optional(&all, "oidc_keys", values::oidc_keys)?.unwrap_or_default();
    let oidc_issuers = issuers::joined(key_files, oidc_issuers)?;
    let settings = Settings {
        services,
        trail,
        custody,
        event_sinks,
        oidc_issuers,
        oidc_discovery_hosts,
        ..read(&all)?
    };
    refuse_plain_outside_loopback(&settings)?;
    Ok(settings)
}

/// The services that a configuration file registers; the file is refused whole if anything in it cannot be read.
pub(crate) fn services(path: &Path) -> Result<Vec<RegisteredService>, ConfigurationError> {
    let text = sources::file(path)?;
    let shown = path.display().to_string();
    sources::toml(&shown, &text)?;
    services::toml(&shown, &text)
}

fn read(all: &Sources) -> Result<Settings, ConfigurationError> {
    Ok(Settings {
        data_dir: required(all, "data_dir", values::path)?,
        listen: required(all, "listen", values::address)?,
        admin_listen: required(all, "admin_listen", values::address)?,
        account_id: required(all, "account_id", values::account_id)?,
        regions: optional(all, "regions", values::regions)?,
        config: optional(all, CONFIG.name, values::path)?,
        services: Vec::new(),
        trail: None,
        custody: CustodySettings::default(),
        event_sinks: Vec::new(),
        tls: tls_files(
            optional(all, "tls_certificate", values::path)?,
            optional(all, "tls_key", values::path)?,
        )?,
        attestation_roots: optional(all, "attestation_roots", values::path)?,
        guard_rails: optional(all, "guard_rails", values::path)?,
        oidc_issuers: Vec::new(),
        oidc_discovery_hosts: Vec::new(),
        journal_durability: required(all, "journal_durability", values::journal_durability)?,
        journal_keep_days: optional(all, "journal_keep_days", values::journal_keep_days)?,
        cache_bytes: required(all, "cache_bytes", values::cache_bytes)?,
        arena_bytes: required(all, "arena_bytes", values::arena_bytes)?,
        log_format: required(all, "log_format", values::log_format)?,
        log_level: required(all, "log_level", values::log_level)?,
        request_quotas: required(all, "request_quotas", values::request_quotas)?,
        request_quota_adjustments: optional(
            all,
            "request_quota_adjustments",
            values::request_quota_adjustments,
        )?
        .unwrap_or_default(),
        encoded_authorization_messages: required(
            all,
            "encoded_authorization_messages",
            values::switch,
        )?,
        threads: optional(all, "threads", values::threads)?,
    })
}

fn required<T>(
    all: &Sources,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, ConfigurationError> {
    optional(all, name, parse)?.ok_or(ConfigurationError::NotSaid(name))
}

fn optional<T>(
    all: &Sources,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, ConfigurationError> {
    let Some(said) = all.last(name) else { return Ok(None) };
    let Some(value) = parse(&said.text) else {
        return Err(ConfigurationError::wrong(
            said.setting,
            format!("{:?}", said.text),
            &said.place,
        ));
    };
    Ok(Some(value))
}

fn tls_files(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigurationError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(ConfigurationError::HalfTls { said: "tls_certificate", missing: "tls_key" })
        }
        (None, Some(_)) => {
            Err(ConfigurationError::HalfTls { said: "tls_key", missing: "tls_certificate" })
        }
    }
}

fn refuse_plain_outside_loopback(settings: &Settings) -> Result<(), ConfigurationError> {
    let listeners = [("--listen", settings.listen), ("--admin-listen", settings.admin_listen)];
    for (flag, address) in listeners {
        if settings.tls.is_none() && !is_loopback(address.ip()) {
            return Err(ConfigurationError::PlainOutsideLoopback { flag, address });
        }
    }
    Ok(())
}

fn every_setting() -> impl Iterator<Item = &'static Setting> {
    [&CONFIG].into_iter().chain(SETTINGS)
}

fn data_dir_settings() -> impl Iterator<Item = &'static Setting> {
    every_setting().filter(|setting| ["config", "data_dir"].contains(&setting.name))
}

fn augment(command: Command, settings: impl Iterator<Item = &'static Setting>) -> Command {
    command.args(settings.map(|setting| {
        let default =
            setting.default.map_or_else(String::new, |default| format!("[default: {default}] "));
        let help = format!(
            "{}\n{default}[example: {}] [env: {}]",
            setting.help,
            setting.example,
            setting.variable()
        );
        Arg::new(setting.name).long(setting.flag).value_name(setting.value_name).help(help)
    }))
}

fn said(matches: &ArgMatches, settings: impl Iterator<Item = &'static Setting>) -> Vec<Said> {
    settings
        .filter_map(|setting| {
            let text = matches.get_one::<String>(setting.name)?.clone();
            Some(Said { setting, text, place: Place::Flag })
        })
        .collect()
}

impl FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ServeFlags, clap::Error> {
        Ok(ServeFlags(said(matches, every_setting())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = ServeFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServeFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, every_setting())
    }

    fn augment_args_for_update(command: Command) -> Command {
        ServeFlags::augment_args(command)
    }
}

impl FromArgMatches for DataDirFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<DataDirFlags, clap::Error> {
        Ok(DataDirFlags(said(matches, data_dir_settings())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = DataDirFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for DataDirFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, data_dir_settings())
    }

    fn augment_args_for_update(command: Command) -> Command {
        DataDirFlags::augment_args(command)
    }
}

#[cfg(test)]
mod tests;

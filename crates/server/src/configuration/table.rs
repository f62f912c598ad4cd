//! The table of settings: the one place that states each name, its default and its explanation.
//!
//! The flag, the environment variable and the line in the file are all spelled from the row's name, and every
//! refusal takes its words from the row.

/// One setting, as its reader is told about it.
pub(crate) struct Setting {
    /// The name in the file, for example `admin_listen`.
    pub(crate) name: &'static str,
    /// The name with dashes for underscores: the flag, whose text clap wants for ever.
    pub(crate) flag: &'static str,
    /// What stands for the value in the help text.
    pub(crate) value_name: &'static str,
    /// The value when nothing is said, in the form in which it would be said.
    pub(crate) default: Option<&'static str>,
    /// What a right value is.
    pub(crate) expected: &'static str,
    /// A right value.
    pub(crate) example: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

impl Setting {
    /// `KEYSTEAD_ADMIN_LISTEN`.
    pub(crate) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

/// What our environment variables begin with.
pub(crate) const VARIABLE_PREFIX: &str = "KEYSTEAD_";

/// The file that says the rest; it cannot be said in a file.
pub(crate) const CONFIG: Setting = Setting {
    name: "config",
    flag: "config",
    value_name: "FILE",
    default: None,
    expected: "the path of a TOML file",
    example: "/etc/keystead.toml",
    help: "A TOML file that says any of the settings below, named as the flags with _ for -",
};

/// The settings that a file may say as a list.
pub(crate) const LISTS: [&str; 3] = ["regions", "oidc_keys", "request_quota_adjustments"];

/// Every setting that flags, environment and file can say, in the order of the help text.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "data_dir",
        flag: "data-dir",
        value_name: "DIR",
        default: Some("keystead-data"),
        expected: "the path of a directory",
        example: "/var/lib/keystead",
        help: "Where keys, accounts and the journal live; made at the first start",
    },
    Setting {
        name: "listen",
        flag: "listen",
        value_name: "ADDRESS:PORT",
        default: Some("127.0.0.1:7600"),
        expected: "an IP address and a port",
        example: "127.0.0.1:7600",
        help: "Where AWS clients connect; port 0 takes a free one; outside loopback only with TLS",
    },
    Setting {
        name: "admin_listen",
        flag: "admin-listen",
        value_name: "ADDRESS:PORT",
        default: Some("127.0.0.1:7601"),
        expected: "an IP address and a port",
        example: "127.0.0.1:7601",
        help: "Where /healthz, /readyz and /metrics answer whoever asks; outside loopback only with TLS",
    },
    Setting {
        name: "account_id",
        flag: "account-id",
        value_name: "ID",
        default: Some("111122223333"),
        expected: "the 12 digits of an AWS account id",
        example: "111122223333",
        help: "The account that the first start makes",
    },
    Setting {
        name: "regions",
        flag: "regions",
        value_name: "REGION,...",
        default: None,
        expected: "AWS Region names with commas between them, or a TOML list of them",
        example: "us-east-1,eu-central-1",
        help: "The Regions that are served; all when not said",
    },
    Setting {
        name: "tls_certificate",
        flag: "tls-certificate",
        value_name: "FILE",
        default: None,
        expected: "the path of a PEM file with the certificate chain, the server's own first",
        example: "/etc/keystead/certificate.pem",
        help: "The certificate chain in PEM; read again on SIGHUP and when it changes",
    },
    Setting {
        name: "tls_key",
        flag: "tls-key",
        value_name: "FILE",
        default: None,
        expected: "the path of a PEM file with the certificate's private key",
        example: "/etc/keystead/key.pem",
        help: "The private key of the certificate in PEM",
    },
    Setting {
        name: "attestation_roots",
        flag: "attestation-roots",
        value_name: "FILE",
        default: None,
        expected: "the path of a PEM file with root certificates",
        example: "/etc/keystead/attestation-roots.pem",
        help: "Whose attestation documents are believed, in place of AWS's Nitro root",
    },
    Setting {
        name: "guard_rails",
        flag: "guard-rails",
        value_name: "FILE",
        default: None,
        expected: "the path of a TOML file that names policies of an organization or an endpoint",
        example: "/etc/keystead/guard-rails.toml",
        help: "Service and resource control policies, and the endpoint's; read again on SIGHUP and when it changes",
    },
    Setting {
        name: "oidc_keys",
        flag: "oidc-keys",
        value_name: "URL=FILE,...",
        default: None,
        expected: "issuers' https URLs with the paths of their key sets, with commas between them, or a TOML list of them",
        example: "https://token.example.com=/etc/keystead/token.example.com.json",
        help: "The JSON Web Key Sets of OIDC issuers whose tokens AssumeRoleWithWebIdentity takes; read again when they change",
    },
    Setting {
        name: "journal_durability",
        flag: "journal-durability",
        value_name: "WHEN",
        default: Some("50ms"),
        expected: "\"strict\" or an interval from 1ms to 10000ms",
        example: "strict",
        help: "How long an answered call's audit record may wait for the disk; strict waits before the answer",
    },
    Setting {
        name: "journal_keep_days",
        flag: "journal-keep-days",
        value_name: "DAYS",
        default: None,
        expected: "a number of days from 1 to 36500",
        example: "400",
        help: "How long records are kept in the audit journal before their segments are deleted; for good if not said",
    },
    Setting {
        name: "cache_bytes",
        flag: "cache-bytes",
        value_name: "BYTES",
        default: Some("64MiB"),
        expected: "a size of 1MiB or more, in bytes or with KiB, MiB or GiB",
        example: "64MiB",
        help: "Memory for keys that are known without asking the store",
    },
    Setting {
        name: "arena_bytes",
        flag: "arena-bytes",
        value_name: "BYTES",
        default: Some("4MiB"),
        expected: "a size from 64KiB to 1GiB, in bytes or with KiB, MiB or GiB",
        example: "4MiB",
        help: "Locked memory for unwrapped key material; the limit of locked memory (ulimit -l) must allow it",
    },
    Setting {
        name: "log_format",
        flag: "log-format",
        value_name: "FORMAT",
        default: Some("text"),
        expected: "\"text\" or \"json\"",
        example: "json",
        help: "How log lines look; they go to standard error",
    },
    Setting {
        name: "log_level",
        flag: "log-level",
        value_name: "LEVEL",
        default: Some("info"),
        expected: "off, error, warn, info, debug or trace, for all or by part",
        example: "info,server=debug",
        help: "What is logged; server=debug adds a line for each request",
    },
    Setting {
        name: "request_quotas",
        flag: "request-quotas",
        value_name: "MODE",
        default: Some("off"),
        expected: "\"off\", \"shadow\" or \"enforced\"",
        example: "enforced",
        help: "AWS's request quotas by account and Region: not counted, counted only, or enforced by ThrottlingException",
    },
    Setting {
        name: "request_quota_adjustments",
        flag: "request-quota-adjustments",
        value_name: "ACCOUNT/REGION/QUOTA=RATE,...",
        default: None,
        expected: "quotas with their calls a second, with commas between them, or a TOML list of them; * for all accounts or Regions",
        example: "*/*/CreateKey=50,111122223333/*/CryptographicOperationsRsa=5000",
        help: "Quotas that are not AWS's; docs/quotas.md has their names",
    },
    Setting {
        name: "encoded_authorization_messages",
        flag: "encoded-authorization-messages",
        value_name: "SWITCH",
        default: Some("off"),
        expected: "\"on\" or \"off\"",
        example: "on",
        help: "Whether refusals bear a message that sts:DecodeAuthorizationMessage decodes; those of AWS KMS do not",
    },
    Setting {
        name: "threads",
        flag: "threads",
        value_name: "NUMBER",
        default: None,
        expected: "a number from 1 to 1024",
        example: "4",
        help: "Threads that answer requests; as many as the processors allowed to us when not said",
    },
];

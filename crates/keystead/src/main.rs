//! The one binary: subcommands, and no logic of its own.

mod root_key;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use server::{
    accounts::{self, Accounts},
    audit,
    configuration::{self, ConfigurationError, DataDirFlags, ServeFlags},
    explain::{self, Format},
    owned_keys, self_signed, serve, services, trail_proof,
    usage::{self, AskedUsage, UsageFormat},
};
use service::{Clock, Month, SupposedCall, SupposedSession, SystemClock};
use zeroize::Zeroizing;

/// AWS KMS for your own machines.
#[derive(Parser)]
#[command(name = "keystead", version, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve AWS clients until SIGTERM.
    ///
    /// Each setting can be a flag, an environment variable or a line of a TOML file (named as the flag, with _ for -);
    /// the first of these that says it counts.
    Serve(ServeFlags),
    /// Make a data directory whose root key comes from a file, a passphrase or shares; `serve` makes one with a file.
    Init(root_key::Init),
    /// Give a sealed server a share of the root key, or its passphrase: a line of standard input.
    Unseal(DataDirFlags),
    /// Have the server forget every key until it is unsealed.
    Seal(DataDirFlags),
    /// Exchange the root key.
    #[command(subcommand)]
    Root(root_key::Root),
    /// Make and list accounts, with a server running or not; a running one obeys at once.
    #[command(subcommand)]
    Account(Account),
    /// Prove that the audit journal is whole, and tell its records; with a server running or not.
    #[command(subcommand)]
    Audit(Audit),
    /// Explain how policies and grants decide a call, with a server running or not; nobody makes the call.
    Explain(Explain),
    /// Tell who can use a key, by which statement or grant, with a server running or not.
    WhoCan(WhoCan),
    /// Make, list and delete the access keys of registered services, with a server running or not.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Tell the AWS owned keys, which protect the server's own secrets, or rotate one; with a server running or not.
    OwnedKeys(OwnedKeys),
    /// Tell what a month used and what that costs, with a server running or not.
    Usage(UsageLine),
    /// Make what TLS needs.
    #[command(subcommand)]
    Tls(Tls),
    /// Tell the version, and which cryptographic module does the work.
    Version,
}

#[derive(Subcommand)]
enum Account {
    /// Make an account with its root user's access key, and tell the key in credentials-file form if it was generated.
    Create(CreateAccount),
    /// List the accounts: id, when it was made, access key ids.
    List(DataDirFlags),
}

#[derive(Subcommand)]
enum ServiceCommand {
    /// Make an access key for a service that the configuration file registers, and tell it in credentials-file form.
    CreateAccessKey {
        /// The name of the service.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        data_dir: DataDirFlags,
    },
    /// List the services: name, service principal, access key ids.
    List(DataDirFlags),
    /// Delete an access key of a service.
    DeleteAccessKey {
        /// The access key id.
        #[arg(value_name = "ID")]
        access_key_id: String,
        #[command(flatten)]
        data_dir: DataDirFlags,
    },
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
struct OwnedKeys {
    #[command(subcommand)]
    command: Option<OwnedKeysCommand>,
    /// How they are told: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    format: Format,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

#[derive(Subcommand)]
enum OwnedKeysCommand {
    /// Rotate an AWS owned key now. A running server then moves what older versions protect, and destroys them.
    Rotate {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        data_dir: DataDirFlags,
    },
}

#[derive(clap::Args)]
struct UsageLine {
    /// The month in UTC, for example 2026-11.
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// One account; all of them if not given.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A TOML file with the prices; AWS's public ones if not given.
    #[arg(long, value_name = "FILE")]
    tariff: Option<PathBuf>,
    /// How it is told: table, csv, focus (FOCUS 1.2) or json.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: UsageFormat,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

#[derive(clap::Args)]
struct CreateAccount {
    /// The 12 digits of the account.
    #[arg(value_name = "ID", required_unless_present = "from_file")]
    account_id: Option<String>,
    /// The access key id of its root user; generated when not given.
    #[arg(long, value_name = "K", requires = "secret_access_key", requires = "account_id")]
    access_key_id: Option<String>,
    /// The secret of that access key. Other users of the machine may see a command line: prefer --from-file.
    #[arg(long, value_name = "S", requires = "access_key_id", requires = "account_id")]
    secret_access_key: Option<String>,
    /// Make every account of a file, all or none; its lines are: access_key_id secret_access_key account_id.
    #[arg(long, value_name = "FILE", conflicts_with = "account_id")]
    from_file: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

#[derive(clap::Args)]
struct Explain {
    #[command(flatten)]
    caller: SupposedCaller,
    /// What for: an action, such as kms:Decrypt, or an operation, such as kms:ReEncrypt or sts:AssumeRole.
    #[arg(long, value_name = "ACTION")]
    action: String,
    /// The key id, key ARN, alias name or alias ARN, or the ARN of what else it is about; left out for actions on nothing.
    #[arg(long, visible_alias = "resource", value_name = "KEY")]
    key: Option<String>,
    /// The whole request as JSON with AWS's names, as for --cli-input-json of the AWS CLI: every question that it would ask
    /// is told. What it leaves out is only missed if policies are about it. file://PATH reads it from a file.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["key", "encryption_context"])]
    request: Option<String>,
    /// The Region; that of the key's ARN if not given.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A pair of the encryption context; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    encryption_context: Vec<(String, String)>,
    /// A condition key and its value, such as aws:SourceIp=203.0.113.7; may be repeated, for one key with several values too.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// How it is told: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    format: Format,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

#[derive(clap::Args)]
struct SupposedCaller {
    /// Who calls: the ARN of a root user, a user, a role, a role's session, a federated user or an OIDC provider, or the
    /// principal of a registered service, such as s3.amazonaws.com.
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// A file with the session policy of a role's session or a federated user.
    #[arg(long, value_name = "FILE")]
    session_policy: Option<PathBuf>,
    /// A managed policy that is a session policy; may be repeated.
    #[arg(long, value_name = "ARN")]
    session_policy_arn: Vec<String>,
    /// A tag of the session; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    session_tag: Vec<(String, String)>,
    /// The source identity of a role's session.
    #[arg(long, value_name = "NAME")]
    source_identity: Option<String>,
    /// The user or root user who federated the federated user.
    #[arg(long, value_name = "ARN")]
    session_issuer: Option<String>,
    /// The user or root user calls with temporary credentials of GetSessionToken.
    #[arg(long)]
    temporary_credentials: bool,
    /// A file with the claims of the OIDC provider's token, as JSON.
    #[arg(long, value_name = "FILE")]
    web_identity_claims: Option<PathBuf>,
    /// The registered service that calls as this user or role, by its name.
    #[arg(long, value_name = "NAME")]
    via_service: Option<String>,
}

#[derive(clap::Args)]
struct WhoCan {
    /// The key id, key ARN or alias ARN.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// What for.
    #[arg(long, value_name = "ACTION", default_value = "kms:Decrypt")]
    action: String,
    /// The Region; that of the key's ARN if not given.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A condition key and its value, which then is no longer open; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// How it is told: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    format: Format,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "text" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        _ => Err("expected text or json".to_owned()),
    }
}

#[derive(Subcommand)]
enum Audit {
    /// Prove that every record is as it was written, in its place, and none is missing; tell the head to keep elsewhere.
    Verify {
        /// A data directory, or the folder `journal` of one, or a copy of that.
        #[arg(value_name = "DIR")]
        journal: PathBuf,
        /// A head that was kept: the journal must go on from it. Without one, records missing at the end do not show.
        #[arg(long, value_name = "NUMBER:HASH")]
        head: Option<audit::Head>,
        /// A file with what `aws cloudtrail list-public-keys` told: where old segments were deleted, one of the keys signed it.
        #[arg(long, value_name = "FILE")]
        public_keys: Option<PathBuf>,
    },
    /// Prove that every log file of a delivered trail is as its digests tell, and every digest as it was signed.
    VerifyTrail {
        /// The folder that the trail was delivered to, or a copy of that.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// A file with what `aws cloudtrail list-public-keys` told; kept elsewhere than the trail.
        #[arg(long, value_name = "FILE")]
        public_keys: PathBuf,
    },
    /// Tell records as lines of JSON, in the order in which they were written.
    Export(ExportRecords),
    /// Tell records as they are written, until interrupted; with --since, those too that are there already.
    Tail(ExportRecords),
}

#[derive(clap::Args)]
struct ExportRecords {
    /// A data directory, or the folder `journal` of one, or a copy of that.
    #[arg(value_name = "DIR")]
    journal: PathBuf,
    /// Only records of this moment or later, for example 2026-11-25T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only records before this moment.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only records of this event, for example Decrypt.
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// Only records told to this account.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// Only records of calls that this access key signed.
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// Only records of calls about this key, alias or identity.
    #[arg(long, value_name = "ARN")]
    resource_arn: Option<String>,
    /// Only records of calls that ended with this error, for example AccessDenied.
    #[arg(long, value_name = "CODE")]
    error_code: Option<String>,
    /// How records are told: as CloudTrail's, or as API Activity of OCSF.
    #[arg(long, value_name = "cloudtrail|ocsf", default_value = "cloudtrail", value_parser = parse_form)]
    format: audit::Form,
}

fn parse_form(text: &str) -> Result<audit::Form, String> {
    match text {
        "cloudtrail" => Ok(audit::Form::CloudTrail),
        "ocsf" => Ok(audit::Form::Ocsf),
        _ => Err("expected cloudtrail or ocsf".to_owned()),
    }
}

impl From<ExportRecords> for audit::Selection {
    fn from(asked: ExportRecords) -> audit::Selection {
        audit::Selection {
            since: asked.since,
            until: asked.until,
            event_name: asked.event_name,
            account_id: asked.account_id,
            access_key_id: asked.access_key_id,
            resource_arn: asked.resource_arn,
            error_code: asked.error_code,
        }
    }
}

#[derive(Subcommand)]
enum Tls {
    /// Make a certificate that is signed by itself, and its key, to try TLS with.
    SelfSigned {
        /// Where certificate.pem and key.pem are written; existing files are not overwritten.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// A DNS name or IP address of the server; may be repeated. Without it, this machine's loopback names.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    server::install_provider();
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(told) => {
            // Help goes to standard output and a refusal to standard error; when neither can be written, the code says it.
            let is_told = told.print().is_ok();
            return if is_told && !told.use_stderr() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            };
        }
    };
    let done = match line.command {
        Command::Serve(flags) => start(flags),
        Command::Init(line) => root_key::init(line),
        Command::Unseal(flags) => root_key::unseal(flags),
        Command::Seal(flags) => root_key::seal(flags),
        Command::Root(command) => root_key::command(command),
        Command::Account(Account::Create(create)) => create_accounts(create),
        Command::Account(Account::List(flags)) => list_accounts(flags),
        Command::Audit(Audit::Verify { journal, head, public_keys }) => {
            verify_journal(&journal, head, public_keys.as_deref())
        }
        Command::Audit(Audit::VerifyTrail { folder, public_keys }) => {
            verify_trail(&folder, &public_keys)
        }
        Command::Audit(Audit::Export(export)) => export_records(export),
        Command::Audit(Audit::Tail(tail)) => tail_records(tail),
        Command::Explain(line) => explain_call(line),
        Command::WhoCan(line) => tell_who_can(line),
        Command::Service(command) => command_services(command),
        Command::OwnedKeys(line) => command_owned_keys(line),
        Command::Usage(line) => tell_usage(line),
        Command::Version => tell_version(),
        Command::Tls(Tls::SelfSigned { out, names }) => make_pair(&out, &names),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_usage = error.is::<ConfigurationError>();
            // Without standard error the code alone says it.
            match writeln!(io::stderr(), "keystead: {error}") {
                Ok(()) | Err(_) if is_usage => ExitCode::from(2),
                Ok(()) | Err(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn start(flags: ServeFlags) -> Result<(), Box<dyn Error>> {
    let settings = flags.resolve(configuration::environment())?;
    Ok(serve::serve(&settings)?)
}

fn create_accounts(create: CreateAccount) -> Result<(), Box<dyn Error>> {
    let settings = create.data_dir.resolve(configuration::environment())?;
    let secret = create.secret_access_key.map(Zeroizing::new);
    let accounts = match (&create.from_file, create.account_id) {
        (Some(path), _) => Accounts::from_file(path)?,
        (None, Some(account_id)) => Accounts::one(&account_id, create.access_key_id.zip(secret))?,
        (None, None) => return Err("expected an account id or --from-file FILE".into()),
    };
    Ok(accounts.create(&settings, &mut io::stdout().lock())?)
}

fn list_accounts(flags: DataDirFlags) -> Result<(), Box<dyn Error>> {
    let settings = flags.resolve(configuration::environment())?;
    Ok(accounts::list(&settings, &mut io::stdout().lock())?)
}

fn verify_journal(
    journal: &Path,
    head: Option<audit::Head>,
    public_keys: Option<&Path>,
) -> Result<(), Box<dyn Error>> {
    Ok(audit::verify(journal, head, public_keys, &mut io::stdout().lock())?)
}

fn verify_trail(folder: &Path, public_keys: &Path) -> Result<(), Box<dyn Error>> {
    Ok(trail_proof::verify(folder, public_keys, &mut io::stdout().lock())?)
}

fn export_records(export: ExportRecords) -> Result<(), Box<dyn Error>> {
    let (journal, form) = (export.journal.clone(), export.format);
    let mut out = io::BufWriter::new(io::stdout().lock());
    Ok(audit::export(&journal, &export.into(), form, &mut out)?)
}

fn tail_records(tail: ExportRecords) -> Result<(), Box<dyn Error>> {
    let (journal, form) = (tail.journal.clone(), tail.format);
    let mut out = io::BufWriter::new(io::stdout().lock());
    Ok(audit::tail(&journal, &tail.into(), form, &mut out)?)
}

fn explain_call(line: Explain) -> Result<(), Box<dyn Error>> {
    let settings = line.data_dir.resolve(configuration::environment())?;
    let read = |path: PathBuf| {
        fs::read_to_string(&path).map_err(|cause| format!("{}: {cause}", path.display()))
    };
    let caller = line.caller;
    let request = line.request.map(|request| match request.strip_prefix("file://") {
        Some(path) => read(PathBuf::from(path)),
        None => Ok(request),
    });
    let call = SupposedCall {
        principal: caller.principal,
        session: SupposedSession {
            issuer: caller.session_issuer,
            policy: caller.session_policy.map(read).transpose()?,
            policy_arns: caller.session_policy_arn,
            tags: caller.session_tag.into_iter().collect(),
            source_identity: caller.source_identity,
            is_temporary: caller.temporary_credentials,
            claims: caller.web_identity_claims.map(read).transpose()?,
        },
        via_service: caller.via_service,
        action: line.action,
        resource: line.key,
        request: request.transpose()?,
        region: line.region,
        encryption_context: line.encryption_context.into_iter().collect(),
        context: line.context,
    };
    Ok(explain::explain(&settings, call, line.format, &mut io::stdout().lock())?)
}

fn tell_who_can(line: WhoCan) -> Result<(), Box<dyn Error>> {
    let settings = line.data_dir.resolve(configuration::environment())?;
    let call = SupposedCall {
        action: line.action,
        resource: Some(line.key),
        region: line.region,
        context: line.context,
        ..SupposedCall::default()
    };
    Ok(explain::who_can(&settings, call, line.format, &mut io::stdout().lock())?)
}

fn tell_usage(line: UsageLine) -> Result<(), Box<dyn Error>> {
    let settings = line.data_dir.resolve(configuration::environment())?;
    let UsageLine { month, account, tariff, format, .. } = line;
    let asked = AskedUsage { month, account_id: account, tariff, format };
    let mut out = io::BufWriter::new(io::stdout().lock());
    Ok(usage::tell(&settings, asked, &mut out)?)
}

fn command_services(command: ServiceCommand) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match command {
        ServiceCommand::CreateAccessKey { name, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            services::create_access_key(&settings, &name, &mut out)?;
        }
        ServiceCommand::List(flags) => {
            services::list(&flags.resolve(configuration::environment())?, &mut out)?;
        }
        ServiceCommand::DeleteAccessKey { access_key_id, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            services::delete_access_key(&settings, &access_key_id, &mut out)?;
        }
    }
    Ok(())
}

fn command_owned_keys(line: OwnedKeys) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    if let Some(OwnedKeysCommand::Rotate { name, data_dir }) = line.command {
        let settings = data_dir.resolve(configuration::environment())?;
        return Ok(owned_keys::rotate(&settings, &name, &mut out)?);
    }
    let settings = line.data_dir.resolve(configuration::environment())?;
    Ok(owned_keys::list(&settings, line.format, &mut out)?)
}

fn tell_version() -> Result<(), Box<dyn Error>> {
    let version = concat!("keystead ", env!("CARGO_PKG_VERSION"), "\n");
    let mut out = io::stdout().lock();
    out.write_all(version.as_bytes())?;
    Ok(out.write_all(service::module_description().as_bytes())?)
}

fn make_pair(out: &Path, names: &[String]) -> Result<(), Box<dyn Error>> {
    let files = self_signed::write(out, names, SystemClock.now())?;
    io::stdout().write_all(self_signed::how_to_use(&files).as_bytes())?;
    Ok(())
}

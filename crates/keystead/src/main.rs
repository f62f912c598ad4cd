//! The one binary: subcommands, and no logic of its own.

use std::{
    error::Error,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use server::{
    accounts::{self, Accounts},
    configuration::{self, ConfigurationError, DataDirFlags, ServeFlags},
    self_signed, serve, services,
};
use service::{Clock, SystemClock};
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
    /// Make and list accounts, with a server running or not; a running one obeys at once.
    #[command(subcommand)]
    Account(Account),
    /// Make, list and delete the access keys of registered services, with a server running or not.
    #[command(subcommand)]
    Service(ServiceCommand),
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
        Command::Account(Account::Create(create)) => create_accounts(create),
        Command::Account(Account::List(flags)) => list_accounts(flags),
        Command::Service(command) => command_services(command),
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

fn command_services(command: ServiceCommand) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match command {
        ServiceCommand::CreateAccessKey { name, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            services::create_access_key(&settings, name, &mut out)?;
        }
        ServiceCommand::List(flags) => {
            services::list(&flags.resolve(configuration::environment())?, &mut out)?;
        }
        ServiceCommand::DeleteAccessKey { access_key_id, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            services::delete_access_key(&settings, access_key_id, &mut out)?;
        }
    }
    Ok(())
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

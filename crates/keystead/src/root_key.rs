//! The lines of the root key's commands.

use std::{error::Error, io, path::PathBuf};

use clap::{Args, Subcommand};
use server::{
    configuration::{self, DataDirFlags},
    root_key::{self, NewRoot},
};
use service::RootProvider;

/// `keystead init`.
#[derive(Args)]
pub(crate) struct Init {
    /// Where the root key comes from: file, passphrase or shamir.
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<RootProvider>,
    #[command(flatten)]
    parameters: Parameters,
    #[command(flatten)]
    data_dir: DataDirFlags,
}

/// `keystead root`.
#[derive(Subcommand)]
pub(crate) enum Root {
    /// Have another provider keep the root key; the domain keys are wrapped anew, and nothing else. No server may run.
    Migrate {
        /// Where the root key is to come from: file, passphrase or shamir.
        #[arg(long, value_name = "PROVIDER")]
        to: RootProvider,
        #[command(flatten)]
        parameters: Parameters,
        #[command(flatten)]
        data_dir: DataDirFlags,
    },
    /// Make a new root key of the same provider, with new shares or another passphrase. No server may run.
    Rotate {
        #[command(flatten)]
        parameters: Parameters,
        #[command(flatten)]
        data_dir: DataDirFlags,
    },
}

/// What a new root key takes.
#[derive(Args)]
pub(crate) struct Parameters {
    /// How many shares there are, 2 to 16; they are told once, on standard output.
    #[arg(long, value_name = "N", requires = "threshold")]
    shares: Option<u8>,
    /// How many of the shares make the root key.
    #[arg(long, value_name = "M", requires = "shares")]
    threshold: Option<u8>,
    /// The file, or /dev/fd/N, with the new passphrase; without it, it is asked for.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

impl Parameters {
    fn with(self, provider: Option<RootProvider>) -> NewRoot {
        let Parameters { shares, threshold, new_passphrase_file } = self;
        NewRoot { provider, shares, threshold, passphrase_file: new_passphrase_file }
    }
}

pub(crate) fn init(line: Init) -> Result<(), Box<dyn Error>> {
    let settings = line.data_dir.resolve(configuration::environment())?;
    let new = line.parameters.with(line.provider);
    Ok(root_key::init(&settings, &new, &mut io::stdout().lock())?)
}

pub(crate) fn command(command: Root) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    match command {
        Root::Migrate { to, parameters, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            root_key::migrate(&settings, &parameters.with(Some(to)), &mut out)?;
        }
        Root::Rotate { parameters, data_dir } => {
            let settings = data_dir.resolve(configuration::environment())?;
            root_key::rotate(&settings, parameters.with(None), &mut out)?;
        }
    }
    Ok(())
}

pub(crate) fn unseal(flags: DataDirFlags) -> Result<(), Box<dyn Error>> {
    let settings = flags.resolve(configuration::environment())?;
    Ok(root_key::unseal(&settings, &mut io::stdout().lock())?)
}

pub(crate) fn seal(flags: DataDirFlags) -> Result<(), Box<dyn Error>> {
    let settings = flags.resolve(configuration::environment())?;
    Ok(root_key::seal(&settings, &mut io::stdout().lock())?)
}

//! The account commands: read, checked, obeyed by whoever has the data directory open, and told.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use service::{NewAccount, Service};
use wire::names::AccountId;
use zeroize::Zeroizing;

use crate::{
    configuration::Settings,
    control::{
        client,
        protocol::{AccessKey, Account, Command, Listed, Outcome, Secret},
    },
    explain,
    limits::{CONTROL_ACCOUNTS_MAX, CONTROL_BYTES_MAX},
    lock::{Lock, LockError},
    owned_keys, services, usage,
};

/// Bytes of an access key id and of a secret; AWS's ids have 16 to 128, and what a test invents may be shorter.
const CREDENTIAL_BYTES_MAX: usize = 128;

/// Accounts to make, checked.
pub struct Accounts(Vec<Account>);

/// Why a command about accounts was not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The account id is not one.
    #[error(
        "found account id {0:?}; expected 12 digits, for example: keystead account create 222233334444"
    )]
    AccountId(String),
    /// The access key is not one.
    #[error(
        "expected an access key id of 1 to 128 letters, digits or _ and a secret of 1 to 128 visible characters"
    )]
    AccessKey,
    /// A line of a file of accounts is wrong.
    #[error(
        "{}:{line}: {problem}; expected access_key_id secret_access_key account_id, \
         for example: AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY 111122223333",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it; never what stands in it, for that may be a secret.
        problem: &'static str,
    },
    /// A file of accounts cannot be read, or is longer than a command may be.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The running server cannot be asked.
    #[error("the server that has {} open cannot be asked: {cause}", data_dir.display())]
    Control {
        /// Its data directory.
        data_dir: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// No server runs, and the directory cannot be opened either.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// No server runs and the directory has never been served.
    #[error(
        "{}: no Keystead data here; start a server once, or say where the data is, for example: \
         keystead account list --data-dir keystead-data",
        .0.display()
    )]
    NoData(PathBuf),
    /// The directory cannot be opened.
    #[error(transparent)]
    Open(#[from] crate::serve::ServeError),
    /// The service refused.
    #[error("{0}")]
    Refused(String),
    /// The outcome cannot be told.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

impl Accounts {
    /// One account, with the access key given or one to be generated.
    pub fn one(
        account_id: &str,
        access_key: Option<(String, Zeroizing<String>)>,
    ) -> Result<Accounts, AccountsError> {
        if !is_account_id(account_id) {
            return Err(AccountsError::AccountId(account_id.to_owned()));
        }
        let access_key = match access_key {
            Some((access_key_id, secret)) if is_access_key(&access_key_id, &secret) => {
                Some(AccessKey { access_key_id, secret_access_key: Secret(secret) })
            }
            Some(_) => return Err(AccountsError::AccessKey),
            None => None,
        };
        Ok(Accounts(vec![Account { account_id: account_id.to_owned(), access_key }]))
    }

    /// The accounts of a file: one a line, `access_key_id secret_access_key account_id`; empty lines and lines that
    /// begin with `#` are passed over.
    pub fn from_file(path: &Path) -> Result<Accounts, AccountsError> {
        let unreadable = |cause| AccountsError::File { path: path.to_owned(), cause };
        let mut text = Zeroizing::new(String::new());
        // What JSON adds to a line must fit into the command too.
        let bytes_max = CONTROL_BYTES_MAX / 2;
        let file = File::open(path).map_err(unreadable)?;
        file.take(bytes_max).read_to_string(&mut text).map_err(unreadable)?;
        if u64::try_from(text.len()).is_ok_and(|bytes| bytes >= bytes_max) {
            return Err(unreadable(io::Error::other("too long: expected less than 2 MiB")));
        }
        let mut accounts = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line_number = index.saturating_add(1);
            let problem =
                |problem| AccountsError::Line { path: path.to_owned(), line: line_number, problem };
            if let Some(account) = parse_line(line).map_err(problem)? {
                accounts.push(account);
            }
            if accounts.len() > CONTROL_ACCOUNTS_MAX {
                return Err(problem("more than 10,000 accounts"));
            }
        }
        Ok(Accounts(accounts))
    }

    /// Makes the accounts, all or none, and tells the access keys that were generated in credentials-file form.
    pub fn create(self, settings: &Settings, out: &mut impl Write) -> Result<(), AccountsError> {
        let generated: Vec<bool> =
            self.0.iter().map(|account| account.access_key.is_none()).collect();
        let command = Command::CreateAccounts { accounts: self.0 };
        let Outcome::Created { accounts } = command_outcome(settings, command)? else {
            return Err(AccountsError::Refused("the server answered something else".to_owned()));
        };
        for (account, generated) in accounts.iter().zip(generated) {
            tell_created(account, generated, out).map_err(AccountsError::Output)?;
        }
        out.flush().map_err(AccountsError::Output)
    }
}

/// Tells every account: its id, when it was made, its root user's access keys.
pub fn list(settings: &Settings, out: &mut impl Write) -> Result<(), AccountsError> {
    let Outcome::Accounts { accounts } = command_outcome(settings, Command::ListAccounts)? else {
        return Err(AccountsError::Refused("the server answered something else".to_owned()));
    };
    for Listed { account_id, created, access_key_ids } in accounts {
        writeln!(out, "{account_id}  {created}  {}", access_key_ids.join(","))
            .map_err(AccountsError::Output)?;
    }
    out.flush().map_err(AccountsError::Output)
}

fn parse_line(line: &str) -> Result<Option<Account>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(access_key_id), Some(secret), Some(account_id), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("not three words");
    };
    if !is_access_key(access_key_id, secret) {
        return Err("the first word is no access key id or the second no secret");
    }
    if !is_account_id(account_id) {
        return Err("the third word is no account id of 12 digits");
    }
    let access_key = AccessKey {
        access_key_id: access_key_id.to_owned(),
        secret_access_key: Secret(Zeroizing::new(secret.to_owned())),
    };
    Ok(Some(Account { account_id: account_id.to_owned(), access_key: Some(access_key) }))
}

fn is_account_id(text: &str) -> bool {
    text.parse::<AccountId>().is_ok()
}

fn is_access_key(access_key_id: &str, secret: &str) -> bool {
    let is_bounded = |text: &str| (1..=CREDENTIAL_BYTES_MAX).contains(&text.len());
    is_bounded(access_key_id)
        && is_bounded(secret)
        && access_key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && secret.bytes().all(|byte| byte.is_ascii_graphic())
}

fn tell_created(account: &Account, generated: bool, out: &mut impl Write) -> io::Result<()> {
    match &account.access_key {
        Some(access_key) if generated => writeln!(
            out,
            "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}",
            account.account_id,
            access_key.access_key_id,
            access_key.secret_access_key.0.as_str()
        ),
        Some(_) | None => writeln!(out, "created {}", account.account_id),
    }
}

/// Has the running server obey, or obeys here when none runs.
pub(crate) fn command_outcome(
    settings: &Settings,
    command: Command,
) -> Result<Outcome, AccountsError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|cause| AccountsError::Open(crate::serve::ServeError::Runtime(cause)))?;
    let data_dir = settings.data_dir.as_path();
    let outcome = runtime.block_on(async {
        let control = |cause| AccountsError::Control { data_dir: data_dir.to_owned(), cause };
        if let Some(outcome) = client::ask(data_dir, &command).await.map_err(control)? {
            return Ok(outcome);
        }
        if !data_dir.join("keystead.db").exists() {
            return Err(AccountsError::NoData(data_dir.to_owned()));
        }
        let _lock = Lock::take(data_dir)?;
        let service = crate::serve::open_existing(settings).await?;
        if matches!(command, Command::Explain { .. } | Command::WhoCan { .. }) {
            explain::apply_guard_rails(settings, &service)?;
        }
        let outcome = obey(&service, command).await;
        service.shut_down().await;
        Ok(outcome)
    })?;
    match outcome {
        Outcome::Refused { message } => Err(AccountsError::Refused(message)),
        Outcome::Created { .. }
        | Outcome::Accounts { .. }
        | Outcome::Explained { .. }
        | Outcome::ServiceAccessKey { .. }
        | Outcome::ServiceAccessKeyDeleted
        | Outcome::Services { .. }
        | Outcome::OwnedKeyRotated { .. }
        | Outcome::Unsealing { .. }
        | Outcome::Unsealed
        | Outcome::Sealed => Ok(outcome),
    }
}

/// Obeys one command, in the server or in its absence.
pub(crate) async fn obey(service: &Service, command: Command) -> Outcome {
    let obeyed = match command {
        Command::CreateAccounts { accounts } => create(service, accounts).await,
        Command::ListAccounts => list_all(service).await,
        Command::Explain { call } => explain::answer(service, &call).await,
        Command::WhoCan { call } => explain::answer_who_can(service, &call).await,
        Command::CreateServiceAccessKey { name } => services::create(service, name).await,
        Command::DeleteServiceAccessKey { access_key_id } => {
            services::delete(service, access_key_id).await
        }
        Command::ListServices => Ok(services::list_all(service)),
        Command::ListOwnedKeys => owned_keys::list_all(service).await,
        Command::RotateOwnedKey { name } => owned_keys::rotate_now(service, &name).await,
        Command::Unseal { .. } => Err("the server is not sealed".to_owned()),
        Command::Seal => Err("the root key is at hand without an operator, so that sealing \
                              would last no longer than a restart"
            .to_owned()),
        Command::Usage { month, account_id } => usage::answer(service, &month, account_id).await,
    };
    obeyed.unwrap_or_else(|message| Outcome::Refused { message })
}

async fn create(service: &Service, accounts: Vec<Account>) -> Result<Outcome, String> {
    if accounts.len() > CONTROL_ACCOUNTS_MAX {
        return Err("more than 10,000 accounts in one command".to_owned());
    }
    let accounts: Vec<NewAccount> = accounts
        .into_iter()
        .map(|account| {
            let account_id = account
                .account_id
                .parse()
                .map_err(|_| format!("no account id: {:?}", account.account_id))?;
            let access_key = account.access_key.map(|access_key| service::AccessKey {
                access_key_id: access_key.access_key_id,
                secret_access_key: access_key.secret_access_key.0,
            });
            Ok(NewAccount { account_id, access_key })
        })
        .collect::<Result<_, String>>()?;
    let created = service.create_accounts(accounts).await.map_err(|error| error.to_string())?;
    let accounts = created
        .into_iter()
        .map(|account| Account {
            account_id: account.account_id.to_string(),
            access_key: Some(AccessKey {
                access_key_id: account.access_key.access_key_id,
                secret_access_key: Secret(account.access_key.secret_access_key),
            }),
        })
        .collect();
    Ok(Outcome::Created { accounts })
}

async fn list_all(service: &Service) -> Result<Outcome, String> {
    let accounts = service.accounts().await.map_err(|error| error.to_string())?;
    let accounts = accounts
        .into_iter()
        .map(|account| Listed {
            account_id: account.account_id.to_string(),
            created: account.created.to_string(),
            access_key_ids: account.access_key_ids,
        })
        .collect();
    Ok(Outcome::Accounts { accounts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(text: &str) -> Result<Accounts, AccountsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        std::fs::write(&path, text).unwrap();
        Accounts::from_file(&path)
    }

    #[test]
    fn a_file_of_accounts_has_comments_and_empty_lines() {
        let text =
            "# ours\n\nAKIAIOSFODNN7EXAMPLE  wJalr/K7+MD=\t111122223333\n  K2 s 222233334444 \n";
        let accounts = from_text(text).ok().unwrap();
        assert_eq!(accounts.0.len(), 2);
        assert_eq!(accounts.0[1].account_id, "222233334444");
    }

    #[test]
    fn a_wrong_line_is_named_and_its_words_are_not_repeated() {
        let wrong = [
            ("a secretword", "not three words"),
            ("a secretword 111122223333 b", "not three words"),
            ("a secretword 1111", "no account id"),
            ("a-b secretword 111122223333", "no access key id"),
        ];
        for (line, problem) in wrong {
            let told = from_text(&format!("\n{line}\n")).err().unwrap().to_string();
            assert!(told.contains(":2: ") && told.contains(problem), "{told}");
            assert!(!told.contains("secretword"), "{told}");
        }
    }

    #[test]
    fn one_account_is_checked_too() {
        assert!(Accounts::one("222233334444", None).is_ok());
        assert!(matches!(Accounts::one("2222", None), Err(AccountsError::AccountId(_))));
        let blank = Some(("K".to_owned(), Zeroizing::new(" ".to_owned())));
        assert!(matches!(Accounts::one("222233334444", blank), Err(AccountsError::AccessKey)));
    }
}

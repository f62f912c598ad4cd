//! The service in this process, on a clock that only the test moves.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use service::{Assembly, Clock, Durability, Incoming, NewAccount, Peer, QuotaMode, Service};
use sigv4::SecretAccessKey;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::names::{Account, Region};
use crate::signing::Signer;
use crate::subject::{Refused, Subject};

/// One run of the jobs does all that is due; a further one does what fell due by it. A primary key that moves is rotated after it
/// has moved.
const JOBS_RUNS_COUNT: usize = 3;

/// The journal is not what is tested here; over HTTP it is synced before each answer.
const JOURNAL_INTERVAL: Duration = Duration::from_secs(1);

/// A service, and the folders that it is opened on.
pub(crate) struct InProcess {
    folder: TempDir,
    _journal: TempDir,
    clock: Arc<StepClock>,
    signers: BTreeMap<Account, Signer>,
    runtime: Runtime,
    open: Option<Open>,
}

/// A service between two restarts.
struct Open {
    service: Service,
    /// The runtime that the service was opened on. Nobody drives it any more, so the jobs that the service started there sleep
    /// for ever, and run only when they are told to.
    _home: Runtime,
}

impl InProcess {
    /// A fresh deployment with both accounts.
    pub(crate) fn new() -> InProcess {
        let (folder, journal) = folders();
        let clock = Arc::new(StepClock::default());
        let runtime = runtime();
        let (open, first) = open(folder.path(), &clock);
        let account_id = Account::Second.as_str().parse().unwrap();
        let account = NewAccount { account_id, access_key: None };
        let made = runtime.block_on(open.service.create_accounts(vec![account])).unwrap();
        let second = made.into_iter().next().map(|made| made.access_key);
        let signers = [(Account::First, first), (Account::Second, second)];
        let signers = signers.into_iter().map(|(account, key)| (account, signer(key.unwrap())));
        InProcess {
            folder,
            _journal: journal,
            clock,
            signers: signers.collect(),
            runtime,
            open: Some(open),
        }
    }

    /// Moves the clock without letting anything happen.
    pub(crate) fn move_clock(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    fn service(&self) -> &Service {
        &self.open.as_ref().unwrap().service
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.runtime.block_on(open.service.shut_down());
        }
    }
}

impl Subject for InProcess {
    /// The states between are seen here.
    const SETTLES_AFTER_EACH_CALL: bool = false;

    fn call(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused> {
        let body = parameters.to_string();
        let headers = self.signers[&by].headers(region, operation, &body, self.clock.now());
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None };
        let service = self.service();
        let incoming = Incoming {
            request_id: service.request_id().unwrap(),
            method: "POST",
            path: "/",
            query: None,
            headers: &headers,
            body: body.as_bytes(),
            peer: &peer,
        };
        let answer = self.runtime.block_on(service.call(&incoming));
        match answer.status {
            200 if answer.body.is_empty() => Ok(Value::Null),
            200 => Ok(serde_json::from_slice(&answer.body).unwrap()),
            _ => Err(Refused::of_body(&answer.body)),
        }
    }

    fn advance(&mut self, seconds: i64) {
        self.clock.advance(seconds);
        self.settle();
    }

    fn settle(&mut self) {
        for _ in 0..JOBS_RUNS_COUNT {
            self.runtime.block_on(self.service().run_jobs());
        }
    }

    fn restart(&mut self) {
        self.close();
        self.open = Some(open(self.folder.path(), &self.clock).0);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens the service; at the first time it tells the access key of the first account's root user.
fn open(data_dir: &Path, clock: &Arc<StepClock>) -> (Open, Option<service::AccessKey>) {
    let home = runtime();
    let kept = Mutex::new(None);
    let keep = |access_key: &service::AccessKey| {
        *kept.lock().unwrap() = Some(service::AccessKey {
            access_key_id: access_key.access_key_id.clone(),
            secret_access_key: access_key.secret_access_key.clone(),
        });
        Ok(())
    };
    let assembly = Assembly {
        data_dir: data_dir.to_owned(),
        account_id: Account::First.as_str().parse().unwrap(),
        arena_bytes: 64 << 10,
        cache_bytes: 1 << 20,
        durability: Durability::Interval(JOURNAL_INTERVAL),
        journal_keep_days: None,
        regions: None,
        request_quotas: QuotaMode::Off,
        request_quota_adjustments: Vec::new(),
        encoded_authorization_messages: false,
        attestation_roots_pem: None,
        issuers: None,
        services: Vec::new(),
        trail: None,
        clock: Arc::<StepClock>::clone(clock),
        keep: &keep,
    };
    let opened = home.block_on(service::open(assembly)).unwrap();
    (Open { service: opened.service, _home: home }, kept.into_inner().unwrap())
}

fn signer(access_key: service::AccessKey) -> Signer {
    Signer {
        access_key_id: access_key.access_key_id,
        secret_access_key: SecretAccessKey::new(access_key.secret_access_key.to_string()),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A data directory in memory, where there is some for files: each change is synced, and thousands of sequences would wait for a
/// disk. The journal alone stays on a disk, which reserves the room of a whole segment faster than memory does.
fn folders() -> (TempDir, TempDir) {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    let journal = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(journal.path(), folder.path().join("journal")).unwrap();
    (folder, journal)
}

/// A clock that stands still but for the steps of a sequence, and a millisecond at each look: two events never have one time.
#[derive(Default)]
struct StepClock {
    milliseconds: AtomicI64,
}

/// When sequences begin.
const BEGINNING: Timestamp = Timestamp::constant(1_900_000_000, 0);

impl StepClock {
    fn advance(&self, seconds: i64) {
        self.milliseconds.fetch_add(1000 * seconds, Ordering::SeqCst);
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        let milliseconds = self.milliseconds.fetch_add(1, Ordering::SeqCst);
        BEGINNING + SignedDuration::from_millis(milliseconds)
    }
}

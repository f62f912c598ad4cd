//! The real binary, reached as any client reaches it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use service::{Clock, SystemClock};
use sigv4::SecretAccessKey;
use tempfile::TempDir;

use crate::names::{Account, Region};
use crate::signing::Signer;
use crate::subject::{Refused, Subject};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The access key of the second account's root user.
const SECOND_ACCESS_KEY_ID: &str = "AKIASECONDEXAMPLE001";
const SECOND_SECRET_ACCESS_KEY: &str = "secretOfTheSecondAccountsRootUser0000001";

/// A server, its data and its callers.
pub(crate) struct Server {
    folder: TempDir,
    running: Running,
    signers: BTreeMap<Account, Signer>,
    /// How far the server's clock has been moved.
    ahead_seconds: i64,
}

/// One life of the process.
struct Running {
    child: Child,
    /// Kept open, so that the server never writes into a closed pipe.
    _stdout: BufReader<ChildStdout>,
    api: Connection,
    admin: Connection,
}

impl Server {
    /// A fresh deployment with both accounts.
    pub(crate) fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(folder.path());
        let second = Command::new(binary())
            .env_clear()
            .args(["account", "create", Account::Second.as_str(), "--data-dir"])
            .arg(folder.path())
            .args(["--access-key-id", SECOND_ACCESS_KEY_ID])
            .args(["--secret-access-key", SECOND_SECRET_ACCESS_KEY])
            .output()
            .unwrap();
        assert!(second.status.success(), "{second:?}");
        let signers = BTreeMap::from([
            (Account::First, root_user(folder.path())),
            (Account::Second, signer(SECOND_ACCESS_KEY_ID, SECOND_SECRET_ACCESS_KEY)),
        ]);
        Server { folder, running, signers, ahead_seconds: 0 }
    }

    /// Moves the clock of the process, which then does what is due.
    fn move_clock(&mut self, seconds: i64) {
        let request = format!(
            "POST /test-clock/advance HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{seconds}",
            seconds.to_string().len()
        );
        let (status, body) = self.running.admin.exchange(request.as_bytes());
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }
}

impl Subject for Server {
    /// The jobs run every second anyway; what lies between cannot be told from here.
    const SETTLES_AFTER_EACH_CALL: bool = true;

    fn call(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused> {
        let body = parameters.to_string();
        let headers = self.signers[&by].headers(region, operation, &body, self.now());
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!("POST / HTTP/1.1\r\n{headers}content-length: {length}\r\n\r\n{body}");
        match self.running.api.exchange(request.as_bytes()) {
            (200, body) if body.is_empty() => Ok(Value::Null),
            (200, body) => Ok(serde_json::from_slice(&body).unwrap()),
            (_, body) => Err(Refused::of_body(&body)),
        }
    }

    fn advance(&mut self, seconds: i64) {
        self.ahead_seconds += seconds;
        self.move_clock(seconds);
        self.settle();
    }

    /// A primary key that moves is rotated after it has moved, so one run of the jobs is not enough.
    fn settle(&mut self) {
        self.move_clock(0);
        self.move_clock(0);
    }

    fn restart(&mut self) {
        self.running = Running::start_after(&mut self.running, self.folder.path());
        // The clock of the new process is that of the machine.
        self.move_clock(self.ahead_seconds);
        self.settle();
    }

    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.ahead_seconds)
    }
}

impl Running {
    /// Starts the server and waits until it says where it listens.
    fn start(data_dir: &Path) -> Running {
        let mut child = Command::new(binary())
            .env_clear()
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = |said: &str| {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let (_, address) = line.split_once("http://").unwrap_or_else(|| {
                panic!("instead of where it {said}, the server said {line:?}");
            });
            Connection::open(address.trim())
        };
        let (api, admin) = (address("listens"), address("tells its health"));
        Running { child, _stdout: stdout, api, admin }
    }

    /// Kills the server, and starts it on what it left.
    fn start_after(former: &mut Running, data_dir: &Path) -> Running {
        former.end();
        Running::start(data_dir)
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing one that has ended already fails, which is as well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A connection that is kept for many calls.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    /// Sends a request and reads the status and the body of its answer.
    fn exchange(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.0.get_mut().write_all(request).unwrap();
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status.unwrap_or_else(|| panic!("the server answered {status_line:?}")), body)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// The binary under test.
#[expect(
    clippy::disallowed_methods,
    reason = "which binary is under test is no setting of the server"
)]
fn binary() -> PathBuf {
    std::env::var_os("KEYSTEAD_TEST_CLOCK_BINARY")
        .map(PathBuf::from)
        .expect("KEYSTEAD_TEST_CLOCK_BINARY names a binary with the feature test-clock")
}

/// The root user of the first account, as the first start has written it.
fn root_user(data_dir: &Path) -> Signer {
    let text = std::fs::read_to_string(data_dir.join("root-credentials")).unwrap();
    let value = |name: &str| {
        let pair = |line: &'_ str| {
            line.split_once(" = ").map(|(key, value)| (key.to_owned(), value.to_owned()))
        };
        let found = text.lines().filter_map(pair).find(|(key, _)| key == name);
        found.unwrap().1
    };
    signer(&value("aws_access_key_id"), &value("aws_secret_access_key"))
}

fn signer(access_key_id: &str, secret_access_key: &str) -> Signer {
    Signer {
        access_key_id: access_key_id.to_owned(),
        secret_access_key: SecretAccessKey::new(secret_access_key.to_owned()),
    }
}

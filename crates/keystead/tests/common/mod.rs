//! The real binary, started on free ports and ended by its number; and requests written byte by byte.

#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helper may fail the test"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Longer than anything a test waits for takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A command of the binary that hears nothing from the environment of the tests.
pub(crate) fn keystead(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    keystead(arguments).output().unwrap()
}

/// What a command wrote to standard error.
pub(crate) fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) api: String,
    pub(crate) admin: String,
    pub(crate) banner: String,
    pub(crate) data_dir: PathBuf,
    pid: Pid,
    log: Receiver<String>,
    ended: Receiver<ExitStatus>,
    has_ended: bool,
    _folder: Option<TempDir>,
}

impl Server {
    /// Starts on a fresh data directory with further flags.
    pub(crate) fn start(flags: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(&folder.path().join("data"), flags);
        server._folder = Some(folder);
        server
    }

    /// Starts on this data directory and returns once it listens.
    pub(crate) fn start_in(data_dir: &Path, flags: &[&str]) -> Server {
        let mut child = keystead(&["serve", "--data-dir", data_dir.to_str().unwrap()])
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let log = lines(child.stderr.take().unwrap());
        let banner = read_banner(child.stdout.take().unwrap());
        let ended = end_of(child);
        let Ok(banner) = banner.recv_timeout(PATIENCE) else {
            panic!("no banner; log: {:?}", log.iter().collect::<Vec<_>>());
        };
        let address = |prefix: &str| {
            let line = banner.lines().find(|line| line.contains(prefix)).unwrap();
            line.split("://").nth(1).unwrap().to_owned()
        };
        Server {
            api: address("listens on"),
            admin: address("Health and metrics on"),
            data_dir: data_dir.to_owned(),
            banner,
            pid,
            log,
            ended,
            has_ended: false,
            _folder: None,
        }
    }

    pub(crate) fn data_dir(&self) -> &str {
        self.data_dir.to_str().unwrap()
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for_log(&self, part: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no {part:?} in the log: {seen:?}");
    }

    /// Sends a signal that ends it, waits for the end, and returns how it ended and what is left of its log.
    pub(crate) fn end_by(mut self, signal: Signal) -> (ExitStatus, String) {
        self.signal(signal);
        let status = self.ended.recv_timeout(Duration::from_secs(10)).unwrap();
        self.has_ended = true;
        (status, self.log.iter().collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.has_ended && self.ended.try_recv().is_err() {
            kill_process(self.pid, Signal::KILL).unwrap();
        }
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The banner ends where standard output rests; it is written at once, and its last command has this word.
fn read_banner(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut banner = String::new();
        let mut stdout = BufReader::new(stdout);
        while stdout.read_line(&mut banner).unwrap() > 0 {
            if banner.ends_with("--query Plaintext --output text | base64 --decode\n") {
                break;
            }
        }
        sender.send(banner).unwrap();
        // Reads on, so that the server never writes into a closed pipe.
        std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    });
    receiver
}

fn end_of(mut child: Child) -> Receiver<ExitStatus> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait().unwrap();
        // Nobody may be waiting any more.
        let _nobody_waits = sender.send(status);
    });
    receiver
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends these bytes and reads until the server closes.
pub(crate) fn exchange(address: &str, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    read_to_end(&mut stream)
}

/// Everything until the server closes; a reset after the answer is a close too.
pub(crate) fn read_to_end(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server does not close: {error}"),
        }
    }
    String::from_utf8(answer).unwrap()
}

/// A GET whose connection closes.
pub(crate) fn get(address: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

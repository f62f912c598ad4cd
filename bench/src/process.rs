//! The processes under load: started on one core, measured from outside, stopped by process id.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::error::Failure;

/// The core of the server and the echo.
const SERVED_CORE: &str = "0";
/// The core of the load.
const LOAD_CORE: &str = "1";
/// How long a start may take before it counts as failed; 1,000,000 keys are far below it.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Clock ticks a second in /proc (`getconf CLK_TCK`, fixed at 100 on Linux).
const TICKS_A_SECOND: u64 = 100;

/// A process on the served core.
pub(crate) struct Served {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) address: String,
}

/// Keeps this process, and with it the load, off the served core.
pub(crate) fn pin_load() -> Result<(), Failure> {
    let pid = std::process::id().to_string();
    let output =
        std::process::Command::new("taskset").args(["-a", "-cp", LOAD_CORE, &pid]).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(Failure::new("taskset could not pin the load to the second core: two cores are needed"))
    }
}

impl Served {
    /// Starts the echo.
    pub(crate) async fn echo() -> Result<Served, Failure> {
        let program = std::env::current_exe()?;
        Served::start(&program, &["echo"]).await
    }

    /// Starts the server on a data directory, with more arguments.
    pub(crate) async fn keystead(
        binary: &Path,
        data_dir: &Path,
        more: &[&str],
    ) -> Result<Served, Failure> {
        let data_dir = data_dir.to_string_lossy();
        let mut arguments = vec![
            "serve",
            "--data-dir",
            &data_dir,
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ];
        arguments.extend(more);
        Served::start(binary, &arguments).await
    }

    /// Starts a program and waits for the first line that holds its address.
    async fn start(program: &Path, arguments: &[&str]) -> Result<Served, Failure> {
        let mut child = Command::new("taskset")
            .args(["-c", SERVED_CORE])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let address = timeout(START_TIME_MAX, async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, address)) = line.split_once("http://") {
                    return Ok(address.trim().to_owned());
                }
            }
            Err(Failure::new(format!("{} ended without an address", program.display())))
        })
        .await??;
        // The rest of the output is read away, so that the process never waits for it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Served { child, address })
    }

    /// CPU time used so far, user and system.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // Fields are counted behind the command name, which may hold spaces: utime and stime are the 12th and 13th.
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
        let ticks: u64 =
            fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number =
            line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse().ok());
        number.ok_or_else(|| Failure::new("no VmRSS"))
    }

    /// Asks the process to end and waits for it.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.pid()?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        timeout(START_TIME_MAX, self.child.wait()).await??;
        Ok(())
    }

    fn pid(&self) -> Result<u32, Failure> {
        self.child.id().ok_or_else(|| Failure::new("the process has ended"))
    }
}

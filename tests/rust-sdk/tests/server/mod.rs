//! Starts the real binary and stops it: the only way this test reaches Keystead.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use aws_credential_types::Credentials;
use aws_sdk_kms::config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_kms::{Client, Config};
use tempfile::TempDir;

/// A running server over a directory of its own.
pub struct Server {
    child: Child,
    directory: TempDir,
    endpoint: String,
}

impl Server {
    /// Starts the server and reads where it listens.
    #[expect(clippy::disallowed_methods, reason = "the test is told which binary to start")]
    pub fn start() -> Server {
        let binary = std::env::var_os("KEYSTEAD_BINARY").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/keystead")),
            PathBuf::from,
        );
        let directory = TempDir::new().expect("a temporary directory");
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(directory.path())
            .stdout(Stdio::piped());
        // The server takes these for settings and refuses those that it does not know.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KEYSTEAD_")) {
            command.env_remove(name);
        }
        let mut child = command.spawn().expect("the server starts");
        let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let endpoint = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listens on ").map(|(_, url)| url.trim().to_owned()))
            .expect("the server says where it listens");
        Server { child, directory, endpoint }
    }

    /// The account's root user, with only the endpoint changed.
    pub fn client(&self) -> Client {
        let file = self.directory.path().join("root-credentials");
        let profile = std::fs::read_to_string(file).expect("the root credentials");
        let value = |name: &str| {
            let line =
                profile.lines().find(|line| line.starts_with(name)).expect("a whole profile");
            line.split_once('=').expect("name = value").1.trim().to_owned()
        };
        let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(Credentials::from_keys(id, secret, None))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }

    /// Ends the server as an operator would.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        assert!(self.child.wait().expect("the server ends").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; after `stop` there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

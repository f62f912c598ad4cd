//! Accounts, with a server running and without.

#![expect(clippy::unwrap_used, reason = "a test's helper may fail the test")]

mod common;

use std::{fs, path::Path};

use common::{Server, exchange, run, told};
use rustix::process::Signal;
use service::{Clock, SystemClock};
use sigv4::{Credentials, HttpRequest, PathRule, Scope, SecretAccessKey};

fn account(command: &[&str], data_dir: &Path) -> std::process::Output {
    run(&[&["account"], command, &["--data-dir", data_dir.to_str().unwrap()]].concat())
}

fn list(data_dir: &Path) -> String {
    let listed = account(&["list"], data_dir);
    assert!(listed.status.success(), "{}", told(&listed));
    String::from_utf8(listed.stdout).unwrap()
}

/// What `sts:GetCallerIdentity` answers to this access key.
fn caller_identity(server: &Server, access_key_id: &str, secret_access_key: &str) -> String {
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let form = "application/x-www-form-urlencoded";
    let headers = [("host", server.api.as_bytes()), ("content-type", form.as_bytes())];
    let request = HttpRequest {
        method: "POST",
        path: "/",
        query: None,
        headers: &headers,
        body: body.as_bytes(),
    };
    let secret_access_key = SecretAccessKey::new(secret_access_key.to_owned());
    let credentials =
        Credentials { access_key_id, secret_access_key: &secret_access_key, session_token: None };
    let scope = Scope { region: "us-east-1", service: "sts", path_rule: PathRule::Normalized };
    let added = sigv4::sign(&request, &credentials, &scope, SystemClock.now()).unwrap();
    let added: String = added.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: {form}\r\n{added}Connection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.api,
        body.len()
    );
    exchange(&server.api, text.as_bytes())
}

#[test]
fn a_running_server_obeys_at_once() {
    let server = Server::start(&[]);
    let generated = account(&["create", "222233334444"], &server.data_dir);
    assert!(generated.status.success(), "{}", told(&generated));
    let profile = String::from_utf8(generated.stdout).unwrap();
    let words: Vec<&str> = profile.split_whitespace().collect();
    assert_eq!(words[..3], ["[222233334444]", "aws_access_key_id", "="]);
    let answer = caller_identity(&server, words[3], words[6]);
    assert!(answer.contains("<Account>222233334444</Account>"), "{answer}");

    let given = ["--access-key-id", "AKIAIOSFODNN7EXAMPLE", "--secret-access-key", "ours/S+1"];
    let created = account(&[&["create", "333344445555"], &given[..]].concat(), &server.data_dir);
    assert!(created.status.success(), "{}", told(&created));
    assert_eq!(created.stdout, b"created 333344445555\n");
    let answer = caller_identity(&server, "AKIAIOSFODNN7EXAMPLE", "ours/S+1");
    assert!(answer.contains("<Arn>arn:aws:iam::333344445555:root</Arn>"), "{answer}");
    let answer = caller_identity(&server, "AKIAIOSFODNN7EXAMPLE", "other");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");

    let taken = account(&[&["create", "444455556666"], &given[..]].concat(), &server.data_dir);
    assert_eq!(taken.status.code(), Some(1));
    assert!(told(&taken).contains("AKIAIOSFODNN7EXAMPLE is in use already"), "{}", told(&taken));

    let accounts = list(&server.data_dir);
    for part in ["111122223333  ", "222233334444  ", "333344445555  ", "AKIAIOSFODNN7EXAMPLE\n"] {
        assert!(accounts.contains(part), "{accounts}");
    }
    assert!(!accounts.contains("444455556666"));
}

#[test]
fn without_a_server_the_data_directory_is_opened_by_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let none = account(&["list"], &data_dir);
    assert_eq!(none.status.code(), Some(1));
    assert!(told(&none).contains("no Keystead data here"), "{}", told(&none));
    assert!(!data_dir.exists());

    assert!(Server::start_in(&data_dir, &[]).end_by(Signal::TERM).0.success());
    let given = ["--access-key-id", "AKIAIOSFODNN7EXAMPLE", "--secret-access-key", "ours"];
    let created = account(&[&["create", "333344445555"], &given[..]].concat(), &data_dir);
    assert!(created.status.success(), "{}", told(&created));
    assert!(list(&data_dir).contains("333344445555"));

    let server = Server::start_in(&data_dir, &[]);
    let answer = caller_identity(&server, "AKIAIOSFODNN7EXAMPLE", "ours");
    assert!(answer.contains("<Account>333344445555</Account>"), "{answer}");
}

#[test]
fn a_killed_server_leaves_a_socket_that_nobody_hears_and_a_lock_that_nobody_holds() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let server = Server::start_in(&data_dir, &[]);
    let (status, _) = server.end_by(Signal::KILL);
    assert!(!status.success());
    assert!(data_dir.join("control.sock").exists());
    assert!(list(&data_dir).starts_with("111122223333  "));
    let again = Server::start_in(&data_dir, &[]);
    assert!(account(&["create", "222233334444"], &again.data_dir).status.success());
}

#[test]
fn a_file_of_accounts_is_taken_whole_or_not_at_all() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let from_file = |text: &str| {
        fs::write(&path, text).unwrap();
        account(&["create", "--from-file", path.to_str().unwrap()], &server.data_dir)
    };
    let wrong =
        from_file("AKIAAAAAAAAAAAAAAAA1 s1 222233334444\n# two\n\nAKIAAAAAAAAAAAAAAAA2 s2 2\n");
    assert_eq!(wrong.status.code(), Some(1));
    let told_wrong = told(&wrong);
    assert!(told_wrong.contains(&format!("{}:4: ", path.display())), "{told_wrong}");
    let twice = "AKIAAAAAAAAAAAAAAAA1 s1 222233334444\nAKIAAAAAAAAAAAAAAAA1 s2 333344445555\n";
    assert_eq!(from_file(twice).status.code(), Some(1));
    assert_eq!(list(&server.data_dir).lines().count(), 1);

    let right = from_file(
        "AKIAAAAAAAAAAAAAAAA1 s1 222233334444\n\n# two\n AKIAAAAAAAAAAAAAAAA2\ts2  333344445555\n",
    );
    assert!(right.status.success(), "{}", told(&right));
    assert_eq!(right.stdout, b"created 222233334444\ncreated 333344445555\n");
    let answer = caller_identity(&server, "AKIAAAAAAAAAAAAAAAA2", "s2");
    assert!(answer.contains("<Account>333344445555</Account>"), "{answer}");
}

#[test]
fn a_data_directory_with_a_long_path_has_a_control_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("d".repeat(120));
    let server = Server::start_in(&data_dir, &[]);
    assert!(account(&["create", "222233334444"], &server.data_dir).status.success());
    assert_eq!(list(&data_dir).lines().count(), 2);
}

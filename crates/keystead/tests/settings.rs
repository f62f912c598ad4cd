//! What the command line explains and refuses, before anything is opened.

mod common;

use common::{keystead, run, told};

#[test]
fn help_explains_every_setting_with_its_default() {
    let help = run(&["serve", "--help"]);
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for part in [
        "--data-dir <DIR>",
        "[default: 127.0.0.1:7600]",
        "[default: 127.0.0.1:7601]",
        "[default: 111122223333]",
        "[env: KEYSTEAD_JOURNAL_DURABILITY]",
        "--config <FILE>",
        "--regions",
        "--tls-certificate <FILE>",
        "--tls-key <FILE>",
        "--cache-bytes",
        "--arena-bytes",
        "--log-format",
        "--log-level",
        "--threads",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn a_wrong_flag_is_refused_with_code_2() {
    let unknown = run(&["serve", "--lisen", "127.0.0.1:0"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(told(&unknown).contains("unexpected argument '--lisen'"), "{}", told(&unknown));
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["account", "create"]).status.code(), Some(2));
    let half = run(&["account", "create", "222233334444", "--access-key-id", "K"]);
    assert_eq!(half.status.code(), Some(2));
}

#[test]
fn a_wrong_setting_is_refused_with_its_line_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let configuration = folder.path().join("keystead.toml");
    let cases = [
        ("admin = true\n", ":1: unknown setting \"admin\"; expected one of data_dir, "),
        (
            "\naccount_id = \"1\"\n",
            ":2: account_id: found \"1\"; expected the 12 digits of an AWS account id, \
             for example: account_id = \"111122223333\"",
        ),
        (
            "listen = \"0.0.0.0:7600\"\n",
            "--listen 0.0.0.0:7600 is reached from other machines and plain HTTP is for loopback \
             only; expected --tls-certificate and --tls-key as well",
        ),
    ];
    for (text, expected) in cases {
        std::fs::write(&configuration, text).unwrap();
        let refused = keystead(&["serve", "--data-dir", data_dir.to_str().unwrap()])
            .env("KEYSTEAD_CONFIG", &configuration)
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2));
        assert!(told(&refused).contains(expected), "{}", told(&refused));
        assert!(!data_dir.exists());
    }
}

#[test]
fn a_missing_certificate_is_refused_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let refused = run(&[
        "serve",
        "--data-dir",
        data_dir.to_str().unwrap(),
        "--tls-certificate",
        "/none/certificate.pem",
        "--tls-key",
        "/none/key.pem",
    ]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("/none/certificate.pem: No such file"), "{}", told(&refused));
    assert!(!data_dir.exists());
}

use std::{net::Ipv4Addr, time::Duration};

use clap::FromArgMatches;

use super::*;

fn flags(arguments: &[&str]) -> ServeFlags {
    let command = ServeFlags::augment_args(Command::new("serve"));
    let matches = command.try_get_matches_from([&["serve"], arguments].concat()).unwrap();
    ServeFlags::from_arg_matches(&matches).unwrap()
}

fn resolve_with(
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<Settings, ConfigurationError> {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    flags(arguments).resolve(variables)
}

fn file_error(text: &str) -> String {
    sources::toml("k.toml", text)
        .and_then(|said| {
            let mut all = Sources::default();
            all.add(sources::defaults());
            all.add(said);
            read(&all)
        })
        .map(|_| ())
        .unwrap_err()
        .to_string()
}

#[test]
fn every_default_and_every_example_means_something() {
    let settings = resolve_with(&[], &[]).unwrap();
    assert_eq!(settings.listen, SocketAddr::from((Ipv4Addr::LOCALHOST, 7600)));
    assert_eq!(settings.admin_listen.port(), 7601);
    assert_eq!(settings.account_id.to_string(), "111122223333");
    assert!(settings.regions.is_none() && settings.tls.is_none());
    assert_eq!(settings.journal_durability, Durability::Interval(Duration::from_millis(50)));

    let mut all = Sources::default();
    all.add(SETTINGS.iter().map(|setting| Said {
        setting,
        text: setting.example.to_owned(),
        place: Place::Flag,
    }));
    let examples = read(&all).unwrap();
    assert_eq!(examples.regions.unwrap().len(), 2);
    assert_eq!(examples.tls.unwrap().key, PathBuf::from("/etc/keystead/key.pem"));
}

#[test]
fn flags_are_spelled_from_names() {
    for setting in every_setting() {
        assert_eq!(setting.flag, setting.name.replace('_', "-"));
    }
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.toml");
    std::fs::write(
        &path,
        "listen = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:1\"\naccount_id = 222233334444\n\
         regions = [\"us-east-1\", \"eu-west-3\"]\nthreads = 3\n",
    )
    .unwrap();
    let settings = resolve_with(
        &["--listen", "127.0.0.1:3"],
        &[
            ("KEYSTEAD_CONFIG", path.to_str().unwrap()),
            ("KEYSTEAD_LISTEN", "127.0.0.1:2"),
            ("KEYSTEAD_ADMIN_LISTEN", "127.0.0.1:2"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.admin_listen.port(), 2);
    assert_eq!(settings.account_id.to_string(), "222233334444");
    assert_eq!(settings.regions.unwrap().len(), 2);
    assert_eq!(settings.threads, NonZeroUsize::new(3));
    assert_eq!(settings.data_dir, PathBuf::from("keystead-data"));
}

#[test]
fn a_wrong_value_is_told_with_place_expectation_and_example() {
    assert_eq!(
        file_error("# ours\n\nlisten = \"localhost\"\n"),
        "k.toml:3: listen: found \"localhost\"; expected an IP address and a port, \
         for example: listen = \"127.0.0.1:7600\""
    );
    assert_eq!(
        file_error("threads = true"),
        "k.toml:1: threads: found a TOML boolean; expected a number from 1 to 1024, \
         for example: threads = \"4\""
    );
    assert_eq!(
        resolve_with(&["--listen", "7600"], &[]).map(|_| ()).unwrap_err().to_string(),
        "--listen: found \"7600\"; expected an IP address and a port, \
         for example: --listen 127.0.0.1:7600"
    );
    assert_eq!(
        resolve_with(&[], &[("KEYSTEAD_ACCOUNT_ID", "12")]).map(|_| ()).unwrap_err().to_string(),
        "environment variable KEYSTEAD_ACCOUNT_ID: found \"12\"; expected the 12 digits of an AWS \
         account id, for example: KEYSTEAD_ACCOUNT_ID=111122223333"
    );
}

#[test]
fn an_unknown_setting_is_refused_wherever_it_stands() {
    let told = file_error("threads = 2\n[journal]\nsync = 1\n");
    assert!(told.starts_with("k.toml:2: unknown setting \"journal\"; expected one of data_dir,"));
    assert!(told.ends_with("for example: listen = \"127.0.0.1:7600\""), "{told}");

    let told = resolve_with(&[], &[("KEYSTEAD_LISTENS", "x")]).map(|_| ()).unwrap_err().to_string();
    assert!(told.starts_with("unknown environment variable KEYSTEAD_LISTENS; expected one of"));

    let told = file_error("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n");
    assert!(told.starts_with("k.toml:2: duplicate key"), "{told}");

    let told = file_error("a b\n");
    assert!(told.starts_with("k.toml:1: "), "{told}");
}

#[test]
fn what_kubernetes_says_about_a_service_of_our_name_is_no_setting() {
    let links = [
        ("KEYSTEAD_SERVICE_HOST", "10.0.0.1"),
        ("KEYSTEAD_SERVICE_PORT_KMS", "7600"),
        ("KEYSTEAD_PORT", "tcp://10.0.0.1:7600"),
        ("KEYSTEAD_PORT_7600_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(resolve_with(&[], &links).is_ok());
}

#[test]
fn misspelt_log_levels_are_refused() {
    assert!(resolve_with(&["--log-level", "infos"], &[]).is_err());
    assert!(resolve_with(&["--log-level", "warn,server=debug"], &[]).is_ok());
}

#[test]
fn plain_http_is_for_loopback_only() {
    let told =
        resolve_with(&["--listen", "0.0.0.0:7600"], &[]).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("--tls-certificate") && told.contains("--tls-key"), "{told}");
    assert!(resolve_with(&["--admin-listen", "[::]:7601"], &[]).is_err());
    let pair = ["--tls-certificate", "c", "--tls-key", "k"];
    assert!(resolve_with(&[&["--listen", "0.0.0.0:7600"], &pair[..]].concat(), &[]).is_ok());
    assert!(resolve_with(&pair[..2], &[]).is_err());
    assert!(resolve_with(&pair[2..], &[]).is_err());
}

//! Where events are delivered to: `[[event_sink]]` tables (docs/events.md).

use std::{collections::BTreeSet, path::PathBuf};

use serde::Deserialize;
use service::DetailType;
use toml::Spanned;
use wire::names::AccountId;

use super::{ConfigurationError, sources::line_of};
use crate::{limits::EVENT_SINKS_MAX, outgoing::Url};

/// The name of the tables.
pub(super) const TABLE: &str = "event_sink";
/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 64;

/// Somebody who is told of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSink {
    /// What metrics and the log call it.
    pub name: String,
    /// How it is told.
    pub target: EventTarget,
    /// Of what it is told; of everything when empty.
    pub detail_types: Vec<DetailType>,
    /// Of whose events it is told; of everybody's when empty.
    pub accounts: Vec<AccountId>,
}

/// How somebody is told of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTarget {
    /// By lines of a file.
    File(PathBuf),
    /// By requests to a web server.
    Webhook(Webhook),
}

/// A web server that takes events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What is called.
    pub url: Url,
    /// The file of the secrets that requests are signed with.
    pub secret_file: PathBuf,
    /// Who is believed to be the server, in PEM; the system's certificates when absent.
    pub ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    event_sink: Vec<Spanned<WrittenSink>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSink {
    name: String,
    file: Option<PathBuf>,
    webhook: Option<String>,
    secret_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    detail_types: Vec<String>,
    #[serde(default)]
    accounts: Vec<String>,
}

/// The sinks that a TOML text names.
pub(super) fn toml(path: &str, text: &str) -> Result<Vec<EventSink>, ConfigurationError> {
    let wrong = |start: usize, problem: &str| ConfigurationError::EventSink {
        path: path.to_owned(),
        line: line_of(text, &(start..start)),
        problem: problem.replace('\n', ", "),
    };
    let written: Written = toml::from_str(text)
        .map_err(|error| wrong(error.span().unwrap_or_default().start, error.message()))?;
    let (mut sinks, mut names) = (Vec::new(), BTreeSet::new());
    for table in written.event_sink {
        let start = table.span().start;
        let sink = sink(table.into_inner()).map_err(|problem| wrong(start, problem))?;
        if !names.insert(sink.name.clone()) {
            return Err(wrong(start, "the name is another sink's"));
        }
        sinks.push(sink);
        if sinks.len() > EVENT_SINKS_MAX {
            return Err(wrong(start, "there are 16 sinks at the most"));
        }
    }
    Ok(sinks)
}

fn sink(written: WrittenSink) -> Result<EventSink, &'static str> {
    let WrittenSink { name, file, webhook, secret_file, ca_file, detail_types, accounts } = written;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=NAME_CHARACTERS_MAX).contains(&name.len()) || !name.bytes().all(is_name) {
        return Err("name is 1 to 64 lower-case letters, digits and -");
    }
    let target = match (file, webhook) {
        (Some(_), None) if secret_file.is_some() || ca_file.is_some() => {
            return Err("a file needs no secret_file and no ca_file");
        }
        (Some(file), None) if file.file_name().is_some() => EventTarget::File(file),
        (None, Some(text)) => EventTarget::Webhook(Webhook {
            url: Url::parse(&text).filter(|_| !text.contains('#')).ok_or(
                "webhook is a URL with https (http is for loopback addresses), no user and no fragment",
            )?,
            secret_file: secret_file.ok_or("a webhook needs a secret_file")?,
            ca_file,
        }),
        (Some(_) | None, Some(_) | None) => return Err("a sink is one file or one webhook"),
    };
    let known = |text: String| DetailType::try_from(text).ok();
    let detail_types = detail_types.into_iter().map(known).collect::<Option<_>>();
    let accounts = accounts.iter().map(|text| text.parse().ok()).collect::<Option<_>>();
    Ok(EventSink {
        name,
        target,
        detail_types: detail_types.ok_or("detail_types are those of docs/events.md")?,
        accounts: accounts.ok_or("accounts are AWS account ids")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "secret_file = \"/s\"\n";

    fn problem(table: &str) -> String {
        let told = toml("k.toml", &format!("\n[[event_sink]]\n{table}")).unwrap_err().to_string();
        told.split_once("; expected").unwrap().0.to_owned()
    }

    #[test]
    fn a_sink_is_a_file_or_a_webhook_with_its_filters() {
        let text = format!(
            "[[event_sink]]\nname = \"log\"\nfile = \"/var/log/events\"\n[[event_sink]]\nname = \"page-2\"\n\
             webhook = \"https://ops.example.com/x?y\"\n{SECRET}ca_file = \"/ca\"\naccounts = [\"111122223333\"]\n\
             detail_types = [\"KMS CMK Deletion\", \"Keystead Health Change\"]\n"
        );
        let sinks = toml("k.toml", &text).unwrap();
        let [log, page] = sinks.as_slice() else { panic!("{sinks:?}") };
        assert_eq!(log.target, EventTarget::File("/var/log/events".into()));
        assert_eq!(page.detail_types, [DetailType::Deletion, DetailType::HealthChange]);
        assert_eq!(page.accounts.len(), 1);
        let EventTarget::Webhook(webhook) = &page.target else { panic!("{page:?}") };
        assert_eq!(webhook.ca_file, Some("/ca".into()));
    }

    #[test]
    fn what_is_no_sink_is_refused_with_its_line() {
        for (table, told) in [
            ("file = \"/a\"", "k.toml:2: missing field `name`"),
            ("name = \"A\"\nfile = \"/a\"", "k.toml:2: name is 1 to 64"),
            ("name = \"../a\"\nfile = \"/a\"", "k.toml:2: name is 1 to 64"),
            ("name = \"a\"", "k.toml:2: a sink is one file or one webhook"),
            ("name = \"a\"\nfile = \"/\"", "k.toml:2: a sink is one file"),
            ("name = \"a\"\nfile = \"/a\"\nca_file = \"/b\"", "k.toml:2: a file needs no"),
            ("name = \"a\"\nwebhook = \"https://a\"", "k.toml:2: a webhook needs a secret_file"),
            (
                "name = \"a\"\nwebhook = \"http://a\"\nsecret_file = \"/s\"",
                "k.toml:2: webhook is a URL",
            ),
            ("name = \"a\"\nfile = \"/a\"\ndetail_types = [\"x\"]", "k.toml:2: detail_types are"),
            ("name = \"a\"\nfile = \"/a\"\naccounts = [\"1\"]", "k.toml:2: accounts are"),
            ("name = \"a\"\nfile = \"/a\"\nfiles = 1", "k.toml:5: unknown field `files`"),
        ] {
            let problem = problem(table);
            assert!(problem.starts_with(told), "{table}: {problem}");
        }
        let twice = "name = \"a\"\nfile = \"/a\"\n[[event_sink]]\nname = \"a\"\nfile = \"/b\"\n";
        assert!(problem(twice).starts_with("k.toml:5: the name is another sink's"));
    }
}

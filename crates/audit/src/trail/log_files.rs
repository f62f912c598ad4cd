//! Records, gathered into the log files of their accounts and Regions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Chain, Trail, state::State};

/// Chains that a trail may have. Whoever may call can call in any Region that is served; records beyond the bound go to the
/// files of the home Region.
const CHAINS_MAX: usize = 4096;

/// The records of one log file.
pub(super) struct Gathered {
    /// `{"Records":[...]}`, without its end.
    content: Vec<u8>,
    pub(super) oldest: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
}

/// Log files that are being gathered.
#[derive(Default)]
pub(super) struct LogFiles(BTreeMap<Chain, Gathered>);

/// What of a record decides where it goes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    event_time: Option<Timestamp>,
    aws_region: String,
    recipient_account_id: String,
}

impl LogFiles {
    /// Adds a record, which is one JSON document.
    pub(super) fn add(&mut self, trail: &Trail, state: &State, record: &[u8]) {
        // Ours are always read; what is not is delivered all the same.
        let told: Told = serde_json::from_slice(record).unwrap_or_default();
        let chain = self.chain(trail, state, &told);
        let gathered = self.0.entry(chain).or_insert_with(|| Gathered {
            content: b"{\"Records\":[".to_vec(),
            oldest: None,
            newest: None,
        });
        if !gathered.content.ends_with(b"[") {
            gathered.content.push(b',');
        }
        gathered.content.extend_from_slice(record);
        gathered.oldest = gathered.oldest.into_iter().chain(told.event_time).min();
        gathered.newest = gathered.newest.into_iter().chain(told.event_time).max();
    }

    fn chain(&self, trail: &Trail, state: &State, told: &Told) -> Chain {
        // Whose Region nobody proved is a Region that anybody wrote.
        let home = trail.home();
        let Some(chain) = Chain::new(&told.recipient_account_id, &told.aws_region) else {
            return home;
        };
        let is_known = state.has(&chain) || self.0.contains_key(&chain);
        if is_known || state.chains.len().saturating_add(self.0.len()) < CHAINS_MAX {
            return chain;
        }
        Chain { region: home.region, ..chain }
    }

    /// The files, each with its whole content.
    pub(super) fn finish(self) -> impl Iterator<Item = (Chain, Gathered, Vec<u8>)> {
        self.0.into_iter().map(|(chain, mut gathered)| {
            let mut content = std::mem::take(&mut gathered.content);
            content.extend_from_slice(b"]}");
            (chain, gathered, content)
        })
    }
}

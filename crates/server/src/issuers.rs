//! The signing keys of OIDC issuers: from files of the operator, from URLs that the operator names, and from issuers on hosts
//! that the operator allows. What the keys verify is the service's matter.
//!
//! Nothing is fetched while a call waits, unless its token names a key that is not at hand; and no token, account or issuer has
//! the server call a host that the operator did not name.

mod addresses;
mod discovery;
mod fetch;
mod file;
mod metrics;
mod remote;
mod url;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::metrics::{counter::Counter, family::Family};
use service::{Clock, FindingKeys, FoundKeys, Issuers};
use tokio::sync::Semaphore;

use discovery::Place;
pub(crate) use fetch::{Client, FetchError, read};
use file::KeyFile;
pub(crate) use metrics::{FetchLabels, KeyAges};
use remote::{Remote, Surroundings};
pub use url::Url;

use crate::{
    configuration::{OidcDiscoveryHost, OidcIssuer, OidcKeys},
    follow::Followed,
    limits::{OIDC_DISCOVERED_MAX, OIDC_DISCOVERIES_MAX, OIDC_KEYS_KEPT_HOURS, OIDC_POLL},
};

/// The issuers whose keys can be had, by URL.
pub(crate) struct KeySources {
    named: Vec<(String, KeySource)>,
    hosts: Arc<[OidcDiscoveryHost]>,
    discovered: Mutex<HashMap<String, Arc<Remote>, foldhash::fast::RandomState>>,
    surroundings: Surroundings,
}

enum KeySource {
    File(KeyFile),
    Remote(Arc<Remote>),
}

impl KeySources {
    pub(crate) fn new(
        issuers: Vec<OidcIssuer>,
        hosts: Vec<OidcDiscoveryHost>,
        clock: Arc<dyn Clock>,
    ) -> KeySources {
        let surroundings = Surroundings {
            clock,
            fetches: Family::default(),
            discoveries: Arc::new(Semaphore::new(OIDC_DISCOVERIES_MAX)),
        };
        let named = issuers.into_iter().map(|issuer| {
            let source = match issuer.keys {
                OidcKeys::File(path) => KeySource::File(KeyFile::new(path)),
                OidcKeys::Fetched(keys) => {
                    let hours = keys.keys_kept_hours;
                    let surroundings = surroundings.clone();
                    let place = Place::of(keys);
                    let remote = Remote::new(&issuer.url, place, hours, surroundings);
                    KeySource::Remote(Arc::new(remote))
                }
            };
            (issuer.url, source)
        });
        KeySources {
            named: named.collect(),
            hosts: hosts.into(),
            discovered: Mutex::default(),
            surroundings,
        }
    }

    /// Fetches keys at the start and before they are stale; never ends. A fetch that fails is told and tried again.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut poll = tokio::time::interval(OIDC_POLL);
        loop {
            poll.tick().await;
            self.named_remotes().for_each(Remote::fetch_if_due);
        }
    }

    /// The counters of fetches.
    pub(crate) fn fetches(&self) -> Family<FetchLabels, Counter> {
        self.surroundings.fetches.clone()
    }

    /// How old the fetched keys of the issuers are that the operator named, in seconds.
    fn ages_seconds(&self) -> impl Iterator<Item = (&str, i64)> {
        self.named_remotes()
            .filter_map(|remote| Some((remote.issuer.as_str(), remote.age_seconds()?)))
    }

    fn named_remotes(&self) -> impl Iterator<Item = &Arc<Remote>> {
        self.named.iter().filter_map(|(_, source)| match source {
            KeySource::File(_) => None,
            KeySource::Remote(remote) => Some(remote),
        })
    }

    /// An issuer that an account named, on a host that the operator allows. The one that was not asked for longest makes room.
    fn discovered(&self, issuer: &str) -> Option<Arc<Remote>> {
        let place = Place::allowed(issuer, &self.hosts)?;
        let mut discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remote) = discovered.get(issuer) {
            return Some(Arc::clone(remote));
        }
        if discovered.len() >= OIDC_DISCOVERED_MAX {
            let oldest = discovered.iter().min_by_key(|(_, remote)| remote.used_second());
            let oldest = oldest.map(|(issuer, _)| issuer.clone());
            oldest.and_then(|issuer| discovered.remove(&issuer));
        }
        let surroundings = self.surroundings.clone();
        let remote = Arc::new(Remote::new(issuer, place, OIDC_KEYS_KEPT_HOURS, surroundings));
        discovered.insert(issuer.to_owned(), Arc::clone(&remote));
        Some(remote)
    }
}

/// Keys that are fetched have no file to look at: SIGHUP has all of them fetched.
impl Followed for KeySources {
    fn name(&self) -> &'static str {
        "oidc_keys"
    }

    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn reload_and_tell(&self) -> bool {
        let discovered = self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        for remote in self.named_remotes().chain(discovered.values()) {
            remote.forget_schedule();
        }
        true
    }
}

impl Issuers for KeySources {
    fn find<'k>(&'k self, issuer: &'k str, key_id: Option<&'k str>) -> FindingKeys<'k> {
        Box::pin(async move {
            let named = self.named.iter().find(|(url, _)| url == issuer);
            match named.map(|(_, source)| source) {
                Some(KeySource::File(file)) => file.find().await,
                Some(KeySource::Remote(remote)) => remote.find(key_id).await,
                None => match self.discovered(issuer) {
                    Some(remote) => remote.find(key_id).await,
                    None => FoundKeys::Unknown,
                },
            }
        })
    }
}

//! What stands between a sealed server and its root key: shares as they come in, or a passphrase.

use std::time::Duration;

use jiff::Timestamp;

use super::shares::join_shares;
use super::{LockedRootKey, RootHeader, RootParameters, Share, passphrase_root_key};
use crate::{CustodyError, DeploymentId};

/// How long shares wait for the others after the last one came.
pub const SHARES_KEPT: Duration = Duration::from_secs(10 * 60);

/// The shares collected so far for one header.
pub struct Unsealing {
    header: RootHeader,
    deployment_id: DeploymentId,
    collected: Vec<Share>,
    last_offered: Timestamp,
}

/// What came of something offered.
pub enum Offered {
    /// More shares are needed.
    Waiting {
        /// How many there are.
        collected: u8,
        /// How many are needed.
        threshold: u8,
    },
    /// The root key, proven to be the deployment's.
    Opened(LockedRootKey),
}

impl Unsealing {
    /// Nothing is collected yet.
    #[must_use]
    pub fn new(header: RootHeader, deployment_id: DeploymentId) -> Unsealing {
        let (collected, last_offered) = (Vec::new(), Timestamp::MIN);
        Unsealing { header, deployment_id, collected, last_offered }
    }

    /// How many shares are collected and how many are needed; `None` if none are asked for.
    #[must_use]
    pub fn progress(&self) -> Option<(u8, u8)> {
        match &self.header.parameters {
            RootParameters::Shamir(parameters) => {
                let collected = u8::try_from(self.collected.len()).unwrap_or(u8::MAX);
                Some((collected, parameters.threshold()))
            }
            RootParameters::File | RootParameters::Passphrase(_) => None,
        }
    }

    /// Takes what one operator has: a share or the passphrase. A passphrase takes some tenths of a second.
    ///
    /// # Errors
    /// [`CustodyError::InvalidShare`], [`CustodyError::ForeignShare`] and [`CustodyError::RepeatedShare`] for one that cannot be
    /// meant: what was collected stays. [`CustodyError::WrongSecret`] when the shares together, or the passphrase, are wrong:
    /// all shares are forgotten then, and nothing tells which was wrong.
    pub fn offer(&mut self, secret: &str, now: Timestamp) -> Result<Offered, CustodyError> {
        self.forget_stale(now);
        let parameters = match &self.header.parameters {
            RootParameters::Shamir(parameters) => *parameters,
            RootParameters::Passphrase(parameters) => {
                let root = passphrase_root_key(secret.as_bytes(), parameters)?;
                return self.proven(root);
            }
            RootParameters::File => return Err(CustodyError::WrongSecret),
        };
        let share = Share::parse(secret)?;
        if !share.is_of(&parameters) {
            return Err(CustodyError::ForeignShare);
        }
        if self.collected.iter().any(|known| known.number() == share.number()) {
            return Err(CustodyError::RepeatedShare);
        }
        self.collected.push(share);
        self.last_offered = now;
        match self.progress() {
            Some((collected, threshold)) if collected < threshold => {
                Ok(Offered::Waiting { collected, threshold })
            }
            Some(_) | None => {
                let shares = std::mem::take(&mut self.collected);
                let root = join_shares(&shares)?;
                self.proven(root)
            }
        }
    }

    fn proven(&self, root: LockedRootKey) -> Result<Offered, CustodyError> {
        match self.header.check(&root, self.deployment_id) {
            Ok(()) => Ok(Offered::Opened(root)),
            Err(CustodyError::RootKeyRefused) => Err(CustodyError::WrongSecret),
            Err(error) => Err(error),
        }
    }

    /// Forgets the shares if the last one came too long ago, or the clock was set back; says whether it did.
    pub fn forget_stale(&mut self, now: Timestamp) -> bool {
        let waited = Duration::try_from(now.duration_since(self.last_offered));
        let is_stale = waited.is_ok_and(|waited| waited >= SHARES_KEPT) || now < self.last_offered;
        if is_stale && !self.collected.is_empty() {
            self.collected.clear();
            return true;
        }
        false
    }
}

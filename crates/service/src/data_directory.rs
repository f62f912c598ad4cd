//! A data directory before its root key is known: it can say where the key comes from, take it, and exchange it for another.
//!
//! Exchanging the root key (`keystead root migrate`, `rotate`) wraps the domain keys anew in one transaction of the store, with
//! the header that says where the new key comes from. A root key in a file goes with it in two steps, one on each side of the
//! transaction: its file is written beside the old one first, and takes its place afterwards. What a crash leaves between the
//! two is settled at the next opening, and only once the root key has opened the domain keys: an altered header can make no file
//! go away.

use std::path::{Path, PathBuf};

use crypto::{Rng, SystemRng};
use custody::{
    DeploymentId, FileRootKey, Keyring, LockedRootKey, PASSPHRASE_BYTES_MIN, PassphraseParameters,
    RootHeader, RootParameters, RootProvider, Share, Unsealing, WrappedDomainKey,
    passphrase_root_key, split_root_key,
};
use jiff::Timestamp;
use store::{DeploymentRow, DomainKeyRow, LockedStore, RootHeaderRow, Store, StoreOptions};
use zeroize::Zeroizing;

use crate::open::OpenError;

const ROOT_KEY_FILE: &str = "root-key";
/// The file of a root key that is about to take the other's place.
const NEXT_ROOT_KEY_FILE: &str = "root-key.next";

/// A data directory whose root key is not known yet. The caller has locked it.
pub struct DataDirectory {
    path: PathBuf,
    locked: LockedStore,
    initialized: Option<Initialized>,
}

/// What says whose directory it is.
struct Initialized {
    deployment: DeploymentRow,
    /// None in a directory from before there were headers: its root key is a file.
    header: Option<RootHeader>,
}

impl Initialized {
    fn deployment_id(&self) -> DeploymentId {
        DeploymentId::from_bytes(self.deployment.deployment_id)
    }
}

/// A root key to be made.
pub enum NewRootKey {
    /// Drawn, and kept in a file of the data directory.
    File,
    /// Derived from this passphrase.
    Passphrase(Zeroizing<String>),
    /// Drawn, and split.
    Shamir {
        /// How many shares there are.
        shares: u8,
        /// How many make the key.
        threshold: u8,
    },
}

/// Hands shares to the operator, who never sees them again; they must be told before they are needed.
pub type TellShares<'a> = &'a mut dyn FnMut(&[Share]) -> std::io::Result<()>;

impl DataDirectory {
    /// Opens the store of a directory, or makes it.
    ///
    /// # Errors
    /// [`OpenError::Store`], and [`OpenError::Custody`] for a header that no provider takes.
    pub fn open(path: &Path) -> Result<DataDirectory, OpenError> {
        let locked = LockedStore::open(&path.join("keystead.db"), StoreOptions::default())?;
        let mut directory = DataDirectory { path: path.to_owned(), locked, initialized: None };
        directory.initialized = directory.read()?;
        Ok(directory)
    }

    fn read(&self) -> Result<Option<Initialized>, OpenError> {
        let Some(deployment) = self.locked.deployment()? else { return Ok(None) };
        let header = self.locked.root_header()?.map(read_header).transpose()?;
        Ok(Some(Initialized { deployment, header }))
    }

    /// Where the root key comes from; `None` before there is one.
    #[must_use]
    pub fn provider(&self) -> Option<RootProvider> {
        let header = &self.initialized.as_ref()?.header;
        let provider = |header: &RootHeader| header.parameters.provider();
        Some(header.as_ref().map_or(RootProvider::File, provider))
    }

    /// When the directory was initialised.
    pub(crate) fn created(&self) -> Option<Timestamp> {
        Some(self.initialized.as_ref()?.deployment.created)
    }

    /// Makes the root key, the deployment and its domain keys.
    ///
    /// A root key file that an interrupted first start left behind has wrapped nothing yet and is taken as it is.
    ///
    /// # Errors
    /// [`OpenError::Initialized`] when there is a root key already; nothing has changed then.
    pub fn initialize(
        &mut self,
        new: &NewRootKey,
        now: Timestamp,
        tell_shares: TellShares<'_>,
    ) -> Result<LockedRootKey, OpenError> {
        if self.initialized.is_some() {
            return Err(OpenError::Initialized);
        }
        let rng = SystemRng;
        let (root, parameters) = self.make(new, ROOT_KEY_FILE, &rng, tell_shares)?;
        let deployment_id = DeploymentId::generate(&rng)?;
        let (_, wrapped) = Keyring::create(&root, deployment_id, now, &rng)?;
        let header = RootHeader::new(&root, deployment_id, parameters)?;
        let deployment = DeploymentRow { deployment_id: *deployment_id.as_bytes(), created: now };
        self.locked.initialize(&deployment, &domain_key_rows(wrapped), &header_row(&header))?;
        self.initialized = self.read()?;
        Ok(root)
    }

    /// The root key of a directory that keeps it in a file; at the first start it is made.
    ///
    /// # Errors
    /// [`OpenError::Sealed`] when it comes from elsewhere.
    pub fn root_key_of_file(&mut self, now: Timestamp) -> Result<LockedRootKey, OpenError> {
        match self.provider() {
            None => self.initialize(&NewRootKey::File, now, &mut |_| Ok(())),
            Some(RootProvider::File) => self.read_root_key_file(),
            Some(provider @ (RootProvider::Passphrase | RootProvider::Shamir)) => {
                Err(OpenError::Sealed(provider))
            }
        }
    }

    fn read_root_key_file(&self) -> Result<LockedRootKey, OpenError> {
        let (path, next_path) = self.root_key_paths();
        if let Some(Initialized { header: Some(header), .. }) = &self.initialized
            && next_path.exists()
        {
            // A crash came between the transaction and the last step, or before the transaction.
            let next = LockedRootKey::from(FileRootKey::open(&next_path)?);
            if header.check(&next, self.deployment_id()?).is_ok() {
                FileRootKey::replace(&next_path, &path)?;
                return Ok(next);
            }
        }
        Ok(FileRootKey::open(&path)?.into())
    }

    /// What takes the shares or the passphrase.
    ///
    /// # Errors
    /// [`OpenError::NothingToUnseal`] when the root key is a file, or not made yet.
    pub fn unsealing(&self) -> Result<Unsealing, OpenError> {
        match &self.initialized {
            Some(Initialized { header: Some(header), .. })
                if header.parameters.provider() != RootProvider::File =>
            {
                Ok(Unsealing::new(header.clone(), self.deployment_id()?))
            }
            Some(_) | None => Err(OpenError::NothingToUnseal),
        }
    }

    /// Wraps the domain keys, and nothing else, under a new root key, which replaces the old one.
    ///
    /// The new key's shares are told before anything changes. After a crash either key is the directory's, never both and never
    /// none.
    ///
    /// # Errors
    /// See [`OpenError`]; the old root key stands then, but for failures to remove its file after the exchange.
    pub fn exchange_root_key(
        &mut self,
        old: &LockedRootKey,
        new: &NewRootKey,
        tell_shares: TellShares<'_>,
    ) -> Result<(), OpenError> {
        // Finishes what an earlier exchange left, and shows that the old key opens.
        self.keyring(old)?;
        let deployment_id = self.deployment_id()?;
        let (root, parameters) = self.make(new, NEXT_ROOT_KEY_FILE, &SystemRng, tell_shares)?;
        let stored = self.domain_keys()?;
        let rewrapped = WrappedDomainKey::rewrap(&stored, old, &root, deployment_id)?;
        let header = RootHeader::new(&root, deployment_id, parameters)?;
        self.locked.replace_root(&header_row(&header), &domain_key_rows(rewrapped))?;
        self.initialized = self.read()?;
        if parameters.provider() == RootProvider::File {
            let (path, next_path) = self.root_key_paths();
            FileRootKey::replace(&next_path, &path)?;
        }
        self.keyring(&root).map(drop)
    }

    /// Opens the domain keys, and settles what an exchange of the root key left behind.
    fn keyring(&self, root: &LockedRootKey) -> Result<Keyring, OpenError> {
        let deployment_id = self.deployment_id()?;
        let keyring = Keyring::open(root, deployment_id, &self.domain_keys()?)?;
        if let Some(Initialized { header: Some(header), .. }) = &self.initialized {
            header.check(root, deployment_id)?;
        }
        let (path, next_path) = self.root_key_paths();
        FileRootKey::remove(&next_path)?;
        if self.provider() != Some(RootProvider::File) {
            FileRootKey::remove(&path)?;
        }
        Ok(keyring)
    }

    /// The open domain keys and the store under their seals.
    pub(crate) fn unlock(self, root: &LockedRootKey) -> Result<(Keyring, Store), OpenError> {
        let keyring = self.keyring(root)?;
        let store = self.locked.unlock(keyring.seal_keys())?;
        Ok((keyring, store))
    }

    fn make(
        &self,
        new: &NewRootKey,
        file: &str,
        rng: &dyn Rng,
        tell_shares: TellShares<'_>,
    ) -> Result<(LockedRootKey, RootParameters), OpenError> {
        match new {
            NewRootKey::File => {
                let path = self.path.join(file);
                let root = match path.exists() {
                    true => FileRootKey::open(&path)?,
                    false => FileRootKey::create(&path, rng)?,
                };
                Ok((root.into(), RootParameters::File))
            }
            NewRootKey::Passphrase(passphrase) if passphrase.len() < PASSPHRASE_BYTES_MIN => {
                Err(OpenError::ShortPassphrase)
            }
            NewRootKey::Passphrase(passphrase) => {
                let parameters = PassphraseParameters::generate(rng)?;
                let root = passphrase_root_key(passphrase.as_bytes(), &parameters)?;
                Ok((root, RootParameters::Passphrase(parameters)))
            }
            NewRootKey::Shamir { shares, threshold } => {
                let (root, parameters, shares) = split_root_key(*shares, *threshold, rng)?;
                tell_shares(&shares).map_err(OpenError::TellShares)?;
                Ok((root, RootParameters::Shamir(parameters)))
            }
        }
    }

    fn deployment_id(&self) -> Result<DeploymentId, OpenError> {
        let initialized = self.initialized.as_ref().ok_or(OpenError::NotInitialized)?;
        Ok(initialized.deployment_id())
    }

    fn domain_keys(&self) -> Result<Vec<WrappedDomainKey>, OpenError> {
        let read = |row: DomainKeyRow| {
            let DomainKeyRow { purpose, version, wrapped, created } = row;
            let purpose = purpose.parse().map_err(|_| OpenError::UnknownPurpose(purpose))?;
            Ok(WrappedDomainKey { version, purpose, wrapped, created })
        };
        self.locked.domain_keys()?.into_iter().map(read).collect()
    }

    fn root_key_paths(&self) -> (PathBuf, PathBuf) {
        (self.path.join(ROOT_KEY_FILE), self.path.join(NEXT_ROOT_KEY_FILE))
    }
}

fn read_header(row: RootHeaderRow) -> Result<RootHeader, OpenError> {
    let provider = row.provider.parse().map_err(|_| OpenError::UnknownProvider(row.provider))?;
    let parameters = RootParameters::from_bytes(provider, &row.parameters)?;
    Ok(RootHeader { parameters, proof: row.proof })
}

fn header_row(header: &RootHeader) -> RootHeaderRow {
    RootHeaderRow {
        provider: header.parameters.provider().as_str().to_owned(),
        parameters: header.parameters.to_bytes(),
        proof: header.proof.clone(),
    }
}

fn domain_key_rows(keys: Vec<WrappedDomainKey>) -> Vec<DomainKeyRow> {
    let row = |key: WrappedDomainKey| DomainKeyRow {
        purpose: key.purpose.as_str().to_owned(),
        version: key.version,
        wrapped: key.wrapped,
        created: key.created,
    };
    keys.into_iter().map(row).collect()
}

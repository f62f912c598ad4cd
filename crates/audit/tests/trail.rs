//! Delivery: each record once, whatever is interrupted, and digests that show every change.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audit::{
    Durability, Journal, JournalOptions,
    trail::{
        Deliverer, Destination, DigestKey, Folder, METADATA_SUFFIX, Object, PublicKey, StateSeal,
        Trail, TrailError, Verified, fingerprint, verify,
    },
};
use crypto::digest_signing::DigestSigningKey;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

const INTERVAL: Duration = Duration::from_secs(60);

/// A seal that anybody could make, for want of keys.
struct Sum;

impl StateSeal for Sum {
    fn seal(&self, hash: &[u8; 32]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Ok(vec![hash.iter().fold(7, |sum, byte| sum ^ byte)])
    }

    fn is_seal(&self, hash: &[u8; 32], seal: &[u8]) -> bool {
        self.seal(hash).is_ok_and(|made| made == seal)
    }
}

struct Fixture {
    place: TempDir,
    journal: Journal,
    keys: Vec<DigestKey>,
    now: Timestamp,
    count: usize,
}

/// Puts as the folder does, until so many puts were done.
struct Failing {
    folder: Folder,
    left: Arc<AtomicUsize>,
}

impl Destination for Failing {
    fn put(&self, object: &Object<'_>) -> Result<(), TrailError> {
        let taken =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken.map_err(|_| TrailError::KeyMissing { fingerprint: "none".to_owned() })?;
        self.folder.put(object)
    }
}

impl Fixture {
    fn new() -> Fixture {
        let place = TempDir::new().unwrap();
        let options = JournalOptions {
            durability: Durability::Strict,
            segment_bytes_max: 2048,
            ..JournalOptions::new([7; 16])
        };
        let (journal, _) = Journal::open(&place.path().join("journal"), options).unwrap();
        let key = DigestSigningKey::generate().unwrap();
        let keys = vec![DigestKey { fingerprint: fingerprint(key.public_key_der()), key }];
        let now = "2026-11-25T10:00:10Z".parse().unwrap();
        Fixture { place, journal, keys, now, count: 0 }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("bucket")
    }

    fn trail() -> Trail {
        Trail {
            name: "audit".to_owned(),
            home_region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            bucket: "logs".to_owned(),
            prefix: None,
        }
    }

    fn deliverer(&self, puts: usize) -> Deliverer {
        let trail = Fixture::trail();
        let folder = Folder::open(&self.root()).unwrap();
        let destination = Failing { folder, left: Arc::new(AtomicUsize::new(puts)) };
        let (journal, state) = (self.place.path().join("journal"), self.state());
        Deliverer::open(trail, &journal, &state, Box::new(destination), Box::new(Sum), self.now)
            .unwrap()
    }

    fn state(&self) -> PathBuf {
        self.place.path().join("state")
    }

    /// Appends records of two accounts and of nobody.
    async fn append(&mut self, count: usize) {
        for _ in 0..count {
            let account = [
                r#","recipientAccountId":"111122223333""#,
                r#","recipientAccountId":"444455556666""#,
                "",
            ][self.count % 3];
            let (number, time) = (self.count, self.now);
            let record = format!(
                r#"{{"eventTime":"{time}","awsRegion":"eu-west-1","eventID":"{number}"{account}}}"#
            );
            self.journal.append(record.as_bytes(), None).await.unwrap();
            self.count += 1;
        }
    }

    /// Delivers all that is due; fails as the destination does.
    async fn round(&self, deliverer: &mut Deliverer) -> Result<(), TrailError> {
        let synced = self.journal.sync_all().await.unwrap();
        if let Some(end) = deliverer.digests_due(self.now, INTERVAL) {
            deliverer.deliver_digests(end, self.keys.iter(), self.now)?;
        }
        while !deliverer.deliver(synced, self.now)? {}
        Ok(())
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn verify(&self) -> Verified {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| PublicKey {
                fingerprint: key.fingerprint.clone(),
                der: key.key.public_key_der().to_vec(),
            })
            .collect();
        verify(&self.root(), &keys).unwrap()
    }

    /// Two intervals with records and one without.
    async fn delivered() -> Fixture {
        let mut fixture = Fixture::new();
        let mut deliverer = fixture.deliverer(usize::MAX);
        for count in [9, 12, 0] {
            fixture.append(count).await;
            fixture.round(&mut deliverer).await.unwrap();
            fixture.pass(60);
        }
        fixture.round(&mut deliverer).await.unwrap();
        fixture
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

#[tokio::test]
async fn each_record_is_delivered_and_digested_once() {
    let fixture = Fixture::delivered().await;
    let verified = fixture.verify();
    assert_eq!(verified.problems, []);
    assert_eq!(verified.records_count, 21);
    assert_eq!((verified.digests_count, verified.log_files_count), (9, 6));
}

#[tokio::test]
async fn what_is_interrupted_is_finished_with_the_same_files() {
    let whole = Fixture::delivered().await;
    let is_put = |path: &&PathBuf| path.to_str().unwrap().ends_with(".json.gz");
    let puts = files(&whole.root()).keys().filter(is_put).count();
    for interrupted_after in 0..puts {
        let mut fixture = Fixture::new();
        let mut deliverer = fixture.deliverer(interrupted_after);
        let mut left = files(&fixture.root());
        for count in [9, 12, 0, 0] {
            fixture.append(count).await;
            if fixture.round(&mut deliverer).await.is_err() {
                left = files(&fixture.root());
                deliverer = fixture.deliverer(usize::MAX);
                fixture.append(1).await;
                fixture.pass(7);
                fixture.round(&mut deliverer).await.unwrap();
            }
            fixture.pass(60);
        }
        fixture.round(&mut deliverer).await.unwrap();
        let verified = fixture.verify();
        assert_eq!(verified.problems, [], "{interrupted_after}");
        assert_eq!(verified.undigested_count, 0, "{interrupted_after}");
        assert_eq!(usize::try_from(verified.records_count).unwrap(), fixture.count);
        let now = files(&fixture.root());
        for (path, bytes) in left {
            assert_eq!(now.get(&path), Some(&bytes), "{interrupted_after}: {}", path.display());
        }
    }
}

#[tokio::test]
async fn every_change_of_a_file_shows() {
    let fixture = Fixture::delivered().await;
    let delivered = files(&fixture.root());
    for (path, bytes) in &delivered {
        let is_metadata = path.to_str().unwrap().ends_with(METADATA_SUFFIX);
        // Behind the header of gzip, which nobody reads, so that it is the content that changes.
        for at in (if is_metadata { 20..30 } else { 30..bytes.len() }).step_by(11) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(path, changed).unwrap();
            assert_ne!(fixture.verify().problems, [], "{} at {at}", path.display());
        }
        fs::remove_file(path).unwrap();
        let is_newest = path.to_str().unwrap().contains("_20261125T1003");
        assert!(is_newest || !fixture.verify().problems.is_empty(), "without {}", path.display());
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(fixture.verify().problems, []);
}

#[tokio::test]
async fn files_out_of_their_place_and_foreign_keys_show() {
    let mut fixture = Fixture::delivered().await;
    let paths: Vec<_> = files(&fixture.root())
        .into_keys()
        .filter(|path| path.to_str().unwrap().ends_with(".json.gz"))
        .collect();
    for pair in paths.windows(2) {
        let contents = [fs::read(&pair[0]).unwrap(), fs::read(&pair[1]).unwrap()];
        fs::write(&pair[0], &contents[1]).unwrap();
        fs::write(&pair[1], &contents[0]).unwrap();
        assert_ne!(fixture.verify().problems, [], "{pair:?}");
        fs::write(&pair[0], &contents[0]).unwrap();
        fs::write(&pair[1], &contents[1]).unwrap();
    }
    let log_file =
        paths.iter().find(|path| path.to_str().unwrap().contains("CloudTrail_")).unwrap();
    let name = log_file.to_str().unwrap();
    let (start, _) = name.rsplit_once('_').unwrap();
    let inserted = PathBuf::from(format!("{start}_0000000000000000.json.gz"));
    fs::copy(log_file, &inserted).unwrap();
    assert_eq!(fixture.verify().problems.len(), 1);
    fs::remove_file(inserted).unwrap();
    fixture.keys[0].key = DigestSigningKey::generate().unwrap();
    assert_eq!(fixture.verify().problems.len(), 9);
}

#[tokio::test]
async fn a_journal_written_anew_is_not_delivered_as_the_old_one() {
    let fixture = Fixture::delivered().await;
    let mut deliverer = fixture.deliverer(usize::MAX);
    let mut other = Fixture::new();
    other.append(40).await;
    let (old, new) = (fixture.place.path().join("journal"), other.place.path().join("journal"));
    let synced = other.journal.sync_all().await.unwrap();
    drop(other.journal);
    fs::remove_dir_all(&old).unwrap();
    fs::create_dir(&old).unwrap();
    for (path, bytes) in files(&new) {
        fs::write(old.join(path.file_name().unwrap()), bytes).unwrap();
    }
    let refused = deliverer.deliver(synced, fixture.now);
    // The first records are alike; what follows them was chained at another time.
    assert!(matches!(refused, Err(TrailError::OtherJournal { .. })), "{refused:?}");
}

#[tokio::test]
async fn how_far_it_came_is_believed_only_as_it_was_sealed() {
    let fixture = Fixture::delivered().await;
    let sealed = fs::read(fixture.state()).unwrap();
    let open = |bytes: &[u8]| {
        fs::write(fixture.state(), bytes).unwrap();
        let folder = Folder::open(&fixture.root()).unwrap();
        let trail = Fixture::trail();
        let journal = fixture.place.path().join("journal");
        let (folder, seal) = (Box::new(folder), Box::new(Sum));
        Deliverer::open(trail, &journal, &fixture.state(), folder, seal, fixture.now).map(drop)
    };
    open(&sealed).unwrap();
    let text = String::from_utf8(sealed.clone()).unwrap();
    let moved = text.replacen(r#""sequence":"#, r#""sequence":9"#, 1);
    assert_ne!(moved, text);
    let unsealed = text.lines().next().unwrap();
    for spoiled in [&*moved, unsealed, text.strip_prefix('{').unwrap(), text.trim_end(), ""] {
        assert!(
            matches!(open(spoiled.as_bytes()), Err(TrailError::UnsealedState { .. })),
            "{spoiled}"
        );
    }
}

//! A thousand records in a journal and in a delivered trail, and all that can be done to their files: it shows.
//!
//! `cargo test -p keystead-audit --test tampering -- --ignored --nocapture` flips ten thousand bytes of each; without that it is some
//! hundreds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and the long ones tell their figures"
)]

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

use audit::{
    Durability, Journal, JournalOptions, read,
    trail::{
        Deliverer, DigestKey, Folder, METADATA_SUFFIX, PublicKey, StateSeal, Trail, fingerprint,
        verify,
    },
};
use aws_lc_rs::digest::{SHA256, digest};
use crypto::digest_signing::DigestSigningKey;
use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

const RECORDS: usize = 1_000;
const FLIPS: usize = 300;
const FLIPS_MANY: usize = 10_000;
const HEADER_BYTES: usize = 116;
const FIXED_BYTES: usize = 28;
const TRAILER_BYTES: usize = 32;
const INTERVALS: usize = 5;

/// What tells how far a delivery came is no part of what is tampered with here.
struct Unsealed;

impl StateSeal for Unsealed {
    fn seal(&self, hash: &[u8; 32]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Ok(hash.to_vec())
    }

    fn is_seal(&self, hash: &[u8; 32], seal: &[u8]) -> bool {
        hash == seal
    }
}

/// Places that nobody would choose, the same at every run (SplitMix64).
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}

fn record(number: usize, time: Timestamp) -> Vec<u8> {
    let account = ["111122223333", "444455556666"][number % 2];
    format!(
        r#"{{"eventVersion":"1.11","eventTime":"{time}","awsRegion":"eu-west-1","eventName":"Encrypt","requestParameters":{{"keyId":"alias/{number}"}},"eventID":"{number}","recipientAccountId":"{account}"}}"#
    )
    .into_bytes()
}

fn start() -> Timestamp {
    "2026-11-25T10:00:10Z".parse().unwrap()
}

/// A closed journal in several segments; `changed` is a record that says something else.
async fn journal(changed: Option<usize>) -> TempDir {
    let directory = TempDir::new().unwrap();
    let options = JournalOptions {
        durability: Durability::Strict,
        segment_bytes_max: 64 * 1024,
        ..JournalOptions::new([3; 16])
    };
    let (journal, _) = Journal::open(directory.path(), options).unwrap();
    for number in 0..RECORDS {
        let told = if changed == Some(number) { number + 1 } else { number };
        journal.append(&record(told, start()), None).await.unwrap();
        if number % 50 == 0 {
            // The change of segments is the thread's; let it happen where it is due.
            journal.sync().await.unwrap();
        }
    }
    journal.close().await.unwrap();
    directory
}

/// The head of a journal that is whole.
fn head(directory: &Path) -> Option<[u8; 32]> {
    let mut frames = read(directory).ok()?;
    let mut last = None;
    for frame in &mut frames {
        last = Some(frame.ok()?.head);
    }
    last.filter(|_| frames.torn_bytes() == 0)
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => drop(found.insert(path.clone(), fs::read(path).unwrap())),
        }
    }
    found
}

/// Where the frames of a segment lie, marks too.
fn places(segment: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), HEADER_BYTES);
    while segment.get(at..at + FIXED_BYTES).is_some_and(|fixed| fixed.iter().any(|byte| *byte != 0))
    {
        let length = u32::from_be_bytes(segment[at..at + 4].try_into().unwrap());
        let end = at + FIXED_BYTES + usize::try_from(length).unwrap() + TRAILER_BYTES;
        found.push(at..end);
        at = end;
    }
    found
}

/// A segment of these frames, which are taken as they are.
fn assembled(segment: &[u8], frames: &[&[u8]]) -> Vec<u8> {
    [&[&segment[..HEADER_BYTES]], frames].concat().concat()
}

async fn flip_bytes_of_a_journal(flips: usize) {
    let directory = journal(None).await;
    let whole = head(directory.path()).unwrap();
    let segments: Vec<_> = contents(directory.path()).into_iter().collect();
    assert!(segments.len() > 2);
    let mut drawn = Drawn(1);
    for _ in 0..flips {
        let (path, bytes) = &segments[drawn.below(segments.len())];
        // What follows the last frame may as well be room.
        let written = places(bytes).last().map_or(HEADER_BYTES, |last| last.end);
        let (at, bit) = (drawn.below(written), drawn.below(8));
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        fs::write(path, changed).unwrap();
        assert_ne!(head(directory.path()), Some(whole), "{} at {at}", path.display());
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(head(directory.path()), Some(whole));
    eprintln!("{flips} flips in a journal of {RECORDS} records, all shown");
}

#[tokio::test]
async fn a_changed_byte_of_a_journal_shows() {
    flip_bytes_of_a_journal(FLIPS).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn ten_thousand_changed_bytes_of_a_journal_show() {
    flip_bytes_of_a_journal(FLIPS_MANY).await;
}

#[tokio::test]
async fn every_record_out_of_its_place_shows() {
    let directory = journal(None).await;
    let whole = head(directory.path()).unwrap();
    let mut tampered = 0;
    for (path, bytes) in contents(directory.path()) {
        let places = places(&bytes);
        let frames: Vec<&[u8]> = places.iter().map(|place| &bytes[place.clone()]).collect();
        // Every seventh, and the last ones; the mark of an orderly end is no record.
        let is_record = |at: &usize| frames[*at].len() > FIXED_BYTES + TRAILER_BYTES;
        let chosen = (0..frames.len()).filter(|at| at % 7 == 0 || at + 3 >= frames.len());
        for at in chosen.filter(is_record) {
            let (before, after) = frames.split_at(at);
            let (this, rest) = after.split_first().unwrap();
            let trailer_before = match before.last() {
                Some(frame) => &frame[frame.len() - TRAILER_BYTES..],
                None => &bytes[HEADER_BYTES - TRAILER_BYTES..HEADER_BYTES],
            };
            let mut forged = [trailer_before, &this[..this.len() - TRAILER_BYTES]].concat();
            let trailer = digest(&SHA256, &forged);
            forged.drain(..TRAILER_BYTES);
            forged.extend_from_slice(trailer.as_ref());
            let mut ways = vec![
                ("deleted", [before, rest].concat()),
                ("twice", [before, &[this, this], rest].concat()),
                ("inserted", [before, &[&forged[..], this], rest].concat()),
                ("cut off before it", before.to_vec()),
            ];
            if let Some((next, rest)) = rest.split_first() {
                ways.push(("swapped", [before, &[next, this], rest].concat()));
            }
            for (way, frames) in ways {
                fs::write(&path, assembled(&bytes, &frames)).unwrap();
                let found = head(directory.path());
                assert_ne!(found, Some(whole), "{} at {at}: {way}", path.display());
                tampered += 1;
            }
        }
        fs::remove_file(&path).unwrap();
        assert_ne!(head(directory.path()), Some(whole), "without {}", path.display());
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(head(directory.path()), Some(whole));
    assert!(tampered > 600);
}

/// Whoever writes the whole journal anew makes a chain that is right in itself; the head that was kept elsewhere shows it.
#[tokio::test]
async fn a_journal_written_anew_shows_by_its_head() {
    let whole = head(journal(None).await.path());
    assert!(whole.is_some());
    for number in [0, RECORDS / 2, RECORDS - 1] {
        let other = head(journal(Some(number)).await.path());
        assert!(other.is_some() && other != whole, "{number}");
    }
}

/// A trail of the records in some intervals, delivered whole, and the keys that prove it.
async fn trail() -> (TempDir, PathBuf, DigestKey, Vec<PublicKey>) {
    let place = TempDir::new().unwrap();
    let (root, at) = (place.path().join("bucket"), place.path().join("journal"));
    let options = JournalOptions { durability: Durability::Strict, ..JournalOptions::new([7; 16]) };
    let (journal, _) = Journal::open(&at, options).unwrap();
    let key = DigestSigningKey::generate().unwrap();
    let key = DigestKey { fingerprint: fingerprint(key.public_key_der()), key };
    let public =
        PublicKey { fingerprint: key.fingerprint.clone(), der: key.key.public_key_der().to_vec() };
    let told = Trail {
        name: "audit".to_owned(),
        home_region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        bucket: "logs".to_owned(),
        prefix: None,
    };
    let destination = Box::new(Folder::open(&root).unwrap());
    let mut now = start();
    let state = place.path().join("state");
    let mut deliverer =
        Deliverer::open(told, &at, &state, destination, Box::new(Unsealed), now).unwrap();
    for interval in 0..=INTERVALS {
        if let Some(end) = deliverer.digests_due(now, std::time::Duration::from_secs(60)) {
            deliverer.deliver_digests(end, std::iter::once(&key), now).unwrap();
        }
        if interval < INTERVALS {
            for number in 0..RECORDS / INTERVALS {
                let number = interval * (RECORDS / INTERVALS) + number;
                journal.append(&record(number, now), None).await.unwrap();
            }
        }
        let synced = journal.sync_all().await.unwrap();
        while !deliverer.deliver(synced, now).unwrap() {}
        now += SignedDuration::from_secs(60);
    }
    (place, root, key, vec![public])
}

fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).ok().map(|_| out)
}

/// Whether two files say the same: gzip has a header that nobody reads, hexadecimal digits have two cases.
fn says_the_same(path: &Path, one: &[u8], other: &[u8]) -> bool {
    if !path.to_str().unwrap().ends_with(METADATA_SUFFIX) {
        return unpacked(one).is_some() && unpacked(one) == unpacked(other);
    }
    let told = |bytes: &[u8]| {
        let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let signature = value.get("signature")?.as_str()?.to_ascii_lowercase();
        Some((signature, value.get("signature-algorithm")?.clone()))
    };
    told(one).is_some() && told(one) == told(other)
}

async fn flip_bytes_of_a_trail(flips: usize) {
    let (_place, root, _, keys) = trail().await;
    let verified = verify(&root, &keys).unwrap();
    assert_eq!(verified.problems, []);
    assert_eq!(verified.records_count, u64::try_from(RECORDS).unwrap());
    let delivered: Vec<_> = contents(&root).into_iter().collect();
    let (mut drawn, mut same) = (Drawn(2), 0);
    for _ in 0..flips {
        let (path, bytes) = &delivered[drawn.below(delivered.len())];
        let (at, bit) = (drawn.below(bytes.len()), drawn.below(8));
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        if says_the_same(path, bytes, &changed) {
            same += 1;
            continue;
        }
        fs::write(path, changed).unwrap();
        let problems = verify(&root, &keys).unwrap().problems;
        assert_ne!(problems, [], "{} at {at}", path.display());
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(verify(&root, &keys).unwrap().problems, []);
    eprintln!(
        "{flips} flips in a trail of {RECORDS} records: {same} changed nothing that is told, all others shown"
    );
}

#[tokio::test]
async fn a_changed_byte_of_a_trail_shows() {
    flip_bytes_of_a_trail(FLIPS).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn ten_thousand_changed_bytes_of_a_trail_show() {
    flip_bytes_of_a_trail(FLIPS_MANY).await;
}

/// A digest that another key signed, whatever it calls itself, and one whose digest is made anew.
#[tokio::test]
async fn a_trail_signed_by_another_key_shows() {
    let (_place, root, key, keys) = trail().await;
    let (_other_place, other_root, other_key, other_keys) = trail().await;
    assert_eq!(verify(&other_root, &other_keys).unwrap().problems, []);
    assert_ne!(verify(&other_root, &keys).unwrap().problems, []);
    // Under the name of the right one, as who writes the bucket would do.
    let named = PublicKey { fingerprint: other_key.fingerprint, der: keys[0].der.clone() };
    assert_ne!(verify(&other_root, &[named]).unwrap().problems, []);
    assert_ne!(key.fingerprint, other_keys[0].fingerprint);
    let (delivered, others) = (contents(&root), contents(&other_root));
    for (path, bytes) in &delivered {
        let other = &others[&other_root.join(path.strip_prefix(&root).unwrap())];
        if says_the_same(path, bytes, other) {
            continue;
        }
        fs::write(path, other).unwrap();
        assert_ne!(verify(&root, &keys).unwrap().problems, [], "{}", path.display());
        fs::write(path, bytes).unwrap();
    }
}

//! The index against a plain search through all records, over many segments and many lives.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{path::Path, time::Duration};

use audit::{
    Attribute, Durability, Follower, Index, Journal, JournalOptions, Position, Sought, Summary,
};
use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];
const NAMES: [&str; 4] = ["Encrypt", "Decrypt", "CreateKey", "ListKeys"];
const ALL_OF_THEM: usize = 100_000;

fn options() -> JournalOptions {
    let durability = Durability::Interval(Duration::from_millis(1));
    JournalOptions { durability, segment_bytes_max: 4_096, ..JournalOptions::new([3; 16]) }
}

/// A record of which each number decides one member.
fn record(number: usize, [account, region, name, user]: [usize; 4]) -> String {
    let time = Timestamp::from_second(1_000_000 + i64::try_from(number).unwrap() / 3).unwrap();
    format!(
        r#"{{"userIdentity":{{"type":"IAMUser","userName":"user-{user}","accessKeyId":"AKIA{user}"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{}","awsRegion":"{}","eventID":"{number}","readOnly":{},"resources":[{{"accountId":"1","type":"AWS::KMS::Key","ARN":"key-{user}"}},{{"accountId":"1","type":"AWS::KMS::Key","ARN":"key-0"}}],"recipientAccountId":"{}"}}"#,
        NAMES[name],
        REGIONS[region],
        name == 3,
        ACCOUNTS[account],
    )
}

fn append(directory: &Path, records: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (journal, _) = Journal::open(directory, options()).unwrap();
    runtime.block_on(async {
        for record in records {
            journal.append(record.as_bytes(), None).await.unwrap();
            // So that segments end about where they should.
            journal.sync().await.unwrap();
        }
        journal.close().await.unwrap();
    });
}

/// The ids of all events that are sought, found page by page.
fn look_up(index: &Index, sought: &Sought<'_>, page: usize) -> Vec<String> {
    let (mut ids, mut after): (Vec<String>, Option<Position>) = (Vec::new(), None);
    loop {
        let found = index.look_up(sought, after, page).unwrap();
        ids.extend(found.iter().map(|found| found.summary.event_id.clone()));
        match found.last() {
            Some(last) => after = Some(last.position.to_string().parse().unwrap()),
            None => return ids,
        }
    }
}

fn plainly(records: &[String], sought: &Sought<'_>) -> Vec<String> {
    let summaries = records.iter().map(|record| Summary::of(record.as_bytes()).unwrap());
    let is_sought = |summary: &Summary| {
        summary.account_id.as_deref() == Some(sought.account_id)
            && summary.region == sought.region
            && (sought.earliest..=sought.latest).contains(&summary.event_time)
            && sought
                .attribute
                .is_none_or(|(attribute, value)| summary.values(attribute).contains(&value))
    };
    let mut ids: Vec<String> =
        summaries.filter(is_sought).map(|summary| summary.event_id).collect();
    ids.reverse();
    ids
}

fn sought<'a>(
    attribute: Option<(Attribute, &'a str)>,
    (earliest, latest): (i64, i64),
) -> Sought<'a> {
    Sought {
        account_id: ACCOUNTS[0],
        region: REGIONS[0],
        attribute,
        earliest: Timestamp::from_second(1_000_000 + earliest).unwrap(),
        latest: Timestamp::from_second(1_000_000 + latest).unwrap(),
    }
}

fn attributes() -> Vec<Option<(Attribute, &'static str)>> {
    vec![
        None,
        Some((Attribute::EventId, "17")),
        Some((Attribute::EventName, "Decrypt")),
        Some((Attribute::ReadOnly, "true")),
        Some((Attribute::Username, "user-1")),
        Some((Attribute::ResourceType, "AWS::KMS::Key")),
        Some((Attribute::ResourceName, "key-2")),
        Some((Attribute::EventSource, "kms.amazonaws.com")),
        Some((Attribute::EventSource, "iam.amazonaws.com")),
        Some((Attribute::AccessKeyId, "AKIA2")),
        Some((Attribute::EventName, "user-1")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_index_finds_what_a_plain_search_finds(
        kinds in prop::collection::vec([0_usize..2, 0..2, 0..4, 0..3], 1..120),
        life in 0_usize..120,
        times in (0_i64..40, 0_i64..40),
        page in 1_usize..9,
    ) {
        let records: Vec<String> =
            kinds.iter().enumerate().map(|(number, kind)| record(number, *kind)).collect();
        let (journal, indexes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (former, later) = records.split_at(life.min(records.len()));
        for records in [former, later] {
            append(journal.path(), records);
            let index = Index::open(journal.path(), indexes.path()).unwrap();
            prop_assert!(index.catch_up(ALL_OF_THEM).unwrap());
        }
        let kept = Index::open(journal.path(), indexes.path()).unwrap();
        prop_assert!(kept.catch_up(ALL_OF_THEM).unwrap());
        let nothing = TempDir::new().unwrap();
        let anew = Index::open(journal.path(), nothing.path()).unwrap();
        prop_assert!(anew.catch_up(ALL_OF_THEM).unwrap());
        for attribute in attributes() {
            let sought = sought(attribute, times);
            let expected = plainly(&records, &sought);
            prop_assert_eq!(&look_up(&kept, &sought, page), &expected, "{:?}", attribute);
            prop_assert_eq!(&look_up(&anew, &sought, page), &expected, "{:?}", attribute);
        }
    }
}

#[test]
fn a_torn_index_is_made_anew() {
    let records: Vec<String> = (0..200).map(|number| record(number, [0, 0, 1, 1])).collect();
    let (journal, indexes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    append(journal.path(), &records);
    let open = || {
        let index = Index::open(journal.path(), indexes.path()).unwrap();
        assert!(index.catch_up(ALL_OF_THEM).unwrap());
        index
    };
    drop(open());
    let mut files: Vec<_> =
        indexes.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    let middle = &files[files.len() / 2];
    let whole = std::fs::read(middle).unwrap();
    std::fs::write(middle, &whole[..whole.len() - 1]).unwrap();
    let index = open();
    let sought = sought(Some((Attribute::EventName, "Decrypt")), (0, 1_000));
    assert_eq!(look_up(&index, &sought, 50), plainly(&records, &sought));
    assert_eq!(std::fs::read(middle).unwrap(), whole);
}

#[test]
fn nothing_is_missed_when_the_disk_refuses_an_index_for_a_while() {
    let records: Vec<String> = (0..200).map(|number| record(number, [0, 0, 1, 1])).collect();
    let (journal, indexes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    append(journal.path(), &records);
    let index = Index::open(journal.path(), indexes.path()).unwrap();
    // The file that an index is written to before it has its name cannot be made.
    let unnamed = indexes.path().join("next");
    std::fs::create_dir(&unnamed).unwrap();
    for _ in 0..3 {
        assert!(index.catch_up(ALL_OF_THEM).is_err());
    }
    std::fs::remove_dir(&unnamed).unwrap();
    assert!(index.catch_up(ALL_OF_THEM).unwrap());
    let sought = sought(None, (0, 1_000));
    assert_eq!(look_up(&index, &sought, 50), plainly(&records, &sought));
}

#[test]
fn a_wrong_index_tells_nothing_that_is_not_sought() {
    let records: Vec<String> =
        (0..200).map(|number| record(number, [number % 2, 0, 1, 1])).collect();
    let (journal, indexes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    append(journal.path(), &records);
    let index = Index::open(journal.path(), indexes.path()).unwrap();
    assert!(index.catch_up(ALL_OF_THEM).unwrap());
    // Every entry of every file points at the segment's first record.
    for entry in indexes.path().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        for entry in bytes[32..].chunks_exact_mut(16) {
            entry[12..].copy_from_slice(&116_u32.to_be_bytes());
        }
        std::fs::write(&path, bytes).unwrap();
    }
    let index = Index::open(journal.path(), indexes.path()).unwrap();
    assert!(index.catch_up(ALL_OF_THEM).unwrap());
    let sought = sought(None, (0, 1_000));
    let right = plainly(&records, &sought);
    assert!(look_up(&index, &sought, 500).iter().all(|id| right.contains(id)));
}

#[test]
fn a_follower_sees_each_record_once_while_it_is_written() {
    let directory = TempDir::new().unwrap();
    let records: Vec<String> = (0..500).map(|number| record(number, [0, 0, 1, 1])).collect();
    let mut follower = Follower::new(directory.path(), None).ok();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| append(directory.path(), &records));
        let mut seen = Vec::new();
        loop {
            let is_done = writer.is_finished();
            let Some(follower) = &mut follower else {
                follower = Follower::new(directory.path(), None).ok();
                continue;
            };
            while let Some(followed) = follower.next_record().unwrap() {
                seen.push(String::from_utf8(followed.record).unwrap());
            }
            if is_done {
                break;
            }
        }
        assert_eq!(seen, records);
    });
}

//! What a look-up costs: `cargo run --release -p keystead-audit --example look_up_cost [RECORDS [DIRECTORY]]`.
//!
//! Writes a journal of so many records of an Encrypt, makes its index, and looks up pages of 50 by each
//! kind of attribute: those that nearly all records have, those that few have, and one that none has.
//! A directory that has a journal already is looked up in as it is.

#![expect(clippy::print_stdout, reason = "the figures are the program's output")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{error::Error, path::PathBuf, time::Duration, time::Instant};

use audit::{
    Attribute, Durability, EventType, Index, Journal, JournalOptions, Record, Resource, Sought,
    UserIdentity,
};
use jiff::Timestamp;

const RECORDS_DEFAULT: u64 = 1_000_000;
/// Users, keys and calls a second of the journal.
const USERS: u64 = 1_000;
const KEYS: u64 = 10_000;
const CALLS_A_SECOND: u64 = 10;
const PAGE: usize = 50;
const START_SECONDS: u64 = 1_790_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let records = match arguments.next() {
        Some(text) => text.parse()?,
        None => RECORDS_DEFAULT,
    };
    let temporary = tempfile::tempdir()?;
    let directory = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let (journal, indexes) = (directory.join("journal"), directory.join("journal-index"));
    if !journal.is_dir() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let start = Instant::now();
        runtime.block_on(write(&journal, records))?;
        println!("journal of {records} records: {:?}", start.elapsed());
    }
    let start = Instant::now();
    let index = Index::open(&journal, &indexes)?;
    while !index.catch_up(10_000)? {}
    println!("index: {:?}", start.elapsed());
    let one = format!("event-{}", records / 3);
    let sought = [
        ("all", None),
        ("ReadOnly", Some((Attribute::ReadOnly, "true"))),
        ("EventName", Some((Attribute::EventName, "Encrypt"))),
        ("Username", Some((Attribute::Username, "user-17"))),
        (
            "ResourceName",
            Some((Attribute::ResourceName, "arn:aws:kms:us-east-1:111122223333:key/17")),
        ),
        ("EventId", Some((Attribute::EventId, &*one))),
        ("none", Some((Attribute::EventName, "NoSuchOperation"))),
    ];
    for (name, attribute) in sought {
        let sought = Sought {
            account_id: "111122223333",
            region: "us-east-1",
            attribute,
            earliest: Timestamp::UNIX_EPOCH,
            latest: Timestamp::MAX,
        };
        let start = Instant::now();
        let found = index.look_up(&sought, None, PAGE)?;
        let first = start.elapsed();
        let start = Instant::now();
        index.look_up(&sought, None, PAGE)?;
        println!("{name}: {} events, {first:?} at first, {:?} again", found.len(), start.elapsed());
    }
    Ok(())
}

async fn write(directory: &std::path::Path, records: u64) -> Result<(), Box<dyn Error>> {
    let durability = Durability::Interval(Duration::from_millis(200));
    let options = JournalOptions { durability, ..JournalOptions::new([0; 16]) };
    let (journal, _) = Journal::open(directory, options)?;
    let mut line = Vec::new();
    for number in 0..records {
        line.clear();
        write_record(number, &mut line)?;
        journal.append(&line, None).await?;
    }
    Ok(journal.close().await?)
}

fn write_record(number: u64, line: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
    let (user, key) = (number % USERS, number * 7 % KEYS);
    let seconds = START_SECONDS + number / CALLS_A_SECOND;
    let user_name = format!("user-{user}");
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let resources =
        [Resource { account_id: "111122223333", resource_type: "AWS::KMS::Key", arn: &arn }];
    Record {
        user_identity: UserIdentity::IamUser {
            principal_id: "AIDAEXAMPLE",
            arn: &format!("arn:aws:iam::111122223333:user/{user_name}"),
            account_id: "111122223333",
            access_key_id: &format!("AKIA{user:016}"),
            user_name: &user_name,
        },
        invoked_by: None,
        event_time: Timestamp::from_second(i64::try_from(seconds)?)?,
        event_source: "kms.amazonaws.com",
        event_name: "Encrypt",
        aws_region: "us-east-1",
        source_ip_address: "192.0.2.17",
        user_agent:
            b"aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13",
        failure: None,
        request_parameters: Some(br#"{"keyId":"17","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#),
        response_elements: None,
        additional_event_data: None,
        request_id: Some("0f5a1b2c-0000-4000-8000-000000000000"),
        event_id: &format!("event-{number}"),
        read_only: true,
        resources: &resources,
        event_type: EventType::AwsApiCall,
        recipient_account_id: Some("111122223333"),
        shared_event_id: None,
        tls_details: None,
        service_event_details: None,
    }
    .write(line);
    Ok(())
}

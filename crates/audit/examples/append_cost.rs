//! What a record and an append cost: `cargo run --release -p keystead-audit --example append_cost`.
//!
//! One tokio worker, as the server runs. Prints nanoseconds for writing one Encrypt record, and
//! for appending it: one task alone, and 32 tasks at once, in both modes.

#![expect(clippy::print_stdout, reason = "the figures are the program's output")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{error::Error, sync::Arc, time::Duration, time::Instant};

use audit::{
    Durability, EventType, Journal, JournalOptions, Record, Resource, TlsDetails, UserIdentity,
};

const RECORDS: u32 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let record = encrypt_record();
    let mut line = Vec::new();
    let start = Instant::now();
    for _ in 0..RECORDS {
        line.clear();
        std::hint::black_box(&record).write(&mut line);
    }
    println!("record: {} bytes, {:?} each", line.len(), start.elapsed() / RECORDS);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let interval = Durability::Interval(Duration::from_millis(200));
    for (durability, tasks, records) in [
        (interval, 1, RECORDS),
        (interval, 32, RECORDS),
        (Durability::Strict, 1, 200),
        (Durability::Strict, 32, 6_400),
    ] {
        let directory = tempfile::tempdir()?;
        let options = JournalOptions { durability, ..JournalOptions::new([0; 16]) };
        let (journal, _) = Journal::open(directory.path(), options)?;
        let journal = Arc::new(journal);
        let (start, processor_start) = (Instant::now(), processor_time()?);
        runtime.block_on(append(&journal, &line, tasks, records / tasks))?;
        let (each, processor) =
            (start.elapsed() / records, (processor_time()? - processor_start) / records);
        let stats = journal.stats();
        println!("{durability:?}, {tasks} at once: {each:?} each, {processor:?} of processor time");
        println!("    {stats:?}");
        runtime.block_on(journal.close())?;
    }
    Ok(())
}

/// What all threads of this process have spent on a processor.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let schedule = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += schedule.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

async fn append(
    journal: &Arc<Journal>,
    line: &[u8],
    tasks: u32,
    each: u32,
) -> Result<(), Box<dyn Error>> {
    let mut running = Vec::new();
    for _ in 0..tasks {
        let (journal, line) = (Arc::clone(journal), line.to_vec());
        running.push(tokio::spawn(async move {
            for _ in 0..each {
                journal.append(&line, None).await?;
            }
            Ok::<(), audit::JournalError>(())
        }));
    }
    for task in running {
        task.await??;
    }
    Ok(())
}

fn encrypt_record() -> Record<'static> {
    Record {
        invoked_by: None,
        user_identity: UserIdentity::Root {
            account_id: "111122223333",
            arn: "arn:aws:iam::111122223333:root",
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
        },
        event_time: jiff::Timestamp::UNIX_EPOCH,
        event_source: "kms.amazonaws.com",
        event_name: "Encrypt",
        aws_region: "us-west-2",
        source_ip_address: "127.0.0.1",
        user_agent: b"aws-cli/2.15.0 Python/3.11.6 Linux/6.1.0 exe/x86_64 prompt/off",
        failure: None,
        request_parameters: Some(
            br#"{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab","encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"purpose":"test"}}"#,
        ),
        response_elements: None,
        additional_event_data: None,
        request_id: Some("f3c5c4cd-2a1c-4d6a-8d2f-1b0c5c6a7d8e"),
        event_id: "d63b9f0e-7a61-4a2f-9e0d-7f1c2d3e4f50",
        read_only: true,
        resources: &[Resource {
            account_id: "111122223333",
            resource_type: "AWS::KMS::Key",
            arn: "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        }],
        event_type: EventType::AwsApiCall,
        recipient_account_id: Some("111122223333"),
        shared_event_id: None,
        tls_details: Some(TlsDetails {
            tls_version: "TLSv1.3",
            cipher_suite: "TLS_AES_128_GCM_SHA256",
            client_provided_host_header: Some(b"kms.example.com"),
            key_exchange: Some("X25519MLKEM768"),
        }),
        service_event_details: None,
    }
}

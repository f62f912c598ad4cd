//! The stages: what each one prepares and measures.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::error::Failure;
use crate::load::{self, CONNECTIONS_COUNT};
use crate::measure::Bench;
use crate::process::{self, Served};
use crate::requests::{PLAINTEXT, Signer, Work};
use crate::{Options, algorithms, durability, report, throttled, users};

/// The operations that the ratio is measured for.
fn works() -> [Work; 4] {
    [
        encrypt(),
        Work { operation: "Decrypt", parameters: json!({}) },
        Work { operation: "GenerateDataKey", parameters: json!({ "NumberOfBytes": 32 }) },
        Work { operation: "DescribeKey", parameters: json!({}) },
    ]
}

fn encrypt() -> Work {
    Work { operation: "Encrypt", parameters: json!({ "Plaintext": PLAINTEXT }) }
}

/// Keys that the ratios are measured over.
const KEYS_COUNT: usize = 10;

/// How long the disk is left alone after many keys were made.
const SETTLING_TIME: Duration = Duration::from_secs(20);

/// Runs the stage that the options name.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    process::pin_load()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match options.stage.as_str() {
            "memory" => memory(options).await,
            "start" => start(options).await,
            "scale" => scale(options).await,
            "algorithms" => algorithms(options).await,
            "mixed" => mixed(options).await,
            "throttled" => throttled::run(options).await,
            "durability" => durability::run(options).await,
            _ => ratio(options).await,
        }
    })
}

async fn ratio(options: &Options) -> Result<(), Failure> {
    let data_dir = TempDir::new()?;
    let bench = bench(options, data_dir.path()).await?;
    let key_ids = create_keys(&bench.signer, &bench.server.address, KEYS_COUNT).await?;
    for work in works() {
        bench.work(work.operation, &work, &key_ids, None).await?;
    }
    let (bench, key_ids) = as_user(bench).await?;
    bench.work("Encrypt, user", &encrypt(), &key_ids, None).await?;
    bench.server.stop().await?;
    bench.echo.stop().await
}

/// The same with an IAM user who signs, and keys with policies of ten statements.
async fn as_user(bench: Bench) -> Result<(Bench, Vec<String>), Failure> {
    let address = &bench.server.address;
    let mut client = Client::connect(address).await?;
    let user = bench.signer.of_new_user(&mut client, address).await?;
    let mut key_ids = Vec::new();
    for _ in 0..KEYS_COUNT {
        let kind = users::key_of_ten_statements();
        key_ids.push(bench.signer.create_key(&mut client, address, &kind).await?);
    }
    Ok((Bench { signer: user, ..bench }, key_ids))
}

async fn memory(options: &Options) -> Result<(), Failure> {
    let data_dir = TempDir::new()?;
    let server = Served::keystead(&options.binary, data_dir.path(), &[]).await?;
    let signer = Signer::of_data_dir(data_dir.path())?;
    let mut client = Client::connect(&server.address).await?;
    signer.create_key(&mut client, &server.address, &json!({})).await?;
    tell_memory(&server, "idle, after one key")?;
    let keys_count = options.keys_count.unwrap_or(10_000);
    let key_ids = create_keys(&signer, &server.address, keys_count).await?;
    for request in signer.mix(&mut client, &server.address, &encrypt(), &key_ids).await? {
        client.call(&request).await?;
    }
    tell_memory(&server, &format!("with {keys_count} warm keys"))?;
    server.stop().await
}

fn tell_memory(server: &Served, when: &str) -> Result<(), Failure> {
    report::line(&format!("{} MiB resident {when}", server.resident_kib()? / 1024));
    Ok(())
}

async fn start(options: &Options) -> Result<(), Failure> {
    for keys_count in [10, options.keys_count.unwrap_or(100_000)] {
        let data_dir = TempDir::new()?;
        let server = Served::keystead(&options.binary, data_dir.path(), &[]).await?;
        let signer = Signer::of_data_dir(data_dir.path())?;
        let key_ids = create_keys(&signer, &server.address, keys_count).await?;
        server.stop().await?;
        let mut times = Vec::new();
        for _ in 0..options.rounds {
            let (server, time) = first_answer(options, data_dir.path(), &signer, &key_ids).await?;
            times.push(time);
            server.stop().await?;
        }
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        report::line(&format!(
            "{} ms from start to first answer with {keys_count} keys",
            median.as_millis()
        ));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a start is measured by the machine's clock")]
async fn first_answer(
    options: &Options,
    data_dir: &Path,
    signer: &Signer,
    key_ids: &[String],
) -> Result<(Served, Duration), Failure> {
    let before = Instant::now();
    let server = Served::keystead(&options.binary, data_dir, &[]).await?;
    let mut client = Client::connect(&server.address).await?;
    let body = json!({ "KeyId": key_ids.last(), "Plaintext": "aGVsbG8=" });
    signer.call(&mut client, &server.address, "Encrypt", &body).await?;
    Ok((server, before.elapsed()))
}

async fn scale(options: &Options) -> Result<(), Failure> {
    let data_dir = TempDir::new()?;
    let few = bench(options, data_dir.path()).await?;
    let warm = create_keys(&few.signer, &few.server.address, KEYS_COUNT).await?;
    report::line("with 10 keys:");
    few.work("Encrypt", &encrypt(), &warm, None).await?;
    let keys_count = options.keys_count.unwrap_or(1_000_000);
    create_keys(&few.signer, &few.server.address, keys_count).await?;
    few.server.stop().await?;
    few.echo.stop().await?;
    // The disk is still busy with what was written; reading under that load is another measurement.
    tokio::time::sleep(SETTLING_TIME).await;
    let many = bench(options, data_dir.path()).await?;
    report::line(&format!("with {keys_count} keys:"));
    many.work("Encrypt", &encrypt(), &warm, None).await?;
    tell_memory(&many.server, "then")?;
    cold_reads(&many).await?;
    many.server.stop().await?;
    many.echo.stop().await
}

/// Every kind of cryptography, beside what AWS-LC takes for it by itself.
async fn algorithms(options: &Options) -> Result<(), Failure> {
    let data_dir = TempDir::new()?;
    let bench = bench(options, data_dir.path()).await?;
    for case in algorithms::cases() {
        let address = &bench.server.address;
        // For each case anew: what is measured in between takes longer than the server keeps an idle connection.
        let mut client = Client::connect(address).await?;
        let mut key_ids = Vec::new();
        for _ in 0..KEYS_COUNT {
            key_ids.push(bench.signer.create_key(&mut client, address, &case.kind).await?);
        }
        let raw = case.raw_time()?;
        bench.work(case.name, &case.work, &key_ids, Some(raw)).await?;
    }
    bench.server.stop().await?;
    bench.echo.stop().await
}

/// Quick calls while slow ones are under way: Encrypt at half load, alone and with two connections that do nothing but make
/// RSA-4096 keys.
async fn mixed(options: &Options) -> Result<(), Failure> {
    let data_dir = TempDir::new()?;
    let bench = bench(options, data_dir.path()).await?;
    let address = bench.server.address.clone();
    let key_ids = create_keys(&bench.signer, &address, KEYS_COUNT).await?;
    let mut client = Client::connect(&address).await?;
    let requests = Arc::new(bench.signer.mix(&mut client, &address, &encrypt(), &key_ids).await?);
    let duration = Duration::from_secs(options.seconds);
    for round in 1..=options.rounds {
        let rate = load::closed(&address, &requests, duration).await?.rate() / 2.0;
        let alone = load::open(&address, &requests, duration, rate).await?;
        let makers = makers(&bench.signer, &address, duration)?;
        let beside = load::open(&address, &requests, duration, rate).await?;
        let keys_count = makers.await??;
        report::line(&format!(
            "round {round}: Encrypt at half load p99 {:>5} us alone, {:>5} us while {keys_count} RSA-4096 keys were made",
            alone.latency(990).as_micros(),
            beside.latency(990).as_micros(),
        ));
    }
    bench.server.stop().await?;
    bench.echo.stop().await
}

/// Two connections that make RSA-4096 keys one after the other; how many they made.
#[expect(clippy::disallowed_methods, reason = "a load is measured by the machine's clock")]
fn makers(
    signer: &Signer,
    address: &str,
    duration: Duration,
) -> Result<tokio::task::JoinHandle<Result<usize, Failure>>, Failure> {
    let kind = json!({ "KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY" });
    let request = Arc::new(signer.request(address, "CreateKey", &kind)?);
    let (address, end) = (address.to_owned(), Instant::now() + duration);
    Ok(tokio::spawn(async move {
        let mut makers = JoinSet::new();
        for _ in 0..2 {
            let (request, address) = (Arc::clone(&request), address.clone());
            makers.spawn(async move {
                let mut client = Client::connect(&address).await?;
                let mut keys_count = 0;
                while Instant::now() < end {
                    keys_count += usize::from(client.call(&request).await?.status == 200);
                }
                Ok::<_, Failure>(keys_count)
            });
        }
        let mut keys_count = 0;
        while let Some(joined) = makers.join_next().await {
            keys_count += joined??;
        }
        Ok(keys_count)
    }))
}

/// Reads of keys, one after the other, of which the cache holds hardly any.
#[expect(clippy::disallowed_methods, reason = "a read is measured by the machine's clock")]
async fn cold_reads(bench: &Bench) -> Result<(), Failure> {
    let address = &bench.server.address;
    let mut client = Client::connect(address).await?;
    let listed =
        bench.signer.call(&mut client, address, "ListKeys", &json!({ "Limit": 1000 })).await?;
    let keys = listed.get("Keys").and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
    let mut times = Vec::new();
    for key in &keys {
        let request =
            bench.signer.request(address, "DescribeKey", &json!({ "KeyId": key.get("KeyId") }))?;
        let before = Instant::now();
        client.call(&request).await?;
        times.push(before.elapsed());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    report::line(&format!(
        "{} us for a DescribeKey of a cold key (median of {})",
        median.as_micros(),
        times.len()
    ));
    Ok(())
}

async fn bench(options: &Options, data_dir: &Path) -> Result<Bench, Failure> {
    let server = Served::keystead(&options.binary, data_dir, &[]).await?;
    Ok(Bench {
        signer: Signer::of_data_dir(data_dir)?,
        server,
        echo: Served::echo().await?,
        seconds: options.seconds,
        rounds: options.rounds,
    })
}

/// Makes keys over many connections, since one flush of the disk serves all that wait.
#[expect(clippy::disallowed_methods, reason = "the rate is measured by the machine's clock")]
async fn create_keys(
    signer: &Signer,
    address: &str,
    keys_count: usize,
) -> Result<Vec<String>, Failure> {
    let before = Instant::now();
    let request_life = Duration::from_secs(60);
    let mut key_ids = Vec::with_capacity(keys_count);
    while key_ids.len() < keys_count {
        // One signature serves many calls, until it is a minute old.
        let request = Arc::new(signer.request(address, "CreateKey", &json!({}))?);
        let signed = Instant::now();
        let missing = keys_count - key_ids.len();
        let mut tasks = JoinSet::new();
        for number in 0..CONNECTIONS_COUNT * 4 {
            let share = missing / (CONNECTIONS_COUNT * 4)
                + usize::from(number < missing % (CONNECTIONS_COUNT * 4));
            let (request, address) = (Arc::clone(&request), address.to_owned());
            tasks.spawn(async move {
                let mut made = Vec::new();
                let mut client = Client::connect(&address).await?;
                while made.len() < share && signed.elapsed() < request_life {
                    let answer = client.call(&request).await?;
                    let answer: serde_json::Value = serde_json::from_slice(answer.body)?;
                    let key_id = answer.pointer("/KeyMetadata/KeyId").and_then(|id| id.as_str());
                    made.push(key_id.ok_or_else(|| Failure::new(answer.to_string()))?.to_owned());
                }
                Ok::<_, Failure>(made)
            });
        }
        while let Some(joined) = tasks.join_next().await {
            key_ids.extend(joined??);
        }
    }
    if keys_count >= 1000 {
        let seconds = before.elapsed().as_secs_f64();
        report::line(&format!("{keys_count} keys made in {seconds:.1} s"));
    }
    Ok(key_ids)
}

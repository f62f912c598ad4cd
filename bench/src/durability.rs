//! What it costs to wait for the disk before each answer: the journal in strict mode, beside its default.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::error::Failure;
use crate::load::{self, Seen};
use crate::process::Served;
use crate::requests::{PLAINTEXT, Signer, Work};
use crate::{Options, report};

/// Connections of both loads, which wait for one flush of the disk together.
const CONNECTIONS_COUNT: usize = 64;
const STRICT: [&str; 2] = ["--journal-durability", "strict"];

/// A server with its requests.
struct Loaded {
    served: Served,
    data_dir: TempDir,
    requests: Arc<Vec<Vec<u8>>>,
}

/// One round: what was seen of both, by turns.
struct Round {
    default: Seen,
    strict: Seen,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.strict.rate() / self.default.rate()
    }
}

/// Measures Encrypt with both durabilities on the same core and disk, and what a record takes of the disk.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let default = loaded(options, &[]).await?;
    let strict = loaded(options, &STRICT).await?;
    let duration = Duration::from_secs(options.seconds);
    let mut rounds = Vec::new();
    let mut answers_count: f64 = 0.0;
    let before = default.served.cpu_time()?;
    for _ in 0..options.rounds {
        let default = load::closed_by(
            CONNECTIONS_COUNT,
            &default.served.address,
            &default.requests,
            duration,
        )
        .await?;
        answers_count += default.rate() * default.elapsed.as_secs_f64();
        let strict =
            load::closed_by(CONNECTIONS_COUNT, &strict.served.address, &strict.requests, duration)
                .await?;
        rounds.push(Round { default, strict });
    }
    let cpu_time = default.served.cpu_time()?.saturating_sub(before);
    tell(rounds)?;
    let record_bytes = bytes_of_journal(default.data_dir.path())? / answers_count;
    report::line(&format!(
        "a record takes {record_bytes:.0} bytes: 10^8 a day are {:.0} GB, and {:.0} % of this core",
        record_bytes * RECORDS_A_DAY / 1e9,
        cpu_time.as_secs_f64() / answers_count * RECORDS_A_DAY / SECONDS_A_DAY * 100.0
    ));
    default.served.stop().await?;
    strict.served.stop().await
}

/// Records of a busy day.
const RECORDS_A_DAY: f64 = 1e8;
const SECONDS_A_DAY: f64 = 86_400.0;

async fn loaded(options: &Options, more: &[&str]) -> Result<Loaded, Failure> {
    let data_dir = TempDir::new()?;
    let served = Served::keystead(&options.binary, data_dir.path(), more).await?;
    let signer = Signer::of_data_dir(data_dir.path())?;
    let mut client = Client::connect(&served.address).await?;
    let key_id = signer.create_key(&mut client, &served.address, &json!({})).await?;
    let work = Work { operation: "Encrypt", parameters: json!({ "Plaintext": PLAINTEXT }) };
    let requests = signer.mix(&mut client, &served.address, &work, &[key_id]).await?;
    Ok(Loaded { served, data_dir, requests: Arc::new(requests) })
}

/// Bytes of all lines in the segments of the journal, without the room that a segment keeps for later ones.
fn bytes_of_journal(data_dir: &Path) -> Result<f64, Failure> {
    let mut bytes_count = 0;
    for entry in fs::read_dir(data_dir.join("journal"))? {
        let bytes = fs::read(entry?.path())?;
        bytes_count += bytes.iter().filter(|byte| **byte != 0).count();
    }
    Ok(u32::try_from(bytes_count).map(f64::from)?)
}

fn tell(mut rounds: Vec<Round>) -> Result<(), Failure> {
    rounds.sort_by(|left, right| left.ratio().total_cmp(&right.ratio()));
    let median = rounds.get(rounds.len() / 2).ok_or_else(|| Failure::new("no rounds"))?;
    let Round { default, strict } = median;
    report::line(&format!(
        "Encrypt, strict  {:>6.0} req/s, {:.0} % of the default's {:.0}   p50 {:>5} us  p99 {:>5} us (default {} and {})",
        strict.rate(),
        median.ratio() * 100.0,
        default.rate(),
        strict.latency(500).as_micros(),
        strict.latency(990).as_micros(),
        default.latency(500).as_micros(),
        default.latency(990).as_micros(),
    ));
    Ok(())
}

//! What a call costs that is refused because its quota is used up, beside one that is served.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::error::Failure;
use crate::process::Served;
use crate::requests::{PLAINTEXT, Signer, Work};
use crate::{Options, load, report};

/// Quotas of one call a second, so that all calls but one in a second are refused.
const QUOTAS: [&str; 4] = [
    "--request-quotas",
    "enforced",
    "--request-quota-adjustments",
    "*/*/CryptographicOperationsSymmetric=1,*/*/CryptographicOperationsRsa=1",
];

/// A server, and requests signed for it.
struct Loaded {
    served: Served,
    requests: Arc<Vec<Vec<u8>>>,
}

/// CPU time of one request, in microseconds.
struct Round {
    served_micros: f64,
    throttled_micros: f64,
    echo_micros: f64,
}

impl Round {
    fn share(&self) -> f64 {
        self.throttled_micros / self.served_micros
    }
}

/// Measures Encrypt and Sign with RSA-2048, served and throttled by turns on the same core.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let sign = json!({ "Message": PLAINTEXT, "SigningAlgorithm": "RSASSA_PSS_SHA_256" });
    let cases = [
        ("Encrypt", json!({ "Plaintext": PLAINTEXT }), json!({})),
        ("Sign", sign, json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" })),
    ];
    for (operation, parameters, kind) in cases {
        let work = Work { operation, parameters };
        let (open_dir, closed_dir) = (TempDir::new()?, TempDir::new()?);
        let served = Served::keystead(&options.binary, open_dir.path(), &[]).await?;
        let throttled = Served::keystead(&options.binary, closed_dir.path(), &QUOTAS).await?;
        let served = loaded(served, &Signer::of_data_dir(open_dir.path())?, &work, &kind).await?;
        let throttled =
            loaded(throttled, &Signer::of_data_dir(closed_dir.path())?, &work, &kind).await?;
        let echo = Loaded { served: Served::echo().await?, requests: Arc::clone(&served.requests) };
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            rounds.push(Round {
                echo_micros: cpu_micros(&echo, options, false).await?,
                served_micros: cpu_micros(&served, options, false).await?,
                throttled_micros: cpu_micros(&throttled, options, true).await?,
            });
        }
        tell(operation, rounds)?;
        for loaded in [served, throttled, echo] {
            loaded.served.stop().await?;
        }
    }
    Ok(())
}

async fn loaded(
    served: Served,
    signer: &Signer,
    work: &Work,
    kind: &serde_json::Value,
) -> Result<Loaded, Failure> {
    let mut client = Client::connect(&served.address).await?;
    let key_id = signer.create_key(&mut client, &served.address, kind).await?;
    let requests = signer.mix(&mut client, &served.address, work, &[key_id]).await?;
    Ok(Loaded { served, requests: Arc::new(requests) })
}

async fn cpu_micros(
    loaded: &Loaded,
    options: &Options,
    is_throttled: bool,
) -> Result<f64, Failure> {
    let duration = Duration::from_secs(options.seconds);
    let (address, requests) = (&loaded.served.address, &loaded.requests);
    let before = loaded.served.cpu_time()?;
    let seen = match is_throttled {
        false => load::closed(address, requests, duration).await?,
        true => load::throttled(address, requests, duration).await?,
    };
    let cpu_time = loaded.served.cpu_time()?.saturating_sub(before);
    Ok(cpu_time.as_secs_f64() * 1e6 / (seen.rate() * seen.elapsed.as_secs_f64()))
}

fn tell(operation: &str, mut rounds: Vec<Round>) -> Result<(), Failure> {
    rounds.sort_by(|left, right| left.share().total_cmp(&right.share()));
    let median = rounds.get(rounds.len() / 2).ok_or_else(|| Failure::new("no rounds"))?;
    let Round { served_micros, throttled_micros, echo_micros } = median;
    report::line(&format!(
        "{operation:<16} throttled {throttled_micros:>5.1} us CPU, {:.0} % of a served one's {served_micros:.1} us (echo {echo_micros:.1})",
        median.share() * 100.0
    ));
    Ok(())
}

//! One operation beside the echo: rounds by turns, and the median of their ratios.

use std::sync::Arc;
use std::time::Duration;

use crate::client::Client;
use crate::error::Failure;
use crate::load;
use crate::process::Served;
use crate::report;
use crate::requests::{Signer, Work};

/// The server, the echo and who signs.
pub(crate) struct Bench {
    pub(crate) server: Served,
    pub(crate) echo: Served,
    pub(crate) signer: Signer,
    pub(crate) seconds: u64,
    pub(crate) rounds: usize,
}

/// The figures of one round.
struct Round {
    ratio: f64,
    server_rate: f64,
    echo_rate: f64,
    cpu_micros: f64,
    echo_cpu_micros: f64,
    p50: Duration,
    p99: Duration,
    half_load_p99: Duration,
    echo_half_load_p99: Duration,
}

impl Bench {
    /// Measures some work over the given keys and tells the median round. `raw` is what the cryptography of one request
    /// takes by itself; where it is given, the rate is also told beside the one that an echo with this cryptography in it
    /// would have.
    pub(crate) async fn work(
        &self,
        name: &str,
        work: &Work,
        key_ids: &[String],
        raw: Option<Duration>,
    ) -> Result<(), Failure> {
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            rounds.push(self.round(work, key_ids).await?);
        }
        rounds.sort_by(|left, right| left.ratio.total_cmp(&right.ratio));
        let worst_p99 = rounds.iter().map(|round| round.half_load_p99).max().unwrap_or_default();
        let median = rounds.get(rounds.len() / 2).ok_or_else(|| Failure::new("no rounds"))?;
        report::line(&format!(
            "{name:<16} ratio {:.2}   {:>6.0} req/s (echo {:>6.0})   {:>5.1} us CPU (echo {:>4.1})   p50 {:>4} us  p99 {:>5} us   at half load p99 {:>5} us (echo at that rate {:>5}; worst round {:>5})",
            median.ratio,
            median.server_rate,
            median.echo_rate,
            median.cpu_micros,
            median.echo_cpu_micros,
            median.p50.as_micros(),
            median.p99.as_micros(),
            median.half_load_p99.as_micros(),
            median.echo_half_load_p99.as_micros(),
            worst_p99.as_micros(),
        ));
        if let Some(raw) = raw {
            let bound = 1.0 / (1.0 / median.echo_rate + raw.as_secs_f64());
            report::line(&format!(
                "{:<16} {:.2} of the rate of an echo with the cryptography in it, which takes {:.1} us by itself",
                "",
                median.server_rate / bound,
                raw.as_secs_f64() * 1e6
            ));
        }
        Ok(())
    }

    async fn round(&self, work: &Work, key_ids: &[String]) -> Result<Round, Failure> {
        let address = &self.server.address;
        let mut client = Client::connect(address).await?;
        let requests = Arc::new(self.signer.mix(&mut client, address, work, key_ids).await?);
        let duration = Duration::from_secs(self.seconds);
        let echo_cpu_before = self.echo.cpu_time()?;
        let echo = load::closed(&self.echo.address, &requests, duration).await?;
        let echo_cpu = self.echo.cpu_time()?.saturating_sub(echo_cpu_before);
        let cpu_before = self.server.cpu_time()?;
        let server = load::closed(address, &requests, duration).await?;
        let cpu = self.server.cpu_time()?.saturating_sub(cpu_before);
        let half_rate = server.rate() / 2.0;
        let half_load = load::open(address, &requests, duration, half_rate).await?;
        let echo_half_load = load::open(&self.echo.address, &requests, duration, half_rate).await?;
        Ok(Round {
            ratio: server.rate() / echo.rate(),
            server_rate: server.rate(),
            echo_rate: echo.rate(),
            cpu_micros: cpu.as_secs_f64() * 1e6 / (server.rate() * server.elapsed.as_secs_f64()),
            echo_cpu_micros: echo_cpu.as_secs_f64() * 1e6
                / (echo.rate() * echo.elapsed.as_secs_f64()),
            p50: server.latency(500),
            p99: server.latency(990),
            half_load_p99: half_load.latency(990),
            echo_half_load_p99: echo_half_load.latency(990),
        })
    }
}

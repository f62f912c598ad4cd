//! The load: closed loops that ask for the most, and open ones that keep a rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep_until;

use crate::client::{Answer, Client};
use crate::error::Failure;

/// Connections of a load for which nothing else is said.
pub(crate) const CONNECTIONS_COUNT: usize = 32;

/// How late the runtime's timer may be.
const TIMER_SLACK: Duration = Duration::from_millis(3);

/// What every answer must be.
#[derive(Clone, Copy)]
enum Expected {
    Served,
    /// Refused for the quota, but for the few that are within it.
    Throttled,
}

impl Expected {
    fn is(self, answer: &Answer<'_>) -> bool {
        let is_throttled = || {
            answer.status == 400
                && answer.body.windows(THROTTLED.len()).any(|bytes| bytes == THROTTLED)
        };
        match self {
            Expected::Served => answer.status == 200,
            Expected::Throttled => answer.status == 200 || is_throttled(),
        }
    }
}

/// The error of a call beyond its quota.
const THROTTLED: &[u8] = b"ThrottlingException";

/// When a load begins and ends, and the time between two requests of one connection.
struct Times {
    start: Instant,
    duration: Duration,
    interval: Option<Duration>,
    connections_count: u32,
}

/// What a load is.
#[derive(Clone, Copy)]
struct Load {
    connections_count: usize,
    /// Requests a second, whether or not answers come; absent where each answer is waited for.
    rate: Option<f64>,
    expected: Expected,
}

impl Load {
    const CLOSED: Load =
        Load { connections_count: CONNECTIONS_COUNT, rate: None, expected: Expected::Served };
}

/// What a load saw.
pub(crate) struct Seen {
    /// Requests answered.
    pub(crate) requests_count: usize,
    /// How long it took.
    pub(crate) elapsed: Duration,
    latencies: Vec<Duration>,
}

impl Seen {
    /// Requests a second.
    #[expect(clippy::as_conversions, reason = "a count of requests is far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        self.requests_count as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that so many in a thousand do not exceed.
    pub(crate) fn latency(&self, permille: usize) -> Duration {
        let position = self.latencies.len() * permille / 1000;
        self.latencies
            .get(position.min(self.latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

/// Sends as fast as answers come, on every connection.
pub(crate) async fn closed(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
) -> Result<Seen, Failure> {
    run(address, requests, duration, Load::CLOSED).await
}

/// The same on so many connections.
pub(crate) async fn closed_by(
    connections_count: usize,
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
) -> Result<Seen, Failure> {
    run(address, requests, duration, Load { connections_count, ..Load::CLOSED }).await
}

/// The same to a server that refuses all but a few of them because their quota is used up.
pub(crate) async fn throttled(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
) -> Result<Seen, Failure> {
    run(address, requests, duration, Load { expected: Expected::Throttled, ..Load::CLOSED }).await
}

/// Sends at a fixed rate whether or not answers come, and measures from the moment at which a request was due.
pub(crate) async fn open(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
    rate: f64,
) -> Result<Seen, Failure> {
    run(address, requests, duration, Load { rate: Some(rate), ..Load::CLOSED }).await
}

#[expect(clippy::disallowed_methods, reason = "a load is measured by the machine's clock")]
async fn run(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    duration: Duration,
    Load { connections_count, rate, expected }: Load,
) -> Result<Seen, Failure> {
    let mut clients = Vec::new();
    for _ in 0..connections_count {
        clients.push(Client::connect(address).await?);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        let requests = Arc::clone(requests);
        let connections_count = u32::try_from(connections_count)?;
        let interval =
            rate.map(|rate| Duration::from_secs_f64(f64::from(connections_count) / rate));
        let times = Times { start, duration, interval, connections_count };
        tasks.spawn(connection(client, requests, number, times, expected));
    }
    let mut latencies = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        latencies.extend(joined??);
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Ok(Seen { requests_count: latencies.len(), elapsed, latencies })
}

/// Waits to the microsecond: the runtime's timer, which is good to a millisecond or two, and turning for the rest. The core is
/// the load's own.
#[expect(clippy::disallowed_methods, reason = "a load is measured by the machine's clock")]
async fn wait_until(due: Instant) {
    let early = due.checked_sub(TIMER_SLACK).unwrap_or(due);
    if early > Instant::now() {
        sleep_until(early.into()).await;
    }
    while due > Instant::now() {
        yield_now().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a load is measured by the machine's clock")]
async fn connection(
    mut client: Client,
    requests: Arc<Vec<Vec<u8>>>,
    number: usize,
    Times { start, duration, interval, connections_count }: Times,
    expected: Expected,
) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    let share = u32::try_from(number)?;
    // Connections of an open loop begin spread over one interval.
    let offset = interval.map_or(Duration::ZERO, |interval| interval * share / connections_count);
    for (count, request) in requests.iter().cycle().skip(number).enumerate() {
        let due = match interval {
            Some(interval) => start + offset + interval * u32::try_from(count)?,
            None => Instant::now(),
        };
        if due >= start + duration {
            break;
        }
        if interval.is_some() {
            wait_until(due).await;
        }
        let answer = client.call(request).await?;
        if !expected.is(&answer) {
            return Err(Failure::new(format!(
                "a request of the load was answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            )));
        }
        latencies.push(due.elapsed());
    }
    Ok(latencies)
}

//! The task of one sink: one event after the other, each until it was taken.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use prometheus_client::metrics::counter::Counter;
use service::{Clock, Event};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{metrics::EventCounters, queue::Queue, webhook};
use crate::configuration::{EventSink, EventTarget};
use crate::limits::{EVENT_RETRY_WAIT, EVENT_RETRY_WAIT_MAX, WEBHOOK_TIME_MAX};
use crate::outgoing::FetchError;

/// Delivers to one sink.
pub(super) struct Delivery {
    sink: EventSink,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    delivered: Counter,
    failed: Counter,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Webhook(#[from] FetchError),
}

impl Delivery {
    pub(super) fn new(
        sink: EventSink,
        queue: Arc<Queue>,
        counters: &EventCounters,
        clock: Arc<dyn Clock>,
    ) -> Delivery {
        let delivered = counters.deliveries(&sink.name, "delivered");
        let failed = counters.deliveries(&sink.name, "failed");
        Delivery { sink, queue, clock, delivered, failed }
    }

    /// Delivers until the task is aborted.
    pub(super) async fn run(self) {
        loop {
            let (number, event) = self.queue.next(&self.sink.name).await;
            if self.deliver(number, &event).await {
                self.pass(number).await;
            }
        }
    }

    /// Tries until the event is taken, ever more seldom; `false` if it was dropped meanwhile.
    async fn deliver(&self, number: u64, event: &Event) -> bool {
        let mut wait = EVENT_RETRY_WAIT;
        while self.queue.is_waiting(&self.sink.name, number) {
            let error = match self.attempt(event).await {
                Ok(()) => {
                    self.delivered.inc();
                    return true;
                }
                Err(error) => error,
            };
            self.failed.inc();
            let (sink, id) = (&self.sink.name, &event.id);
            tracing::warn!(sink, id, %error, "an event was not taken; it will be tried again");
            sleep(wait).await;
            wait = wait.saturating_mul(2).min(EVENT_RETRY_WAIT_MAX);
        }
        false
    }

    async fn attempt(&self, event: &Event) -> Result<(), DeliveryError> {
        match &self.sink.target {
            EventTarget::File(path) => {
                let line = format!("{}\n", event.to_json());
                let file = path.clone();
                let appended = spawn_blocking(move || append(&file, line.as_bytes())).await;
                let appended = appended.map_err(io::Error::other).flatten();
                appended.map_err(|cause| DeliveryError::File { path: path.clone(), cause })
            }
            EventTarget::Webhook(webhook) => {
                let sent =
                    timeout(WEBHOOK_TIME_MAX, webhook::send(webhook, event, self.clock.now()));
                Ok(sent.await.unwrap_or(Err(FetchError::TimedOut))?)
            }
        }
    }

    async fn pass(&self, number: u64) {
        let (queue, sink) = (Arc::clone(&self.queue), self.sink.name.clone());
        let passed = spawn_blocking(move || queue.pass(&sink, number)).await;
        if let Err(error) = passed.map_err(io::Error::other).flatten() {
            let sink = &self.sink.name;
            tracing::error!(sink, %error, "a delivery cannot be noted; a restart repeats it");
        }
    }
}

/// Appends a line and waits for the disk. The file is opened each time, so that one that was moved away is made anew. What a
/// crash left of a line is ended first.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    if !ends_with_line(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(line)?;
    file.sync_all()
}

fn ends_with_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_appended_whole_also_after_a_torn_one_and_to_a_file_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        append(&path, b"one\n").unwrap();
        append(&path, b"two\n").unwrap();
        fs::write(&path, "one\ntwo\nthr").unwrap();
        append(&path, b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthr\nthree\n");
        fs::rename(&path, folder.path().join("moved")).unwrap();
        append(&path, b"four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
    }
}

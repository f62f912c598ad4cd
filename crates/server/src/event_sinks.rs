//! Events, read out of the journal behind the calls and delivered to files and webhooks, at least once and in order
//! (docs/events.md, docs/decisions/0012).
//!
//! A thread below all others follows the journal and watches the server; what is an event goes into a queue on the disk. Each
//! sink has a task that delivers what it wants of the queue. None of it is waited for by a call.

mod delivery;
mod follower;
mod metrics;
mod position;
mod queue;
mod repeats;
mod watch;
mod webhook;

use std::{io, path::Path, sync::Arc};

use service::{Clock, Service};
use tokio::task::JoinHandle;

pub(crate) use metrics::EventSinkMetrics;

use crate::configuration::EventSink;
use delivery::Delivery;
use follower::Follower;
use metrics::EventCounters;
use queue::Queue;

/// The folder of the data directory in which events wait.
const FOLDER: &str = "events";

/// All sinks, with what is needed to start them.
pub(crate) struct EventSinks {
    queue: Arc<Queue>,
    sinks: Vec<EventSink>,
    counters: EventCounters,
    clock: Arc<dyn Clock>,
}

/// Sinks that are being delivered to.
pub(crate) struct Running {
    deliveries: Vec<JoinHandle<()>>,
    _follower: Follower,
}

impl EventSinks {
    /// Opens the queue; none without sinks.
    pub(crate) fn open(
        data_dir: &Path,
        sinks: &[EventSink],
        clock: Arc<dyn Clock>,
    ) -> io::Result<Option<EventSinks>> {
        if sinks.is_empty() {
            return Ok(None);
        }
        let folder = data_dir.join(FOLDER);
        // A position that none of them knows would tell them of a time before theirs.
        if !Queue::knows_any(&folder, sinks) {
            position::forget(&folder.join(position::FILE))?;
        }
        let queue = Arc::new(Queue::open(&folder, sinks)?);
        let sinks = sinks.to_vec();
        Ok(Some(EventSinks { queue, sinks, counters: EventCounters::new(), clock }))
    }

    /// What is told of them in metrics.
    pub(crate) fn metrics(&self) -> EventSinkMetrics {
        EventSinkMetrics {
            queue: Arc::clone(&self.queue),
            counters: self.counters.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Begins to follow the journal and to deliver.
    pub(crate) fn start(self, data_dir: &Path, service: Service) -> io::Result<Running> {
        let EventSinks { queue, sinks, counters, clock } = self;
        let follower = Follower::start(
            service,
            data_dir.join("journal"),
            &data_dir.join(FOLDER),
            Arc::clone(&queue),
            counters.clone(),
            Arc::clone(&clock),
        )?;
        let deliveries = sinks.into_iter().map(|sink| {
            let delivery = Delivery::new(sink, Arc::clone(&queue), &counters, Arc::clone(&clock));
            tokio::spawn(delivery.run())
        });
        Ok(Running { deliveries: deliveries.collect(), _follower: follower })
    }
}

/// A delivery that is cut off is done again after the next start.
impl Drop for Running {
    fn drop(&mut self) {
        self.deliveries.iter().for_each(JoinHandle::abort);
    }
}

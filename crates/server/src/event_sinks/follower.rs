//! The thread that follows the journal for events, out of every call's way.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use audit::{Feed, FeedPosition, FollowingThread, JournalError};
use jiff::Timestamp;
use service::{Clock, Event, Service};

use super::{
    metrics::EventCounters,
    position,
    queue::Queue,
    repeats::Repeats,
    watch::{Seen, Watch},
};
use crate::limits::{EVENT_LOOK_INTERVAL, EVENT_POSITION_INTERVAL, EVENT_RECORDS_AT_ONCE_MAX};

/// A thread that follows the journal until this is dropped.
pub(super) struct Follower(Option<FollowingThread>);

/// Why a look was not finished; the next one begins where it stood.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the queue of events: {0}")]
    Queue(#[from] io::Error),
    #[error("an id of an event: {0}")]
    Id(#[from] service::ServiceError),
}

struct Looker {
    service: Service,
    journal: PathBuf,
    position_path: PathBuf,
    queue: Arc<Queue>,
    counters: EventCounters,
    clock: Arc<dyn Clock>,
    feed: Option<Feed>,
    /// An event that could not be queued yet.
    held: Option<Event>,
    kept: FeedPosition,
    kept_at: Timestamp,
    repeats: Repeats,
    watch: Watch,
    /// Whether the last look failed, which is told once.
    has_failed: bool,
}

impl Follower {
    /// Starts the thread. Without a position from an earlier life it begins with what comes now.
    pub(super) fn start(
        service: Service,
        journal: PathBuf,
        folder: &Path,
        queue: Arc<Queue>,
        counters: EventCounters,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Follower> {
        let position_path = folder.join(position::FILE);
        let kept = match position::load(&position_path)? {
            Some(position) => position,
            None => {
                let now = FeedPosition { sequence: service.journal_synced(), head: None };
                position::save(&position_path, now)?;
                now
            }
        };
        let mut looker = Looker {
            kept_at: clock.now(),
            service,
            journal,
            position_path,
            queue,
            counters,
            clock,
            feed: None,
            held: None,
            kept,
            repeats: Repeats::default(),
            watch: Watch::default(),
            has_failed: false,
        };
        let thread = FollowingThread::start("event-follower", move || looker.step())?;
        Ok(Follower(Some(thread)))
    }
}

/// Waits until the thread has ended what it is at: it must not see a journal that is closed, which it would tell as a failure.
impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            thread.end();
        }
    }
}

/// Keeps what was looked at last.
impl Drop for Looker {
    fn drop(&mut self) {
        if let Err(error) = self.keep_position() {
            tracing::warn!(%error, "records will be looked at again for events");
        }
    }
}

impl Looker {
    /// Looks once, and says how long to wait for the next time.
    fn step(&mut self) -> Duration {
        let looked = self.look();
        // Once, until a look succeeds: it is tried again soon.
        if let Err(error) = &looked
            && !self.has_failed
        {
            tracing::error!(%error, "no events can be told; it will be tried again");
        }
        self.has_failed = looked.is_err();
        match looked {
            Ok(false) => Duration::ZERO,
            Ok(true) | Err(_) => EVENT_LOOK_INTERVAL,
        }
    }

    /// Looks at what is new; tells whether that was all. A journal that cannot be read keeps the server from nothing that it
    /// says of itself.
    fn look(&mut self) -> Result<bool, LookError> {
        let records = self.look_at_records();
        self.look_at_server()?;
        records
    }

    fn look_at_records(&mut self) -> Result<bool, LookError> {
        let synced = self.service.journal_synced();
        for _ in 0..EVENT_RECORDS_AT_ONCE_MAX {
            if let Some(event) = self.held.take() {
                if let Err(error) = self.queue.push(event.clone()) {
                    self.held = Some(event);
                    return Err(error.into());
                }
                self.counters.told(event.detail_type);
                self.keep_position()?;
            }
            let feed = self.feed(synced)?;
            let Some(followed) = feed.next_record(synced)? else {
                self.keep_position_in_time()?;
                return Ok(true);
            };
            let event = Event::of_record(&followed.record);
            self.held = event.filter(|event| !self.repeats.is_repeat(event));
        }
        Ok(false)
    }

    fn look_at_server(&mut self) -> Result<(), LookError> {
        let seen = Seen {
            health: self.service.health(),
            quotas: self.service.resource_quotas(),
            deletions: self.service.upcoming_dates().deletions,
            refused_rows: self.service.refused_rows(),
        };
        let service = &self.service;
        let events = self.watch.look(&seen, self.clock.now(), || service.request_id())?;
        for event in events {
            let detail_type = event.detail_type;
            if let Err(error) = self.queue.push(event) {
                self.watch = Watch::default();
                return Err(error.into());
            }
            self.counters.told(detail_type);
        }
        Ok(())
    }

    /// The feed, opened where the last life ended. In a journal that is not the one that was looked at, all is told again:
    /// twice rather than never.
    fn feed(&mut self, synced: u64) -> Result<&mut Feed, LookError> {
        if self.feed.is_none() {
            let feed = match Feed::after(&self.journal, self.kept, synced)? {
                Some(feed) => feed,
                None => {
                    let sequence = self.kept.sequence;
                    tracing::warn!(
                        sequence,
                        "the journal is another one than events were told of: all of its events are told"
                    );
                    Feed::of_all(&self.journal)?
                }
            };
            self.feed = Some(feed);
        }
        Ok(self.feed.as_mut().expect("it was just opened"))
    }

    fn keep_position_in_time(&mut self) -> io::Result<()> {
        let since = self.clock.now().duration_since(self.kept_at);
        match since.unsigned_abs() >= EVENT_POSITION_INTERVAL {
            true => self.keep_position(),
            false => Ok(()),
        }
    }

    fn keep_position(&mut self) -> io::Result<()> {
        let Some(position) = self.feed.as_ref().map(Feed::position) else { return Ok(()) };
        // What is held is not queued: its record must be looked at again.
        if position == self.kept || self.held.is_some() {
            return Ok(());
        }
        position::save(&self.position_path, position)?;
        self.kept = position;
        self.kept_at = self.clock.now();
        Ok(())
    }
}

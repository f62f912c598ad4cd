//! The events that wait, each in a file of its own until every sink has it that wants it, and how far each sink came.
//!
//! A sink is given one event after the other, in the order in which they came. A crash between a delivery and its note gives
//! the event to the sink again. More than so many events are not kept: the oldest is dropped, and counted for those who
//! lost it.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use service::Event;
use tokio::sync::Notify;

use crate::configuration::EventSink;
use crate::limits::EVENTS_QUEUED_MAX;

const EVENTS_FOLDER: &str = "queue";
const SINKS_FOLDER: &str = "sinks";
/// What stands behind the number of an event in the name of its file.
const EVENT_SUFFIX: &str = ".json";

/// The queue of all sinks.
pub(crate) struct Queue {
    folder: PathBuf,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    events: BTreeMap<u64, Arc<Event>>,
    /// Greater than the number of any event that was ever given to a sink.
    number_next: u64,
    places: Vec<Place>,
}

/// How far one sink came.
struct Place {
    sink: EventSink,
    /// The number of the last event that is over for it.
    passed: u64,
    dropped_count: u64,
}

/// What waits for one sink.
pub(crate) struct Waiting {
    pub(crate) sink: String,
    pub(crate) count: u64,
    /// When the oldest of them happened, in seconds since 1970.
    pub(crate) oldest_second: Option<i64>,
    /// How many were dropped since the start.
    pub(crate) dropped_count: u64,
}

impl Place {
    fn wants(&self, event: &Event) -> bool {
        let EventSink { detail_types, accounts, .. } = &self.sink;
        (detail_types.is_empty() || detail_types.contains(&event.detail_type))
            && (accounts.is_empty()
                || accounts.iter().any(|account| account.as_str() == event.account))
    }

    fn waits_for(&self, number: u64, event: &Event) -> bool {
        number > self.passed && self.wants(event)
    }
}

impl Queue {
    /// Opens the queue in a folder, which is made if it is missing. A sink that was not there before is told of what comes; one
    /// that is not there any more is forgotten.
    pub(crate) fn open(folder: &Path, sinks: &[EventSink]) -> io::Result<Queue> {
        for name in [EVENTS_FOLDER, SINKS_FOLDER] {
            DirBuilder::new().recursive(true).mode(0o700).create(folder.join(name))?;
        }
        let events = read_events(&folder.join(EVENTS_FOLDER))?;
        let known = read_places(&folder.join(SINKS_FOLDER), sinks)?;
        let last = events.keys().chain(known.values()).max().copied().unwrap_or_default();
        let places = sinks.iter().map(|sink| Place {
            passed: known.get(sink.name.as_str()).copied().unwrap_or(last),
            sink: sink.clone(),
            dropped_count: 0,
        });
        let state = State { events, number_next: last.saturating_add(1), places: places.collect() };
        let queue =
            Queue { folder: folder.to_owned(), state: Mutex::new(state), changed: Notify::new() };
        for sink in sinks.iter().filter(|sink| !known.contains_key(sink.name.as_str())) {
            queue.keep_place(&sink.name, last)?;
        }
        let over = queue.lock().take_over(u64::MAX);
        queue.remove(&over);
        Ok(queue)
    }

    /// Whether one of the sinks was there before.
    pub(crate) fn knows_any(folder: &Path, sinks: &[EventSink]) -> bool {
        sinks.iter().any(|sink| folder.join(SINKS_FOLDER).join(&sink.name).exists())
    }

    /// Takes an event, if a sink wants it and it is not there already. When this returns it is durable. Waits for the disk.
    pub(crate) fn push(&self, event: Event) -> io::Result<()> {
        let number = {
            let state = self.lock();
            let is_wanted = state.places.iter().any(|place| place.wants(&event));
            if !is_wanted || state.events.values().any(|queued| queued.id == event.id) {
                return Ok(());
            }
            state.number_next
        };
        write(&self.event_path(number), event.to_json().as_bytes())?;
        let dropped = {
            let mut state = self.lock();
            state.number_next = number.saturating_add(1);
            state.events.insert(number, Arc::new(event));
            state.drop_oldest()
        };
        self.remove(&dropped);
        self.changed.notify_waiters();
        Ok(())
    }

    /// The next event that a sink wants, once there is one.
    pub(crate) async fn next(&self, sink: &str) -> (u64, Arc<Event>) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(next) = self.lock().next(sink) {
                return next;
            }
            changed.await;
        }
    }

    /// Whether an event still waits for a sink: it may have been dropped.
    pub(crate) fn is_waiting(&self, sink: &str, number: u64) -> bool {
        self.lock().next(sink).is_some_and(|(next, _)| next == number)
    }

    /// Notes that an event is over for a sink. Waits for the disk; where that refuses, the sink may be given the event again
    /// after a restart.
    pub(crate) fn pass(&self, sink: &str, number: u64) -> io::Result<()> {
        let over = {
            let mut state = self.lock();
            let place = state.places.iter_mut().find(|place| place.sink.name == sink);
            if let Some(place) = place {
                place.passed = place.passed.max(number);
            }
            state.take_over(number)
        };
        let kept = self.keep_place(sink, number);
        // Only then, so that no number is given twice.
        if kept.is_ok() {
            self.remove(&over);
        }
        kept
    }

    /// What waits for each sink.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let state = self.lock();
        let waiting = |place: &Place| {
            let mut count = 0_u64;
            let mut oldest_second: Option<i64> = None;
            for (number, event) in &state.events {
                if place.waits_for(*number, event) {
                    count = count.saturating_add(1);
                    oldest_second = oldest_second.or(Some(event.time.as_second()));
                }
            }
            let (sink, dropped_count) = (place.sink.name.clone(), place.dropped_count);
            Waiting { sink, count, oldest_second, dropped_count }
        };
        state.places.iter().map(waiting).collect()
    }

    fn keep_place(&self, sink: &str, passed: u64) -> io::Result<()> {
        write(&self.folder.join(SINKS_FOLDER).join(sink), passed.to_string().as_bytes())
    }

    fn event_path(&self, number: u64) -> PathBuf {
        self.folder.join(EVENTS_FOLDER).join(format!("{number:016}{EVENT_SUFFIX}"))
    }

    /// One that cannot be removed is removed by the next start.
    fn remove(&self, numbers: &[u64]) {
        for number in numbers {
            let path = self.event_path(*number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an event that is over stays");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&self, sink: &str) -> Option<(u64, Arc<Event>)> {
        let place = self.places.iter().find(|place| place.sink.name == sink)?;
        let later = self.events.range(place.passed.saturating_add(1)..);
        later
            .filter(|(_, event)| place.wants(event))
            .map(|(number, event)| (*number, Arc::clone(event)))
            .next()
    }

    /// Takes out the events up to a number for which nobody waits.
    fn take_over(&mut self, number: u64) -> Vec<u64> {
        let State { events, places, .. } = self;
        let is_over = |(number, event): (&u64, &Arc<Event>)| {
            let is_over = !places.iter().any(|place| place.waits_for(*number, event));
            is_over.then_some(*number)
        };
        let over: Vec<u64> = events.range(..=number).filter_map(is_over).collect();
        for number in &over {
            events.remove(number);
        }
        over
    }

    /// Drops what is too much, and counts it for those who lose it.
    fn drop_oldest(&mut self) -> Vec<u64> {
        let mut dropped = Vec::new();
        while self.events.len() > EVENTS_QUEUED_MAX
            && let Some((number, event)) = self.events.pop_first()
        {
            for place in &mut self.places {
                if place.waits_for(number, &event) {
                    place.dropped_count = place.dropped_count.saturating_add(1);
                    tracing::error!(sink = place.sink.name, id = event.id, "an event is dropped");
                }
            }
            dropped.push(number);
        }
        dropped
    }
}

fn read_events(folder: &Path) -> io::Result<BTreeMap<u64, Arc<Event>>> {
    let mut events = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_suffix(EVENT_SUFFIX).and_then(|number| number.parse().ok());
        match number.and_then(|number| Some((number, read_event(&path)?))) {
            Some((number, event)) => drop(events.insert(number, Arc::new(event))),
            None => {
                // A write that a crash cut leaves a name that is none.
                tracing::warn!(path = %path.display(), "a file that is no event is removed");
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(events)
}

fn read_event(path: &Path) -> Option<Event> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// How far the sinks came that were there before.
fn read_places<'s>(folder: &Path, sinks: &'s [EventSink]) -> io::Result<BTreeMap<&'s str, u64>> {
    let mut places = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kept = fs::read(&path)?;
        let passed = str::from_utf8(&kept).ok().and_then(|text| text.parse().ok());
        let sink = sinks.iter().find(|sink| sink.name == name);
        match sink.zip(passed) {
            Some((sink, passed)) => drop(places.insert(sink.name.as_str(), passed)),
            None => fs::remove_file(&path)?,
        }
    }
    Ok(places)
}

/// Writes a file beside its place, syncs it and gives it its name.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;

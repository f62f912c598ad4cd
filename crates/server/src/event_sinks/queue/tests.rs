use std::slice;

use jiff::Timestamp;
use service::DetailType;
use tokio::runtime::Builder;
use uuid::Uuid;

use super::*;
use crate::configuration::EventTarget;

fn sink(name: &str, detail_types: &[DetailType]) -> EventSink {
    EventSink {
        name: name.to_owned(),
        target: EventTarget::File("/nowhere".into()),
        detail_types: detail_types.to_vec(),
        accounts: Vec::new(),
    }
}

fn health(number: u128) -> Event {
    Event::health_change(Uuid::from_u128(number), "store", false, Timestamp::UNIX_EPOCH)
}

fn tampering(number: u128) -> Event {
    Event::tampering(Uuid::from_u128(number), "keys '1'", Timestamp::UNIX_EPOCH)
}

fn next(queue: &Queue, sink: &str) -> Option<(u64, String)> {
    let next = queue.lock().next(sink)?;
    let awaited = Builder::new_current_thread().build().unwrap().block_on(queue.next(sink));
    assert_eq!(next, awaited);
    Some((next.0, next.1.id.clone()))
}

/// Takes what waits for a sink, in order: the numbers that were in the events' ids.
fn take(queue: &Queue, sink: &str) -> Vec<u128> {
    let mut taken = Vec::new();
    while let Some((number, id)) = next(queue, sink) {
        assert!(queue.is_waiting(sink, number));
        queue.pass(sink, number).unwrap();
        assert!(!queue.is_waiting(sink, number));
        taken.push(id.parse::<Uuid>().unwrap().as_u128());
    }
    taken
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder.join(EVENTS_FOLDER)).unwrap().count()
}

#[test]
fn each_sink_is_given_in_order_what_it_wants_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("all", &[]), sink("rows", &[DetailType::Tampering])];
    let queue = Queue::open(folder.path(), &sinks).unwrap();
    for number in [1, 2] {
        queue.push(health(number)).unwrap();
        queue.push(tampering(10 + number)).unwrap();
    }
    // The same once more, as after a crash between the event and the position.
    queue.push(health(1)).unwrap();
    assert_eq!(files(folder.path()), 4);
    let (number, _) = next(&queue, "all").unwrap();
    queue.pass("all", number).unwrap();
    assert_eq!(files(folder.path()), 3);

    let queue = Queue::open(folder.path(), &sinks).unwrap();
    assert_eq!(take(&queue, "all"), [11, 2, 12]);
    assert_eq!(files(folder.path()), 2);
    let queue = Queue::open(folder.path(), &sinks).unwrap();
    assert_eq!(take(&queue, "rows"), [11, 12]);
    assert_eq!(files(folder.path()), 0);
    let queue = Queue::open(folder.path(), &sinks).unwrap();
    queue.push(health(3)).unwrap();
    assert_eq!((take(&queue, "rows"), take(&queue, "all")), (vec![], vec![3]));
}

#[test]
fn what_nobody_wants_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sink("rows", &[DetailType::Tampering]);
    let account = "444455556666".parse().unwrap();
    let other = EventSink { accounts: vec![account], ..sink("other", &[]) };
    let queue = Queue::open(folder.path(), &[rows, other]).unwrap();
    queue.push(health(1)).unwrap();
    assert_eq!(files(folder.path()), 0);
}

#[test]
fn a_new_sink_is_told_of_what_comes_and_one_that_went_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| sink(name, &[]));
    Queue::open(folder.path(), slice::from_ref(&one)).unwrap().push(health(1)).unwrap();
    let queue = Queue::open(folder.path(), &[one, two.clone()]).unwrap();
    queue.push(health(2)).unwrap();
    assert_eq!(take(&queue, "two"), [2]);
    assert_eq!(files(folder.path()), 2);
    let queue = Queue::open(folder.path(), &[two]).unwrap();
    assert_eq!((files(folder.path()), take(&queue, "two")), (0, vec![]));
}

#[test]
fn the_oldest_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path(), &[sink("one", &[])]).unwrap();
    let mut state = queue.lock();
    for number in 1..=EVENTS_QUEUED_MAX {
        let number = u64::try_from(number).unwrap();
        state.events.insert(number, Arc::new(health(number.into())));
        state.number_next = number + 1;
    }
    drop(state);
    fs::write(queue.event_path(1), "").unwrap();
    let (first, _) = next(&queue, "one").unwrap();
    queue.push(health(1_000_000)).unwrap();
    assert!(!queue.is_waiting("one", first));
    let waiting = queue.waiting();
    let [waiting] = waiting.as_slice() else { panic!() };
    assert_eq!(usize::try_from(waiting.count), Ok(EVENTS_QUEUED_MAX));
    assert_eq!((waiting.dropped_count, waiting.oldest_second), (1, Some(0)));
    assert!(!queue.event_path(1).exists());
}

#[test]
fn what_a_crash_left_is_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("one", &[])];
    Queue::open(folder.path(), &sinks).unwrap().push(health(1)).unwrap();
    let queue_folder = folder.path().join(EVENTS_FOLDER);
    for name in ["0000000000000002.json", "0000000000000003.json.partial", "x"] {
        fs::write(queue_folder.join(name), "{\"version\":").unwrap();
    }
    fs::write(folder.path().join(SINKS_FOLDER).join("one.partial"), "7").unwrap();
    let queue = Queue::open(folder.path(), &sinks).unwrap();
    assert_eq!((files(folder.path()), take(&queue, "one")), (1, vec![1]));
}

//! The journal on a disk that fails, waits or is watched.

use std::{
    future::Future,
    io,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tempfile::TempDir;

use super::*;
use crate::{disk::SegmentFile, read};

/// Counts the calls, fails one of them, and lets syncs wait for a gate.
#[derive(Default)]
struct TestDisk {
    calls: AtomicU64,
    /// The call that fails, counted from 1; 0 for none.
    fails_at: AtomicU64,
    panics: bool,
    gate: Mutex<Gate>,
    gate_changed: Condvar,
}

#[derive(Default)]
struct Gate {
    shut: Option<Call>,
    /// Whether a call waits before it.
    waiting: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Call {
    Write,
    Sync,
    Finish,
}

/// Opens the gate when the test is done with it, also when it fails.
struct ShutGate(Arc<TestDisk>);

impl Drop for ShutGate {
    fn drop(&mut self) {
        self.0.gate.lock().unwrap().shut = None;
        self.0.gate_changed.notify_all();
    }
}

struct TestFile {
    disk: Arc<TestDisk>,
    file: Arc<dyn SegmentFile>,
}

/// The disk as the journal holds it: files keep a reference to it.
struct Handle(Arc<TestDisk>);

impl TestDisk {
    fn failing(call: u64) -> Arc<TestDisk> {
        Arc::new(TestDisk { fails_at: AtomicU64::new(call), ..TestDisk::default() })
    }

    fn call(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call == self.fails_at.load(Ordering::SeqCst) {
            assert!(!self.panics, "the disk's driver panics");
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn fail_next(&self) {
        self.fails_at.store(self.calls.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
    }

    fn has_failed(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.fails_at.load(Ordering::SeqCst)
    }

    fn shut_gate(self: &Arc<Self>, call: Call) -> ShutGate {
        self.gate.lock().unwrap().shut = Some(call);
        ShutGate(Arc::clone(self))
    }

    fn pass_gate(&self, call: Call) {
        let mut gate = self.gate.lock().unwrap();
        while gate.shut == Some(call) {
            gate.waiting = true;
            self.gate_changed.notify_all();
            gate = self.gate_changed.wait(gate).unwrap();
            gate.waiting = false;
        }
    }

    /// Waits until a call stands before the gate.
    fn wait_before_gate(&self) {
        let gate = self.gate.lock().unwrap();
        drop(self.gate_changed.wait_while(gate, |gate| !gate.waiting).unwrap());
    }
}

impl Handle {
    fn wrap(&self, file: Arc<dyn SegmentFile>) -> Arc<dyn SegmentFile> {
        Arc::new(TestFile { disk: Arc::clone(&self.0), file })
    }
}

impl Disk for Handle {
    fn create(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>> {
        let file = SystemDisk.create(path, bytes_reserved)?;
        // The file is there and the room for it is not.
        self.0.call().map(|()| self.wrap(file))
    }

    fn open(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>> {
        self.0.call()?;
        SystemDisk.open(path, bytes_reserved).map(|file| self.wrap(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.call()?;
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.call()?;
        SystemDisk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.call()?;
        SystemDisk.sync_directory(path)
    }
}

impl SegmentFile for TestFile {
    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.disk.pass_gate(Call::Write);
        if let Err(error) = self.disk.call() {
            // A short write: part of the frames is in the file.
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.pass_gate(Call::Sync);
        self.disk.call()?;
        self.file.sync()
    }

    fn finish(&self, length: u64) -> io::Result<()> {
        self.disk.pass_gate(Call::Finish);
        self.disk.call()?;
        self.file.finish(length)
    }
}

const STRICT: Durability = Durability::Strict;
const OFTEN: Durability = Durability::Interval(Duration::from_millis(1));
const SELDOM: Durability = Durability::Interval(Duration::from_secs(3600));

fn options(durability: Durability, segment_bytes_max: u64) -> JournalOptions {
    JournalOptions { deployment: [7; 16], durability, segment_bytes_max }
}

fn open(disk: &Arc<TestDisk>, directory: &TempDir, durability: Durability) -> Journal {
    let disk = Arc::new(Handle(Arc::clone(disk)));
    Journal::open_on(disk, directory.path(), options(durability, 1024 * 1024)).unwrap().0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn records(directory: &TempDir) -> Vec<Vec<u8>> {
    read(directory.path()).unwrap().map(|frame| frame.unwrap().record).collect()
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// One life of a journal on a disk whose n-th call fails: what was acknowledged, and whether the
/// failure was met.
fn live(call: u64, directory: &TempDir, durability: Durability) -> (Vec<Vec<u8>>, bool) {
    let disk = TestDisk::failing(call);
    let handle = Arc::new(Handle(Arc::clone(&disk)));
    let opened = Journal::open_on(handle, directory.path(), options(durability, 512));
    let Ok((journal, _)) = opened else { return (Vec::new(), true) };
    let mut acknowledged = Vec::new();
    runtime().block_on(async {
        let mut failed = false;
        for number in 0..30 {
            let record = format!("record {number}").into_bytes();
            match journal.append(&record, None).await {
                Ok(()) => {
                    assert!(!failed, "an append succeeded after a failure");
                    acknowledged.push(record);
                }
                Err(error) => {
                    assert!(matches!(error, JournalError::Disk { .. }), "{error}");
                    assert!(!journal.is_healthy());
                    failed = true;
                }
            }
        }
        let closed = journal.close().await;
        assert!(closed.is_err() || !failed);
        if disk.has_failed() {
            assert!(closed.is_err(), "a failed call was forgotten");
        }
    });
    (acknowledged, disk.has_failed())
}

#[test]
fn any_call_of_the_disk_may_fail() {
    for durability in [STRICT, OFTEN] {
        let mut call = 1;
        loop {
            assert!(call < 1000, "the fault loop does not end");
            let directory = TempDir::new().unwrap();
            let (acknowledged, met) = live(call, &directory, durability);
            // The next life is on a sound disk and finds every acknowledged record.
            let opened = Journal::open(directory.path(), options(durability, 512)).unwrap();
            let found = records(&directory);
            assert!(found.starts_with(&acknowledged), "call {call}");
            assert!(found.len() <= 30);
            runtime().block_on(opened.0.append(b"again", None)).unwrap();
            drop(opened);
            assert_eq!(records(&directory).len(), found.len() + 1);
            if !met {
                assert_eq!(acknowledged.len(), 30);
                break;
            }
            call += 1;
        }
        assert!(call > 20, "only {call} calls were tried");
    }
}

#[test]
fn a_full_disk_stops_the_journal_for_good() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let journal = open(&disk, &directory, SELDOM);
    runtime().block_on(async {
        journal.append(b"one", None).await.unwrap();
        disk.fail_next();
        let error = journal.append(b"two", None).await.unwrap_err();
        assert!(matches!(&error, JournalError::Disk { action: "write", source, .. }
            if source.kind() == io::ErrorKind::StorageFull));
        // There is room again, but half a frame lies in the file.
        let later = journal.append(b"three", None).await.unwrap_err();
        assert_eq!(later.to_string(), error.to_string());
        assert!(!journal.is_healthy());
        assert!(journal.sync().await.is_err());
        assert!(journal.close().await.is_err());
    });
    let (_, recovered) = Journal::open(directory.path(), options(SELDOM, 1024)).unwrap();
    assert!(recovered.torn_bytes > 0);
    assert_eq!(records(&directory), [b"one"]);
}

#[test]
fn a_sync_that_fails_in_the_background_stops_the_journal() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let journal = open(&disk, &directory, SELDOM);
    runtime().block_on(async {
        journal.append(b"one", None).await.unwrap();
        disk.fail_next();
        assert!(matches!(journal.sync().await, Err(JournalError::Disk { action: "sync", .. })));
        assert!(journal.append(b"two", None).await.is_err());
    });
    assert!(matches!(journal.failure(), Some(JournalError::Disk { action: "sync", .. })));
}

#[test]
fn a_panic_of_the_thread_leaves_nobody_waiting() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk { panics: true, ..TestDisk::default() });
    let journal = open(&disk, &directory, STRICT);
    disk.fail_next();
    runtime().block_on(async {
        assert!(matches!(journal.append(b"one", None).await, Err(JournalError::Stopped)));
        assert!(matches!(journal.close().await, Err(JournalError::Stopped)));
    });
}

#[test]
fn strict_answers_after_the_sync_and_one_sync_serves_all() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let journal = open(&disk, &directory, STRICT);
    runtime().block_on(async {
        let gate = disk.shut_gate(Call::Sync);
        let mut appends: Vec<_> =
            (0..64).map(|_| Box::pin(journal.append(b"record", None))).collect();
        for append in &mut appends {
            assert!(poll_once(append.as_mut()).is_pending());
        }
        disk.wait_before_gate();
        for append in &mut appends {
            assert!(poll_once(append.as_mut()).is_pending(), "answered before the sync");
        }
        drop(gate);
        for append in appends {
            append.await.unwrap();
        }
    });
    // The first sync began with the first frames, a second one serves those that came meanwhile.
    assert!(journal.stats().syncs <= 2, "{:?}", journal.stats());
    drop(journal);
    assert_eq!(records(&directory).len(), 64);
}

#[test]
fn interval_writes_once_for_all_that_are_ready() {
    let directory = TempDir::new().unwrap();
    let journal = Arc::new(open(&Arc::new(TestDisk::default()), &directory, SELDOM));
    runtime().block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move { journal.append(b"record", None).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    assert_eq!(journal.stats().writes, 1);
    assert_eq!(journal.stats().unsynced_frames, 32);
}

#[test]
fn a_dropped_append_hinders_nobody() {
    for durability in [STRICT, OFTEN, SELDOM] {
        let directory = TempDir::new().unwrap();
        let journal = open(&Arc::new(TestDisk::default()), &directory, durability);
        runtime().block_on(async {
            drop(journal.append(b"never begun", None));
            let mut dropped = Box::pin(journal.append(b"dropped", None));
            assert!(poll_once(dropped.as_mut()).is_pending());
            drop(dropped);
            journal.append(b"kept", None).await.unwrap();
            // Asleep for ever, neither dropped nor polled again.
            let mut asleep = Box::pin(journal.append(b"asleep", None));
            assert!(poll_once(asleep.as_mut()).is_pending());
            journal.sync().await.unwrap();
            let found = records(&directory);
            assert_eq!(found, [&b"dropped"[..], b"kept", b"asleep"]);
            asleep.await.unwrap();
        });
    }
}

#[test]
fn an_append_that_meets_another_is_not_forgotten() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    // The thread sleeps for an hour: nobody else comes to the rescue.
    let journal = Arc::new(open(&disk, &directory, SELDOM));
    let gate = disk.shut_gate(Call::Write);
    let other = Arc::clone(&journal);
    let writing = thread::spawn(move || runtime().block_on(other.append(b"first", None)));
    disk.wait_before_gate();
    runtime().block_on(async {
        let mut second = Box::pin(journal.append(b"second", None));
        // It puts its frame down, yields, finds the file held and waits.
        for _ in 0..3 {
            assert!(poll_once(second.as_mut()).is_pending());
        }
        drop(gate);
        let met = tokio::time::timeout(Duration::from_secs(60), second).await;
        met.expect("nobody told it").unwrap();
    });
    writing.join().unwrap().unwrap();
    drop(journal);
    assert_eq!(records(&directory), [&b"first"[..], b"second"]);
}

#[test]
fn appends_wait_while_the_segment_changes() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let handle = Arc::new(Handle(Arc::clone(&disk)));
    let (journal, _) = Journal::open_on(handle, directory.path(), options(SELDOM, 1024)).unwrap();
    let journal = Arc::new(journal);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(
        async {
            let tasks: Vec<_> = (0..16)
                .map(|task| {
                    let journal = Arc::clone(&journal);
                    tokio::spawn(async move {
                        for number in 0..50 {
                            let record = format!("{task} {number}").into_bytes();
                            journal.append(&record, None).await.unwrap();
                            if number % 10 == task % 10 {
                                journal.sync().await.unwrap();
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            journal.close().await.unwrap();
        },
    );
    assert!(journal.stats().segments > 1);
    assert_eq!(records(&directory).len(), 800);
}

#[test]
fn appends_do_not_wait_for_the_segment_before_to_be_completed() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let handle = Arc::new(Handle(Arc::clone(&disk)));
    let (journal, _) = Journal::open_on(handle, directory.path(), options(SELDOM, 256)).unwrap();
    runtime().block_on(async {
        // Fills the segment; the thread is then kept from completing it, so the change is under way for as long as we like.
        let gate = disk.shut_gate(Call::Finish);
        for number in 0..20 {
            journal.append(format!("record {number}").as_bytes(), None).await.unwrap();
        }
        disk.wait_before_gate();
        let met =
            tokio::time::timeout(Duration::from_secs(60), journal.append(b"last", Some(1))).await;
        met.expect("it waited for the change").unwrap();
        assert!(crate::segment::next_path(directory.path()).exists());
        assert_eq!(records(&directory).len(), 21);
        let missing = crate::missing_outbox(directory.path(), &[1, 2]).unwrap();
        assert_eq!(missing, [2], "what the segment without a name holds is in the journal");
        drop(gate);
        journal.close().await.unwrap();
    });
    assert_eq!(records(&directory).len(), 21);
    assert!(!crate::segment::next_path(directory.path()).exists());
}

#[test]
fn the_backlog_is_bounded() {
    let directory = TempDir::new().unwrap();
    let disk = Arc::new(TestDisk::default());
    let journal = open(&disk, &directory, STRICT);
    runtime().block_on(async {
        let record = vec![b'x'; crate::RECORD_BYTES_MAX];
        let gate = disk.shut_gate(Call::Sync);
        let mut first = Box::pin(journal.append(b"first", None));
        assert!(poll_once(first.as_mut()).is_pending());
        // From here on the thread takes nothing more from the buffer.
        disk.wait_before_gate();
        let mut waiting = vec![first];
        let refused = (0..PENDING_BYTES_MAX / record.len()).any(|_| {
            let mut append = Box::pin(journal.append(&record, None));
            match poll_once(append.as_mut()) {
                Poll::Ready(Err(JournalError::Backlog)) => true,
                Poll::Ready(result) => panic!("{result:?}"),
                Poll::Pending => {
                    waiting.push(append);
                    false
                }
            }
        });
        assert!(refused);
        assert!(journal.is_healthy());
        drop(gate);
        for append in waiting {
            append.await.unwrap();
        }
        journal.append(b"small", None).await.unwrap();
    });
}

#[test]
fn only_records_of_a_length_that_can_be_are_taken() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), options(SELDOM, 1024)).unwrap();
    runtime().block_on(async {
        assert!(matches!(journal.append(b"", None).await, Err(JournalError::EmptyRecord)));
        let long = vec![0; crate::RECORD_BYTES_MAX + 1];
        let refused = journal.append(&long, None).await;
        assert!(matches!(refused, Err(JournalError::RecordTooLong { .. })));
        journal.append(&long[1..], None).await.unwrap();
        assert!(journal.is_healthy());
    });
}

#[test]
fn the_directory_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let inner: PathBuf = directory.path().join("a/journal");
    drop(Journal::open(&inner, options(SELDOM, 1024)).unwrap());
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&crate::segment::path(&inner, 1)), 0o600);
}

//! Locked memory for keys: fixed slots that are not swapped, not dumped, not forked, and wiped on
//! release.
//!
//! The memory is a `memfd_secret(2)` area, which the kernel removes from its own map: no other
//! process, not root's `/proc/PID/mem` and no core dump can read it. Where the kernel has none, it
//! is anonymous memory with `mlock(2)` and `MADV_DONTDUMP`. Either way a page that nothing may
//! touch stands before and after it, and `MADV_DONTFORK` keeps it out of a child: a child that used
//! it would crash, where a wiped copy would make it encrypt under a key of zeros.
//!
//! This is the only module of the crate with unsafe code: no safe interface lends bytes of such
//! memory.
#![expect(
    unsafe_code,
    reason = "slots of hand-mapped memory are lent as references here, and only here"
)]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::{KEY_BYTES, Rng, RngError, SecretKey};
use rustix::mm::{Advice, MapFlags, ProtFlags};
use rustix::param::page_size;
use zeroize::Zeroize;

/// Length of a slot, in bytes: room for a wrapped 256-bit key with its tag, so that it is unwrapped
/// in place.
pub const SLOT_BYTES: usize = 64;

/// Largest arena, in bytes. `RLIMIT_MEMLOCK` (8 MiB on common systems) is the bound met first.
pub const ARENA_BYTES_MAX: usize = 1 << 30;

/// What kind of memory backs an arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// `memfd_secret(2)`: unreadable even to the kernel's own debugging interfaces.
    SecretMemory,
    /// `mlock(2)` and `MADV_DONTDUMP`: neither swapped nor dumped, but readable by root.
    LockedMemory,
}

/// Why an arena could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock {bytes} bytes of memory for keys (is `ulimit -l` large enough?)")]
pub struct ArenaError {
    /// Size asked for, in bytes.
    pub bytes: usize,
    /// The kernel's reason.
    #[source]
    pub cause: io::Error,
}

/// A bounded piece of locked memory, divided into slots of [`SLOT_BYTES`].
pub struct Arena {
    mapping: Mapping,
    slots: usize,
    free: Mutex<FreeSlots>,
}

/// Which slots are free: those given back, newest first, then those never used.
struct FreeSlots {
    returned: Vec<usize>,
    first_unused: usize,
}

impl Arena {
    /// Makes an arena of at least `bytes` bytes, rounded up to whole pages.
    ///
    /// # Errors
    /// [`ArenaError`] when the size exceeds [`ARENA_BYTES_MAX`] or the kernel does not lock so much
    /// memory.
    pub fn new(bytes: usize) -> Result<Arc<Arena>, ArenaError> {
        let error = |cause| ArenaError { bytes, cause };
        if bytes > ARENA_BYTES_MAX {
            return Err(error(io::ErrorKind::InvalidInput.into()));
        }
        let mapping = Mapping::new(bytes.max(1).next_multiple_of(page_size())).map_err(error)?;
        let slots = mapping.bytes / SLOT_BYTES;
        let free = FreeSlots { returned: Vec::with_capacity(slots), first_unused: 0 };
        Ok(Arc::new(Arena { mapping, slots, free: Mutex::new(free) }))
    }

    /// Takes a slot, full of zeros; `None` when all are taken.
    #[must_use]
    pub fn vacant_slot(self: &Arc<Self>) -> Option<VacantSlot> {
        let mut free = self.free();
        let index = free.returned.pop().or_else(|| {
            let unused = free.first_unused;
            (unused < self.slots).then(|| free.first_unused += 1).map(|()| unused)
        })?;
        Some(VacantSlot(RawSlot { arena: Arc::clone(self), index }))
    }

    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Number of slots in use.
    #[must_use]
    pub fn slots_taken(&self) -> usize {
        let free = self.free();
        free.first_unused - free.returned.len()
    }

    /// What kind of memory it is.
    #[must_use]
    pub fn backing(&self) -> Backing {
        self.mapping.backing
    }

    fn free(&self) -> MutexGuard<'_, FreeSlots> {
        // No step under the lock can leave the list inconsistent, so a panic elsewhere changes
        // nothing.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of a slot.
    fn address(&self, index: usize) -> NonNull<[u8; SLOT_BYTES]> {
        debug_assert!(index < self.slots);
        // SAFETY: `index` comes from `vacant_slot`, so it is below `slots`, and the offset stays
        // within the one allocation of `mapping.bytes` bytes that begins at `mapping.start`.
        // JUSTIFICATION: references into mapped memory begin with its address.
        unsafe { self.mapping.start.cast::<[u8; SLOT_BYTES]>().add(index) }
    }
}

/// One slot of an arena, owned by whoever holds this value; wiped and given back when dropped.
struct RawSlot {
    arena: Arc<Arena>,
    index: usize,
}

impl RawSlot {
    fn bytes(&self) -> &[u8; SLOT_BYTES] {
        // SAFETY: the address is aligned (1), within the mapping, readable and initialised (zero
        // pages or what was written). The mapping lives as long as `arena`. An index is handed to
        // one `RawSlot` at a time, and writing needs `&mut` of it, so nothing writes while this
        // borrow lasts.
        // JUSTIFICATION: a copy out of the arena would put the key into ordinary memory.
        unsafe { self.arena.address(self.index).as_ref() }
    }

    fn bytes_mut(&mut self) -> &mut [u8; SLOT_BYTES] {
        // SAFETY: as in `bytes`; and `&mut self` of the only `RawSlot` with this index makes the
        // borrow unique.
        // JUSTIFICATION: keys are written here directly, never through ordinary memory.
        unsafe { self.arena.address(self.index).as_mut() }
    }
}

impl Drop for RawSlot {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // `returned` was made with room for every slot, so this does not allocate.
        self.arena.free().returned.push(self.index);
    }
}

/// A slot that holds no key yet.
pub struct VacantSlot(RawSlot);

impl VacantSlot {
    /// Lets `write` put a key into the first [`KEY_BYTES`] bytes; what it leaves behind them is
    /// wiped.
    ///
    /// # Errors
    /// The error of `write`; the slot is then wiped and given back.
    pub fn fill<E>(
        mut self,
        write: impl FnOnce(&mut [u8; SLOT_BYTES]) -> Result<(), E>,
    ) -> Result<KeySlot, E> {
        let bytes = self.0.bytes_mut();
        write(bytes)?;
        bytes.iter_mut().skip(KEY_BYTES).for_each(Zeroize::zeroize);
        Ok(KeySlot(self.0))
    }

    /// Draws a fresh key, in place.
    ///
    /// # Errors
    /// [`RngError`] when the source of randomness fails.
    pub fn draw(self, rng: &dyn Rng) -> Result<KeySlot, RngError> {
        self.fill(|bytes| rng.fill(bytes))
    }
}

/// A slot that holds a key.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<custody::arena::KeySlot>();
/// ```
pub struct KeySlot(RawSlot);

impl KeySlot {
    /// The key, where it lies.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        let start: *const [u8; SLOT_BYTES] = self.0.bytes();
        // SAFETY: `SecretKey` is `repr(transparent)` over `[u8; KEY_BYTES]`: alignment 1, every bit
        // pattern valid, and KEY_BYTES <= SLOT_BYTES. The borrow is bounded by `&self`, and nothing
        // writes while it lasts. It is never dropped as a `SecretKey`; the slot's own drop wipes
        // it.
        // JUSTIFICATION: `crypto` takes keys by its own type, and a copy would leave the arena.
        unsafe { &*start.cast::<SecretKey>() }
    }
}

/// The mapped pages, between two guard pages.
struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    backing: Backing,
    /// The whole reservation, guard pages included.
    reserved: NonNull<c_void>,
    reserved_bytes: usize,
}

// SAFETY: a `Mapping` is an address and lengths of memory that belongs to the process, not to a
// thread. All access goes through `RawSlot`s, whose indices are handed out under a mutex.
// JUSTIFICATION: raw pointers are not `Send`; custodians are shared by all threads.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`; a shared `Mapping` gives nothing away but its address.
// JUSTIFICATION: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps and locks `bytes` bytes, a multiple of the page size.
    fn new(bytes: usize) -> io::Result<Mapping> {
        let guard_bytes = page_size();
        let reserved_bytes = bytes + 2 * guard_bytes;
        // SAFETY: a new private mapping at an address of the kernel's choice overlaps nothing.
        // JUSTIFICATION: the guard pages must lie next to the memory they guard, so all is reserved
        // at once.
        let reserved = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                reserved_bytes,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        let reserved = NonNull::new(reserved).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: one guard page into a reservation that is longer than that.
        // JUSTIFICATION: address arithmetic within the reservation.
        let start = unsafe { reserved.cast::<u8>().add(guard_bytes) };
        let mut mapping =
            Mapping { start, bytes, backing: Backing::SecretMemory, reserved, reserved_bytes };
        if mapping.back_with_secret_memory().is_err() {
            mapping.back_with_locked_memory()?;
            mapping.backing = Backing::LockedMemory;
        }
        mapping.advise(Advice::LinuxDontFork)?;
        mapping.advise(Advice::LinuxDontDump)?;
        Ok(mapping)
    }

    /// Puts a `memfd_secret` area between the guard pages.
    fn back_with_secret_memory(&self) -> io::Result<()> {
        let secret = File::from(memfd_secret()?);
        secret.set_len(u64::try_from(self.bytes).map_err(io::Error::other)?)?;
        // SAFETY: `MAP_FIXED` replaces `bytes` bytes at `start`, all within our own reservation, of
        // which no reference exists yet. The file is as long as the mapping, nobody else has its
        // descriptor, and it is closed on return, so it cannot be shortened under us.
        // JUSTIFICATION: the kernel offers this memory only as a mapping.
        unsafe {
            rustix::mm::mmap(
                self.start.as_ptr().cast(),
                self.bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::FIXED,
                &secret,
                0,
            )
        }?;
        Ok(())
    }

    /// Puts locked anonymous memory between the guard pages.
    fn back_with_locked_memory(&self) -> io::Result<()> {
        let start = self.start.as_ptr().cast();
        // SAFETY: `MAP_FIXED` replaces `bytes` bytes at `start`, all within our own reservation, of
        // which no reference exists yet; then exactly this new mapping is locked.
        // JUSTIFICATION: the standard allocator has no memory of its own pages to lock.
        unsafe {
            rustix::mm::mmap_anonymous(
                start,
                self.bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED,
            )?;
            rustix::mm::mlock(start, self.bytes)?;
        }
        Ok(())
    }

    /// Advises the kernel about the pages between the guards.
    fn advise(&self, advice: Advice) -> io::Result<()> {
        // SAFETY: the range is our own mapping, and `DONTFORK` and `DONTDUMP` leave its content as
        // it is.
        // JUSTIFICATION: `madvise` takes an address.
        Ok(unsafe { rustix::mm::madvise(self.start.as_ptr().cast(), self.bytes, advice) }?)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is our own reservation. Every slot holds its arena alive, so no
        // reference into it is left, and each slot was wiped when it was dropped.
        // JUSTIFICATION: what was mapped by hand is unmapped by hand.
        let unmapped = unsafe { rustix::mm::munmap(self.reserved.as_ptr(), self.reserved_bytes) };
        debug_assert!(unmapped.is_ok(), "our own reservation can be unmapped");
    }
}

/// `memfd_secret(2)`, closed on exec.
fn memfd_secret() -> io::Result<OwnedFd> {
    let flags: libc::c_int = libc::O_CLOEXEC;
    // SAFETY: the system call takes flags only and touches no memory of ours.
    // JUSTIFICATION: neither libc nor rustix wraps it.
    let answer = unsafe { libc::syscall(libc::SYS_memfd_secret, flags) };
    let descriptor = RawFd::try_from(answer).map_err(io::Error::other)?;
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this descriptor for us, and nothing else owns it.
    // JUSTIFICATION: a raw system call answers with a raw number.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn fill(slot: VacantSlot, byte: u8) -> KeySlot {
        let filled = slot.fill(|bytes| {
            bytes.fill(byte);
            Ok::<_, Infallible>(())
        });
        let Ok(slot) = filled;
        slot
    }

    #[test]
    fn slots_are_bounded_and_come_back() {
        let arena = Arena::new(1).unwrap();
        let slots: Vec<_> = std::iter::from_fn(|| arena.vacant_slot()).collect();
        assert_eq!(slots.len(), page_size() / SLOT_BYTES);
        assert_eq!(arena.slots_taken(), arena.slots());
        drop(slots);
        assert_eq!(arena.slots_taken(), 0);
        assert!(arena.vacant_slot().is_some());
    }

    #[test]
    fn a_released_slot_is_wiped() {
        let arena = Arena::new(1).unwrap();
        let slot = fill(arena.vacant_slot().unwrap(), 7);
        let index = slot.0.index;
        assert_eq!(slot.key().expose(), &[7; KEY_BYTES]);
        assert_eq!(slot.0.bytes()[KEY_BYTES..], [0; SLOT_BYTES - KEY_BYTES]);
        drop(slot);
        let again = arena.vacant_slot().unwrap();
        assert_eq!(again.0.index, index, "the same memory");
        assert_eq!(again.0.bytes(), &[0; SLOT_BYTES]);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let arena = Arena::new(1).unwrap();
        let failed = arena.vacant_slot().unwrap().fill(|bytes| {
            bytes.fill(7);
            Err("it does not open")
        });
        assert!(failed.is_err());
        assert_eq!(arena.slots_taken(), 0);
        assert_eq!(arena.vacant_slot().unwrap().0.bytes(), &[0; SLOT_BYTES]);
    }

    #[test]
    fn slots_do_not_overlap() {
        let arena = Arena::new(1).unwrap();
        let slots: Vec<_> =
            (0..=u8::MAX).map_while(|byte| Some(fill(arena.vacant_slot()?, byte))).collect();
        for (byte, slot) in (0..=u8::MAX).zip(&slots) {
            assert_eq!(slot.key().expose(), &[byte; KEY_BYTES]);
        }
    }

    #[test]
    fn an_arena_beyond_every_bound_is_refused() {
        assert!(Arena::new(ARENA_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn either_backing_holds_keys_and_is_locked() {
        let bytes = page_size();
        let arena = Arena::new(bytes).unwrap();
        let slot = fill(arena.vacant_slot().unwrap(), 7);
        let mut mapping = Mapping::new(bytes).unwrap();
        mapping.back_with_locked_memory().unwrap();
        mapping.backing = Backing::LockedMemory;
        assert_eq!(flags_of(&mapping, "lo"), Some(true));
        assert_eq!(flags_of(&slot.0.arena.mapping, "lo"), Some(true), "{:?}", arena.backing());
        assert_eq!(flags_of(&slot.0.arena.mapping, "dc"), Some(true), "not copied on fork");
        assert_eq!(flags_of(&slot.0.arena.mapping, "dd"), Some(true), "not dumped");
    }

    /// Whether the kernel lists a flag for the mapping (proc(5), `VmFlags` of smaps).
    fn flags_of(mapping: &Mapping, flag: &str) -> Option<bool> {
        let smaps = std::fs::read_to_string("/proc/self/smaps").ok()?;
        let range = format!("{:x}-", mapping.start.addr());
        let entry = smaps.split_once(&format!("\n{range}"))?.1;
        let flags = entry.lines().find_map(|line| line.strip_prefix("VmFlags:"))?;
        Some(flags.split_whitespace().any(|listed| listed == flag))
    }
}

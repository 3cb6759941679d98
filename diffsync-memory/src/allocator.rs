//! A global allocator that counts the bytes in use, and their peak, for the scope of the allocating thread.
//!
//! Each thread keeps its own balance and adds it to its scope when the balance has changed by 64 KiB, or when it leaves the
//! scope; counting in shared variables at each allocation would cost 10 % of the run time. A figure can therefore be off by
//! up to 64 KiB for each thread that works at the same time.
//!
//! A thread without a scope, such as a database driver's own, counts for the open scope if there is only one. While two are
//! open, as when both sides load at the same time, its scope is not known.

#![allow(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait; every call is passed to the system's allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::MemoryUse;

/// The balance at which a thread adds its count to its scope, in bytes.
const BATCH: i64 = 64 * 1024;

/// The system's allocator, counting. Installed with [`count_allocations!`](crate::count_allocations).
#[derive(Debug, Default, Clone, Copy)]
pub struct CountingAllocator;

// SAFETY: every call is passed to the system's allocator unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout.size()));
        // SAFETY: the caller upholds the contract of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(size(layout.size()));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(size(new_size) - size(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// One scope's figures.
struct Slot {
    taken: AtomicBool,
    /// The number of times that the slot was taken, so that a late count does not go to its next owner.
    generation: AtomicUsize,
    /// Whether anything was counted. Nothing is if another allocator is installed.
    counted: AtomicBool,
    in_use: AtomicI64,
    peak: AtomicI64,
}

/// Scopes are in a fixed array, since the allocator cannot follow a pointer that might be freed.
static SLOTS: [Slot; SLOT_COUNT] = [const {
    Slot {
        taken: AtomicBool::new(false),
        generation: AtomicUsize::new(0),
        counted: AtomicBool::new(false),
        in_use: AtomicI64::new(0),
        peak: AtomicI64::new(0),
    }
}; SLOT_COUNT];

const SLOT_COUNT: usize = 64;

/// The open scope if there is only one, for threads without a scope.
static ONLY: AtomicUsize = AtomicUsize::new(NONE);

/// No scope: the thread does not work on a profiled step.
const NONE: usize = usize::MAX;

thread_local! {
    // Constants without destructors, so that reading them neither allocates nor fails while the thread ends.
    static SCOPE: Cell<usize> = const { Cell::new(NONE) };
    /// The scope that the balance is for.
    static COUNTED_FOR: Cell<usize> = const { Cell::new(NONE) };
    static BALANCE: Cell<i64> = const { Cell::new(0) };
    static HIGHEST: Cell<i64> = const { Cell::new(0) };
}

#[inline]
fn count(bytes: i64) {
    let mut scope = SCOPE.get();
    if scope == NONE {
        scope = ONLY.load(Ordering::Relaxed);
        if scope == NONE {
            return;
        }
    }

    if COUNTED_FOR.get() != scope {
        hand_over();
        COUNTED_FOR.set(scope);
    }

    let balance = BALANCE.get() + bytes;
    BALANCE.set(balance);
    if balance > HIGHEST.get() {
        HIGHEST.set(balance);
    }
    if balance.abs() >= BATCH {
        hand_over();
    }
}

/// Adds the thread's balance to the scope's.
#[cold]
fn hand_over() {
    let (scope, balance, highest) = (COUNTED_FOR.get(), BALANCE.replace(0), HIGHEST.replace(0));
    let Some(slot) = SLOTS.get(scope % SLOT_COUNT).filter(|_| scope != NONE) else { return };
    if slot.generation.load(Ordering::Relaxed) != scope / SLOT_COUNT {
        return;
    }

    let before = slot.in_use.fetch_add(balance, Ordering::Relaxed);
    slot.peak.fetch_max(before + highest, Ordering::Relaxed);
    slot.counted.store(true, Ordering::Relaxed);
}

/// The scope that allocations are counted for. A clone is the same scope.
#[derive(Debug, Clone)]
pub struct MemoryScope(Option<Arc<Claim>>);

/// A slot that is taken, with its generation. It is released when the last handle is dropped.
#[derive(Debug)]
struct Claim(usize);

impl Claim {
    fn slot(&self) -> &'static Slot {
        &SLOTS[self.0 % SLOT_COUNT]
    }
}

/// Stores the open scope if there is only one.
fn note_the_only_one() {
    // Without the lock, two scopes that open at the same time could each be stored as the only one. The allocator never
    // takes it.
    static NOTING: Mutex<()> = Mutex::new(());
    let _noting = NOTING.lock().unwrap_or_else(PoisonError::into_inner);

    let mut open = SLOTS.iter().enumerate().filter(|(_, slot)| slot.taken.load(Ordering::Relaxed));
    let only = match (open.next(), open.next()) {
        (Some((at, slot)), None) => slot.generation.load(Ordering::Relaxed) * SLOT_COUNT + at,
        _ => NONE,
    };
    ONLY.store(only, Ordering::Relaxed);
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.slot().taken.store(false, Ordering::Release);
        note_the_only_one();
    }
}

thread_local! {
    static CURRENT: Cell<Option<MemoryScope>> = const { Cell::new(None) };
}

impl Default for MemoryScope {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryScope {
    /// A new, empty scope, or one that counts nothing if all slots are taken.
    #[must_use]
    pub fn new() -> Self {
        let claim = SLOTS.iter().enumerate().find_map(|(at, slot)| {
            slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).ok()?;
            slot.counted.store(false, Ordering::Relaxed);
            slot.in_use.store(0, Ordering::Relaxed);
            slot.peak.store(0, Ordering::Relaxed);
            let generation = slot.generation.fetch_add(1, Ordering::Relaxed) + 1;
            Some(Arc::new(Claim(generation * SLOT_COUNT + at)))
        });
        note_the_only_one();

        let scope = Self(claim);
        // Shows whether this binary counts, even if nothing else is allocated in the scope.
        scope.enter(|| drop(black_box(Box::new(0u8))));
        scope
    }

    /// The scope of this thread, to be passed along with work for another thread.
    #[must_use]
    pub fn current() -> Self {
        let current = CURRENT.take();
        let scope = current.clone().unwrap_or(Self::none());
        CURRENT.set(current);
        scope
    }

    /// No scope: for freeing what a driver's own thread has allocated, which would otherwise be subtracted from this scope.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Counts the allocations of `work` on this thread for this scope.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let _leave = Entered::begin(self);
        work()
    }

    /// The scope's memory in use and its peak, if this binary counts allocations.
    #[must_use]
    pub fn heap(&self) -> Option<MemoryUse> {
        let slot = self.0.as_ref()?.slot();
        let bytes = |count: &AtomicI64| u64::try_from(count.load(Ordering::Relaxed)).unwrap_or(0);
        let counted = slot.counted.load(Ordering::Relaxed);
        counted.then(|| MemoryUse { in_use: bytes(&slot.in_use), peak: bytes(&slot.peak) })
    }
}

/// The thread is in a scope. Dropping it restores the former one, even if the work panics.
struct Entered {
    former: usize,
    former_handle: Option<MemoryScope>,
}

impl Entered {
    fn begin(scope: &MemoryScope) -> Self {
        let handle = scope.clone();
        let former_handle = CURRENT.replace(Some(handle));
        let former = SCOPE.replace(scope.0.as_ref().map_or(NONE, |claim| claim.0));
        Self { former, former_handle }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        hand_over();
        SCOPE.set(self.former);
        CURRENT.set(self.former_handle.take());
    }
}

//! Measures the memory of each step of a run: the bytes that it allocates, and the memory that the process uses.
//!
//! A program counts its allocations with one line at its root:
//!
//! ```
//! diffsync_memory::count_allocations!();
//! # fn main() {}
//! ```
//!
//! Each step has its own scope, and a thread enters it while it works on the step. So two steps that run at the same time have
//! separate figures. If a loader gives work to another thread, pass the scope on with [`MemoryScope::current`] and
//! [`MemoryScope::enter`], or for a future with [`MemoryScope::follow`].

mod allocator;
mod resident;

use std::future::{Future, poll_fn};
use std::pin::pin;

use serde::{Deserialize, Serialize};

pub use self::allocator::{CountingAllocator, MemoryScope};
use self::resident::ResidentPeak;

/// Counts the allocations of this binary, so that memory profiling can tell what each step of a run allocates.
///
/// Outside a profiled run it costs a look at a thread-local variable per allocation.
#[macro_export]
macro_rules! count_allocations {
    () => {
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::CountingAllocator = $crate::CountingAllocator;
        };
    };
}

/// The memory figures of one step, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepMemory {
    /// What the step allocated, if the binary counts allocations.
    pub heap: Option<MemoryUse>,
    /// What the operating system gave the whole process, where it says so.
    pub resident: Option<MemoryUse>,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryUse {
    /// In use at the end of the step.
    pub in_use: u64,
    /// The most that was in use during the step.
    pub peak: u64,
}

impl MemoryScope {
    /// Counts for this scope what a future allocates, whichever thread drives it: for work given to `tokio::spawn`.
    pub async fn follow<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.enter(|| future.as_mut().poll(cx))).await
    }
}

/// Drives a future to its end and says what memory that took.
pub async fn profile<F: Future>(future: F) -> (F::Output, StepMemory) {
    let scope = MemoryScope::new();
    let resident = ResidentPeak::start();
    let output = scope.clone().follow(future).await;
    let memory = StepMemory { heap: scope.heap(), resident: resident.finish() };
    (output, memory)
}

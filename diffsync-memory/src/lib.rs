//! The memory use of a step of a run: the bytes that it allocated, and the resident size of the process.
//!
//! A binary opts into counting allocations with one line at its root:
//!
//! ```
//! diffsync_memory::count_allocations!();
//! # fn main() {}
//! ```
//!
//! Each step has its own scope, which its thread enters while it works on the step, so two steps that run at the same time
//! have separate figures. Work that a loader passes to another thread takes the scope along with [`MemoryScope::current`]
//! and [`MemoryScope::enter`], or [`MemoryScope::follow`] for a future.

mod allocator;
mod resident;

use std::future::{Future, poll_fn};
use std::pin::pin;

use serde::Serialize;

pub use self::allocator::{CountingAllocator, MemoryScope};
use self::resident::ResidentPeak;

/// Counts the allocations of this binary, so that memory profiling can report the allocations of each step of a run.
///
/// Outside a profiled run it costs a read of a thread-local variable per allocation.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepMemory {
    /// The step's allocations, if the binary counts them.
    pub heap: Option<MemoryUse>,
    /// The resident size of the whole process, if the operating system reports it.
    pub resident: Option<MemoryUse>,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoryUse {
    /// In use at the end of the step.
    pub in_use: u64,
    /// The most that was in use during the step.
    pub peak: u64,
}

impl MemoryScope {
    /// Counts the allocations of a future for this scope, on any thread: for work passed to `tokio::spawn`.
    pub async fn follow<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| self.enter(|| future.as_mut().poll(cx))).await
    }
}

/// Runs a future to its end and measures its memory use.
pub async fn profile<F: Future>(future: F) -> (F::Output, StepMemory) {
    let scope = MemoryScope::new();
    let resident = ResidentPeak::start();
    let output = scope.clone().follow(future).await;
    let memory = StepMemory { heap: scope.heap(), resident: resident.finish() };
    (output, memory)
}

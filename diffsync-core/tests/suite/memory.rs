//! Memory profiling: what each step of a run allocates.

use std::hint::black_box;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::data::Side;
use diffsync_core::job::JobSpec;
use diffsync_core::memory::{MemoryScope, MemoryUse};
use diffsync_core::report::{RunReport, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target, job};

use crate::fake_target::run_job;

const MIB: usize = 1 << 20;

/// Held shared by every test that profiles, and exclusively by those that need to know how many scopes are open.
static SCOPES: RwLock<()> = RwLock::new(());

/// Keeps a second scope open, so that what other tests allocate meanwhile counts for none.
pub(crate) fn apart() -> (MemoryScope, RwLockReadGuard<'static, ()>) {
    let shared = SCOPES.read().unwrap_or_else(PoisonError::into_inner);
    (MemoryScope::new(), shared)
}

/// Waits until no other test profiles.
fn alone() -> RwLockWriteGuard<'static, ()> {
    SCOPES.write().unwrap_or_else(PoisonError::into_inner)
}

/// A block of memory.
#[derive(SyncModel, Clone)]
struct Block {
    #[sync(id)]
    number: u32,
    bytes: Vec<u8>,
}

#[derive(Dataset, Default)]
struct Blocks {
    blocks: Table<Block>,
}

/// A system that takes memory to load and keeps some.
struct Hungry {
    takes: usize,
    keeps: usize,
    helper: bool,
}

impl Hungry {
    fn eat(&self) -> Vec<u8> {
        drop(black_box(vec![1u8; self.takes - self.keeps]));
        let kept = vec![2u8; self.keeps];
        let rest = black_box(vec![3u8; self.takes - self.keeps]);
        drop(rest);
        kept
    }
}

impl Adapter for Hungry {
    type Data = Blocks;

    async fn load(&self, data: &mut Blocks, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        // Another step begins and ends meanwhile, on the same thread or another.
        tokio::task::yield_now().await;
        let bytes = if self.helper {
            let scope = MemoryScope::current();
            std::thread::scope(|threads| threads.spawn(|| scope.enter(|| self.eat())).join().unwrap())
        } else {
            self.eat()
        };
        tokio::task::yield_now().await;
        data.blocks.insert(Block { number: if cx.side() == Side::Source { 1 } else { 2 }, bytes });
        Ok(())
    }
}

impl Target<Block> for Hungry {
    async fn create(&self, new: &Block, _: &WriteContext<'_, Blocks>) -> Result<Block, TargetError> {
        drop(black_box(vec![1u8; 5 * MIB]));
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &Block,
        patch: &BlockPatch,
        _: &WriteContext<'_, Blocks>,
    ) -> Result<Block, TargetError> {
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Block, _: &WriteContext<'_, Blocks>) -> Result<(), TargetError> {
        Ok(())
    }
}

/// Moves blocks of memory.
#[job(source = Hungry, target = Hungry, dryrun_default = false)]
struct MoveBlocks {
    helper: bool,
}

opens!(
    MoveBlocks: Hungry = |job| Hungry { takes: 32 * MIB, keeps: 8 * MIB, helper: job.helper },
    Hungry = |job| Hungry { takes: 12 * MIB, keeps: 2 * MIB, helper: job.helper }
);

fn run(helper: bool, memory_profiling: bool, parallel_loading: bool) -> RunReport {
    let _apart = apart();
    let mut options = RunOptions::new(&MoveBlocks::INFO);
    options.memory_profiling = memory_profiling;
    options.parallel_loading = parallel_loading;
    let report = run_job(MoveBlocks { helper }, options, Vec::new());
    assert_eq!(report.steps.iter().map(|step| step.step).collect::<Vec<_>>(), Step::ALL, "{report:?}");
    report
}

/// Expects about so many mebibytes: a thread's balance may be off by 64 KiB.
#[track_caller]
fn check(heap: MemoryUse, in_use: u64, peak: u64) {
    let mib = MIB as u64;
    let about = |bytes: u64, mebibytes: u64| bytes.abs_diff(mebibytes * mib) < mib / 2;
    assert!(about(heap.in_use, in_use) && about(heap.peak, peak), "{heap:?} is not about {in_use} and {peak} MiB");
}

#[test]
fn each_step_has_its_own_figures() {
    for (helper, parallel_loading) in [(false, false), (false, true), (true, false), (true, true)] {
        let report = run(helper, true, parallel_loading);
        let memory: Vec<_> = report.steps.iter().map(|step| step.memory.unwrap()).collect();
        let heap: Vec<_> = memory.iter().map(|memory| memory.heap.unwrap()).collect();
        check(heap[0], 8, 32);
        check(heap[1], 2, 12);
        check(heap[2], 0, 0);
        // The target's copy of the block it was given, which is not kept: the source has the same.
        check(heap[3], 0, 8);
        for resident in memory.iter().filter_map(|memory| memory.resident) {
            assert!(resident.peak >= resident.in_use && resident.in_use > 0, "{resident:?}");
        }
    }
}

/// Allocates on another thread, within a scope or in none.
fn on_another_thread(scope: Option<MemoryScope>, mebibytes: usize) -> Vec<u8> {
    let work = move || vec![1u8; mebibytes * MIB];
    let thread = std::thread::spawn(move || match scope {
        Some(scope) => scope.enter(work),
        None => work(),
    });
    thread.join().unwrap()
}

#[test]
fn what_another_thread_allocates_counts_for_the_scope_it_enters() {
    let _apart = apart();
    let (taken_along, left_behind) = (MemoryScope::new(), MemoryScope::new());
    let kept = taken_along.enter(|| on_another_thread(Some(MemoryScope::current()), 4));
    check(taken_along.heap().unwrap(), 4, 4);
    drop(kept);
    left_behind.enter(|| drop(on_another_thread(None, 4)));
    assert!(left_behind.heap().unwrap_or_default().peak < MIB as u64);
}

#[test]
fn what_another_thread_allocates_counts_for_the_only_scope_there_is() {
    let _alone = alone();
    let scope = MemoryScope::new();
    let kept = on_another_thread(None, 128);
    // Other tests run meanwhile, and what they allocate and free counts too.
    assert!(scope.heap().unwrap().peak > 64 * MIB as u64);
    drop(kept);
}

#[test]
fn scopes_within_each_other_count_apart() {
    let _apart = apart();
    let (outer, inner) = (MemoryScope::new(), MemoryScope::new());
    let kept = outer.enter(|| {
        let outer_block = vec![1u8; 3 * MIB];
        let inner_block = inner.enter(|| vec![1u8; 5 * MIB]);
        (outer_block, inner_block, vec![1u8; MIB])
    });
    check(outer.heap().unwrap(), 4, 4);
    check(inner.heap().unwrap(), 5, 5);
    drop(kept);
}

#[test]
fn a_scope_is_left_when_the_work_in_it_panics() {
    let _apart = apart();
    let scope = MemoryScope::new();
    let result = std::panic::catch_unwind(|| scope.enter(|| std::panic::resume_unwind(Box::new(()))));
    assert!(result.is_err());
    let block = black_box(vec![1u8; 4 * MIB]);
    assert!(scope.heap().unwrap_or_default().peak < MIB as u64);
    drop(block);
}

#[test]
fn a_scope_in_which_nothing_is_allocated_counts_nothing() {
    let _apart = apart();
    let scope = MemoryScope::new();
    scope.enter(|| ());
    check(scope.heap().unwrap(), 0, 0);
}

#[test]
fn more_scopes_than_can_be_told_apart_do_no_harm() {
    let _alone = alone();
    let scopes: Vec<_> = (0..100).map(|_| MemoryScope::new()).collect();
    let counting = scopes.iter().filter(|scope| {
        drop(scope.enter(|| vec![1u8; MIB]));
        scope.heap().is_some()
    });
    assert_eq!(counting.count(), 64);
    drop(scopes);
    let again = MemoryScope::new();
    drop(again.enter(|| vec![1u8; MIB]));
    assert!(again.heap().is_some());
}

#[test]
fn a_run_without_profiling_has_no_figures() {
    for parallel_loading in [false, true] {
        assert!(run(false, false, parallel_loading).steps.iter().all(|step| step.memory.is_none()));
    }
}

#[test]
fn the_figures_are_part_of_the_report() {
    let document = serde_json::to_value(run(false, true, false).steps).unwrap();
    let heap = &document[0]["memory"]["heap"];
    assert!(heap["in_use"].as_u64().unwrap() > 7 * MIB as u64 && heap["peak"].is_u64(), "{document}");
}

//! The laws that every target must keep, and tests for them.
//!
//! A target that breaks one of them makes a run lose records, or report differences that do not go away. So test a new
//! target with this kit, on a real system and with generated data.
//!
//! A target with limited capabilities ([`Target::OPERATIONS`](crate::Target::OPERATIONS)) is tested with the operations that
//! it supports: the remaining differences must be operations that it does not support, or that wait for those, and these are
//! never attempted.
//!
//! ```
//! use diffsync_core::testkit::Laws;
//! # use std::sync::{Mutex, PoisonError};
//! # use diffsync_core::*;
//! # use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
//! # #[derive(SyncModel, Clone)]
//! # struct Vlan { #[sync(id)] number: u64, name: String }
//! # #[derive(Dataset, Default)]
//! # struct Vlans { vlans: Table<Vlan> }
//! # #[derive(Default)]
//! # struct Memory(Mutex<Vec<Vlan>>);
//! # impl Memory { fn rows(&self) -> std::sync::MutexGuard<'_, Vec<Vlan>> { self.0.lock().unwrap_or_else(PoisonError::into_inner) } }
//! # impl Adapter for Memory {
//! #     type Data = Vlans;
//! #     async fn load(&self, data: &mut Vlans, _: &LoadContext<'_>) -> Result<(), AdapterError> { data.vlans.extend(self.rows().clone()); Ok(()) }
//! # }
//! # impl Target<Vlan> for Memory {
//! #     async fn create(&self, new: &Vlan, _: &WriteContext<'_, Vlans>) -> Result<Vlan, TargetError> { self.rows().push(new.clone()); Ok(new.clone()) }
//! #     async fn update(&self, old: &Vlan, patch: &VlanPatch, _: &WriteContext<'_, Vlans>) -> Result<Vlan, TargetError> {
//! #         let new = old.patched(patch);
//! #         for row in self.rows().iter_mut().filter(|row| row.number == old.number) { *row = new.clone(); }
//! #         Ok(new)
//! #     }
//! #     async fn delete(&self, old: &Vlan, _: &WriteContext<'_, Vlans>) -> Result<(), TargetError> { self.rows().retain(|row| row.number != old.number); Ok(()) }
//! # }
//!
//! /// Some networks, others for each seed.
//! fn vlans(seed: u64) -> Vlans {
//!     let numbers = (1..20).filter(|number| (number * seed) % 3 != 1);
//!     Vlans { vlans: numbers.map(|number| Vlan { number, name: format!("v{}", seed % number) }).collect() }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // A new, empty system for each case.
//! Laws::new(|| async { Ok(Memory::default()) }, vlans).check().await.unwrap();
//! # }
//! ```

mod faulty;
mod sync;
mod violation;

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use self::faulty::{Fault, Faulty};
use self::sync::{SyncResult, sync, unsupported};
pub use self::violation::Violation;
use crate::adapter::{Adapter, WrittenBy};
use crate::data::dataset::{Dataset, HasTable, LinksIn, ModelVisitor};
use crate::data::table::Table;
use crate::error::AdapterError;
use crate::plan_file::{ApplyRequest, DriftPolicy, PlanKey, SavedPlan};

/// Checks that a target keeps the laws.
///
/// It takes a function that creates a new, empty system, and one that creates a data set from a seed. The same seed must give
/// the same data set, other seeds other records and values, and all tables must be loaded.
#[derive(Debug, Clone)]
pub struct Laws<F, G> {
    system: F,
    data: G,
    seeds: u64,
    calls: usize,
}

impl<F, T, Opening, G> Laws<F, G>
where
    F: Fn() -> Opening,
    Opening: Future<Output = Result<T, AdapterError>>,
    T: Adapter,
    T::Data: WrittenBy<T> + WrittenBy<Faulty<T>>,
    G: Fn(u64) -> T::Data,
{
    /// Checks with twenty seeds, and with failures at up to a hundred calls for each.
    pub fn new(system: F, data: G) -> Self {
        Self { system, data, seeds: 20, calls: 100 }
    }

    /// Sets the number of seeds.
    #[must_use]
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// Sets how many of a run's calls fail at most, each in its own run.
    #[must_use]
    pub fn failing_calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Checks all laws.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn check(&self) -> Result<(), Violation> {
        for seed in 0..self.seeds {
            self.what_was_written_is_found(seed).await?;
            self.operations_commute(seed).await?;
            self.a_plan_holds_everything(seed).await?;
            self.failures_are_made_up_for(seed).await?;
        }
        Ok(())
    }

    /// Checks that a record that a new one collides with is not deleted. Only a target with unique values besides the
    /// identifiers can break this law.
    ///
    /// `other` creates a data set that collides with the one of the same seed: its records have other identifiers, and some of
    /// the same unique values. If that makes a write fail, the target must return
    /// [`TargetError::conflict`](crate::adapter::TargetError::conflict).
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn check_conflicts(&self, other: impl Fn(u64) -> T::Data) -> Result<(), Violation> {
        for seed in 0..self.seeds {
            let law = Law("what a record collides with is not deleted", seed);
            let target = law.open(&self.system).await?;
            law.written(sync((self.data)(seed), &*target, None, None).await?.0)?;
            let (synced, _) = sync(other(seed), &*target, None, None).await?;
            if let Some(deleted) = synced.deleted_beside {
                return Err(law.broken(format!("{deleted}; a value that is taken is a `TargetError::conflict`")));
            }
        }
        Ok(())
    }

    /// Checks that a target that stores records under other identifiers returns them under these.
    ///
    /// `renamed` creates a data set in which the target changes some identifiers, such as their case.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub async fn check_renaming(&self, renamed: impl Fn(u64) -> T::Data) -> Result<(), Violation> {
        for seed in 0..self.seeds {
            let law = Law("a record is answered as it is stored", seed);
            let target = law.open(&self.system).await?;
            let (synced, _) = sync(renamed(seed), &*target, None, None).await?;
            let plan = self::sync::plan(renamed(seed), &*target, None).await?;
            let missing: usize = plan.diff().tables().iter().map(|table| table.creates.len()).sum();
            if missing > synced.renamed {
                let found = synced.renamed;
                let what = format!(
                    "{missing} records are not found again, of which {found} were answered under another identifier:\n{}",
                    plan.tree()
                );
                return Err(law.broken(what));
            }
        }
        Ok(())
    }

    /// Loading after an apply returns the applied data, and applying it again does nothing.
    async fn what_was_written_is_found(&self, seed: u64) -> Result<(), Violation> {
        const LAW: &str = "what was written is found again";
        let law = Law(LAW, seed);
        let target = law.open(&self.system).await?;
        for wanted in [seed, seed + 1] {
            law.written(sync((self.data)(wanted), &*target, None, None).await?.0)?;
            law.holds(&target, || (self.data)(wanted)).await?;
        }

        let calls = Faulty::of(&target, Fault::None);
        law.written(sync((self.data)(seed + 1), &calls, None, None).await?.0)?;
        if calls.calls() > 0 {
            return Err(law.broken(format!("applying the same again makes {} calls", calls.calls())));
        }

        law.written(sync(empty(), &*target, None, None).await?.0)?;
        law.holds(&target, empty).await
    }

    /// Concurrent writes end in the same state as sequential ones.
    async fn operations_commute(&self, seed: u64) -> Result<(), Violation> {
        let law = Law("concurrent operations commute", seed);
        for concurrency in [NonZeroUsize::new(1), None] {
            let target = law.open(&self.system).await?;
            for wanted in [seed, seed + 1] {
                law.written(sync((self.data)(wanted), &*target, concurrency, None).await?.0)?;
            }
            law.holds(&target, || (self.data)(seed + 1)).await?;
        }
        Ok(())
    }

    /// Every operation still matches after its plan was written to a file and read, and can be undone.
    async fn a_plan_holds_everything(&self, seed: u64) -> Result<(), Violation> {
        let law = Law("operations round-trip through a plan", seed);
        let key = PlanKey::new(&[7; 32]).map_err(|error| law.broken(error.to_string()))?;
        let target = law.open(&self.system).await?;
        law.written(sync((self.data)(seed), &*target, None, None).await?.0)?;

        let plan = self::sync::plan((self.data)(seed + 1), &*target, None).await?;
        let (operations, able) = (plan.diff().operations(), unsupported(&plan) == 0);
        let file = self::sync::saved(&plan, &key).map_err(|error| law.broken(error))?;
        let saved = SavedPlan::read(&mut &*file).map_err(|error| law.broken(error.to_string()))?;
        let again = ApplyRequest { plan: Arc::new(saved), key: key.clone(), policy: DriftPolicy::Refuse };
        let (synced, undo) = sync((self.data)(seed + 1), &*target, None, Some(again)).await?;

        // Operations that wait for an unsupported one are in the file, but never match.
        if able && synced.operations != operations {
            let found = synced.operations;
            return Err(law.broken(format!("of {operations} operations {found} are found again:\n{}", synced.text)));
        }
        if able {
            law.written(synced)?;
        }
        law.holds(&target, || (self.data)(seed + 1)).await?;

        let Some(undo) = undo else { return Ok(()) };
        let lost = !undo.unrestorable.is_empty();
        let saved = ApplyRequest { plan: Arc::new(undo.into_plan()), key, policy: DriftPolicy::Refuse };
        law.written(sync(T::Data::default(), &*target, None, Some(saved)).await?.0)?;
        // The undo plan has named the values that it cannot restore.
        if lost { Ok(()) } else { law.holds(&target, || (self.data)(seed)).await }
    }

    /// After any failure, the next run does the rest.
    async fn failures_are_made_up_for(&self, seed: u64) -> Result<(), Violation> {
        let law = Law("after a failure the next run converges", seed);
        let all = {
            let target = law.open(&self.system).await?;
            law.written(sync((self.data)(seed), &*target, None, None).await?.0)?;
            let counted = Faulty::of(&target, Fault::None);
            law.written(sync((self.data)(seed + 1), &counted, None, None).await?.0)?;
            counted.calls()
        };

        let step = all.div_ceil(self.calls.max(1)).max(1);
        for call in (0..all).step_by(step) {
            for fault in [Fault::Refuses(call), Fault::LosesAnswer(call), Fault::GoesDown(call), Fault::CannotComplete]
            {
                let target = law.open(&self.system).await?;
                law.written(sync((self.data)(seed), &*target, None, None).await?.0)?;
                let faulty = Faulty::of(&target, fault);

                // The result does not matter here; the next run must repair it.
                sync((self.data)(seed + 1), &faulty, NonZeroUsize::new(1), None).await?;
                let after = format!("after {fault}");
                law.written(sync((self.data)(seed + 1), &*target, None, None).await?.0)
                    .map_err(|error| law.during(&error, &after))?;
                law.holds(&target, || (self.data)(seed + 1)).await.map_err(|error| law.during(&error, &after))?;
            }
        }
        Ok(())
    }
}

/// The law being checked, and the seed.
#[derive(Clone, Copy)]
struct Law(&'static str, u64);

impl Law {
    fn broken(self, what: impl Into<String>) -> Violation {
        Violation { law: self.0, seed: self.1, what: what.into() }
    }

    fn during(self, violation: &Violation, what: &str) -> Violation {
        self.broken(format!("{what}: {}", violation.what))
    }

    async fn open<T, Opening>(self, system: &impl Fn() -> Opening) -> Result<Arc<T>, Violation>
    where
        Opening: Future<Output = Result<T, AdapterError>>,
    {
        system().await.map(Arc::new).map_err(|error| self.broken(format!("no system could be made: {error}")))
    }

    /// Everything was written.
    fn written(self, synced: SyncResult) -> Result<(), Violation> {
        match synced.failure {
            None => Ok(()),
            Some(failure) => Err(self.broken(failure)),
        }
    }

    /// The target holds exactly this data, except for operations that it does not support.
    async fn holds<T>(self, target: &Arc<T>, expected: impl Fn() -> T::Data) -> Result<(), Violation>
    where
        T: Adapter,
        T::Data: WrittenBy<T> + WrittenBy<Faulty<T>>,
    {
        let plan = self::sync::plan(expected(), &**target, None).await?;
        if plan.problems().is_empty() {
            if plan.diff().is_empty() {
                return Ok(());
            }
            if unsupported(&plan) > 0 {
                // All other operations must wait for unsupported ones, so a further run makes no calls.
                let asked = Faulty::of(target, Fault::GoesDown(0));
                sync(expected(), &asked, None, None).await?;
                if asked.calls() == 0 {
                    return Ok(());
                }
            }
        }
        let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
        Err(self.broken(format!("the target holds something else:\n{}{}", plan.tree(), problems.join("\n"))))
    }
}

/// A data set whose tables are all loaded and empty.
fn empty<D: Dataset>() -> D {
    struct MarkLoaded<'a, D>(&'a mut D);
    impl<D> ModelVisitor<D> for MarkLoaded<'_, D> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            let table: &mut Table<M> = self.0.table_mut();
            table.mark_loaded();
        }
    }
    let mut data = D::default();
    D::visit_models(&mut MarkLoaded(&mut data));
    data
}

//! A system in memory: source and target of real jobs.
//!
//! As a target it is as strict as a database: it refuses to create a record that is there or whose parent is not, and
//! to delete one that another lives under. So every order in which it is written to is checked by being written to.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::data::HasTable;
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::model::{Flags, Limit, Operation};
use diffsync_core::plan::DiffTree;
use diffsync_core::report::{Observer, RunReport};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Job, ModelExt, SyncModel, Target};
use serde_json::{Map, Value, json};

use super::asked::{Mark, Marks};
use super::records::{Key, Records, Row};

/// The system. Its clones are the same system.
pub(super) struct Memory<D>(Arc<Mutex<State<D>>>);

struct State<D> {
    data: D,
    /// Every record with its parent.
    parents: HashMap<Key, Option<Key>>,
    /// Whether it loads nothing at all, as an adapter does that was not finished or got an empty answer.
    silent: bool,
    marks: Marks,
    /// The flags that we have of `marks`.
    flags: HashMap<Key, Flags>,
    failing: Vec<(Operation, &'static str, String)>,
    operations: Vec<Value>,
}

impl<D> Clone for Memory<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Records> Memory<D> {
    pub(super) fn new(data: D) -> Self {
        let parents = data.rows().iter().map(|row| (row.key(), row.parent())).collect();
        let state = State {
            data,
            parents,
            silent: false,
            marks: Marks::default(),
            flags: HashMap::new(),
            failing: Vec::new(),
            operations: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Sets flags on its records whenever it is loaded. Those that say that a record's children go with it are also true:
    /// it deletes them.
    pub(super) fn marked(self, marks: &Marks) -> Self {
        let mut state = self.state();
        state.flags = marks.ours();
        state.marks = marks.clone();
        drop(state);
        self
    }

    pub(super) fn silent(self) -> Self {
        self.state().silent = true;
        self
    }

    /// Lets an operation fail on one record, named as the peer writes it.
    pub(super) fn failing(self, operation: Operation, model: &'static str, uid: &str) -> Self {
        self.state().failing.push((operation, model, uid.to_owned()));
        self
    }

    pub(super) fn data(&self) -> D {
        self.state().data.copy()
    }

    /// What was written since the last time this was asked.
    pub(super) fn take_operations(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().operations)
    }

    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.0.lock().expect("no test goes on after one failed")
    }
}

impl<D: Records> Adapter for Memory<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        let state = self.state();
        if !state.silent {
            state.data.copy_to(data);
        }
        if !state.flags.is_empty() {
            data.flag(&|row| state.flags.get(&row.key()).copied().unwrap_or_default());
        }
        for (model, mark) in &state.marks.tables {
            data.flag_table(model, mark.ours());
        }
        Ok(())
    }
}

impl<D: Records> State<D> {
    /// Enters the operation unless it must be refused.
    fn admit<M: SyncModel>(&mut self, operation: Operation, record: &M, attrs: &Value) -> Result<(), TargetError> {
        let row = Row::of(record);
        let (key, parent) = (row.key(), row.parent());
        if self.failing.iter().any(|(op, model, uid)| *op == operation && *model == M::NAME && *uid == row.uid) {
            return Err(TargetError::new(format!("{operation} is made to fail")));
        }
        if self.parents.contains_key(&key) == (operation == Operation::Create) {
            return Err(TargetError::new(format!("{operation}: there already, or not there: {key:?}")));
        }
        if operation == Operation::Delete {
            let cascades = M::SCHEMA.flags.contains(Flags::SKIP_CHILDREN_ON_DELETE);
            if cascades || self.marks.has(&row, Mark::SkipChildrenOnDelete) {
                self.delete_under(&key);
            }
            if let Some((child, _)) = self.parents.iter().find(|(_, parent)| parent.as_ref() == Some(&key)) {
                return Err(TargetError::new(format!("{child:?} still lives under {key:?}")));
            }
            self.parents.remove(&key);
        } else {
            if let Some(parent) = parent.as_ref().filter(|parent| !self.parents.contains_key(*parent)) {
                return Err(TargetError::new(format!("{parent:?}, the parent of {key:?}, is not there")));
            }
            self.parents.insert(key, parent);
        }
        self.operations.push(json!({ "operation": operation, "model": M::NAME, "ids": row.ids(), "attrs": attrs }));
        Ok(())
    }
}

impl<D: Records> State<D> {
    /// Deletes all that lives under a record.
    fn delete_under(&mut self, key: &Key) {
        let under = |parents: &HashMap<Key, Option<Key>>, key: &Key| -> Vec<Key> {
            let children = parents.iter().filter(|(_, parent)| parent.as_ref() == Some(key));
            children.map(|(child, _)| child.clone()).collect()
        };
        let mut going = under(&self.parents, key);
        let mut gone = HashSet::new();
        while let Some(key) = going.pop() {
            going.extend(under(&self.parents, &key));
            self.parents.remove(&key);
            gone.insert(key);
        }
        self.data.remove(&|row| gone.contains(&row.key()));
    }
}

impl<D: Records + HasTable<M>, M: SyncModel + Clone> Target<M> for Memory<D> {
    /// More than one, so that what may overlap does.
    const CONCURRENCY: usize = 4;

    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        state.admit(Operation::Create, new, &json!(Row::of(new).attrs()))?;
        state.data.table_mut().insert(new.clone());
        Ok(new.clone())
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        tokio::task::yield_now().await;
        let new = old.patched(patch);
        let mut state = self.state();
        state.admit(Operation::Update, &new, &serde_json::to_value(patch)?)?;
        state.data.table_mut().modify(&old.id(), |record| *record = new.clone());
        Ok(new)
    }

    async fn delete(&self, old: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        state.admit(Operation::Delete, old, &json!({}))?;
        state.data.table_mut().remove(&old.id());
        Ok(())
    }
}

/// The two systems of a job. A variable, since everything that a job gets to know is one.
pub(super) struct Systems<D> {
    pub(super) source: Memory<D>,
    pub(super) target: Memory<D>,
}

impl<D: Records> Variable for Systems<D> {
    const KIND: VariableKind = VariableKind::Json;

    fn parse(_: &str) -> Result<Self, String> {
        Err("a system in memory cannot be written down".into())
    }

    fn show(&self) -> Value {
        Value::Null
    }
}

/// A data set with the job that syncs it.
pub(super) trait CompleteContext: Records {
    type Job: Job + JobSpec<Data = Self>;

    fn job(systems: Systems<Self>) -> Self::Job;
}

/// Makes the job of a data set, whose tables it names.
macro_rules! synced {
    ($vis:vis $job:ident: $data:ident { $($table:ident),* }) => {
        $crate::conformance::records::records!($data { $($table),* });

        #[::diffsync_core::job(
            source = $crate::conformance::memory::Memory<$data>,
            target = $crate::conformance::memory::Memory<$data>,
        )]
        $vis struct $job {
            systems: $crate::conformance::memory::Systems<$data>,
        }

        impl ::diffsync_core::Job for $job {
            async fn source_adapter(
                &self,
                _: &::diffsync_core::job::JobContext,
            ) -> Result<$crate::conformance::memory::Memory<$data>, ::diffsync_core::job::JobError> {
                Ok(self.systems.source.clone())
            }

            async fn target_adapter(
                &self,
                _: &::diffsync_core::job::JobContext,
            ) -> Result<$crate::conformance::memory::Memory<$data>, ::diffsync_core::job::JobError> {
                Ok(self.systems.target.clone())
            }
        }

        impl $crate::conformance::memory::CompleteContext for $data {
            type Job = $job;

            fn job(systems: $crate::conformance::memory::Systems<Self>) -> $job {
                $job { systems }
            }
        }
    };
}
pub(super) use synced;

/// Runs the job of a data set to its end, whatever it deletes: the peer knows no limits.
pub(super) fn run<D: CompleteContext>(source: &Memory<D>, target: &Memory<D>) -> RunReport {
    run_with(source, target, Vec::new(), unlimited::<D>)
}

/// Lifts the limits of all models.
pub(super) fn unlimited<D: CompleteContext>(options: RunOptions) -> RunOptions {
    let models = D::SCHEMAS.iter().map(|schema| schema.name);
    models.fold(options, |options, model| options.allow(model, Operation::Delete, Limit::Count(usize::MAX)))
}

/// Runs the job of a data set to its end, in the way that is asked for.
pub(super) fn run_with<D: CompleteContext>(
    source: &Memory<D>,
    target: &Memory<D>,
    observers: Vec<Arc<dyn Observer>>,
    ask: impl FnOnce(RunOptions) -> RunOptions,
) -> RunReport {
    let job = Arc::new(D::job(Systems { source: source.clone(), target: target.clone() }));
    // A run waits for its target no longer than it may, which takes a clock.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a clock is all it needs");
    runtime.block_on(diffsync_core::Run::execute(job, ask(RunOptions::new(&D::Job::INFO).apply()), observers))
}

/// The diff of a run as a document.
pub(super) fn document(report: &RunReport) -> Value {
    let plan = report.plan().expect("the run came as far as its diff");
    serde_json::to_value(DiffTree::of(plan)).expect("the attributes of these models are plain values")
}

/// The counts of a run's diff, named as the peer names them.
pub(super) fn summary(report: &RunReport) -> Value {
    let total = report.summary().expect("the run came as far as its diff").total;
    let mut counts = Map::new();
    for (name, count) in [
        ("create", total.create),
        ("update", total.update),
        ("delete", total.delete),
        ("no-change", total.no_change),
        ("skip", total.rejected + total.left_out),
    ] {
        counts.insert(name.to_owned(), json!(count));
    }
    Value::Object(counts)
}

//! A job on two networks. The target is as strict as a database with foreign keys, does as the test tells it, and time
//! passes only where everything waits.

mod adapters;
mod jobs;
mod links;
mod result;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_core::__private::{KeyOf, LinkVisitor, ModelVisitor};
use diffsync_core::adapter::{AdapterError, Capabilities, CompleteContext, LoadContext, TargetError, WriteContext};
use diffsync_core::data::{HasTable, LinksIn};
use diffsync_core::job::{Variable, VariableKind};
use diffsync_core::model::{Operation, Operations};
use diffsync_core::plan::PlanView;
use diffsync_core::report::{Event, Observer, RunReport};
use diffsync_core::run::RunOptions;
use diffsync_core::schema::{LinkKind, LinkSchema};
use diffsync_core::{Adapter, Dataset, Job, ModelExt, Run, SyncModel, Table, Target};

use self::links::{dangling, remove_orphans};
use self::result::Watch;
pub(crate) use self::{
    adapters::{Bulk, Rack, Store},
    jobs::{InLab, SyncBatches, SyncBulk, SyncLargeBulk, SyncNets, apply, guarded, lab_jobs},
    result::RunResult,
};
use crate::fake_target::{locked, unguarded};
use crate::net::{Address, Device, Interface, Location, Net, Note, Tag, Tenant, each_model, name, net};

/// How the target answers a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    /// It does it.
    Do,
    /// It does it after so many seconds.
    Late(u64),
    /// It refuses the record.
    Fail,
    /// It asks to be left alone for a while.
    Busy,
    /// It asks to be left alone for so many seconds.
    BusyFor(u64),
    /// It is gone.
    Fatal,
    /// It does not know whether it did it.
    Unknown,
    /// The same, and it may be asked again.
    Lost,
    /// It has a bug.
    Panic,
    /// It never answers.
    Hang,
    /// It does it, and never answers.
    DoAndHang,
    /// It does it, and the answer is lost; it may be asked again.
    DoAndLose,
    /// It does it, and then has a bug.
    DoAndPanic,
    /// It does nothing, and returns another record of the model.
    Another,
    /// A unique value is taken, and it does not say by which record.
    Taken,
    /// A unique value is taken by this record of this model.
    TakenBy(&'static str, &'static str),
    /// Unique values are taken by two records of this model.
    TakenByBoth(&'static str, [&'static str; 2]),
}

/// What the target says of a tenant's code that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Tells {
    /// That it is taken.
    Nothing,
    /// The tenant that has it.
    #[default]
    Holder,
    /// The attribute.
    Field,
}

/// A call that was refused since a unique value is taken.
#[derive(Clone, Debug)]
struct Conflict {
    call: String,
    holder: Option<String>,
    /// How many records had been written.
    written_before: usize,
}

/// How the target treats a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Batches {
    /// Each record has an answer of its own.
    #[default]
    Each,
    /// All or none: what any of them gets, all of them get.
    Together,
    /// There is an answer missing.
    OneTooFew,
}

type Loading = Box<dyn Fn(&mut Net) + Send + Sync>;
type Cascading = Box<dyn Fn(&str) -> bool + Send + Sync>;
type Answering = Box<dyn Fn(&str, usize) -> Answer + Send + Sync>;

/// Both sides of a sync, and what is to happen to them.
pub(crate) struct Lab {
    source: Mutex<Net>,
    target: Mutex<Net>,
    source_then: Mutex<Option<Loading>>,
    target_then: Mutex<Option<Loading>>,
    answering: Mutex<Answering>,
    pub(crate) batches: Mutex<Batches>,
    /// Which records the target deletes with all that lives under them.
    cascades: Mutex<Option<Cascading>>,
    /// What the target was asked, in order, how often each, and with which changes.
    calls: Mutex<Vec<String>>,
    times: Mutex<HashMap<String, usize>>,
    changes: Mutex<Vec<String>>,
    batch_sizes: Mutex<Vec<usize>>,
    /// What it deleted by itself.
    cascaded: Mutex<Vec<String>>,
    /// Which devices were still to be deleted when a location was.
    planned_devices: Mutex<Vec<String>>,
    /// How often each record was written.
    written: Mutex<BTreeMap<String, usize>>,
    violations: Mutex<Vec<String>>,
    pub(crate) tells: Mutex<Tells>,
    conflicts: Mutex<Vec<Conflict>>,
    /// What was written, in order.
    written_in_order: Mutex<Vec<String>>,
    completed: AtomicUsize,
    /// Whether what was deleted must not be seen any more. Where a call was never answered that is not so.
    pub(crate) expects_gone: AtomicBool,
    pub(crate) slow_loading: Mutex<Duration>,
}

/// The lab as both adapters and the test hold it.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Lab>);

impl std::ops::Deref for Handle {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        &self.0
    }
}

impl Variable for Handle {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "a lab".into()
    }
}

/// A lab with these records, written as [`net`] reads them.
pub(crate) fn lab(source: &str, target: &str) -> Handle {
    lab_of(net(source), net(target))
}

pub(crate) fn lab_of(source: Net, target: Net) -> Handle {
    Handle(Arc::new(Lab {
        source: Mutex::new(source),
        target: Mutex::new(target),
        source_then: Mutex::default(),
        target_then: Mutex::default(),
        answering: Mutex::new(Box::new(|_, _| Answer::Do)),
        batches: Mutex::default(),
        cascades: Mutex::default(),
        calls: Mutex::default(),
        times: Mutex::default(),
        changes: Mutex::default(),
        batch_sizes: Mutex::default(),
        cascaded: Mutex::default(),
        planned_devices: Mutex::default(),
        written: Mutex::default(),
        violations: Mutex::default(),
        tells: Mutex::default(),
        conflicts: Mutex::default(),
        written_in_order: Mutex::default(),
        completed: AtomicUsize::new(0),
        expects_gone: AtomicBool::new(false),
        slow_loading: Mutex::default(),
    }))
}

impl Handle {
    /// The source's loader goes on with this.
    pub(crate) fn source_then(self, then: impl Fn(&mut Net) + Send + Sync + 'static) -> Self {
        *locked(&self.source_then) = Some(Box::new(then));
        self
    }

    /// The target's loader goes on with this.
    pub(crate) fn target_then(self, then: impl Fn(&mut Net) + Send + Sync + 'static) -> Self {
        *locked(&self.target_then) = Some(Box::new(then));
        self
    }

    /// The target answers like this; it is told the call, such as `create device d1`, and how often it was made before.
    pub(crate) fn answering(self, answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        *locked(&self.answering) = Box::new(answer);
        self
    }

    /// The target answers these calls like this, whenever they are made.
    pub(crate) fn failing(self, answers: &[(&str, Answer)]) -> Self {
        let answers: HashMap<String, Answer> = answers.iter().map(|(call, answer)| ((*call).into(), *answer)).collect();
        self.answering(move |call, _| answers.get(call).copied().unwrap_or(Answer::Do))
    }

    pub(crate) fn batching(self, batches: Batches) -> Self {
        *locked(&self.batches) = batches;
        self
    }

    /// The target deletes these records, such as `device d1`, with all that lives under them.
    pub(crate) fn cascading(self, cascades: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        *locked(&self.cascades) = Some(Box::new(cascades));
        self
    }

    /// What the target says of a tenant's code that is taken.
    pub(crate) fn telling(self, tells: Tells) -> Self {
        *locked(&self.tells) = tells;
        self
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        *locked(&self.answering) = Box::new(|_, _| Answer::Do);
    }

    pub(crate) fn set_source(&self, text: &str) {
        *locked(&self.source) = net(text);
    }

    pub(crate) fn forget_calls(&self) {
        locked(&self.calls).clear();
        locked(&self.changes).clear();
        locked(&self.written).clear();
        locked(&self.times).clear();
    }

    /// What the target was asked so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }

    /// The updates that the target was asked for so far, each with its change.
    pub(crate) fn changes(&self) -> Vec<String> {
        locked(&self.changes).clone()
    }

    pub(crate) fn batch_sizes(&self) -> Vec<usize> {
        locked(&self.batch_sizes).clone()
    }

    pub(crate) fn cascaded(&self) -> Vec<String> {
        locked(&self.cascaded).clone()
    }

    /// Which devices the run said to delete, each time that a location was deleted.
    pub(crate) fn planned_devices(&self) -> Vec<String> {
        locked(&self.planned_devices).clone()
    }

    /// How often `sync_complete` was called.
    pub(crate) fn completed(&self) -> usize {
        self.completed.load(Ordering::SeqCst)
    }

    /// How often each record was written, as `create device d1`.
    pub(crate) fn written(&self) -> BTreeMap<String, usize> {
        locked(&self.written).clone()
    }

    pub(crate) fn target(&self) -> Net {
        locked(&self.target).copy()
    }

    pub(crate) fn source(&self) -> Net {
        locked(&self.source).copy()
    }

    /// Runs a job, and expects that the target was asked nothing that breaks a foreign key or that the diff does not say,
    /// and that each record of both sides ended as exactly one thing, in the diff, the events and the report alike.
    pub(crate) fn run<J: InLab>(&self, options: RunOptions) -> RunResult {
        self.run_then::<J, _>(options, |run| run)
    }

    /// The same, with something that goes on beside the run.
    pub(crate) fn run_then<J: InLab, F>(
        &self,
        options: RunOptions,
        beside: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = RunReport> + Send>>) -> F,
    ) -> RunResult
    where
        F: Future<Output = RunReport>,
    {
        let union: BTreeSet<String> = self.source().names().into_iter().chain(self.target().names()).collect();
        let asked_before = self.calls().len();
        let cascaded_before = self.cascaded().len();
        locked(&self.conflicts).clear();
        let watch = Arc::new(Watch::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let begun = runtime.block_on(async { tokio::time::Instant::now() });
        let run = Run::execute(Arc::new(J::of(self.clone())), options, vec![watch.clone() as Arc<dyn Observer>]);
        let (report, took) = runtime.block_on(async {
            let report = beside(Box::pin(run)).await;
            (report, begun.elapsed())
        });
        let ended = RunResult { report, took, done: std::mem::take(&mut *locked(&watch.done)) };
        let ended_as = format!("{:?}\n{:#?}\n{:#?}", ended.report, ended.done, self.calls());
        assert_eq!(*locked(&self.violations), [""; 0], "{ended_as}");
        if let Some(summary) = ended.report.summary() {
            assert_eq!(summary.total.records(), union.len(), "in the diff, of {union:?} {ended_as}");
            assert_eq!(ended.report.counts.records(), union.len(), "in the report, of {union:?} {ended_as}");
        }
        if ended.report.steps.len() == 4 {
            ended.expect_sums(&ended_as);
            self.expect_what_collided_to_stay(&ended, &ended_as);
            for gone in &self.cascaded()[cascaded_before..] {
                let outcome = ended.outcome(&format!("delete {gone}"));
                assert!(matches!(outcome, Some("cascaded" | "unknown")), "{gone} went along: {ended_as}");
            }
            ended.expect_asked_as_planned(&self.calls()[asked_before..], &ended_as);
        }
        ended
    }

    /// What a record collided with that could not be written in the end was not deleted after that: where the target did
    /// not tell what it is, nothing of its model.
    fn expect_what_collided_to_stay(&self, ended: &RunResult, ended_as: &str) {
        let written = locked(&self.written_in_order).clone();
        // What the target said last of a call counts.
        let conflicts = locked(&self.conflicts).clone();
        let last: BTreeMap<_, _> = conflicts.iter().map(|conflict| (&conflict.call, conflict)).collect();
        for Conflict { call, holder, written_before } in last.into_values() {
            if call.starts_with("delete") || ended.outcome(call).is_none_or(|outcome| outcome != "failed") {
                continue;
            }
            let model = call.split(' ').nth(1).unwrap_or_default();
            // It was written all the same, and only its deferred references failed. A tenant has none, but may be emptied.
            if model != Tenant::NAME && written[*written_before..].contains(call) {
                continue;
            }
            let deleted = written[*written_before..].iter().find(|write| match holder {
                Some(holder) => **write == format!("delete {holder}"),
                None => write.starts_with(&format!("delete {model} ")),
            });
            assert_eq!(deleted, None, "after {call} had collided: {ended_as}");
        }
    }

    /// A call is refused since a unique value is taken.
    fn taken(&self, call: String, holder: Option<(&'static str, &str)>, error: TargetError) -> TargetError {
        let written_before = locked(&self.written_in_order).len();
        let holder = holder.map(|(model, id)| format!("{model} {id}"));
        locked(&self.conflicts).push(Conflict { call, holder, written_before });
        error
    }

    fn violation(&self, violation: String) {
        locked(&self.violations).push(violation);
    }

    async fn load(&self, side: &Mutex<Net>, then: &Mutex<Option<Loading>>, data: &mut Net) {
        let slow = *locked(&self.slow_loading);
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        *data = locked(side).copy();
        if let Some(then) = &*locked(then) {
            then(data);
        }
    }

    /// Takes note of a call, and says how it is to be answered.
    fn asked<M: SyncModel>(&self, operation: Operation, record: &M) -> Answer {
        let call = format!("{operation} {}", name(record));
        let times = {
            let mut times = locked(&self.times);
            let times = times.entry(call.clone()).or_default();
            *times += 1;
            *times - 1
        };
        let answer = locked(&self.answering)(&call, times);
        locked(&self.calls).push(call);
        answer
    }

    /// Answers, unless it is done.
    async fn answer(&self, answer: Answer, call: impl FnOnce() -> String) -> Result<(), TargetError> {
        tokio::task::yield_now().await;
        match answer {
            Answer::Do | Answer::DoAndHang | Answer::DoAndLose | Answer::DoAndPanic | Answer::Another => {}
            Answer::Late(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Answer::Fail => return Err(TargetError::new("it does not want to")),
            Answer::Busy => return Err(TargetError::transient("it is busy")),
            Answer::BusyFor(seconds) => {
                return Err(TargetError::transient("it is busy").retry_after(Duration::from_secs(seconds)));
            }
            Answer::Fatal => return Err(TargetError::fatal("it is gone")),
            // As a panic does, without the words on the terminal.
            Answer::Panic => std::panic::resume_unwind(Box::new("index out of bounds")),
            Answer::Unknown => return Err(TargetError::unknown("its answer was lost")),
            Answer::Lost => return Err(TargetError::transient("its answer was lost").outcome_unknown()),
            Answer::Hang => std::future::pending().await,
            Answer::Taken => return Err(self.taken(call(), None, TargetError::conflict("it is taken"))),
            Answer::TakenBy(model, id) => {
                let error = TargetError::conflict("it is taken").held_by(model, id);
                return Err(self.taken(call(), Some((model, id)), error));
            }
            Answer::TakenByBoth(model, [one, other]) => {
                let error = TargetError::conflict("both are taken").held_by(model, one).held_by(model, other);
                return Err(self.taken(call(), Some((model, one)), error));
            }
        }
        Ok(())
    }

    /// Changes what the target holds, unless a foreign key forbids it, or a unique value is taken.
    fn commit<M: SyncModel>(
        &self,
        operation: Operation,
        record: &M,
        change: impl FnOnce(&mut Net) -> bool,
    ) -> Result<(), TargetError> {
        let mut net = locked(&self.target);
        let former = if M::NAME == Tenant::NAME { net.copy() } else { Net::default() };
        let before = dangling(&net);
        let call = format!("{operation} {}", name(record));
        if !change(&mut net) {
            self.violation(format!("{call}: it is there already, or not at all"));
        }
        for broken in dangling(&net).difference(&before) {
            self.violation(format!("{call}: {broken}"));
        }
        if let Some(holder) = same_code(&net, &record.id().to_string()).filter(|_| M::NAME == Tenant::NAME) {
            *net = former;
            let taken = TargetError::conflict("the code is taken");
            return Err(match *locked(&self.tells) {
                Tells::Nothing => self.taken(call, None, taken),
                Tells::Holder => self.taken(call, Some((Tenant::NAME, &holder)), taken.held_by(Tenant::NAME, &holder)),
                Tells::Field => self.taken(call, None, taken.on_field("code")),
            });
        }
        locked(&self.written_in_order).push(call.clone());
        *locked(&self.written).entry(call).or_default() += 1;
        Ok(())
    }

    async fn create<M: SyncModel + Clone>(&self, new: &M) -> Result<M, TargetError>
    where
        Net: HasTable<M>,
    {
        let answer = self.asked(Operation::Create, new);
        self.answer(answer, || format!("create {}", name(new))).await?;
        self.commit(Operation::Create, new, |net| net.table_mut().insert_if_absent(new.clone()))?;
        done(answer, new.clone()).await
    }

    async fn update<M: SyncModel + Clone>(
        &self,
        old: &M,
        patch: &M::Patch,
        cx: &WriteContext<'_, Net>,
    ) -> Result<M, TargetError>
    where
        Net: HasTable<M>,
    {
        let answer = self.asked(Operation::Update, old);
        locked(&self.changes).push(format!("{} {}", name(old), serde_json::to_string(patch).unwrap()));
        self.answer(answer, || format!("update {}", name(old))).await?;
        let new = old.patched(patch);
        if answer == Answer::Another {
            let (net, id) = (self.target(), old.id());
            let table: &Table<M> = net.table();
            return Ok(table.iter().find(|record| record.id() != id).cloned().unwrap_or(new));
        }
        if cx.current::<M>(&old.id()).is_err() {
            self.violation(format!("update {}: it is not seen", name(old)));
        }
        self.commit(Operation::Update, old, |net| {
            net.table_mut().modify(&old.id(), |record| *record = new.clone()).is_some()
        })?;
        done(answer, new).await
    }

    async fn delete<M: SyncModel>(&self, old: &M, cx: &WriteContext<'_, Net>) -> Result<(), TargetError>
    where
        Net: HasTable<M>,
    {
        if M::NAME == Location::NAME && self.expects_gone.load(Ordering::SeqCst) {
            // The devices that are gone went before, whatever was written to them till then.
            let gone = |call: &String| call.strip_prefix("delete device ").map(str::to_owned);
            for device in self.written().keys().filter_map(gone) {
                if !self.target().devices.contains(&*device) && cx.current::<Device>(&*device).is_ok() {
                    self.violation(format!("delete {}: device {device} is still seen", name(old)));
                }
            }
        }
        if M::NAME == Location::NAME {
            let planned: Vec<_> = cx.planned_deletes::<Device>().map(|device| device.name.clone()).collect();
            locked(&self.planned_devices).push(planned.join(" "));
        }
        let answer = self.asked(Operation::Delete, old);
        self.answer(answer, || format!("delete {}", name(old))).await?;
        let cascades = locked(&self.cascades).as_ref().is_some_and(|cascades| cascades(&name(old)));
        self.commit(Operation::Delete, old, |net| {
            let there = net.table_mut().remove(&old.id()).is_some();
            if cascades {
                locked(&self.cascaded).extend(remove_orphans(net));
            }
            there
        })?;
        done(answer, ()).await
    }

    /// Whether a batch is refused as a whole.
    async fn together<M: SyncModel>(&self, operation: Operation, records: &[&M]) -> Result<bool, TargetError> {
        locked(&self.batch_sizes).push(records.len());
        let batches = *locked(&self.batches);
        if batches == Batches::Together {
            let each = records.iter().map(|record| format!("{operation} {}", name(*record)));
            let tried = locked(&self.batch_sizes).len() - 1;
            let bad = each.map(|call| locked(&self.answering)(&call, tried)).find(|answer| *answer != Answer::Do);
            if let Some(bad) = bad {
                // Of several it is not known which one collided; they are asked for in halves.
                let only = records.first().filter(|_| records.len() == 1);
                let first = only.map(|record| format!("{operation} {}", name(*record)));
                self.answer(bad, || first.unwrap_or_default()).await?;
            }
        }
        Ok(batches == Batches::OneTooFew)
    }
}

/// The tenant that has the same code as another one.
fn same_code(net: &Net, tenant: &str) -> Option<String> {
    let code = net.tenants.get(tenant)?.code.as_ref()?;
    let mut others = net.tenants.iter().filter(|other| other.name != tenant && other.code.as_ref() == Some(code));
    others.next().map(|other| other.name.clone())
}

/// The answer to what was done.
async fn done<R>(answer: Answer, result: R) -> Result<R, TargetError> {
    match answer {
        Answer::DoAndHang => std::future::pending().await,
        Answer::DoAndLose => Err(TargetError::transient("its answer was lost").outcome_unknown()),
        Answer::DoAndPanic => std::panic::resume_unwind(Box::new("index out of bounds")),
        _ => Ok(result),
    }
}

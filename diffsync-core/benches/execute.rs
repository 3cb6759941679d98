//! Planning and executing a million operations on a target in memory, beside what the target itself takes for them.
//!
//! `cargo bench -p diffsync-core --bench execute` prints the table of `docs/benchmarks.md`; `-- 100000` measures that
//! many operations only. Each figure is the best of several runs.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints a table")]

use std::future::Future;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError, JobSpec};
use diffsync_core::model::{Flags, Limit, Operation};
use diffsync_core::report::{Status, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Job, ModelExt, Run, SyncModel, Table, Target, job};

/// A port of a device.
#[derive(SyncModel, Clone)]
struct Port {
    #[sync(id)]
    number: u64,
    description: String,
    enabled: bool,
}

#[derive(Dataset, Default)]
struct Ports {
    ports: Table<Port>,
}

/// So many ports, if there are any, with this description.
struct System {
    records: usize,
    description: &'static str,
}

impl System {
    fn port(&self, number: usize) -> Port {
        Port {
            number: number as u64,
            description: format!("{} {number}", self.description),
            enabled: !number.is_multiple_of(5),
        }
    }
}

impl Adapter for System {
    type Data = Ports;

    async fn load(&self, data: &mut Ports, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.ports.extend((0..self.records).map(|number| self.port(number)));
        Ok(())
    }
}

/// What any target does with a record: it has one to give back.
fn stored(new: &Port) -> Port {
    black_box(new).clone()
}

fn changed(old: &Port, patch: &PortPatch) -> Port {
    black_box(old).patched(black_box(patch))
}

/// A target that takes records one by one, or so many with one call.
struct Store<const BATCH: usize>(System);

impl<const BATCH: usize> Adapter for Store<BATCH> {
    type Data = Ports;

    async fn load(&self, data: &mut Ports, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.0.load(data, cx).await
    }
}

impl<const BATCH: usize> Target<Port> for Store<BATCH> {
    const BATCH: usize = BATCH;

    async fn create(&self, new: &Port, _: &WriteContext<'_, Ports>) -> Result<Port, TargetError> {
        Ok(stored(new))
    }

    async fn update(&self, old: &Port, patch: &PortPatch, _: &WriteContext<'_, Ports>) -> Result<Port, TargetError> {
        Ok(changed(old, patch))
    }

    async fn delete(&self, old: &Port, _: &WriteContext<'_, Ports>) -> Result<(), TargetError> {
        black_box(old);
        Ok(())
    }

    async fn create_many(
        &self,
        new: &[&Port],
        _: &WriteContext<'_, Ports>,
    ) -> Result<Vec<Result<Port, TargetError>>, TargetError> {
        Ok(new.iter().map(|new| Ok(stored(new))).collect())
    }

    async fn update_many(
        &self,
        changes: &[(&Port, PortPatch)],
        _: &WriteContext<'_, Ports>,
    ) -> Result<Vec<Result<Port, TargetError>>, TargetError> {
        Ok(changes.iter().map(|(old, patch)| Ok(changed(old, patch))).collect())
    }

    async fn delete_many(
        &self,
        old: &[&Port],
        _: &WriteContext<'_, Ports>,
    ) -> Result<Vec<Result<(), TargetError>>, TargetError> {
        let deleted = |old: &&Port| {
            black_box(*old);
            Ok(())
        };
        Ok(old.iter().map(deleted).collect())
    }
}

/// What there is to do.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    Creates,
    Updates,
    Deletes,
    Nothing,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Creates => "creates",
            Self::Updates => "updates",
            Self::Deletes => "deletes",
            Self::Nothing => "nothing",
        }
    }

    fn of(name: &str) -> Self {
        let all = [Self::Creates, Self::Updates, Self::Deletes];
        all.into_iter().find(|work| work.name() == name).unwrap_or(Self::Nothing)
    }

    fn source(self, records: usize) -> System {
        let description = if self == Self::Updates { "new" } else { "old" };
        System { records: if self == Self::Deletes { 0 } else { records }, description }
    }

    fn target(self, records: usize) -> System {
        System { records: if self == Self::Creates { 0 } else { records }, description: "old" }
    }

    /// What the target itself takes for the work: every call, made by hand.
    fn by_hand(self, records: usize) -> Duration {
        let (source, target) = (self.source(records), self.target(records));
        let ports = |system: &System| (0..system.records).map(|number| system.port(number)).collect::<Vec<_>>();
        let (source, target) = (ports(&source), ports(&target));
        let begun = Instant::now();
        match self {
            Self::Creates => source.iter().for_each(|new| drop(black_box(ready(async { stored(new) })))),
            Self::Updates => source.iter().zip(&target).for_each(|(new, old)| {
                let patch = PortPatch { description: Some(new.description.clone()), ..PortPatch::default() };
                drop(black_box(ready(async { changed(old, &patch) })));
            }),
            Self::Deletes | Self::Nothing => {
                for old in &target {
                    black_box(old);
                }
            }
        }
        begun.elapsed()
    }
}

/// What a future that waits for nothing gives.
fn ready<R>(future: impl Future<Output = R>) -> Option<R> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

macro_rules! jobs {
    ($($job:ident, $batch:literal;)*) => {$(
        #[job(source = System, target = Store<$batch>, dryrun_default = false)]
        struct $job {
            work: String,
            records: usize,
        }

        impl Job for $job {
            async fn source_adapter(&self, _: &JobContext) -> Result<System, JobError> {
                Ok(Work::of(&self.work).source(self.records))
            }

            async fn target_adapter(&self, _: &JobContext) -> Result<Store<$batch>, JobError> {
                Ok(Store(Work::of(&self.work).target(self.records)))
            }
        }

        impl $job {
            fn took(work: Work, records: usize, options: &RunOptions) -> [Duration; 2] {
                steps(|| Self { work: work.name().into(), records }, options)
            }
        }
    )*};
}
jobs! {
    OneByOne, 1;
    InBatches, 1000;
}

fn options() -> RunOptions {
    RunOptions::new(&OneByOne::INFO).allow("port", Operation::Delete, Limit::Count(usize::MAX))
}

/// How long the diff and the execution took, each the best of several runs.
fn steps<J: Job>(job: impl Fn() -> J, options: &RunOptions) -> [Duration; 2] {
    let mut best = [Duration::MAX; 2];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let Ok(runtime) = runtime else { return best };
    for _ in 0..5 {
        let report = runtime.block_on(Run::execute(Arc::new(job()), options.clone(), Vec::new()));
        assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
        let of =
            |wanted| report.steps.iter().find(|step| step.step == wanted).map_or(Duration::MAX, |step| step.duration);
        best = [best[0].min(of(Step::CalculateDiff)), best[1].min(of(Step::ExecuteSync))];
    }
    best
}

#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for records in if asked.is_empty() { vec![1_000_000] } else { asked } {
        let each = |duration: Duration| format!("{:.0}", duration.as_nanos() as f64 / records as f64);
        println!("nanoseconds an operation, of {records}\n");
        println!("| operations | written | calculate diff | execute | the target itself |");
        println!("| --- | --- | ---: | ---: | ---: |");
        let mut at_once = options();
        at_once.concurrency = NonZeroUsize::new(16);
        for work in [Work::Creates, Work::Updates, Work::Deletes] {
            let by_hand = (0..5).map(|_| work.by_hand(records)).min().unwrap_or_default();
            for (how, [diff, execute]) in [
                ("one by one", OneByOne::took(work, records, &options())),
                ("16 at a time", OneByOne::took(work, records, &at_once)),
                ("1000 a call", InBatches::took(work, records, &options())),
                ("1000 a call, 16 at a time", InBatches::took(work, records, &at_once)),
            ] {
                let times = [diff, execute, by_hand].map(each);
                println!("| {} | {how} | {} |", work.name(), times.join(" | "));
            }
        }
        println!("\n| no changes | calculate diff | execute |\n| --- | ---: | ---: |");
        let mut flagged = options();
        flagged.flags = Flags::SKIP_UNMATCHED_DST;
        for (how, options) in [("no flags", options()), ("flags", flagged)] {
            let times = OneByOne::took(Work::Nothing, records, &options).map(each);
            println!("| {how} | {} |", times.join(" | "));
        }
    }
}

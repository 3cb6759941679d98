//! What holds for any two networks, whatever flags are set, whatever is left out or held back, and whatever fails.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use diffsync_core::model::{Flags, Limit, OnGuard, Operation};
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::{ModelExt, SyncModel};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::draw::{Draw, flags, network};
use crate::fake_network::{Answer, Batches, Handle, RunResult, SyncBatches, SyncBulk, SyncNets, Tells, apply, lab_of};
use crate::net::{Net, each_model, name};

/// The flags of each table and of some records, which may not be there.
#[derive(Clone, Debug, Default)]
struct Flagged {
    tables: HashMap<&'static str, Flags>,
    records: HashMap<String, Flags>,
}

macro_rules! flagging {
    ($($model:ident $table:ident),*) => {
        impl Flagged {
            fn draw(draw: &mut Draw, net: &Net) -> Self {
                let mut flagged = Self::default();
                $(
                    flagged.tables.insert(crate::net::$model::NAME, flags(draw, 4));
                    for record in &net.$table {
                        flagged.records.insert(name(record), flags(draw, 6));
                    }
                )*
                flagged
            }

            fn set(&self, net: &mut Net) {
                $(
                    net.$table.set_flags(self.tables[crate::net::$model::NAME]);
                    let ids: Vec<_> = net.$table.iter().map(|record| (name(record), record.id())).collect();
                    for (name, id) in ids {
                        net.$table.flag(id, self.records.get(&name).copied().unwrap_or_default());
                    }
                )*
            }
        }
    };
}
each_model!(flagging);

/// How the target answers: the same call alike each time it is made the same number of times.
pub(crate) fn answers(seed: u64, percent: u64) -> impl Fn(&str, usize) -> Answer + Send + Sync + 'static {
    move |call, times| {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((seed, call, times));
        if hash % 100 >= percent {
            return Answer::Do;
        }
        match hash / 100 % 18 {
            0..5 => Answer::Fail,
            5..9 => Answer::Busy,
            9 => Answer::BusyFor(30),
            10 => Answer::Panic,
            11 => Answer::Hang,
            12 => Answer::DoAndHang,
            13 => Answer::Fatal,
            14 | 15 => Answer::Taken,
            _ => Answer::Late(3),
        }
    }
}

/// Which of the jobs that differ in nothing but how many records they write with one call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    OneByOne,
    Batches,
    Bulk,
}

impl Which {
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        [Self::OneByOne, Self::Batches, Self::Bulk][draw.below(3)]
    }

    pub(crate) fn run(self, lab: &Handle, options: RunOptions) -> RunResult {
        match self {
            Self::OneByOne => lab.run::<SyncNets>(options),
            Self::Batches => lab.run::<SyncBatches>(options),
            Self::Bulk => lab.run::<SyncBulk>(options),
        }
    }
}

/// Options of a run of which much is left out or held back.
fn options(draw: &mut Draw) -> RunOptions {
    let mut options = apply();
    options.flags = flags(draw, 15);
    options.concurrency = NonZeroUsize::new(draw.below(7));
    options.retry.times = draw.below(3);
    let models = ["tenant", "tag", "location", "device", "interface", "address", "note"];
    if draw.happens(15) {
        options.filter.operations = vec![Operation::ALL[draw.below(3)], Operation::ALL[draw.below(3)]];
    }
    if draw.happens(20) {
        let chosen = models.into_iter().filter(|_| draw.happens(50));
        options.filter.records = chosen.map(|model| model.parse().unwrap()).collect();
        options.filter.records.push("device=d1".parse().unwrap());
    }
    if draw.happens(25) {
        options.on_guard = OnGuard::Hold;
        for model in models {
            for operation in Operation::ALL {
                if draw.happens(20) {
                    options = options.allow(model, operation, Limit::Count(draw.below(2)));
                }
            }
        }
    }
    options
}

/// No failure is left, and nothing was left undone by it.
fn expect_undisturbed(ended: &RunResult) {
    let counts = ended.report.counts;
    assert_eq!(counts.failed + counts.unknown + counts.not_attempted, 0, "{counts:?}");
}

/// No record was created or deleted more than once.
pub(crate) fn expect_once(lab: &Handle) {
    for (call, times) in lab.written() {
        // References are set by an update of their own, and a unique value may be emptied, set, and given back.
        let most = if call.starts_with("update tenant") { 3 } else { 2 };
        assert!(times == 1 || call.starts_with("update") && times <= most, "{call} {times} times: {:#?}", lab.calls());
    }
}

fn check(mut draw: Draw) {
    let sound = draw.happens(70);
    let source = network(&mut draw, sound);
    let target = network(&mut draw, true);
    let flagged = if draw.happens(60) {
        [Flagged::draw(&mut draw, &source), Flagged::draw(&mut draw, &target)]
    } else {
        let none = || Flagged { tables: each_table(), records: HashMap::new() };
        [none(), none()]
    };
    let lab = lab_of(source, target)
        .batching([Batches::Each, Batches::Together, Batches::OneTooFew][draw.below(3)])
        .telling([Tells::Nothing, Tells::Holder, Tells::Field][draw.below(3)]);
    let mut options = options(&mut draw);
    let which = Which::draw(&mut draw);

    let cascades = options.flags;
    let flags_of = Arc::new(flagged.clone());
    let cascading = move |record: &str| {
        let model = record.split(' ').next().unwrap_or_default();
        let each = flags_of
            .iter()
            .map(|flagged| flagged.tables[model] | flagged.records.get(record).copied().unwrap_or_default());
        each.fold(cascades, |all, its| all | its).contains(Flags::SKIP_CHILDREN_ON_DELETE)
    };
    let [of_source, of_target] = flagged;
    let lab =
        lab.cascading(cascading).source_then(move |net| of_source.set(net)).target_then(move |net| of_target.set(net));

    // The lab sees to it that foreign keys hold, that nothing is asked that the diff does not say, and that all adds up.
    if draw.happens(70) {
        let lab = lab.clone().answering(answers(draw.below(10_000) as u64, 20));
        let mut options = options.clone();
        if draw.happens(20) {
            options.max_failures = Some(1 + draw.below(3));
        }
        if draw.happens(20) {
            options.time_limit = Some(Duration::from_secs(1 + draw.below(400) as u64));
        }
        let ended = which.run(&lab, options);
        if ended.report.counts.not_attempted > 0 {
            assert_eq!(ended.report.status, Status::Failed);
        }
        expect_once(&lab);
        lab.mend();
    }
    let lab = lab.batching(Batches::Each);
    // What is left out or held back stays so, the rest is done, and then there is nothing more to do.
    // A guard may act on a table no longer once it is empty, so that takes some runs.
    let mut rounds = 0;
    loop {
        let (before, calls) = (lab.target().shown(), lab.calls().len());
        let ended = which.run(&lab, options.clone());
        expect_undisturbed(&ended);
        if lab.calls().len() == calls {
            assert_eq!((ended.report.counts.written(), lab.target().shown()), (0, before));
            break;
        }
        rounds += 1;
        assert!(rounds < 5, "{:#?}, which left {:#?}", lab.calls(), ended.undone());
    }

    // With no flags and no filter the two sides are alike in the end, if the source can be used.
    let all = lab.source_then(|_| ()).target_then(|_| ()).cascading(|_| false);
    options = apply();
    let ended = which.run(&all, options.clone());
    expect_undisturbed(&ended);
    if sound {
        assert_eq!(ended.report.status, Status::Completed);
        let again = which.run(&all, options);
        assert_eq!(again.report.counts.unchanged, again.report.counts.records());
        let names = |net: Net| net.names().into_iter().collect::<HashSet<_>>();
        assert_eq!(names(all.target()), names(all.source()));
    }
}

fn each_table() -> HashMap<&'static str, Flags> {
    ["tenant", "tag", "location", "device", "interface", "address", "note"].map(|model| (model, Flags::empty())).into()
}

proptest! {
    #[test]
    fn whatever_is_left_out_or_fails_all_adds_up_and_repeating_ends(numbers in vec(any::<u16>(), 0..900)) {
        check(Draw::new(numbers));
    }
}

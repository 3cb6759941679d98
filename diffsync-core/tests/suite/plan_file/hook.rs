//! What a job's own `calculate_diff` makes of a run: it can leave out more, and never less.

use diffsync_core::apply::LoadedSides;
use diffsync_core::job::JobError;
use diffsync_core::model::Operation;
use diffsync_core::plan_file::{DriftPolicy, Filter};
use diffsync_core::report::Status;
use diffsync_core::run::RunOptions;
use diffsync_core::{Job, Plan};

use crate::fake_target::{Rig, Shared, apply, ended, job_with, locked, run_job};
use crate::plan_file::{apply_plan, plan};
use crate::world::{Records, World, records};

/// A job with a `calculate_diff` of its own.
macro_rules! job_that_compares {
    ($name:ident, |$rig:ident, $loaded:ident| $plan:expr) => {
        job_with!($name {
            async fn calculate_diff(&self, $loaded: LoadedSides<World>) -> Result<Plan<World>, JobError> {
                let $rig = &self.rig;
                Ok($plan)
            }
        });
    };
}

fn sides() -> (Records, Records) {
    (records(&["europe", "europe/france", "asia"]), records(&["europe", "europe/gone", "africa"]))
}

fn only_countries() -> Filter {
    Filter { records: vec!["country".parse().unwrap()], ..Filter::default() }
}

job_that_compares!(OnlyCreates, |_rig, loaded| {
    loaded.only(Filter { operations: vec![Operation::Create], ..Filter::default() }).compare()
});

job_that_compares!(OfItsOwn, |rig, _loaded| Plan::new(rig.source.world(), locked(&rig.target).world()));

// The same records, taken out of the run's own plan, and compared without its filter.
job_that_compares!(OfTheSameRecords, |_rig, loaded| {
    let (source, target) = loaded.compare().into_sides();
    LoadedSides::new(source, target).compare()
});

#[test]
fn what_a_hook_leaves_out_is_left_out_on_top_of_what_the_run_leaves_out() {
    let run = |options: RunOptions| {
        let rig = Rig::new(sides().0, sides().1).into_shared();
        (run_job(OnlyCreates { rig: rig.clone() }, options, Vec::new()), rig)
    };
    let (report, rig) = run(apply());
    assert_eq!((rig.calls().len(), report.counts.left_out), (2, 2));
    let mut options = apply();
    options.filter = only_countries();
    let (report, rig) = run(options);
    assert_eq!(rig.calls(), ["create country france"]);
    assert_eq!((report.status, ended(&report).as_str()), (Status::Completed, "1 created, 1 unchanged, 3 left_out"));

    // What a saved plan holds and the hook leaves out is told of.
    let (source, target) = sides();
    let options = apply_plan(apply(), &plan(&source, &target), DriftPolicy::Skip);
    let (report, rig) = run(options);
    assert_eq!((rig.calls().len(), report.drift.len(), report.counts.left_out), (2, 2, 2));
}

/// Expects a run to be ended, with nothing written, because of the plan that the hook returned.
#[track_caller]
fn check_foreign<J: Job>(of: impl Fn(Shared) -> J) {
    let (source, target) = sides();
    let text = plan(&source, &target);
    for options in [apply(), apply_plan(apply(), &text, DriftPolicy::Refuse)] {
        let rig = Rig::new(source.clone(), target.clone()).into_shared();
        let report = run_job(of(rig.clone()), options, Vec::new());
        let expected = "`calculate_diff` returned a plan of other data than it was given; return `loaded.compare()`";
        assert_eq!((report.status, report.error_text().unwrap().as_str()), (Status::Failed, expected));
        assert_eq!(rig.calls(), [""; 0]);
    }
}

#[test]
fn a_plan_that_does_not_come_of_the_run_is_not_carried_out() {
    check_foreign(|rig| OfItsOwn { rig });
    check_foreign(|rig| OfTheSameRecords { rig });
}

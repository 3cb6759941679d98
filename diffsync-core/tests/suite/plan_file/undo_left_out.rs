//! A run that takes another back hears its own flags and filter, and needs no source.

use std::time::Duration;

use diffsync_core::job::{JobContext, JobError};
use diffsync_core::model::{Flags, Operation};
use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::{RunReport, Status, Step};
use diffsync_core::run::RunOptions;
use diffsync_core::{Job, ModelExt, job};

use crate::fake_target::{Memory, Rig, Shared, SyncWorlds, apply, ended, run_job};
use crate::plan_file::{apply_plan, drift, inverse, undoable};
use crate::world::{Records, World, country, place, records, region};

/// What takes back a run, and the target as the run left it.
fn done(source: &Records, target: &Records) -> (String, Records) {
    let (report, rig) = Rig::new(source.clone(), target.clone()).run(undoable());
    assert_eq!(report.status, Status::Completed);
    (inverse::<SyncWorlds>(&report, &undoable()), rig.target_records())
}

/// A run that creates asia with japan and tokyo, deletes africa, and changes a country.
fn sides() -> (Records, Records) {
    let mut source = records(&["europe", "europe/france", "asia", "asia/japan", "asia/japan/tokyo"]);
    source.countries[0].population = Some(68);
    (source, records(&["europe", "europe/france", "africa"]))
}

/// Takes the run back, and expects these calls, no drift, and the rest left out.
#[track_caller]
fn check(options: RunOptions, flag: impl Fn(&mut World) + Send + Sync + 'static, calls: &[&str], counts: &str) {
    let (source, target) = sides();
    let (text, left) = done(&source, &target);
    let (report, rig) =
        Rig::new(Records::default(), left).target_then(flag).run(apply_plan(options, &text, DriftPolicy::Refuse));
    assert_eq!((drift(&report), rig.calls(), ended(&report).as_str()), (vec![], strings(calls), counts));
    assert_eq!(report.status, Status::Completed);
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn with_flags(flags: Flags) -> RunOptions {
    let mut options = apply();
    options.flags = flags;
    options
}

fn only(records: &[&str], operations: &[Operation]) -> RunOptions {
    let mut options = apply();
    options.filter.records = records.iter().map(|filter| filter.parse().unwrap()).collect();
    options.filter.operations = operations.to_vec();
    options
}

const CITY: &str = "delete city japan__tokyo";
const COUNTRY: &str = "delete country japan";
const REGION: &str = "delete region asia";
const AGAIN: &str = "create region africa";
const BACK: &str = "update country france";

#[test]
fn without_flags_and_filters_everything_is_taken_back() {
    let counts = "1 created, 1 updated, 3 deleted, 1 unchanged";
    check(apply(), |_| {}, &[AGAIN, BACK, CITY, COUNTRY, REGION], counts);
}

#[test]
fn the_filter_of_a_run_that_takes_back_is_heard() {
    check(only(&["city"], &[]), |_| {}, &[CITY], "1 deleted, 1 unchanged, 4 left_out");
    check(
        only(&["country=f*", "region=af*"], &[]),
        |_| {},
        &[AGAIN, BACK],
        "1 created, 1 updated, 1 unchanged, 3 left_out",
    );
    check(only(&[], &[Operation::Create]), |_| {}, &[AGAIN], "1 created, 1 unchanged, 4 left_out");
}

#[test]
fn the_flags_of_a_run_that_takes_back_are_heard() {
    check(with_flags(Flags::IGNORE), |_| {}, &[], "1 unchanged, 5 left_out");
    let counts = "1 created, 1 updated, 1 unchanged, 3 left_out";
    check(with_flags(Flags::SKIP_UNMATCHED_DST), |_| {}, &[AGAIN, BACK], counts);
    let counts = "1 updated, 3 deleted, 1 unchanged, 1 left_out";
    check(with_flags(Flags::SKIP_UNMATCHED_SRC), |_| {}, &[BACK, CITY, COUNTRY, REGION], counts);
}

#[test]
fn the_flags_of_tables_and_records_are_heard_with_what_lives_under_them() {
    let asia = |flags| move |world: &mut World| world.regions.flag(region("asia").id(), flags);
    let counts = "1 created, 1 updated, 1 unchanged, 3 left_out";
    check(apply(), asia(Flags::SKIP_UNMATCHED_DST), &[AGAIN, BACK], counts);
    check(apply(), asia(Flags::IGNORE), &[AGAIN, BACK], counts);
    let counts = "1 created, 3 deleted, 1 unchanged, 1 left_out";
    let europe = |world: &mut World| world.regions.flag(region("europe").id(), Flags::IGNORE);
    check(apply(), europe, &[AGAIN, CITY, COUNTRY, REGION], counts);
    let africa = |world: &mut World| world.regions.flag(region("africa").id(), Flags::IGNORE);
    check(apply(), africa, &[BACK, CITY, COUNTRY, REGION], "1 updated, 3 deleted, 1 unchanged, 1 left_out");
    // What lives under a country that is ignored stays with it, and keeps the region.
    let (source, target) = sides();
    let (text, left) = done(&source, &target);
    let rig = Rig::new(Records::default(), left)
        .target_then(|world| world.countries.flag(country("japan", "asia").id(), Flags::IGNORE));
    let (report, rig) = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((rig.calls(), report.counts.left_out, report.counts.blocked), (strings(&[AGAIN, BACK]), 2, 1));
}

#[test]
fn what_needs_a_record_that_is_left_out_is_left_out_too() {
    let mut target = records(&["europe", ":house", "house:floor", "floor:room", "house:hall"]);
    target.places[3].kind = "room".into();
    let (text, left) = done(&records(&["europe"]), &target);
    let run = |filter: &[&str]| {
        let rig = Rig::new(Records::default(), left.clone());
        let (report, rig) = rig.run(apply_plan(only(filter, &[]), &text, DriftPolicy::Refuse));
        (rig.calls(), ended(&report))
    };
    let all_but_the_floor = run(&["place=house", "place=room", "place=hall"]);
    let calls = strings(&["create place house", "create place hall"]);
    assert_eq!(all_but_the_floor, (calls, "2 created, 1 unchanged, 2 left_out".to_owned()));
    assert_eq!(run(&["place=r*", "place=f*"]), (vec![], "1 unchanged, 4 left_out".to_owned()));
}

#[test]
fn a_deep_tree_without_its_root_is_told_of_as_a_whole() {
    let mut lines: Vec<String> = (0..3000).map(|at| format!("p{at}:p{}", at + 1)).collect();
    lines.insert(0, ":p0".into());
    lines.push("europe".into());
    // Children stand before what they are within.
    lines.reverse();
    let target = records(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let (text, left) = done(&records(&["europe"]), &target);
    let rig = Rig::new(Records::default(), left)
        .target_then(|world| world.places.reject(place("p0", None).id(), "it is broken"));
    let (report, rig) = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.drift.len(), rig.calls().len()), (Status::Refused, 3001, 0));
}

#[test]
fn the_flags_and_the_filter_of_the_run_that_is_taken_back_are_not_those_of_taking_it_back() {
    let (source, target) = sides();
    let mut options = undoable();
    options.flags = Flags::SKIP_UNMATCHED_DST;
    options.filter.operations.push(Operation::Create);
    let (report, rig) = Rig::new(source, target.clone()).run(options.clone());
    assert_eq!(report.counts.written(), 3);
    let text = inverse::<SyncWorlds>(&report, &options);
    let (report, rig) =
        Rig::new(Records::default(), rig.target_records()).run(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.counts.deleted), (Status::Completed, 3));
    assert_eq!(rig.target_records(), target);
}

#[test]
fn what_is_left_out_does_not_make_the_rest_done() {
    let (source, target) = sides();
    let (text, mut left) = done(&source, &target);
    left.cities.clear();
    let rig = Rig::new(Records::default(), left);
    let (report, _) = rig.run(apply_plan(only(&["city", "place"], &[]), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, ended(&report).as_str()), (Status::Completed, "1 unchanged, 4 left_out"));
}

/// How making the source's adapter goes.
#[derive(Clone, Copy)]
enum Making {
    Fails,
    Panics,
    Hangs,
}

/// A job whose source cannot be loaded.
#[job(source = Gone, target = Memory, dryrun_default = false)]
struct WithoutSource {
    rig: Shared,
    making: MakingIt,
}

/// As a variable of the job it is set by the test itself.
#[derive(Clone)]
struct MakingIt(Option<Making>);

impl diffsync_core::job::Variable for MakingIt {
    const KIND: diffsync_core::job::VariableKind = diffsync_core::job::VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "how making it goes".into()
    }
}

struct Gone;

impl diffsync_core::Adapter for Gone {
    type Data = World;

    async fn load(
        &self,
        _: &mut World,
        _: &diffsync_core::adapter::LoadContext<'_>,
    ) -> Result<(), diffsync_core::adapter::AdapterError> {
        Err(diffsync_core::adapter::AdapterError::new("nobody answers"))
    }
}

impl Job for WithoutSource {
    async fn source_adapter(&self, _: &JobContext) -> Result<Gone, JobError> {
        match self.making.0 {
            None => Ok(Gone),
            Some(Making::Fails) => Err(JobError::new("the password is not known")),
            Some(Making::Panics) => panic!("index out of bounds"),
            Some(Making::Hangs) => std::future::pending().await,
        }
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Memory, JobError> {
        Ok(Memory(self.rig.clone()))
    }
}

/// Takes a run back with a source that is gone.
fn undone_without_source(making: Option<Making>) -> (RunReport, Shared) {
    let (source, target) = sides();
    let (text, left) = done(&source, &target);
    let rig = Rig::new(Records::default(), left).into_shared();
    let mut options = apply_plan(apply(), &text, DriftPolicy::Refuse);
    options.time_limit = Some(Duration::from_millis(200));
    (run_job(WithoutSource { rig: rig.clone(), making: MakingIt(making) }, options, Vec::new()), rig)
}

#[test]
fn a_run_is_taken_back_though_its_source_is_gone() {
    let (report, _) = undone_without_source(None);
    assert_eq!((report.status, report.counts.written()), (Status::Completed, 5), "{report:?}");
    let steps: Vec<Step> = report.steps.iter().map(|report| report.step).collect();
    assert_eq!(steps, Step::ALL);
}

#[test]
fn a_source_adapter_that_cannot_be_made_ends_the_run_before_the_target_is_loaded() {
    for (making, said) in [
        (Making::Fails, "the source could not be loaded: the password is not known"),
        (Making::Panics, "the source could not be loaded: the loader panicked: index out of bounds"),
        (Making::Hangs, "the run did not end within 200ms; operations not begun by then were not attempted"),
    ] {
        let (report, rig) = undone_without_source(Some(making));
        assert_eq!((report.status, report.error_text().as_deref()), (Status::Failed, Some(said)));
        assert_eq!((rig.calls().len(), report.steps.len()), (0, 1));
    }
}

//! Saved plans of models of unusual shape: identifiers of several kinds, numbers that must not change, many attributes, and
//! a target that spells what it is given in its own way.

use std::slice::from_ref;
use std::sync::{Arc, Mutex};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobSpec, Variable, VariableKind};
use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target, job};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fake_target::{locked, unguarded};
use crate::plan_file::{apply_plan, drift, inverse, key, saved};

/// A thing that is identified by any JSON value, and by two of them.
#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Thing {
    #[sync(id)]
    id: Value,
    #[sync(id)]
    part: Option<u8>,
    weight: f64,
    #[sync(compare = ignore_case)]
    mac: String,
    /// Not compared by the job.
    note: Option<String>,
}

macro_rules! wide {
    ($($field:ident)*) => {
        /// A record of 70 attributes.
        #[derive(SyncModel, Clone, Debug, Default, PartialEq)]
        struct Wide {
            #[sync(id)]
            id: u64,
            $($field: u16,)*
        }
    };
}
wide! {
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7 d8 d9
    e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 g0 g1 g2 g3 g4 g5 g6 g7 g8 g9
}

#[derive(Dataset, Default)]
struct Store {
    things: Table<Thing>,
    wide: Table<Wide>,
}

/// The records of one side.
#[derive(Clone, Default)]
struct Side(Arc<Mutex<(Vec<Thing>, Vec<Wide>)>>);

fn side(things: &[Thing], wide: &[Wide]) -> Side {
    Side(Arc::new(Mutex::new((things.to_vec(), wide.to_vec()))))
}

impl Variable for Side {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> Value {
        "a side".into()
    }
}

impl Adapter for Side {
    type Data = Store;

    async fn load(&self, data: &mut Store, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        let (things, wide) = locked(&self.0).clone();
        data.things.extend(things);
        data.wide.extend(wide);
        Ok(())
    }
}

trait Stored: SyncModel + Clone {
    fn rows(store: &mut (Vec<Thing>, Vec<Wide>)) -> &mut Vec<Self>;

    /// As the target spells it, which is not how it answers.
    fn spelt(self) -> Self {
        self
    }
}

impl Stored for Thing {
    fn rows(store: &mut (Vec<Thing>, Vec<Wide>)) -> &mut Vec<Self> {
        &mut store.0
    }

    fn spelt(self) -> Self {
        Self { mac: self.mac.to_uppercase(), note: None, ..self }
    }
}

impl Stored for Wide {
    fn rows(store: &mut (Vec<Thing>, Vec<Wide>)) -> &mut Vec<Self> {
        &mut store.1
    }
}

macro_rules! targets {
    ($($model:ty)*) => {$(
        impl Target<$model> for Side {
            async fn create(&self, new: &$model, _: &WriteContext<'_, Store>) -> Result<$model, TargetError> {
                <$model>::rows(&mut locked(&self.0)).push(new.clone().spelt());
                Ok(new.clone())
            }

            async fn update(
                &self,
                old: &$model,
                patch: &<$model as SyncModel>::Patch,
                _: &WriteContext<'_, Store>,
            ) -> Result<$model, TargetError> {
                let new = old.patched(patch);
                for row in <$model>::rows(&mut locked(&self.0)).iter_mut().filter(|row| row.id() == old.id()) {
                    *row = new.clone().spelt();
                }
                Ok(new)
            }

            async fn delete(&self, old: &$model, _: &WriteContext<'_, Store>) -> Result<(), TargetError> {
                <$model>::rows(&mut locked(&self.0)).retain(|row| row.id() != old.id());
                Ok(())
            }
        }
    )*};
}
targets!(Thing Wide);

#[job(source = Side, target = Side, dryrun_default = false, ignore(thing.note))]
struct Copying {
    source: Side,
    target: Side,
}

opens!(Copying: Side = |job| job.source.clone(), Side = |job| job.target.clone());

fn apply() -> RunOptions {
    unguarded::<Store>(RunOptions::new(&Copying::INFO))
}

fn run(source: &Side, target: &Side, options: RunOptions) -> RunReport {
    crate::fake_target::run_job(Copying { source: source.clone(), target: target.clone() }, options, Vec::new())
}

fn plan(source: &Side, target: &Side) -> String {
    let mut options = apply();
    options.dry_run = true;
    saved::<Copying>(&run(source, target, options.clone()), &options)
}

/// Makes a plan, carries it out, expects it to be done then, and gives what takes it back.
fn carried_out(source: &Side, target: &Side) -> String {
    let text = plan(source, target);
    let mut options = apply_plan(apply(), &text, DriftPolicy::Refuse);
    options.undo = Some(key());
    let report = run(source, target, options.clone());
    assert_eq!((report.status, drift(&report)), (Status::Completed, vec![]), "{text}");
    let again = run(source, target, options.clone());
    assert_eq!(again.error_text().as_deref(), Some("everything in the plan is done already"), "{:?}", drift(&again));
    inverse::<Copying>(&report, &options)
}

fn thing(id: Value) -> Thing {
    Thing { id, part: None, weight: 0.1, mac: "ab".into(), note: Some("from the source".into()) }
}

#[test]
fn a_number_is_not_its_text() {
    let (number, text) = (thing(json!(1)), thing(json!("1")));
    let (source, target) = (side(from_ref(&number), &[]), side(from_ref(&text), &[]));
    let file = plan(&source, &target);
    assert!(file.contains(r#"{"op":"create","model":"thing","id":{"id":1,"part":null}"#), "{file}");
    assert!(file.contains(r#"{"op":"delete","model":"thing","id":{"id":"1","part":null}"#), "{file}");
    carried_out(&source, &target);
    let things = locked(&target.0).0.clone();
    assert_eq!(things.iter().map(|thing| &thing.id).collect::<Vec<_>>(), [&json!(1)]);
    // Where the text is what the source holds by now, the plan is about other records.
    let report = run(&side(&[text], &[]), &side(&[number], &[]), apply_plan(apply(), &file, DriftPolicy::Refuse));
    assert_eq!((report.status, report.drift.len(), report.already_done), (Status::Refused, 0, 2));
}

#[test]
fn a_target_that_spells_otherwise_has_done_what_it_was_asked() {
    let (source, target) = (side(&[thing(json!("x"))], &[]), side(&[], &[]));
    carried_out(&source, &target);
    assert_eq!(locked(&target.0).0[0].mac, "AB");
    let changed = side(&[Thing { weight: 0.2, mac: "cd".into(), ..thing(json!("x")) }], &[]);
    carried_out(&changed, &target);
    assert_eq!(locked(&target.0).0[0].mac, "CD");
}

#[test]
fn seventy_attributes_are_planned_changed_and_taken_back() {
    let old = Wide { id: 7, a0: 1, f4: 1, g9: 1, ..Wide::default() };
    let new = Wide { a0: 2, f3: 2, f4: 2, g9: 2, ..old.clone() };
    let (source, target) = (side(&[], from_ref(&new)), side(&[], from_ref(&old)));
    let text = plan(&source, &target);
    assert!(text.contains(r#""before":{"a0":1,"f3":0,"f4":1,"g9":1},"after":{"a0":2,"f3":2,"f4":2,"g9":2}"#), "{text}");
    let undo = carried_out(&source, &target);
    assert_eq!(locked(&target.0).1, [new]);
    let report = run(&side(&[], &[]), &target, apply_plan(apply(), &undo, DriftPolicy::Refuse));
    assert_eq!((report.status, &locked(&target.0).1[..]), (Status::Completed, &[old][..]), "{undo}");
}

proptest! {
    #[test]
    fn a_number_is_found_again_as_it_was(before in any::<f64>(), after in any::<f64>(), seed in any::<f32>()) {
        let at = |id, weight| Thing { weight, mac: String::new(), note: None, ..thing(json!(id)) };
        // A narrow number widened has digits that nobody would write.
        let target = side(&[at(1, before), at(2, f64::from(seed)), at(3, 0.1)], &[]);
        let source = side(&[at(1, after), at(2, before), at(4, f64::from(seed))], &[]);
        let text = plan(&source, &target);
        let report = run(&source, &target, apply_plan(apply(), &text, DriftPolicy::Refuse));
        prop_assert_eq!((report.status, drift(&report)), (Status::Completed, vec![]), "{}", text);
    }
}

/// Writing, reading, carrying out and taking back a large plan: `cargo test --release -- --ignored a_large_plan --nocapture`.
#[test]
#[ignore = "it measures"]
#[allow(clippy::print_stdout, reason = "it prints what it measures")]
fn a_large_plan() {
    use std::time::Instant;
    let things = |count: u32, weight: f64| -> Vec<Thing> {
        (0..count)
            .map(|number| Thing { weight, mac: format!("mac{number}"), ..thing(json!(format!("thing-{number}"))) })
            .collect()
    };
    // A third each is created, updated and deleted.
    let mut target = things(100_000, 0.5);
    let mut source = things(66_667, 0.7);
    source.drain(..33_333);
    source.extend((0..33_333).map(|number| thing(json!(number))));
    target.truncate(66_667);
    let (source, target) = (side(&source, &[]), side(&target, &[]));
    let mut options = apply();
    options.dry_run = true;
    let report = run(&source, &target, options.clone());
    let begun = Instant::now();
    let text = saved::<Copying>(&report, &options);
    println!("write: {:?}, {} bytes", begun.elapsed(), text.len());
    let begun = Instant::now();
    let plan = crate::plan_file::read(&text).unwrap();
    println!("read: {:?}, {} operations", begun.elapsed(), plan.operations());
    let mut options = apply_plan(apply(), &text, DriftPolicy::Refuse);
    options.dry_run = true;
    println!("direct: {:?}", report.steps.iter().map(|step| (step.step, step.duration)).collect::<Vec<_>>());
    let report = run(&source, &target, options.clone());
    println!("found again: {:?}", report.steps.iter().map(|step| (step.step, step.duration)).collect::<Vec<_>>());
    assert_eq!(report.status, Status::Completed);
}

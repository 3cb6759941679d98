//! What cannot be taken back, or perhaps is not, is named.

use std::sync::{Mutex, MutexGuard, PoisonError};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target, job};
use serde::{Deserialize, Serialize, Serializer};

use crate::fake_network::{self, SyncNets, lab};
use crate::fake_target::{Answer, Rig, run_job};
use crate::plan_file::{key, undoable};
use crate::world::records;

fn lost(report: &RunReport) -> Vec<String> {
    report.undo.as_ref().unwrap().unrestorable.iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_target_refused_was_not_written() {
    let (report, _) = Rig::new(records(&["europe"]), records(&["asia"]))
        .answering("create region europe", Answer::Fail)
        .answering("delete region asia", Answer::Fail)
        .run(undoable());
    assert_eq!(lost(&report), [""; 0]);
}

#[test]
fn a_record_that_the_target_renamed_keeps_its_new_identifier() {
    let mut source = records(&["europe", "europe/france"]);
    source.countries[0].population = Some(68);
    let rig = Rig::new(source, records(&["europe", "europe/france"]));
    let (report, _) = rig.answering("update country france", Answer::Rename).run(undoable());
    assert_eq!(lost(&report), ["country france: the target holds it as new-france now"]);
    assert_eq!(report.undo.as_ref().unwrap().operations(), 1);
}

#[test]
fn an_update_that_was_answered_with_another_record_may_have_been_done() {
    let answers = [("update tag a", fake_network::Answer::Another)];
    let lab = lab("tag a color=new; tag b", "tag a color=old; tag b").failing(&answers);
    let mut options = fake_network::apply();
    options.undo = Some(key());
    let ended = lab.run::<SyncNets>(options);
    assert_eq!(ended.undone(), ["update tag a: failed"]);
    let answered = "it may have been updated: the target returned another record for it";
    assert_eq!(lost(&ended.report), [format!("tag a: {answered}")]);
}

#[test]
fn a_record_that_came_back_as_another_before_it_was_to_be_deleted_is_named_by_the_targets_side() {
    // The source has no device, so none of its rows is the one that is meant.
    let pair = "location x; device a in=x peers=b; device b in=x peers=a";
    let lab = lab("location x", pair).failing(&[("update device b", fake_network::Answer::Another)]);
    let mut options = fake_network::apply();
    options.undo = Some(key());
    let ended = lab.run::<SyncNets>(options);
    assert_eq!(ended.undone(), ["delete device b: failed", "delete device a: held"]);
    let taken_back = "its references may have been removed: the target returned another record for it";
    assert_eq!(lost(&ended.report), [format!("device b: {taken_back}")]);
}

/// A number that can be compared and not always be written down.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Fickle(u8);

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            13 => Err(serde::ser::Error::custom("thirteen")),
            number => serializer.serialize_u8(number),
        }
    }
}

#[derive(SyncModel, Clone)]
struct Gauge {
    #[sync(id)]
    name: String,
    value: Fickle,
}

#[derive(Dataset, Default)]
struct Gauges {
    gauges: Table<Gauge>,
}

fn gauge((name, value): (&str, u8)) -> Gauge {
    Gauge { name: name.into(), value: Fickle(value) }
}

static HELD: Mutex<Vec<Gauge>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<Gauge>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Wanted;
struct Panel;

impl Adapter for Wanted {
    type Data = Gauges;

    async fn load(&self, data: &mut Gauges, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.gauges.extend([("created", 13), ("updated", 5), ("fine", 7)].map(gauge));
        Ok(())
    }
}

impl Adapter for Panel {
    type Data = Gauges;

    async fn load(&self, data: &mut Gauges, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.gauges.extend(held().iter().cloned());
        Ok(())
    }
}

impl Target<Gauge> for Panel {
    async fn create(&self, new: &Gauge, _: &WriteContext<'_, Gauges>) -> Result<Gauge, TargetError> {
        held().push(new.clone());
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &Gauge,
        patch: &GaugePatch,
        _: &WriteContext<'_, Gauges>,
    ) -> Result<Gauge, TargetError> {
        Ok(old.patched(patch))
    }

    async fn delete(&self, _: &Gauge, _: &WriteContext<'_, Gauges>) -> Result<(), TargetError> {
        Ok(())
    }
}

#[job(source = Wanted, target = Panel, dryrun_default = false)]
struct SetGauges {}

opens!(SetGauges: Wanted = |_| Wanted, Panel = |_| Panel);

#[test]
fn what_cannot_be_written_to_a_file_is_named_as_lost() {
    held().extend([("updated", 13), ("deleted", 13), ("fine", 1)].map(gauge));
    let mut options = undoable();
    options.limit_overrides.clear();
    options = options.allow("gauge", diffsync_core::model::Operation::Delete, diffsync_core::model::Limit::Count(9));
    let report = run_job(SetGauges {}, options, Vec::new());
    assert_eq!((report.status, report.counts.written()), (Status::Completed, 4), "{:?}", report.error_text());
    let expected = ["created", "updated", "deleted"]
        .map(|name| format!("gauge {name}: it cannot be undone, since its values cannot be serialised: thirteen"));
    assert_eq!(lost(&report), expected);
    assert_eq!(report.undo.as_ref().unwrap().operations(), 1);
}

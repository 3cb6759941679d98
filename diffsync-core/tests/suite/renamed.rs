//! A target that stores a record under another identifier than it was given: what it answers is the record.

use diffsync_core::data::ProblemKind;
use diffsync_core::report::Status;

use crate::fake_target::{Answer, Rig, apply, ended, failures, locked};
use crate::plan_file::undoable;
use crate::world::{Country, records};

#[test]
fn a_record_that_is_stored_under_another_identifier_was_created_and_what_lives_under_it_too() {
    let rig = Rig::new(records(&["europe", "europe/france", "europe/france/paris"]), records(&["asia"]));
    let (report, rig) = rig.answering("create region europe", Answer::Rename).run(apply());
    assert_eq!(failures(&report), [""; 0]);
    assert_eq!(ended(&report), "3 created, 1 deleted");
    let [problem] = report.problems() else { panic!("{:?}", report.problems()) };
    let expected = ProblemKind::StoredAs { stored: "new-europe".into(), only_case: false, existed: false };
    assert_eq!((problem.record.as_str(), &problem.kind), ("europe", &expected));
    assert_eq!(
        problem.to_string(),
        r#"target: region "europe" was stored as "new-europe"; the next run will create it again, unless the source uses that identifier too"#
    );
    assert_eq!(report.status, Status::Partial);
    assert!(rig.notes().contains(&"complete: 4 written, regions new-europe".to_owned()), "{:?}", rig.notes());
}

#[test]
fn an_updated_record_that_is_renamed_is_seen_under_its_new_identifier() {
    let mut source = records(&["europe", "europe/france", "europe/france/paris"]);
    source.countries[0].population = Some(68);
    let rig = Rig::new(source, records(&["europe", "europe/france"]));
    let (report, rig) = rig.answering("update country france", Answer::Rename).run(apply());
    assert_eq!((ended(&report).as_str(), report.problems().len()), ("1 created, 1 updated, 1 unchanged", 1));
    let slugs: Vec<_> = locked(&rig.target).countries.iter().map(|country: &Country| country.slug.clone()).collect();
    assert_eq!(slugs, ["new-france"]);
}

#[test]
fn a_record_that_is_stored_over_another_keeps_that_one_from_being_deleted() {
    let rig = Rig::new(records(&["europe", "asia"]), records(&["new-europe", "asia"]));
    let (report, rig) = rig.answering("create region europe", Answer::Rename).run(apply());
    assert_eq!(
        failures(&report),
        [r#"delete region new-europe held: held, because the target stored region "europe" under its identifier"#]
    );
    let [problem] = report.problems() else { panic!("{:?}", report.problems()) };
    assert!(
        problem.to_string().contains(r#"was stored as "new-europe", over the record that was there;"#),
        "{problem}"
    );
    assert_eq!(rig.target_records().regions.len(), 2);
}

#[test]
fn taking_the_run_back_deletes_what_was_stored() {
    let rig = Rig::new(records(&["europe", "asia"]), records(&["asia"]));
    let (report, _) = rig.answering("create region europe", Answer::Rename).run(undoable());
    let undo = report.undo.as_ref().unwrap();
    assert_eq!((undo.operations(), undo.unrestorable.len()), (1, 0));
    let mut file = Vec::new();
    let plan = report.plan().unwrap();
    let made = diffsync_core::plan_file::Signature { by: "test".into(), at: "2026-01-01T00:00:00Z".into() };
    let info = <crate::fake_target::SyncWorlds as diffsync_core::job::JobSpec>::INFO;
    let header = undoable().plan_header(&info, diffsync_core::plan_file::PlanKind::Undo, Vec::new(), made, plan);
    undo.write(&header, &mut file).unwrap();
    assert!(String::from_utf8(file).unwrap().contains(r#""op":"delete","model":"region","id":"new-europe""#));

    // What was there before is not deleted.
    let rig = Rig::new(records(&["europe", "asia"]), records(&["new-europe", "asia"]));
    let (report, _) = rig.answering("create region europe", Answer::Rename).run(undoable());
    let undo = report.undo.as_ref().unwrap();
    assert_eq!(undo.operations(), 0);
    let lost: Vec<_> = undo.unrestorable.iter().map(ToString::to_string).collect();
    assert_eq!(
        lost,
        [
            "region europe: the target stored it as new-europe, which is also another record",
            "region new-europe: the target stored another record in its place",
        ]
    );
}

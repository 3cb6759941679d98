//! Values in a saved plan: what has no order, what cannot be serialised, and identifiers of more than one part.

use diffsync_core::apply::write_plan;
use diffsync_core::job::JobSpec;
use diffsync_core::plan_file::{DriftPolicy, PlanKind};
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, ModelExt, Plan, SyncModel, Table};

use crate::fake_target::{Rig, SyncWorlds, dry_run};
use crate::plan_file::{carry_out, drift, inverse, key, plan, read, signature, undoable};
use crate::world::{Records, records};

#[derive(SyncModel, Clone)]
struct Router {
    #[sync(id)]
    name: String,
    #[sync(compare = unordered)]
    keys: Secret<Vec<String>>,
    ordered: Secret<Vec<String>>,
}

#[derive(Dataset, Default)]
struct Routers {
    routers: Table<Router>,
}

fn plan_of(keys: &[&str], ordered: &[&str]) -> String {
    let secret = |texts: &[&str]| Secret::new(texts.iter().map(ToString::to_string).collect());
    let mut source = Routers::default();
    source.routers.insert(Router { name: "r1".into(), keys: secret(keys), ordered: secret(ordered) });
    let mut target = Routers::default();
    target.routers.mark_loaded();
    let plan = Plan::new(source, target);
    let header = dry_run().plan_header(&SyncWorlds::INFO, PlanKind::Sync, Vec::new(), signature("ada"), &plan);
    let mut text = Vec::new();
    write_plan(&plan, &header, &key(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_secret_without_order_is_the_same_in_every_order() {
    assert_eq!(plan_of(&["a", "b"], &["c", "d"]), plan_of(&["b", "a"], &["c", "d"]));
    assert_ne!(plan_of(&["a", "b"], &["c", "d"]), plan_of(&["a", "x"], &["c", "d"]));
    assert_ne!(plan_of(&["a", "b"], &["c", "d"]), plan_of(&["a", "b"], &["d", "c"]));
}

/// A plan with one of its lines a second time, and with the end that such a plan would have.
fn with_line_twice(text: &str, line: usize) -> String {
    use sha2::{Digest, Sha256};
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.pop();
    lines.insert(line, lines[line]);
    let operations = lines.iter().filter(|line| line.starts_with("{\"op\"")).count();
    let digest = Sha256::digest(lines.concat()).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("{}{{\"operations\":{},\"sha256\":\"{digest}\"}}\n", lines.concat(), operations)
}

#[test]
fn a_plan_that_is_about_a_record_twice_is_refused() {
    let (source, target) = (records(&["europe", "europe/france", "europe/france/paris"]), records(&["asia"]));
    let text = plan(&source, &target);
    assert!(read(&text).is_ok());
    let error = read(&with_line_twice(&text, 1)).unwrap_err().to_string();
    let expected =
        r#"line 3 is not part of a plan: city {"country":"france","name":"paris"} already has an operation in line 2"#;
    assert_eq!(error, expected);

    let (report, _) = Rig::new(source, target).run(undoable());
    let text = inverse::<SyncWorlds>(&report, &undoable());
    for line in 2..text.lines().count() - 1 {
        assert!(
            read(&with_line_twice(&text, line)).unwrap_err().to_string().contains("already has an operation in line"),
            "{text}"
        );
    }
}

#[test]
fn drift_is_named_as_every_report_names_it() {
    let source = records(&["europe", "europe/a__b", "europe/a__b/c"]);
    let target = records(&["europe", "europe/a__b"]);
    let text = plan(&source, &target);
    let now = records(&["europe", "europe/a__b"]);
    let (report, _) = carry_out(&text, Rig::new(now.clone(), target), DriftPolicy::Refuse);
    let name = source.cities[0].id().to_string();
    assert_ne!(name, "a__b__c");
    assert_eq!(drift(&report), [format!("create city {name}: the source no longer holds it")]);

    // The same where a run is taken back.
    let (report, rig) = Rig::new(source, now.clone()).run(undoable());
    let text = inverse::<SyncWorlds>(&report, &undoable());
    let mut left = rig.target_records();
    left.cities[0].motto = Some("new".into());
    let (report, _) = carry_out(&text, Rig::new(Records::default(), left), DriftPolicy::Skip);
    assert!(drift(&report)[0].starts_with(&format!("delete city {name}: the target changed")), "{:?}", drift(&report));
}

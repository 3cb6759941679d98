//! Links compare as the identifiers that they name, and new records are written in the target's spelling.

use super::*;
use diffsync_core::ModelExt;

#[test]
fn a_link_compares_as_the_identifier_that_it_names() {
    let (source, target) = (plant("AMS", "Ber", "EDGE", "core"), plant("ams", "bER", "edge", "CORE"));
    assert_eq!(diff(source, target), "(no differences)\n");
}

#[test]
fn lists_of_links_compare_in_every_order_that_their_comparison_leaves_open() {
    let with = |change: fn(&mut Dev), upper: bool| {
        let [ams, ber] = if upper { ["AMS", "BER"] } else { ["ams", "ber"] };
        let mut record = full_dev("edge", ams, ber);
        change(&mut record);
        let plant = Plant::new().site(ams).site(ber).with(rack(ams, 1)).with(rack(ams, 2)).with(slot(ams, 1, 7));
        plant.with(record)
    };
    let changed = |change: fn(&mut Dev)| diff(with(change, true), with(|_| {}, false));
    assert_eq!(changed(|dev| dev.mirrors.as_mut().unwrap().reverse()), "(no differences)\n");
    assert_eq!(changed(|dev| drop(dev.seen_from.pop())), "(no differences)\n");
    assert_eq!(changed(|dev| dev.near.extend(["ams".to_owned()])), "(no differences)\n");
    // What differs is shown as it would be written.
    let line = |text: &str| format!("site AMS\n  ~ dev edge\n      {text}\n");
    assert_eq!(changed(|dev| dev.route.reverse()), line(r#"route: ["ber","ams"] -> ["ams","ber"]"#));
    assert_eq!(changed(|dev| dev.mirrors = Some(vec!["BER".into()])), line(r#"mirrors: ["ams","ber"] -> ["ber"]"#));
    assert_eq!(changed(|dev| dev.mirrors = None), line(r#"mirrors: ["ams","ber"] -> null"#));
    assert_eq!(changed(|dev| assert!(dev.near.remove("AMS"))), line(r#"near: ["ams","ber"] -> ["ber"]"#));
    assert_eq!(changed(|dev| dev.backup = Some("AMS".into())), line(r#"backup: "ber" -> "ams""#));
    assert_eq!(changed(|dev| dev.backup = None), line(r#"backup: "ber" -> null"#));
    assert_eq!(
        changed(|dev| dev.home = Some(RackId::new("AMS", 1_u16))),
        line(r#"home: {"number":2,"site":"ams"} -> {"number":1,"site":"ams"}"#)
    );
}

#[test]
fn what_contains_compares_keeps_the_targets_spelling_and_adds_nothing_twice() {
    let of = |names: &[&str]| Dev { seen_from: names.iter().map(ToString::to_string).collect(), ..dev("edge", "ams") };
    let sites = || Plant::new().site("ams").site("ber").site("fra");
    let (source, target) = (sites().with(of(&["AMS", "FRA"])), sites().with(of(&["ber", "ams"])));
    let expected = "site ams\n  ~ dev edge\n      seen_from: [\"ber\",\"ams\"] -> [\"ber\",\"ams\",\"fra\"]\n";
    assert_eq!(diff(source, target), expected);
}

#[test]
fn a_field_that_names_two_records_is_the_same_only_if_both_are() {
    let of = |owner: &str| Dev { owner: Some(owner.into()), ..dev("edge", "ams") };
    let plant = |owner: &str| {
        Plant::new().site("ams").with(Tenant { name: "ams".into() }).with(Tenant { name: "AMS".into() }).with(of(owner))
    };
    assert_eq!(diff(plant("ams"), plant("ams")), "(no differences)\n");
    // The tenant is another one, so it keeps its spelling.
    assert_eq!(diff(plant("AMS"), plant("ams")), "site ams\n  ~ dev edge\n      owner: \"ams\" -> \"AMS\"\n");
}

#[test]
fn new_records_are_written_as_the_target_spells_what_they_name() {
    let source = plant("AMS", "BER", "EDGE", "CORE").site("FRA").with(rack("fra", 1)).with(slot("Fra", 1, 1));
    let mut target = Plant::new().site("ams").site("ber").with(rack("ams", 1)).with(dev("core", "ber"));
    target.sites.insert(site("Lon"));
    let lab = lab(source, target);
    let report = lab.run();
    assert_eq!(report.status, Status::Completed, "{:?}", report.failures().collect::<Vec<_>>());
    let held = locked(&lab.target).copy();
    let edge = Dev { stands_on: Some("core".into()), peers: vec!["core".into()], ..full_dev("EDGE", "ams", "ber") };
    assert_eq!(held.devs.get("edge"), Some(&edge));
    // An update of an old record sets its links in the target's spelling too.
    assert_eq!(held.devs.get("core"), Some(&full_dev("core", "ams", "ber")));
    let names = |shown: Vec<String>| shown.join(" ");
    assert_eq!(names(held.racks.iter().map(|rack| rack.id().to_string()).collect()), "ams__1 ams__2 FRA__1");
    assert_eq!(names(held.slots.iter().map(|slot| slot.id().to_string()).collect()), "ams__1__7 FRA__1__1");
    assert_eq!(names(held.notes.iter().map(|note| note.on.to_string()).collect()), "ams__1");
    // Nothing is left to do.
    assert_eq!(lab.run().summary().unwrap().total.operations(), 0);
}

#[test]
fn a_saved_plan_holds_what_will_be_written_and_is_carried_out_and_taken_back() {
    let source = plant("AMS", "BER", "EDGE", "CORE");
    let target = Plant::new().site("ams").site("ber").with(dev("core", "ber"));
    let lab = lab(source, target);
    let report = lab.run_with(lab.dry_run());
    let text = saved::<SyncPlants>(&report, &lab.dry_run());
    assert!(text.contains(r#""id":{"number":1,"site":"ams"}"#) && !text.contains("AMS"), "{text}");

    let mut undoable = lab.apply();
    undoable.undo = Some(key());
    let report = lab.run_with(apply_plan(undoable.clone(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, drift(&report)), (Status::Completed, vec![]), "{:?}", report.error_text());
    assert_eq!(report.counts.written(), 6);
    assert!(locked(&lab.target).racks.iter().all(|rack| rack.site == "ams"));

    // Whoever gives the site another spelling in between changes nothing about what is meant.
    let undo = inverse::<SyncPlants>(&report, &undoable);
    let report = lab.run_with(apply_plan(lab.apply(), &undo, DriftPolicy::Refuse));
    assert_eq!((report.status, drift(&report)), (Status::Completed, vec![]), "{:?}", report.error_text());
    assert_eq!(locked(&lab.target).devs.get("core"), Some(&dev("core", "ber")));
    assert!(locked(&lab.target).racks.is_empty());
}

#[test]
fn orphans_are_looked_for_in_every_spelling() {
    let plant = Plant::new().site("AMS").with(rack("ams", 1)).with(slot("Ams", 1, 2)).with(dev("edge", "berlin"));
    let plan = Plan::new(plant, Plant::new());
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [r#"source: dev "edge" is under site "berlin", which does not exist"#]);
}

#[test]
fn new_records_that_name_each_other_agree_on_one_spelling() {
    let source = Plant::new().site("Ams").with(rack("AMS", 1)).with(slot("aMS", 1, 2)).with(dev("edge", "ams"));
    let lab = lab(source, Plant::new());
    assert_eq!(lab.run().status, Status::Completed);
    let held = locked(&lab.target);
    assert!(held.racks.iter().all(|rack| rack.site == "Ams") && held.slots.iter().all(|slot| slot.place == "Ams"));
    assert_eq!(held.devs.get("edge").unwrap().site, "Ams");
}

#[test]
fn a_delete_waits_for_what_stays_in_another_spelling() {
    // The device stays, and names the rack that is to go as another than the target's.
    let stays = |site: &str| Dev { home: Some(RackId::new(site, 1_u16)), ..dev("edge", site) };
    let source = Plant::new().site("AMS").with(Dev { home: None, ..stays("AMS") });
    let target = Plant::new().site("ams").with(rack("ams", 1)).with(stays("Ams"));
    let lab = lab(source, target);
    let report = lab.run();
    assert_eq!((report.status, report.counts.updated, report.counts.deleted), (Status::Completed, 1, 1));
    assert_eq!(lab.calls(), ["update dev edge", "delete rack ams__1"]);
}

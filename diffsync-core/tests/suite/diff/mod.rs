//! The diff: what differs, and how it is shown.

mod identifiers;
mod parents;
mod shown;
mod values;

use diffsync_core::data::HasTable;
use diffsync_core::{Dataset, Plan, SyncModel};
use serde_json::json;

use crate::world::{World, counted, tree, world};

/// Compares two worlds and expects this tree.
#[track_caller]
fn check(source: World, target: World, expected: &str) {
    assert_eq!(tree(source, target), expected);
}

/// The tree of a data set of which the source and the target hold these records.
fn tree_of<D: Dataset + HasTable<M>, M: SyncModel>(
    source: impl IntoIterator<Item = M>,
    target: impl IntoIterator<Item = M>,
) -> String {
    plan_of::<D, M>(source, target).tree().to_string()
}

fn plan_of<D: Dataset + HasTable<M>, M: SyncModel>(
    source: impl IntoIterator<Item = M>,
    target: impl IntoIterator<Item = M>,
) -> Plan<D> {
    let (mut source_data, mut target_data) = (D::default(), D::default());
    source_data.table_mut().extend(source);
    target_data.table_mut().extend(target);
    Plan::new(source_data, target_data)
}

#[test]
fn two_equal_worlds_have_no_differences() {
    let lines = ["europe", "europe/france", "europe/france/paris", ":house", "house:floor"];
    check(world(&lines), world(&lines), "(no differences)\n");
    check(world(&[]), world(&[]), "(no differences)\n");
}

#[test]
fn a_record_only_in_the_source_is_a_create() {
    check(
        world(&["europe", "europe/france", "europe/france/paris"]),
        world(&["europe"]),
        "region europe\n  + country france\n    + city france__paris\n",
    );
}

#[test]
fn a_record_only_in_the_target_is_a_delete() {
    check(
        world(&["europe"]),
        world(&["europe", "europe/france", "europe/france/paris", ":house"]),
        "region europe\n  - country france\n    - city france__paris\n- place house\n",
    );
}

#[test]
fn a_record_with_a_differing_attribute_is_an_update() {
    let france = |population| {
        let mut world = world(&["europe", "europe/france"]);
        world.countries.modify("france", |france| france.population = population);
        world
    };
    let expected = "region europe\n  ~ country france\n      population: 67 -> null\n";
    check(france(None), france(Some(67)), expected);
    let mut source = france(Some(68));
    source.regions.modify("europe", |europe| europe.name = "Evropa".into());
    check(
        source,
        france(Some(67)),
        "~ region europe\n    name: \"EUROPE\" -> \"Evropa\"\n  ~ country france\n      population: 67 -> 68\n",
    );
}

#[test]
fn what_is_local_is_not_compared() {
    let mut source = world(&["europe"]);
    source.regions.modify("europe", |europe| europe.remote_id = Some(7));
    check(source, world(&["europe"]), "(no differences)\n");
}

#[test]
fn a_moved_child_is_an_update_and_stands_under_its_new_parent() {
    check(
        world(&["europe", "asia", "asia/turkey", "asia/turkey/izmir"]),
        world(&["europe", "asia", "europe/turkey"]),
        "region asia\n  ~ country turkey\n      region: \"europe\" -> \"asia\"\n    + city turkey__izmir\n",
    );
}

#[test]
fn a_child_with_its_parent_in_its_identifier_becomes_another_record() {
    check(
        world(&["asia", "asia/turkey", "asia/japan", "asia/turkey/izmir"]),
        world(&["asia", "asia/turkey", "asia/japan", "asia/japan/izmir"]),
        "region asia\n  country turkey\n    + city turkey__izmir\n  country japan\n    - city japan__izmir\n",
    );
}

#[test]
fn a_model_that_nests_in_itself_is_shown_nested() {
    check(
        world(&[":house", "house:floor", "floor:room", "room:shelf", ":garden", "garden:shed"]),
        world(&[":house", "house:floor", ":shed", "house:attic", "attic:trunk"]),
        "place house\n  place floor\n    + place room\n      + place shelf\n  - place attic\n    - place trunk\n\
         + place garden\n  ~ place shed\n      within: null -> \"garden\"\n",
    );
}

#[test]
fn a_circle_of_parents_in_the_target_ends() {
    check(
        world(&[":a"]),
        world(&["b:a", "a:b", "x:y", "z:x", "y:z", "y:below", "self:self"]),
        "~ place a\n    within: \"b\" -> null\n  - place b\n- place z\n  - place x\n    - place y\n      - place below\n\
         - place self\n",
    );
}

#[test]
fn each_record_of_both_sides_is_counted_once() {
    let mut source = world(&["europe", "asia", "europe/france", "europe/spain", "moon/base", ":house", ":house"]);
    source.cities.skip("there are too many");
    source.cities.insert(crate::world::city("france", "paris"));
    source.cities.skip("there are too many");
    let target = world(&["europe", "africa", "europe/france", "africa/egypt", "africa/egypt/cairo", "house:attic"]);
    let plan = Plan::new(source, target);
    let summary = plan.diff().summary();
    let counts: Vec<_> = summary.models.iter().map(|model| (model.model, counted(model.counts))).collect();
    let expected = [
        ("city", "2 left out"),
        ("country", "1 create, 1 delete, 1 same, 1 rejected"),
        ("region", "1 create, 1 delete, 1 same"),
        ("place", "2 rejected"),
    ];
    assert_eq!(counts, expected.map(|(model, counts)| (model, counts.to_owned())));
    assert_eq!(summary.total.records(), 11);
    assert_eq!(summary.models.iter().map(|model| model.counts.records()).sum::<usize>(), 11);
    assert_eq!(plan.diff().operations(), 4);
    assert!(!plan.diff().is_empty());
    assert_eq!(
        serde_json::to_value(&summary).unwrap()["models"][1],
        json!({
            "model": "country", "create": 1, "update": 0, "delete": 1, "cascade": 0, "no_change": 1, "held": 0,
            "unsupported": 0, "rejected": 1, "left_out": 0,
        })
    );
}

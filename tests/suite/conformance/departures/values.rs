//! When two values are the same.

use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::{Value, json};

use super::ours;
use crate::conformance::memory::{Memory, synced};
use crate::conformance::peer::{Question, peer};

#[derive(SyncModel, Clone)]
struct Sensor {
    #[sync(id)]
    name: String,
    reading: f64,
    tags: Vec<String>,
    settings: Value,
}

#[derive(Dataset, Default)]
struct Sensors {
    sensors: Table<Sensor>,
}

synced!(SyncSensors: Sensors { sensors });

fn sensor(reading: f64, tags: &[&str], settings: Value) -> Sensors {
    let tags = tags.iter().map(|tag| (*tag).into()).collect();
    Sensors { sensors: [Sensor { name: "s".into(), reading, tags, settings }].into_iter().collect() }
}

#[test]
fn a_nan_equals_a_nan_where_the_peer_updates_it_in_every_run() {
    let Some(peer) = peer() else { return };
    let (source, target) = (sensor(f64::NAN, &[], Value::Null), sensor(f64::NAN, &[], Value::Null));

    let theirs = peer.ask(&Question::of(&source, &target).with_field("sensor", "reading", "NaN").syncs(3));
    let update = json!({ "sensor": { "s": { "+": { "reading": "NaN" }, "-": { "reading": "NaN" } } } });
    assert_eq!((&theirs["diff"], &theirs["left"]), (&update, &update));
    assert_eq!(theirs["syncs"].as_array().map(Vec::len), Some(3));

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.diff, json!({}));
}

#[test]
fn one_and_true_differ_where_they_are_the_same_to_the_peer() {
    let Some(peer) = peer() else { return };
    for (new, old) in [(json!(1), json!(true)), (json!({ "on": [1] }), json!({ "on": [true] }))] {
        let (source, target) = (sensor(0.0, &[], new.clone()), sensor(0.0, &[], old.clone()));

        let theirs = peer.ask(&Question::of(&source, &target));
        assert_eq!(theirs["diff"], json!({}), "{new} and {old}");

        let ours = ours(source, &Memory::new(target));
        assert_eq!(ours.diff, json!({ "sensor": { "s": { "+": { "settings": new }, "-": { "settings": old } } } }));
    }
}

/// No departure: a number is the same with a point and without.
#[test]
fn one_and_one_point_zero_are_equal_for_the_peer_and_for_us() {
    let Some(peer) = peer() else { return };
    let (source, target) = (sensor(0.0, &[], json!(1)), sensor(0.0, &[], json!(1.0)));
    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!((&theirs["diff"], &ours(source, &Memory::new(target)).diff), (&json!({}), &json!({})));
}

/// No departure: unless a model says otherwise, a list in another order is another list.
#[test]
fn the_order_of_a_list_counts_for_the_peer_and_for_us() {
    let Some(peer) = peer() else { return };
    let (source, target) = (sensor(0.0, &["x", "y"], Value::Null), sensor(0.0, &["y", "x"], Value::Null));
    let theirs = peer.ask(&Question::of(&source, &target));
    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.diff, json!({ "sensor": { "s": { "+": { "tags": ["x", "y"] }, "-": { "tags": ["y", "x"] } } } }));
    assert_eq!(theirs["diff"], ours.diff);
}

/// No departure: the two zeros are equal, so neither system is told to write the other's.
#[test]
fn the_two_zeros_are_equal_for_the_peer_and_for_us() {
    let Some(peer) = peer() else { return };
    let (source, target) = (sensor(0.0, &[], Value::Null), sensor(-0.0, &[], Value::Null));
    let theirs = peer.ask(&Question::of(&source, &target));
    let ours = ours(source, &Memory::new(target));
    assert_eq!((&ours.diff, &theirs["diff"]), (&json!({}), &json!({})));
}

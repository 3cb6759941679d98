//! Tags without their devices: a detail without its parents.

use serde_json::json;

use crate::program::Place;

const JOB: &[&str] = &["run", "device-tags-to-inventory", "--file", "devices.yml", "--apply"];

#[test]
fn the_tag_is_the_top_level_model_and_devices_are_not_touched() {
    let place = Place::new().with_data("devices.yml");
    let report = place.json(JOB);
    assert_eq!(report["outcomes"]["created"], 5);
    let models: Vec<_> = report["summary"]["models"].as_array().unwrap().iter().map(|model| &model["model"]).collect();
    assert_eq!(models, ["device_tag"]);
    assert_eq!(place.json(JOB)["diff"], json!({}));

    place.edit("devices.yml", "carries transit", "carries peering");
    let report = place.json(JOB);
    let change = json!({"+": {"note": "carries peering"}, "-": {"note": "carries transit"}});
    assert_eq!(report["diff"], json!({"device_tag": {"ams01-edge-01__core": change}}));

    place.edit("devices.yml", "- {name: maintenance-sunday, note: \"\"}", "");
    assert_eq!(place.json(JOB)["outcomes"]["deleted"], 1);
}

#[test]
fn two_jobs_share_an_inventory_without_seeing_each_others_records() {
    let place = Place::new().with_data("devices.yml").with_data("countries.json");
    let countries = ["run", "countries-to-inventory", "--file", "countries.json", "--apply"];
    assert_eq!(place.json(JOB)["outcomes"]["created"], 5);
    assert_eq!(place.json(&countries)["outcomes"]["created"], 237);
    assert_eq!(place.json(JOB)["diff"], json!({}));
    assert_eq!(place.json(&countries)["diff"], json!({}));
}

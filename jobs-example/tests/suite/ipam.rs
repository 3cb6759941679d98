//! Two YAML files of different shape, the second reconciled in place.

use std::fs;

use diffsync::temp_file::temporary;
use serde_json::json;

use crate::program::Place;

const JOB: &[&str] = &["run", "ipam-a-to-ipam-b", "--source", "ipam_a.yml", "--target", "ipam_b.yml"];

fn place() -> Place {
    Place::new().with_data("ipam_a.yml").with_data("ipam_b.yml")
}

fn apply() -> Vec<&'static str> {
    [JOB, &["--apply"]].concat()
}

#[test]
fn plan_b_is_rewritten_in_its_own_shape() {
    let place = place();
    let report = place.json(&apply());
    assert_eq!(report["status"], "completed");
    let outcomes = &report["outcomes"];
    assert_eq!([&outcomes["created"], &outcomes["updated"], &outcomes["deleted"]], [2, 1, 1]);
    let expected = "---
- network: \"10.10.10.10\"
  prefix_length: 24
  tenant: null
  vlan_id: 10
  vrf: data
- network: \"10.20.20.20\"
  prefix_length: 24
  tenant: ABC corp
  vlan_id: 20
  vrf: voice
- network: \"172.18.0.0\"
  prefix_length: 16
  tenant: null
  vlan_id: 18
  vrf: null
";
    assert_eq!(fs::read_to_string(place.path("ipam_b.yml")).unwrap(), expected);
    assert_eq!(place.json(&apply())["diff"], json!({}));
}

#[test]
fn what_a_killed_run_left_beside_the_file_is_removed_by_the_next() {
    let place = place();
    let begun = |name: &str| temporary(&place.path(name), false).unwrap();
    // Closed without being removed, as by a kill.
    let leftover = |name: &str| begun(name).keep().unwrap().1;
    let (dead, of_source, live) = (leftover("ipam_b.yml"), leftover("ipam_a.yml"), begun("ipam_b.yml"));
    place.json(&apply());
    assert!(!dead.exists());
    assert!(of_source.exists() && live.path().exists());
}

#[test]
fn a_dry_run_leaves_the_file_as_it_is() {
    let place = place();
    let before = fs::read(place.path("ipam_b.yml")).unwrap();
    assert_eq!(place.json(JOB)["outcomes"]["not_attempted"], 4);
    assert_eq!(fs::read(place.path("ipam_b.yml")).unwrap(), before);
}

#[test]
fn what_is_not_synced_is_written_back_as_it_was() {
    let place = place();
    place.edit("ipam_b.yml", "  vlan_id: 123", "  vlan_id: 123\n  owner: {team: \"core: x\", since: 2019}");
    place.json(&apply());
    let text = fs::read_to_string(place.path("ipam_b.yml")).unwrap();
    assert!(text.contains("owner") && text.contains("core: x") && text.contains("2019"), "{text}");
}

#[test]
fn a_file_that_cannot_be_replaced_fails_every_record_and_stays_whole() {
    let place = place();
    // A link to a file that does not exist any more once the plan is made cannot be arranged from outside; a folder in
    // which no file can be made can.
    let before = fs::read(place.path("ipam_b.yml")).unwrap();
    let job = ["run", "ipam-a-to-ipam-b", "--source", "ipam_a.yml", "--target", "/proc/self/mounts", "--apply"];
    let said = place.run(&job);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.err.contains("/proc/self/mounts"), "{}", said.err);
    assert_eq!(fs::read(place.path("ipam_b.yml")).unwrap(), before);
}

#[test]
fn the_permissions_of_the_file_stay() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    fs::set_permissions(place.path("ipam_b.yml"), fs::Permissions::from_mode(0o640)).unwrap();
    place.json(&apply());
    assert_eq!(fs::metadata(place.path("ipam_b.yml")).unwrap().permissions().mode() & 0o777, 0o640);
    let mut there: Vec<_> = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort_unstable();
    // The history is in the home.
    assert_eq!(there, ["home", "ipam_a.yml", "ipam_b.yml"]);
}

#[test]
fn a_vlan_without_a_number_is_rejected_with_its_reason() {
    let place = place();
    place.edit("ipam_a.yml", "VLAN10", "VLANX");
    let said = place.run(&[&apply()[..], &["--max-rejected", "50"]].concat());
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("`vlan` is \"VLANX\", which is not `VLAN` and a number"), "{}", said.out);
    // The record is left as it is in plan B.
    assert!(fs::read_to_string(place.path("ipam_b.yml")).unwrap().contains("vlan_id: 123"));
}

#[test]
fn broken_yaml_is_named_with_its_place() {
    let place = place();
    place.edit("ipam_a.yml", "family: 4", "family: [4");
    let said = place.run(&apply());
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("`ipam_a.yml`") && said.err.contains("line") && !said.err.contains("\\n"),
        "{}",
        said.err
    );
}

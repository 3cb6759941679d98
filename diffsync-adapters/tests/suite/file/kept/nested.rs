//! Keys that a nested value's struct does not know stay, as those of a record do.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use diffsync_core::job::JobSpec;
use diffsync_core::model::{Limit, Operation};
use diffsync_core::plan_file::PlanKey;
use diffsync_core::run::RunOptions;
use diffsync_core::{Job, Run};
use serde::{Deserialize, Serialize};

use super::model;
use crate::file::{Folders, block_on};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loc {
    pub(crate) city: String,
    pub(crate) zip: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Nic {
    pub(crate) mac: String,
    pub(crate) speed: u32,
}

macro_rules! places {
    ($($module:ident $file:literal)*) => {$(
        model!($module, $file {
            #[allow(dead_code, reason = "it is compared")]
            loc: Option<Loc>,
            nics: Vec<Nic>,
        });
    )*};
}

places! { json "devices.json" json_lines "devices.jsonl" yaml "devices.yml" toml "device.toml" csv "devices.csv" }

model!(sets, "devices.json" { tags: HashSet<String>, ports: BTreeMap<u16, String> });
model!(toml_sets, "device.toml" { tags: HashSet<String> });

#[test]
fn json_keeps_nested_keys_that_the_struct_does_not_know() {
    json::check(
        r#"[{"name": "a", "loc": {"city": "fra", "zip": "1"}, "nics": [{"mac": "bb", "speed": 2}, {"mac": "aa", "speed": 10}, {"mac": "cc", "speed": 7}]}]"#,
        "[\n  {\"name\": \"a\", \"loc\": {\"city\": \"ams\", \"floor\": 1.50, \"zip\": \"1\"},\n   \"nics\": [\n     {\"mac\": \"aa\", \"vendor\": \"x\", \"speed\": 1},\n     {\"mac\": \"bb\",  \"speed\": 2, \"vendor\": \"y\"}\n   ]}\n]\n",
        "[\n  {\"name\": \"a\", \"loc\": {\"city\": \"fra\", \"floor\": 1.50, \"zip\": \"1\"},\n   \"nics\": [\n     {\"mac\": \"bb\",  \"speed\": 2, \"vendor\": \"y\"},\n     {\"mac\": \"aa\", \"vendor\": \"x\", \"speed\": 10},\n     {\"mac\":\"cc\",\"speed\":7}\n   ]}\n]\n",
    );
    json_lines::check(
        "{\"name\":\"a\",\"loc\":{\"city\":\"fra\",\"zip\":\"1\"},\"nics\":[]}\n",
        "{\"name\":\"a\",\"nics\":[],\"loc\":{\"floor\":{\"n\":[1]},\"city\":\"ams\",\"zip\":\"1\"}}\n",
        "{\"name\":\"a\",\"nics\":[],\"loc\":{\"floor\":{\"n\":[1]},\"city\":\"fra\",\"zip\":\"1\"}}\n",
    );
}

#[test]
fn yaml_keeps_nested_keys_that_the_struct_does_not_know() {
    yaml::check(
        "- name: a\n  loc: {city: fra, zip: '1'}\n  nics: [{mac: bb, speed: 2}, {mac: aa, speed: 10}, {mac: cc, speed: 7}]\n",
        "- name: a\n  loc: # where\n    city: ams # the old one\n    floor: 3\n    zip: 1\n  nics:\n    # the first\n    - mac: aa\n      vendor: x # good\n      speed: 1\n    - {mac: bb, speed: 2, vendor: y}\n# the end\n",
        "- name: a\n  loc: # where\n    city: fra # the old one\n    floor: 3\n    zip: 1\n  nics:\n    - {mac: bb, speed: 2, vendor: y}\n    # the first\n    - mac: aa\n      vendor: x # good\n      speed: 10\n    - {\"mac\":\"cc\",\"speed\":7}\n# the end\n",
    );
    yaml::check(
        "- name: a\n  loc: {city: fra, zip: '1'}\n  nics: []\n",
        "- {name: a, loc: {city: ams, floor: 3, zip: 01}, nics: [{mac: aa, speed: 1}], owner: me}\n",
        "- {name: a, loc: {city: \"fra\", floor: 3, zip: \"1\"}, nics: [], owner: me}\n",
    );
}

#[test]
fn toml_keeps_nested_keys_that_the_struct_does_not_know() {
    toml::check(
        "[[device]]\nname = 'a'\nloc = {city = 'fra', zip = '1'}\nnics = [{mac = 'bb', speed = 2}]\n[[device]]\nname = 'b'\nloc = {city = 'fra', zip = '1'}\nnics = []\n",
        "[[device]]\nname = 'a'\nnics = [\n  {mac = 'aa', speed = 1}, # first\n  {mac = 'bb', vendor = 'y', speed = 1}, # second\n]\n\n# Where it is.\n[device.loc]\ncity = 'ams' # for now\nfloor = 3\nzip = '1'\n\n[[device]]\nname = 'b'\nloc = {floor = 3, city = 'ams', zip = '1'}\nnics = []\n",
        "[[device]]\nname = 'a'\nnics = [\n  {mac = 'bb', vendor = 'y', speed = 2}, # second\n]\n\n# Where it is.\n[device.loc]\ncity = \"fra\" # for now\nfloor = 3\nzip = '1'\n\n[[device]]\nname = 'b'\nloc = {floor = 3, city = \"fra\", zip = '1'}\nnics = []\n",
    );
}

#[test]
fn a_cell_of_csv_keeps_nested_keys_that_the_struct_does_not_know() {
    csv::check(
        "name,loc,nics\na,\"{\"\"city\"\":\"\"fra\"\",\"\"zip\"\":\"\"1\"\"}\",[]\n",
        "name,loc,nics\na,\"{\"\"city\"\": \"\"ams\"\", \"\"floor\"\": 1.50, \"\"zip\"\": \"\"1\"\"}\",[]\n",
        "name,loc,nics\na,\"{\"\"city\"\": \"\"fra\"\", \"\"floor\"\": 1.50, \"\"zip\"\": \"\"1\"\"}\",[]\n",
    );
}

#[test]
fn a_set_that_is_the_same_is_not_written_again_and_a_new_item_is_added_to_it() {
    sets::check(
        r#"[{"name": "a", "tags": ["x", "z", "y"], "ports": {"1": "a", "2": "b"}}, {"name": "b", "tags": ["1", "3", "2"], "ports": {}}, {"name": "c", "tags": ["b", "a", "d", "c"], "ports": {}}]"#,
        "[{\"name\": \"a\", \"tags\": [\"z\",  \"x\", \"y\"], \"ports\": {\"2\": \"b\", \"1\": \"x\"}},\n {\"name\": \"b\", \"tags\": [\"3\", \"2\"], \"ports\": {}}]",
        "[{\"name\": \"a\", \"tags\": [\"z\",  \"x\", \"y\"], \"ports\": {\"2\": \"b\", \"1\": \"a\"}},\n {\"name\": \"b\", \"tags\": [\"3\", \"2\", \"1\"], \"ports\": {}},\n {\"name\":\"c\",\"tags\":[\"a\",\"b\",\"c\",\"d\"],\"ports\":{}}]",
    );
    toml_sets::check(
        "[[device]]\nname = 'a'\ntags = ['x', 'y', 'z']\n",
        "[[device]]\nname = 'a'\ntags = [\n  'z', # last\n  'a', # gone\n  # the next\n  'x', # first\n]\n",
        "[[device]]\nname = 'a'\ntags = [\n  'z', # last\n  # the next\n  'x', # first\n  \"y\",\n]\n",
    );
}

#[test]
fn an_undo_plan_says_which_keys_it_cannot_bring_back() {
    fn check<J: Job + JobSpec>(file: &str, source: &str, target: &str, job: impl Fn(&Folders) -> J) {
        let folders = Folders::new().with(file, source, target);
        let mut options = RunOptions::new(&J::INFO).apply().allow("device", Operation::Delete, Limit::Count(9));
        options.undo = Some(PlanKey::new(b"0123456789abcdef").unwrap());
        let report = block_on(Run::execute(Arc::new(job(&folders)), options, Vec::new()));
        let lost: Vec<_> = report.undo.unwrap().unrestorable.iter().map(ToString::to_string).collect();
        let expected = "device: records that are created again lose `owner`, `rack`, which the model does not know";
        assert_eq!(lost, [expected], "{file}");
    }
    macro_rules! check {
        ($module:ident, $file:literal, $source:literal, $target:literal) => {
            check($file, $source, $target, |folders| self::$module::Copy {
                source: folders.source(),
                target: folders.target(),
            });
        };
    }
    check!(
        json,
        "devices.json",
        "[{\"name\": \"b\", \"nics\": []}]",
        "[{\"name\": \"a\", \"owner\": 1, \"rack\": 2, \"nics\": []}]"
    );
    check!(
        json_lines,
        "devices.jsonl",
        "{\"name\": \"b\", \"nics\": []}",
        "{\"name\": \"a\", \"owner\": 1, \"rack\": 2, \"nics\": []}"
    );
    check!(yaml, "devices.yml", "- {name: b, nics: []}", "- name: a\n  owner: 1\n  rack: 2\n  nics: []\n");
    check!(
        toml,
        "device.toml",
        "[[device]]\nname = 'b'\nnics = []",
        "[[device]]\nname = 'a'\nowner = 1\nrack = 2\nnics = []\n"
    );
    check!(csv, "devices.csv", "name,loc,nics\nb,,[]\n", "name,owner,rack,loc,nics\na,1,2,,[]\n");
}

#[test]
fn an_undo_plan_says_that_comments_do_not_come_back() {
    fn check<J: Job + JobSpec>(file: &str, source: &str, target: &str, is_lost: bool, job: impl Fn(&Folders) -> J) {
        let folders = Folders::new().with(file, source, target);
        let mut options = RunOptions::new(&J::INFO).apply().allow("device", Operation::Delete, Limit::Count(9));
        options.undo = Some(PlanKey::new(b"0123456789abcdef").unwrap());
        let report = block_on(Run::execute(Arc::new(job(&folders)), options, Vec::new()));
        let lost: Vec<_> = report.undo.unwrap().unrestorable.iter().map(ToString::to_string).collect();
        let expected = "device: records that are created again lose their comments";
        assert_eq!(lost, if is_lost { vec![expected] } else { vec![] }, "{target}");
    }
    let yaml = |target, is_lost| {
        let job = |folders: &Folders| self::yaml::Copy { source: folders.source(), target: folders.target() };
        check("devices.yml", "- name: b\n  nics: []\n", target, is_lost, job);
    };
    yaml("- name: b\n  nics: []\n# why\n- name: a\n  nics: []\n", true);
    yaml("- name: b\n  nics: []\n- name: a # why\n  nics: []\n", true);
    yaml("- name: b\n  nics: []\n- name: 'a # b'\n  nics: []\n", false);
    yaml("- name: b # this one stays\n  nics: []\n- name: a\n  nics: []\n", false);
    let toml = |target, is_lost| {
        let job = |folders: &Folders| self::toml::Copy { source: folders.source(), target: folders.target() };
        check("device.toml", "[[device]]\nname = 'b'\nnics = []\n", target, is_lost, job);
    };
    toml("[[device]]\nname = 'b'\nnics = []\n\n# why\n[[device]]\nname = 'a'\nnics = []\n", true);
    toml("[[device]]\nname = 'b'\nnics = []\n[[device]]\nname = 'a' # why\nnics = []\n", true);
    toml("[[device]]\nname = 'b' # this one stays\nnics = []\n[[device]]\nname = 'a#b'\nnics = []\n", false);
}

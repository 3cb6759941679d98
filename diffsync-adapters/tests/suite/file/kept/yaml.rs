//! YAML as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model;
use super::nested::Loc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rate {
    #[serde(rename = "1.10")]
    OneTen,
    Other(String),
}

model!(texts, "devices.yml" {
    tags: Vec<String>,
    labels: BTreeMap<String, String>,
    loc: Option<Loc>,
    rate: Option<Rate>,
});
model!(list, "devices.yml", list = "devices" { site: Option<String>, tags: Option<Vec<String>> });
model!(plain, "devices.yml" { site: Option<String>, tags: Option<Vec<String>> });
model!(counts, "devices.yml" { count: Option<u16>, about: Option<Value> });
model!(numbers, "devices.yml" { by: BTreeMap<u8, u8> });

#[test]
fn a_text_is_the_scalar_as_it_is_written_at_any_depth() {
    texts::check(
        "- name: 007\n  tags: [1.10, 010, 0x1F, no, 1e3]\n  labels: {a: 1.10, 2: 02134}\n  loc: {city: 1, zip: 02134}\n  rate: 1.10\n- name: b\n  tags: []\n  labels: {}\n  rate: {other: 1.20}\n",
        "[]\n",
        "- name: \"007\"\n  tags: [\"1.10\",\"010\",\"0x1F\",\"no\",\"1e3\"]\n  labels: {\"2\":\"02134\",\"a\":\"1.10\"}\n  loc: {\"city\":\"1\",\"zip\":\"02134\"}\n  rate: \"1.10\"\n- name: b\n  tags: []\n  labels: {}\n  loc: null\n  rate: {\"other\":\"1.20\"}\n",
    );
    // A value in another form with the same meaning stays.
    texts::check(
        "- name: a\n  tags: ['1.10']\n  labels: {}\n  loc: {city: '1', zip: '02134'}\n",
        "- name: a\n  tags: [1.10]\n  labels: {}\n  loc: {city: 1, zip: 02134}\n",
        "- name: a\n  tags: [1.10]\n  labels: {}\n  loc: {city: 1, zip: 02134}\n",
    );
}

#[test]
fn a_number_with_a_nought_before_it_is_that_number() {
    counts::check(
        "- {name: a, count: 010, about: {x: 010, y: 0o10, z: '010'}}\n",
        "- {name: a, count: 10, about: {x: 10, y: 8, z: \"010\"}}\n",
        "- {name: a, count: 10, about: {x: 10, y: 8, z: \"010\"}}\n",
    );
}

#[test]
fn a_list_of_a_record_in_braces_can_be_changed() {
    plain::check(
        "- {name: a, site: fra, tags: [y, z]}\n- {name: b, tags: [a]}\n",
        "- {name: a, tags: [x, 'y'], owner: {x: [1, 2]}}\n- { name: b , site: , tags: [ ] } # b\n",
        "- {name: a, tags: ['y', \"z\"], owner: {x: [1, 2]}, site: \"fra\"}\n- { name: b , site: , tags: [\"a\"] } # b\n",
    );
    plain::check("- {name: a, site: fra}\n", "[{name: a, site: ams}]\n", "[{name: a, site: \"fra\"}]\n");
}

#[test]
fn a_key_with_nothing_under_it_is_an_empty_list() {
    list::check(
        "devices:\n- {name: a}\n",
        "x: 1\ndevices: # none yet\ny: 2\n",
        "x: 1\ndevices: # none yet\n  - name: a\n    site: null\n    tags: null\ny: 2\n",
    );
    list::check("devices:\n", "devices:\n", "devices:\n");
    list::check("devices:\n", "devices:\n  - name: a\n", "devices: []\n");
    list::check("devices:\n- {name: a}", "devices:", "devices:\n  - name: a\n    site: null\n    tags: null\n");
    list::check("devices: ~\n", "devices: ~ # none\n", "devices: ~ # none\n");
}

#[test]
fn a_record_that_goes_takes_the_comment_above_it_along() {
    plain::check(
        "- name: b\n- name: c\n",
        "# The devices.\n\n# The first.\n- name: a\n# The second.\n- name: b\n- name: c\n",
        "# The devices.\n\n# The second.\n- name: b\n- name: c\n",
    );
    plain::check("- name: b\n", "# The first.\n- name: a\n# The second.\n- name: b\n", "# The second.\n- name: b\n");
    list::check("devices: [{name: b}]\n", "devices:\n  # Old.\n  - name: a\n  - name: b\n", "devices:\n  - name: b\n");
    // At the head of the file it may be about all of them.
    plain::check("- name: b\n", "# By hand.\n- name: a\n- name: b\n", "# By hand.\n- name: b\n");
}

#[test]
fn what_others_read_through_an_alias_is_not_changed() {
    let error = plain::refused(
        "- {name: a, tags: [x]}\n- {name: b, tags: [y]}\n",
        "- name: a\n  tags: &t [y]\n- name: b\n  tags: *t\n",
    );
    let expected = "line 2 has the anchor `&t`, and line 4 reads it through `*t`";
    assert!(error.contains("devices.yml`: ") && error.contains(expected), "{error}");
    let error = plain::refused(
        "- {name: a, site: x}\n- {name: b, site: y}\n",
        "- &a\n  name: a\n  site: y\n- <<: *a\n  name: b\n",
    );
    assert!(error.contains("line 1 has the anchor `&a`, and line 4 reads it through `*a`"), "{error}");
    let error = plain::refused("- {name: b, site: y}\n", "- &a\n  name: a\n  site: y\n- <<: *a\n  name: b\n");
    assert!(error.contains("line 1 has the anchor `&a`, and line 4 reads it through `*a`"), "{error}");
    // Who reads it has the value written out.
    plain::check(
        "- {name: a, tags: [y]}\n- {name: b, tags: [x]}\n",
        "- name: a\n  tags: &t [y]\n- name: b\n  tags: *t\n",
        "- name: a\n  tags: &t [y]\n- name: b\n  tags: [\"x\"]\n",
    );
    plain::check(
        "- {name: a, site: y}\n- {name: b, site: z}\n",
        "- &a\n  name: a\n  site: y\n- <<: *a\n  name: b\n",
        "- &a\n  name: a\n  site: y\n- <<: *a\n  name: b\n  site: z\n",
    );
    // All that name each other go together.
    plain::check("[]\n", "- name: a\n  tags: &t [y]\n- name: b\n  tags: *t\n", "[]\n");
}

#[test]
fn two_keys_that_are_one_are_an_error() {
    let error = numbers::refused("- {name: a, by: {}}\n", "- name: a\n  by: {1: 1, \"1\": 2}\n");
    assert!(error.contains("`devices.yml`") || error.contains("devices.yml"), "{error}");
    assert!(error.contains("line 2, column 14: the key `1` appears twice"), "{error}");
    let error = numbers::refused("- {name: a, by: {}}\n", "- name: a\n  by: {1: 1, 01: 2}\n");
    assert!(error.contains("invalid type: string \"01\""), "{error}");
}

#[test]
fn the_rest_of_a_document_is_read_again_and_compared() {
    // The multi-line value begins below its key.
    plain::check(
        "- {name: a, site: x}\n",
        "- name: a\n  site:\n    one\n    two\n  owner: me\n",
        "- name: a\n  site: x\n  owner: me\n",
    );
    plain::check(
        "- {name: a, site: x}\n- {name: b, site: z}\n",
        "- name: a\n  site: |\n    one # two\n\n    three\n\n# b\n- site: >-\n    q\n  name: b",
        "- name: a\n  site: x\n\n# b\n- site: z\n  name: b",
    );
}

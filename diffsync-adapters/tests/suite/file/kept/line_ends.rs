//! Line ends, comments, quotation marks and layout.

use super::model;

macro_rules! hosts {
    ($($module:ident $file:literal)*) => {$(
        model!($module, $file { site: Option<String>, tags: Vec<String> });
    )*};
}

hosts! { json "devices.json" json_lines "devices.jsonl" yaml "devices.yml" toml "device.toml" csv "devices.csv" }

/// The same in a file that somebody wrote on Windows.
#[track_caller]
fn both(check: fn(&str, &str, &str), source: &str, target: &str, expected: &str) {
    check(source, target, expected);
    check(source, &target.replace('\n', "\r\n"), &expected.replace('\n', "\r\n"));
}

#[test]
fn line_ends_stay() {
    let json = r#"[{"name": "a", "site": "fra", "tags": ["x"]}, {"name": "c", "tags": []}]"#;
    both(
        json::check,
        json,
        "[\n  {\n    \"name\": \"a\",\n    \"tags\": []\n  },\n  {\n    \"name\": \"b\",\n    \"tags\": []\n  }\n]\n",
        "[\n  {\n    \"name\": \"a\",\n    \"tags\": [\"x\"],\n    \"site\": \"fra\"\n  },\n  {\n    \"name\": \"c\",\n    \"site\": null,\n    \"tags\": []\n  }\n]\n",
    );
    both(
        json_lines::check,
        "{\"name\": \"a\", \"site\": \"fra\", \"tags\": [\"x\"]}\n{\"name\": \"c\", \"tags\": []}\n",
        "{\"name\": \"a\", \"tags\": []}\n\n{\"name\": \"b\", \"tags\": []}\n",
        "{\"name\": \"a\", \"tags\": [\"x\"], \"site\": \"fra\"}\n\n{\"name\":\"c\",\"site\":null,\"tags\":[]}\n",
    );
    both(
        yaml::check,
        "- {name: a, site: fra, tags: [x, w]}\n- {name: c, tags: [z]}\n",
        "# head\n- name: a # one\n  tags:\n    - x\n# b\n- name: b\n  tags: []\n",
        "# head\n- name: a # one\n  tags:\n    - x\n    - w\n  site: fra\n- name: c\n  site: null\n  tags: [\"z\"]\n",
    );
    both(
        toml::check,
        "[[device]]\nname = 'a'\nsite = 'fra'\ntags = ['x', 'y']\n[[device]]\nname = 'c'\ntags = []\n",
        "# head\nx = 1\n\n# a\n[[device]]\nname = 'a' # one\ntags = [\n  'x', # x\n]\n\n# b\n[[device]]\nname = 'b'\ntags = []\n",
        "# head\nx = 1\n\n# a\n[[device]]\nname = 'a' # one\ntags = [\n  'x', # x\n  \"y\",\n]\nsite = \"fra\"\n\n[[device]]\nname = \"c\"\ntags = []\n",
    );
    both(
        csv::check,
        "name,site,tags\na,fra,[]\nc,,[]\n",
        "name,site,tags\na,,[]\nb,,[]\n",
        "name,site,tags\na,fra,[]\nc,,[]\n",
    );
}

#[test]
fn each_line_of_a_mixed_file_keeps_its_end() {
    yaml::check(
        "- {name: a, site: fra, tags: []}\n- {name: b, tags: []}\n",
        "- name: a\r\n  site: ams\n  tags: []\r\n",
        "- name: a\r\n  site: fra\n  tags: []\r\n- name: b\r\n  site: null\r\n  tags: []\r\n",
    );
    toml::check(
        "[[device]]\nname = 'a'\nsite = 'fra'\ntags = []\n",
        "[[device]]\r\nname = 'a'\nsite = 'ams'\r\ntags = []\n",
        "[[device]]\r\nname = 'a'\nsite = \"fra\"\r\ntags = []\n",
    );
    json_lines::check(
        "{\"name\": \"a\", \"site\": \"fra\", \"tags\": []}\n{\"name\": \"b\", \"tags\": []}\n",
        "{\"name\": \"a\", \"site\": \"ams\", \"tags\": []}\n{\"name\": \"b\", \"tags\": []}\r\n",
        "{\"name\": \"a\", \"site\": \"fra\", \"tags\": []}\n{\"name\": \"b\", \"tags\": []}\r\n",
    );
}

#[test]
fn a_file_that_does_not_end_its_last_line_stays_so() {
    json_lines::check(
        "{\"name\": \"a\", \"site\": \"fra\", \"tags\": []}\n",
        "{\"name\": \"a\", \"site\": \"ams\", \"tags\": []}",
        "{\"name\": \"a\", \"site\": \"fra\", \"tags\": []}",
    );
    csv::check("name,site,tags\na,fra,[]\n", "name,site,tags\na,ams,[]", "name,site,tags\na,fra,[]");
    yaml::check(
        "- {name: a, site: fra, tags: []}\n",
        "- name: a\n  tags: []\n  site: ams",
        "- name: a\n  tags: []\n  site: fra",
    );
    toml::check(
        "[[device]]\nname = 'a'\nsite = 'fra'\ntags = []\n",
        "[[device]]\nname = 'a'\ntags = []\nsite = 'ams'",
        "[[device]]\nname = 'a'\ntags = []\nsite = \"fra\"",
    );
}

#[test]
fn the_first_table_of_toml_does_not_take_the_head_of_the_file_along() {
    let source = "[[device]]\nname = 'b'\ntags = []\n";
    toml::check(
        source,
        "# Devices of the company.\n# By hand.\n\n# The first.\n[[device]]\nname = 'a'\ntags = []\n\n# The second.\n[[device]]\nname = 'b'\ntags = []\n",
        "# Devices of the company.\n# By hand.\n\n# The second.\n[[device]]\nname = 'b'\ntags = []\n",
    );
    toml::check(
        source,
        "# By hand.\n[[device]]\nname = 'a'\ntags = []\n[[device]]\nname = 'b'\ntags = []\n",
        "# By hand.\n[[device]]\nname = 'b'\ntags = []\n",
    );
    toml::check(
        "device = []\n",
        "# By hand.\n\n[[device]]\nname = 'a'\ntags = []\n\n[other]\nx = 1\n",
        "# By hand.\n\ndevice = []\n\n[other]\nx = 1\n",
    );
    toml::check(
        "[[device]]\nname = 'c'\ntags = []\n",
        "# By hand.\n\n[[device]]\nname = 'a'\ntags = []\n",
        "# By hand.\n\n[[device]]\nname = \"c\"\ntags = []\n",
    );
}

#[test]
fn comments_in_a_changed_array_of_toml_stay() {
    toml::check(
        "[[device]]\nname = 'a'\ntags = ['b', 'c', 'd']\n[[device]]\nname = 'b'\ntags = ['x', 'z']\n",
        "[[device]]\nname = 'a'\ntags = [ # all\n  # the first\n  'a', # a\n  'b', # b\n  'c' # c\n  # the end\n]\n\n[[device]]\nname = 'b'\ntags = ['x', 'y']\n",
        "[[device]]\nname = 'a'\ntags = [ # all\n  'b', # b\n  'c', # c\n  \"d\"\n  # the end\n]\n\n[[device]]\nname = 'b'\ntags = ['x', \"z\"]\n",
    );
}

#[test]
fn json_with_a_record_on_each_line_stays_so() {
    json::check(
        r#"[{"name": "a", "site": "fra", "tags": []}, {"name": "b", "tags": ["x"]}, {"name": "c", "tags": []}]"#,
        "[{\"name\": \"a\", \"tags\": []},\n {\"name\": \"b\", \"tags\": []}]\n",
        "[{\"name\": \"a\", \"tags\": [], \"site\": \"fra\"},\n {\"name\": \"b\", \"tags\": [\"x\"]},\n {\"name\":\"c\",\"site\":null,\"tags\":[]}]\n",
    );
    json::check(
        r#"[{"name": "a", "site": "fra", "tags": []}, {"name": "b", "tags": []}]"#,
        "[\n\t{\n\t\t\"name\": \"a\",\n\t\t\"tags\": []\n\t}\n]\n",
        "[\n\t{\n\t\t\"name\": \"a\",\n\t\t\"tags\": [],\n\t\t\"site\": \"fra\"\n\t},\n\t{\n\t\t\"name\": \"b\",\n\t\t\"site\": null,\n\t\t\"tags\": []\n\t}\n]\n",
    );
}

#[test]
fn a_row_of_csv_keeps_its_quotation_marks() {
    csv::check(
        "name,site,tags\na,fra,[]\nb,\"x,y\",[]\nc,,[]\n",
        "\"name\",\"site\",owner,\"tags\"\n\"a\",\"ams\",\"me\",\"[]\"\n\"b\",,  \"me\" ,[]\n",
        "\"name\",\"site\",owner,\"tags\"\n\"a\",\"fra\",\"me\",\"[]\"\n\"b\",\"x,y\",  \"me\" ,[]\n\"c\",,,[]\n",
    );
}

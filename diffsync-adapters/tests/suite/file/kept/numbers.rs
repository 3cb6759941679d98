//! Numbers: those that are none, those that are large, and those of 32 bits.

use diffsync_core::data::Side;
use serde_json::Value;
use tempfile::TempDir;

use super::model;

macro_rules! gauges {
    ($($module:ident $file:literal)*) => {$(
        model!($module, $file { level: Option<f64>, small: f32 });
    )*};
}

macro_rules! free {
    ($($module:ident $file:literal)*) => {$(
        model!($module, $file { about: Option<Value>, count: Option<u128> });
    )*};
}

gauges! { json "devices.json" json_lines "devices.jsonl" yaml "devices.yml" toml "device.toml" csv "devices.csv" }
free! { free_json "devices.json" free_json_lines "devices.jsonl" free_yaml "devices.yml" free_csv "devices.csv" }

#[test]
fn an_infinity_and_a_nan_stay_numbers_where_the_format_has_them() {
    toml::check(
        "[[device]]\nname = 'a'\nlevel = inf\nsmall = 0.1\n[[device]]\nname = 'b'\nlevel = nan\nsmall = -inf\n[[device]]\nname = 'c'\nlevel = inf\nsmall = 1.0\n",
        "[[device]]\nname = 'a'\nlevel = inf # up\nsmall = 0.2\n\n[[device]]\nname = 'b'\nlevel = 1.0\nsmall = 0.0\n",
        "[[device]]\nname = 'a'\nlevel = inf # up\nsmall = 0.1\n\n[[device]]\nname = 'b'\nlevel = nan\nsmall = -inf\n\n[[device]]\nname = \"c\"\nlevel = inf\nsmall = 1.0\n",
    );
    yaml::check(
        "- {name: a, level: .inf, small: 0.1}\n- {name: b, level: .NaN, small: -.inf}\n",
        "- name: a\n  level: .INF\n  small: 0.2\n- name: b\n  level: 1\n  small: 0\n",
        "- name: a\n  level: .INF\n  small: 0.1\n- name: b\n  level: .nan\n  small: -.inf\n",
    );
    csv::check(
        "name,level,small\na,inf,0.1\nb,NaN,-inf\n",
        "name,level,small\na,inf,0.2\nb,1,0\n",
        "name,level,small\na,inf,0.1\nb,nan,-inf\n",
    );
}

#[test]
fn a_number_of_32_bits_is_written_in_its_own_digits() {
    json::check(
        r#"[{"name": "a", "level": 0.1, "small": 0.1}, {"name": "b", "level": 1e300, "small": 16777216}]"#,
        "[{\"name\": \"a\", \"level\": 1, \"small\": 1}]",
        "[{\"name\": \"a\", \"level\": 0.1, \"small\": 0.1}, {\"name\":\"b\",\"level\":1e300,\"small\":16777216.0}]",
    );
    json_lines::check(
        "{\"name\": \"a\", \"small\": 3.4028235e38}\n",
        "",
        "{\"name\":\"a\",\"level\":null,\"small\":3.4028235e38}\n",
    );
}

/// The errors of the records of a source with this text.
fn rejected<D: diffsync_core::Dataset>(file: &str, contents: &str) -> String
where
    diffsync_adapters::file::Folder<D>: diffsync_core::Adapter<Data = D>,
{
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join(file), contents).unwrap();
    let problems = crate::file::load::<D>(folder.path(), Side::Source);
    let problems = problems.map(|source| {
        let plan = diffsync_core::Plan::new(source, D::default());
        plan.problems().iter().map(ToString::to_string).collect::<String>()
    });
    problems.unwrap_or_else(|error| error).replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_whole_number_beyond_64_bits_is_never_another_one() {
    let what = "`about`: 123456789012345678901 is a whole number beyond 64 bits, which the field's type cannot hold";
    let number = "123456789012345678901";
    let check = |errors: String, place: &str| assert!(errors.contains(&format!("{place}: {what}")), "{errors}");
    check(
        rejected::<free_json::Devices>(
            "devices.json",
            &format!("[\n{{\"name\":\"a\",\"about\":{{\"x\":[{number}]}}}}]"),
        ),
        "`devices.json`, line 2",
    );
    check(
        rejected::<free_json_lines::Devices>("devices.jsonl", &format!("\n{{\"name\":\"a\",\"about\":{number}}}")),
        "`devices.jsonl`, line 2",
    );
    check(
        rejected::<free_yaml::Devices>("devices.yml", &format!("- name: a\n  about: [{number}]\n")),
        "`devices.yml`, line 1",
    );
    check(
        rejected::<free_csv::Devices>("devices.csv", &format!("name,about,count\na,[{number}],\n")),
        "`devices.csv`, line 2",
    );
}

#[test]
fn a_field_that_can_hold_a_large_number_gets_all_its_digits() {
    let number = "123456789012345678901";
    free_json::check(
        &format!("[{{\"name\": \"a\", \"count\": {number}}}]"),
        "[{\"name\": \"a\", \"count\": 123456789012345678902, \"other\": 123456789012345678903}]",
        &format!("[{{\"name\": \"a\", \"count\": {number}, \"other\": 123456789012345678903}}]"),
    );
    free_yaml::check(
        &format!("- {{name: a, count: {number}}}\n"),
        "- name: a\n  count: 123456789012345678902\n  other: 123456789012345678903\n",
        &format!("- name: a\n  count: {number}\n  other: 123456789012345678903\n"),
    );
}

#[test]
fn what_a_file_cannot_hold_takes_no_key_away() {
    let error = json::refused(
        "[{\"name\": \"a\", \"level\": 1e999, \"small\": 1}]",
        "[{\"name\": \"a\", \"level\": 7, \"small\": 1}]",
    );
    assert!(error.contains("1e999 is a number that the field's type cannot hold"), "{error}");
}

model!(times, "device.toml" { since: Option<String>, at: Option<String> });

#[test]
fn two_ways_to_write_a_time_are_one_time() {
    let target = "[[device]]\nname = 'a'\nsince = 2026-01-01T10:00:00Z\nat = 10:00:00\n";
    times::check("[[device]]\nname = 'a'\nsince = 2026-01-01 10:00Z\nat = 10:00\n", target, target);
    times::check("[[device]]\nname = 'a'\nsince = 2026-01-01T10:00:00+00:00\nat = 10:00:00.000\n", target, target);
    times::check(
        "[[device]]\nname = 'a'\nsince = 2026-01-01T11:00Z\nat = 'ten'\n",
        "[[device]]\nname = 'a'\nsince = 2026-01-01T10:00Z # by hand\nat = 10:00\n",
        "[[device]]\nname = 'a'\nsince = 2026-01-01T11:00:00Z # by hand\nat = \"ten\"\n",
    );
}

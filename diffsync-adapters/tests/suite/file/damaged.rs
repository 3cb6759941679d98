//! Files that are cut off, and files with misspelt keys: no record is taken for gone, no field for empty, without a word.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};

use diffsync_core::data::Side;
use diffsync_core::{Dataset, Plan, SyncModel, Table};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::load;

/// A data set of devices that are kept in one format.
macro_rules! devices {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use diffsync_adapters::file::FileModel;

            use super::*;

            #[derive(SyncModel, FileModel, Clone, Debug)]
            #[file($($file)*)]
            pub(super) struct Device {
                #[sync(id)]
                pub(super) name: String,
                pub(super) site: String,
                pub(super) serial: Option<String>,
                pub(super) mtu: u16,
            }

            #[derive(Dataset, Default, Debug)]
            pub(super) struct Devices {
                pub(super) devices: Table<Device>,
            }

            /// Loads a file with this text: the error, the rejected records, and the warnings.
            pub(super) fn load_text(side: Side, contents: &str) -> LoadResult {
                let folder = TempDir::new().unwrap();
                fs::write(folder.path().join(Device::FILE.path), contents).unwrap();
                let loaded = load::<Devices>(folder.path(), side);
                let short = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
                let warnings = warnings_of(folder.path()).into_iter().map(short).collect();
                match loaded {
                    Err(error) => LoadResult { error: Some(short(error)), rejected: 0, warnings },
                    Ok(devices) => {
                        let mut target = Devices::default();
                        target.devices.mark_loaded();
                        LoadResult { error: None, rejected: Plan::new(devices, target).problems().iter().count(), warnings }
                    }
                }
            }
        }
    };
}

devices!(csv, path = "devices.csv");
devices!(json, path = "devices.json");
devices!(json_lines, path = "devices.jsonl");
devices!(yaml, path = "devices.yml");
devices!(yaml_under_key, path = "inventory.yml", list = "devices");
devices!(toml, path = "devices.toml");

/// The result of loading a file.
#[derive(Debug)]
struct LoadResult {
    error: Option<String>,
    rejected: usize,
    warnings: Vec<String>,
}

impl LoadResult {
    /// Makes sure that the load failed, with this error.
    fn fails(self, expected: &str) {
        assert_eq!(self.error.as_deref(), Some(expected), "{self:?}");
    }

    /// Makes sure that all was loaded, with these warnings.
    fn warns(self, expected: &[&str]) {
        assert_eq!((self.error.as_deref(), self.rejected), (None, 0), "{self:?}");
        assert_eq!(self.warnings, expected);
    }

    /// Makes sure that only one record was rejected.
    fn rejects(self) {
        assert_eq!((self.error.as_deref(), self.rejected), (None, 1), "{self:?}");
    }
}

/// All warnings of this process.
static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Log;

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        WARNINGS.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Takes note of warnings, of all threads: files are read on threads of their own.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

fn warnings_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.iter().filter(|warning| warning.contains(&folder)).cloned().collect()
}

const CUT_OFF: &str = "; the last line of the file has no line end, so the file looks cut off: get the complete file, or, if it \
                       is complete, correct the record and end the line";

#[test]
fn a_file_that_is_cut_off_in_a_record_is_an_error() {
    let check = |result: LoadResult, expected: &str| result.fails(&format!("{expected}{CUT_OFF}"));
    let missing = |file: &str, line: usize| format!("`{file}`, line {line}: `mtu`: is missing");

    let whole = "- name: a\n  site: s\n  mtu: 1500\n";
    check(yaml::load_text(Side::Source, &format!("{whole}- name: b\n  site: s")), &missing("devices.yml", 4));
    check(yaml::load_text(Side::Target, &format!("{whole}- name: b\n  site: s")), &missing("devices.yml", 4));
    check(
        yaml::load_text(Side::Source, &format!("{whole}-")),
        "`devices.yml`, line 4: a record with keys and values was expected",
    );
    check(
        yaml_under_key::load_text(Side::Source, &format!("devices:\n{whole}- name: b")),
        &missing("inventory.yml", 5).replace("mtu", "site"),
    );
    let error = yaml::load_text(Side::Source, &format!("{whole}- name: b\n  si")).error.unwrap();
    assert!(error.starts_with("`devices.yml`, line ") && error.ends_with(CUT_OFF), "{error}");

    let whole = "[[device]]\nname = 'a'\nsite = 's'\nmtu = 1500\n";
    check(
        toml::load_text(Side::Source, &format!("{whole}\n[[device]]\nname = 'b'\nsite = 's'")),
        &missing("devices.toml", 6),
    );
    let error = toml::load_text(Side::Source, &format!("{whole}[[device]]\nname = 'b'\nsite = 's")).error.unwrap();
    assert!(error.starts_with("`devices.toml`, line 7, column ") && error.ends_with(CUT_OFF), "{error}");

    let whole = "name,site,serial,mtu\na,s,,1500\n";
    check(
        csv::load_text(Side::Source, &format!("{whole}b,s,")),
        "`devices.csv`, line 3: `mtu`: is missing; there are 3 cells, and the header has 4 columns",
    );
    check(
        csv::load_text(Side::Source, &format!("{whole}b,s,,")),
        "`devices.csv`, line 3: `mtu`: is empty, and must be a whole number from 0 to 65535",
    );

    let look = "; the file looks cut off: get the complete file";
    let whole = "{\"name\": \"a\", \"site\": \"s\", \"mtu\": 1500}\n";
    json_lines::load_text(Side::Source, &format!("{whole}{{\"name\""))
        .fails(&format!("`devices.jsonl`, line 2, column 7: EOF while parsing an object{look}"));
    json::load_text(Side::Source, &format!("[{whole}"))
        .fails(&format!("`devices.json`, line 2, column 0: EOF while parsing a list{look}"));
}

#[test]
fn a_record_that_is_whole_or_not_the_last_is_rejected_as_ever() {
    yaml::load_text(Side::Source, "- name: a\n  site: s\n- {name: b, site: s, mtu: 1}").rejects();
    yaml::load_text(Side::Source, "- {name: b, site: s, mtu: x}").rejects();
    yaml_under_key::load_text(Side::Source, "devices:\n- name: a\n  site: s\nother: 1").rejects();
    yaml::load_text(Side::Source, "- name: a\n  site: s\n").rejects();
    csv::load_text(Side::Source, "name,site,serial,mtu\na,s,,x\nb,s,,1").rejects();
    toml::load_text(Side::Source, "[[device]]\nname = 'a'\nsite = 's'\n[other]\nx = 1").rejects();
    toml::load_text(Side::Source, "device = [{ name = 'a', site = 's' }]").rejects();
    json_lines::load_text(Side::Source, "{\"name\": \"a\", \"site\": \"s\"}").rejects();
    csv::load_text(Side::Source, "name,site,serial,mtu\na,s\nb,s,,1")
        .fails("`devices.csv`, line 2: `serial`: is missing; there are 2 cells, and the header has 4 columns");
}

#[test]
fn a_file_without_its_last_line_end_may_be_cut_off_in_a_value() {
    listen();
    let warning = |file: &str| {
        format!("the last line of `{file}` has no line end; its last record may be cut off in the middle of a value")
    };
    let check = |result: LoadResult, file: &str| result.warns(&[&warning(file)]);
    check(csv::load_text(Side::Source, "name,site,serial,mtu\na,s,,15"), "devices.csv");
    check(yaml::load_text(Side::Source, "- name: a\n  site: s\n  mtu: 15"), "devices.yml");
    check(toml::load_text(Side::Source, "[[device]]\nname = 'a'\nsite = 's'\nmtu = 15"), "devices.toml");

    csv::load_text(Side::Source, "name,site,serial,mtu\na,s,,1500\n").warns(&[]);
    csv::load_text(Side::Source, "name,site,serial,mtu").warns(&[]);
    yaml::load_text(Side::Source, "- {name: a, site: s, mtu: 1500}").warns(&[]);
    json_lines::load_text(Side::Source, "{\"name\": \"a\", \"site\": \"s\", \"mtu\": 1500}").warns(&[]);
}

/// The same records in each format except CSV, which has its keys in the header.
fn in_each_format(side: Side, more: [&str; 2]) -> [(&'static str, LoadResult); 4] {
    let pair = |text: &str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let (mut in_json, mut in_lines, mut in_yaml, mut in_toml) =
        (Vec::new(), String::new(), String::new(), String::new());
    for (name, more) in ["a", "b"].into_iter().zip(more) {
        let more = pair(more);
        let json = more.as_ref().map_or_else(String::new, |(key, value)| format!(", \"{key}\": \"{value}\""));
        let json = format!("{{\"name\": \"{name}\", \"site\": \"s\"{json}, \"mtu\": 1}}");
        writeln!(in_lines, "{json}").unwrap();
        in_json.push(json);
        let yaml = more.as_ref().map_or_else(String::new, |(key, value)| format!("  {key}: {value}\n"));
        write!(in_yaml, "- name: {name}\n  site: s\n{yaml}  mtu: 1\n").unwrap();
        let toml = more.as_ref().map_or_else(String::new, |(key, value)| format!("{key} = '{value}'\n"));
        write!(in_toml, "[[device]]\nname = '{name}'\nsite = 's'\n{toml}mtu = 1\n").unwrap();
    }
    [
        ("`devices.json`, line 1", json::load_text(side, &format!("[{}]\n", in_json.join(",")))),
        ("`devices.jsonl`, line 1", json_lines::load_text(side, &in_lines)),
        ("`devices.yml`, line 1", yaml::load_text(side, &in_yaml)),
        ("`devices.toml`, line 1", toml::load_text(side, &in_toml)),
    ]
}

fn misspelt(key: &str) -> String {
    format!(
        "no record has the key `serial`, and there is `{key}`; correct it in the file, or, if it is the field's key, write \
         `rename = \"{key}\"`; if it is another one, add a field for it"
    )
}

#[test]
fn a_key_that_is_misspelt_in_all_records_of_a_source_is_an_error() {
    listen();
    for (place, result) in in_each_format(Side::Source, ["serail=x1", "serail=x2"]) {
        result.fails(&format!("{place}: {}", misspelt("serail")));
    }
    // A target is only written: its records get the right key.
    for (place, result) in in_each_format(Side::Target, ["serail=x1", "serail=x2"]) {
        result.warns(&[&format!("{place}: {}", misspelt("serail"))]);
    }
}

#[test]
fn a_key_that_is_perhaps_misspelt_is_a_warning() {
    listen();
    // Not all records have it.
    for (place, result) in in_each_format(Side::Source, ["serail=x1", ""]) {
        result.warns(&[&format!("{place}: {}", misspelt("serail"))]);
    }
    // It may as well be another key.
    for (place, result) in in_each_format(Side::Source, ["serial_type=x1", "serial_type=x2"]) {
        result.warns(&[&format!("{place}: {}", misspelt("serial_type"))]);
    }
}

#[test]
fn a_key_beside_that_of_the_field_is_none_of_the_model() {
    listen();
    for (_, result) in in_each_format(Side::Source, ["serail=x1", "serial=x2"]) {
        result.warns(&[]);
    }
    // It is nearer to a field that is there.
    for (_, result) in in_each_format(Side::Source, ["sites=x1", "sites=x2"]) {
        result.warns(&[]);
    }
}

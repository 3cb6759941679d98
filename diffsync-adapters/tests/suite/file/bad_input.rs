//! Bad input: an error with the place, and no records.

use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::{LoadState, Side};
use diffsync_core::report::Status;
use diffsync_core::{Adapter, Dataset, Plan, SyncModel, Table};
use tempfile::TempDir;

use super::yaml::FolderToFolder;
use super::{Folders, block_on, load, parquet_file, run};

/// A data set of ports that are kept in one format.
macro_rules! ports {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use super::*;

            #[derive(SyncModel, FileModel, Clone, Debug)]
            #[file($($file)*)]
            pub(super) struct Port {
                #[sync(id)]
                pub(super) name: String,
                pub(super) speed: u32,
                pub(super) note: Option<String>,
            }

            #[derive(Dataset, Default, Debug)]
            pub(super) struct Ports {
                pub(super) ports: Table<Port>,
            }

            /// Loads a file that holds this as a source.
            pub(super) fn read(contents: impl AsRef<[u8]>) -> Result<Ports, String> {
                let folder = TempDir::new().unwrap();
                fs::write(folder.path().join(Port::FILE.path), contents).unwrap();
                let error = load::<Ports>(folder.path(), Side::Source);
                error.map_err(|error| error.replace(&format!("{}/", folder.path().display()), ""))
            }

            /// The error of a file with this text.
            pub(super) fn wrong(contents: impl AsRef<[u8]>) -> String {
                match read(contents) {
                    Err(error) => error,
                    Ok(ports) => panic!("{ports:?} was loaded"),
                }
            }

            #[allow(dead_code, reason = "not used for every format")]
            /// The errors of rejected records of a file with this text.
            pub(super) fn rejected(contents: impl AsRef<[u8]>) -> Vec<String> {
                let mut target = Ports::default();
                target.ports.mark_loaded();
                let plan = Plan::new(read(contents).unwrap(), target);
                plan.problems().iter().map(ToString::to_string).collect()
            }
        }
    };
}

ports!(csv, path = "ports.csv");
ports!(semicolons, path = "ports.txt", format = csv, delimiter = ';');
ports!(json, path = "ports.json");
ports!(json_under_key, path = "inventory.json", list = "ports");
ports!(json_lines, path = "ports.jsonl");
ports!(yaml, path = "ports.yml");
ports!(yaml_under_key, path = "inventory.yml", list = "ports");
ports!(toml, path = "ports.toml");
ports!(parquet, path = "ports.parquet");

/// The only problem, without the folder's path.
fn only(problems: &[String]) -> String {
    assert_eq!(problems.len(), 1, "{problems:?}");
    let (before, after) = problems[0].split_once('`').unwrap();
    let file = after.split('/').next_back().unwrap();
    format!("{before}`{file}")
}

#[test]
fn a_line_of_csv_with_too_few_or_many_cells_is_an_error_at_its_line_and_column() {
    let few = |line, column, cells| {
        format!(
            "`ports.csv`, line {line}: `{column}`: is missing; there are {cells} cells, and the header has 3 columns"
        )
    };
    assert_eq!(csv::wrong("name,speed,note\na,1,\nb,2\n"), few(3, "note", 2));
    assert_eq!(csv::wrong("name,speed,note\na,1,\"x\ny\"\nb\n"), few(4, "speed", 1));
    assert_eq!(csv::wrong("name,speed,note\na,1,\n\n\nb,2\n"), few(5, "note", 2));
    assert_eq!(csv::wrong("name,speed,note\r\na,1,\r\n\r\nb,2\r\n"), few(4, "note", 2));
    let many = "`ports.csv`, line 3: cell 4: is one too many; there are 5 cells, and the header has 3 columns; \
                is there a delimiter in a cell without quotation marks?";
    assert_eq!(csv::wrong("name,speed,note\na,1,\nb,2,x,y,z\n"), many);
    assert_eq!(csv::wrong("name,speed,note\r\na,1,\r\nb,2,x,y,z\r\n"), many);
}

#[test]
fn the_delimiter_is_the_declared_one() {
    assert_eq!(semicolons::read("name;speed;note\na,b;1;\n").unwrap().ports.len(), 1);
    let error = semicolons::wrong("name,speed,note\n");
    assert_eq!(
        error,
        "`ports.txt`, line 1: `name,speed,note` is one column; if ',' separates cells, write `delimiter = ','`"
    );
}

#[test]
fn a_quotation_mark_that_is_never_closed_swallows_no_records() {
    let expected =
        |line, column| format!("`ports.csv`, line {line}: {column}: a quotation mark is opened and never closed");
    assert_eq!(csv::wrong("name,speed,note\na,1,\"x\nb,2,y\nc,3,z\n"), expected(2, "`note`"));
    assert_eq!(csv::wrong("name,speed,note\r\na,1,\"x\r\nb,2,y"), expected(2, "`note`"));
    assert_eq!(csv::wrong("name,speed,note\n\n\"a\nb\",1,\"\"\n\"c\nd\",\"2,y\nc,3,z\n"), expected(6, "`speed`"));
    assert_eq!(csv::wrong("name,\"speed,note\na,1,\n"), expected(1, "cell 2"));
}

#[test]
fn a_missing_column_is_an_error_that_names_those_there_are() {
    let expected = "`ports.csv`, line 1: there is no column `speed`; there are `name`, `Speed`, `note`; if `Speed` is \
                    meant, write `rename = \"Speed\"`";
    assert_eq!(csv::wrong("name,Speed,note\na,1,\n"), expected);
    for (header, meant) in [("name,SPEED,note", "SPEED"), ("name, speed,note", " speed")] {
        let error = csv::wrong(format!("{header}\na,1,\n"));
        assert!(error.ends_with(&format!("; if `{meant}` is meant, write `rename = {meant:?}`")), "{error}");
    }
    assert_eq!(csv::wrong("name,name,speed,note\n"), "`ports.csv`, line 1: there are two columns `name`");
}

#[test]
fn text_that_is_not_utf_8_is_an_error_at_its_line() {
    let error = csv::wrong(b"name,speed,note\na,1,\nb,2,\xff\n");
    assert_eq!(error, "`ports.csv`, line 3: `note`: is not UTF-8; save the file as UTF-8");
    assert!(json::wrong(b"[{\"name\":\"\xff\"}]").starts_with("`ports.json`, line 1, column "));
    let error = json_lines::wrong(b"{\"name\":\"a\",\"speed\":1}\n{\"name\":\"\xff\"}");
    assert_eq!(error, "`ports.jsonl`, line 2, column 10: is not UTF-8; save the file as UTF-8");
    let error = yaml::wrong(b"\xef\xbb\xbf- name: \xff");
    assert_eq!(error, "cannot read `ports.yml`: line 1, column 9: is not UTF-8; save the file as UTF-8");
    let error = toml::wrong(b"[[port]]\nname = 'a'\n\n\xc3\xa9 = \xff");
    assert_eq!(error, "cannot read `ports.toml`: line 4, column 5: is not UTF-8; save the file as UTF-8");
}

#[test]
fn a_mark_before_the_text_is_no_part_of_it() {
    assert_eq!(csv::read("\u{feff}name,speed,note\na,1,\n").unwrap().ports.len(), 1);
    assert_eq!(json::read("\u{feff}[{\"name\":\"a\",\"speed\":1}]").unwrap().ports.len(), 1);
    assert_eq!(json_lines::read("\u{feff}{\"name\":\"a\",\"speed\":1}").unwrap().ports.len(), 1);
    assert_eq!(yaml::read("\u{feff}- {name: a, speed: 1}").unwrap().ports.len(), 1);
    assert_eq!(toml::read("\u{feff}[[port]]\nname = 'a'\nspeed = 1").unwrap().ports.len(), 1);
}

#[test]
fn a_record_with_a_wrong_value_is_rejected() {
    let rejected = r#"source: port "a" was rejected: "#;
    let check = |problems: Vec<String>, expected: &str| assert_eq!(only(&problems), format!("{rejected}{expected}"));
    check(
        csv::rejected("name,speed,note\na,fast,\nb,1,\n"),
        "`ports.csv`, line 2: `speed`: \"fast\" is not a whole number from 0 to 4294967295",
    );
    check(
        csv::rejected("name,speed,note\r\nb,1,\r\na,,\r\n"),
        "`ports.csv`, line 3: `speed`: is empty, and must be a whole number from 0 to 4294967295",
    );
    check(
        json::rejected("[{\"name\":\"b\",\n\"speed\":1},\n\n{\n\"name\":\"a\",\"speed\":\"1\"}\n]"),
        "`ports.json`, line 4: `speed`: \"1\" is a text, and must be a whole number from 0 to 4294967295, without quotation marks",
    );
    check(
        json_lines::rejected("{\"name\":\"b\",\"speed\":1}\n\n{\"name\":\"a\",\"note\":\"\"}"),
        "`ports.jsonl`, line 3: `speed`: is missing",
    );
    check(
        yaml::rejected("- {name: b, speed: 1}\n- name: a\n  speed: -1\n"),
        "`ports.yml`, line 2: `speed`: \"-1\" is not a whole number from 0 to 4294967295",
    );
    check(
        toml::rejected("[[port]]\nname = 'b'\nspeed = 1\n\n[[port]]\nname = 'a'\nspeed = 'x'\n"),
        "`ports.toml`, line 5: `speed`: \"x\" is not a whole number from 0 to 4294967295",
    );
    check(
        parquet::rejected(parquet_ports([Some("b"), Some("a")], [1, -1])),
        "`ports.parquet`, row 2: `speed`: \"-1\" is not a whole number from 0 to 4294967295",
    );
}

/// A file of ports with these values.
fn parquet_ports(names: [Option<&str>; 2], speeds: [i64; 2]) -> Vec<u8> {
    let names = StringArray::from(names.to_vec());
    let notes = StringArray::new_null(2);
    let speeds = Int64Array::from(speeds.to_vec());
    parquet_file([("name", Arc::new(names)), ("speed", Arc::new(speeds)), ("note", Arc::new(notes))], None)
}

#[test]
fn a_null_in_an_identifier_is_an_error_at_its_record() {
    let behind = "; it is part of the identifier, so it is unknown which record it is";
    assert_eq!(
        csv::wrong("name,speed,note\na,1,\n,1,\n"),
        format!("`ports.csv`, line 3: the identifier is empty{behind}")
    );
    assert_eq!(
        json::wrong("[\n{\"name\":null,\n\"speed\":1}]"),
        format!("`ports.json`, line 2: `name`: is null{behind}")
    );
    assert_eq!(
        json_under_key::wrong("{\n\"ports\": [\n\n{\"speed\":1}]}"),
        format!("`inventory.json`, line 4: `name`: is missing{behind}")
    );
    assert_eq!(json_lines::wrong("\n{\"speed\":1}"), format!("`ports.jsonl`, line 2: `name`: is missing{behind}"));
    assert_eq!(yaml::wrong("- name: ~\n  speed: 1\n"), format!("`ports.yml`, line 1: `name`: is null{behind}"));
    assert_eq!(toml::wrong("[[port]]\nspeed = 1\n"), format!("`ports.toml`, line 1: `name`: is missing{behind}"));
    assert_eq!(
        parquet::wrong(parquet_ports([Some("a"), None], [1, 1])),
        format!("`ports.parquet`, row 2: `name`: is null{behind}")
    );
}

#[test]
fn two_records_of_one_name_are_both_rejected() {
    assert_eq!(csv::rejected("name,speed,note\na,1,\na,2,\n"), [r#"source: port "a" occurs 2 times"#]);
}

#[test]
fn a_document_that_is_cut_off_is_an_error_at_its_end() {
    assert_eq!(
        json::wrong("[\n  {\"name\": \"a\", \"speed\": 1},\n  {\"na"),
        "`ports.json`, line 3, column 6: EOF while parsing a string; the file looks cut off: get the complete file"
    );
    assert_eq!(
        json::wrong("[{\"name\": \"a\", \"speed\": 1}] x"),
        "`ports.json`, line 1, column 29: trailing characters"
    );
    assert_eq!(
        json_lines::wrong("{\"name\": \"a\", \"speed\": 1}\n{\"name\""),
        "`ports.jsonl`, line 2, column 7: EOF while parsing an object; the file looks cut off: get the complete file"
    );
    assert!(toml::wrong("[[port]]\nname = 'a\nspeed = 1").starts_with("`ports.toml`, line 2, column "));
    assert!(yaml::wrong("- name: \"a\n  speed: 1").starts_with("`ports.yml`, line "));
}

#[test]
fn a_document_of_another_shape_is_an_error() {
    assert!(json::wrong(r#"{"ports": []}"#).ends_with("invalid type: map, expected a list of records"));
    assert!(json::wrong("[1]").ends_with("invalid type: integer `1`, expected a record with keys and values"));
    assert!(json::wrong(r#"[{"name":"a","name":"b"}]"#).ends_with("`name` appears twice in one record"));
    assert!(json_under_key::wrong("{}").ends_with("there is no key `ports`"));
    let there = "there is no key `ports`; there are `port`, `x`; if `port` is meant, write `list = \"port\"`";
    let error = json_under_key::wrong("{\"port\": [], \"x\": 1}");
    assert!(error.ends_with(there), "{error}");
    assert_eq!(yaml_under_key::wrong("port: []\nx: 1\n"), format!("`inventory.yml`, {there}"));
    assert_eq!(
        toml::wrong("x = 1"),
        "`ports.toml`, there is no `[[port]]`; there are `x`; a list without records is `port = []`"
    );
    assert_eq!(toml::wrong("port = [1]"), "`ports.toml`, `port` is not a list of tables: integer");
    assert!(yaml::wrong("a: 1").starts_with("`ports.yml`, line 1, column 1: "));
}

#[test]
fn an_empty_file_is_no_source_without_records() {
    assert_eq!(csv::wrong(""), "`ports.csv`, there is no header with the names of the columns");
    assert!(json::wrong("").starts_with("`ports.json`, line 1, column 0: EOF"));
    assert!(yaml::wrong("# nothing\n").contains("the file is empty"));
    assert!(parquet::wrong("").contains("cannot be read as Parquet"));
}

#[test]
fn aliases_of_aliases_do_not_fill_the_memory() {
    let mut bomb = String::from("- &a0 {name: x, speed: 1, note: lol}\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "- &a{level} {{name: x, speed: 1, more: [{aliases}]}}").unwrap();
    }
    let error = yaml::wrong(&bomb);
    assert!(error.starts_with("`ports.yml`, line "), "{error}");
    assert!(error.contains("budget") || error.contains("alias"), "{error}");
}

#[test]
fn aliases_of_aliases_in_a_field_of_the_model_are_written_nowhere() {
    let mut bomb = String::from("- {name: a0, tags: &b0 [lol]}\n");
    for level in 1..12 {
        let aliases = vec![format!("*b{}", level - 1); 9].join(", ");
        writeln!(bomb, "- {{name: a{level}, tags: &b{level} [{aliases}]}}").unwrap();
    }
    let old = "- {name: a0, tags: [rofl]}\n";
    for (source, target) in [(bomb.as_str(), old), (old, bomb.as_str())] {
        let folders = Folders::new().with("sites.yml", source, target);
        let report = run(FolderToFolder { source: folders.source(), target: folders.target() });
        assert_eq!(report.status, Status::Failed);
        let side = if source == bomb { folders.source() } else { folders.target() };
        let error = report.error_text().unwrap();
        assert!(error.contains(&format!("`{}`, line ", side.join("sites.yml").display())), "{error}");
        assert!(error.contains("budget") || error.contains("alias"), "{error}");
        assert_eq!(folders.read("sites.yml"), target);
    }
}

#[test]
fn a_secret_beside_a_mistake_is_not_shown() {
    #[derive(SyncModel, FileModel, Clone, Debug)]
    #[file(path = "logins.yml")]
    struct Login {
        #[sync(id)]
        name: String,
        password: diffsync_core::value::Secret<u32>,
    }
    #[derive(Dataset, Default, Debug)]
    struct Logins {
        logins: Table<Login>,
    }
    let folder = TempDir::new().unwrap();
    for contents in ["- name: a\n  password: hunter2\n", "- name: a\n  password: hunter2\n bad: [\n"] {
        fs::write(folder.path().join("logins.yml"), contents).unwrap();
        let shown = match load::<Logins>(folder.path(), Side::Source) {
            Err(error) => error,
            Ok(source) => {
                let mut target = Logins::default();
                target.logins.mark_loaded();
                let plan = Plan::new(source, target);
                plan.problems().iter().map(ToString::to_string).collect()
            }
        };
        assert!(!shown.is_empty() && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_parquet_file_that_is_cut_off_is_an_error() {
    assert!(parquet::wrong("PAR1 and so on PAR1").starts_with("`ports.parquet`, which cannot be read as Parquet: "));
}

#[test]
fn a_source_without_its_file_is_an_error_and_a_target_is_empty() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ports.csv");
    assert_eq!(
        load::<csv::Ports>(folder.path(), Side::Source).unwrap_err(),
        format!("`{}` does not exist", path.display())
    );
    let target = load::<csv::Ports>(folder.path(), Side::Target).unwrap();
    assert_eq!((target.ports.state(), target.ports.len()), (&LoadState::Loaded, 0));
    let missing = folder.path().join("missing");
    for side in [Side::Source, Side::Target] {
        let error = load::<csv::Ports>(&missing, side).unwrap_err();
        assert!(error.starts_with(&format!("cannot open the folder `{}`: ", missing.display())), "{error}");
    }
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ports.csv");
    fs::create_dir(&path).unwrap();
    let expected = format!("cannot read `{}`: it is a folder, not a file", path.display());
    assert_eq!(load::<csv::Ports>(folder.path(), Side::Target).unwrap_err(), expected);
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let expected = format!("cannot read `{}`: it is a broken link", path.display());
    assert_eq!(load::<csv::Ports>(folder.path(), Side::Target).unwrap_err(), expected);
}

#[test]
fn a_check_tells_what_is_missing() {
    let check = |folder: &std::path::Path, side| {
        let mut health = HealthCheck::new(side);
        block_on(Folder::<csv::Ports>::new(folder).check(&mut health));
        health
    };
    let folder = TempDir::new().unwrap();
    assert!(check(folder.path(), Side::Target).is_healthy());
    let source = check(folder.path(), Side::Source);
    assert!(
        source
            .findings()
            .iter()
            .any(|finding| !finding.passed && finding.detail.ends_with("ports.csv` does not exist"))
    );
    assert!(!check(&folder.path().join("missing"), Side::Target).is_healthy());
    fs::write(folder.path().join("ports.csv"), "name,speed,note\n").unwrap();
    assert!(check(folder.path(), Side::Source).is_healthy());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a check leaves nothing behind");
}

#[test]
fn two_models_in_one_file_are_refused() {
    #[derive(SyncModel, FileModel, Clone)]
    #[file(path = "all.json", list = "sites")]
    struct Site {
        #[sync(id)]
        name: String,
    }
    #[derive(SyncModel, FileModel, Clone)]
    #[file(path = "all.json", list = "hosts")]
    struct Host {
        #[sync(id)]
        name: String,
    }
    #[derive(Dataset, Default)]
    struct All {
        sites: Table<Site>,
        hosts: Table<Host>,
    }
    let folder = TempDir::new().unwrap();
    let Err(error) = load::<All>(folder.path(), Side::Target) else { panic!("it was loaded") };
    assert_eq!(error, "`all.json` is the file of `site` and of `host`; give each model its own");
}

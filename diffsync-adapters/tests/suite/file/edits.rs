//! A file is edited, not rewritten: unchanged parts keep their text.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::Compression;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt8Array};
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::report::Status;
use diffsync_core::{Dataset, SyncModel, Table, job};

use super::{Folders, parquet_file, run};

/// A data set of hosts in one format, and a job between two folders of it.
macro_rules! hosts {
    ($format:ident $({ $($field:tt)* })?, $($file:tt)*) => {
        mod $format {
            use super::*;

            #[derive(SyncModel, FileModel, Clone)]
            #[file($($file)*)]
            pub(super) struct Host {
                #[sync(id)]
                name: String,
                site: Option<String>,
                racks: Option<u8>,
                $($($field)*)?
            }

            #[derive(Dataset, Default)]
            pub(super) struct Hosts {
                hosts: Table<Host>,
            }

            #[job(source = Folder<Hosts>, target = Folder<Hosts>)]
            pub(super) struct Hosting {
                source: PathBuf,
                target: PathBuf,
            }

            opens!(
                Hosting: Folder<Hosts> = |job| Folder::new(&job.source),
                Folder<Hosts> = |job| Folder::new(&job.target)
            );

            /// Brings the target's file in line with the source's, which takes one run.
            pub(super) fn sync(folders: &Folders) {
                let run = || run(Hosting { source: folders.source(), target: folders.target() });
                let report = run();
                assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
                let again = run();
                assert_eq!((again.status, again.counts.updated, again.counts.created), (Status::Completed, 0, 0));
            }

            /// What becomes of the target's file if the source's is that.
            #[allow(dead_code, reason = "not used for every format")]
            pub(super) fn check(source: &str, target: &str, expected: &str) {
                let file = Host::FILE.path;
                let folders = Folders::new().with(file, source, target);
                sync(&folders);
                assert_eq!(folders.read(file), expected);
            }

            /// Why the target's file cannot be brought in line with the source's, and stays as it is.
            #[allow(dead_code, reason = "not used for every format")]
            pub(super) fn refused(source: &str, target: &str) -> String {
                let file = Host::FILE.path;
                let folders = Folders::new().with(file, source, target);
                let report = run(Hosting { source: folders.source(), target: folders.target() });
                assert_eq!(report.status, Status::Failed);
                assert_eq!(folders.read(file), target);
                report.error_text().unwrap()
            }
        }
    };
}

hosts!(csv, path = "hosts.csv");
hosts!(json, path = "hosts.json");
hosts!(json_under_key, path = "inventory.json", list = "hosts");
hosts!(json_lines, path = "hosts.jsonl");
hosts!(yaml, path = "hosts.yml");
hosts!(yaml_under_key, path = "inventory.yml", list = "hosts");
hosts!(toml, path = "hosts.toml");
hosts!(toml_since { since: Option<String> }, path = "hosts.toml");
hosts!(parquet, path = "hosts.parquet");

#[test]
fn csv_keeps_columns_quotes_and_line_breaks() {
    csv::check(
        "name,site,racks\nb,fra,2\nc,,7\n",
        "\u{feff}owner,racks,name,site\r\n\"ann\",1,\"a\",ams\r\nbob,1,b,\"ams\"\r\n\"say \"\"hi\"\"\",7,c,\r\n",
        "\u{feff}owner,racks,name,site\r\nbob,2,b,\"fra\"\r\n\"say \"\"hi\"\"\",7,c,\r\n",
    );
    csv::check(
        "name,site,racks\na,ams,1\nd,\"x,y\",3",
        "name,x,site,racks\na,1,ams,1",
        "name,x,site,racks\na,1,ams,1\nd,,\"x,y\",3\n",
    );
    csv::check("name,site,racks\na,ams,1\n", "", "name,site,racks\na,ams,1\n");
}

#[test]
fn json_keeps_keys_and_its_form() {
    json::check(
        r#"[{"name": "a", "site": "fra"}, {"name": "c", "racks": 1}]"#,
        "[\n    {\"owner\": 1.50, \"site\": \"ams\",\t\"name\": \"a\"},\n    {\"name\": \"b\"}\n]\n",
        "[\n    {\"owner\": 1.50, \"site\": \"fra\",\t\"name\": \"a\"},\n    {\"name\":\"c\",\"site\":null,\"racks\":1}\n]\n",
    );
    json::check(r#"[{"name": "a", "racks": 7}]"#, "[{ \"name\": \"a\" }]", "[{ \"name\": \"a\", \"racks\": 7 }]");
    json::check("[]", "[\n  {\"name\": \"a\"}\n]\n", "[]\n");
    json::check(
        r#"[{"name": "a", "site": "x"}]"#,
        "[]",
        "[\n  {\n    \"name\": \"a\",\n    \"site\": \"x\",\n    \"racks\": null\n  }\n]",
    );
}

#[test]
fn what_stands_beside_the_list_stays() {
    json_under_key::check(
        r#"{"hosts": [{"name": "a"}]}"#,
        "{\n  \"version\": 2,\n  \"hosts\": [\n    {\n      \"name\": \"b\"\n    }\n  ],\n  \"by\": \"hand\"\n}\n",
        "{\n  \"version\": 2,\n  \"hosts\": [\n    {\n      \"name\": \"a\",\n      \"site\": null,\n      \"racks\": null\n    }\n  ],\n  \"by\": \"hand\"\n}\n",
    );
    json_under_key::check(
        r#"{"hosts": []}"#,
        "{\"hosts\": [{\"name\": \"b\"}], \"x\": 1}",
        "{\"hosts\": [], \"x\": 1}",
    );
    yaml_under_key::check(
        "hosts:\n- name: a\n",
        "# by hand\nversion: 2\nhosts: []\nmore: true\n",
        "# by hand\nversion: 2\nhosts:\n  - name: a\n    site: null\n    racks: null\nmore: true\n",
    );
}

#[test]
fn json_lines_keep_lines() {
    json_lines::check(
        "{\"name\":\"a\"}\n{\"name\":\"b\",\"racks\":3}\n{\"name\":\"d\"}\n",
        "{ \"name\": \"a\",  \"owner\": null }\n\n{\"racks\":1,\"name\":\"b\",\"owner\":{\"x\":[1]}}\n{\"name\":\"c\"}",
        "{ \"name\": \"a\",  \"owner\": null }\n\n{\"racks\":3,\"name\":\"b\",\"owner\":{\"x\":[1]}}\n{\"name\":\"d\",\"site\":null,\"racks\":null}\n",
    );
}

#[test]
fn yaml_keeps_comments_and_keys() {
    yaml::check(
        "- {name: a, site: ams, racks: 2}\n- {name: c, site: x}\n- {name: d, site: no}\n- {name: e}\n",
        "# The hosts.\n\n- name: a # the first\n  site: ams\n  racks: 1   # to grow\n  owner: {x: 1}\n\n# Not for long.\n- name: b\n  site: fra\n# The third.\n- name: c\n  site: |\n    fra\n    ams\n  owner: me\n- &d\n  name: d\n- {name: e, site: 'x'}\n# The end.\n",
        "# The hosts.\n\n- name: a # the first\n  site: ams\n  racks: 2   # to grow\n  owner: {x: 1}\n\n# The third.\n- name: c\n  site: x\n  owner: me\n- &d\n  name: d\n  site: \"no\"\n- {name: e, site: null}\n# The end.\n",
    );
    yaml_under_key::check(
        "hosts:\n- name: a\n  racks: 2\n- name: z\n",
        "x: 1 # one\nhosts:\n- name: a\n  racks: 1\n- name: b\ny: 2\n",
        "x: 1 # one\nhosts:\n- name: a\n  racks: 2\n- name: z\n  site: null\n  racks: null\ny: 2\n",
    );
    yaml_under_key::check("hosts: []\n", "hosts:\n  # none\n  - name: a\ny: 2\n", "hosts: []\ny: 2\n");
}

#[test]
fn yaml_that_cannot_be_edited_stays() {
    let fancy = "its records are written in a way that cannot be edited; write them as a list with a `-`";
    let error = yaml::refused("- {name: a, racks: 2}\n", "# By hand.\n[{name: a, racks: 1}, {name: b}]\n");
    assert!(error.contains("hosts.yml`: ") && error.contains(fancy), "{error}");
    let error = yaml_under_key::refused("hosts: [{name: a}, {name: b}]\n", "hosts: [{name: a}] # by hand\n");
    assert!(error.contains("inventory.yml`: ") && error.contains(fancy), "{error}");
    let error = yaml::refused("- {name: a, site: fra}\n", "- name: a\n  site:\n    # for now\n    ams\n");
    let comment = "there is a comment within the value of `site` in line 2; change it by hand";
    assert!(error.contains("hosts.yml`: ") && error.contains(comment), "{error}");
}

#[test]
fn toml_keeps_comments_and_keys() {
    toml::check(
        "[[host]]\nname = 'a'\nracks = 2\n[[host]]\nname = 'd'\nsite = 'ams'\n",
        "title = 'hosts' # by hand\n\n# The first.\n[[host]]\nname = \"a\"\nracks = 1   # to grow\nsince = 2026-01-01\n\n# Not for long.\n[[host]]\nname = \"b\"\n\n[other]\nx = 1\n",
        "title = 'hosts' # by hand\n\n# The first.\n[[host]]\nname = \"a\"\nracks = 2   # to grow\nsince = 2026-01-01\n\n[[host]]\nname = \"d\"\nsite = \"ams\"\n\n[other]\nx = 1\n",
    );
    toml::check("host = []\n", "[[host]]\nname = 'a'\n", "host = []\n");
    // Several that follow each other go, with the empty lines between them.
    toml::check("host = []\n", "[[host]]\nname = 'a'\n\n[[host]]\nname = 'b'\n", "host = []\n");
    toml::check(
        "[[host]]\nname = 'c'\n",
        "[[host]]\nname = 'a'\n\n[[host]]\nname = 'b'\n\n[[host]]\nname = 'c'\n",
        "[[host]]\nname = 'c'\n",
    );
    toml::check(
        "[[host]]\nname = 'd'\n",
        "# Hosts\n\n[[host]]\nname = 'a'\n\n[[host]]\nname = 'b'\n\n[other]\nx = 1\n",
        "# Hosts\n\n[[host]]\nname = \"d\"\n\n[other]\nx = 1\n",
    );
    // The last line of a text is no comment.
    toml::check(
        "[[host]]\nname = 'a'\nsite = \"y\"\n[[host]]\nname = 'b'\n",
        "[[host]]\nname = 'a'\nsite = \"\"\"\nx\n# y\"\"\"\n[[host]]\nname = 'b'\n",
        "[[host]]\nname = 'a'\nsite = \"y\"\n[[host]]\nname = 'b'\n",
    );
}

#[test]
fn toml_dates_stay_dates() {
    toml_since::check(
        "[[host]]\nname = 'a'\nsince = '2026-02-02'\n[[host]]\nname = 'b'\nsite = 'fra'\nsince = '2026-01-01T07:32:00Z'\n[[host]]\nname = 'c'\nsince = 2026-01-03\n",
        "[[host]]\nname = 'a'\nsince = 2026-01-01 # by hand\n\n[[host]]\nname = 'b'\nsite = 'ams'\nsince = 2026-01-01T07:32:00Z\n\n[[host]]\nname = 'c'\nsince = 'a while ago'\n",
        "[[host]]\nname = 'a'\nsince = 2026-02-02 # by hand\n\n[[host]]\nname = 'b'\nsite = \"fra\"\nsince = 2026-01-01T07:32:00Z\n\n[[host]]\nname = 'c'\nsince = \"2026-01-03\"\n",
    );
}

#[test]
fn parquet_keeps_types_compression_notes_and_columns() {
    let text = |values: [Option<&str>; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let numbers = |values: [Option<i64>; 2]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
    let source = parquet_file(
        [
            ("name", text([Some("a"), Some("c")])),
            ("site", text([Some("fra"), None])),
            ("racks", Arc::new(UInt8Array::from(vec![Some(7), None]))),
        ],
        None,
    );
    let note = KeyValue::new("by".to_owned(), "hand".to_owned());
    let properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_key_value_metadata(Some(vec![note.clone()]))
        .build();
    let target = parquet_file(
        [
            ("owner", text([Some("ann"), None])),
            ("racks", numbers([Some(1), None])),
            ("name", text([Some("a"), Some("b")])),
            ("site", text([Some("ams"), None])),
        ],
        Some(properties),
    );
    let folders = Folders::new();
    fs::write(folders.source().join("hosts.parquet"), source).unwrap();
    fs::write(folders.target().join("hosts.parquet"), target).unwrap();
    parquet::sync(&folders);

    let file = File::open(folders.target().join("hosts.parquet")).unwrap();
    let file = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let group = file.metadata().row_group(0);
    assert!(group.columns().iter().all(|column| column.compression() == Compression::LZ4_RAW));
    assert!(file.metadata().file_metadata().key_value_metadata().unwrap().contains(&note));
    let batch = file.build().unwrap().next().unwrap().unwrap();
    let expected = RecordBatch::try_from_iter([
        ("owner", text([Some("ann"), None])),
        ("racks", numbers([Some(7), None])),
        ("name", text([Some("a"), Some("c")])),
        ("site", text([Some("fra"), None])),
    ]);
    let expected = expected.unwrap();
    assert_eq!(batch.schema().fields(), expected.schema().fields());
    assert_eq!(batch.columns(), expected.columns());
}

//! Keys of a nested value that the model's struct does not know stay in Parquet, as they do in the text formats.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, StructArray, UInt32Array};
use arrow_schema::{DataType, Field};
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::report::Status;
use diffsync_core::{Dataset, SyncModel, Table, job};

use super::kept::nested::{Loc, Nic};
use super::{Folders, parquet_file, run};

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "devices.parquet")]
struct Device {
    #[sync(id)]
    name: String,
    loc: Option<Loc>,
    nics: Vec<Nic>,
}

#[derive(Dataset, Default)]
struct Devices {
    devices: Table<Device>,
}

#[job(source = Folder<Devices>, target = Folder<Devices>)]
struct Copy {
    source: PathBuf,
    target: PathBuf,
}

opens!(Copy: Folder<Devices> = |job| Folder::new(&job.source), Folder<Devices> = |job| Folder::new(&job.target));

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

/// A device whose nested values are JSON in columns of text.
fn as_json(loc: &str, nics: &str) -> Vec<u8> {
    parquet_file([("name", text("a")), ("loc", text(loc)), ("nics", text(nics))], None)
}

/// A device whose nested values are structs with more keys than the model knows.
fn as_structs() -> Vec<u8> {
    let known = |name| Arc::new(Field::new(name, DataType::Utf8, true));
    let loc = StructArray::from(vec![
        (known("city"), text("ams")),
        (
            Arc::new(Field::new("floor", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![f64::NAN])) as ArrayRef,
        ),
        (known("zip"), text("1")),
        (Arc::new(Field::new("door", DataType::UInt32, true)), Arc::new(UInt32Array::from(vec![7])) as ArrayRef),
    ]);
    let fields = vec![
        Field::new("mac", DataType::Utf8, true),
        Field::new("speed", DataType::UInt32, true),
        Field::new("vendor", DataType::Utf8, true),
    ];
    let mut nics = ListBuilder::new(StructBuilder::from_fields(fields, 2));
    for (mac, speed, vendor) in [("aa", 1, "x"), ("bb", 2, "y")] {
        let nic = nics.values();
        nic.field_builder::<StringBuilder>(0).unwrap().append_value(mac);
        nic.field_builder::<UInt32Builder>(1).unwrap().append_value(speed);
        nic.field_builder::<StringBuilder>(2).unwrap().append_value(vendor);
        nic.append(true);
    }
    nics.append(true);
    parquet_file([("name", text("a")), ("loc", Arc::new(loc)), ("nics", Arc::new(nics.finish()))], None)
}

fn folders(source: Vec<u8>, target: Vec<u8>) -> Folders {
    let folders = Folders::new();
    fs::write(folders.source().join("devices.parquet"), source).unwrap();
    fs::write(folders.target().join("devices.parquet"), target).unwrap();
    folders
}

#[track_caller]
fn sync(folders: &Folders) -> RecordBatch {
    for updated in [1, 0] {
        let report = run(Copy { source: folders.source(), target: folders.target() });
        let failures: Vec<_> = report.failures().collect();
        assert_eq!(report.status, Status::Completed, "{:?} {failures:?}", report.error_text());
        assert_eq!(report.counts.updated, updated);
    }
    batch(&folders.target().join("devices.parquet"))
}

fn batch(path: &Path) -> RecordBatch {
    let file = fs::File::open(path).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap()
}

const LOC: &str = r#"{"city":"fra","zip":"1"}"#;
const NICS: &str = r#"[{"mac":"bb","speed":2},{"mac":"aa","speed":10},{"mac":"cc","speed":7}]"#;

#[test]
fn json_in_a_column_of_text_keeps_keys_that_the_struct_does_not_know() {
    let target = as_json(
        r#"{"city": "ams", "floor": 1.50, "zip": "1"}"#,
        r#"[{"mac":"aa","vendor":"x","speed":1}, {"mac":"bb", "speed":2,"vendor":"y"}]"#,
    );
    let batch = sync(&folders(as_json(LOC, NICS), target));
    let column = |at: usize| batch.column(at).as_string::<i32>().value(0).to_owned();
    assert_eq!(column(1), r#"{"city": "fra", "floor": 1.50, "zip": "1"}"#);
    assert_eq!(
        column(2),
        r#"[{"mac":"bb", "speed":2,"vendor":"y"}, {"mac":"aa","vendor":"x","speed":10}, {"mac":"cc","speed":7}]"#
    );
}

#[test]
fn a_column_of_structs_keeps_keys_that_the_struct_does_not_know() {
    let batch = sync(&folders(as_json(LOC, NICS), as_structs()));
    let loc = batch.column(1).as_struct();
    assert_eq!(loc.column(0).as_string::<i32>().value(0), "fra");
    assert!(loc.column(1).is_valid(0) && loc.column(1).as_primitive::<Float64Type>().value(0).is_nan());
    assert_eq!(loc.column(3).as_primitive::<UInt32Type>().value(0), 7);

    let nics = batch.column(2).as_list::<i32>().value(0);
    let nics = nics.as_struct();
    let (macs, vendors) = (nics.column(0).as_string::<i32>(), nics.column(2).as_string::<i32>());
    assert_eq!(macs.iter().collect::<Vec<_>>(), [Some("bb"), Some("aa"), Some("cc")]);
    assert_eq!(nics.column(1).as_primitive::<UInt32Type>().values(), &[2, 10, 7]);
    assert_eq!(vendors.iter().collect::<Vec<_>>(), [Some("y"), Some("x"), None]);
}

//! Parquet: what an edit does not concern stays as it is, and a column holds a value exactly or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::Int96;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use ::parquet::schema::types::ColumnPath;
use arrow_array::types::{ArrowPrimitiveType, Decimal256Type, Int8Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationMicrosecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int64Array,
    ListArray, RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array,
};
use arrow_schema::{Field, Schema};
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::data::Side;
use diffsync_core::job::JobSpec;
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, Run, SyncModel, Table, job};

use super::{Folders, block_on, load, parquet_file, run};

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "gauges.parquet")]
struct Gauge {
    #[sync(id)]
    name: String,
    level: Option<f64>,
    note: Option<String>,
}

#[derive(SyncModel, FileModel, Clone)]
#[file(path = "goods.parquet")]
struct Good {
    #[sync(id)]
    name: String,
    price: String,
    ratio: f64,
    count: i64,
    small: f32,
    since: Option<String>,
}

#[derive(Dataset, Default)]
struct Stock {
    gauges: Table<Gauge>,
    goods: Table<Good>,
}

#[job(source = Folder<Stock>, target = Folder<Stock>)]
struct Copying {
    source: PathBuf,
    target: PathBuf,
}

opens!(Copying: Folder<Stock> = |job| Folder::new(&job.source), Folder<Stock> = |job| Folder::new(&job.target));

const GAUGES: &str = "gauges.parquet";
const GOODS: &str = "goods.parquet";

fn copy(folders: &Folders) -> RunReport {
    run(Copying { source: folders.source(), target: folders.target() })
}

/// Brings the target in line with the source, which takes one run.
fn sync(folders: &Folders) {
    let report = copy(folders);
    let failed: Vec<_> = report.failures().map(|failure| failure.reason).collect();
    assert_eq!(report.status, Status::Completed, "{:?} {failed:?} {:?}", report.error_text(), report.problems());
    let again = copy(folders);
    assert_eq!((again.status, again.counts.updated, again.counts.created), (Status::Completed, 0, 0));
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn gauges(names: &[&str], levels: &[Option<f64>], notes: &[Option<&str>]) -> [(&'static str, ArrayRef); 3] {
    let names: Vec<_> = names.iter().copied().map(Some).collect();
    [("name", text(&names)), ("level", Arc::new(Float64Array::from(levels.to_vec()))), ("note", text(notes))]
}

/// A row of goods as a tuple.
type GoodRow<'a> = (&'a str, &'a str, f64, i64, f32, Option<&'a str>);

/// Goods as they would be written anew.
fn goods(rows: &[GoodRow<'_>]) -> Vec<u8> {
    let texts =
        |of: fn(&GoodRow<'_>) -> Option<String>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<StringArray>()) };
    parquet_file(
        [
            ("name", texts(|row| Some(row.0.to_owned()))),
            ("price", texts(|row| Some(row.1.to_owned()))),
            ("ratio", Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Float64Array>())),
            ("count", Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Int64Array>())),
            ("small", Arc::new(rows.iter().map(|row| Some(row.4)).collect::<Float32Array>())),
            ("since", texts(|row| row.5.map(ToOwned::to_owned))),
        ],
        None,
    )
}

/// Folders with these gauges, and no goods.
fn folders(source: Vec<u8>, target: Vec<u8>) -> Folders {
    let folders = Folders::new();
    fs::write(folders.source().join(GAUGES), source).unwrap();
    fs::write(folders.target().join(GAUGES), target).unwrap();
    for side in [folders.source(), folders.target()] {
        fs::write(side.join(GOODS), goods(&[])).unwrap();
    }
    folders
}

fn metadata(path: &Path) -> ArrowReaderMetadata {
    ArrowReaderMetadata::load(&File::open(path).unwrap(), ArrowReaderOptions::new()).unwrap()
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    reader.with_batch_size(1).build().unwrap().map(Result::unwrap).collect()
}

/// The metadata of each column of a file, in each group of rows.
fn properties(path: &Path) -> Vec<String> {
    let metadata = metadata(path);
    let groups = metadata.metadata().row_groups().iter();
    let columns = groups.flat_map(|group| {
        group.columns().iter().map(|column| {
            let mut encodings: Vec<_> = column.encodings().map(|it| it.to_string()).collect();
            encodings.sort();
            format!(
                "{}: {} rows, {}, {encodings:?}, statistics {}, pages {}, filter {} of {:?}",
                column.column_path(),
                group.num_rows(),
                column.compression(),
                column.statistics().is_some(),
                column.column_index_offset().is_some(),
                column.bloom_filter_offset().is_some(),
                column.bloom_filter_length(),
            )
        })
    });
    columns.collect()
}

/// Asserts that all but the model's columns are the same in both files, down to how they are written.
fn assert_kept(before: &Path, after: &Path) {
    let (old, new) = (metadata(before), metadata(after));
    let of_file = |it: &ArrowReaderMetadata| {
        let file = it.metadata().file_metadata();
        (file.schema().clone(), file.key_value_metadata().cloned())
    };
    assert_eq!(of_file(&new), of_file(&old));
    assert_eq!(new.schema(), old.schema());
    assert_eq!(properties(after), properties(before));
    let (old, new) = (batches(before), batches(after));
    assert_eq!(new.len(), old.len());
    for (old, new) in old.iter().zip(&new) {
        for (field, (old, new)) in old.schema().fields().iter().zip(old.columns().iter().zip(new.columns())) {
            if !["name", "level", "note"].contains(&field.name().as_str()) {
                assert_eq!(new, old, "{field}");
            }
        }
    }
}

/// Gauges with columns of all kinds of types that the model does not know, written in all kinds of ways.
fn with_all_types() -> Vec<u8> {
    type I256 = <Decimal256Type as ArrowPrimitiveType>::Native;
    let zone = |it: Vec<i64>| TimestampMicrosecondArray::from(it).with_timezone("Europe/Berlin");
    let keys = Int8Array::from(vec![Some(0), None, Some(1), Some(0)]);
    let dictionary = DictionaryArray::<Int8Type>::new(keys, Arc::new(Int64Array::from(vec![1 << 40, -7])));
    let lists = [Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(4)])];
    let [name, level, note] = gauges(
        &["a", "b", "c", "d"],
        &[Some(1.0), None, Some(3.0), Some(4.0)],
        &[Some("x"), None, Some("y"), Some("z")],
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("zoned", Arc::new(zone(vec![0, 1, -1, 1_700_000_000_000_000]))),
        (
            "wide",
            Arc::new(
                Decimal256Array::from_iter_values((0..4).map(I256::from_i128)).with_precision_and_scale(60, 3).unwrap(),
            ),
        ),
        name,
        ("date", Arc::new(Date32Array::from(vec![Some(0), None, Some(20_000), Some(-1)]))),
        ("day", Arc::new(Date64Array::from(vec![0, 86_400_000, 20_000 * 86_400_000, -86_400_000]))),
        level,
        ("coded", Arc::new(dictionary)),
        ("price", Arc::new(Decimal128Array::from(vec![1, -2, 3, 4]).with_precision_and_scale(9, 2).unwrap())),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![1, 2, 3, 4]))),
        ("lasts", Arc::new(DurationMicrosecondArray::from(vec![1, 2, 3, 4]))),
        ("code", Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8; 4], [2; 4], [3; 4], [4; 4]].iter()).unwrap())),
        note,
        ("bytes", Arc::new(BinaryArray::from(vec![&b"a"[..], b"", b"b", b"\xff"]))),
        ("list", Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(lists))),
        ("number", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("octet", Arc::new(UInt8Array::from(vec![1, 2, 3, 255]))),
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true, true]))),
    ];
    let fields = columns.iter().map(|(name, array)| {
        let is_nullable = array.null_count() > 0 || ["level", "note"].contains(name);
        let notes = HashMap::from([("of".to_owned(), (*name).to_owned())]);
        Field::new(*name, array.data_type().clone(), is_nullable).with_metadata(notes)
    });
    let schema =
        Schema::new(fields.collect::<Vec<_>>()).with_metadata(HashMap::from([("by".to_owned(), "hand".to_owned())]));
    let path = |name: &str| ColumnPath::from(name);
    let properties = WriterProperties::builder()
        .set_coerce_types(true)
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_max_row_group_row_count(Some(3))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(path("number"), EnabledStatistics::Page)
        .set_column_statistics_enabled(path("bytes"), EnabledStatistics::None)
        .set_compression(Compression::SNAPPY)
        .set_column_compression(path("zoned"), Compression::UNCOMPRESSED)
        .set_column_compression(path("note"), Compression::ZSTD(ZstdLevel::default()))
        .set_column_compression(path("wide"), Compression::LZ4_RAW)
        .set_column_dictionary_enabled(path("number"), false)
        .set_column_encoding(path("number"), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(path("level"), false)
        .set_column_bloom_filter_enabled(path("note"), true)
        .set_column_bloom_filter_max_ndv(path("note"), 1000)
        .set_key_value_metadata(Some(vec![KeyValue::new("who".to_owned(), "me".to_owned())]))
        .build();
    let batch = RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn an_edit_leaves_what_the_model_does_not_know_as_it_is_written() {
    let source = gauges(
        &["a", "b", "c", "d"],
        &[Some(1.5), None, Some(f64::NAN), Some(4.0)],
        &[Some("x"), Some("new"), Some("y"), None],
    );
    let folders = folders(parquet_file(source, None), with_all_types());
    let (before, after) = (folders.source().join("before"), folders.target().join(GAUGES));
    fs::copy(&after, &before).unwrap();
    sync(&folders);
    assert_kept(&before, &after);
}

#[test]
fn a_record_that_goes_takes_only_its_row_along() {
    let source = gauges(&["a", "c", "d"], &[Some(1.0), Some(3.0), Some(4.0)], &[Some("x"), Some("y"), Some("z")]);
    let folders = folders(parquet_file(source, None), with_all_types());
    let before = batches(&folders.target().join(GAUGES));
    sync(&folders);
    let after = batches(&folders.target().join(GAUGES));
    assert_eq!(after, [before[0].clone(), before[2].clone(), before[3].clone()]);
}

#[test]
fn nan_and_infinities_are_not_null() {
    let levels = [Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None, Some(0.1)];
    let (names, notes) = (["a", "b", "c", "d", "e"], [None; 5]);
    let source = parquet_file(gauges(&names, &levels, &notes), None);
    let old = [Some(1.0), Some(1.0), None, Some(1.0), None];
    let folders = folders(source.clone(), parquet_file(gauges(&names, &old, &notes), None));
    sync(&folders);
    let bits = |path: &Path| -> Vec<Option<u64>> {
        let batches = batches(&path.join(GAUGES));
        let level = |batch: &RecordBatch| {
            let level = batch.column_by_name("level").unwrap();
            level.as_any().downcast_ref::<Float64Array>().unwrap().iter().next().unwrap().map(f64::to_bits)
        };
        batches.iter().map(level).collect()
    };
    assert_eq!(bits(&folders.target()), bits(&folders.source()));

    // Nor in a new file.
    fs::remove_file(folders.target().join(GAUGES)).unwrap();
    sync(&folders);
    assert_eq!(bits(&folders.target()), bits(&folders.source()));
}

#[test]
fn what_a_column_would_change_is_an_error_of_its_record() {
    let exact = ("exact", "1.50", 0.5, 7, 0.1, Some("2026-01-02"));
    let source = goods(&[
        exact,
        ("cut", "1.505", 0.5, 7, 0.1, None),
        ("rounded", "1.50", 0.1, 7, 0.1, None),
        ("large", "1.50", 0.5, 300, 0.1, None),
        ("no date", "1.50", 0.5, 7, 0.1, Some("tomorrow")),
    ]);
    let target: [(&str, ArrayRef); 6] = [
        ("name", text(&[Some("old")])),
        ("price", Arc::new(Decimal128Array::from(vec![100]).with_precision_and_scale(10, 2).unwrap())),
        ("ratio", Arc::new(Float32Array::from(vec![0.1]))),
        ("count", Arc::new(Int8Array::from(vec![1]))),
        ("small", Arc::new(Float32Array::from(vec![0.1]))),
        ("since", Arc::new(Date32Array::from(vec![Some(0)]))),
    ];
    let folders = folders(parquet_file(gauges(&[], &[], &[]), None), parquet_file(gauges(&[], &[], &[]), None));
    fs::write(folders.source().join(GOODS), source).unwrap();
    fs::write(folders.target().join(GOODS), parquet_file(target, None)).unwrap();

    let failed = |report: &RunReport| report.failures().map(|it| it.record.clone()).collect::<Vec<_>>();
    let job = Copying { source: folders.source(), target: folders.target() };
    let dry = block_on(Run::execute(Arc::new(job), RunOptions::new(&Copying::INFO), Vec::new()));
    assert_eq!(failed(&dry), ["cut", "rounded", "large", "no date"]);
    let report = copy(&folders);
    assert_eq!(failed(&report), ["cut", "rounded", "large", "no date"]);
    let reason = report.failures().next().unwrap().reason;
    assert!(reason.contains("`price`") && reason.contains("Decimal128(10, 2)"), "{reason}");

    let stock: Stock = load(&folders.target(), diffsync_core::data::Side::Target).unwrap();
    let good = stock.goods.get("exact").unwrap();
    assert_eq!((&*good.price, good.ratio, good.count, good.small), ("1.50", 0.5, 7, 0.1));
    assert_eq!(good.since.as_deref(), Some("2026-01-02"));
}

/// A Python with pyarrow: the one that a variable names, or the system's.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("DIFFSYNC_PYARROW").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).args(["-c", "import pyarrow.parquet"]).output();
    found.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn a_file_that_pyarrow_wrote_stays_as_it_is_written() {
    let Some(python) = python() else {
        println!("SKIPPED: no Python with pyarrow; `pip install pyarrow`, and name it in DIFFSYNC_PYARROW");
        return;
    };
    let source = gauges(&["a", "b"], &[Some(1.5), None], &[Some("new"), None]);
    let folders = folders(parquet_file(source, None), Vec::new());
    let (before, after) = (folders.source().join("before"), folders.target().join(GAUGES));
    let script = r#"
import datetime as dt, decimal, sys
import pyarrow as pa, pyarrow.parquet as pq
of = lambda values, type: pa.array(values, type)
day = dt.date(2026, 1, 2)
then = dt.datetime(2026, 1, 2, 3, 4, 5)
table = pa.table({
    "name": of(["a", "b"], pa.string()), "level": of([1.0, None], pa.float64()), "note": of(["x", None], pa.string()),
    "date32": of([day, None], pa.date32()), "date64": of([day, None], pa.date64()),
    "second": of([then, None], pa.timestamp("s")), "zoned": of([then, None], pa.timestamp("us", "Europe/Berlin")),
    "nano": of([1, None], pa.timestamp("ns", "UTC")), "time": of([dt.time(1, 2), None], pa.time32("s")),
    "price": of([decimal.Decimal("1.50"), None], pa.decimal128(9, 2)),
    "wide": of([decimal.Decimal("1.50"), None], pa.decimal256(60, 2)),
    "coded": pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int8()), pa.array([7], pa.int64())),
    "words": pa.array(["x", None]).dictionary_encode(), "large": of(["x", None], pa.large_string()),
    "lasts": of([1, None], pa.duration("s")), "half": pa.array([1, 2], pa.uint32()),
    "nested": of([{"x": [1, 2]}, None], pa.struct([("x", pa.list_(pa.int16()))])),
    "map": of([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
})
pq.write_table(table, sys.argv[1], compression={"name": "gzip", "level": "none", "note": "zstd"}, write_statistics=["level"],
               use_dictionary=["words", "note"], write_page_index=False)
"#;
    let written = Command::new(&python).arg("-c").arg(script).arg(&after).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    fs::copy(&after, &before).unwrap();
    sync(&folders);
    assert_kept(&before, &after);

    // And reads it again.
    let script = r#"
import sys, pyarrow.parquet as pq
before, after = (pq.read_table(path) for path in sys.argv[1:])
assert after.schema.equals(before.schema, check_metadata=True), (before.schema, after.schema)
ours = ["level", "note"]
assert after.drop(ours).equals(before.drop(ours))
"#;
    let read = Command::new(&python).arg("-c").arg(script).args([&before, &after]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

/// Goods whose `since` is a time of 96 bits, at this nanosecond of 2026-01-02.
fn outdated_goods(nanoseconds: u64) -> Vec<u8> {
    let schema = "message goods { required binary name (UTF8); required binary price (UTF8); required double ratio;
        required int64 count; required float small; optional int96 since; }";
    let mut file = Vec::new();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(column) => column.write_batch(&["x".into()], None, None).map(drop),
            ColumnWriter::DoubleColumnWriter(column) => column.write_batch(&[0.5], None, None).map(drop),
            ColumnWriter::Int64ColumnWriter(column) => column.write_batch(&[1], None, None).map(drop),
            ColumnWriter::FloatColumnWriter(column) => column.write_batch(&[0.5], None, None).map(drop),
            ColumnWriter::Int96ColumnWriter(column) => {
                // The nanosecond of the day, then the day of the Julian calendar.
                let (low, high) = (nanoseconds & u64::from(u32::MAX), nanoseconds >> 32);
                let parts = [low, high, 2_461_043].map(|part| u32::try_from(part).unwrap());
                column.write_batch(&[Int96::from(parts.to_vec())], Some(&[1]), None).map(drop)
            }
            _ => unreachable!(),
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn a_time_of_96_bits_is_read_exactly_and_its_file_is_not_written() {
    let folders = folders(parquet_file(gauges(&[], &[], &[]), None), parquet_file(gauges(&[], &[], &[]), None));
    let target = folders.target().join(GOODS);
    fs::write(&target, outdated_goods(3_723_123_456_789)).unwrap();
    let stock: Stock = load(&folders.target(), Side::Target).unwrap();
    let since = stock.goods.iter().next().unwrap().since.clone();
    assert_eq!(since.as_deref(), Some("2026-01-02T01:02:03.123456789"));

    // A change of another column is refused as well, and the file stays.
    fs::write(folders.source().join(GOODS), goods(&[("x", "y", 0.5, 1, 0.5, since.as_deref())])).unwrap();
    let report = copy(&folders);
    let error =
        format!("{:?} {:?}", report.error_text(), report.failures().map(|failed| failed.reason).collect::<Vec<_>>());
    assert!(error.contains("the column `since` is of the type INT96"), "{error}");
    assert_eq!(fs::read(&target).unwrap(), outdated_goods(3_723_123_456_789));
}

//! How a file is written, so that the new one is written as the old was.

use std::fs::File;

use ::parquet::basic::{Encoding, Type};
use ::parquet::column::page::Page;
use ::parquet::errors::Result;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use ::parquet::file::properties::{
    DEFAULT_MAX_ROW_GROUP_ROW_COUNT, EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use ::parquet::file::reader::{FileReader, SerializedFileReader};

/// The properties of a file. The sorting columns are kept only if `stays_sorted` is true for each of them.
pub(crate) fn properties(
    file: &File,
    old: &ParquetMetaData,
    stays_sorted: impl Fn(&str) -> bool,
) -> Result<WriterProperties> {
    let groups = old.row_groups();
    let schema = old.file_metadata().schema_descr();
    let sorting = groups.first().and_then(|group| group.sorting_columns()).filter(|columns| {
        let root = |column: usize| schema.get_column_root(column).name().to_owned();
        columns.iter().all(|it| usize::try_from(it.column_idx).is_ok_and(|column| stays_sorted(&root(column))))
    });

    // A file with one group does not show how large a group may become.
    let largest = groups.iter().filter_map(|group| usize::try_from(group.num_rows()).ok()).max().unwrap_or_default();
    let rows = if groups.len() > 1 { largest } else { largest.max(DEFAULT_MAX_ROW_GROUP_ROW_COUNT) };
    let has = |what: fn(&ColumnChunkMetaData) -> bool| groups.iter().any(|group| group.columns().iter().any(what));

    let mut properties = WriterProperties::builder()
        .set_writer_version(version(file)?)
        .set_max_row_group_row_count(Some(rows.max(1)))
        .set_offset_index_disabled(!has(|column| column.offset_index_offset().is_some()))
        .set_key_value_metadata(old.file_metadata().key_value_metadata().cloned())
        .set_sorting_columns(sorting.cloned());

    for column in 0..schema.num_columns() {
        let chunks: Vec<_> = groups.iter().filter_map(|group| group.columns().get(column)).collect();
        properties = of_column(properties, &chunks);
    }

    Ok(properties.build())
}

/// Adds the properties of a column with these chunks.
fn of_column(properties: WriterPropertiesBuilder, chunks: &[&ColumnChunkMetaData]) -> WriterPropertiesBuilder {
    let Some(first) = chunks.first() else { return properties };
    let path = || first.column_path().clone();
    let has = |what: fn(&ColumnChunkMetaData) -> bool| chunks.iter().any(|chunk| what(chunk));

    let statistics = if has(|chunk| chunk.column_index_offset().is_some()) {
        EnabledStatistics::Page
    } else if has(|chunk| chunk.statistics().is_some()) {
        EnabledStatistics::Chunk
    } else {
        EnabledStatistics::None
    };

    let encodings: Vec<Encoding> = chunks.iter().flat_map(|chunk| chunk.encodings()).collect();
    #[allow(deprecated, reason = "old files have it")]
    let is_dictionary = |it: &Encoding| matches!(it, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    let properties = properties
        .set_column_compression(path(), first.compression())
        .set_column_statistics_enabled(path(), statistics)
        .set_column_dictionary_enabled(path(), encodings.iter().any(is_dictionary))
        .set_column_encoding(path(), encoding(first.column_type(), &encodings));
    match bloom_filter(chunks) {
        None => properties.set_column_bloom_filter_enabled(path(), false),
        Some(values) => properties
            .set_column_bloom_filter_enabled(path(), true)
            .set_column_bloom_filter_fpp(path(), FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(path(), values),
    }
}

/// The encoding of values that are in no dictionary.
fn encoding(of: Type, encodings: &[Encoding]) -> Encoding {
    let is_special = |it: &&Encoding| {
        matches!(
            it,
            Encoding::DELTA_BINARY_PACKED
                | Encoding::DELTA_LENGTH_BYTE_ARRAY
                | Encoding::DELTA_BYTE_ARRAY
                | Encoding::BYTE_STREAM_SPLIT
        )
    };

    match encodings.iter().find(is_special) {
        Some(special) => *special,
        // In other types RLE is that of the levels.
        None if of == Type::BOOLEAN && !encodings.contains(&Encoding::PLAIN) => Encoding::RLE,
        None => Encoding::PLAIN,
    }
}

/// The rate of false positives of bloom filters. The file does not contain the rate for which its filters were created.
const FALSE_POSITIVES: f64 = 0.05;

/// The number of distinct values of the column's filter, if it has one.
fn bloom_filter(chunks: &[&ColumnChunkMetaData]) -> Option<u64> {
    chunks.iter().find(|chunk| chunk.bloom_filter_offset().is_some())?;
    let bytes = chunks.iter().filter_map(|chunk| chunk.bloom_filter_length()).max();
    // A filter for n values has -8n / ln(1 - p^(1/8)) bits, rounded up to a power of two.
    let bits = 8.0 * f64::from(bytes.unwrap_or(1 << 20));
    let values = -bits / 8.0 * (1.0 - FALSE_POSITIVES.powf(1.0 / 8.0)).ln();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of values above 0")]
    Some((values * 0.9) as u64)
}

/// The version of the pages: that of the first there is.
fn version(file: &File) -> Result<WriterVersion> {
    let reader = SerializedFileReader::new(file.try_clone()?)?;
    if reader.num_row_groups() == 0 || reader.metadata().file_metadata().schema_descr().num_columns() == 0 {
        return Ok(WriterVersion::PARQUET_1_0);
    }

    let mut pages = reader.get_row_group(0)?.get_column_page_reader(0)?;
    while let Some(page) = pages.get_next_page()? {
        match page {
            Page::DictionaryPage { .. } => {}
            Page::DataPage { .. } => return Ok(WriterVersion::PARQUET_1_0),
            Page::DataPageV2 { .. } => return Ok(WriterVersion::PARQUET_2_0),
        }
    }

    Ok(WriterVersion::PARQUET_1_0)
}

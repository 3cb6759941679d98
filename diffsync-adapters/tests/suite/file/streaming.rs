//! A file that is read piece by piece is never in memory as a whole.

use std::fs;
use std::sync::Arc;

use ::parquet::file::properties::WriterProperties;
use arrow_array::StringArray;
use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::data::Side;
use diffsync_core::memory::MemoryScope;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{load, parquet_file};

/// A text that is reduced to its length, so that the records are far smaller than the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
struct Length(usize);

impl From<String> for Length {
    fn from(text: String) -> Self {
        Self(text.len())
    }
}

impl From<Length> for String {
    fn from(Length(length): Length) -> Self {
        "x".repeat(length)
    }
}

/// A data set of pages that are kept in one format.
macro_rules! pages {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use super::*;

            #[derive(SyncModel, FileModel, Clone)]
            #[file($($file)*)]
            struct Page {
                #[sync(id)]
                name: String,
                text: Length,
            }

            #[derive(Dataset, Default)]
            struct Pages {
                pages: Table<Page>,
            }

            /// The size of a file that holds this, and the most that is in memory while it is loaded.
            pub(super) fn size_and_peak(contents: impl AsRef<[u8]>) -> (u64, u64) {
                measure::<Pages>(Page::FILE.path, contents.as_ref())
            }
        }
    };
}

pages!(csv, path = "pages.csv");
pages!(json, path = "pages.json");
pages!(json_lines, path = "pages.jsonl");
pages!(yaml, path = "pages.yml");
pages!(toml, path = "pages.toml");
pages!(parquet, path = "pages.parquet");

fn measure<D: Dataset>(name: &str, contents: &[u8]) -> (u64, u64)
where
    Folder<D>: Adapter<Data = D>,
{
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), contents).unwrap();
    // While two scopes are open, what other tests allocate counts for neither.
    let (scope, _other) = (MemoryScope::new(), MemoryScope::new());
    scope.enter(|| load::<D>(folder.path(), Side::Source).map(drop)).unwrap();
    (contents.len() as u64, scope.heap().unwrap().peak)
}

/// As many pages, each written as `page` says, with a text of a thousand letters.
fn pages(count: usize, separator: &str, page: impl Fn(usize, &str) -> String) -> String {
    let text = "x".repeat(1000);
    let pages: Vec<_> = (0..count).map(|number| page(number, &text)).collect();
    pages.join(separator)
}

#[test]
fn of_csv_json_and_parquet_only_a_piece_is_in_memory() {
    let check = |(size, peak): (u64, u64)| assert!(peak < size / 2, "{peak} bytes in memory, and the file has {size}");
    let lines = pages(5000, "\n", |number, text| format!("page-{number},{text}"));
    check(csv::size_and_peak(format!("name,text\n{lines}\n")));
    let object = |number, text: &str| format!(r#"{{"name": "page-{number}", "text": "{text}"}}"#);
    check(json::size_and_peak(format!("[{}]", pages(5000, ",\n", object))));
    check(json_lines::size_and_peak(pages(5000, "\n", object)));
    // Of Parquet some thousand rows are read at a time.
    let names = StringArray::from_iter_values((0..40_000).map(|number| format!("page-{number}")));
    let texts = StringArray::from_iter_values(std::iter::repeat_n("x".repeat(1000), 40_000));
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let file = parquet_file([("name", Arc::new(names)), ("text", Arc::new(texts))], Some(properties));
    check(parquet::size_and_peak(file));
}

#[test]
fn yaml_and_toml_are_in_memory_as_a_whole() {
    let check = |(size, peak): (u64, u64)| assert!(peak >= size, "{peak} bytes in memory, and the file has {size}");
    check(yaml::size_and_peak(pages(1000, "\n", |number, text| format!("- name: page-{number}\n  text: {text}"))));
    check(toml::size_and_peak(pages(1000, "\n", |number, text| {
        format!("[[page]]\nname = 'page-{number}'\ntext = '{text}'")
    })));
}

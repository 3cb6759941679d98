//! What a file cannot hold is an error of the record, and all others are written.

use std::path::PathBuf;

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::{Adapter, Dataset, SyncModel, Table, job};

use super::{Folders, run};

/// A data set of gauges that are kept in one format, and a job that gives it these.
macro_rules! gauges {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use super::*;

            #[derive(SyncModel, FileModel, Clone)]
            #[file($($file)*)]
            struct Gauge {
                #[sync(id)]
                name: String,
                level: f64,
                note: Option<String>,
                codes: Vec<Option<u64>>,
            }

            #[derive(Dataset, Default)]
            struct Gauges {
                gauges: Table<Gauge>,
            }

            struct Given;

            impl Adapter for Given {
                type Data = Gauges;
                async fn load(&self, data: &mut Gauges, _: &LoadContext<'_>) -> Result<(), AdapterError> {
                    let gauge = |name: &str, level, note: Option<&str>, codes| Gauge {
                        name: name.into(), level, note: note.map(Into::into), codes,
                    };
                    data.gauges.extend([
                        gauge("good", 1.0, Some("x"), vec![Some(1)]),
                        gauge("nan", f64::NAN, None, vec![]),
                        gauge("blank", 1.5, Some(""), vec![]),
                        gauge("large", 2.0, None, vec![Some(u64::MAX)]),
                        gauge("null", 2.5, None, vec![None]),
                    ]);
                    Ok(())
                }
            }

            #[job(source = Given, target = Folder<Gauges>)]
            struct ToFolder {
                target: PathBuf,
            }

            opens!(ToFolder: Given = |_| Given, Folder<Gauges> = |job| Folder::new(&job.target));

            /// Which of the gauges cannot be written.
            pub(super) fn failed() -> Vec<String> {
                let folders = Folders::new();
                let report = run(ToFolder { target: folders.target() });
                report.failures().into_iter().map(|failure| failure.record.clone()).collect()
            }
        }
    };
}

gauges!(csv, path = "gauges.csv");
gauges!(json, path = "gauges.json");
gauges!(yaml, path = "gauges.yml");
gauges!(toml, path = "gauges.toml");
gauges!(parquet, path = "gauges.parquet");

#[test]
fn what_a_file_cannot_hold_is_an_error_of_its_record() {
    // JSON alone has no word for a number that is none.
    assert_eq!(csv::failed(), ["blank"]);
    assert_eq!(json::failed(), ["nan"]);
    assert!(yaml::failed().is_empty());
    assert_eq!(toml::failed(), ["large", "null"]);
    // Its columns hold every number, and a NaN as such.
    assert!(parquet::failed().is_empty());
}

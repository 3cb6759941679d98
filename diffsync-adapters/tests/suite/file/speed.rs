//! How fast a million records are written and loaded: `cargo test --release -p diffsync-adapters --all-features -- --ignored --nocapture a_million`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::memory::MemoryScope;
use diffsync_core::report::Status;
use diffsync_core::{Adapter, Dataset, SyncModel, Table, job};
use tempfile::TempDir;

use super::{load, run};

/// A data set of devices that are kept in one format, and a job that gives it so many.
macro_rules! devices {
    ($format:ident, $rows:literal, $($file:tt)*) => {
        mod $format {
            use super::*;

            const ROWS: u32 = $rows;

            #[derive(SyncModel, FileModel, Clone)]
            #[file($($file)*)]
            struct Device {
                #[sync(id)]
                name: String,
                site: String,
                serial: Option<String>,
                height: u16,
                weight: f64,
                is_active: bool,
            }

            #[derive(Dataset, Default)]
            struct Devices {
                devices: Table<Device>,
            }

            struct Many;

            impl Adapter for Many {
                type Data = Devices;
                async fn load(&self, data: &mut Devices, _: &LoadContext<'_>) -> Result<(), AdapterError> {
                    data.devices.extend((0..ROWS).map(|number| Device {
                        name: format!("device-{number:07}"),
                        site: format!("site-{}", number % 1000),
                        serial: (number % 3 > 0).then(|| format!("FX{number}")),
                        height: (number % 42) as u16,
                        weight: f64::from(number) / 8.0,
                        is_active: number % 7 > 0,
                    }));
                    Ok(())
                }
            }

            #[job(source = Many, target = Folder<Devices>)]
            struct ToFolder {
                target: PathBuf,
            }

            opens!(ToFolder: Many = |_| Many, Folder<Devices> = |job| Folder::new(&job.target));

            /// Writes the file and loads it again; a line of figures.
            pub(super) fn measure() -> String {
                let folder = TempDir::new().unwrap();
                let path = folder.path().join(Device::FILE.path);
                let report = run(ToFolder { target: folder.path().to_owned() });
                assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
                let wrote = report.steps.iter().last().unwrap().duration;
                let size = fs::metadata(&path).unwrap().len();
                let (memory, loading) = (MemoryScope::new(), Instant::now());
                let devices: Devices = memory.enter(|| load(folder.path(), Side::Source)).unwrap();
                let (loaded, memory) = (loading.elapsed(), memory.heap().unwrap());
                assert_eq!(devices.devices.len(), ROWS as usize);
                let per_second = |took: std::time::Duration| f64::from(ROWS) / took.as_secs_f64() / 1000.0;
                format!(
                    "{:<15} {ROWS:>7} rows {:>4} MB   load {:>5.2} s {:>4.0}k rows/s, peak {:>4} MB, then {:>3} MB   execute {:>5.2} s {:>4.0}k rows/s",
                    Device::FILE.path, size / 1_000_000, loaded.as_secs_f64(), per_second(loaded),
                    memory.peak / 1_000_000, memory.in_use / 1_000_000, wrote.as_secs_f64(), per_second(wrote),
                )
            }
        }
    };
}

devices!(csv, 1_000_000, path = "devices.csv");
devices!(json, 1_000_000, path = "devices.json");
devices!(json_lines, 1_000_000, path = "devices.jsonl");
devices!(parquet, 1_000_000, path = "devices.parquet");
// Documents for people, which are read as a whole and never have a million records.
devices!(toml, 100_000, path = "devices.toml");
devices!(yaml, 100_000, path = "devices.yml");

#[test]
#[ignore = "takes a minute"]
fn a_million_records() {
    for measure in [csv::measure, json::measure, json_lines::measure, parquet::measure, toml::measure, yaml::measure] {
        println!("{}", measure());
    }
}

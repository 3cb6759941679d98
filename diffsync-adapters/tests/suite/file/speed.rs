//! How fast a million records are loaded: `cargo test --release -p diffsync-adapters --all-features -- --ignored --nocapture a_million`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::{
    Adapter, AdapterError, Dataset, Job, JobContext, JobError, LoadContext, Side, Status, SyncModel, Table, job,
};
use tempfile::TempDir;

use super::{load, run};

/// A data set of devices that are kept in one format, and a job that gives it a million.
macro_rules! devices {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use super::*;

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

            struct Million;

            impl Adapter for Million {
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

            #[job(source = Million, target = Folder<Devices>)]
            struct ToFolder {
                target: PathBuf,
            }

            impl Job for ToFolder {
                async fn source_adapter(&self, _: &JobContext) -> Result<Million, JobError> {
                    Ok(Million)
                }
                async fn target_adapter(&self, _: &JobContext) -> Result<Folder<Devices>, JobError> {
                    Ok(Folder::at(&self.target))
                }
            }

            /// Writes the file, loads it again, and changes one record of it; a line of figures.
            pub(super) fn measure() -> String {
                let folder = TempDir::new().unwrap();
                let path = folder.path().join(Device::FILE.path);
                let report = run(ToFolder { target: folder.path().to_owned() });
                assert_eq!(report.status, Status::Completed, "{:?}", report.error_text());
                let wrote = report.steps.iter().last().unwrap().duration;
                let size = fs::metadata(&path).unwrap().len();
                let loading = Instant::now();
                let devices: Devices = load(folder.path(), Side::Source).unwrap();
                let loaded = loading.elapsed();
                assert_eq!(devices.devices.len(), ROWS as usize);
                let per_second = |took: std::time::Duration| f64::from(ROWS) / took.as_secs_f64() / 1000.0;
                format!(
                    "{:<24} {:>6.1} MB   load {:>5.2} s {:>7.0}k rows/s   execute {:>5.2} s {:>7.0}k rows/s",
                    Device::FILE.path, size / 1_000_000, loaded.as_secs_f64(), per_second(loaded), wrote.as_secs_f64(), per_second(wrote),
                )
            }
        }
    };
}

const ROWS: u32 = 1_000_000;

devices!(csv, path = "devices.csv");
devices!(json, path = "devices.json");
devices!(json_lines, path = "devices.jsonl");
devices!(parquet, path = "devices.parquet");
devices!(toml, path = "devices.toml");
devices!(yaml, path = "devices.yml");

#[test]
#[ignore = "takes a minute"]
fn a_million_records() {
    let mut figures = String::new();
    for measure in [csv::measure, json::measure, json_lines::measure, parquet::measure, toml::measure, yaml::measure] {
        let line = measure();
        println!("{line}");
        writeln!(figures, "{line}").unwrap();
    }
}

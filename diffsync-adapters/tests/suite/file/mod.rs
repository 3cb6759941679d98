//! Folders of files in every format.

mod bad_input;
mod damaged;
mod edits;
mod kept;
mod laws;
mod memory;
mod parquet_files;
mod parquet_nested;
mod rehearse;
mod replace;
mod sets;
mod speed;
mod streaming;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, RecordBatch};
use diffsync_adapters::file::Folder;
use diffsync_core::adapter::LoadContext;
use diffsync_core::data::Side;
use diffsync_core::job::JobSpec;
use diffsync_core::model::{Limit, Operation};
use diffsync_core::report::RunReport;
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Job, Run};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// The purpose of a site.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    DataCentre,
    Office,
}

/// A data set of sites that are kept in one format, and a job between two folders of it.
macro_rules! sites {
    ($format:ident, $($file:tt)*) => {
        mod $format {
            use std::collections::BTreeMap;
            use std::net::IpAddr;
            use std::path::PathBuf;

            use diffsync_adapters::file::{FileModel, Folder};
            use diffsync_core::{Dataset, SyncModel, Table, job};
            use diffsync_core::value::Secret;

            use super::Role;

            #[derive(SyncModel, FileModel, Clone)]
            #[file($($file)*)]
            pub(super) struct Site {
                #[sync(id)]
                pub(super) name: String,
                #[file(rename = "Full name")]
                pub(super) full_name: String,
                #[sync(compare = blank_is_none)]
                pub(super) note: Option<String>,
                pub(super) racks: u16,
                pub(super) height: f64,
                pub(super) is_open: Option<bool>,
                pub(super) tags: Vec<String>,
                pub(super) role: Option<Role>,
                pub(super) gateway: Option<IpAddr>,
                pub(super) labels: BTreeMap<String, String>,
                pub(super) password: Secret<String>,
                #[sync(local)]
                #[allow(dead_code, reason = "it is not stored, and so comes back empty")]
                pub(super) row: Option<u64>,
            }

            #[derive(Dataset, Default)]
            pub(super) struct Sites {
                pub(super) sites: Table<Site>,
            }

            #[job(source = Folder<Sites>, target = Folder<Sites>)]
            pub(super) struct FolderToFolder {
                pub(super) source: PathBuf,
                pub(super) target: PathBuf,
            }

            opens!(
                FolderToFolder: Folder<Sites> = |job| Folder::new(&job.source),
                Folder<Sites> = |job| Folder::new(&job.target)
            );

            /// A site of this name, with values that follow from it.
            pub(super) fn site(name: &str, number: u16) -> Site {
                let text = || name.repeat(usize::from(number % 3));
                Site {
                    name: name.into(),
                    full_name: text(),
                    note: (number % 2 == 0).then(text).filter(|text| !text.is_empty()),
                    racks: number,
                    height: f64::from(number) / 7.0,
                    is_open: [Some(true), Some(false), None].get(usize::from(number % 3)).copied().flatten(),
                    tags: (0..number % 3).map(|tag| format!("{name}{tag}")).collect(),
                    role: [None, Some(Role::Office), Some(Role::DataCentre)][usize::from(number % 3)],
                    gateway: (number % 2 == 1).then(|| IpAddr::from([192, 0, 2, 1])),
                    labels: (0..number % 2).map(|key| (format!("{name}{key}"), text())).collect(),
                    password: Secret::new(format!("{name}!")),
                    row: Some(7),
                }
            }
        }
    };
}

sites!(csv, path = "sites.csv");
sites!(json, path = "sites.json");
sites!(json_lines, path = "sites.jsonl");
sites!(yaml, path = "sites.yml");
sites!(toml, path = "sites.toml");
sites!(parquet, path = "sites.parquet");

/// Two folders, source and target.
struct Folders(TempDir);

impl Folders {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for side in ["source", "target"] {
            fs::create_dir(folder.path().join(side)).unwrap();
        }
        Self(folder)
    }

    fn source(&self) -> PathBuf {
        self.0.path().join("source")
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("target")
    }

    /// Writes a file of both folders.
    fn with(self, name: &str, source: &str, target: &str) -> Self {
        fs::write(self.source().join(name), source).unwrap();
        fs::write(self.target().join(name), target).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.target().join(name)).unwrap()
    }
}

/// A Parquet file with these columns.
fn parquet_file<const N: usize>(columns: [(&str, ArrayRef); N], properties: Option<WriterProperties>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), properties).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file
}

/// Runs a job for real.
fn run<J: Job + JobSpec>(job: J) -> RunReport {
    let mut options = RunOptions::new(&J::INFO).apply();
    // The limits of a run are tested elsewhere.
    for schema in <J::Data as Dataset>::SCHEMAS {
        options = options.allow(schema.name, Operation::Delete, Limit::Count(1000));
    }
    block_on(Run::execute(Arc::new(job), options, Vec::new()))
}

fn block_on<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

/// Loads a folder outside a job.
fn load<D: Dataset>(path: &Path, side: Side) -> Result<D, String>
where
    Folder<D>: Adapter<Data = D>,
{
    let mut data = D::default();
    let loaded = block_on(Folder::<D>::new(path).load(&mut data, &LoadContext::standalone(side)));
    loaded.map(|()| data).map_err(|error| error.to_string())
}

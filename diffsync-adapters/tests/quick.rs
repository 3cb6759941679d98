//! quick
#![allow(dead_code, unused_imports)]
mod file {
#[path = "/work/w/files/diffsync-adapters/tests/suite/file/parquet_files.rs"] mod parquet_files;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{ArrayRef, RecordBatch};
use diffsync_adapters::file::Folder;
use diffsync_core::{Adapter, Dataset, Job, JobSpec, Limit, LoadContext, Operation, Run, RunOptions, RunReport, Side};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
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
    let mut options = RunOptions::of(&J::INFO).apply();
    // What a run may delete is not what is looked at here.
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
    let loaded = block_on(Folder::<D>::at(path).load(&mut data, &LoadContext::alone(side)));
    loaded.map(|()| data).map_err(|error| error.to_string())
}
}

//! The adapter: a folder of files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diffsync_core::adapter::{
    AdapterError, CompleteContext, Completion, HealthCheck, LoadContext, TargetError, WriteContext,
};
use diffsync_core::data::{HasTable, Side, VisitedBy};
use diffsync_core::memory::MemoryScope;
use diffsync_core::{Adapter, Dataset, ModelExt, Target};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::atomic_write::{Replacement, try_writing_beside};
use super::entries::{ModelEntries, ModelEntry};
use super::formats;
use super::load::{Loading, Origin};
use super::model::FileModel;
use super::model::row::CellError;
#[cfg(feature = "parquet")]
use super::model::schema::Format;
use super::version::{Opened, open};

/// A folder with a file for each model of a data set. All models derive [`FileModel`].
///
/// As a target it writes when a run completes: each changed file is replaced as a whole, or not at all. From the load to the
/// end of the run, no other run can write these files.
pub struct Folder<D> {
    path: PathBuf,
    /// The origin of each model's records.
    loaded: Mutex<Loaded>,
    data: PhantomData<fn() -> D>,
}

/// The loaded files, by model.
type Loaded = BTreeMap<&'static str, Origin>;

impl<D> Folder<D> {
    /// The folder at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), loaded: Mutex::default(), data: PhantomData }
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that a record's file can store it unchanged.
    #[cfg_attr(not(feature = "parquet"), allow(clippy::unused_self, reason = "only Parquet needs the loaded file"))]
    fn check_holdable<M: FileModel>(&self, record: &M, is_new: bool) -> Result<(), CellError> {
        #[cfg(feature = "parquet")]
        if M::FILE.format == Format::Parquet {
            let columns = self.loaded().get(M::NAME).and_then(|origin| origin.columns.clone());
            return columns.map_or(Ok(()), |columns| columns.check(record, is_new));
        }
        let _ = is_new;
        formats::check(record)
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        // A panic elsewhere leaves the map whole.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D> fmt::Debug for Folder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>>> Folder<D> {
    /// Does something with each file. If it fails with one, the records of that one have failed, and nothing is written.
    fn each_file(
        &self,
        synced: &CompleteContext<'_, D>,
        origins: &Loaded,
        mut work: impl FnMut(&ModelEntry<D>, &Path, &Origin) -> Result<(), AdapterError>,
    ) -> Result<(), AdapterError> {
        let files = ModelEntries::<D>::of_data()?;
        let mut failed = Vec::new();
        for file in &files {
            let path = self.path.join(file.path);
            let Some(origin) = origins.get(file.model) else {
                return Err(AdapterError::new(format!("`{}` was not loaded", path.display())));
            };

            if let Err(error) = work(file, &path, origin) {
                failed.push((file.model, error.to_string()));
                (file.settle)(synced, Completion::Failed(error));
            }
        }

        if failed.is_empty() {
            return Ok(());
        }
        for file in files.iter().filter(|file| failed.iter().all(|(model, _)| *model != file.model)) {
            (file.settle)(synced, Completion::NotAttempted);
        }

        let errors: Vec<_> = failed.into_iter().map(|(_, error)| error).collect();
        Err(AdapterError::new(errors.join("\n")))
    }
}

impl<D: Dataset + VisitedBy<ModelEntries<D>>> Adapter for Folder<D> {
    type Data = D;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        let folder = self.path.display();
        let metadata = fs::metadata(&self.path)
            .map_err(|error| AdapterError::context(format!("cannot open the folder `{folder}`"), error))?;
        if !metadata.is_dir() {
            return Err(AdapterError::new(format!("`{folder}` is not a folder")));
        }

        // Releases the locks of an earlier load.
        self.loaded().clear();
        let is_written = cx.side() == Side::Target && !cx.is_dry_run();
        let mut before = 0;
        for file in ModelEntries::of_data()? {
            let (progress, mut news) = watch::channel(0);
            let loading = Loading { path: self.path.join(file.path), side: cx.side(), is_written, progress };
            let shown = format!("cannot read `{}`", loading.path.display());
            let (load, scope) = ((file.load)(data), MemoryScope::current());
            let loading = spawn_blocking(move || scope.enter(|| load(loading)));
            while news.changed().await.is_ok() {
                cx.progress(before + *news.borrow_and_update(), None);
            }

            let (fill, origin) = loading.await.map_err(|error| AdapterError::context(shown, error))??;
            before += *news.borrow();
            fill(data);
            self.loaded().insert(file.model, origin);
        }

        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, D>) -> Result<(), AdapterError> {
        // The locks go with it.
        let origins = std::mem::take(&mut *self.loaded());
        let (mut prepared, mut replacements) = (Vec::new(), Vec::new());
        self.each_file(synced, &origins, |file, path, origin| {
            if let Some(replacement) = (file.write)(synced, path, origin)? {
                prepared.push(file.settle);
                replacements.push(replacement);
            }
            Ok(())
        })?;

        // Nothing is replaced before everything is on the disk.
        Replacement::persist_all(replacements, |at, completion| {
            if let Some(settle) = prepared.get(at) {
                settle(synced, completion);
            }
        })
    }

    fn rehearses(&self) -> bool {
        true
    }

    async fn rehearse(&self, synced: &CompleteContext<'_, D>) -> Result<(), AdapterError> {
        self.each_file(synced, &self.loaded(), |file, path, origin| (file.rehearse)(synced, path, origin))
    }

    async fn check(&self, health: &mut HealthCheck) {
        let shown = self.path.display().to_string();
        match fs::read_dir(&self.path) {
            Ok(_) => health.passed("folder", shown),
            Err(error) => {
                let error = AdapterError::context(format!("cannot open `{shown}`"), error);
                health.failed("folder", format!("{error}; give the path of a folder that you may read"));
                return;
            }
        }

        let files = ModelEntries::<D>::of_data().unwrap_or_else(|error| {
            health.failed("files", error.to_string());
            Vec::new()
        });

        for file in files {
            let path = self.path.join(file.path);
            let what = format!("file {}", file.path);
            match (open(&path), health.side()) {
                (Ok(Opened::File(_)), _) => health.passed(what, "can be read"),
                (Ok(Opened::Absent), Side::Target) => {
                    health.passed(what, "does not exist yet; it is created at the first write");
                }
                (Ok(Opened::Absent), Side::Source) => {
                    health.failed(what, format!("`{}` does not exist", path.display()));
                }
                (Err(error), _) => health.failed(what, format!("`{}` cannot be read: {error}", path.display())),
            }

            if health.side() == Side::Target
                && let Err(error) = try_writing_beside(&path)
            {
                let detail = format!("nothing can be written beside `{}`: {error}", path.display());
                health.failed("rights", detail);
            }
        }
    }

    fn resource(&self) -> Option<String> {
        Some(resource::of_path(&self.path))
    }
}

/// A record is accepted if its file can store it. The files are written when the run completes.
impl<D, M> Target<M> for Folder<D>
where
    D: Dataset + VisitedBy<ModelEntries<D>> + HasTable<M>,
    M: FileModel,
{
    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        self.check_holdable(new, true)?;
        Ok(new.clone())
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        let new = old.patched(patch);
        self.check_holdable(&new, false)?;
        Ok(new)
    }

    async fn delete(&self, _: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        Ok(())
    }
}
use crate::resource;

//! The adapter: a folder of files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diffsync_core::memory::MemoryScope;
use diffsync_core::{
    Adapter, AdapterError, Checkup, Dataset, HasTable, LoadContext, LoadState, Side, Synced, Table, Target,
    TargetError, Visit, VisitedBy, WriteContext,
};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::edits::Edits;
use super::format;
use super::load::Loading;
use super::model::FileModel;
use super::replace::{Found, Replacement, Stamp, open, try_writing_beside};

/// A folder with a file for each model of a data set, all of whose models derive [`FileModel`].
///
/// As a target it writes when a run completes: each file that changes is replaced as a whole, or stays as it is.
pub struct Folder<D> {
    path: PathBuf,
    /// For each model the state of its file that was loaded; none of a file that was not there.
    loaded: Mutex<BTreeMap<&'static str, Option<Stamp>>>,
    data: PhantomData<fn() -> D>,
}

impl<D> Folder<D> {
    /// The folder at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), loaded: Mutex::default(), data: PhantomData }
    }

    /// Where the folder lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<Stamp>>> {
        // A panic elsewhere leaves the map whole.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D> fmt::Debug for Folder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The files of a data set's models.
#[doc(hidden)]
pub struct Files<D: 'static>(Vec<ModelFile<D>>);

/// The file of one model, which is known here only by these functions.
struct ModelFile<D: 'static> {
    model: &'static str,
    path: &'static str,
    load: fn(&mut D) -> Load<D>,
    write: Write<D>,
}

/// Prepares the new contents of a file of which this state was loaded, if they differ.
type Write<D> = fn(&Synced<'_, D>, &Path, Option<&Stamp>) -> Result<Option<Replacement>, AdapterError>;

/// Loads a table apart from its data set, on a thread that may block, and puts it back.
type Load<D> = Box<dyn FnOnce(Loading) -> Result<Fill<D>, AdapterError> + Send>;
type Fill<D> = (Box<dyn FnOnce(&mut D) + Send>, Option<Stamp>);

impl<D: Dataset + HasTable<M>, M: FileModel> Visit<D, M> for Files<D> {
    fn visit(&mut self) {
        self.0.push(ModelFile { model: M::NAME, path: M::FILE.path, load: load::<D, M>, write: write::<D, M> });
    }
}

impl<D: VisitedBy<Self>> Files<D> {
    fn all() -> Result<Vec<ModelFile<D>>, AdapterError> {
        let mut files = Self(Vec::new());
        D::visit_each(&mut files);
        for (position, file) in files.0.iter().enumerate() {
            // Each would be written from what was loaded, and the second would undo the first.
            if let Some(other) = files.0.iter().take(position).find(|other| other.path == file.path) {
                let (path, first, second) = (file.path, other.model, file.model);
                let what = format!("`{path}` is the file of `{first}` and of `{second}`; give each model its own");
                return Err(AdapterError::new(what));
            }
        }
        Ok(files.0)
    }
}

fn load<D: HasTable<M>, M: FileModel>(data: &mut D) -> Load<D> {
    let mut table: Table<M> = std::mem::take(data.table_mut());
    Box::new(move |loading| {
        let stamp = loading.run(&mut table)?;
        Ok((Box::new(move |data: &mut D| *data.table_mut() = table), stamp))
    })
}

fn write<D: Dataset + HasTable<M>, M: FileModel>(
    synced: &Synced<'_, D>,
    path: &Path,
    loaded: Option<&Stamp>,
) -> Result<Option<Replacement>, AdapterError> {
    let target: &Table<M> = synced.plan().target().table();
    // Of a model that was left out nobody can say that there are no records.
    let is_new = loaded.is_none() && *target.state() == LoadState::Loaded;
    if !synced.has_changed::<M>() && !is_new {
        return Ok(None);
    }
    let edits = Edits::<M>::of(synced, path);
    let (old, stamp) = match open(path).map_err(|error| edits.failed(error))? {
        Found::File(file, stamp) => (Some(file), Some(stamp)),
        Found::Absent => (None, None),
    };
    if stamp.as_ref() != loaded {
        return Err(edits.error("somebody else changed it since it was loaded; run again"));
    }
    Replacement::write(path, M::FILE.is_secret, |out| format::write(old, &edits, out)).map(Some)
}

impl<D: Dataset + VisitedBy<Files<D>>> Adapter for Folder<D> {
    type Data = D;

    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        let folder = self.path.display();
        let metadata = fs::metadata(&self.path)
            .map_err(|error| AdapterError::context(format!("cannot open the folder `{folder}`"), error))?;
        if !metadata.is_dir() {
            return Err(AdapterError::new(format!("`{folder}` is not a folder")));
        }
        let mut before = 0;
        for file in Files::all()? {
            let (progress, mut news) = watch::channel(0);
            let loading = Loading { path: self.path.join(file.path), side: cx.side(), progress };
            let shown = format!("cannot read `{}`", loading.path.display());
            let (load, scope) = ((file.load)(data), MemoryScope::current());
            let loading = spawn_blocking(move || scope.enter(|| load(loading)));
            while news.changed().await.is_ok() {
                cx.progress(before + *news.borrow_and_update(), None);
            }
            let (fill, stamp) = loading.await.map_err(|error| AdapterError::context(shown, error))??;
            before += *news.borrow();
            fill(data);
            self.loaded().insert(file.model, stamp);
        }
        Ok(())
    }

    async fn sync_complete(&self, synced: &Synced<'_, D>) -> Result<(), AdapterError> {
        let mut replacements = Vec::new();
        for file in Files::all()? {
            let path = self.path.join(file.path);
            let Some(stamp) = self.loaded().remove(file.model) else {
                return Err(AdapterError::new(format!("`{}` was not loaded", path.display())));
            };
            replacements.extend((file.write)(synced, &path, stamp.as_ref())?);
        }
        // Nothing is replaced before everything is on the disk.
        Replacement::persist_all(replacements)
    }

    async fn check(&self, checkup: &mut Checkup) {
        let shown = self.path.display().to_string();
        match fs::read_dir(&self.path) {
            Ok(_) => checkup.passed("folder", shown),
            Err(error) => {
                let error = AdapterError::context(format!("cannot open `{shown}`"), error);
                checkup.failed("folder", format!("{error}; give the path of a folder that you may read"));
                return;
            }
        }
        let files = Files::<D>::all().unwrap_or_else(|error| {
            checkup.failed("files", error.to_string());
            Vec::new()
        });
        for file in files {
            let path = self.path.join(file.path);
            let what = format!("file {}", file.path);
            match (open(&path), checkup.side()) {
                (Ok(Found::File(..)), _) => checkup.passed(what, "can be read"),
                (Ok(Found::Absent), Side::Target) => checkup.passed(what, "is not there yet, and will be made"),
                (Ok(Found::Absent), Side::Source) => {
                    checkup.failed(what, format!("`{}` does not exist", path.display()));
                }
                (Err(error), _) => checkup.failed(what, format!("`{}` cannot be read: {error}", path.display())),
            }
            if checkup.side() == Side::Target
                && let Err(error) = try_writing_beside(&path)
            {
                let detail = format!("nothing can be written beside `{}`: {error}", path.display());
                checkup.failed("rights", detail);
            }
        }
    }
}

/// A record is taken as it is if its file can hold it; what is written is written when the run completes.
impl<D, M> Target<M> for Folder<D>
where
    D: Dataset + VisitedBy<Files<D>> + HasTable<M>,
    M: FileModel,
{
    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        holdable(new.clone())
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        holdable(old.patched(patch))
    }

    async fn delete(&self, _: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        Ok(())
    }
}

fn holdable<M: FileModel>(record: M) -> Result<M, TargetError> {
    format::check(&record)?;
    Ok(record)
}

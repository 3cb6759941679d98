//! The adapter: a folder of files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diffsync_core::memory::MemoryScope;
use diffsync_core::{
    Adapter, AdapterError, Checkup, Completion, Dataset, HasTable, LoadContext, LoadState, Side, Synced, Table, Target,
    TargetError, Visit, VisitedBy, WriteContext,
};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::atomic_write::{Replacement, changed, try_writing_beside};
use super::formats;
use super::load::{Loading, Origin};
use super::model::FileModel;
use super::model::edits::Edits;
use super::model::row::CellError;
#[cfg(feature = "parquet")]
use super::model::schema::Format;
use super::version::{Found, open};

/// A folder with a file for each model of a data set, all of whose models derive [`FileModel`].
///
/// As a target it writes when a run completes: each file that changes is replaced as a whole, or stays as it is. From the
/// load to the end of the run no other run can write these files.
pub struct Folder<D> {
    path: PathBuf,
    /// For each model what its file was when it was loaded.
    loaded: Mutex<Loaded>,
    data: PhantomData<fn() -> D>,
}

type Loaded = BTreeMap<&'static str, Origin>;

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

    /// Whether a record's file can hold it so that it comes back as it is.
    #[cfg_attr(
        not(feature = "parquet"),
        allow(clippy::unused_self, reason = "only Parquet asks the file that was loaded")
    )]
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

/// The files of a data set's models.
#[doc(hidden)]
pub struct Files<D: 'static>(Vec<ModelFile<D>>);

/// The file of one model, which is known here only by these functions.
struct ModelFile<D: 'static> {
    model: &'static str,
    path: &'static str,
    load: fn(&mut D) -> Load<D>,
    write: Write<D>,
    rehearse: fn(&Synced<'_, D>, &Path, &Origin) -> Result<(), AdapterError>,
    settle: fn(&Synced<'_, D>, Completion),
}

/// Prepares the new contents of a file, if they differ.
type Write<D> = fn(&Synced<'_, D>, &Path, &Origin) -> Result<Option<Replacement>, AdapterError>;

/// Loads a table apart from its data set, on a thread that may block, and puts it back.
type Load<D> = Box<dyn FnOnce(Loading) -> Result<Fill<D>, AdapterError> + Send>;
type Fill<D> = (Box<dyn FnOnce(&mut D) + Send>, Origin);

impl<D: Dataset + HasTable<M>, M: FileModel> Visit<D, M> for Files<D> {
    fn visit(&mut self) {
        self.0.push(ModelFile {
            model: M::NAME,
            path: M::FILE.path,
            load: load::<D, M>,
            write: write::<D, M>,
            rehearse: rehearse::<D, M>,
            settle: |synced, completion| synced.settle::<M>(completion),
        });
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
        let origin = loading.run(&mut table)?;
        Ok((Box::new(move |data: &mut D| *data.table_mut() = table), origin))
    })
}

fn write<D: Dataset + HasTable<M>, M: FileModel>(
    synced: &Synced<'_, D>,
    path: &Path,
    origin: &Origin,
) -> Result<Option<Replacement>, AdapterError> {
    let Some((edits, old)) = edits::<D, M>(synced, path, origin)? else { return Ok(None) };
    let version = origin.version.as_ref();
    Replacement::write(path, version, M::FILE.is_secret, |out| formats::write(old, &edits, out)).map(Some)
}

/// Writes the new contents of a file nowhere.
fn rehearse<D: Dataset + HasTable<M>, M: FileModel>(
    synced: &Synced<'_, D>,
    path: &Path,
    origin: &Origin,
) -> Result<(), AdapterError> {
    match edits::<D, M>(synced, path, origin)? {
        Some((edits, old)) => formats::write(old, &edits, &mut io::sink()),
        None => Ok(()),
    }
}

/// What a run changes in a file, and the file if it is there; none if it stays as it is.
#[allow(clippy::type_complexity, reason = "a pair within the two usual wrappings")]
fn edits<'a, D: Dataset + HasTable<M>, M: FileModel>(
    synced: &'a Synced<'a, D>,
    path: &'a Path,
    origin: &Origin,
) -> Result<Option<(Edits<'a, M>, Option<File>)>, AdapterError> {
    let target: &Table<M> = synced.plan().target().table();
    // Of a model that was left out it is not known that there are no records.
    let is_new = origin.version.is_none() && *target.state() == LoadState::Loaded;
    if !synced.has_changed::<M>() && !is_new {
        return Ok(None);
    }
    let edits = Edits::<M>::of(synced, path);
    let old = match open(path).map_err(|error| edits.failed(error))? {
        Found::File(file) => Some(file),
        Found::Absent => None,
    };
    let is_unchanged = match &origin.version {
        Some(version) => version.seems_at(path).map_err(|error| edits.failed(error))?,
        None => old.is_none(),
    };
    if is_unchanged { Ok(Some((edits, old))) } else { Err(changed(path)) }
}

impl<D: Dataset + VisitedBy<Files<D>>> Folder<D> {
    /// Does something with each file. If it fails with one, the records of that one have failed, and nothing is written.
    fn each_file(
        &self,
        synced: &Synced<'_, D>,
        origins: &Loaded,
        mut work: impl FnMut(&ModelFile<D>, &Path, &Origin) -> Result<(), AdapterError>,
    ) -> Result<(), AdapterError> {
        let files = Files::<D>::all()?;
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
        // What an earlier load has locked.
        self.loaded().clear();
        let is_written = cx.side() == Side::Target && !cx.is_dry_run();
        let mut before = 0;
        for file in Files::all()? {
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

    async fn sync_complete(&self, synced: &Synced<'_, D>) -> Result<(), AdapterError> {
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

    async fn rehearse(&self, synced: &Synced<'_, D>) -> Result<(), AdapterError> {
        self.each_file(synced, &self.loaded(), |file, path, origin| (file.rehearse)(synced, path, origin))
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
                (Ok(Found::File(_)), _) => checkup.passed(what, "can be read"),
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

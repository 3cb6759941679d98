//! The models of a data set, as an adapter that does not know their types sees them.

use std::fs::File;
use std::io;
use std::path::Path;

use diffsync_core::adapter::{AdapterError, CompleteContext, Completion};
use diffsync_core::data::{HasTable, LoadState, Visit, VisitedBy};
use diffsync_core::{Dataset, Table};

use super::atomic_write::{Replacement, changed};
use super::formats;
use super::load::{Loading, Origin};
use super::model::FileModel;
use super::model::edits::Edits;
use super::version::{Opened, open};

/// The models of a data set. `#[derive(Dataset)]` fills it.
#[allow(missing_debug_implementations, reason = "functions of generated code")]
pub struct ModelEntries<D: 'static>(Vec<ModelEntry<D>>);

/// One model of a data set, whose type is not known.
pub(crate) struct ModelEntry<D: 'static> {
    pub(crate) model: &'static str,
    pub(crate) path: &'static str,
    pub(crate) load: fn(&mut D) -> Load<D>,
    pub(crate) write: Write<D>,
    pub(crate) rehearse: fn(&CompleteContext<'_, D>, &Path, &Origin) -> Result<(), AdapterError>,
    pub(crate) settle: fn(&CompleteContext<'_, D>, Completion),
}

/// Prepares the new contents of a file, if they differ.
type Write<D> = fn(&CompleteContext<'_, D>, &Path, &Origin) -> Result<Option<Replacement>, AdapterError>;

/// Loads a table apart from its data set, on a thread that may block, and returns what puts it there.
type Load<D> = Box<dyn FnOnce(Loading) -> Result<Fill<D>, AdapterError> + Send>;
type Fill<D> = (Box<dyn FnOnce(&mut D) + Send>, Origin);

impl<D: VisitedBy<Self>> ModelEntries<D> {
    /// The models of the data set.
    pub(crate) fn of_data() -> Result<Vec<ModelEntry<D>>, AdapterError> {
        let mut entries = Self(Vec::new());
        D::visit_each(&mut entries);
        for (position, entry) in entries.0.iter().enumerate() {
            // Each would be written from what was loaded, and the second would undo the first.
            if let Some(other) = entries.0.iter().take(position).find(|other| other.path == entry.path) {
                let (path, first, second) = (entry.path, other.model, entry.model);
                let what = format!("`{path}` is the file of `{first}` and of `{second}`; give each model its own");
                return Err(AdapterError::new(what));
            }
        }

        Ok(entries.0)
    }
}

impl<D: Dataset + HasTable<M>, M: FileModel> Visit<D, M> for ModelEntries<D> {
    fn visit(&mut self) {
        self.0.push(ModelEntry {
            model: M::NAME,
            path: M::FILE.path,
            load: load::<D, M>,
            write: write::<D, M>,
            rehearse: rehearse::<D, M>,
            settle: |synced, completion| synced.settle::<M>(completion),
        });
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
    synced: &CompleteContext<'_, D>,
    path: &Path,
    origin: &Origin,
) -> Result<Option<Replacement>, AdapterError> {
    let Some((edits, old)) = edits::<D, M>(synced, path, origin)? else { return Ok(None) };
    let version = origin.version.as_ref();
    Replacement::write(path, version, M::FILE.is_secret, |out| formats::write(old, &edits, out)).map(Some)
}

/// Writes the new contents of a file nowhere.
fn rehearse<D: Dataset + HasTable<M>, M: FileModel>(
    synced: &CompleteContext<'_, D>,
    path: &Path,
    origin: &Origin,
) -> Result<(), AdapterError> {
    match edits::<D, M>(synced, path, origin)? {
        Some((edits, old)) => formats::write(old, &edits, &mut io::sink()),
        None => Ok(()),
    }
}

/// A run's changes of a file, and the file if it exists; `None` if it does not change.
#[allow(clippy::type_complexity, reason = "a pair within the two usual wrappings")]
fn edits<'a, D: Dataset + HasTable<M>, M: FileModel>(
    synced: &'a CompleteContext<'a, D>,
    path: &'a Path,
    origin: &Origin,
) -> Result<Option<(Edits<'a, M>, Option<File>)>, AdapterError> {
    let target: &Table<M> = synced.plan().target().table();

    // A table that was not loaded may have records.
    let is_new = origin.version.is_none() && *target.state() == LoadState::Loaded;
    if !synced.has_changed::<M>() && !is_new {
        return Ok(None);
    }

    let edits = Edits::<M>::of(synced, path);
    let old = match open(path).map_err(|error| edits.failed(error))? {
        Opened::File(file) => Some(file),
        Opened::Absent => None,
    };
    let is_unchanged = match &origin.version {
        Some(version) => version.seems_at(path).map_err(|error| edits.failed(error))?,
        None => old.is_none(),
    };
    if is_unchanged { Ok(Some((edits, old))) } else { Err(changed(path)) }
}

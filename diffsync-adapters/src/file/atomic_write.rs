//! Replaces a file atomically: a reader sees the old contents or the new, never a part of them.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use diffsync_core::adapter::{AdapterError, Completion};
use diffsync_core::temp_file::{folder_of, temporary};
use tempfile::NamedTempFile;

use super::version::ContentVersion;

/// The new contents of a file, safe on the disk under another name.
pub(crate) struct Replacement {
    file: NamedTempFile,
    path: PathBuf,
    shown: PathBuf,
    /// The replaced version, `None` if there was no file.
    old: Option<ContentVersion>,
}

impl Replacement {
    /// Writes the new contents beside the old file. `loaded` is the version that was loaded.
    pub(crate) fn write(
        path: &Path,
        loaded: Option<&ContentVersion>,
        is_secret: bool,
        contents: impl FnOnce(&mut BufWriter<&File>) -> Result<(), AdapterError>,
    ) -> Result<Self, AdapterError> {
        let failed = |error| AdapterError::context(format!("cannot write `{}`", path.display()), error);

        // A link stays a link: what it leads to is replaced.
        let (place, old) = match fs::canonicalize(path) {
            Ok(place) => (place.clone(), Some(fs::metadata(place).map_err(failed)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(failed(error)),
        };
        let file = temporary(&place, old.is_none() && !is_secret).map_err(failed)?;
        let mut writer = BufWriter::new(file.as_file());
        contents(&mut writer)?;
        writer.flush().map_err(failed)?;
        drop(writer);

        if let Some(old) = old {
            copy_metadata(file.as_file(), &old).map_err(failed)?;
        }

        fsync(file.as_file()).map_err(failed)?;
        Ok(Self { file, path: place, shown: path.to_owned(), old: loaded.cloned() })
    }

    /// Replaces each file with its new contents, and reports the outcome of each to `settle`.
    ///
    /// Nothing is replaced if a file has changed since it was loaded. Once the first file is replaced there is no way back,
    /// so an error names the files that were replaced.
    pub(crate) fn persist_all(files: Vec<Self>, mut settle: impl FnMut(usize, Completion)) -> Result<(), AdapterError> {
        for (at, file) in files.iter().enumerate() {
            if let Err(error) = file.verify() {
                let text = error.to_string();
                (0..files.len()).filter(|other| *other != at).for_each(|other| settle(other, Completion::NotAttempted));
                settle(at, Completion::Failed(error));
                return Err(AdapterError::new(text));
            }
        }

        Self::replace_all(files, settle)
    }

    fn replace_all(files: Vec<Self>, mut settle: impl FnMut(usize, Completion)) -> Result<(), AdapterError> {
        let shown: Vec<_> = files.iter().map(|file| format!("`{}`", file.shown.display())).collect();
        let list = |files: &[String]| if files.is_empty() { "none".to_owned() } else { files.join(", ") };
        for (at, file) in files.into_iter().enumerate() {
            let (replaced, error) = match file.persist() {
                Ok(()) => {
                    settle(at, Completion::Written);
                    continue;
                }
                Err(Failure::Kept(error)) => (at, error),
                Err(Failure::Replaced(error)) => (at + 1, AdapterError::unknown(error.to_string())),
            };

            let (new, old) = shown.split_at_checked(replaced).unwrap_or_default();
            let text = format!("{error} (replaced: {}; not replaced: {})", list(new), list(old));
            (at + 1..shown.len()).for_each(|later| settle(later, Completion::NotAttempted));
            settle(at, Completion::Failed(error));
            return Err(AdapterError::new(text));
        }

        Ok(())
    }

    /// An error if what is to be replaced is not what was loaded.
    fn verify(&self) -> Result<(), AdapterError> {
        let is_unchanged = match &self.old {
            Some(old) => old.is_at(&self.path),
            None => self.path.try_exists().map(|exists| !exists),
        };
        self.refuse_unless(is_unchanged)
    }

    /// Puts the new contents in the place of the old, and waits until the disk has them.
    fn persist(self) -> Result<(), Failure> {
        // The contents were compared just now. What was written in between has another time or length.
        if let Some(old) = &self.old {
            self.refuse_unless(old.seems_at(&self.path)).map_err(Failure::Kept)?;
        }

        let Self { file, path, shown, old } = self;
        let persisted = if old.is_some() { file.persist(&path) } else { file.persist_noclobber(&path) };
        persisted.map_err(|error| match error.error {
            error if old.is_none() && error.kind() == io::ErrorKind::AlreadyExists => Failure::Kept(changed(&shown)),
            error => Failure::Kept(AdapterError::context(format!("cannot replace `{}`", shown.display()), error)),
        })?;

        // The new name is durable only once the folder is.
        folder_of(&path).and_then(|folder| fsync(&File::open(folder)?)).map_err(|error| {
            let what = format!("cannot force the new name of `{}` to the disk", shown.display());
            Failure::Replaced(AdapterError::context(what, error))
        })
    }

    fn refuse_unless(&self, is_unchanged: io::Result<bool>) -> Result<(), AdapterError> {
        match is_unchanged {
            Ok(true) => Ok(()),
            Ok(false) => Err(changed(&self.shown)),
            Err(error) => Err(AdapterError::context(format!("cannot read `{}`", self.shown.display()), error)),
        }
    }
}

/// Why a file was not replaced as it should be.
#[derive(Debug)]
enum Failure {
    /// It is as it was.
    Kept(AdapterError),
    /// It is replaced, but that may not outlast a crash of the machine.
    Replaced(AdapterError),
}

/// The error of a file that changed since it was loaded.
pub(crate) fn changed(path: &Path) -> AdapterError {
    let path = path.display();
    AdapterError::new(format!("cannot write `{path}`: somebody else changed it since it was loaded; run again"))
}

/// Waits until the contents of a file or a folder are on the disk.
fn fsync(file: &File) -> io::Result<()> {
    #[cfg(test)]
    tests::note(file)?;
    file.sync_all()
}

/// Copies the permissions of the old file to the new, and its owner where that is allowed.
fn copy_metadata(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Only root may change the owner; for others the file now belongs to its writer.
            drop(fchown(file, Some(old.uid()), Some(old.gid())));
        }
    }
    file.set_permissions(old.permissions())
}

/// Whether files can be created and replaced in the folder of this one.
pub(crate) fn try_writing_beside(path: &Path) -> io::Result<()> {
    let place = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        place => place?,
    };
    temporary(&place, false).map(drop)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::os::unix::fs::MetadataExt;

    use tempfile::TempDir;

    use super::*;

    thread_local! {
        /// The files that were synced to the disk.
        static FORCED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    pub(crate) fn note(file: &File) -> io::Result<()> {
        let number = file.metadata()?.ino();
        FORCED.with_borrow_mut(|forced| forced.push(number));
        Ok(())
    }

    fn number(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    /// A file with old contents in this folder, and its replacement.
    fn replacement(folder: &TempDir, name: &str) -> (PathBuf, Replacement) {
        let path = folder.path().join(name);
        fs::write(&path, "old").unwrap();
        let old = ContentVersion::of(&File::open(&path).unwrap()).unwrap();
        let new = Replacement::write(&path, Some(&old), false, |out| Ok(out.write_all(b"new")?)).unwrap();
        (path, new)
    }

    #[test]
    fn new_contents_are_on_the_disk_before_they_get_their_name_and_the_name_is_before_it_is_said() {
        let folder = TempDir::new().unwrap();
        FORCED.take();
        let (path, new) = replacement(&folder, "a.csv");
        let contents = number(new.file.path());
        assert_eq!(FORCED.take(), [contents]);
        new.verify().unwrap();
        new.persist().unwrap();
        assert_eq!(number(&path), contents);
        assert_eq!(FORCED.take(), [number(folder.path())]);
    }

    #[test]
    fn what_was_changed_while_the_new_contents_were_prepared_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let is_refused = |change: fn(&Path)| {
            let (path, new) = replacement(&folder, "a.csv");
            change(&path);
            let error = new.verify().unwrap_err().to_string();
            assert!(error.contains("somebody else changed it"), "{error}");
        };
        // In place, by a longer text, and by one of the same length within one tick of the clock.
        is_refused(|path| fs::write(path, "older").unwrap());
        is_refused(|path| {
            let time = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(path, "odd").unwrap();
            File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        });
        // By another file.
        is_refused(|path| {
            let other = path.with_extension("new");
            fs::write(&other, "old").unwrap();
            fs::rename(other, path).unwrap();
        });
        is_refused(|path| fs::remove_file(path).unwrap());
    }

    #[test]
    fn what_was_changed_after_the_last_look_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let (path, new) = replacement(&folder, "a.csv");
        new.verify().unwrap();
        fs::write(&path, "by hand").unwrap();
        assert!(matches!(new.persist(), Err(Failure::Kept(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "by hand");

        let path = folder.path().join("b.csv");
        let new = Replacement::write(&path, None, false, |out| Ok(out.write_all(b"new")?)).unwrap();
        new.verify().unwrap();
        fs::write(&path, "by hand").unwrap();
        assert!(matches!(new.persist(), Err(Failure::Kept(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "by hand");
    }

    #[test]
    fn if_a_file_cannot_be_replaced_the_error_names_those_that_were_and_those_that_were_not() {
        let folder = TempDir::new().unwrap();
        let files = ["a.csv", "b.csv", "c.csv"].map(|name| replacement(&folder, name));
        let [a, b, c] = files.each_ref().map(|(path, _)| path.clone());
        fs::remove_file(&b).unwrap();
        fs::create_dir(&b).unwrap();
        let mut settled = Vec::new();
        let files = files.into_iter().map(|(_, new)| new).collect();
        let error = Replacement::replace_all(files, |at, it| settled.push((at, it))).unwrap_err().to_string();
        let [shown_a, shown_b, shown_c] = [&a, &b, &c].map(|path| format!("`{}`", path.display()));
        let state = format!("(replaced: {shown_a}; not replaced: {shown_b}, {shown_c})");
        assert!(error.starts_with(&format!("cannot write {shown_b}: ")) && error.ends_with(&state), "{error}");
        assert_eq!([a, c].map(|path| fs::read_to_string(path).unwrap()), ["new", "old"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");

        settled.sort_by_key(|(at, _)| *at);
        assert!(matches!(
            &settled[..],
            [(0, Completion::Written), (1, Completion::Failed(_)), (2, Completion::NotAttempted)]
        ));
    }

    #[test]
    fn nothing_is_replaced_if_one_file_was_changed() {
        let folder = TempDir::new().unwrap();
        let files = ["a.csv", "b.csv"].map(|name| replacement(&folder, name));
        let [a, b] = files.each_ref().map(|(path, _)| path.clone());
        fs::write(&b, "by hand").unwrap();
        let files = files.into_iter().map(|(_, new)| new).collect();
        let mut settled = Vec::new();
        Replacement::persist_all(files, |at, it| settled.push((at, it))).unwrap_err();
        assert_eq!([a, b].map(|path| fs::read_to_string(path).unwrap()), ["old", "by hand"]);
        settled.sort_by_key(|(at, _)| *at);
        assert!(matches!(&settled[..], [(0, Completion::NotAttempted), (1, Completion::Failed(_))]));
    }
}

//! The files that a run may be given by a browser.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How many files a form offers.
const MOST: usize = 500;

/// How deep folders are searched for them.
const DEEPEST: usize = 8;

/// The folder whose files a run may be given, if the server's owner named one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(Option<PathBuf>);

impl Files {
    /// The files below a folder.
    pub(crate) fn below(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        fs::read_dir(&folder)?;
        Ok(Self(Some(folder)))
    }

    /// Whether the owner allows any.
    pub(crate) fn are_allowed(&self) -> bool {
        self.0.is_some()
    }

    /// The path that a text in a form means.
    ///
    /// # Errors
    ///
    /// If the owner allows no file, or not this one, with what to do.
    pub(crate) fn allow(&self, text: &str) -> Result<PathBuf, String> {
        let Some(folder) = &self.0 else {
            return Err(
                "this server allows no files: start it with `serve --files DIR`, and those below DIR can be chosen"
                    .to_owned(),
            );
        };
        let given = Path::new(text);
        if given.components().any(|part| part == Component::ParentDir) {
            return Err(format!("{text:?} is not allowed: write a path below the server's folder, without `..`"));
        }

        let path = folder.join(given);
        let is_below = existing(&path).is_some_and(|existing| existing.starts_with(folder));
        if is_below {
            return Ok(path);
        }
        Err(format!("{text:?} is not below the folder whose files this server allows; write a path relative to it"))
    }

    /// The files and folders to choose from, relative to the folder.
    pub(crate) fn list(&self) -> Vec<String> {
        let Some(folder) = &self.0 else { return Vec::new() };
        let mut found = Vec::new();
        list(folder, folder, 0, &mut found);
        found.sort();
        found
    }
}

/// The part of a path that exists, without symbolic links: one could lead out of the folder. A file that a run is to create
/// does not exist yet.
fn existing(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|path| path.symlink_metadata().is_ok())?.canonicalize().ok()
}

fn list(folder: &Path, root: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link may lead anywhere.
        if found.len() >= MOST || is_hidden || kind.is_symlink() {
            continue;
        }
        if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            found.push(name.to_owned());
        }
        if kind.is_dir() && depth < DEEPEST {
            list(&path, root, depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_folder_is_allowed() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("files");
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/b.json"), "").unwrap();
        fs::write(root.join(".hidden"), "").unwrap();
        fs::write(place.path().join("secret"), "").unwrap();

        let files = Files::below(&root).unwrap();
        for allowed in ["a", "a/b.json", "a/new.db", "a/new/b.db"] {
            assert!(files.allow(allowed).unwrap().ends_with(allowed), "{allowed}");
        }
        assert!(files.allow(root.join("a/b.json").to_str().unwrap()).is_ok());
        for refused in ["../secret", "a/../../secret", "/etc/passwd", place.path().join("secret").to_str().unwrap()] {
            assert!(files.allow(refused).unwrap_err().contains("below"), "{refused}");
        }
        assert_eq!(files.list(), ["a", "a/b.json"]);
        assert!(Files::default().allow("a").unwrap_err().contains("serve --files DIR"));
        assert!(Files::below(&root.join("a/b.json")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_of_the_folder_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("files");
        fs::create_dir(&root).unwrap();
        fs::write(place.path().join("secret"), "").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
        std::os::unix::fs::symlink("..", root.join("up")).unwrap();
        std::os::unix::fs::symlink("../nothing", root.join("dangling")).unwrap();

        let files = Files::below(&root).unwrap();
        for refused in ["out", "up/secret", "up/new", "dangling"] {
            assert!(files.allow(refused).is_err(), "{refused}");
        }
        assert!(files.list().is_empty());
    }
}

//! Reading and replacing YAML files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use diffsync::adapter::AdapterError;
use diffsync::temp_file::{folder_of, remove_leftovers, temporary};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a file. Errors name the file, and the line if they are about one.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, AdapterError> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| AdapterError::context(format!("cannot read `{shown}`"), error))?;
    serde_saphyr::from_str(&text)
        .map_err(|error| AdapterError::context(format!("`{shown}` does not hold what is expected"), error))
}

/// Replaces a file atomically: a reader sees the old contents or the new, never a part of them.
pub(crate) fn replace(path: &Path, document: &impl Serialize) -> Result<(), AdapterError> {
    let shown = path.display();
    let text = serde_saphyr::to_string(document)
        .map_err(|error| AdapterError::context(format!("`{shown}` cannot be written as YAML"), error))?;
    write_atomically(path, format!("---\n{text}").as_bytes())
        .map_err(|error| AdapterError::context(format!("cannot replace `{shown}`"), error))
}

fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    remove_leftovers(path);
    // A symbolic link is kept: the file that it points to is replaced.
    let path = fs::canonicalize(path)?;

    let mut file = temporary(&path, false)?;
    file.write_all(contents)?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;

    // The rename is durable only once the folder is synced.
    File::open(folder_of(&path)?)?.sync_all()
}

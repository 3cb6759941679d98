//! The key that seals the secrets of plan files. It is never shown.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use diffsync_core::plan_file::PlanKey;
use diffsync_core::temp_file::{folder_of, remove_leftovers, temporary};

use crate::terminal;

const VARIABLE: &str = "DIFFSYNC_PLAN_KEY";

/// The key, created if it does not exist yet.
pub(crate) fn made(matches: &ArgMatches) -> Result<PlanKey, String> {
    match existing(matches)? {
        Ok(key) => Ok(key),
        Err(path) => {
            make(&path).map_err(|error| format!("the plan key cannot be written to `{}`: {error}", path.display()))
        }
    }
}

/// The key, or the path where it should be. If no secret is sealed, any key will do.
pub(crate) fn existing(matches: &ArgMatches) -> Result<Result<PlanKey, PathBuf>, String> {
    let file = matches.get_one::<PathBuf>("key-file");
    if let Some(text) = std::env::var_os(VARIABLE).filter(|_| file.is_none()) {
        let text = text.into_string().map_err(|_| format!("{VARIABLE} is not Unicode"))?;
        return key(&text).map(Ok).map_err(|error| format!("{VARIABLE}: {error}"));
    }

    let path = match file {
        Some(path) => path.clone(),
        None => folder()?.join("plan.key"),
    };
    // A run that was killed while it created the key may have left another.
    remove_leftovers(&path);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err(path)),
        Err(error) => return Err(format!("the plan key cannot be read from `{}`: {error}", path.display())),
    };

    warn_if_readable(&path);
    key(&text).map(Ok).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// A random key, for a plan without sealed secrets.
pub(crate) fn unused() -> Result<PlanKey, String> {
    let bytes = random().map_err(|error| format!("cannot get random numbers: {error}"))?;
    PlanKey::new(&bytes).map_err(|error| error.to_string())
}

fn key(text: &str) -> Result<PlanKey, String> {
    PlanKey::new(text.trim().as_bytes()).map_err(|error| error.to_string())
}

/// The folder for the user's state.
fn folder() -> Result<PathBuf, String> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".local/state")));
    let state =
        state.ok_or_else(|| format!("there is no home folder for the plan key; set {VARIABLE} or --key-file"))?;
    Ok(state.join("diffsync"))
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn make(path: &Path) -> io::Result<PlanKey> {
    fs::create_dir_all(folder_of(path)?)?;
    let text = hexadecimal(&random().map_err(io::Error::other)?);

    // A temporary file is readable only by its owner.
    let mut file = temporary(path, false)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;

    let text = match file.persist_noclobber(path) {
        Ok(_) => text,
        // Another run has just created the key, so use that one.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(path)?,
        Err(error) => return Err(error.error),
    };

    key(&text).map_err(io::Error::other)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(unix)]
fn warn_if_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        terminal::warn(&format!("the plan key in `{}` can be read by other users; `chmod 600` it", path.display()));
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_: &Path) {}

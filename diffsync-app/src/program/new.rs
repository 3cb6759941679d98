//! The command `jobs new`: a crate to begin with.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::Value;

use super::names::text;

/// The environment variable that names the folder of the crate `diffsync`.
const DIFFSYNC_PATH: &str = "DIFFSYNC_PATH";

/// The files of the crate, with `{name}`, `{crate}`, `{job}` and `{diffsync}` to be replaced.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.txt")),
    ("README.md", include_str!("new/README.md.txt")),
    (".gitignore", include_str!("new/gitignore.txt")),
    ("data/sites.csv", include_str!("new/sites.csv")),
    ("src/lib.rs", include_str!("new/lib.rs.txt")),
    ("src/main.rs", include_str!("new/main.rs.txt")),
];

/// A crate that is to be written.
pub(super) struct NewCrate {
    name: String,
    path: PathBuf,
    /// The value of `diffsync` in `Cargo.toml`.
    diffsync: String,
}

impl NewCrate {
    pub(super) fn new(matches: &ArgMatches) -> Result<Self, String> {
        let name = text(matches, "name");
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !begins_well || !name.chars().all(is_plain) || name.ends_with('-') || name.contains("--") {
            return Err(format!(
                "a crate cannot be called {name:?}; use lower-case letters, digits and single `-`, as in sites-to-inventory"
            ));
        }

        let path = matches.get_one::<PathBuf>("path").cloned().unwrap_or_else(|| PathBuf::from(name));
        let from_env = || std::env::var_os(DIFFSYNC_PATH).filter(|path| !path.is_empty()).map(PathBuf::from);
        let diffsync = match matches.get_one::<PathBuf>("diffsync").cloned().or_else(from_env) {
            Some(folder) => {
                let is_there = folder.join("Cargo.toml").is_file();
                let absolute = folder.canonicalize().ok().filter(|_| is_there);
                let absolute = absolute
                    .ok_or_else(|| format!("`{}` is not the folder of the crate `diffsync`", folder.display()))?;
                // A text of JSON is one of TOML, as long as it has no control characters.
                format!("path = {}", Value::from(absolute.display().to_string()))
            }
            None => format!("version = \"{}\"", version()),
        };
        Ok(Self { name: name.to_owned(), path, diffsync })
    }

    /// Writes the files. The text says what to do next.
    pub(super) fn write(&self) -> Result<String, String> {
        let shown = self.path.display();
        let is_free = match fs::read_dir(&self.path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !self.path.exists(),
        };
        if !is_free {
            return Err(format!("`{shown}` exists, and is not empty; name another folder with --path"));
        }
        for (name, text) in FILES {
            let path = self.path.join(name);
            let folder = path.parent().unwrap_or(Path::new("."));
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, self.filled(text)));
            written.map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
        }
        Ok(format!(
            "wrote the job `{}` to `{shown}`\ntest it with `cargo test` there, and run it with `cargo run -- run {}`\n",
            self.name, self.name
        ))
    }

    /// A file with the names in it.
    fn filled(&self, text: &str) -> String {
        let names = [
            ("{crate}", self.name.replace('-', "_")),
            ("{job}", struct_name(&self.name)),
            ("{diffsync}", self.diffsync.clone()),
            ("{name}", self.name.clone()),
        ];
        names.iter().fold(text.to_owned(), |text, (place, name)| text.replace(place, name))
    }
}

/// The version of diffsync that a new crate asks for: any that is compatible with this one.
fn version() -> &'static str {
    let version = env!("CARGO_PKG_VERSION");
    version.rsplit_once('.').map_or(version, |(compatible, _)| compatible)
}

/// The name of the job's struct: `SitesToInventory` for `sites-to-inventory`.
fn struct_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_called_as_its_struct() {
        assert_eq!(struct_name("sites-to-inventory"), "SitesToInventory");
        assert_eq!(struct_name("a-2-b"), "A2B");
        assert_eq!(version(), "0.1");
    }

    #[test]
    fn every_place_is_filled() {
        let new = NewCrate { name: "a-to-b".into(), path: PathBuf::new(), diffsync: "version = \"0.1\"".into() };
        for (name, text) in FILES {
            let filled = new.filled(text);
            for place in ["{name}", "{crate}", "{job}", "{diffsync}"] {
                assert!(!filled.contains(place), "{name}: {filled}");
            }
        }
    }
}

//! The icons of the systems that jobs name.
//!
//! An icon is a file that is read when the server starts. One that is a URL of another host is not shown, since no page
//! loads anything from there; a system without an icon has the first letters of its name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use diffsync_core::job::JobInfo;

use crate::runs::JobPage;

/// More bytes than an icon has.
const LARGEST: u64 = 256 << 10;

/// The types of images by the end of their names.
const KINDS: [(&str, &str); 6] = [
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("ico", "image/x-icon"),
];

/// The icons that could be read, each by the name that its job gives it.
#[derive(Debug, Default)]
pub(crate) struct Icons(HashMap<&'static str, (&'static str, Bytes)>);

/// How a system is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) label: String,
    /// The URL of its icon.
    pub(crate) icon: Option<String>,
    /// What is shown without an icon.
    pub(crate) letters: String,
}

impl Icons {
    /// Reads the icons of all jobs.
    pub(crate) fn load(jobs: &[JobPage]) -> Self {
        let infos = jobs.iter().map(|page| page.job.info());
        let named = infos.flat_map(|info| [info.source_icon, info.target_icon]).flatten();
        let mut icons = HashMap::new();
        for name in named.filter(|name| !name.contains("://")) {
            match read(Path::new(name)) {
                Ok(Some(icon)) => {
                    icons.insert(name, icon);
                }
                Ok(None) => tracing::warn!(icon = name, "an icon is not shown: its name does not end as an image's"),
                Err(error) => tracing::warn!(icon = name, %error, "an icon cannot be read"),
            }
        }
        Self(icons)
    }

    /// The source and the target of a job.
    pub(crate) fn systems(&self, info: &JobInfo) -> [System; 2] {
        let system = |side: &str, label: &str, icon: Option<&'static str>| System {
            label: label.to_owned(),
            icon: icon.filter(|icon| self.0.contains_key(icon)).map(|_| format!("/jobs/{}/{side}-icon", info.id)),
            letters: letters(label),
        };
        [system("source", info.source_label, info.source_icon), system("target", info.target_label, info.target_icon)]
    }

    /// The icon of a job's source or target as a file.
    pub(crate) fn file(&self, name: Option<&'static str>) -> Option<Response> {
        let (kind, bytes) = self.0.get(name?)?;
        Some(([(header::CONTENT_TYPE, *kind)], bytes.clone()).into_response())
    }
}

fn read(path: &Path) -> io::Result<Option<(&'static str, Bytes)>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let Some((_, kind)) = KINDS.iter().find(|(end, _)| end.eq_ignore_ascii_case(extension)) else { return Ok(None) };
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(io::Error::other(format!("it holds more than {LARGEST} bytes")));
    }
    Ok(Some((kind, bytes.into())))
}

/// The first letters of a name's first two words.
fn letters(label: &str) -> String {
    let words = label.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let first: String = words.filter_map(|word| word.chars().next()).take(2).collect();
    if first.is_empty() { "?".to_owned() } else { first.to_uppercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_an_icon_has_the_first_letters_of_its_name() {
        for (label, shown) in
            [("Published list of countries", "PL"), ("NetBox (prod)", "NP"), ("db", "D"), ("—", "?"), ("Ünder", "Ü")]
        {
            assert_eq!(letters(label), shown);
        }
    }

    #[test]
    fn only_an_image_of_a_sensible_size_is_an_icon() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: usize| {
            let path = place.path().join(name);
            std::fs::write(&path, vec![0; bytes]).unwrap();
            path
        };
        assert_eq!(read(&write("a.SVG", 3)).unwrap().unwrap().0, "image/svg+xml");
        assert!(read(&write("a.html", 3)).unwrap().is_none());
        assert!(read(&write("b.png", 300_000)).is_err());
        assert!(read(&place.path().join("none.png")).is_err());
    }
}

//! Reads the file of profiles and checks all of it. A mistake is reported with its line and column, and never repeats a value,
//! since it may be a secret.

mod history;
mod limits;
mod options;
#[cfg(test)]
mod tests;
mod value;
mod variables;

use std::path::Path;

use diffsync_core::value::suggest;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::{Mode, Options, Profile, Profiles, place};
use crate::history::RetentionSetting;
use crate::jobs::{AnyJob, Jobs};
use crate::terminal::one_line;

/// The keys of a profile, and those of two of its tables.
const KEYS: &[&str] = &["description", "mode", "schedule", VARIABLES, LIMITS, OPTIONS];
const LIMIT_KEYS: &[&str] = &["creates", "updates", "deletes", "on_guard"];
const OPTION_KEYS: &[&str] = &[
    "parallel_loading",
    "memory_profiling",
    "continue_on_failure",
    "max_failures",
    "retries",
    "concurrency",
    "time_limit",
    "record_time_limit",
    "max_rejected",
];

/// The table of the history's settings.
const HISTORY: &str = "history";

const VARIABLES: &str = "variables";
const LIMITS: &str = "limits";
const OPTIONS: &str = "options";

/// A value and its position.
type Item<'a> = Spanned<DeValue<'a>>;

/// Reads the profiles, in the order of the file, and its settings of the history.
///
/// # Errors
///
/// All mistakes, in the order of the file.
pub(super) fn read(jobs: &Jobs, path: &Path, bytes: &[u8]) -> Result<Profiles, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            return Err(format!("{}: the file is not UTF-8 text from here on", place(path, &valid, valid.len())));
        }
    };

    let mut reader = Reader { jobs, path, text, retention: RetentionSetting::default(), mistakes: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    reader.syntax(&errors);

    // After any other mistake of syntax, the parser guesses what the rest means.
    let is_complete = errors.iter().all(is_duplicate);
    let mut profiles = if is_complete { reader.jobs(document.get_ref()) } else { Vec::new() };
    let retention = reader.retention;
    if let Some(error) = reader.error() {
        return Err(error);
    }

    profiles.sort_by_key(|(offset, _)| *offset);
    let all = profiles.into_iter().map(|(_, profile)| profile).collect();
    Ok(Profiles { file: Some(path.to_owned()), all, retention })
}

fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

struct Reader<'a> {
    jobs: &'a Jobs,
    path: &'a Path,
    text: &'a str,
    retention: RetentionSetting,
    /// Each with its offset in the text.
    mistakes: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> String {
        place(self.path, self.text, offset)
    }

    /// Notes a mistake at a key or a value.
    fn mistake<T>(&mut self, at: &Spanned<T>, mistake: impl Into<String>) {
        self.mistakes.push((at.span().start, mistake.into()));
    }

    /// All mistakes as one message.
    fn error(mut self) -> Option<String> {
        self.mistakes.sort();
        let lines: Vec<_> = self
            .mistakes
            .iter()
            .map(|(offset, mistake)| format!("{}: {}", self.place(*offset), one_line(mistake)))
            .collect();
        match &*lines {
            [] => None,
            [only] => Some(only.clone()),
            lines => Some(format!("`{}` has {} mistakes:\n  {}", self.path.display(), lines.len(), lines.join("\n  "))),
        }
    }

    /// The mistakes of syntax. Only the first of a line counts, since the others follow from it.
    fn syntax(&mut self, errors: &[Error]) {
        let mut last_line = None;
        for error in errors {
            // The error's `Display` quotes the line, which may hold a secret.
            let offset = error.span().map_or(self.text.len(), |span| span.start);
            let line = self.text.get(..offset).unwrap_or(self.text).matches('\n').count();
            if last_line == Some(line) {
                continue;
            }
            last_line = Some(line);

            let mistake = if is_duplicate(error) {
                "this name is used twice; remove one, or rename it".to_owned()
            } else {
                // A word without quotes is a text that lacks them, and no number or date.
                let message = error.message();
                let message = message.strip_suffix(", expected literal string").unwrap_or(message);
                format!("this is not TOML: {message}")
            };
            self.mistakes.push((offset, mistake));
        }
    }

    /// The whole file: a table for each job, with a table for each profile.
    fn jobs(&mut self, document: &DeTable<'_>) -> Vec<(usize, Profile)> {
        let mut profiles = Vec::new();
        for (id, item) in document {
            if &**id.get_ref() == HISTORY {
                profiles.extend(self.history(item));
                continue;
            }
            let job = match self.jobs.get(id.get_ref()) {
                Ok(job) => job,
                // It may be in a program that has not told its jobs.
                Err(_) if !self.jobs.is_complete() => continue,
                // Only who names it is told, since the other profiles can be used.
                Err(_) if self.jobs.is_ambiguous(id.get_ref()) => continue,
                Err(error) => {
                    self.mistake(id, error);
                    continue;
                }
            };
            let DeValue::Table(table) = item.get_ref() else {
                self.mistake(item, format!("expected the profiles of the job, as in `[{}.NAME]`", id.get_ref()));
                continue;
            };
            for (name, item) in table {
                profiles.extend(self.profile(job, name, item).map(|profile| (name.span().start, profile)));
            }
        }
        profiles
    }

    fn profile(&mut self, job: AnyJob<'_>, key: &Spanned<impl AsRef<str>>, item: &Item<'_>) -> Option<Profile> {
        let (id, name) = (job.info().id, key.get_ref().as_ref());
        let DeValue::Table(table) = item.get_ref() else {
            self.mistake(key, format!("`{name}` belongs to a profile; begin one above it with `[{id}.NAME]`"));
            return None;
        };
        if [VARIABLES, LIMITS, OPTIONS].contains(&name) {
            self.mistake(key, format!("the name of the profile is missing; write `[{id}.NAME.{name}]`"));
            return None;
        }
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
            self.mistake(key, format!("a profile cannot be called {name:?}; use letters, digits, `-` and `_`"));
        }
        if name == id {
            self.mistake(key, "a profile needs another name than its job, which also runs without a profile");
        }

        let mut profile = Profile {
            job: id,
            name: name.to_owned(),
            id: format!("{id}@{name}"),
            place: self.place(key.span().start),
            description: None,
            mode: None,
            schedule: None,
            variables: Vec::new(),
            limits: Vec::new(),
            on_guard: None,
            options: Options::default(),
        };
        for (key, item) in table {
            match &**key.get_ref() {
                "description" => profile.description = self.text(key.get_ref(), item).map(str::to_owned),
                "mode" => profile.mode = self.mode(item),
                "schedule" => profile.schedule = self.schedule(item),
                VARIABLES => profile.variables = self.variables(job, &profile.id, item),
                LIMITS => self.limits(job, &mut profile, item),
                OPTIONS => profile.options = self.options(&profile.id, item),
                _ => self.misplaced(job, &profile.id, key),
            }
        }
        Some(profile)
    }

    /// A key that no profile has.
    fn misplaced(&mut self, job: AnyJob<'_>, id: &str, key: &Spanned<impl AsRef<str>>) {
        let name = key.get_ref().as_ref();
        let header = id.replacen('@', ".", 1);
        let section = if job.variables().iter().any(|spec| spec.name == name) {
            Some(VARIABLES)
        } else if OPTION_KEYS.contains(&name) {
            Some(OPTIONS)
        } else if LIMIT_KEYS.contains(&name) {
            Some(LIMITS)
        } else {
            None
        };
        match section {
            Some(section) => self.mistake(key, format!("`{name}` belongs below `[{header}.{section}]`")),
            None => self.mistake(key, unknown("a profile has no key", name, KEYS)),
        }
    }

    fn mode(&mut self, item: &Item<'_>) -> Option<Mode> {
        match self.text("mode", item)? {
            "apply" => return Some(Mode::Apply),
            "dry-run" => return Some(Mode::DryRun),
            _ => self.mistake(item, "`mode` must be \"apply\" or \"dry-run\""),
        }
        None
    }

    fn schedule(&mut self, item: &Item<'_>) -> Option<String> {
        let schedule = self.text("schedule", item)?;
        if schedule.trim().is_empty() {
            self.mistake(item, "`schedule` is empty; write one such as \"0 4 * * *\", or remove it");
            return None;
        }
        Some(schedule.to_owned())
    }
}

/// A name that does not exist, with the nearest that does, or all of them.
fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let known = match suggest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    format!("{what} `{name}`; {known}")
}

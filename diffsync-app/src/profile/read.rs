//! Reads the file of profiles and checks all of it. A mistake is reported with its line and column, and never repeats a value,
//! since it may be a secret.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use diffsync_core::JobRegistry;
use diffsync_core::job::{JobEntry, VariableKind, VariableSpec};
use diffsync_core::model::{Limit, LimitOverride, OnGuard, Operation};
use diffsync_core::value::{Url, redact_url, suggest};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

use super::{Mode, Options, Profile, Setting, Source, place};
use crate::flags;
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

const VARIABLES: &str = "variables";
const LIMITS: &str = "limits";
const OPTIONS: &str = "options";

/// A value and its position.
type Item<'a> = Spanned<DeValue<'a>>;

/// Reads the profiles in the order of the file.
///
/// # Errors
///
/// All mistakes, in the order of the file.
pub(super) fn read(registry: &JobRegistry, path: &Path, bytes: &[u8]) -> Result<Vec<Profile>, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            return Err(format!("{}: the file is not UTF-8 text from here on", place(path, &valid, valid.len())));
        }
    };

    let mut reader = Reader { registry, path, text, mistakes: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    reader.syntax(&errors);

    // After any other mistake of syntax, the parser guesses what the rest means.
    let is_complete = errors.iter().all(is_duplicate);
    let mut profiles = if is_complete { reader.jobs(document.get_ref()) } else { Vec::new() };
    if let Some(error) = reader.error() {
        return Err(error);
    }

    profiles.sort_by_key(|(offset, _)| *offset);
    Ok(profiles.into_iter().map(|(_, profile)| profile).collect())
}

fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

struct Reader<'a> {
    registry: &'a JobRegistry,
    path: &'a Path,
    text: &'a str,
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
            let job = match self.registry.get(id.get_ref()) {
                Ok(job) => job,
                Err(error) => {
                    self.mistake(id, error.to_string());
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

    fn profile(&mut self, job: &JobEntry, key: &Spanned<impl AsRef<str>>, item: &Item<'_>) -> Option<Profile> {
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
    fn misplaced(&mut self, job: &JobEntry, id: &str, key: &Spanned<impl AsRef<str>>) {
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

    /// The variables, in the order of the job's.
    fn variables(&mut self, job: &JobEntry, id: &str, item: &Item<'_>) -> Vec<Setting> {
        let Some(table) = self.table(VARIABLES, item) else { return Vec::new() };
        let mut settings = Vec::new();
        let names: Vec<_> = job.variables().iter().map(|spec| spec.name).collect();
        for (key, item) in table {
            let name = &**key.get_ref();
            let Some(position) = names.iter().position(|known| *known == name) else {
                self.mistake(key, unknown(&format!("the job `{}` has no variable", job.info().id), name, &names));
                continue;
            };
            let Some(spec) = job.variables().get(position) else { continue };
            if let Some(values) = self.values(spec, item) {
                let setting = Setting { spec, place: self.place(key.span().start), values };
                settings.push((position, item.span().start, setting));
            }
        }

        settings.sort_by_key(|(position, ..)| *position);
        self.check_values(job, id, &settings);
        settings.into_iter().map(|(_, _, setting)| setting).collect()
    }

    /// Lets the job check the values that are written in the file, which finds what their kind does not tell.
    fn check_values(&mut self, job: &JobEntry, id: &str, settings: &[(usize, usize, Setting)]) {
        let written = settings.iter().filter_map(|(_, offset, setting)| Some((*offset, setting.written()?)));
        let written: Vec<_> = written.collect();
        let values = written.iter().flat_map(|(_, (name, texts))| texts.iter().map(move |text| (*name, *text)));
        let values =
            values.fold(diffsync_core::job::VariableValues::new(), |values, (name, text)| values.with(name, text));

        // Other variables may be set by flags, so only these count.
        for error in job.prepare(&values).err().iter().flatten() {
            if let Some((offset, _)) = written.iter().find(|(_, (name, _))| *name == error.variable().name) {
                self.mistakes.push((*offset, format!("{error} (in `{id}`)")));
            }
        }
    }

    /// The values of a variable: one, or several for a list.
    fn values(&mut self, spec: &'static VariableSpec, item: &Item<'_>) -> Option<Vec<Source>> {
        match (spec.kind, item.get_ref()) {
            (VariableKind::List(_), DeValue::Array(items)) if items.is_empty() => {
                self.mistake(item, format!("the list `{}` is empty; write a value, or remove it", spec.name));
                None
            }
            (VariableKind::List(kind), DeValue::Array(items)) => {
                // Not stopping at the first mistake, so that all are reported.
                let values: Vec<_> = items.iter().map(|item| self.value(spec, *kind, item)).collect();
                values.into_iter().collect()
            }
            (kind, _) => self.value(spec, kind, item).map(|value| vec![value]),
        }
    }

    fn value(&mut self, spec: &VariableSpec, kind: VariableKind, item: &Item<'_>) -> Option<Source> {
        let name = spec.name;
        if let DeValue::Table(table) = item.get_ref() {
            return self.source(name, item, table);
        }
        if spec.secret {
            self.mistake(
                item,
                format!(
                    "the variable `{name}` is a secret: write `{name} = {{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}` or \
                     `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}`"
                ),
            );
            return None;
        }

        let text = match (kind, item.get_ref()) {
            (VariableKind::Integer | VariableKind::Number, DeValue::Integer(number)) => {
                whole(number).map(|number| number.to_string())
            }
            (VariableKind::Number, DeValue::Float(number)) => Some(number.as_str().to_owned()),
            (VariableKind::Boolean, DeValue::Boolean(value)) => Some(value.to_string()),
            (VariableKind::Integer | VariableKind::Number | VariableKind::Boolean | VariableKind::List(_), _) => None,
            (_, DeValue::String(text)) => Some(text.clone().into_owned()),
            _ => None,
        };
        let Some(text) = text else {
            let (expected, example) = expected(kind, name);
            let found = found(item.get_ref());
            self.mistake(item, format!("the variable `{name}` must be {expected}, as in `{example}`, and is {found}"));
            return None;
        };

        if matches!(kind, VariableKind::Url) && has_password(&text) {
            self.mistake(
                item,
                format!(
                    "the URL of the variable `{name}` has a password in it, which is a secret: write \
                     `{name} = {{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}` or `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}`"
                ),
            );
            return None;
        }
        Some(Source::Text(text))
    }

    /// Where a value comes from: `{ env = … }`, `{ file = … }` or `{ command = … }`.
    fn source(&mut self, variable: &str, item: &Item<'_>, table: &DeTable<'_>) -> Option<Source> {
        let mut entries = table.iter();
        let (Some((key, item)), None) = (entries.next(), entries.next()) else {
            self.mistake(item, sources(variable));
            return None;
        };
        match &**key.get_ref() {
            "env" => {
                let name = self.text("env", item)?;
                let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                if name.is_empty()
                    || name.starts_with(|letter: char| letter.is_ascii_digit())
                    || !name.chars().all(is_name)
                {
                    // It may be the secret itself.
                    self.mistake(item, "`env` must be the name of an environment variable: letters, digits and `_`");
                    return None;
                }
                Some(Source::Env(name.to_owned()))
            }
            "file" => {
                let path = self.text("file", item)?;
                if path.is_empty() {
                    self.mistake(item, "`file` must be a path, and is empty");
                    return None;
                }
                Some(Source::File(PathBuf::from(path)))
            }
            "command" => self.command(item),
            // The key is not repeated: it may be the secret.
            _ => {
                self.mistake(key, sources(variable));
                None
            }
        }
    }

    fn command(&mut self, item: &Item<'_>) -> Option<Source> {
        let words = match item.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| item.get_ref().as_str()).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        match words {
            Some(words) if words.first().is_some_and(|program| !program.is_empty()) => {
                Some(Source::Command(words.into_iter().map(str::to_owned).collect()))
            }
            _ => {
                self.mistake(
                    item,
                    "`command` must be a list of texts, the program and its arguments, as in `[\"pass\", \"show\", \"emea\"]`; \
                     no shell reads it",
                );
                None
            }
        }
    }

    fn limits(&mut self, job: &JobEntry, profile: &mut Profile, item: &Item<'_>) {
        let Some(table) = self.table(LIMITS, item) else { return };
        for (key, item) in table {
            let operation = match &**key.get_ref() {
                "creates" => Operation::Create,
                "updates" => Operation::Update,
                "deletes" => Operation::Delete,
                "on_guard" => {
                    profile.on_guard = self.on_guard(item);
                    continue;
                }
                name => {
                    self.mistake(key, unknown(&format!("`{LIMITS}` has no key"), name, LIMIT_KEYS));
                    continue;
                }
            };
            self.overrides(job, operation, profile, key.get_ref(), item);
        }
    }

    fn on_guard(&mut self, item: &Item<'_>) -> Option<OnGuard> {
        match self.text("on_guard", item)? {
            "stop" => return Some(OnGuard::Stop),
            "hold" => return Some(OnGuard::Hold),
            _ => self.mistake(item, "`on_guard` must be \"stop\" or \"hold\""),
        }
        None
    }

    /// The limits of an operation, one for each model.
    fn overrides(&mut self, job: &JobEntry, operation: Operation, profile: &mut Profile, key: &str, item: &Item<'_>) {
        let models: Vec<_> = job.models().iter().map(|schema| schema.name).collect();
        let example = models.first().copied().unwrap_or("MODEL");
        let DeValue::Table(table) = item.get_ref() else {
            self.mistake(item, format!("`{key}` must name models, as in `{key} = {{ {example} = \"50%\" }}`"));
            return;
        };

        for (model, item) in table {
            let name = &**model.get_ref();
            if !models.contains(&name) {
                self.mistake(model, unknown(&format!("the job `{}` has no model", job.info().id), name, &models));
            }
            let limit = match item.get_ref() {
                DeValue::String(text) => Limit::from_str(text).ok(),
                DeValue::Integer(number) => {
                    whole(number).and_then(|number| usize::try_from(number).ok()).map(Limit::Count)
                }
                _ => None,
            };
            match limit {
                Some(limit) => profile.limits.push(LimitOverride { model: name.to_owned(), operation, limit }),
                None => self.mistake(
                    item,
                    format!("the limit of `{name}` must be a number of records, as in `120`, or a part of them, as in `\"50%\"`"),
                ),
            }
        }
    }

    fn options(&mut self, id: &str, item: &Item<'_>) -> Options {
        let mut options = Options::default();
        let Some(table) = self.table(OPTIONS, item) else { return options };
        for (key, item) in table {
            let name = &**key.get_ref();
            match name {
                "parallel_loading" => options.parallel_loading = self.boolean(name, item),
                "memory_profiling" => options.memory_profiling = self.boolean(name, item),
                "continue_on_failure" => options.continue_on_failure = self.boolean(name, item),
                "max_failures" => options.max_failures = self.number(name, item, 1..=usize::MAX),
                "retries" => options.retries = self.number(name, item, 0..=usize::from(u16::MAX)),
                "concurrency" => {
                    options.concurrency = self.number(name, item, 1..=usize::MAX).and_then(NonZeroUsize::new);
                }
                "time_limit" => options.time_limit = self.duration(name, item),
                "record_time_limit" => options.record_time_limit = self.duration(name, item),
                "max_rejected" => options.max_rejected = self.percent(name, item),
                _ => self.mistake(key, unknown(&format!("`{OPTIONS}` of `{id}` has no key"), name, OPTION_KEYS)),
            }
        }
        options
    }

    fn table<'t, 'i>(&mut self, name: &str, item: &'t Item<'i>) -> Option<&'t DeTable<'i>> {
        match item.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.mistake(item, format!("`{name}` must be a table, and is {}", found(other)));
                None
            }
        }
    }

    fn text<'t>(&mut self, name: &str, item: &'t Item<'_>) -> Option<&'t str> {
        match item.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                self.mistake(item, format!("`{name}` must be a text in quotes, and is {}", found(other)));
                None
            }
        }
    }

    fn boolean(&mut self, name: &str, item: &Item<'_>) -> Option<bool> {
        match item.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            other => {
                self.mistake(item, format!("`{name}` must be `true` or `false`, and is {}", found(other)));
                None
            }
        }
    }

    fn number(&mut self, name: &str, item: &Item<'_>, range: RangeInclusive<usize>) -> Option<usize> {
        let number = match item.get_ref() {
            DeValue::Integer(number) => whole(number).and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let most = if *range.end() == usize::MAX { "up".to_owned() } else { format!("to {}", range.end()) };
            self.mistake(item, format!("`{name}` must be a whole number from {} {most}", range.start()));
        }
        number
    }

    fn duration(&mut self, name: &str, item: &Item<'_>) -> Option<Duration> {
        let duration = item.get_ref().as_str().and_then(|text| flags::duration(text).ok());
        if duration.is_none() {
            self.mistake(item, format!("`{name}` must be a duration such as \"90s\", \"15m\" or \"2h\""));
        }
        duration
    }

    fn percent(&mut self, name: &str, item: &Item<'_>) -> Option<f64> {
        let text = match item.get_ref() {
            DeValue::Integer(number) => whole(number).map(|number| number.to_string()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::String(text) => Some(text.clone().into_owned()),
            _ => None,
        };
        let percent = text.and_then(|text| flags::percent(&text).ok());
        if percent.is_none() {
            self.mistake(item, format!("`{name}` must be a number of percent, from 0 to 100, as in `2.5`"));
        }
        percent
    }
}

/// What to write for a variable that is set by a table.
fn sources(variable: &str) -> String {
    format!(
        "the variable `{variable}` takes one of `{{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}` and \
         `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}`"
    )
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

/// A whole number, if it is not too large.
fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Whether a URL has a password, even one with characters that had to be escaped.
fn has_password(text: &str) -> bool {
    let Ok(url) = text.parse::<Url>() else { return false };
    // Redacting a URL finds a password that the parser took for a part of the path.
    let login = text.split_once("//").map_or(text, |(_, rest)| rest).rsplit_once('@').map(|(login, _)| login);
    let is_redacted = redact_url(&url).contains("***@");
    url.password().is_some() || (is_redacted && login.is_some_and(|login| login.contains(':')))
}

/// The type that a variable of this kind has in the file, and an example.
fn expected(kind: VariableKind, name: &str) -> (&'static str, String) {
    match kind {
        VariableKind::Integer => ("a whole number", format!("{name} = 3")),
        VariableKind::Number => ("a number", format!("{name} = 2.5")),
        VariableKind::Boolean => ("`true` or `false`", format!("{name} = true")),
        VariableKind::Json => ("a text that holds JSON", format!("{name} = '{{\"a\": 1}}'")),
        VariableKind::List(kind) => {
            let (_, example) = expected(*kind, name);
            let value = example.split_once(" = ").map_or("", |(_, value)| value).to_owned();
            ("a list", format!("{name} = [{value}]"))
        }
        _ => ("a text", format!("{name} = \"…\"")),
    }
}

/// The type of a value.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::NowhereToNowhere;

    fn read(text: &str) -> Result<Vec<Profile>, String> {
        let registry = JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap();
        super::read(&registry, Path::new("p.toml"), text.as_bytes())
    }

    fn error(text: &str) -> String {
        read(text).err().unwrap_or_else(|| panic!("{text:?} is accepted"))
    }

    /// The error for one variable, without its place.
    fn of_variable(line: &str) -> String {
        let error = error(&format!("[nowhere-to-nowhere.a.variables]\n{line}"));
        error.strip_prefix("p.toml:2:").and_then(|rest| rest.split_once(": ")).unwrap().1.to_owned()
    }

    #[test]
    fn profiles_are_in_the_order_of_the_file_with_the_variables_in_that_of_the_job() {
        let profiles = read(
            "[nowhere-to-nowhere.b]\nvariables = { place = 'x', floor = 0x10, site = { env = 'SITE' } }\n\
             [nowhere-to-nowhere.a]\nvariables.levels = [1, { file = 'level' }]\n",
        );
        let profiles = profiles.unwrap();
        let shown = |profile: &Profile| {
            let settings =
                profile.variables.iter().map(|setting| format!("{} = {}", setting.spec.name, setting.shown()));
            format!("{} {}: {}", profile.place, profile.id, settings.collect::<Vec<_>>().join("; "))
        };
        let expected = [
            "p.toml:1:21 nowhere-to-nowhere@b: site = from the environment variable SITE; floor = 16; place = x",
            "p.toml:3:21 nowhere-to-nowhere@a: levels = 1, from the file `level`",
        ];
        assert_eq!(profiles.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_empty_file_has_no_profiles() {
        for text in ["", "\n# nothing\n", "[nowhere-to-nowhere]\n"] {
            assert!(read(text).unwrap().is_empty());
        }
        assert_eq!(read("[nowhere-to-nowhere.a]").unwrap().len(), 1);
    }

    #[test]
    fn a_value_is_of_the_type_of_its_variable() {
        for (line, expected) in [
            ("place = 3", "the variable `place` must be a text, as in `place = \"…\"`, and is a whole number"),
            ("floor = '3'", "the variable `floor` must be a whole number, as in `floor = 3`, and is a text"),
            ("floor = 1.5", "the variable `floor` must be a whole number, as in `floor = 3`, and is a number"),
            ("floor = [1]", "the variable `floor` must be a whole number, as in `floor = 3`, and is a list"),
            ("levels = 1", "the variable `levels` must be a list, as in `levels = [3]`, and is a whole number"),
            ("levels = []", "the list `levels` is empty; write a value, or remove it"),
            ("levels = [1, '2']", "the variable `levels` must be a whole number, as in `levels = 3`, and is a text"),
            (
                "floor = {}",
                "the variable `floor` takes one of `{ env = \"NAME\" }`, `{ file = \"PATH\" }` and \
                            `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`",
            ),
        ] {
            assert_eq!(of_variable(line), expected);
        }
        // Only the job knows its range.
        let out_of_range = of_variable("floor = 300");
        assert!(out_of_range.starts_with("variable `floor` = \"300\": it must be a whole number: "), "{out_of_range}");
    }

    #[test]
    fn a_secret_in_clear_is_refused_and_not_repeated() {
        for line in [
            "token = 'hunter2'",
            "token = ['hunter2']",
            "token = { hunter2 = 'hunter2' }",
            "token = { env = 'hunter2=' }",
        ] {
            let error = of_variable(line);
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            of_variable("token = 7")
                .starts_with("the variable `token` is a secret: write `token = { env = \"NAME\" }`")
        );
        assert!(read("[nowhere-to-nowhere.a.variables]\ntoken = { command = ['pass', 'x'] }").is_ok());
    }

    #[test]
    fn a_password_in_a_url_is_found_wherever_the_parser_puts_it() {
        for url in ["postgres://u:p@h/x", "postgres://u:1/p@h/x", "postgres:u:p@h/x", "https://u:1#q@h/"] {
            assert!(has_password(url), "{url}");
        }
        for url in ["postgres://u@h/x", "https://h:80/?m=a@b", "https://h/@me", "sqlite://a.db?mode=ro", "a.db"] {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn what_is_in_the_wrong_place_is_answered_with_the_right_one() {
        for (text, expected) in [
            (
                "[nowhere-to-nowhere]\nmode = 'apply'",
                "2:1: `mode` belongs to a profile; begin one above it with `[nowhere-to-nowhere.NAME]`",
            ),
            (
                "[nowhere-to-nowhere.limits]",
                "1:21: the name of the profile is missing; write `[nowhere-to-nowhere.NAME.limits]`",
            ),
            ("[nowhere-to-nowhere.a]\nfloor = 1", "2:1: `floor` belongs below `[nowhere-to-nowhere.a.variables]`"),
            ("[nowhere-to-nowhere.a]\ndeletes = 1", "2:1: `deletes` belongs below `[nowhere-to-nowhere.a.limits]`"),
            (
                "[nowhere-to-nowhere.a.limits]\ndeletes = 1",
                "2:11: `deletes` must name models, as in `deletes = { site = \"50%\" }`",
            ),
            ("[nowhere-to-nowhere.a]\noptions = 1", "2:11: `options` must be a table, and is a whole number"),
            ("nowhere-to-nowhere = 1", "1:22: expected the profiles of the job, as in `[nowhere-to-nowhere.NAME]`"),
            (
                "[nowhere-to-nowhere.'a b']",
                "1:21: a profile cannot be called \"a b\"; use letters, digits, `-` and `_`",
            ),
            (
                "[nowhere-to-nowhere.nowhere-to-nowhere]",
                "1:21: a profile needs another name than its job, which also runs without a profile",
            ),
            (
                "[nowhere-to-nowhere.a]\nschedule = ''",
                "2:12: `schedule` is empty; write one such as \"0 4 * * *\", or remove it",
            ),
            ("[nowhere-to-nowhere.a]\nmode = 'aply'", "2:8: `mode` must be \"apply\" or \"dry-run\""),
        ] {
            assert_eq!(error(text), format!("p.toml:{expected}"));
        }
    }

    #[test]
    fn a_mistake_of_syntax_quotes_nothing_of_the_file() {
        assert_eq!(
            error("[nowhere-to-nowhere.a.variables]\nplace = 'é', hunter2\n\n[nowhere-to-nowhere.a\n"),
            "`p.toml` has 2 mistakes:\n  p.toml:2:12: this is not TOML: unexpected key or value, expected newline, `#`\n  \
             p.toml:4:22: this is not TOML: unclosed table, expected `]`"
        );
        let twice = "[nowhere-to-nowhere.a]\nmod = 1\n[nowhere-to-nowhere.a]\n";
        assert_eq!(
            error(twice),
            "`p.toml` has 2 mistakes:\n  p.toml:2:1: a profile has no key `mod`; did you mean `mode`?\n  \
             p.toml:3:21: this name is used twice; remove one, or rename it"
        );
        let registry = JobRegistry::new([JobEntry::new::<NowhereToNowhere>()]).unwrap();
        let error = super::read(&registry, Path::new("p.toml"), b"# \xc3\xa9\n#\xff").err().unwrap();
        assert_eq!(error, "p.toml:2:2: the file is not UTF-8 text from here on");
    }
}

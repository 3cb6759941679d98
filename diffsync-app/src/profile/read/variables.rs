//! The variables of a profile: values, and where others come from.

use std::path::PathBuf;

use diffsync_core::job::{VariableKind, VariableSpec, VariableValues};
use diffsync_core::value::{Url, redact_url};
use toml::de::{DeTable, DeValue};

use super::value::{found, whole};
use super::{Item, Reader, VARIABLES, unknown};
use crate::jobs::AnyJob;
use crate::profile::{Setting, Source};

impl Reader<'_> {
    /// The variables, in the order of the job's.
    pub(super) fn variables(&mut self, job: AnyJob<'_>, id: &str, item: &Item<'_>) -> Vec<Setting> {
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
    fn check_values(&mut self, job: AnyJob<'_>, id: &str, settings: &[(usize, usize, Setting)]) {
        let written = settings.iter().filter_map(|(_, offset, setting)| Some((*offset, setting.written()?)));
        let written: Vec<_> = written.collect();
        let values = written.iter().flat_map(|(_, (name, texts))| texts.iter().map(move |text| (*name, *text)));
        let values = values.fold(VariableValues::new(), |values, (name, text)| values.with(name, text));

        // Other variables may be set by flags, so only these count.
        for error in job.wrong_values(&values).iter().flatten() {
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
                    "the variable `{name}` is a secret: write `{name} = {{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}`, \
                     `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}` or `{{ prompt = true }}`"
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
                     `{name} = {{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}`, `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}` or \
                     `{{ prompt = true }}`"
                ),
            );
            return None;
        }
        Some(Source::Text(text))
    }

    /// Where a value comes from: `{ env = … }`, `{ file = … }`, `{ command = … }` or `{ prompt = true }`.
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
            "prompt" if self.boolean("prompt", item)? => Some(Source::Prompt),
            "prompt" => {
                self.mistake(item, "`prompt` must be `true`; leave the variable out if it is not to be asked for");
                None
            }
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
}

/// What to write for a variable that is set by a table.
fn sources(variable: &str) -> String {
    format!(
        "the variable `{variable}` takes one of `{{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}`, \
         `{{ command = [\"PROGRAM\", \"ARGUMENT\"] }}` and `{{ prompt = true }}`"
    )
}

/// Whether a URL has a password, even one with characters that had to be escaped.
pub(super) fn has_password(text: &str) -> bool {
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

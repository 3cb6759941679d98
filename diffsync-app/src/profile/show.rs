//! Profiles as text and as documents. A secret is shown as where it comes from.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use diffsync_core::job::{VariableKind, VariableSpec};
use diffsync_core::model::OnGuard;
use diffsync_core::value::{Url, redact_url};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Mode, Profile, Setting, Source};
use crate::terminal::one_line;

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => write!(f, "the value in the file"),
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Prompt => write!(f, "the answer"),
            // Arguments are not repeated in errors, since they can be long.
            Self::Command(command) => {
                write!(f, "the output of the command `{}`", command.first().map_or("", String::as_str))
            }
        }
    }
}

/// A text that is written in the file, with the login of a URL redacted.
fn written(spec: &VariableSpec, text: &str) -> String {
    let is_url = matches!(spec.kind, VariableKind::Url | VariableKind::List(VariableKind::Url));
    match text.parse::<Url>() {
        _ if spec.secret => "[secret]".to_owned(),
        Ok(url) if is_url => redact_url(&url),
        _ => text.to_owned(),
    }
}

impl Setting {
    /// The values in words.
    pub(super) fn shown(&self) -> String {
        let values = self.values.iter().map(|source| match source {
            Source::Text(text) => written(self.spec, text),
            Source::Command(command) => format!("from the command {command:?}"),
            Source::Prompt => "asked for on the terminal".to_owned(),
            Source::Env(_) | Source::File(_) => format!("from {source}"),
        });
        one_line(&values.collect::<Vec<_>>().join(", ")).into_owned()
    }

    fn document(&self) -> Value {
        let value = |source: &Source| match source {
            Source::Text(text) => {
                let kind = if let VariableKind::List(kind) = self.spec.kind { *kind } else { self.spec.kind };
                let text = written(self.spec, text);
                match kind {
                    VariableKind::Integer | VariableKind::Number | VariableKind::Boolean => {
                        serde_json::from_str(&text).unwrap_or(Value::String(text))
                    }
                    _ => Value::String(text),
                }
            }
            Source::Env(name) => json!({ "env": name }),
            Source::File(path) => json!({ "file": path.display().to_string() }),
            Source::Command(command) => json!({ "command": command }),
            Source::Prompt => json!({ "prompt": true }),
        };
        match (self.spec.kind, &*self.values) {
            (VariableKind::List(_), values) => values.iter().map(value).collect(),
            (_, [only]) => value(only),
            (_, _) => Value::Null,
        }
    }
}

/// The profile as a document.
impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let variables = self.variables.iter().map(|setting| (setting.spec.name.to_owned(), setting.document()));
        let mut document = serializer.serialize_struct("Profile", 10)?;
        document.serialize_field("name", &self.name)?;
        document.serialize_field("id", &self.id)?;
        document.serialize_field("defined_at", &self.place)?;
        document.serialize_field("description", &self.description)?;
        document.serialize_field("mode", &self.mode)?;
        document.serialize_field("schedule", &self.schedule)?;
        document.serialize_field("variables", &variables.collect::<Map<_, _>>())?;
        document.serialize_field("limit_overrides", &self.limits)?;
        document.serialize_field("on_guard", &self.on_guard)?;
        document.serialize_field("options", &self.options)?;
        document.end()
    }
}

/// A duration as it is written in the file.
#[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn duration<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| humantime::format_duration(duration).to_string()).serialize(serializer)
}

impl Profile {
    /// The line of a list, below its job.
    pub(crate) fn line(&self) -> String {
        format!("  {}  {}", self.id, one_line(self.description.as_deref().unwrap_or_default())).trim_end().to_owned()
    }

    /// Writes the settings.
    pub(crate) fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "\nprofile {} ({})", self.name, one_line(&self.place))?;
        if let Some(description) = &self.description {
            writeln!(out, "  {}", one_line(description))?;
        }
        for setting in &self.variables {
            writeln!(out, "  {} = {}", setting.spec.name, setting.shown())?;
        }

        match self.mode {
            Some(Mode::Apply) => writeln!(out, "  a run writes, unless --dry-run is given")?,
            Some(Mode::DryRun) => writeln!(out, "  a run writes nothing, unless --apply is given")?,
            None => {}
        }
        if let Some(schedule) = &self.schedule {
            writeln!(out, "  schedule: {}", one_line(schedule))?;
        }

        for limit in &self.limits {
            writeln!(out, "  {} {}s of {} are allowed", limit.limit, limit.operation, limit.model)?;
        }
        match self.on_guard {
            Some(OnGuard::Stop) => writeln!(out, "  beyond a limit: the run is refused")?,
            Some(OnGuard::Hold) => writeln!(out, "  beyond a limit: the operations are held")?,
            None => {}
        }

        let options = serde_json::to_value(&self.options).unwrap_or_default();
        for (name, value) in options.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            writeln!(out, "  {name} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))?;
        }
        Ok(())
    }
}

//! The secrets of a run of another program, which may show them by mistake: in its log, or in the error of a server that repeats them.

use diffsync_core::job::VariableValues;
use serde_json::Value;

use super::job::ProgramJob;

/// A secret that is shorter is a part of many words.
const SHORTEST: usize = 4;

/// The values of the secret variables, as they may be spelled.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets of a run with these values. One without a value is read by the program from its environment.
    pub(super) fn of(job: &ProgramJob, values: &VariableValues) -> Self {
        let secret = job.variables().iter().filter(|spec| spec.secret);
        let given = secret.flat_map(|spec| match values.get(spec.name) {
            [] => spec.env.and_then(|env| std::env::var(env).ok()).into_iter().collect(),
            texts => texts.to_vec(),
        });
        Self::spelled(given)
    }

    fn spelled(given: impl IntoIterator<Item = String>) -> Self {
        let mut spelled = Vec::new();
        for text in given {
            // A key of several lines may be shown line by line.
            spelled.extend(text.lines().map(|line| line.trim().to_owned()));
            let json = Value::from(text.as_str()).to_string();
            spelled.extend(json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).map(str::to_owned));
            spelled.push(text);
        }
        spelled.retain(|text| text.len() >= SHORTEST);
        // One may be a part of another.
        spelled.sort_by_key(|text| std::cmp::Reverse(text.len()));
        spelled.dedup();
        Self(spelled)
    }

    /// The text without the secrets.
    pub(super) fn hide(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), "[secret]") } else { text }
        })
    }

    /// The same for every text in a value.
    pub(super) fn hide_in(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.hide(text)),
            Value::Array(items) => items.into_iter().map(|item| self.hide_in(item)).collect(),
            Value::Object(entries) => {
                entries.into_iter().map(|(key, value)| (self.hide(key), self.hide_in(value))).collect()
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_spelled() {
        let secret = "p\"a\\ss=w";
        let secrets = Secrets::spelled([secret.to_owned()]);
        assert_eq!(secrets.hide(format!("token {secret}!")), "token [secret]!");
        assert_eq!(secrets.hide(json!({ "token": secret }).to_string()), r#"{"token":"[secret]"}"#);
        assert_eq!(secrets.hide_in(json!({"a": [secret, 1]})), json!({"a": ["[secret]", 1]}));
    }

    #[test]
    fn each_line_of_a_secret_is_hidden() {
        let secrets = Secrets::spelled(["-----BEGIN-----\r\n  c2VjcmV0\nab\n".to_owned()]);
        assert_eq!(secrets.hide("key: c2VjcmV0".to_owned()), "key: [secret]");
        assert_eq!(secrets.hide("-----BEGIN-----".to_owned()), "[secret]");
        assert_eq!(secrets.hide("about".to_owned()), "about");
    }

    #[test]
    fn a_secret_that_the_program_takes_from_its_environment_is_hidden() {
        let described = json!({
            "id": "x", "source_label": "A", "target_label": "B", "models": ["site"],
            "variables": [{"name": "token", "secret": true, "env": "CARGO_PKG_DESCRIPTION"}],
        });
        let job = ProgramJob::new("/jobs/x".into(), "1", serde_json::from_value(described).unwrap()).unwrap();
        let text = std::env::var("CARGO_PKG_DESCRIPTION").unwrap();
        assert_eq!(Secrets::of(&job, &VariableValues::new()).hide(text), "[secret]");
    }
}

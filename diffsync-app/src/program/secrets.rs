//! The secrets of a run of another program, which may show them by mistake: in its log, or in the error of a server that repeats them.

use diffsync_core::job::VariableValues;
use serde_json::Value;

use super::job::ProgramJob;

/// A secret that is shorter is a part of many words.
const SHORTEST: usize = 4;

/// The values of the secret variables, as they may be spelled.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(job: &ProgramJob, values: &VariableValues) -> Self {
        let secret = job.variables().iter().filter(|spec| spec.secret);
        let given = secret.flat_map(|spec| values.get(spec.name)).filter(|text| text.len() >= SHORTEST);
        let spelled = given.flat_map(|text| {
            let json = Value::from(text.as_str()).to_string();
            [text.clone(), json.trim_matches('"').to_owned()]
        });
        let mut spelled: Vec<_> = spelled.collect();
        // One may be a part of another.
        spelled.sort_by_key(|text| std::cmp::Reverse(text.len()));
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
        let secrets = Secrets(vec![Value::from(secret).to_string().trim_matches('"').to_owned(), secret.to_owned()]);
        assert_eq!(secrets.hide(format!("token {secret}!")), "token [secret]!");
        assert_eq!(secrets.hide(json!({ "token": secret }).to_string()), r#"{"token":"[secret]"}"#);
        assert_eq!(secrets.hide_in(json!({"a": [secret, 1]})), json!({"a": ["[secret]", 1]}));
    }
}

//! The limits of a profile.

use std::str::FromStr;

use diffsync_core::model::{Limit, LimitOverride, OnGuard, Operation};
use toml::de::DeValue;

use super::value::whole;
use super::{Item, LIMIT_KEYS, LIMITS, Reader, unknown};
use crate::jobs::AnyJob;
use crate::profile::Profile;

impl Reader<'_> {
    pub(super) fn limits(&mut self, job: AnyJob<'_>, profile: &mut Profile, item: &Item<'_>) {
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
    fn overrides(&mut self, job: AnyJob<'_>, operation: Operation, profile: &mut Profile, key: &str, item: &Item<'_>) {
        let models = job.models();
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
}

//! The settings of the history.

use toml::de::DeValue;

use super::{HISTORY, Item, Reader, unknown};
use crate::flags;
use crate::profile::Profile;

/// The settings.
const KEYS: &[&str] = &["keep_last", "older_than", "automatic"];

impl Reader<'_> {
    /// The table `history`. If a job has this id, its profiles are in the same table.
    pub(super) fn history(&mut self, item: &Item<'_>) -> Vec<(usize, Profile)> {
        let job = self.jobs.get(HISTORY).ok();
        let mut profiles = Vec::new();
        let Some(table) = self.table(HISTORY, item) else { return profiles };
        for (key, item) in table {
            match &**key.get_ref() {
                name @ "keep_last" => {
                    let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
                    let number = self.number(name, item, 0..=most).and_then(|number| u32::try_from(number).ok());
                    self.retention.keep_last = number.unwrap_or(self.retention.keep_last);
                }
                name @ "older_than" => match item.get_ref().as_str().map(flags::age) {
                    Some(Ok(age)) => self.retention.older_than = age,
                    _ => self.mistake(item, format!("`{name}` must be an age such as \"90d\" or \"12h\"")),
                },
                name @ "automatic" => {
                    self.retention.automatic = self.boolean(name, item).unwrap_or(self.retention.automatic);
                }
                name => match job {
                    Some(job) if matches!(item.get_ref(), DeValue::Table(_)) => {
                        profiles.extend(self.profile(job, key, item).map(|profile| (key.span().start, profile)));
                    }
                    _ => self.mistake(key, unknown(&format!("`{HISTORY}` has no key"), name, KEYS)),
                },
            }
        }
        profiles
    }
}

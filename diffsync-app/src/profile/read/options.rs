//! The options of a profile.

use std::num::NonZeroUsize;

use super::{Item, OPTION_KEYS, OPTIONS, Reader, unknown};
use crate::profile::Options;

impl Reader<'_> {
    pub(super) fn options(&mut self, id: &str, item: &Item<'_>) -> Options {
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
}

//! How often a call to a target is retried.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// How often, and after which pauses, a call is retried after a [transient](crate::adapter::TargetError::transient)
/// error.
///
/// The pauses double from the first to the longest. Each is drawn at random between half of it and all of it, so that many
/// callers do not retry at the same moment. A pause that the server asks for is respected, up to
/// [`longest_wait`](Self::longest_wait).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of retries.
    pub times: usize,
    /// The first pause.
    pub first_pause: Duration,
    /// The longest pause that doubling reaches.
    pub longest_pause: Duration,
    /// The longest pause that a server may ask for; beyond it the record fails at once.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Four retries, after half a second to a minute, or up to five minutes if a server asks for it.
    fn default() -> Self {
        Self {
            times: 4,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            longest_wait: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// The pause before each retry.
    pub fn pauses(self) -> impl Iterator<Item = Duration> {
        // `backon` adds a random part of up to the whole pause, so it is given half of each.
        ExponentialBuilder::default()
            .with_min_delay(self.first_pause / 2)
            .with_max_delay(self.longest_pause / 2)
            .with_factor(2.0)
            .with_max_times(self.times)
            .with_jitter()
            .build()
    }
}

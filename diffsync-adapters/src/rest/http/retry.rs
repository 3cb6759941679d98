//! When a request is retried.

use std::time::{Duration, SystemTime};

use diffsync_core::run;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How often and after which pauses a request is retried.
///
/// The pauses double from the first to the longest, each a random time between half and all of it. A server's
/// `Retry-After` is respected, up to [`longest_wait`](Self::longest_wait).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often it is retried.
    pub times: usize,
    /// The first pause.
    pub first_pause: Duration,
    /// The longest pause of the doubling.
    pub longest_pause: Duration,
    /// The longest `Retry-After` that is respected; if a server demands more, the request fails at once.
    pub longest_wait: Duration,
    /// How long after the first attempt another may begin. It must exceed the time that a request may hang, or such a
    /// request is not retried.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    /// Five times, after half a second to half a minute, within five minutes.
    fn default() -> Self {
        Self {
            times: 5,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_wait: Duration::from_mins(2),
            max_elapsed: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// No retries.
    #[must_use]
    pub fn none() -> Self {
        Self { times: 0, ..Self::default() }
    }

    /// The pauses before each further request.
    pub(crate) fn pauses(self) -> impl Iterator<Item = Duration> {
        let Self { times, first_pause, longest_pause, longest_wait, max_elapsed: _ } = self;
        run::RetryPolicy { times, first_pause, longest_pause, longest_wait }.pauses()
    }
}

/// The `Retry-After` of a server: a number of seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO), "a date that is over");
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
    }
}

//! Polling the task of a request that was answered with 202.

use std::time::{Duration, SystemTime};

use diffsync_core::value::Url;
use reqwest::header::{HeaderMap, LOCATION};

use super::client::Response;
use super::retry::retry_after;

/// How to poll the task of a request that was answered with 202.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskPolling {
    /// Where the task's URL is in the response, as a JSON pointer. Without it, or if nothing is there, the `Location` header
    /// counts.
    pub link: Option<String>,
    /// Where the state is in the task, as a JSON pointer.
    pub state: String,
    /// The states of a task that has succeeded.
    pub done: Vec<String>,
    /// The states of a task that has failed. In any other state it is still running.
    pub failed: Vec<String>,
    /// Where the record, or its URL, is in the task, as a JSON pointer. Without it the record is searched by its identifier.
    pub record: Option<String>,
    /// How long to wait for the task. After that, the record's outcome is unknown.
    pub timeout: Duration,
    /// The pause before the task is polled again, unless the server specifies one (`Retry-After`).
    pub interval: Duration,
}

impl Default for TaskPolling {
    /// The state at `/status`, with the usual words; polls every second, for up to two minutes.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            link: None,
            state: "/status".to_owned(),
            done: words(&["done", "success", "successful", "succeeded", "complete", "completed", "finished", "ok"]),
            failed: words(&["failed", "failure", "error", "errored", "cancelled", "canceled", "aborted", "timeout"]),
            record: None,
            timeout: Duration::from_mins(2),
            interval: Duration::from_secs(1),
        }
    }
}

impl TaskPolling {
    /// The task's URL.
    pub(crate) fn url(&self, answer: &Response) -> Option<Url> {
        let link = self.link.as_deref().and_then(|link| answer.body.pointer(link)?.as_str());
        let location = location(&answer.headers);
        answer.url.join(link.or(location.as_deref())?).ok()
    }

    /// The pause that the headers ask for.
    pub(crate) fn pause_after(&self, headers: &HeaderMap) -> Duration {
        self.pause_of(retry_after(headers, SystemTime::now()))
    }

    /// The pause before the next poll. A server that requests none would be polled without end.
    pub(crate) fn pause_of(&self, requested: Option<Duration>) -> Duration {
        requested.filter(|pause| !pause.is_zero()).unwrap_or(self.interval)
    }

    pub(crate) fn is_among(&self, state: &str) -> State {
        let has = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(state));
        if has(&self.done) {
            State::Done
        } else if has(&self.failed) {
            State::Failed
        } else {
            State::GoesOn
        }
    }
}

/// The state of a task.
pub(crate) enum State {
    Done,
    Failed,
    GoesOn,
}

/// The `Location` header.
pub(crate) fn location(headers: &HeaderMap) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes()).into_owned())
}

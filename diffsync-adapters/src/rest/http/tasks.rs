//! How an API says what became of a task that it answered with 202.

use std::time::{Duration, SystemTime};

use diffsync_core::value::Url;
use reqwest::header::{HeaderMap, LOCATION};

use super::client::Answer;
use super::retry::retry_after;

/// How an API says what became of a task that it answered with 202.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tasks {
    /// Where the task's URL is in the answer, as a JSON pointer. Without it, or if it is not there, the `Location` header
    /// says it.
    pub link: Option<String>,
    /// Where the state is in what the task's URL gives, as a JSON pointer.
    pub state: String,
    /// The states in which it was done.
    pub done: Vec<String>,
    /// The states in which it failed. In any other it goes on.
    pub failed: Vec<String>,
    /// Where the record, or its URL, is in what the task's URL gives, as a JSON pointer. Without it the server is asked for
    /// the record by its identifier.
    pub record: Option<String>,
    /// How long it is waited for. After that the record's outcome is unknown.
    pub limit: Duration,
    /// How long to wait before the task is asked for again, unless the server says it (`Retry-After`).
    pub pause: Duration,
}

impl Default for Tasks {
    /// The state at `/status`, the usual words for it, two minutes.
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            link: None,
            state: "/status".to_owned(),
            done: words(&["done", "success", "successful", "succeeded", "complete", "completed", "finished", "ok"]),
            failed: words(&["failed", "failure", "error", "errored", "cancelled", "canceled", "aborted", "timeout"]),
            record: None,
            limit: Duration::from_mins(2),
            pause: Duration::from_secs(1),
        }
    }
}

impl Tasks {
    /// Where the answer leads.
    pub(crate) fn url(&self, answer: &Answer) -> Option<Url> {
        let link = self.link.as_deref().and_then(|link| answer.body.pointer(link)?.as_str());
        let location = location(&answer.headers);
        answer.url.join(link.or(location.as_deref())?).ok()
    }

    /// How long to wait, as the headers say.
    pub(crate) fn pause_after(&self, headers: &HeaderMap) -> Duration {
        self.pause_of(retry_after(headers, SystemTime::now()))
    }

    /// How long to wait. A server that says "at once" would be asked without end.
    pub(crate) fn pause_of(&self, said: Option<Duration>) -> Duration {
        said.filter(|pause| !pause.is_zero()).unwrap_or(self.pause)
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

/// Where the `Location` header leads.
pub(crate) fn location(headers: &HeaderMap) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes()).into_owned())
}

//! What a server has only taken on: a 202, and the task that it leads to.

use std::time::{Duration, SystemTime};

use diffsync_core::Url;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::write_request::Told;
use crate::rest::adapter::Rest;
use crate::rest::http::client::{Answer, Request};
use crate::rest::http::error::{Error, ErrorKind};
use crate::rest::http::retry::retry_after;
use crate::rest::model::RestModel;
use crate::rest::verdict;
use crate::rest::verdict::Verdict;

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
    fn url(&self, answer: &Answer) -> Option<Url> {
        let link = self.link.as_deref().and_then(|link| answer.body.pointer(link)?.as_str());
        let location = location(&answer.headers);
        answer.url.join(link.or(location.as_deref())?).ok()
    }

    /// How long to wait, as the headers say.
    fn pause_after(&self, headers: &HeaderMap) -> Duration {
        self.pause_of(retry_after(headers, SystemTime::now()))
    }

    /// How long to wait. A server that says "at once" would be asked without end.
    fn pause_of(&self, said: Option<Duration>) -> Duration {
        said.filter(|pause| !pause.is_zero()).unwrap_or(self.pause)
    }

    fn is_among(&self, state: &str) -> State {
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

enum State {
    Done,
    Failed,
    GoesOn,
}

/// Where the `Location` header leads.
pub(crate) fn location(headers: &HeaderMap) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes()).into_owned())
}

impl<D> Rest<D> {
    /// Waits for what the server has taken on. `request` is what it was asked.
    pub(crate) async fn finished<M: RestModel>(&self, answer: Answer, request: &Request) -> Result<Told, Error> {
        let kind = ErrorKind::Status(StatusCode::ACCEPTED);
        let lost = |detail: String| {
            let text = format!("the server has only taken it on: {detail}");
            request.failed(&answer.url, kind, "").judged(Verdict::Unknown(text))
        };
        let Some(tasks) = &self.dialect.tasks else {
            return Err(lost("whether it gets done is not known; `Dialect::tasks` says how to wait for it".to_owned()));
        };
        let Some(url) = tasks.url(&answer) else {
            return Err(lost("neither its answer nor a `Location` header says where to ask for the task".to_owned()));
        };

        let begun = Instant::now();
        let mut pause = tasks.pause_after(&answer.headers);
        loop {
            if begun.elapsed() + pause > tasks.limit {
                return Err(lost(format!("it was not done within {:?}", tasks.limit)));
            }
            sleep(pause).await;
            let now = match self.client.follow(url.clone()).send().await {
                Ok(now) => now,
                // What is being made is not there yet.
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                    pause = tasks.pause_of(error.retry_after());
                    continue;
                }
                Err(error) => return Err(lost(format!("what became of it could not be asked: {error}"))),
            };
            pause = tasks.pause_after(&now.headers);
            if now.status == StatusCode::ACCEPTED {
                continue;
            }
            let deletes = *request.method() == Method::DELETE;
            match now.body.pointer(&tasks.state) {
                Some(Value::String(state)) => match tasks.is_among(state) {
                    State::GoesOn => {}
                    State::Done => return Ok(made(tasks, now)),
                    State::Failed => {
                        let text = verdict::text(&now.body);
                        return Err(request.failed(&url, kind, "").judged(Verdict::Failed(text)));
                    }
                },
                // The state is not known yet.
                Some(Value::Null | Value::Bool(_) | Value::Number(_)) => {}
                // The task's URL leads to what it made once that is there.
                Some(_) | None if !deletes && self.holds_record::<M>(&now.body) => {
                    return Ok(Told { body: now.body, location: None, status: now.status, is_vouched: true });
                }
                Some(_) => {}
                None if deletes && is_empty(&now.body) => return Ok(Told::vouched()),
                None => {
                    let text = format!("its task says nothing at `{}` (`Tasks::state`), and is no record", tasks.state);
                    return Err(lost(text));
                }
            }
        }
    }
}

fn is_empty(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// What a task made, as far as it says so.
fn made(tasks: &Tasks, mut now: Answer) -> Told {
    let record = tasks.record.as_deref().and_then(|record| now.body.pointer_mut(record)).map(Value::take);
    match record {
        Some(Value::String(link)) => Told { location: now.url.join(&link).ok(), ..Told::vouched() },
        Some(record) => Told { body: record, ..Told::vouched() },
        None => Told::vouched(),
    }
}

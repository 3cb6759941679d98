//! Waits for the task of a request that was answered with 202.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::write_request::WriteReply;
use crate::rest::context::RestContext;
use crate::rest::http::client::{Request, Response};
use crate::rest::http::error::{Error, ErrorKind};
use crate::rest::http::tasks::{State, TaskPolling};
use crate::rest::model::RestModel;
use crate::rest::verdict;
use crate::rest::verdict::Verdict;

impl RestContext {
    /// Waits for a request that the server has only accepted.
    pub(crate) async fn finished<M: RestModel>(
        &self,
        answer: Response,
        request: &Request,
    ) -> Result<WriteReply, Error> {
        let kind = ErrorKind::Status(StatusCode::ACCEPTED);
        let lost = |detail: String| {
            let text = format!("the server has only accepted it: {detail}");
            request.failed(&answer.url, kind, "").judged(Verdict::Unknown(text))
        };

        let Some(tasks) = &self.dialect.task_polling else {
            return Err(lost(
                "whether it will be carried out is unknown; set `Dialect::task_polling` to wait for it".to_owned(),
            ));
        };

        let Some(url) = tasks.url(&answer) else {
            return Err(lost("neither its answer nor a `Location` header contains the URL of the task".to_owned()));
        };

        let begun = Instant::now();
        let mut pause = tasks.pause_after(&answer.headers);
        loop {
            if begun.elapsed() + pause > tasks.timeout {
                return Err(lost(format!("it was not done within {:?}", tasks.timeout)));
            }

            sleep(pause).await;
            let now = match self.client.follow(url.clone()).send().await {
                Ok(now) => now,
                // The record does not exist yet.
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                    pause = tasks.pause_of(error.retry_after());
                    continue;
                }
                Err(error) => return Err(lost(format!("its task could not be queried: {error}"))),
            };

            pause = tasks.pause_after(&now.headers);
            if now.status == StatusCode::ACCEPTED {
                continue;
            }
            let deletes = *request.method() == Method::DELETE;
            match now.body.pointer(&tasks.state) {
                Some(Value::String(state)) => match tasks.is_among(state) {
                    State::GoesOn => {}
                    State::Done => return Ok(created(tasks, now)),
                    State::Failed => {
                        let text = verdict::excerpt(&now.body);
                        return Err(request.failed(&url, kind, "").judged(Verdict::Failed(text)));
                    }
                },
                // The state is not known yet.
                Some(Value::Null | Value::Bool(_) | Value::Number(_)) => {}
                // The task's URL leads to the record once that exists.
                Some(_) | None if !deletes && self.holds_record::<M>(&now.body) => {
                    return Ok(WriteReply { body: now.body, location: None, status: now.status, is_vouched: true });
                }
                Some(_) => {}
                None if deletes && is_empty(&now.body) => return Ok(WriteReply::vouched()),
                None => {
                    let text = format!("its task has no `{}` (`TaskPolling::state`), and is not a record", tasks.state);
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

/// The record that a task created, if the task contains it.
fn created(tasks: &TaskPolling, mut now: Response) -> WriteReply {
    let record = tasks.record.as_deref().and_then(|record| now.body.pointer_mut(record)).map(Value::take);
    match record {
        Some(Value::String(link)) => WriteReply { location: now.url.join(&link).ok(), ..WriteReply::vouched() },
        Some(record) => WriteReply { body: record, ..WriteReply::vouched() },
        None => WriteReply::vouched(),
    }
}

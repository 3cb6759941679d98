//! Write requests, and their answers: whether the write was carried out, and which record the answer is about.

use diffsync_core::value::Url;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::rest::context::RestContext;
use crate::rest::http::client::{Request, Response};
use crate::rest::http::error::{Error, ErrorKind};
use crate::rest::http::tasks::location;
use crate::rest::model::RestModel;
use crate::rest::verdict::{ResponseView, RowResponse, Verdict, excerpt, some_are_done};

/// The answer to a write that was carried out.
pub(crate) struct WriteReply {
    /// The body of the answer.
    pub(crate) body: Value,
    /// The URL of the record according to the answer.
    pub(crate) location: Option<Url>,
    pub(crate) status: StatusCode,
    /// Whether the write was surely carried out, even if the answer contains no record.
    pub(crate) is_vouched: bool,
}

impl WriteReply {
    /// The write was carried out, and the answer contains no more.
    pub(crate) fn vouched() -> Self {
        Self { body: Value::Null, location: None, status: StatusCode::OK, is_vouched: true }
    }
}

/// The answer to the write of a list.
pub(crate) enum ListReply {
    /// One answer for each row.
    Rows(Vec<Result<Value, Error>>),
    /// One answer for all rows.
    Whole(WriteReply),
}

/// The content of an answer where a record is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing, or a scalar.
    Nothing,
    /// Fields of the model, or the record's key and URL.
    Record,
    /// A key with fields that are not the model's: it may belong to something else, such as a task.
    Doubtful,
    /// Something else.
    Foreign,
}

/// The content of an answer where a record of this model is expected. `key` is the name of its key.
pub(crate) fn content<M: RestModel>(row: &Value, key: &str) -> Content {
    /// The fields that accompany a key in an answer that holds nothing else.
    const BESIDE: [&str; 9] = ["url", "uri", "href", "self", "link", "links", "_links", "display", "type"];
    let row = match row {
        Value::Object(row) if row.is_empty() => return Content::Nothing,
        Value::Object(row) => row,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Content::Nothing,
        Value::Array(_) => return Content::Foreign,
    };

    let steps = || M::REST.fields.iter().filter_map(|field| field.part.path.first());
    if steps().any(|&step| step != key && row.contains_key(step)) {
        return Content::Record;
    }
    if row.get(key).is_none_or(Value::is_null) {
        return Content::Foreign;
    }

    let says_no_more = row.keys().all(|name| name == key || BESIDE.contains(&name.as_str()));
    if says_no_more { Content::Record } else { Content::Doubtful }
}

/// Whether a body contains the whole identifier of a record of this model, or its key with fields of the model and no others
/// that may belong to an error.
fn holds_record<M: RestModel>(body: &Value, key: &str) -> bool {
    if let Value::Array(rows) = body {
        return !rows.is_empty() && rows.iter().all(|row| holds_record::<M>(row, key));
    }
    // The key alone may belong to the request, or to the error.
    let has_key = body.get(key).is_some_and(|key| !key.is_null());
    names_record::<M>(body, key) || (has_key && content::<M>(body, key) == Content::Record)
}

/// Whether a row contains the whole identifier of a record of this model.
pub(crate) fn names_record<M: RestModel>(row: &Value, key: &str) -> bool {
    let Value::Object(fields) = row else { return false };
    let is_identifier = |name: &&str| M::SCHEMA.identifiers.iter().any(|field| field.name == *name);
    let named: Vec<_> = M::REST.fields.iter().filter(|field| field.names.iter().any(is_identifier)).collect();
    let steps = || named.iter().map(|field| field.part.path.first().copied().unwrap_or_default());
    // If the server's key is the identifier, other fields must show that the row is a record.
    let is_shown = steps().any(|step| step != key) || content::<M>(row, key) == Content::Record;
    !named.is_empty() && steps().all(|step| fields.contains_key(step)) && is_shown
}

/// Whether an answer that reports an error also contains a created record: its key and identifier.
fn holds_created<M: RestModel>(body: &Value, key: &str) -> bool {
    let is_created = |row: &Value| row.get(key).is_some_and(|key| !key.is_null()) && names_record::<M>(row, key);
    let inner = |value: &Value| match value {
        Value::Array(rows) => rows.iter().any(is_created),
        row => is_created(row),
    };
    inner(body) || body.as_object().is_some_and(|fields| fields.values().any(inner))
}

impl RestContext {
    /// The part of an answer where a record of this model is expected.
    pub(crate) fn in_answer<M: RestModel>(&self, mut body: Value) -> Value {
        let place = M::REST.record_pointer.or(self.dialect.record_pointer.as_deref());
        match place.and_then(|place| body.pointer_mut(place)) {
            Some(record) => record.take(),
            None => body,
        }
    }

    pub(crate) fn holds_record<M: RestModel>(&self, body: &Value) -> bool {
        let place = M::REST.record_pointer.or(self.dialect.record_pointer.as_deref());
        let body = place.and_then(|place| body.pointer(place)).unwrap_or(body);
        let cache = self.cache();
        holds_record::<M>(body, cache.key_of(&M::REST.collection()))
    }

    fn holds_created<M: RestModel>(&self, body: &Value) -> bool {
        let cache = self.cache();
        holds_created::<M>(body, cache.key_of(&M::REST.collection()))
    }

    /// Sends a request that writes one record. It returns an error if the write was not carried out, or if that is unknown.
    pub(crate) async fn send_write<M: RestModel>(&self, request: &Request) -> Result<WriteReply, Error> {
        let answer = match request.sent().await {
            Ok(answer) => answer,
            Err(error) => return self.refused(request, error),
        };

        match self.rows_of::<M>(request, &answer) {
            None => self.done::<M>(request, answer).await,
            // One record was sent, so it is unclear which of the rows is about it.
            Some(rows) if *request.method() == Method::POST && some_of_each(&rows) => Err(unsaid(request, &answer)),
            Some(mut rows) => match rows.iter().position(Result::is_err) {
                Some(failed) => Err(rows.swap_remove(failed).err().unwrap_or_else(|| unsaid(request, &answer))),
                None if rows.len() == 1 => {
                    let body = rows.pop().and_then(Result::ok).unwrap_or_default();
                    Ok(WriteReply { body, location: None, status: answer.status, is_vouched: true })
                }
                None => self.done::<M>(request, answer).await,
            },
        }
    }

    /// Sends a request that writes a list of records.
    pub(crate) async fn write_list<M: RestModel>(&self, request: &Request) -> Result<ListReply, Error> {
        let answer = match request.sent().await {
            Ok(answer) => answer,
            Err(error) => return self.refused(request, error).map(ListReply::Whole),
        };
        match self.rows_of::<M>(request, &answer) {
            Some(rows) => Ok(ListReply::Rows(rows)),
            None => self.done::<M>(request, answer).await.map(ListReply::Whole),
        }
    }

    /// Judges an answer whose status is not a success.
    fn refused(&self, request: &Request, error: Error) -> Result<WriteReply, Error> {
        let Some(status) = error.status() else { return Err(error) };
        let body = error.response_body().cloned().unwrap_or_else(|| error.detail().into());
        let reply = ResponseView { method: request.method(), status, body: &body, holds_record: false };
        match (self.dialect.verdict)(&reply) {
            Some(Verdict::Success) => Ok(WriteReply::vouched()),
            Some(verdict @ (Verdict::Unknown(_) | Verdict::Fatal(_))) => Err(error.judged(verdict)),
            // A retry would create the successful rows twice.
            _ if *request.method() == Method::POST && some_are_done(&body) => {
                Err(error.judged(Verdict::Unknown(partly_done(request, &body))))
            }
            None => Err(error),
            Some(verdict) => Err(error.judged(verdict)),
        }
    }

    /// Judges an answer whose status is a success.
    async fn done<M: RestModel>(&self, request: &Request, answer: Response) -> Result<WriteReply, Error> {
        let holds_record = self.holds_record::<M>(&answer.body);
        let reply = ResponseView { method: request.method(), status: answer.status, body: &answer.body, holds_record };
        let is_vouched = match (self.dialect.verdict)(&reply) {
            Some(Verdict::Success) => true,
            Some(Verdict::Failed(_) | Verdict::Conflict(_) | Verdict::Transient(_))
                if *request.method() == Method::POST && self.holds_created::<M>(&answer.body) =>
            {
                let text = partly_done(request, &answer.body);
                return Err(judged(request, &answer, answer.status, Verdict::Unknown(text)));
            }
            Some(verdict) => return Err(judged(request, &answer, answer.status, verdict)),
            None if answer.status == StatusCode::ACCEPTED => return self.finished::<M>(answer, request).await,
            None => false,
        };

        // A string with a slash is the URL of the record.
        let named = || answer.body.as_str().filter(|text| text.contains('/')).map(str::to_owned);
        let location = location(&answer.headers).or_else(named).and_then(|link| answer.url.join(&link).ok());
        Ok(WriteReply { body: answer.body, location, status: answer.status, is_vouched })
    }

    /// The rows of an answer, if it reports the outcome of each.
    fn rows_of<M: RestModel>(&self, request: &Request, answer: &Response) -> Option<Vec<Result<Value, Error>>> {
        // A request that was only accepted is judged as a task.
        if answer.status == StatusCode::ACCEPTED {
            return None;
        }
        let holds_record = self.holds_record::<M>(&answer.body);
        let reply = ResponseView { method: request.method(), status: answer.status, body: &answer.body, holds_record };
        let rows = (self.dialect.row_responses)(&reply)?;
        Some(rows.into_iter().map(|row| self.row::<M>(request, answer, row)).collect())
    }

    fn row<M: RestModel>(&self, request: &Request, answer: &Response, row: RowResponse) -> Result<Value, Error> {
        let RowResponse { status, body } = row;
        let holds_record = self.holds_record::<M>(&body);
        let status_or_ok = status.unwrap_or(StatusCode::OK);
        let reply = ResponseView { method: request.method(), status: status_or_ok, body: &body, holds_record };
        match (self.dialect.verdict)(&reply) {
            Some(Verdict::Success) => Ok(body),
            Some(verdict) => Err(judged(request, answer, status_or_ok, verdict)),
            None if status_or_ok == StatusCode::ACCEPTED => Err(judged(
                request,
                answer,
                status_or_ok,
                Verdict::Unknown(
                    "the server has only accepted it; whether it will be carried out is unknown".to_owned(),
                ),
            )),
            None if status.is_none() && !holds_record && *request.method() != Method::DELETE => {
                Err(unsaid(request, answer))
            }
            None if status_or_ok.is_success() => Ok(body),
            None => {
                let detail = request.hidden().clean(&excerpt(&body));
                Err(request.failed(&answer.url, ErrorKind::Status(status_or_ok), detail))
            }
        }
    }
}

/// The error of an answer to a `POST` that is not a record. It ends the run, since every further request may do more harm.
pub(crate) fn foreign_answer<M: RestModel>(request: &Request, status: Option<StatusCode>, body: &Value) -> Error {
    let text = format!("the answer is not a {} nor a part of one: {}", M::NAME, request.hidden().clean(&excerpt(body)));
    let hint = format!(
        "the POST may have gone to a path that means something else, and may have changed other records: look at what \
         `{}` does before anything else is sent; if the record is there, declare where in the answer it is \
         (`#[rest(answer = \"…\")]`, `Dialect::record_pointer`), or what the answer means (`Dialect::verdict`)",
        M::REST.path
    );
    request.fault(status.map_or(ErrorKind::InvalidResponse, ErrorKind::Status), text).judged_foreign().hinted(hint)
}

fn judged(request: &Request, answer: &Response, status: StatusCode, verdict: Verdict) -> Error {
    let verdict = verdict.map(|text| request.hidden().clean(&text));
    request.failed(&answer.url, ErrorKind::Status(status), "").judged(verdict)
}

/// Whether some rows have succeeded, and others have failed.
fn some_of_each(rows: &[Result<Value, Error>]) -> bool {
    rows.iter().any(Result::is_ok) && rows.iter().any(Result::is_err)
}

fn partly_done(request: &Request, body: &Value) -> String {
    let excerpt = request.hidden().clean(&excerpt(body));
    format!("the answer reports an error, and records that were created: {excerpt}")
}

/// The error of a row that an answer does not mention.
fn unsaid(request: &Request, answer: &Response) -> Error {
    let text = "the answer does not report the outcome of this record".to_owned();
    judged(request, answer, answer.status, Verdict::Unknown(text))
}

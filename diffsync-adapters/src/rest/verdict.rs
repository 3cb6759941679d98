//! Judges whether a request was carried out. The status of a response alone is not enough.
//!
//! A [`Dialect`](super::Dialect) judges each response with a [`VerdictFn`]. The default is [`common_envelopes`]; the
//! functions that it combines can be combined in another way.
//!
//! ```
//! use diffsync_adapters::rest::{Dialect, Verdict, verdict};
//!
//! let mut dialect = Dialect::default();
//! // This server answers 500 to the delete of what is in use, and will do so for ever.
//! dialect.verdict = |response| {
//!     let in_use = verdict::excerpt(response.body).contains("because other objects depend on it");
//!     if in_use { Some(Verdict::Failed(verdict::excerpt(response.body))) } else { verdict::common_envelopes(response) }
//! };
//! ```

use std::fmt;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::http::redact::shortened;

/// Judges a response. `None` leaves it to the status, and to whether the response contains a record where one is expected.
pub type VerdictFn = fn(&ResponseView<'_>) -> Option<Verdict>;

/// A response, or one row of it, to be judged.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ResponseView<'a> {
    /// The method of the request.
    pub method: &'a Method,
    /// The status of the response, or of one row of it.
    pub status: StatusCode,
    /// The body, or one row of it; a string if it is not JSON.
    pub body: &'a Value,
    /// Whether the body contains a record of the model: its key, or all of its identifier. Fields that look like an envelope
    /// may then belong to the record.
    pub holds_record: bool,
}

impl fmt::Debug for ResponseView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may hold secrets.
        f.debug_struct("ResponseView")
            .field("method", self.method)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The meaning of a response. The texts are shown with the request, after secrets have been redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The request succeeded. If the response contains no record, the record is requested.
    Success,
    /// The request failed, and a retry would fail too. The other records are written.
    Failed(String),
    /// The request failed because a unique value of the record is already taken.
    Conflict(String),
    /// The request failed, and a retry may succeed.
    Transient(String),
    /// It is unknown whether the request was carried out. It is not retried.
    Unknown(String),
    /// The request failed, as every other would: the run ends.
    Fatal(String),
}

impl Verdict {
    /// The same with another text.
    pub(crate) fn map(self, text: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Success => Self::Success,
            Self::Failed(old) => Self::Failed(text(old)),
            Self::Conflict(old) => Self::Conflict(text(old)),
            Self::Transient(old) => Self::Transient(text(old)),
            Self::Unknown(old) => Self::Unknown(text(old)),
            Self::Fatal(old) => Self::Fatal(text(old)),
        }
    }
}

/// The envelopes of many APIs: [`status_word`], [`errors`] and [`results`] in a 2xx response without a record, and
/// [`unique_violation`] in any other.
#[must_use]
pub fn common_envelopes(response: &ResponseView<'_>) -> Option<Verdict> {
    if !response.status.is_success() {
        return unique_violation(response);
    }

    // A `status` in a record is a field of the record.
    if response.holds_record {
        return None;
    }

    // The rows of a collection may have a field `code`.
    let of_rows = || if response.method == Method::GET { None } else { results(response) };
    status_word(response).or_else(|| errors(response)).or_else(of_rows)
}

/// The status alone: for an API with records that look like the envelopes of others.
#[must_use]
pub fn by_status(_: &ResponseView<'_>) -> Option<Verdict> {
    None
}

/// `{"status": "error", …}`, `{"result": "failed"}`, `{"success": false}`, `{"code": 500}`; `{"status": "ok"}` is a success,
/// unless it comes with a 202.
#[must_use]
pub fn status_word(response: &ResponseView<'_>) -> Option<Verdict> {
    const FAILED: [&str; 9] =
        ["error", "errors", "fail", "failed", "failure", "fault", "denied", "rejected", "unsuccessful"];
    const DONE: [&str; 6] = ["ok", "success", "successful", "succeeded", "created", "done"];
    let body = response.body.as_object()?;

    let codes = ["status", "code", "statusCode", "status_code"].into_iter().filter_map(|name| body.get(name)?.as_u64());
    if codes.into_iter().any(|code| (400..600).contains(&code)) {
        return Some(refused(response, response.body));
    }

    let words = ["status", "result", "state", "outcome"].into_iter().filter_map(|name| body.get(name)?.as_str());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let flags: Vec<bool> =
        ["success", "ok", "succeeded"].into_iter().filter_map(|name| body.get(name)?.as_bool()).collect();

    if words.iter().any(|word| FAILED.contains(&word.as_str())) || flags.contains(&false) {
        return Some(refused(response, response.body));
    }

    let is_done = words.iter().any(|word| DONE.contains(&word.as_str())) || flags.contains(&true);

    // With a 202 the word describes the task that was begun, not the record.
    (is_done && response.status != StatusCode::ACCEPTED).then_some(Verdict::Success)
}

/// `{"errors": [{"detail": "…"}]}`, as in JSON:API and GraphQL, or `{"error": "…"}`.
#[must_use]
pub fn errors(response: &ResponseView<'_>) -> Option<Verdict> {
    let is_error = |value: &&Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    };

    let error = ["errors", "error"].into_iter().filter_map(|name| response.body.get(name)).find(is_error)?;
    Some(refused(response, error))
}

/// `{"results": [{"code": 500, "status": "…"}]}`: one of the rows has failed. If another row of a `POST` has succeeded, the
/// outcome is unknown, since a retry would create that one twice.
#[must_use]
pub fn results(response: &ResponseView<'_>) -> Option<Verdict> {
    let rows = response.body.get("results")?.as_array()?;
    let failed: Vec<Value> =
        rows.iter().filter(|row| row_status(row).is_some_and(|(_, status)| !status.is_success())).cloned().collect();
    if failed.is_empty() {
        return None;
    }

    let failed = Value::from(failed);

    if *response.method == Method::POST && some_are_done(response.body) {
        return Some(Verdict::Unknown(format!("some of it was done, and some was not: {}", excerpt(&failed))));
    }

    Some(refused(response, &failed))
}

/// Whether a response has rows with a status of their own, and one of them has succeeded.
pub(crate) fn some_are_done(body: &Value) -> bool {
    let is_done = |row: &Value| row_status(row).is_some_and(|(_, status)| status.is_success());
    listed(body).is_some_and(|rows| rows.iter().any(is_done))
}

/// The rows of a response: the body itself, or a list in it.
fn listed(body: &Value) -> Option<&Vec<Value>> {
    const LISTS: [&str; 5] = ["results", "responses", "items", "operations", "data"];
    body.as_array().or_else(|| LISTS.into_iter().find_map(|name| body.get(name)?.as_array()))
}

/// A response to a write that rejects a unique value because it is taken: 409 to a `POST`, or 400, 409, 422 or 500 with a
/// body that says "already exists" or similar.
#[must_use]
pub fn unique_violation(response: &ResponseView<'_>) -> Option<Verdict> {
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(response.method);
    let says = matches!(response.status.as_u16(), 400 | 409 | 422 | 500) && says_taken(&excerpt(response.body));
    let is_taken = writes && (says || (response.status == StatusCode::CONFLICT && response.method == Method::POST));
    is_taken.then(|| Verdict::Conflict(excerpt(response.body)))
}

/// A short excerpt of a body, to be shown.
#[must_use]
pub fn excerpt(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    }
}

/// A rejection: a conflict if its text says that a value is taken, otherwise a failure.
fn refused(response: &ResponseView<'_>, error: &Value) -> Verdict {
    let text = excerpt(error);
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(response.method);
    if writes && says_taken(&text) { Verdict::Conflict(text) } else { Verdict::Failed(text) }
}

fn says_taken(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "already exist",
        "already in use",
        "already used",
        "already taken",
        "already been taken",
        "already been used",
        "already defined",
        "already registered",
        "must be unique",
        "must make a unique set",
        "not unique",
        "duplicate",
        "unique constraint",
    ];

    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// One row of a response that reports the outcome of each.
#[derive(Debug, Clone, PartialEq)]
pub struct RowResponse {
    /// The status of the row, if it has one.
    pub status: Option<StatusCode>,
    /// The record, or a message about it.
    pub body: Value,
}

/// The rows of a 207, or of a list in which each element has a status of its own: `[{"status": 201, "body": {…}}, …]`, also
/// within `results`, `responses`, `items`, `operations` or `data`. If no row failed, the list must contain the records too.
#[must_use]
pub fn row_responses(response: &ResponseView<'_>) -> Option<Vec<RowResponse>> {
    const BODIES: [&str; 7] = ["body", "record", "resource", "data", "response", "value", "object"];
    let is_multi = response.status == StatusCode::MULTI_STATUS;
    if response.holds_record && !is_multi {
        return None;
    }

    let list = listed(response.body)?;

    // A successful row has its record next to the status; a status alone may belong to another request. If a row has
    // failed, the response is about the rows that were sent, even without records.
    let (mut all_have_status, mut all_have_record, mut some_failed) = (!list.is_empty(), true, false);
    let mut row = |row: &Value| {
        let (name, status) = row_status(row).unzip();
        let record = BODIES.into_iter().filter_map(|name| row.get(name)).find(|body| body.is_object());
        let has_failed = status.is_some_and(|status: StatusCode| !status.is_success());
        all_have_status &= status.is_some();
        all_have_record &= has_failed || record.is_some();
        some_failed |= has_failed;

        let mut body = record.unwrap_or(row).clone();
        // The status of a row is not that of the record.
        if let (None, Some(name), Value::Object(fields)) = (record, name, &mut body) {
            fields.remove(name);
        }
        RowResponse { status, body }
    };

    let rows: Vec<RowResponse> = list.iter().map(&mut row).collect();
    (is_multi || (all_have_status && (all_have_record || some_failed))).then_some(rows)
}

/// The status of a row, with the name of its field: `200`, `"200"`, `"HTTP/1.1 200 OK"`.
fn row_status(row: &Value) -> Option<(&'static str, StatusCode)> {
    ["status", "code", "statusCode", "status_code"].into_iter().find_map(|name| {
        let code = match row.get(name)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?))?,
            Value::String(text) => {
                let text =
                    text.strip_prefix("HTTP/").and_then(|text| text.split_once(' ')).map_or(&**text, |two| two.1);
                text.split(' ').next()?.parse().ok()?
            }
            _ => return None,
        };

        let status = StatusCode::from_u16(u16::try_from(code).ok()?).ok().filter(|status| status.as_u16() < 600)?;
        Some((name, status))
    })
}

/// A float that is a status: `200.0`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range of a status")]
fn whole(number: f64) -> Option<u64> {
    ((100.0..600.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(method: &Method, status: u16, body: &Value) -> Option<Verdict> {
        let status = StatusCode::from_u16(status).unwrap();
        common_envelopes(&ResponseView { method, status, body, holds_record: false })
    }

    fn kind(verdict: Option<&Verdict>) -> &'static str {
        match verdict {
            None => "by status",
            Some(Verdict::Success) => "success",
            Some(Verdict::Failed(_)) => "failed",
            Some(Verdict::Conflict(_)) => "conflict",
            Some(_) => "other",
        }
    }

    #[test]
    fn the_usual_envelopes_are_understood() {
        for (status, body, expected) in [
            (200, json!({"status": "error", "message": "no"}), "failed"),
            (200, json!({"status": "Failed"}), "failed"),
            (200, json!({"success": false}), "failed"),
            (200, json!({"status": "error", "message": "name already exists"}), "conflict"),
            (200, json!({"code": 500, "message": "no"}), "failed"),
            (200, json!({"status": "ok"}), "success"),
            (200, json!({"success": true, "result": {"id": 1}}), "success"),
            (200, json!({"errors": [{"detail": "no"}]}), "failed"),
            (200, json!({"data": null, "errors": [{"message": "no"}]}), "failed"),
            (200, json!({"data": {}, "errors": []}), "by status"),
            (200, json!({"error": ""}), "by status"),
            (200, json!({"error": "no"}), "failed"),
            (200, json!({"results": [{"code": 200.0}, {"code": 500.0, "status": "no"}]}), "other"),
            (200, json!({"results": [{"code": 500.0}, {"code": 500.0, "status": "no"}]}), "failed"),
            (202, json!({"success": true, "task": "/tasks/9"}), "by status"),
            (202, json!({"success": false}), "failed"),
            (200, json!({"results": [{"code": 200.0}]}), "by status"),
            (200, json!({"name": "d1"}), "by status"),
            (200, json!([]), "by status"),
            (409, json!("Conflict"), "conflict"),
            (400, json!({"name": ["device with this name already exists."]}), "conflict"),
            (422, json!({"error": "Name has already been taken"}), "conflict"),
            (500, json!({"results": [{"code": 500, "errors": ["the object already exists"]}]}), "conflict"),
            (400, json!({"name": ["is too long"]}), "by status"),
            (404, json!({"detail": "already exists"}), "by status"),
        ] {
            assert_eq!(kind(judged(&Method::POST, status, &body).as_ref()), expected, "{status} {body}");
        }
        let in_use = json!({"detail": "in use, duplicate"});
        assert_eq!(
            kind(judged(&Method::DELETE, 409, &in_use).as_ref()),
            "by status",
            "it is in use, and collides with nothing"
        );
        let mixed = json!({"results": [{"code": 200}, {"code": 500}]});
        assert_eq!(kind(judged(&Method::PATCH, 200, &mixed).as_ref()), "failed", "a change may be sent again");
        let rows = json!({"results": [{"code": 500}]});
        assert_eq!(kind(judged(&Method::GET, 200, &rows).as_ref()), "by status", "rows that have a code");
        let record = json!({"id": 1, "name": "d1", "status": "error"});
        let response =
            ResponseView { method: &Method::POST, status: StatusCode::OK, body: &record, holds_record: true };
        assert_eq!(common_envelopes(&response), None, "a record's own status");
    }

    #[test]
    fn rows_with_a_status_of_their_own_are_told_apart() {
        let read = |status: u16, body: &Value| {
            let status = StatusCode::from_u16(status).unwrap();
            let response = ResponseView { method: &Method::POST, status, body, holds_record: false };
            let rows = row_responses(&response)?;
            Some(rows.into_iter().map(|row| (row.status.map(|status| status.as_u16()), row.body)).collect::<Vec<_>>())
        };
        let body = json!([{"status": 201, "body": {"id": 1}}, {"status": "HTTP/1.1 409 Conflict", "error": "no"}]);
        let expected = vec![(Some(201), json!({"id": 1})), (Some(409), json!({"error": "no"}))];
        assert_eq!(read(207, &body), Some(expected.clone()));
        assert_eq!(read(200, &json!({"results": body})), Some(expected));
        assert_eq!(read(200, &json!([{"id": 1, "status": "active"}])), None);
        assert_eq!(read(207, &json!([{"id": 1}])), Some(vec![(None, json!({"id": 1}))]));
        assert_eq!(read(207, &json!([{"id": 1, "status": 200}])), Some(vec![(Some(200), json!({"id": 1}))]));
        assert_eq!(read(200, &json!({"results": [{"code": 200, "name": "a"}]})), None, "no record is there");
        assert_eq!(read(200, &json!({"id": 1})), None);
        let mixed = json!({"results": [{"code": 200}, {"code": 500, "text": "no"}]});
        let expected = vec![(Some(200), json!({})), (Some(500), json!({"text": "no"}))];
        assert_eq!(read(200, &mixed), Some(expected), "one row has failed, and the other has not");
    }
}

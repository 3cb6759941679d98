//! A look at an API before anything is loaded from it.

use diffsync_core::{Checkup, Side};
use reqwest::StatusCode;
use reqwest::header::ALLOW;

use super::adapter::Rest;
use super::error::{Error, ErrorKind};
use super::pages::Pages;
use super::schema::RestSchema;

/// Asks for a row of each collection.
pub(super) async fn check<D>(rest: &Rest<D>, checkup: &mut Checkup) {
    let base = rest.client.base().as_str().to_owned();
    let mut is_reached = false;
    for (model, schema) in rest.collections() {
        match look(rest, schema).await {
            Ok(seen) => {
                if !is_reached {
                    checkup.passed("connection", &base);
                    checkup.passed("login", "accepted");
                    is_reached = true;
                }
                checkup.passed(model, seen.text);
                if checkup.side() == Side::Target && !seen.takes_records {
                    checkup.failed("rights", format!("`{}` takes no new records", schema.path));
                }
            }
            Err(error) => {
                let what = match error.kind() {
                    ErrorKind::Connect | ErrorKind::Certificate | ErrorKind::Cut | ErrorKind::TimedOut => "connection",
                    ErrorKind::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => "login",
                    _ => model,
                };
                checkup.failed(what, error.to_string());
                // The others would say the same.
                if what != model {
                    return;
                }
            }
        }
    }
}

struct Seen {
    text: String,
    takes_records: bool,
}

async fn look<D>(rest: &Rest<D>, schema: &RestSchema) -> Result<Seen, Error> {
    let mut request = rest.client.get(&schema.collection());
    let dialect = &rest.dialect;
    let size = match &dialect.paging.pages {
        Pages::Offset { limit, .. } => Some(limit),
        Pages::Number { size: Some((size, _)), .. } => Some(size),
        _ => None,
    };
    for (name, value) in dialect.query.iter().filter(|(name, _)| Some(name) != size) {
        request = request.query(name, value);
    }
    if let Some(size) = size {
        request = request.query(size, "1");
    }
    let answer = request.send().await?;
    let rows = answer.body.pointer(&dialect.paging.rows);
    let Some(rows) = rows.and_then(serde_json::Value::as_array) else {
        let detail = format!("the answer holds no rows at `{}`", dialect.paging.rows);
        let error = rest.client.get(schema.path).failed(&answer.url, ErrorKind::Form, detail);
        return Err(error.hinted("is this the API's address?"));
    };
    let total = dialect.paging.total.as_deref().and_then(|total| answer.body.pointer(total)?.as_u64());
    let text = match total {
        Some(total) => format!("{total} records in `{}`", schema.path),
        None if rows.is_empty() => format!("`{}` is there, and empty", schema.path),
        None => format!("`{}` is there", schema.path),
    };
    let allowed = answer.headers.get(ALLOW).and_then(|allowed| allowed.to_str().ok());
    let takes_records = allowed.is_none_or(|allowed| allowed.to_ascii_uppercase().contains("POST"));
    Ok(Seen { text, takes_records })
}

//! The health check of an API.

use diffsync_core::adapter::{AdapterError, HealthCheck};
use diffsync_core::data::Side;
use reqwest::StatusCode;

use crate::rest::context::RestContext;
use crate::rest::http::error::{Error, ErrorKind};
use crate::rest::model::schema::RestSchema;
use crate::rest::source::Sample;
use crate::rest::unknown_keys::{describe_missing, lacks_keys};

/// Reads some rows of each collection, from where a run reads them.
pub(crate) async fn check(rest: &RestContext, health: &mut HealthCheck) {
    let base = rest.client.base_url().as_str().to_owned();
    let mut is_reached = false;
    for (model, schema) in rest.models.iter().copied() {
        match look(rest, schema).await {
            Ok((sample, misspelt)) => {
                if !is_reached {
                    health.passed("connection", &base);
                    health.passed("login", "accepted");
                    is_reached = true;
                }

                match misspelt {
                    Some(text) => health.failed(model, text),
                    None => health.passed(model, seen(&sample, schema)),
                }

                if health.side() == Side::Target && sample.is_read_only {
                    health.failed("rights", format!("`{}` accepts no new records", schema.path));
                }
            }
            Err(error) => {
                let what = match Error::within(&error).map(Error::kind) {
                    Some(
                        ErrorKind::Connect | ErrorKind::Certificate | ErrorKind::ConnectionLost | ErrorKind::Timeout,
                    ) => "connection",
                    Some(ErrorKind::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => "login",
                    _ => model,
                };

                health.failed(what, error.to_string());
                // The others would fail the same way.
                if what != model {
                    return;
                }
            }
        }
    }
}

/// Some rows of a model's collection, and the message for misspelt keys of the model, if any.
async fn look(rest: &RestContext, schema: &RestSchema) -> Result<(Sample, Option<String>), AdapterError> {
    let name = schema.collection();
    let collection = rest.collection(&name);
    let sample = rest.source.sample(&rest.client, &rest.dialect, &collection).await?;
    if !lacks_keys(&rest.models, &name, &sample.rows) {
        return Ok((sample, None));
    }

    // A row that is not in the sample may have the key.
    let all = if sample.is_complete {
        None
    } else {
        Some(rest.source.rows(&rest.client, &rest.dialect, &collection, &mut |_, _| {}).await?)
    };
    let rows = all.as_deref().unwrap_or(&sample.rows);
    let misspelt =
        lacks_keys(&rest.models, &name, rows).then(|| describe_missing(&rest.models, &name, &sample.rows, rows));
    Ok((sample, misspelt))
}

fn seen(sample: &Sample, schema: &RestSchema) -> String {
    match sample.total {
        Some(total) => format!("{total} records in `{}`", schema.path),
        None if sample.rows.is_empty() => format!("`{}` exists, and is empty", schema.path),
        None => format!("`{}` exists", schema.path),
    }
}

//! The health check of a Nautobot.

use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use serde_json::Value;

use super::graphql::{Unanswered, ask};
use crate::rest::{Client, Method};

/// The version that this was tried with.
const TRIED: &str = "3.2";

/// Looks at the version, at GraphQL, and, on a target, at the right to write to these collections.
pub(super) async fn check(client: &Client, paths: impl Iterator<Item = &'static str>, health: &mut HealthCheck) {
    match client
        .get("status")
        .send()
        .await
        .map(|answer| answer.body.get("nautobot-version").and_then(Value::as_str).map(str::to_owned))
    {
        Ok(Some(version)) if version.strip_prefix(TRIED).is_some_and(|rest| rest.starts_with('.')) => {
            health.passed("version", format!("Nautobot {version}"));
        }
        Ok(Some(version)) => {
            // It may do all the same.
            let caution = "look at the diff of a dry run before the first run that writes";
            let seen = format!("Nautobot {version}, which is untested; tested with {TRIED}: {caution}");
            health.passed("version", seen);
        }
        Ok(None) => health.failed("version", format!("{} does not say that it is a Nautobot", client.base_url())),
        Err(error) => health.failed("version", error.to_string()),
    }

    match ask(client, "{ __typename }", Value::Null).await {
        Ok(_) => health.passed("GraphQL", "offered, and used to read"),
        Err(Unanswered::Absent) => {
            health.passed("GraphQL", "not offered: reading through REST takes several times as long");
        }
        Err(Unanswered::Failed(error)) => health.failed("GraphQL", error.to_string()),
    }

    if health.side() == Side::Target {
        rights(client, paths, health).await;
    }
}

/// Whether the token may write. A server lists among what can be done only what this user may do, and never deleting.
async fn rights(client: &Client, paths: impl Iterator<Item = &'static str>, health: &mut HealthCheck) {
    let mut forbidden = Vec::new();
    for path in paths {
        match client.request(Method::OPTIONS, path).read_only().send().await {
            Ok(answer) => {
                let lacks = |method| answer.body.get("actions").and_then(|actions| actions.get(method)).is_none();
                let lacking = [("POST", "add to"), ("PUT", "change")].into_iter().filter(|(method, _)| lacks(*method));
                forbidden.extend(lacking.map(|(_, verb)| format!("{verb} `{path}`")));
            }
            Err(error) => {
                health.failed("rights", error.to_string());
                return;
            }
        }
    }

    if forbidden.is_empty() {
        health.passed("rights", "the token may add and change; whether it may delete shows when it does");
    } else {
        let forbidden = forbidden.join(", ");
        let hint = "let the token write, and give its user the rights to add, change and delete";
        health.failed("rights", format!("the token may not {forbidden}; {hint}"));
    }
}

//! A look at a Nautobot before anything is read.

use diffsync_adapters::nautobot::{Inventory, Nautobot};
use diffsync_core::Adapter;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::value::{Secret, Url};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::adapter;
use super::fake::{Fake, READ_ONLY};

async fn health(nautobot: &Nautobot<Inventory>, side: Side) -> HealthCheck {
    let mut health = HealthCheck::new(side);
    nautobot.check(&mut health).await;
    health
}

fn detail<'a>(health: &'a HealthCheck, what: &str) -> (bool, &'a str) {
    let finding = health.findings().iter().find(|finding| finding.what == what).unwrap();
    (finding.passed, &finding.detail)
}

#[tokio::test]
async fn a_nautobot_that_can_be_written_is_healthy() {
    let fake = Fake::new().await;
    let health = health(&adapter(&fake), Side::Target).await;
    assert!(health.is_healthy(), "{health:?}");
    assert_eq!(detail(&health, "version"), (true, "Nautobot 3.2.7"));
    assert_eq!(detail(&health, "GraphQL"), (true, "offered, and used to read"));
    assert_eq!(
        detail(&health, "rights"),
        (true, "the token may add and change; whether it may delete shows when it does")
    );
    assert_eq!(detail(&health, "status"), (true, "4 records in `extras/statuses`"));
}

#[tokio::test]
async fn without_graphql_it_says_what_that_means() {
    let health = health(&adapter(&Fake::rest_only().await), Side::Source).await;
    assert!(health.is_healthy());
    assert!(detail(&health, "GraphQL").1.starts_with("not offered"), "{health:?}");
}

#[tokio::test]
async fn a_token_that_may_not_write_will_do_for_a_source_only() {
    let fake = Fake::new().await;
    let nautobot = Nautobot::open(&fake.url(), &Secret::new(READ_ONLY.to_owned())).unwrap();
    assert!(health(&nautobot, Side::Source).await.is_healthy());
    let health = health(&nautobot, Side::Target).await;
    let (passed, said) = detail(&health, "rights");
    assert!(
        !passed
            && said.contains("add to `dcim/devices`, change `dcim/devices`")
            && said.contains("let the token write"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_that_may_add_but_not_change_will_not_do_for_a_target() {
    let fake = Fake::new().await;
    let adds = ResponseTemplate::new(200).set_body_json(json!({"actions": {"POST": {}}}));
    fake.answers("OPTIONS", "dcim/devices/", 1, adds);
    let health = health(&adapter(&fake), Side::Target).await;
    let (passed, said) = detail(&health, "rights");
    assert!(!passed && said.starts_with("the token may not change `dcim/devices`;"), "{said}");
}

#[tokio::test]
async fn an_error_in_the_answer_of_graphql_is_one() {
    let fake = Fake::new().await;
    let broken = json!({"errors": [{"message": "the schema is broken"}], "data": {"__typename": null}});
    fake.answers("POST", "graphql/", 1, ResponseTemplate::new(200).set_body_json(broken));
    let health = health(&adapter(&fake), Side::Source).await;
    let (passed, said) = detail(&health, "GraphQL");
    assert!(!passed && said.contains("the schema is broken"), "{said}");
}

#[tokio::test]
async fn a_version_that_nobody_tried_is_said_and_not_refused() {
    for version in ["2.4.9", "3.1.0", "3.20.1", "9.0.0"] {
        let fake = Fake::new().await;
        let status = ResponseTemplate::new(200).set_body_json(json!({"nautobot-version": version}));
        fake.answers("GET", "status/", 1, status);
        let health = health(&adapter(&fake), Side::Source).await;
        let (passed, said) = detail(&health, "version");
        assert!(passed && said.starts_with(&format!("Nautobot {version}, which is untested")), "{said}");
    }
}

#[tokio::test]
async fn what_is_no_nautobot_is_refused() {
    let fake = Fake::new().await;
    fake.answers("GET", "status/", 1, ResponseTemplate::new(200).set_body_json(json!({"django-version": "4.2"})));
    let health = health(&adapter(&fake), Side::Source).await;
    let (passed, said) = detail(&health, "version");
    assert!(!passed && said.ends_with("does not say that it is a Nautobot"), "{said}");
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_host_are_told_apart() {
    let fake = Fake::new().await;
    let token = Secret::new("0".repeat(40));
    let wrong_token = health(&Nautobot::open(&fake.url(), &token).unwrap(), Side::Source).await;
    assert!(!detail(&wrong_token, "login").0, "{wrong_token:?}");
    let nobody = Url::parse("http://127.0.0.1:9").unwrap();
    let client = Nautobot::<Inventory>::client_builder(&nobody, &token)
        .retry_policy(diffsync_adapters::rest::RetryPolicy::none());
    let wrong_host = health(&Nautobot::new(client.build().unwrap()), Side::Source).await;
    assert!(!detail(&wrong_host, "connection").0, "{wrong_host:?}");
}

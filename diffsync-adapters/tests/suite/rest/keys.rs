//! Keys that are misspelt, and records without a name.

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{Client, Collection, Dialect, ProgressFn, Rest, RowSource};
use diffsync_core::adapter::{AdapterError, HealthCheck, LoadContext};
use diffsync_core::data::{Side, VisitedBy};
use diffsync_core::{Adapter, Dataset, SyncModel, Table};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::wire::{Wire, json as answer};

/// A data set of one model with a misspelt key, and its error.
macro_rules! misspelt {
    ($name:ident, $path:literal, $($attribute:meta)?, $field:ident: $type:ty) => {
        mod $name {
            use super::*;

            #[derive(SyncModel, RestModel, Clone, Debug)]
            #[rest(path = $path)]
            pub(super) struct Device {
                #[sync(id)]
                pub(super) name: String,
                $(#[$attribute])?
                pub(super) $field: $type,
                #[sync(local)]
                #[rest(key)]
                pub(super) id: Option<u64>,
            }

            #[derive(Dataset, Default, Debug)]
            pub(super) struct Net {
                pub(super) devices: Table<Device>,
            }
        }
    };
}

misspelt!(nested, "devices", rest(field = "custom_fields.cmdbid"), cmdb_id: Option<String>);
misspelt!(plain, "devices", , seral: Option<String>);
misspelt!(excused, "devices", rest(field = "custom_fields.cmdbid", optional), cmdb_id: Option<String>);
misspelt!(looked_up, "devices", rest(lookup = "site -> sites(nam)"), site: Option<String>);
misspelt!(below_nothing, "devices", rest(field = "primary.address"), primary: Option<String>);
misspelt!(numbered, "devices", rest(field = "serial"), serial: Option<String>);

/// A server with two devices and a site.
async fn server() -> Wire {
    Wire::answering(|_, request| {
        let rows = if request.contains("/sites") {
            json!([{"id": 9, "name": "ams"}])
        } else {
            let row = |id: u64, name: &str| {
                json!({
                    "id": id, "name": name, "serial": "s", "site": 9, "primary": null,
                    "custom_fields": {"cmdb_id": "c1", "owner": null},
                })
            };
            json!([row(1, "a"), row(2, "b")])
        };
        answer(&rows.to_string())
    })
    .await
}

async fn load<D: Dataset + VisitedBy<diffsync_adapters::rest::ModelEntries<D>>>(
    wire: &Wire,
    side: Side,
) -> (Result<D, String>, Vec<String>) {
    let api: Rest<D> = Rest::new(wire.client(), Dialect::default());
    let mut data = D::default();
    let loaded = api.load(&mut data, &LoadContext::standalone(side)).await;
    let mut health = HealthCheck::new(side);
    api.check(&mut health).await;
    let failed = health.findings().iter().filter(|finding| !finding.passed).map(|finding| finding.detail.clone());
    (loaded.map(|()| data).map_err(|error: AdapterError| error.to_string()), failed.collect())
}

#[tokio::test]
async fn a_key_that_no_row_has_is_an_error_with_the_nearest_name() {
    let wire = server().await;
    for side in [Side::Source, Side::Target] {
        let (loaded, failed) = load::<nested::Net>(&wire, side).await;
        let expected = "`devices`: no row has `custom_fields.cmdbid`, which `cmdb_id` of the model `device` is read from; did you mean \
                        `custom_fields.cmdb_id`?; where the API leaves out keys that have no value, write `#[rest(optional)]` on the field";
        assert_eq!(loaded.unwrap_err(), expected);
        assert_eq!(failed, [expected]);
        let (loaded, failed) = load::<plain::Net>(&wire, side).await;
        assert!(loaded.unwrap_err().contains("no row has `seral`") && failed[0].contains("did you mean `serial`?"));
        let (loaded, _) = load::<looked_up::Net>(&wire, side).await;
        let error = loaded.unwrap_err();
        assert!(error.starts_with("`sites`: no row has `nam`") && error.contains("did you mean `name`?"), "{error}");
    }
}

#[tokio::test]
async fn a_key_may_be_missing_where_the_model_says_so_or_nothing_shows_it() {
    let wire = server().await;
    let (loaded, failed) = load::<excused::Net>(&wire, Side::Source).await;
    assert!(loaded.unwrap().devices.iter().all(|device| device.cmdb_id.is_none()) && failed.is_empty());
    let (loaded, failed) = load::<below_nothing::Net>(&wire, Side::Source).await;
    assert!(loaded.is_ok() && failed.is_empty());
    let empty = Wire::start([answer("[]")]).await;
    let (loaded, failed) = load::<plain::Net>(&empty, Side::Target).await;
    assert!(loaded.is_ok() && failed.is_empty(), "an empty collection shows nothing");
    // One row that has it is enough.
    let some = Wire::start([answer(r#"[{"id": 1, "name": "a"}, {"id": 2, "name": "b", "serial": null}]"#)]).await;
    let (loaded, failed) = load::<numbered::Net>(&some, Side::Target).await;
    assert!(loaded.is_ok() && failed.is_empty(), "{loaded:?}");
}

#[tokio::test]
async fn a_server_key_that_no_row_has_is_an_error_for_a_target() {
    let wire = Wire::start([answer(r#"[{"uuid": 1, "name": "a", "serial": null}]"#)]).await;
    let (loaded, _) = load::<numbered::Net>(&wire, Side::Target).await;
    assert!(loaded.unwrap_err().contains("no row has `id`, which is declared as the server's key"));
    assert!(load::<numbered::Net>(&wire, Side::Source).await.0.is_ok(), "a source does not need it");
}

#[tokio::test]
async fn a_check_asks_where_a_run_asks() {
    struct Elsewhere;
    impl RowSource for Elsewhere {
        fn rows<'a>(
            &'a self,
            _: &'a Client,
            _: &'a Dialect,
            _: &'a Collection,
            _: ProgressFn<'a>,
        ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
            Box::pin(async { Ok(vec![json!({"id": 1, "name": "a", "serial": null})]) })
        }
    }
    // The server itself has no such collection.
    let wire = Wire::start([super::wire::reply(404, "", "{}")]).await;
    let api = Rest::<numbered::Net>::new(wire.client(), Dialect::default()).row_source(Elsewhere);
    let mut health = HealthCheck::new(Side::Source);
    api.check(&mut health).await;
    assert!(health.is_healthy(), "{health:?}");
    assert!(health.findings().iter().any(|finding| finding.detail == "1 records in `devices`"), "{health:?}");
    assert!(wire.lines().is_empty());
}

#[derive(SyncModel, RestModel, Clone, Debug)]
#[rest(path = "devices", skip_unnamed)]
struct Named {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[rest(key)]
    id: Option<u64>,
}

#[derive(Dataset, Default, Debug)]
struct AllNamed {
    devices: Table<Named>,
}

#[tokio::test]
async fn records_without_a_name_are_left_out_where_the_model_says_so() {
    let wire =
        Wire::start([answer(r#"[{"id": 1, "name": null}, {"id": 2, "name": "b"}, {"id": 3, "name": null}]"#)]).await;
    let (loaded, failed) = load::<AllNamed>(&wire, Side::Target).await;
    let names: Vec<String> = loaded.unwrap().devices.iter().map(|device| device.name.clone()).collect();
    assert_eq!(names, ["b"]);
    assert!(failed.is_empty());
    // A name of the wrong type is not reported as missing.
    let wire = Wire::start([answer(r#"[{"id": 1, "name": 7}]"#)]).await;
    assert!(load::<AllNamed>(&wire, Side::Target).await.0.is_err());
}

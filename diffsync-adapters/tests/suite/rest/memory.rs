//! What a page of rows takes in memory.

use std::time::Instant;

use diffsync_adapters::rest::{Client, Collection, Dialect, PagedSource, ProgressFn, Rest, RestModel, RowSource};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::memory::MemoryScope;
use diffsync_core::{Adapter, Dataset, SyncModel, Table};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::wire::{Wire, json as answer};

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "devices")]
struct Device {
    #[sync(id)]
    id: u64,
    #[rest(field = "n")]
    name: String,
}

#[derive(Dataset, Default)]
struct Net {
    devices: Table<Device>,
}

/// The bytes of a body of so many rows, and the most that was in memory while it was loaded.
async fn size_and_peak(source: impl RowSource, rows: u64, row: impl Fn(u64) -> Value) -> (u64, u64) {
    let body = Value::from((0..rows).map(row).collect::<Vec<_>>()).to_string();
    let size = body.len();
    let wire = Wire::start([answer(&body)]).await;
    drop(body);
    let api: Rest<Net> = Rest::new(wire.client(), Dialect::default()).row_source(source);
    let mut net = Net::default();
    // While two scopes are open, what other tests and the server allocate counts for neither.
    let (scope, _other) = (MemoryScope::new(), MemoryScope::new());
    scope.clone().follow(api.load(&mut net, &LoadContext::standalone(Side::Source))).await.unwrap();
    assert_eq!(net.devices.len() as u64, rows);
    (size as u64, scope.heap().unwrap().peak)
}

/// The rows with all that is in them, as values.
struct Whole;

impl RowSource for Whole {
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        seen: ProgressFn<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(
            async move { Ok(client.rows(&collection.path, &[], &dialect.collection_format, Some("id"), seen).await?) },
        )
    }
}

#[tokio::test]
async fn what_is_not_needed_of_a_row_takes_no_memory() {
    let row = |id: u64| json!({"id": id, "n": "d", "links": (0..20).map(|at| json!({"id": at})).collect::<Vec<_>>()});
    let (size, peak) = size_and_peak(PagedSource, 4000, row).await;
    let (_, whole) = size_and_peak(Whole, 4000, row).await;
    let sizes = format!("the body has {size} bytes; {peak} are in memory, and {whole} where all of it is kept");
    assert!(peak < 3 * size && peak < whole / 20, "{sizes}");
}

#[tokio::test]
async fn rows_of_few_and_short_fields_take_some_times_their_size() {
    let row = |id: u64| json!({"id": id, "n": "d"});
    let (size, peak) = size_and_peak(PagedSource, 20_000, row).await;
    let (_, whole) = size_and_peak(Whole, 20_000, row).await;
    let sizes = format!("the body has {size} bytes; {peak} are in memory, and {whole} as values");
    assert!(peak < 15 * size && peak < whole / 3, "{sizes}");
}

#[tokio::test]
#[ignore = "takes long in a debug build"]
async fn nine_megabytes_of_small_rows() {
    let row = |id: u64| json!({"id": id, "n": "d"});
    let begun = Instant::now();
    let (size, peak) = size_and_peak(PagedSource, 420_000, row).await;
    let took = begun.elapsed();
    let begun = Instant::now();
    let (_, whole) = size_and_peak(Whole, 420_000, row).await;
    let mega = |bytes: u64| bytes / 1_000_000;
    println!("{} MB: {} MB in {took:?}, as values {} MB in {:?}", mega(size), mega(peak), mega(whole), begun.elapsed());
}

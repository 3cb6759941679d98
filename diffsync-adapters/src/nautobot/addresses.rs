//! IP addresses, which do not say what namespace they are in: it is that of the prefix around them.

use std::collections::{BTreeSet, HashMap};

use diffsync_core::AdapterError;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::rest::{Client, Collection, Dialect, FromPages, RowSource, Seen};

/// The collection.
pub(super) const PATH: &str = "ipam/ip-addresses";

/// What its rows lack.
pub(super) const NAMESPACE: &str = "namespace";

/// Gives a row the namespace of its prefix, which stands in it.
pub(super) fn add_namespace(row: &mut Map<String, Value>) {
    let namespace = row.get("parent").and_then(|parent| parent.get(NAMESPACE)).cloned().unwrap_or_default();
    row.insert(NAMESPACE.to_owned(), namespace);
}

/// Reads collections through REST.
#[derive(Debug, Clone, Copy)]
pub(super) struct RestOnly;

impl RowSource for RestOnly {
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        seen: Seen<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(async move {
            let mut rows = FromPages.rows(client, dialect, collection, seen).await?;
            if collection.path == PATH && collection.needs.contains(NAMESPACE) {
                let namespaces = namespaces(client, dialect).await?;
                for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                    let parent = row.get("parent").and_then(|parent| parent.get("id")).and_then(Value::as_str);
                    let namespace = parent.and_then(|parent| namespaces.get(parent)).cloned().unwrap_or_default();
                    row.insert(NAMESPACE.to_owned(), namespace);
                }
            }
            Ok(rows)
        })
    }
}

/// The namespaces of all prefixes, by key.
async fn namespaces(client: &Client, dialect: &Dialect) -> Result<HashMap<String, Value>, AdapterError> {
    let prefixes = Collection {
        path: "ipam/prefixes".to_owned(),
        query: Vec::new(),
        key: "id".to_owned(),
        parts: Vec::new(),
        needs: BTreeSet::from([NAMESPACE.to_owned()]),
    };
    let rows = FromPages.rows(client, dialect, &prefixes, &mut |_, _| {}).await?;
    let pairs = rows.into_iter().filter_map(|mut row| {
        let namespace = row.get_mut(NAMESPACE)?.take();
        Some((row.get("id")?.as_str()?.to_owned(), namespace))
    });
    Ok(pairs.collect())
}

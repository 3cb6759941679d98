//! Where the rows of collections come from.

use std::collections::BTreeSet;

use diffsync_core::AdapterError;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::client::Client;
use super::dialect::Dialect;
use super::schema::Part;
use super::way::keep;

/// A collection, and what of its rows is needed.
#[derive(Clone)]
pub struct Collection {
    /// Its path below the base URL.
    pub path: String,
    /// The parameters that choose its rows, without those of the dialect.
    pub query: Vec<(String, String)>,
    /// What the key of a row is called.
    pub key: String,
    /// The parts of a row that are read. Where one leads to another record, that may stand in the row itself with the parts
    /// that identify it, or as its key, or as an object with its key.
    pub parts: Vec<&'static Part>,
    /// The first steps of the ways to all that is read, the key included.
    pub needs: BTreeSet<String>,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection")
            .field("path", &self.path)
            .field("query", &super::shown::query(&self.query))
            .finish_non_exhaustive()
    }
}

/// Tells how many rows were read, and how many there are if that is known.
pub type Seen<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// Where the rows of collections come from: by itself from the API page by page, or, where an API has a faster way, from
/// there.
pub trait RowSource: Send + Sync + 'static {
    /// All rows of a collection.
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        seen: Seen<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>>;
}

/// The pages of the API itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct FromPages;

impl RowSource for FromPages {
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        seen: Seen<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(async move {
            let query = [dialect.query.as_slice(), &collection.query].concat();
            let key = Some(collection.key.as_str());
            let needed = |row| keep(row, &collection.needs);
            let rows = client.rows_kept(&collection.path, &query, &dialect.paging, key, needed, seen).await?;
            Ok(rows)
        })
    }
}

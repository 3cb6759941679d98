//! Sources of the rows of collections.

use std::collections::BTreeSet;

use diffsync_core::adapter::AdapterError;
use futures_util::future::BoxFuture;
use reqwest::header::ALLOW;
use serde_json::Value;

use super::dialect::Dialect;
use super::http::body::RowFilter;
use super::http::client::Client;
use super::http::pages::{Pagination, Reading};
use super::model::schema::Part;

/// How many rows a health check reads.
const SAMPLE: usize = 50;

/// A collection, and the parts of its rows that are needed.
#[derive(Clone)]
pub struct Collection {
    /// Its path below the base URL.
    pub path: String,
    /// The parameters that select its rows, without those of the dialect.
    pub query: Vec<(String, String)>,
    /// The name of a row's key.
    pub key: String,
    /// The parts of a row that are read. A part that refers to another record may hold its key, an object with its key, or
    /// an object with the parts that identify it.
    pub parts: Vec<&'static Part>,
    /// The top-level fields to request: the first segment of each JSON path, and the key.
    pub fields: BTreeSet<String>,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection")
            .field("path", &self.path)
            .field("query", &super::http::redact::query(&self.query))
            .finish_non_exhaustive()
    }
}

/// Reports progress: how many rows were read, and how many there are, if known.
pub type ProgressFn<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// Reads the rows of collections: page by page from the API, or in a faster way if the API has one.
pub trait RowSource: Send + Sync + 'static {
    /// All rows of a collection.
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        progress: ProgressFn<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>>;

    /// Whether these are the plain pages of the API, which may then be read in another way.
    #[doc(hidden)]
    fn is_pages(&self) -> bool {
        false
    }

    /// Some rows of a collection, for a health check. By default all of them.
    fn sample<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
    ) -> BoxFuture<'a, Result<Sample, AdapterError>> {
        Box::pin(async move {
            let rows = self.rows(client, dialect, collection, &mut |_, _| {}).await?;
            Ok(Sample { total: Some(rows.len() as u64), is_complete: true, is_read_only: false, rows })
        })
    }
}

/// Some rows of a collection, for a health check.
#[derive(Clone, Default)]
pub struct Sample {
    /// The rows, with all their parts.
    pub rows: Vec<Value>,
    /// How many rows the collection has, if that is known.
    pub total: Option<u64>,
    /// Whether these are all of its rows.
    pub is_complete: bool,
    /// Whether the server reports that the collection accepts no new records.
    pub is_read_only: bool,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The rows may hold anything.
        f.debug_struct("Sample").field("rows", &self.rows.len()).field("total", &self.total).finish_non_exhaustive()
    }
}

/// The pages of the API itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct PagedSource;

impl RowSource for PagedSource {
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        progress: ProgressFn<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(read(
            client,
            dialect,
            collection,
            RowFilter::new(&dialect.collection_format.rows, &collection.fields),
            progress,
        ))
    }

    fn is_pages(&self) -> bool {
        true
    }

    fn sample<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
    ) -> BoxFuture<'a, Result<Sample, AdapterError>> {
        Box::pin(async move {
            let query = [dialect.query.as_slice(), &collection.query].concat();
            let format = &dialect.collection_format;
            let (page, headers) = client.first_page(&collection.path, &query, format, dialect.verdict, SAMPLE).await?;
            let allowed = headers.get(ALLOW).and_then(|allowed| allowed.to_str().ok());
            Ok(Sample {
                total: page.total,
                is_complete: match page.total {
                    Some(total) => total <= page.rows.len() as u64,
                    None => format.pagination == Pagination::None || page.rows.is_empty(),
                },
                is_read_only: allowed.is_some_and(|allowed| !allowed.to_ascii_uppercase().contains("POST")),
                rows: page.rows,
            })
        })
    }
}

/// Reads the pages of a collection.
pub(crate) async fn read(
    client: &Client,
    dialect: &Dialect,
    collection: &Collection,
    keep: RowFilter,
    progress: ProgressFn<'_>,
) -> Result<Vec<Value>, AdapterError> {
    let query = [dialect.query.as_slice(), &collection.query].concat();
    let (path, format, judge) = (collection.path.as_str(), &dialect.collection_format, dialect.verdict);
    let reading = Reading { client, path, query: &query, format, judge, keep: Some(&keep) };
    Ok(client.rows_kept(reading, Some(&collection.key), progress).await?)
}

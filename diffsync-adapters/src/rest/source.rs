//! Where the rows of collections come from.

use std::collections::BTreeSet;

use diffsync_core::adapter::AdapterError;
use futures_util::future::BoxFuture;
use reqwest::header::ALLOW;
use serde_json::Value;

use super::dialect::Dialect;
use super::http::body::RowFilter;
use super::http::client::Client;
use super::http::pages::{Pages, Reading};
use super::model::schema::Part;

/// How many rows a check looks at.
const SAMPLE: usize = 50;

/// A collection, and what of its rows is needed.
#[derive(Clone)]
pub struct Collection {
    /// Its path below the base URL.
    pub path: String,
    /// The parameters that choose its rows, without those of the dialect.
    pub query: Vec<(String, String)>,
    /// What the key of a row is called.
    pub key: String,
    /// The parts of a row that are read. Where one leads to another record, that may be in the row itself with the parts
    /// that identify it, or as its key, or as an object with its key.
    pub parts: Vec<&'static Part>,
    /// The top-level fields to request: the first segment of each JSON path, and the key.
    pub needs: BTreeSet<String>,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection")
            .field("path", &self.path)
            .field("query", &super::http::redact::query(&self.query))
            .finish_non_exhaustive()
    }
}

/// Tells how many rows were read, and how many there are if that is known.
pub type Seen<'a> = &'a mut (dyn FnMut(u64, Option<u64>) + Send);

/// Where the rows of collections come from: the API page by page, or, where an API has a faster way, from
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

    /// Whether these are the pages of the API as they are, so that they may be read by another way to the same.
    #[doc(hidden)]
    fn is_pages(&self) -> bool {
        false
    }

    /// Some rows of a collection, as a check looks at them. All of them, unless said otherwise.
    fn sample<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
    ) -> BoxFuture<'a, Result<Sample, AdapterError>> {
        Box::pin(async move {
            let rows = self.rows(client, dialect, collection, &mut |_, _| {}).await?;
            Ok(Sample { total: Some(rows.len() as u64), is_whole: true, is_read_only: false, rows })
        })
    }
}

/// Some rows of a collection, for a look before a run.
#[derive(Clone, Default)]
pub struct Sample {
    /// The rows, with all their parts.
    pub rows: Vec<Value>,
    /// How many rows the collection has, if that is known.
    pub total: Option<u64>,
    /// Whether these are all of its rows.
    pub is_whole: bool,
    /// Whether the server says that the collection takes no new records.
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
        seen: Seen<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(read(client, dialect, collection, RowFilter::new(&dialect.paging.rows, &collection.needs), seen))
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
            let paging = &dialect.paging;
            let (page, headers) = client.first_page(&collection.path, &query, paging, dialect.verdict, SAMPLE).await?;
            let allowed = headers.get(ALLOW).and_then(|allowed| allowed.to_str().ok());
            Ok(Sample {
                total: page.total,
                is_whole: match page.total {
                    Some(total) => total <= page.rows.len() as u64,
                    None => paging.pages == Pages::None || page.rows.is_empty(),
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
    seen: Seen<'_>,
) -> Result<Vec<Value>, AdapterError> {
    let query = [dialect.query.as_slice(), &collection.query].concat();
    let (path, paging, judge) = (collection.path.as_str(), &dialect.paging, dialect.verdict);
    let reading = Reading { client, path, query: &query, paging, judge, keep: Some(&keep) };
    Ok(client.rows_kept(reading, Some(&collection.key), seen).await?)
}

//! How APIs differ from each other.

use serde_json::Value;

use super::http::error::Error;
use super::http::pages::CollectionFormat;
use super::http::tasks::TaskPolling;
use super::model::schema::{Part, PartKind, StaticOwner};
use super::verdict;
use super::verdict::{ResponseView, RowResponse, VerdictFn};

/// How one API differs from others: the format of its collections, writes of many records at once, the name of its keys.
#[derive(Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a property of an API of its own")]
pub struct Dialect {
    /// The name of a record's key in bodies, `id` by default.
    pub key: String,
    /// The format of its collections.
    pub collection_format: CollectionFormat,
    /// Parameters of every request for a collection.
    pub query: Vec<(String, String)>,
    /// Which writes accept many records in one request.
    pub bulk: Bulk,
    /// Whether to query, after a list was deleted, which of its records still exist: for an API that accepts the list but
    /// silently skips what the login may not delete. The API must support `id=1&id=2`.
    pub confirm_deletes: bool,
    /// How many requests may write at the same time.
    pub concurrency: usize,
    /// Whether updates are sent as `PUT` with the whole record, instead of `PATCH`.
    pub update_with_put: bool,
    /// Whether a record of the target, by path and row, is never deleted, because the system itself needs it.
    pub is_protected: fn(&str, &Value) -> bool,
    /// The errors of the single rows that the error of a list contains, if any.
    pub row_errors: fn(&Error, usize) -> Option<Vec<Option<String>>>,
    /// The maximum size of the body of a list, in bytes. A longer list is sent in halves.
    pub max_bulk_bytes: Option<usize>,
    /// Whether a collection accepts fields as parameters, `name=a&name=b`, and returns the records that have one of the
    /// values. If so, records are looked up after an error that leaves open whether they were created.
    pub supports_field_filters: bool,
    /// Judges a response; [`verdict::common_envelopes`] by default.
    pub verdict: VerdictFn,
    /// Splits the response to a list into its rows; [`verdict::row_responses`] by default.
    pub row_responses: fn(&ResponseView<'_>) -> Option<Vec<RowResponse>>,
    /// Where the record is in the response to a write, as a JSON pointer such as `/result`. If nothing is there, the whole
    /// response is the record. `#[rest(answer = "…")]` on a model takes precedence.
    pub record_pointer: Option<String>,
    /// How to wait for a task after a 202. Without it, the outcome of the record is unknown.
    pub task_polling: Option<TaskPolling>,
    /// The parameter that filters the collection at a path by a part of its rows, such as `name`; by default the part
    /// itself. It is used to find a created record whose key the response does not contain.
    pub filter_parameter: fn(&str, &str) -> Option<String>,
    /// Whether the collection at a path echoes a part of its rows as it was sent, but stores it in another form. If so,
    /// records are read again after a write of that part. By default there is no such part.
    pub reread_after_write: fn(&str, &str) -> bool,
    /// Whether the server keeps the keys of a nested object that a `PATCH` omits, as in JSON Merge Patch. By default it does
    /// not: the record is read before such an object changes, and the object is sent with all of its keys.
    pub merge_patch: bool,
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect")
            .field("key", &self.key)
            .field("collection_format", &self.collection_format)
            .field("query", &super::http::redact::query(&self.query))
            .field("bulk", &self.bulk)
            .finish_non_exhaustive()
    }
}

impl Dialect {
    /// How many requests may write at the same time, at least one.
    pub(crate) fn at_once(&self) -> usize {
        self.concurrency.max(1)
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            key: "id".to_owned(),
            collection_format: CollectionFormat::default(),
            query: Vec::new(),
            bulk: Bulk::default(),
            confirm_deletes: false,
            concurrency: 4,
            update_with_put: false,
            is_protected: |_, _| false,
            row_errors: listed_row_errors,
            max_bulk_bytes: None,
            supports_field_filters: false,
            verdict: verdict::common_envelopes,
            row_responses: verdict::row_responses,
            record_pointer: None,
            task_polling: None,
            filter_parameter: |_, part| Some(part.to_owned()),
            reread_after_write: |_, _| false,
            merge_patch: false,
        }
    }
}

/// The writes for which an API accepts a list of records, sent to the collection itself. Each is all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    /// Whether `POST` creates a list.
    pub create: bool,
    /// Whether `PATCH` (or `PUT`) updates a list of objects, each with its key.
    pub update: bool,
    /// Whether `DELETE` deletes a list of objects, each with its key only.
    pub delete: bool,
    /// The maximum number of records per request.
    pub size: usize,
}

impl Default for Bulk {
    /// No lists.
    fn default() -> Self {
        Self { create: false, update: false, delete: false, size: 100 }
    }
}

impl Bulk {
    /// Lists for all three writes, of up to `size` records.
    #[must_use]
    pub fn all(size: usize) -> Self {
        Self { create: true, update: true, delete: true, size: size.max(1) }
    }

    /// The number of records for one call of the target.
    pub(crate) fn batch(self) -> usize {
        if self.create || self.update || self.delete { self.size.max(1) } else { 1 }
    }
}

/// The errors in a list with one object per row, empty for each valid row, as Django's frameworks answer.
fn listed_row_errors(error: &Error, rows: usize) -> Option<Vec<Option<String>>> {
    let listed = error.response_body()?.as_array().filter(|listed| listed.len() == rows)?;
    let describe = |row: &Value| match row {
        Value::Null => None,
        Value::Object(fields) if fields.is_empty() => None,
        other => Some(super::http::redact::shortened(&other.to_string())),
    };
    Some(listed.iter().map(describe).collect())
}

/// The stamp on the records that a target writes. Records without it are never deleted.
#[derive(Debug, Clone)]
pub struct Owner {
    pub(crate) at: Vec<String>,
    pub(crate) kind: PartKind,
    pub(crate) value: Value,
}

impl Owner {
    /// A value at a place in a record's body, such as `custom_fields.managed_by`.
    #[must_use]
    pub fn field(at: &str, value: impl Into<Value>) -> Self {
        Self { at: at.split('.').map(str::to_owned).collect(), kind: PartKind::Value, value: value.into() }
    }

    /// An item of the list at a place in a record's body, such as `tags`. The list holds keys of the records of a
    /// collection; `value` is that of `parts`, one part of such a record.
    #[must_use]
    pub fn list_item(at: &str, collection: &'static str, parts: &'static [Part], value: impl Into<Value>) -> Self {
        Self { kind: PartKind::Lookup { collection, parts }, ..Self::field(at, value) }
    }

    pub(crate) fn of_model(owner: StaticOwner) -> Self {
        let at = owner.part.path.iter().map(|&step| step.to_owned()).collect();
        Self { at, kind: owner.part.kind, value: owner.value.into() }
    }
}

//! How APIs differ from each other.

use serde_json::Value;

use super::http::error::Error;
use super::http::pages::Paging;
use super::http::tasks::Tasks;
use super::model::schema::{Of, Part, StaticOwner};
use super::verdict;
use super::verdict::{Reply, RowReply, VerdictFn};

/// How one API differs from others: how it gives collections and takes many records at once, and what keys are called.
#[derive(Clone)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a property of an API of its own")]
pub struct Dialect {
    /// What a record's key is called in bodies: `id` unless said otherwise.
    pub key: String,
    /// How it gives collections.
    pub paging: Paging,
    /// Parameters of every request for a collection.
    pub query: Vec<(String, String)>,
    /// What it does with many records in one request.
    pub bulk: Bulk,
    /// Whether it is asked, once a list was deleted, which of the records are still there: for an API that takes a list and
    /// leaves out of it, without a word, what the login may not delete. It must understand `id=1&id=2`.
    pub confirms_deletes: bool,
    /// How many requests that write are made at the same time.
    pub concurrency: usize,
    /// Whether updates are sent with `PUT`, with all of the record, instead of `PATCH`.
    pub replaces: bool,
    /// Which records of the target are never deleted, by path and row: those that the system itself needs.
    pub keeps: fn(&str, &Value) -> bool,
    /// What an error says of each row of a request for many, if it does.
    pub row_errors: fn(&Error, usize) -> Option<Vec<Option<String>>>,
    /// How many bytes the body of a request for many may have: a longer list is sent in halves.
    pub longest_list: Option<usize>,
    /// Whether the collection takes the fields of its records as parameters, `name=a&name=b`, and gives those that have one
    /// of the values. Then records are looked up after an error that leaves open whether they were created.
    pub finds_by_fields: bool,
    /// What an answer means: [`verdict::usual`] unless said otherwise.
    pub verdict: VerdictFn,
    /// What an answer says of each row of a list: [`verdict::row_replies`] unless said otherwise.
    pub row_replies: fn(&Reply<'_>) -> Option<Vec<RowReply>>,
    /// Where the record is in an answer to what was written, as a JSON pointer such as `/result`. An answer without it is
    /// taken as a whole. `#[rest(answer = "…")]` on a model comes first.
    pub answer: Option<String>,
    /// How to wait for what is answered with 202. Without it, what becomes of such a record is unknown.
    pub tasks: Option<Tasks>,
    /// The parameter by which the collection at a path is searched for a part of its rows, such as `name`: the part itself
    /// unless said otherwise. It is used to ask for a record that was created without an answer that names its key.
    pub filter: fn(&str, &str) -> Option<String>,
    /// Whether a part of a row, at the path of its collection, is echoed as it was sent though the server stores it in another
    /// form. What was written there is then read again. Nothing is, unless said otherwise.
    pub reads_back: fn(&str, &str) -> bool,
    /// Whether the server keeps the keys of a nested object that a `PATCH` does not name, as JSON Merge Patch has it. Unless
    /// said otherwise it does not: the record is read before such an object changes, and the object is sent with all of its
    /// keys.
    pub merges_objects: bool,
}

impl std::fmt::Debug for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialect")
            .field("key", &self.key)
            .field("paging", &self.paging)
            .field("query", &super::http::redact::query(&self.query))
            .field("bulk", &self.bulk)
            .finish_non_exhaustive()
    }
}

impl Dialect {
    /// How many requests that write are made at the same time: at least one.
    pub(crate) fn at_once(&self) -> usize {
        self.concurrency.max(1)
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            key: "id".to_owned(),
            paging: Paging::default(),
            query: Vec::new(),
            bulk: Bulk::default(),
            confirms_deletes: false,
            concurrency: 4,
            replaces: false,
            keeps: |_, _| false,
            row_errors: listed_row_errors,
            longest_list: None,
            finds_by_fields: false,
            verdict: verdict::usual,
            row_replies: verdict::row_replies,
            answer: None,
            tasks: None,
            filter: |_, part| Some(part.to_owned()),
            reads_back: |_, _| false,
            merges_objects: false,
        }
    }
}

/// What an API does with a list of records, sent to the collection itself. It does all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    /// Whether `POST` creates a list.
    pub create: bool,
    /// Whether `PATCH` (or `PUT`) updates a list of objects, each with its key.
    pub update: bool,
    /// Whether `DELETE` deletes a list of objects, each with its key only.
    pub delete: bool,
    /// How many records are sent with one request.
    pub size: usize,
}

impl Default for Bulk {
    /// Nothing.
    fn default() -> Self {
        Self { create: false, update: false, delete: false, size: 100 }
    }
}

impl Bulk {
    /// Everything, so many records at once.
    #[must_use]
    pub fn all(size: usize) -> Self {
        Self { create: true, update: true, delete: true, size: size.max(1) }
    }

    /// How many records one call of the target gets.
    pub(crate) fn batch(self) -> usize {
        if self.create || self.update || self.delete { self.size.max(1) } else { 1 }
    }
}

/// What a list of one object per row says, empty for those with which nothing is wrong: as the frameworks of Django do.
fn listed_row_errors(error: &Error, rows: usize) -> Option<Vec<Option<String>>> {
    let listed = error.answer()?.as_array().filter(|listed| listed.len() == rows)?;
    let said = |row: &Value| match row {
        Value::Null => None,
        Value::Object(fields) if fields.is_empty() => None,
        other => Some(super::http::redact::shortened(&other.to_string())),
    };
    Some(listed.iter().map(said).collect())
}

/// What is stamped on the records that a target writes. It deletes none that does not carry it.
#[derive(Debug, Clone)]
pub struct Owner {
    pub(crate) at: Vec<String>,
    pub(crate) of: Of,
    pub(crate) value: Value,
}

impl Owner {
    /// A value at a place in a record's body, such as `custom_fields.managed_by`.
    #[must_use]
    pub fn field(at: &str, value: impl Into<Value>) -> Self {
        Self { at: at.split('.').map(str::to_owned).collect(), of: Of::Value, value: value.into() }
    }

    /// One of the list at a place in a record's body, such as `tags`. The list holds keys of the records of a collection;
    /// the value is what `parts`, one part of such a record, holds.
    #[must_use]
    pub fn listed(at: &str, collection: &'static str, parts: &'static [Part], value: impl Into<Value>) -> Self {
        Self { of: Of::Lookup { collection, parts }, ..Self::field(at, value) }
    }

    pub(crate) fn of_model(owner: StaticOwner) -> Self {
        let at = owner.part.at.iter().map(|&step| step.to_owned()).collect();
        Self { at, of: owner.part.of, value: owner.value.into() }
    }
}

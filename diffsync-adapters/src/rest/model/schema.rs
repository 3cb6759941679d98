//! The schema of a model that `#[derive(RestModel)]` writes.

/// How an API keeps the records of a model.
#[derive(Debug, Clone, Copy)]
pub struct RestSchema {
    /// The path of the collection below the base URL.
    pub path: &'static str,
    /// Query parameters that choose the model's records among the collection's, as in `content_types=dcim.device`.
    pub query: &'static str,
    /// The server's own key.
    pub key: RestKey,
    /// The fields.
    pub fields: &'static [RestField],
    /// The stamp of the records that are written.
    pub owner: Option<StaticOwner>,
    /// Where the record is in the response to a write, as a JSON pointer. It takes precedence over that of the API's
    /// [`Dialect`](crate::rest::Dialect).
    pub record_pointer: Option<&'static str>,
    /// Whether records with an empty part of the identifier are left out.
    pub skip_unnamed: bool,
}

impl RestSchema {
    /// The collection that holds the model's records: the path with its query.
    #[must_use]
    pub fn collection(&self) -> String {
        if self.query.is_empty() { self.path.to_owned() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// The key by which a server knows a record.
#[derive(Debug, Clone, Copy)]
pub struct RestKey {
    /// Its name in bodies, if it differs from that in the API's [`Dialect`](crate::rest::Dialect).
    pub name: Option<&'static str>,
    /// Whether the model has a field for it. Without one, records can be created and neither updated nor deleted.
    pub has_field: bool,
}

/// The owner as it is declared on a model: see [`Owner`](crate::rest::Owner).
#[derive(Debug, Clone, Copy)]
pub struct StaticOwner {
    /// Its place in a record's body.
    pub part: Part,
    /// Its contents.
    pub value: &'static str,
}

/// One or several fields of a model, and the part of a record's body that holds them.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the derive")]
pub struct RestField {
    /// The fields' names. There is one for each value that the part leads to.
    pub names: &'static [&'static str],
    /// The part of the body.
    pub part: Part,
    /// Whether the part holds a list in which each element leads to a value.
    pub many: bool,
    /// Whether the value is read from an object such as `{"value": "active", "label": "Active"}`.
    pub choice: bool,
    /// Whether `None` is written as an empty text, and an empty text is read as `None`.
    pub blank: bool,
    /// Whether loading reads it.
    pub readable: bool,
    /// Whether writes send it.
    pub writable: bool,
    /// Whether all rows of the collection may lack the part.
    pub optional: bool,
}

/// A part of a body.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The path to it: `["custom_fields", "external_id"]`.
    pub path: &'static [&'static str],
    /// Its contents.
    pub kind: PartKind,
}

/// The contents of a part of a body.
#[derive(Debug, Clone, Copy)]
pub enum PartKind {
    /// The value itself.
    Value,
    /// The last of a list of names, which begins with those of the records above, from the root down.
    Tree {
        /// The field of the body that refers to the record above.
        parent: &'static str,
        /// Whether the names are joined into one text, with ` → ` between them.
        joined: bool,
    },
    /// Another record, by its key.
    Lookup {
        /// The path of its collection, perhaps with a query after a `?`.
        collection: &'static str,
        /// The parts of its body that identify it.
        parts: &'static [Part],
    },
}

/// The separator of the names of a path that is one text: see [`join_names`](crate::rest::join_names).
pub(crate) const SEPARATOR: &str = " → ";

impl Part {
    /// How many values it leads to.
    #[must_use]
    pub fn value_count(&self) -> usize {
        match self.kind {
            PartKind::Value | PartKind::Tree { .. } => 1,
            PartKind::Lookup { parts, .. } => parts.iter().map(Self::value_count).sum(),
        }
    }
}

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
    /// What is stamped on records that are written.
    pub owner: Option<StaticOwner>,
    /// Where the record is in an answer to what was written, as a JSON pointer, if the API's [`Dialect`](crate::rest::Dialect) does
    /// not say it.
    pub answer: Option<&'static str>,
    /// Whether records are left out of which a part of the identifier is empty.
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
    /// What it is called in bodies, if that is not what the API's [`Dialect`](crate::rest::Dialect) says.
    pub name: Option<&'static str>,
    /// Whether the model has a field for it. Without one, records can be created and neither updated nor deleted.
    pub is_held: bool,
}

/// The owner as it is declared on a model: see [`Owner`](crate::rest::Owner).
#[derive(Debug, Clone, Copy)]
pub struct StaticOwner {
    /// Where it is in a record's body.
    pub part: Part,
    /// Its contents.
    pub value: &'static str,
}

/// One or several fields of a model, and the part of a record's body that holds them.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a word that is on a field or not")]
pub struct RestField {
    /// The fields' names. There is one for each value that the part leads to.
    pub names: &'static [&'static str],
    /// The part of the body.
    pub part: Part,
    /// Whether the part holds a list, each element of which leads to a value.
    pub many: bool,
    /// Whether the value is read from an object such as `{"value": "active", "label": "Active"}`.
    pub choice: bool,
    /// Whether nothing is written as an empty text, and an empty text read as nothing.
    pub blank: bool,
    /// Whether it is read.
    pub reads: bool,
    /// Whether it is written.
    pub writes: bool,
    /// Whether no row of the collection need have the part.
    pub optional: bool,
}

/// A part of a body.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The way to it: `["custom_fields", "external_id"]`.
    pub at: &'static [&'static str],
    /// Its contents.
    pub of: Of,
}

/// The contents of a part of a body.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// The value itself.
    Value,
    /// The last of a list of names: those of the records above come first, from the root down.
    Tree {
        /// Where the record above is in the body.
        up: &'static str,
        /// Whether the names are joined to one text, with ` → ` between them.
        text: bool,
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
    pub fn values(&self) -> usize {
        match self.of {
            Of::Value | Of::Tree { .. } => 1,
            Of::Lookup { parts, .. } => parts.iter().map(Self::values).sum(),
        }
    }
}

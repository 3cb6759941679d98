//! The schema of one model.

use crate::model::flags::Flags;
use crate::model::limit::Limits;

/// What one model looks like: its names, its fields and its links. Made by `#[derive(SyncModel)]`.
#[derive(Debug, Clone, Copy)]
pub struct ModelSchema {
    /// The model's name in diffs, logs and commands: the struct's name in `snake_case`, unless `#[sync(name = "…")]`.
    pub name: &'static str,
    /// The struct's name.
    pub type_name: &'static str,
    /// The struct's documentation comment.
    pub description: &'static str,
    /// The fields that say which record it is, in declaration order.
    pub identifiers: &'static [FieldSchema],
    /// The fields that are compared, in declaration order. A changed attribute is named by its position here.
    pub attributes: &'static [FieldSchema],
    /// The fields that belong to one side only.
    pub locals: &'static [FieldSchema],
    /// The links to other models.
    pub links: &'static [LinkSchema],
    /// The models that are written before this one although no link leads to them.
    pub after: &'static [&'static str],
    /// What is left alone of all records of the model.
    pub flags: Flags,
    /// Whether records are deleted before others are created, where nothing depends on them, so that unique values are
    /// free again.
    pub deletes_first: bool,
    /// How many records a run may create, update and delete.
    pub limits: Limits,
}

/// One field of a model.
#[derive(Debug, Clone, Copy)]
pub struct FieldSchema {
    /// The field's name.
    pub name: &'static str,
    /// The field's documentation comment.
    pub description: &'static str,
    /// The field's type as written.
    pub type_name: &'static str,
    /// When two values of it are the same.
    pub comparison: Comparison,
    /// Whether `None` in the source means that it has no opinion.
    pub when_some: bool,
    /// Whether it is set when a record is created, and never compared.
    pub create_only: bool,
    /// Whether it holds a deferred reference: left out when the record is created, set once both exist.
    pub deferred: bool,
}

/// When two values of a field are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Comparison {
    /// By their own `==`, a NaN being the same as a NaN.
    Equal,
    /// If they hold the same, in whatever order.
    Unordered,
    /// Whatever the case of the letters.
    IgnoreCase,
    /// If the target holds all that the source holds; it may hold more.
    Contains,
    /// An empty text is the same as none.
    BlankIsNone,
    /// If they are no further apart than this.
    Tolerance(f64),
    /// If this function of the user's says so.
    With(&'static str),
}

/// One link from a model to another.
#[derive(Debug, Clone, Copy)]
pub struct LinkSchema {
    /// What kind of link it is.
    pub kind: LinkKind,
    /// The name of the model it leads to.
    pub model: &'static str,
    /// The fields that name the other record.
    pub fields: &'static [&'static str],
}

/// The kinds of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The record lives under the one it names.
    Parent,
    /// The record names another without living under it.
    Reference {
        /// Whether it is left out when the record is created and set once both exist.
        deferred: bool,
    },
}

impl LinkSchema {
    /// Whether what it leads to must be written before the record.
    #[must_use]
    pub const fn orders(&self) -> bool {
        !matches!(self.kind, LinkKind::Reference { deferred: true })
    }
}

impl ModelSchema {
    /// The link to the parent, if the model has one.
    #[must_use]
    pub const fn parent(&self) -> Option<&'static LinkSchema> {
        let mut i = 0;
        while i < self.links.len() {
            if matches!(self.links[i].kind, LinkKind::Parent) {
                return Some(&self.links[i]);
            }
            i += 1;
        }
        None
    }

    /// Whether records of this model live under other records of it.
    #[must_use]
    pub fn nests_in_itself(&self) -> bool {
        self.parent().is_some_and(|parent| parent.model == self.name)
    }

    /// Whether the link fields are attributes, so that a record can move to another parent.
    #[must_use]
    pub fn can_move(&self) -> bool {
        self.parent()
            .is_some_and(|parent| self.attributes.iter().any(|attribute| parent.fields.contains(&attribute.name)))
    }
}

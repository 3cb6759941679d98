//! The schema of a model that `#[derive(SqlModel)]` writes.

use super::value::ValueKind;

/// The table of a model.
#[derive(Debug)]
pub struct SqlTable {
    /// Its name, after that of its schema and a full stop if it has one.
    pub name: &'static str,
    /// The mark of the rows that this job owns.
    pub owner: Option<Owner>,
    /// The field that holds the database's own key.
    pub key: Option<usize>,
    /// The fields that the database knows of.
    pub fields: &'static [SqlField],
    /// Whether rows of other tables may be deleted or emptied together with one of this.
    pub cascades: bool,
    /// The foreign keys.
    pub lookups: &'static [Lookup],
}

/// A field and where its value is.
#[derive(Debug)]
pub struct SqlField {
    /// The field's name in the model.
    pub name: &'static str,
    /// The field's role.
    pub role: Role,
    /// The place of its value.
    pub place: Place,
    /// The kind of its value in a column.
    pub kind: ValueKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it is never shown.
    pub secret: bool,
    /// The column type that the user has declared.
    pub declared: Option<&'static str>,
}

/// The role of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It identifies the record.
    Identifier,
    /// It is compared.
    Attribute,
    /// It is the database's own.
    Local,
}

/// The place of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a column.
    Column(&'static str),
    /// In the natural key that a lookup leads to: which lookup, and which part.
    Lookup(usize, usize),
}

/// The mark of the rows that this job owns: only these are ever deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The column.
    pub column: &'static str,
    /// Its text.
    pub value: &'static str,
}

/// A foreign key and the fields that hold the natural key it leads to.
#[derive(Debug)]
pub struct Lookup {
    /// The column and what it leads to.
    pub foreign_key: ForeignKey,
    /// The fields that hold the natural key, in the order of its parts.
    pub fields: &'static [usize],
}

/// A column that holds the key of another table's row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ForeignKey {
    /// The foreign key.
    pub column: &'static str,
    /// The other table.
    pub table: &'static str,
    /// The column of the other table that the foreign key holds, where it is not the one that is its key.
    pub key: Option<&'static str>,
    /// The natural key of the other table.
    pub parts: &'static [Part],
}

/// A part of a natural key.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// A column.
    Column(&'static str),
    /// A foreign key in its turn.
    Lookup(ForeignKey),
}

impl SqlTable {
    /// The fields that have a column of their own, with their positions.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &'static str, &'static SqlField)> {
        self.fields.iter().enumerate().filter_map(|(position, field)| match field.place {
            Place::Column(column) => Some((position, column, field)),
            Place::Lookup(..) => None,
        })
    }

    /// The column that is the database's own key.
    pub(crate) fn key_column(&self) -> Option<&'static str> {
        match self.fields.get(self.key?)?.place {
            Place::Column(column) => Some(column),
            Place::Lookup(..) => None,
        }
    }

    /// Whether the foreign key of a lookup may be null: it is if a part of the natural key is.
    pub(crate) fn is_nullable(&self, lookup: &Lookup) -> bool {
        lookup.fields.iter().any(|field| self.fields.get(*field).is_some_and(|field| field.nullable))
    }
}

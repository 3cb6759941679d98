//! The tables of a data set.

use diffsync_core::schema::ModelSchema;

use super::schema::{ForeignKey, SqlTable};

/// The tables of the models of a data set, and what the core knows of the models, in the same order.
pub(crate) struct ModelTables {
    pub(crate) tables: Vec<&'static SqlTable>,
    pub(crate) schemas: Vec<&'static ModelSchema>,
}

impl ModelTables {
    /// The column of the other table that a foreign key holds.
    pub(crate) fn key_of(&self, foreign_key: &'static ForeignKey) -> &'static str {
        let own = || self.tables.iter().find(|table| table.name == foreign_key.table)?.key_column();
        foreign_key.key.or_else(own).unwrap_or("id")
    }
}

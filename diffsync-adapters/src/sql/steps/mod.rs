//! The steps of a run: reads and writes of a database.

pub(crate) mod answers;
pub(crate) mod cascade;
pub(crate) mod check;
pub(crate) mod conflict;
pub(crate) mod create_tables;
pub(crate) mod equal_identifiers;
pub(crate) mod find_rows;
pub(crate) mod json_documents;
pub(crate) mod load;
pub(crate) mod lookup;
pub(crate) mod required_columns;
pub(crate) mod reread;
pub(crate) mod row_identity;
pub(crate) mod selection;
pub(crate) mod swap;
pub(crate) mod write;
pub(crate) mod write_rows;

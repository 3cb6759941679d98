//! What the catalogue of a database says of its tables.

pub(crate) mod collation;
pub(crate) mod foreign_keys;

//! The cells of one record: the value in a file for each stored field.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::Column;

/// The cells of a record that is being read.
pub trait RowReader {
    /// Takes the value in a column.
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError>;
}

/// The cells of a record that is being written.
pub trait RowWriter {
    /// Puts a value into a column.
    fn put<T: Serialize + DeserializeOwned + PartialEq>(&mut self, column: usize, value: &T) -> Result<(), CellError>;
}

/// Why a cell cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CellError(pub(crate) String);

impl CellError {
    pub(crate) fn in_column(column: &Column, what: impl fmt::Display) -> Self {
        Self(format!("`{}`: {what}", column.name))
    }
}

/// Why a record could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowError<Id> {
    /// Its identifier could not be read, so it is unknown which record it is.
    Unidentified(CellError),
    /// One of its attributes could not be read.
    Rejected(Id, CellError),
}

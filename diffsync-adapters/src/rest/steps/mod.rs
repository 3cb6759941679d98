//! The steps of a run: reads and writes of an API.

pub(crate) mod bulk;
pub(crate) mod check;
pub(crate) mod created_row;
pub(crate) mod existing;
pub(crate) mod load;
pub(crate) mod nested_objects;
pub(crate) mod reread;
pub(crate) mod tasks;
pub(crate) mod write;
pub(crate) mod write_request;

//! HTTP: one request and its answer, collections page by page, and what of it may be shown.

pub(crate) mod body;
pub(crate) mod builder;
pub(crate) mod client;
pub(crate) mod error;
pub(crate) mod pages;
pub(crate) mod redact;
pub(crate) mod retry;
pub(crate) mod tasks;

//! Tables of a database.

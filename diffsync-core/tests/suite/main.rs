//! The rules of the core, as its users see them.

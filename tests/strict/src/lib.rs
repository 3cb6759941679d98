//! Generated code under the strictest lints.

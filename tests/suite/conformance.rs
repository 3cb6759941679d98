//! The Python package `diffsync` as the oracle for diff, summary and the state after a sync.

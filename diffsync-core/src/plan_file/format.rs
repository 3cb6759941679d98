//! The lines of a plan file.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::signature::Signature;

/// The last line of a plan before its approvals.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// The number of operations.
    pub(super) operations: usize,
    /// The SHA-256 of all lines before it, in hexadecimal digits.
    pub(super) sha256: String,
}

/// The line of an approval.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    pub(super) approved: Signature,
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

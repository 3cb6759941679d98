//! There is something to choose from.

use diffsync_core::Choice;

#[derive(Choice)]
enum Mode {}

fn main() {}

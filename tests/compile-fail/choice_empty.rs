//! There is something to choose from.

use diffsync::Choice;

#[derive(Choice)]
enum Mode {}

fn main() {}

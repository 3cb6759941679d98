//! A variant that is chosen by its name holds nothing.

use diffsync::Choice;

#[derive(Choice)]
enum Mode {
    Fast,
    Careful { seconds: u64 },
    Custom(String),
}

fn main() {}

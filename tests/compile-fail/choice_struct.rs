//! A choice is an enum.

use diffsync::Choice;

#[derive(Choice)]
struct Mode {
    fast: bool,
}

#[derive(Choice)]
union Bits {
    number: u32,
}

fn main() {}

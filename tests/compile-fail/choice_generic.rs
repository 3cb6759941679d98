//! A choice is not generic.

use diffsync_core::Choice;

#[derive(Choice)]
enum Mode<T> {
    Fast,
    Careful(T),
}

fn main() {}

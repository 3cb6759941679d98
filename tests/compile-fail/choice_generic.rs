//! A choice is not generic.

use diffsync::Choice;

#[derive(Choice)]
enum Mode<T> {
    Fast,
    Careful(T),
}

fn main() {}

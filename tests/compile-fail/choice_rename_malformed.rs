//! A variant is renamed to a text.

use diffsync_core::Choice;

#[derive(Choice)]
#[choice(rename = "modes")]
enum Mode {
    #[choice(rename = "")]
    Fast,
    #[choice(rename = careful)]
    Careful,
    #[choice(name = "quick")]
    Quick,
    #[choice(crate = diffsync_core)]
    Slow,
}

fn main() {}

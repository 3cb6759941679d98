//! A variant is renamed to a text.

use diffsync::Choice;

#[derive(Choice)]
#[choice(rename = "modes")]
enum Mode {
    #[choice(rename = "")]
    Fast,
    #[choice(rename = careful)]
    Careful,
    #[choice(name = "quick")]
    Quick,
    #[choice(crate = diffsync)]
    Slow,
}

fn main() {}

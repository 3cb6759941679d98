//! Each variant has a name of its own.

use diffsync::Choice;

#[derive(Choice)]
enum Mode {
    AsFast,
    #[choice(rename = "as-fast")]
    Quick,
    IPAddress,
    IpAddress,
}

fn main() {}

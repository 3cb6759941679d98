//! A program that drops its exit code would always exit with success.
#![deny(unused_must_use)]

fn main() {
    diffsync::app::main();
}

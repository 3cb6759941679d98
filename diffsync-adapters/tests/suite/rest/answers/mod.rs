//! The meaning of answers, beyond their status.

mod errors;
mod foreign;
mod lists;
mod stored;
mod tasks;

use diffsync_adapters::rest::{Bulk, Dialect};

fn bulk() -> Dialect {
    let mut dialect = Dialect::default();
    dialect.bulk = Bulk::all(10);
    dialect
}

fn posts(lines: &[String], path: &str) -> usize {
    lines.iter().filter(|line| **line == format!("POST /base/api/{path}")).count()
}

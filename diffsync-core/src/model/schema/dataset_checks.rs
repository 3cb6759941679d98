//! The checks of a data set at compile time.

use super::message::{Message, find, same};
use super::model_schema::ModelSchema;

/// Stops the build when the table at `position` shares its model's name with an earlier one, or when its model is the
/// first of a circle of models that must all be written before each other. Called by `#[derive(Dataset)]` in a constant,
/// once for each table, so that the error is reported once, at that field.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_table<const N: usize>(tables: &[&ModelSchema; N], position: usize) {
    let mut earlier = 0;
    while earlier < position {
        if same(tables[earlier].name, tables[position].name) {
            let mut message = Message::new();
            message.push("two models of this data set are named `");
            message.push(tables[position].name);
            message.push("`; give one of them another name with `#[sync(name = \"…\")]`");
            panic!("{}", message.text());
        }
        earlier += 1;
    }

    check_circle(tables, position);
}

/// Searches breadth first for the shortest circle that begins at a table, among the tables from there on, so that a circle
/// is reported only at the first of its tables.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
const fn check_circle<const N: usize>(tables: &[&ModelSchema; N], start: usize) {
    let mut queue = [start; N];
    let mut came_from = [N; N];
    let (mut head, mut tail) = (0, 1);

    while head < tail {
        let at = queue[head];
        head += 1;

        let mut edge = 0;
        while let Some((model, _)) = needs(tables[at], edge) {
            edge += 1;
            let Some(next) = find(tables, model) else { continue };
            // The records of one model are ordered at run time.
            if next == at || next < start {
                continue;
            }
            if next == start {
                report_circle(tables, start, at, &came_from);
            }
            if came_from[next] == N {
                came_from[next] = at;
                queue[tail] = next;
                tail += 1;
            }
        }
    }
}

#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
const fn report_circle<const N: usize>(tables: &[&ModelSchema; N], start: usize, last: usize, came_from: &[usize; N]) {
    let mut message = Message::new();
    message.push("these models wait for each other: ");
    message.push(tables[start].name);
    let (mut at, mut next) = (last, start);
    loop {
        message.push(" <- ");
        message.push(tables[at].name);
        let mut edge = 0;
        while let Some((model, field)) = needs(tables[at], edge) {
            edge += 1;
            if same(model, tables[next].name) {
                if !field.is_empty() {
                    message.push(".");
                    message.push(field);
                }
                break;
            }
        }

        if at == start {
            break;
        }
        next = at;
        at = came_from[at];
    }
    message.push("; a record must exist before its children and the records that refer to it: make one of these links `references(…, deferred)`, or remove a link or an `after`");
    panic!("{}", message.text());
}

/// The model that must be written before this one, and the field that says so, at a position among all of them.
const fn needs(schema: &ModelSchema, position: usize) -> Option<(&'static str, &'static str)> {
    let mut left = position;
    let mut i = 0;
    while i < schema.links.len() {
        if schema.links[i].orders() {
            if left == 0 {
                return Some((schema.links[i].model, schema.links[i].fields[0]));
            }
            left -= 1;
        }
        i += 1;
    }
    if left < schema.after.len() { Some((schema.after[left], "")) } else { None }
}

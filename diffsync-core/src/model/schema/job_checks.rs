//! The checks of a job at compile time.

use super::message::{Message, find, same};
use super::model_schema::ModelSchema;

/// Stops the build when a job leaves out a model that its data set does not have. Called by `#[job]` in a constant.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_skipped(tables: &[&ModelSchema], model: &str) {
    if find(tables, model).is_none() {
        let mut message = Message::new();
        message.push("the job's data set has no model `");
        message.push(model);
        message.push("`; it has ");
        message.push_names(tables);
        panic!("{}", message.text());
    }
}

/// Stops the build when a job ignores an attribute that its data set does not have. Called by `#[job]` in a constant.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_ignored(tables: &[&ModelSchema], model: &str, attribute: &str) {
    check_skipped(tables, model);
    let Some(at) = find(tables, model) else { return };

    let attributes = tables[at].attributes;
    let mut i = 0;
    while i < attributes.len() {
        if same(attributes[i].name, attribute) {
            return;
        }
        i += 1;
    }

    let mut message = Message::new();
    message.push("`");
    message.push(model);
    message.push("` has no attribute `");
    message.push(attribute);
    message.push("`; it has ");
    let mut i = 0;
    while i < attributes.len() {
        message.push(if i == 0 { "`" } else { ", `" });
        message.push(attributes[i].name);
        message.push("`");
        i += 1;
    }
    panic!("{}", message.text());
}

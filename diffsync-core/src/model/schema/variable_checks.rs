//! The kinds of a job's variables, and the checks of the variables at compile time.

use serde::Serialize;

use super::message::{Message, same};

/// The kind of a variable's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VariableKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A URL.
    Url,
    /// A path.
    Path,
    /// A JSON document.
    Json,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any number of these.
    List(&'static Self),
}

/// Stops the build when a job's variable has the name of a flag that every job has. Called by `#[job]` in a constant.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_variable(name: &str) {
    let mut i = 0;
    while i < RUN_FLAGS.len() {
        if same(RUN_FLAGS[i], name) {
            let mut message = Message::new();
            message.push("every job has a flag `");
            message.push(name);
            message.push("`; give the variable another name");
            panic!("{}", message.text());
        }
        i += 1;
    }
}

/// Stops the build when a secret has a default, which anyone could read in the program. Called by `#[job]` in
/// a constant for each variable with a default.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_default(secret: bool) {
    assert!(!secret, "a secret cannot have a default, which anyone could read in the program; use `env = \"…\"`");
}

/// Stops the build when the default of a choice is not one of its names. Called by `#[job]` in a constant
/// for each variable with a default.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_choice(kind: VariableKind, default: &str) {
    let (VariableKind::Choice(names) | VariableKind::List(&VariableKind::Choice(names))) = kind else { return };
    let mut message = Message::new();
    message.push("the default is not one of the choices: ");
    let mut i = 0;
    while i < names.len() {
        if same(names[i], default) {
            return;
        }
        message.push(if i == 0 { "`" } else { ", `" });
        message.push(names[i]);
        message.push("`");
        i += 1;
    }
    panic!("{}", message.text());
}

/// Stops the build when the default of a variable is not a value of its type. Called by `#[job]` in a constant for each
/// variable with a default, with the [range](crate::Variable::RANGE) of its type.
///
/// A constant cannot check everything (a URL or a JSON document beyond its beginning, a type of the user's own). The rest is
/// checked when the program starts.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_default_text(kind: VariableKind, range: (i128, i128), default: &str) {
    let text = default.trim_ascii().as_bytes();
    match kind {
        VariableKind::Integer => match integer(text) {
            None => panic!("the default is not a whole number, and the variable is one"),
            Some(number) => {
                assert!(
                    range.0 <= number && number <= range.1,
                    "the default is out of the range of the variable's type"
                );
            }
        },
        VariableKind::Number => assert!(is_number(text), "the default is not a number, and the variable is one"),
        VariableKind::Boolean => {
            let words = ["true", "yes", "on", "1", "false", "no", "off", "0"];
            let mut known = false;
            let mut i = 0;
            while i < words.len() {
                known |= text.eq_ignore_ascii_case(words[i].as_bytes());
                i += 1;
            }
            assert!(known, "the default is neither `true` nor `false`, and the variable is one of them");
        }
        VariableKind::Url => {
            assert!(has_scheme(text), "the default is not a URL: it begins with no scheme such as `https:`");
        }
        VariableKind::Path => assert!(!default.is_empty(), "the default is an empty path"),
        VariableKind::Json => {
            assert!(
                begins_json(text),
                "the default is not JSON: a text in it is quoted, as in `default = \"\\\"text\\\"\"`"
            );
        }
        VariableKind::List(kind) => check_default_text(*kind, range, default),
        VariableKind::Text | VariableKind::Choice(_) => {}
    }
}

const fn integer(text: &[u8]) -> Option<i128> {
    let (negative, mut i) = match text {
        [b'-', _, ..] => (true, 1),
        [b'+', _, ..] => (false, 1),
        _ => (false, 0),
    };
    if i == text.len() {
        return None;
    }

    let mut number: i128 = 0;
    while i < text.len() {
        if !text[i].is_ascii_digit() {
            return None;
        }
        // A larger number is out of the range of every type.
        if number < i64::MAX as i128 * 16 {
            number = number * 10 + (text[i] - b'0') as i128;
        }
        i += 1;
    }
    Some(if negative { -number } else { number })
}

/// Whether `f64::from_str` accepts the text: digits with a point, an exponent; or the word for an infinity or a NaN.
const fn is_number(text: &[u8]) -> bool {
    let mut i = if let [b'-' | b'+', ..] = text { 1 } else { 0 };
    let word = text.split_at(i).1;
    if word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"infinity") || word.eq_ignore_ascii_case(b"nan")
    {
        return true;
    }

    let (mut digits, mut points) = (0, 0);
    while i < text.len() && (text[i].is_ascii_digit() || text[i] == b'.') {
        if text[i] == b'.' {
            points += 1;
        } else {
            digits += 1;
        }
        i += 1;
    }

    if digits == 0 || points > 1 {
        return false;
    }
    if i < text.len() && (text[i] == b'e' || text[i] == b'E') {
        return integer(text.split_at(i + 1).1).is_some();
    }
    i == text.len()
}

/// Whether a text begins with the scheme of a URL (RFC 3986, section 3.1).
const fn has_scheme(text: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        match text[i] {
            b':' => return i > 0,
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            _ => return false,
        }
        i += 1;
    }
    false
}

/// Whether a text begins like a JSON document.
const fn begins_json(text: &[u8]) -> bool {
    match text {
        [b'{', .., b'}'] | [b'[', .., b']'] | [b'"', .., b'"'] | b"true" | b"false" | b"null" => true,
        _ => is_number(text),
    }
}

/// The flags of `run` and `plan`, which are reserved names for a job's variables.
///
/// They belong to the program, which the core does not know. They are here because `#[job]` rejects such a variable at
/// compile time, when only the core is available.
#[doc(hidden)]
pub const RUN_FLAGS: &[&str] = &[
    "allow_creates",
    "allow_deletes",
    "allow_updates",
    "apply",
    "by",
    "color",
    "concurrency",
    "database_url",
    "detailed_exitcode",
    "dry_run",
    "full",
    "help",
    "history",
    "jobs_root",
    "key_file",
    "log_format",
    "log_unchanged_records",
    "max_failures",
    "max_rejected",
    "memory_profiling",
    "on_guard",
    "only",
    "only_creates",
    "only_deletes",
    "only_updates",
    "out",
    "output",
    "parallel_loading",
    "profiles",
    "quiet",
    "record_time_limit",
    "retries",
    "skip_unmatched_both",
    "skip_unmatched_dst",
    "skip_unmatched_src",
    "stop_on_failure",
    "time_limit",
    "undo_file",
    "verbose",
    "version",
];

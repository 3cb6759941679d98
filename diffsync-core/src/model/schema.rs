//! What the derives know of a model at compile time, and the checks that run on it then.

use serde::Serialize;

use crate::model::flags::Flags;
use crate::model::limit::Limits;

/// What one model looks like: its names, its fields and its links. Made by `#[derive(SyncModel)]`.
#[derive(Debug, Clone, Copy)]
pub struct ModelSchema {
    /// The model's name in diffs, logs and commands: the struct's name in `snake_case`, unless `#[sync(name = "…")]`.
    pub name: &'static str,
    /// The struct's name.
    pub type_name: &'static str,
    /// The struct's documentation comment.
    pub description: &'static str,
    /// The fields that say which record it is, in declaration order.
    pub identifiers: &'static [FieldSchema],
    /// The fields that are compared, in declaration order. A changed attribute is named by its position here.
    pub attributes: &'static [FieldSchema],
    /// The fields that belong to one side only.
    pub locals: &'static [FieldSchema],
    /// The links to other models.
    pub links: &'static [LinkSchema],
    /// The models that are written before this one although no link leads to them.
    pub after: &'static [&'static str],
    /// What is left alone of all records of the model.
    pub flags: Flags,
    /// Whether records are deleted before others are created, where nothing depends on them, so that unique values are
    /// free again.
    pub deletes_first: bool,
    /// How many records a run may create, update and delete.
    pub limits: Limits,
}

/// One field of a model.
#[derive(Debug, Clone, Copy)]
pub struct FieldSchema {
    /// The field's name.
    pub name: &'static str,
    /// The field's documentation comment.
    pub description: &'static str,
    /// The field's type as written.
    pub type_name: &'static str,
    /// When two values of it are the same.
    pub comparison: Comparison,
    /// Whether `None` in the source means that it has no opinion.
    pub when_some: bool,
    /// Whether it is set when a record is created, and never compared.
    pub create_only: bool,
    /// Whether it holds a deferred reference: left out when the record is created, set once both exist.
    pub deferred: bool,
}

/// When two values of a field are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Comparison {
    /// By their own `==`, a NaN being the same as a NaN.
    Equal,
    /// If they hold the same, in whatever order.
    Unordered,
    /// Whatever the case of the letters.
    IgnoreCase,
    /// If the target holds all that the source holds; it may hold more.
    Contains,
    /// An empty text is the same as none.
    BlankIsNone,
    /// If they are no further apart than this.
    Tolerance(f64),
    /// If this function of the user's says so.
    With(&'static str),
}

/// One link from a model to another.
#[derive(Debug, Clone, Copy)]
pub struct LinkSchema {
    /// What kind of link it is.
    pub kind: LinkKind,
    /// The name of the model it leads to.
    pub model: &'static str,
    /// The fields that name the other record.
    pub fields: &'static [&'static str],
}

/// The kinds of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The record lives under the one it names.
    Parent,
    /// The record names another without living under it.
    Reference {
        /// Whether it is left out when the record is created and set once both exist.
        deferred: bool,
    },
}

impl LinkSchema {
    /// Whether what it leads to must be written before the record.
    #[must_use]
    pub const fn orders(&self) -> bool {
        !matches!(self.kind, LinkKind::Reference { deferred: true })
    }
}

impl ModelSchema {
    /// The link to the parent, if the model has one.
    #[must_use]
    pub const fn parent(&self) -> Option<&'static LinkSchema> {
        let mut i = 0;
        while i < self.links.len() {
            if matches!(self.links[i].kind, LinkKind::Parent) {
                return Some(&self.links[i]);
            }
            i += 1;
        }
        None
    }

    /// Whether records of this model live under other records of it.
    #[must_use]
    pub fn nests_in_itself(&self) -> bool {
        self.parent().is_some_and(|parent| parent.model == self.name)
    }

    /// Whether the link fields are attributes, so that a record can move to another parent.
    #[must_use]
    pub fn can_move(&self) -> bool {
        self.parent()
            .is_some_and(|parent| self.attributes.iter().any(|attribute| parent.fields.contains(&attribute.name)))
    }
}

/// Stops the build when the table at `position` shares its model's name with an earlier one, or when its model is the
/// first of a circle of models that must all be written before each other. Called by `#[derive(Dataset)]` in a constant,
/// once for each table, so that the error stands at that field and is said once.
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

/// What values a variable takes.
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

/// Stops the build when a job's variable is called like a flag that every job has. Called by `#[job]` in a constant.
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

/// Stops the build when a secret has a default, which would stand in the program for all to read. Called by `#[job]` in
/// a constant for each variable with a default.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
#[doc(hidden)]
pub const fn check_default(secret: bool) {
    assert!(!secret, "a secret has no default: it would stand in the program for all to read; use `env = \"…\"`");
}

/// Stops the build when the default of a choice is none of what there is to choose from. Called by `#[job]` in a constant
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
    message.push("the default is no choice; there is ");
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

/// Stops the build, with an explanation, when the adapters of a job load two data sets. Called by `#[job]`.
#[doc(hidden)]
pub const fn check_same_data<S: SameDataset<T>, T>() {}

/// A data set that is another one: implemented for each and itself.
#[diagnostic::on_unimplemented(
    message = "the source loads `{Self}` and the target `{T}`, but both adapters of a job load the same data set",
    label = "its `type Data` is not that of the target",
    note = "write one struct with `#[derive(Dataset)]` that holds what is compared, and make it the `type Data` of both adapters"
)]
#[doc(hidden)]
pub trait SameDataset<T> {}
impl<D> SameDataset<D> for D {}

/// Stops the build when the default of a variable cannot be one of its type. Called by `#[job]` in a constant for each
/// variable with a default, with the [range](crate::Variable::RANGE) of its type.
///
/// What it cannot see in a constant (a URL or a JSON document that only begins like one, a type of the user's own) is
/// found when the program starts.
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
        // Beyond this it is out of the range of every type.
        if number < i64::MAX as i128 * 16 {
            number = number * 10 + (text[i] - b'0') as i128;
        }
        i += 1;
    }
    Some(if negative { -number } else { number })
}

/// What `f64::from_str` takes: digits, a point among them, an exponent; or the word for what is no number.
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

/// The flags that every job has with `run` and `plan`, which its variables cannot be called.
///
/// They belong to the program, which the core does not know. They are here all the same, since `#[job]` refuses such a
/// variable when it is compiled, and only the core is there then.
#[doc(hidden)]
pub const RUN_FLAGS: &[&str] = &[
    "allow_creates",
    "allow_deletes",
    "allow_updates",
    "apply",
    "by",
    "color",
    "concurrency",
    "detailed_exitcode",
    "dry_run",
    "full",
    "help",
    "key_file",
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

/// The shortest circle that begins at a table is searched for breadth first, among the tables from there on: a circle is
/// reported at the first of its tables only.
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
            // Within a model the records are ordered among themselves.
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
    message.push("; a record must be able to exist before what lives under it or refers to it: make one of them `references(…, deferred)`, or take the link or the `after` off");
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

const fn find(tables: &[&ModelSchema], name: &str) -> Option<usize> {
    let mut i = 0;
    while i < tables.len() {
        if same(tables[i].name, name) {
            return Some(i);
        }
        i += 1;
    }
    None
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A message put together at compile time, where there is no `format!`. What does not fit is cut.
struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    const fn new() -> Self {
        Self { bytes: [0; 1024], len: 0 }
    }

    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        if self.len + text.len() > self.bytes.len() {
            return;
        }
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn push_names(&mut self, tables: &[&ModelSchema]) {
        let mut i = 0;
        while i < tables.len() {
            self.push(if i == 0 { "`" } else { ", `" });
            self.push(tables[i].name);
            self.push("`");
            i += 1;
        }
    }

    const fn text(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

//! What the derives know of a model at compile time, and the checks that run on it then.

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
/// first of a circle of parents. Called by `#[derive(Dataset)]` in a constant, once for each table, so that the error
/// stands at that field and is said once.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
pub const fn check_table(tables: &[&ModelSchema], position: usize) {
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

/// Stops the build when a job's variable is called like a flag that every job has. Called by `#[job]` in a constant.
///
/// # Panics
///
/// At compile time, with the reason.
#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
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
pub const fn check_default(secret: bool) {
    assert!(!secret, "a secret has no default: it would stand in the program for all to read; use `env = \"…\"`");
}

/// The flags that every job has, which its variables cannot be called.
pub const RUN_FLAGS: &[&str] = &[
    "apply",
    "concurrency",
    "dry_run",
    "help",
    "job",
    "max_rejected",
    "memory_profiling",
    "output",
    "parallel_loading",
    "stop_on_failure",
    "verbose",
    "version",
];

#[allow(clippy::panic, reason = "a panic in a constant is how a library stops the build with a message")]
#[track_caller]
const fn check_circle(tables: &[&ModelSchema], start: usize) {
    let mut message = Message::new();
    message.push("these models are each other's parents: ");
    message.push(tables[start].name);
    let mut at = start;
    let mut steps = 0;
    while steps <= tables.len() {
        let Some(link) = tables[at].parent() else { return };
        if same(link.model, tables[at].name) {
            return;
        }
        let Some(next) = find(tables, link.model) else { return };
        // A circle is reported at the first of its tables only.
        if next < start {
            return;
        }
        message.push(" -> ");
        message.push(tables[at].name);
        message.push(".");
        message.push(link.fields[0]);
        message.push(" -> ");
        message.push(link.model);
        if next == start {
            message.push(
                "; a record must be able to exist before what lives under it: take `parent` off one of these fields",
            );
            panic!("{}", message.text());
        }
        at = next;
        steps += 1;
    }
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

    const fn text(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

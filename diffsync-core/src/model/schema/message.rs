//! Messages of checks that run at compile time, and the search in schemas.

use super::model_schema::ModelSchema;

/// A message that is built at compile time, where `format!` is not available. A text that does not fit is dropped.
pub(super) struct Message {
    bytes: [u8; 1024],
    len: usize,
}

impl Message {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 1024], len: 0 }
    }

    pub(super) const fn push(&mut self, text: &str) {
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

    pub(super) const fn push_names(&mut self, tables: &[&ModelSchema]) {
        let mut i = 0;
        while i < tables.len() {
            self.push(if i == 0 { "`" } else { ", `" });
            self.push(tables[i].name);
            self.push("`");
            i += 1;
        }
    }

    pub(super) const fn text(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

pub(super) const fn find(tables: &[&ModelSchema], name: &str) -> Option<usize> {
    let mut i = 0;
    while i < tables.len() {
        if same(tables[i].name, name) {
            return Some(i);
        }
        i += 1;
    }
    None
}

pub(super) const fn same(left: &str, right: &str) -> bool {
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

//! A part of a body, which may be a lookup, as in `device -> dcim/devices(location -> dcim/locations(parent*/name), name)`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

use crate::lookup::{Destination, Node};

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The path to it: `custom_fields.external_id`.
    pub(crate) path: Vec<String>,
    pub(crate) kind: PartKind,
}

/// The contents of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PartKind {
    Value,
    /// The names from the root of a tree down, with the part that holds the parent.
    Tree(String),
    Lookup {
        collection: String,
        parts: Vec<Part>,
    },
}

pub(crate) const LOOKUP: &str = "a lookup is written `\"site -> dcim/sites(name)\"`: the part of the body that holds the other record's key, the \
     path of its collection, and the parts of its body that identify it, each of which may be a lookup itself or the path up \
     a tree, as in `parent*/name`";

pub(crate) const FIELD: &str = "a field is written as the path to it in the body, `\"custom_fields.external_id\"`, or as the names from the root of a \
     tree down, `\"parent*/name\"`";

impl Part {
    /// Reads the text of a lookup.
    pub(crate) fn lookup(literal: &LitStr) -> Result<Self> {
        let part = Self::read(&literal.value()).filter(|part| matches!(part.kind, PartKind::Lookup { .. }));
        part.ok_or_else(|| Error::new_spanned(literal, LOOKUP))
    }

    /// Reads the text of a field.
    pub(crate) fn field(literal: &LitStr) -> Result<Self> {
        let part = Self::read(&literal.value()).filter(|part| !matches!(part.kind, PartKind::Lookup { .. }));
        part.ok_or_else(|| Error::new_spanned(literal, FIELD))
    }

    /// A part that is called like a field.
    pub(crate) fn named(name: &str) -> Self {
        Self { path: vec![name.to_owned()], kind: PartKind::Value }
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_node(Node::read(text)?)
    }

    fn from_node(node: Node) -> Option<Self> {
        let Some(Destination { name, parts, key }) = node.leads_to else {
            return Self::plain(&node.name);
        };
        let collection = name.trim_matches('/').to_owned();
        let is_path = !collection.is_empty() && !collection.contains(char::is_whitespace);

        // `on` names a column; the syntax of lookups is shared with SQL.
        if !is_path || key.is_some() {
            return None;
        }
        let parts = parts.into_iter().map(Self::from_node).collect::<Option<_>>()?;

        Some(Self { path: steps(&node.name)?, kind: PartKind::Lookup { collection, parts } })
    }

    /// A part that is not a lookup.
    fn plain(way: &str) -> Option<Self> {
        match way.split_once("*/") {
            Some((up, name)) => {
                // The way up is a single step: `parent*/name`, not `site.parent*/name`.
                let [up] = <[String; 1]>::try_from(steps(up)?).ok()?;
                Some(Self { path: steps(name)?, kind: PartKind::Tree(up) })
            }
            None => Some(Self { path: steps(way)?, kind: PartKind::Value }),
        }
    }

    /// How many values it leads to.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            PartKind::Value | PartKind::Tree(_) => 1,
            PartKind::Lookup { parts, .. } => parts.iter().map(Self::len).sum(),
        }
    }

    /// The generated code. `is_text` yields for each value in turn whether its field is a text.
    pub(crate) fn expand(&self, is_text: &mut impl Iterator<Item = bool>) -> TokenStream {
        let path = &self.path;
        let kind = match &self.kind {
            PartKind::Value => {
                // Taken all the same, so that the next value meets its own field.
                is_text.next();
                quote!(_diffsync::__private::rest::PartKind::Value)
            }
            PartKind::Tree(up) => {
                let text = is_text.next().unwrap_or_default();
                quote!(_diffsync::__private::rest::PartKind::Tree { parent: #up, joined: #text })
            }
            PartKind::Lookup { collection, parts } => {
                let parts: Vec<_> = parts.iter().map(|part| part.expand(is_text)).collect();
                quote!(_diffsync::__private::rest::PartKind::Lookup { collection: #collection, parts: &[#(#parts),*] })
            }
        };

        quote!(_diffsync::__private::rest::Part { path: &[#(#path),*], kind: #kind })
    }
}

/// The steps of a path in a body.
fn steps(way: &str) -> Option<Vec<String>> {
    let is_name = |step: &str| !step.is_empty() && !step.contains([' ', '*', '/', '\t', '\n']);
    way.split('.').map(|step| is_name(step).then(|| step.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(part: &Part) -> String {
        let at = part.path.join(".");
        match &part.kind {
            PartKind::Value => at,
            PartKind::Tree(up) => format!("{up}*/{at}"),
            PartKind::Lookup { collection, parts } => {
                format!("{at}->{collection}({})", parts.iter().map(show).collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn a_part_is_read() {
        for (text, read_as) in [
            ("name", "name"),
            (" custom_fields.external_id ", "custom_fields.external_id"),
            ("parent*/name", "parent*/name"),
            ("site->/dcim/sites/ ( name )", "site->dcim/sites(name)"),
            (
                "role -> extras/roles?content_types=dcim.device(name)",
                "role->extras/roles?content_types=dcim.device(name)",
            ),
            ("d -> devices(l -> locations(parent*/name), name)", "d->devices(l->locations(parent*/name),name)"),
        ] {
            assert_eq!(Part::read(text).map(|part| show(&part)).as_deref(), Some(read_as), "{text}");
        }
        for text in [
            "",
            "a..b",
            "a b",
            "a -> b",
            "-> b(c)",
            "a -> (c)",
            "a -> b()",
            "a -> b(c",
            "a -> b(c) d",
            "a*/",
            "a.b*/c",
            "*/a",
        ] {
            assert_eq!(Part::read(text), None, "{text}");
        }
    }

    #[test]
    fn whatever_is_left_out_of_a_part_it_is_read_or_not() {
        let text = "gerät -> dcim/geräte?rolle=x(ort -> orte(parent*/name), name)";
        let letters: Vec<char> = text.chars().collect();
        for from in 0..letters.len() {
            for to in from..=letters.len() {
                let rest = letters[..from].iter().chain(&letters[to..]).collect::<String>();
                if let Some(part) = Part::read(&rest) {
                    assert!(part.len() > 0 && !part.path.is_empty(), "{rest}");
                }
            }
        }
    }
}

//! The lookup of a foreign key, as in `device_id -> devices(site_id -> sites(name), name)`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::{Error, LitStr, Result};

use crate::lookup::{Destination, Node};

/// A foreign key, which this model holds as the natural key of another table's row.
pub(crate) struct Lookup {
    /// The text that the user wrote, for errors to point at.
    pub(crate) literal: LitStr,
    pub(crate) leads: Leads,
    /// The fields that hold the natural key, in the order of its parts.
    pub(crate) fields: Vec<Ident>,
}

/// A column and what it leads to.
pub(crate) struct Leads {
    pub(crate) column: String,
    table: String,
    /// The column of the other table that the foreign key holds, where that is not its key.
    key: Option<String>,
    parts: Vec<Part>,
}

/// A part of a natural key.
enum Part {
    Column(String),
    Lookup(Leads),
}

pub(crate) const USAGE: &str = "a lookup is written `\"site_id -> sites(name)\"`: the foreign key, the table it leads to, and the natural \
     key in it, a part of which may be a lookup itself; where the foreign key does not hold the other table's `id`, add `on` \
     and the column that it holds";

impl Leads {
    /// Reads the text of a lookup.
    pub(crate) fn read(literal: &LitStr) -> Result<Self> {
        Self::from_text(&literal.value()).ok_or_else(|| Error::new_spanned(literal, USAGE))
    }

    fn from_text(text: &str) -> Option<Self> {
        let Node { name, leads_to } = Node::read(text)?;
        Self::from_destination(name, leads_to?)
    }

    fn from_destination(column: String, destination: Destination) -> Option<Self> {
        let parts = destination.parts.into_iter().map(|part| match part.leads_to {
            Some(destination) => Self::from_destination(part.name, destination).map(Part::Lookup),
            None => checked(part.name).map(Part::Column),
        });

        Some(Self {
            column: checked(column)?,
            table: checked(destination.name)?,
            parts: parts.collect::<Option<_>>()?,
            // Without `on` there is nothing to check; with it, the name must be there.
            key: match destination.key {
                Some(key) => Some(checked(key)?),
                None => None,
            },
        })
    }

    /// How many values the natural key has.
    pub(crate) fn len(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Column(_) => 1,
                Part::Lookup(leads) => leads.len(),
            })
            .sum()
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self { column, table, key, parts } = self;
        let some = |key: &String| quote!(::core::option::Option::Some(#key));
        let key = key.as_ref().map_or_else(|| quote!(::core::option::Option::None), some);
        let parts = parts.iter().map(|part| match part {
            Part::Column(column) => quote!(_diffsync::__private::sql::Part::Column(#column)),
            Part::Lookup(leads) => {
                let leads = leads.expand();
                quote!(_diffsync::__private::sql::Part::Lookup(#leads))
            }
        });

        quote!(_diffsync::__private::sql::ForeignKey { column: #column, table: #table, key: #key, parts: &[#(#parts),*] })
    }
}

impl Lookup {
    pub(crate) fn expand(&self, position: impl Fn(&Ident) -> usize) -> TokenStream {
        let leads = self.leads.expand();
        let fields = self.fields.iter().map(|field| Literal::usize_unsuffixed(position(field)));

        quote!(_diffsync::__private::sql::Lookup { foreign_key: #leads, fields: &[#(#fields),*] })
    }
}

/// A name that is not empty, and holds no character of the syntax.
fn checked(name: String) -> Option<String> {
    // What is left of the syntax in a name is a mistake, as in `a > b(c)`.
    (!name.is_empty() && !name.contains(['(', ')', ',', '>'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Leads::from_text(text).as_ref().map(show)
    }

    fn show(leads: &Leads) -> String {
        let parts: Vec<String> = leads
            .parts
            .iter()
            .map(|part| match part {
                Part::Column(column) => column.clone(),
                Part::Lookup(leads) => show(leads),
            })
            .collect();
        let key = leads.key.as_ref().map(|key| format!(" on {key}")).unwrap_or_default();
        format!("{}->{}({}){key}", leads.column, leads.table, parts.join(","))
    }

    #[test]
    fn a_lookup_is_read() {
        for (text, read_as) in [
            ("site_id -> sites(name)", "site_id->sites(name)"),
            (" site->dcim.sites ( name , region )on uuid ", "site->dcim.sites(name,region) on uuid"),
            ("d -> devices(site_id -> sites(name) on no, name)", "d->devices(site_id->sites(name) on no,name)"),
            ("site-no -> the sites(its name)", "site-no->the sites(its name)"),
        ] {
            assert_eq!(read(text).as_deref(), Some(read_as), "{text}");
        }
        for text in
            ["", "site_id", "site_id -> sites", "-> sites(name)", "a -> b()", "a -> b(c", "a -> b(c) d", "a > b(c)"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

//! What a foreign key leads to, as in `device_id -> devices(site_id -> sites(name), name)`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::{Error, LitStr, Result};

/// A foreign key that stands for the natural key of another table's row.
pub(crate) struct Lookup {
    /// What it was written as, to point at.
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
        let text = literal.value();
        let mut rest = text.as_str();
        let leads = Self::parse(&mut rest).filter(|_| rest.trim().is_empty());
        leads.ok_or_else(|| Error::new_spanned(literal, USAGE))
    }

    fn parse(rest: &mut &str) -> Option<Self> {
        let column = name(rest)?;
        Self::parse_behind(column, rest)
    }

    fn parse_behind(column: String, rest: &mut &str) -> Option<Self> {
        take(rest, "->")?;
        let table = name(rest)?;
        take(rest, "(")?;
        let mut parts = Vec::new();
        loop {
            let part = name(rest)?;
            let leads_on = rest.trim_start().starts_with("->");
            parts.push(if leads_on { Part::Lookup(Self::parse_behind(part, rest)?) } else { Part::Column(part) });
            if take(rest, ",").is_none() {
                take(rest, ")")?;
                break;
            }
        }
        let key = match rest.trim_start().strip_prefix("on ") {
            Some(behind) => {
                *rest = behind;
                Some(name(rest)?)
            }
            None => None,
        };
        Some(Self { column, table, key, parts })
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

/// The name at the beginning, without what surrounds it.
fn name(rest: &mut &str) -> Option<String> {
    let end = rest.find(['(', ')', ',', '>']).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    // The `-` of an arrow is none of the name.
    let (name, behind) = match (name.strip_suffix('-'), behind.starts_with('>')) {
        (Some(shorter), true) => (shorter, &rest[end - 1..]),
        (_, true) => return None,
        (_, false) => (name, behind),
    };
    let name = name.trim();
    *rest = behind;
    (!name.is_empty()).then(|| name.to_owned())
}

fn take(rest: &mut &str, token: &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(token)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let mut rest = text;
        let leads = Leads::parse(&mut rest).filter(|_| rest.trim().is_empty())?;
        Some(show(&leads))
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

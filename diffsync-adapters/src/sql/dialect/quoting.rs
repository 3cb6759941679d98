//! Names of tables and columns, quoted.

use diffsync_core::value::suggest;

/// How a database quotes names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quotes(pub(crate) char);

impl Quotes {
    /// A column.
    pub(crate) fn column(self, name: &str) -> String {
        let quote = self.0;
        let inner = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{inner}{quote}")
    }

    /// A table, which may be qualified by a schema.
    pub(crate) fn table(self, name: &str) -> String {
        match name.split_once('.') {
            Some((schema, table)) => format!("{}.{}", self.column(schema), self.column(table)),
            None => self.column(name),
        }
    }

    /// Columns, with commas.
    pub(crate) fn columns<'a>(self, names: impl IntoIterator<Item = &'a str>) -> String {
        names.into_iter().map(|name| self.column(name)).collect::<Vec<_>>().join(", ")
    }
}

/// The end of a sentence about a missing name: the name that was probably meant, and the existing names.
pub(crate) fn suggestion<'a>(name: &str, there: impl Iterator<Item = &'a str>) -> String {
    let there: Vec<&str> = there.collect();
    let meant = suggest(name, there.iter().copied());
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let list = there.iter().take(40).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if list.is_empty() { "; there are none".into() } else { format!("{meant} (there is {list})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(Quotes('"').table("order"), "\"order\"");
        assert_eq!(Quotes('"').table("dcim.sites"), "\"dcim\".\"sites\"");
        assert_eq!(Quotes('`').column("a`b; DROP TABLE x"), "`a``b; DROP TABLE x`");
    }

    #[test]
    fn the_name_that_was_meant_is_found() {
        assert!(suggestion("nmae", ["id", "name"].into_iter()).starts_with("; did you mean `name`?"));
        assert!(suggestion("vlan", ["id", "name"].into_iter()).starts_with(" (there is"));
    }
}

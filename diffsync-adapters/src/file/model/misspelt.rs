//! Keys that are probably misspelt: a field that no record of a file has a key for, and one that resembles it.

use std::collections::BTreeMap;
use std::fmt;

use diffsync_core::value::suggest;
use strsim::osa_distance;

use super::schema::Column;

/// The occurrences of a key without a column.
pub(crate) struct Seen {
    /// The line in which the first such record begins.
    pub(crate) line: Option<u64>,
    /// How many records have it.
    pub(crate) records: u64,
}

/// A key that is probably a misspelt field.
pub(crate) struct Misspelt<'a> {
    column: &'static Column,
    key: &'a str,
    line: Option<u64>,
    /// Whether there is hardly another explanation: all records have the key, and it differs by one typing error.
    pub(crate) is_certain: bool,
}

impl<'a> Misspelt<'a> {
    /// The key that was probably meant to be that of a column which no record has.
    pub(crate) fn find(
        column: &'static Column,
        columns: &'static [Column],
        unknown: &'a BTreeMap<String, Seen>,
        records: u64,
    ) -> Option<Self> {
        let key = suggest(column.name, unknown.keys().map(String::as_str))?;
        // A key that is nearer to another field was not meant to be this one.
        suggest(key, columns.iter().map(|column| column.name)).filter(|name| *name == column.name)?;
        let seen = unknown.get(key)?;
        let is_certain = seen.records == records && is_slip(column.name, key);
        Some(Self { column, key, line: seen.line, is_certain })
    }
}

/// Whether two names differ in case, in what separates their words, or in a letter or two.
fn is_slip(one: &str, other: &str) -> bool {
    let letters =
        |name: &str| name.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
    let (one, other) = (letters(one), letters(other));
    osa_distance(&one, &other) * 4 <= one.chars().count().max(4)
}

impl fmt::Display for Misspelt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, key) = (self.column.name, self.key);
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(
            f,
            "no record has the key `{field}`, and there is `{key}`; correct it in the file, or, if it is the field's key, write \
             `rename = {key:?}`; if it is another one, add a field for it"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_a_letter_or_two() {
        for (one, other, expected) in [
            ("serial", "serail", true),
            ("serial", "Serial", true),
            ("asset_tag", "assetTag", true),
            ("description", "descripton", true),
            ("note", "notes", true),
            ("asset_tag", "asset_type", false),
            ("mtu", "mac", false),
        ] {
            assert_eq!(is_slip(one, other), expected, "{one} {other}");
        }
    }
}

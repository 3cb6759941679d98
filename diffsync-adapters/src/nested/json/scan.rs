//! Positions of values in a JSON text.

use std::ops::Range;

use serde::de::{Error, IgnoredAny, Unexpected};

use crate::nested::datum::Datum;

/// How deep values may be nested, as `serde_json` has it.
const DEPTH: usize = 128;

/// Finds the positions of values in a text.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// A key and the position of its value.
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The position of the key.
    pub(crate) begin: usize,
    pub(crate) value: Range<usize>,
}

impl<'a> Scan<'a> {
    pub(crate) fn of(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next value, of any type.
    pub(crate) fn value(&mut self) -> serde_json::Result<Range<usize>> {
        self.space();
        let start = self.at;
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<IgnoredAny>();
        values.next().ok_or_else(|| serde_json::Error::custom("there is nothing"))??;
        self.at += values.byte_offset();
        Ok(start..self.at)
    }

    /// The values of a list.
    pub(crate) fn items(mut self) -> serde_json::Result<Vec<Range<usize>>> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        while !self.skip(b']') {
            items.push(self.value()?);
            self.skip(b',');
        }
        Ok(items)
    }

    /// The keys of an object with their values.
    pub(crate) fn entries(mut self) -> serde_json::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.expect(b'{')?;
        while !self.skip(b'}') {
            let key = self.value()?;
            self.expect(b':')?;
            let value = self.value()?;
            self.skip(b',');
            let begin = key.start;
            let key = serde_json::from_str(self.text.get(key).unwrap_or_default())?;
            entries.push(Entry { key, begin, value });
        }

        Ok(entries)
    }

    pub(crate) fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Whether this comes next, which is skipped.
    pub(crate) fn skip(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.rest().as_bytes().first() == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> serde_json::Result<()> {
        if self.skip(byte) { Ok(()) } else { Err(Error::custom(format!("expected `{}`", char::from(byte)))) }
    }

    /// The next value, with the digits of its numbers. The text is known to be JSON.
    fn datum(&mut self, depth: usize) -> serde_json::Result<Datum> {
        if depth > DEPTH {
            return Err(Error::custom("recursion limit exceeded"));
        }

        self.space();
        match self.rest().as_bytes().first() {
            Some(b'{') => {
                self.at += 1;
                let mut entries: Vec<(String, Datum)> = Vec::new();
                let mut keys = std::collections::HashSet::new();
                while !self.skip(b'}') {
                    let key = self.text()?;
                    if !keys.insert(key.clone()) {
                        return Err(Error::custom(format!("`{key}` appears twice in one object")));
                    }

                    self.expect(b':')?;
                    entries.push((key, self.datum(depth + 1)?));
                    self.skip(b',');
                }
                Ok(Datum::Map(entries))
            }
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.skip(b']') {
                    items.push(self.datum(depth + 1)?);
                    self.skip(b',');
                }
                Ok(Datum::List(items))
            }
            Some(b'"') => self.text().map(Datum::Text),
            _ => {
                let rest = self.rest();
                let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                self.at += end;
                Ok(match word {
                    "null" => Datum::Null,
                    "true" => Datum::Bool(true),
                    "false" => Datum::Bool(false),
                    number => Datum::Number(number.to_owned()),
                })
            }
        }
    }

    /// The next text. Its end is the first quotation mark that no backslash is in front of.
    pub(crate) fn text(&mut self) -> serde_json::Result<String> {
        self.space();
        let rest = self.rest();
        let mut bytes = rest.bytes().enumerate().skip(1);
        let mut end = rest.len();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'"' => {
                    end = at + 1;
                    break;
                }
                _ => {}
            }
        }

        let text = rest.get(..end).unwrap_or_default();
        self.at += end;
        serde_json::from_str(text)
    }

    /// Skips the next value, of a text that is known to be JSON.
    fn skip_value(&mut self) -> serde_json::Result<()> {
        self.value().map(drop)
    }
}

/// The value that a text is, with the digits of its numbers.
pub(crate) fn datum(text: &str) -> serde_json::Result<Datum> {
    // A full JSON parser checks the syntax first, for its error messages.
    serde_json::from_str::<IgnoredAny>(text)?;
    Scan::of(text, 0).datum(0)
}

/// The type of a text that is not an object, in the words of serde.
fn found(text: &str) -> Unexpected<'_> {
    match text.trim_start().as_bytes().first() {
        Some(b'[') => Unexpected::Seq,
        Some(b'"') => Unexpected::Other("string"),
        Some(b'n') => Unexpected::Other("null"),
        Some(b't') => Unexpected::Bool(true),
        Some(b'f') => Unexpected::Bool(false),
        // Who read the number also took the letter that ends it.
        _ => match text.trim_end_matches([',', ']', ' ', '\t', '\n', '\r']).trim().parse() {
            Ok(number) => Unexpected::Signed(number),
            Err(_) => Unexpected::Other("number"),
        },
    }
}

/// The entries of an object that a function takes, of a text that is known to be JSON.
pub(crate) fn object(
    text: &str,
    mut entry: impl FnMut(&str) -> Option<usize>,
    mut fill: impl FnMut(usize, Datum) -> bool,
) -> serde_json::Result<()> {
    let mut scan = Scan::of(text, 0);
    if !scan.skip(b'{') {
        // The same words as in `serde_json`.
        return Err(Error::invalid_type(found(text), &"a record with keys and values"));
    }

    while !scan.skip(b'}') {
        let key = scan.text()?;
        scan.expect(b':')?;
        match entry(&key) {
            Some(column) => {
                let value = scan.datum(1)?;
                if !fill(column, value) {
                    return Err(Error::custom(format!("`{key}` appears twice in one record")));
                }
            }
            None => scan.skip_value()?,
        }
        scan.skip(b',');
    }

    Ok(())
}

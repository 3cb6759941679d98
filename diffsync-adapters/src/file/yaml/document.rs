//! A document with where its records stand.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{Options, Spanned};

use crate::file::model::FileModel;
use crate::file::shape::Kind;

/// The list of records of a document.
pub(super) struct Document<M> {
    /// None if there is no key for it, or nothing at all.
    pub(super) list: Option<Spanned<List<M>>>,
}

type List<M> = Vec<Spanned<Record<M>>>;

/// The columns that a record has a value for, with where it stands.
pub(super) struct Record<M> {
    pub(super) cells: Vec<(usize, Spanned<Value>)>,
    model: PhantomData<fn() -> M>,
}

impl<M> Record<M> {
    /// The values that are not null.
    pub(super) fn values(&self) -> BTreeMap<usize, Value> {
        let cells = self.cells.iter().filter(|(_, value)| !value.value.is_null());
        cells.map(|(column, value)| (*column, value.value.clone())).collect()
    }
}

impl<M: FileModel> Document<M> {
    /// Reads a document, or says what is wrong with it and where.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str_with_options(text, options(text)).map_err(|error| {
            // What stands around the place is not shown: it may hold secrets.
            let error = error.without_snippet();
            let place = error.location().filter(|at| at.line() > 0);
            let place = place.map(|at| format!("line {}, column {}: ", at.line(), at.column()));
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or(&said);
            format!("{}{said}", place.unwrap_or_default())
        })
    }
}

/// Limits that grow with the text: what is longer than they allow is made so by aliases of aliases.
fn options(text: &str) -> Options {
    let mut options = Options::default();
    // `no` is a text, as in the list of countries.
    options.strict_booleans = true;
    if let Some(budget) = &mut options.budget {
        budget.max_events = budget.max_events.max(2 * text.len());
        budget.max_nodes = budget.max_nodes.max(text.len());
        budget.max_total_scalar_bytes = budget.max_total_scalar_bytes.max(text.len());
    }
    options
}

impl<'de, M: FileModel> Deserialize<'de> for Document<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match M::FILE.list {
            Some(_) => deserializer.deserialize_any(UnderKey(PhantomData)),
            None => Ok(Self { list: Option::deserialize(deserializer)? }),
        }
    }
}

struct UnderKey<M>(PhantomData<M>);

impl<'de, M: FileModel> Visitor<'de> for UnderKey<M> {
    type Value = Document<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a mapping with the key `{}`", M::FILE.list.unwrap_or_default())
    }

    fn visit_unit<E: Error>(self) -> Result<Document<M>, E> {
        Ok(Document { list: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<M>, A::Error> {
        let mut list = None;
        while let Some(key) = map.next_key::<String>()? {
            if Some(key.as_str()) == M::FILE.list {
                list = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Document { list })
    }
}

impl<'de, M: FileModel> Deserialize<'de> for Record<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Cells(PhantomData))
    }
}

struct Cells<M>(PhantomData<M>);

impl<'de, M: FileModel> Visitor<'de> for Cells<M> {
    type Value = Record<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record with keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record<M>, A::Error> {
        let mut cells = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let Some(at) = M::FILE.columns.iter().position(|column| column.name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let kind = M::FILE.columns.get(at).map_or(Kind::Json, |column| (column.shape)().kind);
            let value = if kind == Kind::Text {
                // `007` and `1.10` are texts if the field is one.
                let text: Spanned<OneText> = map.next_value()?;
                Spanned::new(text.value.0, text.referenced, text.defined)
            } else {
                map.next_value()?
            };
            cells.push((at, value));
        }
        Ok(Record { cells, model: PhantomData })
    }
}

/// A text or nothing.
struct OneText(Value);

impl<'de> Deserialize<'de> for OneText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_none<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
                deserializer.deserialize_str(self)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_option(Text).map(Self)
    }
}

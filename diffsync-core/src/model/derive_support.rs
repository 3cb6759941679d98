//! Functions that generated code calls, so that less code is generated in each crate that derives a model.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::JobError;
use crate::model::flags::Flags;
use crate::model::limit::Limits;
use crate::model::schema::ModelSchema;
use crate::value::canonical::InOneOrder;
use crate::value::secret::{plain, redacted};

/// A plain value, or why it cannot be serialised.
pub type ValueResult = Result<Value, serde_json::Error>;

/// A value as a document holds it.
pub fn value<T: Serialize>(value: &T) -> ValueResult {
    plain(value)
}

/// Reads a byte of a text.
#[inline]
#[must_use]
pub fn prefetch(text: Option<&String>) -> usize {
    text.and_then(|text| text.as_bytes().first()).map_or(0, |byte| usize::from(*byte))
}

/// Sets the new value of an attribute, if it changes.
#[inline]
pub fn take_over<T: Clone>(value: &mut T, change: &Option<T>) {
    if let Some(new) = change {
        value.clone_from(new);
    }
}

/// A patch that is being serialised: a map of what changed. The first error is kept until the end.
pub struct Changes<S: Serializer>(Result<S::SerializeMap, S::Error>);

impl<S: Serializer> Changes<S> {
    /// Begins the map.
    pub fn new(serializer: S) -> Self {
        Self(serializer.serialize_map(None))
    }

    /// Adds an attribute if it changed.
    pub fn entry<T: Serialize>(&mut self, name: &'static str, value: Option<&T>) {
        if let (Ok(map), Some(value)) = (&mut self.0, value)
            && let Err(error) = map.serialize_entry(name, &InOneOrder(value))
        {
            self.0 = Err(error);
        }
    }

    /// Ends the map.
    pub fn end(self) -> Result<S::Ok, S::Error> {
        self.0.and_then(SerializeMap::end)
    }
}

/// Shows a patch without its secrets.
pub fn debug_patch<T: Serialize>(name: &str, patch: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match serde_json::to_value(redacted(patch)) {
        Ok(changes) => write!(f, "{name} {changes}"),
        Err(error) => write!(f, "{name} ({error})"),
    }
}

/// The parts of an identifier that is being deserialised from a map.
#[derive(Debug)]
pub struct IdentifierParts(BTreeMap<String, Value>);

impl IdentifierParts {
    /// Reads the map.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self)
    }

    /// Takes one part.
    pub fn take<T: DeserializeOwned, E: serde::de::Error>(&mut self, name: &'static str) -> Result<T, E> {
        let value = self.0.remove(name).ok_or_else(|| E::missing_field(name))?;
        serde_json::from_value(value).map_err(|error| E::custom(format!("`{name}`: {error}")))
    }
}

/// The attributes of a record that is being built, by name, for [`SyncModel::from_values`](crate::SyncModel::from_values).
///
/// ```
/// use diffsync_core::SyncModel;
/// use diffsync_core::model::AttributeValues;
///
/// #[derive(SyncModel)]
/// struct Region {
///     #[sync(id)]
///     slug: String,
///     name: String,
/// }
///
/// let mut attributes = AttributeValues::default();
/// attributes.set("name", "Europe".into());
/// let region = Region::from_values(RegionId::new("europe"), &mut attributes).unwrap();
/// assert_eq!(region.name, "Europe");
/// ```
#[doc(hidden)]
#[derive(Clone, Default, PartialEq)]
pub struct AttributeValues(pub(crate) serde_json::Map<String, Value>);

impl fmt::Debug for AttributeValues {
    /// Their names only: some of the values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl AttributeValues {
    /// Sets the value of the attribute of this name.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// Takes one value; a missing one counts as `null`.
    pub fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, serde_json::Error> {
        let value = self.0.remove(name).unwrap_or_default();
        serde_json::from_value(value).map_err(|error| serde::de::Error::custom(format!("`{name}`: {error}")))
    }
}

/// How generated code reads a value of a field's type.
///
/// For types that can be read its own functions are found first; for all others those of [`NeverRead`].
#[derive(Debug)]
pub struct Read<T>(PhantomData<T>);

impl<T: DeserializeOwned> Read<T> {
    /// An attribute by its name.
    pub fn attribute(attributes: &mut AttributeValues, name: &'static str) -> Result<T, serde_json::Error> {
        attributes.take(name)
    }

    /// A part of an identifier by its name.
    pub fn part<E: serde::de::Error>(parts: &mut IdentifierParts, name: &'static str) -> Result<T, E> {
        parts.take(name)
    }

    /// An identifier that is a value.
    pub fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

/// Placeholder for types that cannot be fields. The derive has already reported the error; this keeps rustc from reporting
/// it a second time.
pub trait NeverRead<T> {
    /// Never called.
    fn attribute(_: &mut AttributeValues, _: &'static str) -> Result<T, serde_json::Error> {
        Err(never())
    }

    /// Never called.
    fn part<E: serde::de::Error>(_: &mut IdentifierParts, _: &'static str) -> Result<T, E> {
        Err(never())
    }

    /// Never called.
    fn value<'de, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
        Err(never())
    }
}

impl<T> NeverRead<T> for Read<T> {}

fn never<E: serde::de::Error>() -> E {
    E::custom("the type cannot be read")
}

/// A field that holds a part of another record's identifier, as that record's key holds it: `K`.
///
/// A `String` gives a `&str`, and any other type a reference to itself. An `Option` gives its value, so that `None` names no
/// record, or, if the part is an `Option` itself, a reference to the whole.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what the other model's identifier is: that is held as `{K}`",
    label = "not of the identifier's type",
    note = "a field that names a record has the type of its identifier, or is an `Option` of it"
)]
pub trait KeyPart<'a, K> {
    /// The part, or `None` if no record is named.
    fn part(&'a self) -> Option<K>;

    /// Takes the spelling of an equal part.
    fn respell(&mut self, part: K);
}

impl<'a> KeyPart<'a, &'a str> for String {
    fn part(&'a self) -> Option<&'a str> {
        Some(self)
    }

    fn respell(&mut self, part: &'a str) {
        part.clone_into(self);
    }
}

/// As a key holds a `String`.
#[diagnostic::do_not_recommend]
impl<'a> KeyPart<'a, &'a str> for str {
    fn part(&'a self) -> Option<&'a str> {
        Some(self)
    }

    fn respell(&mut self, _: &'a str) {}
}

impl<'a> KeyPart<'a, &'a str> for Option<String> {
    fn part(&'a self) -> Option<&'a str> {
        self.as_deref()
    }

    fn respell(&mut self, part: &'a str) {
        if let Some(text) = self {
            part.clone_into(text);
        }
    }
}

impl<'a, T: Clone> KeyPart<'a, &'a T> for T {
    fn part(&'a self) -> Option<&'a T> {
        Some(self)
    }

    fn respell(&mut self, part: &'a T) {
        self.clone_from(part);
    }
}

impl<'a, T: Clone> KeyPart<'a, &'a T> for Option<T> {
    fn part(&'a self) -> Option<&'a T> {
        self.as_ref()
    }

    fn respell(&mut self, part: &'a T) {
        if let Some(value) = self {
            value.clone_from(part);
        }
    }
}

/// Placeholder for a part that a key does not have. The derive has already reported the error; this keeps rustc from
/// reporting it a second time.
#[derive(Debug, Clone, Copy)]
pub struct NoPart;

#[diagnostic::do_not_recommend]
impl<'a, T: ?Sized> KeyPart<'a, NoPart> for T {
    fn part(&'a self) -> Option<NoPart> {
        None
    }

    fn respell(&mut self, _: NoPart) {}
}

/// The future choices of a variable, which may come from a system.
pub type Choices<'values> = Pin<Box<dyn Future<Output = Result<Vec<String>, JobError>> + Send + 'values>>;

/// Boxes the future of a job's function that lists choices.
pub fn choices<'a>(choices: impl Future<Output = Result<Vec<String>, JobError>> + Send + 'a) -> Choices<'a> {
    Box::pin(choices)
}

/// Parses one of the names, and returns its position.
pub fn choice(names: &[&str], text: &str) -> Result<usize, String> {
    let text = text.trim();
    names.iter().position(|name| *name == text).ok_or_else(|| {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!("it must be one of {names}")
    })
}

/// The placeholder schema of a struct that cannot be a model.
pub const UNUSABLE: ModelSchema = ModelSchema {
    name: "",
    type_name: "",
    description: "",
    identifiers: &[],
    attributes: &[],
    locals: &[],
    links: &[],
    after: &[],
    flags: Flags::empty(),
    deletes_first: false,
    limits: Limits::NONE,
};

//! Models: the traits that `#[derive(SyncModel)]` implements, and the operations on a record.
//!
//! [`SyncModel`] identifies a record and compares it. [`Flags`] leave records alone, [`Limits`] bound how many of them a run
//! may change, and [`Operations`] says which [`Operation`]s a target can do. [`schema`] describes a model as a value.

pub(crate) mod derive_support;
pub(crate) mod flags;
pub(crate) mod limit;
pub(crate) mod operation;
pub mod schema;

pub use self::derive_support::AttributeValues;
pub use self::flags::Flags;
pub use self::limit::{Limit, LimitOverride, Limits, OnGuard};
pub use self::operation::{Operation, Operations};

use std::fmt::{self, Debug, Display};
use std::hash::Hash;
use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::schema::ModelSchema;

/// One kind of record: a struct with `#[derive(SyncModel)]`.
///
/// The derive is the only intended implementor; its items are the contract between the macro and the core.
///
/// ```
/// use diffsync_core::{ModelExt, SyncModel};
///
/// /// A geographic region.
/// #[derive(SyncModel)]
/// struct Region {
///     #[sync(id)]
///     slug: String,
///     name: String,
/// }
///
/// let region = Region { slug: "europe".into(), name: "Europe".into() };
/// assert_eq!(Region::NAME, "region");
/// assert_eq!(region.id().to_string(), "europe");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "put `#[derive(SyncModel)]` on the struct and `#[sync(id)]` on the fields that identify a record"
)]
pub trait SyncModel: Sized + Send + Sync + 'static {
    /// The typed identifier, owning its parts: `CountryId`.
    type Id: Clone + Eq + Hash + Display + Debug + AsKey<Self> + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The borrowed identifier, for hashing and lookup without cloning: `CountryKey<'_>`.
    type Key<'a>: Copy + Eq + Hash;
    /// A typed change, one `Option` per attribute: `CountryPatch`. It serialises only what changed.
    type Patch: Default + Debug + Serialize + Send + Sync + 'static;

    /// The model's name, apart from the schema so that schemas can name each other.
    const NAME: &'static str;
    /// The model's fields and links.
    const SCHEMA: &'static ModelSchema;

    /// The record's borrowed identifier.
    fn key(&self) -> Self::Key<'_>;
    /// Whether the record has this identifier.
    fn is(&self, key: Self::Key<'_>) -> bool;
    /// An owned copy of a borrowed identifier.
    fn to_id(key: Self::Key<'_>) -> Self::Id;
    /// Whether equal identifiers can have different spellings, as with `compare = ignore_case`.
    #[must_use]
    fn has_spellings() -> bool {
        false
    }
    /// Whether the record's identifier, which equals this one, also has the same spelling.
    fn is_spelled(&self, key: Self::Key<'_>) -> bool {
        let _ = key;
        true
    }
    /// Calls `mark` with the position of each attribute in which `self`, the source's record, differs from the target's.
    fn differences(&self, target: &Self, mark: &mut impl FnMut(usize));
    /// The new values of the target's record for the attributes that `changed` selects.
    fn patch(&self, target: &Self, changed: &dyn Fn(usize) -> bool) -> Self::Patch;
    /// Applies the values of `patch`.
    fn apply(&mut self, patch: &Self::Patch);
    /// The record as the target gets it: with its local fields at their defaults and, if `deferring`, with its deferred
    /// references empty.
    fn for_target(&self, deferring: bool) -> Outgoing<'_, Self> {
        let _ = deferring;
        Outgoing::Whole(self)
    }
    /// The identifier at `position` as a plain value.
    fn identifier(&self, position: usize) -> Result<Value, serde_json::Error>;
    /// The attribute at `position` as a plain value.
    fn attribute(&self, position: usize) -> Result<Value, serde_json::Error>;
    /// The attribute at `position` as a plain value, as an update of the target's record would leave it.
    fn planned(&self, target: &Self, position: usize) -> Result<Value, serde_json::Error> {
        let _ = target;
        self.attribute(position)
    }
    /// A record with this identifier and these attributes, and its local fields at their defaults.
    ///
    /// # Errors
    ///
    /// If an attribute is missing, or a value is not of the attribute's type.
    fn from_values(id: Self::Id, attributes: &mut AttributeValues) -> Result<Self, serde_json::Error>;
    /// Reads a byte of each piece of memory that a comparison will need, so that many records can be fetched at once.
    #[doc(hidden)]
    fn prefetch(&self) -> usize;
}

/// The methods that users call on the records of a model.
///
/// They are separate from [`SyncModel`], so that a file that uses models has only them in scope: a model's own `key`, `is`
/// or `patch` does not clash with a method of the trait.
pub trait ModelExt: SyncModel {
    /// The record's identifier.
    fn id(&self) -> Self::Id {
        Self::to_id(self.key())
    }

    /// A copy of the record with the patch applied: what most targets return from `update`.
    ///
    /// ```
    /// # use diffsync_core::SyncModel;
    /// # use diffsync_core::ModelExt;
    /// # #[derive(SyncModel, Clone)]
    /// # struct Region { #[sync(id)] slug: String, name: String }
    /// let region = Region { slug: "europe".into(), name: "Europa".into() };
    /// let patch = RegionPatch { name: Some("Europe".into()) };
    /// assert_eq!(region.patched(&patch).name, "Europe");
    /// ```
    #[must_use]
    fn patched(&self, patch: &Self::Patch) -> Self
    where
        Self: Clone,
    {
        let mut record = self.clone();
        record.apply(patch);
        record
    }
}

impl<M: SyncModel> ModelExt for M {}

/// A value that names a record of `M`: its identifier, the identifier's only field, or a tuple of its fields.
///
/// The derive implements it for these types, and the core for references and `Option` (where `None` names no record), so
/// that lookups and links accept any of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a `{M}`",
    label = "not an identifier of `{M}`",
    note = "a record of `{M}` is named by the type of its `#[sync(id)]` field, by the generated `{M}Id`, or by an `Option` of either"
)]
pub trait AsKey<M: SyncModel> {
    /// The borrowed identifier, or `None` if no record is named.
    fn key(&self) -> Option<M::Key<'_>>;

    /// Takes the spelling of an equal identifier.
    #[doc(hidden)]
    fn respell(&mut self, key: M::Key<'_>)
    where
        Self: Sized,
    {
        let _ = key;
    }

    /// The name, as spelled in the identifier.
    #[doc(hidden)]
    fn spelling(key: M::Key<'_>) -> Option<&Self> {
        let _ = key;
        None
    }
}

impl<M: SyncModel, N: AsKey<M> + ?Sized> AsKey<M> for &N {
    fn key(&self) -> Option<M::Key<'_>> {
        (**self).key()
    }
}

/// The derive implements it for `str`.
#[diagnostic::do_not_recommend]
impl<M: SyncModel> AsKey<M> for String
where
    str: AsKey<M>,
{
    fn key(&self) -> Option<M::Key<'_>> {
        self.as_str().key()
    }

    fn respell(&mut self, key: M::Key<'_>) {
        if let Some(text) = <str as AsKey<M>>::spelling(key) {
            text.clone_into(self);
        }
    }
}

impl<M: SyncModel, N: AsKey<M>> AsKey<M> for Option<N> {
    fn key(&self) -> Option<M::Key<'_>> {
        self.as_ref()?.key()
    }

    fn respell(&mut self, key: M::Key<'_>) {
        if let Some(name) = self {
            name.respell(key);
        }
    }
}

/// The bounds on the type of an identifier.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an identifier",
    label = "this field is an identifier",
    note = "an identifier's type needs `Clone`, `Eq`, `Hash`, `Display`, serde's `Serialize` and `Deserialize`, `Send` and `Sync`"
)]
pub trait IdentifierValue: Clone + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Clone + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static> IdentifierValue for T {}

/// The bounds on the type of an attribute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an attribute",
    label = "this field is an attribute, since it has no other role",
    note = "an attribute's type needs `Clone`, `PartialEq`, serde's `Serialize` and `Deserialize`, `Send` and `Sync`; a field that is not compared is `#[sync(local)]`"
)]
pub trait AttributeValue: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> AttributeValue for T {}

/// The bounds on the type of a local field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a local field",
    label = "this field is `local`",
    note = "a local field's type needs `Default`, `Send` and `Sync`: the other side gets it empty"
)]
pub trait LocalValue: Default + Send + Sync + 'static {}
impl<T: Default + Send + Sync + 'static> LocalValue for T {}

/// A record as a target gets it: the source's own if the model has no local fields, otherwise a copy without them.
#[doc(hidden)]
#[derive(Debug)]
pub enum Outgoing<'a, M> {
    /// The source's own record.
    Whole(&'a M),
    /// A copy without the fields that the other side must not see.
    Copy(M),
}

impl<M> Deref for Outgoing<'_, M> {
    type Target = M;

    fn deref(&self) -> &M {
        match self {
            Self::Whole(record) => record,
            Self::Copy(record) => record,
        }
    }
}

/// Writes an identifier for people and as a key in documents. Two identifiers never have the same text.
///
/// A single part is written as it is. Several are joined with `__`, as the Python peer does; a part that would make
/// that ambiguous is quoted, so `("a__b", "c")` is `"a__b"__c` and `("a", "b__c")` is `a__"b__c"`.
#[allow(missing_debug_implementations, reason = "a formatter cannot be shown")]
pub struct IdentifierText<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    parts: usize,
    written: usize,
}

impl<'a, 'f> IdentifierText<'a, 'f> {
    /// Begins an identifier with this number of parts.
    pub fn new(out: &'a mut fmt::Formatter<'f>, parts: usize) -> Self {
        Self { out, parts, written: 0 }
    }

    /// Writes the next part.
    pub fn part(&mut self, part: &dyn Display) -> fmt::Result {
        if self.parts == 1 {
            return Display::fmt(part, self.out);
        }

        self.separate()?;
        let text = part.to_string();
        let ambiguous = text.contains("__") || text.starts_with(['_', '"']) || text.ends_with('_') || text == ABSENT;
        self.text(&text, ambiguous)
    }

    /// Writes the next part, which may be absent.
    pub fn optional_part<T: Display>(&mut self, part: Option<&T>) -> fmt::Result {
        match part {
            None => {
                self.separate()?;
                self.out.write_str(ABSENT)
            }
            Some(part) if self.parts == 1 => {
                let text = part.to_string();
                self.text(&text, text.starts_with('"') || text == ABSENT)
            }
            Some(part) => self.part(part),
        }
    }

    fn separate(&mut self) -> fmt::Result {
        self.written += 1;
        if self.written > 1 { self.out.write_str("__") } else { Ok(()) }
    }

    fn text(&mut self, text: &str, ambiguous: bool) -> fmt::Result {
        if ambiguous { write!(self.out, "{text:?}") } else { self.out.write_str(text) }
    }
}

/// How an absent part of an identifier is written.
const ABSENT: &str = "null";

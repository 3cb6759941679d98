//! Values that are compared and sent to a target, but never shown.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;

use crate::value::canonical::InOneOrder;

/// The text that replaces a secret wherever it would be shown.
pub const REDACTED: &str = "[secret]";

/// A value that is compared and sent to the target but never shown: a password, a token, an SNMP community.
///
/// `Debug` and `Display` write `[secret]`. Serialising one fails, so that it neither leaks into a log nor reaches a
/// server as the text `[secret]`; [`exposed`] serialises it on purpose, and everything that this crate shows is redacted.
///
/// ```
/// use diffsync_core::value::{Secret, exposed};
///
/// let community = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{community:?}"), "[secret]");
/// assert!(serde_json::to_string(&community).is_err());
/// assert_eq!(serde_json::to_string(&exposed(&community)).unwrap(), r#""hunter2""#);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Review every use of it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, no longer protected.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The inner error would quote the unexpected value.
        T::deserialize(deserializer).map(Self).map_err(|_| de::Error::custom("a secret is not of the type it must be"))
    }
}

impl<T: Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match DISCLOSURE.get() {
            Disclosure::Refused => Err(ser::Error::custom(
                "a secret is not serialised by accident; wrap the value in `diffsync_core::value::exposed(…)` where it must be sent",
            )),
            Disclosure::Redacted => serializer.serialize_str(REDACTED),
            Disclosure::Exposed => self.0.serialize(serializer),
            Disclosure::Sealed => {
                let restore = Restore(DISCLOSURE.replace(Disclosure::Exposed));
                let value = serde_json::to_value(InOneOrder(&self.0)).map_err(ser::Error::custom)?;
                drop(restore);

                let seal = SEAL.with_borrow(|seal| seal.as_ref().map(|seal| seal(&value)));

                let mut sealed = serializer.serialize_map(Some(1))?;
                sealed.serialize_entry(SEALED, &seal)?;
                sealed.end()
            }
        }
    }
}

/// What happens to secrets that are serialised on this thread.
#[derive(Clone, Copy)]
enum Disclosure {
    Refused,
    Redacted,
    Exposed,
    /// Replaced by the seal that `SEAL` computes.
    Sealed,
}

/// The key of a sealed secret in a document.
pub(crate) const SEALED: &str = "$secret";

/// Computes a secret's seal: a text that replaces it where secrets are compared without being shown.
pub(crate) type Seal = Rc<dyn Fn(&Value) -> String>;

thread_local! {
    static SEAL: RefCell<Option<Seal>> = const { RefCell::new(None) };
    /// How the secrets of a value are read for a document.
    static READING: Cell<Disclosure> = const { Cell::new(Disclosure::Redacted) };
}

/// Reads values with their secrets sealed.
pub(crate) fn sealed<R>(seal: &Seal, read: impl FnOnce() -> R) -> R {
    let former = SEAL.replace(Some(Rc::clone(seal)));
    let read = reading(Disclosure::Sealed, read);
    SEAL.set(former);
    read
}

/// Reads values with their secrets: for values that are written back to the system they came from.
pub(crate) fn with_secrets<R>(read: impl FnOnce() -> R) -> R {
    reading(Disclosure::Exposed, read)
}

fn reading<R>(disclosure: Disclosure, read: impl FnOnce() -> R) -> R {
    struct Former(Disclosure);
    impl Drop for Former {
        fn drop(&mut self) {
            READING.set(self.0);
        }
    }

    let _former = Former(READING.replace(disclosure));
    read()
}

/// A value as a document holds it: with its secrets redacted, unless the core reads it for another purpose.
pub(crate) fn plain<T: Serialize + ?Sized>(value: &T) -> Result<Value, serde_json::Error> {
    struct Plain<'a, T: ?Sized>(&'a T);
    impl<T: Serialize + ?Sized> Serialize for Plain<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize_with(READING.get(), self.0, serializer)
        }
    }

    serde_json::to_value(Plain(value))
}

thread_local! {
    static DISCLOSURE: Cell<Disclosure> = const { Cell::new(Disclosure::Refused) };
}

/// Restores the former disclosure, even if serialising panics.
struct Restore(Disclosure);

impl Drop for Restore {
    fn drop(&mut self) {
        DISCLOSURE.set(self.0);
    }
}

fn serialize_with<T: Serialize + ?Sized, S: Serializer>(
    disclosure: Disclosure,
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let former = DISCLOSURE.get();
    let _restore = Restore(former);

    // A value inside one that is shown cannot expose itself.
    if !matches!(former, Disclosure::Redacted | Disclosure::Sealed) {
        DISCLOSURE.set(disclosure);
    }

    InOneOrder(value).serialize(serializer)
}

/// A value that serialises with its secrets, from [`exposed`].
#[derive(Clone, Copy)]
pub struct Exposed<'a, T: ?Sized>(&'a T);

/// Lets a value be serialised with its secrets: the body of a request that has to carry them. Its hash sets and maps are
/// written in a fixed order, like everything that this crate writes.
pub const fn exposed<T: ?Sized>(value: &T) -> Exposed<'_, T> {
    Exposed(value)
}

impl<T: Serialize + ?Sized> Serialize for Exposed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_with(Disclosure::Exposed, self.0, serializer)
    }
}

impl<T: ?Sized> fmt::Debug for Exposed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A value that serialises with `[secret]` in place of its secrets, from [`redacted`].
#[derive(Clone, Copy)]
pub struct Redacted<'a, T: ?Sized>(&'a T);

/// Lets a value be serialised with `[secret]` in place of its secrets.
pub const fn redacted<T: ?Sized>(value: &T) -> Redacted<'_, T> {
    Redacted(value)
}

impl<T: Serialize + ?Sized> Serialize for Redacted<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_with(Disclosure::Redacted, self.0, serializer)
    }
}

impl<T: ?Sized> fmt::Debug for Redacted<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret_unless_it_is_exposed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(secret.to_string(), REDACTED);
        assert_eq!(format!("{secret:?}"), REDACTED);
        assert_eq!(serde_json::to_value(redacted(&vec![secret.clone()])).unwrap(), serde_json::json!([REDACTED]));
        let refused = serde_json::to_string(&secret).unwrap_err().to_string();
        assert!(refused.contains("exposed") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_secret_of_the_wrong_type_is_not_quoted() {
        let error = serde_json::from_str::<Secret<String>>("987654321").unwrap_err().to_string();
        assert!(error.starts_with("a secret is not of the type it must be") && !error.contains("987"), "{error}");
    }

    #[test]
    fn what_is_shown_cannot_expose_itself() {
        struct Careless(Secret<u8>);
        impl Serialize for Careless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                exposed(&self.0).serialize(serializer)
            }
        }
        assert_eq!(serde_json::to_value(redacted(&Careless(Secret::new(7)))).unwrap(), REDACTED);
    }

    #[test]
    fn exposing_ends_with_the_value() {
        let secret = Secret::new(1);
        assert!(serde_json::to_string(&exposed(&secret)).is_ok());
        assert!(serde_json::to_string(&secret).is_err());
    }
}

//! Values of fields: how they are compared, ordered, kept secret and shown.
//!
//! A [`Secret`] is never shown; [`exposed`] serialises it for the target that needs it. [`compare`] holds the comparisons
//! that a model can choose instead of `==`.

pub(crate) mod canonical;
pub mod compare;
#[doc(hidden)]
pub mod name;
pub(crate) mod printable;
pub(crate) mod redact;
pub(crate) mod secret;
pub(crate) mod suggest;

pub use url::Url;

pub use self::printable::{escape_unprintable, is_unprintable};
pub use self::redact::redact_url;
pub use self::secret::{Exposed, REDACTED, Redacted, Secret, exposed, redacted};
pub use self::suggest::suggest;

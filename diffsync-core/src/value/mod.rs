//! Values: how they are compared, put in order, kept secret and shown.

pub(crate) mod canonical;
pub mod compare;
#[doc(hidden)]
pub mod name;
pub(crate) mod printable;
pub(crate) mod secret;
pub(crate) mod suggest;

pub use url::Url;

pub use self::printable::{escape_unprintable, is_unprintable};
pub use self::secret::{Exposed, REDACTED, Redacted, Secret, exposed, redacted};
pub use self::suggest::nearest;

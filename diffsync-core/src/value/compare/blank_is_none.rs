//! `compare = blank_is_none`: an empty text equals `None`.

use crate::value::secret::Secret;

/// Values that can be compared so that an empty text equals `None`: `#[sync(compare = blank_is_none)]`.
///
/// ```
/// use diffsync_core::compare::BlankIsNone;
///
/// assert!(BlankIsNone::same(&Some(""), &None));
/// assert!(!BlankIsNone::same(&Some(" "), &None));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `blank_is_none`",
    label = "this field is compared with `blank_is_none`",
    note = "`blank_is_none` is for an `Option<String>`, for an `Option` of what has `AsRef<str>`, and for types that implement `diffsync_core::compare::BlankIsNone`"
)]
pub trait BlankIsNone {
    /// Whether there is no text, or an empty one.
    fn is_blank(&self) -> bool;

    /// Whether the two are equal, or both blank.
    fn same(&self, other: &Self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<S: AsRef<str>> BlankIsNone for Option<S> {
    fn is_blank(&self) -> bool {
        text(self.as_ref()).is_empty()
    }

    fn same(&self, other: &Self) -> bool {
        text(self.as_ref()) == text(other.as_ref())
    }
}

/// The text, or an empty one for `None`.
fn text<S: AsRef<str>>(text: Option<&S>) -> &str {
    text.map_or("", AsRef::as_ref)
}

#[diagnostic::do_not_recommend]
impl<S: AsRef<str>> BlankIsNone for Option<Secret<S>> {
    fn is_blank(&self) -> bool {
        self.as_ref().map(Secret::expose).is_blank()
    }

    fn same(&self, other: &Self) -> bool {
        self.as_ref().map(Secret::expose).same(&other.as_ref().map(Secret::expose))
    }
}

#[diagnostic::do_not_recommend]
impl<T: BlankIsNone> BlankIsNone for Secret<T> {
    fn is_blank(&self) -> bool {
        self.expose().is_blank()
    }

    fn same(&self, other: &Self) -> bool {
        self.expose().same(other.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_text_is_none() {
        let text = |text: &str| Some(text.to_owned());
        assert!(text("").same(&None) && None.same(&text("")) && text("").same(&text("")));
        assert!(text("a").same(&text("a")) && !text("a").same(&None) && !text(" ").same(&None));
        assert!(!text("a").same(&text("b")));
        assert!(text("").is_blank() && None::<String>.is_blank() && !text(" ").is_blank());
    }

    #[test]
    fn so_is_an_empty_secret() {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        assert!(secret("").same(&None) && !secret("a").same(&None));
        assert!(Secret::new(Some("")).same(&Secret::new(None)));
    }
}

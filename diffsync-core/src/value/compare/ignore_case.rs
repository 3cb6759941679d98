//! `compare = ignore_case`: the case of the letters does not matter.

use std::hash::Hasher;

use crate::value::secret::Secret;

/// Values that can be compared regardless of case: `#[sync(compare = ignore_case)]`.
///
/// Each character is compared in Unicode lower case, without allocating.
///
/// ```
/// use diffsync_core::compare::IgnoreCase;
///
/// assert!(IgnoreCase::same("ÅLAND", "åland"));
/// assert!(!IgnoreCase::same("aland", "åland"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `ignore_case`",
    label = "this field is compared with `ignore_case`",
    note = "`ignore_case` is for a `String`, for an `Option` or a `Vec` of it, and for types that implement `diffsync_core::compare::IgnoreCase`"
)]
pub trait IgnoreCase {
    /// Whether the two are the same except for case.
    fn same(&self, other: &Self) -> bool;

    /// Hashes the value regardless of case. Only identifiers need it.
    fn hash<H: Hasher>(&self, state: &mut H);
}

/// The characters in lower case. One may become several: `İ` is `i` and a dot above.
fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

impl IgnoreCase for str {
    fn same(&self, other: &Self) -> bool {
        // Most texts are equal byte for byte, or plain ASCII, which needs no Unicode table.
        self == other
            || if self.is_ascii() && other.is_ascii() {
                self.eq_ignore_ascii_case(other)
            } else {
                lower(self).eq(lower(other))
            }
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        // In pieces, since hashing character by character is slow.
        let (mut piece, mut len) = ([0_u8; 64], 0);
        for letter in lower(self) {
            if len + letter.len_utf8() > piece.len() {
                state.write(&piece[..len]);
                len = 0;
            }
            len += letter.encode_utf8(&mut piece[len..]).len();
        }
        state.write(&piece[..len]);

        // As `str` does, so that ("a", "bc") and ("ab", "c") differ.
        state.write_u8(0xff);
    }
}

impl IgnoreCase for String {
    fn same(&self, other: &Self) -> bool {
        IgnoreCase::same(self.as_str(), other.as_str())
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        IgnoreCase::hash(self.as_str(), state);
    }
}

#[diagnostic::do_not_recommend]
impl<T: IgnoreCase> IgnoreCase for Option<T> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(left), Some(right)) => left.same(right),
            (None, None) => true,
            _ => false,
        }
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(u8::from(self.is_some()));
        if let Some(value) = self {
            value.hash(state);
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: IgnoreCase> IgnoreCase for [T] {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(left, right)| left.same(right))
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        for value in self {
            value.hash(state);
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: IgnoreCase> IgnoreCase for Vec<T> {
    fn same(&self, other: &Self) -> bool {
        IgnoreCase::same(self.as_slice(), other.as_slice())
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        IgnoreCase::hash(self.as_slice(), state);
    }
}

#[diagnostic::do_not_recommend]
impl<T: IgnoreCase + ?Sized> IgnoreCase for Box<T> {
    fn same(&self, other: &Self) -> bool {
        (**self).same(&**other)
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[diagnostic::do_not_recommend]
impl<T: IgnoreCase> IgnoreCase for Secret<T> {
    fn same(&self, other: &Self) -> bool {
        self.expose().same(other.expose())
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use proptest::prelude::*;

    use super::*;

    fn hash<T: IgnoreCase + ?Sized>(value: &T) -> u64 {
        let mut state = DefaultHasher::new();
        value.hash(&mut state);
        state.finish()
    }

    /// Texts of letters that have more than one case, or whose case is more than one letter, longer than a piece.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[aAbBäÄßẞσςΣİiIı]{0,4}", "[aAÅåΩ]{40,100}", ".{0,6}"]
    }

    proptest! {
        #[test]
        fn it_equals_lower_case_letter_by_letter(left in text(), right in text()) {
            let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
            let same = lower(&left) == lower(&right);
            prop_assert_eq!(IgnoreCase::same(&left, &right), same);
            prop_assert_eq!(IgnoreCase::same(&right, &left), same);
        }

        /// Equal texts have the same hash regardless of case: otherwise a record would not be found.
        #[test]
        fn the_hash_agrees(left in text(), flips in prop::collection::vec(any::<bool>(), 100), other in text()) {
            let right: String = left.chars().zip(flips).flat_map(|(letter, flip)| {
                if flip { letter.to_lowercase().collect::<Vec<_>>() } else { vec![letter] }
            }).collect();
            prop_assert!(IgnoreCase::same(&left, &right));
            prop_assert_eq!(hash(left.as_str()), hash(&right));
            prop_assert!(!IgnoreCase::same(&left, &other) || hash(&left) == hash(&other));
        }
    }

    #[test]
    fn lists_and_options_are_compared_text_by_text() {
        let list = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        assert!(IgnoreCase::same(&list(["a", "B"]), &list(["A", "b"])));
        assert!(!IgnoreCase::same(&list(["a", "B"]), &list(["b", "a"])));
        assert!(!IgnoreCase::same(&Some(String::new()), &None));
        assert!(IgnoreCase::same(&Secret::new("A".to_owned()), &Secret::new("a".to_owned())));
        assert_ne!(hash(&list(["a", "bc"])), hash(&list(["ab", "c"])));
    }
}

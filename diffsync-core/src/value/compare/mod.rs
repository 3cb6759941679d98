//! When two values of a field are the same: by their own `==`, except that a NaN equals a NaN, or as `compare = …` says.
//!
//! In IEEE 754 a NaN differs from itself, which would cause an update in every run.
//!
//! Each other comparison is a trait. The standard types that it suits implement it, and your own types can, too.

mod blank_is_none;
mod contains;
mod ignore_case;
mod json;
mod tolerance;
mod unordered;

pub use self::blank_is_none::BlankIsNone;
pub use self::contains::Contains;
pub use self::ignore_case::IgnoreCase;
pub use self::tolerance::Tolerance;
pub use self::unordered::Unordered;

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use crate::value::secret::Secret;

/// Two values about to be compared.
///
/// The generated code calls `Pair(a, b).same()` on concrete types. For types that hold floating-point numbers the
/// inherent method is found first; for all others the one of [`SameByEq`], which is `==`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Pair<'a, T: ?Sized>(pub &'a T, pub &'a T);

impl<T: Float + ?Sized> Pair<'_, T> {
    /// Whether the two are the same, a NaN being the same as a NaN.
    #[inline]
    #[must_use]
    pub fn same(&self) -> bool {
        self.0.same(self.1)
    }
}

/// The comparison of types that hold no floating-point numbers.
#[doc(hidden)]
pub trait SameByEq {
    /// Whether the two are equal.
    fn same(&self) -> bool;
}

impl<T: PartialEq + ?Sized> SameByEq for Pair<'_, T> {
    #[inline]
    fn same(&self) -> bool {
        self.0 == self.1
    }
}

/// Placeholder for types that are not valid attributes. The derive has already reported the error; this keeps rustc from
/// reporting it a second time.
#[doc(hidden)]
pub trait NeverSame {
    /// Never called.
    fn same(&self) -> bool;
}

impl<T: ?Sized> NeverSame for &Pair<'_, T> {
    fn same(&self) -> bool {
        false
    }
}

/// A floating-point number, or a container of them.
pub trait Float {
    /// Whether the two are the same, a NaN being the same as a NaN.
    fn same(&self, other: &Self) -> bool;
}

#[allow(clippy::float_cmp, reason = "two systems agree on a number only if it is exactly the same")]
impl Float for f64 {
    fn same(&self, other: &Self) -> bool {
        self == other || (self.is_nan() && other.is_nan())
    }
}

#[allow(clippy::float_cmp, reason = "two systems agree on a number only if it is exactly the same")]
impl Float for f32 {
    fn same(&self, other: &Self) -> bool {
        self == other || (self.is_nan() && other.is_nan())
    }
}

impl<T: Float> Float for Option<T> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(left), Some(right)) => left.same(right),
            (None, None) => true,
            _ => false,
        }
    }
}

impl<T: Float> Float for [T] {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(left, right)| left.same(right))
    }
}

impl<T: Float> Float for Vec<T> {
    fn same(&self, other: &Self) -> bool {
        self.as_slice().same(other.as_slice())
    }
}

impl<T: Float, const N: usize> Float for [T; N] {
    fn same(&self, other: &Self) -> bool {
        self.as_slice().same(other.as_slice())
    }
}

impl<T: Float + ?Sized> Float for Box<T> {
    fn same(&self, other: &Self) -> bool {
        (**self).same(&**other)
    }
}

impl<T: Float> Float for Secret<T> {
    fn same(&self, other: &Self) -> bool {
        self.expose().same(other.expose())
    }
}

/// Coordinates.
impl<A: Float, B: Float> Float for (A, B) {
    fn same(&self, other: &Self) -> bool {
        self.0.same(&other.0) && self.1.same(&other.1)
    }
}

impl<A: Float, B: Float, C: Float> Float for (A, B, C) {
    fn same(&self, other: &Self) -> bool {
        self.0.same(&other.0) && self.1.same(&other.1) && self.2.same(&other.2)
    }
}

impl<K: Ord, T: Float> Float for BTreeMap<K, T> {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other).all(|((lk, left), (rk, right))| lk == rk && left.same(right))
    }
}

impl<K: Eq + Hash, T: Float, S: BuildHasher> Float for HashMap<K, T, S> {
    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, left)| other.get(key).is_some_and(|right| left.same(right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_equals_a_nan_wherever_it_stands() {
        assert!(Pair(&f64::NAN, &-f64::NAN).same());
        assert!(Pair(&Some(f32::NAN), &Some(f32::NAN)).same());
        assert!(Pair(&vec![1.0, f64::NAN], &vec![1.0, f64::NAN]).same());
        assert!(!Pair(&vec![2.0, f64::NAN], &vec![1.0, f64::NAN]).same());
        assert!(!Pair(&vec![Some(f64::NAN), None], &vec![None, Some(f64::NAN)]).same());
        assert!(!Pair(&Some(f64::NAN), &None).same());
        assert!(Pair(&(1.0, f64::NAN), &(1.0, f64::NAN)).same());
        assert!(!Pair(&(2.0, f64::NAN), &(1.0, f64::NAN)).same());
        assert!(Pair(&Secret::new(f64::NAN), &Secret::new(f64::NAN)).same());
        let map = HashMap::from([("a", f64::NAN)]);
        assert!(Pair(&map, &map).same());
    }

    #[test]
    fn everything_else_is_compared_by_its_own_equality() {
        assert!(Pair("a", "a").same());
        assert!(!Pair(&Some(String::new()), &None).same());
    }
}

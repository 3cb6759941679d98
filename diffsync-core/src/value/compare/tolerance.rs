//! `compare = tolerance(1e-6)`: numbers may be a little apart.

use crate::value::secret::Secret;

/// Numbers that can be compared with a tolerance: `#[sync(compare = tolerance(1e-6))]`.
///
/// The tolerance is absolute. A NaN equals a NaN, and an infinity itself.
///
/// ```
/// use diffsync_core::compare::Tolerance;
///
/// assert!(Tolerance::same(&(0.1 + 0.2), &0.3, 1e-6));
/// assert!(!Tolerance::same(&0.1, &0.3, 1e-6));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `tolerance`",
    label = "this field is compared with `tolerance`",
    note = "`tolerance` is for `f32` and `f64`, for an `Option`, a `Vec`, an array or a tuple of them, and for types that implement `diffsync_core::compare::Tolerance`"
)]
pub trait Tolerance {
    /// Whether the two are no further apart than this.
    fn same(&self, other: &Self, tolerance: f64) -> bool;
}

#[allow(clippy::float_cmp, reason = "infinities are equal and no number apart")]
impl Tolerance for f64 {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self == other || (self - other).abs() <= tolerance || (self.is_nan() && other.is_nan())
    }
}

impl Tolerance for f32 {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        f64::from(*self).same(&f64::from(*other), tolerance)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tolerance> Tolerance for Option<T> {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        match (self, other) {
            (Some(left), Some(right)) => left.same(right, tolerance),
            (None, None) => true,
            _ => false,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tolerance> Tolerance for [T] {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(left, right)| left.same(right, tolerance))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tolerance> Tolerance for Vec<T> {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.as_slice().same(other.as_slice(), tolerance)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tolerance, const N: usize> Tolerance for [T; N] {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.as_slice().same(other.as_slice(), tolerance)
    }
}

/// Coordinates.
#[diagnostic::do_not_recommend]
impl<A: Tolerance, B: Tolerance> Tolerance for (A, B) {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.0.same(&other.0, tolerance) && self.1.same(&other.1, tolerance)
    }
}

#[diagnostic::do_not_recommend]
impl<A: Tolerance, B: Tolerance, C: Tolerance> Tolerance for (A, B, C) {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.0.same(&other.0, tolerance) && self.1.same(&other.1, tolerance) && self.2.same(&other.2, tolerance)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tolerance> Tolerance for Secret<T> {
    fn same(&self, other: &Self, tolerance: f64) -> bool {
        self.expose().same(other.expose(), tolerance)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_absolute_difference(left in any::<f64>(), right in any::<f64>(), tolerance in 0.0..1e300) {
            let apart = (left - right).abs();
            prop_assert_eq!(left.same(&right, tolerance), apart <= tolerance || left.total_cmp(&right).is_eq());
            prop_assert_eq!(left.same(&right, tolerance), right.same(&left, tolerance));
            prop_assert!(left.same(&left, 0.0));
        }
    }

    #[test]
    fn what_is_no_number_equals_itself() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(number.same(&number, 1.0) && !number.same(&1.0, 1e300));
        }
        assert!(f32::NAN.same(&f32::NAN, 0.0) && !f32::INFINITY.same(&f32::NEG_INFINITY, 1.0));
    }

    #[test]
    fn each_number_of_several_may_be_apart() {
        assert!(vec![1.0, 2.0].same(&vec![1.1, 1.9], 0.2) && !vec![1.0, 2.0].same(&vec![1.1, 2.5], 0.2));
        assert!(!vec![1.0].same(&vec![1.0, 1.0], 0.2));
        assert!(Some(1.0).same(&Some(1.1), 0.2) && !Some(1.0).same(&None, 0.2));
        assert!((1.0, 2.0).same(&(1.1, 2.1), 0.2) && !(1.0, 2.0, 3.0).same(&(1.1, 2.1, 4.0), 0.2));
        assert!(Secret::new([1.0]).same(&Secret::new([1.1]), 0.2));
    }
}

//! `compare = unordered`: two lists are the same if they hold the same elements in any order.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use crate::value::secret::Secret;

/// The hash of an element, the same in every list of this process.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Values that can be compared regardless of order: `#[sync(compare = unordered)]`.
///
/// An element that one side holds twice must be there twice on the other.
///
/// ```
/// use diffsync_core::compare::Unordered;
///
/// assert!(Unordered::same(&vec!["b", "a", "b"], &vec!["a", "b", "b"]));
/// assert!(!Unordered::same(&vec!["b", "a", "b"], &vec!["a", "a", "b"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `unordered`",
    label = "this field is compared with `unordered`",
    note = "`unordered` is for a `Vec` whose elements have `Eq` and `Hash`, for an `Option` of one, and for types that implement `diffsync_core::compare::Unordered`; sets and maps have no order to begin with"
)]
pub trait Unordered {
    /// Whether the two hold the same.
    fn same(&self, other: &Self) -> bool;

    /// Hashes the value regardless of order. Only identifiers need it.
    fn hash<H: Hasher>(&self, state: &mut H);
}

#[diagnostic::do_not_recommend]
impl<T: Eq + Hash> Unordered for [T] {
    fn same(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }

        // Elements in the same place on both sides need not be counted. Most lists are equal, or nearly so.
        let Some(first) = self.iter().zip(other).position(|(left, right)| left != right) else { return true };
        let differing = || self.iter().zip(other).skip(first).filter(|(left, right)| left != right);

        let mut counts: HashMap<&T, isize, RandomState> = HashMap::default();
        for (left, right) in differing() {
            *counts.entry(left).or_default() += 1;
            *counts.entry(right).or_default() -= 1;
        }

        counts.values().all(|count| *count == 0)
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        let sum = self.iter().fold(0_u64, |sum, element| sum.wrapping_add(HASHER.hash_one(element)));
        state.write_u64(sum);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Eq + Hash> Unordered for Vec<T> {
    fn same(&self, other: &Self) -> bool {
        Unordered::same(self.as_slice(), other.as_slice())
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        Unordered::hash(self.as_slice(), state);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Unordered> Unordered for Option<T> {
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
impl<T: Unordered + ?Sized> Unordered for Box<T> {
    fn same(&self, other: &Self) -> bool {
        (**self).same(&**other)
    }

    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Unordered> Unordered for Secret<T> {
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

    fn hash(value: &impl Unordered) -> u64 {
        let mut state = DefaultHasher::new();
        value.hash(&mut state);
        state.finish()
    }

    proptest! {
        /// Two lists are the same exactly if they are equal when sorted, and then their hashes are.
        #[test]
        fn it_equals_sorting(left in prop::collection::vec(0_u8..4, 0..8), right in prop::collection::vec(0_u8..4, 0..8)) {
            let sorted = |list: &[u8]| { let mut list = list.to_vec(); list.sort_unstable(); list };
            let same = sorted(&left) == sorted(&right);
            prop_assert_eq!(Unordered::same(&left, &right), same);
            prop_assert!(!same || hash(&left) == hash(&right));
        }

        #[test]
        fn a_shuffled_list_is_the_same(list in prop::collection::vec(".{0,3}", 0..20).prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))) {
            let (list, shuffled) = list;
            prop_assert!(Unordered::same(&Some(list.clone()), &Some(shuffled.clone())));
            prop_assert_eq!(hash(&list), hash(&shuffled));
        }
    }

    #[test]
    fn one_more_of_the_same_is_a_difference() {
        assert!(!Unordered::same(&vec![1], &vec![1, 1]));
        assert!(!Unordered::same(&vec![1, 1, 2], &vec![1, 2, 2]));
        assert!(!Unordered::same(&Some(Vec::<u8>::new()), &None));
        assert!(Unordered::same(&Secret::new(vec![1, 2]), &Secret::new(vec![2, 1])));
    }

    #[test]
    fn a_long_list_is_compared_in_no_time() {
        let list: Vec<u32> = (0..4_000).collect();
        let reversed: Vec<u32> = list.iter().rev().copied().collect();
        let started = std::time::Instant::now();
        for _ in 0..10 {
            assert!(Unordered::same(&list, &reversed));
        }
        // 10 × 4,000² comparisons would take more than this, even with optimisations.
        assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    }
}

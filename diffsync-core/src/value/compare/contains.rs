//! `compare = contains`: the target may hold more than the source.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use serde_json::Value;

use crate::value::secret::Secret;

/// Values that can be compared so that the target may hold more: `#[sync(compare = contains)]`.
///
/// What the target holds beyond the source is kept: an update writes the [union](Self::union) of both.
///
/// ```
/// use diffsync_core::compare::Contains;
///
/// let (source, target) = (vec!["b", "c"], vec!["a", "b"]);
/// assert!(!Contains::same(&source, &target));
/// assert_eq!(Contains::union(&source, &target), ["a", "b", "c"]);
/// assert!(Contains::same(&source, &vec!["c", "b", "a"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with `contains`",
    label = "this field is compared with `contains`",
    note = "`contains` is for a `Vec` or a set whose elements have `Clone`, `Eq` and `Hash` (or `Ord`), for a map, a JSON value, an `Option` of one, and for types that implement `diffsync_core::compare::Contains`"
)]
pub trait Contains: Sized {
    /// Whether the target holds all that the source, `self`, holds.
    fn same(&self, target: &Self) -> bool;

    /// What the target holds, and what the source holds beyond it. Where the two disagree, as on one key of a map, the
    /// source's value is used.
    #[must_use]
    fn union(&self, target: &Self) -> Self;
}

/// One occurrence in the target's list is enough, however often the source lists the element.
#[diagnostic::do_not_recommend]
impl<T: Clone + Eq + Hash> Contains for Vec<T> {
    fn same(&self, target: &Self) -> bool {
        // Most lists are equal, or short.
        if target.starts_with(self) {
            return true;
        }

        if self.len().min(target.len()) <= FEW {
            return self.iter().all(|element| target.contains(element));
        }

        let held: HashSet<&T, RandomState> = target.iter().collect();
        self.iter().all(|element| held.contains(element))
    }

    fn union(&self, target: &Self) -> Self {
        let mut held: HashSet<&T, RandomState> = target.iter().collect();
        target.iter().chain(self.iter().filter(|element| held.insert(element))).cloned().collect()
    }
}

/// Up to this many elements, a linear search is faster than hashing.
const FEW: usize = 8;

#[diagnostic::do_not_recommend]
impl<T: Clone + Ord> Contains for BTreeSet<T> {
    fn same(&self, target: &Self) -> bool {
        self.is_subset(target)
    }

    fn union(&self, target: &Self) -> Self {
        target | self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Eq + Hash, S: BuildHasher + Default> Contains for HashSet<T, S> {
    fn same(&self, target: &Self) -> bool {
        self.is_subset(target)
    }

    fn union(&self, target: &Self) -> Self {
        target.iter().chain(self).cloned().collect()
    }
}

#[diagnostic::do_not_recommend]
impl<K: Clone + Ord, V: Clone + PartialEq> Contains for BTreeMap<K, V> {
    fn same(&self, target: &Self) -> bool {
        self.iter().all(|(key, value)| target.get(key) == Some(value))
    }

    fn union(&self, target: &Self) -> Self {
        target.iter().chain(self).map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<K: Clone + Eq + Hash, V: Clone + PartialEq, S: BuildHasher + Default> Contains for HashMap<K, V, S> {
    fn same(&self, target: &Self) -> bool {
        self.iter().all(|(key, value)| target.get(key) == Some(value))
    }

    fn union(&self, target: &Self) -> Self {
        target.iter().chain(self).map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// A target's object must hold the source's keys, whose values are compared in the same way; a target's array must hold
/// the source's elements. Anything else must be equal.
impl Contains for Value {
    fn same(&self, target: &Self) -> bool {
        match (self, target) {
            (Self::Object(source), Self::Object(target)) => {
                source.iter().all(|(key, value)| target.get(key).is_some_and(|target| Contains::same(value, target)))
            }
            (Self::Array(source), Self::Array(target)) => Contains::same(source, target),
            (source, target) => source == target,
        }
    }

    fn union(&self, target: &Self) -> Self {
        match (self, target) {
            (Self::Object(source), Self::Object(target)) => {
                let mut union = target.clone();
                for (key, value) in source {
                    let value = target.get(key).map_or_else(|| value.clone(), |target| Contains::union(value, target));
                    union.insert(key.clone(), value);
                }
                Self::Object(union)
            }
            (Self::Array(source), Self::Array(target)) => Self::Array(Contains::union(source, target)),
            (source, _) => source.clone(),
        }
    }
}

/// `None` in the source requires nothing.
#[diagnostic::do_not_recommend]
impl<T: Contains + Clone> Contains for Option<T> {
    fn same(&self, target: &Self) -> bool {
        match (self, target) {
            (None, _) => true,
            (Some(source), Some(target)) => Contains::same(source, target),
            (Some(_), None) => false,
        }
    }

    fn union(&self, target: &Self) -> Self {
        match (self, target) {
            (None, target) => target.clone(),
            (Some(source), Some(target)) => Some(Contains::union(source, target)),
            (Some(source), None) => Some(source.clone()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Contains> Contains for Secret<T> {
    fn same(&self, target: &Self) -> bool {
        Contains::same(self.expose(), target.expose())
    }

    fn union(&self, target: &Self) -> Self {
        Self::new(Contains::union(self.expose(), target.expose()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The union holds both, equals a target that holds all already, and needs no second update.
    fn check<T: Contains + Clone + PartialEq + Debug>(source: &T, target: &T) -> Result<(), TestCaseError> {
        let union = source.union(target);
        prop_assert!(source.same(&union), "{source:?} is not in {union:?}");
        prop_assert_eq!(&source.union(&union), &union, "a second update would change something");
        if source.same(target) {
            prop_assert_eq!(&union, target);
        }
        Ok(())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), Just(json!(true)), (0_u8..3).prop_map(|number| json!(number))];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let key = prop::sample::select(&["a", "b", "c"][..]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..3).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_union_of_lists_contains_both(source in prop::collection::vec(0_u8..20, 0..16), target in prop::collection::vec(0_u8..20, 0..16)) {
            check(&source, &target)?;
            let union = source.union(&target);
            prop_assert!(target.same(&union) && union.starts_with(&target), "the target's order comes first");
            prop_assert_eq!(source.same(&target), source.iter().all(|element| target.contains(element)));
            let (source, target): (BTreeSet<u8>, BTreeSet<u8>) = (source.into_iter().collect(), target.into_iter().collect());
            check(&source, &target)?;
            prop_assert!(target.same(&Contains::union(&source, &target)));
            let (source, target): (HashSet<u8>, HashSet<u8>) = (source.into_iter().collect(), target.into_iter().collect());
            check(&source, &target)?;
            check(&Some(source), &Some(target))?;
        }

        #[test]
        fn a_union_of_maps_contains_the_source(
            source in prop::collection::btree_map(0_u8..5, 0_u8..3, 0..5),
            target in prop::collection::btree_map(0_u8..5, 0_u8..3, 0..5),
        ) {
            check(&source, &target)?;
            let union = source.union(&target);
            prop_assert!(target.keys().all(|key| union.contains_key(key)));
            let hashed = |map: &BTreeMap<u8, u8>| map.iter().map(|(key, value)| (*key, *value)).collect::<HashMap<_, _>>();
            check(&hashed(&source), &hashed(&target))?;
            prop_assert_eq!(hashed(&source).union(&hashed(&target)), hashed(&union));
        }

        #[test]
        fn a_union_of_json_contains_the_source(source in json(), target in json()) {
            check(&source, &target)?;
        }
    }

    #[test]
    fn nothing_that_the_target_holds_is_taken_away() {
        let (source, target) = (json!({"a": {"x": 1}, "l": [2]}), json!({"a": {"y": 2}, "b": 3, "l": [1]}));
        assert!(!source.same(&target));
        assert_eq!(source.union(&target), json!({"a": {"x": 1, "y": 2}, "b": 3, "l": [1, 2]}));
    }

    #[test]
    fn none_in_the_source_asks_for_nothing() {
        assert!(None.same(&Some(vec![1])));
        assert_eq!(None.union(&Some(vec![1])), Some(vec![1]));
        assert!(!Some(vec![1]).same(&None));
        assert_eq!(Some(vec![1]).union(&None), Some(vec![1]));
        assert!(Secret::new(vec![1]).same(&Secret::new(vec![2, 1])));
    }
}

//! Comparing the fields that name one record or several, by the identifiers that they name. Called by generated code.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use crate::value::compare::{self, Unordered};

/// The hash of a name, the same everywhere in this process.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// A part of an identifier that is compared regardless of case.
#[derive(Debug)]
pub struct IgnoringCase<'a, T: ?Sized>(pub &'a T);

/// A part of an identifier that is compared regardless of order.
#[derive(Debug)]
pub struct InAnyOrder<'a, T: ?Sized>(pub &'a T);

macro_rules! compared_by {
    ($part:ident, $comparison:ident) => {
        impl<T: ?Sized> Clone for $part<'_, T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T: ?Sized> Copy for $part<'_, T> {}

        impl<T: compare::$comparison + ?Sized> PartialEq for $part<'_, T> {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                compare::$comparison::same(self.0, other.0)
            }
        }

        impl<T: compare::$comparison + ?Sized> Eq for $part<'_, T> {}

        impl<T: compare::$comparison + ?Sized> Hash for $part<'_, T> {
            #[inline]
            fn hash<H: Hasher>(&self, state: &mut H) {
                compare::$comparison::hash(self.0, state);
            }
        }
    };
}

compared_by!(IgnoringCase, IgnoreCase);
compared_by!(InAnyOrder, Unordered);

/// Hashes a name.
#[inline]
pub fn hash<C: Named, H: Hasher>(named: &C, state: &mut H) {
    named.hash_into(state);
}

/// The name in a field of one link, or of several.
pub trait Named: Eq + Hash {
    /// Hashes the name. A name never hashes like an absent one, so `Some` needs no tag of its own.
    fn hash_into<H: Hasher>(&self, state: &mut H);
}

impl<C: Eq + Hash> Named for Option<C> {
    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        match self {
            Some(named) => named.hash(state),
            None => state.write_u8(0),
        }
    }
}

macro_rules! named_by_several {
    ($($name:ident),*) => {
        impl<$($name: Eq + Hash),*> Named for ($($name,)*) {
            #[inline]
            fn hash_into<SyncHasher: Hasher>(&self, state: &mut SyncHasher) {
                self.hash(state);
            }
        }
    };
}

named_by_several!(A, B);
named_by_several!(A, B, C);
named_by_several!(A, B, C, D);
named_by_several!(A, B, C, D, E);
named_by_several!(A, B, C, D, E, F);
named_by_several!(A, B, C, D, E, F, G);
named_by_several!(A, B, C, D, E, F, G, I);

/// Whether two lists name the same in the same order.
pub fn same_in_order<C: Eq>(left: impl Iterator<Item = C>, right: impl Iterator<Item = C>) -> bool {
    left.eq(right)
}

/// Whether two lists name the same, each as often, in any order.
pub fn same_in_any_order<C: Eq + Hash>(
    left: impl Iterator<Item = C> + Clone,
    right: impl Iterator<Item = C> + Clone,
) -> bool {
    // Most lists are equal.
    left.clone().eq(right.clone()) || Unordered::same(&left.collect::<Vec<_>>(), &right.collect::<Vec<_>>())
}

/// Whether two sets name the same.
pub fn same_set<C: Eq + Hash>(left: impl Iterator<Item = C> + Clone, right: impl Iterator<Item = C> + Clone) -> bool {
    left.clone().eq(right.clone()) || set(left) == set(right)
}

/// Whether the target's list names all that the source's names.
pub fn contains<C: Eq + Hash>(
    source: impl Iterator<Item = C> + Clone,
    target: impl Iterator<Item = C> + Clone,
) -> bool {
    if source.clone().eq(target.clone()) {
        return true;
    }

    let held = set(target);
    source.into_iter().all(|named| held.contains(&named))
}

/// The target's names, and the source's names that are not among them.
pub fn union<'a, C: Eq + Hash, N: Clone + 'a, L: NameList<N> + Clone>(
    target: &L,
    held: impl Iterator<Item = C>,
    source: impl Iterator<Item = (C, &'a N)>,
) -> L {
    let mut held = set(held);
    let mut union = target.clone();

    for (named, name) in source {
        if held.insert(named) {
            union.add(name.clone());
        }
    }
    union
}

/// Hashes the names of a list in order.
pub fn hash_in_order<C: Hash, H: Hasher>(named: impl Iterator<Item = C>, state: &mut H) {
    let mut len = 0_usize;
    for named in named {
        named.hash(state);
        len += 1;
    }
    state.write_usize(len);
}

/// Hashes the names of a list regardless of order.
pub fn hash_in_any_order<C: Eq + Hash, H: Hasher>(named: impl Iterator<Item = C>, state: &mut H) {
    // A set that names a record twice in different spellings counts it once.
    let sum = set(named).iter().fold(0_u64, |sum, named| sum.wrapping_add(HASHER.hash_one(named)));
    state.write_u64(sum);
}

fn set<C: Eq + Hash>(named: impl Iterator<Item = C>) -> HashSet<C, RandomState> {
    named.collect()
}

/// A field that names several records.
pub trait NameList<N> {
    /// Adds a name.
    fn add(&mut self, name: N);
}

impl<N> NameList<N> for Vec<N> {
    fn add(&mut self, name: N) {
        self.push(name);
    }
}

impl<N: Ord> NameList<N> for BTreeSet<N> {
    fn add(&mut self, name: N) {
        self.insert(name);
    }
}

impl<N: Eq + Hash, S: BuildHasher> NameList<N> for HashSet<N, S> {
    fn add(&mut self, name: N) {
        self.insert(name);
    }
}

impl<N, L: NameList<N> + Default> NameList<N> for Option<L> {
    fn add(&mut self, name: N) {
        self.get_or_insert_default().add(name);
    }
}

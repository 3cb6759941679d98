//! Matching rows: whatever order the two sides are in, each record meets the one with its identifier.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::{Dataset, Plan, SyncModel, Table};
use proptest::prelude::*;
use proptest::sample::Index;

/// An item of a list.
#[derive(SyncModel)]
struct Item {
    #[sync(id)]
    code: String,
    value: u8,
}

#[derive(Dataset, Default)]
struct Items {
    items: Table<Item>,
}

fn items(list: &[(u32, u8)]) -> Items {
    let mut items = Items::default();
    items.items.extend(list.iter().map(|&(number, value)| Item { code: format!("item-{number}"), value }));
    items
}

/// What a diff says, by identifier: `(before, after)`, either absent.
type Changes = BTreeMap<String, (Option<u64>, Option<u64>)>;

fn changes(plan: &Plan<Items>) -> Changes {
    let document = serde_json::to_value(plan.tree()).unwrap();
    let Some(items) = document.get("item") else { return Changes::new() };
    let value = |change: &serde_json::Value, sign| change.get(sign).map(|values| values["value"].as_u64().unwrap());
    items
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, change)| (id.clone(), (value(change, "-"), value(change, "+"))))
        .collect()
}

/// The same without a join.
fn expected(source: &[(u32, u8)], target: &[(u32, u8)]) -> Changes {
    let [source, target] = [source, target].map(|list| list.iter().copied().collect::<BTreeMap<_, _>>());
    let numbers: BTreeSet<_> = source.keys().chain(target.keys()).copied().collect();
    let values = |number| (target.get(&number).map(|&v| u64::from(v)), source.get(&number).map(|&v| u64::from(v)));
    let all = numbers.into_iter().map(|number| (format!("item-{number}"), values(number)));
    all.filter(|(_, (before, after))| before != after).collect()
}

fn check(source: &[(u32, u8)], target: &[(u32, u8)]) -> Result<(), TestCaseError> {
    let plan = Plan::new(items(source), items(target));
    prop_assert_eq!(changes(&plan), expected(source, target));
    let union = source.iter().chain(target).map(|(number, _)| number).collect::<BTreeSet<_>>().len();
    prop_assert_eq!(plan.diff().summary().total.records(), union);
    Ok(())
}

/// How the target's list comes from the source's.
#[derive(Debug, Clone)]
struct Edit {
    /// Swapped pairs, from a few to so many that nothing stays in its place.
    swaps: Vec<(Index, Index)>,
    removed: Vec<Index>,
    changed: Vec<Index>,
    /// New records, and where they are put in.
    added: Vec<Index>,
    reversed: bool,
}

fn edits(most: usize) -> impl Strategy<Value = Edit> {
    let indices = move || prop::collection::vec(any::<Index>(), 0..most);
    let pairs = prop::collection::vec(any::<(Index, Index)>(), 0..most);
    (pairs, indices(), indices(), indices(), prop::bool::weighted(0.2))
        .prop_map(|(swaps, removed, changed, added, reversed)| Edit { swaps, removed, changed, added, reversed })
}

impl Edit {
    fn apply(&self, source: &[(u32, u8)]) -> Vec<(u32, u8)> {
        let mut list = source.to_vec();
        for (left, right) in self.swaps.iter().filter(|_| !source.is_empty()) {
            list.swap(left.index(source.len()), right.index(source.len()));
        }
        for at in &self.changed {
            if !list.is_empty() {
                let at = at.index(list.len());
                list[at].1 ^= 1;
            }
        }
        for at in &self.removed {
            if !list.is_empty() {
                list.remove(at.index(list.len()));
            }
        }
        for (number, at) in (1_000_000u32..).zip(&self.added) {
            list.insert(at.index(list.len() + 1), (number, 0));
        }
        if self.reversed {
            list.reverse();
        }
        list
    }
}

/// Lengths around the multiples of the block that the join works in.
fn length() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..12, (1u32..6, -2i32..3).prop_map(|(blocks, off)| (blocks * 32).wrapping_add_signed(off))]
}

fn list(length: u32) -> Vec<(u32, u8)> {
    (0..length).map(|number| (number, 0)).collect()
}

#[test]
fn two_lists_in_the_same_order_are_matched() {
    for length in [0, 1, 31, 32, 33, 63, 64, 65, 1000] {
        check(&list(length), &list(length)).unwrap();
        check(&list(length), &[]).unwrap();
        check(&[], &list(length)).unwrap();
        check(&list(length), &list(length + 1)).unwrap();
        check(&list(length + 1), &list(length)[..length as usize / 2]).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn each_record_meets_the_one_with_its_identifier(length in length(), few in edits(6)) {
        let source = list(length);
        let target = few.apply(&source);
        check(&source, &target)?;
        check(&target, &source)?;
    }

    #[test]
    fn so_it_does_where_nothing_is_in_its_place(length in length(), many in edits(200)) {
        let source = list(length);
        check(&source, &many.apply(&source))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn so_it_does_in_long_lists(few in edits(20), many in edits(5000)) {
        let source = list(5000);
        let target = few.apply(&source);
        check(&source, &target)?;
        check(&target, &many.apply(&source))?;
    }
}

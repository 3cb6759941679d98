//! Changes within a value, so that unchanged parts keep their text.
//!
//! It is found by comparing the old value with the new one as the field's type serialises both. Keys that the type does not
//! know are in neither, so they stay, like the keys of a record that the model does not know.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::datum::{Datum, index};

/// The change of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// It is replaced.
    Set(Datum),
    /// Some entries of a map change.
    Map {
        /// Those that change or are new, in the order of the new value.
        set: Vec<(String, Change)>,
        /// Those that are removed.
        gone: Vec<String>,
    },
    /// The items of a list change. These are the new items.
    List(Vec<Piece>),
}

/// An item of a list that changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// The old item at this position, perhaps with a change within it.
    Old(usize, Option<Change>),
    /// A new item.
    New(Datum),
}

/// The change from one value to another, if they differ.
fn between(old: &Datum, new: &Datum) -> Option<Change> {
    match (old, new) {
        (old, new) if old == new => None,
        (Datum::Map(old), Datum::Map(new)) => {
            let (before, after) = (index(old), index(new));
            let set = new.iter().filter_map(|(key, value)| {
                let change = match before.get(key.as_str()) {
                    Some(old) => between(old, value)?,
                    None => Change::Set(value.clone()),
                };
                Some((key.clone(), change))
            });

            let gone = old.iter().map(|(key, _)| key).filter(|key| !after.contains_key(key.as_str()));
            let (set, gone): (Vec<_>, Vec<_>) = (set.collect(), gone.cloned().collect());
            // The order of keys means nothing.
            (!set.is_empty() || !gone.is_empty()).then_some(Change::Map { set, gone })
        }
        (Datum::List(old), Datum::List(new)) => Some(Change::List(pieces(old, new))),
        (_, new) => Some(Change::Set(new.clone())),
    }
}

/// The origin of each item of a new list. An item that is equal to an old one is that one; any other is the old one with
/// which it shares most entries or items, or new if it shares none.
fn pieces(old: &[Datum], new: &[Datum]) -> Vec<Piece> {
    // Hashed by their text, since numbers and maps have no hash of their own.
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (position, item) in old.iter().enumerate() {
        places.entry(format!("{item:?}")).or_default().push_back(position);
    }

    let mut found: Vec<Option<usize>> =
        new.iter().map(|item| places.get_mut(&format!("{item:?}")).and_then(VecDeque::pop_front)).collect();

    let mut left: Vec<usize> = places.into_values().flatten().collect();
    left.sort_unstable();
    pair(old, new, &left, &mut found);

    let piece = |(item, found): (&Datum, Option<usize>)| match found {
        Some(position) => Piece::Old(position, old.get(position).and_then(|old| between(old, item))),
        None => Piece::New(item.clone()),
    };
    new.iter().zip(found).map(piece).collect()
}

/// Pairs what is left of the old items with new ones that have none yet.
fn pair(old: &[Datum], new: &[Datum], left: &[usize], found: &mut [Option<usize>]) {
    // Which of the old ones that are left hold an entry.
    let mut holders: HashMap<String, Vec<usize>> = HashMap::new();
    for &position in left {
        for part in old.get(position).map(parts).unwrap_or_default() {
            holders.entry(part).or_default().push(position);
        }
    }

    let mut pairs = Vec::new();
    for (position, item) in new.iter().enumerate().filter(|(position, _)| found.get(*position) == Some(&None)) {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for part in parts(item) {
            // A part that many items share tells little, and would take long to count.
            let holders = holders.get(&part).map(Vec::as_slice).unwrap_or_default();
            if holders.len() > 100 && holders.binary_search(&position).is_ok() {
                *shared.entry(position).or_default() += 1;
            } else {
                holders.iter().take(100).for_each(|&holder| *shared.entry(holder).or_default() += 1);
            }
        }
        pairs.extend(shared.into_iter().map(|(old, count)| (count, old, position)));
    }

    // Those that share most first; among equals those in the same place.
    pairs.sort_by_key(|&(count, old, new)| (std::cmp::Reverse(count), old.abs_diff(new), old));
    let mut is_free: HashMap<usize, bool> = left.iter().map(|&position| (position, true)).collect();
    for (_, old, new) in pairs {
        if let (Some(free @ true), Some(place @ None)) = (is_free.get_mut(&old), found.get_mut(new)) {
            *free = false;
            *place = Some(old);
        }
    }
}

/// The entries of a map or the items of a list, as texts.
fn parts(value: &Datum) -> Vec<String> {
    match value {
        Datum::Map(entries) => entries.iter().map(|entry| format!("{entry:?}")).collect(),
        Datum::List(items) => items.iter().map(|item| format!("{item:?}")).collect(),
        _ => Vec::new(),
    }
}

impl Change {
    /// The file's value after the change, from the one before.
    ///
    /// `None` if the file's value has another form than the change expects, for example if the type reads a list from a text.
    pub(crate) fn applied(&self, old: &Datum) -> Option<Datum> {
        match (self, old) {
            (Self::Set(new), _) => Some(new.clone()),
            (Self::Map { set, gone }, Datum::Map(entries)) => {
                let changes: HashMap<&str, &Self> = set.iter().map(|(key, change)| (key.as_str(), change)).collect();
                let old = index(entries);
                let stays = entries.iter().filter(|(key, _)| !gone.contains(key));
                let stays = stays.map(|(key, value)| {
                    let change = changes.get(key.as_str());
                    Some((key.clone(), change.map_or_else(|| Some(value.clone()), |change| change.applied(value))?))
                });

                let added = set.iter().filter(|(key, _)| !old.contains_key(key.as_str()));
                let added = added.map(|(key, change)| Some((key.clone(), change.applied(&Datum::Null)?)));
                stays.chain(added).collect::<Option<_>>().map(Datum::Map)
            }
            (Self::List(pieces), Datum::List(items)) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Old(position, None) => items.get(*position).cloned(),
                    Piece::Old(position, Some(change)) => change.applied(items.get(*position)?),
                    Piece::New(item) => Some(item.clone()),
                };
                pieces.iter().map(piece).collect::<Option<_>>().map(Datum::List)
            }
            _ => None,
        }
    }
}

/// The old and the new items of a set in the order in which the file has them, those that are new at the end.
fn in_file_order(written: &Datum, before: Datum, after: Datum) -> (Datum, Datum) {
    let (Datum::List(written), Datum::List(mut left)) = (written, before) else { return (Datum::Null, after) };
    let mut found = Vec::with_capacity(left.len());
    for item in written {
        if let Some(position) = left.iter().position(|known| resembles(item, known)) {
            found.push(left.remove(position));
        }
    }

    found.append(&mut left);
    let Datum::List(mut new) = after else { return (Datum::List(found), after) };
    let places: HashMap<String, usize> =
        found.iter().enumerate().map(|(position, item)| (format!("{item:?}"), position)).collect();

    // Stable, so that what is new stays in its own order.
    new.sort_by_cached_key(|item| places.get(&format!("{item:?}")).copied().unwrap_or(usize::MAX));
    (Datum::List(found), Datum::List(new))
}

/// The error of a list in which it is unclear which items with unknown keys change.
const AMBIGUOUS_LIST: &str = "holds a list with keys that the model does not know, and it is unclear which items of it change; change it by hand";

/// The change to make in a file's value, if there is one, so that the keys which the type does not know stay.
///
/// An error, which follows the value's name, if that cannot be.
pub(crate) fn in_place(
    written: &Datum,
    before: Datum,
    after: Datum,
    is_set: bool,
) -> Result<Option<Change>, &'static str> {
    let (before, after) = if is_set { in_file_order(written, before, after) } else { (before, after) };
    let Some(change) = between(&before, &after) else { return Ok(None) };
    fitting(change, &before, &after, written).map(Some).ok_or(AMBIGUOUS_LIST)
}

/// The change to make where a file's value is not of the form that the change expects, or where its items are in another
/// order than the type's: a set is.
///
/// None if that would drop keys that the type does not know.
fn fitting(change: Change, before: &Datum, after: &Datum, written: &Datum) -> Option<Change> {
    if written == before || follows(written, before) && change.applied(written).is_some() {
        return Some(change);
    }
    (!knows_less(written, before)).then(|| Change::Set(after.clone()))
}

/// Whether each item of each list may be the one at the same position in the file.
fn follows(written: &Datum, read: &Datum) -> bool {
    match (written, read) {
        (Datum::Map(written), Datum::Map(read)) => {
            let written = index(written);
            read.iter().all(|(key, value)| written.get(key.as_str()).is_none_or(|written| follows(written, value)))
        }
        (Datum::List(written), Datum::List(read)) => {
            // The same items in another order are those of a set.
            let is_set = || written.iter().all(|item| read.iter().any(|other| resembles(item, other)));
            let in_order = || written.iter().zip(read).all(|(item, other)| resembles(item, other));
            written.len() == read.len()
                && (written.len() > 1000 || in_order() || !is_set())
                && written.iter().zip(read).all(|(written, read)| follows(written, read))
        }
        _ => true,
    }
}

/// Whether the file holds all that the type knows of a value.
fn resembles(written: &Datum, read: &Datum) -> bool {
    match (written, read) {
        (Datum::Map(written), Datum::Map(read)) => {
            let written = index(written);
            read.iter().all(|(key, value)| {
                written.get(key.as_str()).map_or(*value == Datum::Null, |written| resembles(written, value))
            })
        }
        (Datum::List(written), Datum::List(read)) => {
            written.len() == read.len() && written.iter().zip(read).all(|(written, read)| resembles(written, read))
        }
        (written, read) => written.agrees(read),
    }
}

/// Whether a type reads a value without some of its keys.
pub(crate) fn knows_less(written: &Datum, read: &Datum) -> bool {
    match (written, read) {
        (Datum::Map(written), Datum::Map(read)) => {
            let read = index(read);
            written.iter().any(|(key, value)| read.get(key.as_str()).is_none_or(|read| knows_less(value, read)))
        }
        (Datum::List(written), Datum::List(read)) => {
            // The order may be another one.
            let keys = |items: &[Datum]| items.iter().map(count).sum::<usize>();
            keys(written) > keys(read)
        }
        _ => false,
    }
}

/// How many keys there are in a value.
fn count(value: &Datum) -> usize {
    match value {
        Datum::Map(entries) => entries.iter().map(|(_, value)| 1 + count(value)).sum(),
        Datum::List(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "the result of `json!` is passed on")]
    fn datum(value: serde_json::Value) -> Datum {
        Datum::of(&value).unwrap()
    }

    /// Checks the value in a file after a change of the type's value.
    #[allow(clippy::needless_pass_by_value, reason = "the calls are shorter")]
    fn check(
        file: serde_json::Value,
        before: serde_json::Value,
        after: serde_json::Value,
        expected: impl Into<Option<serde_json::Value>>,
    ) {
        let (file, before, after) = (datum(file), datum(before), datum(after));
        let change = between(&before, &after).unwrap();
        let found = fitting(change, &before, &after, &file).map(|change| change.applied(&file).unwrap());
        let expected = expected.into().map(datum);
        let agrees = match (&found, &expected) {
            (Some(found), Some(expected)) => found.agrees(expected),
            (found, expected) => found == expected,
        };
        assert!(agrees, "{found:?}, expected {expected:?}");
    }

    #[test]
    fn keys_that_the_type_does_not_know_stay() {
        use serde_json::json;
        check(
            json!({"city": "a", "zip": 1, "floor": 3}),
            json!({"city": "a", "zip": 1}),
            json!({"city": "b", "zip": 1}),
            json!({"city": "b", "zip": 1, "floor": 3}),
        );
        check(json!({"a": 1, "x": 2}), json!({"a": 1}), json!({"b": 1}), json!({"b": 1, "x": 2}));
        // An item is the one with which it shares most.
        check(
            json!([{"n": "a", "v": 1, "x": 1}, {"n": "b", "v": 2, "x": 2}, {"n": "c", "v": 3, "x": 3}]),
            json!([{"n": "a", "v": 1}, {"n": "b", "v": 2}, {"n": "c", "v": 3}]),
            json!([{"n": "c", "v": 9}, {"n": "d", "v": 1_000}, {"n": "b", "v": 2}]),
            json!([{"n": "c", "v": 9, "x": 3}, {"n": "d", "v": 1_000}, {"n": "b", "v": 2, "x": 2}]),
        );
        // One that shares nothing is new.
        check(json!([{"n": "a", "x": 1}]), json!([{"n": "a"}]), json!([{"n": "b"}]), json!([{"n": "b"}]));
        // A set that the type reads in another order.
        check(json!(["b", "a"]), json!(["a", "b"]), json!(["a", "b", "c"]), json!(["a", "b", "c"]));
        check(json!([{"n": "b", "x": 1}, {"n": "a"}]), json!([{"n": "a"}, {"n": "b"}]), json!([{"n": "a"}]), None);
        // A type that reads another form.
        check(json!("a,b"), json!(["a", "b"]), json!(["a"]), json!(["a"]));
        check(json!({"at": {"x": 1}}), json!({"at": [1]}), json!({"at": [2]}), json!({"at": [2]}));
    }
}

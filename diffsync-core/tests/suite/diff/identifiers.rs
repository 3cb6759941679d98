//! Identifiers of several parts, and how they are written.

use diffsync_core::{Dataset, SyncModel, Table};

use super::tree_of;

/// What is written in two parts.
#[derive(SyncModel)]
struct Pair {
    #[sync(id)]
    left: String,
    #[sync(id)]
    right: String,
    #[sync(id)]
    number: Option<u8>,
}

/// What may have no name.
#[derive(SyncModel)]
struct Named {
    #[sync(id)]
    name: Option<String>,
}

#[derive(Dataset, Default)]
struct Pairs {
    pairs: Table<Pair>,
    named: Table<Named>,
}

#[test]
fn different_identifiers_never_look_the_same() {
    let parts = ["", "a", "b", "_", "__", "a__b", "b__c", "_a", "a_", "\"", "\"a\"__b", "null", "\\", "\n", "c"];
    let numbers = [None, Some(0)];
    let ids = parts.iter().flat_map(|left| {
        parts.iter().flat_map(move |right| numbers.map(|number| PairId::new(*left, *right, number).to_string()))
    });
    let mut ids: Vec<_> = ids.collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);

    let names = parts.iter().map(|part| NamedId::new(Some((*part).to_owned())).to_string());
    let mut names: Vec<_> = names.chain([NamedId::new(None).to_string()]).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), parts.len() + 1);
}

#[test]
fn identifiers_of_several_parts_are_joined_and_quoted_where_that_is_ambiguous() {
    for (left, right, number, text) in [
        ("a", "b", Some(3), "a__b__3"),
        ("a__b", "c", None, "\"a__b\"__c__null"),
        ("a", "b__c", None, "a__\"b__c\"__null"),
        ("a", "null", None, "a__\"null\"__null"),
        ("a_b", "", Some(0), "a_b____0"),
    ] {
        assert_eq!(PairId::new(left, right, number).to_string(), text);
    }
    assert_eq!(NamedId::new(Some("a__b".to_owned())).to_string(), "a__b");
    assert_eq!(NamedId::new(None).to_string(), "null");
}

#[test]
fn records_whose_joined_identifiers_are_alike_are_different_records() {
    let pair = |left: &str, right: &str| Pair { left: left.into(), right: right.into(), number: None };
    assert_eq!(
        tree_of::<Pairs, _>([pair("a__b", "c"), pair("x", "y")], [pair("a", "b__c"), pair("x", "y")]),
        "+ pair \"a__b\"__c__null\n- pair a__\"b__c\"__null\n"
    );
}

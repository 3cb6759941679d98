//! Tables: what is inserted is found, changed and removed by identifier.

use diffsync_core::data::LoadState;
use diffsync_core::{Plan, Table};
use proptest::prelude::*;

use crate::world::{City, CityId, Region, RegionId, World, city, region, world};

fn regions(slugs: &[&str]) -> Table<Region> {
    slugs.iter().map(|slug| region(slug)).collect()
}

fn slugs(table: &Table<Region>) -> Vec<&str> {
    table.iter().map(|region| region.slug.as_str()).collect()
}

/// What is reported of a source with this table.
fn problems(table: Table<Region>) -> Vec<String> {
    let source = World { regions: table, ..world(&[]) };
    Plan::new(source, world(&[])).problems().iter().map(ToString::to_string).collect()
}

#[test]
fn a_record_is_found_by_whatever_names_it() {
    let table = regions(&["asia", "europe"]);
    let found = Some(&region("europe"));
    assert_eq!(table.get("europe"), found);
    assert_eq!(table.get(&"europe".to_owned()), found);
    assert_eq!(table.get(&RegionId::new("europe")), found);
    assert_eq!(table.get(&Some("europe")), found);
    assert_eq!(table.get(&Some(RegionId::new("europe"))), found);
    assert_eq!(table.get(&None::<String>), None);
    assert_eq!(table.get("europ"), None);
    assert!(table.contains("asia") && !table.contains("Asia"));
}

#[test]
fn a_record_of_several_identifiers_is_found_by_their_tuple() {
    let table: Table<City> = [city("france", "paris"), city("usa", "paris")].into_iter().collect();
    assert_eq!(table.get(&("usa", "paris")), Some(&city("usa", "paris")));
    assert_eq!(table.get(&CityId::new("france", "paris")), Some(&city("france", "paris")));
    assert_eq!(table.get(&Some(("paris", "france"))), None);
}

#[test]
fn the_first_of_two_records_stays_and_the_second_is_reported() {
    let mut table = regions(&["europe"]);
    table.insert(Region { name: "second".into(), ..region("europe") });
    table.insert(Region { name: "third".into(), ..region("europe") });
    assert_eq!(table.len(), 1);
    assert_eq!(table.get("europe").unwrap().name, "EUROPE");
    assert_eq!(problems(table), [r#"source: region "europe" occurs 3 times"#]);
}

#[test]
fn a_record_inserted_if_absent_is_no_duplicate() {
    let mut table = Table::default();
    assert!(table.insert_if_absent(region("europe")));
    assert!(!table.insert_if_absent(Region { name: "second".into(), ..region("europe") }));
    assert_eq!(table.get("europe").unwrap().name, "EUROPE");
    assert_eq!(problems(table), [""; 0]);
}

#[test]
fn a_table_is_loaded_once_anything_was_said_about_it() {
    let check = |say: fn(&mut Table<Region>), expected| {
        let mut table = Table::default();
        say(&mut table);
        assert_eq!(*table.state(), expected);
    };
    check(|_| {}, LoadState::NotLoaded);
    check(|table| table.insert(region("europe")), LoadState::Loaded);
    check(|table| assert!(table.insert_if_absent(region("europe"))), LoadState::Loaded);
    check(|table| table.extend([]), LoadState::Loaded);
    check(Table::mark_loaded, LoadState::Loaded);
    check(|table| table.reject(RegionId::new("europe"), "no name"), LoadState::Loaded);
    check(|table| table.skip("not licensed"), LoadState::Skipped("not licensed".into()));
    check(|table| assert!(table.remove("europe").is_none()), LoadState::NotLoaded);
    check(|table| assert!(table.modify("europe", |_| ()).is_none()), LoadState::NotLoaded);
}

#[test]
fn a_table_that_is_left_out_stays_left_out() {
    // What is read in part must not pass for a whole table, or the rest would be deleted.
    let mut table = regions(&["europe"]);
    table.skip("half of it is missing");
    table.insert(region("asia"));
    table.mark_loaded();
    assert_eq!(*table.state(), LoadState::Skipped("half of it is missing".into()));
}

#[test]
fn a_modified_record_keeps_its_place() {
    let mut table = regions(&["africa", "asia", "europe"]);
    assert_eq!(table.modify("asia", |region| std::mem::replace(&mut region.name, "A".into())), Some("ASIA".into()));
    assert_eq!(slugs(&table), ["africa", "asia", "europe"]);
    assert_eq!(table.get("asia").unwrap().name, "A");
}

#[test]
fn a_record_whose_identifier_is_modified_is_found_under_the_new_one() {
    let mut table = regions(&["africa", "asia", "europe"]);
    table.modify("africa", |region| region.slug = "antarctica".into());
    assert!(!table.contains("africa"));
    for slug in ["antarctica", "asia", "europe"] {
        assert_eq!(table.get(slug).unwrap().slug, slug);
    }
    assert_eq!(problems(table), [""; 0]);
}

#[test]
fn a_record_that_takes_the_identifier_of_another_is_a_duplicate() {
    let mut table = regions(&["africa", "asia", "europe"]);
    table.modify("africa", |region| region.slug = "europe".into());
    assert_eq!(table.len(), 2);
    assert_eq!(table.get("europe").unwrap().name, "EUROPE");
    assert_eq!(problems(table), [r#"source: region "europe" occurs 2 times"#]);
}

#[test]
fn a_second_record_is_not_forgotten_when_the_first_is_gone() {
    let twice = || regions(&["europe", "europe"]);
    let mut removed = twice();
    removed.remove("europe");
    let mut renamed = twice();
    renamed.modify("europe", |region| region.slug = "old-europe".into());
    for table in [removed, renamed] {
        assert!(!table.contains("europe"));
        let plan = Plan::new(World { regions: table, ..world(&[]) }, world(&["europe", "europe/france"]));
        let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems, [r#"source: region "europe" occurs 2 times"#]);
        let total = plan.diff().summary().total;
        assert_eq!((total.delete, total.rejected), (0, 2), "{total:?}");
    }
}

#[test]
fn the_last_record_takes_the_place_of_a_removed_one() {
    let mut table = regions(&["africa", "asia", "europe"]);
    assert_eq!(table.remove("africa"), Some(region("africa")));
    assert_eq!(table.remove("africa"), None);
    assert_eq!(slugs(&table), ["europe", "asia"]);
    assert_eq!(table.remove(&RegionId::new("asia")), Some(region("asia")));
    assert_eq!(slugs(&table), ["europe"]);
    assert_eq!(table.get("europe"), Some(&region("europe")));
    assert_eq!(table.remove("europe"), Some(region("europe")));
    assert!(table.is_empty());
}

#[test]
fn a_table_shows_how_many_records_it_holds_and_none_of_them() {
    let table = regions(&["africa", "asia", "africa"]);
    assert_eq!(
        format!("{table:?}"),
        r#"Table { model: "region", records: 2, state: Loaded, duplicates: 1, rejected: 0, .. }"#
    );
}

/// What can be done to a table. Identifiers are few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Insert(u8, u32),
    InsertIfAbsent(u8, u32),
    Rename(u8, u8),
    SetName(u8, u32),
    Remove(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 0u8..24;
    let step = prop_oneof![
        4 => (id.clone(), any::<u32>()).prop_map(|(id, name)| Step::Insert(id, name)),
        2 => (id.clone(), any::<u32>()).prop_map(|(id, name)| Step::InsertIfAbsent(id, name)),
        2 => (id.clone(), id.clone()).prop_map(|(id, new)| Step::Rename(id, new)),
        1 => (id.clone(), any::<u32>()).prop_map(|(id, name)| Step::SetName(id, name)),
        3 => id.prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_table_holds_what_a_map_would(steps in steps()) {
        let mut table: Table<Region> = Table::default();
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut duplicates = 0;
        for step in steps {
            let at = |rows: &[(String, String)], id: u8| rows.iter().position(|(slug, _)| *slug == id.to_string());
            let new = |id: u8, name: u32| Region { name: name.to_string(), ..region(&id.to_string()) };
            match step {
                Step::Insert(id, name) => {
                    table.insert(new(id, name));
                    match at(&rows, id) {
                        Some(_) => duplicates += 1,
                        None => rows.push((id.to_string(), name.to_string())),
                    }
                }
                Step::InsertIfAbsent(id, name) => {
                    let absent = at(&rows, id).is_none();
                    prop_assert_eq!(table.insert_if_absent(new(id, name)), absent);
                    if absent {
                        rows.push((id.to_string(), name.to_string()));
                    }
                }
                Step::Rename(id, to) => {
                    let found = table.modify(id.to_string().as_str(), |region| region.slug = to.to_string());
                    prop_assert_eq!(found.is_some(), at(&rows, id).is_some());
                    if let Some(row) = at(&rows, id).filter(|_| id != to) {
                        let (_, name) = rows.swap_remove(row);
                        match at(&rows, to) {
                            Some(_) => duplicates += 1,
                            None => rows.push((to.to_string(), name)),
                        }
                    }
                }
                Step::SetName(id, name) => {
                    table.modify(id.to_string().as_str(), |region| region.name = name.to_string());
                    if let Some(row) = at(&rows, id) {
                        rows[row].1 = name.to_string();
                    }
                }
                Step::Remove(id) => {
                    let removed = table.remove(id.to_string().as_str()).map(|region| (region.slug, region.name));
                    prop_assert_eq!(removed, at(&rows, id).map(|row| rows.swap_remove(row)));
                }
            }
            let held: Vec<_> = table.iter().map(|region| (region.slug.clone(), region.name.clone())).collect();
            prop_assert_eq!(&held, &rows);
            for id in 0u8..24 {
                let found = table.get(id.to_string().as_str()).map(|region| region.name.as_str());
                prop_assert_eq!(found, at(&rows, id).map(|row| rows[row].1.as_str()));
            }
        }
        let shown = format!("{table:?}");
        let expected = format!("duplicates: {duplicates},");
        prop_assert!(shown.contains(&expected), "{} in {}", expected, shown);
    }
}

#[test]
fn a_table_that_is_handed_on_takes_along_what_was_said_of_its_records() {
    let mut table = regions(&["asia", "europe", "asia"]);
    table.reject(RegionId::new("africa"), "it has no name");
    let mapped = table.map(
        |region| Region { slug: region.slug.to_uppercase(), ..region },
        |id| RegionId::new(id.slug.to_uppercase()),
    );
    assert_eq!(slugs(&mapped), ["ASIA", "EUROPE"]);
    assert_eq!(
        problems(mapped),
        [r#"source: region "AFRICA" was rejected: it has no name"#, r#"source: region "ASIA" occurs 2 times"#,]
    );

    let mut skipped = Table::<Region>::default();
    skipped.skip("later");
    assert_eq!(*skipped.map(|region| region, |id| id).state(), LoadState::Skipped("later".into()));
    assert_eq!(*Table::<Region>::default().map(|region: Region| region, |id| id).state(), LoadState::NotLoaded);

    // Two records that become one are there twice.
    let one = regions(&["asia", "europe"]).map(|region| Region { slug: "x".into(), ..region }, |_| RegionId::new("x"));
    assert_eq!(problems(one), [r#"source: region "x" occurs 2 times"#]);
}

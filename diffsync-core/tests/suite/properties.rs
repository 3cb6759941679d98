//! What holds for any two worlds, whatever fails.

use std::collections::{BTreeMap, BTreeSet};

use diffsync_core::plan::{DiffTree, PlanView};
use diffsync_core::report::Status;
use diffsync_core::{ModelExt, Plan};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::fake_target::{Answer, Rig, apply, concurrently, locked};
use crate::world::{City, Country, Place, Records, Region, World, city, country, place, region};

/// The identifiers that a generated world chooses from, by model.
fn names() -> [Vec<String>; 4] {
    let some = |prefix: &str, count| (0..count).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
    let (regions, countries) = (some("r", 5), some("c", 8));
    let cities = countries.iter().flat_map(|country| (0..3).map(move |number| format!("{country}__t{number}")));
    let cities = cities.collect();
    [regions, countries, cities, some("p", 8)]
}

const MODELS: [&str; 4] = ["region", "country", "city", "place"];

/// Which record of a world there is, with its parent and what else differs.
#[derive(Debug, Clone)]
struct Choice {
    parent: Option<Index>,
    variant: u8,
}

fn choices(count: usize) -> impl Strategy<Value = Vec<Option<Choice>>> {
    let choice =
        (option::weighted(0.7, any::<Index>()), 0u8..3).prop_map(|(parent, variant)| Choice { parent, variant });
    vec(option::weighted(0.6, choice), count)
}

/// A world in any order. In a sound one each parent is there and no place is within itself.
pub(crate) fn worlds(sound: bool) -> impl Strategy<Value = Records> {
    let order = Just((0..8).collect::<Vec<usize>>()).prop_shuffle();
    let choices = [5, 8, 24, 8].map(choices);
    (choices, order).prop_map(move |(choices, order)| build(sound, choices, &order)).prop_flat_map(shuffled)
}

fn build(sound: bool, [regions, countries, cities, places]: [Vec<Option<Choice>>; 4], order: &[usize]) -> Records {
    let [region_names, country_names, city_names, place_names] = names();
    let mut records = Records::default();
    for (slug, choice) in region_names.iter().zip(regions) {
        records
            .regions
            .extend(choice.map(|choice| Region { name: format!("name {}", choice.variant), ..region(slug) }));
    }
    for (slug, choice) in country_names.iter().zip(countries) {
        let there: Vec<_> = records.regions.iter().map(|region| region.slug.clone()).collect();
        let parents = if sound { &there } else { &region_names };
        let Some((choice, parent)) = with_parent(choice, parents) else { continue };
        records
            .countries
            .extend(parent.map(|parent| Country { population: Some(choice.variant.into()), ..country(slug, &parent) }));
    }
    for (id, choice) in city_names.iter().zip(cities) {
        let (above, name) = id.split_once("__").unwrap();
        let there = records.countries.iter().any(|country| country.slug == above);
        let motto = choice.filter(|_| there || !sound).map(|choice| Some(choice.variant).filter(|v| *v > 0));
        records.cities.extend(motto.map(|motto| City { motto: motto.map(|v| v.to_string()), ..city(above, name) }));
    }
    for &at in order {
        let there: Vec<_> = records.places.iter().map(|place| place.name.clone()).collect();
        let parents = if sound { &there } else { &place_names };
        let Some((choice, parent)) = with_parent(places[at].clone(), parents) else { continue };
        let kind = format!("kind {}", choice.variant);
        records.places.push(Place { kind, ..place(&place_names[at], parent.as_deref()) });
    }
    records
}

/// A choice with the parent that it chooses, if it chooses one and there are some.
fn with_parent(choice: Option<Choice>, parents: &[String]) -> Option<(Choice, Option<String>)> {
    let choice = choice?;
    let parent = choice.parent.filter(|_| !parents.is_empty()).map(|index| parents[index.index(parents.len())].clone());
    Some((choice, parent))
}

/// The same world loaded in any order.
fn shuffled(records: Records) -> impl Strategy<Value = Records> {
    let Records { regions, countries, cities, places } = records;
    let (regions, countries) = (Just(regions).prop_shuffle(), Just(countries).prop_shuffle());
    let (cities, places) = (Just(cities).prop_shuffle(), Just(places).prop_shuffle());
    (regions, countries, cities, places).prop_map(|(regions, countries, cities, places)| Records {
        regions,
        countries,
        cities,
        places,
    })
}

/// A record as `model identifier`, as calls and changes name it.
type Name = String;

impl Records {
    /// Each record with the one that it lives under.
    fn parents(&self) -> BTreeMap<Name, Option<Name>> {
        let regions = self.regions.iter().map(|region| (format!("region {}", region.slug), None));
        let countries = self
            .countries
            .iter()
            .map(|country| (format!("country {}", country.slug), Some(format!("region {}", country.region))));
        let cities =
            self.cities.iter().map(|city| (format!("city {}", city.id()), Some(format!("country {}", city.country))));
        let places = self.places.iter().map(|place| {
            (format!("place {}", place.name), place.within.as_ref().map(|within| format!("place {within}")))
        });
        regions.chain(countries).chain(cities).chain(places).collect()
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.regions.sort_by(|left, right| left.slug.cmp(&right.slug));
        self.countries.sort_by(|left, right| left.slug.cmp(&right.slug));
        self.cities.sort_by_key(|city| city.id().to_string());
        self.places.sort_by(|left, right| left.name.cmp(&right.name));
        self
    }
}

/// The changes of a diff, in whatever order and under whatever parents they stand.
fn changes(plan: &dyn PlanView) -> BTreeMap<Name, (Value, Value)> {
    fn collect(groups: &Value, changes: &mut BTreeMap<Name, (Value, Value)>) {
        for model in MODELS {
            let records = groups.get(model).and_then(Value::as_object).into_iter().flatten();
            for (id, element) in records {
                if element.get("+").or(element.get("-")).is_some() {
                    changes.insert(format!("{model} {id}"), (element["-"].clone(), element["+"].clone()));
                }
                collect(element, changes);
            }
        }
    }
    let mut changes = BTreeMap::new();
    collect(&serde_json::to_value(DiffTree::of(plan)).unwrap(), &mut changes);
    changes
}

/// What the target answers to some of the calls that it can be asked.
pub(crate) fn answers() -> impl Strategy<Value = BTreeMap<String, Answer>> {
    let calls = ["create", "update", "delete"].into_iter().flat_map(|operation| {
        let names = MODELS.into_iter().zip(names());
        names.flat_map(move |(model, ids)| ids.into_iter().map(move |id| format!("{operation} {model} {id}")))
    });
    let calls: Vec<_> = calls.collect();
    let answer = prop_oneof![8 => Just(Answer::Fail), 2 => Just(Answer::Busy)];
    let answer = option::weighted(0.15, answer);
    let fatal = option::weighted(0.2, select(calls.clone()));
    (vec(answer, calls.len()), fatal).prop_map(move |(answers, fatal)| {
        let answers = calls.iter().cloned().zip(answers).filter_map(|(call, answer)| Some((call, answer?)));
        answers.chain(fatal.clone().map(|call| (call, Answer::Fatal))).collect()
    })
}

/// Records that a loader rejects, and those that it finds twice.
fn rejections() -> impl Strategy<Value = BTreeSet<Name>> {
    let names: Vec<_> = MODELS
        .into_iter()
        .zip(names())
        .flat_map(|(model, ids)| ids.into_iter().map(move |id| format!("{model} {id}")))
        .collect();
    vec(prop::bool::weighted(0.1), names.len()).prop_map(move |chosen| {
        names.iter().cloned().zip(chosen).filter(|(_, chosen)| *chosen).map(|(name, _)| name).collect()
    })
}

/// Makes a loader reject these of its records: half of them by saying so, half by inserting them again.
fn reject(records: &Records, names: BTreeSet<Name>) -> impl Fn(&mut World) + Send + Sync + 'static {
    let records = records.clone();
    move |world| {
        let wanted = |model: &str, id: &str| names.contains(&format!("{model} {id}"));
        for (at, region) in records.regions.iter().enumerate().filter(|(_, region)| wanted("region", &region.slug)) {
            match at % 2 {
                0 => world.regions.reject(region.id(), "odd"),
                _ => world.regions.insert(region.clone()),
            }
        }
        for (at, country) in records.countries.iter().enumerate().filter(|(_, c)| wanted("country", &c.slug)) {
            match at % 2 {
                0 => world.countries.reject(country.id(), "odd"),
                _ => world.countries.insert(country.clone()),
            }
        }
        for (at, city) in records.cities.iter().enumerate().filter(|(_, c)| wanted("city", &c.id().to_string())) {
            match at % 2 {
                0 => world.cities.reject(city.id(), "odd"),
                _ => world.cities.insert(city.clone()),
            }
        }
        for (at, place) in records.places.iter().enumerate().filter(|(_, place)| wanted("place", &place.name)) {
            match at % 2 {
                0 => world.places.reject(place.id(), "odd"),
                _ => world.places.insert(place.clone()),
            }
        }
    }
}

/// The records that must leave the diff because of those that are rejected on one side or the other.
fn out(source: &Records, target: &Records, rejected: [&BTreeSet<Name>; 2]) -> BTreeSet<Name> {
    let (source, target) = (source.parents(), target.parents());
    let mut out: BTreeSet<_> = source.keys().filter(|name| rejected[0].contains(*name)).cloned().collect();
    out.extend(target.keys().filter(|name| rejected[1].contains(*name)).cloned());
    loop {
        // What only the target has follows its parent there, all else its parent in the source.
        let only_in_target = target.iter().filter(|(name, _)| !source.contains_key(*name));
        let under = source.iter().chain(only_in_target).filter_map(|(name, parent)| Some((name, parent.as_ref()?)));
        let more: Vec<_> = under
            .filter(|(name, parent)| out.contains(*parent) && !out.contains(*name))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return out;
        }
        out.extend(more);
    }
}

proptest! {
    #[test]
    fn after_a_sync_there_are_no_differences(source in worlds(true), target in worlds(true), concurrency in 1usize..6) {
        let rig = Rig::new(source.clone(), target).into_shared();
        prop_assert_eq!(rig.run(concurrently(concurrency)).status, Status::Completed);
        prop_assert_eq!(rig.target_records().sorted(), source.sorted());
        let calls = rig.calls().len();
        let again = rig.run(apply());
        prop_assert_eq!((again.status, again.counts.unchanged), (Status::Completed, again.counts.records()));
        prop_assert_eq!(rig.calls().len(), calls);
    }

    #[test]
    fn a_world_does_not_differ_from_itself(world in worlds(false)) {
        let plan = Plan::new(world.world(), world.world());
        prop_assert!(plan.diff().is_empty(), "{}", plan.tree());
        prop_assert_eq!(plan.diff().summary().total.records(), world.parents().len());
    }

    #[test]
    fn the_order_of_loading_changes_nothing(
        (source, source_again) in worlds(false).prop_flat_map(|world| (Just(world.clone()), shuffled(world))),
        (target, target_again) in worlds(false).prop_flat_map(|world| (Just(world.clone()), shuffled(world))),
    ) {
        let plan = Plan::new(source.world(), target.world());
        let again = Plan::new(source_again.world(), target_again.world());
        prop_assert_eq!(changes(&plan), changes(&again));
        prop_assert_eq!(plan.diff().summary(), again.diff().summary());
        prop_assert_eq!(plan.diff().operations(), changes(&plan).len());
        let union: BTreeSet<_> = source.parents().into_keys().chain(target.parents().into_keys()).collect();
        prop_assert_eq!(plan.diff().summary().total.records(), union.len());
    }

    #[test]
    fn whatever_fails_the_outcomes_add_up_and_a_second_run_mends_it(
        source in worlds(true),
        target in worlds(true),
        answers in answers(),
        concurrency in 1usize..6,
    ) {
        let rig = Rig::new(source.clone(), target).into_shared();
        locked(&rig.answers).extend(answers.clone());
        // The rig sees to it that the outcomes add up, and that the target is asked for nothing that it cannot do.
        let report = rig.run(concurrently(concurrency));
        let calls = rig.calls();
        let failed: BTreeSet<_> = calls.iter().filter(|call| answers.contains_key(*call)).collect();
        prop_assert_eq!(report.counts.failed, failed.len());
        prop_assert_eq!(report.counts.written() + failed.len(), calls.len());
        prop_assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len(), "something was attempted twice");
        let fatal = calls.iter().any(|call| answers.get(call) == Some(&Answer::Fatal));
        let expected = match (fatal, failed.is_empty()) {
            (true, _) => Status::Failed,
            (false, false) => Status::Partial,
            (false, true) => Status::Completed,
        };
        prop_assert_eq!(report.status, expected);
        prop_assert_eq!(report.counts.not_attempted == 0 || fatal, true);

        // Nothing is written under what was to be created and was not.
        let parents = source.parents();
        let planned = changes(report.plan().unwrap());
        for call in calls.iter().filter(|call| !call.starts_with("delete")) {
            let (_, name) = call.split_once(' ').unwrap();
            if let Some(parent) = parents[name].as_ref() {
                let is_new = planned.get(parent).is_some_and(|(before, _)| before.is_null());
                let create = format!("create {parent}");
                let is_there = !is_new || calls.contains(&create) && !failed.contains(&create);
                prop_assert!(is_there, "{call} under {parent}");
            }
        }

        locked(&rig.answers).clear();
        prop_assert_eq!(rig.run(apply()).status, Status::Completed);
        prop_assert_eq!(rig.target_records().sorted(), source.sorted());
    }

    #[test]
    fn what_is_rejected_is_left_alone_with_all_under_it(
        source in worlds(true),
        target in worlds(true),
        rejected in (rejections(), rejections()),
    ) {
        let rig = Rig::new(source.clone(), target.clone())
            .source_then(reject(&source, rejected.0.clone()))
            .target_then(reject(&target, rejected.1.clone()))
            .into_shared();
        let report = rig.run(apply());
        let out = out(&source, &target, [&rejected.0, &rejected.1]);
        prop_assert_eq!(report.counts.rejected, out.len());
        for call in rig.calls() {
            let (_, name) = call.split_once(' ').unwrap();
            prop_assert!(!out.contains(name), "{}", call);
        }
        // All else is as in the source, but for what a record that is left alone lives under.
        let (now, then) = (rig.target_records().parents(), target.parents());
        for (name, parent) in source.parents() {
            if out.contains(&name) {
                prop_assert_eq!(now.get(&name), then.get(&name));
            } else {
                prop_assert_eq!(now.get(&name), Some(&parent));
            }
        }
        prop_assert_eq!(report.counts.failed + report.counts.not_attempted, 0);
    }
}

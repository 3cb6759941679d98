//! Tests of the generated types.

use std::collections::BTreeMap;

use diffsync_core::job::{JobKind, JobSpec, VariableValues};
use diffsync_core::model::AsKey;
use diffsync_core::plan::PlanView;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, JobRegistry, ModelExt, Plan, SyncModel, Table};

use crate::taken_names;
use crate::void::VoidToVoid;
use crate::world::{
    City, CityId, Country, CountryPatch, Place, PlaceId, Quarter, Region, RegionId, Row, Street, Tag, World,
};

fn niue() -> Country {
    Country {
        code: "nu".into(),
        region: RegionId::new("oceania"),
        population: Some(1_619),
        happiness: None,
        names: BTreeMap::new(),
        r#type: None,
        token: Secret::new("hunter2".into()),
        remote_id: Some(4),
    }
}

fn row(number: u64) -> Row {
    let (text, maybe, floats) = (String::new, || None, Vec::new);
    #[rustfmt::skip]
    let row = Row {
        number,
        a0: 0, a1: 0, a2: 0, a3: 0, a4: 0, a5: 0, a6: 0, a7: 0, a8: 0, a9: 0,
        b0: 0, b1: 0, b2: 0, b3: 0, b4: 0, b5: 0, b6: 0, b7: 0, b8: 0, b9: 0,
        c0: text(), c1: text(), c2: text(), c3: text(), c4: text(),
        c5: text(), c6: text(), c7: text(), c8: text(), c9: text(),
        d0: maybe(), d1: maybe(), d2: maybe(), d3: maybe(), d4: maybe(),
        d5: maybe(), d6: maybe(), d7: maybe(), d8: maybe(), d9: maybe(),
        e0: 0.0, e1: 0.0, e2: 0.0, e3: 0.0, e4: 0.0, e5: 0.0, e6: 0.0, e7: 0.0, e8: 0.0, e9: f64::NAN,
        f0: floats(), f1: floats(), f2: floats(), f3: floats(), f4: floats(),
        f5: floats(), f6: floats(), f7: floats(), f8: floats(), f9: vec![f32::NAN],
        g0: false, g1: false, g2: false, g3: false, g4: false,
        g5: false, g6: false, g7: false, g8: false, g9: false,
    };
    row
}

/// The names of the attributes in which two rows differ, as the plan for them says.
fn changes(change: impl FnOnce(&mut Row)) -> Vec<String> {
    let (mut source, mut target) = (World::default(), World::default());
    let mut changed = row(1);
    change(&mut changed);
    source.rows.extend([changed, row(2)]);
    target.rows.extend([row(2), row(1)]);
    let tree = Plan::new(source, target).tree().to_string();
    tree.lines().skip(1).filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned())).collect()
}

#[test]
fn an_identifier_is_made_of_what_converts_into_its_parts() {
    assert_eq!(RegionId::new("asia"), RegionId { slug: "asia".to_owned() });
    assert_eq!(CityId::new("fr", "Paris", 6), CityId::new("fr".to_owned(), 'P'.to_string() + "aris", Some(6)));
    assert_eq!(PlaceId::new(7_u8), PlaceId { number: 7 });
}

#[test]
fn identifiers_never_look_the_same() {
    let text = |country, name, part| CityId::new(country, name, part).to_string();
    assert_eq!(RegionId::new("asia").to_string(), "asia");
    assert_eq!(text("fr", "Paris", Some(6)), "fr__Paris__6");
    assert_eq!(text("fr", "Paris", None), "fr__Paris__null");
    assert_eq!(text("fr", "null", None), "fr__\"null\"__null");
    assert_ne!(text("a__b", "c", None), text("a", "b__c", None));
    assert_eq!(format!("{:?}", PlaceId::new(7_u32)), "7");
}

#[test]
fn a_patch_says_only_what_changed_and_no_secret() {
    let mut patch = CountryPatch::default();
    assert!(patch.is_empty());
    assert_eq!(format!("{patch:?}"), "CountryPatch {}");
    patch.population = Some(None);
    patch.r#type = Some(Some("kingdom".into()));
    patch.token = Some(Secret::new("hunter3".into()));
    assert!(!patch.is_empty());
    let shown = format!("{patch:?}");
    assert_eq!(shown, r#"CountryPatch {"population":null,"token":"[secret]","type":"kingdom"}"#);
}

#[test]
fn an_optional_attribute_can_be_left_alone_set_or_cleared() {
    let unchanged = niue().patched(&CountryPatch::default());
    let set = niue().patched(&CountryPatch { happiness: Some(Some(0.9)), ..CountryPatch::default() });
    let cleared = niue().patched(&CountryPatch { population: Some(None), ..CountryPatch::default() });
    assert_eq!(unchanged, niue());
    assert_eq!(set, Country { happiness: Some(0.9), ..niue() });
    assert_eq!(cleared, Country { population: None, ..niue() });
}

#[test]
fn a_patch_of_the_changed_attributes_holds_their_values() {
    let mut positions = Vec::new();
    let changed = Country { population: None, r#type: Some("state".into()), remote_id: None, ..niue() };
    changed.differences(&niue(), &mut |position| positions.push(position));
    let names: Vec<_> = positions.iter().map(|&position| Country::SCHEMA.attributes[position].name).collect();
    assert_eq!(names, ["population", "type"], "a local field is not compared");
    let patch = changed.patch(&niue(), &|position| positions.contains(&position));
    assert_eq!(format!("{patch:?}"), r#"CountryPatch {"population":null,"type":"state"}"#);
    assert_eq!(niue().patched(&patch), Country { remote_id: Some(4), ..changed });
}

#[test]
fn a_raw_identifier_is_named_without_its_prefix() {
    let names: Vec<_> = Country::SCHEMA.attributes.iter().map(|attribute| attribute.name).collect();
    assert_eq!(names, ["region", "population", "happiness", "names", "type", "token"]);
    assert_eq!(Street::SCHEMA.links[0].fields, ["kind", "city"]);
    let variables: Vec<_> = VoidToVoid::VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(variables[6..8], ["if", "for"]);
}

#[test]
fn the_schema_says_what_the_user_wrote() {
    assert_eq!((City::NAME, City::SCHEMA.type_name), ("town", "City"));
    assert_eq!(Country::SCHEMA.description, "A country, which can move to another region.");
    assert_eq!(Country::SCHEMA.attributes[3].type_name, "BTreeMap<String, String>");
    assert_eq!(Country::SCHEMA.locals[0].description, "The number that this side gave it.");
    assert_eq!(Place::SCHEMA.links[0].model, "place");
    assert!(Tag::SCHEMA.attributes.is_empty());
}

#[test]
fn a_record_is_found_by_whatever_names_it() {
    let mut world = World::default();
    world.regions.insert(Region { slug: "oceania".into(), name: "Oceania".into() });
    let city = City { country: "fr".into(), name: "Paris".into(), part: Some(6), addresses: Vec::new() };
    world.cities.insert(city.clone());
    assert!(world.regions.contains("oceania"));
    assert!(world.regions.contains(&String::from("oceania")));
    assert!(world.regions.contains(&niue().region));
    assert!(world.regions.contains(&Some(niue().region)));
    assert!(!world.regions.contains(&None::<String>));
    assert!(world.cities.contains(&("fr", "Paris", Some(6))));
    assert!(world.cities.contains(&city.id()));
    assert!(!world.cities.contains(&("fr", "Paris", None)));
    assert!(AsKey::<City>::key(&city.id()).is_some_and(|key| city.is(key) && City::to_id(key) == city.id()));
}

#[test]
fn local_fields_are_not_handed_over() {
    assert_eq!(*niue().for_target(false), Country { remote_id: None, ..niue() });
}

#[test]
fn each_of_seventy_attributes_is_compared() {
    assert_eq!(Row::SCHEMA.attributes.len(), 70);
    assert_eq!(changes(|_| ()), [""; 0], "a NaN is the same as a NaN");
    assert_eq!(changes(|row| row.a0 = 1), ["a0"]);
    assert_eq!(changes(|row| row.d9 = Some(String::new())), ["d9"]);
    assert_eq!(changes(|row| row.f3 = vec![0.5]), ["f3"], "the sixty-fourth and what follows are compared, too");
    assert_eq!(changes(|row| row.g3 = true), ["g3"]);
    assert_eq!(changes(|row| row.g4 = true), ["g4"]);
    assert_eq!(changes(|row| row.g9 = true), ["g9"]);
    let all = changes(|row| {
        let other = Row { a0: 1, b9: 1, c5: "c".into(), e9: 0.0, f0: vec![1.0], g9: true, ..row.clone() };
        *row = other;
    });
    assert_eq!(all, ["a0", "b9", "c5", "e9", "f0", "g9"]);
}

#[test]
fn a_parent_named_by_several_fields_is_found() {
    let mut source = World::default();
    source.quarters.insert(Quarter { city: "paris".into(), r#type: "sleeping".into() });
    let street = |name: &str, kind: &str| Street { city: "paris".into(), name: name.into(), kind: kind.into() };
    source.streets.extend([street("Rue A", "sleeping"), street("Rue B", "working")]);
    let plan = Plan::new(source, World::default());
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("Rue B") && problems[0].contains("quarter"), "{problems:?}");
}

#[test]
fn a_job_has_the_variables_that_its_fields_say() {
    let job = VoidToVoid::from_variables(&VariableValues::new().with("for", "1").with("for", "2")).unwrap();
    let VoidToVoid { text, url, small, negative, half, r#if, r#for, token, .. } = job;
    assert_eq!((text.as_str(), url.as_str()), ("nothing", "https://void.example/"));
    assert_eq!((small, negative, r#if, r#for, token), (1, -1, false, vec![1, 2], None));
    assert!((half - 0.5).abs() < f64::EPSILON);
    assert_eq!(VoidToVoid::VARIABLES.len(), 18);
    assert_eq!(VoidToVoid::INFO.kind, JobKind::DataTarget);
}

#[test]
fn jobs_are_known_to_the_program_that_links_them() {
    let jobs = JobRegistry::from_linked([]).unwrap();
    let ids: Vec<_> = jobs.iter().map(|job| job.info().id).collect();
    assert_eq!(ids, ["elsewhere-to-elsewhere", "lab-to-lab", "nowhere-to-nowhere", "void-to-void"]);
}

#[test]
fn a_model_and_its_data_set_can_stand_in_a_function() {
    /// Something.
    #[derive(SyncModel)]
    struct Thing {
        #[sync(id)]
        number: u8,
        color: char,
    }

    #[derive(Dataset, Default)]
    struct Things {
        things: Table<Thing>,
    }

    let (mut source, mut target) = (Things::default(), Things::default());
    source.things.insert(Thing { number: 1, color: 'r' });
    target.things.insert(Thing { number: 1, color: 'g' });
    assert_eq!(Plan::new(source, target).tree().to_string(), "~ thing 1\n    color: \"g\" -> \"r\"\n");
}

#[test]
fn names_that_generated_code_uses_are_free() {
    assert_eq!(taken_names::records(Plan::new(taken_names::M::default(), taken_names::M::default()).source()), 0);
}

#[test]
fn a_plan_is_read_without_knowing_its_models() {
    let (mut source, mut target) = (World::default(), World::default());
    source.regions.insert(Region { slug: "asia".into(), name: "Asia".into() });
    target.regions.mark_loaded();
    let plan: Box<dyn PlanView> = Box::new(Plan::new(source, target));
    assert_eq!(plan.diff().summary().total.create, 1);
}

//! Generated code under the strictest lints: a crate as a careful user would write it, with every kind of model, data
//! set, adapter and job. It only has to compile; the tests at the end check the generated types.

#![deny(warnings, missing_docs, unreachable_pub, clippy::pedantic)]
#![deny(missing_debug_implementations, rust_2018_idioms, rustdoc::all)]
#![deny(single_use_lifetimes, trivial_casts, unused_lifetimes, unused_qualifications, unused_results)]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError};
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Dataset, Job, ModelExt, SyncModel, Table, Target, job};

pub mod adapters;
pub mod elsewhere;
pub mod hidden;
pub mod keys;

/// A geographic region.
///
/// Named by [`Self::slug`] and shown as [`name`](Self::name).
#[derive(SyncModel, Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What it is called in URLs; see also [`Self::name`].
    #[sync(id)]
    pub slug: String,
    /// What it is called by people who would not call it [`Self::slug`].
    pub name: String,
}

/// A country, which can move to another region.
#[derive(SyncModel, Debug, Clone, PartialEq)]
pub struct Country {
    /// Its code.
    #[sync(id)]
    pub code: String,
    /// The region that it lies in.
    #[sync(parent = Region)]
    pub region: RegionId,
    /// How many people live there, if anybody counted.
    pub population: Option<u64>,
    /// How many of them are happy.
    pub happiness: Option<f64>,
    /// What it is called in other languages.
    pub names: BTreeMap<String, String>,
    /// What kind of state it is.
    pub r#type: Option<String>,
    /// Who may change it.
    pub token: Secret<String>,
    /// The number that this side gave it.
    #[sync(local)]
    pub remote_id: Option<i64>,
}

/// A city: the same name in another country is another city.
#[derive(SyncModel, Debug, Clone)]
#[sync(name = "town")]
pub struct City {
    /// The country that it lies in.
    #[sync(id, parent = Country)]
    pub country: String,
    /// What it is called.
    #[sync(id)]
    pub name: String,
    /// The part of it that is meant, if not all.
    #[sync(id)]
    pub part: Option<u8>,
    /// Where its servers listen.
    pub addresses: Vec<IpAddr>,
}

/// A place in a place.
#[derive(SyncModel, Debug, Clone)]
pub struct Place {
    /// Its number.
    #[sync(id)]
    pub number: u32,
    /// The place that it lies in.
    #[sync(parent = Self)]
    pub within: Option<u32>,
}

/// A street of a city, and of no part of it.
#[derive(SyncModel, Debug, Clone)]
#[sync(parent(Quarter, r#type = kind, city = city))]
pub struct Street {
    /// The city that it lies in.
    #[sync(id)]
    pub city: String,
    /// What it is called.
    #[sync(id)]
    pub name: String,
    /// The kind of quarter that it lies in.
    pub kind: String,
}

/// A quarter of a city.
#[derive(SyncModel, Debug, Clone)]
pub struct Quarter {
    /// The city that it lies in.
    #[sync(id)]
    pub city: String,
    /// What people do there.
    #[sync(id)]
    pub r#type: String,
}

/// A word for things: there is nothing to say of it.
#[derive(SyncModel, Debug, Clone)]
pub struct Tag {
    /// The word.
    #[sync(id)]
    pub word: String,
}

/// Makes a model of as many attributes, whose types are its caller's words.
macro_rules! wide {
    ($(#[$attribute:meta])* $model:ident: $id:ty, $($(#[$doc:meta])* $field:ident: $kind:ty),* $(,)?) => {
        $(#[$attribute])*
        #[derive(SyncModel, Debug, Clone)]
        pub struct $model {
            /// Its number.
            #[sync(id)]
            pub number: $id,
            $(
                #[doc = concat!("The column `", stringify!($field), "`.")]
                $(#[$doc])*
                pub $field: $kind,
            )*
        }
    };
}

wide! {
    /// A row of a spreadsheet that grew.
    Row: u64,
    a0: u8, a1: u8, a2: u8, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: u8, a9: u8,
    b0: u16, b1: u16, b2: u16, b3: u16, b4: u16, b5: u16, b6: u16, b7: u16, b8: u16, b9: u16,
    c0: String, c1: String, c2: String, c3: String, c4: String, c5: String, c6: String, c7: String, c8: String,
    c9: String,
    d0: Option<String>, d1: Option<String>, d2: Option<String>, d3: Option<String>, d4: Option<String>,
    d5: Option<String>, d6: Option<String>, d7: Option<String>, d8: Option<String>, d9: Option<String>,
    e0: f64, e1: f64, e2: f64, e3: f64, e4: f64, e5: f64, e6: f64, e7: f64, e8: f64, e9: f64,
    f0: Vec<f32>, f1: Vec<f32>, f2: Vec<f32>, f3: Vec<f32>, f4: Vec<f32>, f5: Vec<f32>, f6: Vec<f32>, f7: Vec<f32>,
    f8: Vec<f32>, f9: Vec<f32>,
    g0: bool, g1: bool, g2: bool, g3: bool, g4: bool, g5: bool, g6: bool, g7: bool, g8: bool, g9: bool,
}

wide! {
    /// Makes sure that types which a macro's caller wrote can be anything a field can be.
    Narrow: String,
    text: String,
    maybe: Option<String>,
    secret: Secret<String>,
    #[sync(local)]
    remote: Option<i64>,
}

/// Everything.
#[derive(Dataset, Debug, Default)]
pub struct World {
    /// The regions.
    pub regions: Table<Region>,
    /// The countries.
    pub countries: Table<Country>,
    /// The cities.
    pub cities: Table<City>,
    /// The places.
    pub places: Table<Place>,
    /// The quarters.
    pub quarters: Table<Quarter>,
    /// The streets.
    pub streets: Table<Street>,
    /// The tags.
    pub tags: Table<Tag>,
    /// The rows.
    pub rows: Table<Row>,
    /// What a macro made.
    pub narrow: Table<Narrow>,
}

/// A system that holds nothing and takes everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Void;

impl Adapter for Void {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        world.regions.mark_loaded();
        Ok(())
    }
}

macro_rules! targets {
    ($($model:ident, $patch:ident;)*) => {$(
        impl Target<$model> for Void {
            async fn create(&self, new: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }

            async fn update(
                &self,
                old: &$model,
                patch: &$patch,
                _: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                Ok(old.patched(patch))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    )*};
}

targets! {
    Region, RegionPatch;
    City, CityPatch;
    Place, PlacePatch;
    Quarter, QuarterPatch;
    Street, StreetPatch;
    Tag, TagPatch;
    Row, RowPatch;
    Narrow, NarrowPatch;
}

impl Target<Country> for Void {
    async fn create(&self, new: &Country, cx: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        let region = cx.current(&new.region)?;
        Ok(Country { region: region.id(), ..new.clone() })
    }

    async fn update(
        &self,
        old: &Country,
        patch: &CountryPatch,
        _: &WriteContext<'_, World>,
    ) -> Result<Country, TargetError> {
        if patch.is_empty() { Ok(old.clone()) } else { Ok(old.patched(patch)) }
    }

    async fn delete(&self, old: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        Err(TargetError::new(format!("{} stays", old.id())))
    }
}

/// Keeps nothing in line with nothing.
#[job(
    source = Void,
    target = Void,
    name = "Void to void",
    kind = data_target,
    source_label = "Nothing",
    target_label = "Nothing either",
    source_icon = "void.svg",
    target_icon = "void.svg",
    dryrun_default = false,
    hidden = true,
    concurrency = 2
)]
#[derive(Debug, Clone, PartialEq)]
pub struct VoidToVoid {
    /// A text.
    #[var(default = "nothing", env = "VOID", group = "Texts")]
    pub text: String,
    /// A path.
    pub path: Option<PathBuf>,
    /// An address.
    #[var(default = "https://void.example/")]
    pub url: Url,
    /// A small number.
    #[var(default = 1)]
    pub small: u8,
    /// A number below zero.
    #[var(default = -1)]
    pub negative: i64,
    /// Half of one.
    #[var(default = 0.5)]
    pub half: f64,
    /// Whether to.
    pub r#if: bool,
    /// Which ones.
    pub r#for: Vec<u16>,
    /// What nobody may see.
    pub token: Option<Secret<String>>,
    /// One.
    pub one: Option<u8>,
    /// Two.
    pub two: Option<u16>,
    /// Three.
    pub three: Option<u32>,
    /// Four.
    pub four: Option<u64>,
    /// Five.
    pub five: Option<usize>,
    /// Six.
    pub six: Option<i8>,
    /// Seven.
    pub seven: Option<i16>,
    /// Eight.
    pub eight: Option<f32>,
    /// Nine.
    pub nine: Vec<String>,
}

impl Job for VoidToVoid {
    async fn source_adapter(&self, _: &JobContext) -> Result<Void, JobError> {
        Ok(Void)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Void, JobError> {
        Ok(Void)
    }
}

/// What nobody outside sees, and what is hardly used inside: generated code that is not used is no warning.
mod inside {
    use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
    use diffsync_core::job::{JobContext, JobError};
    use diffsync_core::value::Secret;
    use diffsync_core::{Adapter, Dataset, Job, SyncModel, Table, Target, job};

    #[derive(SyncModel)]
    struct Region {
        #[sync(id)]
        slug: String,
        name: Option<String>,
    }

    #[derive(SyncModel)]
    #[sync(parent(Region, slug = region))]
    pub(super) struct Country {
        #[sync(id)]
        code: char,
        #[sync(id)]
        region: String,
        community: Secret<String>,
        weight: f32,
        #[sync(local)]
        remote_id: u64,
    }

    /// Nothing but an identifier.
    #[derive(SyncModel)]
    pub(crate) struct Word {
        #[sync(id)]
        r#fn: i8,
    }

    #[derive(Dataset, Default)]
    struct World {
        regions: Table<Region>,
        countries: Table<Country>,
        words: Table<Word>,
    }

    struct Nowhere;

    impl Adapter for Nowhere {
        type Data = World;

        async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            world.regions.insert(Region { slug: "asia".into(), name: None });
            world.countries.insert(Country {
                code: 'c',
                region: "asia".into(),
                community: Secret::default(),
                weight: 1.0,
                remote_id: 7,
            });
            world.words.insert(Word { r#fn: 1 });
            Ok(())
        }
    }

    macro_rules! refuses {
        ($($model:ident, $patch:ident;)*) => {$(
            impl Target<$model> for Nowhere {
                async fn create(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                    Err(TargetError::new("it is nowhere"))
                }

                async fn update(
                    &self,
                    _: &$model,
                    _: &$patch,
                    _: &WriteContext<'_, World>,
                ) -> Result<$model, TargetError> {
                    Err(TargetError::new("it is nowhere"))
                }

                async fn delete(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                    Err(TargetError::new("it is nowhere"))
                }
            }
        )*};
    }

    refuses! {
        Region, RegionPatch;
        Word, WordPatch;
    }

    impl Target<Country> for Nowhere {
        async fn create(&self, new: &Country, _: &WriteContext<'_, World>) -> Result<Country, TargetError> {
            Err(TargetError::new(format!("{} is nowhere", new.remote_id)))
        }

        async fn update(
            &self,
            _: &Country,
            _: &CountryPatch,
            _: &WriteContext<'_, World>,
        ) -> Result<Country, TargetError> {
            Err(TargetError::new("it is nowhere"))
        }

        async fn delete(&self, _: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
            Err(TargetError::new("it is nowhere"))
        }
    }

    #[job(source = Nowhere, target = Nowhere)]
    struct NowhereToNowhere;

    impl Job for NowhereToNowhere {
        async fn source_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
            Ok(Nowhere)
        }

        async fn target_adapter(&self, _: &JobContext) -> Result<Nowhere, JobError> {
            Ok(Nowhere)
        }
    }
}

/// Models whose names generated code could use for something else.
pub mod taken_names {
    use diffsync_core::{Dataset, SyncModel, Table};

    /// As a generic parameter is called.
    #[derive(SyncModel, Debug)]
    pub struct D {
        #[sync(id)]
        value: u8,
    }

    /// As a generic parameter is called.
    #[derive(SyncModel, Debug)]
    pub struct T {
        #[sync(id, parent = D)]
        key: u8,
        record: u8,
        mark: u8,
        target: u8,
        patch: u8,
        position: u8,
        changed: u8,
    }

    /// As a generic parameter is called.
    #[derive(SyncModel, Debug)]
    #[sync(parent(T, key = f))]
    pub struct V {
        #[sync(id)]
        text: String,
        #[sync(id)]
        f: u8,
        serializer: u8,
        changes: String,
        new: u8,
        is_empty: u8,
    }

    /// As a generic parameter is called.
    #[derive(SyncModel, Debug)]
    pub struct S {
        #[sync(id)]
        parts: String,
        #[sync(id)]
        deserializer: String,
        #[sync(parent = V)]
        link: VId,
    }

    /// The same for a data set.
    #[derive(Dataset, Debug, Default)]
    pub struct M {
        visitor: Table<D>,
        table: Table<T>,
        table_mut: Table<V>,
        s: Table<S>,
    }

    /// How many records it holds.
    #[must_use]
    pub fn records(all: &M) -> usize {
        let M { visitor, table, table_mut, s } = all;
        visitor.len() + table.len() + table_mut.len() + s.len()
    }

    /// What these names are in a program, lest they are what generated code takes them for.
    #[allow(dead_code, non_camel_case_types, reason = "only their names matter")]
    mod shadows {
        struct Option;
        struct Result;
        struct Some;
        trait Clone {}
        trait Into {}
        mod core {}
        mod std {}

        #[derive(diffsync_core::SyncModel)]
        struct Model {
            #[sync(id)]
            id: u8,
            name: String,
        }
    }
}

#[cfg(test)]
mod tests {
    use diffsync_core::job::{JobKind, JobSpec, VariableValues};
    use diffsync_core::model::AsKey;
    use diffsync_core::plan::PlanView;
    use diffsync_core::{JobRegistry, Plan};

    use super::*;

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
}

//! The diff: what differs, and how it is shown.

use std::collections::BTreeMap;
use std::fmt;

use diffsync_core::plan::PlanView;
use diffsync_core::value::Secret;
use diffsync_core::{Dataset, Plan, SyncModel, Table};
use serde_json::{Value, json};

use crate::world::{Records, Region, World, counted, records, region, tree, world};

/// Compares two worlds and expects this tree.
#[track_caller]
fn check(source: World, target: World, expected: &str) {
    assert_eq!(tree(source, target), expected);
}

/// The tree of a data set of which the source and the target hold these records.
fn tree_of<D: Dataset + diffsync_core::data::HasTable<M>, M: SyncModel>(
    source: impl IntoIterator<Item = M>,
    target: impl IntoIterator<Item = M>,
) -> String {
    plan_of::<D, M>(source, target).tree().to_string()
}

fn plan_of<D: Dataset + diffsync_core::data::HasTable<M>, M: SyncModel>(
    source: impl IntoIterator<Item = M>,
    target: impl IntoIterator<Item = M>,
) -> Plan<D> {
    let (mut source_data, mut target_data) = (D::default(), D::default());
    source_data.table_mut().extend(source);
    target_data.table_mut().extend(target);
    Plan::new(source_data, target_data)
}

#[test]
fn two_equal_worlds_have_no_differences() {
    let lines = ["europe", "europe/france", "europe/france/paris", ":house", "house:floor"];
    check(world(&lines), world(&lines), "(no differences)\n");
    check(world(&[]), world(&[]), "(no differences)\n");
}

#[test]
fn a_record_only_in_the_source_is_a_create() {
    check(
        world(&["europe", "europe/france", "europe/france/paris"]),
        world(&["europe"]),
        "region europe\n  + country france\n    + city france__paris\n",
    );
}

#[test]
fn a_record_only_in_the_target_is_a_delete() {
    check(
        world(&["europe"]),
        world(&["europe", "europe/france", "europe/france/paris", ":house"]),
        "region europe\n  - country france\n    - city france__paris\n- place house\n",
    );
}

#[test]
fn a_record_with_a_differing_attribute_is_an_update() {
    let france = |population| {
        let mut world = world(&["europe", "europe/france"]);
        world.countries.modify("france", |france| france.population = population);
        world
    };
    let expected = "region europe\n  ~ country france\n      population: 67 -> null\n";
    check(france(None), france(Some(67)), expected);
    let mut source = france(Some(68));
    source.regions.modify("europe", |europe| europe.name = "Evropa".into());
    check(
        source,
        france(Some(67)),
        "~ region europe\n    name: \"EUROPE\" -> \"Evropa\"\n  ~ country france\n      population: 67 -> 68\n",
    );
}

#[test]
fn what_is_local_is_not_compared() {
    let mut source = world(&["europe"]);
    source.regions.modify("europe", |europe| europe.remote_id = Some(7));
    check(source, world(&["europe"]), "(no differences)\n");
}

#[test]
fn a_moved_child_is_an_update_and_stands_under_its_new_parent() {
    check(
        world(&["europe", "asia", "asia/turkey", "asia/turkey/izmir"]),
        world(&["europe", "asia", "europe/turkey"]),
        "region asia\n  ~ country turkey\n      region: \"europe\" -> \"asia\"\n    + city turkey__izmir\n",
    );
}

#[test]
fn a_child_with_its_parent_in_its_identifier_becomes_another_record() {
    check(
        world(&["asia", "asia/turkey", "asia/japan", "asia/turkey/izmir"]),
        world(&["asia", "asia/turkey", "asia/japan", "asia/japan/izmir"]),
        "region asia\n  country turkey\n    + city turkey__izmir\n  country japan\n    - city japan__izmir\n",
    );
}

#[test]
fn a_model_that_nests_in_itself_is_shown_nested() {
    check(
        world(&[":house", "house:floor", "floor:room", "room:shelf", ":garden", "garden:shed"]),
        world(&[":house", "house:floor", ":shed", "house:attic", "attic:trunk"]),
        "place house\n  place floor\n    + place room\n      + place shelf\n  - place attic\n    - place trunk\n\
         + place garden\n  ~ place shed\n      within: null -> \"garden\"\n",
    );
}

#[test]
fn a_circle_of_parents_in_the_target_ends() {
    check(
        world(&[":a"]),
        world(&["b:a", "a:b", "x:y", "z:x", "y:z", "y:below", "self:self"]),
        "~ place a\n    within: \"b\" -> null\n  - place b\n- place z\n  - place x\n    - place y\n      - place below\n\
         - place self\n",
    );
}

#[test]
fn a_value_is_shown_as_json() {
    let named = |name: &str| World {
        regions: [Region { name: name.into(), ..region("x") }].into_iter().collect(),
        ..world(&[])
    };
    check(named("a \"b\"\n"), named("ä"), "~ region x\n    name: \"ä\" -> \"a \\\"b\\\"\\n\"\n");
}

#[test]
fn the_document_nests_as_the_peer_does() {
    let mut source = world(&["europe", "europe/france", "europe/france/paris", "asia", ":house", "house:floor"]);
    source.countries.modify("france", |france| france.population = Some(67));
    source.places.modify("floor", |floor| floor.kind = "floor".into());
    let target = world(&["europe", "europe/france", "europe/spain", "asia", ":house", "house:floor", "floor:shed"]);
    let document = serde_json::to_value(Plan::new(source, target).tree()).unwrap();
    assert_eq!(
        document,
        json!({
            "region": {
                "europe": {
                    "country": {
                        "france": {
                            "+": {"population": 67},
                            "-": {"population": null},
                            "city": {"france__paris": {"+": {"motto": null}}},
                        },
                        "spain": {"-": {"region": "europe", "population": null, "community": "[secret]"}},
                    },
                },
            },
            "place": {
                "house": {
                    "place": {
                        "floor": {
                            "+": {"kind": "floor"},
                            "-": {"kind": "area"},
                            "place": {"shed": {"-": {"within": "floor", "kind": "area"}}},
                        },
                    },
                },
            },
        })
    );
}

#[test]
fn models_stand_in_the_document_in_the_order_of_the_data_set() {
    let document =
        serde_json::to_string(&Plan::new(world(&["europe", ":house"]), world(&["europe/x"])).tree()).unwrap();
    let places = ["country", "region", "place"].map(|model| document.find(&format!("\"{model}\"")).unwrap());
    assert!(places.is_sorted(), "{document}");
    assert_eq!(serde_json::to_string(&Plan::new(world(&[]), world(&[])).tree()).unwrap(), "{}");
}

#[test]
fn a_secret_is_compared_and_shown_nowhere() {
    let with = |community: &str| {
        let mut world = world(&["europe", "europe/france"]);
        world.countries.modify("france", |france| france.community = Secret::new(community.into()));
        world
    };
    let plan = Plan::new(with("hunter2"), with("hunter3"));
    let shown = plan.tree().to_string();
    assert_eq!(shown, "region europe\n  ~ country france\n      community: \"[secret]\" -> \"[secret]\"\n");
    let document = serde_json::to_string(&plan.tree()).unwrap();
    assert!(document.contains("[secret]"), "{document}");
    for text in [
        document,
        format!("{plan:?}"),
        format!("{:?}", plan.tree()),
        format!("{:?}", plan.source().countries.get("france")),
    ] {
        assert!(!text.contains("hunter"), "{text}");
    }
    check(with("hunter2"), with("hunter2"), "(no differences)\n");
}

/// A reading of an instrument.
#[derive(SyncModel)]
struct Reading {
    #[sync(id)]
    number: u32,
    value: f64,
    history: Vec<Option<f32>>,
    limits: BTreeMap<String, f64>,
    unit: Option<String>,
    /// A value that JSON has no form for.
    odd: Odd,
}

/// What serialises only as long as it is 0.
#[derive(Clone, PartialEq, serde::Deserialize)]
struct Odd(u8);

impl serde::Serialize for Odd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 { serializer.serialize_u8(0) } else { Err(serde::ser::Error::custom("it is odd")) }
    }
}

#[derive(Dataset, Default)]
struct Readings {
    readings: Table<Reading>,
}

fn reading(value: f64, unit: Option<&str>) -> Reading {
    let history = vec![Some(1.0), None, Some(f32::NAN)];
    let limits = BTreeMap::from([("high".to_owned(), f64::NAN)]);
    Reading { number: 1, value, history, limits, unit: unit.map(Into::into), odd: Odd(0) }
}

#[test]
fn values_are_compared_as_what_they_are() {
    let check = |source, target, expected: &str| {
        assert_eq!(tree_of::<Readings, _>([source], [target]), expected);
    };
    check(reading(f64::NAN, None), reading(-f64::NAN, None), "(no differences)\n");
    check(reading(0.0, None), reading(-0.0, None), "(no differences)\n");
    check(reading(f64::NAN, None), reading(1.0, None), "~ reading 1\n    value: 1.0 -> null\n");
    check(reading(1.0, Some("")), reading(1.0, None), "~ reading 1\n    unit: null -> \"\"\n");
    check(reading(1.0, None), reading(1.0, Some("")), "~ reading 1\n    unit: \"\" -> null\n");
    check(reading(1.0, Some("m")), reading(1.0, Some("m")), "(no differences)\n");
    let mut other = reading(1.0, None);
    other.history.swap(0, 1);
    check(reading(1.0, None), other, "~ reading 1\n    history: [null,1.0,null] -> [1.0,null,null]\n");
}

#[test]
fn a_value_that_cannot_be_shown_hides_nothing_else() {
    let source = Reading { odd: Odd(1), ..reading(1.0, Some("m")) };
    let plan = plan_of::<Readings, _>([source], [reading(1.0, Some("km"))]);
    let odd = "(cannot be shown: it is odd)";
    assert_eq!(plan.tree().to_string(), format!("~ reading 1\n    unit: \"km\" -> \"m\"\n    odd: 0 -> \"{odd}\"\n"));
    assert_eq!(
        serde_json::to_value(plan.tree()).unwrap(),
        json!({"reading": {"1": {"+": {"unit": "m", "odd": odd}, "-": {"unit": "km", "odd": 0}}}})
    );
}

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

macro_rules! wide {
    ($($field:ident)*) => {
        /// What has more attributes than a word has bits.
        #[derive(SyncModel)]
        struct Wide {
            #[sync(id)]
            number: u32,
            $($field: bool,)*
        }

        /// A record of which these attributes are set.
        fn wide(number: u32, set: &[&str]) -> Wide {
            $(assert_eq!(stringify!($field).len(), 4);)*
            Wide { number, $($field: set.contains(&stringify!($field))),* }
        }
    };
}

wide! {
    a000 a001 a002 a003 a004 a005 a006 a007 a008 a009 a010 a011 a012 a013 a014 a015 a016 a017 a018 a019 a020 a021 a022
    a023 a024 a025 a026 a027 a028 a029 a030 a031 a032 a033 a034 a035 a036 a037 a038 a039 a040 a041 a042 a043 a044 a045
    a046 a047 a048 a049 a050 a051 a052 a053 a054 a055 a056 a057 a058 a059 a060 a061 a062 a063 a064 a065 a066 a067 a068
    a069 a070 a071 a072 a073 a074 a075 a076 a077 a078 a079 a080 a081 a082 a083 a084 a085 a086 a087 a088 a089 a090 a091
    a092 a093 a094 a095 a096 a097 a098 a099 a100 a101 a102 a103 a104 a105 a106 a107 a108 a109 a110 a111 a112 a113 a114
    a115 a116 a117 a118 a119 a120 a121 a122 a123 a124 a125 a126 a127 a128 a129
}

#[derive(Dataset, Default)]
struct Wides {
    wides: Table<Wide>,
}

#[test]
fn a_model_may_have_any_number_of_attributes() {
    assert_eq!(Wide::SCHEMA.attributes.len(), 130);
    let changed = [&["a000"][..], &[], &["a063", "a064"], &["a127", "a128"], &["a129"]];
    let source = (0..).zip(changed).map(|(number, set)| wide(number, set));
    let target = (0..).zip(changed).map(|(number, _)| wide(number, &[]));
    let lines = changed.iter().enumerate().filter(|(_, set)| !set.is_empty()).flat_map(|(number, set)| {
        let attributes = set.iter().map(|name| format!("    {name}: false -> true\n"));
        [format!("~ wide {number}\n")].into_iter().chain(attributes)
    });
    assert_eq!(tree_of::<Wides, _>(source, target), lines.collect::<String>());
}

/// A device in a rack.
#[derive(SyncModel)]
struct Device {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
}

/// A port of a device, which can be put into another.
#[derive(SyncModel)]
#[sync(parent(Device, site = site, name = device))]
struct Port {
    #[sync(id)]
    serial: u32,
    site: String,
    device: Option<String>,
}

/// A lane of a port.
#[derive(SyncModel)]
struct Lane {
    #[sync(id, parent = Port)]
    port: u32,
    #[sync(id)]
    number: u8,
}

#[derive(Dataset, Default)]
struct Rack {
    devices: Table<Device>,
    ports: Table<Port>,
    lanes: Table<Lane>,
}

fn rack(ports: &[(u32, &str, Option<&str>)]) -> Rack {
    let device = |(site, name): (&str, &str)| Device { site: site.into(), name: name.into() };
    let port = |&(serial, site, device): &(u32, &str, Option<&str>)| Port {
        serial,
        site: site.into(),
        device: device.map(Into::into),
    };
    let mut rack = Rack::default();
    rack.devices.extend([("ams", "sw1"), ("ams", "sw2"), ("ber", "sw1")].map(device));
    rack.ports.extend(ports.iter().map(port));
    rack.lanes.extend(ports.iter().map(|port| Lane { port: port.0, number: 1 }));
    rack
}

#[test]
fn a_parent_may_be_named_by_several_fields() {
    let source = rack(&[(1, "ams", Some("sw1")), (2, "ber", Some("sw1")), (3, "ams", None)]);
    let target = rack(&[(1, "ams", Some("sw1")), (2, "ams", Some("sw1"))]);
    let plan = Plan::new(source, target);
    assert!(plan.problems().is_empty(), "{:?}", plan.problems());
    assert_eq!(
        plan.tree().to_string(),
        "+ port 3\n  + lane 3__1\ndevice ber__sw1\n  ~ port 2\n      site: \"ams\" -> \"ber\"\n"
    );
    let plan = Plan::new(rack(&[(1, "ber", Some("sw2"))]), rack(&[]));
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["source: port \"1\" is under device \"ber__sw2\", which does not exist"]);
    assert_eq!(counted(plan.diff().summary().total), "3 same, 2 rejected");
}

/// A shelf, which may stand in another of its site.
#[derive(SyncModel)]
#[sync(parent(Self, site = site, name = within))]
struct Shelf {
    #[sync(id)]
    site: String,
    #[sync(id)]
    name: String,
    within: Option<String>,
}

/// A box, which may stand on a shelf.
#[derive(SyncModel)]
struct Box {
    #[sync(id)]
    number: u32,
    #[sync(parent = Shelf)]
    shelf: Option<ShelfId>,
}

#[derive(Dataset, Default)]
struct Store {
    boxes: Table<Box>,
    shelves: Table<Shelf>,
}

#[test]
fn a_parent_may_be_named_by_its_identifier_and_be_absent() {
    let store = |boxes: &[(u32, Option<(&str, &str)>)]| {
        let shelf = |name: &str, within: Option<&str>| Shelf {
            site: "ams".into(),
            name: name.into(),
            within: within.map(Into::into),
        };
        let mut store = Store::default();
        store.shelves.extend([shelf("b", Some("a")), shelf("a", None)]);
        store.boxes.extend(
            boxes
                .iter()
                .map(|&(number, shelf)| Box { number, shelf: shelf.map(|(site, name)| ShelfId::new(site, name)) }),
        );
        store
    };
    let plan = Plan::new(
        store(&[(1, Some(("ams", "b"))), (2, None), (3, Some(("ber", "b"))), (4, Some(("ams", "a")))]),
        store(&[(1, None), (2, Some(("ams", "a"))), (4, Some(("ams", "a")))]),
    );
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [r#"source: box "3" is under shelf "ber__b", which does not exist"#]);
    let on = |name: &str| format!(r#"{{"name":"{name}","site":"ams"}}"#);
    assert_eq!(
        plan.tree().to_string(),
        format!(
            "shelf ams__a\n  shelf ams__b\n    ~ box 1\n        shelf: null -> {}\n~ box 2\n    shelf: {} -> null\n",
            on("b"),
            on("a")
        )
    );
}

#[test]
fn each_record_of_both_sides_is_counted_once() {
    let mut source = world(&["europe", "asia", "europe/france", "europe/spain", "moon/base", ":house", ":house"]);
    source.cities.skip("there are too many");
    source.cities.insert(crate::world::city("france", "paris"));
    source.cities.skip("there are too many");
    let target = world(&["europe", "africa", "europe/france", "africa/egypt", "africa/egypt/cairo", "house:attic"]);
    let plan = Plan::new(source, target);
    let summary = plan.diff().summary();
    let counts: Vec<_> = summary.models.iter().map(|model| (model.model, counted(model.counts))).collect();
    let expected = [
        ("city", "2 left out"),
        ("country", "1 create, 1 delete, 1 same, 1 rejected"),
        ("region", "1 create, 1 delete, 1 same"),
        ("place", "2 rejected"),
    ];
    assert_eq!(counts, expected.map(|(model, counts)| (model, counts.to_owned())));
    assert_eq!(summary.total.records(), 11);
    assert_eq!(summary.models.iter().map(|model| model.counts.records()).sum::<usize>(), 11);
    assert_eq!(plan.diff().operations(), 4);
    assert!(!plan.diff().is_empty());
    assert_eq!(
        serde_json::to_value(&summary).unwrap()["models"][1],
        json!({
            "model": "country", "create": 1, "update": 0, "delete": 1, "cascade": 0, "no_change": 1, "held": 0,
            "unsupported": 0, "rejected": 1, "left_out": 0,
        })
    );
}

#[test]
fn a_plan_is_read_without_knowing_its_records() {
    let plan = Plan::new(world(&["europe", "europe/france"]), world(&["asia", "asia/france"]));
    let view: &dyn PlanView = &plan;
    let names: Vec<_> = view.diff().tables().iter().map(|table| table.schema().name).collect();
    assert_eq!(names, ["city", "country", "region", "place"]);
    assert_eq!(view.diff().operations(), 3);
    assert!(view.problems().is_empty());
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

#[test]
fn a_nesting_too_deep_for_parsers_begins_again_at_the_top() {
    const DEPTH: usize = 20_000;
    let lines: Vec<_> = (1..DEPTH).map(|depth| format!("p{}:p{depth}", depth - 1)).collect();
    let upwards = lines.iter().rev().map(String::as_str).chain([":p0"]);
    let downwards = [":p0"].into_iter().chain(lines.iter().map(String::as_str));
    for lines in [upwards.collect::<Vec<_>>(), downwards.collect()] {
        let plan = Plan::new(world(&lines), world(&[]));
        let text = plan.tree().to_string();
        assert_eq!(text.lines().count(), DEPTH);
        assert_eq!(text.lines().filter(|line| line.starts_with('+')).count(), DEPTH.div_ceil(51));
        let document = serde_json::to_string(&json!({"report": {"diff": plan.tree()}})).unwrap();
        assert!(serde_json::from_str::<Value>(&document).is_ok());
    }
}

#[test]
fn an_identifier_cannot_pass_for_another_line_of_the_tree() {
    for (slug, shown) in [
        ("a\n- region b", r#""a\n- region b""#),
        ("a\u{1b}[2J", r#""a\u{1b}[2J""#),
        ("", r#""""#),
        (" a", r#"" a""#),
        ("Côte d'Ivoire", "Côte d'Ivoire"),
    ] {
        let source = Records { regions: vec![region(slug)], ..Records::default() };
        assert_eq!(tree(source.world(), Records::default().world()), format!("+ region {shown}\n"));
    }
}

#[test]
fn the_rows_of_a_tree_are_its_lines_each_after_the_record_that_it_lives_under() {
    let mut source = records(&["europe", "europe/france", "europe/france/paris", "asia"]);
    source.regions[1].name = "Asia".into();
    let plan = Plan::new(source.world(), world(&["europe", "europe/spain", "asia"]));
    let tree = plan.tree();
    let rows: Vec<_> = tree
        .rows()
        .map(|row| {
            let operation = row.operation().map(|operation| operation.to_string());
            let changes = serde_json::to_value(row.changes()).unwrap();
            let sides: Vec<_> = changes.as_object().unwrap().keys().cloned().collect();
            let record = plan.record(row.record());
            (row.position, row.parent, row.depth, row.model(), record, operation.unwrap_or_default(), sides.concat())
        })
        .collect();
    let row = |position, parent, depth, model, record: &str, operation: &str, sides: &str| {
        (position, parent, depth, model, record.to_owned(), operation.to_owned(), sides.to_owned())
    };
    assert_eq!(
        rows,
        [
            row(0, None, 0, "region", "europe", "", ""),
            row(1, Some(0), 1, "country", "france", "create", "+"),
            row(2, Some(1), 2, "city", "france__paris", "create", "+"),
            row(3, Some(0), 1, "country", "spain", "delete", "-"),
            row(4, None, 0, "region", "asia", "update", "+-"),
        ]
    );
}

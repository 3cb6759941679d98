//! How a diff is shown: as a tree, as a document and as rows.

use diffsync_core::Plan;
use diffsync_core::plan::PlanView;
use diffsync_core::value::Secret;
use serde_json::{Value, json};

use super::check;
use crate::world::{Records, Region, World, records, region, tree, world};

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

#[test]
fn a_plan_is_read_without_knowing_its_records() {
    let plan = Plan::new(world(&["europe", "europe/france"]), world(&["asia", "asia/france"]));
    let view: &dyn PlanView = &plan;
    let names: Vec<_> = view.diff().tables().iter().map(|table| table.schema().name).collect();
    assert_eq!(names, ["city", "country", "region", "place"]);
    assert_eq!(view.diff().operations(), 3);
    assert!(view.problems().is_empty());
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

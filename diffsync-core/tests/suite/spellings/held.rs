//! What may be one record is created, and its other spelling is not deleted.

use super::*;

#[test]
fn what_may_be_one_record_is_created_and_not_deleted() {
    let source = dns(&["Example.COM", "b"], &[("Example.COM", "WWW")], &[("x", "b")]);
    let target = dns(&["example.com", "b", "old"], &[("example.com", "www")], &[("x ", "b")]);
    let plan = Plan::new(source, target);
    let expected = r#"zone b
  + alias x
  - alias "x " (held back: the same as the new alias "x" except for surrounding space)
+ zone Example.COM
  + entry Example.COM__WWW__1
- zone example.com (held back: the same as the new zone "Example.COM" except for case)
  - entry example.com__www__1 (held back: the same as the new entry "Example.COM__WWW__1" except for case)
- zone old
"#;
    assert_eq!(plan.tree().to_string(), expected);
    let total = plan.diff().summary().total;
    assert_eq!((total.create, total.delete, total.held, total.records()), (3, 1, 3, 8));
}

#[test]
fn the_report_names_what_says_that_the_two_are_one() {
    let source = || dns(&["A", "c "], &[("A", "n")], &[]);
    let lab = name_server(source(), dns(&["a", "c"], &[("a", " N")], &[]));
    let report = lab.run();
    assert_eq!(report.status, Status::Partial);
    let failures: Vec<_> = report.failures().map(|failed| (failed.record, failed.outcome, failed.reason)).collect();
    let expected = [
        (
            "a__ N__1",
            "its identifier is that of the new entry \"A__n__1\" except for case and surrounding space; if the two are the same, \
             put `compare = ignore_case` on the identifier of `zone`, which `zone` names, and put `compare = ignore_case` on \
             `name`, and trim the identifier where the adapter reads it",
        ),
        (
            "a",
            "its identifier is that of the new zone \"A\" except for case; if the two are the same, put `compare = ignore_case` on \
             `name`",
        ),
        (
            "c",
            "its identifier is that of the new zone \"c \" except for surrounding space; if the two are the same, trim the \
             identifier where the adapter reads it",
        ),
    ];
    assert_eq!(failures, expected.map(|(record, reason)| (record.to_owned(), OutcomeKind::Held, reason.to_owned())));

    // Here the two are two, as the next run finds.
    let report = lab.run();
    assert_eq!((report.status, report.counts.created, report.counts.deleted), (Status::Completed, 0, 3));
    assert_eq!(lab.run().summary().unwrap().total.operations(), 0);
}

#[test]
fn what_lives_under_what_is_held_is_held_too() {
    let source = dns(&["A"], &[], &[]);
    let target = dns(&["a", "a>b", "b>c", "d"], &[("c", "n"), ("d", "n")], &[("x", "a")]);
    let expected = r#"- zone a (held back: the same as the new zone "A" except for case)
  - alias x (held back: under a record that may be the new zone "A")
  - zone b (held back: under a record that may be the new zone "A")
    - zone c (held back: under a record that may be the new zone "A")
      - entry c__n__1 (held back: under a record that may be the new zone "A")
- zone d
  - entry d__n__1
+ zone A
"#;
    let lab = name_server(source, target);
    let report = lab.run();
    assert_eq!(report.plan().unwrap().tree().to_string(), expected);
    assert_eq!((report.counts.created, report.counts.deleted, report.counts.held), (1, 2, 5));
    let reason = report.failures().next().unwrap().reason;
    assert_eq!(reason, "it is under a record that may be the new zone \"A\", and is held back with it");
}

#[test]
fn what_a_filter_leaves_out_of_the_creates_holds_the_delete_all_the_same() {
    for operations in [vec![Operation::Delete], vec![Operation::Delete, Operation::Update]] {
        let lab = name_server(dns(&["A"], &[], &[]), dns(&["a", "b"], &[], &[]));
        let mut options = lab.apply();
        options.filter = Filter { operations, ..Filter::default() };
        let report = lab.run_with(options);
        assert_eq!((report.counts.created, report.counts.deleted, report.counts.held), (0, 1, 1));
    }
}

#[test]
fn a_saved_plan_does_not_delete_what_was_held_when_it_was_made() {
    let lab = name_server(dns(&["A"], &[], &[]), dns(&["a", "b"], &[], &[]));
    let report = lab.run_with(lab.dry_run());
    assert_eq!(report.counts.held, 1);
    let text = saved::<SyncDns>(&report, &lab.dry_run());
    assert!(!text.contains(r#""id":"a""#), "{text}");
    let report = lab.run_with(apply_plan(lab.apply(), &text, DriftPolicy::Refuse));
    assert_eq!((report.status, report.counts.created, report.counts.deleted), (Status::Completed, 1, 1));
    let left: Vec<_> = locked(&lab.target).zones.iter().map(|zone| zone.name.clone()).collect();
    assert_eq!(left, ["a", "A"]);
}

#[test]
fn two_names_that_the_target_holds_both_are_two() {
    // The source's is matched, so it is not new.
    let plan = Plan::new(dns(&["A"], &[], &[]), dns(&["A", "a"], &[], &[]));
    assert_eq!(plan.tree().to_string(), "- zone a\n");
}

#[test]
fn many_creates_and_deletes_are_compared_in_one_pass() {
    let names = |letter: char| (0..50_000).map(move |number| format!("{letter}{number}")).collect::<Vec<_>>();
    let zones = |names: Vec<String>| dns(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[], &[]);
    let (source, target) = (zones(names('A')), zones(names('a')));
    let started = std::time::Instant::now();
    let total = Plan::new(source, target).diff().summary().total;
    assert_eq!((total.create, total.held), (50_000, 50_000));
    // 2.5 billion comparisons would take minutes without optimisations.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

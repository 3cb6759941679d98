//! Identifiers that differ in case or space: links compare as the identifiers that they name, new records are written as
//! the target spells what they name, and what may be one record is not deleted.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use diffsync_core::{
    Adapter, AdapterError, Dataset, Filter, HasTable, Job, JobContext, JobError, JobSpec, LoadContext, Operation,
    OutcomeKind, Plan, Policy, RunOptions, RunReport, Status, SyncModel, Table, Target, TargetError, Variable,
    VariableKind, WriteContext, job,
};
use proptest::prelude::*;

use crate::rig::{locked, run_job, unguarded};
use crate::saved::{carrying_out, inverse, key, saved, stale};

/// A site, whatever the case of its name.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Site {
    #[sync(id, compare = ignore_case)]
    slug: String,
    label: Option<String>,
}

/// A user of sites, whose name is written in one way only.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Tenant {
    #[sync(id)]
    name: String,
}

/// A rack, whose identifier names its site.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
struct Rack {
    #[sync(id, parent = Site)]
    site: String,
    #[sync(id)]
    number: u16,
}

/// A place in a rack, whose identifier is that of the rack and more.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq, Hash)]
#[sync(parent(Rack, site = place, number = rack))]
struct Slot {
    #[sync(id)]
    place: String,
    #[sync(id)]
    rack: u16,
    #[sync(id)]
    height: u8,
}

/// A device, which names others in every way.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq)]
#[sync(
    references(Slot, place = slot_place, rack = slot_rack, height = slot),
    references(Rack, site = site, number = reaches)
)]
struct Dev {
    #[sync(id, compare = ignore_case)]
    name: String,
    #[sync(parent = Site)]
    site: String,
    #[sync(references = Site, compare = unordered)]
    mirrors: Option<Vec<String>>,
    #[sync(references = Site, compare = contains)]
    seen_from: Vec<String>,
    #[sync(references = Site)]
    near: HashSet<String>,
    #[sync(references = Site)]
    route: Vec<SiteId>,
    #[sync(references = Site, compare = blank_is_none)]
    backup: Option<String>,
    /// The site of one name and the tenant of the same.
    #[sync(references = Site, references = Tenant)]
    owner: Option<String>,
    slot_place: Option<String>,
    slot_rack: Option<u16>,
    slot: Option<u8>,
    reaches: BTreeSet<u16>,
    #[sync(references = Self)]
    stands_on: Option<String>,
    #[sync(references(Self, deferred))]
    peers: Vec<String>,
    #[sync(references(Rack, deferred))]
    home: Option<RackId>,
}

/// A note on a rack, named by the rack's identifier.
#[derive(SyncModel, Clone, Debug, PartialEq, Eq)]
struct Note {
    #[sync(id, parent = Rack)]
    on: RackId,
    text: String,
}

#[derive(Dataset, Default)]
struct Plant {
    notes: Table<Note>,
    devs: Table<Dev>,
    slots: Table<Slot>,
    racks: Table<Rack>,
    sites: Table<Site>,
    tenants: Table<Tenant>,
}

impl Plant {
    fn new() -> Self {
        let mut plant = Self::default();
        plant.notes.mark_loaded();
        plant.devs.mark_loaded();
        plant.slots.mark_loaded();
        plant.racks.mark_loaded();
        plant.sites.mark_loaded();
        plant.tenants.mark_loaded();
        plant
    }

    fn site(mut self, slug: &str) -> Self {
        self.sites.insert(site(slug));
        self
    }

    fn with<M: SyncModel>(mut self, record: M) -> Self
    where
        Self: HasTable<M>,
    {
        self.table_mut().insert(record);
        self
    }

    fn copy(&self) -> Self {
        let mut copy = Self::new();
        copy.notes.extend(self.notes.iter().cloned());
        copy.devs.extend(self.devs.iter().cloned());
        copy.slots.extend(self.slots.iter().cloned());
        copy.racks.extend(self.racks.iter().cloned());
        copy.sites.extend(self.sites.iter().cloned());
        copy.tenants.extend(self.tenants.iter().cloned());
        copy
    }
}

fn site(slug: &str) -> Site {
    Site { slug: slug.into(), label: None }
}

fn rack(site: &str, number: u16) -> Rack {
    Rack { site: site.into(), number }
}

fn slot(place: &str, rack: u16, height: u8) -> Slot {
    Slot { place: place.into(), rack, height }
}

fn dev(name: &str, site: &str) -> Dev {
    Dev {
        name: name.into(),
        site: site.into(),
        mirrors: None,
        seen_from: Vec::new(),
        near: HashSet::new(),
        route: Vec::new(),
        backup: None,
        owner: None,
        slot_place: None,
        slot_rack: None,
        slot: None,
        reaches: BTreeSet::new(),
        stands_on: None,
        peers: Vec::new(),
        home: None,
    }
}

/// A device that names all there is in every way.
fn full_dev(name: &str, ams: &str, ber: &str) -> Dev {
    let texts = |names: [&str; 2]| names.map(str::to_owned);
    Dev {
        mirrors: Some(texts([ams, ber]).into()),
        seen_from: texts([ams, ber]).into(),
        near: texts([ams, ber]).into(),
        route: texts([ber, ams]).map(SiteId::new).into(),
        backup: Some(ber.into()),
        slot_place: Some(ams.into()),
        slot_rack: Some(1),
        slot: Some(7),
        reaches: [1, 2].into(),
        home: Some(RackId::new(ams, 2_u16)),
        ..dev(name, ams)
    }
}

/// Everything under two sites of these names.
fn plant(ams: &str, ber: &str, edge: &str, core: &str) -> Plant {
    let edge_dev = Dev { stands_on: Some(core.into()), peers: vec![core.into()], ..full_dev(edge, ams, ber) };
    Plant::new()
        .site(ams)
        .site(ber)
        .with(rack(ams, 1))
        .with(rack(ams, 2))
        .with(slot(ams, 1, 7))
        .with(Note { on: RackId::new(ams, 1_u16), text: "left".into() })
        .with(full_dev(core, ams, ber))
        .with(edge_dev)
}

fn diff(source: Plant, target: Plant) -> String {
    let plan = Plan::new(source, target);
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [""; 0]);
    plan.tree().to_string()
}

#[test]
fn a_link_compares_as_the_identifier_that_it_names() {
    let (source, target) = (plant("AMS", "Ber", "EDGE", "core"), plant("ams", "bER", "edge", "CORE"));
    assert_eq!(diff(source, target), "(no differences)\n");
}

#[test]
fn lists_of_links_compare_in_every_order_that_their_comparison_leaves_open() {
    let with = |change: fn(&mut Dev), upper: bool| {
        let [ams, ber] = if upper { ["AMS", "BER"] } else { ["ams", "ber"] };
        let mut record = full_dev("edge", ams, ber);
        change(&mut record);
        let plant = Plant::new().site(ams).site(ber).with(rack(ams, 1)).with(rack(ams, 2)).with(slot(ams, 1, 7));
        plant.with(record)
    };
    let changed = |change: fn(&mut Dev)| diff(with(change, true), with(|_| {}, false));
    assert_eq!(changed(|dev| dev.mirrors.as_mut().unwrap().reverse()), "(no differences)\n");
    assert_eq!(changed(|dev| drop(dev.seen_from.pop())), "(no differences)\n");
    assert_eq!(changed(|dev| dev.near.extend(["ams".to_owned()])), "(no differences)\n");
    // What differs is shown as it would be written.
    let line = |text: &str| format!("site AMS\n  ~ dev edge\n      {text}\n");
    assert_eq!(changed(|dev| dev.route.reverse()), line(r#"route: ["ber","ams"] -> ["ams","ber"]"#));
    assert_eq!(changed(|dev| dev.mirrors = Some(vec!["BER".into()])), line(r#"mirrors: ["ams","ber"] -> ["ber"]"#));
    assert_eq!(changed(|dev| dev.mirrors = None), line(r#"mirrors: ["ams","ber"] -> null"#));
    assert_eq!(changed(|dev| assert!(dev.near.remove("AMS"))), line(r#"near: ["ams","ber"] -> ["ber"]"#));
    assert_eq!(changed(|dev| dev.backup = Some("AMS".into())), line(r#"backup: "ber" -> "ams""#));
    assert_eq!(changed(|dev| dev.backup = None), line(r#"backup: "ber" -> null"#));
    assert_eq!(
        changed(|dev| dev.home = Some(RackId::new("AMS", 1_u16))),
        line(r#"home: {"number":2,"site":"ams"} -> {"number":1,"site":"ams"}"#)
    );
}

#[test]
fn what_contains_compares_keeps_the_targets_spelling_and_adds_nothing_twice() {
    let of = |names: &[&str]| Dev { seen_from: names.iter().map(ToString::to_string).collect(), ..dev("edge", "ams") };
    let sites = || Plant::new().site("ams").site("ber").site("fra");
    let (source, target) = (sites().with(of(&["AMS", "FRA"])), sites().with(of(&["ber", "ams"])));
    let expected = "site ams\n  ~ dev edge\n      seen_from: [\"ber\",\"ams\"] -> [\"ber\",\"ams\",\"fra\"]\n";
    assert_eq!(diff(source, target), expected);
}

#[test]
fn a_field_that_names_two_records_is_the_same_only_if_both_are() {
    let of = |owner: &str| Dev { owner: Some(owner.into()), ..dev("edge", "ams") };
    let plant = |owner: &str| {
        Plant::new().site("ams").with(Tenant { name: "ams".into() }).with(Tenant { name: "AMS".into() }).with(of(owner))
    };
    assert_eq!(diff(plant("ams"), plant("ams")), "(no differences)\n");
    // The tenant is another one, so it keeps its spelling.
    assert_eq!(diff(plant("AMS"), plant("ams")), "site ams\n  ~ dev edge\n      owner: \"ams\" -> \"AMS\"\n");
}

#[test]
fn new_records_are_written_as_the_target_spells_what_they_name() {
    let source = plant("AMS", "BER", "EDGE", "CORE").site("FRA").with(rack("fra", 1)).with(slot("Fra", 1, 1));
    let mut target = Plant::new().site("ams").site("ber").with(rack("ams", 1)).with(dev("core", "ber"));
    target.sites.insert(site("Lon"));
    let lab = lab(source, target);
    let report = lab.run();
    assert_eq!(report.status, Status::Completed, "{:?}", report.failures().collect::<Vec<_>>());
    let held = locked(&lab.target).copy();
    let edge = Dev { stands_on: Some("core".into()), peers: vec!["core".into()], ..full_dev("EDGE", "ams", "ber") };
    assert_eq!(held.devs.get("edge"), Some(&edge));
    // An update of an old record sets its links in the target's spelling too.
    assert_eq!(held.devs.get("core"), Some(&full_dev("core", "ams", "ber")));
    let names = |shown: Vec<String>| shown.join(" ");
    assert_eq!(names(held.racks.iter().map(|rack| rack.id().to_string()).collect()), "ams__1 ams__2 FRA__1");
    assert_eq!(names(held.slots.iter().map(|slot| slot.id().to_string()).collect()), "ams__1__7 FRA__1__1");
    assert_eq!(names(held.notes.iter().map(|note| note.on.to_string()).collect()), "ams__1");
    // Nothing is left to do.
    assert_eq!(lab.run().summary().unwrap().total.operations(), 0);
}

#[test]
fn a_saved_plan_holds_what_will_be_written_and_is_carried_out_and_taken_back() {
    let source = plant("AMS", "BER", "EDGE", "CORE");
    let target = Plant::new().site("ams").site("ber").with(dev("core", "ber"));
    let lab = lab(source, target);
    let report = lab.run_with(lab.dry_run());
    let text = saved::<SyncPlants>(&report, &lab.dry_run());
    assert!(text.contains(r#""id":{"number":1,"site":"ams"}"#) && !text.contains("AMS"), "{text}");

    let mut undoable = lab.apply();
    undoable.undo = Some(key());
    let report = lab.run_with(carrying_out(undoable.clone(), &text, Policy::Refuse));
    assert_eq!((report.status, stale(&report)), (Status::Completed, vec![]), "{:?}", report.error_text());
    assert_eq!(report.counts.written(), 6);
    assert!(locked(&lab.target).racks.iter().all(|rack| rack.site == "ams"));

    // Whoever gives the site another spelling in between changes nothing about what is meant.
    let undo = inverse::<SyncPlants>(&report, &undoable);
    let report = lab.run_with(carrying_out(lab.apply(), &undo, Policy::Refuse));
    assert_eq!((report.status, stale(&report)), (Status::Completed, vec![]), "{:?}", report.error_text());
    assert_eq!(locked(&lab.target).devs.get("core"), Some(&dev("core", "ber")));
    assert!(locked(&lab.target).racks.is_empty());
}

#[test]
fn orphans_are_looked_for_in_every_spelling() {
    let plant = Plant::new().site("AMS").with(rack("ams", 1)).with(slot("Ams", 1, 2)).with(dev("edge", "berlin"));
    let plan = Plan::new(plant, Plant::new());
    let problems: Vec<_> = plan.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [r#"source: dev "edge" is under site "berlin", which does not exist"#]);
}

#[test]
fn new_records_that_name_each_other_agree_on_one_spelling() {
    let source = Plant::new().site("Ams").with(rack("AMS", 1)).with(slot("aMS", 1, 2)).with(dev("edge", "ams"));
    let lab = lab(source, Plant::new());
    assert_eq!(lab.run().status, Status::Completed);
    let held = locked(&lab.target);
    assert!(held.racks.iter().all(|rack| rack.site == "Ams") && held.slots.iter().all(|slot| slot.place == "Ams"));
    assert_eq!(held.devs.get("edge").unwrap().site, "Ams");
}

#[test]
fn a_delete_waits_for_what_stays_in_another_spelling() {
    // The device stays, and names the rack that is to go as another than the target's.
    let stays = |site: &str| Dev { home: Some(RackId::new(site, 1_u16)), ..dev("edge", site) };
    let source = Plant::new().site("AMS").with(Dev { home: None, ..stays("AMS") });
    let target = Plant::new().site("ams").with(rack("ams", 1)).with(stays("Ams"));
    let lab = lab(source, target);
    let report = lab.run();
    assert_eq!((report.status, report.counts.updated, report.counts.deleted), (Status::Completed, 1, 1));
    assert_eq!(lab.calls(), ["update dev edge", "delete rack ams__1"]);
}

/// A zone of a name server, and a record in it: their names are compared by their letters.
#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Zone {
    #[sync(id)]
    name: String,
    #[sync(parent = Self)]
    within: Option<String>,
}

#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Entry {
    #[sync(id, parent = Zone)]
    zone: String,
    #[sync(id)]
    name: String,
    #[sync(id)]
    number: Option<u8>,
}

#[derive(SyncModel, Clone, Debug, PartialEq)]
struct Alias {
    #[sync(id, compare = ignore_case)]
    name: String,
    #[sync(parent = Zone)]
    zone: String,
}

#[derive(Dataset, Default)]
struct Dns {
    aliases: Table<Alias>,
    entries: Table<Entry>,
    zones: Table<Zone>,
}

fn dns(zones: &[&str], entries: &[(&str, &str)], aliases: &[(&str, &str)]) -> Dns {
    let mut dns = Dns::default();
    let zone = |name: &&str| match name.split_once('>') {
        None => Zone { name: (*name).to_owned(), within: None },
        Some((within, name)) => Zone { name: name.to_owned(), within: Some(within.to_owned()) },
    };
    dns.zones.extend(zones.iter().map(zone));
    let entry =
        |(zone, name): &(&str, &str)| Entry { zone: (*zone).to_owned(), name: (*name).to_owned(), number: Some(1) };
    dns.entries.extend(entries.iter().map(entry));
    let alias = |(name, zone): &(&str, &str)| Alias { name: (*name).to_owned(), zone: (*zone).to_owned() };
    dns.aliases.extend(aliases.iter().map(alias));
    dns
}

#[test]
fn what_may_be_one_record_is_created_and_not_deleted() {
    let source = dns(&["Example.COM", "b"], &[("Example.COM", "WWW")], &[("x", "b")]);
    let target = dns(&["example.com", "b", "old"], &[("example.com", "www")], &[("x ", "b")]);
    let plan = Plan::new(source, target);
    let expected = r#"zone b
  + alias x
  - alias "x " (held back: the same as the new alias "x" but for surrounding space)
+ zone Example.COM
  + entry Example.COM__WWW__1
- zone example.com (held back: the same as the new zone "Example.COM" but for case)
  - entry example.com__www__1 (held back: the same as the new entry "Example.COM__WWW__1" but for case)
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
            "its identifier is that of the new entry \"A__n__1\" but for case and surrounding space; if the two are one, \
             put `compare = ignore_case` on the identifier of `zone`, which `zone` names, and put `compare = ignore_case` on \
             `name`, and trim the identifier where the adapter reads it",
        ),
        (
            "a",
            "its identifier is that of the new zone \"A\" but for case; if the two are one, put `compare = ignore_case` on \
             `name`",
        ),
        (
            "c",
            "its identifier is that of the new zone \"c \" but for surrounding space; if the two are one, trim the \
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
    let expected = r#"- zone a (held back: the same as the new zone "A" but for case)
  - alias x (held back: under what may be the new zone "A")
  - zone b (held back: under what may be the new zone "A")
    - zone c (held back: under what may be the new zone "A")
      - entry c__n__1 (held back: under what may be the new zone "A")
- zone d
  - entry d__n__1
+ zone A
"#;
    let lab = name_server(source, target);
    let report = lab.run();
    assert_eq!(report.plan().unwrap().tree().to_string(), expected);
    assert_eq!((report.counts.created, report.counts.deleted, report.counts.held), (1, 2, 5));
    let reason = report.failures().next().unwrap().reason;
    assert_eq!(reason, "it lives under what may be the new zone \"A\", and is held back with that");
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
    let report = lab.run_with(carrying_out(lab.apply(), &text, Policy::Refuse));
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

/// The letters of an identifier in some case, and space around them.
fn variant() -> impl Strategy<Value = (String, String)> {
    let letters = prop::sample::select(vec!["ams", "ber", "zürich", "straße", "fra__1", "ñ", "ǆ"]);
    (letters, prop::collection::vec(any::<bool>(), 12)).prop_map(|(letters, upper)| {
        let cased = letters.chars().zip(upper).map(|(letter, upper)| {
            // A letter that has no upper case of its own stays: what `ignore_case` compares is letter by letter.
            let other: Vec<char> = letter.to_uppercase().collect();
            match other.as_slice() {
                [other] if upper && other.to_lowercase().eq([letter]) => *other,
                _ => letter,
            }
        });
        (letters.to_owned(), cased.collect())
    })
}

fn padded() -> impl Strategy<Value = (String, String)> {
    (variant(), 0..3_usize, 0..3_usize).prop_map(|((letters, cased), before, after)| {
        (letters, format!("{}{cased}{}", " ".repeat(before), " ".repeat(after)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Where case is ignored nothing is created beside its equal, nor is it deleted, whatever the spelling of names and
    /// of links to them.
    #[test]
    fn what_is_equal_is_neither_created_nor_deleted(
        names in prop::collection::vec((variant(), variant(), variant(), variant()), 0..6),
    ) {
        let (mut source, mut target) = (Plant::new(), Plant::new());
        // Links to a name in a spelling of their own: that of another record of the same name.
        let spelled = |letters: &str, at: usize| {
            let same = names.iter().filter(|(name, ..)| name.0 == letters).map(|(name, ..)| name.1.clone());
            same.cycle().nth(at).unwrap_or_else(|| letters.to_owned())
        };
        for (at, (name, ..)) in names.iter().enumerate() {
            let letters = &name.0;
            for (plant, spelling) in [(&mut source, &name.1), (&mut target, letters)] {
                if plant.sites.insert_if_absent(site(spelling)) {
                    let link = |more: usize| spelled(letters, at + more);
                    plant.racks.insert(rack(&link(0), 1));
                    plant.racks.insert(rack(&link(1), 2));
                    plant.slots.insert(slot(&link(2), 1, 7));
                    plant.devs.insert(Dev { peers: vec![spelling.to_uppercase().to_lowercase()], ..full_dev(spelling, &link(3), &link(4)) });
                }
            }
        }
        for plant in [&mut source, &mut target] {
            // What a name in capitals is in small letters need not be it again.
            let fix = plant.copy();
            plant.devs = fix.devs.iter().map(|dev| Dev { peers: vec![dev.name.clone()], ..dev.clone() }).collect();
            plant.devs.mark_loaded();
        }
        let plan = Plan::new(source, target);
        prop_assert!(plan.problems().is_empty(), "{:?}", plan.problems());
        prop_assert_eq!(plan.tree().to_string(), "(no differences)\n");
    }

    /// Where case counts nothing is deleted whose equal but for case and space is created in the same run, and all else is.
    #[test]
    fn what_may_be_equal_is_not_deleted(
        source_names in prop::collection::vec(padded(), 0..8),
        target_names in prop::collection::vec(padded(), 0..8),
    ) {
        let side = |names: &[(String, String)]| {
            let mut dns = dns(&[], &[], &[]);
            for (_, name) in names {
                if dns.zones.insert_if_absent(Zone { name: name.clone(), within: None }) {
                    dns.entries.insert(Entry { zone: name.clone(), name: name.clone(), number: None });
                }
            }
            dns
        };
        let lab = name_server(side(&source_names), side(&target_names));
        let report = lab.run();
        let left = locked(&lab.target);
        let holds = |names: &[(String, String)], name: &str| names.iter().any(|(_, other)| other == name);
        for (letters, name) in &target_names {
            let new = |(other, spelled): &(String, String)| other == letters && !holds(&target_names, spelled);
            let stays = holds(&source_names, name) || source_names.iter().any(new);
            prop_assert_eq!(left.zones.contains(name), stays, "{}: {}", name, report.plan().unwrap().tree());
            prop_assert_eq!(left.entries.iter().any(|entry| entry.zone == *name), stays);
        }
        for (_, name) in &source_names {
            prop_assert!(left.zones.contains(name));
        }
    }
}

/// Two sides, the second of which is written.
struct Lab<D> {
    source: D,
    target: Mutex<D>,
    calls: Mutex<Vec<String>>,
}

/// The two sides as a job's variable holds them. It is set by the test itself.
struct Handle<D>(Arc<Lab<D>>);

impl<D> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D> std::ops::Deref for Handle<D> {
    type Target = Lab<D>;

    fn deref(&self) -> &Lab<D> {
        &self.0
    }
}

impl<D: Send + Sync + 'static> Variable for Handle<D> {
    const KIND: VariableKind = VariableKind::Text;

    fn parse(_: &str) -> Result<Self, String> {
        Err("it is set by the test".into())
    }

    fn show(&self) -> serde_json::Value {
        "a lab".into()
    }
}

impl<D> Handle<D> {
    fn new(source: D, target: D) -> Self {
        Self(Arc::new(Lab { source, target: Mutex::new(target), calls: Mutex::default() }))
    }

    fn calls(&self) -> Vec<String> {
        locked(&self.calls).clone()
    }
}

/// A side of a lab.
struct Shelf<D>(Handle<D>, bool);

/// What a data set can do here.
trait Copied: Dataset {
    fn copied(&self) -> Self;
}

impl Copied for Plant {
    fn copied(&self) -> Self {
        self.copy()
    }
}

impl Copied for Dns {
    fn copied(&self) -> Self {
        let mut copy = Self::default();
        copy.zones.extend(self.zones.iter().cloned());
        copy.entries.extend(self.entries.iter().cloned());
        copy.aliases.extend(self.aliases.iter().cloned());
        copy
    }
}

impl<D: Copied> Adapter for Shelf<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        *data = if self.1 { locked(&self.0.target).copied() } else { self.0.source.copied() };
        Ok(())
    }
}

/// It tells identifiers apart by every letter, as a plain list of rows does.
impl<D: Copied + HasTable<M>, M: SyncModel + Clone> Target<M> for Shelf<D> {
    async fn create(&self, new: &M, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        locked(&self.0.calls).push(format!("create {} {}", M::NAME, new.id()));
        locked(&self.0.target).table_mut().insert(new.clone());
        Ok(new.clone())
    }

    async fn update(&self, old: &M, patch: &M::Patch, _: &WriteContext<'_, D>) -> Result<M, TargetError> {
        locked(&self.0.calls).push(format!("update {} {}", M::NAME, old.id()));
        let new = old.patched(patch);
        locked(&self.0.target).table_mut().modify(&old.id(), |record: &mut M| *record = new.clone());
        Ok(new)
    }

    async fn delete(&self, old: &M, _: &WriteContext<'_, D>) -> Result<(), TargetError> {
        locked(&self.0.calls).push(format!("delete {} {}", M::NAME, old.id()));
        let mut target = locked(&self.0.target);
        let table: &mut Table<M> = target.table_mut();
        table.remove(&old.id());
        Ok(())
    }
}

macro_rules! jobs {
    ($($job:ident, $data:ident, $lab:ident;)*) => {
        $(#[job(source = Shelf<$data>, target = Shelf<$data>)]
        struct $job {
            lab: Handle<$data>,
        }

        impl Job for $job {
            async fn source_adapter(&self, _: &JobContext) -> Result<Shelf<$data>, JobError> {
                Ok(Shelf(self.lab.clone(), false))
            }

            async fn target_adapter(&self, _: &JobContext) -> Result<Shelf<$data>, JobError> {
                Ok(Shelf(self.lab.clone(), true))
            }
        }

        impl Handle<$data> {
            fn run(&self) -> RunReport {
                self.run_with(self.apply())
            }

            fn run_with(&self, options: RunOptions) -> RunReport {
                run_job($job { lab: self.clone() }, options, Vec::new())
            }

            fn apply(&self) -> RunOptions {
                unguarded::<$data>(RunOptions::of(&$job::INFO)).apply()
            }

            fn dry_run(&self) -> RunOptions {
                unguarded::<$data>(RunOptions::of(&$job::INFO))
            }
        }

        fn $lab(source: $data, target: $data) -> Handle<$data> {
            Handle::new(source, target)
        })*
    };
}

jobs! {
    SyncPlants, Plant, lab;
    SyncDns, Dns, name_server;
}

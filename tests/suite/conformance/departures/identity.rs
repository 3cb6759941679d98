//! Which record is which.

use diffsync_core::{Dataset, Plan, SyncModel, Table};
use serde_json::{Value, json};

use super::ours;
use crate::conformance::memory::{Memory, synced};
use crate::conformance::peer::{Peer, Question, peer};
use crate::conformance::records::{Records, records};

#[derive(SyncModel, Clone)]
struct Route {
    #[sync(id)]
    vrf: Option<String>,
    #[sync(id)]
    prefix: String,
    #[sync(id)]
    active: bool,
}

#[derive(Dataset, Default)]
struct Routes {
    routes: Table<Route>,
}

synced!(SyncRoutes: Routes { routes });

fn routes(routes: &[(Option<&str>, &str)]) -> Routes {
    let route =
        |&(vrf, prefix): &(Option<&str>, &str)| Route { vrf: vrf.map(Into::into), prefix: prefix.into(), active: true };
    Routes { routes: routes.iter().map(route).collect() }
}

/// The peer takes two records for one, and ends: at the second of them on one side, or when it meets them as a pair.
fn check_confusion<D: Records>(peer: &Peer, both: &D, one: &D, other: &D) {
    let on_one_side = peer.ask(&Question::of(both, &D::default()));
    assert_eq!(
        (&on_one_side["exception"], &on_one_side["step"]),
        (&json!("ObjectAlreadyExists"), &json!("load source"))
    );
    let across = peer.ask(&Question::of(one, other));
    assert_eq!((&across["exception"], &across["step"]), (&json!("ValueError"), &json!("diff")));
    let message = across["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("Keys mismatch"), "{message}");
}

#[test]
fn identifiers_that_hold_the_separator_stay_apart_where_the_peer_takes_them_for_one() {
    let Some(peer) = peer() else { return };
    let (one, other) = (routes(&[(Some("a__b"), "c")]), routes(&[(Some("a"), "b__c")]));
    let both = routes(&[(Some("a__b"), "c"), (Some("a"), "b__c")]);
    check_confusion(peer, &both, &one, &other);

    let ours = ours(one, &Memory::new(other));
    assert_eq!(ours.diff, json!({ "route": { "\"a__b\"__c__true": { "+": {} }, "a__\"b__c\"__true": { "-": {} } } }));
    assert_eq!(ours.operations, ["create route true/c/a__b", "delete route true/b__c/a"]);
}

#[test]
fn an_absent_identifier_is_not_the_text_none_where_the_peer_takes_them_for_one() {
    let Some(peer) = peer() else { return };
    let (one, other) = (routes(&[(None, "c")]), routes(&[(Some("None"), "c")]));
    check_confusion(peer, &routes(&[(None, "c"), (Some("None"), "c")]), &one, &other);

    let plan = Plan::new(one, other);
    assert_eq!(
        serde_json::to_value(plan.tree()).expect("a plain document"),
        json!({ "route": { "null__c__true": { "+": {} }, "None__c__true": { "-": {} } } })
    );
    // The text that we write for nothing is told from nothing as well.
    let plan = Plan::new(routes(&[(None, "c")]), routes(&[(Some("null"), "c")]));
    assert_eq!(
        serde_json::to_value(plan.tree()).expect("a plain document"),
        json!({ "route": { "null__c__true": { "+": {} }, "\"null\"__c__true": { "-": {} } } })
    );
}

#[test]
fn nothing_and_truth_are_written_as_in_json_where_the_peer_writes_them_as_in_python() {
    let Some(peer) = peer() else { return };
    let (source, target) = (routes(&[(None, "c")]), Routes::default());

    let theirs = peer.ask(&Question::of(&source, &target));
    assert_eq!(theirs["diff"], json!({ "route": { "None__c__True": { "+": {} } } }));

    let ours = ours(source, &Memory::new(target));
    assert_eq!(ours.diff, json!({ "route": { "null__c__true": { "+": {} } } }));
}

#[derive(SyncModel, Clone)]
struct Vlan {
    #[sync(id)]
    number: Value,
}

#[derive(Dataset, Default)]
struct Vlans {
    vlans: Table<Vlan>,
}

records!(Vlans { vlans });

/// In a model whose identifier has a type, which is nearly every one, they do not meet: the loader reads one as the other.
#[test]
fn a_number_and_its_text_are_two_records_where_the_peer_takes_them_for_one() {
    let Some(peer) = peer() else { return };
    let vlans =
        |numbers: &[Value]| Vlans { vlans: numbers.iter().map(|number| Vlan { number: number.clone() }).collect() };
    let (one, other) = (vlans(&[json!(1)]), vlans(&[json!("1")]));
    check_confusion(peer, &vlans(&[json!(1), json!("1")]), &one, &other);

    let plan = Plan::new(one, other);
    assert_eq!(
        serde_json::to_value(plan.tree()).expect("a plain document"),
        json!({ "vlan": { "1": { "+": {} }, "\"1\"": { "-": {} } } })
    );
}

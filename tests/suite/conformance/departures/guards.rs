//! How much a run may delete. The peer knows no limit.

use diffsync_core::model::{Limit, Operation};
use diffsync_core::report::Status;
use serde_json::json;

use super::{Network, network};
use crate::conformance::memory::{Memory, run_with};
use crate::conformance::peer::{Question, peer};
use crate::conformance::records::Records;

/// The target holds 20 sites, of which the source lacks some: so many must be allowed to be deleted.
fn check(source: &Network, refusal: &str, allowed: usize) {
    let Some(peer) = peer() else { return };
    let names: Vec<String> = (0..20).map(|number| format!("s{number:02}")).collect();
    let target = network(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[], &[]);
    let deletes = target.sites.len() - source.sites.len();

    let theirs = peer.ask(&Question::of(source, &target));
    assert_eq!(theirs["summary"]["delete"], json!(deletes));
    assert_eq!(theirs["left"], json!({}));

    let (from, into) = (Memory::new(source.copy()), Memory::new(target));
    let refused = run_with(&from, &into, Vec::new(), |options| options);
    assert_eq!(refused.status, Status::Refused);
    assert_eq!(refused.error_text().as_deref(), Some(refusal));
    assert_eq!((into.take_operations().len(), refused.counts.not_attempted), (0, deletes), "it says what it would do");
    let lifted = |limit| {
        run_with(&from, &into, Vec::new(), |options| options.allow("site", Operation::Delete, Limit::Count(limit)))
    };
    assert_eq!(lifted(allowed - 1).status, Status::Refused);
    assert_eq!(lifted(allowed).status, Status::Completed);
}

#[test]
fn a_run_that_would_delete_much_is_refused_where_the_peer_deletes_it() {
    let names: Vec<String> = (0..13).map(|number| format!("s{number:02}")).collect();
    let source = network(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[], &[]);
    let refusal = "the run would exceed its limits:\nsite: it would delete 7 records where the target holds 20, and 30% are \
                   allowed";
    check(&source, refusal, 7);
}

#[test]
fn an_empty_table_of_the_source_is_refused_where_the_peer_deletes_everything() {
    let refusal =
        "the run would exceed its limits:\nsite: the source holds none, and it would delete 20 of the target's 20";
    check(&network(&[], &[], &[]), refusal, 20);
}

//! Flags that a model declares: they are those of all its records.

use super::sides::still_pair;
use crate::conformance::answer::Answer;
use crate::conformance::asked::{Asked, Mark};
use crate::conformance::peer::{Peer, Question, peer};
use crate::conformance::shapes::Shape;
use crate::conformance::{agreed, both};

/// How many pairs of sides each flag is tried with.
const SEEDS: u64 = 20;

/// A data set whose devices have a flag.
macro_rules! with_flag {
    ($name:ident, $flag:ident) => {
        mod $name {
            use diffsync_core::{Dataset, SyncModel, Table};

            use crate::conformance::memory::synced;
            use crate::conformance::shapes::Shape;
            use crate::conformance::tree::Tree;

            #[derive(SyncModel, Clone)]
            struct Site {
                #[sync(id)]
                name: String,
                asn: Option<i64>,
            }

            #[derive(SyncModel, Clone)]
            #[sync(flags($flag))]
            struct Device {
                #[sync(id, parent = Site)]
                site: String,
                #[sync(id)]
                name: String,
                roles: Vec<String>,
            }

            #[derive(SyncModel, Clone)]
            #[sync(parent(Device, site = site, name = device))]
            struct Interface {
                #[sync(id)]
                site: String,
                #[sync(id)]
                device: String,
                #[sync(id)]
                name: String,
                enabled: bool,
            }

            #[derive(Dataset, Default)]
            pub(super) struct Data {
                sites: Table<Site>,
                devices: Table<Device>,
                interfaces: Table<Interface>,
            }

            synced!(pub(super) Sync: Data { sites, devices, interfaces });

            impl Shape for Data {
                const NAMED_BY_PLACE: bool = true;

                fn of(tree: &Tree) -> Self {
                    let sites = tree.sites.iter().map(|site| Site { name: site.name.clone(), asn: site.asn });
                    let devices = tree.devices.iter().map(|device| Device {
                        site: tree.site_name(device.site),
                        name: device.name.clone(),
                        roles: device.roles.clone(),
                    });
                    let interfaces = tree.interfaces.iter().map(|interface| {
                        let device = tree.device(interface.device);
                        let (site, device) = (tree.site_name(device.site), device.name.clone());
                        Interface { site, device, name: interface.name.clone(), enabled: interface.enabled }
                    });
                    Self { sites: sites.collect(), devices: devices.collect(), interfaces: interfaces.collect() }
                }
            }
        }
    };
}

with_flag!(ignored, ignore);
with_flag!(not_created, skip_unmatched_src);
with_flag!(not_deleted, skip_unmatched_dst);
with_flag!(neither, skip_unmatched_both);
with_flag!(cascading, skip_children_on_delete);

#[test]
fn the_peer_agrees_on_flags_that_a_model_declares() {
    let Some(peer) = peer() else { return };
    check::<ignored::Data>(peer, Mark::Ignore);
    check::<not_created::Data>(peer, Mark::SkipUnmatchedSrc);
    check::<not_deleted::Data>(peer, Mark::SkipUnmatchedDst);
    check::<neither::Data>(peer, Mark::SkipUnmatchedBoth);
    check::<cascading::Data>(peer, Mark::SkipChildrenOnDelete);
}

/// The peer gets the flag on every device, and we have it in the schema alone.
fn check<D: Shape>(peer: &Peer, mark: Mark) {
    let (mut affected, mut noticed) = (0, 0);
    for seed in 0..SEEDS {
        let (source, target) = still_pair::<D>(seed);
        let mut asked = Asked::default();
        asked.source.tables.push(("device", mark));
        asked.target.tables.push(("device", mark));
        asked.only_for_the_peer = true;
        let question = Question::asked(&source, &target, &asked);
        let (ours, peers) = both(peer, &source, &target, &asked, &question);
        let (ours, peers) = agreed(&format!("seed {seed}, {mark:?}"), ours, peers, &question);
        affected += peers.count("skip") + peers.count("cascade");
        if peers.count("skip") + peers.count("cascade") > 0 {
            let answer = peer.ask(&Question::of(&source, &target));
            let peers = Answer::peers(&source, &target, &asked, &answer);
            noticed += usize::from(!peers.is_ok_and(|peers| ours.disagreement(&peers).is_none()));
        }
    }
    assert!(affected > 50 && noticed > 5, "{mark:?}: {affected} records, without it noticed {noticed} times");
}

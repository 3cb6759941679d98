//! What becomes of the records that the peer deletes, by our rules: the one place where flags and failures part the two.
//!
//! The peer deletes a record whatever still lives under it: what a flag leaves alone, or what could not be deleted. It
//! stays behind in its store, under nothing, where no later diff finds it. We do not delete what another still lives
//! under; it is *blocked*. And what a system deletes by itself together with a record is counted as *cascaded*, where the
//! peer counts it as deleted.

use std::collections::{BTreeSet, HashMap};

use super::asked::{Mark, Marks};
use super::peer_diff::PeerDiff;
use super::records::{Key, Name, Row};

#[derive(Default)]
pub(super) struct Fates {
    /// Planned deletes that the system carries out by itself.
    pub(super) cascaded: BTreeSet<Name>,
    /// Planned deletes that we do not ask for, since something stays.
    pub(super) blocked: BTreeSet<Name>,
    /// What stays under a record that the peer deletes: it is not in the peer's diff any more, and if the system deletes
    /// what lives under a record, it is gone.
    pub(super) unseen: BTreeSet<Name>,
}

impl Fates {
    /// What becomes of the target's records if these are to be deleted and the target did delete so many.
    pub(super) fn of(target: &[Row], marks: &Marks, diff: &PeerDiff, deleted: &BTreeSet<Name>) -> Self {
        let names: HashMap<Key, Name> = target.iter().map(|row| (row.key(), row.name())).collect();
        let planned = diff.of("delete");
        let parents: HashMap<Name, Name> =
            target.iter().filter_map(|row| Some((row.name(), names.get(&row.parent()?)?.clone()))).collect();
        let takes_children = target.iter().filter(|row| marks.has(row, Mark::SkipChildrenOnDelete)).map(Row::name);
        let takes_children: BTreeSet<Name> = takes_children.filter(|name| planned.contains(name)).collect();
        let above = |name: &Name| std::iter::successors(parents.get(name), |name| parents.get(*name));

        let mut fates = Self::default();
        for name in &planned {
            let mut chain = above(name).take_while(|name| planned.contains(*name));
            if chain.any(|name| takes_children.contains(name)) {
                fates.cascaded.insert(name.clone());
            }
        }
        for row in target {
            let name = row.name();
            let gone = planned.contains(&name) && (deleted.contains(&name) || fates.cascaded.contains(&name));
            if !gone {
                let inhabited: Vec<&Name> = above(&name).filter(|name| planned.contains(*name)).collect();
                if inhabited.iter().any(|name| deleted.contains(*name)) {
                    fates.unseen.insert(name);
                }
                fates.blocked.extend(inhabited.into_iter().cloned());
            }
        }
        // What would have gone with a record stays with it.
        let stays = |name: &&Name| {
            let asked = above(name).find(|name| !fates.cascaded.contains(*name));
            asked.is_some_and(|asked| fates.blocked.contains(asked) || !deleted.contains(asked))
        };
        let staying: Vec<Name> = fates.cascaded.iter().filter(stays).cloned().collect();
        fates.blocked.extend(staying);
        fates
    }
}

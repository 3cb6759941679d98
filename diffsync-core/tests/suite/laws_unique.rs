//! The laws about unique values and identifiers that a target changes.

use std::sync::Mutex;

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::testkit::Laws;
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target};

use crate::fake_target::locked;

#[derive(SyncModel, Clone)]
struct Vlan {
    #[sync(id)]
    name: String,
    /// No two have the same.
    tag: u64,
}

#[derive(Dataset, Default)]
struct Vlans {
    vlans: Table<Vlan>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    /// A tag that is taken is an error like any other.
    NoConflict,
    /// A record is answered as it was given.
    Echo,
}

#[derive(Default)]
struct Memory {
    rows: Mutex<Vec<Vlan>>,
    fault: Fault,
}

impl Memory {
    fn put(&self, old: Option<&Vlan>, new: &Vlan) -> Result<Vlan, TargetError> {
        let mut rows = locked(&self.rows);
        let stored = Vlan { name: new.name.to_uppercase(), ..new.clone() };
        let is_other = |row: &&Vlan| old.is_none_or(|old| old.name != row.name);
        if let Some(holder) = rows.iter().filter(is_other).find(|row| row.tag == new.tag) {
            return Err(match self.fault {
                Fault::NoConflict => TargetError::new("the tag is taken"),
                _ => TargetError::conflict("the tag is taken").held_by("vlan", &holder.name),
            });
        }
        rows.retain(|row| old.is_none_or(|old| old.name != row.name));
        rows.push(stored.clone());
        Ok(if self.fault == Fault::Echo { new.clone() } else { stored })
    }
}

impl Adapter for Memory {
    type Data = Vlans;

    async fn load(&self, data: &mut Vlans, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.vlans.extend(locked(&self.rows).clone());
        data.vlans.mark_loaded();
        Ok(())
    }
}

impl Target<Vlan> for Memory {
    async fn create(&self, new: &Vlan, _: &WriteContext<'_, Vlans>) -> Result<Vlan, TargetError> {
        self.put(None, new)
    }

    async fn update(&self, old: &Vlan, patch: &VlanPatch, _: &WriteContext<'_, Vlans>) -> Result<Vlan, TargetError> {
        self.put(Some(old), &old.patched(patch))
    }

    async fn delete(&self, old: &Vlan, _: &WriteContext<'_, Vlans>) -> Result<(), TargetError> {
        locked(&self.rows).retain(|row| row.name != old.name);
        Ok(())
    }
}

fn vlans(prefix: &str, seed: u64) -> Vlans {
    let vlans = (0..4 + seed % 3).map(|tag| Vlan { name: format!("{prefix}{tag}"), tag });
    Vlans { vlans: vlans.collect() }
}

async fn conflicts(fault: Fault) -> Result<(), String> {
    let laws =
        Laws::new(move || async move { Ok(Memory { fault, ..Memory::default() }) }, |seed| vlans("A", seed)).seeds(3);
    laws.check_conflicts(|seed| vlans("B", seed)).await.map_err(|violation| violation.to_string())
}

async fn renaming(fault: Fault) -> Result<(), String> {
    let laws =
        Laws::new(move || async move { Ok(Memory { fault, ..Memory::default() }) }, |seed| vlans("A", seed)).seeds(3);
    laws.check_renaming(|seed| vlans("a", seed)).await.map_err(|violation| violation.to_string())
}

#[tokio::test]
async fn a_target_says_that_a_value_is_taken() {
    conflicts(Fault::None).await.unwrap();
    let violation = conflicts(Fault::NoConflict).await.unwrap_err();
    assert_eq!(
        violation,
        r#"what a record collides with is not deleted: vlan "B0" could not be created, and vlan "A0" was deleted; a value that is taken is a `TargetError::conflict` (seed 0)"#
    );
}

#[tokio::test]
async fn a_target_answers_with_what_it_stores() {
    renaming(Fault::None).await.unwrap();
    let violation = renaming(Fault::Echo).await.unwrap_err();
    assert!(violation.contains("4 records are not found again, of which 0 were answered"), "{violation}");
}

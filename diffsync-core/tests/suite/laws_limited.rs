//! The law-test kit on targets that are not able to do everything: what they cannot do is not held against them.

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::model::Operations;
use diffsync_core::testkit::{Laws, Violation};
use diffsync_core::{Adapter, Target};

use crate::laws::{Fault, Memory, Rack, RackPatch, Site, SitePatch, Sites, block_on, sites};

/// A target that is able to do with sites and with racks what these bits say.
struct Limited<const SITES: u8, const RACKS: u8>(Memory);

impl<const SITES: u8, const RACKS: u8> Adapter for Limited<SITES, RACKS> {
    type Data = Sites;

    async fn load(&self, data: &mut Sites, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.0.load(data, cx).await
    }
}

macro_rules! limited {
    ($($model:ident, $patch:ident, $operations:ident);*) => {$(
        impl<const SITES: u8, const RACKS: u8> Target<$model> for Limited<SITES, RACKS> {
            const OPERATIONS: Operations = Operations::from_bits_truncate($operations);

            async fn create(&self, new: &$model, cx: &WriteContext<'_, Sites>) -> Result<$model, TargetError> {
                assert!($operations & 1 > 0, "it cannot create");
                self.0.create(new, cx).await
            }

            async fn update(
                &self,
                old: &$model,
                patch: &$patch,
                cx: &WriteContext<'_, Sites>,
            ) -> Result<$model, TargetError> {
                assert!($operations & 2 > 0, "it cannot update");
                self.0.update(old, patch, cx).await
            }

            async fn delete(&self, old: &$model, cx: &WriteContext<'_, Sites>) -> Result<(), TargetError> {
                assert!($operations & 4 > 0, "it cannot delete");
                self.0.delete(old, cx).await
            }
        }
    )*};
}

limited!(Site, SitePatch, SITES; Rack, RackPatch, RACKS);

/// The bits of what a target cannot do.
const NO_CREATES: u8 = 6;
const NO_UPDATES: u8 = 5;
const NO_DELETES: u8 = 3;
const ALL: u8 = 7;

fn checked<const SITES: u8, const RACKS: u8>(fault: Fault, data: fn(u64) -> Sites) -> Result<(), Violation> {
    let system = || async move { Ok(Limited::<SITES, RACKS>(Memory::with(fault))) };
    block_on(Laws::new(system, data).seeds(6).failing_calls(4).check())
}

/// Sites without the references that are set by an update once both are there.
fn without_twins(seed: u64) -> Sites {
    let mut data = sites(seed);
    let names: Vec<String> = data.sites.iter().map(|site| site.name.clone()).collect();
    for name in &names {
        data.sites.modify(name.as_str(), |site| site.twin = None);
    }
    data
}

#[test]
fn what_a_target_is_not_able_to_do_breaks_no_law() {
    checked::<NO_DELETES, NO_DELETES>(Fault::None, sites).unwrap();
    checked::<NO_UPDATES, NO_UPDATES>(Fault::None, without_twins).unwrap();
    checked::<NO_CREATES, NO_CREATES>(Fault::None, sites).unwrap();
}

#[test]
fn what_waits_for_something_that_a_target_cannot_do_breaks_no_law() {
    // Racks that cannot go keep their sites, and racks on sites that cannot be created are not.
    checked::<ALL, NO_DELETES>(Fault::None, sites).unwrap();
    checked::<NO_CREATES, ALL>(Fault::None, sites).unwrap();
}

#[test]
fn what_a_limited_target_does_wrong_is_found_all_the_same() {
    for (fault, said) in [
        (Fault::ForgetsTheCity, "was stored with another value than it was given: city"),
        (Fault::UpdatesNothing, "the target holds something else"),
    ] {
        let violation = checked::<NO_DELETES, NO_DELETES>(fault, sites).unwrap_err();
        assert!(violation.to_string().contains(said), "{said}: {violation}");
    }
    let violation = checked::<NO_UPDATES, NO_UPDATES>(Fault::LeavesRacksBehind, without_twins).unwrap_err();
    assert!(violation.to_string().contains("delete site"), "{violation}");
}

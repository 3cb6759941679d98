//! The law-test kit: it passes a sound target, and finds what is wrong with others.

use std::sync::{Mutex, MutexGuard};

use diffsync_core::adapter::{AdapterError, CompleteContext, LoadContext, TargetError, WriteContext};
use diffsync_core::testkit::{Laws, Violation};
use diffsync_core::{Adapter, Dataset, ModelExt, SyncModel, Table, Target};

use crate::fake_target::locked;

#[derive(SyncModel, Clone)]
pub(crate) struct Site {
    #[sync(id)]
    pub(crate) name: String,
    city: String,
    #[sync(references(Site, deferred))]
    pub(crate) twin: Option<String>,
}

#[derive(SyncModel, Clone)]
pub(crate) struct Rack {
    #[sync(id, parent = Site)]
    site: String,
    #[sync(id)]
    number: u64,
    units: Option<u64>,
    #[sync(local)]
    row_id: usize,
}

#[derive(Dataset, Default)]
pub(crate) struct Sites {
    pub(crate) sites: Table<Site>,
    racks: Table<Rack>,
}

/// Sites and racks, others for each seed.
pub(crate) fn sites(seed: u64) -> Sites {
    let name = |number: u64| format!("s{number}");
    let held: Vec<u64> = (0..5).filter(|number| !(number + seed).is_multiple_of(3)).collect();
    let mut data = Sites::default();
    for (at, number) in held.iter().enumerate() {
        let twin = held.get((at + 1) % held.len()).filter(|_| seed.is_multiple_of(2)).map(|twin| name(*twin));
        data.sites.insert(Site { name: name(*number), city: format!("c{}", seed / (number + 1)), twin });
        data.racks.extend((0..number % 3).map(|rack| Rack {
            site: name(*number),
            number: rack,
            units: (rack + seed).checked_sub(2),
            row_id: 0,
        }));
    }
    data.racks.mark_loaded();
    data
}

/// What a target does wrong.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    ForgetsTheCity,
    UpdatesNothing,
    LeavesRacksBehind,
    ReturnsOtherThanItStores,
    /// The first half of a batch is stored although it says that nothing was.
    StoresHalfABatch,
    /// It remembers what it deleted, and refuses to create it again.
    NeverForgets,
    /// What is written at the same time lands on one another.
    LosesWhatIsConcurrent,
}

#[derive(Default)]
struct Held {
    sites: Vec<Site>,
    racks: Vec<Rack>,
    deleted: Vec<String>,
    next_row: usize,
}

pub(crate) struct Memory {
    held: Mutex<Held>,
    fault: Fault,
}

impl Memory {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { held: Mutex::default(), fault }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        locked(&self.held)
    }
}

impl Adapter for Memory {
    type Data = Sites;

    async fn load(&self, data: &mut Sites, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        let held = self.held();
        data.sites.extend(held.sites.clone());
        data.racks.extend(held.racks.clone());
        Ok(())
    }

    async fn sync_complete(&self, _: &CompleteContext<'_, Sites>) -> Result<(), AdapterError> {
        Ok(())
    }
}

impl Target<Site> for Memory {
    const CONCURRENCY: usize = 4;
    const BATCH: usize = 3;

    async fn create(&self, new: &Site, _: &WriteContext<'_, Sites>) -> Result<Site, TargetError> {
        let count = self.held().sites.len();
        tokio::task::yield_now().await;
        let mut held = self.held();
        if self.fault == Fault::NeverForgets && held.deleted.contains(&new.name) {
            return Err(TargetError::new("the name was used before"));
        }
        if held.sites.iter().any(|site| site.name == new.name) {
            return Err(TargetError::new("it is there already"));
        }
        if self.fault == Fault::LosesWhatIsConcurrent {
            held.sites.truncate(count);
        }
        let mut stored = new.clone();
        if self.fault == Fault::ForgetsTheCity {
            stored.city.clear();
        }
        held.sites.push(stored.clone());
        Ok(if self.fault == Fault::ReturnsOtherThanItStores { Site { city: "?".into(), ..stored } } else { stored })
    }

    async fn update(&self, old: &Site, patch: &SitePatch, _: &WriteContext<'_, Sites>) -> Result<Site, TargetError> {
        let new = old.patched(patch);
        if self.fault != Fault::UpdatesNothing {
            let mut held = self.held();
            let row = held.sites.iter_mut().find(|row| row.name == old.name);
            *row.ok_or_else(|| TargetError::new("it is not there"))? = new.clone();
        }
        Ok(new)
    }

    async fn delete(&self, old: &Site, _: &WriteContext<'_, Sites>) -> Result<(), TargetError> {
        let mut held = self.held();
        if held.racks.iter().any(|rack| rack.site == old.name) {
            return Err(TargetError::new("there are racks on it"));
        }
        if held.sites.iter().any(|site| site.twin.as_ref() == Some(&old.name)) {
            return Err(TargetError::new("it is the twin of another"));
        }
        held.sites.retain(|site| site.name != old.name);
        held.deleted.push(old.name.clone());
        Ok(())
    }

    async fn create_many(
        &self,
        new: &[&Site],
        cx: &WriteContext<'_, Sites>,
    ) -> Result<Vec<Result<Site, TargetError>>, TargetError> {
        let mut answers = Vec::new();
        for (at, site) in new.iter().enumerate() {
            if self.fault == Fault::StoresHalfABatch && at == 1 {
                return Err(TargetError::new("the second one is refused, and with it all of them"));
            }
            answers.push(self.create(*site, cx).await);
        }
        Ok(answers)
    }
}

impl Target<Rack> for Memory {
    async fn create(&self, new: &Rack, cx: &WriteContext<'_, Sites>) -> Result<Rack, TargetError> {
        cx.current::<Site>(&new.site)?;
        let mut held = self.held();
        held.next_row += 1;
        let stored = Rack { row_id: held.next_row, ..new.clone() };
        held.racks.push(stored.clone());
        Ok(stored)
    }

    async fn update(&self, old: &Rack, patch: &RackPatch, _: &WriteContext<'_, Sites>) -> Result<Rack, TargetError> {
        let new = old.patched(patch);
        let mut held = self.held();
        let row = held.racks.iter_mut().find(|row| row.row_id == old.row_id);
        *row.ok_or_else(|| TargetError::new("it is not there"))? = new.clone();
        Ok(new)
    }

    async fn delete(&self, old: &Rack, _: &WriteContext<'_, Sites>) -> Result<(), TargetError> {
        if self.fault != Fault::LeavesRacksBehind {
            self.held().racks.retain(|rack| rack.row_id != old.row_id);
        }
        Ok(())
    }
}

/// A target that writes all it holds at the end, like a file.
#[derive(Default)]
struct File {
    held: Mutex<Vec<Site>>,
    racks: Mutex<Vec<Rack>>,
}

impl Adapter for File {
    type Data = Sites;
    const WRITES_AT_COMPLETE: bool = true;

    async fn load(&self, data: &mut Sites, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.sites.extend(locked(&self.held).clone());
        data.racks.extend(locked(&self.racks).clone());
        Ok(())
    }

    async fn sync_complete(&self, synced: &CompleteContext<'_, Sites>) -> Result<(), AdapterError> {
        *locked(&self.held) = synced.records().cloned().collect();
        *locked(&self.racks) = synced.records().cloned().collect();
        Ok(())
    }
}

macro_rules! written_at_the_end {
    ($($model:ident, $patch:ident);*) => {$(
        impl Target<$model> for File {
            async fn create(&self, new: &$model, _: &WriteContext<'_, Sites>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }
            async fn update(&self, old: &$model, patch: &$patch, _: &WriteContext<'_, Sites>) -> Result<$model, TargetError> {
                Ok(old.patched(patch))
            }
            async fn delete(&self, _: &$model, _: &WriteContext<'_, Sites>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    )*};
}

written_at_the_end!(Site, SitePatch; Rack, RackPatch);

pub(crate) fn block_on<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn checked(fault: Fault) -> Result<(), Violation> {
    let system = || async move { Ok(Memory::with(fault)) };
    block_on(Laws::new(system, sites).seeds(8).failing_calls(6).check())
}

#[test]
fn a_sound_target_keeps_the_laws() {
    checked(Fault::None).unwrap();
    let file = || async { Ok(File::default()) };
    block_on(Laws::new(file, sites).seeds(8).failing_calls(6).check()).unwrap();
}

#[test]
fn what_a_target_does_wrong_is_found() {
    for (fault, said) in [
        (Fault::ForgetsTheCity, "was stored with another value than it was given: city"),
        (Fault::UpdatesNothing, "the target holds something else"),
        (Fault::LeavesRacksBehind, "delete site"),
        (Fault::ReturnsOtherThanItStores, "was stored with another value"),
        (Fault::StoresHalfABatch, "it is there already"),
        (Fault::NeverForgets, "the name was used before"),
        (Fault::LosesWhatIsConcurrent, "the target holds something else"),
    ] {
        let violation = checked(fault).unwrap_err();
        assert!(violation.to_string().contains(said), "{said}: {violation}");
    }
}

#[test]
fn a_violation_says_which_law_and_which_data() {
    let violation = checked(Fault::UpdatesNothing).unwrap_err();
    assert_eq!(violation.law, "what was written is found again");
    assert!(violation.to_string().ends_with(&format!("(seed {})", violation.seed)), "{violation}");
}

#[test]
fn a_system_that_cannot_be_made_is_a_violation() {
    let system = || async { Err::<Memory, _>(AdapterError::new("there is no database")) };
    let violation = block_on(Laws::new(system, sites).check()).unwrap_err();
    assert_eq!(violation.what, "no system could be made: there is no database");
}

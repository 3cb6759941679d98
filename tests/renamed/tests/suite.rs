//! A crate that renames diffsync, and gives it its own name back in one line. Its macros need no `crate = path`.

extern crate sync as diffsync;

use diffsync::file::Folder;
use diffsync::job::{JobSpec, VariableValues};
use diffsync::prelude::*;
use diffsync_tests_renamed::{Extent, FolderToFolder, Network};

/// A shelf.
#[derive(SyncModel, FileModel, Debug, Clone)]
#[file(path = "shelves.csv")]
struct Shelf {
    #[sync(id)]
    number: u8,
    label: Option<String>,
}

/// All shelves.
#[derive(Dataset, Debug, Default)]
struct Shelves {
    shelves: Table<Shelf>,
}

/// A way to count.
#[derive(Choice, Debug, Clone, Copy, PartialEq)]
enum Count {
    Quickly,
    Twice,
}

/// From one folder of shelves to another.
#[job(source = Folder<Shelves>, target = Folder<Shelves>)]
struct ShelvesToShelves {
    #[var(default = "quickly")]
    count: Count,
}

impl Job for ShelvesToShelves {
    async fn source_adapter(&self, _: &JobContext) -> Result<Folder<Shelves>, JobError> {
        Ok(Folder::new("from"))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Folder<Shelves>, JobError> {
        Ok(Folder::new("to"))
    }
}

#[test]
fn a_crate_may_name_diffsync_as_it_likes_with_a_path_at_each_macro() {
    let mut network = Network::default();
    network.sites.insert(diffsync_tests_renamed::Site { name: "ams01".into(), purpose: None });
    network.devices.insert(diffsync_tests_renamed::Device { name: "r1".into(), site: "ams01".into(), mac: None });

    let mut empty = Network::default();
    empty.sites.mark_loaded();
    empty.devices.mark_loaded();

    let plan = Plan::new(network, empty);
    assert_eq!(plan.diff().operations(), 2);

    let job = FolderToFolder::from_variables(&VariableValues::default()).unwrap();
    assert!(matches!(job.extent, Extent::Full));
}

#[test]
fn a_crate_may_name_diffsync_as_it_likes_with_one_line_at_its_root() {
    let mut source = Shelves::default();
    source.shelves.insert(Shelf { number: 1, label: None });

    let mut empty = Shelves::default();
    empty.shelves.mark_loaded();

    let plan = Plan::new(source, empty);
    assert_eq!(plan.diff().operations(), 1);

    let job = ShelvesToShelves::from_variables(&VariableValues::default()).unwrap();
    assert_eq!(job.count, Count::Quickly);
}

#[test]
fn jobs_of_a_crate_that_renames_diffsync_are_registered() {
    let registry = JobRegistry::from_linked([]).unwrap();
    for id in [FolderToFolder::INFO.id, ShelvesToShelves::INFO.id] {
        assert!(registry.iter().any(|job| job.info().id == id), "{id} is missing");
    }
}

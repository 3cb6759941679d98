//! Every macro, in a crate that knows no other name of diffsync than the one it gave it.
//!
//! `renamed` is `diffsync` under another name, as with `renamed = { package = "diffsync" }`: its macros are told so.

#![deny(warnings)]

extern crate diffsync as renamed;

mod by_its_own_name {
    use std::path::PathBuf;

    use diffsync::prelude::*;

    /// A site.
    #[derive(SyncModel, Clone, Debug)]
    #[cfg_attr(feature = "csv", derive(FileModel), file(path = "sites.csv"))]
    #[cfg_attr(feature = "sqlite", derive(SqlModel), sql(table = "sites"))]
    #[cfg_attr(feature = "rest", derive(RestModel), rest(path = "sites"))]
    pub(crate) struct Site {
        #[sync(id)]
        name: String,
        #[sync(parent = Self)]
        within: Option<String>,
    }

    /// Sites.
    #[derive(Dataset, Default)]
    pub(crate) struct Network {
        pub(crate) sites: Table<Site>,
    }

    /// How thoroughly.
    #[derive(Choice)]
    pub(crate) enum Mode {
        Fast,
        Careful,
    }

    pub(crate) struct Nothing;

    impl Adapter for Nothing {
        type Data = Network;
        async fn load(&self, network: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> {
            network.sites.mark_loaded();
            Ok(())
        }
    }

    impl Target<Site> for Nothing {
        async fn create(&self, new: &Site, _: &WriteContext<'_, Network>) -> Result<Site, TargetError> {
            Ok(new.clone())
        }
        async fn update(
            &self,
            old: &Site,
            patch: &SitePatch,
            _: &WriteContext<'_, Network>,
        ) -> Result<Site, TargetError> {
            Ok(old.patched(patch))
        }
        async fn delete(&self, _: &Site, _: &WriteContext<'_, Network>) -> Result<(), TargetError> {
            Ok(())
        }
    }

    /// Does nothing.
    #[job(source = Nothing, target = Nothing, name = "By its own name")]
    pub(crate) struct ByItsOwnName {
        #[var(default = "here")]
        folder: PathBuf,
        #[var(default = "fast")]
        mode: Mode,
    }

    impl Job for ByItsOwnName {
        async fn source_adapter(&self, _: &JobContext) -> Result<Nothing, JobError> {
            let _ = &self.folder;
            let (Mode::Fast | Mode::Careful) = self.mode;
            Ok(Nothing)
        }
        async fn target_adapter(&self, _: &JobContext) -> Result<Nothing, JobError> {
            Ok(Nothing)
        }
    }
}

mod renamed_in_its_manifest {
    use renamed::prelude::*;

    /// A site.
    #[derive(SyncModel, Clone)]
    #[sync(crate = renamed)]
    #[cfg_attr(feature = "csv", derive(FileModel), file(path = "sites.csv", crate = renamed))]
    #[cfg_attr(feature = "sqlite", derive(SqlModel), sql(table = "sites", crate = renamed))]
    #[cfg_attr(feature = "rest", derive(RestModel), rest(path = "sites", crate = renamed))]
    pub(crate) struct Site {
        #[sync(id)]
        name: String,
    }

    /// Sites.
    #[derive(Dataset, Default)]
    #[dataset(crate = renamed)]
    pub(crate) struct Network {
        pub(crate) sites: Table<Site>,
    }

    /// How thoroughly.
    #[derive(Choice)]
    #[choice(crate = renamed)]
    pub(crate) enum Mode {
        Fast,
    }

    /// Does nothing.
    #[job(source = super::by_its_own_name::Nothing, target = super::by_its_own_name::Nothing, crate = renamed)]
    pub(crate) struct Renamed {
        mode: Mode,
    }

    impl Job for Renamed {
        async fn source_adapter(&self, _: &JobContext) -> Result<super::by_its_own_name::Nothing, JobError> {
            let Mode::Fast = self.mode;
            Ok(super::by_its_own_name::Nothing)
        }
        async fn target_adapter(&self, _: &JobContext) -> Result<super::by_its_own_name::Nothing, JobError> {
            Ok(super::by_its_own_name::Nothing)
        }
    }
}

/// A model whose own methods are called like the trait's.
mod with_methods_of_its_own {
    use diffsync::prelude::*;

    #[derive(SyncModel, Clone)]
    pub(crate) struct Lock {
        #[sync(id)]
        pub(crate) key: String,
        pub(crate) patch: u8,
    }

    pub(crate) trait Door {
        fn key(&self) -> &'static str;
        fn is(&self, open: bool) -> bool;
        fn apply(&self) -> u8;
        fn prefetch(&self) -> u8;
        fn planned(&self) -> u8;
        fn identifier(&self) -> u8;
        fn attribute(&self) -> u8;
    }

    impl Door for Lock {
        fn key(&self) -> &'static str {
            "own"
        }
        fn is(&self, open: bool) -> bool {
            open
        }
        fn apply(&self) -> u8 {
            self.patch
        }
        fn prefetch(&self) -> u8 {
            2
        }
        fn planned(&self) -> u8 {
            3
        }
        fn identifier(&self) -> u8 {
            4
        }
        fn attribute(&self) -> u8 {
            5
        }
    }

    #[test]
    fn a_model_s_own_methods_keep_their_names() {
        let lock = Lock { key: "front".into(), patch: 1 };
        assert_eq!((lock.key(), lock.is(true), lock.apply(), lock.prefetch()), ("own", true, 1, 2));
        assert_eq!((lock.planned(), lock.identifier(), lock.attribute()), (3, 4, 5));
        assert_eq!((lock.id().to_string(), <Lock as diffsync::model::SyncModel>::NAME), ("front".into(), "lock"));
    }
}

#[test]
fn the_jobs_are_linked() {
    let registry = diffsync::JobRegistry::from_linked([]).unwrap();
    assert!(by_its_own_name::Network::default().sites.is_empty());
    assert!(renamed_in_its_manifest::Network::default().sites.is_empty());
    assert_eq!(registry.iter().count(), 2);
}

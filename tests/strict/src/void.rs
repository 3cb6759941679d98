//! A system for the models of [`world`](crate::world), and a job with variables of every type.

use std::path::PathBuf;

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError};
use diffsync_core::value::{Secret, Url};
use diffsync_core::{Adapter, Job, ModelExt, Target, job};

use crate::world::{
    City, CityPatch, Country, CountryPatch, Narrow, NarrowPatch, Place, PlacePatch, Quarter, QuarterPatch, Region,
    RegionPatch, Row, RowPatch, Street, StreetPatch, Tag, TagPatch, World,
};

/// A system that holds nothing and takes everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Void;

impl Adapter for Void {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        world.regions.mark_loaded();
        Ok(())
    }
}

macro_rules! targets {
    ($($model:ident, $patch:ident;)*) => {$(
        impl Target<$model> for Void {
            async fn create(&self, new: &$model, _: &WriteContext<'_, World>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }

            async fn update(
                &self,
                old: &$model,
                patch: &$patch,
                _: &WriteContext<'_, World>,
            ) -> Result<$model, TargetError> {
                Ok(old.patched(patch))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    )*};
}

targets! {
    Region, RegionPatch;
    City, CityPatch;
    Place, PlacePatch;
    Quarter, QuarterPatch;
    Street, StreetPatch;
    Tag, TagPatch;
    Row, RowPatch;
    Narrow, NarrowPatch;
}

impl Target<Country> for Void {
    async fn create(&self, new: &Country, cx: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        let region = cx.current(&new.region)?;
        Ok(Country { region: region.id(), ..new.clone() })
    }

    async fn update(
        &self,
        old: &Country,
        patch: &CountryPatch,
        _: &WriteContext<'_, World>,
    ) -> Result<Country, TargetError> {
        if patch.is_empty() { Ok(old.clone()) } else { Ok(old.patched(patch)) }
    }

    async fn delete(&self, old: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        Err(TargetError::new(format!("{} stays", old.id())))
    }
}

/// Keeps nothing in line with nothing.
#[job(
    source = Void,
    target = Void,
    name = "Void to void",
    kind = data_target,
    source_label = "Nothing",
    target_label = "Nothing either",
    source_icon = "void.svg",
    target_icon = "void.svg",
    dryrun_default = false,
    hidden = true,
    concurrency = 2
)]
#[derive(Debug, Clone, PartialEq)]
pub struct VoidToVoid {
    /// A text.
    #[var(default = "nothing", env = "VOID", group = "Texts")]
    pub text: String,
    /// A path.
    pub path: Option<PathBuf>,
    /// An address.
    #[var(default = "https://void.example/")]
    pub url: Url,
    /// A small number.
    #[var(default = 1)]
    pub small: u8,
    /// A number below zero.
    #[var(default = -1)]
    pub negative: i64,
    /// Half of one.
    #[var(default = 0.5)]
    pub half: f64,
    /// Whether to.
    pub r#if: bool,
    /// Which ones.
    pub r#for: Vec<u16>,
    /// What nobody may see.
    pub token: Option<Secret<String>>,
    /// One.
    pub one: Option<u8>,
    /// Two.
    pub two: Option<u16>,
    /// Three.
    pub three: Option<u32>,
    /// Four.
    pub four: Option<u64>,
    /// Five.
    pub five: Option<usize>,
    /// Six.
    pub six: Option<i8>,
    /// Seven.
    pub seven: Option<i16>,
    /// Eight.
    pub eight: Option<f32>,
    /// Nine.
    pub nine: Vec<String>,
}

impl Job for VoidToVoid {
    async fn source_adapter(&self, _: &JobContext) -> Result<Void, JobError> {
        Ok(Void)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Void, JobError> {
        Ok(Void)
    }
}

//! Comparing the two loaded sides of a run.

use std::fmt;

use super::rollback::Rollback;
use crate::data::check::Checked;
use crate::data::dataset::Dataset;
use crate::data::side::Side;
use crate::model::flags::Flags;
use crate::plan::scope::Scope;
use crate::plan::{ComparisonId, Plan};
use crate::plan_file::PlanKind;
use crate::plan_file::filter::Filter;

impl<D: Dataset> Plan<D> {
    /// Checks and compares two data sets.
    ///
    /// A run checks data sets when it loads them, and compares them in its third step. This function does both, for tests
    /// of models and adapters:
    ///
    /// ```
    /// use diffsync_core::{Dataset, Plan, SyncModel, Table};
    ///
    /// #[derive(SyncModel)]
    /// struct Region {
    ///     #[sync(id)]
    ///     slug: String,
    ///     name: String,
    /// }
    ///
    /// #[derive(Dataset, Default)]
    /// struct World {
    ///     regions: Table<Region>,
    /// }
    ///
    /// let (mut source, mut target) = (World::default(), World::default());
    /// source.regions.insert(Region { slug: "asia".into(), name: "Asia".into() });
    /// target.regions.insert(Region { slug: "asia".into(), name: "Azia".into() });
    ///
    /// let plan = Plan::new(source, target);
    /// assert_eq!(plan.diff().summary().total.update, 1);
    /// assert_eq!(plan.tree().to_string(), "~ region asia\n    name: \"Azia\" -> \"Asia\"\n");
    /// ```
    pub fn new(source: D, target: D) -> Self {
        LoadedSides::new(source, target).compare()
    }
}

/// Both sides, loaded, and ready to be compared.
pub struct LoadedSides<D> {
    source: Checked<D>,
    target: Checked<D>,
    scope: Scope,
    comparison: ComparisonId,
}

impl<D: Dataset> LoadedSides<D> {
    /// Checks two data sets, each by itself.
    pub fn new(source: D, target: D) -> Self {
        Self::of(Checked::new(Side::Source, source), Checked::new(Side::Target, target), Scope::default())
    }

    /// Two data sets that were checked when they were loaded, and the part of them to compare.
    pub(crate) fn of(source: Checked<D>, target: Checked<D>, scope: Scope) -> Self {
        Self { source, target, scope, comparison: ComparisonId::new() }
    }

    pub(crate) fn comparison(&self) -> ComparisonId {
        self.comparison
    }

    /// Applies a filter in addition to those of the run.
    #[must_use]
    pub fn only(mut self, filter: Filter) -> Self {
        self.scope.filters.push(filter);
        self
    }

    /// Sets flags on all records of both sides.
    #[must_use]
    pub fn with_flags(mut self, flags: Flags) -> Self {
        self.scope.flags |= flags;
        self
    }

    /// What the source holds.
    pub fn source(&self) -> &D {
        &self.source.data
    }

    /// What the target holds.
    pub fn target(&self) -> &D {
        &self.target.data
    }

    /// Compares both sides.
    #[must_use]
    pub fn compare(self) -> Plan<D> {
        let Self { source, target, scope, comparison } = self;
        let Some(selection) = &scope.selection else { return Plan::between(source, target, &scope, comparison) };

        if selection.request().plan.header.kind == PlanKind::Undo {
            let Rollback { source, tables, drift_check } = selection.rollback(&target.data, &scope);
            let mut plan = Plan::restored(source, target, tables, comparison);
            plan.set_drift_check(drift_check);
            return plan;
        }

        let mut plan = Plan::between(source, target, &scope, comparison);
        selection.leave_out_of(&mut plan);
        let drift_check = selection.check_drift(&plan, &scope);
        plan.set_drift_check(drift_check);
        plan
    }
}

impl<D> fmt::Debug for LoadedSides<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedSides").finish_non_exhaustive()
    }
}

//! The state of a comparison, model by model.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;

use super::excluded::Excluded;
use super::table_diff::TableDiff;
use crate::plan::record_ref::RecordRef;
use crate::plan::scope::Scope;

/// Compares the models, each after those that it links to.
pub(super) struct Differ<'a, D> {
    pub(super) source: &'a D,
    pub(super) target: &'a D,
    pub(super) scope: &'a Scope,
    /// Whether any record may be excluded from the diff. Otherwise the checks for it are skipped.
    pub(super) selective: bool,
    pub(super) source_out: Vec<Excluded>,
    pub(super) target_out: Vec<Excluded>,
    /// The source's rows that will not exist in the target, since their creates are excluded.
    pub(super) absent: Vec<Excluded>,
    /// The target's rows whose children are deleted with them.
    pub(super) cascading: Vec<FixedBitSet>,
    /// The target's rows that are held back because they may be new records, each with the new one.
    pub(super) held: Vec<HashMap<u32, RecordRef>>,
    pub(super) tables: Vec<TableDiff>,
}

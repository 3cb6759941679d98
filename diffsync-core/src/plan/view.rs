//! Reading a plan without knowing its data set.

use serde_json::Value;

use crate::data::problem::Problem;
use crate::data::refusal::Breach;
use crate::plan::diff::Diff;
use crate::plan::record_ref::RecordRef;

/// A plan of any data set, as reports, trees and pages read it. Values are copied only when they are read.
pub trait PlanView: Send + Sync {
    /// What must change.
    fn diff(&self) -> &Diff;
    /// What is wrong with the two data sets.
    fn problems(&self) -> &[Problem];
    /// The limits of the run that it exceeds, or for which operations are held; none before a run has checked them.
    fn breaches(&self) -> &[Breach];
    /// The identifier of a record, as text.
    fn record(&self, record: RecordRef) -> String;
    /// The identifier of a record as a plain value.
    ///
    /// # Errors
    ///
    /// If the identifier's own `Serialize` fails.
    fn identifier(&self, record: RecordRef) -> Result<Value, serde_json::Error>;
    /// An attribute of a record, by its position in the schema, as a plain value with its secrets redacted.
    ///
    /// # Errors
    ///
    /// If the attribute's own `Serialize` fails.
    fn attribute(&self, record: RecordRef, attribute: usize) -> Result<Value, serde_json::Error>;
    /// An attribute as an update of the target's record would leave it.
    ///
    /// # Errors
    ///
    /// As [`attribute`](Self::attribute).
    fn planned(&self, source: RecordRef, target: RecordRef, attribute: usize) -> Result<Value, serde_json::Error>;
    /// The record's parent, on its side.
    fn parent(&self, record: RecordRef) -> Option<RecordRef>;
    /// The record with the same identifier on the other side.
    fn counterpart(&self, record: RecordRef) -> Option<RecordRef>;
}

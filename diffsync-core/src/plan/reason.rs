//! Why a record was not written, in words.

use crate::plan::hold_reason::HoldReason;
use crate::plan::outcome::Outcome;
use crate::plan::twin::Twin;
use crate::plan::{PlanView, RecordRef};

impl Outcome {
    /// Why the record was not written, if it was not: the target's error, or the record that caused it.
    #[must_use]
    pub fn reason(&self, plan: &dyn PlanView, record: RecordRef) -> Option<String> {
        match self {
            Self::Failed { error, .. } => Some(error.to_string()),
            Self::Blocked { by } => Some(format!("because of {}", name(plan, *by))),
            Self::Held { reason } => Some(held(plan, record, reason)),
            Self::Unknown { reason } => Some(reason.to_string()),
            _ => None,
        }
    }
}

fn held(plan: &dyn PlanView, record: RecordRef, reason: &HoldReason) -> String {
    match reason {
        HoldReason::Guard => "a guard held it back".to_owned(),
        HoldReason::PreventDestroy => "`prevent_destroy` held it back".to_owned(),
        HoldReason::PossibleDuplicate { new } => Twin::of(plan, record, *new).reason(),
        HoldReason::Conflict { with } => format!(
            "held, because {} could not be written: a unique value of it is taken, perhaps by this record; free the value by \
             hand, or put `deletes_first` on the model",
            name(plan, *with)
        ),
        HoldReason::WrittenOver { by } => {
            format!("held, because the target stored {} under its identifier", name(plan, *by))
        }
        HoldReason::Under { held } => format!("held, because it lives under {}, which is held", name(plan, *held)),
    }
}

fn name(plan: &dyn PlanView, record: RecordRef) -> String {
    format!("{} {:?}", plan.diff().tables()[record.model()].schema().name, plan.record(record))
}

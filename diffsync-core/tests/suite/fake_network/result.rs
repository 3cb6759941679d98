//! What a run on the fake network did, and what must be true of every run.

use super::*;

/// What a run did.
pub(crate) struct RunResult {
    pub(crate) report: RunReport,
    /// How long it took, on the clock that stands still where something can go on.
    pub(crate) took: Duration,
    /// The outcome of each record, as `create device d1` and `created`, in the order of the events.
    pub(super) done: Vec<(String, &'static str)>,
}

impl RunResult {
    /// What was not done, in the order it was said, as `create device d1: failed`.
    pub(crate) fn undone(&self) -> Vec<String> {
        let undone = self.done.iter().filter(|(_, outcome)| !WRITTEN.contains(outcome));
        undone.map(|(call, outcome)| format!("{call}: {outcome}")).collect()
    }

    /// The outcome of a record with a planned operation.
    pub(crate) fn outcome(&self, call: &str) -> Option<&'static str> {
        self.done.iter().find(|(done, _)| done == call).map(|(_, outcome)| *outcome)
    }

    /// How many records ended as what, zeros left out.
    pub(crate) fn counts(&self) -> String {
        crate::fake_target::ended(&self.report)
    }

    /// Each operation of the diff is said to have ended once, and as often as the report counts it.
    pub(super) fn expect_sums(&self, ended_as: &str) {
        let calls: BTreeSet<_> = self.done.iter().map(|(call, _)| call).collect();
        assert_eq!(calls.len(), self.done.len(), "something was said twice: {ended_as}");
        let mut counts = serde_json::to_value(self.report.counts).unwrap();
        for kind in ["unchanged", "rejected", "left_out"] {
            counts[kind] = 0.into();
        }
        for (kind, count) in counts.as_object().unwrap() {
            let said = self.done.iter().filter(|(_, outcome)| outcome == kind).count();
            assert_eq!(Some(said as u64), count.as_u64(), "{kind} in {ended_as}");
        }
    }

    /// The target was asked for all that was attempted, and for nothing else.
    pub(super) fn expect_asked_as_planned(&self, calls: &[String], ended_as: &str) {
        let asked: BTreeSet<&str> = calls.iter().map(String::as_str).collect();
        let planned: HashMap<&str, &str> = self.done.iter().map(|(call, outcome)| (&**call, *outcome)).collect();
        for call in &asked {
            // Deferred references are set by an update of their own, and taken back by one.
            let other = |operation| call.strip_prefix("update").map(|record| format!("{operation}{record}"));
            let for_references = ["create", "delete"].iter().filter_map(other).any(|call| planned.contains_key(&*call));
            assert!(planned.contains_key(call) || for_references, "{call} is not in the diff: {ended_as}");
        }
        for (call, outcome) in &self.done {
            let expected = match *outcome {
                "created" | "updated" | "deleted" => true,
                "held" | "unsupported" | "not_attempted" | "cascaded" => false,
                // The references of a record may be what failed or another is to blame for, and what goes with another
                // is not known where that is not.
                _ => continue,
            };
            assert_eq!(asked.contains(&**call), expected, "{call} {outcome}: {ended_as}");
        }
    }
}

const WRITTEN: [&str; 4] = ["created", "updated", "deleted", "cascaded"];

/// Takes note of what becomes of each record.
#[derive(Default)]
pub(super) struct Watch {
    plan: Mutex<Option<Arc<dyn PlanView>>>,
    pub(super) done: Mutex<Vec<(String, &'static str)>>,
}

impl Observer for Watch {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::DiffReady(plan) => *locked(&self.plan) = Some(Arc::clone(plan)),
            Event::RecordDone { record, operation, outcome, .. } => {
                let plan = locked(&self.plan).clone().unwrap();
                let model = plan.diff().tables()[record.model()].schema().name;
                let call = format!("{operation} {model} {}", plan.record(*record));
                locked(&self.done).push((call, outcome.kind().as_str()));
            }
            _ => {}
        }
    }
}

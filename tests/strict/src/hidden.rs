//! A public model may have fields that nobody outside sees, of types that nobody outside knows.

use std::fmt;

use diffsync_core::{Dataset, SyncModel, Table};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// A part of a machine.
#[derive(SyncModel, Debug, Clone)]
pub struct Part {
    #[sync(id)]
    code: Code,
    /// What it is called.
    pub name: String,
    weight: Option<Code>,
    #[sync(local)]
    stock: Option<Code>,
}

/// A screw of a part.
#[derive(SyncModel, Debug, Clone)]
#[sync(parent(Part, code = part))]
pub struct Screw {
    #[sync(id)]
    part: Code,
    #[sync(id)]
    pub(crate) number: u32,
    pub(super) fits: Vec<u16>,
}

/// All of them.
#[derive(Dataset, Debug, Default)]
pub struct Machine {
    /// The parts.
    pub parts: Table<Part>,
    screws: Table<Screw>,
}

impl Machine {
    /// How many screws hold a part.
    #[must_use]
    pub fn screws(&self, part: &Part) -> usize {
        self.screws.iter().filter(|screw| screw.part == part.code && part.weight != part.stock).count()
    }
}

#[cfg(test)]
mod tests {
    use diffsync_core::ModelExt;

    use super::*;

    #[test]
    fn they_are_identified_and_changed_as_any_other() {
        let part = Part { code: Code(7), name: "lid".into(), weight: None, stock: Some(Code(1)) };
        let screw = Screw { part: Code(7), number: 1, fits: Vec::new() };
        assert_eq!((part.id().to_string(), screw.id().to_string()), ("0007".into(), "0007__1".into()));
        assert_eq!(
            part.patched(&PartPatch { weight: Some(Some(Code(2))), ..PartPatch::default() }).weight,
            Some(Code(2))
        );
        let mut machine = Machine::default();
        machine.screws.insert(screw);
        assert_eq!(machine.screws(&part), 1);
    }
}

//! How both are to handle two sides: which records carry which flags, what the run is asked to do, and what fails.

use std::collections::{BTreeMap, HashMap};

use diffsync_core::model::{Flags, Operation};

use super::records::{Key, Records, Row};

/// A flag of records, as the peer has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Ignore,
    SkipUnmatchedSrc,
    SkipUnmatchedDst,
    SkipUnmatchedBoth,
    SkipChildrenOnDelete,
    /// Children are deleted before their parents. Ours always are, so that we have no such flag.
    NaturalDeletionOrder,
}

impl Mark {
    pub(super) const ALL: [Self; 6] = [
        Self::Ignore,
        Self::SkipUnmatchedSrc,
        Self::SkipUnmatchedDst,
        Self::SkipUnmatchedBoth,
        Self::SkipChildrenOnDelete,
        Self::NaturalDeletionOrder,
    ];

    pub(super) fn ours(self) -> Flags {
        match self {
            Self::Ignore => Flags::IGNORE,
            Self::SkipUnmatchedSrc => Flags::SKIP_UNMATCHED_SRC,
            Self::SkipUnmatchedDst => Flags::SKIP_UNMATCHED_DST,
            Self::SkipUnmatchedBoth => Flags::SKIP_UNMATCHED_BOTH,
            Self::SkipChildrenOnDelete => Flags::SKIP_CHILDREN_ON_DELETE,
            Self::NaturalDeletionOrder => Flags::empty(),
        }
    }

    /// Its name in the peer, where those of a run are called the same.
    pub(super) fn peers(self) -> &'static str {
        match self {
            Self::Ignore => "IGNORE",
            Self::SkipUnmatchedSrc => "SKIP_UNMATCHED_SRC",
            Self::SkipUnmatchedDst => "SKIP_UNMATCHED_DST",
            Self::SkipUnmatchedBoth => "SKIP_UNMATCHED_BOTH",
            Self::SkipChildrenOnDelete => "SKIP_CHILDREN_ON_DELETE",
            Self::NaturalDeletionOrder => "NATURAL_DELETION_ORDER",
        }
    }
}

/// The flags of one side's records.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    pub(super) records: BTreeMap<Key, Vec<Mark>>,
    /// All records of a model.
    pub(super) tables: Vec<(&'static str, Mark)>,
}

impl Marks {
    pub(super) fn of(&self, row: &Row) -> impl Iterator<Item = Mark> {
        let table = self.tables.iter().filter(|(model, _)| *model == row.model()).map(|(_, mark)| *mark);
        self.records.get(&row.key()).into_iter().flatten().copied().chain(table)
    }

    pub(super) fn has(&self, row: &Row, mark: Mark) -> bool {
        self.of(row).any(|its| its == mark)
    }

    /// The flags that we have of each record, without those of its table.
    pub(super) fn ours(&self) -> HashMap<Key, Flags> {
        let flags = |marks: &Vec<Mark>| marks.iter().fold(Flags::empty(), |flags, mark| flags | mark.ours());
        self.records.iter().map(|(key, marks)| (key.clone(), flags(marks))).collect()
    }
}

/// How both are to handle two sides. The default is as they do it by themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) source: Marks,
    pub(super) target: Marks,
    /// The flag of the run.
    pub(super) run: Option<Mark>,
    /// Whether only the peer is told of the flags, since we have them from the models.
    pub(super) only_for_the_peer: bool,
    /// The operations that fail, on records by the names that the peer has for them.
    pub(super) failing: Vec<(Operation, &'static str, String)>,
}

impl Asked {
    /// The same without one of the flags, for each of them.
    pub(super) fn each_without_one(&self) -> Vec<Self> {
        let mut others = Vec::new();
        for is_source in [true, false] {
            let side = if is_source { &self.source } else { &self.target };
            let without = |take: &dyn Fn(&mut Marks)| {
                let mut other = self.clone();
                take(if is_source { &mut other.source } else { &mut other.target });
                other
            };
            if !side.tables.is_empty() {
                others.push(without(&|side| side.tables.clear()));
            }
            others.extend(side.records.keys().map(|key| without(&|side| drop(side.records.remove(key)))));
        }
        if self.run.is_some() {
            others.push(Self { run: None, ..self.clone() });
        }
        others
    }
}

/// The records of both sides by what they are found by, each with its row on either side.
pub(super) fn union<D: Records>(source: &D, target: &D) -> BTreeMap<Key, (Option<Row>, Option<Row>)> {
    let mut union: BTreeMap<Key, (Option<Row>, Option<Row>)> = BTreeMap::new();
    for row in source.rows() {
        let key = row.key();
        union.entry(key).or_default().0 = Some(row);
    }
    for row in target.rows() {
        let key = row.key();
        union.entry(key).or_default().1 = Some(row);
    }
    union
}

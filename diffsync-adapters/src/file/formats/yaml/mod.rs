//! YAML: a list of mappings. Comments, and all else in the file, stay.

mod block;
mod document;
mod edit;
mod flow;
mod write;

use std::fs::File;
use std::io::Write;

use diffsync_core::adapter::AdapterError;
use diffsync_core::data::Side;

use self::document::{Document, Node, NodeKind, datum, is_merge};
use super::encoding::text;
use crate::file::model::FileModel;
use crate::file::model::edits::{Edits, TextEdit, UNFAITHFUL};
use crate::file::model::records::{CUT_OFF, Records};
use crate::file::model::schema::no_list;
use crate::file::model::values::DatumRow;
use crate::nested::datum::Datum;

/// The list of records in a document.
enum RecordsNode<'d, 'a> {
    /// The document is empty.
    Nothing,
    /// The document is a map without the key.
    NoKey,
    /// The key has no value.
    Empty {
        key: &'d Node<'a>,
        value: &'d Node<'a>,
    },
    List {
        key: Option<&'d Node<'a>>,
        list: &'d Node<'a>,
        items: &'d [Node<'a>],
    },
}

/// Finds the list of records.
fn find<'d, 'a, M: FileModel>(document: &'d Document<'a>) -> Result<RecordsNode<'d, 'a>, String> {
    let wrong = |node: &Node<'_>, what: String| format!("line {}, column 1: {what}", node.line);
    let Some(root) = &document.root else { return Ok(RecordsNode::Nothing) };
    let (key, list) = match (M::FILE.list, &root.kind) {
        (None, _) => (None, root),
        (Some(key), NodeKind::Map { entries, .. }) => match entries.iter().find(|(name, _)| name.text() == Some(key)) {
            Some((name, value)) => (Some(name), value),
            None => return Ok(RecordsNode::NoKey),
        },
        (Some(key), _) => return Err(wrong(root, format!("it is not a mapping with the key `{key}`"))),
    };

    match (&list.kind, key) {
        (NodeKind::List { items, .. }, key) => Ok(RecordsNode::List { key, list, items }),
        (NodeKind::Scalar { .. }, Some(key)) if datum(list, &document.targets()).is_null() => {
            Ok(RecordsNode::Empty { key, value: list })
        }
        _ => Err(wrong(list, "it is not a list of records".to_owned())),
    }
}

/// Reads all records.
pub(crate) fn read<M: FileModel>(file: File, records: &mut Records<'_, M>) -> Result<(), AdapterError> {
    let (_, text) = text(file).map_err(|error| records.unreadable(error))?;
    let wrong = |what: String, records: &Records<'_, M>| {
        let last = format!("line {}", text.lines().count());
        let is_last = what.strip_prefix(&last).is_some_and(|rest| rest.starts_with([',', ':']));
        let advice = if is_last && !records.ends_line { format!("; {CUT_OFF}") } else { String::new() };
        records.error(format_args!("{what}{advice}"))
    };

    let document = Document::read(&text).map_err(|what| wrong(what, records))?;
    let place = find::<M>(&document).map_err(|what| wrong(what, records))?;
    let items = match &place {
        RecordsNode::List { items, .. } => *items,
        RecordsNode::Empty { .. } => &[],
        // In a target the list is created together with the first record.
        RecordsNode::Nothing | RecordsNode::NoKey if records.side() == Side::Target => &[],
        RecordsNode::Nothing => return Err(records.error("the file is empty; a list without records is `[]`")),
        RecordsNode::NoKey => {
            let keys = match document.root.as_ref().map(|root| &root.kind) {
                Some(NodeKind::Map { entries, .. }) => entries.iter().filter_map(|(key, _)| key.text()).collect(),
                _ => Vec::new(),
            };
            return Err(records.error(no_list(M::FILE.list.unwrap_or_default(), &keys)));
        }
    };

    let targets = document.targets();
    // Only what is deleted in a target loses its comments.
    let commented = match records.side() {
        Side::Target => edit::commented(&text, &document, &place),
        Side::Source => Vec::new(),
    };

    let mut cells = DatumRow::new(M::FILE.columns);
    for (position, item) in items.iter().enumerate() {
        let line = u64::try_from(item.line).ok();
        cells.begin(line);
        fill(&mut cells, item, &targets).map_err(|what| wrong(what, records))?;
        records.add_commented(M::read(&mut cells), line, commented.get(position) == Some(&true))?;
    }

    // A record on lines of its own has no closing mark.
    let is_open = items.last().is_some_and(|last| {
        let behind = text.get(last.end(&text)..).unwrap_or_default();
        last.is_block() && behind.trim().is_empty() && !behind.contains('\n')
    });

    records.finish(is_open)?;
    records.note_keys(&cells)
}

/// Fills the cells from a record.
fn fill(
    cells: &mut DatumRow,
    item: &Node<'_>,
    targets: &std::collections::HashMap<usize, &Node<'_>>,
) -> Result<(), String> {
    cells.clear();
    let entries = match &item.kind {
        NodeKind::Map { entries, .. } => entries,
        NodeKind::Alias(id) if let Some(target) = targets.get(id) => return fill(cells, target, targets),
        _ => return Err(format!("line {}: a record with keys and values was expected", item.line)),
    };

    if entries.iter().any(|(key, _)| is_merge(key)) {
        if let Datum::Map(entries) = datum(item, targets) {
            for (key, value) in entries {
                if let Some(column) = cells.position(&key) {
                    cells.fill(column, value);
                }
            }
        }
        return Ok(());
    }

    for (key, value) in entries {
        if let Some(column) = key.text().and_then(|key| cells.position(key)) {
            cells.fill(column, datum(value, targets));
        }
    }

    Ok(())
}

/// Writes the file with its records changed.
///
/// The new text is read again and compared as a whole. If it differs from the expected content, it is not written.
pub(crate) fn write<M: FileModel>(
    old: Option<File>,
    edits: &Edits<'_, M>,
    out: &mut impl Write,
) -> Result<(), AdapterError> {
    let (mark, old) = old.map(text).transpose().map_err(|error| edits.failed(error))?.unwrap_or_default();
    let document = Document::read(&old).map_err(|what| edits.error(what))?;
    let place = find::<M>(&document).map_err(|what| edits.error(what))?;
    let targets = document.targets();
    let items = match &place {
        RecordsNode::List { items, .. } => *items,
        _ => &[],
    };

    let mut cells = DatumRow::new(M::FILE.columns);
    let mut changes = Vec::with_capacity(items.len());
    for item in items {
        fill(&mut cells, item, &targets).map_err(|what| edits.error(what))?;
        let read = M::read(&mut cells);
        let record = datum(item, &targets);
        changes.push(edits.edit_text(read, |column| record.get(M::FILE.columns.get(column)?.name).cloned())?);
    }

    let created: Vec<_> = edits.created_text().collect::<Result<_, _>>()?;
    let new = edit::edited::<M>(&old, &document, &place, &changes, &created).map_err(|what| edits.error(what))?;

    verify(&new, (&document, items), edits, &changes, &created)?;
    write!(out, "{mark}{new}").map_err(|error| edits.failed(error))
}

/// Makes sure that a new text holds what it must: the records as planned, and all else as it was.
fn verify<M: FileModel>(
    new: &str,
    (document, items): (&Document<'_>, &[Node<'_>]),
    edits: &Edits<'_, M>,
    changes: &[TextEdit],
    created: &[Vec<Datum>],
) -> Result<(), AdapterError> {
    let unfaithful = |what: String| edits.error(format_args!("{UNFAITHFUL} ({what})"));
    let found = Document::read(new).map_err(unfaithful)?;
    let now = match find::<M>(&found).map_err(unfaithful)? {
        RecordsNode::List { items, .. } => items,
        _ => &[],
    };

    let (targets, now_targets) = (document.targets(), found.targets());
    let mut now = now.iter();
    for (item, edit) in items.iter().zip(changes) {
        let old = datum(item, &targets);
        if let Some(expected) = edit.expected(M::FILE.columns, &old) {
            let found = now.next().ok_or_else(|| edits.error(UNFAITHFUL))?;
            edits.verify(&datum(found, &now_targets), edit, Some(&expected))?;
        } else if !matches!(edit, TextEdit::Drop) {
            return Err(edits.error(UNFAITHFUL));
        }
    }

    for values in created {
        let found = now.next().ok_or_else(|| edits.error(UNFAITHFUL))?;
        edits.verify_new(&datum(found, &now_targets), values)?;
    }

    let is_rest = now.next().is_some();
    let beside = |document: &Document<'_>, targets| match (document.root.as_ref().map(|root| &root.kind), M::FILE.list)
    {
        (Some(NodeKind::Map { entries, .. }), Some(list)) => {
            let beside = entries.iter().filter(|(key, _)| key.text() != Some(list));
            Datum::Map(
                beside.map(|(key, value)| (format!("{:?}", datum(key, targets)), datum(value, targets))).collect(),
            )
        }
        _ => Datum::Map(Vec::new()),
    };

    let is_same = beside(document, &targets).agrees(&beside(&found, &now_targets));
    if is_rest || !is_same { Err(edits.error(UNFAITHFUL)) } else { Ok(()) }
}

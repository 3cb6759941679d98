//! A document with the positions of its values.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag, options};

use crate::nested::datum::Datum;

/// How deep values may be nested, aliases included.
const DEPTH: usize = 500;

/// A document.
pub(crate) struct Document<'a> {
    /// None if there is nothing.
    pub(crate) root: Option<Node<'a>>,
    /// The anchors by their number, in the order of the text.
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) aliases: Vec<Alias>,
}

/// A value and its position.
pub(crate) struct Node<'a> {
    pub(crate) kind: NodeKind<'a>,
    /// The position of its anchor, its tag, or otherwise its own.
    pub(crate) begin: usize,
    /// Its position according to the parser: a block has no end of its own, and a block scalar begins with its first line.
    pub(crate) span: Range<usize>,
    pub(crate) line: usize,
    pub(crate) anchor: Option<usize>,
}

pub(crate) enum NodeKind<'a> {
    Scalar { text: Cow<'a, str>, style: Style },
    List { is_flow: bool, items: Vec<Node<'a>> },
    Map { is_flow: bool, entries: Vec<(Node<'a>, Node<'a>)> },
    Alias(usize),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all: it is null.
    Empty,
    Plain,
    Quoted,
    /// Lines after a `|` or a `>`.
    Block,
}

/// An anchor, and all that it names.
pub(crate) struct Anchor {
    id: usize,
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) range: Range<usize>,
    nodes: usize,
    depth: usize,
}

/// An alias.
pub(crate) struct Alias {
    pub(crate) id: usize,
    pub(crate) at: usize,
    pub(crate) line: usize,
}

impl Node<'_> {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The position of its last part.
    pub(crate) fn end(&self, text: &str) -> usize {
        match &self.kind {
            NodeKind::List { is_flow: false, items } => items.last().map_or(self.span.end, |last| last.end(text)),
            NodeKind::Map { is_flow: false, entries } => entries.last().map_or(self.span.end, |(key, value)| {
                // A key without a value is followed by its colon.
                let colon = || {
                    text.get(key.span.end..)
                        .and_then(|rest| rest.find(':'))
                        .map_or(key.span.end, |at| key.span.end + at + 1)
                };
                if value.is_empty() { value.span.end.max(colon()) } else { value.end(text) }
            }),
            NodeKind::Scalar { style: Style::Block, .. } => {
                let lines = text.get(self.span.clone()).unwrap_or_default();
                self.span.start + lines.trim_end().len()
            }
            _ => self.span.end,
        }
    }

    /// Whether nothing is written for it.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar { style: Style::Empty, .. })
    }

    /// Whether it takes lines of its own.
    pub(crate) fn is_block(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::List { is_flow: false, .. }
                | NodeKind::Map { is_flow: false, .. }
                | NodeKind::Scalar { style: Style::Block, .. }
        )
    }
}

/// The message for an error in a text, with the place.
fn wrong(line: usize, column: usize, what: impl std::fmt::Display) -> String {
    format!("line {line}, column {column}: {what}")
}

impl<'a> Document<'a> {
    /// Reads a document, or returns what is wrong with it and where. The text there is not shown, since it may hold secrets.
    pub(crate) fn read(text: &'a str) -> Result<Self, String> {
        let options = options! { emit_anchor_events: true, emit_comments: false, simple_key_max_lookahead: 1 << 20 };
        let parser = Parser::new_from_str_with_options(text, options);
        let limit = text.len().max(250_000);
        let document = Document { root: None, anchors: Vec::new(), aliases: Vec::new() };
        let mut reader = Reader { text, parser, document, limit, next: None };
        reader.document()?;
        Ok(reader.document)
    }

    /// The node that an alias leads to, by the anchor's number.
    pub(crate) fn targets(&self) -> HashMap<usize, &Node<'a>> {
        let mut found = HashMap::new();
        let mut left: Vec<&Node<'a>> = self.root.iter().collect();
        while let Some(node) = left.pop() {
            if let Some(id) = node.anchor {
                found.insert(id, node);
            }

            match &node.kind {
                NodeKind::List { items, .. } => left.extend(items),
                NodeKind::Map { entries, .. } => left.extend(entries.iter().flat_map(|(key, value)| [key, value])),
                NodeKind::Scalar { .. } | NodeKind::Alias(_) => {}
            }
        }

        found
    }
}

/// The value of a node, its aliases and merged maps (`<<`) resolved.
pub(crate) fn datum(node: &Node<'_>, targets: &HashMap<usize, &Node<'_>>) -> Datum {
    match &node.kind {
        NodeKind::Scalar { style: Style::Empty, .. } => Datum::Null,
        NodeKind::Scalar { text, style: Style::Plain } => Datum::Plain(text.clone().into_owned()),
        NodeKind::Scalar { text, .. } => Datum::Text(text.clone().into_owned()),
        NodeKind::Alias(id) => targets.get(id).map_or(Datum::Null, |node| datum(node, targets)),
        NodeKind::List { items, .. } => Datum::List(items.iter().map(|item| datum(item, targets)).collect()),
        NodeKind::Map { entries, .. } => {
            let own = entries.iter().filter(|(key, _)| !is_merge(key));
            let own = own.map(|(key, value)| (key_text(key, targets), datum(value, targets)));
            let mut all: Vec<(String, Datum)> = own.collect();
            let mut keys: HashSet<String> = all.iter().map(|(key, _)| key.clone()).collect();
            for (_, value) in entries.iter().filter(|(key, _)| is_merge(key)) {
                let merged = match datum(value, targets) {
                    Datum::List(maps) => maps,
                    map => vec![map],
                };

                for map in merged {
                    let Datum::Map(map) = map else { continue };
                    all.extend(map.into_iter().filter(|(key, _)| keys.insert(key.clone())));
                }
            }
            Datum::Map(all)
        }
    }
}

/// The key as a text. A list or a map is written in Rust's debug form, so that it differs from all others.
fn key_text(key: &Node<'_>, targets: &HashMap<usize, &Node<'_>>) -> String {
    match &key.kind {
        NodeKind::Scalar { style: Style::Empty, .. } => "null".to_owned(),
        NodeKind::Scalar { text, .. } => text.clone().into_owned(),
        _ => match datum(key, targets) {
            Datum::Text(text) | Datum::Plain(text) => text,
            other => format!("{other:?}"),
        },
    }
}

/// Whether the value of a key is merged into its map.
pub(crate) fn is_merge(key: &Node<'_>) -> bool {
    matches!(&key.kind, NodeKind::Scalar { text, style: Style::Plain } if text == "<<")
}

/// Makes a tree of the parser's events.
struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    document: Document<'a>,
    /// How many nodes there may be, aliases resolved.
    limit: usize,
    next: Option<(Event<'a>, Span)>,
}

/// How large a node is with its aliases resolved.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn event(&mut self) -> Result<(Event<'a>, Span), String> {
        if let Some(event) = self.next.take() {
            return Ok(event);
        }
        let failed = |error: ScanError| {
            let at = error.marker();
            wrong(at.line(), at.col() + 1, error.info())
        };
        self.parser.next_event().ok_or_else(|| "the text ends too early".to_owned())?.map_err(failed)
    }

    fn document(&mut self) -> Result<(), String> {
        loop {
            let (event, span) = self.event()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if self.document.root.is_some() => {
                    return Err(wrong(span.start.line(), 1, "there is a second document; a file holds one"));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.event()?;
                    let (root, _) = self.node(event, &span, 0)?;
                    // A document without anything is not a null that somebody wrote.
                    self.document.root = (!root.is_empty()).then_some(root);
                }
                _ => return Ok(()),
            }
        }
    }

    /// The node that begins with an event.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<(Node<'a>, Size), String> {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let mut range = span.byte_range().unwrap_or(0..0);
        let too_deep = || wrong(line, column, "values are nested too deep, perhaps by aliases of aliases");
        if depth > DEPTH {
            return Err(too_deep());
        }

        let mut begin = span.tag_start().and_then(|at| at.byte_offset()).unwrap_or(range.start).min(range.start);
        let mut size = Size { nodes: 1, depth: 1 };
        let place = self.document.anchors.len();
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = style_of(style, range.is_empty(), tag.as_deref());
                (NodeKind::Scalar { text, style }, self.anchor(anchor, &mut begin)?)
            }
            Event::Alias(id) => {
                let anchor = self.document.anchors.iter().find(|anchor| anchor.id == id && anchor.nodes > 0);
                let anchor = anchor.ok_or_else(|| wrong(line, column, "the alias is within its own anchor"))?;
                size = Size { nodes: anchor.nodes, depth: anchor.depth };
                self.document.aliases.push(Alias { id, at: range.start, line });
                (NodeKind::Alias(id), None)
            }
            Event::SequenceStart(style, anchor, _) => {
                let anchor = self.anchor(anchor, &mut begin)?;
                let mut items = Vec::new();
                let end = loop {
                    let (event, span) = self.event()?;
                    if event == Event::SequenceEnd {
                        break span;
                    }

                    let (item, of_item) = self.node(event, &span, depth + 1)?;
                    size.add(of_item);
                    items.push(item);
                };

                range.end = end.byte_range().map_or(range.end, |end| end.end);
                // A list that is not indented more than its key begins, for the parser, after its first dash.
                if style == StructureStyle::Block
                    && !self.text.get(range.start..).is_some_and(|list| list.starts_with('-'))
                {
                    let before = self.text.get(..range.start).unwrap_or_default().trim_end();
                    range.start = if before.ends_with('-') { before.len() - 1 } else { range.start };
                    begin = begin.min(range.start);
                }
                (NodeKind::List { is_flow: style == StructureStyle::Flow, items }, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                let anchor = self.anchor(anchor, &mut begin)?;
                let (mut entries, mut keys) = (Vec::new(), HashSet::new());
                let end = loop {
                    let (event, span) = self.event()?;
                    if event == Event::MappingEnd {
                        break span;
                    }

                    let (key, of_key) = self.node(event, &span, depth + 1)?;
                    // `1` and `"1"` are one key to all that reads keys as texts.
                    if let Some(text) = key.text()
                        && !keys.insert(text.to_owned())
                    {
                        let at = span.start;
                        return Err(wrong(at.line(), at.col() + 1, format_args!("the key `{text}` appears twice")));
                    }

                    let (event, span) = self.event()?;
                    let (value, of_value) = self.node(event, &span, depth + 1)?;
                    size.add(of_key);
                    size.add(of_value);
                    entries.push((key, value));
                };

                range.end = end.byte_range().map_or(range.end, |end| end.end);
                (NodeKind::Map { is_flow: style == StructureStyle::Flow, entries }, anchor)
            }
            other => return Err(wrong(line, column, format_args!("{other:?} is not a value"))),
        };

        if size.nodes > self.limit {
            return Err(wrong(line, column, "aliases of aliases make it too large"));
        }
        if size.depth > DEPTH {
            return Err(too_deep());
        }

        let node = Node { kind, begin, span: range, line, anchor };
        if anchor.is_some()
            && let Some(anchor) = self.document.anchors.get_mut(place)
        {
            anchor.nodes = size.nodes;
            anchor.depth = size.depth;
            anchor.range = begin..node.end(self.text);
        }

        Ok((node, size))
    }

    /// Takes the anchor of the node that was just begun.
    fn anchor(&mut self, id: usize, begin: &mut usize) -> Result<Option<usize>, String> {
        if id == 0 {
            return Ok(None);
        }

        let (event, span) = self.event()?;
        if let Event::Anchor(id, name) = event {
            let at = span.byte_range().map_or(*begin, |range| range.start);
            *begin = at.min(*begin);
            let (name, line) = (name.into_owned(), span.start.line());
            self.document.anchors.push(Anchor { id, name, line, range: at..at, nodes: 0, depth: 0 });
        } else {
            self.next = Some((event, span));
        }

        Ok(Some(id))
    }
}

impl Anchor {
    pub(crate) fn is(&self, id: usize) -> bool {
        self.id == id
    }
}

impl Size {
    fn add(&mut self, inner: Self) {
        self.nodes = self.nodes.saturating_add(inner.nodes);
        self.depth = self.depth.max(inner.depth + 1);
    }
}

fn style_of(style: ScalarStyle, is_empty: bool, tag: Option<&Tag>) -> Style {
    let core = tag.and_then(Tag::core_suffix);
    match (style, core) {
        (ScalarStyle::Literal | ScalarStyle::Folded, _) => Style::Block,
        // A tag decides the type of a scalar, in any style.
        (_, Some("str")) => Style::Quoted,
        (_, Some("int" | "float" | "bool" | "null")) if !is_empty => Style::Plain,
        (ScalarStyle::Plain, _) if is_empty => Style::Empty,
        (ScalarStyle::Plain, _) => Style::Plain,
        (ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, _) => Style::Quoted,
    }
}

//! The diff of a sync: its tree, one level at a time, or the records that a filter finds.

use std::ops::Range;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use diffsync_core::model::Operation;
use diffsync_history::{
    ActionCounts, Change, ChangeFilter, HistoryError, Page, PageRequest, SavedSync, SyncId, TreeScope,
};
use jiff::Timestamp;

use super::download::{Csv, Format, stream};
use super::status::Mark;
use super::sync_row::SyncRow;
use super::value::{Attribute, Shown, attributes};
use super::{Answer, Choice, Frame, choices, operation, page_request, position, render};
use crate::error::PageError;
use crate::fields::Fields;
use crate::figures::count;
use crate::router::User;
use crate::site::Site;

/// How many records a page has.
const ROWS: u32 = 100;

/// As many records below another are counted by action at once; more are counted when they come into view.
const COUNTED: u64 = 2_000;

#[derive(Template)]
#[template(path = "diff.html")]
struct DiffPage {
    frame: Frame,
    fields: Fields,
    row: SyncRow,
    changes: String,
    models: Vec<Choice>,
    actions: Vec<Choice>,
    attributes: Vec<String>,
    /// The records above the branch that is shown, the topmost first.
    above: Vec<Node>,
    branch: Branch,
    is_filtered: bool,
    is_pruned: bool,
}

/// One level of the tree.
#[derive(Template)]
#[template(path = "branch.html")]
struct Branch {
    sync: String,
    nodes: Vec<Node>,
    /// Where the list goes on.
    next: Option<String>,
    /// Whether these records are those that a filter found, at any level.
    is_flat: bool,
}

/// A record of the diff.
pub(crate) struct Node {
    position: u64,
    model: String,
    record: Shown,
    /// Nothing where it is only the parent of others.
    mark: Option<Mark>,
    withheld: Option<String>,
    attributes: Vec<Attribute>,
    is_update: bool,
    below: Option<Below>,
}

/// What is below a record.
struct Below {
    records: String,
    /// Not yet if they are many.
    counts: Option<Vec<(Mark, String)>>,
}

#[derive(Template)]
#[template(path = "counts.html")]
struct Counts {
    counts: Vec<(Mark, String)>,
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    row: SyncRow,
    above: Vec<Node>,
    node: Node,
    identifiers: String,
}

pub(crate) async fn diff(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(sync): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let sync = site.history.sync(&sync).await?;
    let filter = filter(&fields)?;
    let page = site.history.changes(sync.id, &filter, page_request(&fields, ROWS)?).await?;
    let branch = branch(&site, &sync, page, &fields, filter.under == TreeScope::Any).await?;
    // The part that is opened in place.
    if headers.contains_key("hx-request") {
        return render(&branch);
    }

    let above = match filter.under {
        TreeScope::Record(position) => above(&site, &sync, Some(position)).await?,
        _ => Vec::new(),
    };
    let models = sync.planned.iter().flat_map(|planned| &planned.models).map(|model| &*model.model);
    render(&DiffPage {
        frame: Frame::new(&site, &user, "history"),
        changes: count(sync.changes),
        models: choices(&fields, "model", models),
        actions: choices(&fields, "action", ["create", "update", "delete"]),
        attributes: attribute_names(&site, &sync),
        above,
        branch,
        is_filtered: filter.under == TreeScope::Any,
        is_pruned: sync.pruned_at.is_some(),
        row: SyncRow::new(&sync, Timestamp::now()),
        fields,
    })
}

/// What a query selects: one level of the tree, or all that a filter finds.
fn filter(fields: &Fields) -> Result<ChangeFilter, PageError> {
    let under = fields.parsed("under", "the position of a record")?;
    let filter = ChangeFilter {
        under: TreeScope::Any,
        model: fields.text("model"),
        action: operation(fields)?,
        attribute: fields.text("attribute"),
        text: fields.text("text"),
    };
    if filter != ChangeFilter::default() {
        return Ok(filter);
    }
    Ok(ChangeFilter { under: under.map_or(TreeScope::Root, TreeScope::Record), ..filter })
}

async fn branch(
    site: &Site,
    sync: &SavedSync,
    page: Page<Change>,
    fields: &Fields,
    is_flat: bool,
) -> Result<Branch, HistoryError> {
    let mut nodes = Vec::with_capacity(page.items.len());
    for change in &page.items {
        let below = if change.has_children && !is_flat { Some(below(site, sync.id, change).await?) } else { None };
        nodes.push(Node { below, ..Node::new(change, Shown::cut) });
    }
    Ok(Branch {
        sync: sync.id.to_string(),
        nodes,
        next: page.next.map(|next| fields.with("after", Some(&next.to_string()))),
        is_flat,
    })
}

async fn below(site: &Site, sync: SyncId, change: &Change) -> Result<Below, HistoryError> {
    let positions = site.history.below(sync, change.position).await?;
    let records = positions.end - positions.start;
    let counts = if records <= COUNTED { Some(counted(site, sync, positions).await?) } else { None };
    Ok(Below { records: count(records), counts })
}

async fn counted(site: &Site, sync: SyncId, positions: Range<u64>) -> Result<Vec<(Mark, String)>, HistoryError> {
    let ActionCounts { create, update, delete } = site.history.count_actions(sync, positions).await?;
    let counts = [(Operation::Create, create), (Operation::Update, update), (Operation::Delete, delete)];
    let counts = counts.into_iter().filter(|(_, records)| *records > 0);
    Ok(counts.map(|(action, records)| (Mark::of_action(action), count(records))).collect())
}

/// The records from the top of the tree down to the one at a position, that one included.
async fn above(site: &Site, sync: &SavedSync, mut position: Option<u64>) -> Result<Vec<Node>, PageError> {
    let mut nodes = Vec::new();
    while let Some(at) = position {
        let change = site.history.change(sync.id, at).await?.ok_or_else(|| no_record(sync, at))?;
        // A parent comes before its children; a damaged history must not keep this from ending.
        position = change.parent.filter(|parent| *parent < at);
        nodes.push(Node::new(&change, Shown::cut));
    }
    nodes.reverse();
    Ok(nodes)
}

fn no_record(sync: &SavedSync, position: u64) -> PageError {
    let pruned = if sync.pruned_at.is_some() { ": its diff was removed" } else { "" };
    PageError::NotFound(format!("the diff of sync {} has no record at {position}{pruned}", sync.id))
}

/// The names of attributes, for the field that filters by them.
fn attribute_names(site: &Site, sync: &SavedSync) -> Vec<String> {
    let models = site.job(&sync.job).into_iter().flat_map(|page| page.job.models());
    let mut names: Vec<_> =
        models.flat_map(|model| model.attributes).map(|attribute| attribute.name.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Node {
    /// Its own page, with all of its values.
    fn link(&self, sync: &str) -> String {
        format!("/syncs/{sync}/diff/{}", self.position)
    }

    fn new(change: &Change, show: impl Fn(&str) -> Shown) -> Self {
        Self {
            position: change.position,
            model: change.model.clone(),
            record: show(&change.record),
            mark: change.action.map(Mark::of_action),
            withheld: change.withheld.clone(),
            attributes: attributes(change.changes.as_ref(), show),
            is_update: change.action == Some(Operation::Update),
            below: None,
        }
    }
}

/// One record with all of its values.
pub(crate) async fn record(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path((sync, at)): Path<(String, String)>,
) -> Answer {
    let (sync, position) = (site.history.sync(&sync).await?, position(&at)?);
    let change = site.history.change(sync.id, position).await?.ok_or_else(|| no_record(&sync, position))?;
    let below = if change.has_children { Some(below(&site, sync.id, &change).await?) } else { None };
    render(&RecordPage {
        frame: Frame::new(&site, &user, "history"),
        row: SyncRow::new(&sync, Timestamp::now()),
        above: above(&site, &sync, change.parent).await?,
        identifiers: change.identifiers.to_string(),
        node: Node { below, ..Node::new(&change, Shown::whole) },
    })
}

/// How many records of each kind are below another, for a branch of many.
pub(crate) async fn counts(State(site): State<Arc<Site>>, Path((sync, at)): Path<(String, String)>) -> Answer {
    let sync = site.history.sync(&sync).await?;
    let positions = site.history.below(sync.id, position(&at)?).await?;
    render(&Counts { counts: counted(&site, sync.id, positions).await? })
}

pub(crate) async fn json_lines(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    export(site, &sync, &fields, Format::JsonLines).await
}

pub(crate) async fn csv(
    State(site): State<Arc<Site>>,
    Path(sync): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    export(site, &sync, &fields, Format::Csv).await
}

async fn export(site: Arc<Site>, sync: &str, fields: &Fields, format: Format) -> Result<Response, PageError> {
    let sync = site.history.sync(sync).await?.id;
    let filter = ChangeFilter { under: TreeScope::Any, ..filter(fields)? };
    let read = move |request: PageRequest| {
        let (site, filter) = (Arc::clone(&site), filter.clone());
        async move { site.history.changes(sync, &filter, request).await }
    };
    Ok(stream(&format!("diff-{sync}"), format, read))
}

impl Csv for Change {
    const COLUMNS: &'static [&'static str] =
        &["position", "parent", "depth", "model", "record", "action", "withheld", "before", "after"];

    fn cells(&self) -> Vec<String> {
        let side = |sign: &str| {
            self.changes.as_ref().and_then(|changes| changes.get(sign)).map(ToString::to_string).unwrap_or_default()
        };
        vec![
            self.position.to_string(),
            self.parent.map(|parent| parent.to_string()).unwrap_or_default(),
            self.depth.to_string(),
            self.model.clone(),
            self.record.clone(),
            self.action.map(|action| action.to_string()).unwrap_or_default(),
            self.withheld.clone().unwrap_or_default(),
            side("-"),
            side("+"),
        ]
    }
}

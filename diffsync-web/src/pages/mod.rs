//! The pages, a module for each, and what they share.

pub(crate) mod dashboard;
pub(crate) mod diff;
mod download;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod live;
pub(crate) mod logs;
pub(crate) mod run;
mod status;
pub(crate) mod sync;
mod sync_row;
mod value;

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Html;
use diffsync_core::model::Operation;
use diffsync_history::{Cursor, PageRequest};

use crate::assets;
use crate::error::PageError;
use crate::fields::Fields;
use crate::router::User;
use crate::site::Site;

/// The answer with a page.
pub(crate) type Answer = Result<Html<String>, PageError>;

/// What surrounds every page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    section: &'static str,
    pub(crate) user: String,
    pub(crate) version: String,
    pub(crate) assets: &'static str,
}

impl Frame {
    /// The frame of a page in this section of the navigation.
    fn new(site: &Site, user: &User, section: &'static str) -> Self {
        Self { section, user: user.name.clone(), version: site.version.clone(), ..Self::bare() }
    }

    /// The frame of a page that is not about anything of the site.
    pub(crate) fn bare() -> Self {
        Self { assets: &assets::VERSION, ..Self::default() }
    }

    /// What marks the section that is shown.
    pub(crate) fn current(&self, section: &str) -> &'static str {
        if self.section == section { "page" } else { "false" }
    }
}

/// A page as an answer.
pub(crate) fn render(page: &impl Template) -> Answer {
    Ok(Html(page.render()?))
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The page of a list that the query asks for, with this many rows.
fn page_request(fields: &Fields, size: u32) -> Result<PageRequest, PageError> {
    let after = fields.parsed::<Cursor>("after", "a place that a page has returned")?;
    Ok(PageRequest { after, size })
}

/// A position in a list, from an address.
fn position(text: &str) -> Result<u64, PageError> {
    text.parse().map_err(|_| PageError::field("position", text, "the number of a record"))
}

/// The operation that a query filters by.
fn operation(fields: &Fields) -> Result<Option<Operation>, PageError> {
    fields.value("action", "create, update or delete", named_operation)
}

fn named_operation(name: &str) -> Option<Operation> {
    Operation::ALL.into_iter().find(|operation| operation.to_string() == name)
}

/// One choice of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

/// Choices that are called as they are written, of which the query has chosen some.
fn choices<'a>(fields: &Fields, name: &str, values: impl IntoIterator<Item = &'a str>) -> Vec<Choice> {
    let choice = |value: &str| Choice {
        value: value.to_owned(),
        label: value.replace('_', " "),
        is_chosen: fields.has(name, value),
    };
    values.into_iter().map(choice).collect()
}

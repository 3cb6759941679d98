//! Requests that get no page.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use diffsync_history::HistoryError;
use thiserror::Error;

use crate::pages::{Frame, render};

/// Why a request gets no page.
#[derive(Debug, Error)]
pub(crate) enum PageError {
    /// There is nothing at this address.
    #[error("{0}")]
    NotFound(String),
    /// A part of the address or a field cannot be understood.
    #[error("{0}")]
    Wrong(String),
    /// What is asked for is not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be done now.
    #[error("{0}")]
    Conflict(String),
    /// The history cannot be read.
    #[error("{0}")]
    History(HistoryError),
    /// A template failed.
    #[error("the page cannot be shown: {0}")]
    Template(#[from] askama::Error),
}

impl PageError {
    /// A field that is not what it should be.
    pub(crate) fn field(name: &str, text: &str, expected: &str) -> Self {
        let start: String = text.chars().take(100).collect();
        Self::Wrong(format!("`{name}` = {start:?}: expected {expected}"))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::History(HistoryError::Locked { .. } | HistoryError::Unreachable { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::History(_) | Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<HistoryError> for PageError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::UnknownSync(_) => Self::NotFound(error.to_string()),
            HistoryError::AmbiguousSync(_) | HistoryError::Cursor(_) => Self::Wrong(error.to_string()),
            _ => Self::History(error),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    title: &'a str,
    lines: Vec<String>,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self, "a page could not be shown");
        }
        let title = match status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::BAD_REQUEST => "Not understood",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::CONFLICT => "Not possible now",
            _ => "Something went wrong",
        };
        let lines = self.to_string().lines().map(str::to_owned).collect();
        let page = ErrorPage { frame: Frame::bare(), title, lines };
        match render(&page) {
            Ok(page) => (status, page).into_response(),
            Err(_) => (status, title).into_response(),
        }
    }
}

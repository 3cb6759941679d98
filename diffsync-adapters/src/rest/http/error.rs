//! Why a request failed: which one, what the server said, and what to do.

use std::fmt;
use std::time::Duration;

use diffsync_core::adapter::{AdapterError, TargetError};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::rest::verdict::Verdict;

/// A request that failed. It holds no secret: neither the login, nor what the server said of it.
///
/// `?` makes it an [`AdapterError`](diffsync_core::adapter::AdapterError). A target says [`into_target`](Self::into_target),
/// since what an error means for the rest of the run depends on what happened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Failure>);

/// What is known of the failure.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) method: Method,
    /// Whether it changes nothing.
    pub(crate) reads: bool,
    /// The URL without its secrets.
    pub(crate) url: String,
    pub(crate) kind: ErrorKind,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// The body of an answer that was JSON.
    pub(crate) answer: Option<Value>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) judgement: Option<Judgement>,
}

/// What the dialect makes of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Failed,
    Conflict,
    Transient,
    Unknown,
    Fatal,
    /// It is an answer to something else than was asked.
    Foreign,
}

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There was no connection: the host name is unknown, or the port is closed.
    Connect,
    /// The server could not prove who it is.
    Certificate,
    /// The connection ended before the answer was there.
    Cut,
    /// The answer was not there in time.
    TimedOut,
    /// The server refused, or could not do, what it was asked.
    Status(StatusCode),
    /// The server sends us elsewhere, and we do not follow.
    Redirect,
    /// The answer is not JSON, or not of the expected form.
    Form,
    /// What was read page by page changed all the while.
    Changed,
    /// The request could not be made.
    Request,
}

impl Error {
    pub(crate) fn new(failure: Failure) -> Self {
        Self(Box::new(failure))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The body of the server's answer, if that was JSON, without secrets.
    #[must_use]
    pub fn answer(&self) -> Option<&Value> {
        self.0.answer.as_ref()
    }

    /// After which time the server asked to be tried again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the server said, as it may be shown.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The same error as the dialect judges it.
    pub(crate) fn judged(mut self, verdict: Verdict) -> Self {
        let (judgement, detail) = match verdict {
            Verdict::Success => return self,
            Verdict::Failed(detail) => (Judgement::Failed, detail),
            Verdict::Conflict(detail) => (Judgement::Conflict, detail),
            Verdict::Transient(detail) => (Judgement::Transient, detail),
            Verdict::Unknown(detail) => (Judgement::Unknown, detail),
            Verdict::Fatal(detail) => (Judgement::Fatal, detail),
        };

        self.0.judgement = Some(judgement);
        self.0.detail = detail;
        self
    }

    /// The same error of an answer that is not one to what was asked.
    pub(crate) fn judged_foreign(mut self) -> Self {
        self.0.judgement = Some(Judgement::Foreign);
        self
    }

    /// Whether the server surely did nothing of what it was asked.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        match self.0.judgement {
            Some(Judgement::Unknown | Judgement::Foreign) => return false,
            Some(_) => return true,
            None => {}
        }

        match self.0.kind {
            ErrorKind::Connect | ErrorKind::Certificate | ErrorKind::Redirect | ErrorKind::Request => true,
            ErrorKind::Status(StatusCode::SERVICE_UNAVAILABLE) => self.0.retry_after.is_some(),
            ErrorKind::Status(status) => status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT,
            ErrorKind::Cut | ErrorKind::TimedOut | ErrorKind::Form | ErrorKind::Changed => false,
        }
    }

    /// Whether the same request may succeed in a while.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connect | ErrorKind::Cut | ErrorKind::TimedOut => true,
            ErrorKind::Status(status) => {
                matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504) || (status == 500 && self.0.reads)
            }
            _ => false,
        }
    }

    /// Whether asking twice is the same as asking once.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.0.reads || self.0.method != Method::POST
    }

    /// Whether a request that writes may have been carried out, and what the server said of it was lost on its way.
    fn is_lost(&self) -> bool {
        let is_lost = match self.0.kind {
            ErrorKind::Cut | ErrorKind::TimedOut => true,
            ErrorKind::Status(status) => matches!(status.as_u16(), 408 | 502 | 503 | 504),
            _ => false,
        };
        is_lost && !self.0.reads && !self.is_definite()
    }

    /// The error as a target returns it.
    ///
    /// A refused login, a host that cannot be reached, and a redirect end the run. What may go away by itself is
    /// transient, unless the server may have done what cannot be done twice: then the outcome is unknown. It is also unknown what an
    /// answer means that cannot be read, and what was done if no answer ever comes. Anything else is an error of this record.
    #[must_use]
    pub fn into_target(self) -> TargetError {
        let wait = self.0.retry_after;
        let (is_definite, again, is_lost) = (self.is_definite(), self.is_idempotent(), self.is_lost());
        if let Some(judgement) = self.0.judgement {
            let error = match judgement {
                Judgement::Failed => TargetError::from(self),
                Judgement::Conflict => TargetError::conflict(self),
                Judgement::Transient => TargetError::transient(self),
                Judgement::Unknown => TargetError::unknown(self),
                Judgement::Fatal => TargetError::fatal(self),
                // Something was written, though hardly this record.
                Judgement::Foreign => TargetError::fatal(self).outcome_unknown(),
            };
            return match wait {
                Some(wait) => error.retry_after(wait),
                None => error,
            };
        }

        let error = match self.0.kind {
            ErrorKind::Connect
            | ErrorKind::Certificate
            | ErrorKind::Redirect
            | ErrorKind::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => TargetError::fatal(self),
            _ if !is_definite && !again => TargetError::unknown(self),
            // The server has done with it, and would answer the same again.
            ErrorKind::Form if !self.0.reads => TargetError::unknown(self),
            ErrorKind::Status(status) if status.is_server_error() => TargetError::transient(self),
            _ if self.is_transient() || self.0.kind == ErrorKind::Changed => TargetError::transient(self),
            _ => TargetError::from(self),
        };

        let error = if is_lost { error.outcome_unknown() } else { error };
        match wait {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }

    /// Whether the dialect has said what it means.
    pub(crate) fn is_judged(&self) -> bool {
        self.0.judgement.is_some()
    }

    /// Whether what was to be deleted is gone.
    pub(crate) fn is_gone(&self) -> bool {
        let status = self.status();
        self.0.judgement.is_none() && matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE))
    }

    /// What it means for what was to be written that a collection could not be read.
    pub(crate) fn of_read(error: AdapterError) -> TargetError {
        match Self::within(&error) {
            Some(own) => own.clone().into_target(),
            None => error.into(),
        }
    }

    /// The error of a request that caused another.
    pub(crate) fn within(error: &AdapterError) -> Option<&Self> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error.cause());
        while let Some(cause) = next {
            if let Some(own) = cause.downcast_ref::<Self>() {
                return Some(own);
            }
            next = cause.source();
        }
        None
    }

    /// What the server said of one row, with the request that it said it to.
    pub(crate) fn said(&self, of_row: &str) -> String {
        let said = Failure { detail: of_row.to_owned(), hint: None, ..(*self.0).clone() };
        said.to_string()
    }

    /// The same error with another hint.
    #[must_use]
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.method, self.url)?;
        match self.kind {
            ErrorKind::Status(status) => {
                write!(f, "{}", status.as_u16())?;
                if let Some(reason) = status.canonical_reason() {
                    write!(f, " {reason}")?;
                }
                if !self.detail.is_empty() {
                    write!(f, ": {}", self.detail)?;
                }
            }
            _ => f.write_str(&self.detail)?,
        }

        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

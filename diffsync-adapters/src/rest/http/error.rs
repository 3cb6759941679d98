//! Errors of requests: the request, the server's message, and a hint.

use std::fmt;
use std::time::Duration;

use diffsync_core::adapter::{AdapterError, TargetError};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::rest::verdict::Verdict;

/// A failed request. It contains no secrets, even if the server echoed them.
///
/// `?` turns it into an [`AdapterError`](diffsync_core::adapter::AdapterError). A target calls
/// [`into_target_error`](Self::into_target_error), since the meaning of an error for the rest of the run depends on its cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(Box<Failure>);

/// The details of a failure.
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
    /// The body of a response that was JSON.
    pub(crate) answer: Option<Value>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) judgement: Option<Judgement>,
}

/// The dialect's verdict on the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Failed,
    Conflict,
    Transient,
    Unknown,
    Fatal,
    /// It is a response to another request.
    Foreign,
}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There was no connection: the host name is unknown, or the port is closed.
    Connect,
    /// The server could not prove who it is.
    Certificate,
    /// The connection was closed before the response was complete.
    ConnectionLost,
    /// The response did not arrive in time.
    Timeout,
    /// The server rejected the request, or failed.
    Status(StatusCode),
    /// The server redirects to a place that is not followed.
    Redirect,
    /// The response is not JSON, or not of the expected form.
    InvalidResponse,
    /// The collection changed during each attempt to read it page by page.
    CollectionChanged,
    /// The request is invalid, so it was not sent.
    InvalidRequest,
}

impl Error {
    pub(crate) fn new(failure: Failure) -> Self {
        Self(Box::new(failure))
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The body of the server's response, if it was JSON, with secrets redacted.
    #[must_use]
    pub fn response_body(&self) -> Option<&Value> {
        self.0.answer.as_ref()
    }

    /// The time after which the server asked for a retry (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The server's message, redacted.
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

    /// The same error, if the response belongs to another request.
    pub(crate) fn judged_foreign(mut self) -> Self {
        self.0.judgement = Some(Judgement::Foreign);
        self
    }

    /// Whether the server surely did nothing.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        match self.0.judgement {
            Some(Judgement::Unknown | Judgement::Foreign) => return false,
            Some(_) => return true,
            None => {}
        }

        match self.0.kind {
            ErrorKind::Connect | ErrorKind::Certificate | ErrorKind::Redirect | ErrorKind::InvalidRequest => true,
            ErrorKind::Status(StatusCode::SERVICE_UNAVAILABLE) => self.0.retry_after.is_some(),
            ErrorKind::Status(status) => status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT,
            ErrorKind::ConnectionLost
            | ErrorKind::Timeout
            | ErrorKind::InvalidResponse
            | ErrorKind::CollectionChanged => false,
        }
    }

    /// Whether the same request may succeed in a while.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Timeout => true,
            ErrorKind::Status(status) => {
                matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504) || (status == 500 && self.0.reads)
            }
            _ => false,
        }
    }

    /// Whether the request may be repeated without a second effect.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.0.reads || self.0.method != Method::POST
    }

    /// Whether a write may have been carried out, but its response was lost.
    fn is_lost(&self) -> bool {
        let is_lost = match self.0.kind {
            ErrorKind::ConnectionLost | ErrorKind::Timeout => true,
            ErrorKind::Status(status) => matches!(status.as_u16(), 408 | 502 | 503 | 504),
            _ => false,
        };
        is_lost && !self.0.reads && !self.is_definite()
    }

    /// The error as a target returns it.
    ///
    /// A rejected login, an unreachable host and a redirect end the run. An error that may go away by itself is transient,
    /// unless the server may have carried out a request that must not be repeated: then the outcome is unknown. It is also
    /// unknown if the response to a write cannot be read, or never arrives. Any other error is one of the record.
    #[must_use]
    pub fn into_target_error(self) -> TargetError {
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
            // The server has carried it out, and would give the same response again.
            ErrorKind::InvalidResponse if !self.0.reads => TargetError::unknown(self),
            ErrorKind::Status(status) if status.is_server_error() => TargetError::transient(self),
            _ if self.is_transient() || self.0.kind == ErrorKind::CollectionChanged => TargetError::transient(self),
            _ => TargetError::from(self),
        };

        let error = if is_lost { error.outcome_unknown() } else { error };
        match wait {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }

    /// Whether the dialect has judged the response.
    pub(crate) fn is_judged(&self) -> bool {
        self.0.judgement.is_some()
    }

    /// Whether the record to delete no longer exists.
    pub(crate) fn is_gone(&self) -> bool {
        let status = self.status();
        self.0.judgement.is_none() && matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE))
    }

    /// The error of a write for which a collection could not be read.
    pub(crate) fn of_read(error: AdapterError) -> TargetError {
        match Self::within(&error) {
            Some(own) => own.clone().into_target_error(),
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

    /// The server's message about one row, with the request.
    pub(crate) fn with_detail(&self, of_row: &str) -> String {
        let failure = Failure { detail: of_row.to_owned(), hint: None, ..(*self.0).clone() };
        failure.to_string()
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

//! The errors that adapters, targets and jobs return.
//!
//! They convert from any error with `?`. Like `anyhow::Error`, they therefore do not implement `std::error::Error`
//! themselves; the core reports a [`RunError`](crate::report::RunError) to its caller, which does.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::time::Duration;

type Cause = Box<dyn Error + Send + Sync + 'static>;

/// Why a system could not be loaded, or a run on it not completed.
pub struct AdapterError {
    cause: Cause,
    is_unknown: bool,
}

/// Why a hook of a job failed.
pub struct JobError {
    cause: Cause,
    is_unknown: bool,
}

/// Why a record could not be written.
pub struct TargetError {
    kind: TargetErrorKind,
    retry_after: Option<Duration>,
    outcome_unknown: bool,
    conflict: Option<Conflict>,
    cause: Cause,
}

/// A unique value that another record already has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The model and the identifier of each record that has one of the values, if the target can tell.
    pub(crate) holders: Vec<(&'static str, String)>,
    /// The attribute whose value is taken, if the target can tell.
    pub(crate) field: Option<String>,
}

/// What a target's error means for the rest of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetErrorKind {
    /// It concerns this record only; the others are attempted.
    #[default]
    Record,
    /// It may go away by itself, so the call is retried after a pause.
    Transient,
    /// Nothing more can be written: the login was refused, the host is gone. The run ends.
    Fatal,
    /// The answer was lost, so the record may or may not have been written. The call is not retried, and the outcome is
    /// unknown.
    Unknown,
}

impl TargetError {
    /// An error of this record, with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(TargetErrorKind::Record, message.into().into())
    }

    /// An error that may go away by itself, from a message or another error.
    pub fn transient(cause: impl Into<Cause>) -> Self {
        Self::of(TargetErrorKind::Transient, cause.into())
    }

    /// An error that ends the run, from a message or another error.
    pub fn fatal(cause: impl Into<Cause>) -> Self {
        Self::of(TargetErrorKind::Fatal, cause.into())
    }

    /// An error that leaves open whether the record was written, from a message or another error.
    pub fn unknown(cause: impl Into<Cause>) -> Self {
        Self::of(TargetErrorKind::Unknown, cause.into())
    }

    /// An error of this record, from a message or another error: one of its unique values is already taken in the target,
    /// perhaps by a record that the run is about to delete or change.
    ///
    /// A record that a new one collided with is never deleted. Without [`held_by`](Self::held_by) it could be any record of
    /// the model, so all deletes of the model are held.
    pub fn conflict(cause: impl Into<Cause>) -> Self {
        Self { conflict: Some(Conflict::default()), ..Self::of(TargetErrorKind::Record, cause.into()) }
    }

    /// Adds the record that has the value, by its model's name and its identifier as text. This makes the error a
    /// [conflict](Self::conflict). If several records have values of the refused one, call this once for each.
    #[must_use]
    pub fn held_by(mut self, model: &'static str, id: impl Display) -> Self {
        let (holders, holder) = (&mut self.conflict.get_or_insert_default().holders, (model, id.to_string()));
        if !holders.contains(&holder) {
            holders.push(holder);
        }
        self
    }

    /// Adds the attribute whose value is taken. This makes the error a [conflict](Self::conflict).
    ///
    /// If another record gives the value up in the same run, and the attribute is an `Option`, the run frees the value
    /// first.
    #[must_use]
    pub fn on_field(mut self, name: impl Into<String>) -> Self {
        self.conflict.get_or_insert_default().field = Some(name.into());
        self
    }

    /// Whether the target refused the record because one of its unique values is already taken.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.conflict.is_some()
    }

    pub(crate) fn conflict_details(&self) -> Option<&Conflict> {
        self.conflict.as_ref()
    }

    /// Turns a transient error into one of the record, once it is no longer retried.
    pub(crate) fn given_up(mut self) -> Self {
        if self.kind == TargetErrorKind::Transient {
            self.kind = TargetErrorKind::Record;
        }
        self
    }

    fn of(kind: TargetErrorKind, cause: Cause) -> Self {
        Self { kind, retry_after: None, outcome_unknown: false, conflict: None, cause }
    }

    /// Adds the pause that the server asked for before a retry.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// The pause that the server asked for before a retry, if it did.
    #[must_use]
    pub fn wanted_pause(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Marks a [transient](Self::transient) error whose call may have been carried out: its answer was lost, and repeating
    /// it does no harm. If no retry gets an answer either, the record's outcome is unknown.
    #[must_use]
    pub fn outcome_unknown(mut self) -> Self {
        self.outcome_unknown = true;
        self
    }

    /// Whether the call, or one before it, may have been carried out.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.outcome_unknown
    }

    /// Marks the error as indeterminate if an earlier attempt got no response. A record-level error is definite: the target
    /// rejected the record.
    pub(crate) fn after_lost(self, lost: bool) -> Self {
        if lost && self.kind != TargetErrorKind::Record { self.outcome_unknown() } else { self }
    }

    /// What the error means for the rest of the run.
    #[must_use]
    pub fn kind(&self) -> TargetErrorKind {
        self.kind
    }
}

impl From<AdapterError> for TargetError {
    fn from(error: AdapterError) -> Self {
        let kind = if error.is_unknown { TargetErrorKind::Unknown } else { TargetErrorKind::Record };
        Self::of(kind, error.cause)
    }
}

impl From<AdapterError> for JobError {
    fn from(AdapterError { cause, is_unknown }: AdapterError) -> Self {
        Self { cause, is_unknown }
    }
}

impl From<JobError> for AdapterError {
    fn from(JobError { cause, is_unknown }: JobError) -> Self {
        Self { cause, is_unknown }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for TargetError {
    fn from(error: E) -> Self {
        Self::of(TargetErrorKind::Record, Box::new(error))
    }
}

impl Debug for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetError")
            .field("kind", &self.kind)
            .field("retry_after", &self.retry_after)
            .field("outcome_unknown", &self.outcome_unknown)
            .field("conflict", &self.conflict)
            .field("cause", &self.cause)
            .finish()
    }
}

impl Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display_chain(&*self.cause))
    }
}

macro_rules! open_error {
    ($($error:ident)*) => {$(
        impl $error {
            /// An error with a message.
            pub fn new(message: impl Into<String>) -> Self {
                Self::of(message.into().into())
            }

            /// An error with its cause and a message about what was being done.
            pub fn context(message: impl Into<String>, cause: impl Into<Cause>) -> Self {
                Self::of(Box::new(Context { message: message.into(), cause: cause.into() }))
            }

            /// An error of a call whose answer was lost, so that it may have been carried out; from a message or another
            /// error. If a target that writes only in [`sync_complete`](crate::Adapter::sync_complete) returns it there,
            /// the records' outcome is unknown.
            pub fn unknown(cause: impl Into<Cause>) -> Self {
                Self { cause: cause.into(), is_unknown: true }
            }

            /// Whether the call may have been carried out.
            #[must_use]
            pub fn is_unknown(&self) -> bool {
                self.is_unknown
            }

            fn of(cause: Cause) -> Self {
                Self { cause, is_unknown: false }
            }

            /// The underlying error, to look for an error of a certain type in it and in its sources.
            #[must_use]
            pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
                &*self.cause
            }

            pub(crate) fn into_cause(self) -> Cause {
                self.cause
            }
        }

        impl<E: Error + Send + Sync + 'static> From<E> for $error {
            fn from(error: E) -> Self {
                Self::of(Box::new(error))
            }
        }

        impl Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($error))
                    .field("cause", &self.cause)
                    .field("is_unknown", &self.is_unknown)
                    .finish()
            }
        }

        impl Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&display_chain(&*self.cause))
            }
        }
    )*};
}

open_error!(AdapterError JobError);

/// A message with the error that caused it.
#[derive(Debug)]
struct Context {
    message: String,
    cause: Cause,
}

impl Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Context {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

/// The message of a panic in a user's code.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the {who} panicked: {}", message.unwrap_or("(without a message)"))
}

/// An error and its causes in one line. A cause whose text is already included is left out.
#[must_use]
pub fn display_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();

    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }

        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let io = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = AdapterError::context("cannot read `countries.json`", io);
        assert_eq!(error.to_string(), "cannot read `countries.json`: no such file");
        assert_eq!(JobError::from(error).to_string(), "cannot read `countries.json`: no such file");
    }

    #[test]
    fn an_answer_that_was_lost_stays_lost_whoever_passes_the_error_on() {
        let passed_on = || JobError::from(AdapterError::unknown("the answer was lost"));
        assert!(passed_on().is_unknown() && AdapterError::from(passed_on()).is_unknown());
        assert_eq!(TargetError::from(AdapterError::from(passed_on())).kind(), TargetErrorKind::Unknown);
        assert!(!JobError::from(AdapterError::new("it is not there")).is_unknown());
    }
}

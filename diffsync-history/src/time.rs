//! Times, which the database holds as microseconds since 1970.

use std::time::Duration;

use jiff::Timestamp;

/// The time now, as precise as the database holds it.
pub(crate) fn now() -> Timestamp {
    from_micros(Timestamp::now().as_microsecond())
}

/// A time of the database. One that no calendar has, which only a damaged database holds, is the beginning of 1970.
pub(crate) fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

//! Numbers, durations, sizes and times as pages show them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A number with its thousands apart, as `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of records, which no program has more than 2⁶⁴ of.
pub(crate) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A duration in units that suit it.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_secs_f64() {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.2} s"),
        s if s < 3_600.0 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A number of bytes in the binary unit that suits it.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// How large a part is of a whole, from 0 to 100.
#[allow(clippy::cast_precision_loss, reason = "a hundredth is precise enough for a bar")]
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0).min(100.0) }
}

/// A point of time, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For programs: RFC 3339.
    pub(crate) machine: String,
    /// The day and the time to the second. Hosts differ in their time zones, so it is UTC.
    pub(crate) whole: String,
    /// The time of day to the millisecond.
    pub(crate) clock: String,
    /// How long ago it was.
    pub(crate) ago: String,
}

impl Moment {
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            machine: at.to_string(),
            whole: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            clock: at.strftime("%H:%M:%S%.3f").to_string(),
            ago: ago(at.duration_until(now)),
        }
    }
}

fn ago(elapsed: SignedDuration) -> String {
    match elapsed.as_secs() {
        ..5 => "just now".to_owned(),
        seconds @ ..60 => format!("{seconds} s ago"),
        seconds @ ..3_600 => format!("{} min ago", seconds / 60),
        seconds @ ..86_400 => format!("{} h ago", seconds / 3_600),
        seconds @ ..172_800 => format!("{} day ago", seconds / 86_400),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_units_that_suit_them() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), shown);
        }
        for (micros, shown) in [
            (17, "17 µs"),
            (1_700, "1.7 ms"),
            (2_346_000, "2.35 s"),
            (754_000_000, "12 min 34 s"),
            (9_000_000_000, "2 h 30 min"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), shown);
        }
        assert_eq!((size(512), size(75_000_000)), ("512 B".to_owned(), "71.5 MiB".to_owned()));
        assert!((percent(1, 4) - 25.0).abs() < 1e-9 && percent(1, 0).abs() < 1e-9);
    }

    #[test]
    fn a_time_is_shown_with_how_long_ago_it_was() {
        let at: Timestamp = "2026-11-27T20:32:15.25Z".parse().unwrap();
        let moment = Moment::new(at, "2026-11-27T20:35:20Z".parse().unwrap());
        assert_eq!((&*moment.whole, &*moment.ago), ("2026-11-27 20:32:15 UTC", "3 min ago"));
        assert_eq!((&*moment.clock, &*moment.machine), ("20:32:15.250", "2026-11-27T20:32:15.25Z"));
        for (seconds, shown) in [(-3, "just now"), (45, "45 s ago"), (7_300, "2 h ago"), (90_000, "1 day ago")] {
            assert_eq!(ago(SignedDuration::from_secs(seconds)), shown);
        }
    }
}

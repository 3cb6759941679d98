//! How many records a second a step reads or writes.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use humantime::format_duration;
use indicatif::HumanCount;

/// The rate is that of the last seconds: a mean since the beginning would hide that a system has become slow.
const WINDOW: Duration = Duration::from_secs(5);

/// The least time between two samples, so that there are few.
const SPACING: Duration = Duration::from_millis(100);

/// The least time over which there is a rate.
const LEAST: Duration = Duration::from_millis(500);

/// How far a step has come, and how fast it is.
#[derive(Debug)]
pub(super) struct Rate {
    /// Records read or written so far.
    done: u64,
    /// The total, if it is known.
    total: Option<u64>,
    /// Earlier figures, the oldest first. The first one is the last from before the window, if there is one.
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Of a step that begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self { done: 0, total: None, samples: VecDeque::from([(now, 0)]) }
    }

    /// Notes how far the step has come.
    pub(super) fn add(&mut self, now: Instant, done: u64, total: Option<u64>) {
        (self.done, self.total) = (done, total);
        if self.samples.back().is_none_or(|(at, _)| now.duration_since(*at) >= SPACING) {
            self.samples.push_back((now, done));
        }
        while self.samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Records a second, over the last seconds.
    fn per_second(&self, now: Instant) -> Option<f64> {
        let before = self.samples.iter().rev().find(|(at, _)| now.duration_since(*at) >= WINDOW);
        let (at, done) = before.or(self.samples.front())?;
        let over = now.duration_since(*at);
        #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
        let records = self.done.saturating_sub(*done) as f64;
        (over >= LEAST).then(|| records / over.as_secs_f64())
    }

    /// How long the step will still take at this rate, if its end is known.
    fn left(&self, per_second: f64) -> Option<Duration> {
        let total = self.total?;
        #[allow(clippy::cast_precision_loss, reason = "whole seconds are shown")]
        let seconds = total.saturating_sub(self.done) as f64 / per_second;
        Duration::try_from_secs_f64(seconds.ceil()).ok()
    }

    /// Writes the rate and the time left, as in `1,200 per second, 32s left`; nothing if there is no rate yet.
    pub(super) fn write(&self, now: Instant, out: &mut dyn Write) -> fmt::Result {
        let Some(per_second) = self.per_second(now).filter(|_| self.done > 0) else { return Ok(()) };
        // Rounded, so that a slow step does not look stuck.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
        match per_second {
            rate if rate >= 10.0 => write!(out, "{} per second", HumanCount(rate.round() as u64))?,
            rate => write!(out, "{rate:.1} per second")?,
        }
        match self.left(per_second) {
            Some(left) => write!(out, ", {} left", format_duration(left)),
            None => Ok(()),
        }
    }

    /// How many records were read or written, as in `1,200 of 5,000 records`; nothing if there are none yet.
    pub(super) fn records(&self) -> Option<String> {
        let done = HumanCount(self.done);
        match self.total {
            Some(total) => Some(format!("{done} of {} records", HumanCount(total))),
            None if self.done > 0 => Some(format!("{done} records")),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rate: &Rate, now: Instant) -> String {
        let mut text = String::new();
        rate.write(now, &mut text).unwrap();
        text
    }

    /// The rate of a step that has done so many records after so many milliseconds.
    fn rate(begun: Instant, total: Option<u64>, figures: &[(u64, u64)]) -> Rate {
        let mut rate = Rate::new(begun);
        for (ms, done) in figures {
            rate.add(begun + Duration::from_millis(*ms), *done, total);
        }
        rate
    }

    fn after(begun: Instant, ms: u64) -> Instant {
        begun + Duration::from_millis(ms)
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begun = Instant::now();
        // Fast for ten seconds, then slow.
        let mut figures: Vec<_> = (1..=100).map(|n| (n * 100, n * 1_000)).collect();
        figures.extend((1..=100).map(|n| (10_000 + n * 100, 100_000 + n * 10)));
        let rate = rate(begun, None, &figures);
        assert_eq!(shown(&rate, after(begun, 20_000)), "100 per second");
        assert!(rate.samples.len() < 60, "{}", rate.samples.len());
    }

    #[test]
    fn a_step_that_stands_still_has_no_rate_of_earlier() {
        let begun = Instant::now();
        let rate = rate(begun, Some(1_000), &[(1_000, 500)]);
        assert_eq!(shown(&rate, after(begun, 1_000)), "500 per second, 1s left");
        assert_eq!(shown(&rate, after(begun, 2_000)), "250 per second, 2s left");
        assert_eq!(shown(&rate, after(begun, 6_500)), "0.0 per second");
    }

    #[test]
    fn the_time_left_is_shown_only_where_the_end_is_known() {
        let begun = Instant::now();
        for (total, text) in [(None, "5.0 per second"), (Some(60), "5.0 per second, 10s left")] {
            assert_eq!(shown(&rate(begun, total, &[(2_000, 10)]), after(begun, 2_000)), text);
        }
    }

    #[test]
    fn nothing_is_said_of_a_step_that_has_only_begun() {
        let begun = Instant::now();
        assert_eq!(shown(&rate(begun, Some(9), &[(100, 3)]), after(begun, 100)), "");
        assert_eq!(shown(&rate(begun, Some(9), &[]), after(begun, 9_000)), "");
        assert_eq!(rate(begun, None, &[]).records(), None);
        assert_eq!(rate(begun, Some(5_000), &[(100, 1_200)]).records().as_deref(), Some("1,200 of 5,000 records"));
    }
}

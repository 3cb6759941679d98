//! The time and memory of each step.

use std::fmt::{self, Write};
use std::time::Duration;

use diffsync_core::report::{Step, StepReport};

/// How long a run takes at least where somebody asks which step was the slowest.
const NOTICED: Duration = Duration::from_secs(1);

/// The table of the steps of a run that took this long.
pub(crate) fn step_table(out: &mut dyn Write, reports: &[StepReport], whole: Duration) -> fmt::Result {
    let profiled = reports.iter().any(|step| step.memory.is_some());
    write!(out, "\n{:16}  {:>10}", "step", "time")?;
    if profiled {
        write!(out, "  {:>11}  {:>11}  {:>11}  {:>11}", "heap at end", "heap peak", "resident", "res. peak")?;
    }
    writeln!(out)?;

    for step in Step::ALL {
        write!(out, "  {step:14}")?;
        match reports.iter().find(|report| report.step == step) {
            Some(report) => step_figures(out, report, profiled)?,
            None => write!(out, "  {:>10}", "-")?,
        }
        writeln!(out)?;
    }

    write!(out, "  {:14}  {:>10}", "whole run", duration(whole))?;
    match reports.iter().max_by_key(|report| report.duration) {
        Some(slowest) if whole >= NOTICED => writeln!(out, "  slowest: {}", slowest.step),
        _ => writeln!(out),
    }
}

fn step_figures(out: &mut dyn Write, report: &StepReport, profiled: bool) -> fmt::Result {
    write!(out, "  {:>10}", duration(report.duration))?;
    if !profiled {
        return Ok(());
    }

    let heap = report.memory.and_then(|memory| memory.heap);
    let resident = report.memory.and_then(|memory| memory.resident);
    for bytes in [heap.map(|m| m.in_use), heap.map(|m| m.peak), resident.map(|m| m.in_use), resident.map(|m| m.peak)] {
        write!(out, "  {:>11}", bytes.map_or("-".into(), size))?;
    }
    Ok(())
}

/// A duration in a suitable unit.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// A number of bytes in a suitable binary unit.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_in_units_that_suit_them() {
        assert_eq!(duration(Duration::from_micros(17)), "17 µs");
        assert_eq!(duration(Duration::from_micros(1_700)), "1.7 ms");
        assert_eq!(duration(Duration::from_millis(2_346)), "2.35 s");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(75_000_000), "71.5 MiB");
    }

    #[test]
    fn the_slowest_step_of_a_run_that_takes_long_is_named() {
        let step = |step, ms| StepReport { step, duration: Duration::from_millis(ms), memory: None };
        let last_line = |reports: &[StepReport], ms| {
            let mut table = String::new();
            step_table(&mut table, reports, Duration::from_millis(ms)).unwrap();
            table.lines().last().unwrap().to_owned()
        };
        let reports = [step(Step::LoadSource, 300), step(Step::LoadTarget, 900), step(Step::CalculateDiff, 1)];
        assert_eq!(last_line(&reports, 1_201), "  whole run           1.20 s  slowest: load target");
        assert_eq!(last_line(&reports, 999), "  whole run         999.0 ms");
        assert_eq!(last_line(&[], 2_000), "  whole run           2.00 s");
    }
}

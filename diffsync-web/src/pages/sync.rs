//! One sync: what it did, what failed and what to do about it, and how long each step took.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use diffsync_core::memory::MemoryUse;
use diffsync_core::report::{Step, StepReport};
use diffsync_history::{LogEntry, LogEntryFilter, PageRequest, SavedSync, SyncStatus};
use jiff::Timestamp;
use serde_json::Value;

use super::live::{Live, live_of};
use super::logs::Entry;
use super::status::UNWRITTEN;
use super::sync_row::{SyncRow, took};
use super::{Answer, Frame, render};
use crate::fields::query;
use crate::figures::{Moment, count, duration, number, percent, size};
use crate::router::User;
use crate::site::Site;

/// How many of the records that were not written the page lists.
const UNWRITTEN_SHOWN: u32 = 8;

/// A step that took no longer is not worth a hint.
const WORTH_A_HINT: Duration = Duration::from_millis(200);

/// A peak of fewer bytes is not worth a hint.
const LARGE: u64 = 1 << 20;

#[derive(Template)]
#[template(path = "sync.html")]
struct SyncPage {
    frame: Frame,
    row: SyncRow,
    /// The job's name on pages, if the program has the job.
    name: Option<&'static str>,
    ended: Option<Moment>,
    is_running: bool,
    /// Whether this program runs it.
    is_here: bool,
    live: Live,
    host: String,
    pid: u32,
    program: String,
    plan: Option<String>,
    variables: Vec<(String, String)>,
    figures: Vec<Figure>,
    models: Vec<ModelRow>,
    advice: Option<Advice>,
    unwritten: Vec<Entry>,
    unwritten_more: bool,
    total: String,
    durations: Vec<DurationBar>,
    duration_hint: Option<String>,
    memory: Vec<MemoryTable>,
    changes: String,
    entries: String,
    lines: String,
    dropped: Option<String>,
    retries: u64,
    pruned: Option<Moment>,
}

/// One number of a sync, with where its records are listed.
struct Figure {
    number: String,
    word: &'static str,
    class: &'static str,
    sign: &'static str,
    link: Option<String>,
}

/// The planned operations of one model.
struct ModelRow {
    model: String,
    create: String,
    update: String,
    delete: String,
    no_change: String,
    /// Held, unsupported, rejected or left out.
    other: String,
}

/// Why a sync did not do all of it, and what to do.
struct Advice {
    title: &'static str,
    lines: Vec<String>,
    /// The limits that it would have exceeded.
    breaches: Vec<Breach>,
    what_to_do: String,
    /// The form of a run that may exceed all of them.
    allow: Option<String>,
}

/// A limit that was exceeded.
struct Breach {
    text: String,
    /// Where the records are listed.
    records: String,
    records_label: String,
    /// The field of the form that allows it, and its value.
    allow: [String; 2],
}

struct DurationBar {
    step: String,
    took: String,
    percent: f64,
    share: String,
    is_slowest: bool,
}

/// The memory of all steps, by one way to measure it.
struct MemoryTable {
    title: &'static str,
    note: &'static str,
    bars: Vec<MemoryBar>,
    hint: Option<String>,
}

struct MemoryBar {
    step: String,
    at_the_end: String,
    peak: String,
    end_percent: f64,
    peak_percent: f64,
    is_high: bool,
}

pub(crate) async fn sync(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Path(sync): Path<String>,
) -> Answer {
    site.history.mark_interrupted().await?;
    let sync = site.history.sync(&sync).await?;
    let now = Timestamp::now();

    let filter = LogEntryFilter { status: UNWRITTEN.map(str::to_owned).into(), ..LogEntryFilter::default() };
    let unwritten = site.history.entries(sync.id, &filter, PageRequest::first(UNWRITTEN_SHOWN)).await?;
    let job = site.job(&sync.job).map(|page| page.job.info());

    let moment = |at: Option<Timestamp>| at.map(|at| Moment::new(at, now));
    let whole = took(&sync);
    render(&SyncPage {
        frame: Frame::new(&site, &user, "history"),
        name: job.map(|info| info.name),
        ended: moment(sync.ended_at),
        is_running: sync.status == SyncStatus::Running,
        is_here: site.runs.progress(sync.id).is_some(),
        live: live_of(&site, &sync),
        host: sync.host.clone(),
        pid: sync.pid,
        program: sync.program.clone(),
        plan: sync.plan.clone(),
        variables: sync
            .variables
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.clone(), values.join(", ")))
            .collect(),
        figures: figures(&sync),
        models: models(&sync),
        advice: advice(&site, &sync),
        unwritten: unwritten.items.iter().map(|entry: &LogEntry| Entry::new(entry, sync.id, now)).collect(),
        unwritten_more: unwritten.next.is_some(),
        total: duration(whole),
        durations: durations(&sync.steps),
        duration_hint: duration_hint(&sync.steps),
        memory: memory(&sync.steps),
        changes: count(sync.changes),
        entries: count(sync.entries),
        lines: count(sync.lines),
        dropped: (sync.dropped > 0).then(|| count(sync.dropped)),
        retries: sync.retries,
        pruned: moment(sync.pruned_at),
        row: SyncRow::new(&sync, now),
    })
}

/// The numbers of a sync. Those that are zero for most syncs are left out then.
fn figures(sync: &SavedSync) -> Vec<Figure> {
    let id = sync.id.to_string();
    let figure = |records: usize, word, sign, class, link: String| Figure {
        number: count(number(records)),
        word,
        class,
        sign,
        link: (records > 0).then_some(link),
    };
    // A run that was refused has only those of records that could not be used.
    let has_entries = |status: &str| sync.entries > 0 && (status == "rejected" || sync.status != SyncStatus::Refused);
    let changes = |action: &str| format!("/syncs/{id}/diff{}", query(&[("action", action)]));
    let entries = |status: &str| format!("/syncs/{id}/logs{}", query(&[("status", status)]));

    if sync.dry_run {
        let Some(planned) = &sync.planned else { return Vec::new() };
        let total = planned.total;
        let mut figures = vec![
            figure(total.create, "to create", "+", "create", changes("create")),
            figure(total.update, "to update", "~", "update", changes("update")),
            figure(total.delete + total.cascade, "to delete", "−", "delete", changes("delete")),
        ];
        figures.push(Figure { link: None, ..figure(total.no_change, "unchanged", "=", "plain", String::new()) });
        let rare = [
            (total.held, "held", None),
            (total.unsupported, "unsupported", None),
            (total.rejected, "rejected", has_entries("rejected").then(|| entries("rejected"))),
            (total.left_out, "left out", None),
        ];
        let rare = rare.into_iter().filter(|(records, ..)| *records > 0);
        figures.extend(
            rare.map(|(records, word, link)| Figure {
                link, ..figure(records, word, "◐", "doubtful", String::new())
            }),
        );
        return figures;
    }

    let Some(counts) = sync.counts else { return Vec::new() };
    let mut figures = vec![
        figure(counts.created, "created", "+", "create", entries("created")),
        figure(counts.updated, "updated", "~", "update", entries("updated")),
        figure(counts.deleted, "deleted", "−", "delete", entries("deleted")),
        figure(counts.unchanged, "unchanged", "=", "plain", entries("unchanged")),
        figure(counts.failed, "failed", "✕", "bad", entries("failed")),
    ];
    // Unchanged records have entries only if the run was asked for them.
    let written = counts.created + counts.updated + counts.deleted + counts.cascaded;
    let unwritten = counts.failed + counts.unknown + counts.blocked + counts.held + counts.unsupported;
    let others = written + unwritten + counts.not_attempted + counts.rejected;
    if let Some(unchanged) = figures.get_mut(3).filter(|_| sync.entries < number(others + counts.unchanged)) {
        unchanged.link = None;
    }

    let rare = [
        (counts.cascaded, "deleted with their parent", "−", "delete", Some("cascaded")),
        (counts.unknown, "unknown", "?", "bad", Some("unknown")),
        (counts.blocked, "blocked", "◐", "doubtful", Some("blocked")),
        (counts.held, "held", "◐", "doubtful", Some("held")),
        (counts.unsupported, "unsupported", "◐", "doubtful", Some("unsupported")),
        (counts.not_attempted, "not attempted", "◐", "doubtful", Some("not_attempted")),
        (counts.rejected, "rejected", "◐", "doubtful", Some("rejected")),
        (counts.left_out, "left out", "=", "plain", None),
    ];
    let rare = rare.into_iter().filter(|(records, ..)| *records > 0);
    figures.extend(rare.map(|(records, word, sign, class, status)| Figure {
        link: status.filter(|status| has_entries(status)).map(entries),
        ..figure(records, word, sign, class, String::new())
    }));
    figures
}

fn models(sync: &SavedSync) -> Vec<ModelRow> {
    let planned = sync.planned.iter().flat_map(|planned| &planned.models);
    let shown = |records: usize| count(number(records));
    planned
        .map(|model| {
            let counts = model.counts;
            ModelRow {
                model: model.model.clone(),
                create: shown(counts.create),
                update: shown(counts.update),
                delete: shown(counts.delete + counts.cascade),
                no_change: shown(counts.no_change),
                other: shown(counts.held + counts.unsupported + counts.rejected + counts.left_out),
            }
        })
        .collect()
}

fn advice(site: &Site, sync: &SavedSync) -> Option<Advice> {
    let breaches: Vec<_> = sync.breaches.iter().filter_map(Value::as_array).flatten().collect();
    let breaches: Vec<Breach> = breaches.into_iter().filter_map(|breach| Breach::read(sync, breach)).collect();
    let has_breaches = !breaches.is_empty();
    let of_guards =
        "Look at the records. If they are right, allow as many for one run; if not, look at what the source returned.";

    let (title, what_to_do) = match sync.status {
        SyncStatus::Refused if has_breaches => ("A limit stopped it, and nothing was written", of_guards.to_owned()),
        SyncStatus::Refused => (
            "It was not allowed to write, and wrote nothing",
            "Remove the reason, and run it again.".to_owned(),
        ),
        SyncStatus::Failed => (
            "It did not reach its end",
            "Remove the cause, and run it again: what was written already is compared as it is now, and not written twice.".to_owned(),
        ),
        SyncStatus::Interrupted => {
            let last = sync.last_record.as_ref();
            let last = last.map_or(String::new(), |last| format!(" The last record known to be written is {last}."));
            ("Its process ended before it did", format!("Run it again: it goes on from what the target holds now.{last}"))
        }
        SyncStatus::Cancelled => (
            "It was cancelled",
            "What was in flight was finished, and the rest was not attempted. Run it again to go on.".to_owned(),
        ),
        SyncStatus::Partial if has_breaches => ("A limit held some operations", of_guards.to_owned()),
        SyncStatus::Partial => (
            "Not every record was written",
            "The records and the reasons are below. A run that follows tries them again.".to_owned(),
        ),
        _ if has_breaches => ("A limit held some operations", of_guards.to_owned()),
        _ => return None,
    };
    let lines = sync.error.iter().flat_map(|error| error.lines()).map(str::to_owned);
    // The error of a guard repeats what the breaches say.
    let lines = if has_breaches { Vec::new() } else { lines.collect() };
    // The job of another program has no form.
    let allow = site.job(&sync.job).and_then(|_| allowing(sync, &breaches));
    Some(Advice { title, lines, breaches, what_to_do, allow })
}

impl Breach {
    /// A limit that was exceeded, as the history holds it.
    fn read(sync: &SavedSync, breach: &Value) -> Option<Self> {
        let text = |name: &str| breach.get(name).and_then(Value::as_str);
        let records = |name: &str| breach.get(name).and_then(Value::as_u64);
        let (model, operation, planned) = (text("model")?, text("operation")?, records("count")?);
        let loaded = records("records")?;

        let said = match text("limit") {
            Some(limit) => format!(
                "{model}: it would {operation} {} records where the target holds {}, and {limit} are allowed.",
                count(planned),
                count(loaded)
            ),
            None => format!(
                "{model}: the source holds none, and it would {operation} {} of the target's {}.",
                count(planned),
                count(loaded)
            ),
        };
        Some(Self {
            text: said,
            records: format!("/syncs/{}/diff{}", sync.id, query(&[("action", operation), ("model", model)])),
            records_label: format!("the {operation}s of {model}"),
            allow: [format!("allow_{operation}s"), format!("{model}={planned}")],
        })
    }
}

/// The form of a run like this one, which may exceed all of these limits.
fn allowing(sync: &SavedSync, breaches: &[Breach]) -> Option<String> {
    let profile = sync.profile.as_deref().unwrap_or_default();
    let again = sync.id.to_string();
    let of_field = |name: &str| {
        let of_field = breaches.iter().filter(|breach| breach.allow[0] == name);
        of_field.map(|breach| &*breach.allow[1]).collect::<Vec<_>>().join(" ")
    };
    let limits = ["allow_creates", "allow_updates", "allow_deletes"].map(|name| (name, of_field(name)));
    let limits = limits.iter().map(|(name, limits)| (*name, &**limits));
    let fields: Vec<_> = [("profile", profile), ("again", &*again)].into_iter().chain(limits).collect();
    (!breaches.is_empty()).then(|| format!("/jobs/{}/run{}", sync.job, query(&fields)))
}

/// The longest of the steps, if any took some time.
fn slowest(steps: &[StepReport]) -> Option<&StepReport> {
    steps.iter().max_by_key(|report| report.duration)
}

fn durations(steps: &[StepReport]) -> Vec<DurationBar> {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let longest = slowest(steps).map_or(0, |report| micros(report.duration));
    let sum: u64 = steps.iter().map(|report| micros(report.duration)).sum();
    let bar = |report: &StepReport| DurationBar {
        step: report.step.to_string(),
        took: duration(report.duration),
        percent: percent(micros(report.duration), longest),
        share: format!("{:.0} %", percent(micros(report.duration), sum)),
        is_slowest: slowest(steps).is_some_and(|slowest| slowest.step == report.step),
    };
    in_order(steps).map(bar).collect()
}

fn in_order(steps: &[StepReport]) -> impl Iterator<Item = &StepReport> {
    Step::ALL.into_iter().filter_map(|step| steps.iter().find(|report| report.step == step))
}

/// What the durations hint at, if they do.
fn duration_hint(steps: &[StepReport]) -> Option<String> {
    let slowest = slowest(steps).filter(|report| report.duration >= WORTH_A_HINT)?;
    let others: Duration =
        steps.iter().filter(|report| report.step != slowest.step).map(|report| report.duration).sum();
    if slowest.duration < others {
        return None;
    }
    let loads = [Step::LoadSource, Step::LoadTarget];
    let both_load = loads
        .iter()
        .all(|load| steps.iter().any(|report| report.step == *load && report.duration * 5 >= slowest.duration));
    Some(match slowest.step {
        Step::LoadSource | Step::LoadTarget if both_load => format!(
            "Most of the time went into loading ({}). Parallel loading loads both sides at once.",
            slowest.step
        ),
        Step::LoadSource | Step::LoadTarget => {
            format!("Most of the time went into “{}”: how its system is asked decides how long a run takes.", slowest.step)
        }
        Step::CalculateDiff => "Most of the time went into comparing, so both systems answered quickly.".to_owned(),
        Step::ExecuteSync => {
            "Most of the time went into writing. A target that can write batches, or several records at a time, takes less.".to_owned()
        }
    })
}

fn memory(steps: &[StepReport]) -> Vec<MemoryTable> {
    let heap = |report: &StepReport| report.memory.and_then(|memory| memory.heap);
    let resident = |report: &StepReport| report.memory.and_then(|memory| memory.resident);
    let tables = [
        memory_table("Heap", "what the step allocated", steps, heap),
        memory_table("Resident", "what the process took from the system", steps, resident),
    ];
    let mut tables: Vec<_> = tables.into_iter().flatten().collect();
    // The peak of a process is that of all its steps so far, so only the heap tells something about one of them.
    for table in tables.iter_mut().filter(|table| table.title != "Heap") {
        table.hint = None;
        table.bars.iter_mut().for_each(|bar| bar.is_high = false);
    }
    tables
}

fn memory_table(
    title: &'static str,
    note: &'static str,
    steps: &[StepReport],
    of: impl Fn(&StepReport) -> Option<MemoryUse>,
) -> Option<MemoryTable> {
    let used: Vec<_> = in_order(steps).filter_map(|report| Some((report.step, of(report)?))).collect();
    let largest = used.iter().map(|(_, used)| used.peak).max()?;
    let is_high = |used: &MemoryUse| used.peak >= LARGE && used.peak > used.in_use.saturating_mul(2);
    let bar = |(step, used): &(Step, MemoryUse)| MemoryBar {
        step: step.to_string(),
        at_the_end: size(used.in_use),
        peak: size(used.peak),
        end_percent: percent(used.in_use, largest),
        peak_percent: percent(used.peak, largest),
        is_high: is_high(used),
    };
    let highest = used.iter().filter(|(_, used)| is_high(used)).max_by_key(|(_, used)| used.peak);
    let hint = highest.map(|(step, used)| {
        let what = match step {
            Step::LoadSource | Step::LoadTarget => "Answers that are read as a whole do that; smaller pages take less.",
            Step::CalculateDiff => "Long lists of changes do that while they are put in order.",
            Step::ExecuteSync => "Large batches do that; smaller ones take less.",
        };
        let times =
            used.peak.checked_div(used.in_use).map_or_else(|| "much more than".into(), |n| format!("{n} times"));
        format!("“{step}” needed {times} what it kept. {what}")
    });
    Some(MemoryTable { title, note, bars: used.iter().map(bar).collect(), hint })
}

#[cfg(test)]
mod tests {
    use diffsync_core::memory::StepMemory;

    use super::*;

    fn step(step: Step, millis: u64, heap: Option<(u64, u64)>) -> StepReport {
        let heap = heap.map(|(in_use, peak)| MemoryUse { in_use, peak });
        let memory = heap.map(|heap| StepMemory { heap: Some(heap), resident: Some(heap) });
        StepReport { step, duration: Duration::from_millis(millis), memory }
    }

    #[test]
    fn the_slowest_step_is_marked_and_a_hint_is_given_only_if_it_took_most_of_the_time() {
        let steps = [step(Step::LoadSource, 900, None), step(Step::ExecuteSync, 100, None)];
        let bars = durations(&steps);
        assert_eq!((bars[0].is_slowest, &*bars[0].share, &*bars[1].share), (true, "90 %", "10 %"));
        assert!(duration_hint(&steps).unwrap().contains("load source"));

        let steps = [step(Step::LoadSource, 900, None), step(Step::LoadTarget, 800, None)];
        assert!(duration_hint(&steps).unwrap().contains("Parallel loading"));
        for quick in [[step(Step::LoadSource, 9, None)], [step(Step::ExecuteSync, 0, None)]] {
            assert_eq!(duration_hint(&quick), None);
        }
    }

    #[test]
    fn a_peak_far_above_what_is_left_is_pointed_out() {
        let tables =
            memory(&[step(Step::LoadSource, 1, Some((10 << 20, 61 << 20))), step(Step::LoadTarget, 1, Some((9, 10)))]);
        assert_eq!(tables.len(), 2);
        assert!(tables[0].bars[0].is_high && !tables[0].bars[1].is_high);
        assert!(tables[0].hint.as_ref().unwrap().contains("6 times"), "{:?}", tables[0].hint);
        assert_eq!(tables[1].hint, None);
        assert!(memory(&[step(Step::LoadSource, 1, None)]).is_empty());
    }
}

//! The measured steps of a sync.

use std::time::Duration;

use diffsync_core::memory::{MemoryUse, StepMemory};
use diffsync_core::report::{Step, StepReport};

use crate::database::{Row, Statement};
use crate::error::HistoryError;
use crate::store::History;
use crate::time::micros;

/// The statement that inserts the step at this position of a sync.
pub(crate) fn insert(sync_no: i64, seq: i64, report: &StepReport) -> Statement {
    let StepReport { step, duration, memory } = report;
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let in_use = |memory: Option<MemoryUse>| memory.map(|memory| bytes(memory.in_use));
    let peak = |memory: Option<MemoryUse>| memory.map(|memory| bytes(memory.peak));
    let (heap, resident) = memory.map_or((None, None), |memory| (memory.heap, memory.resident));

    Statement::new(
        "INSERT INTO history_step (sync_no, seq, step, duration_us, heap_final, heap_peak, resident_final, resident_peak) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        vec![
            sync_no.into(),
            seq.into(),
            step.to_string().into(),
            micros(*duration).into(),
            in_use(heap).into(),
            peak(heap).into(),
            in_use(resident).into(),
            peak(resident).into(),
        ],
    )
}

fn read(row: &Row) -> Result<(i64, StepReport), sqlx::Error> {
    let memory_use = |in_use: &str, peak: &str| {
        let bytes = |column| Ok::<_, sqlx::Error>(row.optional_integer(column)?.map(i64::unsigned_abs));
        Ok::<_, sqlx::Error>(bytes(in_use)?.zip(bytes(peak)?).map(|(in_use, peak)| MemoryUse { in_use, peak }))
    };
    let heap = memory_use("heap_final", "heap_peak")?;
    let resident = memory_use("resident_final", "resident_peak")?;
    let memory = (heap.is_some() || resident.is_some()).then_some(StepMemory { heap, resident });

    let step = row.parsed("step", named)?;
    let duration = Duration::from_micros(row.integer("duration_us")?.unsigned_abs());
    Ok((row.integer("sync_no")?, StepReport { step, duration, memory }))
}

/// The step of this name.
pub(crate) fn named(name: &str) -> Option<Step> {
    Step::ALL.into_iter().find(|step| step.to_string() == name)
}

impl History {
    /// The steps of the syncs with these numbers, each with the number of its sync.
    pub(crate) async fn steps(&self, first: i64, last: i64) -> Result<Vec<(i64, StepReport)>, HistoryError> {
        let sql = "SELECT * FROM history_step WHERE sync_no BETWEEN $1 AND $2 ORDER BY sync_no, seq";
        self.fetch("read steps", sql, vec![first.into(), last.into()], read).await
    }
}

//! The resident size of the process, and its peak during a step.
//!
//! Linux keeps the peak itself (`VmHWM` of `/proc/self/status`, see proc(5)); writing 5 to `/proc/self/clear_refs` resets
//! it. If that is not allowed, and on other systems, a thread samples the current size.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::MemoryUse;

/// How often the size is sampled if the system does not keep the peak.
const SAMPLE_EVERY: Duration = Duration::from_millis(5);

/// Measures the peak of the process's resident size from `start` to `finish`.
///
/// The size is that of the process: steps that run at the same time share it. The system's peak is reset only if no other
/// measurement relies on it.
pub(crate) enum ResidentPeak {
    /// The system keeps the peak.
    Kept(KeptPeak),
    /// A thread samples.
    Sampled(Sampler),
}

impl ResidentPeak {
    pub(crate) fn start() -> Self {
        KeptPeak::begin().map_or_else(|| Self::Sampled(Sampler::start()), Self::Kept)
    }

    pub(crate) fn finish(self) -> Option<MemoryUse> {
        let in_use = resident()?;
        let peak = match self {
            Self::Kept(_measuring) => kept_peak()?,
            Self::Sampled(sampler) => sampler.finish(),
        };

        // The two are read one after the other, and the process may allocate in between.
        Some(MemoryUse { in_use, peak: peak.max(in_use) })
    }
}

/// The number of measurements that rely on the system's peak.
static MEASURING: Mutex<usize> = Mutex::new(0);

/// One of these measurements.
pub(crate) struct KeptPeak(());

impl KeptPeak {
    fn begin() -> Option<Self> {
        let mut measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
        if *measuring == 0 {
            fs::write("/proc/self/clear_refs", "5").ok()?;
            kept_peak()?;
        }
        *measuring += 1;
        Some(Self(()))
    }
}

impl Drop for KeptPeak {
    fn drop(&mut self) {
        *MEASURING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

fn resident() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}

fn kept_peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A thread that samples the resident size.
pub(crate) struct Sampler {
    peak: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    fn start() -> Self {
        let peak = Arc::new(AtomicU64::new(resident().unwrap_or(0)));
        let done = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name("memory-sampler".into()).spawn({
            let (peak, done) = (Arc::clone(&peak), Arc::clone(&done));
            move || {
                while !done.load(Ordering::Relaxed) {
                    peak.fetch_max(resident().unwrap_or(0), Ordering::Relaxed);
                    thread::park_timeout(SAMPLE_EVERY);
                }
            }
        });

        // Without a thread, the peak is the larger of the sizes at the start and at the end.
        Self { peak, done, thread: thread.ok() }
    }

    fn finish(mut self) -> u64 {
        self.stop();
        self.peak.load(Ordering::Relaxed)
    }

    fn stop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // If the sampler panicked, its last sample counts.
            let _ = thread.join();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_that_has_gone_by_is_still_seen() {
        for peak in [ResidentPeak::start(), ResidentPeak::Sampled(Sampler::start())] {
            let before = resident().unwrap();
            let block = vec![1u8; 64 << 20];
            thread::sleep(SAMPLE_EVERY * 4);
            drop(std::hint::black_box(block));
            let measured = peak.finish().unwrap();
            assert!(measured.peak >= before + (48 << 20), "{measured:?} after {before}");
        }
    }
}

//! The diff of two large trees, beside a join written by hand over two `HashMap`s.
//!
//! `cargo bench -p diffsync-core` prints the table of `docs/benchmarks.md`; `-- 100000` measures that size only. Each
//! figure is the best of several runs: the others are disturbed by whatever else the machine does.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints a table")]

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::time::{Duration, Instant};

use diffsync_core::apply::LoadedSides;
use diffsync_core::memory::MemoryScope;
use diffsync_core::{Dataset, Plan, SyncModel, Table};

diffsync_core::count_allocations!();

const DEVICES_PER_SITE: usize = 20;
const INTERFACES_PER_DEVICE: usize = 48;

/// A place with devices.
#[derive(SyncModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
    region: String,
}

/// A device.
#[derive(SyncModel, Clone)]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(parent = Site)]
    site: String,
    serial: String,
}

/// A port of a device.
#[derive(SyncModel, Clone)]
struct Interface {
    #[sync(id, parent = Device)]
    device: String,
    #[sync(id)]
    name: String,
    description: String,
    enabled: bool,
    mtu: Option<u32>,
    mac: String,
}

#[derive(Dataset, Default)]
struct Network {
    sites: Table<Site>,
    devices: Table<Device>,
    interfaces: Table<Interface>,
}

/// A small generator, so that every run measures the same data (xorshift64, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// The records of one side, before they are in tables.
#[derive(Clone, Default)]
struct Records {
    sites: Vec<Site>,
    devices: Vec<Device>,
    interfaces: Vec<Interface>,
}

impl Records {
    fn generate(interfaces: usize) -> Self {
        let mut records = Self::default();
        let devices = interfaces.div_ceil(INTERFACES_PER_DEVICE);
        for site in 0..devices.div_ceil(DEVICES_PER_SITE) {
            records.sites.push(Site { name: format!("site-{site:05}"), region: format!("region-{}", site % 7) });
        }
        for device in 0..devices {
            records.devices.push(Device {
                name: format!("device-{device:06}"),
                site: format!("site-{:05}", device / DEVICES_PER_SITE),
                serial: format!("SN{device:010}"),
            });
        }
        for interface in 0..interfaces {
            let (device, port) = (interface / INTERFACES_PER_DEVICE, interface % INTERFACES_PER_DEVICE);
            records.interfaces.push(Interface {
                device: format!("device-{device:06}"),
                name: format!("Ethernet{}/{}", port / 8, port % 8),
                description: format!("to rack {} port {port}", device % 97),
                enabled: port % 5 != 0,
                mtu: (port % 3 != 0).then_some(9000),
                mac: format!("02:00:{:02x}:{:02x}:{:02x}:{port:02x}", device >> 16, (device >> 8) & 255, device & 255),
            });
        }
        records
    }

    /// The other side: 1 % of the interfaces changed, 0.5 % missing on each side.
    fn mutate(&self) -> (Self, Self) {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let (mut source, mut target) = (self.clone(), self.clone());
        for interface in &mut target.interfaces {
            if random.below(100) == 0 {
                interface.description.push_str(" (changed)");
            }
        }
        source.interfaces.retain(|_| random.below(200) != 0);
        target.interfaces.retain(|_| random.below(200) != 0);
        (source, target)
    }

    fn shuffle(&mut self) {
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        random.shuffle(&mut self.sites);
        random.shuffle(&mut self.devices);
        random.shuffle(&mut self.interfaces);
        // As a system that answers in another order: the records lie in memory as they were read.
        *self = Self { sites: self.sites.clone(), devices: self.devices.clone(), interfaces: self.interfaces.clone() };
    }

    fn into_tables(self) -> Network {
        let mut network = Network::default();
        network.sites.extend(self.sites);
        network.devices.extend(self.devices);
        network.interfaces.extend(self.interfaces);
        network
    }
}

/// What somebody writes who needs a diff once: two maps from the identifier to the record, and a loop over each.
#[derive(Default)]
struct ByHand {
    create: usize,
    update: usize,
    delete: usize,
}

impl ByHand {
    fn diff<S: BuildHasher>(source: &ById<'_, S>, target: &ById<'_, S>) -> Self {
        let mut diff = Self::default();
        for (key, record) in source {
            match target.get(key) {
                None => diff.create += 1,
                Some(other) => {
                    let same = record.description == other.description
                        && record.enabled == other.enabled
                        && record.mtu == other.mtu
                        && record.mac == other.mac;
                    diff.update += usize::from(!same);
                }
            }
        }
        diff.delete = target.keys().filter(|key| !source.contains_key(*key)).count();
        diff
    }
}

type ById<'a, S> = HashMap<(&'a str, &'a str), &'a Interface, S>;

fn by_id<S: BuildHasher + Default>(interfaces: &[Interface]) -> ById<'_, S> {
    interfaces.iter().map(|interface| ((interface.device.as_str(), interface.name.as_str()), interface)).collect()
}

/// The best of several runs; `prepare` is not measured.
fn best<I, O>(runs: usize, mut prepare: impl FnMut() -> I, mut work: impl FnMut(I) -> O) -> (Duration, O) {
    let mut result = None;
    for _ in 0..runs {
        let input = prepare();
        let begun = Instant::now();
        let output = black_box(work(black_box(input)));
        let took = begun.elapsed();
        if result.as_ref().is_none_or(|(best, _)| took < *best) {
            result = Some((took, output));
        }
    }
    result.unwrap_or_else(|| unreachable!("there is at least one run"))
}

/// What one side's tables take beside the records themselves, in bytes a record.
#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
fn overhead(records: &Records) -> f64 {
    let held = |scope: &MemoryScope| scope.heap().map_or(0, |heap| heap.in_use) as f64;
    let (alone, in_tables) = (MemoryScope::new(), MemoryScope::new());
    let copy = alone.enter(|| records.clone());
    let plan = in_tables.enter(|| Plan::new(records.clone().into_tables(), Network::default()));
    let count = copy.sites.len() + copy.devices.len() + copy.interfaces.len();
    // The plan also holds the list of what is to be created: every record, four bytes each.
    let list = 4.0 * plan.diff().operations() as f64;
    (held(&in_tables) - list - held(&alone)) / count as f64
}

struct Row {
    interfaces: usize,
    order: &'static str,
    ours: Duration,
    maps_ready: Duration,
    maps_fast: Duration,
    maps_made: Duration,
    load: Duration,
    check: Duration,
    overhead: f64,
}

fn measure(interfaces: usize, shuffled: bool) -> Row {
    let (source, mut target) = Records::generate(interfaces).mutate();
    if shuffled {
        target.shuffle();
    }
    let runs = if interfaces > 200_000 { 7 } else { 20 };
    let (left, right) = (&source.interfaces, &target.interfaces);
    let std_maps = (by_id::<RandomState>(left), by_id::<RandomState>(right));
    let (maps_ready, expected) = best(runs, || (), |()| ByHand::diff(&std_maps.0, &std_maps.1));
    drop(std_maps);
    let fast_maps = (by_id::<foldhash::fast::RandomState>(left), by_id::<foldhash::fast::RandomState>(right));
    let (maps_fast, _) = best(runs, || (), |()| ByHand::diff(&fast_maps.0, &fast_maps.1));
    drop(fast_maps);
    let (maps_made, _) = best(3, || (), |()| ByHand::diff(&by_id::<RandomState>(left), &by_id(right)));

    let overhead = overhead(&target);
    let (load, _) = best(3, || source.clone(), Records::into_tables);
    let mut plan = Plan::new(source.into_tables(), target.into_tables());
    let (mut check, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..runs {
        let (source, target) = plan.into_sides();
        let begun = Instant::now();
        let loaded = black_box(LoadedSides::new(black_box(source), black_box(target)));
        check = check.min(begun.elapsed());
        let begun = Instant::now();
        plan = black_box(loaded.compare());
        ours = ours.min(begun.elapsed());
    }
    let summary = plan.diff().summary();
    let found = summary.models.iter().find(|model| model.model == "interface").map(|model| model.counts);
    let found = found.map(|counts| (counts.create, counts.update, counts.delete));
    assert_eq!(found, Some((expected.create, expected.update, expected.delete)), "both joins find the same");
    let order = if shuffled { "shuffled" } else { "same" };
    Row { interfaces, order, ours, maps_ready, maps_fast, maps_made, load, check, overhead }
}

#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![100_000, 1_000_000] } else { asked };
    println!("nanoseconds a pair of interfaces; in ours the devices and sites are included\n");
    println!(
        "| interfaces a side | order | diff | by hand | by hand, foldhash | by hand, maps made | load one side | check both | bytes a record |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for size in sizes {
        for shuffled in [false, true] {
            let row = measure(size, shuffled);
            let each = |duration: Duration| format!("{:.1}", duration.as_nanos() as f64 / row.interfaces as f64);
            let times = [row.ours, row.maps_ready, row.maps_fast, row.maps_made, row.load, row.check].map(each);
            let (interfaces, order, overhead) = (row.interfaces, row.order, row.overhead);
            println!("| {interfaces} | {order} | {} | {overhead:.1} |", times.join(" | "));
        }
    }
}

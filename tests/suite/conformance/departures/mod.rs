//! Where we part ways with the peer on purpose: each test shows both behaviours on the same small sides.
//!
//! `docs/conformance.md` lists them with the reasons.

mod document;
mod failures;
mod flags;
mod guards;
mod identity;
mod loading;
mod moves;
mod values;

use diffsync_core::report::RunReport;
use diffsync_core::run::RunOptions;
use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::Value;

use super::answer::contents;
use super::memory::{CompleteContext, Memory, document, run_with, summary, synced, unlimited};

#[derive(SyncModel, Clone)]
struct Site {
    #[sync(id)]
    name: String,
    note: String,
}

#[derive(SyncModel, Clone)]
struct Device {
    #[sync(id)]
    name: String,
    #[sync(parent = Site)]
    site: String,
    note: String,
}

#[derive(SyncModel, Clone)]
struct Port {
    #[sync(id, parent = Device)]
    device: String,
    #[sync(id)]
    name: String,
}

#[derive(Dataset, Default)]
struct Network {
    sites: Table<Site>,
    devices: Table<Device>,
    ports: Table<Port>,
}

synced!(SyncNetwork: Network { sites, devices, ports });

/// Sites by name, devices as `(name, site)` and ports as `(device, name)`.
fn network(sites: &[&str], devices: &[(&str, &str)], ports: &[(&str, &str)]) -> Network {
    let site = |name: &&str| Site { name: (*name).into(), note: "old".into() };
    let device = |&(name, site): &(&str, &str)| Device { name: name.into(), site: site.into(), note: "old".into() };
    let port = |&(device, name): &(&str, &str)| Port { device: device.into(), name: name.into() };
    Network {
        sites: sites.iter().map(site).collect(),
        devices: devices.iter().map(device).collect(),
        ports: ports.iter().map(port).collect(),
    }
}

/// What we make of two sides.
struct Ours {
    diff: Value,
    summary: Value,
    operations: Vec<String>,
    contents: Value,
    report: RunReport,
}

fn ours<D: CompleteContext>(source: D, target: &Memory<D>) -> Ours {
    ours_with(&Memory::new(source), target, |options| options)
}

/// The same of a run that is asked for something.
fn ours_with<D: CompleteContext>(
    source: &Memory<D>,
    target: &Memory<D>,
    ask: impl FnOnce(RunOptions) -> RunOptions,
) -> Ours {
    let report = run_with(source, target, Vec::new(), |options| ask(unlimited::<D>(options)));
    Ours {
        diff: document(&report),
        summary: summary(&report),
        operations: briefly(&target.take_operations()),
        contents: contents(&target.data()),
        report,
    }
}

/// The operations of the peer's first sync.
fn first_sync(answer: &Value) -> Vec<String> {
    briefly(answer["syncs"][0]["operations"].as_array().expect("the peer came as far as its first sync"))
}

/// Operations as in `delete port sw1/eth0`.
fn briefly(operations: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let briefly = |operation: &Value| {
        let ids = operation["ids"].as_object().expect("an operation is on a record");
        let ids: Vec<_> = ids.values().map(text).collect();
        format!("{} {} {}", text(&operation["operation"]), text(&operation["model"]), ids.join("/"))
    };
    operations.iter().map(briefly).collect()
}

//! A small API whose answers a test makes up, and runs that write to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::rest::{Dialect, Rest, RestModel};
use diffsync_core::adapter::{AdapterError, Capabilities, LoadContext, TargetError, WriteContext};
use diffsync_core::data::HasTable;
use diffsync_core::job::JobSpec;
use diffsync_core::report::{Observer, RunReport};
use diffsync_core::run::RunOptions;
use diffsync_core::{Adapter, Dataset, Run, SyncModel, Table, Target, job};
use serde_json::{Value, json};

use super::runs::{Given, Handed};
use super::wire::{Reply, Wire, json as answer, reply};

#[derive(SyncModel, RestModel, Clone, Debug)]
#[rest(path = "hosts")]
pub(super) struct Host {
    #[sync(id)]
    pub(super) name: String,
    #[rest(optional)]
    pub(super) address: Option<String>,
    #[rest(optional)]
    pub(super) vars: Option<Value>,
    #[sync(local)]
    #[rest(key)]
    pub(super) id: Option<u64>,
}

#[derive(SyncModel, RestModel, Clone, Debug)]
#[rest(path = "ports")]
pub(super) struct Port {
    #[sync(id)]
    pub(super) number: u64,
    #[sync(id, parent = Host)]
    #[rest(lookup = "host -> hosts(name)")]
    pub(super) host: String,
    #[sync(local)]
    #[rest(key)]
    pub(super) id: Option<u64>,
}

#[derive(Dataset, Default)]
pub(super) struct Net {
    pub(super) hosts: Table<Host>,
    pub(super) ports: Table<Port>,
}

pub(super) fn host(name: &str) -> Host {
    Host { name: name.into(), address: Some("10.0.0.1".into()), vars: None, id: None }
}

/// Hosts, and a port of each of those that are named.
pub(super) fn net(hosts: &[Host], with_port: &[&str]) -> Net {
    let mut net = Net::default();
    net.hosts.mark_loaded();
    net.ports.mark_loaded();
    net.hosts.extend(hosts.iter().cloned());
    net.ports.extend(with_port.iter().map(|host| Port { number: 1, host: (*host).into(), id: None }));
    net
}

/// What the server holds.
#[derive(Default)]
pub(super) struct Held {
    pub(super) rows: BTreeMap<String, Vec<Value>>,
    last: u64,
    /// The number of polls of the task.
    pub(super) polls: usize,
}

/// The answer to return instead: by the method, the path below the API and the body.
pub(super) type Instead = fn(&mut Held, &str, &str, &Value) -> Option<Reply>;

/// The target's result for each host to be created.
pub(super) type Notes = Arc<Mutex<Vec<Result<Host, TargetError>>>>;

/// What a test makes of the answers.
#[derive(Clone)]
pub(super) struct Mini {
    /// What becomes of a row when it is stored.
    pub(super) stores: fn(Value) -> Value,
    /// The answer to a `POST` or `PATCH` of a row, from the stored row.
    pub(super) told: fn(&Value) -> Reply,
    /// The answer to return instead of carrying out the request: by the method, the path below the API and the body.
    pub(super) instead: Instead,
}

impl Default for Mini {
    fn default() -> Self {
        Self { stores: |row| row, told: |row| answer(&row.to_string()), instead: |_, _, _, _| None }
    }
}

impl Mini {
    pub(super) async fn start(self) -> (Wire, Arc<Mutex<Held>>) {
        let held: Arc<Mutex<Held>> = Arc::default();
        let state = Arc::clone(&held);
        let wire = Wire::answering(move |_, request| self.answer(&mut state.lock().unwrap(), request)).await;
        (wire, held)
    }

    fn answer(&self, held: &mut Held, request: &str) -> Reply {
        let (first, body) = request.split_once("\r\n\r\n").unwrap();
        let mut line = first.split(' ');
        let (method, path) = (line.next().unwrap(), line.next().unwrap().trim_start_matches("/base/api/").to_owned());
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        if let Some(reply) = (self.instead)(held, method, &path, &body) {
            return reply;
        }
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let (collection, key) = path.split_once('/').map_or((path, None), |(collection, key)| (collection, Some(key)));
        let key = key.and_then(|key| key.parse::<u64>().ok());
        match (method, key) {
            ("GET", None) => {
                let wanted: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let mut rows = held.rows.get(collection).cloned().unwrap_or_default();
                rows.retain(|row| wanted.iter().all(|(name, value)| text(&row[*name]) == *value));
                answer(&json!(rows).to_string())
            }
            ("GET", Some(key)) => match held.find(collection, key) {
                Some(row) => answer(&row.to_string()),
                None => reply(404, "", "{}"),
            },
            ("POST", None) => {
                let list = if let Value::Array(rows) = &body { rows.clone() } else { vec![body.clone()] };
                let stored: Vec<Value> = list.into_iter().map(|row| held.add(collection, (self.stores)(row))).collect();
                (self.told)(&if body.is_array() { json!(stored) } else { stored[0].clone() })
            }
            ("PATCH", Some(key)) => {
                let stores = self.stores;
                let Some(row) = held.find(collection, key) else { return reply(404, "", "{}") };
                for (name, value) in body.as_object().unwrap() {
                    row[name] = value.clone();
                }
                *row = stores(row.clone());
                (self.told)(row)
            }
            ("DELETE", Some(key)) => {
                held.rows.get_mut(collection).unwrap().retain(|row| row["id"] != key);
                reply(204, "", "")
            }
            _ => reply(405, "", "{}"),
        }
    }
}

impl Held {
    pub(super) fn add(&mut self, collection: &str, mut row: Value) -> Value {
        self.last += 1;
        row["id"] = json!(self.last + 100);
        self.rows.entry(collection.to_owned()).or_default().push(row.clone());
        row
    }

    fn find(&mut self, collection: &str, key: u64) -> Option<&mut Value> {
        self.rows.get_mut(collection)?.iter_mut().find(|row| row["id"] == key)
    }
}

/// A target that notes the result for each host.
pub(super) struct Noting {
    rest: Rest<Net>,
    pub(super) notes: Notes,
}

impl Noting {
    pub(super) fn new(rest: Rest<Net>) -> (Self, Notes) {
        let notes = Notes::default();
        (Self { rest, notes: Arc::clone(&notes) }, notes)
    }
}

impl Adapter for Noting {
    type Data = Net;

    async fn load(&self, data: &mut Net, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.rest.load(data, cx).await
    }
}

impl<M: RestModel> Target<M> for Noting
where
    Net: HasTable<M>,
{
    fn capabilities(&self) -> Capabilities {
        <Rest<Net> as Target<M>>::capabilities(&self.rest)
    }

    async fn create(&self, new: &M, cx: &WriteContext<'_, Net>) -> Result<M, TargetError> {
        let stored = self.rest.create(new, cx).await;
        let any: Result<Box<dyn std::any::Any>, _> = match &stored {
            Ok(record) => Ok(Box::new(record.clone())),
            Err(error) => {
                let copy = TargetError::new(error.to_string());
                Err(if error.is_conflict() { TargetError::conflict(format!("{error:?}")) } else { copy })
            }
        };
        match any {
            Ok(record) => {
                if let Ok(host) = record.downcast::<Host>() {
                    self.notes.lock().unwrap().push(Ok(*host));
                }
            }
            Err(error) => self.notes.lock().unwrap().push(Err(error)),
        }
        stored
    }

    async fn update(&self, old: &M, patch: &M::Patch, cx: &WriteContext<'_, Net>) -> Result<M, TargetError> {
        self.rest.update(old, patch, cx).await
    }

    async fn delete(&self, old: &M, cx: &WriteContext<'_, Net>) -> Result<(), TargetError> {
        self.rest.delete(old, cx).await
    }
}

#[job(source = Given<Net>, target = Rest<Net>, max_deletes = "100%")]
struct ToNet {
    net: Handed<Net>,
    api: Handed<Rest<Net>>,
}

opens!(ToNet: Given<Net> = |job| Given(Handed::new(job.net.take())), Rest<Net> = |job| job.api.take());

#[job(source = Given<Net>, target = Noting, max_deletes = "100%")]
struct ToNoting {
    net: Handed<Net>,
    api: Handed<Noting>,
}

opens!(ToNoting: Given<Net> = |job| Given(Handed::new(job.net.take())), Noting = |job| job.api.take());

fn hasty(options: RunOptions) -> RunOptions {
    let mut options = options.apply();
    options.retry.first_pause = Duration::from_millis(2);
    options
}

/// Writes a net to an API of a dialect.
pub(super) async fn run(net: Net, wire: &Wire, dialect: Dialect) -> RunReport {
    let job = ToNet { net: Handed::new(net), api: Handed::new(Rest::new(wire.client(), dialect)) };
    Run::execute(Arc::new(job), hasty(RunOptions::new(&ToNet::INFO)), Vec::new()).await
}

/// The same while somebody watches.
pub(super) async fn watched(net: Net, wire: &Wire, dialect: Dialect, watch: Arc<dyn Observer>) -> RunReport {
    let job = ToNet { net: Handed::new(net), api: Handed::new(Rest::new(wire.client(), dialect)) };
    Run::execute(Arc::new(job), hasty(RunOptions::new(&ToNet::INFO)), vec![watch]).await
}

/// The same, with the target's result for each host to be created.
pub(super) async fn noted(net: Net, wire: &Wire, dialect: Dialect) -> (RunReport, Vec<Result<Host, TargetError>>) {
    let (target, notes) = Noting::new(Rest::new(wire.client(), dialect));
    let job = ToNoting { net: Handed::new(net), api: Handed::new(target) };
    let report = Run::execute(Arc::new(job), hasty(RunOptions::new(&ToNoting::INFO)), Vec::new()).await;
    let notes = std::mem::take(&mut *notes.lock().unwrap());
    (report, notes)
}

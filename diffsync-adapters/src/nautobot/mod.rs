//! Nautobot.
//!
//! [`Nautobot`] is an adapter and a target for every data set all of whose models have
//! [`RestModel`](crate::RestModel): for [`Inventory`], which is ready, and for your own.
//!
//! ```no_run
//! use diffsync_adapters::nautobot::{Inventory, Nautobot};
//! use diffsync_core::value::{Secret, Url};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = Url::parse("https://nautobot.example")?;
//! let nautobot: Nautobot<Inventory> = Nautobot::open(&url, &Secret::new("0123…".to_owned()))?;
//! # Ok(())
//! # }
//! ```

mod attributes;
mod cascade;
mod check;
mod choices;
mod conflict;
mod content_type;
mod custom_fields;
mod defaults;
mod entries;
mod graphql;
mod identity;
mod inventory;
mod location_path;
mod owner;
mod page;
mod target;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use diffsync_core::Adapter;
use diffsync_core::adapter::{AdapterError, CompleteContext, HealthCheck, LoadContext};
use diffsync_core::data::Side;
use diffsync_core::value::{Secret, Url};
use serde_json::Value;

pub use self::custom_fields::CustomFields;
use self::defaults::Defaults;
use self::entries::ModelEntry;
pub use self::entries::{ModelEntries, NautobotData};
use self::graphql::GraphQl;
pub use self::inventory::*;
pub use self::location_path::{EmptyLocationPath, LocationPath};
pub use self::owner::{OwnedSource, Owner};
use crate::rest::{BuildError, Bulk, Client, ClientBuilder, CollectionFormat, Dialect, PagedSource, Pagination, Rest};

/// How many records are written with one request. More gain nothing, and the answer takes longer to come: a server
/// writes some twenty a second.
const BATCH: usize = 50;

/// How many requests are made at the same time. A server has a handful of processes to answer them.
const CONCURRENCY: usize = 4;

/// How many bytes a list may have. A server takes 2.5 MiB, and answers 500 to more.
const LONGEST_LIST: usize = 2_500_000;

/// How long an answer may take. A run waits for a write no longer than five minutes, unless it is told to.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long an answer may take that is only read. While its database restarts,
/// a Nautobot drops requests in flight but serves later ones, so a read is retried rather than waited for.
const READING_PATIENCE: Duration = Duration::from_mins(2);

/// A Nautobot of version 3.2 that keeps the records of a data set.
///
/// It is read through GraphQL where the server has it, else through REST, and written through REST, many records with one
/// request.
pub struct Nautobot<D: 'static> {
    rest: Rest<D>,
    url: Url,
    entries: Vec<ModelEntry<D>>,
    owner: Option<Owner>,
    /// The collections whose records may go along with others that are deleted.
    may_go: BTreeSet<String>,
    /// The custom fields that must be filled.
    required: Mutex<BTreeSet<String>>,
    defaults: Defaults,
}

impl<D> fmt::Debug for Nautobot<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nautobot").field("rest", &self.rest).finish_non_exhaustive()
    }
}

impl<D: NautobotData> Nautobot<D> {
    /// The Nautobot at this address, where its pages are, with a token of one of its users.
    pub fn open(url: &Url, token: &Secret<String>) -> Result<Self, BuildError> {
        Ok(Self::new(Self::client_builder(url, token).build()?))
    }

    /// What [`new`](Self::new) makes its client of, to change it: certificates, time limits, a pace. A request that reads
    /// may take two minutes, one that writes ten.
    pub fn client_builder(url: &Url, token: &Secret<String>) -> ClientBuilder {
        let mut api = url.clone();
        api.set_path(&format!("{}/api/", url.path().trim_end_matches('/')));
        Client::builder(api)
            .token_auth(token)
            .header("Accept", "application/json")
            .trailing_slash(true)
            .concurrency(CONCURRENCY)
            // A busy server may take minutes to write a list of records, and says nothing meanwhile.
            .read_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .read_only_timeout(Some(READING_PATIENCE))
    }

    /// The Nautobot that a client made by [`client_builder`](Self::client_builder) speaks to.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let mut dialect = Dialect::default();
        let pagination = Pagination::Offset { offset: "offset".to_owned(), limit: "limit".to_owned(), size: 1000 };
        dialect.collection_format =
            CollectionFormat { pagination, rows: "/results".to_owned(), total: Some("/count".to_owned()) };
        dialect.query = [("depth", "0"), ("exclude_m2m", "false"), ("sort", "id")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        dialect.bulk = Bulk::all(BATCH);

        // It deletes what the token's permissions with constraints allow, and says nothing of the rest.
        dialect.confirm_deletes = true;
        dialect.concurrency = CONCURRENCY;
        dialect.max_bulk_bytes = Some(LONGEST_LIST);
        dialect.supports_field_filters = true;

        // It echoes a hardware address as it was sent, and stores `AA:BB:CC:00:0D:0E`.
        dialect.reread_after_write = |_, part| part == "mac_address";
        dialect.is_protected =
            |path, row| path == "ipam/namespaces" && row.get("name").is_some_and(|name| name == "Global");
        let mut url = client.base_url().clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("api").to_owned();
        url.set_path(&path);

        let rest = Rest::new(client, dialect).row_source(GraphQl::default());
        Self {
            rest,
            url,
            entries: ModelEntries::of_data(),
            owner: None,
            may_go: BTreeSet::new(),
            required: Mutex::default(),
            defaults: Defaults::default(),
        }
    }

    /// Reads through REST only.
    #[must_use]
    pub fn rest_only(mut self) -> Self {
        self.rest = self.rest.row_source(PagedSource);
        self
    }

    /// Leaves out records without a name, and says in the log how many: devices may have none, and interfaces of modules
    /// and of such devices have no device. Else one of them ends the load.
    #[must_use]
    pub fn skip_unnamed(mut self) -> Self {
        self.rest = self.rest.skip_unnamed();
        self
    }

    /// Lets records of this collection go along with others that are deleted, or their links be emptied, though the plan does
    /// not hold that: `ipam/ip-address-to-interface` for the addresses of an interface. The log names each of them. Else a
    /// record is not deleted that would take such along.
    #[must_use]
    pub fn allow_cascade(mut self, path: impl Into<String>) -> Self {
        self.may_go.insert(path.into());
        self
    }

    /// Stamps all records that are written, and deletes none that is not stamped. See [`Owner`].
    #[must_use]
    pub fn owner(mut self, owner: &Owner) -> Self {
        self.rest = self.rest.owner(owner.stamp()).stamp_only(owner.carriers());
        self.owner = Some(owner.clone());
        self
    }

    /// Says before a run of which collections no record is deleted.
    fn check_deletes(&self, health: &mut HealthCheck) {
        let paths: BTreeSet<_> = self.entries.iter().map(|entry| entry.schema.path).collect();
        for path in paths.into_iter().filter(|path| !cascade::is_known(path) && !self.may_go.contains(*path)) {
            health.passed("deletes", format!("no record of `{path}` is deleted: {}", cascade::why_unknown(path)));
        }
    }
}

impl<D: NautobotData> Adapter for Nautobot<D> {
    type Data = D;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.defaults.forget();
        Box::pin(self.rest.load(data, cx)).await?;
        let required = defaults::required(&self.rest.context, &self.entries).await?;
        if !required.is_empty() {
            // Records from before the custom field hold nothing, which cannot be written.
            let is_unset = |key: &str, value: &Value| value.is_null() && required.contains(key);
            self.entries.iter().try_for_each(|entry| (entry.without)(data, &is_unset))?;
        }

        *self.required.lock().unwrap_or_else(PoisonError::into_inner) = required;
        self.owner.as_ref().map_or(Ok(()), |owner| owner.take_stamp(data, &self.entries))
    }

    async fn sync_complete(&self, _: &CompleteContext<'_, D>) -> Result<(), AdapterError> {
        self.defaults.set(self.rest.client()).await
    }

    async fn check(&self, health: &mut HealthCheck) {
        self.rest.check(health).await;
        if health.is_healthy() {
            check::check(self.rest.client(), self.entries.iter().map(|entry| entry.schema.path), health).await;
            if health.side() == Side::Target {
                self.check_deletes(health);
            }
        }
    }

    fn resource(&self) -> Option<String> {
        self.rest.resource()
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        let entry = self.entries.iter().find(|entry| entry.model == model)?;
        page::of(&self.url, entry.schema, entry.identifiers, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::RetryPolicy;

    #[test]
    fn a_read_that_hangs_leaves_time_to_be_made_again() {
        assert!(2 * READING_PATIENCE < RetryPolicy::default().max_elapsed);
    }
}

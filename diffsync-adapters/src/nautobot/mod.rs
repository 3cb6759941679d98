//! Nautobot.
//!
//! [`Nautobot`] is an adapter and a target for every data set all of whose models have
//! [`RestModel`](crate::RestModel): for [`Inventory`], which is ready, and for your own.
//!
//! ```no_run
//! use diffsync_adapters::nautobot::{Inventory, Nautobot};
//! use diffsync_core::{Secret, Url};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = Url::parse("https://nautobot.example")?;
//! let nautobot: Nautobot<Inventory> = Nautobot::new(&url, &Secret::new("0123…".to_owned()))?;
//! # Ok(())
//! # }
//! ```

mod addresses;
mod check;
mod choices;
mod custom_fields;
mod graphql;
mod inventory;
mod location_path;
mod owner;
mod page;
mod target;

use std::fmt;

use diffsync_core::schema::FieldSchema;
use diffsync_core::{
    Adapter, AdapterError, Checkup, Dataset, Flags, HasTable, LoadContext, Secret, Side, Url, Visit, VisitedBy,
};

pub use self::custom_fields::CustomFields;
pub use self::inventory::*;
pub use self::location_path::{LocationPath, NoName};
pub use self::owner::{Owned, Owner};
use self::graphql::GraphQl;
use crate::rest::{
    Bulk, Client, ClientBuilder, Dialect, Models, Pages, Paging, Rest, RestModel, RestSchema, SettingError,
};

/// How many records are written with one request. More gain nothing, and the answer takes longer to come: a server
/// writes some twenty a second.
const BATCH: usize = 50;

/// How many requests are made at the same time. A server has a handful of processes to answer them.
const CONCURRENCY: usize = 4;

/// A Nautobot of version 2 or 3 that keeps the records of a data set.
///
/// It is read through GraphQL where the server has it, else through REST, and written through REST, many records with one
/// request.
pub struct Nautobot<D> {
    rest: Rest<D>,
    url: Url,
    owner: Option<Owner>,
    tables: Vec<TableOf<D>>,
}

/// The models of a data set, gathered by `#[derive(Dataset)]`.
#[derive(Debug)]
pub struct Tables<D>(Vec<TableOf<D>>);

/// One model of the data set, whose type is not known.
struct TableOf<D> {
    model: &'static str,
    schema: &'static RestSchema,
    identifiers: &'static [FieldSchema],
    set_flags: fn(&mut D, Flags),
    protect: fn(&mut D, &str),
}

impl<D> fmt::Debug for TableOf<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model)
    }
}

impl<D: HasTable<M>, M: RestModel> Visit<D, M> for Tables<D> {
    fn visit(&mut self) {
        self.0.push(TableOf {
            model: M::NAME,
            schema: M::REST,
            identifiers: M::SCHEMA.identifiers,
            set_flags: |data, flags| data.table_mut().set_flags(flags),
            protect: |data, name| {
                let is_it = |record: &&M| record.identifier(0).is_ok_and(|value| value == name);
                let found = data.table().iter().find(is_it).map(M::id);
                if let Some(id) = found {
                    data.table_mut().flag(id, Flags::SKIP_UNMATCHED_DST);
                }
            },
        });
    }
}

impl<D> fmt::Debug for Nautobot<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nautobot").field("rest", &self.rest).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl<D: Dataset + VisitedBy<Models<D>> + VisitedBy<Tables<D>>> Nautobot<D> {
    /// The Nautobot at this address, where its pages are, with a token of one of its users.
    pub fn new(url: &Url, token: &Secret<String>) -> Result<Self, SettingError> {
        Ok(Self::through(Self::client(url, token).build()?))
    }

    /// What [`new`](Self::new) makes its client of, to change it: certificates, time limits, a pace.
    pub fn client(url: &Url, token: &Secret<String>) -> ClientBuilder {
        let mut api = url.clone();
        api.set_path(&format!("{}/api/", url.path().trim_end_matches('/')));
        Client::builder(api)
            .token(token)
            .header("Accept", "application/json")
            .trailing_slash(true)
            .concurrency(CONCURRENCY)
    }

    /// The Nautobot that a client made by [`client`](Self::client) speaks to.
    #[must_use]
    pub fn through(client: Client) -> Self {
        let mut dialect = Dialect::default();
        let pages = Pages::Offset { offset: "offset".to_owned(), limit: "limit".to_owned(), size: 1000 };
        dialect.paging = Paging { pages, rows: "/results".to_owned(), total: Some("/count".to_owned()) };
        dialect.query = [("depth", "0"), ("exclude_m2m", "false"), ("sort", "id")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        dialect.bulk = Bulk::all(BATCH);
        dialect.concurrency = CONCURRENCY;
        let mut url = client.base().clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("api").to_owned();
        url.set_path(&path);
        let mut tables = Tables(Vec::new());
        D::visit_each(&mut tables);
        let rest = Rest::new(client, dialect).rows_from(GraphQl::default());
        Self { rest, url, owner: None, tables: tables.0 }
    }

    /// Reads through REST only.
    #[must_use]
    pub fn without_graphql(mut self) -> Self {
        self.rest = self.rest.rows_from(addresses::RestOnly);
        self
    }

    /// Stamps all records that are written, and deletes none that is not stamped. See [`Owner`].
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.rest = self.rest.owner(owner.stamp()).stamping(owner.carriers());
        self.owner = Some(owner);
        self
    }
}

impl<D: Dataset + VisitedBy<Models<D>> + VisitedBy<Tables<D>>> Adapter for Nautobot<D> {
    type Data = D;

    async fn load(&self, data: &mut D, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        self.rest.load(data, cx).await?;
        if cx.side() == Side::Target {
            for table in &self.tables {
                if table.schema.path == "ipam/namespaces" {
                    (table.protect)(data, "Global");
                }
                // What cannot be stamped is nobody's, and stays.
                if self.owner.as_ref().is_some_and(|owner| !(owner.carriers())(table.schema)) {
                    (table.set_flags)(data, Flags::SKIP_UNMATCHED_DST);
                }
            }
        }
        Ok(())
    }

    async fn check(&self, checkup: &mut Checkup) {
        self.rest.check(checkup).await;
        if checkup.is_healthy() {
            check::check(self.rest.client(), self.tables.iter().map(|table| table.schema.path), checkup).await;
        }
    }

    fn record_url(&self, model: &str, id: &str) -> Option<Url> {
        let table = self.tables.iter().find(|table| table.model == model)?;
        page::of(&self.url, table.schema, table.identifiers, id)
    }
}

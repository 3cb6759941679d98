//! A target that is an API.

use diffsync::prelude::*;
use diffsync::rest::{Client, Dialect, Rest, RestModel};

use crate::given::{Given, items};

/// An item.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "items")]
pub(crate) struct Item {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) number: i64,
    #[sync(local)]
    #[rest(key)]
    pub(crate) id: Option<u64>,
}

impl Item {
    fn new(name: String, value: String, number: i64) -> Self {
        Self { name, value, number, id: None }
    }
}

items!();

/// Writes items to an API.
#[job(source = Given<Stock>, target = Rest<Stock>, kind = data_target, target_label = "API")]
struct PushRest {
    groups: String,
    #[var(default = 200)]
    size: u32,
    api: Url,
}

impl Job for PushRest {
    async fn source_adapter(&self, _: &JobContext) -> Result<Given<Stock>, JobError> {
        Ok(Given::new(&self.groups, self.size))
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Rest<Stock>, JobError> {
        Ok(Rest::new(Client::builder(self.api.clone()).build()?, Dialect::default()))
    }
}

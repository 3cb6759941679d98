//! A Nautobot into the inventory, the inventory into a Nautobot, and one Nautobot into another, with the models that the
//! adapter provides.

use diffsync::nautobot::{Inventory, Nautobot};
use diffsync::prelude::*;
use diffsync::sql::Sql;

/// Copies the locations, devices and addresses of a Nautobot into the inventory.
#[job(
    source = Nautobot<Inventory>,
    target = Sql<Inventory>,
    name = "Nautobot to inventory",
    source_label = "Nautobot",
    target_label = "Inventory",
)]
struct NautobotToInventory {
    /// Where the Nautobot is.
    #[var(env = "NAUTOBOT_URL")]
    nautobot: Url,
    /// The token of one of its users.
    #[var(env = "NAUTOBOT_TOKEN")]
    token: Secret<String>,
    /// Where the inventory is. Missing tables are created.
    #[var(default = "sqlite://nautobot.db", env = "INVENTORY_URL")]
    inventory: Url,
}

impl Job for NautobotToInventory {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nautobot<Inventory>, JobError> {
        Ok(Nautobot::open(&self.nautobot, &self.token)?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Sql<Inventory>, JobError> {
        Ok(Sql::open(&self.inventory)?.create_tables())
    }
}

/// Writes the inventory into a Nautobot.
#[job(
    source = Sql<Inventory>,
    target = Nautobot<Inventory>,
    name = "Inventory to Nautobot",
    kind = data_target,
    source_label = "Inventory",
    target_label = "Nautobot",
)]
struct InventoryToNautobot {
    /// Where the inventory is.
    #[var(default = "sqlite://nautobot.db", env = "INVENTORY_URL")]
    inventory: Url,
    /// Where the Nautobot is.
    #[var(env = "TARGET_NAUTOBOT_URL")]
    nautobot: Url,
    /// The token of one of its users, who may write.
    #[var(env = "TARGET_NAUTOBOT_TOKEN")]
    token: Secret<String>,
}

impl Job for InventoryToNautobot {
    async fn source_adapter(&self, _: &JobContext) -> Result<Sql<Inventory>, JobError> {
        Ok(Sql::open(&self.inventory)?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Nautobot<Inventory>, JobError> {
        Ok(Nautobot::open(&self.nautobot, &self.token)?)
    }
}

/// Brings one Nautobot in line with another.
#[job(
    source = Nautobot<Inventory>,
    target = Nautobot<Inventory>,
    name = "Nautobot to Nautobot",
    kind = data_target,
    source_label = "Nautobot",
    target_label = "The other Nautobot",
)]
struct NautobotToNautobot {
    /// Where the Nautobot is.
    #[var(env = "NAUTOBOT_URL")]
    nautobot: Url,
    /// The token of one of its users.
    #[var(env = "NAUTOBOT_TOKEN")]
    token: Secret<String>,
    /// Where the other Nautobot is.
    #[var(env = "TARGET_NAUTOBOT_URL")]
    other: Url,
    /// The token of one of its users, who may write.
    #[var(env = "TARGET_NAUTOBOT_TOKEN")]
    other_token: Secret<String>,
}

impl Job for NautobotToNautobot {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nautobot<Inventory>, JobError> {
        Ok(Nautobot::open(&self.nautobot, &self.token)?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Nautobot<Inventory>, JobError> {
        Ok(Nautobot::open(&self.other, &self.other_token)?)
    }
}

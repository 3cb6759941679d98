//! The tags in the inventory.

use diffsync_core::{Adapter, AdapterError, LoadContext, SyncModel, Target, TargetError, WriteContext};

use super::{DeviceTag, DeviceTagPatch, DeviceTags, TagInventory};

impl Adapter for TagInventory {
    type Data = DeviceTags;

    async fn load(&self, data: &mut DeviceTags, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        data.tags.mark_loaded();
        let Some(pool) = self.0.to_read(&["device_tags"]).await? else { return Ok(()) };
        let tags: Vec<(String, String, String)> =
            sqlx::query_as("SELECT device, tag, note FROM device_tags ORDER BY device, tag").fetch_all(pool).await?;
        data.tags.extend(tags.into_iter().map(|(device, tag, note)| DeviceTag { device, tag, note }));
        Ok(())
    }
}

impl Target<DeviceTag> for TagInventory {
    async fn create(&self, new: &DeviceTag, _: &WriteContext<'_, DeviceTags>) -> Result<DeviceTag, TargetError> {
        sqlx::query("INSERT INTO device_tags (device, tag, note) VALUES (?, ?, ?)")
            .bind(&new.device)
            .bind(&new.tag)
            .bind(&new.note)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(new.clone())
    }

    async fn update(
        &self,
        old: &DeviceTag,
        patch: &DeviceTagPatch,
        _: &WriteContext<'_, DeviceTags>,
    ) -> Result<DeviceTag, TargetError> {
        sqlx::query("UPDATE device_tags SET note = coalesce(?, note) WHERE device = ? AND tag = ?")
            .bind(&patch.note)
            .bind(&old.device)
            .bind(&old.tag)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(old.patched(patch))
    }

    async fn delete(&self, old: &DeviceTag, _: &WriteContext<'_, DeviceTags>) -> Result<(), TargetError> {
        sqlx::query("DELETE FROM device_tags WHERE device = ? AND tag = ?")
            .bind(&old.device)
            .bind(&old.tag)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(())
    }
}

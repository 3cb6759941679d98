//! The regions and countries of the inventory.

use diffsync_core::{Adapter, AdapterError, LoadContext, SyncModel, Target, TargetError, WriteContext};

use super::{Country, CountryInventory, CountryPatch, Region, RegionPatch, World};

impl Adapter for CountryInventory {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        world.regions.mark_loaded();
        world.countries.mark_loaded();
        let Some(pool) = self.0.to_read(&["regions", "countries"]).await? else { return Ok(()) };
        let regions: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, slug, name FROM regions ORDER BY slug").fetch_all(pool).await?;
        world.regions.extend(regions.into_iter().map(|(id, slug, name)| Region { slug, name, inventory_id: Some(id) }));
        let countries: Vec<(i64, String, String, String, String, i64, i64)> = sqlx::query_as(
            "SELECT c.id, c.slug, r.slug, c.name, c.subregion, c.population, c.area
             FROM countries c JOIN regions r ON r.id = c.region_id ORDER BY c.slug",
        )
        .fetch_all(pool)
        .await?;
        world.countries.extend(countries.into_iter().map(|(id, slug, region, name, subregion, population, area)| {
            Country { slug, region, name, subregion, population, area, inventory_id: Some(id) }
        }));
        Ok(())
    }
}

impl Target<Region> for CountryInventory {
    async fn create(&self, new: &Region, _: &WriteContext<'_, World>) -> Result<Region, TargetError> {
        let id = sqlx::query_scalar("INSERT INTO regions (slug, name) VALUES (?, ?) RETURNING id")
            .bind(&new.slug)
            .bind(&new.name)
            .fetch_one(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(Region { inventory_id: Some(id), ..new.clone() })
    }

    async fn update(
        &self,
        old: &Region,
        patch: &RegionPatch,
        _: &WriteContext<'_, World>,
    ) -> Result<Region, TargetError> {
        sqlx::query("UPDATE regions SET name = coalesce(?, name) WHERE id = ?")
            .bind(&patch.name)
            .bind(old.inventory_id)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(old.patched(patch))
    }

    async fn delete(&self, old: &Region, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        sqlx::query("DELETE FROM regions WHERE id = ?")
            .bind(old.inventory_id)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(())
    }
}

impl Target<Country> for CountryInventory {
    async fn create(&self, new: &Country, cx: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        let region = cx.current::<Region>(&new.region)?;
        let id = sqlx::query_scalar(
            "INSERT INTO countries (slug, region_id, name, subregion, population, area)
             VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(&new.slug)
        .bind(region.inventory_id)
        .bind(&new.name)
        .bind(&new.subregion)
        .bind(new.population)
        .bind(new.area)
        .fetch_one(self.0.to_write().await?)
        .await
        .map_err(|error| self.0.refused(error))?;
        Ok(Country { inventory_id: Some(id), ..new.clone() })
    }

    async fn update(
        &self,
        old: &Country,
        patch: &CountryPatch,
        cx: &WriteContext<'_, World>,
    ) -> Result<Country, TargetError> {
        let region = match &patch.region {
            Some(region) => cx.current::<Region>(region)?.inventory_id,
            None => None,
        };
        sqlx::query(
            "UPDATE countries SET
                 region_id = coalesce(?, region_id), name = coalesce(?, name), subregion = coalesce(?, subregion),
                 population = coalesce(?, population), area = coalesce(?, area)
             WHERE id = ?",
        )
        .bind(region)
        .bind(&patch.name)
        .bind(&patch.subregion)
        .bind(patch.population)
        .bind(patch.area)
        .bind(old.inventory_id)
        .execute(self.0.to_write().await?)
        .await
        .map_err(|error| self.0.refused(error))?;
        Ok(old.patched(patch))
    }

    async fn delete(&self, old: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        sqlx::query("DELETE FROM countries WHERE id = ?")
            .bind(old.inventory_id)
            .execute(self.0.to_write().await?)
            .await
            .map_err(|error| self.0.refused(error))?;
        Ok(())
    }
}

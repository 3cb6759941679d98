//! The published list: a JSON file with a row for each country.

use std::fs;
use std::path::PathBuf;

use diffsync::adapter::HealthCheck;
use diffsync::prelude::*;
use serde::Deserialize;

use super::{Country, CountryId, Region, World};
use crate::look;

/// The file.
pub(crate) struct CountriesFile {
    pub(crate) path: PathBuf,
}

/// A row of the file.
#[derive(Deserialize)]
struct Row {
    country: String,
    /// Thousands of people, as decimal text.
    pop2021: String,
    /// Square kilometres.
    area: i64,
    region: String,
    subregion: String,
}

impl Adapter for CountriesFile {
    type Data = World;

    async fn load(&self, world: &mut World, cx: &LoadContext<'_>) -> Result<(), AdapterError> {
        let path = self.path.display();
        let text = fs::read_to_string(&self.path)
            .map_err(|error| AdapterError::context(format!("cannot read `{path}`"), error))?;
        let rows: Vec<Row> = serde_json::from_str(&text)
            .map_err(|error| AdapterError::context(format!("`{path}` is not a list of countries"), error))?;

        for row in &rows {
            let region = slug(&row.region);
            if !region.is_empty() {
                world.regions.insert_if_absent(Region { slug: region.clone(), name: row.region.clone(), id: None });
            }
            if slug(&row.country).is_empty() {
                world.countries.reject(CountryId::new(""), format!("a row is named {:?}", row.country));
                continue;
            }
            let Some(population) = people(&row.pop2021) else {
                let reason = format!("`pop2021` is {:?}, which is not a number of thousands", row.pop2021);
                world.countries.reject(CountryId::new(slug(&row.country)), reason);
                continue;
            };
            world.countries.insert(Country {
                slug: slug(&row.country),
                region,
                name: row.country.clone(),
                subregion: row.subregion.clone(),
                population,
                area: row.area,
                id: None,
            });
        }

        // An empty list must not empty the inventory: without a row the tables are not marked as loaded, and the run is refused.
        cx.progress(rows.len() as u64, None);
        Ok(())
    }

    async fn check(&self, health: &mut HealthCheck) {
        look::at_file(&self.path, health);
    }
}

/// `"0.8000"` thousand people are 800.
fn people(thousands: &str) -> Option<i64> {
    let thousands: f64 = thousands.trim().parse().ok()?;
    let people = (thousands * 1000.0).round();
    #[allow(clippy::cast_possible_truncation, reason = "checked to be in range, and rounded")]
    (0.0..1e12).contains(&people).then_some(people as i64)
}

/// A name in lower case, its words joined with hyphens.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug("Saint Vincent and the Grenadines"), "saint-vincent-and-the-grenadines");
        assert_eq!(slug("Côte d'Ivoire"), "côte-d-ivoire");
        assert_eq!(slug(" - "), "");
    }

    #[test]
    fn thousands_become_people() {
        assert_eq!(people("0.8000"), Some(800));
        assert_eq!(people("1444216.1070"), Some(1_444_216_107));
        assert_eq!(people("many"), None);
        assert_eq!(people("NaN"), None);
        assert_eq!(people("-1"), None);
    }
}

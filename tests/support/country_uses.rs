// What a program does with a model `Country`: none of it may add an error to those of the model.
//
// Included by the cases, so that it uses their `Country`.

#[derive(Dataset, Default)]
struct World {
    countries: Table<Country>,
}

struct File;

impl Adapter for File {
    type Data = World;

    async fn load(&self, world: &mut World, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        world.countries.mark_loaded();
        world.countries.reject(CountryId::new("atlantis"), "it has sunk");
        Ok(())
    }
}

impl Target<Country> for File {
    async fn create(&self, new: &Country, cx: &WriteContext<'_, World>) -> Result<Country, TargetError> {
        let id: CountryId = new.id();
        cx.current::<Country>("france")?;
        Err(TargetError::new(id.to_string()))
    }

    async fn update(
        &self,
        _: &Country,
        patch: &CountryPatch,
        _: &WriteContext<'_, World>,
    ) -> Result<Country, TargetError> {
        let name: Option<&String> = patch.name.as_ref();
        Err(TargetError::new(format!("{name:?} {patch:?}")))
    }

    async fn delete(&self, old: &Country, _: &WriteContext<'_, World>) -> Result<(), TargetError> {
        println!("{}", old.id());
        Ok(())
    }
}

#[job(source = File, target = File)]
struct Countries;

impl Job for Countries {
    async fn source_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<File, JobError> {
        Ok(File)
    }
}

fn renamed(to: &str) -> CountryPatch {
    CountryPatch { name: Some(to.to_owned()), ..CountryPatch::default() }
}

fn main() {
    let mut table = Table::<Country>::default();
    let id = CountryId { slug: "france".to_owned() };
    table.modify(&id, |country| diffsync::model::SyncModel::apply(country, &renamed("France")));
    println!("{} {}", Country::NAME, table.get("france").is_some());
}

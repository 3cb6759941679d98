//! Choices are asked from an async function that is handed the other variables' values.

use diffsync::job::VariableValues;
use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(choices = not_async)]
    site: String,
    #[var(choices = of_nothing)]
    rack: String,
    #[var(choices = of_numbers)]
    row: u16,
}

fn not_async(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(Vec::new())
}

async fn of_nothing() -> Result<Vec<String>, JobError> {
    Ok(Vec::new())
}

async fn of_numbers(_: &VariableValues) -> Result<Vec<u16>, JobError> {
    Ok(Vec::new())
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}

//! Choices are asked from a function, and not for secrets.

use diffsync::job::VariableValues;
use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(choices = "sites")]
    site: String,
    #[var(choices)]
    rack: String,
    #[var(choices = sites)]
    token: Secret<String>,
}

async fn sites(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(Vec::new())
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}

//! A choice with mistakes is as many errors, whatever uses it.

use diffsync::job::Variable;
use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[derive(Choice, Debug)]
enum Mode {
    Fast,
    #[choice(renamed = "safe")]
    Careful(u64),
}

#[derive(Choice, Debug)]
struct Scope {
    all: bool,
}

#[job(source = File, target = File)]
struct Regions {
    #[var(default = "fast")]
    mode: Mode,
    scope: Option<Scope>,
}

fn shown(regions: &Regions) -> String {
    let scope = regions.scope.as_ref().map(Variable::show);
    format!("{} {:?} {scope:?}", regions.mode.show(), regions.mode)
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}

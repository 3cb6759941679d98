//! The default of a variable is a value of its type.

use diffsync::adapter::Url;
use diffsync::prelude::*;
use diffsync_tests::regions::File;

#[job(source = File, target = File)]
struct Regions {
    #[var(default = "many")]
    number: u16,
    #[var(default = 70000)]
    small: u16,
    #[var(default = "1,5")]
    ratio: f64,
    #[var(default = "maybe")]
    flag: bool,
    #[var(default = "example.net")]
    url: Url,
    #[var(default = "europe")]
    json: serde_json::Value,
    #[var(default = -1)]
    list: Vec<u32>,
    #[var(default = "-1.5e3")]
    right: Option<f64>,
}

diffsync_tests::opens!(Regions: File, File);

fn main() {}

//! A comparison is one of those that there are.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(compare = unorderd)]
    a: Vec<String>,
    #[sync(compare = "unordered")]
    b: Vec<String>,
    #[sync(compare)]
    c: Vec<String>,
    #[sync(compare = fuzzy)]
    d: String,
    #[sync(compare = unordered())]
    e: Vec<String>,
    #[sync(compare = tolerance)]
    f: f64,
    #[sync(compare = tolerance(-0.5))]
    g: f64,
    #[sync(compare = tolerance("0.5"))]
    h: f64,
    #[sync(compare = tolerance(1e999))]
    i: f64,
    #[sync(compare = with)]
    j: f64,
    #[sync(compare = with("same"))]
    k: f64,
    #[sync(compare = with(|left, right| left == right))]
    l: f64,
    #[sync(compare(unordered))]
    m: Vec<String>,
}

fn main() {}

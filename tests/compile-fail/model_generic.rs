//! A model is not generic.

use diffsync::SyncModel;

#[derive(SyncModel)]
struct Tagged<T> {
    #[sync(id)]
    slug: String,
    value: T,
}

#[derive(SyncModel)]
struct Sized<const N: usize> {
    #[sync(id)]
    slug: [u8; N],
}

fn main() {}

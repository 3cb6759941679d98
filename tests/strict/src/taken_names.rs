//! Models whose names generated code could use for something else.

use diffsync_core::{Dataset, SyncModel, Table};

/// As a generic parameter is called.
#[derive(SyncModel, Debug)]
pub struct D {
    #[sync(id)]
    value: u8,
}

/// As a generic parameter is called.
#[derive(SyncModel, Debug)]
pub struct T {
    #[sync(id, parent = D)]
    key: u8,
    record: u8,
    mark: u8,
    target: u8,
    patch: u8,
    position: u8,
    changed: u8,
}

/// As a generic parameter is called.
#[derive(SyncModel, Debug)]
#[sync(parent(T, key = f))]
pub struct V {
    #[sync(id)]
    text: String,
    #[sync(id)]
    f: u8,
    serializer: u8,
    changes: String,
    new: u8,
    is_empty: u8,
}

/// As a generic parameter is called.
#[derive(SyncModel, Debug)]
pub struct S {
    #[sync(id)]
    parts: String,
    #[sync(id)]
    deserializer: String,
    #[sync(parent = V)]
    link: VId,
}

/// The same for a data set.
#[derive(Dataset, Debug, Default)]
pub struct M {
    visitor: Table<D>,
    table: Table<T>,
    table_mut: Table<V>,
    s: Table<S>,
}

/// How many records it holds.
#[must_use]
pub fn records(all: &M) -> usize {
    let M { visitor, table, table_mut, s } = all;
    visitor.len() + table.len() + table_mut.len() + s.len()
}

/// What these names are in a program, lest they are what generated code takes them for.
#[allow(dead_code, non_camel_case_types, reason = "only their names matter")]
mod shadows {
    struct Option;
    struct Result;
    struct Some;
    trait Clone {}
    trait Into {}
    mod core {}
    mod std {}

    #[derive(diffsync_core::SyncModel)]
    struct Model {
        #[sync(id)]
        id: u8,
        name: String,
    }
}

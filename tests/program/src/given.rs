//! The source of the jobs: records that the command line names.

use std::marker::PhantomData;

use diffsync::prelude::*;

/// A data set of items.
pub(crate) trait Items: Dataset {
    fn hold(&mut self, name: String, value: String, number: i64);
}

/// A source that holds groups of items.
///
/// The group `red` is items called `red-0`, `red-1` and so on, whose value is `red`. The items of `shared=red` are called
/// `shared-0`, `shared-1` and so on, and have the value `red` as well.
pub(crate) struct Given<D> {
    groups: String,
    size: u32,
    data: PhantomData<fn() -> D>,
}

impl<D> Given<D> {
    pub(crate) fn new(groups: &str, size: u32) -> Self {
        Self { groups: groups.to_owned(), size, data: PhantomData }
    }
}

impl<D: Items> Adapter for Given<D> {
    type Data = D;

    async fn load(&self, data: &mut D, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        for group in self.groups.split(',') {
            let (name, value) = group.split_once('=').unwrap_or((group, group));
            for number in 0..self.size {
                data.hold(format!("{name}-{number}"), value.to_owned(), number.into());
            }
        }
        Ok(())
    }
}

/// The data set of a model of items, and what fills it.
macro_rules! items {
    () => {
        /// The items.
        #[derive(Dataset, Default)]
        pub(crate) struct Stock {
            pub(crate) items: Table<Item>,
        }

        impl $crate::given::Items for Stock {
            fn hold(&mut self, name: String, value: String, number: i64) {
                self.items.insert(Item::new(name, value, number));
            }
        }
    };
}

pub(crate) use items;

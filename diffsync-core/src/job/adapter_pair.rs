//! The check that both adapters of a job load the same data set.

use std::marker::PhantomData;

use crate::adapter::Adapter;

/// The types of a job's source and target.
///
/// If both are adapters, its own function is found first; for all other types that of [`NoAdapters`].
#[derive(Debug)]
pub struct AdapterPair<S, T>(PhantomData<(S, T)>);

impl<S: Adapter, T: Adapter> AdapterPair<S, T> {
    /// Stops the build, with an explanation, if the two load different data sets. Called by `#[job]`.
    pub fn check_same_data()
    where
        S::Data: SameDataset<T::Data>,
    {
    }
}

/// Placeholder for types that are not adapters. The compiler has already reported them; this keeps it from reporting them a
/// second time.
pub trait NoAdapters {
    /// Checks nothing.
    fn check_same_data() {}
}

impl<S, T> NoAdapters for AdapterPair<S, T> {}

/// The equality of two data sets: each implements it for itself only.
#[diagnostic::on_unimplemented(
    message = "the source loads `{Self}` and the target `{T}`, but both adapters of a job load the same data set",
    label = "its `type Data` is not that of the target",
    note = "write one struct with `#[derive(Dataset)]` that holds what is compared, and make it the `type Data` of both adapters"
)]
pub trait SameDataset<T> {}
impl<D> SameDataset<D> for D {}

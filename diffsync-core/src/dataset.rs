//! Data sets: structs of tables, and how the core walks over tables whose models it does not know.

use std::marker::PhantomData;

use crate::model::SyncModel;
use crate::schema::{LinkSchema, ModelSchema};
use crate::table::Table;

/// All that one side holds: a struct of tables with `#[derive(Dataset)]`.
///
/// The derive checks at compile time that every parent has a table, that no model stands twice, and that no models are
/// each other's parents.
///
/// ```
/// use diffsync_core::{Dataset, SyncModel, Table};
///
/// #[derive(SyncModel)]
/// struct Region {
///     #[sync(id)]
///     slug: String,
/// }
///
/// #[derive(Dataset, Default)]
/// struct World {
///     regions: Table<Region>,
/// }
///
/// assert_eq!(World::schemas()[0].name, "region");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    label = "not a data set",
    note = "put `#[derive(Dataset, Default)]` on a struct whose fields are `Table<Model>`"
)]
pub trait Dataset: Default + Send + Sync + 'static {
    /// Calls the visitor once for each model, in the order of the fields.
    #[doc(hidden)]
    fn visit_models<V: ModelVisitor<Self>>(visitor: &mut V);

    /// The schemas of the data set's models, in the order of the fields.
    #[must_use]
    fn schemas() -> Vec<&'static ModelSchema> {
        struct Schemas(Vec<&'static ModelSchema>);
        impl<D> ModelVisitor<D> for Schemas {
            fn visit<M: LinksIn<D>>(&mut self)
            where
                D: HasTable<M>,
            {
                self.0.push(M::SCHEMA);
            }
        }
        let mut schemas = Schemas(Vec::new());
        Self::visit_models(&mut schemas);
        schemas.0
    }
}

/// A data set that has a table of `M`.
#[diagnostic::on_unimplemented(
    message = "the data set `{Self}` has no table for `{M}`",
    label = "`{Self}` needs a field of type `Table<{M}>`",
    note = "a model's parent must be in the same data set; to sync records without their parents, drop the `parent` link"
)]
pub trait HasTable<M: SyncModel> {
    /// The table of `M`.
    fn table(&self) -> &Table<M>;
    /// The table of `M`, to change it.
    fn table_mut(&mut self) -> &mut Table<M>;
}

/// A model all of whose links lead to tables of the data set `D`. Implemented by `#[derive(SyncModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "put `#[derive(SyncModel)]` on the struct and `#[sync(id)]` on the fields that identify a record"
)]
pub trait LinksIn<D>: SyncModel {
    /// Calls the visitor once for each link.
    #[doc(hidden)]
    fn visit_links<V: LinkVisitor<D, Self>>(visitor: &mut V);
}

/// Called with each model of a data set.
#[doc(hidden)]
pub trait ModelVisitor<D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>;
}

/// Called with each link of the model `M`.
#[doc(hidden)]
pub trait LinkVisitor<D, M: SyncModel> {
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>;
}

/// Reads from a record which record of `P` it names.
#[doc(hidden)]
pub type KeyOf<M, P> = for<'a> fn(&'a M) -> Option<<P as SyncModel>::Key<'a>>;

/// A model of the data set `D` at run time, as a value.
pub(crate) struct Model<M>(PhantomData<fn() -> M>);

impl<M> Model<M> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

/// Where one side's record stands: its model's position in the data set and its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) model: usize,
    pub(crate) row: u32,
}

/// The positions of a data set's models, parents before their children and else in the order of the fields.
pub(crate) fn parents_first(schemas: &[&'static ModelSchema]) -> Vec<usize> {
    let mut order = Vec::with_capacity(schemas.len());
    // The build refuses circles, so each round places at least one model.
    while order.len() < schemas.len() {
        let before = order.len();
        for (position, schema) in schemas.iter().enumerate() {
            let placed = |name: &str| order.iter().any(|&at: &usize| schemas[at].name == name);
            let ready = schema.links.iter().all(|link| link.model == schema.name || placed(link.model));
            if ready && !placed(schema.name) {
                order.push(position);
            }
        }
        if order.len() == before {
            break;
        }
    }
    order
}

//! Data sets: structs of tables, and how the core visits tables whose models it does not know.

use std::any::Any;
use std::marker::PhantomData;

use crate::data::table::Table;
use crate::model::SyncModel;
use crate::model::schema::{LinkSchema, ModelSchema};

/// All that one side holds: a struct of tables with `#[derive(Dataset)]`.
///
/// The derive checks at compile time that every parent has a table, that no model has two, and that no models are each
/// other's parents.
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
/// assert_eq!(World::SCHEMAS[0].name, "region");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data set",
    label = "not a data set",
    note = "put `#[derive(Dataset, Default)]` on a struct whose fields are `Table<Model>`"
)]
pub trait Dataset: Default + Send + Sync + 'static {
    /// The schemas of the data set's models, in the order of the fields.
    const SCHEMAS: &'static [&'static ModelSchema];

    /// Calls the visitor once for each model, in the order of the fields.
    #[doc(hidden)]
    fn visit_models<V: ModelVisitor<Self>>(visitor: &mut V);
}

/// A data set that has a table of `M`.
#[diagnostic::on_unimplemented(
    message = "the data set `{Self}` has no table for `{M}`",
    label = "`{Self}` needs a field of type `Table<{M}>`",
    note = "the parents of a model's records, and the records that they refer to, must be in the same data set; to sync without them, remove the link"
)]
pub trait HasTable<M: SyncModel> {
    /// The position of `M` among the data set's models.
    #[doc(hidden)]
    const POSITION: usize;

    /// The table of `M`.
    fn table(&self) -> &Table<M>;
    /// The table of `M`, to change it.
    fn table_mut(&mut self) -> &mut Table<M>;
}

/// A data set whose every model `V` can visit. Implemented by `#[derive(Dataset)]` for every such `V`.
///
/// An adapter uses it to handle all models of a data set that it does not know: its visitor implements [`Visit`] for every
/// model that implements the adapter's own trait, and the adapter requires `VisitedBy` of the data set. Neither trait has
/// bounds of its own, so that the compiler reports a missing implementation only once.
///
/// ```
/// use diffsync_core::{Dataset, SyncModel, Table};
/// use diffsync_core::data::{HasTable, Visit, VisitedBy};
///
/// /// What a model needs to be stored in a drawer.
/// trait Labelled: SyncModel {
///     const LABEL: &'static str;
/// }
///
/// /// The labels of a data set's models.
/// #[derive(Default)]
/// struct Labels(Vec<&'static str>);
///
/// impl<D: HasTable<M>, M: Labelled> Visit<D, M> for Labels {
///     fn visit(&mut self) {
///         self.0.push(M::LABEL);
///     }
/// }
///
/// fn labels<D: VisitedBy<Labels>>() -> Vec<&'static str> {
///     let mut labels = Labels::default();
///     D::visit_each(&mut labels);
///     labels.0
/// }
///
/// #[derive(SyncModel)]
/// struct Region {
///     #[sync(id)]
///     slug: String,
/// }
///
/// impl Labelled for Region {
///     const LABEL: &'static str = "Regions";
/// }
///
/// #[derive(Dataset, Default)]
/// struct World {
///     regions: Table<Region>,
/// }
///
/// assert_eq!(labels::<World>(), ["Regions"]);
/// ```
pub trait VisitedBy<V> {
    /// Visits each model once, in the order of the fields.
    fn visit_each(visitor: &mut V);
}

/// Visits the model `M` of a data set `D`.
pub trait Visit<D, M> {
    /// Visits this model.
    fn visit(&mut self);
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

    /// Calls the visitor once for each link, with the function that changes the spelling of names in a record.
    #[doc(hidden)]
    fn visit_spellings<V: SpellingVisitor<D, Self>>(visitor: &mut V) {
        let _ = visitor;
    }
}

/// Called with each model of a data set. [`position`] says which one it is.
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

/// Called with each link of the model `M`.
#[doc(hidden)]
pub trait SpellingVisitor<D, M: SyncModel> {
    /// `orders` says that what the link leads to is written before the record.
    fn visit<P: SyncModel>(&mut self, orders: bool, respelled: Respelled<M, P>)
    where
        D: HasTable<P>;
}

/// Changes the spelling of the names of `P` in a record: it asks for the spelling of each name, and uses the answer if
/// there is one.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "a function of generated code")]
pub struct Respelled<M, P: SyncModel>(pub RespelledFn<M, P>);

/// Asks for the spelling of each name in a record.
type RespelledFn<M, P> = fn(&mut M, &mut dyn FnMut(<P as SyncModel>::Key<'_>) -> Option<<P as SyncModel>::Id>);

/// Reads from a record which records of `P` it names.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "functions of generated code")]
pub enum KeyOf<M, P: SyncModel> {
    /// One, or none.
    One(KeyFn<M, P>),
    /// Any number.
    Many(KeysFn<M, P>),
}

/// Reads the one record that is named.
#[doc(hidden)]
pub type KeyFn<M, P> = for<'a> fn(&'a M) -> Option<<P as SyncModel>::Key<'a>>;

/// Calls the function with each record that is named.
#[doc(hidden)]
pub type KeysFn<M, P> = for<'a> fn(&'a M, &mut dyn FnMut(<P as SyncModel>::Key<'a>));

impl<M, P: SyncModel> Clone for KeyOf<M, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, P: SyncModel> Copy for KeyOf<M, P> {}

impl<M, P: SyncModel> KeyOf<M, P> {
    /// Calls `named` with the key of each record that is named.
    #[inline]
    pub(crate) fn each<'a>(self, record: &'a M, mut named: impl FnMut(P::Key<'a>)) {
        match self {
            Self::One(key) => {
                if let Some(key) = key(record) {
                    named(key);
                }
            }
            Self::Many(keys) => keys(record, &mut named),
        }
    }
}

/// The link as one within the model, if it is one: names are unique within a data set, so `P` is `M` then.
pub(crate) fn to_self<M: SyncModel, P: SyncModel>(key: KeyOf<M, P>) -> Option<KeyOf<M, M>> {
    (&key as &dyn Any).downcast_ref::<KeyOf<M, M>>().copied()
}

/// The link's spelling function, if the link is within the model.
pub(crate) fn respelled_in_self<M: SyncModel, P: SyncModel>(respelled: &Respelled<M, P>) -> Option<&Respelled<M, M>> {
    (respelled as &dyn Any).downcast_ref()
}

/// A model of the data set `D` at run time, as a value.
pub(crate) struct Model<M>(PhantomData<fn() -> M>);

impl<M> Model<M> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

/// The place of a record on one side: its model's position in the data set, and its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) model: usize,
    pub(crate) row: u32,
}

/// The position of a model among those of its data set.
pub(crate) const fn position<D: HasTable<M>, M: SyncModel>() -> usize {
    D::POSITION
}

/// Calls the visitor once for each model, in the order of [`in_order`].
pub(crate) fn visit_in_order<D: Dataset, V: ModelVisitor<D>>(visitor: &mut V) {
    struct Visits<V>(Vec<fn(&mut V)>);
    impl<D, V: ModelVisitor<D>> ModelVisitor<D> for Visits<V> {
        fn visit<M: LinksIn<D>>(&mut self)
        where
            D: HasTable<M>,
        {
            self.0.push(V::visit::<M>);
        }
    }

    let mut visits = Visits(Vec::new());
    D::visit_models(&mut visits);
    for model in in_order(D::SCHEMAS) {
        visits.0[model](visitor);
    }
}

/// The positions of a data set's models, each after those it links to, except by deferred references, and after those it
/// names with `after`; otherwise in the order of the fields.
pub(crate) fn in_order(schemas: &[&'static ModelSchema]) -> Vec<usize> {
    let mut order = Vec::with_capacity(schemas.len());
    // The build refuses circles, so each round places at least one model.
    while order.len() < schemas.len() {
        let before = order.len();
        for (position, schema) in schemas.iter().enumerate() {
            let placed = |name: &str| order.iter().any(|&at: &usize| schemas[at].name == name);
            let awaited = |name: &str| name != schema.name && schemas.iter().any(|other| other.name == name);
            let links = schema.links.iter().filter(|link| link.orders()).map(|link| link.model);
            let ready = links.chain(schema.after.iter().copied()).all(|name| placed(name) || !awaited(name));
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

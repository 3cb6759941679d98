//! Spelling the names in the source as the target does or, for records that the target does not have yet, as the source
//! does.
//!
//! `AMS` and `ams` name one site if the site's identifier ignores case. A record that is created under it, or refers to it,
//! is written with the target's spelling, since a database or a server would not find the other. So the same spelling is
//! compared, shown, saved and written. Links to identifiers with only one spelling are skipped.

use crate::data::dataset::{
    Dataset, HasTable, LinksIn, ModelVisitor, Respelled, SpellingVisitor, respelled_in_self, visit_in_order,
};
use crate::data::table::Table;
use crate::model::{ModelExt, SyncModel};

/// Changes the names in the source to the spelling that the records will have in the target.
pub(crate) fn respell<D: Dataset>(source: &mut D, target: &D) {
    let mut respelling = Respelling { source, target, links: LinkPass::ToOthers };
    // Parents first, so that a name within their identifiers is right before others name them.
    for links in [LinkPass::ToOthers, LinkPass::Deferred] {
        respelling.links = links;
        visit_in_order(&mut respelling);
    }
}

/// The links whose names are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LinkPass {
    /// Links to earlier models.
    ToOthers,
    /// Links within the model.
    ToItself,
    /// Links to models that may come later.
    Deferred,
}

struct Respelling<'a, D> {
    source: &'a mut D,
    target: &'a D,
    links: LinkPass,
}

impl<D: Dataset> ModelVisitor<D> for Respelling<'_, D> {
    fn visit<M: LinksIn<D>>(&mut self)
    where
        D: HasTable<M>,
    {
        // The table is moved out, so that the others can be read while it is changed.
        let mut table: Table<M> = std::mem::take(self.source.table_mut());
        let mut links = self.links;
        loop {
            let (source, target) = (&*self.source, self.target);
            let own = target.table();
            M::visit_spellings(&mut TableRespelling { source, target, table: &mut table, own, links });
            if links != LinkPass::ToOthers {
                break;
            }
            links = LinkPass::ToItself;
        }
        *self.source.table_mut() = table;
    }
}

struct TableRespelling<'a, D, M: SyncModel> {
    source: &'a D,
    target: &'a D,
    table: &'a mut Table<M>,
    /// The target's table of the model.
    own: &'a Table<M>,
    links: LinkPass,
}

impl<D, M: SyncModel> SpellingVisitor<D, M> for TableRespelling<'_, D, M> {
    fn visit<P: SyncModel>(&mut self, orders: bool, respelled: Respelled<M, P>)
    where
        D: HasTable<P>,
    {
        if !P::has_spellings() {
            return;
        }

        let within = respelled_in_self(&respelled);
        let links = match (orders, within) {
            (false, _) => LinkPass::Deferred,
            (true, None) => LinkPass::ToOthers,
            (true, Some(_)) => LinkPass::ToItself,
        };
        if links != self.links {
            return;
        }

        let (source, target): (&Table<P>, &Table<P>) = (self.source.table(), self.target.table());
        if let Some(Respelled(respell)) = within {
            let own = self.own;
            self.table.each_mut(|record, others| {
                respell(record, &mut |key| spelling(own.find(key).or_else(|| others.find(key))?, key));
            });
            return;
        }

        self.table.each_mut(|record, _| {
            (respelled.0)(record, &mut |key| spelling(target.find(key).or_else(|| source.find(key))?, key));
        });
    }
}

/// The identifier of a record, if its spelling differs from the name.
fn spelling<P: SyncModel>(named: &P, name: P::Key<'_>) -> Option<P::Id> {
    (!named.is_spelled(name)).then(|| named.id())
}

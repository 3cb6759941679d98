//! The links between the records of a network, which the fake target checks as a database checks its foreign keys.

use super::*;

/// Visits every link of every record.
struct EachLink<'a, F> {
    net: &'a Net,
    link: F,
}

impl<F: FnMut(String, &LinkSchema, Option<String>)> ModelVisitor<Net> for EachLink<'_, F> {
    fn visit<M: LinksIn<Net>>(&mut self)
    where
        Net: HasTable<M>,
    {
        M::visit_links(self);
    }
}

impl<M: SyncModel, F: FnMut(String, &LinkSchema, Option<String>)> LinkVisitor<Net, M> for EachLink<'_, F>
where
    Net: HasTable<M>,
{
    fn visit<P: SyncModel>(&mut self, link: &'static LinkSchema, key: KeyOf<M, P>)
    where
        Net: HasTable<P>,
    {
        let (records, named): (&Table<M>, &Table<P>) = (self.net.table(), self.net.table());
        for record in records {
            let mut each = |key: P::Key<'_>| {
                let id = P::to_id(key);
                let missing = (!named.contains(&id)).then(|| format!("{} {id}", P::NAME));
                (self.link)(name(record), link, missing);
            };
            match key {
                KeyOf::One(key) => {
                    if let Some(key) = key(record) {
                        each(key);
                    }
                }
                KeyOf::Many(keys) => keys(record, &mut each),
            }
        }
    }
}

/// The links that lead to nothing.
pub(super) fn dangling(net: &Net) -> BTreeSet<String> {
    let mut dangling = BTreeSet::new();
    Net::visit_models(&mut EachLink {
        net,
        link: |record: String, _: &LinkSchema, missing: Option<String>| {
            dangling.extend(missing.map(|missing| format!("{record} names {missing}, which is not there")));
        },
    });
    dangling
}

/// Removes what lives under what is not there, and says what that was.
pub(super) fn remove_orphans(net: &mut Net) -> Vec<String> {
    let mut removed = Vec::new();
    loop {
        let mut orphans = Vec::new();
        Net::visit_models(&mut EachLink {
            net,
            link: |record: String, link: &LinkSchema, missing: Option<String>| {
                if link.kind == LinkKind::Parent && missing.is_some() {
                    orphans.push(record);
                }
            },
        });
        if orphans.is_empty() {
            return removed;
        }
        for orphan in &orphans {
            net.remove_named(orphan);
        }
        removed.extend(orphans);
    }
}

macro_rules! removal {
    ($($model:ident $table:ident),*) => {
        impl Net {
            fn remove_named(&mut self, named: &str) {
                $(
                    if let Some(id) = self.$table.iter().find(|record| name(*record) == named).map(ModelExt::id) {
                        self.$table.remove(&id);
                    }
                )*
            }
        }
    };
}
each_model!(removal);

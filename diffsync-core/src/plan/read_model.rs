//! Reading the records of one model, whose type a plan does not know.

use serde_json::Value;

use crate::data::dataset::{HasTable, KeyOf, LinkVisitor, LinksIn, Model};
use crate::data::table::{Table, row};
use crate::model::schema::LinkSchema;
use crate::model::{AsKey, ModelExt, SyncModel};

/// A row that names another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkedRow {
    /// The row that names the other.
    pub(crate) by: u32,
    /// Whether it is a duplicate of that row, which has no row of its own.
    pub(crate) duplicate: bool,
    /// The row that is named.
    pub(crate) row: u32,
}

/// Reads the records of one model.
pub(super) trait ReadModel<D>: Sync {
    fn rows(&self, data: &D) -> u32;
    fn id_text(&self, data: &D, row: u32) -> String;
    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error>;
    fn planned(&self, source: (&D, u32), target: (&D, u32), attribute: usize) -> Result<Value, serde_json::Error>;
    /// Each link of a row, by its position in the schema, and the row it leads to.
    fn links(&self, data: &D, row: u32, linked: &mut dyn FnMut(usize, u32));
    /// The same for one link of all rows.
    fn all_links(&self, data: &D, link: usize, named: &mut dyn FnMut(LinkedRow));
    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32>;
    fn id_value(&self, data: &D, row: u32) -> Result<Value, serde_json::Error>;
    fn name_of(&self, id: &Value) -> Result<String, serde_json::Error>;
    fn row_of(&self, data: &D, id: &Value) -> Result<Option<u32>, serde_json::Error>;
    fn unknown(&self, data: &D, id: &Value) -> Result<Option<&'static str>, serde_json::Error>;
    fn differing(&self, source: (&D, u32), target: (&D, u32)) -> Vec<usize>;
}

impl<D: HasTable<M>, M: LinksIn<D>> ReadModel<D> for Model<M> {
    fn rows(&self, data: &D) -> u32 {
        row(data.table().len())
    }

    fn id_text(&self, data: &D, row: u32) -> String {
        record::<D, M>(data, row).id().to_string()
    }

    fn attribute(&self, data: &D, row: u32, attribute: usize) -> Result<Value, serde_json::Error> {
        record::<D, M>(data, row).attribute(attribute)
    }

    fn planned(&self, source: (&D, u32), target: (&D, u32), attribute: usize) -> Result<Value, serde_json::Error> {
        record::<D, M>(source.0, source.1).planned(record::<D, M>(target.0, target.1), attribute)
    }

    fn links(&self, data: &D, row: u32, linked: &mut dyn FnMut(usize, u32)) {
        let records = std::slice::from_ref(record::<D, M>(data, row));
        M::visit_links(&mut Links { data, records, link: 0, wanted: None, found: |link, _, row| linked(link, row) });
    }

    fn all_links(&self, data: &D, wanted: usize, named: &mut dyn FnMut(LinkedRow)) {
        let table: &Table<M> = data.table();
        let mut found = |_, by, row| named(LinkedRow { by, duplicate: false, row });
        M::visit_links(&mut Links { data, records: table.rows(), link: 0, wanted: Some(wanted), found: &mut found });

        let duplicates = table.duplicates();
        let mut found = |_, by, row| {
            if let Some(by) = table.position(M::key(&duplicates[by as usize])) {
                named(LinkedRow { by, duplicate: true, row });
            }
        };
        M::visit_links(&mut Links { data, records: duplicates, link: 0, wanted: Some(wanted), found: &mut found });
    }

    fn id_value(&self, data: &D, row: u32) -> Result<Value, serde_json::Error> {
        serde_json::to_value(record::<D, M>(data, row).id())
    }

    fn name_of(&self, id: &Value) -> Result<String, serde_json::Error> {
        Ok(serde_json::from_value::<M::Id>(id.clone())?.to_string())
    }

    fn row_of(&self, data: &D, id: &Value) -> Result<Option<u32>, serde_json::Error> {
        let id: M::Id = serde_json::from_value(id.clone())?;
        Ok(id.key().and_then(|key| data.table().position(key)))
    }

    fn unknown(&self, data: &D, id: &Value) -> Result<Option<&'static str>, serde_json::Error> {
        Ok(data.table().unknown(&serde_json::from_value(id.clone())?))
    }

    fn differing(&self, source: (&D, u32), target: (&D, u32)) -> Vec<usize> {
        let mut positions = Vec::new();
        let (source, target) = (record::<D, M>(source.0, source.1), record::<D, M>(target.0, target.1));
        source.differences(target, &mut |position| positions.push(position));
        positions
    }

    fn counterpart(&self, data: &D, row: u32, other: &D) -> Option<u32> {
        let table: &Table<M> = other.table();
        table.position(record::<D, M>(data, row).key())
    }
}

fn record<D: HasTable<M>, M: SyncModel>(data: &D, row: u32) -> &M {
    &data.table().rows()[row as usize]
}

/// Calls `found` with the link, the position among the records and the row that it leads to.
struct Links<'a, D, M, F> {
    data: &'a D,
    records: &'a [M],
    /// The position of the current link, and of the only wanted one, if not all are.
    link: usize,
    wanted: Option<usize>,
    found: F,
}

impl<D, M: SyncModel, F: FnMut(usize, u32, u32)> LinkVisitor<D, M> for Links<'_, D, M, F> {
    fn visit<P: SyncModel>(&mut self, _: &'static LinkSchema, key: KeyOf<M, P>)
    where
        D: HasTable<P>,
    {
        let link = self.link;
        self.link += 1;
        if self.wanted.is_some_and(|wanted| wanted != link) {
            return;
        }

        let table: &Table<P> = self.data.table();
        for (by, record) in (0u32..).zip(self.records) {
            key.each(record, |key| {
                if let Some(row) = table.position(key) {
                    (self.found)(link, by, row);
                }
            });
        }
    }
}

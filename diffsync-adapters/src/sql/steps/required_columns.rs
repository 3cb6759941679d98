//! The tables and columns that the models need.

use crate::sql::context::SqlContext;
use crate::sql::model::schema::{ForeignKey, Part, SqlField};

/// A table that is used, and which columns of it.
pub(crate) struct RequiredTable {
    pub(crate) table: &'static str,
    /// Whether it is that of a model, and not only one that lookups lead to.
    pub(crate) is_own: bool,
    pub(crate) columns: Vec<RequiredColumn>,
}

/// A column that is used, and the fields that are read from it.
pub(crate) struct RequiredColumn {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<&'static SqlField>,
}

/// The tables of the models, and those that only lookups lead to.
pub(crate) fn required_columns(context: &SqlContext) -> Vec<RequiredTable> {
    let own = context.models.tables.iter().map(|table| {
        let mut used = RequiredTable { table: table.name, is_own: true, columns: Vec::new() };
        table.columns().for_each(|(_, column, field)| used.add(column, Some(field)));
        table.lookups.iter().for_each(|lookup| used.add(lookup.foreign_key.column, None));
        table.owner.iter().for_each(|owner| used.add(owner.column, None));
        used
    });

    let mut all: Vec<RequiredTable> = own.collect();
    for table in &context.models.tables {
        for lookup in table.lookups {
            let mut fields = lookup.fields.iter().filter_map(|field| table.fields.get(*field));
            add_lookup_columns(context, &lookup.foreign_key, &mut fields, &mut all);
        }
    }

    all
}

/// Adds the tables and columns of a lookup. These fields hold its parts.
fn add_lookup_columns(
    context: &SqlContext,
    foreign_key: &'static ForeignKey,
    fields: &mut dyn Iterator<Item = &'static SqlField>,
    all: &mut Vec<RequiredTable>,
) {
    if all.iter().all(|used| used.table != foreign_key.table) {
        all.push(RequiredTable { table: foreign_key.table, is_own: false, columns: Vec::new() });
    }

    let add = |all: &mut Vec<RequiredTable>, column, field| {
        all.iter_mut().filter(|used| used.table == foreign_key.table).for_each(|used| used.add(column, field));
    };
    add(all, context.key_of(foreign_key), None);
    for part in foreign_key.parts {
        match part {
            Part::Column(column) => add(all, column, fields.next()),
            Part::Lookup(further) => {
                add(all, further.column, None);
                add_lookup_columns(context, further, fields, all);
            }
        }
    }
}

impl RequiredTable {
    fn add(&mut self, column: &'static str, field: Option<&'static SqlField>) {
        match self.columns.iter_mut().find(|used| used.name == column) {
            Some(used) => used.fields.extend(field),
            None => self.columns.push(RequiredColumn { name: column, fields: field.into_iter().collect() }),
        }
    }
}

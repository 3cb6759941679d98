//! The tables and columns that models use.

use crate::sql::context::SqlContext;
use crate::sql::model::schema::{Leads, Part, SqlField};

/// A table that is used, and which columns of it.
pub(crate) struct Used {
    pub(crate) table: &'static str,
    /// Whether it is that of a model, and not only one that lookups lead to.
    pub(crate) is_own: bool,
    pub(crate) columns: Vec<UsedColumn>,
}

/// A column that is used, and the fields that are read from it.
pub(crate) struct UsedColumn {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<&'static SqlField>,
}

/// The tables of the models, and those that only lookups lead to.
pub(crate) fn required_columns(context: &SqlContext) -> Vec<Used> {
    let own = context.models.tables.iter().map(|table| {
        let mut used = Used { table: table.name, is_own: true, columns: Vec::new() };
        table.columns().for_each(|(_, column, field)| used.add(column, Some(field)));
        table.lookups.iter().for_each(|lookup| used.add(lookup.leads.column, None));
        table.owner.iter().for_each(|owner| used.add(owner.column, None));
        used
    });
    let mut all: Vec<Used> = own.collect();
    for table in &context.models.tables {
        for lookup in table.lookups {
            let mut fields = lookup.fields.iter().filter_map(|field| table.fields.get(*field));
            add_lookup_columns(context, &lookup.leads, &mut fields, &mut all);
        }
    }
    all
}

/// Adds what a lookup leads to, whose parts these fields hold.
fn add_lookup_columns(
    context: &SqlContext,
    leads: &'static Leads,
    fields: &mut dyn Iterator<Item = &'static SqlField>,
    all: &mut Vec<Used>,
) {
    if all.iter().all(|used| used.table != leads.table) {
        all.push(Used { table: leads.table, is_own: false, columns: Vec::new() });
    }
    let add = |all: &mut Vec<Used>, column, field| {
        all.iter_mut().filter(|used| used.table == leads.table).for_each(|used| used.add(column, field));
    };
    add(all, context.key_of(leads), None);
    for part in leads.parts {
        match part {
            Part::Column(column) => add(all, column, fields.next()),
            Part::Lookup(further) => {
                add(all, further.column, None);
                add_lookup_columns(context, further, fields, all);
            }
        }
    }
}

impl Used {
    fn add(&mut self, column: &'static str, field: Option<&'static SqlField>) {
        match self.columns.iter_mut().find(|used| used.name == column) {
            Some(used) => used.fields.extend(field),
            None => self.columns.push(UsedColumn { name: column, fields: field.into_iter().collect() }),
        }
    }
}

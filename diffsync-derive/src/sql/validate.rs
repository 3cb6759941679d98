//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

use std::collections::HashMap;

use proc_macro2::Ident;
use quote::ToTokens;

use super::ast::{Form, Table};
use crate::ctxt::Ctxt;
use crate::suggest::suggest;

/// Returns whether the table, or what is left of it, can be expanded.
pub(crate) fn validate(cx: &mut Ctxt, table: &mut Table<'_>) -> bool {
    if table.name.is_none() {
        cx.error_at(table.ident, "no table is declared: write `#[sql(table = \"…\")]` above the struct");
    }
    keys(cx, table);

    // Before the columns, so that a lookup that is removed does not take one.
    lookups(cx, table);
    columns(cx, table);
    table.name.is_some()
}

fn keys(cx: &mut Ctxt, table: &mut Table<'_>) {
    let mut first = true;
    for field in &mut table.fields {
        if let Some(key) = &field.key {
            if !first {
                cx.error_at(key, "a row has only one key; keep one of them");
                field.key = None;
            } else if field.form != Form::Plain {
                cx.error_at(field.ident, "a key is a number or a UUID; drop `as`");
                field.form = Form::Plain;
            }
            first = false;
        }
    }
}

/// The fields that lookups name exist, and are not local.
fn lookups(cx: &mut Ctxt, table: &mut Table<'_>) {
    let names: Vec<&str> = table.fields.iter().map(|field| field.name.as_str()).collect();
    let fields = &table.fields;

    table.lookups.retain(|lookup| {
        lookup.fields.iter().all(|named| {
            let found = fields.iter().find(|field| field.ident == named);
            let message = match found {
                Some(field) if field.role == crate::model::ast::Role::Local => {
                    format!("`{named}` is local; a natural key is held by identifiers and attributes")
                }
                Some(_) => return true,
                None => {
                    let meant = suggest(&named.to_string(), &names);
                    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                    format!("no field is called `{named}`{meant}")
                }
            };

            cx.error_at(named, message);
            false
        })
    });
}

/// No column is written from two places.
fn columns(cx: &mut Ctxt, table: &mut Table<'_>) {
    let mut taken: HashMap<String, String> = HashMap::new();
    let looked_up = |ident: &Ident| table.lookups.iter().any(|lookup| lookup.fields.contains(ident));

    // A field that a lookup reads has no column unless it names one.
    let own = table.fields.iter().filter(|field| field.column.is_some() || !looked_up(field.ident));
    let own = own.map(|field| {
        let column = field.column.as_ref().map_or_else(|| field.name.clone(), syn::LitStr::value);
        let at = field.column.as_ref().map_or_else(|| field.ident.to_token_stream(), ToTokens::to_token_stream);
        (column, format!("`{}`", field.ident), at)
    });

    let lookups = table
        .lookups
        .iter()
        .map(|lookup| (lookup.leads.column.clone(), "a lookup".to_owned(), lookup.literal.to_token_stream()));
    let owner =
        table.owner.iter().map(|owner| (owner.column.value(), "the owner".to_owned(), owner.column.to_token_stream()));
    for (column, who, at) in own.chain(lookups).chain(owner) {
        if let Some(other) = taken.get(&column) {
            cx.error_at(at, format!("{other} has the column `{column}` already; give this one another `column`"));
        } else {
            taken.insert(column, who);
        }
    }
}

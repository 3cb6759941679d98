//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

use std::collections::HashMap;

use quote::ToTokens;
use syn::ext::IdentExt;

use super::ast::Collection;
use super::part::{Of, Part};
use crate::ctxt::Ctxt;
use crate::ty;
use crate::words::nearest;

/// Whether the collection, or what is left of it, can be expanded.
pub(crate) fn validate(cx: &mut Ctxt, collection: &mut Collection<'_>) -> bool {
    if collection.path.is_none() {
        cx.error_at(collection.ident, "where are its records? Write `#[rest(path = \"…\")]` above the struct");
    }
    lookups(cx, collection);
    fields(cx, collection);
    places(cx, collection);
    collection.path.is_some()
}

/// The fields that lookups name are there.
fn lookups(cx: &mut Ctxt, collection: &mut Collection<'_>) {
    let fields = &collection.fields;
    let names: Vec<String> = fields.iter().map(|field| field.ident.unraw().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    collection.lookups.retain(|lookup| {
        let mut all = true;
        for named in &lookup.fields {
            if fields.iter().any(|field| field.ident == named) {
                continue;
            }
            let meant = nearest(&named.to_string(), &names);
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            cx.error_at(named, format!("there is no identifier or attribute `{named}`{meant}"));
            all = false;
        }
        all
    });
}

/// What is said of a field goes with its type.
fn fields(cx: &mut Ctxt, collection: &mut Collection<'_>) {
    for field in &mut collection.fields {
        if let Some(word) = &field.blank
            && ty::option(field.ty).is_none()
        {
            cx.error_at(
                word,
                "`blank` is for an `Option`: it writes `None` as an empty text, and reads that as `None`",
            );
            field.blank = None;
        }
        if let Some(word) = &field.write_only
            && ty::option(field.ty).is_none()
        {
            cx.error_at(
                word,
                "`write_only` is for an `Option`: what the server never gives is `None` when it is loaded",
            );
            field.write_only = None;
        }
    }
}

/// No part of a body is written from two places.
fn places(cx: &mut Ctxt, collection: &Collection<'_>) {
    let mut taken: HashMap<String, String> = HashMap::new();
    let said = |part: &Part| part.at.join(".");
    let lookups = collection
        .lookups
        .iter()
        .map(|lookup| (said(&lookup.part), "a lookup".to_owned(), lookup.literal.to_token_stream()));
    let written = collection.fields.iter().filter_map(|field| {
        let (part, text) = field.write.as_ref()?;
        Some((said(part), format!("`{}`", field.ident), text.to_token_stream()))
    });
    let fields = own(collection).filter(|(field, _)| !field.read_only && field.write.is_none()).map(|(field, part)| {
        let at = field.part.as_ref().map_or_else(|| field.ident.to_token_stream(), |(_, text)| text.to_token_stream());
        (said(&part), format!("`{}`", field.ident), at)
    });
    for (place, who, at) in lookups.chain(written).chain(fields) {
        match taken.get(&place) {
            Some(other) => {
                cx.error_at(at, format!("`{place}` is written from {other} already; give this one another `field`"));
            }
            None => {
                taken.insert(place, who);
            }
        }
    }
    if let Some(owner) = &collection.owner {
        let place = said(&owner.part);
        // To a list the owner is added.
        if let Some(other) = taken.get(&place).filter(|_| owner.part.of == Of::Value) {
            cx.error_at(
                &owner.value,
                format!("`{place}` is written from {other} already, and cannot hold the owner as well"),
            );
        }
    }
}

/// The fields with parts of their own: those that say so, and those that no lookup names.
pub(super) fn own<'c, 'a>(collection: &'c Collection<'a>) -> impl Iterator<Item = (&'c super::ast::Field<'a>, Part)> {
    collection.fields.iter().filter_map(|field| {
        let is_looked_up = collection.lookups.iter().any(|lookup| lookup.fields.contains(field.ident));
        match &field.part {
            Some((part, _)) => Some((field, part.clone())),
            None if is_looked_up => None,
            None => Some((field, Part::named(&field.name))),
        }
    })
}

//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

use quote::ToTokens;
use syn::ext::IdentExt;

use super::ast::{Collection, Field};
use super::part::{Part, PartKind};
use crate::ctxt::Ctxt;
use crate::suggest::suggest;
use crate::ty;

/// Returns whether the collection, or what is left of it, can be expanded.
pub(crate) fn validate(cx: &mut Ctxt, collection: &mut Collection<'_>) -> bool {
    if collection.path.is_none() {
        cx.error_at(collection.ident, "no path is declared: write `#[rest(path = \"…\")]` above the struct");
    }
    lookups(cx, collection);
    words(cx, collection);
    fields(cx, collection);
    places(cx, collection);
    collection.path.is_some()
}

/// The fields that lookups name exist.
fn lookups(cx: &mut Ctxt, collection: &mut Collection<'_>) {
    let fields = &collection.fields;
    let names: Vec<String> = fields.iter().map(|field| field.ident.unraw().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();

    collection.lookups.retain(|lookup| {
        // A loop and not `all`, so that every wrong name is reported.
        let mut all = true;
        for named in &lookup.fields {
            if fields.iter().any(|field| field.ident == named) {
                continue;
            }

            let meant = suggest(&named.to_string(), &names);
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            cx.error_at(named, format!("no identifier or attribute is called `{named}`{meant}"));
            all = false;
        }
        all
    });
}

/// `choice` and the like need a part of the body that is the field's own.
fn words(cx: &mut Ctxt, collection: &mut Collection<'_>) {
    let Collection { fields, lookups, .. } = collection;
    for field in fields.iter_mut().filter(|field| field.part.is_none() && field.write.is_none()) {
        if !lookups.iter().any(|lookup| lookup.fields.contains(field.ident)) {
            continue;
        }
        let words = [field.choice.take(), field.blank.take(), field.read_only.take(), field.write_only.take()];
        for word in words.into_iter().flatten() {
            let (field, message) =
                (field.ident, "is part of the lookup above the struct, which is read and written as it is");
            cx.error_at(&word, format!("`{field}` {message}; drop `{word}`"));
        }
    }
}

/// The keys of a field fit its type.
fn fields(cx: &mut Ctxt, collection: &mut Collection<'_>) {
    for field in &mut collection.fields {
        if let Some(word) = &field.blank
            && ty::option(field.ty).is_none()
        {
            cx.error_at(
                word,
                "`blank` is for an `Option`: `None` is written as an empty text, and an empty text is read as `None`",
            );
            field.blank = None;
        }

        if let Some(word) = &field.write_only
            && ty::option(field.ty).is_none()
        {
            cx.error_at(
                word,
                "`write_only` is for an `Option`: a field that the server never returns is `None` when it is loaded",
            );
            field.write_only = None;
        }
    }
}

/// No part of a body is written from two places.
fn places(cx: &mut Ctxt, collection: &Collection<'_>) {
    let mut taken: Vec<(Vec<String>, String)> = Vec::new();
    let lookups = collection
        .lookups
        .iter()
        .map(|lookup| (lookup.part.path.clone(), "a lookup".to_owned(), lookup.literal.to_token_stream()));
    let written = collection.fields.iter().filter_map(|field| {
        let (part, text) = field.write.as_ref()?;
        Some((part.path.clone(), format!("`{}`", field.ident), text.to_token_stream()))
    });

    let writes = |field: &Field<'_>| field.read_only.is_none() && field.write.is_none();
    let fields = own(collection).filter(|(field, _)| writes(field)).map(|(field, part)| {
        let at = field.part.as_ref().map_or_else(|| field.ident.to_token_stream(), |(_, text)| text.to_token_stream());
        (part.path, format!("`{}`", field.ident), at)
    });

    for (place, who, at) in lookups.chain(written).chain(fields) {
        // `custom_fields` contains `custom_fields.asset`: two values would be written to one place.
        let overlaps = |(other, _): &&(Vec<String>, String)| place.starts_with(other) || other.starts_with(&place);
        match taken.iter().find(overlaps) {
            Some((other, by)) if *other == place => {
                let place = place.join(".");
                cx.error_at(at, format!("`{place}` is written from {by} already; give this one another `field`"));
            }
            Some((other, by)) => {
                let (place, other) = (place.join("."), other.join("."));
                let message =
                    format!("`{place}` overlaps with `{other}`, which is written from {by}; write one of them");
                cx.error_at(at, message);
            }
            None => taken.push((place, who)),
        }
    }

    if let Some(owner) = &collection.owner {
        let other = taken.iter().find(|(place, _)| *place == owner.part.path);
        // To a list the owner is added.
        if let Some((place, other)) = other.filter(|_| owner.part.kind == PartKind::Value) {
            let place = place.join(".");
            cx.error_at(
                &owner.value,
                format!("`{place}` is written from {other} already, and cannot hold the owner as well"),
            );
        }
    }
}

/// The fields with parts of their own: those that name one, and those that no lookup names.
pub(super) fn own<'c, 'a>(collection: &'c Collection<'a>) -> impl Iterator<Item = (&'c Field<'a>, Part)> {
    collection.fields.iter().filter_map(|field| {
        let is_looked_up = collection.lookups.iter().any(|lookup| lookup.fields.contains(field.ident));
        match &field.part {
            Some((part, _)) => Some((field, part.clone())),
            None if is_looked_up => None,
            None => Some((field, Part::named(&field.name))),
        }
    })
}

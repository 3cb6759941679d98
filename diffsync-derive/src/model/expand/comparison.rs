//! How two values of a field are compared.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{field_at, field_of, held_type, name, ref_of, with_bound};
use crate::model::ast::{Comparison, Field, Model, Role};
use crate::span::call_site;
use crate::ty::{holds_floats, is_plain, is_string};

/// Marks an attribute if it differs between the source's record, `self`, and the target's. There is nothing to do for one
/// that is never compared.
pub(super) fn mark(model: &Model<'_>, field: &Field<'_>, position: &Literal) -> Option<TokenStream> {
    if field.create_only.is_some() {
        return None;
    }
    let ty = field.ty;
    let (mine, its) = (field_of("self", field), field_of("sync_target", field));
    let by = |name: &str| by_trait(name, &quote!(#ty), field, &quote!(&#mine), &quote!(&#its));
    let namings = name::namings(model, field);
    let named = || {
        let (mine, its) = (ref_of("self", field), ref_of("sync_target", field));
        name::same(&namings, field, &mine, &its)
    };

    let same = match &field.comparison {
        // To a link, an empty text is a name and `None` is not, so two blank values would differ.
        Comparison::BlankIsNone if !namings.is_empty() => {
            let (blank, named) = (by("BlankIsNone"), named());
            quote_spanned!(call_site(ty)=> (#blank || #named))
        }

        // Two texts can name one record, so a link decides before `==`.
        _ if !namings.is_empty() => named(),
        // `&Pair`, since the placeholder for types that cannot be compared is found on it, after everything on `Pair`.
        Comparison::Equal if !is_plain(ty) => {
            quote_spanned!(call_site(ty)=> (&_diffsync::__private::Pair(&#mine, &#its)).same())
        }
        Comparison::Equal if holds_floats(ty) => quote!(_diffsync::compare::Float::same(&#mine, &#its)),
        // In parentheses, since a `!` is put before it.
        Comparison::Equal => quote!((#mine == #its)),
        Comparison::Unordered => by("Unordered"),
        Comparison::IgnoreCase => by("IgnoreCase"),
        Comparison::Contains => by("Contains"),
        Comparison::BlankIsNone => by("BlankIsNone"),
        Comparison::Tolerance(tolerance) => {
            let tolerance = Literal::f64_suffixed(*tolerance);
            quote_spanned!(call_site(ty)=> <#ty as _diffsync::compare::Tolerance>::same(&#mine, &#its, #tolerance))
        }
        Comparison::With(path) => {
            let span = call_site(path);
            let (mine, its) = (field_at("self", field, span), field_at("sync_target", field, span));
            quote_spanned!(span=> #path(&#mine, &#its))
        }
    };

    // If the user's function returns another type, the error is to be at its path.
    let at = match &field.comparison {
        Comparison::With(path) => call_site(path),
        _ => call_site(ty),
    };

    let has_opinion = field.when_some.as_ref().map(|_| has_opinion(field, &mine));
    let has_opinion = has_opinion.map(|has_opinion| quote_spanned!(at=> #has_opinion &&));

    Some(quote_spanned!(at=> if #has_opinion !#same { sync_mark(#position); }))
}

/// Whether the comparison of an attribute is up to what its type can do, which its name does not tell.
pub(super) fn is_by_type(model: &Model<'_>) -> bool {
    model.with_role(Role::Attribute).any(|field| {
        matches!(field.comparison, Comparison::Equal)
            && field.create_only.is_none()
            && !is_plain(field.ty)
            && name::namings(model, field).is_empty()
    })
}

/// Whether the source has a value for a `when_some` attribute.
fn has_opinion(field: &Field<'_>, mine: &TokenStream) -> TokenStream {
    let (ty, span) = (field.ty, call_site(field.ty));
    if matches!(field.comparison, Comparison::BlankIsNone) {
        quote_spanned!(span=> !<#ty as _diffsync::compare::BlankIsNone>::is_blank(&#mine))
    } else {
        quote_spanned!(span=> ::core::option::Option::is_some(&#mine))
    }
}

/// Whether two identifiers are the same. Both are places; `its` may be borrowed as a key holds it.
pub(super) fn identifier_is_same(
    model: &Model<'_>,
    field: &Field<'_>,
    mine: &TokenStream,
    its: &TokenStream,
) -> TokenStream {
    let namings = name::namings(model, field);
    if !namings.is_empty() {
        let at = call_site(field.ty);
        return name::same(&namings, field, &quote_spanned!(at=> &#mine), &quote_spanned!(at=> &#its));
    }

    let ty = held_type(field);
    match field.comparison {
        Comparison::Unordered => by_trait("Unordered", &ty, field, &quote!(&#mine), &quote!(&#its)),
        Comparison::IgnoreCase => by_trait("IgnoreCase", &ty, field, &quote!(&#mine), &quote!(&#its)),
        _ => identifier_is_equal(field, mine, its),
    }
}

/// Whether two identifiers are written alike. Both are places; `its` may be borrowed as a key holds it.
pub(super) fn identifier_is_equal(field: &Field<'_>, mine: &TokenStream, its: &TokenStream) -> TokenStream {
    // A key holds a `String` as a `str`, which is known to have all that it needs.
    if is_string(field.ty) || is_plain(field.ty) {
        return quote_spanned!(call_site(field.ty)=> #mine == #its);
    }
    let mine = with_bound(field, &quote_spanned!(call_site(field.ty)=> &#mine));

    quote_spanned!(call_site(field.ty)=> *#mine == #its)
}

/// Adds an identifier, which is a reference as a key holds it, to the hash.
pub(super) fn identifier_hash(model: &Model<'_>, field: &Field<'_>, part: &TokenStream) -> TokenStream {
    let namings = name::namings(model, field);
    if !namings.is_empty() {
        return name::hash(&namings, field, part);
    }

    let ty = held_type(field);
    let span = call_site(field.ty);
    match field.comparison {
        Comparison::Unordered => quote_spanned!(span=> <#ty as _diffsync::compare::Unordered>::hash(#part, state);),
        Comparison::IgnoreCase => quote_spanned!(span=> <#ty as _diffsync::compare::IgnoreCase>::hash(#part, state);),
        _ => {
            let part = if is_string(field.ty) { part.clone() } else { with_bound(field, part) };
            quote_spanned!(span=> ::core::hash::Hash::hash(#part, state);)
        }
    }
}

/// What an update gives the target: the source's value, but never less than the target holds beyond what is compared.
pub(super) fn written(model: &Model<'_>, field: &Field<'_>) -> Option<TokenStream> {
    let ty = field.ty;
    let (mine, its) = (ref_of("self", field), ref_of("target", field));
    let namings = name::namings(model, field);

    if matches!(field.comparison, Comparison::Contains) && !namings.is_empty() {
        return Some(name::union(&namings, field, &mine, &its));
    }
    matches!(field.comparison, Comparison::Contains)
        .then(|| quote_spanned!(call_site(ty)=> <#ty as _diffsync::compare::Contains>::union(#mine, #its)))
}

/// The comparison in the schema.
pub(super) fn schema(field: &Field<'_>) -> TokenStream {
    match &field.comparison {
        Comparison::Equal => quote!(Equal),
        Comparison::Unordered => quote!(Unordered),
        Comparison::IgnoreCase => quote!(IgnoreCase),
        Comparison::Contains => quote!(Contains),
        Comparison::BlankIsNone => quote!(BlankIsNone),
        Comparison::Tolerance(tolerance) => {
            let tolerance = Literal::f64_suffixed(*tolerance);
            quote!(Tolerance(#tolerance))
        }
        Comparison::With(path) => {
            let path = quote!(#path).to_string().replace(' ', "");
            quote!(With(#path))
        }
    }
}

fn by_trait(name: &str, ty: &TokenStream, field: &Field<'_>, mine: &TokenStream, its: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    let name = proc_macro2::Ident::new(name, span);

    quote_spanned!(span=> <#ty as _diffsync::compare::#name>::same(#mine, #its))
}

//! What a field that names other records is compared as: the identifiers that it names, as the models that it leads to
//! compare theirs.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;

use super::held_type;
use crate::model::ast::{Comparison, Field, Link, Model, NamedBy, Role};
use crate::span::call_site;
use crate::ty::{argument, is_list, is_self, is_string, option};

/// What a field names by one link.
pub(super) struct Naming<'m> {
    to: Type,
    /// The identifier of the other model that the field holds, where the link is over several fields.
    part: Option<&'m Ident>,
}

impl Naming<'_> {
    /// What a value, given by reference, names: an `Option` of something that has `Copy`, `Eq` and `Hash`.
    fn named(&self, field: &Field<'_>, value: &TokenStream) -> TokenStream {
        let (to, span) = (&self.to, call_site(field.ty));
        match self.part {
            None => quote_spanned!(span=> _diffsync::model::AsKey::<#to>::key(#value)),
            Some(part) => {
                let compared = compared_part(part);
                let key = quote_spanned!(span=> <#to as _diffsync::SyncModel>::Key<'_>);
                quote_spanned! {span=>
                    match _diffsync::__private::KeyPart::part(#value) {
                        ::core::option::Option::Some(part) => ::core::option::Option::Some(<#key>::#compared(part)),
                        ::core::option::Option::None => ::core::option::Option::None,
                    }
                }
            }
        }
    }
}

/// The links that decide when two values of the field are the same. A comparison that the user chose for single values
/// goes before them.
pub(super) fn namings<'m>(model: &'m Model<'_>, field: &Field<'_>) -> Vec<Naming<'m>> {
    match field.comparison {
        Comparison::Equal | Comparison::BlankIsNone => {}

        // These compare lists as a whole, and leave open how two elements compare.
        Comparison::Unordered | Comparison::Contains if is_list(field.ty) => {}
        _ => return Vec::new(),
    }

    // What a deferred reference leads to may lead back to this identifier; that of an attribute leads nowhere else.
    let decides = |link: &&Link| field.role == Role::Attribute || link.deferred().is_none();
    let mut namings: Vec<Naming<'_>> = Vec::new();
    let mut add = |to: &Type, part: Option<&'m Ident>| {
        let written = |to: &Type| quote!(#to).to_string();

        // Two links may lead to one identifier of one model, by which a field is compared once.
        if !namings.iter().any(|other| other.part == part && written(&other.to) == written(to)) {
            namings.push(Naming { to: to.clone(), part });
        }
    };

    for link in model.links.iter().filter(decides) {
        let to = resolved(model, &link.model);
        match &link.named_by {
            NamedBy::Field(mine) if mine == field.ident => {
                // An identifier that names a record of its own model would be compared by itself, for ever.
                if !(leads_to_itself(model, link) && field.role == Role::Identifier) {
                    add(&to, None);
                }
            }
            NamedBy::Field(_) => {}
            NamedBy::Fields(pairs) => {
                for pair in pairs.iter().filter(|pair| pair.mine == *field.ident) {
                    if !(leads_to_itself(model, link) && leads_back(model, field.ident, &pair.its)) {
                        add(&to, Some(&pair.its));
                    }
                }
            }
        }
    }

    namings
}

fn leads_to_itself(model: &Model<'_>, link: &Link) -> bool {
    is_self(&link.model) || *model.ident == quote::ToTokens::to_token_stream(&link.model).to_string()
}

/// Whether an identifier is compared as another of the same model that is compared as it.
fn leads_back(model: &Model<'_>, field: &Ident, its: &Ident) -> bool {
    let (mut seen, mut open) = (vec![its], vec![its]);
    while let Some(at) = open.pop() {
        if at == field {
            return true;
        }
        for link in model.links.iter().filter(|link| leads_to_itself(model, link) && link.deferred().is_none()) {
            let NamedBy::Fields(pairs) = &link.named_by else { continue };
            for next in pairs.iter().filter(|pair| pair.mine == *at).map(|pair| &pair.its) {
                if !seen.contains(&next) {
                    seen.push(next);
                    open.push(next);
                }
            }
        }
    }

    false
}

/// What a value of the field, given by reference, names by all of these links. Of a list it is one of its elements.
pub(super) fn named(namings: &[Naming<'_>], field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let each = namings.iter().map(|naming| naming.named(field, value));
    if namings.len() == 1 { quote!(#(#each)*) } else { quote_spanned!(call_site(field.ty)=> (#(#each),*)) }
}

/// What the elements of a list, which is given by reference, name one after the other.
fn each_named(namings: &[Naming<'_>], field: &Field<'_>, list: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    let (each, named) = (names(field, list), named(namings, field, &quote_spanned!(span=> name)));

    quote_spanned!(span=> #each.map(|name| #named))
}

/// Whether two values, given by reference, name the same.
pub(super) fn same(namings: &[Naming<'_>], field: &Field<'_>, mine: &TokenStream, its: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    if !is_list(field.ty) {
        let (mine, its) = (named(namings, field, mine), named(namings, field, its));
        return quote_spanned!(span=> (#mine == #its));
    }

    let same = Ident::new(list_comparison(field), span);
    let (all_mine, all_its) = (each_named(namings, field, mine), each_named(namings, field, its));
    let same = quote_spanned!(span=> _diffsync::__private::name::#same(#all_mine, #all_its));
    if option(field.ty).is_none() {
        return same;
    }

    // `None` and an empty list both name nothing, and still differ.
    let is_some = |value: &TokenStream| quote_spanned!(span=> ::core::option::Option::is_some(#value));
    let (mine, its) = (is_some(mine), is_some(its));
    if matches!(field.comparison, Comparison::Contains) {
        // `None` in the source asks for nothing.
        return quote_spanned!(span=> (!#mine || #its && #same));
    }

    quote_spanned!(span=> (#mine == #its && #same))
}

/// Adds what a value, given by reference, names to the hash.
pub(super) fn hash(namings: &[Naming<'_>], field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    if !is_list(field.ty) {
        let named = named(namings, field, value);
        return quote_spanned!(span=> _diffsync::__private::name::hash(&#named, state););
    }

    let hash = match list_comparison(field) {
        "same_in_order" => Ident::new("hash_in_order", span),
        _ => Ident::new("hash_in_any_order", span),
    };

    let named = each_named(namings, field, value);
    quote_spanned!(span=> _diffsync::__private::name::#hash(#named, state);)
}

/// The function of the core that compares two lists of what is named.
fn list_comparison(field: &Field<'_>) -> &'static str {
    match field.comparison {
        Comparison::Contains => "contains",
        Comparison::Unordered => "same_in_any_order",
        _ if list_name(field.ty) == "Vec" => "same_in_order",
        _ => "same_set",
    }
}

/// What the target holds and what the source, both given by reference, names beyond it.
pub(super) fn union(namings: &[Naming<'_>], field: &Field<'_>, mine: &TokenStream, its: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    let held = each_named(namings, field, its);
    let (each, named) = (names(field, mine), named(namings, field, &quote_spanned!(span=> name)));

    let union = quote_spanned! {span=>
        _diffsync::__private::name::union(#its, #held, #each.map(|name| (#named, name)))
    };
    if option(field.ty).is_none() {
        return union;
    }
    quote_spanned! {span=>
        // `union` begins with the target's `None`, which an empty list of the source would leave as it is.
        if ::core::option::Option::is_none(#its) { ::core::clone::Clone::clone(#mine) } else { #union }
    }
}

/// How a part of a key is called by those that compare it, and by those that take it over.
pub(super) fn compared_part(part: &Ident) -> Ident {
    format_ident!("sync_part_{}", part.unraw(), span = call_site(part))
}

/// The function that gives a part of a key.
pub(super) fn given_part(part: &Ident) -> Ident {
    format_ident!("sync_give_{}", part.unraw(), span = call_site(part))
}

/// What others need of a key's parts one by one, by the names that links over several fields give: the part itself, and
/// what it is compared as.
pub(super) fn parts(model: &Model<'_>, key: &Ident) -> TokenStream {
    let parts = model.with_role(Role::Identifier).map(|field| {
        let (ident, vis, span) = (field.ident, field.vis, call_site(field.ty));
        let ty = borrowed_type(field.ty);
        let (compared, given) = (compared_part(ident), given_part(ident));
        let namings = if is_list(field.ty) { Vec::new() } else { namings(model, field) };
        let (part, held) = (quote_spanned!(span=> part), held_type(field));
        let by = |wrapper: &str| {
            let wrapper = Ident::new(wrapper, span);
            let wrapper = quote_spanned!(span=> _diffsync::__private::name::#wrapper);
            (quote_spanned!(span=> #wrapper<'key, #held>), quote_spanned!(span=> #wrapper(part)))
        };

        // Where the part names another record, its model alone knows the type, so that is opaque. Elsewhere it is not, or a
        // field's type that cannot be compared would be reported here as well as where its bounds are checked.
        let opaque = || {
            quote_spanned! {span=>
                impl ::core::marker::Copy + ::core::cmp::Eq + ::core::hash::Hash + use<'key>
            }
        };
        let (result, body) = match field.comparison {
            _ if !namings.is_empty() => (opaque(), named(&namings, field, &part)),
            Comparison::IgnoreCase => by("IgnoringCase"),
            Comparison::Unordered => by("InAnyOrder"),
            _ => (ty.clone(), part),
        };
        quote_spanned! {span=>
            #[inline]
            #vis fn #compared(
                part: #ty,
            ) -> #result {
                #body
            }

            #[inline]
            #vis fn #given(self) -> #ty {
                self.#ident
            }
        }
    });

    quote! {
        #[automatically_derived]
        #[doc(hidden)]
        #[allow(dead_code, unreachable_pub, missing_docs, reason = "generated for whoever needs it")]
        impl<'key> #key<'key> {
            #(#parts)*
        }
    }
}

/// Placeholders for parts that a key does not have. The missing part is reported elsewhere, once.
pub(super) fn missing_parts(model: &Model<'_>) -> Option<TokenStream> {
    let mut parts: Vec<&Ident> = Vec::new();
    for link in &model.links {
        let NamedBy::Fields(pairs) = &link.named_by else { continue };
        for pair in pairs {
            if !parts.contains(&&pair.its) {
                parts.push(&pair.its);
            }
        }
    }

    if parts.is_empty() {
        return None;
    }
    let functions = parts.iter().map(|part| {
        let (compared, given) = (compared_part(part), given_part(part));
        quote! {
            #[inline]
            fn #compared(_: _diffsync::__private::NoPart) {}

            #[inline]
            fn #given(self) -> _diffsync::__private::NoPart {
                _diffsync::__private::NoPart
            }
        }
    });

    Some(quote! {
        // The inherent functions of a key are found first, so these are called only for parts that it lacks.
        #[allow(dead_code, reason = "only what is missing needs it")]
        trait SyncNoPart: ::core::marker::Sized {
            #(#functions)*
        }

        impl<SyncKey> SyncNoPart for SyncKey {}
    })
}

/// The other model, where `Self` is this one.
pub(super) fn resolved(model: &Model<'_>, to: &Type) -> Type {
    let own = model.ident;
    if is_self(to) { syn::parse_quote!(#own) } else { to.clone() }
}

/// The names that a list, which is given by reference, holds one after the other.
pub(super) fn names(list: &Field<'_>, value: &TokenStream) -> TokenStream {
    if option(list.ty).is_some() {
        quote_spanned!(call_site(list.ty)=> ::core::iter::Iterator::flatten(::core::option::Option::iter(#value)))
    } else {
        quote_spanned!(call_site(list.ty)=> ::core::iter::IntoIterator::into_iter(#value))
    }
}

/// The name of the type of a list, which an `Option` may hold.
pub(super) fn list_name(ty: &Type) -> &'static str {
    let ty = option(ty).unwrap_or(ty);
    ["BTreeSet", "HashSet"].into_iter().find(|set| argument(ty, set).is_some()).unwrap_or("Vec")
}

/// How a key holds an identifier of this type.
pub(super) fn borrowed_type(ty: &Type) -> TokenStream {
    // A `str`, so that `table.get("france")` allocates nothing.
    if is_string(ty) { quote!(&'key str) } else { quote!(&'key #ty) }
}

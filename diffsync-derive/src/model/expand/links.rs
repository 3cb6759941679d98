//! The links of a model to others.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::name::{Naming, given_part};
use super::{field_of, name, ref_of};
use crate::model::ast::{Field, Link, Model, NamedBy};
use crate::span::call_site;
use crate::ty::{is_list, option};

pub(super) fn links(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;

    let mut bounds = Vec::new();
    let mut bound_models: Vec<String> = Vec::new();
    let mut visits = Vec::new();
    let mut spellings = Vec::new();
    for link in &model.links {
        let to = name::resolved(model, &link.model);
        let written = to.to_token_stream().to_string();

        // Each model once, or a link to a type that is no model would be reported for each link.
        if !bound_models.contains(&written) {
            bound_models.push(written);

            // The bound is on the data set, since only a data set can lack the table. `#[derive(Dataset)]` has the
            // compiler report that at the field of this model.
            bounds.push(
                quote_spanned!(to.span()=> #to: _diffsync::SyncModel, SyncDataset: _diffsync::data::HasTable<#to>),
            );
        }
        let key_of = key_of(model, link, &to);
        visits.push(quote_spanned! {call_site(&to)=>
            // The schema lists the links in this order. Generated code has no indexing, which could panic.
            if let ::core::option::Option::Some(link) = links.next() {
                visitor.visit::<#to>(link, #key_of);
            }
        });
        let (orders, respelled) = (link.deferred().is_none(), respelled(model, link, &to));
        spellings.push(quote_spanned!(call_site(&to)=> visitor.visit::<#to>(#orders, #respelled);));
    }

    let spellings = (!spellings.is_empty()).then(|| {
        quote! {
            fn visit_spellings<SyncVisitor: _diffsync::__private::SpellingVisitor<SyncDataset, Self>>(visitor: &mut SyncVisitor) {
                #(#spellings)*
            }
        }
    });

    let (visitor, links) = if visits.is_empty() {
        (quote!(_), TokenStream::new())
    } else {
        (quote!(visitor), quote!(let mut links = <#ident as _diffsync::SyncModel>::SCHEMA.links.iter();))
    };
    quote! {
        #[automatically_derived]
        impl<SyncDataset> _diffsync::data::LinksIn<SyncDataset> for #ident
        where
            #(#bounds,)*
        {
            fn visit_links<SyncVisitor: _diffsync::__private::LinkVisitor<SyncDataset, Self>>(#visitor: &mut SyncVisitor) {
                #links
                #(#visits)*
            }

            #spellings
        }
    }
}

/// The closure that reads from a record the keys of the records it names. It captures nothing.
fn key_of(model: &Model<'_>, link: &Link, to: &Type) -> TokenStream {
    let (list, key, span) = (list(model, link), key(model, link, to), call_site(to));
    let Some(list) = list else { return quote_spanned!(span=> _diffsync::__private::KeyOf::One(|record| #key)) };
    let names = name::names(list, &ref_of("record", list));

    quote_spanned! {span=>
        _diffsync::__private::KeyOf::Many(|record, each| {
            #names.filter_map(|name| #key).for_each(each);
        })
    }
}

/// The field of a link that names several records, if there is one.
fn list<'m, 'a>(model: &'m Model<'a>, link: &'m Link) -> Option<&'m Field<'a>> {
    link.fields().filter_map(|mine| model.field(mine)).find(|field| is_list(field.ty))
}

/// The key that a link reads from `record`; where a field of it is a list, with `name` for the list.
///
/// All of it that depends on a field's type is at the span of that type: the same code is generated several times, and the
/// compiler reports a wrong type once if the errors have the same place.
fn key(model: &Model<'_>, link: &Link, to: &Type) -> TokenStream {
    let list = list(model, link);
    match &link.named_by {
        NamedBy::Field(mine) => {
            let Some(field) = model.field(mine) else { return TokenStream::new() };
            let span = call_site(field.ty);
            let value = field_of("record", field);

            let name = if list.is_some() { quote_spanned!(span=> name) } else { quote_spanned!(span=> &#value) };
            quote_spanned!(span=> _diffsync::model::AsKey::<#to>::key(#name))
        }
        NamedBy::Fields(pairs) => {
            // For example:
            //
            //     match (KeyPart::part(&record.site), KeyPart::part(&record.rack)) {
            //         (Some(part_0), Some(part_1)) => Some(SyncKey { site: part_0, name: part_1 }),
            //         _ => None,
            //     }
            let (mut parts, mut names, mut assigned) = (Vec::new(), Vec::new(), Vec::new());
            for (position, pair) in pairs.iter().enumerate() {
                let its = &pair.its;
                let Some(field) = model.field(&pair.mine) else { continue };
                let (span, value) = (call_site(field.ty), field_of("record", field));
                let in_list = list.is_some_and(|list| list.ident == field.ident);
                let value = if in_list { quote_spanned!(span=> name) } else { quote_spanned!(span=> &#value) };
                let name = format_ident!("part_{}", position, span = span);

                parts.push(quote_spanned!(span=> _diffsync::__private::KeyPart::part(#value)));
                assigned.push(quote!(#its: #name));
                names.push(name);
            }

            // A wrong or missing identifier is a wrong or missing field of the key, which the compiler reports at the
            // words that the user wrote.
            let key = quote_spanned!(link.model.span()=> SyncKey { #(#assigned),* });
            quote! {{
                // An alias, since a struct expression cannot begin with `<Site as SyncModel>::Key`.
                type SyncKey<'key> = <#to as _diffsync::SyncModel>::Key<'key>;
                match (#(#parts,)*) {
                    (#(::core::option::Option::Some(#names),)*) => ::core::option::Option::Some(#key),
                    // If any of the fields is `None`, the record names nothing.
                    _ => ::core::option::Option::None,
                }
            }}
        }
    }
}

/// The closure that changes the names in a record to the spelling of the records they name. It captures nothing.
fn respelled(model: &Model<'_>, link: &Link, to: &Type) -> TokenStream {
    let span = call_site(to);
    let key = key(model, link, to);
    let list = list(model, link);
    let new = quote_spanned!(span=> let new = ::core::option::Option::and_then(#key, &mut *spelled););
    let takes = |field: &Field<'_>, value: TokenStream| take(model, link, to, field, &value);
    let single = link.fields().filter_map(|mine| model.field(mine)).filter(|field| !is_list(field.ty)).map(|field| {
        let value = field_of("record", field);
        takes(field, quote_spanned!(call_site(field.ty)=> (&mut #value)))
    });

    let Some(list) = list else {
        return quote_spanned! {span=>
            _diffsync::__private::Respelled(|record, spelled| {
                #new
                if let ::core::option::Option::Some(key) = _diffsync::model::AsKey::<#to>::key(&new) {
                    #(#single)*
                }
            })
        };
    };

    let value = field_of("record", list);
    let take = takes(list, quote_spanned!(call_site(list.ty)=> (&mut each)));
    let each = quote_spanned! {span=>
        ::core::iter::Iterator::collect(::core::iter::Iterator::map(
            ::core::iter::IntoIterator::into_iter(list),
            |mut each| {
                let name = &each;
                #new
                if let ::core::option::Option::Some(key) = _diffsync::model::AsKey::<#to>::key(&new) {
                    #take
                    last = new;
                }
                each
            },
        ))
    };

    let all = if option(list.ty).is_some() {
        quote_spanned!(span=> ::core::option::Option::map(list, |list| #each))
    } else {
        each
    };
    quote_spanned! {span=>
        _diffsync::__private::Respelled(|record, spelled| {
            let mut last = ::core::option::Option::None;

            // Taken out and collected again, since the elements of a set cannot be changed in place.
            let list = ::core::mem::take(&mut #value);
            #value = #all;
            if let ::core::option::Option::Some(key) = _diffsync::model::AsKey::<#to>::key(&last) {
                // Unused where the list is the link's only field.
                let _ = key;
                #(#single)*
            }
        })
    }
}

/// Takes over how `key` spells what a field holds of it. Where the field names others too, it must still name the same.
fn take(model: &Model<'_>, link: &Link, to: &Type, field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    let respell = |value: &TokenStream| match &link.named_by {
        NamedBy::Field(_) => quote_spanned!(span=> _diffsync::model::AsKey::<#to>::respell(#value, key);),
        NamedBy::Fields(pairs) => {
            let parts = pairs.iter().filter(|pair| pair.mine == *field.ident).map(|pair| {
                let (given, of) =
                    (given_part(&pair.its), quote_spanned!(span=> <#to as _diffsync::SyncModel>::Key<'_>));
                quote_spanned!(span=> _diffsync::__private::KeyPart::respell(#value, <#of>::#given(key));)
            });
            quote!(#(#parts)*)
        }
    };

    // Tried on a copy: the new spelling may name another record by one of the field's other links.
    let namings: Vec<Naming<'_>> = name::namings(model, field);
    if namings.len() < 2 {
        return respell(value);
    }
    let respell = respell(&quote_spanned!(span=> (&mut other)));
    let named = |value: TokenStream| name::named(&namings, field, &value);
    let (before, after) = (named(quote_spanned!(span=> (&*held))), named(quote_spanned!(span=> (&other))));

    quote_spanned! {span=>
        let held = #value;
        let mut other = ::core::clone::Clone::clone(&*held);
        #respell
        if #before == #after {
            *held = other;
        }
    }
}

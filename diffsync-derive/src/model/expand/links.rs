//! The links of a model to others.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::{field_at, field_of};
use crate::model::ast::{Field, Link, Model, NamedBy};
use crate::place::place;
use crate::ty::{is_list, is_self, option};

pub(super) fn links(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let mut bounds = Vec::new();
    let mut bound_models: Vec<String> = Vec::new();
    let mut visits = Vec::new();
    for link in &model.links {
        let to = resolved(model, &link.model);
        let written = to.to_token_stream().to_string();
        if !bound_models.contains(&written) {
            bound_models.push(written);
            bounds.push(quote_spanned!(to.span()=> #to: _diffsync::SyncModel, SyncDataset: _diffsync::HasTable<#to>));
        }
        let key_of = key_of(model, link, &to);
        visits.push(quote_spanned! {place(&to)=>
            if let ::core::option::Option::Some(link) = links.next() {
                visitor.visit::<#to>(link, #key_of);
            }
        });
    }
    let (visitor, links) = if visits.is_empty() {
        (quote!(_), TokenStream::new())
    } else {
        (quote!(visitor), quote!(let mut links = <#ident as _diffsync::SyncModel>::SCHEMA.links.iter();))
    };
    quote! {
        #[automatically_derived]
        impl<SyncDataset> _diffsync::LinksIn<SyncDataset> for #ident
        where
            #(#bounds,)*
        {
            fn visit_links<SyncVisitor: _diffsync::__private::LinkVisitor<SyncDataset, Self>>(#visitor: &mut SyncVisitor) {
                #links
                #(#visits)*
            }
        }
    }
}

/// The model that is meant: `Self` stands for this one.
pub(super) fn resolved(model: &Model<'_>, to: &Type) -> Type {
    let own = model.ident;
    if is_self(to) { syn::parse_quote!(#own) } else { to.clone() }
}

/// What reads from a record which others it names: a closure that captures nothing.
fn key_of(model: &Model<'_>, link: &Link, to: &Type) -> TokenStream {
    let list = link.fields().filter_map(|mine| model.field(mine)).find(|field| is_list(field.ty));
    let key = match &link.named_by {
        NamedBy::Field(mine) => {
            let Some(field) = model.field(mine) else { return TokenStream::new() };
            let place = place(field.ty);
            let value = field_of("record", field);
            let name = if list.is_some() { quote_spanned!(place=> name) } else { quote_spanned!(place=> &#value) };
            quote_spanned!(place=> _diffsync::Names::<#to>::key(#name))
        }
        NamedBy::Fields(pairs) => {
            let (mut parts, mut names, mut assigned) = (Vec::new(), Vec::new(), Vec::new());
            for (position, pair) in pairs.iter().enumerate() {
                let (its, place) = (&pair.its, place(&pair.mine));
                let Some(field) = model.field(&pair.mine) else { continue };
                let value = field_at("record", field, place);
                let in_list = list.is_some_and(|list| list.ident == field.ident);
                let value = if in_list { quote_spanned!(place=> name) } else { quote_spanned!(place=> &#value) };
                let name = format_ident!("part_{}", position, span = place);
                parts.push(quote_spanned!(place=> _diffsync::__private::KeyPart::part(#value)));
                assigned.push(quote!(#its: #name));
                names.push(name);
            }
            // An identifier that the other model has not, or that was left out, is so a field that the key has not, or
            // that was left out: the compiler says it at the words that the user wrote.
            let key = quote_spanned!(link.model.span()=> SyncKey { #(#assigned),* });
            quote! {{
                type SyncKey<'key> = <#to as _diffsync::SyncModel>::Key<'key>;
                match (#(#parts,)*) {
                    (#(::core::option::Option::Some(#names),)*) => ::core::option::Option::Some(#key),
                    _ => ::core::option::Option::None,
                }
            }}
        }
    };
    let place = place(to);
    let Some(list) = list else { return quote_spanned!(place=> _diffsync::__private::KeyOf::One(|record| #key)) };
    let names = names(list);
    quote_spanned! {place=>
        _diffsync::__private::KeyOf::Many(|record, each| {
            #names.filter_map(|name| #key).for_each(each);
        })
    }
}

/// The names that a list holds, one after the other.
fn names(list: &Field<'_>) -> TokenStream {
    let value = field_of("record", list);
    if option(list.ty).is_some() {
        quote_spanned!(place(list.ty)=> ::core::iter::Iterator::flatten(::core::option::Option::iter(&#value)))
    } else {
        quote_spanned!(place(list.ty)=> ::core::iter::IntoIterator::into_iter(&#value))
    }
}

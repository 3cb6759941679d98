//! The links of a model to others.

use proc_macro2::{Ident, TokenStream};
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
    let (mut functions, mut visits) = (Vec::new(), Vec::new());
    for (position, link) in model.links.iter().enumerate() {
        let to = resolved(model, &link.model);
        let written = to.to_token_stream().to_string();
        if !bound_models.contains(&written) {
            bound_models.push(written);
            bounds.push(quote_spanned!(to.span()=> SyncDataset: _diffsync::HasTable<#to>));
        }
        let function = format_ident!("named_{}", position);
        let (kind, named) = named(model, link, &to, &function);
        functions.push(named);
        visits.push(quote_spanned! {place(&to)=>
            if let ::core::option::Option::Some(link) = links.next() {
                visitor.visit::<#to>(link, _diffsync::__private::KeyOf::<#ident, #to>::#kind(#function));
            }
        });
    }
    if visits.is_empty() {
        return quote! {
            #[automatically_derived]
            impl<SyncDataset> _diffsync::LinksIn<SyncDataset> for #ident {
                fn visit_links<SyncVisitor: _diffsync::__private::LinkVisitor<SyncDataset, Self>>(_: &mut SyncVisitor) {}
            }
        };
    }
    quote! {
        #[automatically_derived]
        impl<SyncDataset> _diffsync::LinksIn<SyncDataset> for #ident
        where
            #(#bounds,)*
        {
            fn visit_links<SyncVisitor: _diffsync::__private::LinkVisitor<SyncDataset, Self>>(visitor: &mut SyncVisitor) {
                #(#functions)*
                let mut links = <#ident as _diffsync::SyncModel>::SCHEMA.links.iter();
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

/// The function that says which records a record names, and the kind of `KeyOf` that it is.
fn named(model: &Model<'_>, link: &Link, to: &Type, function: &Ident) -> (TokenStream, TokenStream) {
    let ident = model.ident;
    let list = link.fields().filter_map(|mine| model.field(mine)).find(|field| is_list(field.ty));
    let key = match &link.named_by {
        NamedBy::Field(mine) => {
            let field = model.field(mine);
            let ty = field.map_or_else(|| place(to), |field| place(field.ty));
            let name = match (field, list) {
                (_, Some(_)) => quote_spanned!(ty=> name),
                (Some(field), None) => {
                    let value = field_of("record", field);
                    quote_spanned!(ty=> &#value)
                }
                (None, None) => TokenStream::new(),
            };
            quote_spanned!(ty=> _diffsync::Names::<#to>::key(#name))
        }
        NamedBy::Fields(pairs) => {
            let parts = pairs.iter().map(|pair| {
                let (its, place) = (&pair.its, place(&pair.mine));
                let part = match (model.field(&pair.mine), list) {
                    (Some(field), Some(list)) if field.ident == list.ident => quote_spanned!(place=> name),
                    (Some(field), _) => {
                        let value = field_at("record", field, place);
                        quote_spanned!(place=> &#value)
                    }
                    (None, _) => TokenStream::new(),
                };
                let part = quote_spanned!(place=> _diffsync::__private::KeyPart::part(#part)?);
                quote!(#its: #part)
            });
            // An identifier that the other model has not, or that was left out, is so a field that the key has not, or
            // that was left out: the compiler says it at the words that the user wrote.
            let key = quote_spanned!(link.model.span()=> SyncKey { #(#parts),* });
            quote!(::core::option::Option::Some(#key))
        }
    };
    let alias = matches!(link.named_by, NamedBy::Fields(_))
        .then(|| quote!(type SyncKey<'key> = <#to as _diffsync::SyncModel>::Key<'key>;));
    let key_type = |lifetime: TokenStream| quote_spanned!(to.span()=> <#to as _diffsync::SyncModel>::Key<#lifetime>);
    let Some(list) = list else {
        let key_type = key_type(quote!('_));
        let function = quote! {
            fn #function(record: &#ident) -> ::core::option::Option<#key_type> {
                #alias
                #key
            }
        };
        return (quote!(One), function);
    };
    let key_type = key_type(quote!('record));
    let names = names(list);
    let key = if alias.is_some() {
        // In a function of its own, so that `?` ends with the one name.
        quote! {
            (|| -> ::core::option::Option<SyncKey<'record>> { #key })()
        }
    } else {
        key
    };
    let function = quote! {
        fn #function<'record>(record: &'record #ident, each: &mut dyn ::core::ops::FnMut(#key_type)) {
            #alias
            for name in #names {
                if let ::core::option::Option::Some(key) = #key {
                    each(key);
                }
            }
        }
    };
    (quote!(Many), function)
}

/// The names that a list holds, one after the other.
fn names(list: &Field<'_>) -> TokenStream {
    let value = field_of("record", list);
    if option(list.ty).is_some() {
        quote_spanned!(place(list.ty)=> ::core::iter::Iterator::flatten(::core::option::Option::iter(&#value)))
    } else {
        quote_spanned!(place(list.ty)=> &#value)
    }
}

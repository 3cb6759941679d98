//! The links of a model to others.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::field_of;
use crate::model::ast::{Field, Link, Model, is_self, option};
use crate::place::place;

pub(super) fn links(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let Some(parent) = Parent::of(model) else {
        return quote! {
            #[automatically_derived]
            impl<SyncDataset> ::diffsync_core::LinksIn<SyncDataset> for #ident {
                fn visit_links<SyncVisitor: ::diffsync_core::__private::LinkVisitor<SyncDataset, Self>>(_: &mut SyncVisitor) {}
            }
        };
    };
    let (model, key) = (&parent.model, parent.key());
    let bound = quote_spanned!(model.span()=> SyncDataset: ::diffsync_core::HasTable<#model>);
    let result = quote_spanned! {model.span()=>
        ::core::option::Option<<#model as ::diffsync_core::SyncModel>::Key<'_>>
    };
    let visit = quote_spanned!(place(model)=> visitor.visit::<#model>(link, ::diffsync_core::__private::KeyOf::<#ident, #model>::One(parent)););
    quote! {
        #[automatically_derived]
        impl<SyncDataset> ::diffsync_core::LinksIn<SyncDataset> for #ident
        where
            #bound
        {
            fn visit_links<SyncVisitor: ::diffsync_core::__private::LinkVisitor<SyncDataset, Self>>(visitor: &mut SyncVisitor) {
                fn parent(record: &#ident) -> #result {
                    #key
                }
                if let ::core::option::Option::Some(link) =
                    <#ident as ::diffsync_core::SyncModel>::SCHEMA.links.first()
                {
                    #visit
                }
            }
        }
    }
}

/// The model's parent, however it was written.
pub(super) struct Parent<'a> {
    pub(super) model: Type,
    named_by: NamedBy<'a>,
}

enum NamedBy<'a> {
    /// The field that holds the parent's identifier.
    Field(&'a Field<'a>),
    /// The fields that hold the parent's identifiers, each with the one that it holds.
    Fields(&'a Link, &'a Model<'a>),
}

impl<'a> Parent<'a> {
    pub(super) fn of(model: &'a Model<'a>) -> Option<Self> {
        let own = model.ident;
        let resolve = |parent: &Type| if is_self(parent) { syn::parse_quote!(#own) } else { parent.clone() };
        if let Some(link) = &model.parent {
            return Some(Self { model: resolve(&link.model), named_by: NamedBy::Fields(link, model) });
        }
        let field = model.fields.iter().find(|field| field.parent.is_some())?;
        let parent = field.parent.as_ref()?;
        Some(Self { model: resolve(&parent.model), named_by: NamedBy::Field(field) })
    }

    /// The names of the fields.
    pub(super) fn fields(&self) -> Vec<String> {
        match self.named_by {
            NamedBy::Field(field) => vec![field.name()],
            NamedBy::Fields(link, _) => link.pairs.iter().map(|(_, mine)| mine.unraw().to_string()).collect(),
        }
    }

    /// An expression for the parent's key, where `record` is the child.
    fn key(&self) -> TokenStream {
        let model = &self.model;
        match self.named_by {
            NamedBy::Field(field) => {
                let value = field_of("record", field);
                quote_spanned!(place(field.ty)=> ::diffsync_core::Names::<#model>::key(&#value))
            }
            NamedBy::Fields(link, child) => {
                let parts = link.pairs.iter().map(|(its, mine)| {
                    let optional = child.fields.iter().any(|field| field.ident == mine && option(field.ty).is_some());
                    let (place, mut mine) = (place(mine), mine.clone());
                    mine.set_span(place);
                    let value = if optional {
                        quote_spanned!(place=> record.#mine.as_ref()?)
                    } else {
                        quote_spanned!(place=> &record.#mine)
                    };
                    quote!(#its: #value)
                });
                // An identifier that the parent has not, or that was left out, is so a field that the key has not, or
                // that was left out: the compiler says it at the words that the user wrote.
                let key = quote_spanned!(model.span()=> SyncParentKey { #(#parts),* });
                quote! {
                    type SyncParentKey<'key> = <#model as ::diffsync_core::SyncModel>::Key<'key>;
                    ::core::option::Option::Some(#key)
                }
            }
        }
    }
}

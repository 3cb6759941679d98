//! The typed change of a record.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{TypeNames, doc_lints, field_doc, field_of, ref_of};
use crate::model::ast::{Model, Role};
use crate::span::call_site;
use crate::ty::is_plain;

/// `CountryPatch`.
pub(super) fn patch_type(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let patch = &names.patch;
    let model_vis = model.vis;
    let doc = format!("A change of a [`{}`]: the attributes that get a new value.", model.ident);
    let lints = doc_lints();
    let fields = model.with_role(Role::Attribute).map(|field| {
        let (ident, vis, ty, doc) = (field.ident, field.vis, field.ty, field_doc(field, "attribute"));
        quote!(#[doc = #doc] #vis #ident: ::core::option::Option<#ty>)
    });

    quote! {
        #[doc = #doc]
        #lints
        #[derive(::core::default::Default)]
        #[allow(clippy::option_option, reason = "the outer one says whether the attribute changes, the inner one is its value")]
        #model_vis struct #patch {
            #(#fields,)*
        }
    }
}

/// What a `CountryPatch` can do.
pub(super) fn patch(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let patch = &names.patch;
    let vis = model.vis;
    let fields: Vec<_> = model.with_role(Role::Attribute).collect();
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let type_name = patch.to_string();
    let copies = fields.iter().map(|field| {
        let (ident, value) = (field.ident, ref_of("self", field));
        if is_plain(field.ty) {
            return quote!(#ident: ::core::clone::Clone::clone(#value));
        }
        let copy = quote_spanned! {call_site(field.ty)=>
            ::core::option::Option::map(::core::option::Option::as_ref(#value), ::core::clone::Clone::clone)
        };
        quote!(#ident: #copy)
    });

    let entries = fields.iter().map(|field| {
        let (name, value) = (&field.name, field_of("self", field));
        let value = if is_plain(field.ty) {
            quote!(::core::option::Option::as_ref(&#value))
        } else {
            quote_spanned! {call_site(field.ty)=>
                match &#value {
                    ::core::option::Option::Some(value) => ::core::option::Option::Some(attribute(value)),
                    ::core::option::Option::None => ::core::option::Option::None,
                }
            }
        };
        quote_spanned!(call_site(field.ty)=> changes.entry(#name, #value);)
    });

    // An empty chain of `&&` is no expression.
    let is_empty = if idents.is_empty() { quote!(true) } else { quote!(#(self.#idents.is_none())&&*) };
    quote! {
        #[automatically_derived]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        impl #patch {
            /// Whether nothing changes.
            #[must_use]
            #[inline]
            #vis fn is_empty(&self) -> bool {
                #is_empty
            }
        }

        #[automatically_derived]
        impl ::core::clone::Clone for #patch {
            #[inline]
            fn clone(&self) -> Self {
                Self { #(#copies),* }
            }
        }

        // Not derived, since only attributes that change are written: a derived `null` would mean that the value is
        // removed.
        #[automatically_derived]
        impl _diffsync::__private::serde::Serialize for #patch {
            fn serialize<S: _diffsync::__private::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<<S as _diffsync::__private::serde::Serializer>::Ok, <S as _diffsync::__private::serde::Serializer>::Error> {
                let mut changes = _diffsync::__private::Changes::new(serializer);
                #(#entries)*
                changes.end()
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #patch {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                // Through the serialiser, which redacts secrets.
                _diffsync::__private::debug_patch(#type_name, self, f)
            }
        }
    }
}

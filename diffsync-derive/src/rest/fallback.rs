//! The code for an input that cannot be stored in an API, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(crate) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `RestModel` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: _diffsync::__private::rest::SyncModel + ::core::clone::Clone
    });
    let where_clause = &generics.where_clause;

    krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::__private::rest::RestModel for #ident #ty_generics #where_clause {
            const REST: &'static _diffsync::__private::rest::RestSchema = &_diffsync::__private::rest::RestSchema {
                path: "",
                query: "",
                key: _diffsync::__private::rest::RestKey { name: ::core::option::Option::None, has_field: false },
                fields: &[],
                owner: ::core::option::Option::None,
                record_pointer: ::core::option::Option::None,
                skip_unnamed: false,
            };

            fn remote_key(
                &self,
            ) -> ::core::result::Result<_diffsync::__private::rest::Value, _diffsync::__private::rest::Error> {
                ::core::unreachable!()
            }

            fn set_remote_key(
                &mut self,
                _: _diffsync::__private::rest::Value,
            ) -> ::core::result::Result<(), _diffsync::__private::rest::Error> {
                ::core::unreachable!()
            }
        }
    })
}

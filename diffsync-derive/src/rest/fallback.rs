//! The code for an input that cannot be stored in an API, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(crate) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: _diffsync::rest::private::SyncModel + ::core::clone::Clone
    });
    let where_clause = &generics.where_clause;

    krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::rest::RestModel for #ident #ty_generics #where_clause {
            const REST: &'static _diffsync::rest::RestSchema = &_diffsync::rest::RestSchema {
                path: "",
                query: "",
                key: _diffsync::rest::RestKey { name: ::core::option::Option::None, is_held: false },
                fields: &[],
                owner: ::core::option::Option::None,
                answer: ::core::option::Option::None,
                without_nameless: false,
            };

            fn remote_key(
                &self,
            ) -> ::core::result::Result<_diffsync::rest::private::Value, _diffsync::rest::private::Error> {
                ::core::unreachable!()
            }

            fn set_remote_key(
                &mut self,
                _: _diffsync::rest::private::Value,
            ) -> ::core::result::Result<(), _diffsync::rest::private::Error> {
                ::core::unreachable!()
            }
        }
    })
}

//! The code for an input that cannot be stored in a table, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(crate) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `SqlModel` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: _diffsync::__private::sql::SyncModel + ::core::clone::Clone
    });
    let where_clause = &generics.where_clause;

    krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::__private::sql::SqlModel for #ident #ty_generics #where_clause {
            const TABLE: &'static _diffsync::__private::sql::SqlTable = &_diffsync::__private::sql::SqlTable {
                name: "",
                owner: ::core::option::Option::None,
                key: ::core::option::Option::None,
                cascades: false,
                fields: &[],
                lookups: &[],
            };
            fn value(&self, _: usize) -> ::core::result::Result<_diffsync::__private::sql::Value<'_>, ::std::string::String> { ::core::unreachable!() }
            fn read(_: &_diffsync::__private::sql::Fields<'_>) -> ::core::result::Result<Self, _diffsync::__private::sql::FieldError> { ::core::unreachable!() }
            fn identify(_: &_diffsync::__private::sql::Fields<'_>) -> ::core::result::Result<Self::Id, _diffsync::__private::sql::FieldError> { ::core::unreachable!() }
            fn changes(_: &Self::Patch, _: usize) -> bool { ::core::unreachable!() }
        }
    })
}

//! The code for an input that cannot be a choice, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(crate) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();

    // `Variable` requires these, which the compiler could not prove of a generic enum.
    let mut generics = input.generics.clone();
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: ::core::marker::Send + ::core::marker::Sync + 'static
    });
    let where_clause = &generics.where_clause;

    krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::job::Variable for #ident #ty_generics #where_clause {
            const KIND: _diffsync::job::VariableKind = _diffsync::job::VariableKind::Text;

            fn parse(_: &str) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::unreachable!()
            }

            fn show(&self) -> _diffsync::__private::serde_json::Value {
                ::core::unreachable!()
            }
        }
    })
}

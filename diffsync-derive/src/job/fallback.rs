//! The code for an input that cannot be a job, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::ctxt::Ctxt;
use crate::krate::Krate;

pub(crate) fn expand(cx: &mut Ctxt, input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let unknown = cx.first_as_type(&krate.path());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `JobSpec` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: ::core::marker::Send + ::core::marker::Sync + 'static
    });
    let where_clause = &generics.where_clause;

    krate.scope(&quote! {
        // One alias for the three types, so that the error is reported once.
        type Unknown = #unknown;

        #[automatically_derived]
        impl #impl_generics _diffsync::job::JobSpec for #ident #ty_generics #where_clause {
            type Data = Unknown;
            type Source = Unknown;
            type Target = Unknown;

            const INFO: _diffsync::job::JobInfo = ::core::unreachable!();
            const VARIABLES: &'static [_diffsync::job::VariableSpec] = &[];

            fn from_variables(
                _: &_diffsync::job::VariableValues,
            ) -> ::core::result::Result<Self, _diffsync::job::VariableErrors> {
                ::core::unreachable!()
            }

            fn variable_values(&self) -> ::std::vec::Vec<(
                &'static _diffsync::job::VariableSpec,
                _diffsync::__private::serde_json::Value,
            )> {
                ::core::unreachable!()
            }
        }
    })
}

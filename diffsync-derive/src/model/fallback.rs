//! The code for an input that cannot be a model, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::expand::TypeNames;
use crate::ctxt::Ctxt;
use crate::krate::Krate;

pub(crate) fn expand(cx: &mut Ctxt, input: &DeriveInput, krate: &Krate) -> TokenStream {
    let (ident, vis) = (&input.ident, &input.vis);
    let TypeNames { id, key, patch } = TypeNames::of(ident);

    // The types that users name are the error itself, so that code which uses them is accepted without an error of its
    // own.
    let unknown = cx.first_as_type(&krate.path());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `SyncModel` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: ::core::marker::Send + ::core::marker::Sync + 'static
    });
    let where_clause = &generics.where_clause;

    // The links are unknown, so the model is accepted in every data set.
    let mut with_data_set = input.generics.clone();
    with_data_set.params.push(syn::parse_quote!(SyncDataset));
    let (links_generics, _, _) = with_data_set.split_for_impl();
    let scope = krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::SyncModel for #ident #ty_generics #where_clause {
            type Id = #id;
            type Key<'key> = #key<'key>;
            type Patch = #patch;
            const NAME: &'static str = "";
            const SCHEMA: &'static _diffsync::schema::ModelSchema = &_diffsync::__private::UNUSABLE;

            // None of these functions ever runs, since the build fails.
            fn key(&self) -> Self::Key<'_> { ::core::unreachable!() }
            fn is(&self, _: Self::Key<'_>) -> bool { ::core::unreachable!() }
            fn to_id(_: Self::Key<'_>) -> Self::Id { ::core::unreachable!() }
            fn differences(&self, _: &Self, _: &mut impl ::core::ops::FnMut(usize)) { ::core::unreachable!() }
            fn patch(&self, _: &Self, _: &dyn ::core::ops::Fn(usize) -> bool) -> Self::Patch { ::core::unreachable!() }
            fn apply(&mut self, _: &Self::Patch) { ::core::unreachable!() }
            fn for_target(&self, _: bool) -> _diffsync::model::Outgoing<'_, Self> { ::core::unreachable!() }
            fn identifier(&self, _: usize) -> _diffsync::__private::ValueResult { ::core::unreachable!() }
            fn attribute(&self, _: usize) -> _diffsync::__private::ValueResult { ::core::unreachable!() }
            fn from_values(
                _: Self::Id,
                _: &mut _diffsync::__private::AttributeValues,
            ) -> ::core::result::Result<Self, _diffsync::__private::serde_json::Error> { ::core::unreachable!() }
            fn prefetch(&self) -> usize { ::core::unreachable!() }
        }

        // Most identifiers are texts; this model's is unknown.
        #[automatically_derived]
        impl #impl_generics _diffsync::model::AsKey<#ident #ty_generics> for str #where_clause {
            fn key(&self) -> ::core::option::Option<#key<'_>> { ::core::unreachable!() }
        }

        #[automatically_derived]
        impl #links_generics _diffsync::data::LinksIn<SyncDataset> for #ident #ty_generics #where_clause {
            fn visit_links<SyncVisitor: _diffsync::__private::LinkVisitor<SyncDataset, Self>>(_: &mut SyncVisitor) {}
        }
    });

    quote! {
        #[doc(hidden)]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        #vis type #id = #unknown;
        // With a lifetime, since users write `CountryKey<'_>`. An alias need not use it.
        #[doc(hidden)]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        #vis type #key<'key> = #id;
        #[doc(hidden)]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        #vis type #patch = #id;

        #scope
    }
}

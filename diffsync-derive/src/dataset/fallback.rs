//! The code for an input that cannot be a data set, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(crate) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `Dataset` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: ::core::default::Default + ::core::marker::Send + ::core::marker::Sync + 'static
    });
    let where_clause = &generics.where_clause;
    let mut with_model = input.generics.clone();
    with_model.params.push(syn::parse_quote!(SyncRecord: _diffsync::SyncModel));
    let (model_generics, _, _) = with_model.split_for_impl();
    let mut with_target = input.generics.clone();
    with_target.params.push(syn::parse_quote!(SyncTarget));
    let (target_generics, _, _) = with_target.split_for_impl();

    krate.scope(&quote! {
        #[automatically_derived]
        impl #impl_generics _diffsync::Dataset for #ident #ty_generics #where_clause {
            const SCHEMAS: &'static [&'static _diffsync::schema::ModelSchema] = &[];

            fn visit_models<SyncVisitor: _diffsync::__private::ModelVisitor<Self>>(_: &mut SyncVisitor) {}
        }

        // For every model and every target below, since it is not known which tables the data set was meant to have.
        #[automatically_derived]
        impl #model_generics _diffsync::data::HasTable<SyncRecord> for #ident #ty_generics #where_clause {
            const POSITION: usize = 0;
            fn table(&self) -> &_diffsync::Table<SyncRecord> { ::core::unreachable!() }
            fn table_mut(&mut self) -> &mut _diffsync::Table<SyncRecord> { ::core::unreachable!() }
        }

        #[automatically_derived]
        impl #target_generics _diffsync::data::VisitedBy<SyncTarget> for #ident #ty_generics #where_clause {
            fn visit_each(_: &mut SyncTarget) {}
        }

        #[automatically_derived]
        impl #target_generics _diffsync::adapter::WrittenBy<SyncTarget> for #ident #ty_generics #where_clause {
            fn visit_targets<SyncVisitor: _diffsync::__private::TargetVisitor<Self, SyncTarget>>(_: &mut SyncVisitor) {}
        }
    })
}

//! The code of a data set. It names everything by its absolute path, and the core by the alias that `Krate` makes.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::ast::Dataset;
use crate::krate::Krate;
use crate::span::call_site;

pub(crate) fn expand(dataset: &Dataset<'_>, krate: &Krate) -> TokenStream {
    let ident = dataset.ident;
    let idents: Vec<_> = dataset.tables.iter().map(|table| table.ident).collect();
    let models: Vec<_> = dataset.tables.iter().map(|table| table.model).collect();
    let positions: Vec<_> = (0..models.len()).map(Literal::usize_suffixed).collect();
    let count = Literal::usize_suffixed(models.len());
    // At the model of each field, where a missing parent is to be reported.
    let visits: Vec<_> =
        models.iter().map(|model| quote_spanned!(call_site(model)=> visitor.visit::<#model>();)).collect();
    // No local variables here, so the user's own span will do (see `span`).
    let schemas = models.iter().map(|model| quote_spanned!(model.span()=> <#model as _diffsync::SyncModel>::SCHEMA));
    // At the model as well, where a model that has two tables is to be reported.
    let has_tables = models.iter().zip(&idents).zip(&positions).map(|((model, field), position)| {
        quote_spanned! {call_site(model)=>
            #[automatically_derived]
            impl _diffsync::data::HasTable<#model> for #ident {
                const POSITION: usize = #position;

                fn table(&self) -> &_diffsync::Table<#model> {
                    &self.#field
                }

                fn table_mut(&mut self) -> &mut _diffsync::Table<#model> {
                    &mut self.#field
                }
            }
        }
    });

    // The bounds are on the data set's impl and not on the adapter's, so that a missing `Target<Site>` is reported
    // where a job says `target = …`.
    let targets = models.iter().map(|model| quote_spanned!(model.span()=> SyncTarget: _diffsync::Target<#model>,));

    // Any visitor that can visit each model is accepted. So an adapter can ask for a trait of its own: `Sql` visits
    // models that are `SqlModel`.
    let visited =
        models.iter().map(|model| quote_spanned!(model.span()=> SyncVisitor: _diffsync::data::Visit<#ident, #model>,));
    // Called by its full path, since the visitor has a `visit` for each model.
    let each = models.iter().map(
        |model| quote_spanned!(call_site(model)=> <SyncVisitor as _diffsync::data::Visit<#ident, #model>>::visit(visitor);),
    );

    // A macro sees only how a model is written, so the compiler checks the schemas, in constants: a name that two models
    // have, and circles of links.
    let checks = models.iter().zip(&positions).map(|(model, position)| {
        quote_spanned! {model.span()=>
            const _: () = _diffsync::schema::check_table(&SCHEMAS, #position);
        }
    });

    // After errors there may be no table left, and the parameter would be an unused variable.
    let visitor = if models.is_empty() { quote!(_) } else { quote!(visitor) };
    krate.scope(&quote! {
        const SCHEMAS: [&_diffsync::schema::ModelSchema; #count] =
            [#(#schemas),*];
        #(#checks)*

        #(#has_tables)*

        #[automatically_derived]
        impl _diffsync::Dataset for #ident {
            const SCHEMAS: &'static [&'static _diffsync::schema::ModelSchema] = &SCHEMAS;

            fn visit_models<SyncVisitor: _diffsync::__private::ModelVisitor<Self>>(#visitor: &mut SyncVisitor) {
                #(#visits)*
            }
        }

        // The parameters have long names, since a model may be called `V` or `T`.
        #[automatically_derived]
        impl<SyncVisitor> _diffsync::data::VisitedBy<SyncVisitor> for #ident
        where
            #(#visited)*
        {
            fn visit_each(#visitor: &mut SyncVisitor) {
                #(#each)*
            }
        }

        #[automatically_derived]
        impl<SyncTarget> _diffsync::adapter::WrittenBy<SyncTarget> for #ident
        where
            SyncTarget: _diffsync::Adapter<Data = Self>,
            #(#targets)*
        {
            fn visit_targets<SyncVisitor: _diffsync::__private::TargetVisitor<Self, SyncTarget>>(#visitor: &mut SyncVisitor) {
                #(#visits)*
            }
        }
    })
}

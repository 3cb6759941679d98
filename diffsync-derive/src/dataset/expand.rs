//! The code of a data set. It names everything by its absolute path.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::ast::Dataset;

pub(crate) fn expand(dataset: &Dataset<'_>) -> TokenStream {
    let ident = dataset.ident;
    let idents: Vec<_> = dataset.tables.iter().map(|table| table.ident).collect();
    let models: Vec<_> = dataset.tables.iter().map(|table| table.model).collect();
    let positions: Vec<_> = (0..models.len()).map(Literal::usize_suffixed).collect();
    let count = Literal::usize_suffixed(models.len());
    // At the model of each field, where a missing parent is to be reported.
    let visits: Vec<_> = models.iter().map(|model| quote_spanned!(model.span()=> visitor.visit::<#model>();)).collect();
    let checks = models.iter().zip(&positions).map(|(model, position)| {
        quote_spanned! {model.span()=>
            const _: () = ::diffsync_core::schema::check_table(&SCHEMAS, #position);
        }
    });
    let visitor = if models.is_empty() { quote!(_) } else { quote!(visitor) };
    quote! {
        const _: () = {
            const SCHEMAS: [&::diffsync_core::schema::ModelSchema; #count] =
                [#(<#models as ::diffsync_core::SyncModel>::SCHEMA),*];
            #(#checks)*

            #(
                #[automatically_derived]
                impl ::diffsync_core::HasTable<#models> for #ident {
                    fn table(&self) -> &::diffsync_core::Table<#models> {
                        &self.#idents
                    }

                    fn table_mut(&mut self) -> &mut ::diffsync_core::Table<#models> {
                        &mut self.#idents
                    }
                }
            )*

            #[automatically_derived]
            impl ::diffsync_core::Dataset for #ident {
                fn visit_models<V: ::diffsync_core::__private::ModelVisitor<Self>>(#visitor: &mut V) {
                    #(#visits)*
                }
            }

            #[automatically_derived]
            impl<T> ::diffsync_core::WrittenBy<T> for #ident
            where
                T: ::diffsync_core::Adapter<Data = Self>,
                #(T: ::diffsync_core::Target<#models>,)*
            {
                fn visit_targets<V: ::diffsync_core::__private::TargetVisitor<Self, T>>(#visitor: &mut V) {
                    #(visitor.visit::<#models>();)*
                }
            }
        };
    }
}

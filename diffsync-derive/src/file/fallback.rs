//! The code for an input that cannot be stored in a file, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::krate::Krate;

pub(super) fn expand(input: &DeriveInput, krate: &Krate) -> TokenStream {
    let (ident, krate) = (&input.ident, krate.path());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();

    // `FileModel` requires these, which the compiler could not prove of a generic struct.
    generics.make_where_clause().predicates.push(syn::parse_quote! {
        #ident #ty_generics: _adapters::__private::file::SyncModel + ::core::clone::Clone
    });
    let where_clause = &generics.where_clause;

    quote! {
        const _: () = {
            use #krate as _adapters;

            #[automatically_derived]
            impl #impl_generics _adapters::__private::file::FileModel for #ident #ty_generics #where_clause {
                const FILE: _adapters::__private::file::FileSchema = _adapters::__private::file::FileSchema {
                    path: "",
                    format: _adapters::__private::file::Format::Csv,
                    list: ::core::option::Option::None,
                    delimiter: b',',
                    is_secret: false,
                    columns: &[],
                };

                fn read<C: _adapters::__private::file::RowReader>(
                    _: &mut C,
                ) -> ::core::result::Result<
                    Self,
                    _adapters::__private::file::RowError<<Self as _adapters::__private::file::SyncModel>::Id>,
                > {
                    ::core::unreachable!()
                }

                fn write<C: _adapters::__private::file::RowWriter>(
                    &self,
                    _: &mut C,
                ) -> ::core::result::Result<(), _adapters::__private::file::CellError> {
                    ::core::unreachable!()
                }
            }
        };
    }
}

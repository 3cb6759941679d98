//! The code of a model that is kept in a file. It names the adapters by the alias `_adapters`.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::ast::{Field, FileModel};
use super::validate::Kept;
use crate::krate::Krate;
use crate::model::ast::Role;
use crate::span::call_site;

pub(super) fn expand(model: &FileModel<'_>, kept: Kept, krate: &Krate) -> TokenStream {
    let (ident, krate) = (model.ident, krate.path());
    let Kept { format, path, list, delimiter, is_secret } = kept;
    let format = format.variant();
    let list =
        list.map_or_else(|| quote!(::core::option::Option::None), |key| quote!(::core::option::Option::Some(#key)));
    let delimiter = Literal::byte_character(delimiter);
    let columns = model.stored().map(|field| {
        let (name, ty, is_identifier) = (&field.column, field.ty, field.role == Role::Identifier);
        quote_spanned!(call_site(ty)=> _adapters::__private::file::Column::new::<#ty>(#name, #is_identifier))
    });

    let read = read(model);
    let written = model.stored().enumerate().map(|(position, field)| {
        let (position, mut field_ident) = (Literal::usize_suffixed(position), field.ident.clone());
        let span = call_site(field.ty);

        field_ident.set_span(span);
        quote_spanned!(span=> cells.put(#position, &self.#field_ident)?;)
    });

    quote! {
        #[allow(unused_qualifications, reason = "what the user has imported is not known here")]
        const _: () = {
            use #krate as _adapters;

            // The compiler checks it, since a macro does not see the features of the adapters.
            const _: () = _adapters::__private::file::Format::#format.must_be_enabled();

            #[automatically_derived]
            impl _adapters::__private::file::FileModel for #ident {
                const FILE: _adapters::__private::file::FileSchema = _adapters::__private::file::FileSchema {
                    path: #path,
                    format: _adapters::__private::file::Format::#format,
                    list: #list,
                    delimiter: #delimiter,
                    is_secret: #is_secret,
                    columns: &[#(#columns),*],
                };

                #read

                fn write<C: _adapters::__private::file::RowWriter>(
                    &self,
                    cells: &mut C,
                ) -> ::core::result::Result<(), _adapters::__private::file::CellError> {
                    #(#written)*
                    ::core::result::Result::Ok(())
                }
            }
        };
    }
}

/// The identifiers first, so that a record whose attributes cannot be read can be named.
fn read(model: &FileModel<'_>) -> TokenStream {
    let id = format_ident!("{}Id", model.ident);
    let taken = |role: Role| {
        model.stored().enumerate().filter(move |(_, field)| field.role == role).map(|(position, field)| {
            let (position, ty) = (Literal::usize_suffixed(position), field.ty);
            (field, quote_spanned!(call_site(ty)=> cells.take::<#ty>(#position)))
        })
    };

    let identifiers = taken(Role::Identifier).map(|(field, value)| {
        let ident = field.ident;
        quote!(#ident: #value.map_err(_adapters::__private::file::RowError::Unidentified)?)
    });

    let (types, attributes): (Vec<_>, Vec<_>) = taken(Role::Attribute).map(|(field, value)| (field.ty, value)).unzip();
    let variable = |position: usize| format_ident!("attribute_{}", position);
    let variables: Vec<_> = (0..attributes.len()).map(variable).collect();
    let mut position = 0;
    let fields = model.fields.iter().map(|Field { ident, role, .. }| match role {
        Role::Identifier => quote!(#ident: id.#ident),
        Role::Local => quote!(#ident: ::core::default::Default::default()),
        Role::Attribute => {
            let variable = variable(position);
            position += 1;
            quote!(#ident: #variable)
        }
    });

    let fields: Vec<_> = fields.collect();
    let error = quote!(_adapters::__private::file::CellError);
    let record = quote!(::core::result::Result::Ok(Self { #(#fields),* }));

    let (bound, record) = if attributes.is_empty() {
        (None, record)
    } else {
        // A function of its own: a `?` in it ends only the attributes, and the row is rejected under the identifier
        // that was read before.
        let bound = quote! {
            fn attributes<C: _adapters::__private::file::RowReader>(
                cells: &mut C,
            ) -> ::core::result::Result<(#(#types,)*), #error> {
                ::core::result::Result::Ok((#(#attributes?,)*))
            }
        };

        let record = quote! {
            match attributes(cells) {
                ::core::result::Result::Ok((#(#variables,)*)) => #record,
                ::core::result::Result::Err(error) => {
                    ::core::result::Result::Err(_adapters::__private::file::RowError::Rejected(id, error))
                }
            }
        };
        (Some(bound), record)
    };

    quote! {
        fn read<C: _adapters::__private::file::RowReader>(
            cells: &mut C,
        ) -> ::core::result::Result<Self, _adapters::__private::file::RowError<#id>> {
            #bound
            let id = #id { #(#identifiers),* };
            #record
        }
    }
}

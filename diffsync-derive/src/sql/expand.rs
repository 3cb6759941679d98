//! The code of a table. It names everything by its absolute path, and the adapters by the alias that `Krate` makes.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{LitStr, Type};

use super::ast::{Field, Form, Table};
use crate::krate::Krate;
use crate::model::ast::Role;
use crate::span::call_site;
use crate::ty::{option, secret};

pub(crate) fn expand(table: &Table<'_>, krate: &Krate) -> TokenStream {
    let Table { ident, name, cascades, fields, absent, .. } = table;
    let id = format_ident!("{ident}Id");
    let name = name.as_ref().map(LitStr::value).unwrap_or_default();
    let schema = fields.iter().map(|field| described(table, field));

    // Every field is found: `validate` has removed lookups that name others.
    let lookups = table.lookups.iter().map(|lookup| lookup.expand(|field| table.field(field).unwrap_or_default()));
    let key = option_of(fields.iter().position(|field| field.key.is_some()).map(|position| {
        let position = Literal::usize_unsuffixed(position);
        quote!(#position)
    }));

    let owner = option_of(table.owner.as_ref().map(|owner| {
        let (column, value) = (&owner.column, &owner.value);
        quote!(_diffsync::__private::sql::Owner { column: #column, value: #value })
    }));

    let values = positions(fields).map(|(position, field)| {
        let (form, ty, ident) = (form(field), field.ty, at_type(field));
        quote_spanned!(call_site(ty)=> #position => <#form as _diffsync::__private::sql::Encoding<#ty>>::encode(&self.#ident),)
    });

    let reads = positions(fields).map(|(position, field)| {
        let (form, ty, ident) = (form(field), field.ty, field.ident);
        quote_spanned!(call_site(ty)=> #ident: row.read::<#form, #ty>(#position)?)
    });

    let parts = positions(fields).filter(|(_, field)| field.role == Role::Identifier).map(|(position, field)| {
        let (form, ty) = (form(field), field.ty);
        quote_spanned!(call_site(ty)=> row.read::<#form, #ty>(#position)?)
    });

    let changes = positions(fields).filter(|(_, field)| field.role == Role::Attribute).map(|(position, field)| {
        let ident = field.ident;
        quote!(#position => patch.#ident.is_some(),)
    });

    let has_attributes = fields.iter().any(|field| field.role == Role::Attribute);
    let patch = if has_attributes { quote!(patch) } else { quote!(_) };
    let changes = if has_attributes { quote!(match field { #(#changes)* _ => false }) } else { quote!(false) };
    let field = if has_attributes { quote!(field) } else { quote!(_) };
    let set_key = fields.iter().find(|field| field.key.is_some()).map(|field| {
        let (ident, ty, form) = (field.ident, field.ty, form(field));
        quote_spanned! {call_site(ty)=>
            fn set_key(&mut self, key: _diffsync::__private::sql::Value<'_>) -> ::core::result::Result<(), ::std::string::String> {
                self.#ident = <#form as _diffsync::__private::sql::Encoding<#ty>>::decode(key)?;
                ::core::result::Result::Ok(())
            }
        }
    });

    krate.scope(&quote! {
        #[automatically_derived]
        impl _diffsync::__private::sql::SqlModel for #ident {
            const TABLE: &'static _diffsync::__private::sql::SqlTable = &_diffsync::__private::sql::SqlTable {
                name: #name,
                owner: #owner,
                key: #key,
                cascades: #cascades,
                fields: &[#(#schema),*],
                lookups: &[#(#lookups),*],
            };

            fn value(&self, field: usize) -> ::core::result::Result<_diffsync::__private::sql::Value<'_>, ::std::string::String> {
                match field {
                    #(#values)*
                    _ => ::core::result::Result::Ok(_diffsync::__private::sql::Value::Null),
                }
            }

            fn read(row: &_diffsync::__private::sql::Fields<'_>) -> ::core::result::Result<Self, _diffsync::__private::sql::FieldError> {
                ::core::result::Result::Ok(Self {
                    #(#reads,)*
                    #(#absent: ::core::default::Default::default(),)*
                })
            }

            fn identify(row: &_diffsync::__private::sql::Fields<'_>) -> ::core::result::Result<#id, _diffsync::__private::sql::FieldError> {

                ::core::result::Result::Ok(#id::new(#(#parts),*))
            }

            fn changes(#patch: &Self::Patch, #field: usize) -> bool {
                #changes
            }

            #set_key
        }
    })
}

fn described(table: &Table<'_>, field: &Field<'_>) -> TokenStream {
    let (name, ty, form) = (&field.name, field.ty, form(field));
    let role = match field.role {
        Role::Identifier => quote!(Identifier),
        Role::Attribute => quote!(Attribute),
        Role::Local => quote!(Local),
    };

    let looked_up = table.lookups.iter().enumerate().find_map(|(lookup, named)| {
        let part = named.fields.iter().position(|part| part == field.ident)?;
        let (lookup, part) = (Literal::usize_unsuffixed(lookup), Literal::usize_unsuffixed(part));
        Some(quote!(_diffsync::__private::sql::Place::Lookup(#lookup, #part)))
    });

    let place_of = match (&field.column, looked_up) {
        (Some(column), _) => quote!(_diffsync::__private::sql::Place::Column(#column)),
        (None, Some(lookup)) => lookup,
        (None, None) => quote!(_diffsync::__private::sql::Place::Column(#name)),
    };

    let declared = option_of(field.declared.as_ref().map(|declared| quote!(#declared)));
    quote_spanned! {call_site(ty)=>
        _diffsync::__private::sql::SqlField {
            name: #name,
            role: _diffsync::__private::sql::Role::#role,
            place: #place_of,
            kind: <#form as _diffsync::__private::sql::Encoding<#ty>>::KIND,
            nullable: <#form as _diffsync::__private::sql::Encoding<#ty>>::NULLABLE,
            secret: <#form as _diffsync::__private::sql::Encoding<#ty>>::SECRET,
            declared: #declared,
        }
    }
}

fn positions<'f, 'a>(fields: &'f [Field<'a>]) -> impl Iterator<Item = (Literal, &'f Field<'a>)> {
    fields.iter().enumerate().map(|(position, field)| (Literal::usize_unsuffixed(position), field))
}

/// The field's name at its type, where what the type lacks is to be reported.
fn at_type(field: &Field<'_>) -> Ident {
    let mut ident = field.ident.clone();
    ident.set_span(call_site(field.ty));
    ident
}

/// The type that turns the field's values into a column's: as they are, or as JSON or text, within `Option` and `Secret`.
fn form(field: &Field<'_>) -> TokenStream {
    let at = call_site(field.ty);
    let inner = match field.form {
        Form::Plain => return quote_spanned!(at=> _diffsync::__private::sql::Plain),
        Form::Json => quote_spanned!(at=> _diffsync::__private::sql::Json),
        Form::Text => quote_spanned!(at=> _diffsync::__private::sql::Text),
    };

    wrapped(field.ty, inner)
}

fn wrapped(ty: &Type, inner: TokenStream) -> TokenStream {
    if let Some(held) = option(ty) {
        let held = wrapped(held, inner);
        return quote_spanned!(call_site(ty)=> _diffsync::__private::sql::Optional<#held>);
    }

    if let Some(held) = secret(ty) {
        let held = wrapped(held, inner);
        return quote_spanned!(call_site(ty)=> _diffsync::__private::sql::Sensitive<#held>);
    }

    inner
}

fn option_of(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
}

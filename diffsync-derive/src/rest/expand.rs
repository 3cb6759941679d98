//! The code of a collection. It names everything by its absolute path, and the adapters by the alias that `Krate` makes.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::LitStr;

use super::ast::{Collection, Field, ServerKey};
use super::part::Part;
use super::validate::own;
use crate::krate::Krate;
use crate::model::ast::Role;
use crate::span::call_site;

pub(crate) fn expand(collection: &Collection<'_>, krate: &Krate) -> TokenStream {
    let ident = collection.ident;
    let text = |literal: &Option<LitStr>| literal.as_ref().map(LitStr::value).unwrap_or_default();
    let (path, query) = (text(&collection.path), text(&collection.query));
    let lookups = collection.lookups.iter().map(|lookup| looked_up(collection, lookup));

    // A field with `write` is in the schema twice: once only written, and once only read.
    let writes = collection.fields.iter().filter_map(|field| {
        let (part, _) = field.write.as_ref()?;
        Some(described(field, part, false, true))
    });

    let fields = own(collection).map(|(field, part)| {
        let writes = field.read_only.is_none() && field.write.is_none();
        described(field, &part, field.write_only.is_none(), writes)
    });

    let owner = option_of(collection.owner.as_ref().map(|owner| {
        // No field holds the owner, so no field type says whether it is a text.
        let (part, value) = (owner.part.expand(&mut std::iter::empty()), &owner.value);
        quote!(_diffsync::__private::rest::StaticOwner { part: #part, value: #value })
    }));

    let name = option_of(collection.key.as_ref().and_then(|key| key.name.as_ref()).map(|name| quote!(#name)));
    let has_field = collection.key.is_some();
    let record_pointer = option_of(collection.answer.as_ref().map(|pointer| quote!(#pointer)));
    let skip_unnamed = collection.skip_unnamed;
    let functions = key_functions(collection.key.as_ref());

    krate.scope(&quote! {
        #[automatically_derived]
        impl _diffsync::__private::rest::RestModel for #ident {
            const REST: &'static _diffsync::__private::rest::RestSchema = &_diffsync::__private::rest::RestSchema {
                path: #path,
                query: #query,
                key: _diffsync::__private::rest::RestKey { name: #name, has_field: #has_field },
                fields: &[#(#lookups,)* #(#writes,)* #(#fields),*],
                owner: #owner,
                record_pointer: #record_pointer,
                skip_unnamed: #skip_unnamed,
            };

            #functions
        }
    })
}

/// A field and a part of the body that holds it.
fn described(field: &Field<'_>, part: &Part, reads: bool, writes: bool) -> TokenStream {
    let name = &field.name;
    let many = field.is_many(part);
    let part = part.expand(&mut std::iter::once(field.is_text()));
    let (choice, blank, optional) = (field.choice.is_some(), field.blank.is_some(), field.optional.is_some());

    quote! {
        _diffsync::__private::rest::RestField {
            names: &[#name], part: #part, many: #many, choice: #choice, blank: #blank, readable: #reads, writable: #writes,
            optional: #optional,
        }
    }
}

/// Several fields that name one record.
fn looked_up(collection: &Collection<'_>, lookup: &super::ast::Lookup) -> TokenStream {
    let fields: Vec<_> =
        lookup.fields.iter().filter_map(|named| collection.fields.iter().find(|field| field.ident == named)).collect();
    let names = fields.iter().map(|field| &field.name);
    let optional = fields.iter().any(|field| field.optional.is_some());
    let part = lookup.part.expand(&mut fields.iter().map(|field| field.is_text()));

    quote! {
        _diffsync::__private::rest::RestField {
            names: &[#(#names),*], part: #part, many: false, choice: false, blank: false, readable: true, writable: true,
            optional: #optional,
        }
    }
}

/// The server's key as a value. One that identifies the record on both sides is not taken over: it is there.
fn key_functions(key: Option<&ServerKey<'_>>) -> TokenStream {
    let value = quote!(_diffsync::__private::rest::Value);
    let result = |of: TokenStream| quote!(::core::result::Result<#of, _diffsync::__private::rest::Error>);
    let (read, set) = (result(value.clone()), result(quote!(())));
    let nothing = quote! {
        fn set_remote_key(&mut self, _: #value) -> #set {
            ::core::result::Result::Ok(())
        }
    };

    let Some(key) = key else {
        return quote! {
            fn remote_key(&self) -> #read {
                ::core::result::Result::Ok(#value::Null)
            }

            #nothing
        };
    };

    let span = call_site(key.ty);
    let mut ident: Ident = key.ident.clone();
    ident.set_span(span);
    let set = match key.role {
        Role::Local => quote_spanned! {span=>
            fn set_remote_key(&mut self, key: #value) -> #set {
                self.#ident = _diffsync::__private::rest::from_value(key)?;
                ::core::result::Result::Ok(())
            }
        },
        Role::Identifier | Role::Attribute => nothing,
    };

    quote_spanned! {span=>
        fn remote_key(&self) -> #read {
            _diffsync::__private::rest::to_value(&self.#ident)
        }

        #set
    }
}

fn option_of(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
}

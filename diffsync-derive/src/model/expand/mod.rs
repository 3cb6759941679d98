//! The code of a model. It names everything by its absolute path, and the core by the alias that `Krate` makes.
//!
//! Every user's every build compiles it, so it is kept short: what is the same for all models is a function of the core,
//! what a field's type is known to be able to do is not asked for, and functions that a program does not use are not
//! compiled to machine code, being `#[inline]`.

mod comparison;
mod identifier;
mod links;
mod name;
mod patch;
mod record;
mod schema;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::ast::{Field, Model, Role};
use crate::krate::Krate;
use crate::span::call_site;
use crate::ty::{is_copied, is_plain};

pub(crate) fn expand(model: &Model<'_>, krate: &Krate) -> TokenStream {
    let names = Names::of(model.ident);
    let types =
        [identifier::id_type(model, &names), identifier::key_type(model, &names), patch::patch_type(model, &names)];
    let bounds = bounds(model);
    let missing_parts = name::missing_parts(model);
    let id = identifier::id(model, &names);
    let key = identifier::key(model, &names);
    let patch = patch::patch(model, &names);
    let record = record::record(model, &names);
    let lookups = identifier::lookups(model, &names);
    let links = links::links(model);
    let scope = krate.scope(&quote! {
        #bounds
        #missing_parts
        #id
        #key
        #patch
        #record
        #lookups
        #links
    });
    quote! {
        #(#types)*
        #scope
    }
}

/// The names of the generated types.
pub(super) struct Names {
    pub(super) id: Ident,
    pub(super) key: Ident,
    pub(super) patch: Ident,
}

impl Names {
    pub(super) fn of(model: &Ident) -> Self {
        let named = |suffix| format_ident!("{}{}", model, suffix);
        Self { id: named("Id"), key: named("Key"), patch: named("Patch") }
    }
}

/// The functions through which the generated code reaches values whose type it does not know.
///
/// What they return can do what a field of its role must, whatever the field's own type can. So a type that lacks
/// something is reported as what the field cannot be; and as the compiler has the same to say of every use, it says it
/// once.
fn bounds(model: &Model<'_>) -> TokenStream {
    let serialize = quote!(_diffsync::__private::serde::Serialize);
    let has = |role| model.with_role(role).any(|field| !is_plain(field.ty));
    let identifier = has(Role::Identifier).then(|| {
        quote! {
            #[inline]
            fn identifier<T: _diffsync::IdentifierValue>(
                value: &T,
            ) -> &(impl ::core::cmp::PartialEq<T> + ::core::hash::Hash + #serialize) {
                value
            }
        }
    });
    let attribute = has(Role::Attribute).then(|| {
        quote! {
            #[inline]
            fn attribute<T: _diffsync::AttributeValue>(value: &T) -> &impl #serialize {
                value
            }
        }
    });
    let local = has(Role::Local).then(|| {
        quote! {
            #[inline]
            fn local<T: _diffsync::LocalValue>() -> T {
                ::core::default::Default::default()
            }
        }
    });
    quote!(#identifier #attribute #local)
}

/// A value, given by reference, through the bound of its field's role. What is local is not looked at, and what is plain is
/// known to be able to do all.
fn with_bound(field: &Field<'_>, value: &TokenStream) -> TokenStream {
    let span = call_site(field.ty);
    match field.role {
        _ if is_plain(field.ty) => value.clone(),
        Role::Identifier => quote_spanned!(span=> identifier(#value)),
        Role::Attribute => quote_spanned!(span=> attribute(#value)),
        Role::Local => value.clone(),
    }
}

/// A copy of a field of `this`.
fn copy_of(this: &str, field: &Field<'_>) -> TokenStream {
    let value = field_of(this, field);
    if is_copied(field.ty) {
        return value;
    }
    quote_spanned!(call_site(field.ty)=> ::core::clone::Clone::clone(&#value))
}

/// What a local field is on the other side.
fn local_default(field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    if is_plain(ty) {
        quote!(::core::default::Default::default())
    } else {
        quote_spanned!(call_site(ty)=> local::<#ty>())
    }
}

/// A reference to a field of `this`.
fn ref_of(this: &str, field: &Field<'_>) -> TokenStream {
    let value = field_of(this, field);
    quote_spanned!(call_site(field.ty)=> &#value)
}

/// A field of `this`, at the span of the field's type, where what the type lacks is to be reported.
fn field_of(this: &str, field: &Field<'_>) -> TokenStream {
    field_at(this, field, call_site(field.ty))
}

/// A field of `this`, at some span.
fn field_at(this: &str, field: &Field<'_>, span: Span) -> TokenStream {
    let (this, mut ident) = (Ident::new(this, span), field.ident.clone());
    ident.set_span(span);
    quote_spanned!(span=> #this.#ident)
}

/// A documentation comment for a generated field: the user's, or a plain one.
fn field_doc(field: &Field<'_>, what: &str) -> String {
    if field.description.is_empty() { format!("The {what} `{}`.", field.name) } else { field.description.clone() }
}

/// The lints that generated types with the user's documentation on their fields cannot keep.
fn doc_lints() -> TokenStream {
    quote!(#[allow(rustdoc::broken_intra_doc_links, reason = "written for the model, whose fields these need not have")])
}

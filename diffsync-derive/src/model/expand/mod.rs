//! The code of a model. It names everything by its absolute path, and the core by the alias that `Krate` makes.
//!
//! Every build of every user compiles it, so it is kept short: code that is the same for all models is a function of the
//! core, a bound that a field's type is known to satisfy is not stated, and functions are `#[inline]`, so that those which
//! a program does not use are not compiled to machine code.

mod comparison;
mod identifier;
mod links;
mod name;
mod patch;
mod record;
mod schema;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::ast::{Field, Model, Role};
use crate::krate::Krate;
use crate::span::call_site;
use crate::ty::{is_copied, is_plain, is_string};

pub(crate) fn expand(model: &Model<'_>, krate: &Krate) -> TokenStream {
    let names = TypeNames::of(model.ident);

    // Users name these types, so they are outside the scope, beside the model.
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
pub(super) struct TypeNames {
    pub(super) id: Ident,
    pub(super) key: Ident,
    pub(super) patch: Ident,
}

impl TypeNames {
    pub(super) fn of(model: &Ident) -> Self {
        let named = |suffix| format_ident!("{}{}", model, suffix);
        Self { id: named("Id"), key: named("Key"), patch: named("Patch") }
    }
}

/// Functions that state the bounds which a field's type must satisfy in its role. Generated code passes each value whose
/// type it does not know through one of them.
///
/// What they return satisfies the bounds, whether or not the field's own type does. So a type that lacks something is
/// reported as "cannot be an attribute" and the like; and since every use has the same error, the compiler reports it
/// once.
fn bounds(model: &Model<'_>) -> TokenStream {
    let serialize = quote!(_diffsync::__private::serde::Serialize);

    // Plain types satisfy the bounds of every role, so most models need none of these functions.
    let has = |role| model.with_role(role).any(|field| !is_plain(field.ty));
    let identifier = has(Role::Identifier).then(|| {
        quote! {
            #[inline]
            fn identifier<T: _diffsync::model::IdentifierValue>(
                value: &T,
            ) -> &(impl ::core::cmp::PartialEq<T> + ::core::hash::Hash + #serialize) {
                value
            }
        }
    });

    let attribute = has(Role::Attribute).then(|| {
        quote! {
            #[inline]
            fn attribute<T: _diffsync::model::AttributeValue>(value: &T) -> &impl #serialize {
                value
            }
        }
    });

    let local = has(Role::Local).then(|| {
        quote! {
            #[inline]
            fn local<T: _diffsync::model::LocalValue>() -> T {
                ::core::default::Default::default()
            }
        }
    });

    quote!(#identifier #attribute #local)
}

/// A value, given by reference, with the bounds of its field's role. Local fields are not read, and plain types are known
/// to satisfy the bounds.
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

/// The value of a local field on the other side.
fn local_default(field: &Field<'_>) -> TokenStream {
    let ty = field.ty;
    if is_plain(ty) {
        quote!(::core::default::Default::default())
    } else {
        quote_spanned!(call_site(ty)=> local::<#ty>())
    }
}

/// What a key holds an identifier as, without the reference.
fn held_type(field: &Field<'_>) -> TokenStream {
    if is_string(field.ty) { quote_spanned!(call_site(field.ty)=> str) } else { field.ty.to_token_stream() }
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
    // `this` is a local variable or `self`, which with the user's own hygiene might be another one (see `span`).
    let (this, mut ident) = (Ident::new(this, span), field.ident.clone());
    ident.set_span(span);

    quote_spanned!(span=> #this.#ident)
}

/// A documentation comment for a generated field: the user's, or a plain one.
fn field_doc(field: &Field<'_>, what: &str) -> String {
    if field.description.is_empty() { format!("The {what} `{}`.", field.name) } else { field.description.clone() }
}

/// Allows lints that the user's documentation may break on the fields of generated types.
fn doc_lints() -> TokenStream {
    quote!(#[allow(rustdoc::broken_intra_doc_links, reason = "written for the model, whose fields these need not have")])
}

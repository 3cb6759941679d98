//! The implementation of `SyncModel`: how a record is identified, compared, changed and shown.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{TypeNames, comparison, copy_of, field_of, identifier, local_default, name, ref_of, schema, with_bound};
use crate::model::ast::{Comparison, Field, Model, Role};
use crate::model::validate;
use crate::span::call_site;
use crate::ty::{is_copied, is_plain, is_string, option};

pub(super) fn record(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let TypeNames { id, key, patch } = names;
    let (ident, name, schema) = (model.ident, &model.name, schema::schema(model));
    let identified = identified(model, names);
    let compared = compared(model, names);
    let for_target = for_target(model);
    let spelled = spelled(model);
    let identifiers = values(model, Role::Identifier);
    let attributes = values(model, Role::Attribute);
    let planned = planned(model);
    let from_values = model.fields.iter().map(|field| {
        let (ident, ty, name) = (field.ident, field.ty, &field.name);
        let value = match field.role {
            Role::Identifier => quote!(id.#ident),
            Role::Attribute if is_plain(ty) => quote!(attributes.take(#name)?),
            Role::Attribute => {
                quote_spanned!(call_site(ty)=> _diffsync::__private::Read::<#ty>::attribute(attributes, #name)?)
            }
            Role::Local => local_default(field),
        };
        quote!(#ident: #value)
    });

    let values = if model.with_role(Role::Attribute).next().is_some() { quote!(attributes) } else { quote!(_) };
    let never_read = identifier::never_read(model.with_role(Role::Attribute));
    let touched = model.fields.iter().filter_map(prefetch);

    quote! {
        #[automatically_derived]
        impl _diffsync::SyncModel for #ident {
            type Id = #id;
            type Key<'key> = #key<'key>;
            type Patch = #patch;

            const NAME: &'static str = #name;
            const SCHEMA: &'static _diffsync::schema::ModelSchema = &#schema;

            #identified
            #compared

            #spelled

            #for_target

            #[inline]
            fn identifier(&self, position: usize) -> _diffsync::__private::ValueResult {
                #identifiers
            }

            #[inline]
            fn attribute(&self, position: usize) -> _diffsync::__private::ValueResult {
                #attributes
            }

            #planned

            #[inline]
            fn from_values(
                id: Self::Id,
                #values: &mut _diffsync::__private::AttributeValues,
            ) -> ::core::result::Result<Self, _diffsync::__private::serde_json::Error> {
                #never_read
                ::core::result::Result::Ok(Self { #(#from_values),* })
            }

            // The sum keeps the compiler from leaving out the reads.
            #[inline]
            fn prefetch(&self) -> usize {
                0usize #(.wrapping_add(#touched))*
            }
        }
    }
}

/// The functions about the identifier.
fn identified(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let TypeNames { id, key, .. } = names;
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let borrowed = fields.iter().map(|field| identifier::borrowed(field));
    let equal = fields.iter().map(|field| {
        let its = field_of("key", field);
        let its = quote_spanned!(call_site(field.ty)=> *#its);
        comparison::identifier_is_same(model, field, &field_of("self", field), &its)
    });

    let owned = fields.iter().map(|field| {
        let part = field_of("key", field);
        if is_string(field.ty) {
            quote!(::std::string::String::from(#part))
        } else if is_copied(field.ty) {
            quote!(*#part)
        } else {
            quote_spanned!(call_site(field.ty)=> ::core::clone::Clone::clone(#part))
        }
    });

    quote! {
        #[inline]
        fn key(&self) -> Self::Key<'_> {
            #key { #(#idents: #borrowed),* }
        }

        #[inline]
        fn is(&self, key: Self::Key<'_>) -> bool {
            #(#equal)&&*
        }

        #[inline]
        fn to_id(key: Self::Key<'_>) -> Self::Id {
            #id { #(#idents: #owned),* }
        }
    }
}

/// The spelling of an identifier, for models in which two spellings can be the same identifier.
fn spelled(model: &Model<'_>) -> Option<TokenStream> {
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let by_itself = |field: &&Field<'_>| matches!(field.comparison, Comparison::IgnoreCase | Comparison::Unordered);
    let by_itself = fields.iter().any(by_itself);
    // An identifier that names another record has spellings if that record's identifier has; only its model knows.
    let mut named = Vec::new();
    for link in model.links.iter().filter(|link| link.deferred().is_none()) {
        let to = name::resolved(model, &link.model);

        // `has_spellings` of the model itself would call itself for ever, and a deferred link may lead back here.
        let is_other = *model.ident != quote!(#to).to_string();
        if is_other && fields.iter().any(|field| link.fields().any(|mine| mine == field.ident)) {
            named.push(quote_spanned!(call_site(&to)=> <#to as _diffsync::SyncModel>::has_spellings()));
        }
    }

    if !by_itself && named.is_empty() {
        return None;
    }
    let has_spellings = if by_itself { quote!(true) } else { quote!(#(#named)||*) };

    // By `==`, since identifiers that are the same may still be written differently.
    let equal = fields.iter().map(|field| {
        let its = field_of("key", field);
        let its = quote_spanned!(call_site(field.ty)=> *#its);
        comparison::identifier_is_equal(field, &field_of("self", field), &its)
    });

    Some(quote! {
        #[inline]
        fn has_spellings() -> bool {
            #has_spellings
        }

        #[inline]
        fn is_spelled(&self, key: Self::Key<'_>) -> bool {
            #(#equal)&&*
        }
    })
}

/// The functions about the attributes.
fn compared(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let patch = &names.patch;
    let fields: Vec<_> = model.with_role(Role::Attribute).collect();
    let idents = fields.iter().map(|field| field.ident);
    let positions: Vec<_> = (0..fields.len()).map(Literal::usize_suffixed).collect();
    let marks: Vec<_> = fields
        .iter()
        .zip(&positions)
        .filter_map(|(field, position)| comparison::mark(model, field, position))
        .collect();

    let copies = fields.iter().map(|field| comparison::written(model, field).unwrap_or_else(|| copy_of("self", field)));
    let taken_over = fields.iter().map(|field| {
        let (mine, its) = (field_of("self", field), field_of("patch", field));
        if is_plain(field.ty) {
            return quote!(_diffsync::__private::take_over(&mut #mine, &#its););
        }
        quote_spanned! {call_site(field.ty)=>
            if let ::core::option::Option::Some(value) = &#its {
                ::core::clone::Clone::clone_from(&mut #mine, value);
            }
        }
    });

    let by_type = comparison::is_by_type(model).then(|| {
        quote! {
            // `Pair(…).same()` finds the function for floating-point numbers, else `SameByEq`, else the placeholder
            // `NeverSame`.
            #[allow(unused_imports, reason = "which of them is used is up to the type")]
            use _diffsync::__private::{NeverSame as _, SameByEq as _};
        }
    });

    let unused = fields.is_empty().then(|| quote!(#[allow(unused_variables, reason = "the model has no attributes")]));
    let target =
        if fields.iter().any(|field| comparison::written(model, field).is_some()) { quote!(target) } else { quote!(_) };
    let unused_marks = marks.is_empty().then(|| quote!(#[allow(unused_variables, reason = "nothing is compared")]));

    quote! {
        #[inline]
        #unused_marks
        // Long names, since the function of `with(path)` may be called `target`, which a parameter would hide.
        fn differences(&self, sync_target: &Self, sync_mark: &mut impl ::core::ops::FnMut(usize)) {
            #by_type
            #(#marks)*
        }

        #[inline]
        #unused
        fn patch(&self, #target: &Self, changed: &dyn ::core::ops::Fn(usize) -> bool) -> Self::Patch {
            #patch {
                #(#idents: if changed(#positions) {
                    ::core::option::Option::Some(#copies)
                } else {
                    ::core::option::Option::None
                },)*
            }
        }

        #[inline]
        #unused
        fn apply(&mut self, patch: &Self::Patch) {
            #(#taken_over)*
        }
    }
}

/// A copy without the local fields and, on request, without the deferred references, where a model has any of these.
fn for_target(model: &Model<'_>) -> Option<TokenStream> {
    let reset: Vec<_> = model
        .links
        .iter()
        .flat_map(|link| validate::reset(model, link, &model.links))
        .map(|field| field.ident)
        .collect();
    let has_locals = model.with_role(Role::Local).next().is_some();

    // Most models have neither, and the target gets the source's record without a copy.
    if !has_locals && reset.is_empty() {
        return None;
    }
    let parameter = if reset.is_empty() { quote!(_) } else { quote!(deferring) };
    let signature = quote!(#[inline] fn for_target(&self, #parameter: bool) -> _diffsync::model::Outgoing<'_, Self>);

    let fields = model.fields.iter().map(|field| {
        let ident = field.ident;
        let copy = || copy_of("self", field);
        let value = match field.role {
            Role::Local => local_default(field),
            _ if !reset.contains(&ident) => copy(),
            // Without local fields there is a copy only where something is left out.
            _ if !has_locals => quote!(::core::default::Default::default()),
            _ => {
                let copy = copy();
                quote!(if deferring { ::core::default::Default::default() } else { #copy })
            }
        };
        quote!(#ident: #value)
    });

    let copy = quote!(_diffsync::model::Outgoing::Copy(Self { #(#fields),* }));
    Some(if has_locals {
        quote!(#signature { #copy })
    } else {
        quote!(#signature { if deferring { #copy } else { _diffsync::model::Outgoing::Whole(self) } })
    })
}

/// The values after an update, where they are not the source's.
fn planned(model: &Model<'_>) -> Option<TokenStream> {
    let arms: Vec<_> = model
        .with_role(Role::Attribute)
        .enumerate()
        .filter_map(|(position, field)| {
            let (position, written) = (Literal::usize_suffixed(position), comparison::written(model, field)?);
            let value = with_bound(field, &quote_spanned!(call_site(field.ty)=> &#written));
            Some(quote_spanned!(call_site(field.ty)=> #position => _diffsync::__private::value(#value),))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            #[inline]
            fn planned(&self, target: &Self, position: usize) -> _diffsync::__private::ValueResult {
                match position {
                    #(#arms)*
                    _ => self.attribute(position),
                }
            }
        }
    })
}

/// The values of one role by their position, for show.
fn values(model: &Model<'_>, role: Role) -> TokenStream {
    let arms = model.with_role(role).enumerate().map(|(position, field)| {
        let (position, value) = (Literal::usize_suffixed(position), with_bound(field, &ref_of("self", field)));
        let value = quote_spanned!(call_site(field.ty)=> _diffsync::__private::value(#value));
        quote!(#position => #value,)
    });

    quote! {
        match position {
            #(#arms)*
            _ => ::core::result::Result::Ok(_diffsync::__private::serde_json::Value::Null),
        }
    }
}

/// Reads a byte of a text, which is elsewhere in memory than the record.
fn prefetch(field: &Field<'_>) -> Option<TokenStream> {
    let ident = field.ident;
    let text = match field.role {
        Role::Local => return None,
        _ if is_string(field.ty) => quote!(::core::option::Option::Some(&self.#ident)),
        _ if option(field.ty).is_some_and(is_string) => quote!(self.#ident.as_ref()),
        _ => return None,
    };

    Some(quote!(_diffsync::__private::prefetch(#text)))
}

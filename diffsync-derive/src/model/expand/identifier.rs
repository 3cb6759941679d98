//! The identifier's types, owned and borrowed, and what else names a record.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::{TypeNames, comparison, copy_of, doc_lints, field_doc, field_of, name, ref_of, with_bound};
use crate::model::ast::{Field, Model, Role};
use crate::span::call_site;
use crate::ty::{is_plain, is_string, option};

/// `CountryId`.
pub(super) fn id_type(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let id = &names.id;
    let vis = model.vis;
    let doc = format!("The identifier of a [`{}`].", model.ident);
    let lints = doc_lints();
    let fields = model.with_role(Role::Identifier).map(|field| {
        let (ident, vis, ty, doc) = (field.ident, field.vis, field.ty, field_doc(field, "identifier"));
        quote!(#[doc = #doc] #vis #ident: #ty)
    });

    quote! {
        #[doc = #doc]
        #lints
        #vis struct #id {
            #(#fields,)*
        }
    }
}

/// What a `CountryId` can do.
pub(super) fn id(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let id = &names.id;
    let model_ident = model.ident;
    let vis = model.vis;
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let count = Literal::usize_suffixed(fields.len());
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let parameters = fields.iter().map(|field| {
        let (ident, ty) = (field.ident, field.ty);

        // `Into`, so that `RegionId::new("europe")` takes a literal.
        quote!(#ident: impl ::core::convert::Into<#ty>)
    });

    let copies = fields.iter().map(|field| copy_of("self", field));
    let equal = fields
        .iter()
        .map(|field| comparison::identifier_is_same(model, field, &field_of("self", field), &field_of("other", field)));
    let shown = fields.iter().map(|field| {
        let part = field_of("self", field);
        if option(field.ty).is_some() {
            // An `Option` has no `Display`.
            quote_spanned!(call_site(field.ty)=> text.optional_part(::core::option::Option::as_ref(&#part))?;)
        } else {
            quote_spanned!(call_site(field.ty)=> text.part(&#part)?;)
        }
    });

    let serde = serde(&fields, id);
    quote! {
        #[automatically_derived]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        #[allow(private_bounds, reason = "the type of a private field may be private")]
        impl #id {
            /// The identifier made of these parts.
            #[must_use]
            #vis fn new(#(#parameters),*) -> Self {
                Self { #(#idents: ::core::convert::Into::into(#idents)),* }
            }
        }

        #[automatically_derived]
        impl ::core::clone::Clone for #id {
            #[inline]
            fn clone(&self) -> Self {
                Self { #(#idents: #copies),* }
            }
        }

        #[automatically_derived]
        impl ::core::cmp::PartialEq for #id {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                #(#equal)&&*
            }
        }

        #[automatically_derived]
        impl ::core::cmp::Eq for #id {}

        #[automatically_derived]
        impl ::core::hash::Hash for #id {
            fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) {
                // As the key does, since a table is searched by borrowed keys.
                ::core::hash::Hash::hash(&_diffsync::model::AsKey::<#model_ident>::key(self), state);
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Display for #id {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut text = _diffsync::__private::IdentifierText::new(f, #count);
                #(#shown)*
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #id {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        #serde
    }
}

/// One identifier serialises as its value, several as a map.
fn serde(fields: &[&Field<'_>], id: &Ident) -> TokenStream {
    // `"fr"` for one identifier, `{"site": "ams01", "name": "r1"}` for several.
    let (serialize, deserialize) = if let [field] = fields {
        let ident = field.ident;
        let value = with_bound(field, &ref_of("self", field));
        let span = call_site(field.ty);
        let ty = field.ty;
        let deserialize = if is_plain(ty) {
            quote!(_diffsync::__private::serde::Deserialize::deserialize(deserializer)?)
        } else {
            quote_spanned!(span=> _diffsync::__private::Read::<#ty>::value(deserializer)?)
        };
        (
            quote_spanned!(span=> _diffsync::__private::serde::Serialize::serialize(#value, serializer)),
            quote!(::core::result::Result::Ok(Self { #ident: #deserialize })),
        )
    } else {
        let type_name = id.to_string();
        let count = Literal::usize_suffixed(fields.len());
        let written = fields.iter().map(|field| {
            let (name, value) = (&field.name, with_bound(field, &ref_of("self", field)));
            quote_spanned! {call_site(field.ty)=>
                _diffsync::__private::serde::ser::SerializeStruct::serialize_field(&mut parts, #name, #value)?;
            }
        });

        let read = fields.iter().map(|field| {
            let (ident, ty, name) = (field.ident, field.ty, &field.name);
            let part = if is_plain(ty) {
                quote!(parts.take(#name)?)
            } else {
                quote_spanned!(call_site(ty)=> _diffsync::__private::Read::<#ty>::part(&mut parts, #name)?)
            };
            quote!(#ident: #part)
        });
        (
            quote! {
                let mut parts = _diffsync::__private::serde::Serializer::serialize_struct(serializer, #type_name, #count)?;
                #(#written)*
                _diffsync::__private::serde::ser::SerializeStruct::end(parts)
            },
            quote! {
                let mut parts = _diffsync::__private::IdentifierParts::deserialize(deserializer)?;
                ::core::result::Result::Ok(Self { #(#read),* })
            },
        )
    };

    let never_read = never_read(fields.iter().copied());
    quote! {
        #[automatically_derived]
        impl _diffsync::__private::serde::Serialize for #id {
            fn serialize<S: _diffsync::__private::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<<S as _diffsync::__private::serde::Serializer>::Ok, <S as _diffsync::__private::serde::Serializer>::Error> {
                #serialize
            }
        }

        #[automatically_derived]
        impl<'de> _diffsync::__private::serde::Deserialize<'de> for #id {
            fn deserialize<D: _diffsync::__private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, <D as _diffsync::__private::serde::Deserializer<'de>>::Error> {
                #never_read
                #deserialize
            }
        }
    }
}

/// What makes sure that a type which cannot be read is reported once, and not here.
pub(super) fn never_read<'f, 'a: 'f>(mut fields: impl Iterator<Item = &'f Field<'a>>) -> Option<TokenStream> {
    fields.any(|field| !is_plain(field.ty)).then(|| {
        quote! {
            // Inherent functions of `Read` are found before those of this trait, and exist only for types that can be
            // read.
            #[allow(unused_imports, reason = "only what cannot be read needs it")]
            use _diffsync::__private::NeverRead as _;
        }
    })
}

/// `CountryKey`.
pub(super) fn key_type(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let key = &names.key;
    let vis = model.vis;
    let doc = format!("The identifier of a [`{}`], borrowed.", model.ident);
    let lints = doc_lints();
    let fields = model.with_role(Role::Identifier).map(|field| {
        let (ident, vis, ty, doc) =
            (field.ident, field.vis, name::borrowed_type(field.ty), field_doc(field, "identifier"));
        quote!(#[doc = #doc] #vis #ident: #ty)
    });

    quote! {
        #[doc = #doc]
        #lints
        // All fields are references, and a reference is always `Copy`.
        #[derive(::core::clone::Clone, ::core::marker::Copy)]
        #vis struct #key<'key> {
            #(#fields,)*
        }
    }
}

/// What a `CountryKey` can do.
pub(super) fn key(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let (ident, key) = (model.ident, &names.key);
    let hashed = model
        .with_role(Role::Identifier)
        .map(|field| comparison::identifier_hash(model, field, &field_of("self", field)));
    let equal = model.with_role(Role::Identifier).map(|field| {
        let at = call_site(field.ty);
        let part = |this| {
            let part = field_of(this, field);
            quote_spanned!(at=> *#part)
        };
        comparison::identifier_is_same(model, field, &part("self"), &part("other"))
    });

    let parts = name::parts(model, key);
    quote! {
        #[automatically_derived]
        impl ::core::cmp::PartialEq for #key<'_> {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                #(#equal)&&*
            }
        }

        #[automatically_derived]
        impl ::core::cmp::Eq for #key<'_> {}

        #parts

        #[automatically_derived]
        impl ::core::hash::Hash for #key<'_> {
            #[inline]
            fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) {
                #(#hashed)*
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #key<'_> {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&<#ident as _diffsync::SyncModel>::to_id(*self), f)
            }
        }
    }
}

/// An identifier of the record, borrowed as the key holds it.
pub(super) fn borrowed(field: &Field<'_>) -> TokenStream {
    let value = field_of("self", field);
    if is_string(field.ty) { quote!(::std::string::String::as_str(&#value)) } else { quote!(&#value) }
}

/// What names a record: its identifier, its only identifier's type, or a tuple of all.
pub(super) fn lookups(model: &Model<'_>, names: &TypeNames) -> TokenStream {
    let TypeNames { id, key, .. } = names;
    let ident = model.ident;
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let implement = |generics: TokenStream, ty: TokenStream, parts: Vec<TokenStream>, spelling: TokenStream| {
        quote! {
            #[automatically_derived]
            impl #generics _diffsync::model::AsKey<#ident> for #ty {
                #[inline]
                fn key(&self) -> ::core::option::Option<#key<'_>> {
                    ::core::option::Option::Some(#key { #(#idents: #parts),* })
                }

                #spelling
            }
        }
    };

    let respell = |owned: TokenStream| {
        quote! {
            #[inline]
            fn respell(&mut self, key: #key<'_>) {
                *self = #owned;
            }
        }
    };

    let to_id = quote!(<#ident as _diffsync::SyncModel>::to_id(key));
    let of_id = fields.iter().map(|field| borrowed(field));
    let by_id = implement(TokenStream::new(), id.to_token_stream(), of_id.collect(), respell(to_id.clone()));
    let by_value = match fields.as_slice() {
        // The core's impl for `String` builds on this one.
        [field] if is_string(field.ty) => {
            let part = field.ident;
            let spelling = quote! {
                #[inline]
                fn spelling(key: <#ident as _diffsync::SyncModel>::Key<'_>) -> ::core::option::Option<&Self> {
                    ::core::option::Option::Some(key.#part)
                }
            };
            implement(TokenStream::new(), quote!(str), vec![quote!(self)], spelling)
        }
        // The core has an impl for every `Option`, in which `None` names nothing.
        [field] if option(field.ty).is_some() => TokenStream::new(),
        [field] => {
            let (ty, part) = (field.ty, field.ident);
            implement(TokenStream::new(), quote!(#ty), vec![quote!(self)], respell(quote!(#to_id.#part)))
        }
        _ => {
            // `("europe", "rack 1")`: with `String`, a lookup would have to allocate.
            let types = fields.iter().map(|field| {
                let ty = field.ty;
                if is_string(ty) { quote!(&'name str) } else { quote!(#ty) }
            });

            let generics = if fields.iter().any(|field| is_string(field.ty)) { quote!(<'name>) } else { quote!() };
            let parts = fields.iter().enumerate().map(|(position, field)| {
                let position = Literal::usize_unsuffixed(position);
                if is_string(field.ty) { quote!(self.#position) } else { quote!(&self.#position) }
            });

            implement(generics, quote!((#(#types),*)), parts.collect(), TokenStream::new())
        }
    };

    quote!(#by_id #by_value)
}

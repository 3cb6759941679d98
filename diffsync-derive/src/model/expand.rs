//! The code of a model. It names everything by its absolute path.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::ast::{Field, Link, Model, Role, is_self, is_string, option};

pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let names = Names::of(model);
    let id = id_type(model, &names);
    let key = key_type(model, &names);
    let patch = patch_type(model, &names);
    let checks = field_checks(model);
    let sync_model = sync_model(model, &names);
    let lookups = lookups(model, &names);
    let links = links(model);
    quote! {
        #id
        #key
        #patch
        const _: () = {
            #checks
            #sync_model
            #lookups
            #links
        };
    }
}

/// The names of the generated types.
struct Names {
    id: Ident,
    key: Ident,
    patch: Ident,
}

impl Names {
    fn of(model: &Model<'_>) -> Self {
        let named = |suffix| format_ident!("{}{}", model.ident, suffix);
        Self { id: named("Id"), key: named("Key"), patch: named("Patch") }
    }
}

/// A documentation comment for a generated field: the user's, or a plain one.
fn field_doc(field: &Field<'_>, what: &str) -> String {
    if field.description.is_empty() { format!("The {what} `{}`.", field.name()) } else { field.description.clone() }
}

fn id_type(model: &Model<'_>, names: &Names) -> TokenStream {
    let Names { id, key, .. } = names;
    let vis = model.vis;
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let count = fields.len();
    let definitions = fields.iter().map(|field| {
        let (ident, ty, doc) = (field.ident, field.ty, field_doc(field, "identifier"));
        quote!(#[doc = #doc] #vis #ident: #ty)
    });
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let parameters = fields.iter().map(|field| {
        let (ident, ty) = (field.ident, field.ty);
        quote!(#ident: impl ::core::convert::Into<#ty>)
    });
    let parts = fields.iter().map(|field| {
        let ident = field.ident;
        if option(field.ty).is_some() {
            quote!(text.optional_part(self.#ident.as_ref())?;)
        } else {
            quote_spanned!(field.ty.span()=> text.part(&self.#ident)?;)
        }
    });
    let doc = format!("The identifier of a [`{}`].", model.ident);
    let serde = id_serde(&fields, id);
    let by_name = by_name(model, key, &fields);
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash)]
        #vis struct #id {
            #(#definitions,)*
        }

        #[automatically_derived]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        impl #id {
            /// The identifier made of these parts.
            #[must_use]
            #vis fn new(#(#parameters),*) -> Self {
                Self { #(#idents: ::core::convert::Into::into(#idents)),* }
            }
        }

        #by_name

        #[automatically_derived]
        impl ::core::fmt::Display for #id {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut text = ::diffsync_core::__private::IdentifierText::new(f, #count);
                #(#parts)*
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #id {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        #serde
    }
}

/// One identifier serialises as its value, several as a map.
fn id_serde(fields: &[&Field<'_>], id: &Ident) -> TokenStream {
    let serde = quote!(::diffsync_core::__private::serde);
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let (serialize, deserialize) = if let [field] = fields {
        let ident = field.ident;
        (
            quote!(#serde::Serialize::serialize(&self.#ident, serializer)),
            quote! {
                ::core::result::Result::Ok(Self { #ident: #serde::Deserialize::deserialize(deserializer)? })
            },
        )
    } else {
        let (count, names) = (fields.len(), fields.iter().map(|field| field.name()).collect::<Vec<_>>());
        let type_name = id.to_string();
        (
            quote! {
                let mut parts = #serde::Serializer::serialize_struct(serializer, #type_name, #count)?;
                #(#serde::ser::SerializeStruct::serialize_field(&mut parts, #names, &self.#idents)?;)*
                #serde::ser::SerializeStruct::end(parts)
            },
            quote! {
                let mut parts = ::diffsync_core::__private::IdentifierParts::deserialize(deserializer)?;
                ::core::result::Result::Ok(Self { #(#idents: parts.take(#names)?),* })
            },
        )
    };
    quote! {
        #[automatically_derived]
        impl #serde::Serialize for #id {
            fn serialize<S: #serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                #serialize
            }
        }

        #[automatically_derived]
        impl<'de> #serde::Deserialize<'de> for #id {
            fn deserialize<D: #serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #deserialize
            }
        }
    }
}

/// `Device::identified_by_name_and_site(…)`: how another model's link over several fields makes this model's key.
///
/// The names are sorted, so that both derives come to the same function; if they differ, the compiler's message names
/// the fields.
fn by_name(model: &Model<'_>, key: &Ident, fields: &[&Field<'_>]) -> TokenStream {
    let (ident, vis) = (model.ident, model.vis);
    let mut sorted: Vec<_> = fields.iter().map(|field| field.ident).collect();
    sorted.sort();
    let function = identified_by(sorted.iter().copied());
    let parameters = sorted.iter().filter_map(|name| {
        let ty = key_field_type(fields.iter().find(|field| field.ident == *name)?.ty);
        Some(quote!(#name: #ty))
    });
    let doc = format!("The key of the [`{ident}`] with these identifiers.");
    quote! {
        #[automatically_derived]
        #[allow(dead_code, reason = "generated for the models that link to this one over several fields")]
        impl #ident {
            #[doc = #doc]
            #[doc(hidden)]
            #[must_use]
            #vis fn #function<'key>(#(#parameters),*) -> #key<'key> {
                #key { #(#sorted),* }
            }
        }
    }
}

fn identified_by<'a>(sorted: impl Iterator<Item = &'a Ident>) -> Ident {
    let names: Vec<_> = sorted.map(|name| name.to_string().trim_start_matches("r#").to_owned()).collect();
    format_ident!("identified_by_{}", names.join("_and_"))
}

fn key_type(model: &Model<'_>, names: &Names) -> TokenStream {
    let key = &names.key;
    let vis = model.vis;
    let doc = format!("The identifier of a [`{}`], borrowed.", model.ident);
    let fields = model.with_role(Role::Identifier).map(|field| {
        let (ident, ty) = (field.ident, key_field_type(field.ty));
        quote!(#ident: #ty)
    });
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::hash::Hash)]
        #vis struct #key<'key> {
            #(#fields,)*
        }
    }
}

/// How a key holds an identifier of this type.
fn key_field_type(ty: &Type) -> TokenStream {
    if is_string(ty) { quote!(&'key str) } else { quote!(&'key #ty) }
}

/// An identifier borrowed as the key holds it.
fn borrow(field: &Field<'_>, place: &TokenStream) -> TokenStream {
    if is_string(field.ty) { quote!(::std::string::String::as_str(&#place)) } else { quote!(&#place) }
}

fn patch_type(model: &Model<'_>, names: &Names) -> TokenStream {
    let patch = &names.patch;
    let vis = model.vis;
    let doc = format!("A change of a [`{}`]: the attributes that get a new value.", model.ident);
    let fields: Vec<_> = model.with_role(Role::Attribute).collect();
    let definitions = fields.iter().map(|field| {
        let (ident, ty, doc) = (field.ident, field.ty, field_doc(field, "attribute"));
        quote!(#[doc = #doc] #vis #ident: ::core::option::Option<#ty>)
    });
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let attributes: Vec<_> = fields.iter().map(|field| field.name()).collect();
    let type_name = patch.to_string();
    let serde = quote!(::diffsync_core::__private::serde);
    let is_empty = if idents.is_empty() { quote!(true) } else { quote!(#(self.#idents.is_none())&&*) };
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::default::Default)]
        #[allow(clippy::option_option, reason = "the outer one says whether the attribute changes, the inner one is its value")]
        #vis struct #patch {
            #(#definitions,)*
        }

        #[automatically_derived]
        #[allow(dead_code, reason = "generated for whoever needs it")]
        impl #patch {
            /// Whether nothing changes.
            #[must_use]
            #vis fn is_empty(&self) -> bool {
                #is_empty
            }
        }

        #[automatically_derived]
        impl #serde::Serialize for #patch {
            fn serialize<S: #serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                let mut changes = #serde::Serializer::serialize_map(serializer, ::core::option::Option::None)?;
                #(
                    if let ::core::option::Option::Some(value) = &self.#idents {
                        #serde::ser::SerializeMap::serialize_entry(&mut changes, #attributes, value)?;
                    }
                )*
                #serde::ser::SerializeMap::end(changes)
            }
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #patch {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::diffsync_core::__private::debug_patch(#type_name, self, f)
            }
        }
    }
}

/// The bounds on the fields' types, checked at the types the user wrote.
fn field_checks(model: &Model<'_>) -> TokenStream {
    let checks = model.fields.iter().map(|field| {
        let ty = field.ty;
        let bound = match field.role {
            Role::Identifier => quote!(IdentifierValue),
            Role::Attribute => quote!(AttributeValue),
            Role::Local => quote!(LocalValue),
        };
        quote_spanned! {ty.span()=>
            const _: fn() = || {
                fn check<T: ::diffsync_core::#bound>() {}
                check::<#ty>();
            };
        }
    });
    quote!(#(#checks)*)
}

fn sync_model(model: &Model<'_>, names: &Names) -> TokenStream {
    let Names { id, key, patch } = names;
    let (ident, name) = (model.ident, &model.name);
    let identifiers: Vec<_> = model.with_role(Role::Identifier).collect();
    let attributes: Vec<_> = model.with_role(Role::Attribute).collect();
    let id_idents: Vec<_> = identifiers.iter().map(|field| field.ident).collect();
    let attribute_idents: Vec<_> = attributes.iter().map(|field| field.ident).collect();
    let borrowed: Vec<_> = identifiers
        .iter()
        .map(|field| {
            let ident = field.ident;
            borrow(field, &quote!(self.#ident))
        })
        .collect();
    let owned = identifiers.iter().map(|field| {
        let ident = field.ident;
        if is_string(field.ty) {
            quote!(::std::borrow::ToOwned::to_owned(key.#ident))
        } else {
            quote!(::core::clone::Clone::clone(key.#ident))
        }
    });
    let positions: Vec<_> = (0..attributes.len()).map(Literal::usize_suffixed).collect();
    let id_positions: Vec<_> = (0..identifiers.len()).map(Literal::usize_suffixed).collect();
    let same = attributes.iter().map(|field| {
        let ident = field.ident;
        // At the field's type, where a missing `PartialEq` is to be reported.
        quote_spanned!(field.ty.span()=> ::diffsync_core::__private::Pair(&self.#ident, &target.#ident).same())
    });
    let handed_over = handed_over(model);
    let touched = model.fields.iter().filter_map(touch);
    let schema = schema(model);
    quote! {
        #[automatically_derived]
        impl ::diffsync_core::SyncModel for #ident {
            type Id = #id;
            type Key<'key> = #key<'key>;
            type Patch = #patch;

            const NAME: &'static str = #name;
            const SCHEMA: &'static ::diffsync_core::schema::ModelSchema = &#schema;

            fn id(&self) -> Self::Id {
                #id { #(#id_idents: ::core::clone::Clone::clone(&self.#id_idents)),* }
            }

            #[inline]
            fn key(&self) -> Self::Key<'_> {
                #key { #(#id_idents: #borrowed),* }
            }

            #[inline]
            fn is(&self, key: Self::Key<'_>) -> bool {
                #(*#borrowed == *key.#id_idents)&&*
            }

            fn to_id(key: Self::Key<'_>) -> Self::Id {
                #id { #(#id_idents: #owned),* }
            }

            #[inline]
            #[allow(unused_imports, unused_variables, reason = "a model may have no attributes, or only numbers")]
            fn differences(&self, target: &Self, mark: &mut impl ::core::ops::FnMut(usize)) {
                use ::diffsync_core::__private::SameByEq as _;
                #(if !#same { mark(#positions); })*
            }

            #[allow(unused_variables, reason = "a model may have no attributes")]
            fn patch(&self, changed: &dyn ::core::ops::Fn(usize) -> bool) -> Self::Patch {
                #patch {
                    #(#attribute_idents: changed(#positions).then(|| ::core::clone::Clone::clone(&self.#attribute_idents)),)*
                }
            }

            #[allow(unused_variables, reason = "a model may have no attributes")]
            fn apply(&mut self, patch: &Self::Patch) {
                #(
                    if let ::core::option::Option::Some(value) = &patch.#attribute_idents {
                        ::core::clone::Clone::clone_from(&mut self.#attribute_idents, value);
                    }
                )*
            }

            fn handed_over(&self) -> ::diffsync_core::HandedOver<'_, Self> {
                #handed_over
            }

            fn identifier(&self, position: usize) -> ::diffsync_core::__private::ValueResult {
                match position {
                    #(#id_positions => ::diffsync_core::__private::value(&self.#id_idents),)*
                    _ => ::core::result::Result::Ok(::diffsync_core::__private::serde_json::Value::Null),
                }
            }

            fn attribute(&self, position: usize) -> ::diffsync_core::__private::ValueResult {
                match position {
                    #(#positions => ::diffsync_core::__private::value(&self.#attribute_idents),)*
                    _ => ::core::result::Result::Ok(::diffsync_core::__private::serde_json::Value::Null),
                }
            }

            #[inline]
            fn touch(&self) -> usize {
                0usize #(.wrapping_add(#touched))*
            }
        }
    }
}

/// The record itself, or a copy without the local fields.
fn handed_over(model: &Model<'_>) -> TokenStream {
    if model.with_role(Role::Local).next().is_none() {
        return quote!(::diffsync_core::HandedOver::Whole(self));
    }
    let fields = model.fields.iter().map(|field| {
        let ident = field.ident;
        match field.role {
            Role::Local => quote!(#ident: ::core::default::Default::default()),
            Role::Identifier | Role::Attribute => quote!(#ident: ::core::clone::Clone::clone(&self.#ident)),
        }
    });
    quote!(::diffsync_core::HandedOver::WithoutLocals(Self { #(#fields),* }))
}

/// Reads a byte of a text, which lies elsewhere in memory than the record.
fn touch(field: &Field<'_>) -> Option<TokenStream> {
    let ident = field.ident;
    let text = match field.role {
        Role::Local => return None,
        _ if is_string(field.ty) => quote!(::core::option::Option::Some(&self.#ident)),
        _ if option(field.ty).is_some_and(is_string) => quote!(self.#ident.as_ref()),
        _ => return None,
    };
    Some(quote!(::diffsync_core::__private::touch(#text)))
}

fn schema(model: &Model<'_>) -> TokenStream {
    let schema = quote!(::diffsync_core::schema);
    let (name, type_name, description) = (&model.name, model.ident.to_string(), &model.description);
    let fields = |role| {
        let fields = model.with_role(role).map(|field| {
            let (name, description, ty) = (field.name(), &field.description, type_text(field.ty));
            quote!(#schema::FieldSchema { name: #name, description: #description, type_name: #ty })
        });
        quote!(&[#(#fields),*])
    };
    let (identifiers, attributes, locals) = (fields(Role::Identifier), fields(Role::Attribute), fields(Role::Local));
    let links = parent(model).map(|parent| {
        let (model, fields) = (&parent.model, parent.fields());
        quote! {
            #schema::LinkSchema {
                kind: #schema::LinkKind::Parent,
                model: <#model as ::diffsync_core::SyncModel>::NAME,
                fields: &[#(#fields),*],
            }
        }
    });
    quote! {
        #schema::ModelSchema {
            name: #name,
            type_name: #type_name,
            description: #description,
            identifiers: #identifiers,
            attributes: #attributes,
            locals: #locals,
            links: &[#links],
        }
    }
}

/// A type as the user wrote it, without the spaces that printing tokens puts in.
fn type_text(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",")
}

/// What names a record: its identifier, its only identifier's type, or a tuple of all.
fn lookups(model: &Model<'_>, names: &Names) -> TokenStream {
    let Names { id, key, .. } = names;
    let ident = model.ident;
    let fields: Vec<_> = model.with_role(Role::Identifier).collect();
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let implement = |generics: TokenStream, ty: TokenStream, parts: Vec<TokenStream>| {
        quote! {
            #[automatically_derived]
            impl #generics ::diffsync_core::Names<#ident> for #ty {
                #[inline]
                fn key(&self) -> ::core::option::Option<#key<'_>> {
                    ::core::option::Option::Some(#key { #(#idents: #parts),* })
                }
            }
        }
    };
    let of_id = fields.iter().map(|field| {
        let ident = field.ident;
        borrow(field, &quote!(self.#ident))
    });
    let by_id = implement(TokenStream::new(), id.to_token_stream(), of_id.collect());
    let by_value = match fields.as_slice() {
        [field] if is_string(field.ty) => {
            let string = field.ty;
            let by_string = implement(TokenStream::new(), quote!(#string), vec![quote!(self)]);
            let by_str = implement(TokenStream::new(), quote!(str), vec![quote!(self)]);
            quote!(#by_string #by_str)
        }
        // An `Option` of a name means that there may be none.
        [field] if option(field.ty).is_some() => TokenStream::new(),
        [field] => {
            let ty = field.ty;
            implement(TokenStream::new(), quote!(#ty), vec![quote!(self)])
        }
        _ => {
            let types = fields.iter().map(|field| {
                let ty = field.ty;
                if is_string(ty) { quote!(&'name str) } else { quote!(#ty) }
            });
            let generics = if fields.iter().any(|field| is_string(field.ty)) { quote!(<'name>) } else { quote!() };
            let parts = fields.iter().enumerate().map(|(position, field)| {
                let position = Literal::usize_unsuffixed(position);
                if is_string(field.ty) { quote!(self.#position) } else { quote!(&self.#position) }
            });
            implement(generics, quote!((#(#types),*)), parts.collect())
        }
    };
    quote!(#by_id #by_value)
}

/// The model's parent, however it was written.
struct Parent<'a> {
    model: Type,
    link: How<'a>,
}

enum How<'a> {
    Field(&'a Field<'a>),
    Struct(&'a Link, &'a Model<'a>),
}

impl Parent<'_> {
    fn fields(&self) -> Vec<String> {
        match self.link {
            How::Field(field) => vec![field.name()],
            How::Struct(link, _) => {
                link.pairs.iter().map(|(_, mine)| mine.to_string().trim_start_matches("r#").to_owned()).collect()
            }
        }
    }

    /// An expression for the parent's key, where `record` is the child.
    fn key(&self) -> TokenStream {
        let model = &self.model;
        match self.link {
            How::Field(field) => {
                let ident = field.ident;
                quote_spanned!(field.ty.span()=> ::diffsync_core::Names::<#model>::key(&record.#ident))
            }
            How::Struct(link, child) => {
                let mut pairs: Vec<_> = link.pairs.iter().collect();
                pairs.sort_by_key(|(its, _)| its);
                let mut function = identified_by(pairs.iter().map(|(its, _)| its));
                function.set_span(link.key.span());
                let arguments = pairs.iter().map(|(_, mine)| {
                    let optional = child.fields.iter().any(|field| field.ident == mine && option(field.ty).is_some());
                    if optional { quote!(record.#mine.as_ref()?) } else { quote!(&record.#mine) }
                });
                quote!(::core::option::Option::Some(<#model>::#function(#(#arguments),*)))
            }
        }
    }
}

fn parent<'a>(model: &'a Model<'a>) -> Option<Parent<'a>> {
    let own = model.ident;
    let resolve = |parent: &Type| if is_self(parent) { syn::parse_quote!(#own) } else { parent.clone() };
    if let Some(link) = &model.parent {
        return Some(Parent { model: resolve(&link.model), link: How::Struct(link, model) });
    }
    let field = model.fields.iter().find(|field| field.parent.is_some())?;
    let parent = field.parent.as_ref()?;
    Some(Parent { model: resolve(&parent.model), link: How::Field(field) })
}

fn links(model: &Model<'_>) -> TokenStream {
    let ident = model.ident;
    let parent = parent(model);
    let bound = parent.as_ref().map(|parent| {
        let model = &parent.model;
        quote!(where D: ::diffsync_core::HasTable<#model>)
    });
    let visit = parent.as_ref().map(|parent| {
        let (model, key) = (&parent.model, parent.key());
        quote! {
            fn parent(record: &#ident) -> ::core::option::Option<<#model as ::diffsync_core::SyncModel>::Key<'_>> {
                #key
            }
            if let ::core::option::Option::Some(link) =
                <#ident as ::diffsync_core::SyncModel>::SCHEMA.links.first()
            {
                visitor.visit::<#model>(link, parent);
            }
        }
    });
    let visitor = if parent.is_some() { quote!(visitor) } else { quote!(_) };
    quote! {
        #[automatically_derived]
        impl<D> ::diffsync_core::LinksIn<D> for #ident #bound {
            fn visit_links<V: ::diffsync_core::__private::LinkVisitor<D, Self>>(#visitor: &mut V) {
                #visit
            }
        }
    }
}

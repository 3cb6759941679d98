//! What the user wrote, with the tokens to point at.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, LitStr, PathArguments, Result, Token, Type, TypeReference,
    Visibility, parenthesized,
};

use crate::attr::{self, Once};
use crate::ctxt::Ctxt;
use crate::words::{documentation, snake_case};

/// A model.
pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) fields: Vec<Field<'a>>,
    /// The parent that several fields name, declared on the struct.
    pub(crate) parent: Option<Link>,
    /// Whether an identifier may be missing only because its key could not be read.
    pub(crate) identifiers_in_doubt: bool,
}

/// A field of a model.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) description: String,
    pub(crate) role: Role,
    pub(crate) parent: Option<ParentKey>,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Identifier,
    Attribute,
    Local,
}

/// `parent = Model` on a field.
pub(crate) struct ParentKey {
    /// The word `parent`.
    pub(crate) key: Ident,
    pub(crate) model: Type,
}

/// `parent(Model, its_field = my_field, …)` on the struct.
pub(crate) struct Link {
    pub(crate) model: Type,
    /// The parent's identifier, and the field of this model that holds it.
    pub(crate) pairs: Vec<(Ident, Ident)>,
}

const STRUCT_KEYS: &[&str] = &["name", "parent"];
const FIELD_KEYS: &[&str] = &["id", "local", "parent"];

impl<'a> Model<'a> {
    /// Reads the input, or reports why it cannot be a model at all.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let fields = shape(cx, input)?;
        let mut name = Once::default();
        let mut parent = Once::default();
        let mut identifiers_in_doubt = false;
        attr::each_key(cx, &input.attrs, "sync", |cx, key, input| match key.to_string().as_str() {
            "name" => {
                let text = attr::text(key, input)?;
                name.set(cx, key, text);
                Ok(())
            }
            "parent" => {
                let link = link(key, input)?;
                parent.set(cx, key, link);
                Ok(())
            }
            other if FIELD_KEYS.contains(&other) => {
                identifiers_in_doubt = true;
                Err(Error::new(
                    key.span(),
                    format!("`{other}` belongs on a field; put `#[sync({other})]` above the field it is about"),
                ))
            }
            _ => Err(attr::unknown(key, STRUCT_KEYS)),
        });
        if fields.is_empty() {
            cx.error_at(&input.ident, "a model needs at least one field marked `#[sync(id)]`");
            return None;
        }
        let name = model_name(cx, &input.ident, name.into_value());
        let errors = cx.count();
        let fields = fields.into_iter().map(|(ident, field)| Field::read(cx, ident, field)).collect();
        Some(Self {
            ident: &input.ident,
            vis: &input.vis,
            name,
            description: documentation(&input.attrs),
            fields,
            parent: parent.into_value(),
            identifiers_in_doubt: identifiers_in_doubt || cx.count() > errors,
        })
    }

    pub(crate) fn with_role(&self, role: Role) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.role == role)
    }
}

/// The named fields of a struct without generics; anything else cannot be a model.
fn shape<'a>(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Vec<(&'a Ident, &'a syn::Field)>> {
    const WHAT: &str = "a model is a struct with named fields, one of them marked `#[sync(id)]`";
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            cx.error_at(data.enum_token, format!("{WHAT}; an enum can be the type of a field"));
            return None;
        }
        Data::Union(data) => {
            cx.error_at(data.union_token, format!("{WHAT}; a union cannot be compared"));
            return None;
        }
    };
    if !input.generics.params.is_empty() {
        cx.error_at(
            &input.generics,
            "a model cannot be generic: each kind of record is a struct of its own, and its fields own their values",
        );
        return None;
    }
    match fields {
        Fields::Named(fields) => {
            Some(fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, field))).collect())
        }
        Fields::Unnamed(fields) => {
            cx.error(fields.span(), format!("{WHAT}; name these fields"));
            None
        }
        Fields::Unit => {
            cx.error_at(&input.ident, WHAT);
            None
        }
    }
}

fn model_name(cx: &mut Ctxt, ident: &Ident, given: Option<LitStr>) -> String {
    let default = snake_case(&ident.to_string());
    let Some(given) = given else { return default };
    let name = given.value();
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(plain) {
        return name;
    }
    cx.error_at(given, "a model's name is written in lower case with digits and underscores, as in `device_type`");
    default
}

/// `parent(Model, its_field = my_field, …)`.
fn link(key: &Ident, input: ParseStream<'_>) -> Result<Link> {
    const USAGE: &str = "on the struct, `parent` is written `parent(Model, its_field = my_field, …)`";
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(key.span(), USAGE));
    }
    let inner;
    parenthesized!(inner in input);
    let read = link_parts(&inner).and_then(|(model, pairs)| {
        if pairs.is_empty() { Err(Error::new(key.span(), USAGE)) } else { Ok(Link { model, pairs }) }
    });
    // What is left in the parentheses would be reported as well.
    inner.parse::<TokenStream>()?;
    read.map_err(|error| Error::new(error.span(), USAGE))
}

fn link_parts(input: ParseStream<'_>) -> Result<(Type, Vec<(Ident, Ident)>)> {
    let model = input.parse()?;
    let mut pairs = Vec::new();
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            break;
        }
        let its = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        pairs.push((its, input.call(Ident::parse_any)?));
    }
    Ok((model, pairs))
}

impl<'a> Field<'a> {
    fn read(cx: &mut Ctxt, ident: &'a Ident, field: &'a syn::Field) -> Self {
        let mut id = Once::default();
        let mut local = Once::default();
        let mut parent = Once::default();
        attr::each_key(cx, &field.attrs, "sync", |cx, key, input| match key.to_string().as_str() {
            "id" => word(key, input).map(|()| id.set(cx, key, ())),
            "local" => word(key, input).map(|()| local.set(cx, key, ())),
            "parent" => {
                let model = parent_model(key, ident, input)?;
                parent.set(cx, key, ParentKey { key: key.clone(), model });
                Ok(())
            }
            "name" => Err(Error::new(
                key.span(),
                "`name` belongs on the struct: it names the model; a field is called what it is called in Rust",
            )),
            _ => Err(attr::unknown(key, FIELD_KEYS)),
        });
        if let (Some(_), Some(second)) = (id.key(), local.key()) {
            cx.error_at(
                second,
                "a field is either `id` or `local`: what identifies a record is the same on both sides",
            );
        }
        let role = match (id.get(), local.get()) {
            (Some(()), _) => Role::Identifier,
            (None, Some(())) => Role::Local,
            (None, None) => Role::Attribute,
        };
        Self { ident, ty: &field.ty, description: documentation(&field.attrs), role, parent: parent.into_value() }
    }

    /// The field's name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// A key that stands alone.
fn word(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if attr::value_follows(input) {
        return Err(Error::new(key.span(), format!("`{key}` stands alone: write `#[sync({key})]`")));
    }
    Ok(())
}

fn parent_model(key: &Ident, field: &Ident, input: ParseStream<'_>) -> Result<Type> {
    if input.peek(syn::token::Paren) {
        return Err(Error::new(
            key.span(),
            "a parent named by several fields belongs on the struct; on a field, write `parent = Model`",
        ));
    }
    let usage = || format!("`parent` is written `parent = Model`, where `Model` is the struct that `{field}` names");
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), usage()));
    }
    input.parse::<Token![=]>()?;
    match input.parse() {
        Ok(model @ Type::Path(_)) => Ok(model),
        Ok(other) => Err(Error::new_spanned(other, usage())),
        Err(error) => Err(Error::new(error.span(), usage())),
    }
}

/// Whether a type is `Self`.
pub(crate) fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

/// Whether a type is written as a floating-point number, or as an `Option` of one.
pub(crate) fn is_float(ty: &Type) -> bool {
    let ty = option(ty).unwrap_or(ty);
    last_segment(ty).is_some_and(|segment| segment.ident == "f32" || segment.ident == "f64")
}

/// The reference in a type that is one, or that holds one where its arguments say so.
pub(crate) fn reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(reference) => Some(reference),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => reference(ty),
                _ => None,
            }),
            _ => None,
        }),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(reference),
        _ => None,
    }
}

/// Whether a type is written `String`, with or without its path.
pub(crate) fn is_string(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "String" && segment.arguments.is_empty())
}

/// What an `Option` holds, if a type is written as one.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    argument(ty, "Option")
}

/// What a `Secret` holds, if a type is written as one.
pub(crate) fn secret(ty: &Type) -> Option<&Type> {
    argument(ty, "Secret")
}

/// What a generic type of this name holds.
pub(crate) fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => match arguments.args.first()? {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

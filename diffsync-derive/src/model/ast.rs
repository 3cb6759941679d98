//! What the user wrote, with the tokens to point at.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, LitStr, PathArguments, Result, Token, Type, Visibility,
    parenthesized,
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
    pub(crate) key: Ident,
    pub(crate) model: Type,
}

/// `parent(Model, its_field = my_field, …)` on the struct.
pub(crate) struct Link {
    pub(crate) key: Ident,
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
            other if FIELD_KEYS.contains(&other) => Err(Error::new(
                key.span(),
                format!("`{other}` belongs on a field; put `#[sync({other})]` above the field it is about"),
            )),
            _ => Err(attr::unknown(key, STRUCT_KEYS)),
        });
        if fields.is_empty() {
            cx.error_at(&input.ident, "a model needs at least one field marked `#[sync(id)]`");
            return None;
        }
        Some(Self {
            ident: &input.ident,
            vis: &input.vis,
            name: model_name(cx, &input.ident, name.into_value()),
            description: documentation(&input.attrs),
            fields: fields.into_iter().map(|(ident, field)| Field::read(cx, ident, field)).collect(),
            parent: parent.into_value(),
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
    let model = inner.parse().map_err(|error| Error::new(error.span(), USAGE))?;
    let mut pairs = Vec::new();
    while !inner.is_empty() {
        let pair = || {
            inner.parse::<Token![,]>()?;
            let its = inner.call(Ident::parse_any)?;
            inner.parse::<Token![=]>()?;
            Ok((its, inner.call(Ident::parse_any)?))
        };
        pairs.push(pair().map_err(|error: Error| Error::new(error.span(), USAGE))?);
    }
    if pairs.is_empty() {
        return Err(Error::new(key.span(), USAGE));
    }
    Ok(Link { key: key.clone(), model, pairs })
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
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(Error::new(key.span(), format!("`{key}` stands alone: write `#[sync({key})]`")))
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
    match input.parse()? {
        model @ Type::Path(_) => Ok(model),
        other => Err(Error::new_spanned(other, usage())),
    }
}

/// Whether a type is `Self`.
pub(crate) fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
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

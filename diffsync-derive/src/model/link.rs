//! `parent` and `references`, on a field and on the struct.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Result, Token, Type};

use crate::attr;

/// A link to another model, however it was written.
pub(crate) struct Link {
    /// The word `parent` or `references`.
    pub(crate) key: Ident,
    pub(crate) kind: LinkKind,
    pub(crate) model: Type,
    pub(crate) named_by: NamedBy,
}

pub(crate) enum LinkKind {
    Parent,
    Reference {
        /// The word `deferred`.
        deferred: Option<Ident>,
    },
}

/// Which fields of this model name the other record.
pub(crate) enum NamedBy {
    /// The field with the link.
    Field(Ident),
    /// The fields that the attribute on the struct names.
    Fields(Vec<Pair>),
}

/// `its = mine`.
pub(crate) struct Pair {
    /// An identifier of the other model.
    pub(crate) its: Ident,
    /// The field of this model that holds it.
    pub(crate) mine: Ident,
}

impl Link {
    pub(crate) fn is_parent(&self) -> bool {
        matches!(self.kind, LinkKind::Parent)
    }

    /// The word `deferred`, if it was written.
    pub(crate) fn deferred(&self) -> Option<&Ident> {
        match &self.kind {
            LinkKind::Parent => None,
            LinkKind::Reference { deferred } => deferred.as_ref(),
        }
    }

    /// The fields of this model that name the other record.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Ident> {
        let (one, several) = match &self.named_by {
            NamedBy::Field(field) => (Some(field), &[][..]),
            NamedBy::Fields(pairs) => (None, pairs.as_slice()),
        };

        one.into_iter().chain(several.iter().map(|pair| &pair.mine))
    }

    /// `= Model` or `(Model, deferred)`, on a field.
    pub(crate) fn on_field(key: &Ident, field: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let is_parent = key == "parent";
        let or_deferred = if is_parent { "" } else { " or `references(Model, deferred)`" };
        let usage = format!(
            "`{key}` is written `{key} = Model`{or_deferred}, where `Model` is the struct that `{field}` names"
        );

        let (model, deferred) = if input.peek(syn::token::Paren) {
            let arguments = attr::in_parentheses(key, input, &usage, Arguments::parse)?;
            if !arguments.pairs.is_empty() {
                let message =
                    format!("a link that several fields name belongs on the struct; on a field, write `{key} = Model`");
                return Err(Error::new(key.span(), message));
            }
            if let (true, Some(deferred)) = (is_parent, &arguments.deferred) {
                return Err(Error::new(deferred.span(), PARENT_DEFERRED));
            }
            if arguments.deferred.is_none() {
                return Err(Error::new(key.span(), usage));
            }
            (arguments.model, arguments.deferred)
        } else {
            (attr::after_equals(key, input, &usage, Type::parse)?, None)
        };

        let model = attr::path_type(model, &usage)?;

        Ok(Self { key: key.clone(), kind: kind(is_parent, deferred), model, named_by: NamedBy::Field(field.clone()) })
    }

    /// `(Model, its_field = my_field, …)`, on the struct.
    pub(crate) fn on_struct(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let is_parent = key == "parent";
        let usage = format!("on the struct, `{key}` is written `{key}(Model, its_field = my_field, …)`");
        let Arguments { model, pairs, deferred } = attr::in_parentheses(key, input, &usage, Arguments::parse)?;
        let model = attr::path_type(model, &usage)?;

        if let (true, Some(deferred)) = (is_parent, &deferred) {
            return Err(Error::new(deferred.span(), PARENT_DEFERRED));
        }
        if pairs.is_empty() {
            return Err(Error::new(key.span(), usage));
        }
        Ok(Self { key: key.clone(), kind: kind(is_parent, deferred), model, named_by: NamedBy::Fields(pairs) })
    }
}

const PARENT_DEFERRED: &str = "a parent cannot be deferred: a record's parent is created before it; drop `deferred`, \
                               or make this a reference";

fn kind(is_parent: bool, deferred: Option<Ident>) -> LinkKind {
    if is_parent { LinkKind::Parent } else { LinkKind::Reference { deferred } }
}

/// The contents of the parentheses.
struct Arguments {
    model: Type,
    pairs: Vec<Pair>,
    deferred: Option<Ident>,
}

impl Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self { model: input.parse()?, pairs: Vec::new(), deferred: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let its = field_name(input)?;

            // A field of the other model may be called `deferred`: `deferred = mine` is a pair like any other.
            if its == "deferred" && arguments.deferred.is_none() && !input.peek(Token![=]) {
                arguments.deferred = Some(its);
                continue;
            }
            input.parse::<Token![=]>()?;
            arguments.pairs.push(Pair { its, mine: field_name(input)? });
        }

        Ok(arguments)
    }
}

/// A field's name. One that is a keyword is meant as `r#keyword`, since no field is called otherwise.
fn field_name(input: ParseStream<'_>) -> Result<Ident> {
    let name = input.call(Ident::parse_any)?;
    let text = name.to_string();
    if syn::parse_str::<Ident>(&text).is_ok() {
        return Ok(name);
    }

    match text.as_str() {
        // These have no raw form, and `new_raw` would panic.
        "self" | "Self" | "super" | "crate" | "_" => Err(Error::new(name.span(), "expected a field's name")),
        keyword => Ok(Ident::new_raw(keyword, name.span())),
    }
}

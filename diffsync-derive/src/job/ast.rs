//! The parsed input, with the tokens for errors to point at.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Lit, LitStr, Path, Result, Token, Type};

pub(crate) use super::arguments::{Arguments, Ignored, Kind, OnGuard};

use crate::attr::{self, Key, Once, documentation};
use crate::case::{kebab_case, sentence};
use crate::ctxt::Ctxt;
use crate::limit::Limits;
use crate::shape;
use crate::ty::{option, secret};

/// The keys of `#[var(…)]`.
pub(crate) const VAR_KEYS: &[Key<VarKeys>] = &[
    Key("default", |keys, cx, key, input| {
        keys.default.set(cx, key, literal(key, input)?);
        Ok(())
    }),
    Key("env", |keys, cx, key, input| {
        keys.env.set(cx, key, attr::text(key, input)?.value());
        Ok(())
    }),
    Key("group", |keys, cx, key, input| {
        keys.group.set(cx, key, attr::text(key, input)?.value());
        Ok(())
    }),
    Key("choices", |keys, cx, key, input| {
        const USAGE: &str = "`choices` names an async function that takes the other variables' values and returns \
                             the choices: `choices = path::to::function`";
        keys.choices.set(cx, key, attr::after_equals(key, input, USAGE, Path::parse)?);
        Ok(())
    }),
];

/// The values of the keys of `#[var(…)]`.
#[derive(Default)]
pub(crate) struct VarKeys {
    default: Once<DefaultText>,
    env: Once<String>,
    group: Once<String>,
    choices: Once<Path>,
}

/// A job.
pub(crate) struct Job<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) source: Type,
    pub(crate) target: Type,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) kind: Kind,
    pub(crate) source_label: String,
    pub(crate) target_label: String,
    pub(crate) source_icon: Option<String>,
    pub(crate) target_icon: Option<String>,
    pub(crate) dryrun_default: bool,
    pub(crate) hidden: bool,
    pub(crate) concurrency: Option<usize>,
    pub(crate) skip: Vec<Type>,
    pub(crate) ignore: Vec<Ignored>,
    pub(crate) limits: Limits,
    pub(crate) on_guard: OnGuard,
    /// In seconds.
    pub(crate) time_limit: Option<u64>,
    pub(crate) variables: Vec<Variable<'a>>,
}

/// A default, as the text that a person would type for it.
pub(crate) struct DefaultText {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A variable: a field of the job's struct.
pub(crate) struct Variable<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) help: String,
    pub(crate) default: Option<DefaultText>,
    pub(crate) env: Option<String>,
    pub(crate) group: Option<String>,
    /// The function that returns the choices.
    pub(crate) choices: Option<Path>,
}

impl<'a> Job<'a> {
    /// Puts the arguments and the struct together, or reports why that gives no job.
    pub(crate) fn read(cx: &mut Ctxt, arguments: Arguments, input: &'a DeriveInput) -> Option<Self> {
        // First, so that mistakes in them are reported even if an adapter is missing.
        let variables = variables(cx, input)?;
        let ident = &input.ident;
        let (source, target) = (arguments.source.into_value()?, arguments.target.into_value()?);
        let name = ident.unraw().to_string();
        let text = |given: Once<LitStr>| given.into_value().map(|text| text.value());

        Some(Self {
            ident,
            id: text(arguments.id).unwrap_or_else(|| kebab_case(&name)),
            name: text(arguments.name).unwrap_or_else(|| sentence(&name)),
            description: documentation(&input.attrs),
            kind: arguments.kind.into_value().unwrap_or(Kind::DataSource),
            source_label: text(arguments.source_label).unwrap_or_else(|| label(&source)),
            target_label: text(arguments.target_label).unwrap_or_else(|| label(&target)),
            source_icon: text(arguments.source_icon),
            target_icon: text(arguments.target_icon),
            dryrun_default: arguments.dryrun_default.into_value().unwrap_or(true),
            hidden: arguments.hidden.into_value().unwrap_or(false),
            concurrency: arguments.concurrency.into_value(),
            skip: arguments.skip.into_value().unwrap_or_default(),
            ignore: arguments.ignore.into_value().unwrap_or_default(),
            limits: arguments.limits,
            on_guard: arguments.on_guard.into_value().unwrap_or_default(),
            time_limit: arguments.time_limit.into_value(),
            variables,
            source,
            target,
        })
    }
}

/// The label of an adapter that is given none: the name of its type.
fn label(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| sentence(&last.ident.to_string())).unwrap_or_default(),
        other => other.to_token_stream().to_string(),
    }
}

fn variables<'a>(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Vec<Variable<'a>>> {
    const WHAT: &str = "a job is a struct with named fields, which are its variables, or with none";
    if !input.generics.params.is_empty() {
        cx.error_at(&input.generics, "a job cannot be generic: it is registered by its name");
        return None;
    }

    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            cx.error_at(data.enum_token, WHAT);
            return None;
        }
        Data::Union(data) => {
            cx.error_at(data.union_token, WHAT);
            return None;
        }
    };

    match fields {
        Fields::Named(fields) => {
            let fields = shape::named(cx, fields);
            Some(fields.into_iter().map(|(ident, field)| variable(cx, ident, field)).collect())
        }
        Fields::Unit => Some(Vec::new()),
        Fields::Unnamed(fields) => {
            cx.error(fields.span(), format!("{WHAT}; name these fields"));
            None
        }
    }
}

fn variable<'a>(cx: &mut Ctxt, ident: &'a Ident, field: &'a syn::Field) -> Variable<'a> {
    let mut keys = VarKeys::default();
    attr::each_key(cx, &field.attrs, "var", |cx, key, input| {
        if key == "help" {
            let message = "the help of a variable is the field's documentation comment: `/// …`";
            return Err(Error::new(key.span(), message));
        }
        attr::read(VAR_KEYS, &mut keys, cx, key, input)
    });

    let VarKeys { mut default, env, group, mut choices } = keys;

    // A default appears in the program's help, and choices in a form; a secret must appear in neither.
    let is_secret = secret(&field.ty).or_else(|| option(&field.ty).and_then(secret)).is_some();
    if let Some(key) = default.key().filter(|_| is_secret) {
        cx.error_at(key, "a secret has no default, which anyone could read in the program; use `env = \"…\"`");
        default = Once::default();
    }

    if let Some(key) = choices.key().filter(|_| is_secret) {
        cx.error_at(key, "a secret has no choices, which a form would show; drop `choices`");
        choices = Once::default();
    }

    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("sync")) {
        cx.error_at(attribute, "`sync` belongs on the fields of a model; a job's variables take `#[var(…)]`");
    }
    Variable {
        ident,
        ty: &field.ty,
        help: documentation(&field.attrs),
        default: default.into_value(),
        env: env.into_value(),
        group: group.into_value(),
        choices: choices.into_value(),
    }
}

/// `= literal`.
fn literal(key: &Ident, input: ParseStream<'_>) -> Result<DefaultText> {
    const USAGE: &str = "a default is written `default = \"text\"`, `default = 4`, `default = 1.5` or `default = true`";
    let (minus, literal) = attr::after_equals(key, input, USAGE, |input| {
        let minus = if input.parse::<Option<Token![-]>>()?.is_some() { "-" } else { "" };
        Ok((minus, input.parse::<Lit>()?))
    })?;
    let text = match &literal {
        Lit::Str(text) if minus.is_empty() => text.value(),
        Lit::Bool(value) if minus.is_empty() => value.value.to_string(),
        // Without separators and suffix: `1_000_u32` is the text `1000`.
        Lit::Int(number) => format!("{minus}{}", number.base10_digits()),
        Lit::Float(number) => format!("{minus}{}", number.base10_digits()),
        other => return Err(Error::new_spanned(other, USAGE)),
    };

    Ok(DefaultText { text, span: literal.span() })
}

/// The item without the attributes that only `#[job]` understands.
pub(crate) fn without_var(input: &DeriveInput) -> TokenStream {
    let mut item = input.clone();
    let strip = |attributes: &mut Vec<syn::Attribute>| {
        // `sync` was reported; if it stayed, the compiler would report an unknown attribute as well.
        attributes.retain(|attribute| !attribute.path().is_ident("var") && !attribute.path().is_ident("sync"));
    };

    // Not only for structs: an enum is reported and emitted again too.
    match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Data::Enum(data) => {
            data.variants.iter_mut().flat_map(|variant| &mut variant.fields).for_each(|field| strip(&mut field.attrs));
        }
        Data::Union(data) => data.fields.named.iter_mut().for_each(|field| strip(&mut field.attrs)),
    }

    item.into_token_stream()
}

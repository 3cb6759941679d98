//! What the user wrote, with the tokens to point at.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Lit, LitStr, Result, Token, Type};

use crate::attr::{self, Once};
use crate::ctxt::Ctxt;
use crate::model::{option, secret};
use crate::words::{documentation, kebab_case, sentence};

/// What stands in the parentheses of `#[job(…)]`.
#[derive(Default)]
pub(crate) struct Arguments {
    source: Once<Type>,
    target: Once<Type>,
    id: Once<LitStr>,
    name: Once<LitStr>,
    kind: Once<Kind>,
    source_label: Once<LitStr>,
    target_label: Once<LitStr>,
    source_icon: Once<LitStr>,
    target_icon: Once<LitStr>,
    dryrun_default: Once<bool>,
    hidden: Once<bool>,
    concurrency: Once<usize>,
    /// Whether an adapter may be missing only because its key could not be read.
    adapters_in_doubt: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    DataSource,
    DataTarget,
}

const KEYS: &[&str] = &[
    "source",
    "target",
    "id",
    "name",
    "kind",
    "source_label",
    "target_label",
    "source_icon",
    "target_icon",
    "dryrun_default",
    "hidden",
    "concurrency",
];
const VAR_KEYS: &[&str] = &["default", "env", "group"];

impl Arguments {
    pub(crate) fn read(cx: &mut Ctxt, tokens: TokenStream) -> Self {
        let mut arguments = Self::default();
        let read = |input: ParseStream<'_>| {
            attr::keys(cx, input, &mut |cx, key, input| arguments.key(cx, key, input));
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            cx.push(error);
        }
        let missing = match (arguments.source.get(), arguments.target.get()) {
            (None, None) => "its source and its target",
            (None, Some(_)) => "its source",
            (Some(_), None) => "its target",
            (Some(_), Some(_)) => return arguments,
        };
        if !arguments.adapters_in_doubt {
            cx.error(
                Span::call_site(),
                format!("a job names {missing}: `#[job(source = MySource, target = MyTarget)]`"),
            );
        }
        arguments
    }

    fn key(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "source" => {
                let source = adapter(key, input).inspect_err(|_| self.adapters_in_doubt = true)?;
                self.source.set(cx, key, source);
            }
            "target" => {
                let target = adapter(key, input).inspect_err(|_| self.adapters_in_doubt = true)?;
                self.target.set(cx, key, target);
            }
            "id" => {
                let id = attr::text(key, input)?;
                let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
                if id.value().is_empty() || !id.value().chars().all(plain) {
                    cx.error_at(
                        &id,
                        "a job's id is written in lower case with digits and hyphens, as in `dns-to-ipam`",
                    );
                } else {
                    self.id.set(cx, key, id);
                }
            }
            "name" => self.name.set(cx, key, attr::text(key, input)?),
            "kind" => self.kind.set(cx, key, kind(key, input)?),
            "source_label" => self.source_label.set(cx, key, attr::text(key, input)?),
            "target_label" => self.target_label.set(cx, key, attr::text(key, input)?),
            "source_icon" => self.source_icon.set(cx, key, attr::text(key, input)?),
            "target_icon" => self.target_icon.set(cx, key, attr::text(key, input)?),
            "dryrun_default" => self.dryrun_default.set(cx, key, attr::boolean(key, input)?),
            "hidden" => self.hidden.set(cx, key, attr::boolean(key, input)?),
            "concurrency" => self.concurrency.set(cx, key, attr::count(key, input)?),
            _ => {
                self.adapters_in_doubt = true;
                return Err(attr::unknown(key, KEYS));
            }
        }
        Ok(())
    }
}

fn adapter(key: &Ident, input: ParseStream<'_>) -> Result<Type> {
    let usage = || format!("`{key}` is written `{key} = Adapter`, where `Adapter` is the type that loads the {key}");
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), usage()));
    }
    input.parse::<Token![=]>()?;
    match input.parse() {
        Ok(ty @ Type::Path(_)) => Ok(ty),
        Ok(other) => Err(Error::new_spanned(other, usage())),
        Err(error) => Err(Error::new(error.span(), usage())),
    }
}

fn kind(key: &Ident, input: ParseStream<'_>) -> Result<Kind> {
    const USAGE: &str = "`kind` is `data_source` (records come from elsewhere into your system) or `data_target`";
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), USAGE));
    }
    input.parse::<Token![=]>()?;
    let kind: Ident = input.parse().map_err(|error| Error::new(error.span(), USAGE))?;
    match kind.to_string().as_str() {
        "data_source" => Ok(Kind::DataSource),
        "data_target" => Ok(Kind::DataTarget),
        _ => Err(Error::new(kind.span(), USAGE)),
    }
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
    pub(crate) variables: Vec<Variable<'a>>,
}

/// A variable: a field of the job's struct.
pub(crate) struct Variable<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) help: String,
    pub(crate) default: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) group: Option<String>,
}

impl<'a> Job<'a> {
    /// Puts the arguments and the struct together, or reports why that gives no job.
    pub(crate) fn read(cx: &mut Ctxt, arguments: Arguments, input: &'a DeriveInput) -> Option<Self> {
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
            variables,
            source,
            target,
        })
    }
}

/// An adapter is called by its type's name unless it is given a label.
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
            Some(fields.named.iter().filter_map(|field| Some(variable(cx, field.ident.as_ref()?, field))).collect())
        }
        Fields::Unit => Some(Vec::new()),
        Fields::Unnamed(fields) => {
            cx.error(fields.span(), format!("{WHAT}; name these fields"));
            None
        }
    }
}

fn variable<'a>(cx: &mut Ctxt, ident: &'a Ident, field: &'a syn::Field) -> Variable<'a> {
    let mut default = Once::default();
    let mut env = Once::default();
    let mut group = Once::default();
    attr::each_key(cx, &field.attrs, "var", |cx, key, input| {
        match key.to_string().as_str() {
            "default" => {
                let value = literal(key, input)?;
                default.set(cx, key, value);
            }
            "env" => {
                let name = attr::text(key, input)?.value();
                env.set(cx, key, name);
            }
            "group" => {
                let name = attr::text(key, input)?.value();
                group.set(cx, key, name);
            }
            "help" => {
                return Err(Error::new(
                    key.span(),
                    "the help of a variable is the field's documentation comment: `/// …`",
                ));
            }
            _ => return Err(attr::unknown(key, VAR_KEYS)),
        }
        Ok(())
    });
    let is_secret = secret(&field.ty).or_else(|| option(&field.ty).and_then(secret)).is_some();
    if let Some(key) = default.key().filter(|_| is_secret) {
        cx.error_at(key, "a secret has no default: it would stand in the program for all to read; use `env = \"…\"`");
        default = Once::default();
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
    }
}

/// `= literal`, as the text that a person would type for it.
fn literal(key: &Ident, input: ParseStream<'_>) -> Result<String> {
    const USAGE: &str = "a default is written `default = \"text\"`, `default = 4`, `default = 1.5` or `default = true`";
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), USAGE));
    }
    input.parse::<Token![=]>()?;
    let minus = if input.parse::<Option<Token![-]>>()?.is_some() { "-" } else { "" };
    match input.parse::<Lit>().map_err(|error| Error::new(error.span(), USAGE))? {
        Lit::Str(text) if minus.is_empty() => Ok(text.value()),
        Lit::Bool(value) if minus.is_empty() => Ok(value.value.to_string()),
        Lit::Int(number) => Ok(format!("{minus}{}", number.base10_digits())),
        Lit::Float(number) => Ok(format!("{minus}{}", number.base10_digits())),
        other => Err(Error::new_spanned(other, USAGE)),
    }
}

/// The item without the attributes that only `#[job]` understands.
pub(crate) fn without_var(input: &DeriveInput) -> TokenStream {
    let mut item = input.clone();
    let strip = |attributes: &mut Vec<syn::Attribute>| {
        attributes.retain(|attribute| !attribute.path().is_ident("var") && !attribute.path().is_ident("sync"));
    };
    match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Data::Enum(data) => {
            data.variants.iter_mut().flat_map(|variant| &mut variant.fields).for_each(|field| strip(&mut field.attrs));
        }
        Data::Union(data) => data.fields.named.iter_mut().for_each(|field| strip(&mut field.attrs)),
    }
    item.into_token_stream()
}

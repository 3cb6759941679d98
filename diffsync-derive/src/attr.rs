//! Reads attributes of the form `#[name(key, key = value, key(…))]`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Paren;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Result, Token, Type, parenthesized};

use crate::ctxt::Ctxt;
use crate::suggest::suggest;

/// Reads the keys of all attributes of this name, and hands each with what follows it to `handle`.
///
/// What `handle` cannot read is reported, and reading goes on after the next comma, so that one build reports all mistakes.
pub(crate) fn each_key(
    cx: &mut Ctxt,
    attributes: &[Attribute],
    name: &str,
    mut handle: impl FnMut(&mut Ctxt, &Ident, ParseStream<'_>) -> Result<()>,
) {
    for attribute in attributes {
        if !attribute.path().is_ident(name) {
            continue;
        }

        match &attribute.meta {
            Meta::List(list) => {
                let read = |input: ParseStream<'_>| {
                    keys(cx, input, &mut handle);
                    Ok(())
                };
                if let Err(error) = read.parse2(list.tokens.clone()) {
                    cx.push(error);
                }
            }
            other => cx.error_at(other, format!("expected `#[{name}(…)]` with a key in the parentheses")),
        }
    }
}

/// Reads keys separated by commas.
pub(crate) fn keys(
    cx: &mut Ctxt,
    input: ParseStream<'_>,
    handle: &mut impl FnMut(&mut Ctxt, &Ident, ParseStream<'_>) -> Result<()>,
) {
    while !input.is_empty() {
        let read = key(input).and_then(|key| handle(cx, &key, input)).and_then(|()| {
            // A missing comma, as in `#[sync(id local)]`, is reported here. Otherwise the loop would end, and the
            // error would be "unexpected token".
            if input.is_empty() || input.peek(Token![,]) {
                Ok(())
            } else {
                Err(input.error("expected `,` between keys"))
            }
        });

        if let Err(error) = read {
            cx.push(error);
            skip_to_comma(input);
        }
        if input.parse::<Token![,]>().is_err() {
            break;
        }
    }
}

fn key(input: ParseStream<'_>) -> Result<Ident> {
    // Some keys are keywords: `crate`, `as`, `type`.
    input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), "expected a key, without quotation marks"))
}

/// A key of an attribute, and how what follows it is read into `T`.
pub(crate) struct Key<T: 'static>(pub(crate) &'static str, pub(crate) Read<T>);

type Read<T> = fn(&mut T, &mut Ctxt, &Ident, ParseStream<'_>) -> Result<()>;

/// Reads what follows a key of this table. Any other key is reported as unknown.
pub(crate) fn read<T>(
    table: &[Key<T>],
    into: &mut T,
    cx: &mut Ctxt,
    key: &Ident,
    input: ParseStream<'_>,
) -> Result<()> {
    match table.iter().find(|Key(name, _)| key == name) {
        Some(Key(_, read)) => read(into, cx, key, input),
        None => Err(unknown(key, &names(table))),
    }
}

pub(crate) fn contains<T>(table: &[Key<T>], key: &Ident) -> bool {
    table.iter().any(|Key(name, _)| key == name)
}

pub(crate) fn names<T>(table: &[Key<T>]) -> Vec<&'static str> {
    table.iter().map(|Key(name, _)| *name).collect()
}

/// A key of `#[attribute(…)]` that takes no value.
pub(crate) fn flag(attribute: &str, key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) || input.peek(Paren) {
        return Err(Error::new(key.span(), format!("`{key}` takes no value: write `#[{attribute}({key})]`")));
    }
    Ok(())
}

// A comma in parentheses belongs to a key's value: a group is one `TokenTree`.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
}

/// A value that may be given once.
pub(crate) struct Once<T> {
    value: Option<(T, Ident)>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { value: None }
    }
}

impl<T> Once<T> {
    /// Stores the value, or reports that there is one already.
    pub(crate) fn set(&mut self, cx: &mut Ctxt, key: &Ident, value: T) {
        if self.value.is_some() {
            // The first value stays, so that the rest of the input is expanded with one.
            cx.error_at(key, format!("`{key}` is given twice; keep one of them"));
        } else {
            self.value = Some((value, key.clone()));
        }
    }

    /// The key that gave the value.
    pub(crate) fn key(&self) -> Option<&Ident> {
        self.value.as_ref().map(|(_, key)| key)
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().map(|(value, _)| value)
    }

    pub(crate) fn into_value(self) -> Option<T> {
        self.value.map(|(value, _)| value)
    }
}

/// `= …`, whose value is read by `parse`. If it is missing or wrong, the error is `usage`.
pub(crate) fn after_equals<T>(
    key: &Ident,
    input: ParseStream<'_>,
    usage: &str,
    parse: impl FnOnce(ParseStream<'_>) -> Result<T>,
) -> Result<T> {
    if !input.peek(Token![=]) {
        // At the key, since what should follow it may be missing.
        return Err(Error::new(key.span(), usage));
    }
    input.parse::<Token![=]>()?;

    // The usage says what to write; `syn` only says which token it expected.
    parse(input).map_err(|error| Error::new(error.span(), usage))
}

/// `(…)`, whose contents are read by `parse`. If they are missing or wrong, the error is `usage`.
pub(crate) fn in_parentheses<T>(
    key: &Ident,
    input: ParseStream<'_>,
    usage: &str,
    parse: impl FnOnce(ParseStream<'_>) -> Result<T>,
) -> Result<T> {
    if !input.peek(Paren) {
        return Err(Error::new(key.span(), usage));
    }

    let inner;
    parenthesized!(inner in input);
    let read = parse(&inner);
    // Tokens that are left in the parentheses would be a second error.
    inner.parse::<TokenStream>()?;
    read.map_err(|error| Error::new(error.span(), usage))
}

/// `(…, …)` with at least one item.
pub(crate) fn list<T>(
    key: &Ident,
    input: ParseStream<'_>,
    usage: &str,
    item: fn(ParseStream<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let items = in_parentheses(key, input, usage, |inner| inner.parse_terminated(item, Token![,]))?;
    if items.is_empty() { Err(Error::new(key.span(), usage)) } else { Ok(items.into_iter().collect()) }
}

/// `= "text"`.
pub(crate) fn text(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    value(key, input, &format!("`{key}` is written `{key} = \"…\"`"), |literal| match literal {
        Lit::Str(text) => Ok(text),
        other => Err(other),
    })
}

/// `= true` or `= false`.
pub(crate) fn boolean(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    let usage = format!("`{key}` is written `{key} = true` or `{key} = false`");
    value(key, input, &usage, |literal| match literal {
        Lit::Bool(value) => Ok(value.value),
        other => Err(other),
    })
}

/// `= 4`, a number from one up.
pub(crate) fn count(key: &Ident, input: ParseStream<'_>) -> Result<usize> {
    let usage = format!("`{key}` is a number from one up, written `{key} = 4`");
    value(key, input, &usage, |literal| match &literal {
        Lit::Int(number) => match number.base10_parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(literal),
        },
        _ => Err(literal),
    })
}

fn value<T>(
    key: &Ident,
    input: ParseStream<'_>,
    usage: &str,
    read: impl FnOnce(Lit) -> std::result::Result<T, Lit>,
) -> Result<T> {
    let literal: Lit = after_equals(key, input, usage, Lit::parse)?;
    read(literal).map_err(|other| Error::new_spanned(other, usage))
}

/// `= one`, where `one` is among the words.
pub(crate) fn choice<T: Copy>(key: &Ident, input: ParseStream<'_>, usage: &str, words: &[(&str, T)]) -> Result<T> {
    let word: Ident = after_equals(key, input, usage, |input| input.call(Ident::parse_any))?;
    let found = words.iter().find(|(name, _)| word == name);
    found.map(|(_, value)| *value).ok_or_else(|| Error::new(word.span(), usage))
}

/// A type, if it is written as a path, which a model or an adapter is.
pub(crate) fn path_type(ty: Type, usage: &str) -> Result<Type> {
    if matches!(ty, Type::Path(_)) { Ok(ty) } else { Err(Error::new_spanned(ty, usage)) }
}

/// The items without repeated ones, which are reported.
pub(crate) fn each_once<T: ToTokens>(cx: &mut Ctxt, mut items: Vec<T>) -> Vec<T> {
    let mut earlier: Vec<String> = Vec::new();
    items.retain(|item| {
        // Compared as written: a macro cannot know that `Site` and `crate::Site` are one type.
        let written = item.to_token_stream().to_string();
        if earlier.contains(&written) {
            // Printed tokens have spaces between them: `crate :: Site`.
            cx.error_at(item, format!("`{}` is given twice; keep one of them", written.replace(' ', "")));
            return false;
        }
        earlier.push(written);
        true
    });

    items
}

/// The text of the documentation comments among the attributes.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
        {
            // `/// Text` arrives as `#[doc = " Text"]`, one attribute for each line.
            lines.push(text.value().trim().to_owned());
        }
    }

    lines.join("\n").trim().to_owned()
}

/// Reports a key that is not known here, with the one that was probably meant.
pub(crate) fn unknown(key: &Ident, known: &[&str]) -> Error {
    let name = key.to_string();
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let message = match suggest(&name, known) {
        Some(meant) => format!("unknown key `{name}`; did you mean `{meant}`?"),
        None => format!("unknown key `{name}`; expected one of {list}"),
    };

    Error::new(key.span(), message)
}

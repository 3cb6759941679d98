//! Reads attributes of the form `#[name(key, key = value, key(…))]`.

use proc_macro2::{Ident, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::token::Paren;
use syn::{Attribute, Error, Lit, LitStr, Meta, Result, Token};

use crate::ctxt::Ctxt;
use crate::words::nearest;

/// Reads the keys of all attributes of this name, and hands each with what follows it to `handle`.
///
/// What `handle` cannot read is reported, and reading goes on behind the next comma.
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
    input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), "expected a key, without quotation marks"))
}

/// Whether a value or an argument list comes next, where a key that stands alone has none.
pub(crate) fn value_follows(input: ParseStream<'_>) -> bool {
    input.peek(Token![=]) || input.peek(Paren)
}

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
    /// Takes the value, or reports that there is one already.
    pub(crate) fn set(&mut self, cx: &mut Ctxt, key: &Ident, value: T) {
        if self.value.is_some() {
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
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), usage));
    }
    input.parse::<Token![=]>()?;
    let literal: Lit = input.parse().map_err(|error| Error::new(error.span(), usage))?;
    read(literal).map_err(|other| Error::new_spanned(other, usage))
}

/// Reports a key that is not known here, with the one that was probably meant.
pub(crate) fn unknown(key: &Ident, known: &[&str]) -> Error {
    let name = key.to_string();
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let message = match nearest(&name, known) {
        Some(meant) => format!("unknown key `{name}`; did you mean `{meant}`?"),
        None => format!("unknown key `{name}`; expected one of {list}"),
    };
    Error::new(key.span(), message)
}

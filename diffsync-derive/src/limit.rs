//! How many records a run may change: `max_deletes = 100` or `max_deletes = "20%"`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Lit, Result, Token};

use crate::attr::{self, Once};

/// The limits of a model or a job.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) creates: Once<Limit>,
    pub(crate) updates: Once<Limit>,
    pub(crate) deletes: Once<Limit>,
}

pub(crate) enum Limit {
    Count(usize),
    Percent(f64),
}

impl Limits {
    /// The limits as a constant.
    pub(crate) fn expand(&self) -> TokenStream {
        let given = [("creates", &self.creates), ("updates", &self.updates), ("deletes", &self.deletes)];

        if given.iter().all(|(_, limit)| limit.get().is_none()) {
            return quote!(_diffsync::model::Limits::NONE);
        }

        let fields = given.into_iter().map(|(name, limit)| {
            let name = Ident::new(name, Span::call_site());
            let limit = match limit.get() {
                None => quote!(None),
                Some(Limit::Count(count)) => {
                    let count = Literal::usize_suffixed(*count);
                    quote!(Some(_diffsync::model::Limit::Count(#count)))
                }
                Some(Limit::Percent(percent)) => {
                    let percent = Literal::f64_suffixed(*percent);
                    quote!(Some(_diffsync::model::Limit::Percent(#percent)))
                }
            };
            quote!(#name: ::core::option::Option::#limit)
        });

        quote!(_diffsync::model::Limits { #(#fields),* })
    }
}

/// `= 100` or `= "20%"`.
pub(crate) fn value(key: &Ident, input: ParseStream<'_>) -> Result<Limit> {
    let usage =
        format!("`{key}` is a number of records, or a percentage of the target's: `{key} = 100` or `{key} = \"20%\"`");
    let literal: Lit = attr::after_equals(key, input, &usage, Lit::parse)?;

    // `20%` is two tokens. Without this check the error would be that a comma is missing before the `%`.
    if input.peek(Token![%]) {
        return Err(input.error(format!("a percentage is written in quotation marks: `{key} = \"20%\"`")));
    }
    let limit = match &literal {
        Lit::Int(number) if number.suffix().is_empty() => number.base10_parse().ok().map(Limit::Count),
        Lit::Str(text) => text_limit(&text.value()),
        _ => None,
    };

    limit.ok_or_else(|| Error::new_spanned(literal, usage))
}

/// Accepts what `Limit::from_str` of the core accepts.
fn text_limit(text: &str) -> Option<Limit> {
    match text.trim().strip_suffix('%') {
        None => text.trim().parse().ok().map(Limit::Count),
        Some(percent) => {
            let percent: f64 = percent.trim().parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(Limit::Percent(percent))
        }
    }
}

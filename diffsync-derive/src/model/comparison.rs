//! `compare = …`: when two values of a field are the same.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Lit, Path, Result};

use crate::attr;
use crate::suggest::suggest;

/// When two values of a field are the same.
#[derive(Default)]
pub(crate) enum Comparison {
    #[default]
    Equal,
    Unordered,
    IgnoreCase,
    Contains,
    BlankIsNone,
    Tolerance(f64),
    With(Path),
}

const WORDS: &[&str] = &["unordered", "ignore_case", "contains", "blank_is_none", "tolerance", "with"];
const USAGE: &str = "`compare` is written `compare = unordered`, `ignore_case`, `contains`, `blank_is_none`, \
                     `tolerance(1e-6)` or `with(path::to::function)`";

impl Comparison {
    /// `= word` or `= word(…)`.
    pub(crate) fn read(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let word: Ident = attr::after_equals(key, input, USAGE, |input| input.call(Ident::parse_any))?;
        let comparison = match word.to_string().as_str() {
            "unordered" => Self::Unordered,
            "ignore_case" => Self::IgnoreCase,
            "contains" => Self::Contains,
            "blank_is_none" => Self::BlankIsNone,
            "tolerance" => return tolerance(&word, input).map(Self::Tolerance),
            "with" => return function(&word, input).map(Self::With),
            other => {
                let meant = suggest(other, WORDS);
                let message = meant.map(|meant| format!("no comparison is called `{other}`; did you mean `{meant}`?"));
                return Err(Error::new(word.span(), message.unwrap_or_else(|| USAGE.to_owned())));
            }
        };

        if input.peek(syn::token::Paren) {
            return Err(Error::new(word.span(), format!("`{word}` takes no value: write `compare = {word}`")));
        }
        Ok(comparison)
    }

    /// Whether an identifier can be compared so: it must have a hash that agrees.
    pub(crate) fn suits_identifiers(&self) -> bool {
        // A tolerance has no such hash: in a chain of near values, all would need the same one.
        matches!(self, Self::Equal | Self::Unordered | Self::IgnoreCase)
    }
}

fn tolerance(word: &Ident, input: ParseStream<'_>) -> Result<f64> {
    const USAGE: &str = "a tolerance is a number from zero up, as in `compare = tolerance(1e-6)`";
    let literal: Lit = attr::in_parentheses(word, input, USAGE, |inner| {
        let literal = inner.parse()?;

        // The message is empty, since `in_parentheses` replaces it by `USAGE`.
        if inner.is_empty() { Ok(literal) } else { Err(inner.error("")) }
    })?;
    let number = match &literal {
        Lit::Float(number) => number.base10_parse().ok(),
        Lit::Int(number) => number.base10_parse().ok(),
        _ => None,
    };

    number.filter(|number: &f64| number.is_finite() && *number >= 0.0).ok_or_else(|| Error::new_spanned(literal, USAGE))
}

fn function(word: &Ident, input: ParseStream<'_>) -> Result<Path> {
    const USAGE: &str = "`with` names a function that takes the source's value and the target's and returns whether they are \
                         the same: `compare = with(path::to::function)`";
    attr::in_parentheses(word, input, USAGE, |inner| {
        let path = inner.parse()?;
        if inner.is_empty() { Ok(path) } else { Err(inner.error("")) }
    })
}

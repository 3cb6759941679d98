//! Spans of generated code, at which rustc reports its errors.

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;

/// The span of what the user wrote, with the hygiene of the macro's call site, for code that uses local variables.
///
/// With the user's own hygiene, a variable or `self` would be a different one where the item comes from a `macro_rules!`
/// whose caller wrote these tokens.
pub(crate) fn call_site(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}

/// The span of the last token. That of several tokens is the span of the first: stable Rust does not join them.
pub(crate) fn last(tokens: &impl ToTokens) -> Span {
    tokens.to_token_stream().into_iter().last().map_or_else(Span::call_site, |token| token.span())
}

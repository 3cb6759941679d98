//! Where generated code stands, which is where its errors are reported.

use proc_macro2::Span;
use syn::spanned::Spanned;

/// The place of what the user wrote, for code that uses local variables.
///
/// Its names mean what they mean in the rest of the generated code. With the user's own span a variable, or `self`,
/// would be another one where the item comes from a `macro_rules!` whose caller wrote these tokens.
pub(crate) fn place(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}

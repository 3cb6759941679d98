//! The code of a choice. It names everything by its absolute path, and the core by the alias that `Krate` makes.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::ast::Choice;
use crate::krate::Krate;

pub(crate) fn expand(choice: &Choice<'_>, krate: &Krate) -> TokenStream {
    let ident = choice.ident;
    let names: Vec<_> = choice.variants.iter().map(|variant| &variant.name).collect();
    let variants: Vec<_> = choice.variants.iter().map(|variant| variant.ident).collect();
    let positions = (0..variants.len()).map(Literal::usize_suffixed);

    // A variant that was reported and left out still needs an arm, or `match self` would be a second error.
    let rest = choice.is_incomplete.then(|| quote!(_ => "",));

    krate.scope(&quote! {
        const NAMES: &[&str] = &[#(#names),*];

        #[automatically_derived]
        impl _diffsync::job::Variable for #ident {
            const KIND: _diffsync::job::VariableKind = _diffsync::job::VariableKind::Choice(NAMES);

            fn parse(text: &str) -> ::core::result::Result<Self, ::std::string::String> {
                match _diffsync::__private::choice(NAMES, text)? {
                    #(#positions => ::core::result::Result::Ok(Self::#variants),)*
                    // Never reached, since `choice` returns a position in `NAMES`; a match on a number needs the arm.
                    _ => ::core::result::Result::Err(::std::string::String::new()),
                }
            }

            fn show(&self) -> _diffsync::__private::serde_json::Value {
                ::core::convert::From::from(match self {
                    #(Self::#variants => #names,)*
                    #rest
                })
            }
        }
    })
}

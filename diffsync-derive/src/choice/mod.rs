//! `#[derive(Choice)]`.

pub(crate) mod ast;
mod expand;
mod fallback;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::Choice;
use crate::ctxt::Ctxt;
use crate::krate::{ImportedFrom, Krate};

pub(crate) fn derive(from: ImportedFrom, input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };

    let mut cx = Ctxt::default();
    let krate = Krate::of(from, &input.attrs, "choice");
    let expanded = match Choice::read(&mut cx, &input) {
        Some(choice) => expand::expand(&choice, &krate),
        None => fallback::expand(&input, &krate),
    };

    let errors = cx.into_tokens();
    quote!(#expanded #errors)
}

//! `#[derive(RestModel)]`.

pub(crate) mod ast;
mod expand;
mod fallback;
mod part;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::Collection;
use crate::ctxt::Ctxt;
use crate::krate::{ImportedFrom, Krate};

pub(crate) fn derive(from: ImportedFrom, input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };

    let mut cx = Ctxt::default();
    let krate = Krate::of_adapters(from, &input.attrs, "rest");
    let expanded = Collection::read(&mut cx, &input)
        .and_then(|mut collection| {
            validate::validate(&mut cx, &mut collection).then(|| expand::expand(&collection, &krate))
        })
        .unwrap_or_else(|| fallback::expand(&input, &krate));
    let errors = cx.into_tokens();

    quote!(#expanded #errors)
}

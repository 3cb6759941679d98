//! `#[derive(Dataset)]`.

mod ast;
mod expand;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::Dataset;
use crate::ctxt::Ctxt;

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    let expanded = Dataset::read(&mut cx, &input).map(|dataset| expand::expand(&dataset));
    let errors = cx.into_tokens();
    quote!(#expanded #errors)
}

//! `#[derive(SyncModel)]`.

mod ast;
mod expand;
mod fallback;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

pub(crate) use self::ast::{argument, option, secret};

use self::ast::Model;
use crate::ctxt::Ctxt;

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    let expanded = Model::read(&mut cx, &input)
        .and_then(|mut model| validate::validate(&mut cx, &mut model).then(|| expand::expand(&model)))
        .unwrap_or_else(|| fallback::expand(&mut cx, &input));
    let errors = cx.into_tokens();
    quote!(#expanded #errors)
}

//! `#[derive(SyncModel)]`.

pub(crate) mod ast;
mod comparison;
mod expand;
mod fallback;
pub(crate) mod field;
mod link;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::Model;
use crate::ctxt::Ctxt;
use crate::krate::{ImportedFrom, Krate};

pub(crate) fn derive(from: ImportedFrom, input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };

    let mut cx = Ctxt::default();

    // Read on its own, since the fallback needs the path even where nothing else can be read.
    let krate = Krate::of(from, &input.attrs, "sync");
    let expanded = Model::read(&mut cx, &input)
        .and_then(|mut model| validate::validate(&mut cx, &mut model).then(|| expand::expand(&model, &krate)))
        .unwrap_or_else(|| fallback::expand(&mut cx, &input, &krate));
    let errors = cx.into_tokens();

    quote!(#expanded #errors)
}

//! `#[derive(SqlModel)]`.

pub(crate) mod ast;
mod expand;
mod fallback;
mod lookup;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::Table;
use crate::ctxt::Ctxt;
use crate::krate::{ImportedFrom, Krate};

pub(crate) fn derive(from: ImportedFrom, input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };

    let mut cx = Ctxt::default();
    let krate = Krate::of_adapters(from, &input.attrs, "sql");
    let expanded = Table::read(&mut cx, &input)
        .and_then(|mut table| validate::validate(&mut cx, &mut table).then(|| expand::expand(&table, &krate)))
        .unwrap_or_else(|| fallback::expand(&input, &krate));
    let errors = cx.into_tokens();

    quote!(#expanded #errors)
}

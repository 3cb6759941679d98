//! `#[job]`.

mod ast;
mod expand;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use self::ast::{Arguments, Job};
use crate::ctxt::Ctxt;

/// The arguments and the item are read apart, and the item is always emitted again: a mistake in one does not take the
/// other along.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut cx = Ctxt::default();
    let arguments = Arguments::read(&mut cx, arguments);
    let input: DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(_) => {
            cx.error_at(&item, "`#[job]` belongs on a struct: its fields are the job's variables");
            let errors = cx.into_tokens();
            return quote!(#item #errors);
        }
    };
    let job = Job::read(&mut cx, arguments, &input);
    let failed = cx.failed();
    let errors = cx.into_tokens();
    let item = ast::without_var(&input);
    let expanded = job.map(|job| expand::expand(&job, failed));
    quote!(#item #expanded #errors)
}

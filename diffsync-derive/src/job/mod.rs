//! `#[job]`.

pub(crate) mod arguments;
pub(crate) mod ast;
mod expand;
mod fallback;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::DeriveInput;

use self::ast::{Arguments, Job};
use crate::ctxt::Ctxt;
use crate::krate::{ImportedFrom, Krate};

/// The arguments and the item are read separately, and the item is always emitted again, so that a mistake in one does not
/// cause errors in the other.
pub(crate) fn expand(from: ImportedFrom, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut cx = Ctxt::default();
    let arguments = Arguments::read(&mut cx, arguments);
    let krate = Krate::new(from, arguments.krate.get().cloned());
    let Ok(input) = syn::parse2::<DeriveInput>(item.clone()) else {
        cx.error_at(head(item), "`#[job]` belongs on a struct: its fields are the job's variables");
        let errors = cx.into_tokens();
        return quote!(#item #errors);
    };

    let job = Job::read(&mut cx, arguments, &input);
    let expanded = match job {
        Some(job) => expand::expand(&job, &krate, cx.failed()),
        None => fallback::expand(&mut cx, &input, &krate),
    };

    let item = ast::without_var(&input);
    let errors = cx.into_tokens();

    quote!(#item #expanded #errors)
}

/// An item without its body, which may be long.
fn head(item: &TokenStream) -> TokenStream {
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    item.clone().into_iter().take_while(|token| !is_body(token)).collect()
}

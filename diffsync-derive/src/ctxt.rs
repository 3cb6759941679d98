//! Collects errors, so that all of them are reported in one build.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Error;

/// The errors found so far.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: Vec<Error>,
}

impl Ctxt {
    /// An error at the tokens it is about.
    pub(crate) fn error_at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// An error at a place that has no tokens of its own.
    pub(crate) fn error(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(Error::new(span, message));
    }

    pub(crate) fn push(&mut self, error: Error) {
        // `syn` can combine several errors into one; here each counts.
        self.errors.extend(error);
    }

    /// How many errors there are, to see whether a part of the input had any.
    pub(crate) fn count(&self) -> usize {
        self.errors.len()
    }

    pub(crate) fn failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Takes the first error as a type that makes the build fail with it.
    ///
    /// The compiler accepts a type with an error in it as any type, and reports nothing more about code that uses it.
    /// So it can replace a type that is not known, without errors that only follow from the first. As no type can be an
    /// error, an array's length is one. `krate` is the path of the core.
    pub(crate) fn first_as_type(&mut self, krate: &TokenStream) -> TokenStream {
        if self.errors.is_empty() {
            return quote!(());
        }

        // Removed, since `into_tokens` would report it a second time.
        let error = self.errors.remove(0).to_compile_error();

        // For example, `<[(); compile_error!("…")] as ::diffsync_core::SyncModel>::Id`.
        quote!(<[(); #error] as #krate::SyncModel>::Id)
    }

    /// The errors as code that makes the build fail with them.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.iter().map(Error::to_compile_error).collect()
    }
}

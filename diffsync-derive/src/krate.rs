//! By what path generated code reaches the core.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Attribute, Error, Path, Result};

use crate::attr;
use crate::ctxt::Ctxt;

/// The crate from which the user imported a macro. It decides the path in the generated code: a crate that uses a macro
/// depends on the crate that exports it, and on no other for certain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportedFrom {
    /// `diffsync_core` or `diffsync_adapters`.
    Part,
    /// `diffsync`, which re-exports both.
    Facade,
}

/// The path of the crate that generated code uses, or the one that the user gives with `crate = path`.
///
/// Generated code that names the core is in a scope of its own, in which the core is known as `_diffsync`: so a path
/// that leads nowhere is one error, at the path.
pub(crate) struct Krate {
    from: ImportedFrom,
    /// Whether generated code uses `diffsync_adapters` rather than the core.
    adapters: bool,
    path: Option<Path>,
}

impl Krate {
    pub(crate) fn new(from: ImportedFrom, path: Option<Path>) -> Self {
        Self { from, adapters: false, path }
    }

    /// The path of the adapters, with `crate = path` in attributes of this name.
    #[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
    pub(crate) fn of_adapters(from: ImportedFrom, attributes: &[Attribute], name: &str) -> Self {
        Self { adapters: true, ..Self::of(from, attributes, name) }
    }

    /// The path of the core, with `crate = path` in attributes of this name. Other keys and all errors are left to the
    /// macro's own parser.
    pub(crate) fn of(from: ImportedFrom, attributes: &[Attribute], name: &str) -> Self {
        let mut path = None;
        attr::each_key(&mut Ctxt::default(), attributes, name, |_, key, input| {
            if key == "crate" {
                path = Some(value(key, input)?);
                return Ok(());
            }
            // Any error skips to the next key.
            Err(input.error(""))
        });

        Self::new(from, path)
    }

    pub(crate) fn path(&self) -> TokenStream {
        let given = self.path.as_ref().map(ToTokens::to_token_stream);

        // `crate = path` names the crate that the user depends on, so the façade's hidden module comes after it.
        match (self.from, self.adapters) {
            (ImportedFrom::Part, false) => given.unwrap_or_else(|| quote!(::diffsync_core)),
            (ImportedFrom::Part, true) => given.unwrap_or_else(|| quote!(::diffsync_adapters)),
            (ImportedFrom::Facade, adapters) => {
                let facade = given.unwrap_or_else(|| quote!(::diffsync));
                if adapters { quote!(#facade::__private::adapters) } else { quote!(#facade::__private::core) }
            }
        }
    }

    /// Items in a scope in which the core is known as `_diffsync`.
    pub(crate) fn scope(&self, items: &TokenStream) -> TokenStream {
        let path = self.path();
        quote! {
            // An anonymous constant is a scope: helper functions and the alias in it clash with nothing of the user's.
            #[allow(unused_qualifications, reason = "what the user has imported is not known here")]
            const _: () = {
                use #path as _diffsync;
                #items
            };
        }
    }
}

/// `= path`.
pub(crate) fn value(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    const USAGE: &str = "`crate` is the path of `diffsync` in this crate, written `crate = path::to::it`";
    // A path as in `use`: it may begin with `crate` or `super`, and has no generic arguments.
    let path = attr::after_equals(key, input, USAGE, Path::parse_mod_style)?;
    // After `self` or `super` a name must follow, and no other word of a path is a keyword.
    let is_keyword = |word: &str| ["self", "super", "crate", "Self"].contains(&word);
    let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let begins_here = words.iter().take_while(|word| ["self", "super", "crate"].contains(&word.as_str())).count();
    let leads_on = words.len() > begins_here || words == ["crate"];

    // Otherwise such a path would go into the generated code as it is: `self`, `a::super::b`.
    if !leads_on || words.iter().skip(begins_here).any(|word| is_keyword(word)) {
        return Err(Error::new_spanned(path, USAGE));
    }
    Ok(path)
}

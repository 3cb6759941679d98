//! By what path generated code reaches the core.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Attribute, Error, Path, Result};

use crate::attr;
use crate::ctxt::Ctxt;

/// The core's path: `::diffsync_core`, unless the user says `crate = path`.
///
/// All generated code that names the core stands in a scope of its own, where the core is known as `_diffsync`: so a path
/// that leads nowhere is one error, at the path.
#[derive(Default)]
pub(crate) struct Krate {
    path: Option<Path>,
    /// Whether it is the adapters' crate that is meant if nothing is said.
    adapters: bool,
}

impl Krate {
    pub(crate) fn new(path: Option<Path>) -> Self {
        Self { path, adapters: false }
    }

    /// The path of `diffsync_adapters`, which attributes of this name may give as well.
    #[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
    pub(crate) fn of_adapters(attributes: &[Attribute], name: &str) -> Self {
        Self { adapters: true, ..Self::of(attributes, name) }
    }

    /// The path that attributes of this name give. What else they say, and what is wrong with them, is left to others.
    pub(crate) fn of(attributes: &[Attribute], name: &str) -> Self {
        let mut path = None;
        attr::each_key(&mut Ctxt::default(), attributes, name, |_, key, input| {
            if key == "crate" {
                path = Some(value(key, input)?);
                return Ok(());
            }
            // Any error has what follows skipped.
            Err(input.error(""))
        });
        Self { path, adapters: false }
    }

    pub(crate) fn path(&self) -> TokenStream {
        let default = || if self.adapters { quote!(::diffsync_adapters) } else { quote!(::diffsync_core) };
        self.path.as_ref().map_or_else(default, ToTokens::to_token_stream)
    }

    /// Items in a scope in which the core is known as `_diffsync`.
    pub(crate) fn scope(&self, items: &TokenStream) -> TokenStream {
        let path = self.path();
        quote! {
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
    const USAGE: &str =
        "`crate` is the path by which this crate reaches `diffsync_core`, written `crate = path::to::it`";
    let path = attr::after_equals(key, input, USAGE, Path::parse_mod_style)?;
    // A path that begins here leads on, and nothing else is called by a keyword.
    let is_keyword = |word: &str| ["self", "super", "crate", "Self"].contains(&word);
    let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let begins_here = words.iter().take_while(|word| ["self", "super", "crate"].contains(&word.as_str())).count();
    let leads_on = words.len() > begins_here || words == ["crate"];
    if !leads_on || words.iter().skip(begins_here).any(|word| is_keyword(word)) {
        return Err(Error::new_spanned(path, USAGE));
    }
    Ok(path)
}

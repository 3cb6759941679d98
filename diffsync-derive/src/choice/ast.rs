//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Path};

use crate::attr::{self, Key, Once};
use crate::case::kebab_case;
use crate::ctxt::Ctxt;
use crate::krate;

/// An enum of choices.
pub(crate) struct Choice<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) variants: Vec<Variant<'a>>,
    /// Whether a variant was left out because of an error.
    pub(crate) is_incomplete: bool,
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
}

impl<'a> Choice<'a> {
    /// Reads the input, or reports why it cannot be a choice at all. Variants with fields are reported and left out.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        const WHAT: &str = "a choice is an enum whose variants have no fields, as in `enum Mode { Fast, Careful }`";
        let mut keys = EnumKeys::default();
        attr::each_key(cx, &input.attrs, "choice", |cx, key, input| {
            if key == "rename" {
                let message = "`rename` belongs on a variant: it is what a user types to choose it";
                return Err(Error::new(key.span(), message));
            }
            attr::read(ENUM_KEYS, &mut keys, cx, key, input)
        });

        let data = match &input.data {
            Data::Enum(data) => data,
            Data::Struct(data) => {
                cx.error_at(data.struct_token, WHAT);
                return None;
            }
            Data::Union(data) => {
                cx.error_at(data.union_token, WHAT);
                return None;
            }
        };

        if !input.generics.params.is_empty() {
            cx.error_at(&input.generics, "a choice cannot be generic: it consists of its variants");
            return None;
        }

        if data.variants.is_empty() {
            cx.error_at(&input.ident, "this enum has no variants to choose from");
            return None;
        }

        let mut variants: Vec<Variant<'a>> = Vec::new();
        for variant in &data.variants {
            // Read before the variant may be left out, so that mistakes in its keys are reported too.
            let (name, at) = name(cx, variant);
            if !matches!(variant.fields, Fields::Unit) {
                cx.error(variant.fields.span(), "a user chooses by name, so a choice has no fields: drop these");
                continue;
            }

            if let Some(other) = variants.iter().find(|other| other.name == name) {
                let message = format!("`{}` is called `{name}` already; give this one another name", other.ident);
                cx.error_at(at, message);
                continue;
            }

            variants.push(Variant { ident: &variant.ident, name });
        }

        let is_incomplete = variants.len() < data.variants.len();
        Some(Self { ident: &input.ident, variants, is_incomplete })
    }
}

/// The keys of `#[choice(…)]` on the enum.
pub(crate) const ENUM_KEYS: &[Key<EnumKeys>] = &[Key("crate", |keys, cx, key, input| {
    keys.krate.set(cx, key, krate::value(key, input)?);
    Ok(())
})];

/// The keys of `#[choice(…)]` on a variant.
pub(crate) const VARIANT_KEYS: &[Key<VariantKeys>] = &[Key("rename", |keys, cx, key, input| {
    let name = attr::text(key, input)?;
    let text = name.value();

    // A given value is trimmed before it is looked up, so a name with spaces around it could never be chosen.
    if text.is_empty() || text.trim() != text || text.contains(char::is_control) {
        let message = "a choice's name must not be empty, nor begin or end with a space";
        return Err(Error::new_spanned(name, message));
    }
    keys.rename.set(cx, key, name);
    Ok(())
})];

#[derive(Default)]
pub(crate) struct EnumKeys {
    krate: Once<Path>,
}

#[derive(Default)]
pub(crate) struct VariantKeys {
    rename: Once<LitStr>,
}

/// The variant's name, and where it is written.
fn name(cx: &mut Ctxt, variant: &syn::Variant) -> (String, proc_macro2::TokenStream) {
    let mut keys = VariantKeys::default();
    attr::each_key(cx, &variant.attrs, "choice", |cx, key, input| {
        if key == "crate" {
            return Err(Error::new(key.span(), "`crate` belongs on the enum"));
        }
        attr::read(VARIANT_KEYS, &mut keys, cx, key, input)
    });

    let default = || (kebab_case(&variant.ident.to_string()), variant.ident.to_token_stream());
    keys.rename.into_value().map_or_else(default, |name| (name.value(), name.into_token_stream()))
}

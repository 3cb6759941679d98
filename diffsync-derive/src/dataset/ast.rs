//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Path, Type};

use crate::attr::{self, Key, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::shape;
use crate::ty::argument;

/// A data set.
pub(crate) struct Dataset<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) tables: Vec<TableField<'a>>,
}

/// A field of type `Table<Model>`.
pub(crate) struct TableField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) model: &'a Type,
}

/// The keys of `#[dataset(…)]`.
pub(crate) const KEYS: &[Key<Keys>] = &[Key("crate", |keys, cx, key, input| {
    keys.krate.set(cx, key, krate::value(key, input)?);
    Ok(())
})];

#[derive(Default)]
pub(crate) struct Keys {
    krate: Once<Path>,
}

impl<'a> Dataset<'a> {
    /// Reads the input, or reports why it cannot be a data set at all. Fields that are not tables are reported and
    /// left out.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        const WHAT: &str = "a data set is a struct whose fields are tables, as in `regions: Table<Region>`";
        let mut keys = Keys::default();
        attr::each_key(cx, &input.attrs, "dataset", |cx, key, input| attr::read(KEYS, &mut keys, cx, key, input));

        let fields = match &input.data {
            Data::Struct(data) => &data.fields,
            Data::Enum(data) => {
                cx.error_at(data.enum_token, WHAT);
                return None;
            }
            Data::Union(data) => {
                cx.error_at(data.union_token, WHAT);
                return None;
            }
        };

        if !input.generics.params.is_empty() {
            cx.error_at(&input.generics, "a data set cannot be generic: it names the models of both sides");
            return None;
        }

        let fields = match fields {
            Fields::Named(fields) if !fields.named.is_empty() => fields,
            Fields::Unnamed(fields) => {
                cx.error(fields.span(), format!("{WHAT}; name these fields"));
                return None;
            }
            Fields::Named(_) | Fields::Unit => {
                cx.error_at(&input.ident, WHAT);
                return None;
            }
        };

        let mut tables: Vec<TableField<'a>> = Vec::new();
        for (ident, field) in shape::named(cx, fields) {
            let Some(model) = argument(&field.ty, "Table") else {
                cx.error_at(
                    &field.ty,
                    "every field of a data set is a `Table<Model>`; keep other things in the adapter",
                );
                continue;
            };

            // Compared as written. One model by two paths is two impls of `HasTable`, which the compiler reports at
            // the second.
            let written = model.to_token_stream().to_string();
            let earlier = tables.iter().find(|table| table.model.to_token_stream().to_string() == written);
            if let Some(earlier) = earlier {
                cx.error_at(model, format!("`{written}` has a table already: `{}`", earlier.ident));
                continue;
            }

            tables.push(TableField { ident, model });
        }

        Some(Self { ident: &input.ident, tables })
    }
}

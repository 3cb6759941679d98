//! The named fields of an item.

use proc_macro2::Ident;
use syn::{Field, FieldsNamed};

use crate::ctxt::Ctxt;

/// The fields with their names. A field called `_` is reported: `syn` accepts it, and the compiler does not.
pub(crate) fn named<'a>(cx: &mut Ctxt, fields: &'a FieldsNamed) -> Vec<(&'a Ident, &'a Field)> {
    let mut named = Vec::new();
    for field in &fields.named {
        match &field.ident {
            Some(ident) if ident == "_" => cx.error_at(ident, "give this field a name"),
            Some(ident) => named.push((ident, field)),
            // `syn` has one type for fields with and without names; those of `FieldsNamed` all have one.
            None => {}
        }
    }

    named
}

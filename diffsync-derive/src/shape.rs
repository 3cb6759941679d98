//! What an item is made of.

use proc_macro2::Ident;
use syn::{Field, FieldsNamed};

use crate::ctxt::Ctxt;

/// The fields with their names. One called `_` is reported: the parser takes it, and the compiler does not.
pub(crate) fn named<'a>(cx: &mut Ctxt, fields: &'a FieldsNamed) -> Vec<(&'a Ident, &'a Field)> {
    let mut named = Vec::new();
    for field in &fields.named {
        match &field.ident {
            Some(ident) if ident == "_" => cx.error_at(ident, "give this field a name"),
            Some(ident) => named.push((ident, field)),
            None => {}
        }
    }
    named
}

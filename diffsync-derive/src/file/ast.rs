//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Error, LitChar, LitStr, Path, Result, Type};

use super::format::Format;
use crate::attr::{self, Key, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::model::ast::{Model, Role};

/// A model whose records are in a file.
pub(super) struct FileModel<'a> {
    pub(super) ident: &'a Ident,
    /// The model's name.
    pub(super) name: String,
    pub(super) keys: Keys,
    pub(super) fields: Vec<Field<'a>>,
}

/// A field of the model.
pub(super) struct Field<'a> {
    pub(super) ident: &'a Ident,
    pub(super) ty: &'a Type,
    pub(super) role: Role,
    /// The name of its column or key.
    pub(super) column: String,
    /// The name given with `rename`.
    pub(super) rename: Option<LitStr>,
}

/// The keys of `#[file(…)]` on the struct.
pub(crate) const STRUCT_KEYS: &[Key<Keys>] = &[
    Key("path", |keys, cx, key, input| {
        keys.path.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("format", |keys, cx, key, input| {
        keys.format.set(cx, key, format(key, input)?);
        Ok(())
    }),
    Key("list", |keys, cx, key, input| {
        keys.list.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("delimiter", |keys, cx, key, input| {
        const USAGE: &str = "`delimiter` is the character between the cells, written `delimiter = ';'`";
        keys.delimiter.set(cx, key, attr::after_equals(key, input, USAGE, LitChar::parse)?);
        Ok(())
    }),
    Key("crate", |keys, cx, key, input| {
        keys.krate.set(cx, key, krate::value(key, input)?);
        Ok(())
    }),
];

/// The keys of `#[file(…)]` on a field.
pub(crate) const FIELD_KEYS: &[Key<FieldKeys>] = &[Key("rename", |keys, cx, key, input| {
    let name = attr::text(key, input)?;
    if name.value().is_empty() {
        return Err(Error::new_spanned(name, "a column's name must not be empty"));
    }
    keys.rename.set(cx, key, name);
    Ok(())
})];

impl<'a> FileModel<'a> {
    /// Reads the input; `None` if it is not a model, which `#[derive(SyncModel)]` reports.
    pub(super) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let mut keys = Keys::default();
        attr::each_key(cx, &input.attrs, "file", |cx, key, input| keys.read(cx, key, input));

        // The struct also has `#[derive(SyncModel)]`, which reports these.
        let mut reported_elsewhere = Ctxt::default();
        let model = Model::read(&mut reported_elsewhere, input);

        let mut fields = Vec::new();
        for field in model.iter().flat_map(|model| &model.fields) {
            let rename = rename(cx, field.attributes);
            if let (Role::Local, Some(rename)) = (field.role, &rename) {
                cx.error_at(rename, "a local field is not stored in the file, so it has no name there");
            }
            fields.push(Field {
                ident: field.ident,
                ty: field.ty,
                role: field.role,
                column: rename.as_ref().map_or_else(|| field.name.clone(), LitStr::value),
                rename,
            });
        }

        // Only now, so that mistakes in `#[file(…)]` are reported even if the model is not sound.
        let model = model.filter(|_| !reported_elsewhere.failed())?;
        Some(Self { ident: &input.ident, name: model.name, keys, fields })
    }

    /// The fields that are stored, in the order of the struct.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.role != Role::Local)
    }
}

#[derive(Default)]
pub(crate) struct FieldKeys {
    rename: Once<LitStr>,
}

fn rename(cx: &mut Ctxt, attributes: &[syn::Attribute]) -> Option<LitStr> {
    let mut keys = FieldKeys::default();
    attr::each_key(cx, attributes, "file", |cx, key, input| {
        if attr::contains(STRUCT_KEYS, key) {
            let message = format!("`{key}` belongs on the struct: put `#[file({key} = …)]` above it");
            return Err(Error::new(key.span(), message));
        }
        attr::read(FIELD_KEYS, &mut keys, cx, key, input)
    });

    keys.rename.into_value()
}

/// The keys on the struct.
#[derive(Default)]
pub(crate) struct Keys {
    pub(super) path: Once<LitStr>,
    pub(super) format: Once<(Ident, Format)>,
    pub(super) list: Once<LitStr>,
    pub(super) delimiter: Once<LitChar>,
    krate: Once<Path>,
}

impl Keys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        if attr::contains(FIELD_KEYS, key) {
            let message = "`rename` belongs on a field, and names its column; the file is named with `path = \"…\"`";
            return Err(Error::new(key.span(), message));
        }

        attr::read(STRUCT_KEYS, self, cx, key, input)
    }
}

/// `= csv`.
fn format(key: &Ident, input: ParseStream<'_>) -> Result<(Ident, Format)> {
    let names = Format::WORDS.map(|(word, _)| format!("`{word}`")).join(", ");
    let usage = format!("`format` is one of {names}, written `format = csv`");
    let word = attr::after_equals(key, input, &usage, Ident::parse)?;
    let known = Format::WORDS.iter().find(|(name, _)| word == name);
    known.map(|(_, format)| (word.clone(), *format)).ok_or_else(|| Error::new(word.span(), usage))
}

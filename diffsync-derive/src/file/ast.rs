//! What the user wrote, with the tokens to point at.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Error, LitChar, LitStr, Path, Result, Type};

use super::format::Format;
use crate::attr::{self, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::model::ast::{Model, Role};

/// A model that is kept in a file.
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
    /// What its column, or its key, is called.
    pub(super) column: String,
    /// The name it is given with `rename`.
    pub(super) rename: Option<LitStr>,
}

const STRUCT_KEYS: &[&str] = &["path", "format", "list", "delimiter", "crate"];
const FIELD_KEYS: &[&str] = &["rename"];

impl<'a> FileModel<'a> {
    /// Reads the input; `None` if it is no model, which `#[derive(SyncModel)]` reports.
    pub(super) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let mut keys = Keys::default();
        attr::each_key(cx, &input.attrs, "file", |cx, key, input| keys.read(cx, key, input));
        let mut reported_elsewhere = Ctxt::default();
        let model = Model::read(&mut reported_elsewhere, input);
        let attributes = model.iter().flat_map(|model| &model.fields).map(|field| {
            let of_field = |other: &&syn::Field| other.ident.as_ref() == Some(field.ident);
            (field, named_fields(input).find(of_field).map(|field| field.attrs.as_slice()).unwrap_or_default())
        });
        let mut fields = Vec::new();
        for (field, attributes) in attributes {
            let rename = rename(cx, attributes);
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
        let model = model.filter(|_| !reported_elsewhere.failed())?;
        Some(Self { ident: &input.ident, name: model.name, keys, fields })
    }

    /// The fields that are stored, in the order they stand in the struct.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.role != Role::Local)
    }
}

fn named_fields(input: &DeriveInput) -> impl Iterator<Item = &syn::Field> {
    let fields = match &input.data {
        syn::Data::Struct(data) => Some(&data.fields),
        _ => None,
    };
    fields.into_iter().flatten()
}

fn rename(cx: &mut Ctxt, attributes: &[syn::Attribute]) -> Option<LitStr> {
    let mut rename: Once<LitStr> = Once::default();
    attr::each_key(cx, attributes, "file", |cx, key, input| match key.to_string().as_str() {
        "rename" => {
            let name = attr::text(key, input)?;
            if name.value().is_empty() {
                return Err(Error::new_spanned(name, "a column has a name"));
            }
            rename.set(cx, key, name);
            Ok(())
        }
        other if STRUCT_KEYS.contains(&other) => {
            Err(Error::new(key.span(), format!("`{other}` belongs on the struct: put `#[file({other} = …)]` above it")))
        }
        _ => Err(attr::unknown(key, FIELD_KEYS)),
    });
    rename.into_value()
}

/// The keys on the struct.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) path: Once<LitStr>,
    pub(super) format: Once<(Ident, Format)>,
    pub(super) list: Once<LitStr>,
    pub(super) delimiter: Once<LitChar>,
    krate: Once<Path>,
}

impl Keys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "path" => self.path.set(cx, key, attr::text(key, input)?),
            "format" => self.format.set(cx, key, format(key, input)?),
            "list" => self.list.set(cx, key, attr::text(key, input)?),
            "delimiter" => {
                const USAGE: &str = "`delimiter` is what stands between the cells, written `delimiter = ';'`";
                self.delimiter.set(cx, key, attr::after_equals(key, input, USAGE, LitChar::parse)?);
            }
            "crate" => self.krate.set(cx, key, krate::value(key, input)?),
            "rename" => {
                return Err(Error::new(
                    key.span(),
                    "`rename` belongs on a field, and names its column; the file is named with `path = \"…\"`",
                ));
            }
            _ => return Err(attr::unknown(key, STRUCT_KEYS)),
        }
        Ok(())
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

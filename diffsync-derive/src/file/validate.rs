//! Rules that concern more than one key.

use std::path::{Component, Path};

use quote::ToTokens;
use syn::LitStr;

use super::ast::FileModel;
use super::format::Format;
use crate::ctxt::Ctxt;
use crate::ty::secret;

/// How a model is stored.
pub(super) struct Kept {
    pub(super) format: Format,
    pub(super) path: String,
    /// The key that holds the list of records in the document.
    pub(super) list: Option<String>,
    pub(super) delimiter: u8,
    pub(super) is_secret: bool,
}

/// Reports what is wrong, and returns how the model is stored if that is known all the same.
pub(super) fn validate(cx: &mut Ctxt, model: &FileModel<'_>) -> Option<Kept> {
    each_column_once(cx, model);
    let path = model.keys.path.get();
    if let Some(path) = path
        && !stays_inside(&path.value())
    {
        cx.error_at(path, "`path` leads from the folder to a file in it, as in `path = \"countries.csv\"`");
        return None;
    }

    // Not asked for a path that is wrong, whose extension would be a second error.
    let format = format(cx, model)?;
    if let Some(list) = model.keys.list.get() {
        if !format.holds_keys() {
            cx.error_at(list, "a file of this format holds only the records; drop `list`");
        } else if list.value().is_empty() {
            cx.error_at(list, "`list` must not be empty: it is the key that holds the records");
        }
    }

    Some(Kept {
        format,
        path: path.map_or_else(|| format!("{}.{}", model.name, format.extension()), LitStr::value),
        // A document of TOML is always a table.
        list: model.keys.list.get().map(LitStr::value).or_else(|| (format == Format::Toml).then(|| model.name.clone())),
        delimiter: delimiter(cx, model, format),
        is_secret: model.stored().any(|field| {
            let ty = crate::ty::option(field.ty).unwrap_or(field.ty);
            secret(ty).is_some()
        }),
    })
}

fn stays_inside(path: &str) -> bool {
    let path = Path::new(path);

    // No `..` and no root, which lead out of the folder.
    path.file_name().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The format that is given, or that of the path's extension.
fn format(cx: &mut Ctxt, model: &FileModel<'_>) -> Option<Format> {
    if let Some((_, format)) = model.keys.format.get() {
        return Some(*format);
    }
    let Some(path) = model.keys.path.get() else {
        cx.error_at(
            model.ident,
            "no file is declared: write `#[file(path = \"countries.csv\")]`, \
             or only its format: `#[file(format = csv)]`",
        );
        return None;
    };

    let value = path.value();
    let extension = Path::new(&value).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let known = Format::of_extension(extension);
    if known.is_none() {
        cx.error_at(path, "the format is not known from the file's name; add `format = csv`, or another format");
    }
    known
}

fn delimiter(cx: &mut Ctxt, model: &FileModel<'_>, format: Format) -> u8 {
    let Some(given) = model.keys.delimiter.get() else {
        let path = model.keys.path.get().map(LitStr::value).unwrap_or_default();
        return if path.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { b',' };
    };

    if format != Format::Csv {
        cx.error_at(given, "only CSV has a delimiter; drop it");
    }

    // The reader of CSV takes a byte.
    match u8::try_from(given.value()) {
        Ok(delimiter) if delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\r' | b'\n' | 0) => delimiter,
        _ => {
            cx.error_at(given, "a delimiter is an ASCII character, and neither a quotation mark nor a line break");
            b','
        }
    }
}

fn each_column_once(cx: &mut Ctxt, model: &FileModel<'_>) {
    let mut earlier: Vec<&str> = Vec::new();
    for field in model.stored() {
        if earlier.contains(&field.column.as_str()) {
            let message = format!("`{}` is the name of another field's column already", field.column);
            let place = field.rename.as_ref().map_or_else(|| field.ident.to_token_stream(), ToTokens::to_token_stream);
            cx.error_at(place, message);
        }
        earlier.push(&field.column);
    }
}

//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

mod links;

pub(crate) use self::links::reset;

use quote::ToTokens;

use super::ast::{Comparison, Field, Model, Role};
use crate::attr;
use crate::ctxt::Ctxt;
use crate::ty::{is_float, is_self, option, reference, secret};

/// Returns whether the model, or what is left of it, can be expanded.
pub(crate) fn validate(cx: &mut Ctxt, model: &mut Model<'_>) -> bool {
    // `&` and not `&&`, so that both report their errors.
    let sound = owned(cx, model) & identifiers(cx, model);
    names(cx, model);
    for field in &mut model.fields {
        compared(cx, field);
    }

    links::links(cx, model);
    after(cx, model);

    sound
}

fn owned(cx: &mut Ctxt, model: &Model<'_>) -> bool {
    let mut sound = true;

    // A local field is never read from a document, so it need not own its value.
    for field in model.fields.iter().filter(|field| field.role != Role::Local) {
        if let Some(reference) = reference(field.ty) {
            let owned = match reference.elem.to_token_stream().to_string().as_str() {
                "str" => "; write `String`",
                "Path" => "; write `PathBuf`",
                _ => "",
            };
            cx.error_at(reference, format!("a model owns its values{owned}"));
            sound = false;
        }
    }

    sound
}

fn identifiers(cx: &mut Ctxt, model: &mut Model<'_>) -> bool {
    let mut sound = true;
    for field in model.with_role(Role::Identifier) {
        if secret(option(field.ty).unwrap_or(field.ty)).is_some() {
            cx.error_at(
                field.ty,
                "a secret cannot identify a record: identifiers appear in reports; make it an attribute",
            );
        }

        // Not expanded: without `Eq` and `Hash` on the type, the compiler would report it again.
        if is_float(field.ty) {
            cx.error_at(
                field.ty,
                "a floating-point number cannot identify a record: it need not equal itself; write an integer or a \
                 `String`, or make it an attribute",
            );
            sound = false;
        }
    }

    if model.with_role(Role::Identifier).next().is_none() {
        if !model.identifiers_in_doubt {
            cx.error_at(model.ident, "no field identifies a record: mark the fields that do with `#[sync(id)]`");
        }
        // Any field serves as the identifier now, so that the code that uses the model is still checked.
        if let Some(first) = model.fields.first_mut() {
            first.role = Role::Identifier;

            // Without keys and links, some of which an identifier cannot have, which would be a second error.
            (first.compare, first.when_some, first.create_only) = (None, None, None);
            first.comparison = Comparison::Equal;
            let first = first.ident.clone();
            model.links.retain(|link| link.fields().all(|field| *field != first));
        }
    }

    sound
}

/// Fields have different names, also those that are renamed.
fn names(cx: &mut Ctxt, model: &mut Model<'_>) {
    for position in 0..model.fields.len() {
        let (earlier, rest) = model.fields.split_at_mut(position);
        let Some((field, later)) = rest.split_first_mut() else { return };

        let Some(rename) = &field.rename else { continue };
        let name = rename.value();
        // A field that is not renamed keeps its name, also where it comes after this one.
        let mut others = earlier.iter().chain(later.iter().filter(|field| field.rename.is_none()));
        let message = if name.is_empty() || name.trim() != name || name.contains(char::is_control) {
            "a field's name must not be empty, nor begin or end with a space".to_owned()
        } else if let Some(other) = others.find(|other| other.name == name) {
            format!("the field `{}` is called `{name}` already; give this one another name", other.ident)
        } else {
            continue;
        };
        cx.error_at(rename, message);
        field.name = field.ident.to_string();
        field.rename = None;
    }
}

/// The keys about the comparison of a field.
fn compared(cx: &mut Ctxt, field: &mut Field<'_>) {
    if field.role != Role::Attribute {
        let why = match field.role {
            Role::Local => "a `local` field is neither compared nor written",
            _ => "an identifier is always the same on both sides",
        };
        for key in [field.when_some.take(), field.create_only.take()].iter().flatten() {
            cx.error_at(key, format!("{why}: `{key}` is for attributes"));
        }
    }

    if let Some(key) = field.when_some.as_ref().filter(|_| option(field.ty).is_none()) {
        let message = "`when_some` takes `None` for \"no opinion\", which only an `Option<…>` can be; change the type, or drop it";
        cx.error_at(key, message);
        field.when_some = None;
    }

    let message = match (&field.compare, field.role) {
        (Some(_), Role::Local) => "a `local` field is not compared: drop `compare`",
        (Some(_), Role::Identifier) if !field.comparison.suits_identifiers() => {
            "an identifier is compared with `unordered` or `ignore_case`, or by its own `==`: it must have a hash that agrees"
        }
        (Some(_), Role::Attribute) if field.create_only.is_some() => {
            "a `create_only` attribute is never compared: drop `compare` or `create_only`"
        }
        _ => "",
    };

    if let Some(key) = field.compare.as_ref().filter(|_| !message.is_empty()) {
        cx.error_at(key, message);
        field.compare = None;
        field.comparison = Comparison::Equal;
    }

    if let (Some(key), Some(_)) = (&field.when_some, &field.create_only) {
        cx.error_at(key, "a `create_only` attribute is never compared: drop `when_some` or `create_only`");
        field.when_some = None;
    }
}

/// `after` names other models, each once.
fn after(cx: &mut Ctxt, model: &mut Model<'_>) {
    let own = model.ident.to_string();
    model.after.retain(|ty| {
        let is_own = is_self(ty) || ty.to_token_stream().to_string() == own;
        if is_own {
            cx.error_at(ty, "a model is not written after itself; order its records with `parent = Self`");
        }
        !is_own
    });

    model.after = attr::each_once(cx, std::mem::take(&mut model.after));
}

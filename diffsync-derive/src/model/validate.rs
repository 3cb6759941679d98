//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

use quote::ToTokens;

use super::ast::{Field, Model, Role, is_float, is_self, option, reference, secret};
use crate::ctxt::Ctxt;
use crate::words::nearest;

/// Whether the model, or what is left of it, can be expanded.
pub(crate) fn validate(cx: &mut Ctxt, model: &mut Model<'_>) -> bool {
    let sound = owned(cx, model) & identifiers(cx, model);
    field_parents(cx, model);
    struct_parent(cx, model);
    one_parent(cx, model);
    sound
}

fn owned(cx: &mut Ctxt, model: &Model<'_>) -> bool {
    let mut sound = true;
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
            cx.error_at(field.ty, "a secret cannot identify a record: identifiers are shown; make it an attribute");
        }
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
            cx.error_at(
                model.ident,
                "no field identifies a record: mark the fields that say which record it is with `#[sync(id)]`",
            );
        }
        // Anything serves, so that the code that uses the model is still checked.
        if let Some(first) = model.fields.first_mut() {
            first.role = Role::Identifier;
            first.parent = None;
        }
    }
    sound
}

fn field_parents(cx: &mut Ctxt, model: &mut Model<'_>) {
    for field in &mut model.fields {
        let Some(parent) = &field.parent else { continue };
        if field.role == Role::Local {
            cx.error_at(
                &parent.key,
                "a parent is the same on both sides: put `parent` on an `id` or an attribute, not on a `local` field",
            );
            field.parent = None;
        } else if is_self(&parent.model) && option(field.ty).is_none() {
            let ty = field.ty;
            cx.error_at(
                ty,
                "in a model that nests in itself the topmost records have no parent: make this an `Option<…>`",
            );
            field.parent = None;
        }
    }
}

fn struct_parent(cx: &mut Ctxt, model: &mut Model<'_>) {
    let Some(link) = &model.parent else { return };
    let mut sound = true;
    for (position, (its, mine)) in link.pairs.iter().enumerate() {
        if link.pairs.iter().take(position).any(|(earlier, _)| earlier == its) {
            cx.error_at(its, format!("`{its}` of the parent is given twice; each of its identifiers is given once"));
            sound = false;
        }
        match model.fields.iter().find(|field| field.ident == mine) {
            None => {
                let fields: Vec<String> = model.fields.iter().map(Field::name).collect();
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                let meant = nearest(&mine.to_string(), &fields)
                    .map(|meant| format!("; did you mean `{meant}`?"))
                    .unwrap_or_default();
                let message = format!(
                    "`{}` has no field `{mine}`: behind `=` stands the field that holds the parent's `{its}`{meant}",
                    model.ident
                );
                cx.error_at(mine, message);
                sound = false;
            }
            Some(field) if field.role == Role::Local => {
                cx.error_at(mine, "a parent is the same on both sides: the fields that name it cannot be `local`");
                sound = false;
            }
            Some(_) => {}
        }
    }
    let optional = |mine| model.fields.iter().any(|field| field.ident == mine && option(field.ty).is_some());
    if sound && is_self(&link.model) && !link.pairs.iter().any(|(_, mine)| optional(mine)) {
        cx.error_at(
            &link.model,
            "in a model that nests in itself the topmost records have no parent: make one of these fields an `Option<…>`",
        );
        sound = false;
    }
    if !sound {
        model.parent = None;
    }
}

fn one_parent(cx: &mut Ctxt, model: &mut Model<'_>) {
    let mut parents = usize::from(model.parent.is_some());
    for field in &mut model.fields {
        if let Some(parent) = &field.parent {
            parents += 1;
            if parents > 1 {
                cx.error_at(
                    &parent.key,
                    "a record lives under one parent: keep `parent` where that one is named, and drop it here",
                );
                field.parent = None;
            }
        }
    }
}

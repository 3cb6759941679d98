//! Rules that concern more than one key. What breaks one is reported and taken out, so that the rest can be expanded.

use super::ast::{Model, Role, is_self, option, secret};
use crate::ctxt::Ctxt;

pub(crate) fn validate(cx: &mut Ctxt, model: &mut Model<'_>) {
    identifiers(cx, model);
    field_parents(cx, model);
    struct_parent(cx, model);
    one_parent(cx, model);
}

fn identifiers(cx: &mut Ctxt, model: &mut Model<'_>) {
    for field in model.with_role(Role::Identifier) {
        if secret(field.ty).or_else(|| option(field.ty).and_then(secret)).is_some() {
            cx.error_at(field.ty, "a secret cannot identify a record: identifiers are shown; make it an attribute");
        }
    }
    if model.with_role(Role::Identifier).next().is_none() {
        if !cx.failed() {
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
            cx.error_at(its, format!("`{its}` of the parent is given twice"));
            sound = false;
        }
        match model.fields.iter().find(|field| field.ident == mine) {
            None => {
                cx.error_at(mine, format!("`{}` has no field `{mine}`", model.ident));
                sound = false;
            }
            Some(field) if field.role == Role::Local => {
                cx.error_at(mine, "a parent is the same on both sides; this field is `local`");
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
                cx.error_at(&parent.key, "a record lives under one parent; a second link to a record is no parent");
                field.parent = None;
            }
        }
    }
}

//! The rules of links.

use proc_macro2::Ident;
use quote::ToTokens;

use crate::ctxt::Ctxt;
use crate::model::ast::{Field, Link, Model, NamedBy, Role};
use crate::suggest::suggest;
use crate::ty::{can_be_empty, is_list, is_self};

/// Takes out the links that break a rule, and puts the parent first.
pub(super) fn links(cx: &mut Ctxt, model: &mut Model<'_>) {
    let mut sound: Vec<Link> = Vec::new();
    for link in std::mem::take(&mut model.links) {
        // The first two always run, and report all that is wrong with single fields. The others need sound fields.
        if pairs(cx, model, &link) & roles(cx, model, &link)
            && once(cx, &sound, &link)
            && lists(cx, model, &link)
            && topmost(cx, model, &link)
        {
            sound.push(link);
        }
    }

    // A stable sort, so that references stay in the order of their declaration.
    sound.sort_by_key(|link| !link.is_parent());

    // All are judged before any is taken out: a field that another link needs cannot be left out.
    let kept = sound.iter().map(|link| deferred(cx, model, link, &sound)).collect::<Vec<_>>();
    let mut kept = kept.into_iter();
    sound.retain(|_| kept.next().unwrap_or(true));
    model.links = sound;
}

/// Each identifier of the other model is given once, and held by a field that exists.
fn pairs(cx: &mut Ctxt, model: &Model<'_>, link: &Link) -> bool {
    let NamedBy::Fields(pairs) = &link.named_by else { return true };
    let other = if link.is_parent() { "parent" } else { "other record" };
    let mut sound = true;
    for (position, pair) in pairs.iter().enumerate() {
        let its = &pair.its;
        if pairs.iter().take(position).any(|earlier| earlier.its == *its) {
            cx.error_at(its, format!("`{its}` of the {other} is given twice; each of its identifiers is given once"));
            sound = false;
        }

        if model.field(&pair.mine).is_none() {
            let mine = &pair.mine;
            let fields: Vec<String> = model.fields.iter().map(|field| field.ident.to_string()).collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let meant = suggest(&mine.to_string(), &fields)
                .map(|meant| format!("; did you mean `{meant}`?"))
                .unwrap_or_default();
            let message = format!(
                "`{}` has no field `{mine}`: after `=` comes the field that holds the {other}'s `{its}`{meant}",
                model.ident
            );
            cx.error_at(mine, message);
            sound = false;
        }
    }

    sound
}

/// What identifies another record is the same on both sides.
fn roles(cx: &mut Ctxt, model: &Model<'_>, link: &Link) -> bool {
    let mut sound = true;
    let key = &link.key;
    let other = if link.is_parent() { "parent" } else { "reference" };
    for mine in link.fields().filter(|mine| model.field(mine).is_some_and(|field| field.role == Role::Local)) {
        match link.named_by {
            NamedBy::Field(_) => cx.error_at(
                key,
                format!("a {other} is the same on both sides: put `{key}` on an `id` or an attribute, not on a `local` field"),
            ),
            NamedBy::Fields(_) => cx.error_at(
                mine,
                format!("a {other} is the same on both sides: the fields that name it cannot be `local`"),
            ),
        }
        sound = false;
    }

    sound
}

/// A record lives under one parent, and each link is declared once.
fn once(cx: &mut Ctxt, earlier: &[Link], link: &Link) -> bool {
    if link.is_parent() && earlier.iter().any(Link::is_parent) {
        cx.error_at(
            &link.key,
            "a record lives under one parent: keep `parent` where that one is named, and drop it here",
        );
        return false;
    }

    let same = |other: &&Link| {
        let model = |link: &Link| link.model.to_token_stream().to_string();
        other.is_parent() == link.is_parent() && model(other) == model(link) && other.fields().eq(link.fields())
    };

    if earlier.iter().any(|other| same(&other)) {
        cx.error_at(&link.key, "this link is given twice; keep one of them");
        return false;
    }

    true
}

/// A field may name several records, but only one field, and not of a parent.
fn lists(cx: &mut Ctxt, model: &Model<'_>, link: &Link) -> bool {
    let mut lists = link.fields().filter_map(|mine| model.field(mine)).filter(|field| is_list(field.ty));
    let Some(first) = lists.next() else { return true };
    if link.is_parent() {
        let at: &dyn ToTokens = if matches!(link.named_by, NamedBy::Field(_)) { &first.ty } else { mine(link, first) };
        cx.error_at(at, "a record lives under one parent: this field names several; `references` may");
        return false;
    }

    if let Some(second) = lists.next() {
        cx.error_at(mine(link, second), "only one of the fields that name a record can be a list");
        return false;
    }

    true
}

/// Where records of one model name each other, some name none.
fn topmost(cx: &mut Ctxt, model: &Model<'_>, link: &Link) -> bool {
    let to_itself = is_self(&link.model) || *model.ident == link.model.to_token_stream().to_string();
    let mut fields = link.fields().filter_map(|mine| model.field(mine));
    if !to_itself || fields.any(|field| can_be_empty(field.ty)) {
        return true;
    }
    if link.deferred().is_some() {
        // `deferred` below reports this for every deferred reference.
        return true;
    }

    let (why, how) = if link.is_parent() {
        ("in a model that nests in itself the topmost records have no parent", "an `Option<…>`")
    } else {
        ("where records refer to others of their model, some refer to none", "an `Option<…>` or a list")
    };
    match (&link.named_by, link.fields().find_map(|mine| model.field(mine))) {
        (NamedBy::Field(_), Some(field)) => cx.error_at(field.ty, format!("{why}: make this {how}")),
        _ => cx.error_at(&link.model, format!("{why}: make one of these fields {how}")),
    }

    false
}

/// A deferred reference is left out when a record is created, so its fields must be able to be empty.
fn deferred(cx: &mut Ctxt, model: &Model<'_>, link: &Link, all: &[Link]) -> bool {
    let Some(key) = link.deferred() else { return true };
    let fields = || link.fields().filter_map(|mine| model.field(mine));
    if reset(model, link, all).next().is_some() {
        let left_out = |field: &Field<'_>| field.create_only.clone();
        let create_only = reset(model, link, all).find_map(left_out);
        if let Some(create_only) = &create_only {
            cx.error_at(
                create_only,
                "a deferred reference is set after the record was created: `create_only` would keep it empty; drop one of the two",
            );
        }
        return create_only.is_none();
    }

    let message = if fields().all(|field| field.role == Role::Identifier) {
        "an identifier cannot be left out when a record is created: put the deferred reference on an attribute, or drop `deferred`"
            .to_owned()
    } else {
        "a deferred reference is left out when the record is created: it needs an attribute that is an `Option<…>` or a \
         list, and that no parent and no other reference uses"
            .to_owned()
    };

    cx.error_at(key, message);
    false
}

/// The fields that are left out when a record is created with this deferred reference.
pub(crate) fn reset<'m, 'a>(
    model: &'m Model<'a>,
    link: &'m Link,
    all: &'m [Link],
) -> impl Iterator<Item = &'m Field<'a>> {
    // In `references(Self, site = site, name = twin, deferred)`, `site` also names the parent and stays; only `twin`
    // is left out.
    let needed = |ident: &Ident| {
        let mut at_once = all.iter().filter(|link| link.deferred().is_none());
        at_once.any(|link| link.fields().any(|mine| mine == ident))
    };

    let fields = link.deferred().is_some().then(|| link.fields()).into_iter().flatten();
    fields
        .filter_map(|mine| model.field(mine))
        .filter(move |field| field.role == Role::Attribute && can_be_empty(field.ty) && !needed(field.ident))
}

/// The place at which the user named the field as part of the link.
fn mine<'l>(link: &'l Link, field: &Field<'_>) -> &'l Ident {
    link.fields().find(|mine| *mine == field.ident).unwrap_or(&link.key)
}

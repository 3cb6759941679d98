//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Path, Result, Type, Visibility};

pub(crate) use super::comparison::Comparison;
pub(crate) use super::field::{Field, Role};
pub(crate) use super::link::{Link, LinkKind, NamedBy};

use super::field;
use crate::attr::{self, Key, Once, documentation};
use crate::case::snake_case;
use crate::ctxt::Ctxt;
use crate::krate;
use crate::limit::{self, Limits};
use crate::shape;
use crate::suggest::suggest;

/// A model.
pub(crate) struct Model<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) fields: Vec<Field<'a>>,
    /// The links to other models: those on the struct, then those on the fields.
    pub(crate) links: Vec<Link>,
    pub(crate) flags: Vec<Ident>,
    /// The models that are written before this one.
    pub(crate) after: Vec<Type>,
    pub(crate) deletes_first: bool,
    pub(crate) limits: Limits,
    /// Whether an identifier may be missing only because its key could not be read.
    pub(crate) identifiers_in_doubt: bool,
}

/// The keys of `#[sync(…)]` on the struct.
pub(crate) const STRUCT_KEYS: &[Key<Keys>] = &[
    Key("name", |keys, cx, key, input| {
        keys.name.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("parent", |keys, cx, key, input| {
        let link = Link::on_struct(key, input)?;

        // A second parent is reported by `set`. As a link, it would break the rule of one parent as well.
        if keys.parent.get().is_none() {
            keys.links.push(link);
        }
        keys.parent.set(cx, key, ());
        Ok(())
    }),
    Key("references", |keys, _, key, input| {
        keys.links.push(Link::on_struct(key, input)?);
        Ok(())
    }),
    Key("flags", |keys, cx, key, input| {
        let flags = flags(cx, key, input)?;
        keys.flags.set(cx, key, flags);
        Ok(())
    }),
    Key("after", |keys, cx, key, input| {
        keys.after.set(cx, key, after(key, input)?);
        Ok(())
    }),
    Key("deletes_first", |keys, cx, key, input| {
        keys.deletes_first.set(cx, key, attr::flag("sync", key, input)?);
        Ok(())
    }),
    Key("max_creates", |keys, cx, key, input| {
        keys.limits.creates.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("max_updates", |keys, cx, key, input| {
        keys.limits.updates.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("max_deletes", |keys, cx, key, input| {
        keys.limits.deletes.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("crate", |keys, cx, key, input| {
        keys.krate.set(cx, key, krate::value(key, input)?);
        Ok(())
    }),
];

fn belongs_on_struct(key: &Ident) -> bool {
    attr::contains(STRUCT_KEYS, key)
}

impl<'a> Model<'a> {
    /// Reads the input, or reports why it cannot be a model at all.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let fields = named_fields(cx, input)?;
        let mut keys = Keys::default();
        attr::each_key(cx, &input.attrs, "sync", |cx, key, input| keys.read(cx, key, input));

        // After the keys, so that mistakes in them are reported too.
        if fields.is_empty() {
            cx.error_at(&input.ident, "a model needs at least one field marked `#[sync(id)]`");
            return None;
        }

        let Keys { name, mut links, flags, after, deletes_first, limits, mut identifiers_in_doubt, .. } = keys;
        let name = model_name(cx, &input.ident, name.into_value());

        // A key that could not be read, such as `#[sync(di)]`, may have been `id`. Then a missing identifier is not a
        // second mistake.
        let errors = cx.count();
        let fields = fields
            .into_iter()
            .map(|(ident, field)| Field::read(cx, ident, field, &mut links, belongs_on_struct))
            .collect();
        identifiers_in_doubt |= cx.count() > errors;

        Some(Self {
            ident: &input.ident,
            vis: &input.vis,
            name,
            description: documentation(&input.attrs),
            fields,
            links,
            flags: flags.into_value().unwrap_or_default(),
            after: after.into_value().unwrap_or_default(),
            deletes_first: deletes_first.get().is_some(),
            limits,
            identifiers_in_doubt,
        })
    }

    pub(crate) fn with_role(&self, role: Role) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.role == role)
    }

    pub(crate) fn field(&self, ident: &Ident) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.ident == ident)
    }
}

/// The keys on the struct.
#[derive(Default)]
pub(crate) struct Keys {
    name: Once<LitStr>,
    parent: Once<()>,
    links: Vec<Link>,
    flags: Once<Vec<Ident>>,
    after: Once<Vec<Type>>,
    deletes_first: Once<()>,
    limits: Limits,
    krate: Once<Path>,
    identifiers_in_doubt: bool,
}

impl Keys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        // A user may think of the key of the other place; the message says where it belongs.
        if key == "rename" {
            return Err(Error::new(key.span(), "a model is named with `name = \"…\"`; `rename` is for fields"));
        }

        // `parent` and `references` are keys of both places.
        if attr::contains(field::KEYS, key) && !attr::contains(STRUCT_KEYS, key) {
            self.identifiers_in_doubt = true;
            return Err(Error::new(
                key.span(),
                format!("`{key}` belongs on a field; put `#[sync({key})]` above the field it is about"),
            ));
        }

        attr::read(STRUCT_KEYS, self, cx, key, input)
    }
}

/// The names of the flags in attributes. Their constants have the same names in capitals.
const FLAGS: &[&str] = &[
    "ignore",
    "skip_unmatched_src",
    "skip_unmatched_dst",
    "skip_unmatched_both",
    "skip_children_on_delete",
    "prevent_destroy",
];

fn flags(cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let list = FLAGS.iter().map(|flag| format!("`{flag}`")).collect::<Vec<_>>().join(", ");
    let usage = format!("`flags` is written `flags(…)` with any of {list}");
    let mut flags: Vec<Ident> = attr::list(key, input, &usage, Ident::parse)?;
    flags.retain(|flag| {
        let name = flag.to_string();
        let known = FLAGS.contains(&name.as_str());
        if !known {
            let meant =
                suggest(&name, FLAGS).map(|meant| format!("no flag is called `{name}`; did you mean `{meant}`?"));
            cx.error_at(flag, meant.unwrap_or_else(|| format!("no flag is called `{name}`; expected any of {list}")));
        }
        known
    });

    Ok(attr::each_once(cx, flags))
}

fn after(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Type>> {
    const USAGE: &str = "`after` is written `after(Model, …)`, with the models that are written before this one";
    let models = attr::list(key, input, USAGE, Type::parse)?;
    models.into_iter().map(|model| attr::path_type(model, USAGE)).collect()
}

/// The named fields of a struct without generics; anything else cannot be a model.
fn named_fields<'a>(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Vec<(&'a Ident, &'a syn::Field)>> {
    const WHAT: &str = "a model is a struct with named fields, one of them marked `#[sync(id)]`";
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            cx.error_at(data.enum_token, format!("{WHAT}; an enum can be the type of a field"));
            return None;
        }
        Data::Union(data) => {
            cx.error_at(data.union_token, format!("{WHAT}; a union cannot be compared"));
            return None;
        }
    };

    if !input.generics.params.is_empty() {
        cx.error_at(
            &input.generics,
            "a model cannot be generic: each kind of record is a struct of its own, and its fields own their values",
        );
        return None;
    }

    match fields {
        Fields::Named(fields) => Some(shape::named(cx, fields)),
        Fields::Unnamed(fields) => {
            cx.error(fields.span(), format!("{WHAT}; name these fields"));
            None
        }
        Fields::Unit => {
            cx.error_at(&input.ident, WHAT);
            None
        }
    }
}

fn model_name(cx: &mut Ctxt, ident: &Ident, given: Option<LitStr>) -> String {
    let default = snake_case(&ident.to_string());
    let Some(given) = given else { return default };
    let name = given.value();
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(plain) {
        return name;
    }

    // The model goes on under its default name, so that what uses it is still checked.
    cx.error_at(given, "a model's name is written in lower case with digits and underscores, as in `device_type`");
    default
}

//! A field of a model and its keys.

use proc_macro2::Ident;
#[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
use syn::Attribute;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, LitStr, Result, Type, Visibility};

use super::comparison::Comparison;
use super::link::Link;
use crate::attr::{self, Key, Once, documentation};
use crate::ctxt::Ctxt;

/// A field of a model.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    /// All its attributes, for the derives that build on a model.
    #[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
    pub(crate) attributes: &'a [Attribute],
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    /// Its name in schemas, diffs and documents.
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) role: Role,
    /// The comparison, with the word `compare`.
    pub(crate) comparison: Comparison,
    pub(crate) compare: Option<Ident>,
    /// The word `when_some`.
    pub(crate) when_some: Option<Ident>,
    /// The word `create_only`.
    pub(crate) create_only: Option<Ident>,
    /// The name given with `rename`.
    pub(crate) rename: Option<LitStr>,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Identifier,
    Attribute,
    Local,
}

/// The keys of `#[sync(…)]` on a field.
pub(crate) const KEYS: &[Key<Keys>] = &[
    Key("id", |keys, cx, key, input| {
        keys.id.set(cx, key, attr::flag("sync", key, input)?);
        Ok(())
    }),
    Key("local", |keys, cx, key, input| {
        keys.local.set(cx, key, attr::flag("sync", key, input)?);
        Ok(())
    }),
    Key("parent", |keys, cx, key, input| {
        let link = Link::on_field(key, &keys.field, input)?;

        // A second parent is reported by `set`. As a link, it would break the rule of one parent as well.
        if keys.parent.get().is_none() {
            keys.links.push(link);
        }
        keys.parent.set(cx, key, ());
        Ok(())
    }),
    Key("references", |keys, _, key, input| {
        keys.links.push(Link::on_field(key, &keys.field, input)?);
        Ok(())
    }),
    Key("when_some", |keys, cx, key, input| {
        keys.when_some.set(cx, key, attr::flag("sync", key, input)?);
        Ok(())
    }),
    Key("create_only", |keys, cx, key, input| {
        keys.create_only.set(cx, key, attr::flag("sync", key, input)?);
        Ok(())
    }),
    Key("compare", |keys, cx, key, input| {
        keys.compare.set(cx, key, Comparison::read(key, input)?);
        Ok(())
    }),
    Key("rename", |keys, cx, key, input| {
        keys.rename.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
];

impl<'a> Field<'a> {
    /// Reads a field, and adds its links to those of the model. `belongs_on_struct` recognises the keys of the struct, for
    /// the error about one that is on a field.
    pub(super) fn read(
        cx: &mut Ctxt,
        ident: &'a Ident,
        field: &'a syn::Field,
        links: &mut Vec<Link>,
        belongs_on_struct: fn(&Ident) -> bool,
    ) -> Self {
        let mut keys = Keys::of(ident, belongs_on_struct);
        attr::each_key(cx, &field.attrs, "sync", |cx, key, input| keys.read(cx, key, input));
        let Keys { id, local, links: its_links, compare, when_some, create_only, rename, .. } = keys;
        links.extend(its_links);

        if let (Some(_), Some(second)) = (id.key(), local.key()) {
            cx.error_at(
                second,
                "a field is either `id` or `local`: what identifies a record is the same on both sides",
            );
        }

        // With both keys, reported above, the field stays an identifier, or the model might lack one as well.
        let role = match (id.get(), local.get()) {
            (Some(()), _) => Role::Identifier,
            (None, Some(())) => Role::Local,
            (None, None) => Role::Attribute,
        };

        let rename = rename.into_value();
        Self {
            ident,
            #[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
            attributes: &field.attrs,
            vis: &field.vis,
            ty: &field.ty,
            // `r#type` is called `type` in diffs and documents.
            name: rename.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value),
            description: documentation(&field.attrs),
            role,
            compare: compare.key().cloned(),
            comparison: compare.into_value().unwrap_or_default(),
            when_some: when_some.key().cloned(),
            create_only: create_only.key().cloned(),
            rename,
        }
    }
}

/// The values of the keys on a field.
pub(crate) struct Keys {
    field: Ident,
    belongs_on_struct: fn(&Ident) -> bool,
    id: Once<()>,
    local: Once<()>,
    parent: Once<()>,
    links: Vec<Link>,
    compare: Once<Comparison>,
    when_some: Once<()>,
    create_only: Once<()>,
    rename: Once<LitStr>,
}

impl Keys {
    fn of(field: &Ident, belongs_on_struct: fn(&Ident) -> bool) -> Self {
        Self {
            field: field.clone(),
            belongs_on_struct,
            id: Once::default(),
            local: Once::default(),
            parent: Once::default(),
            links: Vec::new(),
            compare: Once::default(),
            when_some: Once::default(),
            create_only: Once::default(),
            rename: Once::default(),
        }
    }

    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        // A user may think of a key of the struct, or of a reference; the message says where it belongs.
        if key == "name" {
            let message = "`name` belongs on the struct, and names the model; on a field, write `rename = \"…\"`";
            return Err(Error::new(key.span(), message));
        }

        if key == "deferred" {
            let message = "a reference is deferred in its own parentheses: `references(Model, deferred)`";
            return Err(Error::new(key.span(), message));
        }

        if (self.belongs_on_struct)(key) && !attr::contains(KEYS, key) {
            let message = format!("`{key}` belongs on the struct: put `#[sync({key} …)]` above it");
            return Err(Error::new(key.span(), message));
        }

        attr::read(KEYS, self, cx, key, input)
    }
}

//! A field of a model and its keys.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, LitStr, Result, Type, Visibility};

use super::comparison::Comparison;
use super::link::Link;
use crate::attr::{self, Once};
use crate::ctxt::Ctxt;
use crate::words::documentation;

/// A field of a model.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) ty: &'a Type,
    /// What it is called in schemas, diffs and documents.
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
    /// The name it is given with `rename`.
    pub(crate) rename: Option<LitStr>,
}

/// What a field is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Identifier,
    Attribute,
    Local,
}

pub(super) const KEYS: &[&str] =
    &["id", "local", "parent", "references", "when_some", "create_only", "compare", "rename"];

impl<'a> Field<'a> {
    /// Reads a field, and adds its links to those of the model.
    pub(super) fn read(cx: &mut Ctxt, ident: &'a Ident, field: &'a syn::Field, links: &mut Vec<Link>) -> Self {
        let mut keys = Keys::default();
        attr::each_key(cx, &field.attrs, "sync", |cx, key, input| keys.read(cx, key, ident, links, input));
        let Keys { id, local, compare, when_some, create_only, rename, .. } = keys;
        if let (Some(_), Some(second)) = (id.key(), local.key()) {
            cx.error_at(
                second,
                "a field is either `id` or `local`: what identifies a record is the same on both sides",
            );
        }
        let role = match (id.get(), local.get()) {
            (Some(()), _) => Role::Identifier,
            (None, Some(())) => Role::Local,
            (None, None) => Role::Attribute,
        };
        let rename = rename.into_value();
        Self {
            ident,
            vis: &field.vis,
            ty: &field.ty,
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

#[derive(Default)]
struct Keys {
    id: Once<()>,
    local: Once<()>,
    parent: Once<()>,
    compare: Once<Comparison>,
    when_some: Once<()>,
    create_only: Once<()>,
    rename: Once<LitStr>,
}

impl Keys {
    fn read(
        &mut self,
        cx: &mut Ctxt,
        key: &Ident,
        field: &Ident,
        links: &mut Vec<Link>,
        input: ParseStream<'_>,
    ) -> Result<()> {
        match key.to_string().as_str() {
            "id" => self.id.set(cx, key, attr::word(key, input)?),
            "local" => self.local.set(cx, key, attr::word(key, input)?),
            "when_some" => self.when_some.set(cx, key, attr::word(key, input)?),
            "create_only" => self.create_only.set(cx, key, attr::word(key, input)?),
            "compare" => self.compare.set(cx, key, Comparison::read(key, input)?),
            "rename" => self.rename.set(cx, key, attr::text(key, input)?),
            "parent" => {
                let link = Link::on_field(key, field, input)?;
                if self.parent.get().is_none() {
                    links.push(link);
                }
                self.parent.set(cx, key, ());
            }
            "references" => links.push(Link::on_field(key, field, input)?),
            "name" => {
                return Err(Error::new(
                    key.span(),
                    "`name` belongs on the struct, and names the model; on a field, write `rename = \"…\"`",
                ));
            }
            "deferred" => {
                return Err(Error::new(
                    key.span(),
                    "a reference is deferred in its own parentheses: `references(Model, deferred)`",
                ));
            }
            other if super::ast::STRUCT_KEYS.contains(&other) => {
                return Err(Error::new(
                    key.span(),
                    format!("`{other}` belongs on the struct: put `#[sync({other} …)]` above it"),
                ));
            }
            _ => return Err(attr::unknown(key, KEYS)),
        }
        Ok(())
    }
}

//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{DeriveInput, Error, LitStr, Path, Result, Token, Type};

use super::lookup::{Leads, Lookup};
use crate::attr::{self, Key, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::model::ast::{Model, Role};

/// A model whose records are in a table.
pub(crate) struct Table<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: Option<LitStr>,
    pub(crate) owner: Option<Owner>,
    pub(crate) cascades: bool,
    /// The fields that have a column.
    pub(crate) fields: Vec<Field<'a>>,
    /// The local fields that have none.
    pub(crate) absent: Vec<&'a Ident>,
    pub(crate) lookups: Vec<Lookup>,
}

/// The mark of the rows that this job writes.
pub(crate) struct Owner {
    pub(crate) column: LitStr,
    pub(crate) value: LitStr,
}

/// A field and where its value is.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) column: Option<LitStr>,
    /// The word `key`.
    pub(crate) key: Option<Ident>,
    pub(crate) form: Form,
    pub(crate) declared: Option<LitStr>,
}

/// How a value of a field's type becomes a value of a column.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    #[default]
    Plain,
    Json,
    Text,
}

/// The keys of `#[sql(…)]` on the struct.
pub(crate) const STRUCT_KEYS: &[Key<StructKeys>] = &[
    Key("table", |keys, cx, key, input| {
        keys.table.set(cx, key, not_blank(attr::text(key, input)?)?);
        Ok(())
    }),
    Key("owner", |keys, cx, key, input| {
        keys.owner.set(cx, key, owner(key, input)?);
        Ok(())
    }),
    Key("lookup", |keys, _, key, input| {
        keys.lookups.push(lookup(key, input)?);
        Ok(())
    }),
    Key("cascades", |keys, cx, key, input| {
        keys.cascades.set(cx, key, attr::flag("sql", key, input)?);
        Ok(())
    }),
    Key("crate", |keys, cx, key, input| {
        keys.krate.set(cx, key, krate::value(key, input)?);
        Ok(())
    }),
];

/// The keys of `#[sql(…)]` on a field.
pub(crate) const KEYS: &[Key<FieldKeys>] = &[
    Key("column", |keys, cx, key, input| {
        keys.column.set(cx, key, not_blank(attr::text(key, input)?)?);
        Ok(())
    }),
    Key("lookup", |keys, cx, key, input| {
        let lookup = field_lookup(key, &keys.field, input)?;
        keys.lookup.set(cx, key, lookup);
        Ok(())
    }),
    Key("key", |keys, cx, key, input| {
        keys.key.set(cx, key, attr::flag("sql", key, input)?);
        Ok(())
    }),
    Key("as", |keys, cx, key, input| {
        const USAGE: &str = "`as` is written `as = json`, or `as = text` for a type with `Display` and `FromStr`";
        let form = attr::choice(key, input, USAGE, &[("json", Form::Json), ("text", Form::Text)])?;
        keys.form.set(cx, key, form);
        Ok(())
    }),
    Key("type", |keys, cx, key, input| {
        keys.declared.set(cx, key, not_blank(attr::text(key, input)?)?);
        Ok(())
    }),
];

impl<'a> Table<'a> {
    /// Reads the input. Errors of the model itself are reported by `#[derive(SyncModel)]`, and not repeated here.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let model = Model::read(&mut Ctxt::default(), input)?;
        let mut keys = StructKeys::default();
        attr::each_key(cx, &input.attrs, "sql", |cx, key, input| keys.read(cx, key, input));
        let StructKeys { table, owner, cascades, mut lookups, .. } = keys;

        let (mut fields, mut absent) = (Vec::new(), Vec::new());
        for field in &model.fields {
            let FieldKeys { column, lookup, key, form, declared, .. } = FieldKeys::read(cx, field);

            if field.role == Role::Local
                && let Some(lookup) = lookup.key()
            {
                cx.error_at(
                    lookup,
                    "a local field belongs to this side only, so it cannot be a lookup; make it an attribute",
                );
                continue;
            }

            if let (Some(lookup), Some(_)) = (lookup.key(), column.key()) {
                cx.error_at(lookup, "the lookup names the column; drop `column`");
            }
            if field.role == Role::Local && column.get().is_none() && key.get().is_none() {
                // It is not in the table, and gets its default when a row is read.
                absent.push(field.ident);
                continue;
            }

            if let Some(key) = key.key()
                && field.role != Role::Local
            {
                cx.error_at(
                    key,
                    "the database's own key is a local field: mark it `#[sync(local)]` as well, or, if it identifies the \
                     record, drop `key`",
                );
            }

            // Otherwise the key was reported, and the field goes on as an ordinary column.
            let key = key.key().filter(|_| field.role == Role::Local).cloned();
            lookups.extend(lookup.into_value());
            fields.push(Field {
                ident: field.ident,
                ty: field.ty,
                name: field.ident.unraw().to_string(),
                role: field.role,
                column: column.into_value(),
                key,
                form: form.into_value().unwrap_or_default(),
                declared: declared.into_value(),
            });
        }

        Some(Self {
            ident: &input.ident,
            name: table.into_value(),
            owner: owner.into_value(),
            cascades: cascades.get().is_some(),
            fields,
            absent,
            lookups,
        })
    }

    pub(crate) fn field(&self, ident: &Ident) -> Option<usize> {
        self.fields.iter().position(|field| field.ident == ident)
    }
}

#[derive(Default)]
pub(crate) struct StructKeys {
    table: Once<LitStr>,
    owner: Once<Owner>,
    cascades: Once<()>,
    lookups: Vec<Lookup>,
    krate: Once<Path>,
}

impl StructKeys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        if attr::contains(KEYS, key) && !attr::contains(STRUCT_KEYS, key) {
            return Err(Error::new(key.span(), format!("`{key}` belongs on a field")));
        }
        attr::read(STRUCT_KEYS, self, cx, key, input)
    }
}

pub(crate) struct FieldKeys {
    field: Ident,
    column: Once<LitStr>,
    lookup: Once<Lookup>,
    key: Once<()>,
    form: Once<Form>,
    declared: Once<LitStr>,
}

impl FieldKeys {
    fn read(cx: &mut Ctxt, field: &crate::model::ast::Field<'_>) -> Self {
        let mut keys = Self {
            field: field.ident.clone(),
            column: Once::default(),
            lookup: Once::default(),
            key: Once::default(),
            form: Once::default(),
            declared: Once::default(),
        };

        attr::each_key(cx, field.attributes, "sql", |cx, key, input| {
            if attr::contains(STRUCT_KEYS, key) && !attr::contains(KEYS, key) {
                let message = format!("`{key}` belongs on the struct: put `#[sql({key} …)]` above it");
                return Err(Error::new(key.span(), message));
            }
            attr::read(KEYS, &mut keys, cx, key, input)
        });

        keys
    }
}

/// A name that is not empty.
fn not_blank(literal: LitStr) -> Result<LitStr> {
    if literal.value().trim().is_empty() {
        Err(Error::new_spanned(literal, "this name must not be empty"))
    } else {
        Ok(literal)
    }
}

/// `(column = "…", value = "…")`.
fn owner(key: &Ident, input: ParseStream<'_>) -> Result<Owner> {
    const USAGE: &str = "`owner` is written `owner(column = \"managed_by\", value = \"diffsync\")`: the rows \
                         that are written get the value in that column, and only rows with it are deleted";
    attr::in_parentheses(key, input, USAGE, |inner| {
        let (mut column, mut value) = (None, None);
        while !inner.is_empty() {
            let word: Ident = inner.call(Ident::parse_any)?;
            inner.parse::<Token![=]>()?;
            let literal: LitStr = inner.parse()?;
            let place = if word == "column" {
                &mut column
            } else if word == "value" {
                &mut value
            } else {
                return Err(inner.error(""));
            };

            if place.replace(literal).is_some() {
                return Err(inner.error(""));
            }
            if !inner.is_empty() {
                inner.parse::<Token![,]>()?;
            }
        }

        column.zip(value).map(|(column, value)| Owner { column, value }).ok_or_else(|| inner.error(""))
    })
}

/// `("device_id -> devices(site, name)", site, device)`, on the struct.
fn lookup(key: &Ident, input: ParseStream<'_>) -> Result<Lookup> {
    const USAGE: &str = "on the struct, `lookup` is written `lookup(\"device_id -> devices(site, name)\", site, device)`, with the fields \
                         that hold the parts of the natural key";
    let (literal, fields) = attr::in_parentheses(key, input, USAGE, |inner| {
        let literal: LitStr = inner.parse()?;
        let mut fields = Vec::new();
        while !inner.is_empty() {
            inner.parse::<Token![,]>()?;
            if !inner.is_empty() {
                fields.push(inner.parse::<Ident>()?);
            }
        }
        Ok((literal, fields))
    })?;

    let leads = Leads::read(&literal)?;
    if fields.len() != leads.len() {
        let (parts, given) = (leads.len(), fields.len());
        let message =
            format!("the natural key has {parts} parts, and {given} fields are given: name a field for each part");
        return Err(Error::new_spanned(literal, message));
    }

    Ok(Lookup { literal, leads, fields })
}

/// `= "site_id -> sites(name)"`, on a field.
fn field_lookup(key: &Ident, field: &Ident, input: ParseStream<'_>) -> Result<Lookup> {
    let literal = attr::text(key, input)?;
    let leads = Leads::read(&literal)?;
    if leads.len() != 1 {
        let message = format!(
            "a natural key of {} parts is held by as many fields: put `#[sql(lookup(\"…\", {field}, …))]` above the struct",
            leads.len()
        );
        return Err(Error::new_spanned(literal, message));
    }

    Ok(Lookup { literal, leads, fields: vec![field.clone()] })
}

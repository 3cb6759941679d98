//! What the user wrote, with the tokens to point at.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{DeriveInput, Error, LitStr, Path, Result, Token, Type};

use super::lookup::{Leads, Lookup};
use crate::attr::{self, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::model::ast::{Model, Role};

/// A model that is kept in a table.
pub(crate) struct Table<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: Option<LitStr>,
    pub(crate) owner: Option<Owner>,
    pub(crate) cascades: bool,
    /// The fields that the database knows of.
    pub(crate) fields: Vec<Field<'a>>,
    /// The local fields that it does not.
    pub(crate) absent: Vec<&'a Ident>,
    pub(crate) lookups: Vec<Lookup>,
}

/// What marks the rows that this job wrote.
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

const STRUCT_KEYS: &[&str] = &["table", "owner", "lookup", "cascades", "crate"];
const KEYS: &[&str] = &["column", "lookup", "key", "as", "type"];

impl<'a> Table<'a> {
    /// Reads the input. What keeps it from being a model at all is said by `SyncModel`, and here by nobody.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let model = Model::read(&mut Ctxt::default(), input)?;
        let mut keys = StructKeys::default();
        attr::each_key(cx, &input.attrs, "sql", |cx, key, input| keys.read(cx, key, input));
        let StructKeys { table, owner, cascades, mut lookups, .. } = keys;
        let (mut fields, mut absent) = (Vec::new(), Vec::new());
        let syn::Data::Struct(data) = &input.data else { return None };
        for field in &model.fields {
            let attributes = data.fields.iter().find(|other| other.ident.as_ref() == Some(field.ident));
            let mut keys = FieldKeys::default();
            attr::each_key(cx, attributes.map_or(&[], |field| &field.attrs), "sql", |cx, key, input| {
                keys.read(cx, key, field.ident, input)
            });
            let FieldKeys { column, lookup, key, form, declared } = keys;
            if field.role == Role::Local
                && let Some(lookup) = lookup.key()
            {
                cx.error_at(
                    lookup,
                    "a local field holds what is this side's own, and looks nothing up; make it an attribute",
                );
                continue;
            }
            if let (Some(lookup), Some(_)) = (lookup.key(), column.key()) {
                cx.error_at(lookup, "the lookup names the column; drop `column`");
            }
            if field.role == Role::Local && column.get().is_none() && key.get().is_none() {
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
struct StructKeys {
    table: Once<LitStr>,
    owner: Once<Owner>,
    cascades: Once<()>,
    lookups: Vec<Lookup>,
    krate: Once<Path>,
}

impl StructKeys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "table" => self.table.set(cx, key, named(attr::text(key, input)?)?),
            "owner" => self.owner.set(cx, key, owner(key, input)?),
            "cascades" => {
                alone(key, input)?;
                self.cascades.set(cx, key, ());
            }
            "lookup" => self.lookups.push(lookup(key, input)?),
            "crate" => self.krate.set(cx, key, krate::value(key, input)?),
            other if KEYS.contains(&other) => {
                return Err(Error::new(key.span(), format!("`{other}` belongs on a field")));
            }
            _ => return Err(attr::unknown(key, STRUCT_KEYS)),
        }
        Ok(())
    }
}

#[derive(Default)]
struct FieldKeys {
    column: Once<LitStr>,
    lookup: Once<Lookup>,
    key: Once<()>,
    form: Once<Form>,
    declared: Once<LitStr>,
}

impl FieldKeys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, field: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "column" => self.column.set(cx, key, named(attr::text(key, input)?)?),
            "lookup" => {
                let lookup = field_lookup(key, field, input)?;
                self.lookup.set(cx, key, lookup);
            }
            "key" => {
                alone(key, input)?;
                self.key.set(cx, key, ());
            }
            "as" => {
                const USAGE: &str = "`as` is written `as = json`, or `as = text` for what has `Display` and `FromStr`";
                let form = attr::choice(key, input, USAGE, &[("json", Form::Json), ("text", Form::Text)])?;
                self.form.set(cx, key, form);
            }
            "type" => self.declared.set(cx, key, named(attr::text(key, input)?)?),
            other if STRUCT_KEYS.contains(&other) => {
                return Err(Error::new(
                    key.span(),
                    format!("`{other}` belongs on the struct: put `#[sql({other} …)]` above it"),
                ));
            }
            _ => return Err(attr::unknown(key, KEYS)),
        }
        Ok(())
    }
}

/// Refuses a value after a key that takes none.
fn alone(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) || input.peek(syn::token::Paren) {
        return Err(Error::new(key.span(), format!("`{key}` stands alone: write `#[sql({key})]`")));
    }
    Ok(())
}

/// A name that is not empty.
fn named(literal: LitStr) -> Result<LitStr> {
    if literal.value().trim().is_empty() { Err(Error::new_spanned(literal, "this name is empty")) } else { Ok(literal) }
}

/// `(column = "…", value = "…")`.
fn owner(key: &Ident, input: ParseStream<'_>) -> Result<Owner> {
    const USAGE: &str = "`owner` is written `owner(column = \"managed_by\", value = \"diffsync\")`: what is written gets \
                         the value into that column, and only what has it is deleted";
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

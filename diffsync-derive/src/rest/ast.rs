//! The parsed input, with the tokens for errors to point at.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Error, LitStr, Path, Result, Token, Type};

use super::part::{Part, PartKind};
use crate::attr::{self, Key, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::model::ast::{Model, Role};
use crate::ty;

/// A model whose records are in an API.
pub(crate) struct Collection<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) path: Option<LitStr>,
    pub(crate) query: Option<LitStr>,
    pub(crate) owner: Option<Owner>,
    /// The place of the record in a response, as a JSON pointer.
    pub(crate) answer: Option<String>,
    pub(crate) skip_unnamed: bool,
    pub(crate) key: Option<ServerKey<'a>>,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) lookups: Vec<Lookup>,
}

/// The mark of the records that this job writes.
pub(crate) struct Owner {
    pub(crate) part: Part,
    pub(crate) value: LitStr,
}

/// The field that holds the server's key.
pub(crate) struct ServerKey<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) role: Role,
    pub(crate) name: Option<String>,
}

/// A field that is compared.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: String,
    /// The part of the body that the field itself names, with the text for errors to point at.
    pub(crate) part: Option<(Part, LitStr)>,
    /// The part of the body to which it is written, if that is another.
    pub(crate) write: Option<(Part, LitStr)>,
    pub(crate) choice: Option<Ident>,
    pub(crate) blank: Option<Ident>,
    pub(crate) read_only: Option<Ident>,
    pub(crate) write_only: Option<Ident>,
    pub(crate) optional: Option<Ident>,
}

impl Field<'_> {
    /// Whether it is a text, or may be one.
    pub(crate) fn is_text(&self) -> bool {
        let ty = ty::option(self.ty).unwrap_or(self.ty);
        ty::is_string(ty)
    }

    /// Whether it holds one value for each element of a list.
    pub(crate) fn is_many(&self, part: &Part) -> bool {
        let leads_up = |part: &Part| matches!(part.kind, PartKind::Tree(_));
        match &part.kind {
            // A list of texts is one path; a list of anything else is a list of paths.
            PartKind::Lookup { parts, .. } => {
                let is_path = parts.iter().any(leads_up) && ty::element(self.ty).is_some_and(ty::is_string);
                ty::is_list(self.ty) && !is_path
            }
            PartKind::Value | PartKind::Tree(_) => false,
        }
    }
}

/// Several fields that name one record.
pub(crate) struct Lookup {
    pub(crate) part: Part,
    pub(crate) literal: LitStr,
    pub(crate) fields: Vec<Ident>,
}

/// The keys of `#[rest(…)]` on the struct.
pub(crate) const STRUCT_KEYS: &[Key<StructKeys>] = &[
    Key("path", |keys, cx, key, input| {
        keys.path.set(cx, key, checked_path(attr::text(key, input)?)?);
        Ok(())
    }),
    Key("query", |keys, cx, key, input| {
        keys.query.set(cx, key, attr::text(key, input)?);
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
    Key("answer", |keys, cx, key, input| {
        keys.answer.set(cx, key, pointer(&attr::text(key, input)?)?);
        Ok(())
    }),
    Key("skip_unnamed", |keys, cx, key, input| {
        keys.skip_unnamed.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("crate", |keys, cx, key, input| {
        keys.krate.set(cx, key, krate::value(key, input)?);
        Ok(())
    }),
];

/// The keys of `#[rest(…)]` on a field.
pub(crate) const KEYS: &[Key<FieldKeys>] = &[
    Key("field", |keys, cx, key, input| {
        let text = attr::text(key, input)?;
        keys.set_part(cx, key, Part::field(&text)?, text);
        Ok(())
    }),
    Key("lookup", |keys, cx, key, input| {
        let text = attr::text(key, input)?;
        let part = Part::lookup(&text)?;
        if part.len() != 1 {
            let (values, field) = (part.len(), &keys.field);
            let message = format!(
                "a record that {values} values identify is named by as many fields: put `#[rest(lookup(\"…\", {field}, …))]` \
                 above the struct"
            );
            return Err(Error::new_spanned(text, message));
        }
        keys.set_part(cx, key, part, text);
        Ok(())
    }),
    Key("key", |keys, cx, key, input| {
        keys.key.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("choice", |keys, cx, key, input| {
        keys.choice.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("blank", |keys, cx, key, input| {
        keys.blank.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("read_only", |keys, cx, key, input| {
        keys.read_only.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("write_only", |keys, cx, key, input| {
        keys.write_only.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
    Key("write", |keys, cx, key, input| {
        const USAGE: &str = "`write` is the part of the body that the field is written to where it is read from another, \
                             `write = \"namespace -> ipam/namespaces(name)\"`";
        let text = attr::text(key, input)?;

        let part = Part::field(&text).or_else(|_| Part::lookup(&text)).ok().filter(|part| part.len() == 1);
        let part = part.ok_or_else(|| Error::new_spanned(&text, USAGE))?;
        keys.write.set(cx, key, (part, text));
        Ok(())
    }),
    Key("optional", |keys, cx, key, input| {
        keys.optional.set(cx, key, attr::flag("rest", key, input)?);
        Ok(())
    }),
];

impl<'a> Collection<'a> {
    /// Reads the input. Errors of the model itself are reported by `#[derive(SyncModel)]`, and not repeated here.
    pub(crate) fn read(cx: &mut Ctxt, input: &'a DeriveInput) -> Option<Self> {
        let model = Model::read(&mut Ctxt::default(), input)?;
        let mut keys = StructKeys::default();
        attr::each_key(cx, &input.attrs, "rest", |cx, key, input| keys.read(cx, key, input));
        let StructKeys { path, query, owner, answer, skip_unnamed, lookups, .. } = keys;
        let mut collection = Self {
            ident: &input.ident,
            path: path.into_value(),
            query: query.into_value(),
            owner: owner.into_value(),
            answer: answer.into_value(),
            skip_unnamed: skip_unnamed.get().is_some(),
            key: None,
            fields: Vec::new(),
            lookups,
        };

        for field in model.fields {
            collection.read_field(cx, &field);
        }
        Some(collection)
    }

    fn read_field(&mut self, cx: &mut Ctxt, field: &crate::model::ast::Field<'a>) {
        let keys = FieldKeys::read(cx, field);

        if let Some(word) = keys.key.key() {
            if self.key.is_some() {
                cx.error_at(word, "a record has one key; keep one of them");
                return;
            }
            if field.role == Role::Attribute {
                cx.error_at(word, "the server's key is a local field, because the other side does not have it: mark it `#[sync(local)]` as well");
            }

            let named = keys.part.get().map(|(part, _)| part.path.join("."));
            let name = named.or_else(|| (field.role == Role::Identifier).then(|| field.name.clone()));
            self.key = Some(ServerKey { ident: field.ident, ty: field.ty, role: field.role, name });
        }

        if field.role == Role::Local {
            let has_key = keys.key.get().is_some();
            let given = [
                keys.part.key().filter(|_| !has_key),
                keys.choice.key(),
                keys.blank.key(),
                keys.read_only.key(),
                keys.write_only.key(),
                keys.optional.key(),
            ];
            if let Some(word) = given.into_iter().flatten().next() {
                let message = "a local field belongs to this side only, and of local fields only the server's `key` is read; \
                               make it an attribute";
                cx.error_at(word, message);
            }
            return;
        }

        let whether = [keys.read_only.key(), keys.write_only.key()].into_iter().flatten().next();
        if let (Some(word), Some(_)) = (whether, keys.write.key()) {
            cx.error_at(
                word,
                format!("`write` names the part that is written, and the field's own part is read; drop `{word}`"),
            );
        }

        if let (Some(_), Some(word)) = (keys.read_only.key(), keys.write_only.key()) {
            cx.error_at(word, "a field must be written or read; drop `read_only` or `write_only`");
        }
        self.fields.push(Field {
            ident: field.ident,
            ty: field.ty,
            name: field.name.clone(),
            part: keys.part.into_value(),
            write: keys.write.into_value(),
            choice: keys.choice.key().cloned(),
            blank: keys.blank.key().cloned(),
            read_only: keys.read_only.key().cloned(),
            write_only: keys.write_only.key().cloned(),
            optional: keys.optional.key().cloned(),
        });
    }
}

#[derive(Default)]
pub(crate) struct StructKeys {
    path: Once<LitStr>,
    query: Once<LitStr>,
    owner: Once<Owner>,
    answer: Once<String>,
    skip_unnamed: Once<()>,
    lookups: Vec<Lookup>,
    krate: Once<Path>,
}

impl StructKeys {
    fn read(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        if attr::contains(KEYS, key) && !attr::contains(STRUCT_KEYS, key) {
            let message = format!("`{key}` belongs on a field; put `#[rest({key} …)]` above the field it is about");
            return Err(Error::new(key.span(), message));
        }

        attr::read(STRUCT_KEYS, self, cx, key, input)
    }
}

pub(crate) struct FieldKeys {
    field: Ident,
    part: Once<(Part, LitStr)>,
    key: Once<()>,
    choice: Once<()>,
    blank: Once<()>,
    read_only: Once<()>,
    write_only: Once<()>,
    optional: Once<()>,
    write: Once<(Part, LitStr)>,
}

impl FieldKeys {
    fn read(cx: &mut Ctxt, field: &crate::model::ast::Field<'_>) -> Self {
        let mut keys = Self {
            field: field.ident.clone(),
            part: Once::default(),
            key: Once::default(),
            choice: Once::default(),
            blank: Once::default(),
            read_only: Once::default(),
            write_only: Once::default(),
            optional: Once::default(),
            write: Once::default(),
        };

        attr::each_key(cx, field.attributes, "rest", |cx, key, input| {
            if attr::contains(STRUCT_KEYS, key) && !attr::contains(KEYS, key) {
                let message = format!("`{key}` belongs on the struct: put `#[rest({key} …)]` above it");
                return Err(Error::new(key.span(), message));
            }
            attr::read(KEYS, &mut keys, cx, key, input)
        });

        keys
    }

    /// `field` and `lookup` both name the part of the body, so only one of them may be given.
    fn set_part(&mut self, cx: &mut Ctxt, key: &Ident, part: Part, text: LitStr) {
        if self.part.key().is_some_and(|other| other != key) {
            cx.error_at(key, "the lookup names the part of the body; drop `field`");
            return;
        }

        self.part.set(cx, key, (part, text));
    }
}

fn checked_path(path: LitStr) -> Result<LitStr> {
    let text = path.value();
    let trimmed = text.trim_matches('/');
    if trimmed.is_empty() || text.contains("://") || text.contains(['?', '#']) || text.contains(char::is_whitespace) {
        return Err(Error::new_spanned(
            path,
            "`path` is that of the collection below the API's address, as in `path = \"ipam/vlans\"`; parameters go into \
             `query = \"…\"`",
        ));
    }

    Ok(LitStr::new(trimmed, path.span()))
}

/// A path in a response, as a JSON pointer.
fn pointer(text: &LitStr) -> Result<String> {
    let path = text.value();

    // `/` and `~` have a meaning of their own in a JSON pointer.
    if path.split('.').any(|step| step.is_empty() || step.contains(['/', '~', ' '])) {
        let message = "`answer` is the path to the record in the response to a write, as in `answer = \"result\"` or \
                       `answer = \"data.0\"`";
        return Err(Error::new_spanned(text, message));
    }

    Ok(format!("/{}", path.replace('.', "/")))
}

/// `("device -> dcim/devices(name)", field, …)`.
fn lookup(key: &Ident, input: ParseStream<'_>) -> Result<Lookup> {
    const USAGE: &str = "above a struct a lookup is written `lookup(\"prefix -> ipam/prefixes(namespace -> ipam/namespaces(name), prefix)\", \
                         namespace, prefix)`: the other record, and a field for each value that identifies it";
    let (literal, fields) = attr::in_parentheses(key, input, USAGE, |inner| {
        let literal: LitStr = inner.parse()?;
        inner.parse::<Token![,]>()?;
        Ok((literal, inner.parse_terminated(Ident::parse, Token![,])?))
    })?;
    let part = Part::lookup(&literal)?;
    let fields: Vec<Ident> = fields.into_iter().collect();
    if fields.len() != part.len() {
        let (values, given) = (part.len(), fields.len());
        let message =
            format!("{values} values identify the other record, and {given} fields are given: name one for each");
        return Err(Error::new_spanned(literal, message));
    }

    Ok(Lookup { part, literal, fields })
}

/// `(field = "custom_fields.managed_by", value = "diffsync")`.
fn owner(key: &Ident, input: ParseStream<'_>) -> Result<Owner> {
    const USAGE: &str = "`owner` is written `owner(field = \"custom_fields.managed_by\", value = \"…\")`; where the field is a list of records, \
                         `field = \"tags -> extras/tags(name)\"`";
    let (field, value) = attr::in_parentheses(key, input, USAGE, |inner| {
        let field = keyed(inner, "field")?;
        inner.parse::<Token![,]>()?;
        let value = keyed(inner, "value")?;
        inner.parse::<Option<Token![,]>>()?;
        Ok((field, value))
    })?;

    let part = Part::field(&field).or_else(|_| Part::lookup(&field));
    match part {
        Ok(part) if part.len() == 1 && !matches!(part.kind, PartKind::Tree(_)) => Ok(Owner { part, value }),
        _ => Err(Error::new_spanned(field, USAGE)),
    }
}

/// `name = "text"`.
fn keyed(input: ParseStream<'_>, name: &str) -> Result<LitStr> {
    let word: Ident = input.parse()?;
    if word != name {
        return Err(Error::new(word.span(), format!("expected `{name}`")));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

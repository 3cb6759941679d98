//! Rows by way of GraphQL, which gives the same rows as REST in a tenth of the time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diffsync_core::adapter::AdapterError;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::choices;
use crate::rest::{
    Client, Collection, Dialect, Method, PagedSource, PartKind, ProgressFn, RowSource, Sample, StatusCode,
};

/// How many rows are asked for at once.
const PAGE: usize = 1000;

/// How often a collection is read before it is left to REST, if it changes while it is read. It seems to change as well
/// where its order leaves open which of two rows is first, which through REST is their key.
const READINGS: usize = 2;

/// Reads collections by way of GraphQL where the server has it, else page by page through REST.
///
/// The rows have the form that REST gives them with `depth=0`, so both are turned into records the same way.
#[derive(Debug, Default)]
pub(super) struct GraphQl {
    /// The lists that can be asked for, by the kind of their rows; nothing if the server offers no GraphQL.
    roots: OnceCell<Option<HashMap<String, Root>>>,
}

/// A list that can be asked for.
#[derive(Debug, Clone)]
struct Root {
    name: String,
    /// The type of its rows.
    of: String,
}

/// What a field of a type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    Plain,
    /// A choice, spelled as a constant.
    Choice,
    /// Another record, or several.
    Record,
    /// Content types, which REST gives as texts.
    ContentTypes,
}

impl RowSource for GraphQl {
    fn rows<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
        seen: ProgressFn<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(async move {
            if let Some(query) = self.query(client, collection).await?
                && let Some(rows) = query.read(client, dialect, &mut *seen).await?
            {
                return Ok(rows);
            }
            PagedSource.rows(client, dialect, collection, seen).await
        })
    }

    // A few rows are had from REST as fast.
    fn sample<'a>(
        &'a self,
        client: &'a Client,
        dialect: &'a Dialect,
        collection: &'a Collection,
    ) -> BoxFuture<'a, Result<Sample, AdapterError>> {
        PagedSource.sample(client, dialect, collection)
    }
}

impl GraphQl {
    /// What asks for a collection, unless GraphQL lacks it or a part of it.
    async fn query<'a>(&self, client: &Client, collection: &'a Collection) -> Result<Option<Query<'a>>, AdapterError> {
        let Some(roots) = self.roots.get_or_try_init(|| roots(client)).await? else { return Ok(None) };
        if !collection.query.is_empty() {
            return Ok(None);
        }

        let CollectionInfo { total, object_type: Some(object_type) } = look(client, &collection.path).await? else {
            return Ok(None);
        };
        let Some(Root { name, of }) = roots.get(&kind_of(&object_type)).cloned() else { return Ok(None) };
        let Some(kinds) = answered(fields(client, &of).await)? else { return Ok(None) };
        let missing = collection.fields.iter().find(|need| !kinds.contains_key(in_graphql(need)));
        if let Some(missing) = missing {
            tracing::debug!(
                path = collection.path,
                field = missing,
                "GraphQL lacks a field, so the collection is read through REST"
            );
            return Ok(None);
        }

        Ok(Some(Query { collection, total, object_type, name, kinds }))
    }
}

/// What REST says of a collection.
struct CollectionInfo {
    total: usize,
    /// The kind of its records, such as `dcim.device`, if there is one.
    object_type: Option<String>,
}

/// Asks REST for one record. What the token may not view it refuses, where GraphQL shows none without a word.
async fn look(client: &Client, path: &str) -> Result<CollectionInfo, AdapterError> {
    let body = client.get(path).query("limit", "1").query("depth", "0").send().await?.body;
    let total = body.get("count").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    let total = total.ok_or_else(|| AdapterError::new(format!("`{path}` does not say how many rows it has")))?;
    let object_type = body.pointer("/results/0/object_type").and_then(Value::as_str).map(str::to_owned);
    Ok(CollectionInfo { total, object_type })
}

/// The kind of the rows of a list by the name of their type, `DeviceType`, or by REST's, `dcim.device`.
fn kind_of(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, model)) => model.to_lowercase(),
        None => name.to_lowercase().strip_suffix("type").unwrap_or_default().to_owned(),
    }
}

/// What GraphQL calls a field of REST.
fn in_graphql(name: &str) -> &str {
    if name == "custom_fields" { "_custom_field_data" } else { name }
}

/// The lists that can be asked for, with the type of their rows.
async fn roots(client: &Client) -> Result<Option<HashMap<String, Root>>, AdapterError> {
    let query = "{ __schema { queryType { fields { name type { ofType { name } } } } } }";
    let Some(data) = answered(ask(client, query, Value::Null).await)? else { return Ok(None) };
    let fields = data.pointer("/__schema/queryType/fields").and_then(Value::as_array);
    let lists = fields.into_iter().flatten().filter_map(|field| {
        let of = field.pointer("/type/ofType/name")?.as_str()?;
        Some((kind_of(of), Root { name: field.get("name")?.as_str()?.to_owned(), of: of.to_owned() }))
    });
    Ok(Some(lists.collect()))
}

/// The fields of a type.
async fn fields(client: &Client, of: &str) -> Result<HashMap<String, FieldKind>, Unanswered> {
    let query =
        "query ($name: String!) { __type(name: $name) { fields { name type { kind name ofType { kind name } } } } }";
    let data = ask(client, query, json!({"name": of})).await?;
    let fields = data.pointer("/__type/fields").and_then(Value::as_array);
    let kinds = fields.into_iter().flatten().filter_map(|field| {
        let name = field.get("name")?.as_str()?.to_owned();
        let outer = field.get("type")?;
        // A list, or a value that is never missing.
        let inner = outer.get("ofType").filter(|inner| !inner.is_null()).unwrap_or(outer);
        let kind = match inner.get("kind")?.as_str()? {
            "ENUM" => FieldKind::Choice,
            "SCALAR" => FieldKind::Plain,
            _ if name == "content_types" => FieldKind::ContentTypes,
            _ => FieldKind::Record,
        };
        Some((name, kind))
    });

    Ok(kinds.collect())
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// The server offers no GraphQL, or none that takes such a query.
    Absent,
    Failed(AdapterError),
}

impl From<AdapterError> for Unanswered {
    fn from(error: AdapterError) -> Self {
        Self::Failed(error)
    }
}

/// The answer, or nothing where REST has to be asked.
fn answered<T>(answer: Result<T, Unanswered>) -> Result<Option<T>, AdapterError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Unanswered::Absent) => Ok(None),
        Err(Unanswered::Failed(error)) => Err(error),
    }
}

pub(super) async fn ask(client: &Client, query: &str, variables: Value) -> Result<Value, Unanswered> {
    let request =
        client.request(Method::POST, "graphql").json(json!({"query": query, "variables": variables})).read_only();
    let mut body = match request.send().await {
        Ok(answer) => answer.body,
        Err(error) if matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)) => {
            return Err(Unanswered::Absent);
        }
        Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) => {
            tracing::warn!(%error, "GraphQL refuses a query, so it is read through REST");
            return Err(Unanswered::Absent);
        }
        Err(error) => return Err(Unanswered::Failed(error.into())),
    };

    // An answer may hold errors beside what could be found out.
    if let Some(said) = body.pointer("/errors/0/message").and_then(Value::as_str) {
        return Err(Unanswered::Failed(AdapterError::new(format!("GraphQL at {} says: {said}", client.base_url()))));
    }

    match body.get_mut("data").map(Value::take) {
        Some(data @ Value::Object(_)) => Ok(data),
        _ => Err(Unanswered::Failed(AdapterError::new(format!(
            "the answer of GraphQL at {} holds no data",
            client.base_url()
        )))),
    }
}

/// What asks for the rows of a collection.
struct Query<'a> {
    collection: &'a Collection,
    /// How many rows REST has.
    total: usize,
    object_type: String,
    name: String,
    kinds: HashMap<String, FieldKind>,
}

/// What is asked of a record, and of those it leads to.
#[derive(Default)]
struct Selection(BTreeMap<String, Selection>);

impl Selection {
    fn add<S: AsRef<str>>(&mut self, way: &[S]) {
        if let Some((first, rest)) = way.split_first() {
            self.0.entry(first.as_ref().to_owned()).or_default().add(rest);
        }
    }

    fn write(&self, text: &mut String) {
        text.push_str("{ ");
        for (name, of) in &self.0 {
            text.push_str(name);
            text.push(' ');
            if !of.0.is_empty() {
                of.write(text);
            }
        }

        text.push_str("} ");
    }
}

impl Query<'_> {
    fn text(&self) -> String {
        let mut asked = Selection::default();
        asked.add(&["id"]);
        for need in &self.collection.fields {
            match self.kinds.get(in_graphql(need)) {
                Some(FieldKind::Record) => asked.add(&[need, "id"]),
                Some(FieldKind::ContentTypes) => {
                    asked.add(&[need, "app_label"]);
                    asked.add(&[need, "model"]);
                }
                _ => asked.add(&[in_graphql(need)]),
            }
        }

        // What is read of another record without looking it up.
        for part in &self.collection.parts {
            if part.path.len() > 1
                && part.path.first().is_some_and(|first| self.kinds.get(*first) == Some(&FieldKind::Record))
            {
                asked.add(part.path);
            }
        }

        let mut text = format!("query ($limit: Int, $offset: Int) {{ {}(limit: $limit, offset: $offset) ", self.name);
        asked.write(&mut text);
        text.push('}');
        text
    }

    /// All rows, unless they come and go each time they are read.
    async fn read(
        &self,
        client: &Client,
        dialect: &Dialect,
        seen: ProgressFn<'_>,
    ) -> Result<Option<Vec<Value>>, AdapterError> {
        let text = self.text();
        let custom_fields = if self.collection.fields.contains("custom_fields") {
            self.custom_fields(client, dialect).await?
        } else {
            Vec::new()
        };
        let mut total = self.total;
        for _ in 0..READINGS {
            match answered(self.read_once(client, &text, total, &mut *seen).await)? {
                None => return Ok(None),
                Some(Ok(mut rows)) => {
                    for row in &mut rows {
                        self.as_rest(row, &custom_fields);
                    }
                    if choices::spell_out(client, &self.collection.path, &self.choices(), &mut rows).await? {
                        self.look_up(client, &rows).await?;
                        return Ok(Some(rows));
                    }
                }
                Some(Err(what)) => tracing::info!(path = self.collection.path, what, "the collection is read again"),
            }
            total = look(client, &self.collection.path).await?.total;
        }

        Ok(None)
    }

    /// All rows, or what shows that some of them may be missing.
    async fn read_once(
        &self,
        client: &Client,
        text: &str,
        total: usize,
        seen: ProgressFn<'_>,
    ) -> Result<Result<Vec<Value>, &'static str>, Unanswered> {
        let mut rows = Vec::new();
        let pages = stream::iter((0..total).step_by(PAGE)).map(|offset| self.page(client, text, offset));
        let mut pages = pages.buffered(client.concurrency());
        while let Some(page) = pages.try_next().await? {
            rows.extend(page);
            seen(rows.len() as u64, Some(total as u64));
        }

        let keys: HashSet<_> = rows.iter().map(|row| row.get("id").and_then(Value::as_str)).collect();
        if keys.len() < rows.len() {
            return Ok(Err("a row came twice"));
        }

        // One query sees the database as it is at one moment; several do not.
        let is_settled = total < PAGE || look(client, &self.collection.path).await?.total == total;
        if rows.len() != total || !is_settled {
            return Ok(Err("GraphQL has not as many rows as REST"));
        }

        Ok(Ok(rows))
    }

    async fn page(&self, client: &Client, text: &str, offset: usize) -> Result<Vec<Value>, Unanswered> {
        let mut data = ask(client, text, json!({"limit": PAGE, "offset": offset})).await?;
        match data.get_mut(&self.name).map(Value::take) {
            Some(Value::Array(rows)) => Ok(rows),
            _ => {
                Err(AdapterError::new(format!("GraphQL at {} gave no list of `{}`", client.base_url(), self.name))
                    .into())
            }
        }
    }

    /// Looks at the collections that no row leads to: perhaps the token may not view them.
    async fn look_up(&self, client: &Client, rows: &[Value]) -> Result<(), AdapterError> {
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        let leads_to = self.collection.parts.iter().filter_map(|part| match part.kind {
            PartKind::Lookup { collection, .. } => Some((part.path.first()?, collection.split('?').next()?)),
            PartKind::Value | PartKind::Tree { .. } => None,
        });
        let unseen = leads_to.filter(|(step, path)| {
            *path != self.collection.path && rows.iter().all(|row| row.get(*step).is_none_or(is_empty))
        });

        for path in unseen.map(|(_, path)| path).collect::<BTreeSet<_>>() {
            look(client, path).await?;
        }

        Ok(())
    }

    /// Makes of a row what REST would have given.
    fn as_rest(&self, row: &mut Value, custom_fields: &[String]) {
        let Value::Object(fields) = row else { return };
        if let Some(mut values) = fields.remove("_custom_field_data") {
            let mut value = |key: &String| values.get_mut(key).map(Value::take).unwrap_or_default();
            let all: Map<_, _> = custom_fields.iter().map(|key| (key.clone(), value(key))).collect();
            fields.insert("custom_fields".to_owned(), all.into());
        }

        for (name, _) in self.kinds.iter().filter(|(_, kind)| **kind == FieldKind::ContentTypes) {
            if let Some(Value::Array(types)) = fields.get_mut(name) {
                types.iter_mut().for_each(join);
            }
        }
    }

    /// The custom fields that the collection's records have: REST gives all of them, GraphQL only those that were filled.
    async fn custom_fields(&self, client: &Client, dialect: &Dialect) -> Result<Vec<String>, AdapterError> {
        let rows = client
            .rows("extras/custom-fields", &dialect.query, &dialect.collection_format, Some("id"), |_, _| {})
            .await?;
        let of = self.object_type.as_str();
        let is_of = |row: &&Value| {
            let types = row.get("content_types").and_then(Value::as_array);
            types.into_iter().flatten().any(|listed| listed == of)
        };
        Ok(rows.iter().filter(is_of).filter_map(|row| row.get("key")?.as_str().map(str::to_owned)).collect())
    }

    fn choices(&self) -> BTreeSet<&str> {
        let is_choice = |need: &&String| self.kinds.get(*need) == Some(&FieldKind::Choice);
        self.collection.fields.iter().filter(is_choice).map(String::as_str).collect()
    }
}

/// `dcim.device` for an object with both names.
fn join(of: &mut Value) {
    let name = |of: &Map<String, Value>, key: &str| Some(of.get(key)?.as_str()?.to_owned());
    if let Value::Object(names) = of
        && let (Some(label), Some(model)) = (name(names, "app_label"), name(names, "model"))
    {
        *of = format!("{label}.{model}").into();
    }
}

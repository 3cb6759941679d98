//! Rows by way of GraphQL, which gives the same rows as REST in a tenth of the time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diffsync_core::AdapterError;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::choices;
use super::content_type::content_type;
use crate::rest::{Client, Collection, Dialect, FromPages, Method, RowSource, Seen, StatusCode};

/// How many rows are asked for at once.
const PAGE: usize = 1000;

/// How often a collection is read before it is left to REST, if it changes while it is read. It seems to change as well
/// where its order leaves open which of two rows is first, which through REST is their key.
const READINGS: usize = 2;

/// Reads collections by way of GraphQL where the server has it, else page by page through REST.
///
/// The rows have the form that REST gives them with `depth=0`, so whatever is made of them is made the same way.
#[derive(Debug, Default)]
pub(super) struct GraphQl {
    /// The types of the lists that can be asked for, by name; nothing if the server offers no GraphQL.
    roots: OnceCell<Option<HashMap<String, String>>>,
}

/// What a field of a type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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
        seen: Seen<'a>,
    ) -> BoxFuture<'a, Result<Vec<Value>, AdapterError>> {
        Box::pin(async move {
            if let Some(query) = self.query(client, collection).await?
                && let Some(rows) = query.read(client, dialect, &mut *seen).await?
            {
                return Ok(rows);
            }
            FromPages.rows(client, dialect, collection, seen).await
        })
    }
}

impl GraphQl {
    /// What asks for a collection, unless GraphQL lacks it or a part of it.
    async fn query<'a>(&self, client: &Client, collection: &'a Collection) -> Result<Option<Query<'a>>, AdapterError> {
        let Some(roots) = self.roots.get_or_try_init(|| roots(client)).await? else { return Ok(None) };
        let name = collection.path.rsplit('/').next().unwrap_or_default().replace('-', "_");
        let Some(of) = roots.get(&name).filter(|_| collection.query.is_empty()) else { return Ok(None) };
        let kinds = fields(client, of).await?;
        let missing = collection.needs.iter().find(|need| !kinds.contains_key(in_graphql(need)));
        if let Some(missing) = missing {
            tracing::debug!(
                path = collection.path,
                field = missing,
                "GraphQL lacks a field, so the collection is read through REST"
            );
            return Ok(None);
        }
        Ok(Some(Query { collection, name, kinds }))
    }
}

/// What GraphQL calls a field of REST.
fn in_graphql(name: &str) -> &str {
    if name == "custom_fields" { "_custom_field_data" } else { name }
}

/// The lists that can be asked for, with the type of their rows.
async fn roots(client: &Client) -> Result<Option<HashMap<String, String>>, AdapterError> {
    let query = "{ __schema { queryType { fields { name type { ofType { name } } } } } }";
    let data = match ask(client, query, Value::Null).await {
        Ok(data) => data,
        Err(Unanswered::Absent) => return Ok(None),
        Err(Unanswered::Failed(error)) => return Err(error),
    };
    let fields = data.pointer("/__schema/queryType/fields").and_then(Value::as_array);
    let lists = fields.into_iter().flatten().filter_map(|field| {
        let of = field.pointer("/type/ofType/name")?.as_str()?;
        Some((field.get("name")?.as_str()?.to_owned(), of.to_owned()))
    });
    Ok(Some(lists.collect()))
}

/// The fields of a type.
async fn fields(client: &Client, of: &str) -> Result<HashMap<String, Kind>, AdapterError> {
    let query =
        "query ($name: String!) { __type(name: $name) { fields { name type { kind name ofType { kind name } } } } }";
    let data = ask(client, query, json!({"name": of})).await.map_err(Unanswered::into_error)?;
    let fields = data.pointer("/__type/fields").and_then(Value::as_array);
    let kinds = fields.into_iter().flatten().filter_map(|field| {
        let name = field.get("name")?.as_str()?.to_owned();
        let outer = field.get("type")?;
        // A list, or a value that is never missing.
        let inner = outer.get("ofType").filter(|inner| !inner.is_null()).unwrap_or(outer);
        let kind = match inner.get("kind")?.as_str()? {
            "ENUM" => Kind::Choice,
            "SCALAR" => Kind::Plain,
            _ if name == "content_types" => Kind::ContentTypes,
            _ => Kind::Record,
        };
        Some((name, kind))
    });
    Ok(kinds.collect())
}

/// Why there is no answer.
enum Unanswered {
    /// The server offers no GraphQL.
    Absent,
    Failed(AdapterError),
}

impl Unanswered {
    fn into_error(self) -> AdapterError {
        match self {
            Self::Absent => AdapterError::new("the server no longer offers GraphQL"),
            Self::Failed(error) => error,
        }
    }
}

async fn ask(client: &Client, query: &str, variables: Value) -> Result<Value, Unanswered> {
    let request =
        client.request(Method::POST, "graphql").json(json!({"query": query, "variables": variables})).reading();
    let mut body = match request.send().await {
        Ok(answer) => answer.body,
        Err(error) if matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)) => {
            return Err(Unanswered::Absent);
        }
        Err(error) => return Err(Unanswered::Failed(error.into())),
    };
    // An answer may hold errors beside what could be found out.
    if let Some(said) = body.pointer("/errors/0/message").and_then(Value::as_str) {
        return Err(Unanswered::Failed(AdapterError::new(format!("GraphQL at {} says: {said}", client.base()))));
    }
    match body.get_mut("data").map(Value::take) {
        Some(data @ Value::Object(_)) => Ok(data),
        _ => Err(Unanswered::Failed(AdapterError::new(format!(
            "the answer of GraphQL at {} holds no data",
            client.base()
        )))),
    }
}

/// What asks for the rows of a collection.
struct Query<'a> {
    collection: &'a Collection,
    name: String,
    kinds: HashMap<String, Kind>,
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
        for need in &self.collection.needs {
            match self.kinds.get(in_graphql(need)) {
                Some(Kind::Record) => asked.add(&[need, "id"]),
                Some(Kind::ContentTypes) => {
                    asked.add(&[need, "app_label"]);
                    asked.add(&[need, "model"]);
                }
                _ => asked.add(&[in_graphql(need)]),
            }
        }
        // What is read of another record without looking it up.
        for part in &self.collection.parts {
            if part.at.len() > 1 && part.at.first().is_some_and(|first| self.kinds.get(*first) == Some(&Kind::Record)) {
                asked.add(part.at);
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
        seen: Seen<'_>,
    ) -> Result<Option<Vec<Value>>, AdapterError> {
        let text = self.text();
        let custom_fields = if self.collection.needs.contains("custom_fields") {
            self.custom_fields(client, dialect).await?
        } else {
            Vec::new()
        };
        for _ in 0..READINGS {
            match self.read_once(client, &text, &mut *seen).await? {
                Ok(mut rows) => {
                    for row in &mut rows {
                        self.as_rest(row, &custom_fields);
                    }
                    if choices::spell_out(client, &self.collection.path, &self.choices(), &mut rows).await? {
                        return Ok(Some(rows));
                    }
                }
                Err(what) => tracing::info!(path = self.collection.path, what, "the collection is read again"),
            }
        }
        Ok(None)
    }

    /// All rows, or what shows that some of them may be missing.
    async fn read_once(
        &self,
        client: &Client,
        text: &str,
        seen: Seen<'_>,
    ) -> Result<Result<Vec<Value>, &'static str>, AdapterError> {
        let mut rows = self.page(client, text, 0).await?;
        seen(rows.len() as u64, None);
        if rows.len() < PAGE {
            // One query sees the database as it is at one moment.
            return Ok(Ok(rows));
        }
        let total = self.count(client).await?;
        let offsets = (1..total.div_ceil(PAGE)).map(|page| page * PAGE);
        let mut pages =
            stream::iter(offsets).map(|offset| self.page(client, text, offset)).buffered(client.concurrency());
        while let Some(page) = pages.try_next().await? {
            rows.extend(page);
            seen(rows.len() as u64, Some(total as u64));
        }
        let keys: HashSet<_> = rows.iter().map(|row| row.get("id").and_then(Value::as_str)).collect();
        if keys.len() < rows.len() {
            return Ok(Err("a row came twice"));
        }
        if rows.len() != total || self.count(client).await? != total {
            return Ok(Err("rows came or went"));
        }
        Ok(Ok(rows))
    }

    async fn page(&self, client: &Client, text: &str, offset: usize) -> Result<Vec<Value>, AdapterError> {
        let mut data =
            ask(client, text, json!({"limit": PAGE, "offset": offset})).await.map_err(Unanswered::into_error)?;
        match data.get_mut(&self.name).map(Value::take) {
            Some(Value::Array(rows)) => Ok(rows),
            _ => Err(AdapterError::new(format!("GraphQL at {} gave no list of `{}`", client.base(), self.name))),
        }
    }

    /// How many rows there are, which GraphQL does not say.
    async fn count(&self, client: &Client) -> Result<usize, AdapterError> {
        let request = client.get(&self.collection.path).query("limit", "1").query("depth", "0");
        let count = request
            .send()
            .await?
            .body
            .get("count")
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| AdapterError::new(format!("`{}` does not say how many rows it has", self.collection.path)))
    }

    /// Makes of a row what REST would have given.
    fn as_rest(&self, row: &mut Value, custom_fields: &[String]) {
        let Value::Object(fields) = row else { return };
        if let Some(mut values) = fields.remove("_custom_field_data") {
            let mut value = |key: &String| values.get_mut(key).map(Value::take).unwrap_or_default();
            let all: Map<_, _> = custom_fields.iter().map(|key| (key.clone(), value(key))).collect();
            fields.insert("custom_fields".to_owned(), all.into());
        }
        for (name, _) in self.kinds.iter().filter(|(_, kind)| **kind == Kind::ContentTypes) {
            if let Some(Value::Array(types)) = fields.get_mut(name) {
                types.iter_mut().for_each(join);
            }
        }
    }

    /// The custom fields that the collection's records have: REST gives all of them, GraphQL only those that were filled.
    async fn custom_fields(&self, client: &Client, dialect: &Dialect) -> Result<Vec<String>, AdapterError> {
        let rows = client.rows("extras/custom-fields", &dialect.query, &dialect.paging, Some("id"), |_, _| {}).await?;
        let of = content_type(&self.collection.path);
        let is_of = |row: &&Value| {
            let types = row.get("content_types").and_then(Value::as_array);
            types.into_iter().flatten().any(|listed| *listed == *of)
        };
        Ok(rows.iter().filter(is_of).filter_map(|row| row.get("key")?.as_str().map(str::to_owned)).collect())
    }

    fn choices(&self) -> BTreeSet<&str> {
        let is_choice = |need: &&String| self.kinds.get(*need) == Some(&Kind::Choice);
        self.collection.needs.iter().filter(is_choice).map(String::as_str).collect()
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

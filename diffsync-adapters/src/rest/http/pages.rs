//! Paginated collections.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::time::Duration;

use diffsync_core::report::report_retry;
use diffsync_core::value::Url;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use reqwest::header::{HeaderMap, LINK};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::body::{RowFilter, unpacked};
use super::client::{Client, Response};
use super::error::{Error, ErrorKind};
use crate::rest::model::json_path::plain;
use crate::rest::verdict;
use crate::rest::verdict::{ResponseView, Verdict, VerdictFn};

/// How often a collection is read at most if it changes while it is read.
const READINGS: usize = 3;

/// How an API paginates its collections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pagination {
    /// It returns all rows at once.
    None,
    /// By page number.
    PageNumber {
        /// The parameter for the page number.
        page: String,
        /// The number of the first page.
        first: usize,
        /// The parameter for the number of rows per page, and that number.
        size: Option<(String, usize)>,
    },
    /// By the number of rows before the page. Without a stable order, rows get lost between pages: if the server does not
    /// sort by itself, request it with a parameter of the collection.
    Offset {
        /// The parameter for the offset.
        offset: String,
        /// The parameter for the number of rows per page.
        limit: String,
        /// The number of rows per page. The server may return fewer.
        size: usize,
    },
    /// By a cursor that each page contains for the next.
    Cursor {
        /// The parameter for the cursor.
        cursor: String,
        /// Where the cursor is in the body, as a JSON pointer. The last page has no cursor.
        next: String,
    },
    /// By a `Link` header with the URL of the next page.
    LinkHeader,
    /// By the URL of the next page in the body.
    NextUrl {
        /// Where it is in the body, as a JSON pointer.
        next: String,
    },
}

/// The format of an API's collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionFormat {
    /// How the pages are requested.
    pub pagination: Pagination,
    /// Where the rows are in the body, as a JSON pointer such as `/results`; empty if the body is the list.
    pub rows: String,
    /// Where the number of all rows is in the body, as a JSON pointer. With it, pages can be requested concurrently, and
    /// changes during the read are detected.
    pub total: Option<String>,
}

impl Default for CollectionFormat {
    /// The body is the list of all rows.
    fn default() -> Self {
        Self { pagination: Pagination::None, rows: String::new(), total: None }
    }
}

/// One page of a collection.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<Value>,
    /// How many rows the collection has, if the server reports it.
    pub total: Option<u64>,
}

impl Client {
    /// The pages of a collection, in order, even if they are requested concurrently.
    ///
    /// URLs of next pages are followed only if they belong to the server itself, and not in circles.
    #[must_use]
    pub fn pages<'a>(
        &'a self,
        path: &'a str,
        query: &'a [(String, String)],
        format: &'a CollectionFormat,
    ) -> BoxStream<'a, Result<Page, Error>> {
        pages_judged(Reading { client: self, path, query, format, judge: verdict::by_status, keep: None })
    }

    /// The first page of a collection, with this number of rows if the API lets clients choose it, and the headers of the
    /// response.
    pub(crate) async fn first_page(
        &self,
        path: &str,
        query: &[(String, String)],
        format: &CollectionFormat,
        judge: VerdictFn,
        rows: usize,
    ) -> Result<(Page, HeaderMap), Error> {
        let size = match &format.pagination {
            Pagination::Offset { limit, size, .. } => Some((limit.as_str(), *size)),
            Pagination::PageNumber { size: Some((name, size)), .. } => Some((name.as_str(), *size)),
            _ => None,
        };
        let query: Vec<_> =
            query.iter().filter(|(name, _)| size.is_none_or(|(size, _)| name != size)).cloned().collect();
        let more: Vec<_> = size.map(|(name, size)| (name, size.min(rows).to_string())).into_iter().collect();
        let reading = Reading { client: self, path, query: &query, format, judge, keep: None };
        let (page, answer) = reading.page(&more).await?;

        Ok((page, answer.headers))
    }

    /// All rows of a collection. `key` is the name of a field that is unique; `progress` receives the number of rows that
    /// were read, and the number of all rows, if known.
    ///
    /// If rows are added or deleted during the read (the number of all rows changes, or a row arrives twice), the collection
    /// is read again, up to three times.
    pub async fn rows(
        &self,
        path: &str,
        query: &[(String, String)],
        format: &CollectionFormat,
        key: Option<&str>,
        progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Vec<Value>, Error> {
        let reading = Reading { client: self, path, query, format, judge: verdict::by_status, keep: None };
        self.rows_kept(reading, key, progress).await
    }

    /// All rows of a collection, with the fields that are needed.
    pub(crate) async fn rows_kept(
        &self,
        reading: Reading<'_>,
        key: Option<&str>,
        mut progress: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<Vec<Value>, Error> {
        let path = reading.path;
        let mut times = 1;
        loop {
            let mut rows = Whole { rows: Vec::new(), keys: HashSet::new(), total: None };
            let mut pages = pages_judged(reading);
            let changed = loop {
                let Some(page) = pages.try_next().await? else { break rows.is_whole() };
                let added = rows.add(page, key);
                if added.is_err() {
                    break added;
                }
                progress(rows.rows.len() as u64, rows.total);
            };

            let Err(what) = changed else { return Ok(rows.rows) };
            let detail = format!("`{path}` changed while it was read: {what}");
            let error = self.get(path).fault(ErrorKind::CollectionChanged, detail);
            if times == READINGS {
                return Err(error.hinted(format!("it was read {READINGS} times; try when less is going on")));
            }
            report_retry(times, Duration::ZERO, &error);
            times += 1;
        }
    }
}

/// The rows of a collection, if it did not change while they were read.
struct Whole {
    rows: Vec<Value>,
    keys: HashSet<String>,
    total: Option<u64>,
}

impl Whole {
    /// Adds a page, or returns why the collection must have changed.
    fn add(&mut self, page: Page, key: Option<&str>) -> Result<(), String> {
        if let (Some(before), Some(now)) = (self.total, page.total)
            && before != now
        {
            return Err(format!("it had {before} rows, and now has {now}"));
        }

        self.total = page.total.or(self.total);
        for row in page.rows {
            let key = key.and_then(|key| unpacked(&row).get(key).filter(|key| !key.is_null()).map(plain));
            if let Some(key) = key {
                if self.keys.contains(&key) {
                    return Err(format!("the row {key} arrived twice"));
                }
                self.keys.insert(key);
            }
            self.rows.push(row);
        }

        Ok(())
    }

    fn is_whole(&self) -> Result<(), String> {
        match self.total {
            Some(total) if total != self.rows.len() as u64 => {
                Err(format!("it has {total} rows, but {} arrived", self.rows.len()))
            }
            _ => Ok(()),
        }
    }
}

/// The reference to the next page in a response.
enum Given {
    /// A URL, perhaps relative to that of the response.
    Url(String),
    Parameter(String, String),
}

/// How the next page is requested.
enum Step {
    Url(Url),
    Parameter(String, String),
}

/// A collection to read, and how.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) client: &'a Client,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) format: &'a CollectionFormat,
    /// Judges a response.
    pub(crate) judge: VerdictFn,
    /// The fields of the rows to keep; all of them if there is no filter.
    pub(crate) keep: Option<&'a RowFilter>,
}

impl<'a> Reading<'a> {
    /// One page, and its response without the rows.
    async fn page(self, more: &[(&str, String)]) -> Result<(Page, Response), Error> {
        let mut request = self.client.get(self.path).keeping(self.keep);
        for (name, value) in self.query {
            request = request.query(name, value);
        }
        for (name, value) in more {
            request = request.query(name, value);
        }
        self.read(request.send().await?)
    }

    fn read(self, mut answer: Response) -> Result<(Page, Response), Error> {
        let request = || self.client.get(self.path);
        let reply =
            ResponseView { method: &Method::GET, status: answer.status, body: &answer.body, holds_record: false };
        if let Some(verdict) = (self.judge)(&reply).filter(|verdict| *verdict != Verdict::Success) {
            let verdict = verdict.map(|text| request().hidden().clean(&text));
            return Err(request().failed(&answer.url, ErrorKind::Status(answer.status), "").judged(verdict));
        }

        if answer.status == StatusCode::PARTIAL_CONTENT && self.format.pagination == Pagination::None {
            let error = request().failed(
                &answer.url,
                ErrorKind::InvalidResponse,
                "the answer holds only a part of the rows (206)",
            );
            return Err(error.hinted("declare in `Dialect::collection_format` how the API returns the others"));
        }

        let total = self.format.total.as_deref().and_then(|total| answer.body.pointer(total)).and_then(Value::as_u64);
        match answer.body.pointer_mut(&self.format.rows).map(Value::take) {
            Some(Value::Array(rows)) => Ok((Page { rows, total }, answer)),
            other => {
                let place =
                    if self.format.rows.is_empty() { "it".to_owned() } else { format!("`{}`", self.format.rows) };
                let found = other.as_ref().map_or("nothing", kind);
                let detail = format!("the answer holds no rows: {place} is {found} and not a list");
                let error = self.client.get(self.path).failed(&answer.url, ErrorKind::InvalidResponse, detail);
                Err(error.hinted("is this the API's address?"))
            }
        }
    }

    /// Pages that are requested by number, concurrently if the number of all rows is known.
    fn numbered(
        self,
        size: Option<(&'a str, usize)>,
        place: impl Fn(usize, usize) -> (&'a str, usize) + Send + Copy + 'a,
    ) -> BoxStream<'a, Result<Page, Error>> {
        let at = move |at: usize, given: usize| async move {
            let mut more = Vec::new();
            if let Some((name, size)) = size {
                more.push((name, size.to_string()));
            }
            let (name, number) = place(at, given);
            more.push((name, number.to_string()));
            self.page(&more).await.map(|(page, _)| page)
        };

        let asked = size.map(|(_, size)| size);
        stream::once(async move {
            let first = at(0, asked.unwrap_or_default()).await?;
            let given = first.rows.len();
            let rest: BoxStream<'a, Result<Page, Error>> = match first.total {
                // If the first page has fewer rows than requested, each page has that number.
                Some(total) if given > 0 => {
                    let pages = usize::try_from(total).unwrap_or(usize::MAX).div_ceil(given);
                    stream::iter(1..pages)
                        .map(move |number| at(number, given))
                        .buffered(self.client.concurrency())
                        .boxed()
                }
                Some(_) => stream::empty().boxed(),
                None => {
                    let begin = (1, Print::of(&first.rows));
                    stream::try_unfold(begin, move |(number, before)| async move {
                        // Only an empty page is surely the last: the server may return fewer rows than requested.
                        if before.rows == 0 {
                            return Ok(None);
                        }

                        let page = match at(number, given).await {
                            Ok(page) => page,
                            // A 404 after the last page is its end.
                            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => return Ok(None),
                            Err(error) => return Err(error),
                        };

                        let now = Print::of(&page.rows);
                        if now == before {
                            let detail = format!("the server returns the same page for every `{}`", place(0, 0).0);
                            let error = self.client.get(self.path).fault(ErrorKind::InvalidResponse, detail);
                            return Err(error.hinted("how does the API paginate?"));
                        }
                        Ok((now.rows > 0).then_some((page, (number + 1, now))))
                    })
                    .boxed()
                }
            };
            Ok(stream::once(async { Ok(first) }).chain(rest))
        })
        .try_flatten()
        .boxed()
    }

    /// Pages that each refer to the next.
    fn chained(
        self,
        next: impl Fn(&Response) -> Option<Given> + Send + Copy + Sync + 'a,
    ) -> BoxStream<'a, Result<Page, Error>> {
        let begin = Some((None::<Step>, HashSet::<String>::new()));
        stream::try_unfold(begin, move |state| async move {
            let Some((step, mut seen)) = state else { return Ok(None) };
            let (page, answer) = match step {
                None => self.page(&[]).await?,
                Some(Step::Parameter(name, value)) => self.page(&[(&name, value)]).await?,
                Some(Step::Url(url)) => self.read(self.client.follow(url).keeping(self.keep).send().await?)?,
            };

            let wrong = |what: &str| self.client.get(self.path).failed(&answer.url, ErrorKind::InvalidResponse, what);
            let step = match next(&answer) {
                None => return Ok(Some((page, None))),
                Some(Given::Parameter(name, value)) => Step::Parameter(name, value),
                Some(Given::Url(url)) => {
                    let url = answer.url.join(&url).map_err(|_| wrong("the URL of the next page is invalid"))?;
                    Step::Url(url)
                }
            };

            let is_new = seen.insert(match &step {
                Step::Url(url) => url.to_string(),
                Step::Parameter(_, value) => value.clone(),
            });
            if is_new { Ok(Some((page, Some((Some(step), seen))))) } else { Err(wrong("the pages lead in circles")) }
        })
        .boxed()
    }
}

/// The pages of a collection, with the fields that are needed.
fn pages_judged(reading: Reading<'_>) -> BoxStream<'_, Result<Page, Error>> {
    match &reading.format.pagination {
        Pagination::None => stream::once(async move { Ok(reading.page(&[]).await?.0) }).boxed(),
        Pagination::PageNumber { page, first, size } => {
            let size = size.as_ref().map(|(name, size)| (name.as_str(), *size));
            reading.numbered(size, move |at, _| (page.as_str(), first + at))
        }
        Pagination::Offset { offset, limit, size } => {
            reading.numbered(Some((limit, *size)), move |at, size| (offset.as_str(), at * size))
        }
        Pagination::Cursor { cursor, next } => reading.chained(move |answer| {
            let value = answer.body.pointer(next).filter(|next| !next.is_null() && next.as_str() != Some(""));
            value.map(|next| Given::Parameter(cursor.clone(), plain(next)))
        }),
        Pagination::LinkHeader => reading.chained(|answer| link(&answer.headers).map(Given::Url)),
        Pagination::NextUrl { next } => reading.chained(move |answer| {
            let url = answer.body.pointer(next).and_then(Value::as_str).filter(|url| !url.is_empty());
            url.map(|url| Given::Url(url.to_owned()))
        }),
    }
}

/// Distinguishes a page from another, without its rows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Print {
    rows: usize,
    hash: u64,
}

impl Print {
    fn of(rows: &[Value]) -> Self {
        /// Hashes what is written to it.
        struct Hashing(DefaultHasher);

        impl io::Write for Hashing {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let mut hashing = Hashing(DefaultHasher::new());

        // Writing to it cannot fail.
        let _ = serde_json::to_writer(&mut hashing, rows);
        Self { rows: rows.len(), hash: hashing.0.finish() }
    }
}

/// The URL of the next page in a `Link` header.
fn link(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());

    // A URL may contain a comma, so it separates links only after `>` and its parameters.
    let links = values.flat_map(|value| value.split('<').skip(1));
    links.filter_map(|link| link.split_once('>')).find_map(|(url, parameters)| {
        let is_next =
            parameters.split([';', ',']).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
            });
        is_next.then(|| url.to_owned())
    })
}

/// The kind of a value, in a message.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_next_page_is_found_in_a_link_header() {
        let next = |text: &str| link(&HeaderMap::from_iter([(LINK, HeaderValue::from_str(text).unwrap())]));
        assert_eq!(next(r#"<https://h/a?page=2>; rel="next""#).as_deref(), Some("https://h/a?page=2"));
        let two = r#"<https://h/a?q=x,y&page=1>; rel="prev first", <https://h/a?q=x,y&page=3>; title="t"; rel=next"#;
        assert_eq!(next(two).as_deref(), Some("https://h/a?q=x,y&page=3"));
        assert_eq!(next(r#"<https://h/a?page=9>; rel="last""#), None);
        assert_eq!(next("nonsense"), None);
    }
}

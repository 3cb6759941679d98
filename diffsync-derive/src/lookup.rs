//! The syntax of lookups, which databases and APIs share: `device -> devices(site -> sites(name), name)`.

/// A name, and what it leads to.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) leads_to: Option<Destination>,
}

/// Another table or collection, and the parts of the natural key of its records.
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) parts: Vec<Node>,
    /// The column after `on`.
    pub(crate) key: Option<String>,
}

impl Node {
    /// Reads the whole text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut rest = text;

        // Text after the lookup is an error, as in `site -> sites(name) name`.
        Self::parse(&mut rest).filter(|_| rest.trim().is_empty())
    }

    fn parse(rest: &mut &str) -> Option<Self> {
        let name = until(rest, &["->", ",", ")", "("]);
        if take(rest, "->").is_none() {
            return Some(Self { name, leads_to: None });
        }

        // The path of a collection may have a query with commas in it, so that only a parenthesis ends it.
        let destination = until(rest, &["("]);
        take(rest, "(")?;
        let mut parts = Vec::new();
        loop {
            parts.push(Self::parse(rest)?);
            if take(rest, ",").is_none() {
                take(rest, ")")?;
                break;
            }
        }

        let key = match rest.trim_start().strip_prefix("on ") {
            Some(after) => {
                *rest = after;
                Some(until(rest, &["->", ",", ")", "("]))
            }
            None => None,
        };

        Some(Self { name, leads_to: Some(Destination { name: destination, parts, key }) })
    }
}

/// The text before the first of these ends, or all of it, without the space around it.
fn until(rest: &mut &str, ends: &[&str]) -> String {
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let (before, after) = rest.split_at(end);
    *rest = after;
    before.trim().to_owned()
}

fn take(rest: &mut &str, token: &str) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(token)?;
    Some(())
}

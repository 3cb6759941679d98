//! Values of records, cut to what a list has room for.

use serde_json::Value;

/// How much of a value a list shows, in letters.
const SHOWN: usize = 300;

/// A text that may be cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) text: String,
    /// How many letters are left out.
    pub(crate) left_out: usize,
}

impl Shown {
    /// As much of a text as a list shows.
    pub(crate) fn cut(text: &str) -> Self {
        match text.char_indices().nth(SHOWN) {
            Some((at, _)) => {
                let (shown, rest) = text.split_at(at);
                Self { text: shown.to_owned(), left_out: rest.chars().count() }
            }
            None => Self::whole(text),
        }
    }

    /// All of a text.
    pub(crate) fn whole(text: &str) -> Self {
        Self { text: text.to_owned(), left_out: 0 }
    }
}

/// An attribute before and after a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    /// Nothing if the record is created.
    pub(crate) before: Option<Shown>,
    /// Nothing if the record is deleted.
    pub(crate) after: Option<Shown>,
}

/// The attributes of a change, as a diff holds them: those after the sync under `+`, those before it under `-`.
pub(crate) fn attributes(changes: Option<&Value>, show: impl Fn(&str) -> Shown) -> Vec<Attribute> {
    let side = |sign| changes.and_then(|changes| changes.get(sign)).and_then(Value::as_object);
    let (after, before) = (side("+"), side("-"));
    let mut names: Vec<&String> = after.into_iter().chain(before).flat_map(|values| values.keys()).collect();
    names.sort_unstable();
    names.dedup();

    let shown = |side: Option<&serde_json::Map<String, Value>>, name: &str| {
        side.and_then(|values| values.get(name)).map(|value| show(&value.to_string()))
    };
    let attribute =
        |name: &String| Attribute { name: name.clone(), before: shown(before, name), after: shown(after, name) };
    names.into_iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_value_is_cut_between_letters() {
        let long = "ü".repeat(1_000);
        let shown = Shown::cut(&long);
        assert_eq!((shown.text.chars().count(), shown.left_out), (300, 700));
        assert_eq!(Shown::cut("short"), Shown::whole("short"));
    }

    #[test]
    fn a_change_is_its_attributes_before_and_after() {
        let changes = json!({"+": {"role": "spine", "site": "a"}, "-": {"role": null}});
        let shown = attributes(Some(&changes), Shown::whole);
        let whole = |text: &str| Some(Shown::whole(text));
        assert_eq!(
            shown,
            [
                Attribute { name: "role".into(), before: whole("null"), after: whole("\"spine\"") },
                Attribute { name: "site".into(), before: None, after: whole("\"a\"") },
            ]
        );
        assert!(attributes(None, Shown::whole).is_empty());
    }
}

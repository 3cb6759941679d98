//! Names from the root of a tree down, as one text: `Europe → Netherlands → AMS01`.

use super::schema::SEPARATOR;

/// An arrow within a name, where it joins nothing.
const ESCAPED: &str = r"\→";

/// The names as one text. An arrow in a name gets a `\` before it, so that the text splits into the same names again.
#[must_use]
pub fn join_names<S: AsRef<str>>(names: &[S]) -> String {
    let escaped = names.iter().map(|name| name.as_ref().replace('→', ESCAPED));
    escaped.collect::<Vec<_>>().join(SEPARATOR)
}

/// The names in a text from [`join_names`].
#[must_use]
pub fn split_names(text: &str) -> Vec<String> {
    // An arrow that joins has a space before it, an escaped one has not.
    text.split(SEPARATOR).map(|name| name.replace(ESCAPED, "→")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_splits_into_the_names_that_it_was_made_of() {
        let check = |names: &[&str], text: &str| {
            assert_eq!(join_names(names), text);
            assert_eq!(split_names(text), names);
        };
        check(&["Europe", "AMS01"], "Europe → AMS01");
        check(&["A → B", "C"], r"A \→ B → C");
        check(&[r"A\→B"], r"A\\→B");
        check(&["→", r"\", r"\→ \"], r"\→ → \ → \\→ \");
        check(&["A", "", "B"], "A →  → B");
        check(&[r"back\slash", "a->b"], r"back\slash → a->b");
    }

    #[test]
    fn an_arrow_that_joins_nothing_needs_no_escape_to_be_read() {
        assert_eq!(split_names("a→b → c"), ["a→b", "c"]);
    }
}

//! Names in other spellings, documentation comments, and the nearest of several words.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// `CountriesToInventory` as its words: `countries`, `to`, `inventory`. `IPAddress` gives `ip`, `address`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase()) || after.is_some_and(|after| after.is_lowercase()));
        if (starts || letter == '_') && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter != '_' {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `DeviceType` as `device_type`.
pub(crate) fn snake_case(name: &str) -> String {
    words(name).join("_")
}

/// `CountriesToInventory` as `countries-to-inventory`.
pub(crate) fn kebab_case(name: &str) -> String {
    words(name).join("-")
}

/// `CountriesToInventory` as `Countries to inventory`.
pub(crate) fn sentence(name: &str) -> String {
    let text = words(name).join(" ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The text of the documentation comments among the attributes.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// The word that was probably meant: fewest letters changed, added, left out or swapped, if few enough.
pub(crate) fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = words.iter().map(|known| (distance(word, known), *known)).min()?;
    (distance <= 1 + word.len() / 4).then_some(nearest)
}

/// The optimal string alignment distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut two_rows_ago: Vec<usize> = Vec::new();
    let mut last_row: Vec<usize> = (0..=right.len()).collect();
    let mut last_letter = None;
    for (row, letter) in left.chars().enumerate() {
        let mut this_row = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&last_row, column) + usize::from(letter != other);
            let mut best = changed.min(at(&last_row, column + 1) + 1).min(at(&this_row, column) + 1);
            let before = column.checked_sub(1).and_then(|before| right.get(before));
            if last_letter == Some(other) && before == Some(&letter) {
                best = best.min(at(&two_rows_ago, column - 1) + 1);
            }
            this_row.push(best);
        }
        two_rows_ago = std::mem::replace(&mut last_row, this_row);
        last_letter = Some(letter);
    }
    last_row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(snake_case("DeviceType"), "device_type");
        assert_eq!(snake_case("IPAddress"), "ip_address");
        assert_eq!(snake_case("Vlan2"), "vlan2");
        assert_eq!(snake_case("r#type"), "type");
        assert_eq!(kebab_case("CountriesToInventory"), "countries-to-inventory");
        assert_eq!(kebab_case("IpamAToIpamB"), "ipam-a-to-ipam-b");
        assert_eq!(sentence("CountriesFile"), "Countries file");
    }

    #[test]
    fn the_word_that_was_meant_is_found() {
        assert_eq!(nearest("parnet", &["id", "local", "parent"]), Some("parent"));
        assert_eq!(nearest("di", &["id", "local", "parent"]), Some("id"));
        assert_eq!(nearest("primary_key", &["id", "local", "parent"]), None);
    }
}

//! "Did you mean …?"

/// The word that was probably meant: fewest letters changed, added, left out or swapped, if few enough.
pub(crate) fn suggest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    // Two swapped letters count as one slip, as in `parnet`.
    let (distance, suggest) = words.iter().map(|known| (strsim::osa_distance(word, known), *known)).min()?;

    // The longer a word, the more slips it may have.
    (distance <= 1 + word.len() / 4).then_some(suggest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_is_found() {
        assert_eq!(suggest("parnet", &["id", "local", "parent"]), Some("parent"));
        assert_eq!(suggest("di", &["id", "local", "parent"]), Some("id"));
        assert_eq!(suggest("primary_key", &["id", "local", "parent"]), None);
    }
}

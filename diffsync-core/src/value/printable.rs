//! Escaping text from outside before it is shown: a record's value or a server's message must not move the cursor, start
//! a new line, or reverse the reading order.

use std::borrow::Cow;

/// Whether a character is shown as an escape: control characters (C0, DEL, C1), line and paragraph separators, the controls
/// of text direction, and invisible characters. The joiners between letters are kept, since scripts need them.
#[must_use]
pub fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with each [unprintable](is_unprintable) character as an escape: `\n`, `\u{202e}`. A text without any is
/// returned as it is.
#[must_use]
pub fn escape_unprintable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }

    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_unprintable(letter) { escaped.extend(letter.escape_default()) } else { escaped.push(letter) }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_a_reader_is_shown_by_its_code() {
        for (text, shown) in [
            ("plain, Zürich, 東京, \u{645}\u{631}", "plain, Zürich, 東京, \u{645}\u{631}"),
            ("\u{1b}[2K", "\\u{1b}[2K"),
            ("two\nlines\r", "two\\nlines\\r"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("a\u{202e}b\u{2066}c\u{200f}", "a\\u{202e}b\\u{2066}c\\u{200f}"),
            ("a\u{2028}b\u{200b}\u{feff}", "a\\u{2028}b\\u{200b}\\u{feff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(escape_unprintable(text), shown);
        }
    }
}

//! The escaper of all pages. `askama.toml` names it, so no template can leave it out by mistake.

use std::fmt::{self, Write};

use askama::filters::Escaper;
use diffsync_core::value::is_unprintable;

/// Makes a text inert: markup is shown as it is written, and a character that could deceive a reader (a control character, a
/// mark that turns the direction of the text) by its code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, letter) in text.char_indices() {
            let entity = match letter {
                '<' => "&lt;",
                '>' => "&gt;",
                '&' => "&amp;",
                '"' => "&quot;",
                '\'' => "&#39;",
                letter if is_unprintable(letter) => "",
                _ => continue,
            };
            dest.write_str(text.get(plain..at).unwrap_or_default())?;
            if entity.is_empty() {
                write!(dest, "{}", letter.escape_default())?;
            } else {
                dest.write_str(entity)?;
            }
            plain = at + letter.len_utf8();
        }
        dest.write_str(text.get(plain..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_markup_or_deceive_is_shown_as_text() {
        for (text, shown) in [
            ("plain, Zürich, 東京", "plain, Zürich, 東京"),
            ("<b a=\"1\" c='2'>&</b>", "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;&lt;/b&gt;"),
            ("a\u{202e}b\u{0}\u{1b}[2K", "a\\u{202e}b\\u{0}\\u{1b}[2K"),
            ("two\nlines", "two\\nlines"),
            ("<", "&lt;"),
            ("", ""),
        ] {
            let mut escaped = String::new();
            Inert.write_escaped_str(&mut escaped, text).unwrap();
            assert_eq!(escaped, shown);
        }
    }
}

//! The spellings in which a server may echo a secret.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The shortest spelling: a shorter one would be found everywhere, and hide the message.
const SHORTEST: usize = 3;

/// The shortest part of a secret's base64 form that is redacted.
const SHORTEST_BASE64: usize = 6;

/// All spellings of a secret: itself; quoted as in JSON, Python, HTML and URLs; as base64, also within that of a longer text
/// such as `user:password`; and in the wrong encoding. The longest comes first.
pub(crate) fn spellings(secret: &str) -> Vec<String> {
    let mut plain = vec![secret.to_owned()];

    // UTF-8 that was read as Latin-1 or as Windows-1252, and Latin-1 that was read as UTF-8.
    if !secret.is_ascii() {
        plain.push(secret.bytes().map(char::from).collect());
        plain.push(secret.bytes().map(windows_1252).collect());
        plain.push(secret.chars().map(|letter| if letter.is_ascii() { letter } else { '\u{FFFD}' }).collect());
    }

    let mut spellings = Vec::new();
    for text in &plain {
        spellings.extend(quoted(text));
        // JSON within JSON.
        spellings.extend(quoted(text).iter().flat_map(|text| quoted(text)));
    }

    for bytes in encoded(secret) {
        spellings.extend(percent(&bytes));
        spellings.extend(base64(&bytes));
    }

    spellings.extend(plain);
    spellings.retain(|form| form.len() >= SHORTEST);

    // One that is part of another comes after it.
    spellings.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    spellings.dedup();
    spellings
}

/// The bytes of a secret: as UTF-8, and as Latin-1 if it can be that.
fn encoded(secret: &str) -> Vec<Vec<u8>> {
    let mut all = vec![secret.as_bytes().to_vec()];
    if !secret.is_ascii() {
        all.extend(secret.chars().map(|letter| u8::try_from(letter).ok()).collect::<Option<Vec<_>>>());
    }
    all
}

/// A text with its special letters written as escapes.
fn quoted(text: &str) -> Vec<String> {
    let mut json = String::new();
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            letter if letter < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(letter));
            }
            letter => json.push(letter),
        }
    }

    let ascii = |text: &str, upper: bool| {
        let mut ascii = String::new();
        for letter in text.chars() {
            if letter.is_ascii() {
                ascii.push(letter);
                continue;
            }

            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = if upper { write!(ascii, "\\u{unit:04X}") } else { write!(ascii, "\\u{unit:04x}") };
            }
        }
        ascii
    };

    // Characters that some encoders write as numbers, to be harmless in a page.
    let in_page = |upper: bool| {
        let code = |letter: char| {
            let code = u32::from(letter);
            if upper { format!("\\u{code:04X}") } else { format!("\\u{code:04x}") }
        };
        ['<', '>', '&', '\'', '+'].iter().fold(json.clone(), |text, letter| text.replace(*letter, &code(*letter)))
    };

    let html = |apostrophe: &str, quote: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('\'', apostrophe).replace('"', quote)
    };

    vec![
        ascii(&json, false),
        ascii(&json, true),
        json.replace('/', "\\/"),
        ascii(&json.replace('/', "\\/"), false),
        in_page(false),
        in_page(true),
        // Python and SQL quote with an apostrophe.
        text.replace('\\', "\\\\").replace('\'', "\\'"),
        text.replace('\'', "''"),
        text.replace('"', "\"\""),
        html("&#39;", "&quot;"),
        html("&#x27;", "&quot;"),
        html("&apos;", "&#34;"),
        html("'", "\""),
        json,
    ]
}

/// Bytes as they are written in a URL or a form: with as little escaped as possible, and with as much.
fn percent(bytes: &[u8]) -> Vec<String> {
    let written = |is_plain: fn(u8) -> bool, upper: bool, space: &str| {
        let mut text = String::new();
        for &byte in bytes {
            if byte == b' ' && !space.is_empty() {
                text.push_str(space);
            } else if is_plain(byte) {
                text.push(char::from(byte));
            } else {
                let _ = if upper { write!(text, "%{byte:02X}") } else { write!(text, "%{byte:02x}") };
            }
        }
        text
    };

    let sets: [fn(u8) -> bool; 6] = [
        |byte| byte.is_ascii_alphanumeric(),
        |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte),
        |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte),
        |byte| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte),
        |byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte),
        |byte| byte.is_ascii_graphic() && !b"\"#<>?`{}%".contains(&byte),
    ];

    let mut all = Vec::new();
    for set in sets {
        for upper in [true, false] {
            all.push(written(set, upper, ""));
            all.push(written(set, upper, "+"));
        }
    }

    all
}

/// The base64 of bytes, at any position in a longer text.
fn base64(bytes: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for before in 0..3 {
        let shifted = [vec![0; before], bytes.to_vec()].concat();
        // A letter encodes six bits; the first and the last may also contain bits of the neighbouring bytes.
        let first = (before * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            let inner = text.get(first..last).filter(|inner| inner.len() >= SHORTEST_BASE64);
            all.extend(inner.map(str::to_owned));
        }

        if before == 0 {
            all.push(STANDARD_NO_PAD.encode(bytes));
            all.push(URL_SAFE_NO_PAD.encode(bytes));
        }
    }

    all
}

/// The character of a byte in Windows-1252.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or_else(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a text once all forms of a secret were taken out.
    fn left(text: &str, secret: &str) -> String {
        spellings(secret).iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), "[secret]"))
    }

    #[test]
    fn a_secret_is_known_in_every_form_that_servers_write_it_in() {
        for (secret, text) in [
            ("hun\"ter\\2", r#"hun\"ter\\2"#),
            ("tür/öffner", r"t\u00fcr/\u00f6ffner"),
            ("tür/öffner", r"t\u00FCr/\u00F6ffner"),
            ("tür/öffner", r"tür\/öffner"),
            ("tür/öffner", "t%C3%BCr%2F%C3%B6ffner"),
            ("tür/öffner", "t%c3%bcr%2f%c3%b6ffner"),
            ("tür/öffner", "t%FCr/%F6ffner"),
            ("tür/öffner", "tÃ¼r/Ã¶ffner"),
            ("tür/öffner", "t\u{FFFD}r/\u{FFFD}ffner"),
            ("a b&c", "a+b%26c"),
            ("a b&c", "a%20b%26c"),
            ("a b&c", "a b&amp;c"),
            ("a b&c", r"a b\u0026c"),
            ("it's me", "it&#x27;s me"),
            ("it's me", "it''s me"),
            ("it's me", r"it\'s me"),
            ("hunter22", "aHVudGVyMjI="),
        ] {
            let shown = left(text, secret);
            let rest = shown.replace("[secret]", "").replace('=', "");
            assert!(rest.is_empty(), "{secret}: {text} is shown as {shown}");
        }
    }

    #[test]
    fn a_secret_is_known_within_base64() {
        for before in ["", "u:", "us:", "user:", "someone:"] {
            for after in ["", "x", "\n", "@host"] {
                let text = base64::engine::general_purpose::STANDARD.encode(format!("{before}hunter2-hunter2{after}"));
                let shown = left(&text, "hunter2-hunter2");
                assert!(shown.contains("[secret]") && shown.len() < 32, "{text} is shown as {shown}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        let text = "the token is wrong: expected 40 letters, got 12";
        assert_eq!(left(text, "0123456789abcdef"), text);
        assert_eq!(left("a b", "ab"), "a b");
    }
}

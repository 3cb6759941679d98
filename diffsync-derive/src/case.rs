//! `DeviceType` in other cases.

/// `CountriesToInventory` as its words: `countries`, `to`, `inventory`. `IPAddress` gives `ip`, `address`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);

        // A capital starts a word after a small letter or a digit (`aB`), and before a small letter, where an
        // abbreviation ends (`IPAddress`).
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
}

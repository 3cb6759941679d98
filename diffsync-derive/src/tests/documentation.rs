//! The documentation of each macro lists every key that its parser knows, and has an example of it.

use crate::attr::{Key, names};

/// The documentation of the macro that this module implements, as lines.
fn documentation(module: &str) -> Vec<&'static str> {
    let lines = include_str!("../lib.rs").lines().map(str::trim).collect::<Vec<_>>();
    let end = lines.iter().position(|line| line.starts_with(&format!("{module}: "))).unwrap();
    let begin = lines[..end].iter().rposition(|line| !line.starts_with("///")).unwrap() + 1;
    lines[begin..end].iter().map(|line| line.trim_start_matches("///").trim()).collect()
}

/// The keys at the beginning of the items of a section, up to the next one: `- `key = …`, `other`: …`.
fn listed(lines: &[&str], section: &str) -> Vec<String> {
    let begin = lines.iter().position(|line| *line == format!("# {section}")).unwrap() + 1;
    let section = lines[begin..].iter().take_while(|line| !line.starts_with('#'));
    let mut keys: Vec<String> = section
        .filter_map(|line| line.strip_prefix("- "))
        .flat_map(|item| item.split(": ").next().unwrap().split('`').skip(1).step_by(2))
        .map(|code| code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap().to_owned())
        .collect();
    keys.dedup();
    keys
}

/// The code of the examples, without the lines that are hidden.
fn examples(lines: &[&str]) -> String {
    let blocks = lines.split(|line| *line == "```").skip(1).step_by(2);
    let shown: Vec<_> = blocks.flatten().filter(|line| !line.starts_with("# ")).copied().collect();
    shown.join("\n")
}

fn check<T>(module: &str, section: &str, attribute: &str, table: &[Key<T>]) {
    let lines = documentation(module);
    let (mut known, mut listed) = (names(table), listed(&lines, section));
    known.sort_unstable();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed, known, "the keys listed for `{module}`, {section}");

    // Each attribute in the examples, as its tokens.
    let examples = examples(&lines);
    let attributes: Vec<&str> = examples.split(&format!("#[{attribute}(")).skip(1).collect();
    for key in known {
        let used = attributes.iter().any(|text| {
            let words = text.split(")]").next().unwrap();
            words.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == key)
        });
        assert!(used, "no example of `#[{attribute}({key})]` in `{module}`");
    }
}

#[test]
fn every_key_is_documented_with_an_example() {
    check("model", "On the struct", "sync", crate::model::ast::STRUCT_KEYS);
    check("model", "On a field", "sync", crate::model::field::KEYS);
    check("dataset", "On the struct", "dataset", crate::dataset::ast::KEYS);
    check("choice", "On the enum", "choice", crate::choice::ast::ENUM_KEYS);
    check("choice", "On a variant", "choice", crate::choice::ast::VARIANT_KEYS);
    check("job", "Arguments", "job", crate::job::arguments::KEYS);
    check("job", "`#[var(…)]` on a field", "var", crate::job::ast::VAR_KEYS);
    #[cfg(feature = "file")]
    {
        check("file", "On the struct", "file", crate::file::ast::STRUCT_KEYS);
        check("file", "On a field", "file", crate::file::ast::FIELD_KEYS);
    }
    #[cfg(feature = "sql")]
    {
        check("sql", "On the struct", "sql", crate::sql::ast::STRUCT_KEYS);
        check("sql", "On a field", "sql", crate::sql::ast::KEYS);
    }
    #[cfg(feature = "rest")]
    {
        check("rest", "On the struct", "rest", crate::rest::ast::STRUCT_KEYS);
        check("rest", "On a field", "rest", crate::rest::ast::KEYS);
    }
}

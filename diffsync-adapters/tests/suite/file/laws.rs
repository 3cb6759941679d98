//! Every format keeps the laws of targets, with any texts.

use std::cell::Cell;

use diffsync_adapters::file::Folder;
use diffsync_core::testkit::Laws;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use super::block_on;

/// Checks the laws with names from these texts.
macro_rules! laws {
    ($($format:ident)*) => {$(
        mod $format {
            use super::*;
            use crate::file::$format::{Sites, site};

            fn sites(seed: u64, texts: &[String]) -> Sites {
                // A run holds back the delete of a site whose name is that of a new one but for case or surrounding space.
                // So those whose names are alike in that way are there with every seed, beside each other.
                let folded = |text: &str| text.trim().to_lowercase();
                let is_alike = |text: &str| texts.iter().filter(|other| folded(other) == folded(text)).count() > 1;
                let is_picked = |at: usize, text: &str| (at as u64 * 7 + seed * 3) % 5 > 1 || is_alike(text);
                let picked = texts.iter().enumerate().filter(|(at, text)| is_picked(*at, text));
                let number = |at: usize| u16::try_from((at as u64 + seed * 5) % 100).unwrap();
                Sites { sites: picked.map(|(at, text)| site(text, number(at))).collect() }
            }

            fn check(texts: &[String], seeds: u64) -> Result<(), String> {
                let (folder, count) = (TempDir::new().unwrap(), Cell::new(0));
                let system = || async {
                    count.set(count.get() + 1);
                    let path = folder.path().join(count.get().to_string());
                    std::fs::create_dir(&path)?;
                    Ok(Folder::<Sites>::new(path))
                };
                let laws = Laws::new(system, |seed| sites(seed, texts)).seeds(seeds).failing_calls(2);
                block_on(laws.check()).map_err(|violation| violation.to_string())
            }

            #[test]
            fn the_laws_are_kept() {
                let names: Vec<String> = (0..12).map(|number| format!("site {number}")).collect();
                check(&names, 3).unwrap();
            }

            #[test]
            fn traps_are_kept_as_they_are() {
                let traps = [
                    "007", "1e3", "0x10", "NaN", ".inf", "null", "~", "true", "no", "yes", "=1+1", "-", "- a", "a: b", "#", "a #b",
                    "\"", "'", "\"\"", "a\"b", "it's", ",", ";", "a,b;c\td", "\n", "a\nb", "a\r\nb", "\r", " a ", "\t", "\\", "\\n",
                    "[a]", "{a: b}", "[]", "{}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`", "---", "...", "?", ":", "<<", "=",
                    "2026-01-01", "12:30:00", "\u{85}", "\u{2028}", "\u{feff}a", "a\u{0}b", "\u{7f}", "é", "日本", "🦀", "\u{301}",
                    "0", "-0", "1_000", "0o7", "1.", ".5", "key = 1", "[[sites]]", "a\n\n# b\n", "\n- x", "\n# x", "x\n", "\u{1b}[0m",
                ];
                check(&traps.map(String::from), 2).unwrap();
            }

            #[test]
            fn whatever_the_text_is_it_is_found_again() {
                let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
                let texts = proptest::collection::btree_set("[\"',;:#\\[\\]{}&*!|>%@`\\\\ \n\ra-c0-9é\u{0}\u{85}\u{2028}~-]{1,9}", 1..12);
                runner
                    .run(&texts, |texts| {
                        let texts: Vec<String> = texts.into_iter().collect();
                        check(&texts, 1).map_err(TestCaseError::fail)
                    })
                    .unwrap();
            }
        }
    )*};
}

laws!(csv json json_lines yaml toml parquet);

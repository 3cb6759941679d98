//! The book hangs together: its chapters are listed and tested, and its links lead somewhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy takes only test functions for tests, not what they call")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the chapters.
fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")
}

/// The names of the chapters' files.
fn chapters() -> BTreeSet<String> {
    let files = fs::read_dir(book()).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let names = pages.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "SUMMARY.md").collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(book().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines of a page that are not part of a block of code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// Where the links of a page lead.
fn links(page: &str) -> Vec<&str> {
    let targets = prose(page).flat_map(|line| line.split("](").skip(1));
    targets.map(|rest| rest.split_once(')').map_or(rest, |(target, _)| target)).collect()
}

/// The anchors of a page's headings, as mdBook makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = prose(page).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_chapter_is_in_the_summary_and_the_other_way_round() {
    let listed: Vec<_> = links(&read("SUMMARY.md")).into_iter().map(str::to_owned).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), chapters());
    assert_eq!(listed.len(), chapters().len(), "a chapter is listed twice: {listed:?}");
}

#[test]
fn every_link_within_the_book_leads_somewhere() {
    let mut local = 0;
    for name in chapters() {
        let page = read(&name);
        for link in links(&page).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { name.as_str() } else { file };
            // A schema is copied into the rendered book as it is.
            if Path::new(file).extension().is_some_and(|extension| extension == "json") && anchor.is_empty() {
                assert!(book().join(file).is_file(), "{name} links to `{link}`, which does not exist");
                continue;
            }
            assert!(chapters().contains(file), "{name} links to `{link}`, which is no chapter");
            let found = anchor.is_empty() || anchors(&read(file)).iter().any(|known| known == anchor);
            assert!(found, "{name} links to `{link}`, but {file} has no such heading");
            local += 1;
        }
    }
    assert!(local > 10, "links are not recognised: {local}");
}

#[test]
fn every_example_is_tested() {
    let tested = include_str!("../src/lib.rs");
    for name in chapters() {
        let document = format!("= \"docs/src/{name}\",");
        assert!(tested.contains(&document), "tests/src/lib.rs does not have `{document}`");
        let blocks = read(&name);
        let ignored = blocks.lines().find(|line| line.starts_with("```") && line.contains("ignore"));
        assert_eq!(ignored, None, "{name} has an example that is not compiled");
    }
}

/// The names of all test functions of the workspace. A `macro_rules!` may make some of them of names that it is given.
fn names_in_tests(folder: &Path, names: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_str().unwrap();
        if entry.is_dir() && !name.starts_with('.') && name != "target" {
            names_in_tests(&entry, names);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            names.push_str(&fs::read_to_string(&entry).unwrap());
        }
    }
}

#[test]
fn every_row_of_what_is_kept_exactly_names_a_test_that_exists() {
    let mut sources = String::new();
    names_in_tests(&book().join("../.."), &mut sources);

    let page = read("kept-exactly.md");
    let last_cells = page.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once(" | ")).map(|(_, cell)| cell);
    let quoted = last_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let tests: Vec<&str> = quoted.filter(|name| name.contains('_') && !name.contains(['/', '.'])).collect();
    assert!(tests.len() > 60, "{tests:?}");
    for test in tests {
        let known = test.split('…').all(|part| sources.contains(part));
        assert!(known, "`{test}` is not the name of a test");
    }
}

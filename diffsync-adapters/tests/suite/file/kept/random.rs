//! Random documents in each text format: one value changes, and every other byte stays.

use diffsync_core::report::Status;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::{Folders, run};
use super::model;
use super::nested::Loc;

macro_rules! devices {
    ($($module:ident $file:literal)*) => {$(
        model!($module, $file {
            site: Option<String>,
            racks: Option<i64>,
            tags: Vec<String>,
            loc: Loc,
        });
    )*};
}

devices! { json "devices.json" json_lines "devices.jsonl" yaml "devices.yml" toml "device.toml" csv "devices.csv" }

/// A record in a random form: the text before and after it, and the form of each value.
#[derive(Debug, Clone)]
struct Written {
    site: String,
    racks: i64,
    tags: Vec<String>,
    city: String,
    /// Keys that the model does not know, in the record and in its nested value.
    owner: String,
    floor: u8,
    /// How it is written.
    style: u8,
    comment: String,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[\"',;:#\\[\\]{}&*!|>%@`\\\\ a-c0-9é~-]{1,7}"
            .prop_filter("no identifier is blank", |text| !text.trim().is_empty()),
        Just("007".to_owned()),
        Just("1.10".to_owned()),
        Just("no".to_owned()),
        Just("null".to_owned()),
        Just("a # b".to_owned()),
    ]
}

fn record() -> impl Strategy<Value = Written> {
    (
        text(),
        -9_i64..999,
        prop::collection::vec(text(), 0..4),
        text(),
        text(),
        any::<u8>(),
        any::<u8>(),
        "[a-z #'\"]{0,9}",
    )
        .prop_map(|(site, racks, tags, city, owner, floor, style, comment)| Written {
            site,
            racks,
            tags,
            city,
            owner,
            floor,
            style,
            comment,
        })
}

/// A change of one of the records.
#[derive(Debug, Clone)]
enum Edit {
    Site(String),
    Racks(i64),
    City(String),
    Tag(String),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        text().prop_map(Edit::Site),
        (1000_i64..9999).prop_map(Edit::Racks),
        text().prop_map(Edit::City),
        text().prop_map(Edit::Tag),
    ]
}

impl Written {
    fn with(&self, edit: &Edit) -> Self {
        let mut new = self.clone();
        match edit {
            Edit::Site(site) => new.site.clone_from(site),
            Edit::Racks(racks) => new.racks = *racks,
            Edit::City(city) => new.city.clone_from(city),
            Edit::Tag(tag) => new.tags.push(tag.clone()),
        }
        new
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[String], separator: &str) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(separator))
}

/// A record as JSON.
fn in_json(name: usize, it: &Written, line: &str) -> String {
    let space = [" ", "", "  "][usize::from(it.style % 3)];
    let entry = |key: &str, value: &str| format!("\"{key}\":{space}{value}");
    let loc = format!(
        "{{{}, {},{line} {}}}",
        entry("floor", &it.floor.to_string()),
        entry("city", &quoted(&it.city)),
        entry("zip", "\"1\"")
    );
    let mut entries = [
        entry("name", &quoted(&format!("n{name}"))),
        entry("site", &quoted(&it.site)),
        entry("owner", &quoted(&it.owner)),
        entry("racks", &it.racks.to_string()),
        entry("tags", &list(&it.tags, ", ")),
        entry("loc", &loc),
    ];
    let place = usize::from(it.style) % entries.len();
    entries.rotate_left(place);
    format!("{{{space}{}{line}}}", entries.join(&format!(",{line}{space} ")))
}

fn in_yaml(name: usize, it: &Written, line: &str) -> String {
    let tags = match (it.style % 3, it.tags.is_empty()) {
        (0, _) | (_, true) => format!(" {}", list(&it.tags, " , ")),
        _ => it.tags.iter().fold(String::new(), |all, tag| format!("{all}{line}  - {}", quoted(tag))),
    };
    let loc = match it.style % 2 {
        0 => format!(" {{floor: {}, city: {}, zip: 01}}", it.floor, quoted(&it.city)),
        _ => format!("{line}    floor: {}{line}    city: {} # where{line}    zip: 01", it.floor, quoted(&it.city)),
    };
    let mut entries = [
        format!("name: n{name} # {}", it.comment),
        format!("site: {}", quoted(&it.site)),
        format!("owner: {}", quoted(&it.owner)),
        format!("racks:  {}", it.racks),
        format!("tags:{tags}"),
        format!("loc:{loc}"),
    ];
    let place = usize::from(it.style) % entries.len();
    entries.rotate_left(place);
    format!("# {}{line}- {}{line}", it.comment, entries.join(&format!("{line}  ")))
}

fn in_toml(name: usize, it: &Written, line: &str) -> String {
    let tags = match (it.style % 3, it.tags.is_empty()) {
        (0, _) | (_, true) => list(&it.tags, ", "),
        _ => {
            let lines = it.tags.iter().fold(String::new(), |all, tag| format!("{all}{line}  {}, # one", quoted(tag)));
            format!("[{lines}{line}]")
        }
    };
    let mut entries = vec![
        format!("name = 'n{name}' # {}", it.comment),
        format!("site = {}", quoted(&it.site)),
        format!("owner =   {}", quoted(&it.owner)),
        format!("racks = {}", it.racks),
        format!("tags = {tags}"),
    ];
    let loc = match it.style % 2 {
        0 => {
            entries.push(format!("loc = {{floor = {}, city = {}, zip = '1'}}", it.floor, quoted(&it.city)));
            String::new()
        }
        _ => {
            format!("[device.loc]{line}floor = {} # up{line}city = {}{line}zip = '1'{line}", it.floor, quoted(&it.city))
        }
    };
    let place = usize::from(it.style) % entries.len();
    entries.rotate_left(place);
    format!("# {}{line}[[device]]{line}{}{line}{loc}{line}", it.comment, entries.join(line))
}

fn in_csv(name: usize, it: &Written, line: &str) -> String {
    let cell = |text: &str| {
        if it.style.is_multiple_of(2) || text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let loc = format!("{{\"floor\": {}, \"city\": {}, \"zip\": \"1\"}}", it.floor, quoted(&it.city));
    let cells = [&format!("n{name}"), &it.site, &it.owner, &it.racks.to_string(), &list(&it.tags, ", "), &loc];
    format!("{}{line}", cells.map(|text| cell(text)).join(","))
}

/// How a format writes a document of records.
struct Format {
    file: &'static str,
    record: fn(usize, &Written, &str) -> String,
    head: &'static str,
    between: &'static str,
    tail: &'static str,
}

/// Changes one value of one record, and compares all that the document then holds, byte by byte.
fn check(format: &Format, sync: fn(&Folders) -> Result<(), String>, cases: u32) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let inputs = (prop::collection::vec(record(), 1..5), any::<prop::sample::Index>(), edit(), any::<bool>());
    let result = runner.run(&inputs, |(records, at, edit, is_crlf)| {
        let line = if is_crlf { "\r\n" } else { "\n" };
        let at = at.index(records.len());
        let document = |written: &dyn Fn(usize) -> String| {
            let written: Vec<_> = (0..records.len()).map(written).collect();
            format!("{}{}{}", format.head, written.join(format.between), format.tail)
                .replace("\r\n", "\n")
                .replace('\n', line)
        };
        let old = document(&|position| (format.record)(position, &records[position], "\n"));
        let wanted =
            |position: usize| if position == at { records[position].with(&edit) } else { records[position].clone() };
        let source = document(&|position| (format.record)(position, &wanted(position), "\n"));

        let folders = Folders::new().with(format.file, &source, &old);
        sync(&folders).map_err(|error| TestCaseError::fail(format!("{error}\n{old}\n{source}")))?;
        let new = folders.read(format.file);
        let message = format!("from:\n{old}\nto:\n{new}\nlike:\n{source}");
        // All records but one are unchanged, letter for letter, and so is the text around them.
        let own = (format.record)(at, &records[at], "\n").replace("\r\n", "\n").replace('\n', line);
        let begin = old.find(&own).ok_or_else(|| TestCaseError::fail("the record is not there"))?;
        let (head, tail) = (&old[..begin], &old[begin + own.len()..]);
        prop_assert!(new.starts_with(head) && new.ends_with(tail), "{}", message);
        // At most one value changes: the text before and after it is unchanged.
        let now = &new[head.len()..new.len() - tail.len()];
        let same = own.bytes().zip(now.bytes()).take_while(|(one, other)| one == other).count();
        let same_behind = own.bytes().rev().zip(now.bytes().rev()).take_while(|(one, other)| one == other).count();
        let written = match &edit {
            Edit::Site(_) => records[at].site.len(),
            Edit::Racks(_) => 4,
            Edit::City(_) => records[at].city.len(),
            Edit::Tag(_) => 0,
        };
        let room = 3 * written + 16;
        prop_assert!(same + same_behind + room >= own.len(), "{}", message);
        prop_assert!(!is_crlf || !new.replace("\r\n", "").contains('\n'), "{}", message);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{}: {error}", format.file));
}

macro_rules! random {
    ($($test:ident $module:ident $file:literal $record:ident $head:literal $between:literal $tail:literal)*) => {$(
        #[test]
        fn $test() {
            fn sync(folders: &Folders) -> Result<(), String> {
                let job = || self::$module::Copy { source: folders.source(), target: folders.target() };
                let report = run(job());
                if report.status != Status::Completed {
                    return Err(format!("{:?}", report.error_text()));
                }
                // The target then holds what the source does: there is nothing left to do.
                let again = run(job());
                let count = again.counts.updated + again.counts.created + again.counts.deleted;
                if again.status == Status::Completed && count == 0 { Ok(()) } else { Err(format!("{count} left")) }
            }
            let format = Format { file: $file, record: $record, head: $head, between: $between, tail: $tail };
            check(&format, sync, 60);
        }
    )*};
}

random! {
    one_value_of_json_changes_and_nothing_else json "devices.json" in_json "[\n  " ",\n  " "\n]\n"
    one_value_of_json_lines_changes_and_nothing_else json_lines "devices.jsonl" in_json_line "" "" ""
    one_value_of_yaml_changes_and_nothing_else yaml "devices.yml" in_yaml "# Devices.\n\n" "\n" "# The end.\n"
    one_value_of_toml_changes_and_nothing_else toml "device.toml" in_toml "# Devices.\nx = 1 # one\n\n" "" "# The end.\n"
    one_value_of_csv_changes_and_nothing_else csv "devices.csv" in_csv "name,site,owner,racks,tags,loc\n" "" ""
}

fn in_json_line(name: usize, it: &Written, _: &str) -> String {
    format!("{}\n", in_json(name, it, ""))
}

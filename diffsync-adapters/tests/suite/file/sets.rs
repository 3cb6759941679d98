//! Sets and maps are written in one order, independent of their order in memory.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;

use diffsync_adapters::file::{FileModel, Folder};
use diffsync_core::adapter::{AdapterError, LoadContext};
use diffsync_core::{Adapter, Dataset, SyncModel, Table, job};

use super::{Folders, run};

/// Twelve names in the order that they are to have.
const NAMES: [&str; 12] = ["n01", "n02", "n03", "n04", "n05", "n06", "n07", "n08", "n09", "n10", "n11", "n12"];

/// A data set of things that are kept in one format, and a job that gives it these.
macro_rules! things {
    ($format:ident, $file:literal, $is_text:literal) => {
        mod $format {
            use super::*;

            #[derive(SyncModel, FileModel, Clone)]
            #[file(path = $file)]
            struct Thing {
                #[sync(id)]
                name: String,
                tags: HashSet<String>,
                ports: Option<HashSet<u16>>,
                labels: HashMap<String, HashSet<String>>,
                size: u8,
            }

            #[derive(Dataset, Default)]
            struct Things {
                things: Table<Thing>,
            }

            struct Given(u8);

            impl Adapter for Given {
                type Data = Things;
                async fn load(&self, data: &mut Things, _: &LoadContext<'_>) -> Result<(), AdapterError> {
                    let names = || NAMES.map(str::to_owned);
                    data.things.insert(Thing {
                        name: "thing".into(),
                        tags: names().into(),
                        ports: Some((5..20).collect()),
                        labels: names().map(|name| (name, names().into())).into(),
                        size: self.0,
                    });
                    Ok(())
                }
            }

            #[job(source = Given, target = Folder<Things>)]
            struct ToFolder {
                target: PathBuf,
                size: u8,
            }

            opens!(ToFolder: Given = |job| Given(job.size), Folder<Things> = |job| Folder::new(&job.target));

            #[test]
            fn sets_are_written_in_one_order_and_once() {
                let written = || {
                    let folders = Folders::new();
                    let target = folders.target();
                    let report = run(ToFolder { target: target.clone(), size: 1 });
                    assert_eq!(report.counts.created, 1, "{:?}", report.failures().collect::<Vec<_>>());
                    let made = fs::read(target.join($file)).unwrap();
                    let report = run(ToFolder { target: target.clone(), size: 1 });
                    assert_eq!(report.counts.unchanged, 1);
                    assert_eq!(fs::read(target.join($file)).unwrap(), made);
                    assert_eq!(run(ToFolder { target: target.clone(), size: 2 }).counts.updated, 1);
                    (made, fs::read(target.join($file)).unwrap())
                };
                let (made, changed) = written();
                assert!(written() == (made.clone(), changed), "another set of the same gives another file");
                if $is_text {
                    let text = String::from_utf8(made).unwrap();
                    let tags = &text[text.find("n01").unwrap()..];
                    let mut from = 0;
                    for name in NAMES {
                        from += tags[from..].find(name).unwrap_or_else(|| panic!("{name} stands before: {text}"));
                    }
                }
            }
        }
    };
}

things!(csv, "things.csv", true);
things!(json, "things.json", true);
things!(json_lines, "things.jsonl", true);
things!(yaml, "things.yml", true);
things!(toml, "things.toml", true);
things!(parquet, "things.parquet", false);

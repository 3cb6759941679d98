//! Targets that are files, one job for each format.

/// A job that writes to a file of this name.
macro_rules! file {
    ($module:ident, $job:ident, $file:literal) => {
        mod $module {
            use std::path::PathBuf;

            use diffsync::file::Folder;
            use diffsync::prelude::*;

            use crate::given::{Given, items};

            /// An item.
            #[derive(SyncModel, FileModel, Clone)]
            #[file(path = $file)]
            pub(crate) struct Item {
                #[sync(id)]
                pub(crate) name: String,
                pub(crate) value: String,
                pub(crate) number: i64,
            }

            impl Item {
                fn new(name: String, value: String, number: i64) -> Self {
                    Self { name, value, number }
                }
            }

            items!();

            /// Writes items to a file.
            #[job(source = Given<Stock>, target = Folder<Stock>, kind = data_target, target_label = $file)]
            struct $job {
                groups: String,
                #[var(default = 200)]
                size: u32,
                folder: PathBuf,
            }

            impl Job for $job {
                async fn source_adapter(&self, _: &JobContext) -> Result<Given<Stock>, JobError> {
                    Ok(Given::new(&self.groups, self.size))
                }

                async fn target_adapter(&self, _: &JobContext) -> Result<Folder<Stock>, JobError> {
                    Ok(Folder::new(&self.folder))
                }
            }
        }
    };
}

file!(csv, PushCsv, "items.csv");
file!(json, PushJson, "items.json");
file!(json_lines, PushJsonl, "items.jsonl");
file!(parquet, PushParquet, "items.parquet");
file!(toml, PushToml, "items.toml");
file!(yaml, PushYaml, "items.yml");

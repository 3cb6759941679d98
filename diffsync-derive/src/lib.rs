//! The macros of diffsync: `#[derive(SyncModel)]`, `#[derive(Dataset)]` and `#[job]`.
//!
//! Each macro reads its input into an `ast`, collects everything that is wrong with it, and expands what can be
//! made of the rest, so that all mistakes of a build are said at once and none causes another.

mod attr;
mod case;
mod choice;
mod ctxt;
mod dataset;
#[cfg(feature = "file")]
mod file;
mod job;
mod krate;
mod limit;
#[cfg(any(feature = "rest", feature = "sql"))]
mod lookup;
mod model;
#[cfg(feature = "rest")]
mod rest;
mod shape;
mod span;
#[cfg(feature = "sql")]
mod sql;
mod suggest;
#[cfg(test)]
mod tests;
mod ty;

use proc_macro::TokenStream;

use crate::krate::ImportedFrom;

/// Two macros that differ in nothing but the path in the code that they generate: `$name` for `diffsync_core` and
/// `diffsync_adapters`, and `$facade`, which `diffsync` re-exports under the first one's name.
macro_rules! derive {
    ($(#[doc = $doc:literal])* $module:ident: $name:ident as $function:ident, $facade:ident as $facade_function:ident, $attributes:tt) => {
        $(#[doc = $doc])*
        #[proc_macro_derive($name, attributes $attributes)]
        pub fn $function(input: TokenStream) -> TokenStream {
            $module::derive(ImportedFrom::Part, input.into()).into()
        }

        $(#[doc = $doc])*
        #[proc_macro_derive($facade, attributes $attributes)]
        pub fn $facade_function(input: TokenStream) -> TokenStream {
            $module::derive(ImportedFrom::Facade, input.into()).into()
        }
    };
}

/// The same for `#[job]`.
macro_rules! attribute {
    ($(#[doc = $doc:literal])* $module:ident: $name:ident, $facade:ident) => {
        $(#[doc = $doc])*
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            $module::expand(ImportedFrom::Part, arguments.into(), &item.into()).into()
        }

        $(#[doc = $doc])*
        #[proc_macro_attribute]
        pub fn $facade(arguments: TokenStream, item: TokenStream) -> TokenStream {
            $module::expand(ImportedFrom::Facade, arguments.into(), &item.into()).into()
        }
    };
}

derive! {
    /// Makes a struct a model: one kind of record.
    ///
    /// On fields: `#[sync(id)]` marks what identifies a record, `#[sync(local)]` what belongs to one side only; every other
    /// field is an attribute, compared between the two sides. `#[sync(parent = Model)]`, on an identifier or an attribute,
    /// says that the field names the record this one lives under.
    ///
    /// On the struct: `#[sync(name = "…")]` names the model, and `#[sync(parent(Model, its_field = my_field, …))]` is a
    /// parent named by several fields.
    ///
    /// For `Country` it generates `CountryId`, `CountryKey` and `CountryPatch`.
    model: SyncModel as derive_sync_model, FacadeSyncModel as derive_facade_sync_model, (sync)
}

derive! {
    /// Makes a struct of `Table<Model>` fields a data set.
    dataset: Dataset as derive_dataset, FacadeDataset as derive_facade_dataset, (dataset)
}

derive! {
    /// Makes an enum a variable's choices: of a job's field of this type a user chooses one by name.
    ///
    /// The variants hold nothing. Their names are in `kebab-case`; `#[choice(rename = "…")]` on a variant gives it another.
    choice: Choice as derive_choice, FacadeChoice as derive_facade_choice, (choice)
}

attribute! {
    /// Makes a struct a job: `#[job(source = Adapter, target = Adapter, …)]`.
    ///
    /// Keys: `source`, `target`, `id`, `name`, `kind = data_source | data_target`, `source_label`, `target_label`,
    /// `source_icon`, `target_icon`, `dryrun_default`, `hidden`, `concurrency`. The struct's fields are the job's variables;
    /// `#[var(default = …, env = "…", group = "…")]` says more of one.
    job: job, facade_job
}

#[cfg(feature = "file")]
derive! {
    /// Says how a model is kept in a file. See `diffsync_adapters::file`.
    file: FileModel as derive_file_model, FacadeFileModel as derive_facade_file_model, (file, sync)
}

#[cfg(feature = "sql")]
derive! {
    /// Says how a model is kept in a table of a database. See `diffsync_adapters::sql`.
    sql: SqlModel as derive_sql_model, FacadeSqlModel as derive_facade_sql_model, (sql, sync)
}

#[cfg(feature = "rest")]
derive! {
    /// Says how a model is kept by a JSON API. See `diffsync_adapters::rest`.
    rest: RestModel as derive_rest_model, FacadeRestModel as derive_facade_rest_model, (rest, sync)
}

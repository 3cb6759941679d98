//! The macros of diffsync: `#[derive(SyncModel)]`, `#[derive(Dataset)]` and `#[job]`.
//!
//! Each macro reads its input into an `ast`, collects everything that is wrong with it, and expands what can be
//! made of the rest, so that all mistakes of a build are said at once and none causes another.

#![forbid(unsafe_code)]

mod attr;
mod choice;
mod ctxt;
mod dataset;
#[cfg(feature = "file")]
mod file;
mod job;
mod krate;
mod limit;
mod model;
mod place;
#[cfg(feature = "rest")]
mod rest;
mod shape;
#[cfg(feature = "sql")]
mod sql;
#[cfg(test)]
mod tests;
mod ty;
mod words;

use proc_macro::TokenStream;

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
#[proc_macro_derive(SyncModel, attributes(sync))]
pub fn derive_sync_model(input: TokenStream) -> TokenStream {
    model::derive(input.into()).into()
}

/// Makes a struct of `Table<Model>` fields a data set.
#[proc_macro_derive(Dataset, attributes(dataset))]
pub fn derive_dataset(input: TokenStream) -> TokenStream {
    dataset::derive(input.into()).into()
}

/// Makes an enum a variable's choices: of a job's field of this type a user chooses one by name.
///
/// The variants hold nothing. Their names are in `kebab-case`; `#[choice(rename = "…")]` on a variant gives it another.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    choice::derive(input.into()).into()
}

/// Makes a struct a job: `#[job(source = Adapter, target = Adapter, …)]`.
///
/// Keys: `source`, `target`, `id`, `name`, `kind = data_source | data_target`, `source_label`, `target_label`,
/// `source_icon`, `target_icon`, `dryrun_default`, `hidden`, `concurrency`. The struct's fields are the job's variables;
/// `#[var(default = …, env = "…", group = "…")]` says more of one.
#[proc_macro_attribute]
pub fn job(arguments: TokenStream, item: TokenStream) -> TokenStream {
    job::expand(arguments.into(), &item.into()).into()
}

/// Says how a model is kept in a file. See `diffsync_adapters::file`.
#[cfg(feature = "file")]
#[proc_macro_derive(FileModel, attributes(file, sync))]
pub fn derive_file_model(input: TokenStream) -> TokenStream {
    file::derive(input.into()).into()
}

/// Says how a model is kept in a table of a database. See `diffsync_adapters::sql`.
#[cfg(feature = "sql")]
#[proc_macro_derive(SqlModel, attributes(sql, sync))]
pub fn derive_sql_model(input: TokenStream) -> TokenStream {
    sql::derive(input.into()).into()
}

/// Says how a model is kept by a JSON API. See `diffsync_adapters::rest`.
#[cfg(feature = "rest")]
#[proc_macro_derive(RestModel, attributes(rest, sync))]
pub fn derive_rest_model(input: TokenStream) -> TokenStream {
    rest::derive(input.into()).into()
}

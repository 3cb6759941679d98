//! The macros of diffsync. Use them through the crate `diffsync`.
//!
//! | macro | what it does |
//! | --- | --- |
//! | `#[derive(SyncModel)]` | turns a struct into a model |
//! | `#[derive(Dataset)]` | turns a struct of tables into a data set |
//! | `#[derive(Choice)]` | turns an enum into the choices of a variable |
//! | `#[job]` | turns a struct into a job |
//! | `#[derive(FileModel)]`, `#[derive(SqlModel)]`, `#[derive(RestModel)]` | says how a model is stored, for the ready-made adapters |
//!
//! Each macro reads its input into an `ast`, collects all errors, and expands the rest of the input. So one build
//! reports all mistakes, and no mistake causes a second error.

#![forbid(unsafe_code)]

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

/// Two macros that differ only in the path in the generated code: `$name` for `diffsync_core` and `diffsync_adapters`, and
/// `$facade`, which `diffsync` re-exports under the name of the first.
macro_rules! derive {
    ($(#[doc = $doc:literal])* $module:ident: $name:ident as $function:ident, $facade:ident as $facade_function:ident, $attributes:tt) => {
        $(#[doc = $doc])*
        #[proc_macro_derive($name, attributes $attributes)]
        pub fn $function(input: TokenStream) -> TokenStream {
            $module::derive(ImportedFrom::Part, input.into()).into()
        }

        // The façade's macro has the documentation too, since editors show that of the macro itself, not that of its
        // re-export.
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
    /// Turns a struct with named fields into a model: one kind of record.
    ///
    /// For `Country` it implements the trait `SyncModel`, and generates `CountryId`, `CountryKey` and `CountryPatch`.
    ///
    /// # On a field
    ///
    /// A field without `id` or `local` is an attribute: it is compared and written.
    ///
    /// - `id`: the field identifies the record, alone or together with the other fields marked `id`.
    /// - `local`: the field belongs to one side. It is neither compared nor written, and its type needs `Default`.
    /// - `parent = Model`: the field names the record that this one lives under.
    /// - `references = Model`, or `references(Model, deferred)`: the field names another record, which is created first. A
    ///   deferred reference is set once both records exist.
    /// - `compare = …`: when two values are the same. One of `unordered`, `ignore_case`, `contains`, `blank_is_none`,
    ///   `tolerance(1e-6)` and `with(path::to::function)`.
    /// - `when_some`: for an `Option`. If the source has `None`, the target keeps its value.
    /// - `create_only`: the field is written when the record is created, and never compared again.
    /// - `rename = "…"`: the field's name in diffs, plan files and patches.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// # #[derive(SyncModel, Clone)]
    /// # struct Site { #[sync(id)] name: String }
    /// #[derive(SyncModel, Clone)]
    /// struct Device {
    ///     #[sync(id, compare = ignore_case)]
    ///     name: String,
    ///     #[sync(parent = Site)]
    ///     site: String,
    ///     #[sync(references(Self, deferred))]
    ///     backup: Option<String>,
    ///     #[sync(compare = unordered)]
    ///     tags: Vec<String>,
    ///     #[sync(when_some)]
    ///     serial: Option<String>,
    ///     #[sync(create_only)]
    ///     password: String,
    ///     #[sync(rename = "u-position")]
    ///     position: Option<u16>,
    ///     /// The record's number in the database of this side.
    ///     #[sync(local)]
    ///     row: Option<i64>,
    /// }
    /// ```
    ///
    /// # On the struct
    ///
    /// - `name = "…"`: the model's name. Without it, `DeviceType` is `device_type`.
    /// - `parent(Model, its = mine, …)`: a parent with several identifiers, and the fields that name it.
    /// - `references(Model, its = mine, …)`: the same for a reference; `deferred` may be the last word.
    /// - `flags(…)`: flags for all records of the model: `ignore`, `skip_unmatched_src`, `skip_unmatched_dst`,
    ///   `skip_unmatched_both`, `skip_children_on_delete`, `prevent_destroy`.
    /// - `after(Model, …)`: the records of these models are created and updated before those of this model, and deleted
    ///   after them.
    /// - `deletes_first`: the model's deletes come before all creates, so that their unique values are free.
    /// - `max_creates = 100`, `max_updates = "20%"`, `max_deletes = 10`: the most operations of one run, as a number or
    ///   a share of the target's records. A run that exceeds a limit is refused, or its operations of that kind are
    ///   held.
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// # #[derive(SyncModel, Clone)]
    /// # struct Tenant { #[sync(id)] name: String }
    /// # #[derive(SyncModel, Clone)]
    /// # struct Site { #[sync(id)] region: String, #[sync(id)] name: String }
    /// #[derive(SyncModel, Clone)]
    /// #[sync(
    ///     name = "network_rack",
    ///     parent(Site, region = region, name = site),
    ///     references(Self, region = region, site = site, name = twin, deferred),
    ///     after(Tenant),
    ///     deletes_first,
    ///     flags(prevent_destroy, skip_unmatched_dst),
    ///     max_creates = 100,
    ///     max_updates = "20%",
    ///     max_deletes = 10,
    ///     crate = ::diffsync
    /// )]
    /// struct Rack {
    ///     #[sync(id)]
    ///     region: String,
    ///     #[sync(id)]
    ///     site: String,
    ///     #[sync(id)]
    ///     name: String,
    ///     twin: Option<String>,
    /// }
    /// ```
    model: SyncModel as derive_sync_model, FacadeSyncModel as derive_facade_sync_model, (sync)
}

derive! {
    /// Turns a struct of `Table<Model>` fields into a data set: what both sides of a job hold.
    ///
    /// # On the struct
    ///
    ///
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// # #[derive(SyncModel, Clone)]
    /// # struct Site { #[sync(id)] name: String }
    /// #[derive(Dataset, Default)]
    /// #[dataset(crate = ::diffsync)]
    /// struct Network {
    ///     sites: Table<Site>,
    /// }
    /// ```
    dataset: Dataset as derive_dataset, FacadeDataset as derive_facade_dataset, (dataset)
}

derive! {
    /// Turns an enum into the choices of a job's variable: the user chooses a variant by its name.
    ///
    /// The variants must have no fields. A variant's name is in kebab case: `AsFast` is `as-fast`.
    ///
    /// # On a variant
    ///
    /// - `rename = "…"`: another name for the variant.
    ///
    /// # On the enum
    ///
    ///
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// #[derive(Choice)]
    /// #[choice(crate = ::diffsync)]
    /// enum Mode {
    ///     Fast,
    ///     #[choice(rename = "with care")]
    ///     Careful,
    /// }
    /// ```
    choice: Choice as derive_choice, FacadeChoice as derive_facade_choice, (choice)
}

attribute! {
    /// Turns a struct into a job, and registers it. The struct's fields are the job's variables, and its doc comment is the
    /// job's description.
    ///
    /// # Arguments
    ///
    /// - `source = Adapter`, `target = Adapter`: the adapters of the two sides. Both are required, and load the same
    ///   data set.
    /// - `id = "…"`: the job's id on the command line. Without it, `CmdbToIpam` is `cmdb-to-ipam`.
    /// - `name = "…"`: its title for people. Without it, `CmdbToIpam` is `Cmdb to ipam`.
    /// - `kind = data_source`, `kind = data_target`: whether records come into your system (the default) or go out.
    /// - `source_label = "…"`, `target_label = "…"`: the names of the two systems.
    /// - `source_icon = "…"`, `target_icon = "…"`: the URL or path of a picture for each.
    /// - `dryrun_default = false`: whether a run without `--apply` is a dry run. The default is `true`.
    /// - `hidden = true`: leaves the job out of the list of jobs. It can still be run.
    /// - `concurrency = 4`: how many records are written at once, up to the target's limit.
    /// - `skip(Model, …)`: models that this job leaves out.
    /// - `ignore(model.attribute, …)`: attributes that this job does not compare, by their names in a diff.
    /// - `max_creates = 100`, `max_updates = "20%"`, `max_deletes = 10`: the most operations of one run for each model
    ///   without its own limit, as a number or a share of the target's records.
    /// - `on_guard = stop`, `on_guard = hold`: if a run exceeds a limit, it is refused (the default), or all operations
    ///   of that kind and model are held and the rest is done.
    /// - `time_limit = "15m"`: how long a run may take, in seconds, minutes or hours: `"90s"`, `"15m"`, `"2h"`.
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// # `#[var(…)]` on a field
    ///
    /// - `default = …`: the value if none is given: a text, a number, `true` or `false`.
    /// - `env = "…"`: the environment variable to read if the flag is not given.
    /// - `group = "…"`: the variable's heading in the help.
    /// - `choices = path::to::function`: an async function that returns the choices, given the other variables' values.
    ///
    /// ```
    /// use diffsync::job::VariableValues;
    /// use diffsync::prelude::*;
    ///
    /// # #[derive(SyncModel, Clone)]
    /// # struct Site { #[sync(id)] name: String, city: String }
    /// # #[derive(SyncModel, Clone)]
    /// # struct Device { #[sync(id)] name: String, serial: String }
    /// # #[derive(Dataset, Default)]
    /// # struct Network { sites: Table<Site>, devices: Table<Device> }
    /// # struct Cmdb;
    /// # impl Adapter for Cmdb {
    /// #     type Data = Network;
    /// #     async fn load(&self, _: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> { Ok(()) }
    /// # }
    /// # struct Ipam;
    /// # impl Adapter for Ipam {
    /// #     type Data = Network;
    /// #     async fn load(&self, _: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> { Ok(()) }
    /// # }
    /// # impl Target<Site> for Ipam {
    /// #     async fn create(&self, new: &Site, _: &WriteContext<'_, Network>) -> Result<Site, TargetError> { Ok(new.clone()) }
    /// #     async fn update(&self, old: &Site, patch: &SitePatch, _: &WriteContext<'_, Network>) -> Result<Site, TargetError> { Ok(old.patched(patch)) }
    /// #     async fn delete(&self, _: &Site, _: &WriteContext<'_, Network>) -> Result<(), TargetError> { Ok(()) }
    /// # }
    /// # impl Target<Device> for Ipam {
    /// #     async fn create(&self, new: &Device, _: &WriteContext<'_, Network>) -> Result<Device, TargetError> { Ok(new.clone()) }
    /// #     async fn update(&self, old: &Device, patch: &DevicePatch, _: &WriteContext<'_, Network>) -> Result<Device, TargetError> { Ok(old.patched(patch)) }
    /// #     async fn delete(&self, _: &Device, _: &WriteContext<'_, Network>) -> Result<(), TargetError> { Ok(()) }
    /// # }
    /// /// Brings the devices of the CMDB to the IPAM.
    /// #[job(
    ///     source = Cmdb,
    ///     target = Ipam,
    ///     id = "cmdb-devices",
    ///     name = "CMDB to IPAM",
    ///     kind = data_target,
    ///     source_label = "CMDB",
    ///     target_label = "IPAM",
    ///     source_icon = "cmdb.svg",
    ///     target_icon = "ipam.svg",
    ///     dryrun_default = true,
    ///     hidden = false,
    ///     concurrency = 4,
    ///     skip(Site),
    ///     ignore(device.serial),
    ///     max_creates = 100,
    ///     max_updates = "20%",
    ///     max_deletes = 10,
    ///     on_guard = hold,
    ///     time_limit = "15m",
    ///     crate = ::diffsync
    /// )]
    /// struct CmdbToIpam {
    ///     /// The CMDB's URL.
    ///     #[var(env = "CMDB_URL", group = "CMDB", default = "https://cmdb.example")]
    ///     url: Url,
    ///     /// Only the devices of this site.
    ///     #[var(choices = sites)]
    ///     site: Option<String>,
    /// }
    ///
    /// async fn sites(_: &VariableValues) -> Result<Vec<String>, JobError> {
    ///     Ok(vec!["ams01".into(), "fra01".into()])
    /// }
    ///
    /// impl Job for CmdbToIpam {
    ///     async fn source_adapter(&self, _: &JobContext) -> Result<Cmdb, JobError> {
    ///         Ok(Cmdb)
    ///     }
    ///     async fn target_adapter(&self, _: &JobContext) -> Result<Ipam, JobError> {
    ///         Ok(Ipam)
    ///     }
    /// }
    /// ```
    job: job, facade_job
}

#[cfg(feature = "file")]
derive! {
    /// Says how a model's records are stored in a file, for the adapter `diffsync::file::Folder`.
    ///
    /// # On the struct
    ///
    ///
    /// - `path = "…"`: the file in the folder. Without it, the model's name with the format's extension.
    /// - `format = csv`: the format, if the extension does not determine it: `csv`, `json`, `json_lines`, `yaml`,
    ///   `toml`, `parquet`.
    /// - `list = "…"`: the key that holds the list of records, in JSON, YAML and TOML.
    /// - `delimiter = ';'`: the delimiter between the cells of CSV.
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// # On a field
    ///
    ///
    /// - `rename = "…"`: the name of the column or key.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// #[derive(SyncModel, FileModel, Clone)]
    /// #[file(path = "sites.txt", format = csv, delimiter = ';', crate = ::diffsync)]
    /// struct Site {
    ///     #[sync(id)]
    ///     #[file(rename = "Full name")]
    ///     name: String,
    /// }
    ///
    /// #[derive(SyncModel, FileModel, Clone)]
    /// #[file(path = "devices.json", list = "devices")]
    /// struct Device {
    ///     #[sync(id)]
    ///     name: String,
    /// }
    /// ```
    file: FileModel as derive_file_model, FacadeFileModel as derive_facade_file_model, (file, sync)
}

#[cfg(feature = "sql")]
derive! {
    /// Says how a model's records are stored in a table, for the adapter `diffsync::sql::Sql`.
    ///
    /// # On the struct
    ///
    /// - `table = "…"`: the table, with its schema if necessary: `"dcim.sites"`. Required.
    /// - `owner(column = "…", value = "…")`: marks the rows that this job writes. Only rows with the mark are deleted.
    /// - `lookup("…", field, …)`: a foreign key to a row that several fields identify.
    /// - `cascades`: allows the database to delete or empty rows outside the data set along with rows of this table.
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// # On a field
    ///
    /// - `column = "…"`: the column, if it does not have the field's name.
    /// - `lookup = "site_id -> sites(name)"`: `site_id` is a foreign key to the row of `sites` with this field's value
    ///   as its `name`. It refers to the other model's `key`, or else to `id`; `on` names another column.
    /// - `key`: the field holds the database's own key of the row. It must be `#[sync(local)]`.
    /// - `as = json`, `as = text`: the column holds JSON, or text as `Display` writes and `FromStr` reads it.
    /// - `type = "…"`: the column's type in tables that the adapter creates.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// #[derive(SyncModel, SqlModel, Clone)]
    /// #[sql(table = "sites", owner(column = "managed_by", value = "diffsync"), cascades, crate = ::diffsync)]
    /// struct Site {
    ///     #[sync(id)]
    ///     name: String,
    ///     #[sql(column = "descr", type = "varchar(100)")]
    ///     description: String,
    ///     #[sync(local)]
    ///     #[sql(key)]
    ///     id: Option<i64>,
    /// }
    ///
    /// #[derive(SyncModel, SqlModel, Clone)]
    /// #[sql(table = "interfaces", lookup("device_id -> devices(site_id -> sites(name), name)", site, device))]
    /// struct Interface {
    ///     #[sync(id)]
    ///     site: String,
    ///     #[sync(id)]
    ///     device: String,
    ///     #[sync(id)]
    ///     name: String,
    ///     #[sql(lookup = "vlan_id -> vlans(number) on vlan")]
    ///     vlan: Option<u16>,
    ///     #[sql(as = json)]
    ///     tags: Vec<String>,
    /// }
    /// ```
    sql: SqlModel as derive_sql_model, FacadeSqlModel as derive_facade_sql_model, (sql, sync)
}

#[cfg(feature = "rest")]
derive! {
    /// Says how an API represents a model's records, for the adapters `diffsync::rest::Rest` and
    /// `diffsync::nautobot::Nautobot`.
    ///
    /// # On the struct
    ///
    /// - `path = "…"`: the collection's path below the API's URL. Required.
    /// - `query = "…"`: parameters that select the model's records in the collection.
    /// - `owner(field = "…", value = "…")`: marks the records that this job writes. Only records with the mark are deleted.
    /// - `lookup("…", field, …)`: the key of another record that several fields identify.
    /// - `answer = "…"`: the path to the record in the answer to a write.
    /// - `skip_unnamed`: leaves out records with an empty identifier, which would otherwise end the load.
    /// - `crate = path`: the path of `diffsync` in this crate, if it is not `::diffsync`.
    ///
    /// # On a field
    ///
    /// - `field = "…"`: the path to the value in the body, if it is not the field's name.
    /// - `lookup = "site -> dcim/sites(name)"`: the body holds another record's key, and the field its name.
    /// - `key`: the field holds the server's key. It is `#[sync(local)]`, or an identifier.
    /// - `choice`: the body holds `{"value": "active", "label": "Active"}`, and the field `active`.
    /// - `blank`: for an `Option`. `None` is written as an empty text, and an empty text is read as `None`.
    /// - `read_only`: the field is never written.
    /// - `write_only`: the server never returns the field. It must be an `Option`.
    /// - `write = "…"`: the path or lookup to write, if it is not the one that is read.
    /// - `optional`: rows may lack the field. Without this key, a field that no row has is an error.
    ///
    /// ```
    /// use diffsync::prelude::*;
    ///
    /// #[derive(SyncModel, RestModel, Clone)]
    /// #[rest(
    ///     path = "dcim/devices",
    ///     query = "role=server",
    ///     owner(field = "custom_fields.managed_by", value = "diffsync"),
    ///     lookup("device_type -> dcim/device-types(manufacturer -> dcim/manufacturers(name), model)", manufacturer, model),
    ///     answer = "result",
    ///     skip_unnamed,
    ///     crate = ::diffsync
    /// )]
    /// struct Device {
    ///     #[sync(id)]
    ///     name: String,
    ///     manufacturer: String,
    ///     model: String,
    ///     #[rest(lookup = "location -> dcim/locations(parent*/name)")]
    ///     location: Option<String>,
    ///     #[rest(choice)]
    ///     status: String,
    ///     #[rest(field = "custom_fields.asset", blank, optional)]
    ///     asset: Option<String>,
    ///     #[rest(read_only)]
    ///     display: String,
    ///     #[rest(write_only)]
    ///     #[sync(create_only)]
    ///     password: Option<String>,
    ///     #[rest(field = "rack.name", write = "rack -> dcim/racks(name)")]
    ///     rack: Option<String>,
    ///     #[sync(local)]
    ///     #[rest(key)]
    ///     id: Option<u64>,
    /// }
    /// ```
    rest: RestModel as derive_rest_model, FacadeRestModel as derive_facade_rest_model, (rest, sync)
}

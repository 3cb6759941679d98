//! The macros of diffsync. Use them through the crate `diffsync`.
//!
//! | macro | turns |
//! | --- | --- |
//! | `#[derive(SyncModel)]` | a struct into a model |
//! | `#[derive(Dataset)]` | a struct of tables into a data set |
//! | `#[derive(Choice)]` | an enum into the choices of a variable |
//! | `#[job]` | a struct into a job |
//! | `#[derive(FileModel)]`, `#[derive(SqlModel)]`, `#[derive(RestModel)]` | a model into one that an adapter can store |
//!
//! Each macro reads its input into an `ast`, collects all errors, and expands the rest of the input, so that one build
//! reports all mistakes, and none of them causes another error.

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

/// Two macros that differ in nothing but the path in the code that they generate: `$name` for `diffsync_core` and
/// `diffsync_adapters`, and `$facade`, which `diffsync` re-exports under the first one's name.
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
    /// For `Country` it generates `CountryId`, `CountryKey` and `CountryPatch` beside the implementation of the trait.
    ///
    /// # On a field
    ///
    /// Every field is an attribute, which is compared and written, unless one of the first two keys says otherwise.
    ///
    /// - `id`: the field identifies the record, alone or with the other fields marked so.
    /// - `local`: the field belongs to one side only. It is neither compared nor written, and needs `Default`.
    /// - `parent = Model`: the field names the record under which this one lives.
    /// - `references = Model`, or `references(Model, deferred)`: the field names another record, which is created first; a
    ///   deferred one may be created later, and is set once it is there.
    /// - `compare = …`: when two values are the same. One of `unordered`, `ignore_case`, `contains`, `blank_is_none`,
    ///   `tolerance(1e-6)` and `with(path::to::function)`.
    /// - `when_some`: for an `Option`. Where the source has `None`, the target keeps its value.
    /// - `create_only`: the field is written when a record is created, and left alone afterwards.
    /// - `rename = "…"`: the name of the field in diffs, plans and documents.
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
    ///     /// The number that this side's database has for the record.
    ///     #[sync(local)]
    ///     row: Option<i64>,
    /// }
    /// ```
    ///
    /// # On the struct
    ///
    /// - `name = "…"`: the model's name. Without it, `DeviceType` is `device_type`.
    /// - `parent(Model, its = mine, …)`: a parent that several fields name.
    /// - `references(Model, its = mine, …)`: the same for a reference; `deferred` may be the last word.
    /// - `flags(…)`: flags for all records of the model: `ignore`, `skip_unmatched_src`, `skip_unmatched_dst`,
    ///   `skip_unmatched_both`, `skip_children_on_delete`, `prevent_destroy`.
    /// - `after(Model, …)`: the records of these models are created and updated before those of this one.
    /// - `deletes_first`: the model's deletes come before all creates, which frees the values of deleted records.
    /// - `max_creates = 100`, `max_updates = "20%"`, `max_deletes = 10`: a run that exceeds the limit is refused. A percentage is
    ///   of the records in the target.
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
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
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
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
    /// Turns an enum into the choices of a job's variable: a user chooses a variant by its name.
    ///
    /// The variants have no fields. `AsFast` is chosen with `as-fast`.
    ///
    /// # On a variant
    ///
    /// - `rename = "…"`: another name for it.
    ///
    /// # On the enum
    ///
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
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
    /// Turns a struct into a job, and registers it. The struct's fields are the job's variables, and its documentation is the job's
    /// description.
    ///
    /// # Arguments
    ///
    /// - `source = Adapter`, `target = Adapter`: the types that load the two sides. Both are required.
    /// - `id = "…"`: the job's id on the command line. Without it, `CmdbToIpam` is `cmdb-to-ipam`.
    /// - `name = "…"`: its name for people. Without it, `Cmdb to ipam`.
    /// - `kind = data_source`, `kind = data_target`: whether records come into your system, which is the default, or leave it.
    /// - `source_label = "…"`, `target_label = "…"`: the names of the two systems.
    /// - `source_icon = "…"`, `target_icon = "…"`: a picture for each, a URL or a path.
    /// - `dryrun_default = false`: whether a run writes nothing unless told to. It is `true` by default.
    /// - `hidden = true`: leaves the job out of the list of jobs. It runs all the same.
    /// - `concurrency = 4`: how many records are written at once, up to the target's limit.
    /// - `skip(Model, …)`: models that take no part in this job.
    /// - `ignore(model.attribute, …)`: attributes that this job does not compare, by their names in a diff.
    /// - `max_creates = 100`, `max_updates = "20%"`, `max_deletes = 10`: a run that exceeds the limit is refused. A percentage is
    ///   of the records in the target.
    /// - `on_guard = stop`, `on_guard = hold`: whether a run that exceeds a limit is refused, which is the default, or only the
    ///   operations beyond the limit are held back.
    /// - `time_limit = "15m"`: how long a run may take, in seconds, minutes or hours: `"90s"`, `"15m"`, `"2h"`.
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
    ///
    /// # `#[var(…)]` on a field
    ///
    /// - `default = …`: the value where none is given: a text, a number, `true` or `false`.
    /// - `env = "…"`: the environment variable that is read where no value is given.
    /// - `group = "…"`: the heading under which the variable is listed.
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
    ///     /// Where the CMDB is.
    ///     #[var(env = "CMDB_URL", group = "CMDB", default = "https://cmdb.example")]
    ///     url: Url,
    ///     /// The site whose devices are brought.
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
    /// - `path = "…"`: the file in the folder. Without it, the model's name with the format's extension.
    /// - `format = csv`: the format, where the extension does not give it: `csv`, `json`, `json_lines`, `yaml`, `toml`, `parquet`.
    /// - `list = "…"`: the key that holds the list of records, in JSON, YAML and TOML.
    /// - `delimiter = ';'`: the character between the cells of CSV.
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
    ///
    /// # On a field
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
    /// - `table = "…"`: the table, with its schema if need be. Required.
    /// - `owner(column = "…", value = "…")`: marks the rows that this job writes. Only rows with the mark are deleted.
    /// - `lookup("…", field, …)`: a foreign key whose natural key several fields hold.
    /// - `cascades`: allows deletes with which the database deletes or changes rows of its own accord.
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
    ///
    /// # On a field
    ///
    /// - `column = "…"`: the column, where it is not called like the field.
    /// - `lookup = "site_id -> sites(name)"`: the column is a foreign key, and the field holds the natural key of its row. Where the
    ///   column does not refer to the other table's `id`, add `on` and the column.
    /// - `key`: the field is the database's own key of the row. It is `#[sync(local)]` as well.
    /// - `as = json`, `as = text`: the column holds the value as JSON, or as `Display` writes and `FromStr` reads it.
    /// - `type = "…"`: the column's type, for tables that the adapter creates.
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
    /// Says how an API represents a model's records, for the adapters `diffsync::rest::Rest` and `diffsync::nautobot::Nautobot`.
    ///
    /// # On the struct
    ///
    /// - `path = "…"`: the path of the collection below the API's address. Required.
    /// - `query = "…"`: parameters that select the model's records in the collection.
    /// - `owner(field = "…", value = "…")`: marks the records that this job writes. Only records with the mark are deleted.
    /// - `lookup("…", field, …)`: a record of another collection that several fields identify.
    /// - `answer = "…"`: the path to the record in the response to a write.
    /// - `skip_unnamed`: leaves out records with an empty identifier, which otherwise end the load.
    /// - `crate = path`: the path of `diffsync` in this crate, where it is not `::diffsync`.
    ///
    /// # On a field
    ///
    /// - `field = "…"`: the path to the value in the body, where it is not called like the field.
    /// - `lookup = "site -> dcim/sites(name)"`: the body holds the key of another record, and the field its natural key.
    /// - `key`: the field holds the server's key: a `#[sync(local)]` field, or the identifier.
    /// - `choice`: the body has `{"value": "active", "label": "Active"}`, and the field `active`.
    /// - `blank`: for an `Option`. `None` is written as an empty text, and an empty text is read as `None`.
    /// - `read_only`: the field is never written.
    /// - `write_only`: the server never returns the field, which is an `Option`.
    /// - `write = "…"`: the path or lookup to which the field is written, where it is read from another.
    /// - `optional`: records may lack the field. Otherwise one that no record has is an error.
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

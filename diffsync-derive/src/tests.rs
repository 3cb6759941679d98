//! What the macros make of their input.

mod documentation;
#[cfg(feature = "file")]
mod file;
mod random;
#[cfg(feature = "rest")]
mod rest;
#[cfg(feature = "sql")]
mod sql;

use proc_macro2::TokenStream;
use quote::quote;

use crate::krate::ImportedFrom;

/// The generated code as a person would write it.
fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

/// The errors of a derive, each in a line.
#[cfg(any(feature = "file", feature = "rest", feature = "sql"))]
fn errors(expanded: &TokenStream) -> String {
    let text = expanded.to_string();
    let messages = text.split("compile_error ! {").skip(1).filter_map(|rest| rest.split_once('}'));
    messages.map(|(message, _)| message.trim().trim_matches('"').trim().to_owned() + "\n").collect()
}

#[test]
fn a_plain_model() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            /// A geographic region.
            #[derive(SyncModel)]
            pub struct Region {
                /// What it is called in URLs.
                #[sync(id)]
                pub slug: String,
                pub name: String,
            }
        },
    );
    insta::assert_snapshot!("a_plain_model", pretty(expanded));
}

#[test]
fn a_model_with_every_key() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            #[derive(SyncModel)]
            #[sync(name = "front_port", parent(dcim::Device, site = site, name = device))]
            pub(crate) struct Port {
                #[sync(id)]
                site: String,
                #[sync(id)]
                device: String,
                #[sync(id)]
                number: u16,
                #[sync(id)]
                lane: Option<u8>,
                r#type: PortType,
                /// In watts.
                power: Option<f64>,
                description: Option<String>,
                community: Secret<String>,
                mac: ([u8; 6], ::std::net::IpAddr),
                #[sync(local)]
                remote_id: Option<i64>,
            }
        },
    );
    insta::assert_snapshot!("a_model_with_every_key", pretty(expanded));
}

#[test]
fn a_model_whose_parent_is_an_attribute() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            struct Country {
                #[sync(id)]
                code: CountryCode,
                #[sync(parent = Region)]
                region: String,
            }
        },
    );
    insta::assert_snapshot!("a_model_whose_parent_is_an_attribute", pretty(expanded));
}

#[test]
fn a_model_that_nests_in_itself() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            struct Location {
                #[sync(id)]
                slug: String,
                #[sync(parent = Self)]
                within: Option<String>,
            }
        },
    );
    insta::assert_snapshot!("a_model_that_nests_in_itself", pretty(expanded));
}

#[test]
fn a_faulty_model_is_repaired() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            #[sync(name = "Country")]
            struct Country {
                #[sync(di)]
                slug: String,
                #[sync(local, parent = Region)]
                region: String,
            }
        },
    );
    insta::assert_snapshot!("a_faulty_model_is_repaired", pretty(expanded));
}

#[test]
fn something_that_cannot_be_a_model_is_made_up_for() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            pub enum Status {
                Active,
                Retired,
            }
        },
    );
    insta::assert_snapshot!("something_that_cannot_be_a_model_is_made_up_for", pretty(expanded));
}

#[test]
fn a_data_set() {
    let expanded = crate::dataset::derive(
        ImportedFrom::Part,
        quote! {
            #[derive(Dataset, Default)]
            struct World {
                regions: Table<Region>,
                countries: diffsync_core::Table<geo::Country>,
            }
        },
    );
    insta::assert_snapshot!("a_data_set", pretty(expanded));
}

#[test]
fn a_job_with_variables() {
    let arguments = quote! {
        source = CountriesFile,
        target = crate::Inventory,
        id = "countries",
        name = "Countries to inventory",
        kind = data_target,
        source_label = "The list",
        target_icon = "inventory.svg",
        dryrun_default = false,
        hidden = true,
        concurrency = 4,
    };
    let item = quote! {
        /// Keeps the inventory's countries in line with the published list.
        #[derive(Debug)]
        pub struct CountriesToInventory {
            /// Path of the countries file.
            #[var(default = "data/countries.json")]
            file: PathBuf,
            #[var(env = "INVENTORY_URL", group = "Inventory")]
            inventory: Url,
            #[var(default = -4)]
            r#type: i32,
            token: Option<Secret<String>>,
        }
    };
    insta::assert_snapshot!("a_job_with_variables", pretty(crate::job::expand(ImportedFrom::Part, arguments, &item)));
}

#[test]
fn a_job_without_variables() {
    let expanded = crate::job::expand(
        ImportedFrom::Part,
        quote!(source = File, target = File),
        &quote!(
            struct FileToFile;
        ),
    );
    insta::assert_snapshot!("a_job_without_variables", pretty(expanded));
}

#[test]
fn a_job_without_a_source_is_made_up_for() {
    let expanded = crate::job::expand(
        ImportedFrom::Part,
        quote!(target = File),
        &quote!(
            struct FileToFile {
                path: PathBuf,
            }
        ),
    );
    insta::assert_snapshot!("a_job_without_a_source_is_made_up_for", pretty(expanded));
}

#[test]
fn a_model_with_links_and_comparisons() {
    let expanded = crate::model::derive(
        ImportedFrom::Part,
        quote! {
            #[sync(
                crate = facade::sync,
                references(Label, owner = tenant, text = labels),
                references(Interface, device = name, name = primary, deferred),
                flags(skip_unmatched_dst, prevent_destroy),
                after(Site, crate::Rack),
                deletes_first,
                max_creates = 100,
                max_deletes = "12.5%",
            )]
            pub struct Device {
                #[sync(id, compare = ignore_case, rename = "host name")]
                pub name: String,
                #[sync(parent = Site, references = Tenant)]
                pub tenant: Option<String>,
                pub labels: Vec<String>,
                pub primary: Option<String>,
                #[sync(references(Self, deferred))]
                peers: Option<Vec<DeviceId>>,
                #[sync(compare = unordered)]
                tags: Vec<String>,
                #[sync(compare = contains, when_some)]
                config: Option<Value>,
                #[sync(compare = blank_is_none, when_some)]
                note: Option<String>,
                #[sync(compare = tolerance(1e-6))]
                height: f64,
                #[sync(compare = with(same_mac))]
                mac: String,
                #[sync(create_only)]
                password: Secret<String>,
            }
        },
    );
    insta::assert_snapshot!("a_model_with_links_and_comparisons", pretty(expanded));
}

#[test]
fn a_job_that_leaves_things_out() {
    let arguments = quote! {
        source = File,
        target = File,
        skip(Rack, dcim::Device),
        ignore(site.name, site."display name"),
        max_creates = 10,
        max_updates = "50%",
        on_guard = hold,
        time_limit = "15m",
    };
    let item = quote! {
        struct FileToFile {
            #[var(choices = crate::sites, default = "all")]
            site: Option<String>,
        }
    };
    insta::assert_snapshot!(
        "a_job_that_leaves_things_out",
        pretty(crate::job::expand(ImportedFrom::Part, arguments, &item))
    );
}

#[test]
fn a_choice() {
    let expanded = crate::choice::derive(
        ImportedFrom::Part,
        quote! {
            pub enum Mode {
                AsFastAsPossible,
                #[choice(rename = "step by step")]
                Careful,
            }
        },
    );
    insta::assert_snapshot!("a_choice", pretty(expanded));
}

/// Generated code names the core by the path that it is given, and nowhere by another.
#[test]
fn another_path_is_used_everywhere() {
    let job = |arguments| {
        crate::job::expand(
            ImportedFrom::Part,
            arguments,
            &quote!(
                struct Job {
                    #[var(choices = f, default = 1)]
                    a: u8,
                }
            ),
        )
    };
    for expanded in [
        crate::model::derive(
            ImportedFrom::Part,
            quote! {
                #[sync(crate = other, parent(Self, a = b), references(Self, a = c, deferred), flags(ignore), max_deletes = 1)]
                struct Model { #[sync(id)] a: u8, #[sync(id)] z: String, b: Option<u8>, c: Vec<u8>, #[sync(local)] d: u8 }
            },
        ),
        crate::model::derive(
            ImportedFrom::Part,
            quote!(
                #[sync(crate = other, name = "Wrong")]
                enum Model {
                    A,
                }
            ),
        ),
        crate::dataset::derive(
            ImportedFrom::Part,
            quote!(
                #[dataset(crate = other)]
                struct Data {
                    a: Table<Model>,
                }
            ),
        ),
        crate::dataset::derive(
            ImportedFrom::Part,
            quote!(
                #[dataset(crate = other)]
                enum Data {
                    A,
                }
            ),
        ),
        crate::choice::derive(
            ImportedFrom::Part,
            quote!(
                #[choice(crate = other)]
                enum Choice {
                    A,
                }
            ),
        ),
        crate::choice::derive(
            ImportedFrom::Part,
            quote!(
                #[choice(crate = other)]
                struct Choice {
                    a: u8,
                }
            ),
        ),
        job(quote!(source = A, target = B, crate = other, skip(Model), ignore(model.a), time_limit = "1s")),
        job(quote!(crate = other)),
    ] {
        let code = expanded.to_string();
        assert!(!code.contains("diffsync_core") && code.contains("use other as _diffsync ;"), "{code}");
    }
}

#[test]
fn the_facade_s_macros_differ_only_in_the_path() {
    let model = |from| {
        crate::model::derive(
            from,
            quote!(
                struct Region {
                    #[sync(id)]
                    slug: String,
                    name: Unknown,
                }
            ),
        )
    };
    let fallback = |from| {
        crate::model::derive(
            from,
            quote!(
                enum Region {
                    A,
                }
            ),
        )
    };
    let dataset = |from| {
        crate::dataset::derive(
            from,
            quote!(
                struct World {
                    regions: Table<Region>,
                }
            ),
        )
    };
    let choice = |from| {
        crate::choice::derive(
            from,
            quote!(
                enum Mode {
                    Fast,
                }
            ),
        )
    };
    let job = |from| {
        crate::job::expand(
            from,
            quote!(source = A, target = B),
            &quote!(
                struct Sync {
                    mode: Mode,
                }
            ),
        )
    };

    let expansions: [(&str, &dyn Fn(ImportedFrom) -> TokenStream); 5] =
        [("SyncModel", &model), ("a fallback", &fallback), ("Dataset", &dataset), ("Choice", &choice), ("job", &job)];
    for (name, expand) in expansions {
        let core = expand(ImportedFrom::Part).to_string();
        let expected = core.replace(":: diffsync_core", ":: diffsync :: __private :: core");
        assert_ne!(core, expected, "{name}");
        assert_eq!(expand(ImportedFrom::Facade).to_string(), expected, "{name}");
    }
}

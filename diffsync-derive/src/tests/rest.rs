//! What `#[derive(RestModel)]` makes of its input.

use quote::quote;

use super::random::{Random, mutated, parsed};
use super::{errors, pretty};
use crate::krate::ImportedFrom;

#[test]
fn a_model_that_an_api_keeps() {
    let expanded = crate::rest::derive(
        ImportedFrom::Part,
        quote! {
            #[derive(SyncModel, RestModel, Clone)]
            #[rest(
                path = "dcim/devices/",
                query = "role=server",
                lookup("type -> types(maker -> makers(name), model)", maker, model),
                owner(field = "tags -> tags(name)", value = "diffsync"),
                answer = "data.0",
                skip_unnamed,
            )]
            struct Device {
                #[sync(id)]
                name: String,
                #[rest(lookup = "site -> sites(parent*/name)")]
                site: Option<String>,
                maker: String,
                model: String,
                #[rest(field = "custom_fields.external_id", blank, optional)]
                external: Option<String>,
                #[rest(lookup = "tags -> tags(name)")]
                tags: Vec<String>,
                #[rest(choice)]
                #[sync(rename = "state")]
                status: String,
                #[rest(read_only)]
                count: u64,
                #[rest(write_only)]
                password: Option<Secret<String>>,
                #[rest(lookup = "parent -> prefixes(space -> spaces(name))", write = "space -> spaces(name)")]
                space: String,
                #[sync(local)]
                #[rest(key, field = "uuid")]
                remote: Option<Uuid>,
                #[sync(local)]
                line: usize,
            }
        },
    );
    insta::assert_snapshot!("a_model_that_an_api_keeps", pretty(expanded));
}

#[test]
fn a_tree_that_an_api_keeps_by_its_own_name() {
    let expanded = crate::rest::derive(
        ImportedFrom::Part,
        quote! {
            #[rest(path = "places", crate = adapters)]
            struct Place {
                #[sync(id)]
                #[rest(key, field = "parent*/name")]
                path: Path,
            }
        },
    );
    insta::assert_snapshot!("a_tree_that_an_api_keeps_by_its_own_name", pretty(expanded));
}

#[test]
fn all_that_is_wrong_with_a_model_that_an_api_keeps_is_said() {
    let expanded = crate::rest::derive(
        ImportedFrom::Part,
        quote! {
            #[rest(
                paht = "devices",
                choice,
                lookup("type -> types(maker -> makers(name), model)", maker),
                lookup("type -> types(name)", tipe),
                owner(value = "x"),
                owner(field = "parent*/name", value = "x"),
                answer = "data..0",
                optional,
            )]
            struct Device {
                #[sync(id)]
                #[rest(query = "a")]
                name: String,
                #[rest(lookup = "site -> sites")]
                site: String,
                #[rest(field = "a..b")]
                kind: String,
                #[rest(key)]
                number: u64,
                #[rest(lookup = "type -> types(maker, model)")]
                r#type: String,
                #[rest(blank, write_only)]
                note: String,
                #[rest(read_only, write_only)]
                count: Option<u64>,
                #[rest(field = "name")]
                other: String,
                #[rest(field = "a", lookup = "b -> c(d)")]
                twice: String,
                #[rest(chioce = true)]
                status: String,
                #[sync(local)]
                #[rest(field = "line")]
                line: usize,
                #[sync(local)]
                #[rest(key)]
                id: Option<u64>,
            }
        },
    );
    insta::assert_snapshot!("all_that_is_wrong_with_a_model_that_an_api_keeps_is_said", errors(&expanded));
}

#[test]
fn what_would_be_dropped_from_a_model_that_an_api_keeps_is_said() {
    let expanded = crate::rest::derive(
        ImportedFrom::Part,
        quote! {
            #[rest(path = "devices", lookup("type -> types(maker -> makers(name), model, kind, size)", maker, model, kind, size))]
            struct Device {
                #[sync(id)]
                name: String,
                #[rest(read_only)]
                maker: String,
                #[rest(write_only)]
                model: String,
                #[rest(choice)]
                kind: String,
                #[rest(blank)]
                size: Option<String>,
                custom_fields: Fields,
                #[rest(field = "custom_fields.external_id")]
                external_id: String,
                #[rest(field = "config.mode.name")]
                mode: String,
                config: Config,
                #[rest(field = "config.site", read_only)]
                site: String,
            }
        },
    );
    insta::assert_snapshot!("what_would_be_dropped_from_a_model_that_an_api_keeps_is_said", errors(&expanded));
}

#[test]
fn what_can_be_no_model_is_made_up_for_and_nothing_is_said_twice() {
    let expanded = crate::rest::derive(
        ImportedFrom::Part,
        quote! {
            #[rest(path = "a")]
            enum Device<T> { One(T) }
        },
    );
    insta::assert_snapshot!("what_no_api_can_keep", pretty(expanded));
}

#[test]
fn no_input_makes_the_derive_panic() {
    const INPUT: &str = "#[rest(path = \"devices\", query = \"a=b\", crate = a::b, answer = \"a.0\", skip_unnamed, owner(field = \"tags -> tags(name)\", value = \"x\"), \
        lookup(\"type -> types(maker -> makers(name), model)\", maker, model))] struct Device { \
        #[sync(id)] #[rest(key, field = \"uuid\")] name: String, maker: String, model: Option<String>, \
        #[rest(lookup = \"site -> sites(parent*/name)\", write = \"place\")] site: Vec<String>, \
        #[rest(choice, blank, read_only, optional)] r#type: Option<String>, #[sync(local)] #[rest(key)] id: Option<u64> }";
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..3000 {
        let mut input = parsed(INPUT);
        for _ in 0..=random.below(6) {
            input = mutated(input, &mut random);
        }
        let expanded = crate::rest::derive(ImportedFrom::Part, input.clone());
        assert!(syn::parse2::<syn::File>(expanded.clone()).is_ok(), "in round {round}, {input}\nbecame {expanded}");
    }
}

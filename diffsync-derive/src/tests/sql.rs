//! What `SqlModel` makes of its input.

use quote::quote;

use super::pretty;
use crate::krate::ImportedFrom;

#[test]
fn a_model_that_is_kept_in_a_table() {
    let expanded = crate::sql::derive(
        ImportedFrom::Part,
        quote! {
            #[sync(parent(Device, site = site, name = device))]
            #[sql(
                table = "dcim.interfaces",
                owner(column = "managed_by", value = "diffsync"),
                lookup("device_id -> devices(site_id -> sites(name) on uuid, name)", site, device)
            )]
            pub struct Interface {
                #[sync(id)]
                pub site: String,
                #[sync(id)]
                pub device: String,
                #[sync(id)]
                pub name: String,
                #[sql(column = "type")]
                r#type: Kind,
                #[sql(lookup = "vlan_id -> vlans(number)")]
                vlan: Option<u16>,
                #[sql(as = json)]
                tags: Vec<String>,
                #[sql(as = text, type = "inet")]
                address: Option<Secret<IpNet>>,
                #[sync(local)]
                #[sql(key)]
                id: Option<i64>,
                #[sync(local)]
                #[sql(column = "created_at")]
                created: Option<String>,
                #[sync(local)]
                line: usize,
            }
        },
    );
    insta::assert_snapshot!("a_model_that_is_kept_in_a_table", pretty(expanded));
}

#[test]
fn all_that_is_wrong_with_a_model_that_is_kept_in_a_table_is_said() {
    let expanded = crate::sql::derive(
        ImportedFrom::Part,
        quote! {
            #[sql(
                tabel = "interfaces",
                owner(column = "managed_by"),
                column = "x",
                lookup("device_id -> devices(site, name)", device),
                lookup("rack_id -> racks(site, name)", site, rakc),
                lookup("room_id -> rooms(line)", line),
                lookup("room_id > rooms(name)", name)
            )]
            struct Interface {
                #[sync(id)]
                #[sql(key)]
                site: String,
                #[sync(id)]
                #[sql(column = "")]
                device: String,
                #[sync(id)]
                name: String,
                #[sql(lookup = "a -> b(c, d)")]
                two: String,
                #[sql(lookup = "a -> b(c)", column = "a")]
                twice: String,
                #[sql(as = yaml)]
                form: String,
                #[sql(table = "x", clumn = "y")]
                rack: String,
                #[sql(column = "name")]
                other: String,
                #[sync(local)]
                #[sql(lookup = "a -> b(c)")]
                local: String,
                #[sync(local)]
                #[sql(column = "line")]
                line: usize,
                #[sync(local)]
                #[sql(key = "id")]
                id: Option<i64>,
                #[sync(local)]
                #[sql(key, as = text)]
                first: Option<i64>,
                #[sync(local)]
                #[sql(key)]
                second: Option<i64>,
            }
        },
    );
    insta::assert_snapshot!("all_that_is_wrong_with_a_model_that_is_kept_in_a_table_is_said", super::errors(&expanded));
}

#[test]
fn what_can_be_in_no_table_is_made_up_for_and_nothing_is_said_twice() {
    let expanded = crate::sql::derive(
        ImportedFrom::Part,
        quote! {
            #[sql(table = "a")]
            enum Device<T> { One(T) }
        },
    );
    insta::assert_snapshot!("what_no_table_can_keep", pretty(expanded));
}
